# SPDX-License-Identifier: Apache-2.0
"""The compiled step of all worlds, one after the other, while a world is in the cache."""

import numpy as np
from numpy.typing import NDArray

from sim.environments.rware.arbitration import decide
from sim.environments.rware.kernel import act, brought, deliver, enter, leave, toggle
from sim.environments.rware.observe import write_codes, write_vectors
from sim.environments.rware.start import begin
from sim.environments.rware.state import (
    ACTIONS,
    IDLE_STEPS,
    OVER,
    STEPS,
    TICK,
    Floor,
    Rules,
    Scratch,
    State,
)
from sim.jit import kernel
from sim.warehouse.chance import Keys


@kernel
def first_wrong(actions: NDArray[np.int64], clocks: NDArray[np.int64]) -> int:
    """-1, or where in ``actions [W, N]``, read row by row, is the first that does not exist.

    Worlds that are over do not read theirs.
    """
    worlds, robots = actions.shape
    for w in range(worlds):
        if not clocks[w, OVER]:
            for robot in range(robots):
                if not 0 <= actions[w, robot] < ACTIONS:
                    return int(w * robots + robot)
    return -1


@kernel
def step_all(
    rules: Rules,
    floor: Floor,
    state: State,
    scratch: Scratch,
    keys: Keys,
    actions: NDArray[np.int64],
    rewards: NDArray[np.float32],
    flags: NDArray[np.bool_],
    vectors: NDArray[np.float32],
    codes: NDArray[np.uint8],
) -> None:
    """Act in each world, or begin its next episode where one had ended, and look.

    Args:
        rewards: ``[W, N]``, filled.
        flags: ``[3, W]``: terminated, truncated, begins; filled.
        vectors: ``[W * N * F]``, filled unless it is empty.
        codes: ``[W, N, F]``, filled unless F is 0.
    """
    ahead, tiles, goals = floor.ahead, floor.tiles, floor.goals
    own, own_codes = floor.own, floor.own_codes
    robots, shelves, clocks = state.robots, state.shelves, state.clocks
    code, standing, marks, plans = state.code, state.standing, scratch.marks, scratch.plans
    for w in range(len(keys)):
        flags[2, w] = clocks[w, OVER]
        if clocks[w, OVER]:
            begin(rules, floor, state, scratch, w, keys[w])
            rewards[w, :] = 0.0
        else:
            movers = act(w, ahead, tiles, robots, code, standing, marks, plans, actions)
            toggle(w, rules, tiles, robots, standing, actions, rewards)
            if movers:
                decide(w, robots, marks, plans, movers)
            leave(w, robots, code, marks, plans, movers)
            enter(w, robots, shelves, code, plans, movers)
            clocks[w, STEPS] += 1
            clocks[w, IDLE_STEPS] += 1
            if brought(w, goals, code):
                tick = clocks[w, TICK]
                deliver(w, rules, goals, robots, shelves, code, keys[w], tick, rewards)
                clocks[w, IDLE_STEPS] = 0
        clocks[w, TICK] += 1
        _judge(w, rules, clocks, flags)
        if len(vectors):
            write_vectors(rules, own, robots, code, w, vectors)
        if codes.shape[2]:
            write_codes(rules, own_codes, robots, code, w, codes)


@kernel
def _judge(w: int, rules: Rules, clocks: NDArray[np.int64], flags: NDArray[np.bool_]) -> None:
    """Whether the episode has ended, and how."""
    idle = rules.max_idle_steps > 0 and clocks[w, IDLE_STEPS] >= rules.max_idle_steps
    late = rules.max_steps > 0 and clocks[w, STEPS] >= rules.max_steps
    flags[0, w], flags[1, w] = idle, late
    clocks[w, OVER] = idle or late
