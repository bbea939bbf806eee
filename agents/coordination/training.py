# SPDX-License-Identifier: Apache-2.0
"""Training on labelled instances; stopped by the cost of decoded schedules, not by the loss.

All randomness of a training comes from one generator, whose state is part of the state that is
saved: a training that was stopped and resumed ends with the same weights as one that was not.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from agents.coordination.coordinate import decode, predict
from agents.coordination.features import Features, collate, graph_features
from agents.coordination.improvement import improvement_loss
from agents.coordination.labels import LabelledInstance
from agents.coordination.loss import imitation_loss
from agents.coordination.model import CoordinationVAE
from agents.coordination.options import ModelOptions, TrainOptions
from agents.coordination.sampling import SamplingOptions
from agents.coordination.targets import Target, collate_targets, pool_targets, pool_weights
from sim.coordinators.dive import Diver, make_diver
from sim.coordinators.interface import Budget, Clock
from sim.errors import InputError
from sim.graph import CoordinationGraph
from sim.schedule import Objective

JUDGE_SEED = 0
"""Held-out instances are always judged with the same noise."""
OUTLOOK_SHARE = 20.0
"""How much faster the weights of the outlook are learnt than those of the network."""
JUDGED_TOGETHER = 16
"""Held-out instances in one pass of the model."""


@dataclass(frozen=True, eq=False)
class Example:
    """A labelled instance, prepared: targets of its P labels and how often to use each."""

    graph: CoordinationGraph
    diver: Diver
    features: Features
    targets: tuple[Target, ...]
    weights: torch.Tensor
    best_s: float


def prepare(instance: LabelledInstance, sharpness: float) -> Example:
    """Everything that does not change during training."""
    diver = make_diver(instance.graph)
    return Example(
        graph=instance.graph,
        diver=diver,
        features=graph_features(instance.graph),
        targets=pool_targets(instance, diver),
        weights=torch.from_numpy(pool_weights(instance.cost_s, sharpness)),
        best_s=float(instance.cost_s[0]),
    )


class Trainer:
    """Model, optimiser, generator and progress: all that a training has to remember."""

    def __init__(self, model_options: ModelOptions, options: TrainOptions, seed: int) -> None:
        self.options = options
        with torch.random.fork_rng(devices=[]):  # layers draw their first weights from the global
            torch.manual_seed(seed)
            self.model = CoordinationVAE(model_options)
        self.optimiser = _optimiser(self.model)
        self.generator = torch.Generator().manual_seed(seed)
        self.step = 0
        self.best_ratio = -np.inf
        self.best_weights = deepcopy(self.model.state_dict())
        self.looks_without_improvement = 0
        self.history: list[dict[str, float]] = []

    @property
    def finished(self) -> bool:
        """Whether all steps are done or patience has run out."""
        patience = self.looks_without_improvement >= self.options.patience
        return patience or self.step >= self.options.steps

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything, for ``torch.save``."""
        return deepcopy(
            {
                "model": self.model.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "generator": self.generator.get_state(),
                "step": self.step,
                "best_ratio": self.best_ratio,
                "best_weights": self.best_weights,
                "looks_without_improvement": self.looks_without_improvement,
                "history": self.history,
            }
        )

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave; the options must be the same."""
        given = deepcopy(state)
        self.model.load_state_dict(given.pop("model"))
        self.optimiser.load_state_dict(given.pop("optimiser"))
        self.generator.set_state(given.pop("generator"))
        for name, value in given.items():
            setattr(self, name, value)

    def fit_batch(self, examples: Sequence[Example]) -> dict[str, float]:
        """One step of the optimiser on some examples; the parts of the loss by name.

        Raises:
            InputError: the loss is not finite.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = group["share"] * self.options.rate_at(self.step)
        parts = self._loss(examples)
        loss = torch.stack(list(parts.values())).sum()
        if not bool(torch.isfinite(loss)):
            raise InputError(f"the loss is not finite at step {self.step}; lower learning_rate")
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        return {"loss": loss.item()} | {name: part.item() for name, part in parts.items()}

    def _loss(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        device = next(self.model.parameters()).device
        batch = collate([one.features for one in examples], device)
        parts: dict[str, torch.Tensor] = {}
        if self.options.imitation > 0:
            chosen = [one.targets[self._draw(one.weights)] for one in examples]
            targets = collate_targets(chosen, device)
            posterior = self.model.encode(batch, targets.order, targets.exclusive)
            noise = torch.randn(posterior.mean.shape, generator=self.generator).to(device)
            state = self.model.share(batch)
            prediction = self.model.decode(batch, state, posterior.sample(noise)[None])
            loss = imitation_loss(
                batch, prediction, posterior, targets, self.options.loss, self.step
            )
            parts |= {name: self.options.imitation * part for name, part in loss.items()}
        if self.options.improvement.weight > 0:
            divers = [one.diver for one in examples]
            improvement = self.options.improvement
            parts["improvement"] = improvement.weight * improvement_loss(
                self.model, batch, divers, improvement, Objective.MEAN_TRAVEL, self.generator
            )
        return parts

    def _draw(self, weights: torch.Tensor) -> int:
        return int(torch.multinomial(weights, 1, generator=self.generator))

    def judge(self, held_out: Sequence[Example]) -> float:
        """Look at held-out schedules; remembers the best weights so far.

        Returns:
            Mean of best known cost / cost, see :func:`judge`.
        """
        ratio = judge(self.model, held_out, self.options.judge_samples)
        self.looks_without_improvement += 1
        if ratio > self.best_ratio:
            self.best_ratio, self.looks_without_improvement = ratio, 0
            self.best_weights = deepcopy(self.model.state_dict())
        return ratio


def _optimiser(model: CoordinationVAE) -> torch.optim.Adam:
    """Two weights of the outlook move as fast as the many thousand of the network together do."""
    outlook = list(model.outlook_head.parameters())
    known = {id(weight) for weight in outlook}
    network = [weight for weight in model.parameters() if id(weight) not in known]
    return torch.optim.Adam(
        [{"params": network, "share": 1.0}, {"params": outlook, "share": OUTLOOK_SHARE}]
    )


def judge(model: CoordinationVAE, examples: Sequence[Example], samples: int) -> float:
    """Mean of best known cost / cost over instances: samples of the model alone, no climbing, and
    no first come first served."""
    sampling = SamplingOptions(latents=min(8, samples), most=samples, climb_share=0.0)
    rng, objective = np.random.default_rng(JUDGE_SEED), Objective.MEAN_TRAVEL
    ratios = []
    for start in range(0, len(examples), JUDGED_TOGETHER):
        some = examples[start : start + JUDGED_TOGETHER]
        predictions = predict(model, [one.graph for one in some], rng, sampling)
        for one, prediction in zip(some, predictions, strict=True):
            clock = Clock(Budget(steps=samples))
            found, _ = decode(one.graph, prediction, clock, objective, rng, sampling)
            ratios.append(one.best_s / found[0].cost_s)
    return float(np.mean(ratios))


def train(
    trainer: Trainer,
    examples: Sequence[Example],
    held_out: Sequence[Example],
    until: int | None = None,
) -> None:
    """Train until finished, or until a step; the trainer's history gets a row at every look.

    Args:
        examples: at least one.
        held_out: judged, never learnt from; at least one.
        until: stop here even if unfinished, to save and resume.
    """
    options = trainer.options
    while not trainer.finished and (until is None or trainer.step < until):
        chosen = torch.randint(len(examples), (options.graphs,), generator=trainer.generator)
        parts = trainer.fit_batch([examples[number] for number in chosen.tolist()])
        if trainer.step % options.judge_every == 0 or trainer.step == options.steps:
            row = {"step": float(trainer.step), "held_out_ratio": trainer.judge(held_out), **parts}
            trainer.history.append(row)
