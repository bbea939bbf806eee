# SPDX-License-Identifier: Apache-2.0
"""Tasks with samples: classification and forecasting, at sites that are trained as one batch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from federated.batched import Loss, Parameters, Samples, fit_together, outputs_together
from federated.data import Dataset
from federated.options import FitOptions
from federated.partition import Ints, Partition, share_out
from federated.seeds import Role, draw, draw_torch
from federated.task import Arrays, Fit, Score
from sim.errors import InputError

TEST_SHARE = 0.25
"""Of the samples of a site; one with fewer than four may have no tests."""


@dataclass(frozen=True, eq=False)
class Site:
    """What one site has.

    Args:
        train, test: its samples.
        known: what a forecast without training says of the tests; None for the mean of the site.
    """

    train: Samples
    test: Samples
    known: torch.Tensor | None = None


@dataclass(frozen=True, eq=False)
class SampleTask:
    """See :class:`federated.task.Task`.

    Args:
        name: how it is called.
        module: the model as it begins.
        loss: what training makes small.
        classes: names of the classes; empty where numbers are forecast.
        sites: who has what.
        executions: of circuits, for the gradient of one sample.
        seed: of the order of samples.
        unit: what newcomers bring some of, such as days, and how many samples that is.
    """

    name: str
    module: nn.Module
    loss: Loss
    classes: tuple[str, ...]
    sites: tuple[Site, ...]
    executions: int
    seed: int
    unit: tuple[str, int] = ("shots", 1)

    @property
    def count(self) -> int:
        """How many sites."""
        return len(self.sites)

    def initial(self) -> Arrays:
        """The parameters of the model as it begins."""
        return {n: p.detach().numpy().copy() for n, p in self.module.named_parameters()}

    def fit(
        self,
        arrays: Sequence[Arrays],
        sites: Sequence[int],
        options: FitOptions,
        round_number: int,
        proximal_mu: float = 0.0,
    ) -> list[Fit]:
        """Train all as one batch."""
        data = [self.sites[site].train for site in sites]
        generators = [draw_torch(self.seed, Role.FIT, site, round_number) for site in sites]
        trained, losses = fit_together(
            self.module, self.loss, stack(arrays), data, options, generators, proximal_mu
        )
        seen = [options.local_epochs * len(one) for one in data]
        return [
            Fit(own, len(one), loss, self.executions * count)
            for own, one, loss, count in zip(
                unstack(trained), data, losses.tolist(), seen, strict=True
            )
        ]

    def evaluate(self, arrays: Sequence[Arrays], sites: Sequence[int]) -> list[Score]:
        """Judge all as one batch."""
        tests = [self.sites[site].test for site in sites]
        inputs = nn.utils.rnn.pad_sequence([test.inputs for test in tests], batch_first=True)
        if not inputs.shape[1]:
            return [Score(0, 0.0, None) for _ in sites]
        with torch.no_grad():
            outputs = outputs_together(self.module, stack(arrays), inputs)
        return [
            self._score(own[: len(test)], test) for own, test in zip(outputs, tests, strict=True)
        ]

    def trivial(self, sites: Sequence[int]) -> list[Score]:
        """The commonest class of the site, with the shares of all as probabilities; or the best
        forecast without training that the data know of, such as the same hour of last week.
        """
        return [self._trivial(self.sites[site]) for site in sites]

    def pooled(self) -> "SampleTask":
        """All samples at one site."""
        train, test = [site.train for site in self.sites], [site.test for site in self.sites]
        return replace(self, sites=(Site(_joined(train), _joined(test)),))

    def only(self, sites: Sequence[int]) -> "SampleTask":
        """With some of the sites, numbered anew."""
        return replace(self, sites=tuple(self.sites[site] for site in sites))

    def with_samples(self, train: Samples) -> "SampleTask":
        """With other samples to learn from at its only site."""
        (site,) = self.sites
        return replace(self, sites=(replace(site, train=train),))

    def makeup(self) -> list[dict[str, Any]]:
        """Sizes, and counts by class."""
        return [
            {
                "site": number,
                "train": len(site.train),
                "test": len(site.test),
                "classes": self._counts(torch.cat([site.train.targets, site.test.targets])),
            }
            for number, site in enumerate(self.sites)
        ]

    def _counts(self, targets: torch.Tensor) -> list[int]:
        size = len(self.classes)
        return torch.bincount(targets, minlength=size).tolist() if size else []

    def _score(self, outputs: torch.Tensor, test: Samples) -> Score:
        if not len(test):
            return Score(0, 0.0, None)
        loss = float(self.loss(outputs, test.targets).mean())
        if not self.classes:
            return Score(len(test), loss, None)
        right = (chosen(outputs) == test.targets).double().mean()
        return Score(len(test), loss, float(right))

    def _trivial(self, site: Site) -> Score:
        if site.known is not None:
            return self._score(site.known[:, None], site.test)
        if not self.classes:
            mean = site.train.targets.mean().expand(len(site.test), 1)
            return self._score(mean, site.test)
        counts = torch.bincount(site.train.targets, minlength=len(self.classes)).double()
        shares = (counts + 1) / (counts + 1).sum()
        constant = shares.log() if self.loss is cross_entropy else shares[1:] - shares[:1]
        return self._score(constant.expand(len(site.test), -1), site.test)


def make_sites(dataset: Dataset, partition: Partition, count: int, seed: int) -> tuple[Site, ...]:
    """Share the samples out, and set tests apart at every site: the last ones of a series.

    Raises:
        InputError: see :func:`federated.partition.share_out`; or a site has nothing to learn from.
    """
    rng = draw(seed, Role.PARTITION)
    parts = share_out(partition, dataset.label, count, rng, group=dataset.group)
    sites = tuple(
        _site(dataset, part, draw(seed, Role.SPLIT, number)) for number, part in enumerate(parts)
    )
    if idle := [number for number, site in enumerate(sites) if not len(site.train)]:
        raise InputError(
            f"partition {partition} leaves site {idle[0]} with tests alone; ask for fewer sites, "
            "or a milder partition"
        )
    return sites


def _site(dataset: Dataset, part: Ints, rng: np.random.Generator) -> Site:
    train, test = _split(dataset, part, rng)
    known = None if dataset.known is None else torch.from_numpy(dataset.known[test])
    return Site(_samples(dataset, train), _samples(dataset, test), known)


def _split(dataset: Dataset, part: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Samples to learn from, and for tests; both in their order."""
    if dataset.test is not None:
        return part[~dataset.test[part]], part[dataset.test[part]]
    order = part if dataset.in_time else rng.permutation(part)
    # A whole number whose mean is the share: so even of tiny sites some have tests.
    tests = min(int(TEST_SHARE * len(order) + rng.random()), len(order) - 1)
    border = len(order) - tests
    return np.sort(order[:border]), np.sort(order[border:])


