# SPDX-License-Identifier: Apache-2.0
"""Choosing between assignments by what delays do to them.

All candidates are run on the same sampled durations (common random numbers), so that their
difference is not lost in the noise they share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

from sim.execution import SharedDurations, costs_s
from sim.execution_summary import Estimate
from sim.graph import CoordinationGraph, Int32s
from sim.schedule import Assignment, Objective

Criterion = Literal["nominal", "mean", "tail"]
"""nominal: the cost without delays; mean: over delays; tail: mean of the worst tenth of runs."""

TAIL_SHARE = 0.1


def choose_robust(
    graph: CoordinationGraph,
    candidates: Sequence[Assignment],
    durations_ms: Int32s,
    criterion: Criterion,
    objective: Objective = Objective.MEAN_TRAVEL,
) -> int:
    """Which candidate is best under delays ``[E, S]``; the first of equals.

    A deadlock is infinitely bad, so it is chosen only when all candidates have one.
    """
    if criterion == "nominal":
        return int(np.argmin(_nominal_costs_s(graph, candidates, objective)))
    durations = SharedDurations.of(graph, durations_ms)
    return int(np.argmin(risk_s(costs_s(graph, candidates, durations, objective), criterion)))


def risk_s(
    run_costs_s: NDArray[np.float64], criterion: Literal["mean", "tail"]
) -> NDArray[np.float64]:
    """``[B]`` from the costs ``[B, S]`` of every run."""
    match criterion:
        case "mean":
            return np.asarray(run_costs_s.mean(axis=1))
        case "tail":
            worst = int(np.ceil(TAIL_SHARE * run_costs_s.shape[1]))
            return np.asarray(np.sort(run_costs_s, axis=1)[:, -worst:].mean(axis=1))
        case _:
            assert_never(criterion)


@dataclass(frozen=True)
class HeldOut:
    """A robust choice beside the nominal one, on runs that neither has seen.

    Args:
        chosen, nominal: the candidates.
        chosen_s, nominal_s: their mean costs.
        chosen_tail_s, nominal_tail_s: means of the worst tenth of their runs.
        gain_s: how much cheaper the chosen one is, run by run.
    """

    chosen: int
    nominal: int
    chosen_s: Estimate
    nominal_s: Estimate
    chosen_tail_s: float
    nominal_tail_s: float
    gain_s: Estimate


def held_out(
    graph: CoordinationGraph,
    candidates: Sequence[Assignment],
    durations_ms: Int32s,
    criterion: Literal["mean", "tail"],
    objective: Objective = Objective.MEAN_TRAVEL,
) -> HeldOut:
    """Choose on the first half of the runs ``[E, S]`` and report on the second.

    The best of many is best partly by luck; its cost on the runs it was chosen on flatters it.

    Args:
        candidates: at least one without a deadlock.
        durations_ms: at least two samples.
    """
    costs = costs_s(graph, candidates, SharedDurations.of(graph, durations_ms), objective)
    half = costs.shape[1] // 2
    chosen = int(np.argmin(risk_s(costs[:, :half], criterion)))
    nominal = int(np.argmin(_nominal_costs_s(graph, candidates, objective)))
    fresh = costs[[chosen, nominal], half:]
    tails = risk_s(fresh, "tail")
    return HeldOut(
        chosen=chosen,
        nominal=nominal,
        chosen_s=Estimate.of(fresh[0]),
        nominal_s=Estimate.of(fresh[1]),
        chosen_tail_s=float(tails[0]),
        nominal_tail_s=float(tails[1]),
        gain_s=Estimate.of(fresh[1] - fresh[0]),
    )


def _nominal_costs_s(
    graph: CoordinationGraph, candidates: Sequence[Assignment], objective: Objective
) -> NDArray[np.float64]:
    durations = SharedDurations.of(graph, graph.duration_ms[:, None])
    return costs_s(graph, candidates, durations, objective)[:, 0]
