# SPDX-License-Identifier: Apache-2.0
"""Tasks without samples: one policy learns in the environments of all sites.

A site plays and learns by PPO; what leaves it are parameters, the number of steps, and returns.
``local_epochs`` of the options of a fit is how many times it plays :data:`UNROLL_STEPS` steps in
all of its environments and learns from them; ``batch`` is the number of environments, with their
whole sequences, in a step of the optimizer. Environments and Adam begin anew in every round, so a
fit depends on the model, the site and the round alone.

``loss`` is minus the mean return, of a fit while it explores, of a score over whole episodes that
are new to the policy. Actions are drawn from the policy there too: the most likely ones alone are
another policy, which for long is stuck in front of a wall. ``samples`` are the steps that a fit
learnt from, and the episodes of a score. ``accuracy`` is None.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np

from agents.learning.fitting import Fitted, begin, fit, judge, unlearned
from agents.learning.options import ActOptions, LearnOptions, Setup
from agents.policies.make import make_policy
from agents.policies.options import CoreName, PolicyOptions
from federated.options import WORLDS, FitOptions, TaskName
from federated.partition import Partition
from federated.seeds import Role, draw, draw_torch
from federated.task import Arrays, Fit, Score
from federated.worlds import WorldSite, pool, share_worlds
from quantum.executions import count_executions
from quantum.layer import CircuitModule
from sim.environments.make import interface_of
from sim.errors import InputError

UNROLL_STEPS = 64
LEARN = LearnOptions(final_share=1.0, minibatches=1)
"""PPO with a learning rate that does not fall: a site does not know when the federation ends."""


@dataclass(frozen=True)
class PolicyTask:
    """See :class:`federated.task.Task`.

    For results that repeat to the bit torch has to compute in one thread.

    Args:
        task: its name.
        sites: who has what.
        seed: of everything that is drawn.
    """

    task: TaskName
    sites: tuple[WorldSite, ...]
    seed: int

    @property
    def name(self) -> str:
        """How it is called."""
        return str(self.task)

    @property
    def count(self) -> int:
        """How many sites."""
        return len(self.sites)

    @property
    def worlds(self) -> tuple[str, ...]:
        """The environments by name."""
        return WORLDS[self.task.data]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the environments without what is the same in all."""
        return tuple(one.removeprefix("MiniGrid-").removesuffix("-v0") for one in self.worlds)

    def initial(self) -> Arrays:
        """The parameters of a fresh policy."""
        return begin(self._setup(int(draw(self.seed, Role.MODEL).integers(2**32))))

    def fit(
        self,
        arrays: Sequence[Arrays],
        sites: Sequence[int],
        options: FitOptions,
        round_number: int,
        proximal_mu: float = 0.0,
    ) -> list[Fit]:
        """Play and learn at some sites, one after another.

        Raises:
            InputError: the optimizer is not Adam, or the parameters come out infinite.
        """
        if options.optimizer != "adam":
            raise InputError(f"optimizer is {options.optimizer}; allowed for {self.name}: adam")
        pairs = zip(arrays, sites, strict=True)
        return [self._fit(own, site, options, round_number, proximal_mu) for own, site in pairs]

    def evaluate(self, arrays: Sequence[Arrays], sites: Sequence[int]) -> list[Score]:
        """Judge at some sites; see the module."""
        return [self._judge(own, site) for own, site in zip(arrays, sites, strict=True)]

    def trivial(self, sites: Sequence[int]) -> list[Score]:
        """The best of those who look at nothing: always the same action, or any at random."""
        setup = self._setup(0)
        actions = (None, *range(interface_of(setup.environment).actions))
        blind = [unlearned(setup, action) for action in actions]
        return [
            min((self._judge(own, site) for own in blind), key=lambda score: score.loss)
            for site in sites
        ]

    def pooled(self) -> "PolicyTask":
        """All environments at one site."""
        return replace(self, sites=(pool(self.sites),))

    def makeup(self) -> list[dict[str, Any]]:
        """Environments to learn in and to be judged in, and both by world."""
        return [
            {
                "site": number,
                "train": site.lanes,
                "test": site.lanes,
                "classes": [2 * lanes for lanes in site.counts(self.worlds)],
            }
            for number, site in enumerate(self.sites)
        ]

    def _fit(
        self, arrays: Arrays, site: int, options: FitOptions, round_number: int, mu: float
    ) -> Fit:
        own = self.sites[site]
        seed = int(draw(self.seed, Role.FIT, site, round_number).integers(2**32))
        parts = ceil(own.lanes / options.batch)
        learn = replace(LEARN, learning_rate=options.rate, minibatches=parts)
        setup = self._setup(seed, own.lanes, learn)
        found = fit(setup, arrays, own.places, options.local_epochs, mu)
        return Fit(
            found.arrays, found.steps, 0.0 - found.mean_return, self._executions(found, learn)
        )

    def _judge(self, arrays: Arrays, site: int) -> Score:
        played = [
            judge(self._setup(tests.seed), arrays, tests.places, episodes=1, greedy=False).returns
            for tests in self.sites[site].tests
        ]
        returns = np.concatenate(played)
        return Score(len(returns), 0.0 - float(returns.mean(dtype=np.float64)), None)

    def _setup(self, seed: int, lanes: int = 1, learn: LearnOptions = LEARN) -> Setup:
        """How a policy of this task acts and learns."""
        return Setup(
            self.worlds[0],
            steps=1,  # only a rate that falls would need to know
            seed=seed,
            policy=PolicyOptions(CoreName(self.task.model.value)),
            act=ActOptions(1, lanes, UNROLL_STEPS),
            learn=learn,
        )

    def _executions(self, found: Fitted, learn: LearnOptions) -> int:
        """Of circuits: a pass for the advantages, and one with gradients in each epoch."""
        setup = self._setup(0)
        policy = make_policy(setup.policy, interface_of(setup.environment), draw_torch(0, Role.FIT))
        circuits = [one.circuit for one in policy.modules() if isinstance(one, CircuitModule)]
        if not circuits:
            return 0
        each = count_executions(circuits[0], inputs=True).total or 0
        plain = found.learnt // (learn.epochs + 1)
        return found.acted + plain + (found.learnt - plain) * each


def make_policy_task(name: TaskName, partition: Partition, count: int, seed: int) -> PolicyTask:
    """The task of a name.

    Raises:
        InputError: the environments cannot be shared out like this.
    """
    return PolicyTask(name, share_worlds(WORLDS[name.data], partition, count, seed), seed)
