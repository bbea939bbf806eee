# SPDX-License-Identifier: Apache-2.0
"""How well the episodes of a compiled world can be played, by breadth-first search."""

from collections import deque
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.environments.gridworld.lanes import (
    EMPTY,
    GOAL,
    MEMORY,
    VIEW,
    Lanes,
    Rules,
    make_lanes,
)
from sim.environments.gridworld.rooms import generate
from sim.environments.gridworld.steps import observe, vector
from sim.environments.gridworld.worlds import rules_of
from sim.environments.seeds import episode_seed
from sim.errors import require

Returns = NDArray[np.float64]
Pose = tuple[int, int, int]  # x, y, direction


class OptimalReturns(NamedTuple):
    """Of each episode ``[E]``, undiscounted; all three are alike but in the memory worlds.

    ``informed``: of who knows the whole room beforehand, and in the memory worlds which end is
    right: the shortest way there. No agent does better.

    ``looking``: of who knows the whole room but not which object stands in the first one, and goes
    the shortest way on which it sees that object. The expected value of any agent is at most this,
    as guessing is worth half of ``informed`` and that is less here.

    ``memoryless``: what the expected value of a policy of the present observation alone, random or
    not, cannot exceed. Half of ``informed`` where the object cannot be seen from the fork: the
    policy enters the fork in one pose, and what it does there cannot depend on the object. Going
    straight on and always turning left reaches that bound. Where the object is in sight from the
    fork (MemoryS7, MemoryS9, the short hallways of the Random ones) no more is claimed than
    ``looking``: an agent that turns round at the fork sees both and needs no memory.
    """

    informed: Returns
    looking: Returns
    memoryless: Returns


class _Room(NamedTuple):
    """What the search reads; hashable, as rooms come again and again."""

    cells: bytes
    start: Pose
    success: tuple[int, int]
    failure: tuple[int, int]


def optimal_returns(name: str, episodes: int, seed: int, lane: int = 0) -> OptimalReturns:
    """The best returns of episodes ``0 .. episodes - 1`` of a lane of the run with this seed.

    Raises:
        InputError: the world is not compiled, or there are no episodes.
    """
    require("episodes", episodes, episodes >= 1, "1 or more")
    rules = rules_of(name)
    lanes = make_lanes(1, rules.size)
    rows = []
    for episode in range(episodes):
        generate(rules, lanes, 0, episode_seed(seed, lane, episode))
        rows.append(_returns(rules, _room(lanes)))
    return OptimalReturns(*np.array(rows).T)


def _room(lanes: Lanes) -> _Room:
    x, y, direction = lanes.agent[0].tolist()
    ends = (tuple(row[0].tolist()) for row in (lanes.success, lanes.failure))
    return _Room(lanes.cells[0].tobytes(), (x, y, direction), *ends)


@cache
def _returns(rules: Rules, room: _Room) -> tuple[float, float, float]:
    """Each of the three for one room."""
    everywhere = _free_poses(rules, room)
    informed = _reward(rules, _shortest(rules, room, everywhere))
    if rules.family != MEMORY:
        return informed, informed, informed
    seeing = frozenset(pose for pose in everywhere if _sees_the_object(rules, room, pose))
    looking = _reward(rules, _shortest(rules, room, seeing))
    fork = (room.success[0], rules.size // 2)
    hidden = not any((*fork, direction) in seeing for direction in range(4))
    return informed, looking, informed / 2 if hidden else looking


def _reward(rules: Rules, steps: int) -> float:
    return 1 - 0.9 * steps / rules.max_steps


def _cells(rules: Rules, room: _Room) -> NDArray[np.uint8]:
    return np.frombuffer(room.cells, dtype=np.uint8).reshape(rules.size, rules.size)


def _free_poses(rules: Rules, room: _Room) -> frozenset[Pose]:
    free = np.argwhere(np.isin(_cells(rules, room), (EMPTY, GOAL))).tolist()
    return frozenset((x, y, direction) for x, y in free for direction in range(4))


def _shortest(rules: Rules, room: _Room, seeing: frozenset[Pose]) -> int:
    """The fewest actions to the good end by way of a pose in ``seeing``.

    Raises:
        ValueError: there is no such way.
    """
    free = _free_poses(rules, room)
    first = (room.start, room.start in seeing)
    steps, queue = {first: 0}, deque([first])
    while queue:
        pose, seen = here = queue.popleft()
        if pose[:2] == room.success and seen:
            return steps[here]
        if pose[:2] in (room.success, room.failure):
            continue  # the episode is over
        for after in _neighbours(pose, free):
            then = (after, seen or after in seeing)
            if then not in steps:
                steps[then] = steps[here] + 1
                queue.append(then)
    raise ValueError("the good end cannot be reached")


def _neighbours(pose: Pose, free: frozenset[Pose]) -> Iterator[Pose]:
    """Where one action leads."""
    x, y, direction = pose
    dx, dy = vector(direction)
    yield x, y, (direction + 1) % 4
    yield x, y, (direction + 3) % 4
    if (x + dx, y + dy, direction) in free:
        yield x + dx, y + dy, direction


def _sees_the_object(rules: Rules, room: _Room, pose: Pose) -> bool:
    """Whether the object of the first room, at ``(1, size // 2 - 1)``, is seen from a pose."""
    x, y, direction = pose
    dx, dy = vector(direction)
    east, south = 1 - x, rules.size // 2 - 1 - y
    i, j = VIEW // 2 + south * dx - east * dy, VIEW - 1 - east * dx - south * dy
    if not (0 <= i < VIEW and 0 <= j < VIEW):
        return False
    lanes, image = make_lanes(1, rules.size), np.zeros((VIEW, VIEW, 3), dtype=np.uint8)
    lanes.cells[0], lanes.agent[0] = _cells(rules, room), pose
    observe(rules, lanes, 0, image)
    return bool(image[i, j, 0] > 0)
