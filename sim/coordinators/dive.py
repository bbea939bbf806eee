# SPDX-License-Identifier: Apache-2.0
"""From logits of passing orders to an assignment: commit what is violated, flip on a circle."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.coordinators.tree_search import root, search_tree
from sim.graph import CoordinationGraph, Int8s, Int32s
from sim.kernels.branching import UNDECIDED, Tree
from sim.kernels.dive import dive
from sim.kernels.dive_state import UNSEEN, Dive
from sim.schedule import Objective

Floats = NDArray[np.float64]

MOST_REPAIRS = 200
"""Dead ends that a dive may leave; most have none, the worst seen forty."""

FORESIGHT = np.array([0.0, 0.5])
"""Weights of an outlook that decide well alone: all on what an order costs with what it leaves
open, so much that a logit is the odds of an optimal order."""
IMPULSE = np.array([0.5, 0.0])
"""All on what an order costs at once."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a dive found.

    Args:
        time_ms: ``[E]`` a schedule, or None where the dive ended in a dead end.
        wanted: ``[C]`` the order preferred when a conflict came up; -1 where it never did.
        outlook: ``[C, 2]`` how much more order 0 would then have added to the cost than order 1,
            and with what it leaves open: asinh of the difference of sums in half seconds.
    """

    time_ms: Int32s | None
    wanted: Int8s
    outlook: Floats


@dataclass(frozen=True, eq=False)
class Diver:
    """What all dives on one graph share.

    Args:
        time_ms: ``[E]`` and decision ``[C]`` before the first decision: forced orders alone.
        robot_ptr, robot_conflicts, robot_other: CSR of the conflicts of every robot, and with whom.
        most_repairs: dead ends that a dive may leave.
    """

    graph: CoordinationGraph
    tree: Tree
    time_ms: Int32s
    decision: Int8s
    robot_ptr: Int32s
    robot_conflicts: Int32s
    robot_other: Int32s
    most_repairs: int = MOST_REPAIRS

    def dive(self, logit: Floats, weight: Floats) -> Found:
        """Commit orders until nobody is in anybody's way.

        Args:
            logit: ``[C]`` finite, above 0 where v should pass first.
            weight: ``[2]`` what the outlook counts beside the logit.
        """
        count = self.graph.num_conflicts
        state = Dive(
            start=self.time_ms,
            robot_ptr=self.robot_ptr,
            robot_conflicts=self.robot_conflicts,
            robot_other=self.robot_other,
            time=self.time_ms.copy(),
            decision=self.decision.copy(),
            urgency=np.empty(count, np.int64),
            listed=np.empty(count, np.int32),
            found=np.empty(count, np.int64),
            seen=np.zeros(self.graph.num_robots, np.int32),
            turn=np.zeros(count, np.int32),
            undone=np.zeros(count, np.int32),
            reached_by=np.full(self.graph.num_events, UNSEEN, np.int32),
            waiting=np.zeros(self.graph.num_events + 1, np.int32),
            wanted=np.full(count, UNDECIDED, np.int8),
            outlook=np.zeros((count, 2)),
        )
        logit, weight = (np.asarray(given, dtype=np.float64) for given in (logit, weight))
        found = dive(self.tree, state, logit, weight, self.most_repairs)
        return Found(state.time if found else None, state.wanted, state.outlook)


def make_diver(graph: CoordinationGraph) -> Diver:
    """Prepare dives on a graph with at least one conflict."""
    tree = search_tree(graph, Objective.MEAN_TRAVEL)
    state = root(graph, tree, graph.nominal_ms)
    robots = graph.event_robot[graph.interval_enter]
    robot_u, robot_v = robots[graph.conflict_u], robots[graph.conflict_v]
    both, others = np.concatenate([robot_u, robot_v]), np.concatenate([robot_v, robot_u])
    by_robot = np.argsort(both, kind="stable")
    pointers = np.searchsorted(both[by_robot], np.arange(graph.num_robots + 1))
    return Diver(
        graph=graph,
        tree=tree,
        time_ms=state.time,
        decision=state.decision,
        robot_ptr=pointers.astype(np.int32),
        robot_conflicts=(by_robot % graph.num_conflicts).astype(np.int32),
        robot_other=others[by_robot].astype(np.int32),
    )
