# SPDX-License-Identifier: Apache-2.0
"""Kernels that step many worlds: conflicts, rewards, targets, ends of episodes, observations."""

import numpy as np
from numpy.typing import NDArray

from sim.environments.pogema.blocks import Numbers
from sim.environments.pogema.draws import another_target, episode_key, place
from sim.environments.pogema.floors import Floors
from sim.environments.pogema.moves import move_if_alone, move_in_turn, move_together
from sim.environments.pogema.observe import observe
from sim.environments.pogema.state import (
    ACTIONS,
    BLOCK_BOTH,
    FINISH,
    NOTHING,
    PRIORITY,
    RESTART,
    Orders,
    Rules,
    Scratch,
    State,
)
from sim.jit import kernel

Flags = NDArray[np.bool_]


@kernel
def wrong_action(over: Flags, actions: NDArray[np.int64]) -> tuple[int, int]:
    """World and robot of the first action that does not exist, -1 -1 where all do.

    Actions in worlds that are over do not count.
    """
    for w in range(len(actions)):
        if not over[w]:
            for robot in range(actions.shape[1]):
                if not 0 <= actions[w, robot] < ACTIONS:
                    return w, robot
    return -1, -1


@kernel
def step_all(
    rules: Rules,
    floors: Floors,
    orders: Orders,
    state: State,
    scratch: Scratch,
    actions: NDArray[np.int64],
    observations: Numbers,
    rewards: NDArray[np.float32],
    terminated: Flags,
    truncated: Flags,
    begins: Flags,
) -> None:
    """Act in every world, or begin its next episode, and look.

    Args:
        actions: ``[W, N]`` that exist, ignored where an episode begins.
        observations: flat, with ``SLACK`` entries more than ``[W, N, 3, D, D]``; they and the rest,
            ``[W, N]`` and ``[W]``, are filled.
    """
    at = 0
    for w in range(len(actions)):
        floor = orders.floor[w]
        begins[w] = state.over[w]
        rewards[w] = 0
        terminated[w] = False
        if state.over[w]:
            begin(floors, orders, state, scratch, w)
        else:
            _move(rules, floors, state, scratch, w, floor, actions[w])
            _reward(rules, floors, orders, state, w, rewards[w], terminated[w])
        truncated[w] = state.steps[w] >= rules.max_steps
        state.over[w] = truncated[w] or terminated[w].all()
        if rules.observed:
            at = observe(
                floors.blocked[floor], state.shown[w], floors.stripe, state.cell[w],
                state.target[w], floors.stride, floors.margin, observations, at,
            )  # fmt: skip


@kernel
def begin(floors: Floors, orders: Orders, state: State, scratch: Scratch, w: int) -> None:
    """World ``w`` stands at the start of its next episode."""
    state.shown[w] = 0
    state.episode[w] += 1
    state.steps[w] = 0
    state.turn[w] = 0
    state.active[w] = True
    if len(orders.starts) > 0:
        state.cell[w] = orders.starts[w]
        state.target[w] = orders.targets[w, :, 0]
    else:
        key = episode_key(orders.keys[w], state.episode[w])
        place(floors, orders.floor[w], key, state.cell[w], state.target[w], scratch)
    for robot in range(state.cell.shape[1]):
        state.shown[w, state.cell[w, robot]] = 1


@kernel
def _move(
    rules: Rules,
    floors: Floors,
    state: State,
    scratch: Scratch,
    w: int,
    floor: int,
    actions: NDArray[np.int64],
) -> None:
    """By the rule that settles conflicts."""
    state.steps[w] += 1
    blocked, shown, cell = floors.blocked[floor], state.shown[w], state.cell[w]
    active, stride = state.active[w], floors.stride
    if rules.collision == PRIORITY:
        move_in_turn(blocked, shown, cell, active, actions, stride)
    elif rules.collision == BLOCK_BOTH:
        move_if_alone(blocked, shown, cell, active, actions, stride, scratch)
    else:
        move_together(blocked, shown, cell, active, actions, stride, scratch)


@kernel
def _reward(
    rules: Rules,
    floors: Floors,
    orders: Orders,
    state: State,
    w: int,
    rewards: NDArray[np.float32],
    terminated: Flags,
) -> None:
    """What standing on a target brings, ``[N]`` each."""
    cell, target = state.cell[w], state.target[w]
    if rules.on_target == RESTART:
        for robot in range(len(cell)):
            if cell[robot] == target[robot]:
                rewards[robot] = 1
                _next_target(floors, orders, state, w, robot)
    elif rules.on_target == FINISH:
        for robot in range(len(cell)):
            terminated[robot] = cell[robot] == target[robot]
            if terminated[robot] and state.active[w, robot]:
                rewards[robot] = 1
                state.active[w, robot] = False
                state.shown[w, cell[robot]] = 0
    elif rules.on_target == NOTHING and (cell == target).all():
        rewards[:] = 1
        terminated[:] = True


@kernel
def _next_target(floors: Floors, orders: Orders, state: State, w: int, robot: int) -> None:
    state.turn[w, robot] += 1
    if orders.targets.shape[2] > 0:
        turn = state.turn[w, robot] % orders.targets.shape[2]
        state.target[w, robot] = orders.targets[w, robot, turn]
    else:
        key = episode_key(orders.keys[w], state.episode[w])
        state.target[w, robot] = another_target(
            floors, orders.floor[w], key, state.steps[w], robot, state.cell[w, robot]
        )
