# SPDX-License-Identifier: Apache-2.0
"""From logits of passing orders to an assignment: commit what is violated, flip on a circle."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.coordinators.tree_search import root, search_tree
from sim.graph import CoordinationGraph, Int8s, Int32s
from sim.kernels.branching import UNDECIDED, Tree
from sim.kernels.dive import Dive, dive
from sim.schedule import Objective

Floats = NDArray[np.float64]

MOST_DIVES = 8
"""Dives from the start, after dead ends, before it gives up; one in thirty needs a second."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a dive found.

    Args:
        time_ms: ``[E]`` a schedule, or None where the dive ended in a dead end.
        wanted: ``[C]`` the order preferred when a conflict came up; -1 where it never did.
        lean: ``[C]`` how much more order 0 would then have added to the cost than order 1, with all
            that follows at once: asinh of the difference of the sums of finishes in half seconds.
    """

    time_ms: Int32s | None
    wanted: Int8s
    lean: Floats


@dataclass(frozen=True, eq=False)
class Diver:
    """What all dives on one graph share.

    Args:
        time_ms: ``[E]`` and decision ``[C]`` before the first decision: forced orders alone.
        robot_ptr, robot_conflicts: CSR of the conflicts of every robot.
    """

    graph: CoordinationGraph
    tree: Tree
    time_ms: Int32s
    decision: Int8s
    robot_ptr: Int32s
    robot_conflicts: Int32s

    def dive(self, logit: Floats, caution: float) -> Found:
        """Commit orders until nobody is in anybody's way.

        Args:
            logit: ``[C]`` finite, above 0 where v should pass first.
            caution: what ``lean`` counts beside the logit, 0 or more.
        """
        count = self.graph.num_conflicts
        state = Dive(
            time=np.empty_like(self.time_ms),
            decision=np.empty_like(self.decision),
            urgency=np.empty(count, np.int64),
            seen=np.empty(self.graph.num_robots, np.int32),
            wanted=np.empty(count, np.int8),
            lean=np.zeros(count),
            first=np.zeros(count, np.int64),
        )
        logit = np.asarray(logit, dtype=np.float64)
        for tried in range(MOST_DIVES):
            if state.first.sum() < tried:  # nothing noted: another dive would end alike
                break
            state.time[:], state.decision[:] = self.time_ms, self.decision
            state.wanted.fill(UNDECIDED)
            state.seen.fill(0)
            if dive(self.tree, state, self.robot_ptr, self.robot_conflicts, logit, float(caution)):
                return Found(state.time, state.wanted, state.lean)
        return Found(None, state.wanted, state.lean)


def make_diver(graph: CoordinationGraph) -> Diver:
    """Prepare dives on a graph with at least one conflict."""
    tree = search_tree(graph, Objective.MEAN_TRAVEL)
    state = root(graph, tree, graph.nominal_ms)
    robots = graph.event_robot[graph.interval_enter]
    both = np.concatenate([robots[graph.conflict_u], robots[graph.conflict_v]])
    by_robot = np.argsort(both, kind="stable")
    pointers = np.searchsorted(both[by_robot], np.arange(graph.num_robots + 1))
    return Diver(
        graph=graph,
        tree=tree,
        time_ms=state.time,
        decision=state.decision,
        robot_ptr=pointers.astype(np.int32),
        robot_conflicts=(by_robot % graph.num_conflicts).astype(np.int32),
    )
