# SPDX-License-Identifier: Apache-2.0
"""Who of the robots that want to go forward may.

This is RWARE's rule, said per cell instead of per component of a graph. A robot may enter a cell
that is empty, or that its robot leaves at the same time. So robots follow each other in chains, and
a ring of three or more turns; two may not swap. Where several want one cell,

1. the one that is part of a ring enters, so that a full ring cannot be blocked from outside;
2. else the one with the longest chain of robots that wait behind it, itself included;
3. else, of equal ones, the one with the lowest number.

RWARE commits, in each weakly connected component of the graph of wanted moves, the ring if there is
one, and else one longest path. A component has at most one ring or else one empty cell where all of
its paths end, so each path is longest at every cell where it meets others, and the two rules agree
but for the third point: among equal paths RWARE takes the one that networkx meets first, which goes
by how Python's sets order the hashes of cells. That is an accident, not a rule, and not reproduced.

Every step is live: the head of each chain before an empty cell moves, and so does every ring of
three or more. The cost is linear in the robots that want to move.
"""

import numpy as np
from numpy.typing import NDArray

from sim.environments.rware.state import (
    CHAIN,
    CLAIM,
    FOLLOWERS,
    MOVER,
    NOBODY,
    PLACE,
    READY,
    ROBOT,
    TARGET,
    VERDICT,
)
from sim.jit import kernel

UNDECIDED, GOES, STAYS = 0, 1, 2  # verdicts

Ints = NDArray[np.int32]


@kernel
def decide(w: int, robots: Ints, marks: Ints, plans: Ints, movers: int) -> None:
    """Give each robot of world ``w`` that has a target its verdict.

    Args:
        robots: ``[W, N, 4]``.
        marks: who is where; the claims are filled.
        plans: targets of all robots, and the list of movers; their verdicts are filled.
        movers: how many have a target.
    """
    if _claim(marks, plans, movers):
        _measure_chains(marks, plans, movers)
        _settle(marks, plans, movers)
    if _judge_heads(w, robots, marks, plans, movers):
        _turn_rings(w, robots, marks, plans, movers)


@kernel
def _claim(marks: Ints, plans: Ints, movers: int) -> bool:
    """The first mover claims its target; whether any is wanted by two."""
    contested = False
    for m in range(movers):
        robot = plans[m, MOVER]
        target = plans[robot, TARGET]
        plans[robot, VERDICT] = UNDECIDED
        if marks[target, CLAIM] == NOBODY:
            marks[target, CLAIM] = robot
        else:
            contested = True
    return contested


@kernel
def _measure_chains(marks: Ints, plans: Ints, movers: int) -> None:
    """How many robots wait in the longest chain that ends with each mover, itself included.

    From the tails on; a mover that still has followers at the end is part of a ring.
    """
    for m in range(movers):
        plans[plans[m, MOVER], FOLLOWERS], plans[plans[m, MOVER], CHAIN] = 0, 1
    for m in range(movers):
        before = marks[plans[plans[m, MOVER], TARGET], ROBOT]
        if before != NOBODY:
            plans[before, FOLLOWERS] += 1  # where it stands this is not read
    ready = 0
    for m in range(movers):
        if plans[plans[m, MOVER], FOLLOWERS] == 0:
            plans[ready, READY] = plans[m, MOVER]
            ready += 1
    while ready:
        ready -= 1
        robot = plans[ready, READY]
        before = marks[plans[robot, TARGET], ROBOT]
        if before == NOBODY or plans[before, TARGET] == NOBODY:
            continue
        plans[before, CHAIN] = max(plans[before, CHAIN], plans[robot, CHAIN] + 1)
        plans[before, FOLLOWERS] -= 1
        if plans[before, FOLLOWERS] == 0:
            plans[ready, READY] = before
            ready += 1


@kernel
def _settle(marks: Ints, plans: Ints, movers: int) -> None:
    """Each contested target goes to a ring, else to the longest chain, else to the first mover."""
    for m in range(movers):
        robot = plans[m, MOVER]
        holder = marks[plans[robot, TARGET], CLAIM]
        longer = plans[robot, CHAIN] > plans[holder, CHAIN]
        if plans[holder, FOLLOWERS] == 0 and (plans[robot, FOLLOWERS] > 0 or longer):
            marks[plans[robot, TARGET], CLAIM] = robot


@kernel
def _judge_heads(w: int, robots: Ints, marks: Ints, plans: Ints, movers: int) -> bool:
    """Verdicts for the heads of chains and all that follow them; whether there are any others."""
    others = False
    for m in range(movers):
        robot = plans[m, MOVER]
        target = plans[robot, TARGET]
        before = marks[target, ROBOT]
        if marks[target, CLAIM] != robot:
            verdict = STAYS
        elif before == NOBODY:
            verdict = GOES
        elif plans[before, TARGET] == NOBODY:
            verdict = STAYS
        else:
            others = True
            continue
        while robot != NOBODY:
            plans[robot, VERDICT] = verdict
            robot = marks[robots[w, robot, PLACE], CLAIM]
    return others


@kernel
def _turn_rings(w: int, robots: Ints, marks: Ints, plans: Ints, movers: int) -> None:
    """Movers without a verdict wait for each other in a ring; a ring of two would be a swap."""
    for m in range(movers):
        robot = plans[m, MOVER]
        if plans[robot, VERDICT] == UNDECIDED:
            before = marks[plans[robot, TARGET], ROBOT]
            swap = plans[before, TARGET] == robots[w, robot, PLACE]
            plans[robot, VERDICT] = STAYS if swap else GOES
