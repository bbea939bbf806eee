# SPDX-License-Identifier: Apache-2.0
"""The learner: a policy, its optimizer, and how a batch of rollouts changes both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from agents.learning.losses import Loss, a3c, actor_critic, clipped, say
from agents.learning.options import Algorithm, Setup, StateMode
from agents.learning.returns import Advantages, Outcome, gae, vtrace
from agents.learning.rollout import Arrays, Batch, Rollout, stack
from agents.learning.seeds import Role, draw, draw_torch
from agents.policies.make import make_policy
from agents.policies.policy import Policy, Unrolled, load_arrays, to_arrays
from sim.environments.make import interface_of

POLICY, FIRST, SECOND = "policy/", "first_moment/", "second_moment/"


@dataclass(frozen=True)
class Metrics:
    """What one update did.

    Args:
        update: how many there have been.
        steps: actions learnt from since the beginning.
        loss, policy_loss, value_loss, entropy: means over its steps of the optimizer.
        gradient_norm: before clipping, mean over them.
        lag: updates between the parameters that acted and those that learn; the mean, and the most.
        kl: of the actor from the learner before the update, estimated from the actions.
        clipped: share of rows whose ratio the algorithm bounds.
        staleness: how far the actor's memory at the first row was from what the learner's own
            parameters make of the rows before; relative, root mean square; None where the learner
            does not run them again.
        circuits: evaluated, forward.
        finite: whether the parameters still are numbers.
    """

    update: int
    steps: int
    loss: float
    policy_loss: float
    value_loss: float
    entropy: float
    gradient_norm: float
    lag: float
    most_lag: int
    kl: float
    clipped: float
    staleness: float | None
    circuits: int
    finite: bool


class Tensors(NamedTuple):
    """A batch as tensors."""

    observations: torch.Tensor
    begins: torch.Tensor
    state: torch.Tensor
    actions: torch.Tensor
    log_probs: torch.Tensor
    rewards: torch.Tensor
    terminated: torch.Tensor
    ended: torch.Tensor
    valid: torch.Tensor

    def lanes(self, which: torch.Tensor) -> "Tensors":
        """Only some lanes."""
        return Tensors(*(part[which] for part in self))


class Learner:
    """Changes a policy by rollouts; everything it does depends on the setup and the rollouts.

    Args:
        setup: of the training.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup, self.options = setup, setup.learn
        generator = draw_torch(setup.seed, Role.POLICY)
        self.policy: Policy = make_policy(setup.policy, interface_of(setup.environment), generator)
        betas = (self.options.beta1, self.options.beta2)
        # Fused: the parameters are many and tiny, and the plain loop costs more than the gradients.
        self.optimizer = torch.optim.Adam(
            self.policy.parameters(), self.options.learning_rate, betas, fused=True
        )
        self.updates = 0
        self.steps = 0
        self.circuits = 0

    def weights(self) -> Arrays:
        """The parameters of the policy."""
        return to_arrays(self.policy)

    def update(self, rollouts: Sequence[Rollout]) -> Metrics:
        """Learn from rollouts, once."""
        batch = stack(rollouts)
        lags = [self.updates - one.version for one in rollouts]
        tensors, staleness = self._tensors(batch)
        share = self._share_left()
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.learning_rate * share
        before = self.circuits
        rows = [self._step(*part, share) for part in self._parts(tensors)]
        means = np.mean(rows, axis=0)
        self.updates += 1
        self.steps += sum(one.steps for one in rollouts)
        return Metrics(
            update=self.updates,
            steps=self.steps,
            loss=float(means[0]),
            policy_loss=float(means[1]),
            value_loss=float(means[2]),
            entropy=float(means[3]),
            gradient_norm=float(means[4]),
            lag=float(np.mean(lags)),
            most_lag=max(lags),
            kl=float(rows[0][5]),
            clipped=float(means[6]),
            staleness=staleness,
            circuits=self.circuits - before,
            finite=all(bool(p.isfinite().all()) for p in self.policy.parameters()),
        )

    def _share_left(self) -> float:
        """Of the learning rate and the entropy bonus, by the steps that were learnt from."""
        done = min(self.steps / self.setup.steps, 1.0)
        return 1 - (1 - self.options.final_share) * done

    def _tensors(self, batch: Batch) -> tuple[Tensors, float | None]:
        """The batch with the memory that the state mode gives, and the staleness."""
        observations = torch.from_numpy(batch.observations)
        begins = torch.from_numpy(batch.begins)
        state = torch.from_numpy(batch.state)
        staleness = None
        if self.options.state is StateMode.ZERO:
            state = torch.zeros_like(state)
        elif batch.history and state.shape[1]:
            history = batch.history
            with torch.no_grad():
                # Only the memory is wanted; the output of one step has to be computed with it.
                after = self._unroll(observations[:, :history], state, begins[:, :history], 1).state
            staleness = _distance(torch.from_numpy(batch.stored), after)
            if self.options.state is StateMode.BURN_IN:
                observations, begins, state = observations[:, history:], begins[:, history:], after
        tensors = Tensors(
            observations,
            begins,
            state,
            torch.from_numpy(batch.actions),
            torch.from_numpy(batch.log_probs),
            torch.from_numpy(batch.rewards),
            torch.from_numpy(batch.terminated),
            torch.from_numpy(batch.terminated | batch.truncated),
            torch.from_numpy(batch.valid),
        )
        return tensors, staleness

    def _parts(self, tensors: Tensors) -> Iterator[tuple[Tensors, Advantages | None]]:
        """What each step of the optimizer learns from; PPO knows its advantages beforehand."""
        if self.options.algorithm is not Algorithm.PPO:
            yield tensors, None
            return
        with torch.no_grad():
            said = self._rows(tensors)
            learn = gae(
                _outcome(tensors, said.values), self.options.discount, self.options.gae_lambda
            )
        rng = draw(self.setup.seed, Role.MINIBATCHES, self.updates)
        for _ in range(self.options.epochs):
            order = torch.from_numpy(rng.permutation(len(tensors.actions)))
            for which in order.tensor_split(self.options.minibatches):
                yield tensors.lanes(which), Advantages(*(part[which] for part in learn))

    def _step(self, tensors: Tensors, learn: Advantages | None, share: float) -> list[float]:
        """One step of the optimizer."""
        options = self.options
        unrolled = self._rows(tensors)
        said = say(unrolled.logits[:, :-1], unrolled.values[:, :-1], tensors.actions)
        log_ratios = (said.log_probs - tensors.log_probs).detach()
        loss: Loss
        if learn is not None:
            loss = clipped(said, tensors.log_probs, learn, tensors.valid, options)
            bound = (log_ratios.exp() - 1).abs() > options.ratio_clip
        else:
            outcome = _outcome(tensors, unrolled.values.detach())
            bound = log_ratios.exp() > options.rho_clip
            if options.algorithm is Algorithm.VTRACE:
                learn = vtrace(
                    outcome,
                    log_ratios,
                    options.discount,
                    options.rho_clip,
                    options.c_clip,
                    options.gae_lambda,
                )
                loss = actor_critic(said, learn, tensors.valid)
            else:
                loss = a3c(said, gae(outcome, options.discount, 1.0), tensors.valid)
        total = loss.total(options.value_weight, options.entropy * share)
        self.optimizer.zero_grad()
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(
            self.policy.parameters(), options.clip_norm or torch.inf
        )
        self.optimizer.step()
        count = tensors.valid.sum().clamp(min=1)
        kl = -(log_ratios * tensors.valid).sum() / count
        share_bound = (bound & tensors.valid).sum() / count
        parts = (total.detach(), *(part.detach() for part in loss), norm, kl, share_bound)
        return [float(part) for part in parts]

    def _rows(self, tensors: Tensors) -> Unrolled:
        """What the policy says of the rows to learn from, and of the one after."""
        rows = tensors.actions.shape[1] + 1
        return self._unroll(tensors.observations, tensors.state, tensors.begins, rows)

    def _unroll(
        self, observations: torch.Tensor, state: torch.Tensor, begins: torch.Tensor, last: int
    ) -> Unrolled:
        batch, steps = begins.shape
        self.circuits += self.policy.core.num_circuits(batch, steps, last)
        return self.policy.unroll(observations, state, begins, last)

    def checkpoint(self) -> Arrays:
        """Everything that it has to remember, as arrays."""
        counters = {"updates": self.updates, "steps": self.steps, "circuits": self.circuits}
        moments: Arrays = {}
        for name, parameter in self.policy.named_parameters():
            memory = self.optimizer.state.get(parameter)
            if memory:
                moments[FIRST + name] = memory["exp_avg"].numpy().copy()
                moments[SECOND + name] = memory["exp_avg_sq"].numpy().copy()
                counters["optimizer_steps"] = int(memory["step"])
        parameters = {POLICY + name: value for name, value in self.weights().items()}
        return {
            **parameters,
            **moments,
            **{name: np.array(value) for name, value in counters.items()},
        }

    def restore(self, arrays: Arrays) -> None:
        """Go on from a checkpoint of a learner with the same setup."""
        load_arrays(
            self.policy,
            {n.removeprefix(POLICY): v for n, v in arrays.items() if n.startswith(POLICY)},
        )
        self.updates, self.steps = int(arrays["updates"]), int(arrays["steps"])
        self.circuits = int(arrays["circuits"])
        self.optimizer.state.clear()
        for name, parameter in self.policy.named_parameters():
            if FIRST + name in arrays:
                self.optimizer.state[parameter] = {
                    "step": torch.tensor(float(arrays["optimizer_steps"])),
                    "exp_avg": torch.from_numpy(arrays[FIRST + name].copy()),
                    "exp_avg_sq": torch.from_numpy(arrays[SECOND + name].copy()),
                }


def _outcome(tensors: Tensors, values: torch.Tensor) -> Outcome:
    return Outcome(tensors.rewards, tensors.terminated, tensors.ended, tensors.valid, values)


def _distance(stored: torch.Tensor, recomputed: torch.Tensor) -> float:
    """Root mean square of the difference, relative to that of what was recomputed."""
    return float((stored - recomputed).norm() / recomputed.norm().clamp(min=1e-12))
