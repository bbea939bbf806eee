# SPDX-License-Identifier: Apache-2.0
"""Environments that fail: the episode is dropped and counted, and the third in a row ends it."""

import logging
import math

import numpy as np
import pytest

from sim.environments.gymnasium_vector import GymnasiumVector
from sim.environments.lane import EnvironmentBroken
from sim.environments.make import make_environments
from sim.environments.readable import readable
from sim.errors import InputError
from tests.sim.environments.failing import Script, scripted

STAY = np.array([0])


def _fails(when: set[tuple[int, int]], shown: float = 1.0, paid: float = 1.0) -> Script:
    """Shows and pays this at these (reset, step), and 1 elsewhere; raises where both are 1."""

    def script(reset: int, step: int) -> tuple[float, float]:
        if (reset, step) not in when:
            return 1.0, 1.0
        if shown == paid == 1.0:
            raise OSError("the wheel came off")
        return shown, paid

    return script


def _broken(vector: GymnasiumVector, steps: int) -> list[int]:
    """At which steps an episode was dropped."""
    vector.reset()
    return [step for step in range(steps) if vector.step(STAY).broken[0]]


@pytest.mark.parametrize(
    ("shown", "paid"), [(1.0, 1.0), (math.nan, 1.0), (math.inf, 1.0), (1.0, math.nan)]
)
def test_a_failed_step_drops_its_episode(
    shown: float, paid: float, caplog: pytest.LogCaptureFixture
) -> None:
    vector = scripted(_fails({(1, 4)}, shown, paid))
    vector.reset()
    with caplog.at_level(logging.WARNING):
        rows = [vector.step(STAY) for _ in range(8)]
    assert [bool(row.broken[0]) for row in rows] == [False] * 3 + [True] + [False] * 4
    assert rows[3].begins[0]
    assert rows[3].rewards[0] == 0
    assert not rows[3].terminated[0]
    np.testing.assert_array_equal(rows[3].observations, np.ones((1, 2)))
    assert rows[7].terminated[0]  # the fresh episode has its four steps
    assert "environment 'Scripted', lane 7: episode 0 dropped" in caplog.text


def test_a_failed_reset_drops_the_episode_that_did_not_begin() -> None:
    assert _broken(scripted(_fails({(2, 0)})), 12) == [4]


def test_a_lane_that_fails_leaves_the_others_alone() -> None:
    # The resets of two lanes: the odd ones are those of the first lane, until it fails.
    vector = scripted(_fails({(1, 2)}), [0, 1])
    vector.reset()
    rows = [vector.step(np.array([0, 0])) for _ in range(4)]
    assert [row.broken.tolist() for row in rows[:2]] == [[False, False], [True, False]]
    assert [row.terminated.tolist() for row in rows[2:]] == [[False, False], [False, True]]


def test_three_faults_in_a_row_end_it_with_the_cause() -> None:
    vector = scripted(_fails({(2, 1), (3, 1), (4, 2)}))
    with pytest.raises(EnvironmentBroken) as caught:
        _broken(vector, 20)
    assert isinstance(caught.value, InputError)
    assert str(caught.value) == (
        "environment 'Scripted', lane 7 failed 3 times in a row: OSError: the wheel came off"
    )


def test_an_environment_that_never_begins_ends_at_once() -> None:
    with pytest.raises(EnvironmentBroken, match=r"shows \[nan, nan\]"):
        scripted(_fails({(1, 0), (2, 0), (3, 0)}, shown=math.nan)).reset()


def test_a_last_step_that_fails_finishes_no_episode() -> None:
    with pytest.raises(EnvironmentBroken, match="pays nan"):
        _broken(scripted(_fails({(1, 4), (2, 4), (3, 4)}, paid=math.nan)), 20)


def test_a_finished_episode_forgives() -> None:
    vector = scripted(_fails({(1, 1), (2, 1), (4, 1), (5, 1)}))
    assert _broken(vector, 20) == [0, 1, 7, 8]


def test_faults_are_remembered_in_a_snapshot() -> None:
    vector = scripted(_fails({(1, 1), (2, 1), (4, 1)}))
    vector.reset()
    for _ in range(2):
        vector.step(STAY)
    vector.restore(vector.snapshot())
    with pytest.raises(EnvironmentBroken):
        vector.step(STAY)


def test_a_code_that_no_grid_has_is_not_readable() -> None:
    interface = make_environments("MiniGrid-DoorKey-5x5-v0", [0], 0, "gymnasium").interface
    view = np.zeros((2, 7, 7, 3), np.uint8)
    view[..., :] = [10, 5, 3]
    assert readable(interface, view)
    view[1, 2, 3] = [10, 6, 3]
    assert not readable(interface, view)
