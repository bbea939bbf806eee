# SPDX-License-Identifier: Apache-2.0
"""Moves in which the league's program does not see what its rules allow."""

import numpy as np

from sim.distances import neighbour_table
from sim.layout import Layout
from sim.warehouse.fleet import fleet_at
from sim.warehouse.league.rounding import moves_apart
from sim.warehouse.motion import Motion
from sim.warehouse.rules import league

EAST, SOUTH, WEST = 1, 2, 3


def test_moves_over_powers_of_two_and_those_behind_them_are_meant() -> None:
    layout = Layout("long", np.ones((2, 70), dtype=np.bool_))
    apart = moves_apart(layout)
    columns = np.arange(70)
    assert columns[apart[:70, EAST]].tolist() == [30, 31, 62, 63]
    assert columns[apart[:70, WEST]].tolist() == [32, 33, 64, 65]
    assert not apart[:, SOUTH].any()


def test_a_robot_follows_everywhere_but_there() -> None:
    layout = Layout("long", np.ones((2, 70), dtype=np.bool_))
    motion = Motion(neighbour_table(layout), league(3), moves_apart(layout))
    for column, follows in ((10, True), (29, True), (30, False), (31, False), (32, True)):
        fleet = fleet_at(np.array([[column, column + 1]], dtype=np.int32))
        forward = np.array([[1, 1]], dtype=np.int8)
        motion.step(fleet, forward)
        assert motion.step(fleet, forward).refused[0, 0] != follows
