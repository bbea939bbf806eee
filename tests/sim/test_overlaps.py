# SPDX-License-Identifier: Apache-2.0
"""Where routes meet: found fast as found slowly, and by hand where it is subtle."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given

from sim.conflicts import events_of
from sim.overlaps import CROSSING, OPPOSITE, SAME, find_overlaps, find_overlaps_reference
from tests.sim.tiny_instances import bounded, routes_of, walks


def overlaps_of(routes: Sequence[Sequence[int]]) -> list[tuple[int, int, int, int]]:
    _, cell, robot = events_of(routes_of(routes))
    columns = (column.tolist() for column in find_overlaps(cell, robot))
    return list(zip(*columns, strict=True))


@bounded
@given(walks())
def test_the_fast_search_finds_what_the_slow_one_finds(routes: list[list[int]]) -> None:
    _, cell, robot = events_of(routes_of(routes))
    found = overlaps_of(routes)
    assert len(found) == len(set(found))
    assert set(found) == find_overlaps_reference(cell, robot)


@bounded
@given(walks())
def test_every_meeting_on_a_cell_belongs_to_exactly_one_overlap(routes: list[list[int]]) -> None:
    _, cell, robot = events_of(routes_of(routes))
    covered = Counter(
        (u + step, v + (step if direction >= 0 else -step))
        for u, v, length, direction in overlaps_of(routes)
        for step in range(length)
    )
    meetings = {
        (e, f)
        for e in range(len(cell))
        for f in range(len(cell))
        if robot[e] < robot[f] and cell[e] == cell[f] >= 0
    }
    assert covered == Counter(meetings)


@bounded
@given(walks())
def test_overlaps_come_sorted(routes: list[list[int]]) -> None:
    found = overlaps_of(routes)
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("routes", "overlaps"),
    [
        ([[0, 1, 2], [3, 4, 5]], []),
        ([[0, 1, 2, 5], [4, 1, 2, 3]], [(1, 6, 2, SAME)]),
        ([[0, 1, 2, 5], [3, 2, 1, 4]], [(1, 7, 2, OPPOSITE)]),
        ([[3, 4, 5], [1, 4, 7]], [(1, 5, 1, CROSSING)]),
        # the second turns on the spot: it is met once on its way there and once back
        ([[0, 1], [0, 1, 0]], [(0, 3, 2, SAME), (0, 5, 1, CROSSING)]),
        # both turn: the way there is shared, so is the way back, and they meet at the ends
        (
            [[0, 1, 0], [0, 1, 0]],
            [(0, 4, 3, SAME), (0, 6, 1, CROSSING), (2, 4, 1, CROSSING)],
        ),
        # a loop over the same crossing
        ([[1, 4], [4, 5, 8, 7, 4]], [(1, 3, 1, CROSSING), (1, 7, 1, CROSSING)]),
    ],
)
def test_overlaps_by_hand(
    routes: list[list[int]], overlaps: list[tuple[int, int, int, int]]
) -> None:
    assert overlaps_of(routes) == overlaps


def test_a_robot_does_not_meet_itself() -> None:
    assert overlaps_of([[0, 1, 2, 1, 0]]) == []


def test_routes_that_touch_only_in_the_event_numbering_do_not_meet() -> None:
    """The last cell of one robot and the first of the next have neighbouring events."""
    assert overlaps_of([[0, 1], [2, 3], [1, 0]]) == [(0, 7, 2, OPPOSITE)]
    _, cell, _ = events_of(routes_of([[0, 1], [2, 3]]))
    np.testing.assert_array_equal(cell, [0, 1, -1, 2, 3, -1])
