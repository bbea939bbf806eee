# SPDX-License-Identifier: Apache-2.0
"""The learner: a policy, its optimizer, and how a batch of rollouts changes both."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from agents.learning.losses import Loss, Said, a3c, actor_critic, clipped, mean_of, say
from agents.learning.metrics import Metrics, Stepped
from agents.learning.moments import moments, set_moments
from agents.learning.options import Algorithm, Setup, StateMode
from agents.learning.returns import Advantages, gae, vtrace
from agents.learning.rollout import Arrays, Batch, Rollout, stack
from agents.learning.seeds import Role, draw, draw_torch
from agents.learning.tensors import Tensors, tensors_of
from agents.policies.make import make_policy
from agents.policies.policy import Policy, Unrolled, load_arrays, to_arrays
from sim.environments.make import interface_of

POLICY = "policy/"
COUNTERS = ("updates", "steps", "circuits")
ROUNDING = 1e-5


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
        lags = [self.updates - one.version for one in rollouts]
        before = self.circuits
        tensors, staleness = self._remembering(stack(rollouts))
        share = self._share_left()
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.learning_rate * share
        stepped = [self._step(*part, share) for part in self._parts(tensors)]
        self.updates += 1
        self.steps += sum(one.steps for one in rollouts)
        means = Stepped(*torch.tensor(stepped).mean(0))
        return Metrics(
            update=self.updates,
            steps=self.steps,
            loss=float(means.loss),
            policy_loss=float(means.policy_loss),
            value_loss=float(means.value_loss),
            entropy=float(means.entropy),
            gradient_norm=float(means.gradient_norm),
            lag=float(np.mean(lags)),
            most_lag=max(lags),
            kl=float(stepped[0].kl),
            clipped=float(means.clipped),
            staleness=staleness,
            circuits=self.circuits - before,
            finite=all(bool(p.isfinite().all()) for p in self.policy.parameters()),
        )

    def _share_left(self) -> float:
        """Of the learning rate and the entropy bonus, by the steps that were learnt from."""
        done = min(self.steps / self.setup.steps, 1.0)
        return 1 - (1 - self.options.final_share) * done

    def _remembering(self, batch: Batch) -> tuple[Tensors, float | None]:
        """The batch with the memory that the state mode gives, and the staleness."""
        tensors, mode, history = tensors_of(batch), self.options.state, batch.history
        if mode == StateMode.ZERO:
            return tensors._replace(state=torch.zeros_like(tensors.state)), None
        if not (history and self.policy.core.state_size):
            return tensors, None
        with torch.no_grad():
            # Only the memory is wanted; the output of one step has to be computed with it.
            lead = tensors.observations[:, :history], tensors.state, tensors.begins[:, :history]
            state = self._unroll(*lead, 1).state
        running = ~tensors.begins[:, history]
        staleness = _distance(torch.from_numpy(batch.stored)[running], state[running])
        return (tensors.after(history, state) if mode == StateMode.BURN_IN else tensors), staleness

    def _parts(self, tensors: Tensors) -> Iterator[tuple[Tensors, Advantages | None]]:
        """What each step of the optimizer learns from; PPO knows its advantages beforehand."""
        options = self.options
        if options.algorithm != Algorithm.PPO:
            yield tensors, None
            return
        with torch.no_grad():
            outcome = tensors.outcome(self._rows(tensors).values)
        learn = gae(outcome, options.discount, options.gae_lambda)
        lanes = len(tensors.actions)
        rng = draw(self.setup.seed, Role.MINIBATCHES, self.updates)
        for _ in range(options.epochs):
            order = torch.from_numpy(rng.permutation(lanes))
            for which in order.tensor_split(min(options.minibatches, lanes)):
                yield tensors.lanes(which), Advantages(*(part[which] for part in learn))

    def _step(self, tensors: Tensors, learn: Advantages | None, share: float) -> Stepped:
        """One step of the optimizer."""
        unrolled = self._rows(tensors)
        said = say(unrolled.logits[:, :-1], unrolled.values[:, :-1], tensors.actions)
        log_ratios = (said.log_probs - tensors.log_probs).detach()
        if learn is not None:
            loss = clipped(said, tensors.log_probs, learn, tensors.valid, self.options)
        else:
            loss = self._at_once(tensors, unrolled.values.detach(), said, log_ratios)
        total = loss.total(self.options.value_weight, self.options.entropy * share)
        norm = self._descend(total)
        kl, bound = -log_ratios, self._bounded(log_ratios).float()
        means = mean_of(kl, tensors.valid), mean_of(bound, tensors.valid)
        return Stepped(*(part.detach() for part in (total, *loss, norm, *means)))

    def _at_once(
        self, tensors: Tensors, values: torch.Tensor, said: Said, log_ratios: torch.Tensor
    ) -> Loss:
        """The loss of an algorithm that takes its advantages from the same pass."""
        options, outcome = self.options, tensors.outcome(values)
        if options.algorithm == Algorithm.A3C:
            return a3c(said, gae(outcome, options.discount, 1.0), tensors.valid)
        bounds = options.rho_clip, options.c_clip, options.gae_lambda
        learn = vtrace(outcome, log_ratios, options.discount, *bounds)
        return actor_critic(said, learn, tensors.valid)

    def _bounded(self, log_ratios: torch.Tensor) -> torch.Tensor:
        """Which ratios the algorithm does not take as they are."""
        match self.options.algorithm:
            case Algorithm.PPO:
                return (log_ratios.exp() - 1).abs() > self.options.ratio_clip
            case Algorithm.VTRACE:
                # Equal policies differ by rounding, and 1 is the bound that everybody takes.
                return log_ratios.exp() > self.options.rho_clip + ROUNDING
            case Algorithm.A3C:
                return torch.zeros_like(log_ratios, dtype=torch.bool)

    def _descend(self, loss: torch.Tensor) -> torch.Tensor:
        """Change the parameters; the norm of the gradient before it was clipped."""
        self.optimizer.zero_grad()
        loss.backward()
        bound = self.options.clip_norm or torch.inf
        norm = torch.nn.utils.clip_grad_norm_(self.policy.parameters(), bound)
        self.optimizer.step()
        return norm

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
        return {
            **{POLICY + name: value for name, value in self.weights().items()},
            **moments(self.optimizer, self.policy),
            **{name: np.array(getattr(self, name)) for name in COUNTERS},
        }

    def restore(self, arrays: Arrays) -> None:
        """Go on from a checkpoint of a learner with the same setup."""
        parameters = {n: v for n, v in arrays.items() if n.startswith(POLICY)}
        load_arrays(self.policy, {n.removeprefix(POLICY): v for n, v in parameters.items()})
        set_moments(self.optimizer, self.policy, arrays)
        self.updates, self.steps, self.circuits = (int(arrays[name]) for name in COUNTERS)


def _distance(stored: torch.Tensor, recomputed: torch.Tensor) -> float:
    """Root mean square of the difference, relative to that of what was recomputed."""
    return float((stored - recomputed).norm() / recomputed.norm().clamp(min=1e-12))