def _samples(dataset: Dataset, numbers: Ints) -> Samples:
    inputs, targets = dataset.inputs[numbers], dataset.targets[numbers]
    return Samples(torch.from_numpy(inputs), torch.from_numpy(targets))


def _joined(parts: Sequence[Samples]) -> Samples:
    return Samples(
        torch.cat([part.inputs for part in parts]), torch.cat([part.targets for part in parts])
    )


def stack(arrays: Sequence[Arrays]) -> Parameters:
    """Parameters of several models with the models in front."""
    return {name: torch.from_numpy(np.stack([one[name] for one in arrays])) for name in arrays[0]}


def unstack(parameters: Parameters) -> list[Arrays]:
    """The inverse of :func:`stack`."""
    models = len(next(iter(parameters.values())))
    numbers = {name: value.numpy() for name, value in parameters.items()}
    return [{name: value[k] for name, value in numbers.items()} for k in range(models)]


def cross_entropy(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Of logits ``[..., K]``."""
    flat = functional.cross_entropy(outputs.flatten(0, -2), targets.flatten(), reduction="none")
    return flat.reshape(targets.shape)


def squared_sign(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Of an output ``[..., 1]`` from -1 for class 0 or 1 for class 1 (arXiv 2309.13002, eq. 21)."""
    return (outputs.squeeze(-1) - (2 * targets - 1).to(outputs)) ** 2


def squared(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Of forecasts ``[..., 1]``."""
    return (outputs.squeeze(-1) - targets) ** 2


def chosen(outputs: torch.Tensor) -> torch.Tensor:
    """The class of the largest logit, or of the sign of a single output."""
    return outputs.argmax(-1) if outputs.shape[-1] > 1 else (outputs.squeeze(-1) > 0).long()
