# SPDX-License-Identifier: Apache-2.0
"""The coordinators side by side: one summary per robot count and coordinator."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cluster.report.folder import Record
from cluster.report.means import Mean, geometric_mean_of, mean_of
from cluster.report.wording import BASELINE


@dataclass(frozen=True)
class Summary:
    """One coordinator at one robot count, over the instances that it solved.

    ``saving`` is one minus cost over the cost of first come first served, instance by
    instance, so that the difficulty of the instances cancels.
    """

    coordinator: str
    robots: int
    cost: Mean | None
    ratio: Mean | None
    seconds: Mean | None
    gap: Mean | None
    saving: Mean | None
    certified: int
    records: list[Record]

    @property
    def solved(self) -> int:
        """Instances with a cost."""
        return self.cost.n if self.cost else 0

    @property
    def statuses(self) -> dict[str, int]:
        """How often each status occurred, in alphabetical order."""
        return dict(sorted(Counter(record.status for record in self.records).items()))


def coordinators(records: Sequence[Record]) -> list[str]:
    """Names in the order of the run, the baseline first."""
    names = list(dict.fromkeys(record.coordinator for record in records))
    return sorted(names, key=lambda name: name != BASELINE)


def summarise(records: Sequence[Record]) -> list[Summary]:
    """Summaries by robot count, then coordinator."""
    counts = sorted({record.robots for record in records})
    return [
        _summary(name, robots, records)
        for robots in counts
        for name in coordinators(records)
        if any(r.robots == robots and r.coordinator == name for r in records)
    ]


def _summary(name: str, robots: int, records: Sequence[Record]) -> Summary:
    here = [r for r in records if r.robots == robots]
    own = [r for r in here if r.coordinator == name]
    baseline = {r.instance: r.cost for r in here if r.coordinator == BASELINE}
    return Summary(
        coordinator=name,
        robots=robots,
        cost=mean_of([r.cost for r in own]),
        ratio=mean_of([r.ratio for r in own]),
        seconds=geometric_mean_of([r.seconds for r in own]),
        gap=mean_of([r.gap for r in own]),
        saving=mean_of([_saving(r.cost, baseline.get(r.instance)) for r in own]),
        certified=sum(r.certified for r in own),
        records=own,
    )


def _saving(cost: float | None, baseline: float | None) -> float | None:
    return None if cost is None or not baseline else 1 - cost / baseline


def best_at(summaries: Sequence[Summary], robots: int) -> Summary | None:
    """The lowest mean cost among the coordinators that solved the most instances."""
    here = [s for s in summaries if s.robots == robots and s.cost is not None]
    most = max((s.solved for s in here), default=0)
    full = [s for s in here if s.solved == most]
    return min(full, key=lambda s: s.cost.value if s.cost else 0.0, default=None)


def largest_count(summaries: Sequence[Summary]) -> int | None:
    """The largest fleet that any coordinator solved."""
    return max((s.robots for s in summaries if s.cost is not None), default=None)
