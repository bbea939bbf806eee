# SPDX-License-Identifier: Apache-2.0
"""An actor: one group of environments, a policy that acts in them, and where both stand."""

import numpy as np
import torch
from numpy.typing import NDArray

from agents.learning.collecting import Row, counting, together
from agents.learning.history import History, Rows
from agents.learning.options import Setup
from agents.learning.rollout import Arrays, Rollout
from agents.learning.running import Running
from agents.learning.seeds import Role, draw
from agents.policies.make import make_policy
from agents.policies.policy import load_arrays
from sim.environments.interface import VectorEnvironment
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
        self.running = Running(lanes)

    def collect(self, weights: Arrays, version: int) -> Rollout:
        """The next rollout.

        Args:
            weights: parameters of the policy.
            version: how many updates made them.
        """
        load_arrays(self.policy, weights)
        lanes, steps = self.setup.act.lanes, self.setup.act.unroll_steps
        rng = draw(self.setup.seed, Role.ACTIONS, self.group, self.index)
        stored = self.state.numpy().copy()
        rows: list[Row] = []
        returns: list[float] = []
        lengths: list[int] = []
        for uniforms in rng.random((steps, lanes)):
            row, ended = self._step(uniforms)
            rows.append(row)
            if ended.any():
                returns += self.running.returns[ended].tolist()
                lengths += self.running.lengths[ended].tolist()
        taken = together(rows)
        seen = Rows(
            stored,
            np.concatenate([taken.observations, self.observations[:, None]], 1),
            np.concatenate([taken.begins, self.begins[:, None]], 1),
        )
        earlier = self.history.before(seen)
        rollout = Rollout(
            observations=np.concatenate([earlier.observations, seen.observations], 1),
            begins=np.concatenate([earlier.begins, seen.begins], 1),
            state=earlier.state,
            stored=stored,
            actions=taken.actions,
            log_probs=taken.log_probs,
            rewards=taken.rewards,
            terminated=taken.terminated,
            truncated=taken.truncated,
            valid=counting(taken),
            version=version,
            index=self.index,
            returns=np.array(returns, dtype=np.float32),
            lengths=np.array(lengths, dtype=np.int64),
            broken=int(taken.broken.sum()),
        )
        self.history.add(seen)
        self.index += 1
        return rollout

    def _step(self, uniforms: NDArray[np.float64]) -> tuple[Row, NDArray[np.bool_]]:
        """Act once, and go to the next row; the row that was left, and which episodes ended."""
        acted = self.policy.act(self.observations, self.state, self.begins, uniforms)
        happened = self.environments.step(acted.actions)
        row = Row(
            self.observations,
            self.begins,
            acted.actions,
            acted.log_probs,
            happened.rewards,
            happened.terminated,
            happened.truncated,
            self.closing,
            happened.broken,
        )
        self.closing = self.running.follow(happened)
        self.observations, self.begins, self.state = (
            happened.observations,
            happened.begins,
            acted.state,
        )
        return row, self.closing

    @property
    def position(self) -> Arrays:
        """Where it stands, as arrays."""
        own = {
            "index": np.array(self.index),
            "observations": self.observations,
            "begins": self.begins,
            "closing": self.closing,
            "state": self.state.numpy(),
            "returns": self.running.returns,
            "lengths": self.running.lengths,
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
        self.running.returns = own["returns"].copy()
        self.running.lengths = own["lengths"].copy()
        self.environments.restore(_part(position, ENVIRONMENT))
        self.history.restore(_part(position, HISTORY))


def index_of(position: Arrays) -> int:
    """Which rollout an actor collects next that stands there."""
    return int(position[OWN + "index"])


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {n.removeprefix(prefix): v for n, v in arrays.items() if n.startswith(prefix)}
