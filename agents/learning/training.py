# SPDX-License-Identifier: Apache-2.0
"""Synchronous training: all groups act with the same parameters, then the learner learns.

The same seed gives the same bits wherever and by how many actors the groups are hosted, because a
group is the unit of a batch; :func:`train` does it in this process.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agents.learning.actor import Actor
from agents.learning.learner import Learner
from agents.learning.metrics import Metrics
from agents.learning.options import Setup
from agents.learning.rollout import Arrays, Rollout

Collect = Callable[[Arrays, int], Sequence[Rollout]]
"""Parameters and their version in, the next rollout of every group out, in the order of groups."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What one update learnt from, and what it did."""

    metrics: Metrics
    returns: tuple[float, ...]
    """Of the episodes that ended in its rollouts."""
    lengths: tuple[int, ...]
    broken: int


def collect_here(actors: Sequence[Actor]) -> Collect:
    """The groups one after another in this process."""
    return lambda weights, version: [actor.collect(weights, version) for actor in actors]


def train(learner: Learner, collect: Collect) -> Iterator[Trained]:
    """Updates until the steps of the setup are done."""
    while learner.steps < learner.setup.steps:
        yield learn(learner, collect(learner.weights(), learner.updates))


def learn(learner: Learner, rollouts: Sequence[Rollout]) -> Trained:
    """One update."""
    metrics = learner.update(rollouts)
    returns = tuple(float(r) for one in rollouts for r in one.returns)
    lengths = tuple(int(n) for one in rollouts for n in one.lengths)
    return Trained(metrics, returns, lengths, sum(one.broken for one in rollouts))


def train_here(setup: Setup) -> tuple[Learner, Iterator[Trained]]:
    """A fresh training with all groups in this process."""
    learner = Learner(setup)
    actors = [Actor(setup, group) for group in range(setup.act.groups)]
    return learner, train(learner, collect_here(actors))
