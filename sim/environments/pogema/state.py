# SPDX-License-Identifier: Apache-2.0
"""What the kernels of POGEMA's rules read and write.

The numbers below are compiled into each @kernel that uses them; these words make ``sim.jit`` count
this file among the sources of the kernels.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sim.environments.pogema.floors import Floors
from sim.environments.pogema.options import Collision, ObservationType, OnTarget, PogemaOptions
from sim.warehouse.chance import Keys

ACTIONS = 5  # wait, north, south, west, east, in POGEMA's order
FINISH, NOTHING, RESTART = 0, 1, 2
BLOCK_BOTH, PRIORITY, SOFT = 0, 1, 2
NONE = -1


class Rules(NamedTuple):
    """The options as the kernels read them."""

    on_target: int
    collision: int
    max_steps: int
    observed: bool


class Orders(NamedTuple):
    """Where robots start and go to; the tables are empty where that is drawn.

    Args:
        starts: ``[W, N]`` int32.
        targets: ``[W, N, K]`` int32, visited in turn and then again from the first one.
        floor: ``[W]`` int64, the floor of each world.
        keys: ``[W]`` uint64, of what is drawn.
    """

    starts: NDArray[np.int32]
    targets: NDArray[np.int32]
    floor: NDArray[np.int64]
    keys: Keys


class State(NamedTuple):
    """W worlds of N robots; cells are those of the grid with margin.

    Args:
        cell, target: ``[W, N]`` int32.
        turn: ``[W, N]`` int32, how many targets a robot has reached in this episode.
        active: ``[W, N]`` bool, false once a robot has left the floor.
        shown: ``[W, cells + SLACK]`` uint8: 1 where robots see a robot.
        steps: ``[W]`` int64, taken in this episode.
        episode: ``[W]`` int64, its number; -1 before the first.
        over: ``[W]`` bool: the next step begins the next episode.
    """

    cell: NDArray[np.int32]
    target: NDArray[np.int32]
    turn: NDArray[np.int32]
    active: NDArray[np.bool_]
    shown: NDArray[np.uint8]
    steps: NDArray[np.int64]
    episode: NDArray[np.int64]
    over: NDArray[np.bool_]


class Scratch(NamedTuple):
    """Room to work in, shared by all worlds; zero or ``NONE`` outside of a call.

    Args:
        claims: ``[cells + SLACK]`` uint8, who wants a cell.
        owner: ``[cells + SLACK]`` int32, the robot that stands in a cell.
        head, tail: ``[cells + SLACK]`` int32, the first and the last robot of a cell's queue.
        behind: ``[N]`` int32, the next robot in the same queue.
        goal: ``[N]`` int32, the cell that a robot is bound for.
        order, left, waiting: ``[F]`` int32, to place robots.
    """

    claims: NDArray[np.uint8]
    owner: NDArray[np.int32]
    head: NDArray[np.int32]
    tail: NDArray[np.int32]
    behind: NDArray[np.int32]
    goal: NDArray[np.int32]
    order: NDArray[np.int32]
    left: NDArray[np.int32]
    waiting: NDArray[np.int32]


def rules_of(options: PogemaOptions) -> Rules:
    """The options as the kernels read them."""
    return Rules(
        on_target=list(OnTarget).index(options.on_target),
        collision=list(Collision).index(options.collision),
        max_steps=options.max_episode_steps,
        observed=options.observations != ObservationType.NONE,
    )


def make_state(floors: Floors, floor: NDArray[np.int64], robots: int) -> State:
    """Worlds before their first episode; every robot stands on a free cell."""
    shape = len(floor), robots
    anywhere = np.repeat(floors.members[floor, :1], robots, axis=1)
    return State(
        cell=anywhere.copy(),
        target=anywhere.copy(),
        turn=np.zeros(shape, dtype=np.int32),
        active=np.ones(shape, dtype=np.bool_),
        shown=np.zeros((len(floor), floors.blocked.shape[1]), dtype=np.uint8),
        steps=np.zeros(len(floor), dtype=np.int64),
        episode=np.full(len(floor), -1, dtype=np.int64),
        over=np.ones(len(floor), dtype=np.bool_),
    )


def make_scratch(floors: Floors, robots: int) -> Scratch:
    """Room to work in."""
    cells, free = floors.blocked.shape[1], floors.members.shape[1]

    def room(count: int, value: int = NONE, dtype: DTypeLike = np.int32) -> NDArray[np.int32]:
        return np.full(count, value, dtype=dtype)

    return Scratch(
        claims=np.zeros(cells, dtype=np.uint8),
        owner=room(cells), head=room(cells), tail=room(cells),
        behind=room(robots), goal=room(robots),
        order=room(free), left=room(free), waiting=room(free),
    )  # fmt: skip
