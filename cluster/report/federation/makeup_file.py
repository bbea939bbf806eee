# SPDX-License-Identifier: Apache-2.0
"""``partition.json``: who has how many samples, and of which classes."""

from dataclasses import dataclass

from cluster.report.fields import Fields
from sim.errors import InputError


@dataclass(frozen=True)
class SiteMakeup:
    """The samples of one site; ``classes`` counts both parts, and is empty for regression."""

    site: int
    train: int
    test: int
    classes: list[int]

    @property
    def samples(self) -> int:
        """Of both parts."""
        return self.train + self.test


@dataclass(frozen=True)
class Makeup:
    """The partition's name, the names of the classes, and the sites."""

    partition: str
    classes: list[str]
    sites: list[SiteMakeup]


def read_makeup(document: object, where: str) -> Makeup:
    """The partition.

    Raises:
        InputError: a field is missing or of the wrong kind, or counts do not fit the classes.
    """
    fields = Fields(document, where)
    classes = [str(name) for name in fields.items("classes")]
    inner = [Fields(one, f"{where}: site {i}") for i, one in enumerate(fields.items("sites"))]
    return Makeup(fields.text("partition"), classes, [_site(one, len(classes)) for one in inner])


def _site(fields: Fields, classes: int) -> SiteMakeup:
    counts = [_count(fields, value) for value in fields.items("classes")]
    if len(counts) != classes:
        raise InputError(f"{fields.where}: 'classes' must be as many as the classes, {classes}")
    site, train, test = (fields.whole(name) for name in ("site", "train", "test"))
    return SiteMakeup(site, _count(fields, train), _count(fields, test), counts)


def _count(fields: Fields, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"{fields.where}: samples must be counts, found {value!r:.40}")
    return value
