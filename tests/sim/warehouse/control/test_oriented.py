# SPDX-License-Identifier: Apache-2.0
"""Steps to goals with turns: fast equals reference, and memory is kept within bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.control.oriented import (
    UNREACHABLE,
    Fields,
    OrientedFields,
    oriented_field_reference,
)
from sim.warehouse.rules import Gait


def scattered(height: int, width: int, seed: int) -> Layout:
    free = np.random.default_rng(seed).random((height, width)) < 0.7
    free[0, 0] = True
    return Layout("scattered", free)


def at_cells(fields: OrientedFields, row: int) -> Fields:
    """``[cells, planes]``; obstacles have the place after the free cells."""
    steps: Fields = fields.data[row][fields.steps.place]
    return steps


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from(Gait), st.integers(0, 10**6))
def test_fields_equal_the_reference(height: int, width: int, gait: Gait, seed: int) -> None:
    layout = scattered(height, width, seed)
    goals = layout.free_cells[:3]
    fields = OrientedFields(layout, gait, 1)
    for goal, row in zip(goals, fields.rows(goals), strict=True):
        assert np.array_equal(
            at_cells(fields, row), oriented_field_reference(layout, gait, int(goal))
        )


def test_turns_count_as_steps() -> None:
    layout = Layout("corner", np.array([[True, True], [False, True]]))
    fields = OrientedFields(layout, Gait.TURNING, 1)
    (row,) = fields.rows(np.array([3], dtype=np.int32))
    # From the corner's far end: heading north, east, south, west.
    steps = at_cells(fields, row)
    assert steps[0].tolist() == [4, 3, 4, 5]
    assert steps[3].tolist() == [0, 0, 0, 0]
    assert steps[2].tolist() == [UNREACHABLE] * 4


def test_fields_that_were_not_asked_for_lately_make_room() -> None:
    layout = Layout("hall", np.ones((4, 4), dtype=bool))
    fields = OrientedFields(layout, Gait.SLIDING, 3 * 34 / 2**20)
    assert len(fields.data) == 3
    fields.rows(np.array([0, 1, 2], dtype=np.int32))
    rows = fields.rows(np.array([[0, 5], [-1, 2]], dtype=np.int32))
    assert rows[1, 0] == -1
    for goal, row in ((0, rows[0, 0]), (5, rows[0, 1]), (2, rows[1, 1])):
        reference = oriented_field_reference(layout, Gait.SLIDING, goal)
        assert np.array_equal(at_cells(fields, row), reference)


def test_too_little_room_is_refused() -> None:
    layout = Layout("hall", np.ones((4, 4), dtype=bool))
    with pytest.raises(InputError, match="capacity_mib"):
        OrientedFields(layout, Gait.TURNING, 0.00001)
    fields = OrientedFields(layout, Gait.SLIDING, 2 * 34 / 2**20)
    with pytest.raises(InputError, match="different goals is 3; allowed: at most 2"):
        fields.rows(np.array([0, 1, 2], dtype=np.int32))
