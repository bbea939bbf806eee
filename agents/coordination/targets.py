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
from sim.coordinators.dive import Diver
from sim.graph import FREE
from sim.schedule import Assignment, evaluate


@dataclass(frozen=True, eq=False)
class Target:
    """One label of one graph.

    Args:
        order: ``[C]`` 1 where v passes first; exclusive: ``[C]``.
        free: ``[C]`` conflicts whose order is a decision; typed: ``[C]`` those whose type is.
        insertion: ``[N]`` robots by delay, the least delayed first; ties by number.
        asked: ``[A]`` conflicts that come up when this label is decoded.
        outlook: ``[A, 2]`` how much more order 0 then seems to cost, as in the dive.
    """

    order: NDArray[np.int8]
    exclusive: NDArray[np.bool_]
    free: NDArray[np.bool_]
    typed: NDArray[np.bool_]
    insertion: NDArray[np.int64]
    asked: NDArray[np.int64]
    outlook: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Targets:
    """Labels of the graphs of a batch: as in :class:`Target`, end to end; insertion one by one.
    ``graph_of_asked`` ``[A]`` tells which graph a conflict belongs to."""

    order: Tensor
    exclusive: Tensor
    free: Tensor
    typed: Tensor
    insertion: tuple[Tensor, ...]
    asked: Tensor
    graph_of_asked: Tensor
    outlook: Tensor


CERTAIN = 1e9
"""A logit that no delay outweighs."""


def make_target(diver: Diver, assignment: Assignment) -> Target:
    """What an assignment tells.

    Raises:
        DeadlockError: it is no feasible assignment.
    """
    graph, typed = diver.graph, diver.tree.typed
    schedule = evaluate(graph, assignment)
    delay_ms = schedule.finish_ms - schedule.free_ms
    certain = np.where(assignment.order > 0, CERTAIN, -CERTAIN)
    found = diver.dive(certain, np.zeros(2))
    asked = np.flatnonzero((found.wanted >= 0) & ~typed)
    return Target(
        order=assignment.order,
        exclusive=~assignment.following,
        free=np.asarray(graph.forced == FREE),
        typed=typed,
        insertion=np.argsort(delay_ms, kind="stable").astype(np.int64),
        asked=asked,
        outlook=found.outlook[asked].astype(np.float32),
    )


def pool_targets(instance: LabelledInstance, diver: Diver) -> tuple[Target, ...]:
    """The targets of all labels of an instance, whose graph the diver is for."""
    rows = zip(instance.order, instance.following, strict=True)
    return tuple(make_target(diver, Assignment(o, f)) for o, f in rows)


def collate_targets(targets: Sequence[Target], device: torch.device | str = "cpu") -> Targets:
    """At least one target, in the order of the batch."""

    def joined(name: str) -> Tensor:
        return torch.from_numpy(np.concatenate([getattr(t, name) for t in targets])).to(device)

    starts = np.cumsum([0, *(len(t.order) for t in targets)])
    asked = np.concatenate([t.asked + start for t, start in zip(targets, starts, strict=False)])
    graph = np.repeat(np.arange(len(targets)), [len(t.asked) for t in targets])
    return Targets(
        order=joined("order"),
        exclusive=joined("exclusive"),
        free=joined("free"),
        typed=joined("typed"),
        insertion=tuple(torch.from_numpy(t.insertion).to(device) for t in targets),
        asked=torch.from_numpy(asked).to(device),
        graph_of_asked=torch.from_numpy(graph).to(device),
        outlook=joined("outlook"),
    )


def pool_weights(cost_s: NDArray[np.float64], sharpness: float) -> NDArray[np.float64]:
    """``[P]`` how often to learn from each label: exp(-sharpness * excess over the best in %)."""
    excess = 100.0 * (cost_s / cost_s.min() - 1.0)
    weight = np.exp(-sharpness * excess)
    return np.asarray(weight / weight.sum())
