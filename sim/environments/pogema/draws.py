# SPDX-License-Identifier: Apache-2.0
"""Kernels that draw where the robots of an episode start and go to.

Probabilities are POGEMA's (generator.py), the numbers are ours: functions of the key of the world,
the episode, the step and the robot.
"""

import numpy as np

from sim.environments.pogema.floors import Floors
from sim.environments.pogema.state import NONE, Scratch
from sim.jit import kernel
from sim.layout import Cells
from sim.warehouse.chance import bits, uniform

_EPISODE, _PLACE, _TARGET = 1, 2, 3  # roles


@kernel
def episode_key(key: np.uint64, episode: int) -> np.uint64:
    """The key of one episode of the world with this key."""
    return bits(key, episode, 0, _EPISODE)


@kernel
def place(
    floors: Floors, floor: int, key: np.uint64, cell: Cells, target: Cells, scratch: Scratch
) -> None:
    """Starts and targets ``[N]`` of an episode, no cell twice, none out of reach.

    The free cells are gone through in random order. The first of a component becomes a start, the
    next one the target of the robot that starts there, and so on, until all robots are placed.
    """
    free = floors.free[floor]
    for i in range(free):
        scratch.order[i] = floors.members[floor, i]
        scratch.waiting[i] = NONE
        scratch.left[i] = floors.size[floor, floors.members[floor, i]]
    placed = done = i = 0
    while done < len(cell):
        j = i + int(uniform(key, 0, i, _PLACE) * (free - i))
        here, scratch.order[j] = scratch.order[j], scratch.order[i]
        i += 1
        component = floors.first[floor, here]
        robot = scratch.waiting[component]
        if robot != NONE:
            target[robot] = here
            scratch.waiting[component] = NONE
            done += 1
        elif placed < len(cell) and scratch.left[component] > 1:
            scratch.left[component] -= 2
            cell[placed] = here
            scratch.waiting[component] = placed
            placed += 1


@kernel
def another_target(
    floors: Floors, floor: int, key: np.uint64, step: int, robot: int, cell: int
) -> int:
    """Any cell that can be reached from ``cell`` but itself; itself where there is no other.

    Args:
        key: of the episode.
        step: of the episode, 1 or more.
    """
    others = floors.size[floor, cell] - 1
    if others == 0:
        return cell
    chosen = int(uniform(key, step, robot, _TARGET) * others)
    if chosen >= floors.rank[floor, cell]:
        chosen += 1  # its own place is left out
    return int(floors.members[floor, floors.first[floor, cell] + chosen])
