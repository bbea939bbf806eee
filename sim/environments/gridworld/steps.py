# SPDX-License-Identifier: Apache-2.0
"""Kernels that move the agents and look through their eyes."""

import numpy as np
from numpy.typing import NDArray

from sim.environments.gridworld.draws import compiled_episode_seed
from sim.environments.gridworld.lanes import (
    ACTIONS,
    EMPTY,
    FORWARD,
    GOAL,
    OPEN_ROOM,
    TURN_LEFT,
    TURN_RIGHT,
    VIEW,
    WALL,
    Lanes,
    Rules,
)
from sim.environments.gridworld.rooms import generate
from sim.environments.interface import Steps
from sim.jit import kernel

_GREEN, _GREY = 1, 5  # walls are grey, all things are green


@kernel
def step_all(
    rules: Rules,
    lanes: Lanes,
    numbers: NDArray[np.int64],
    seed: int,
    actions: NDArray[np.int64],
    out: Steps,
) -> int:
    """Act in every lane, or begin its next episode, and look; ``out`` is filled.

    Args:
        numbers: ``[B]`` of the lanes in the whole run.
        actions: ``[B]``, ignored where an episode begins.

    Returns:
        -1, or the first lane with an action that does not exist; then nothing has changed.
    """
    for b in range(len(actions)):
        if not lanes.over[b] and not 0 <= actions[b] < ACTIONS:
            return b
    for b in range(len(actions)):
        out.begins[b] = lanes.over[b]
        out.broken[b] = False
        if lanes.over[b]:
            begin(rules, lanes, b, compiled_episode_seed(seed, numbers[b], lanes.episode[b] + 1))
            out.rewards[b], out.terminated[b], out.truncated[b] = 0.0, False, False
        else:
            outcome = step(rules, lanes, b, actions[b])
            out.rewards[b], out.terminated[b], out.truncated[b] = outcome
        observe(rules, lanes, b, out.observations[b])
    return -1


@kernel
def begin(rules: Rules, lanes: Lanes, b: int, seed: int) -> None:
    """Lane ``b`` stands at the start of its next episode, the one with this ``seed``."""
    generate(rules, lanes, b, seed)
    lanes.steps[b] = 0
    lanes.episode[b] += 1
    lanes.over[b] = False


@kernel
def step(rules: Rules, lanes: Lanes, b: int, action: int) -> tuple[float, bool, bool]:
    """One action in lane ``b``: reward, terminated, truncated."""
    lanes.steps[b] += 1
    _move(lanes.cells[b], lanes.agent[b], action)
    succeeded = _at(lanes.agent[b], lanes.success[b])
    terminated = succeeded or _at(lanes.agent[b], lanes.failure[b])
    truncated = lanes.steps[b] >= rules.max_steps
    lanes.over[b] = terminated or truncated
    reward = 1 - 0.9 * (lanes.steps[b] / rules.max_steps) if succeeded else 0.0
    return reward, terminated, truncated


@kernel
def _at(agent: NDArray[np.int64], position: NDArray[np.int64]) -> bool:
    return bool(agent[0] == position[0] and agent[1] == position[1])


@kernel
def _move(cells: NDArray[np.uint8], agent: NDArray[np.int64], action: int) -> None:
    if action == TURN_LEFT:
        agent[2] = (agent[2] + 3) % 4
    elif action == TURN_RIGHT:
        agent[2] = (agent[2] + 1) % 4
    elif action == FORWARD:
        dx, dy = vector(agent[2])
        ahead = cells[agent[0] + dx, agent[1] + dy]
        if ahead in (EMPTY, GOAL):
            agent[0] += dx
            agent[1] += dy


@kernel
def vector(direction: int) -> tuple[int, int]:
    """One cell in this direction: right, down, left, up."""
    return (1 - direction) * (1 - direction % 2), (2 - direction) * (direction % 2)


@kernel
def observe(rules: Rules, lanes: Lanes, b: int, image: NDArray[np.uint8]) -> None:
    """What the agent of lane ``b`` sees, into ``image [7, 7, 3]``: type, colour, state.

    Column ``i`` goes from its left to its right, row ``j`` comes from far to near. What lies
    outside the room is wall; what it cannot see is 0 0 0; its own cell is empty.
    """
    kinds = np.empty((VIEW, VIEW), dtype=np.uint8)
    _turned(lanes.cells[b], lanes.agent[b], kinds)
    through_walls = rules.family == OPEN_ROOM
    seen = np.ones((VIEW, VIEW), dtype=np.bool_) if through_walls else _in_sight(kinds)
    kinds[VIEW // 2, VIEW - 1] = EMPTY
    for i in range(VIEW):
        for j in range(VIEW):
            kind = kinds[i, j] if seen[i, j] else 0
            image[i, j, 0] = kind
            image[i, j, 1] = 0 if kind <= EMPTY else _GREY if kind == WALL else _GREEN
            image[i, j, 2] = 0


@kernel
def _turned(cells: NDArray[np.uint8], agent: NDArray[np.int64], kinds: NDArray[np.uint8]) -> None:
    """The part of the room in front of the agent, as it lies before it."""
    dx, dy = vector(agent[2])
    for i in range(VIEW):
        for j in range(VIEW):
            right, ahead = i - VIEW // 2, VIEW - 1 - j
            x = agent[0] + ahead * dx - right * dy
            y = agent[1] + ahead * dy + right * dx
            inside = 0 <= x < len(cells) and 0 <= y < len(cells)
            kinds[i, j] = cells[x, y] if inside else WALL


@kernel
def _in_sight(kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """``[7, 7]`` what is seen past the walls.

    Sight spreads row by row away from the agent, to the right and then to the left, from each
    seen cell that is no wall to its neighbour, the cell ahead, and the one ahead of the neighbour.
    """
    seen = np.zeros((VIEW, VIEW), dtype=np.bool_)
    seen[VIEW // 2, VIEW - 1] = True
    for j in range(VIEW - 1, -1, -1):
        for i in range(VIEW - 1):
            if seen[i, j] and kinds[i, j] != WALL:
                _spread(seen, i, i + 1, j)
        for i in range(VIEW - 1, 0, -1):
            if seen[i, j] and kinds[i, j] != WALL:
                _spread(seen, i, i - 1, j)
    return seen


@kernel
def _spread(seen: NDArray[np.bool_], i: int, beside: int, j: int) -> None:
    seen[beside, j] = True
    if j > 0:
        seen[beside, j - 1] = True
        seen[i, j - 1] = True
