# SPDX-License-Identifier: Apache-2.0
"""What a label tells the model: orders and types of conflicts, and an order of robots.

A label has no order of robots, but gap insertion needs one. Robots by their delay in the label's
schedule, the least delayed first, is the order that reproduces good schedules best (measured; the
order of start, of arrival, or of conflicts won is worse).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.coordination.labels import LabelledInstance
from sim.coordinators.alternatives import typed_conflicts
from sim.graph import FREE, CoordinationGraph
from sim.schedule import Assignment, evaluate


@dataclass(frozen=True, eq=False)
class Target:
    """One label of one graph.

    Args:
        order: ``[C]`` 1 where v passes first; exclusive: ``[C]``.
        free: ``[C]`` conflicts whose order is a decision; typed: ``[C]`` those whose type is.
        insertion: ``[N]`` robots by delay, the least delayed first; ties by number.
    """

    order: NDArray[np.int8]
    exclusive: NDArray[np.bool_]
    free: NDArray[np.bool_]
    typed: NDArray[np.bool_]
    insertion: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Targets:
    """Labels of the graphs of a batch: as in :class:`Target`, end to end; orders one by one."""

    order: Tensor
    exclusive: Tensor
    free: Tensor
    typed: Tensor
    insertion: tuple[Tensor, ...]


def make_target(graph: CoordinationGraph, assignment: Assignment) -> Target:
    """What an assignment tells.

    Raises:
        DeadlockError: it is no feasible assignment.
    """
    schedule = evaluate(graph, assignment)
    delay_ms = schedule.finish_ms - schedule.free_ms
    return Target(
        order=assignment.order,
        exclusive=~assignment.following,
        free=np.asarray(graph.forced == FREE),
        typed=typed_conflicts(graph),
        insertion=np.argsort(delay_ms, kind="stable").astype(np.int64),
    )


def pool_targets(instance: LabelledInstance) -> tuple[Target, ...]:
    """The targets of all labels of an instance."""
    rows = zip(instance.order, instance.following, strict=True)
    return tuple(make_target(instance.graph, Assignment(o, f)) for o, f in rows)


def collate_targets(targets: Sequence[Target], device: torch.device | str = "cpu") -> Targets:
    """At least one target, in the order of the batch."""

    def joined(name: str) -> Tensor:
        return torch.from_numpy(np.concatenate([getattr(t, name) for t in targets])).to(device)

    return Targets(
        order=joined("order"),
        exclusive=joined("exclusive"),
        free=joined("free"),
        typed=joined("typed"),
        insertion=tuple(torch.from_numpy(t.insertion).to(device) for t in targets),
    )


def pool_weights(cost_s: NDArray[np.float64], sharpness: float) -> NDArray[np.float64]:
    """``[P]`` how often to learn from each label: exp(-sharpness * excess over the best in %)."""
    excess = 100.0 * (cost_s / cost_s.min() - 1.0)
    weight = np.exp(-sharpness * excess)
    return np.asarray(weight / weight.sum())
