# SPDX-License-Identifier: Apache-2.0
"""How the samples of a task are shared out among sites; seeded, disjoint, nobody without any.

The kinds are those of the comparisons of the field (Li, Diao, Chen and He, "Federated Learning on
Non-IID Data Silos", ICDE 2022): alike everywhere, labels skewed by Dirichlet shares or by a fixed
number of classes, sizes skewed alone, and the sites that the data came from.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self, assert_never

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError

Ints = NDArray[np.int64]

MOST_DRAWS = 1000
"""Times that shares are drawn until no site has fewer than the least."""


class Kind(StrEnum):
    """In what respect sites differ."""

    IID = "iid"
    """In nothing: samples are dealt out at random, as many to each."""
    DIRICHLET = "dirichlet"
    """In labels and sizes: the share of each class that a site gets is Dirichlet, here of 0.3."""
    CLASSES = "classes"
    """In labels: every site has so many classes, and shares each with the others that have it."""
    QUANTITY = "quantity"
    """In sizes alone, whose shares are Dirichlet."""
    NATURAL = "natural"
    """As they are: a site for each group that the data name."""


NEEDS = {
    Kind.DIRICHLET: "a concentration above 0, such as dirichlet:0.3",
    Kind.CLASSES: "a whole number of 1 or more, such as classes:2",
    Kind.QUANTITY: "a concentration above 0, such as quantity:0.5",
}
"""What stands behind the colon; the others have nothing there."""


@dataclass(frozen=True)
class Partition:
    """A kind, with its number where it has one.

    Args:
        amount: concentration of the Dirichlet distribution (small is uneven), or classes per site.

    Raises:
        InputError: the number is missing, not allowed, or there for nothing.
    """

    kind: Kind
    amount: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in NEEDS:
            if self.amount is not None:
                raise InputError(f"partition is {self}; allowed: {self.kind} without a number")
            return
        allowed = self.amount is not None and 0 < self.amount < float("inf")
        whole = self.amount is not None and float(self.amount).is_integer()
        if not allowed or (self.kind is Kind.CLASSES and not whole):
            raise InputError(f"partition is {self}; needed: {NEEDS[self.kind]}")

    def __str__(self) -> str:
        return str(self.kind) if self.amount is None else f"{self.kind}:{self.amount:g}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """``iid``, ``dirichlet:0.3``, ``classes:2``, ``quantity:0.5``, ``natural``.

        Raises:
            InputError: it is none of these.
        """
        name, colon, amount = text.partition(":")
        if name not in list(Kind):
            raise InputError(f"partition is {text!r}; allowed: {', '.join(Kind)}")
        try:
            number = float(amount) if colon else None
        except ValueError as error:
            raise InputError(f"partition is {text!r}; {amount!r} is no number") from error
        return cls(Kind(name), number)


def share_out(
    partition: Partition,
    label: Ints,
    sites: int,
    rng: np.random.Generator,
    *,
    group: Ints | None = None,
    least: int = 1,
) -> tuple[Ints, ...]:
    """The samples of every site, as ascending indices; no sample is at two sites.

    Args:
        label: ``[S]`` class of every sample, from 0.
        group: ``[S]`` where a sample came from, from 0; only for ``natural``, which leaves out the
            groups beyond the number of sites.
        least: samples that each site has to have.

    Raises:
        InputError: there are too few samples, classes or groups, or a site stays too small.
    """
    if sites < 1 or least < 1:
        raise InputError(f"sites is {sites} and least is {least}; allowed: 1 or more")
    if sites * least > len(label):
        raise InputError(
            f"sites is {sites}; allowed: at most {len(label) // least}, as there are {len(label)} "
            f"samples and each site needs {least}"
        )
    match partition.kind:
        case Kind.IID:
            parts = np.array_split(rng.permutation(len(label)), sites)
        case Kind.NATURAL:
            parts = _by_group(group, sites)
        case Kind.CLASSES:
            parts = _by_classes(label, sites, int(partition.amount or 0), rng)
        case Kind.DIRICHLET | Kind.QUANTITY:
            by_class = partition.kind is Kind.DIRICHLET
            parts = _by_dirichlet(
                label if by_class else np.zeros_like(label), sites, partition, rng, least
            )
        case _:
            assert_never(partition.kind)
    smallest = min(map(len, parts))
    if smallest < least:
        raise InputError(
            f"partition {partition} leaves a site with {smallest} samples; needed: {least}. "
            "Ask for fewer sites, or a milder partition"
        )
    return tuple(np.sort(part).astype(np.int64) for part in parts)


def _by_group(group: Ints | None, sites: int) -> list[Ints]:
    if group is None:
        raise InputError("partition is natural, and this task's data name no sites")
    if sites > (count := int(group.max()) + 1):
        raise InputError(f"sites is {sites}; allowed: at most {count}, which the data come from")
    return [np.flatnonzero(group == site) for site in range(sites)]


def _by_classes(label: Ints, sites: int, each: int, rng: np.random.Generator) -> list[Ints]:
    """Classes are dealt in turn from a shuffled pack, so that all have nearly as many sites."""
    classes = int(label.max()) + 1
    if each > classes:
        raise InputError(f"partition is classes:{each}; allowed: at most {classes}")
    if sites * each < classes:
        raise InputError(
            f"sites is {sites}; with classes:{each} at least {-(-classes // each)} are needed for "
            f"the {classes} classes"
        )
    pack = rng.permutation(classes)
    held = [pack[(site * each + np.arange(each)) % classes] for site in range(sites)]
    parts: list[list[Ints]] = [[] for _ in range(sites)]
    for one in range(classes):
        holders = [site for site in range(sites) if one in held[site]]
        dealt = np.array_split(rng.permutation(np.flatnonzero(label == one)), len(holders))
        for site, samples in zip(holders, dealt, strict=True):
            parts[site].append(samples)
    return [np.concatenate(part) for part in parts]


def _by_dirichlet(
    label: Ints, sites: int, partition: Partition, rng: np.random.Generator, least: int
) -> list[Ints]:
    """Every class is cut at Dirichlet shares; drawn again while some site is too small."""
    alpha = np.full(sites, partition.amount)
    for _ in range(MOST_DRAWS):
        parts: list[list[Ints]] = [[] for _ in range(sites)]
        for one in np.unique(label):
            samples = rng.permutation(np.flatnonzero(label == one))
            cuts = np.round(np.cumsum(rng.dirichlet(alpha))[:-1] * len(samples)).astype(np.int64)
            for part, dealt in zip(parts, np.split(samples, cuts), strict=True):
                part.append(dealt)
        joined = [np.concatenate(part) for part in parts]
        if min(map(len, joined)) >= least:
            break
    return joined


def unevenness(label: Ints, parts: tuple[Ints, ...]) -> float:
    """Mean total variation distance of the sites' label shares from those of all: 0 if alike."""
    classes = int(label.max()) + 1
    used = np.concatenate(parts)
    overall = np.bincount(label[used], minlength=classes) / len(used)
    shares = [np.bincount(label[part], minlength=classes) / len(part) for part in parts]
    return float(np.mean([0.5 * np.abs(share - overall).sum() for share in shares]))
