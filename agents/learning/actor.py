# SPDX-License-Identifier: Apache-2.0
"""An actor: one group of environments, a policy that acts in them, and where both stand."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agents.learning.history import History, Rows
from agents.learning.options import Setup
from agents.learning.rollout import Arrays, Rollout
from agents.learning.seeds import Role, draw
from agents.policies.make import make_policy
from agents.policies.policy import load_arrays
from sim.environments.interface import Steps, VectorEnvironment
from sim.environments.make import interface_of, make_environments

ENVIRONMENT, HISTORY, OWN = "environment/", "history/", "actor/"


class Actor:
    """Collects the rollouts of one group, each the same whoever collects it.

    What it needs for the next rollout is its :attr:`position`; an actor that is given the position
    of another goes on in its place.

    Args:
        setup: of the training.
        group: which one, from 0.
    """

    def __init__(self, setup: Setup, group: int) -> None:
        lanes = setup.act.lanes
        first = group * lanes
        self.setup, self.group = setup, group
        self.environments: VectorEnvironment = make_environments(
            setup.environment, range(first, first + lanes), setup.seed, setup.engine
        )
        interface = interface_of(setup.environment)
        self.policy = make_policy(setup.policy, interface, torch.Generator())
        self.history = History(setup.learn.history_steps)
        self.index = 0
        self.observations = self.environments.reset()
        self.begins = np.ones(lanes, dtype=np.bool_)
        self.closing = np.zeros(lanes, dtype=np.bool_)
        self.state = self.policy.initial_state(lanes)
        self.returns = np.zeros(lanes, dtype=np.float32)
        self.lengths = np.zeros(lanes, dtype=np.int64)

    def collect(self, weights: Arrays, version: int) -> Rollout:
        """The next rollout.

        Args:
            weights: parameters of the policy.
            version: how many updates made them.
        """
        load_arrays(self.policy, weights)
        lanes, steps = self.setup.act.lanes, self.setup.act.unroll_steps
        rng = draw(self.setup.seed, Role.ACTIONS, self.group, self.index)
        uniforms = rng.random((steps, lanes))
        rows = _Collecting(steps, self.observations)
        stored = self.state.numpy().copy()
        for step in range(steps):
            rows.see(step, self.observations, self.begins)
            acted = self.policy.act(self.observations, self.state, self.begins, uniforms[step])
            happened = self.environments.step(acted.actions)
            rows.take(step, acted.actions, acted.log_probs, happened, self.closing)
            self._follow(step, happened, rows)
            self.state = acted.state
        rows.see(steps, self.observations, self.begins)
        seen = Rows(stored, rows.observations, rows.begins)
        earlier = self.history.before(seen)
        rollout = Rollout(
            observations=np.concatenate([earlier.observations, rows.observations], 1),
            begins=np.concatenate([earlier.begins, rows.begins], 1),
            state=earlier.state,
            stored=stored,
            actions=rows.actions,
            log_probs=rows.log_probs,
            rewards=rows.rewards,
            terminated=rows.terminated,
            truncated=rows.truncated,
            valid=rows.valid,
            version=version,
            index=self.index,
            returns=np.array(rows.returns, dtype=np.float32),
            lengths=np.array(rows.lengths, dtype=np.int64),
            broken=rows.broken,
        )
        self.history.add(seen)
        self.index += 1
        return rollout

    def _follow(self, step: int, happened: Steps, rows: "_Collecting") -> None:
        """Go to the next row: count the returns, close what ended, forget what broke."""
        self.returns += happened.rewards
        self.lengths += ~self.closing
        ended = happened.terminated | happened.truncated
        if ended.any():
            rows.returns += self.returns[ended].tolist()
            rows.lengths += self.lengths[ended].tolist()
        if happened.broken.any():
            rows.forget(step, happened.broken)
        fresh = happened.begins | ended
        self.returns[fresh] = 0
        self.lengths[fresh] = 0
        self.observations, self.begins, self.closing = happened.observations, happened.begins, ended

    @property
    def position(self) -> Arrays:
        """Where it stands, as arrays."""
        own = {
            "index": np.array(self.index),
            "observations": self.observations,
            "begins": self.begins,
            "closing": self.closing,
            "state": self.state.numpy(),
            "returns": self.returns,
            "lengths": self.lengths,
        }
        return {
            **{OWN + name: np.array(value) for name, value in own.items()},
            **{ENVIRONMENT + name: v for name, v in self.environments.snapshot().items()},
            **{HISTORY + name: v for name, v in self.history.snapshot().items()},
        }

    def restore(self, position: Arrays) -> None:
        """Go on from a position of an actor of the same setup and group."""
        own = _part(position, OWN)
        self.index = int(own["index"])
        self.observations = own["observations"].copy()
        self.begins, self.closing = own["begins"].copy(), own["closing"].copy()
        self.state = torch.from_numpy(own["state"].copy())
        self.returns, self.lengths = own["returns"].copy(), own["lengths"].copy()
        self.environments.restore(_part(position, ENVIRONMENT))
        self.history.restore(_part(position, HISTORY))


class _Collecting:
    """The rows of a rollout while it is collected."""

    def __init__(self, steps: int, observations: NDArray[Any]) -> None:
        lanes, *shape = observations.shape
        self.observations = np.empty((lanes, steps + 1, *shape), dtype=observations.dtype)
        self.begins = np.empty((lanes, steps + 1), dtype=np.bool_)
        self.actions = np.empty((lanes, steps), dtype=np.int64)
        self.log_probs = np.empty((lanes, steps), dtype=np.float32)
        self.rewards = np.empty((lanes, steps), dtype=np.float32)
        self.terminated = np.empty((lanes, steps), dtype=np.bool_)
        self.truncated = np.empty((lanes, steps), dtype=np.bool_)
        self.valid = np.empty((lanes, steps), dtype=np.bool_)
        self.returns: list[float] = []
        self.lengths: list[int] = []
        self.broken = 0

    def see(self, step: int, observations: NDArray[Any], begins: NDArray[np.bool_]) -> None:
        self.observations[:, step] = observations
        self.begins[:, step] = begins

    def take(
        self,
        step: int,
        actions: NDArray[np.int64],
        log_probs: NDArray[np.float32],
        happened: Steps,
        closing: NDArray[np.bool_],
    ) -> None:
        self.actions[:, step] = actions
        self.log_probs[:, step] = log_probs
        self.rewards[:, step] = happened.rewards
        self.terminated[:, step] = happened.terminated
        self.truncated[:, step] = happened.truncated
        np.logical_not(closing, out=self.valid[:, step])

    def forget(self, step: int, broken: NDArray[np.bool_]) -> None:
        """Nothing is learnt from an episode that broke, as far as it is in this rollout."""
        self.broken += int(broken.sum())
        for lane in np.flatnonzero(broken):
            begun = np.flatnonzero(self.begins[lane, : step + 1])
            self.valid[lane, begun[-1] if len(begun) else 0 : step + 1] = False


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {n.removeprefix(prefix): v for n, v in arrays.items() if n.startswith(prefix)}
