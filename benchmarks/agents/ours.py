# SPDX-License-Identifier: Apache-2.0
"""A group of ours and a learner, and the parts of what they do."""

from dataclasses import replace

import numpy as np
import torch

from agents.learning.actor import Actor
from agents.learning.learner import Learner
from agents.learning.options import Setup
from sim.environments.make import make_environments


class Ours:
    """One group of environments; the parameters stay as they began, so that episodes do, too.

    Args:
        setup: one group of it is played.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup = replace(setup, act=replace(setup.act, groups=1))
        lanes, steps = setup.act.lanes, setup.act.unroll_steps
        self.actor, self.learner = Actor(setup, 0), Learner(setup)
        self.weights = self.learner.weights()
        self.rollout = self.actor.collect(self.weights, 0)
        self.alone = make_environments(setup.environment, range(lanes), setup.seed, setup.engine)
        self.alone.reset()
        rng = np.random.default_rng(0)
        actions = self.actor.environments.interface.actions
        self.choices = rng.integers(0, actions, (steps, lanes))
        self.uniforms = rng.random((steps, lanes))

    @property
    def parameters(self) -> int:
        """How many the policy has."""
        return self.learner.policy.num_parameters

    def act(self) -> int:
        """Collect a rollout; says how many actions counted."""
        self.rollout = self.actor.collect(self.weights, 0)
        return self.rollout.steps

    def step(self) -> int:
        """The environments alone, with actions from a list."""
        counted, closing = 0, np.zeros(self.setup.act.lanes, dtype=np.bool_)
        for actions in self.choices:
            happened = self.alone.step(actions)
            counted += len(actions) - int(closing.sum())
            closing = happened.terminated | happened.truncated
        return counted

    def choose(self) -> int:
        """The policy alone, on the observations of the last rollout."""
        rows, begins = self.rollout.observations, self.rollout.begins
        state = torch.from_numpy(self.rollout.stored)
        for step, uniforms in enumerate(self.uniforms):
            acted = self.actor.policy.act(
                np.ascontiguousarray(rows[:, step]), state, begins[:, step], uniforms
            )
            state = acted.state
        return self.rollout.steps

    def learn(self) -> int:
        """One update from the last rollout."""
        self.learner.update([self.rollout])
        return self.rollout.steps
