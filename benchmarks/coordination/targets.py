# SPDX-License-Identifier: Apache-2.0
"""What was asked of the learned coordinator, and whether it is so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.coordination import paper
from benchmarks.coordination.cases import SEEDS, UNSEEN_SIZES, SetName
from benchmarks.coordination.methods import GNN_VAE, GNN_VAE_LS, LOCAL_SEARCH_5, Method
from benchmarks.coordination.results import Results
from benchmarks.setting import interval

LARGEST = 250
LARGEST_RATIO = 0.97
"""Of ``gnn_vae+ls`` at 250 robots with 1 s in all."""
UNSEEN_LOSS = 0.02
"""What unseen floors may cost, in the ratio."""
KNOWN = (SetName.SPARSE, SetName.DENSE)


@dataclass(frozen=True)
class Target:
    """``met`` is None where nothing was measured."""

    asked: str
    measured: str
    met: bool | None


def targets(results: Results) -> Iterator[Target]:
    """In the order in which they were asked."""
    for name in KNOWN:
        for robots, ratio in paper.OURS.items():
            yield _at_least(results, name, robots, GNN_VAE, ratio)
    for name in KNOWN:
        yield _in_time(results, name)
    for name in KNOWN:
        yield _at_least(results, name, LARGEST, GNN_VAE_LS, LARGEST_RATIO)
        yield _no_worse_than_search(results, name)
    for robots in UNSEEN_SIZES:
        least = paper.OURS[robots] - UNSEEN_LOSS
        yield _at_least(results, SetName.UNSEEN, robots, GNN_VAE, least)
    least = LARGEST_RATIO - UNSEEN_LOSS
    yield _at_least(results, SetName.UNSEEN, LARGEST, GNN_VAE_LS, least)


def _at_least(results: Results, name: SetName, robots: int, method: Method, least: float) -> Target:
    ratios = results.ratios(name, robots, method)
    asked = f"{name}, {robots} robots: {method} at least {least:.3f}"
    if not ratios:
        return Target(asked, "", None)
    measured = interval(ratios) + _seeds(ratios)
    return Target(asked, measured, float(np.mean(ratios)) >= least)


def _in_time(results: Results, name: SetName) -> Target:
    """The slowest instance counts, to a hundredth of a second."""
    wall_s = results.values(name, LARGEST, GNN_VAE, lambda record: record.wall_s)
    asked = f"{name}, {LARGEST} robots: {GNN_VAE.name} takes 1.00 s or less on one core"
    if not wall_s:
        return Target(asked, "", None)
    measured = f"mean {np.mean(wall_s):.2f} s, slowest {max(wall_s):.2f} s{_seeds(wall_s)}"
    return Target(asked, measured, round(max(wall_s), 2) <= 1.0)


def _no_worse_than_search(results: Results, name: SetName) -> Target:
    """Paired: both on the same instances."""
    asked = f"{name}, {LARGEST} robots: {GNN_VAE_LS} no worse than {LOCAL_SEARCH_5}"
    pairs = [
        (results.of[case, GNN_VAE_LS], results.of[case, LOCAL_SEARCH_5])
        for case in results.row(name, LARGEST)
        if (case, GNN_VAE_LS) in results.of and (case, LOCAL_SEARCH_5) in results.of
    ]
    if not pairs:
        return Target(asked, "", None)
    more = [100 * (learned.cost_s / search.cost_s - 1) for learned, search in pairs]
    measured = f"costs {interval(more, 2)} % more{_seeds(more)}"
    return Target(asked, measured, float(np.mean(more)) <= 0)


def _seeds(values: Sequence[float]) -> str:
    """Of how many instances this speaks, where these are not all."""
    return "" if len(values) == len(SEEDS) else f", {len(values)} of {len(SEEDS)} seeds"
