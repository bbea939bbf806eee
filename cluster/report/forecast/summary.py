# SPDX-License-Identifier: Apache-2.0
"""The models side by side: one summary per task and model, over its seeds."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cluster.report.forecast.results import Curve, ForecastRun, Training
from cluster.report.line_chart import Points
from cluster.report.means import Median, median_of

SNAPSHOTS = (1, 15, 30, 100)
"""The epochs at which the paper reports losses."""
FAILED = "failed"


@dataclass(frozen=True)
class Summary:
    """One model on one task.

    A training that diverged counts as infinitely bad, so that it cannot improve a median; one that
    failed, which is a bug and no result, does not count.

    Args:
        test: of the weights at the end.
        best_test: of the weights with the least training loss.
        curve: test losses by epoch.
        circuits: evaluated in one training.
    """

    task: str
    model: str
    is_trivial: bool
    parameters: int | None
    train: Median | None
    test: Median | None
    best_test: Median | None
    curve: Points
    circuits: int | None
    seconds: Median | None
    trainings: list[Training]

    @property
    def loss(self) -> float:
        """The median test loss at the end, for comparisons; infinite where there is none."""
        return self.test.value if self.test else math.inf

    @property
    def statuses(self) -> dict[str, int]:
        """How often each status occurred, in alphabetical order."""
        return dict(sorted(Counter(t.status for t in self.trainings).items()))


def summarise(run: ForecastRun) -> list[Summary]:
    """Summaries in the order of the run: tasks, and within each the models."""
    curves = run.curves if isinstance(run.curves, list) else []
    keys = dict.fromkeys((t.task, t.model) for t in run.trainings)
    return [_summary(*key, run.trainings, curves) for key in keys]


def snapshots(epochs: int) -> tuple[int, ...]:
    """The epochs to report, up to the last one, which is always among them."""
    return tuple(sorted({e for e in SNAPSHOTS if e < epochs} | {epochs}))


def _summary(
    task: str, model: str, trainings: Sequence[Training], curves: Sequence[Curve]
) -> Summary:
    own = [t for t in trainings if (t.task, t.model) == (task, model)]
    ended = [t for t in own if t.status != FAILED]
    return Summary(
        task=task,
        model=model,
        is_trivial=all(t.is_trivial for t in own),
        parameters=next((t.parameters for t in ended), None),
        train=median_of([_or_infinite(t.train_mse) for t in ended]),
        test=median_of([_or_infinite(t.test_mse) for t in ended]),
        best_test=median_of([_or_infinite(t.best_test_mse) for t in ended]),
        curve=_curve([c.test_mse for c in curves if (c.task, c.model) == (task, model)]),
        circuits=max((t.circuits for t in ended if t.circuits is not None), default=None),
        seconds=median_of([t.seconds for t in ended if t.seconds is not None]),
        trainings=own,
    )


def _curve(seeds: list[list[float]]) -> Points:
    """Median and range by epoch, as far as the median is finite."""
    longest = max((len(losses) for losses in seeds), default=0)
    points: Points = []
    for epoch in range(longest):
        here = median_of([losses[epoch] if epoch < len(losses) else math.inf for losses in seeds])
        if here is not None and math.isfinite(here.value):
            points.append((epoch + 1, here))
    return points


def _or_infinite(loss: float | None) -> float:
    return math.inf if loss is None else loss
