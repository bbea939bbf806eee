# SPDX-License-Identifier: Apache-2.0
"""The task ``gnn_vae-floors``: sites with floors of their own teach one coordinator.

What a site has are solved instances of its floor, which tell its map and its traffic, and stay
there. Training is that of ``train-coordinator``; only that each round begins from the model of all.

``accuracy`` of a score is the mean of best known cost / cost over held-out instances, 1 where every
schedule is as good as the best label and above where it is better; each is what the mean of the
latent says, decoded once, without search and without a floor. ``loss`` is 1 minus that, so it may
be below 0. The loss of a fit is that of training, and not to be compared with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch

from agents.coordination.model import CoordinationVAE
from agents.coordination.options import ModelOptions, TrainOptions
from agents.coordination.training import Example, Trainer, judge, prepare
from agents.coordination.weights import load_model
from agents.proximal import pull_back
from federated.floors import FloorSite
from federated.options import COORDINATOR, FitOptions
from federated.seeds import Role, draw
from federated.task import Arrays, Fit, Score
from sim.coordinators.fcfs import serve_by_arrival
from sim.errors import InputError
from sim.schedule import Objective, evaluate

FIT = FitOptions(local_epochs=1, batch=16, learning_rate=1.5e-3, optimizer="adam")
"""What suits this task; the learning rate of small circuits is far too high for it."""


@dataclass(frozen=True)
class CoordinatorOptions:
    """What is learnt, by what model; any process makes the same task from it and the instances.

    Args:
        seed: of everything that is drawn.
        model: its size; not asked for where weights are given.
        training: what is learnt. Of it ``imitation``, ``sharpness``, ``judge_samples``, ``loss``
            and ``improvement`` count; how much and how fast is said by the options of a fit.
        weights: a file of weights to begin with; None begins anew.
        horizon_rounds: rounds in which the learning rate falls to a tenth.
    """

    seed: int = 0
    model: ModelOptions = field(default_factory=ModelOptions)
    training: TrainOptions = field(default_factory=TrainOptions)
    weights: str | None = None
    horizon_rounds: int = 50

    def __post_init__(self) -> None:
        if self.horizon_rounds < 1:
            raise InputError(f"horizon_rounds is {self.horizon_rounds}; allowed: 1 or more")


class CoordinatorTask:
    """See :class:`federated.task.Task`.

    Instances are prepared when their site is first asked. For results that repeat to the bit torch
    has to compute in one thread.

    Args:
        sites: who has what.
        options: what is learnt.

    Raises:
        InputError: there are no sites, or the weights cannot be read.
    """

    def __init__(self, sites: Sequence[FloorSite], options: CoordinatorOptions) -> None:
        if not sites:
            raise InputError("sites is 0; allowed: 1 or more")
        self._sites = list(sites)
        self._options = options
        self._given = None if options.weights is None else load_model(Path(options.weights))
        self._prepared: dict[tuple[int, bool], list[Example]] = {}

    @property
    def name(self) -> str:
        """How it is called."""
        return COORDINATOR

    @property
    def count(self) -> int:
        """How many sites."""
        return len(self._sites)

    def initial(self) -> Arrays:
        """The weights that were given, or fresh ones."""
        fresh = self._trainer(self._options.training, Role.MODEL).model
        return _arrays(self._given or fresh)

    def fit(
        self,
        arrays: Sequence[Arrays],
        sites: Sequence[int],
        options: FitOptions,
        round_number: int,
        proximal_mu: float = 0.0,
    ) -> list[Fit]:
        """Train at some sites, one after another.

        Raises:
            InputError: the optimizer is not Adam, or the loss is not finite.
        """
        if options.optimizer != "adam":
            raise InputError(f"optimizer is {options.optimizer}; allowed for {COORDINATOR}: adam")
        pairs = zip(arrays, sites, strict=True)
        return [self._fit(own, site, options, round_number, proximal_mu) for own, site in pairs]

    def evaluate(self, arrays: Sequence[Arrays], sites: Sequence[int]) -> list[Score]:
        """Judge at some sites; see the module."""
        return [self._judge(own, site) for own, site in zip(arrays, sites, strict=True)]

    def trivial(self, sites: Sequence[int]) -> list[Score]:
        """First come first served."""
        return [
            _score([one.best_s / _fcfs_s(one) for one in self._examples(site, test=True)])
            for site in sites
        ]

    def pooled(self) -> "CoordinatorTask":
        """All instances at one site."""
        train = [instance for site in self._sites for instance in site.train]
        test = [instance for site in self._sites for instance in site.test]
        return CoordinatorTask([FloorSite(train, test)], self._options)

    def makeup(self) -> list[dict[str, Any]]:
        """Sizes."""
        return [
            {"site": number, "train": len(site.train), "test": len(site.test), "classes": []}
            for number, site in enumerate(self._sites)
        ]

    def _fit(
        self, arrays: Arrays, site: int, options: FitOptions, round_number: int, mu: float
    ) -> Fit:
        examples = self._examples(site, test=False)
        steps = options.local_epochs * -(-len(examples) // options.batch)
        plan = replace(
            self._options.training,
            learning_rate=options.rate,
            steps=steps * self._options.horizon_rounds,
        )
        trainer = self._trainer(plan, Role.FIT, site, round_number)
        trainer.step = steps * (round_number - 1)
        _load(trainer.model, arrays)
        pull_back(trainer.model, mu)
        losses = [
            trainer.fit_batch([examples[number] for number in part.tolist()])["loss"]
            for _ in range(options.local_epochs)
            for part in torch.randperm(len(examples), generator=trainer.generator).split(
                options.batch
            )
        ]
        return Fit(_arrays(trainer.model), len(examples), fmean(losses), circuits=0)

    def _judge(self, arrays: Arrays, site: int) -> Score:
        examples = self._examples(site, test=True)
        if not examples:
            return _score([])
        model = self._trainer(self._options.training, Role.MODEL).model
        _load(model, arrays)
        ratio = judge(model, examples, self._options.training.judge_samples)
        return Score(len(examples), 1.0 - ratio, ratio)

    def _trainer(self, training: TrainOptions, role: Role, *numbers: int) -> Trainer:
        size = self._options.model if self._given is None else self._given.options
        seed = int(draw(self._options.seed, role, *numbers).integers(2**62))
        return Trainer(size, training, seed)

    def _examples(self, site: int, *, test: bool) -> list[Example]:
        if (site, test) not in self._prepared:
            own = self._sites[site]
            instances, sharpness = own.test if test else own.train, self._options.training.sharpness
            self._prepared[site, test] = [prepare(one, sharpness) for one in instances]
        return self._prepared[site, test]


def _score(ratios: Sequence[float]) -> Score:
    if not ratios:
        return Score(0, 0.0, None)
    return Score(len(ratios), 1.0 - fmean(ratios), fmean(ratios))


def _fcfs_s(example: Example) -> float:
    found = evaluate(example.graph, serve_by_arrival(example.graph))
    return float(found.cost_s(Objective.MEAN_TRAVEL))


def _arrays(model: CoordinationVAE) -> Arrays:
    return {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}


def _load(model: CoordinationVAE, arrays: Arrays) -> None:
    model.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in arrays.items()})
