# SPDX-License-Identifier: Apache-2.0
"""The controllers side by side: one summary each, over its worlds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cluster.report.means import Mean, mean_of
from cluster.report.simulation.results import Record

BASELINE = "pibt"
"""The controller that every other has to beat: it looks one cell ahead."""

Of = Callable[[Record], float | None]


@dataclass(frozen=True)
class Summary:
    """One controller.

    Args:
        records: of all its worlds, in their order.
        gain: by how much more orders it did than the baseline, as a share, world by world; None
            for the baseline itself and where there is none.
    """

    controller: str
    records: list[Record]
    gain: Mean | None

    @property
    def ended(self) -> list[Record]:
        """Worlds with a result."""
        return [record for record in self.records if not record.failed]

    @property
    def throughput(self) -> Mean | None:
        """Orders per tick."""
        return self.mean(lambda r: r.orders_per_tick)

    @property
    def deadlocks(self) -> int:
        """Worlds that ended in a deadlock."""
        return sum(record.deadlocked or False for record in self.records)

    def mean(self, of: Of) -> Mean | None:
        """The mean over worlds with its 95 % t-interval, or None where nothing is known."""
        return mean_of([of(record) for record in self.records])

    def most(self, of: Of) -> float | None:
        """The greatest value of any world."""
        return max((v for v in map(of, self.records) if v is not None), default=None)

    def total(self, of: Of) -> float | None:
        """The sum over worlds, or None where nothing is known."""
        known = [value for value in map(of, self.records) if value is not None]
        return sum(known) if known else None


def summarise(records: Sequence[Record]) -> list[Summary]:
    """One summary per controller, in the order of the run."""
    by_name = {r.controller: [o for o in records if o.controller == r.controller] for r in records}
    base = by_name.get(BASELINE, [])
    return [
        Summary(name, own, None if name == BASELINE else paired_gain(own, base))
        for name, own in by_name.items()
    ]


def paired_gain(own: Sequence[Record], other: Sequence[Record]) -> Mean | None:
    """By how much more orders per tick one controller did than another, as a share of the other's.

    The mean over the worlds that both finished; None where there are none, or where the other did
    nothing in one of them, so that there is no share.
    """
    known = {record.world: record.orders_per_tick for record in other if not record.failed}
    pairs = [
        (record.orders_per_tick, known[record.world])
        for record in own
        if not record.failed and record.world in known
    ]
    if not all(b for _, b in pairs):
        return None
    return mean_of([a / b - 1 for a, b in pairs if a is not None and b])


def ranked(summaries: Sequence[Summary]) -> list[Summary]:
    """Those with a result, most orders per tick first."""
    known = [(s.throughput.value, s) for s in summaries if s.throughput]
    return [s for _, s in sorted(known, key=lambda pair: -pair[0])]
