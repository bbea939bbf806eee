# SPDX-License-Identifier: Apache-2.0
"""Ratios: the best known cost of an instance, divided by what a method reached."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from benchmarks.coordination.cases import Case, SetName
from benchmarks.coordination.methods import MILP, Method
from benchmarks.coordination.records import Record, Records
from sim.errors import InputError

TOLERANCE_S = 1e-6


class ProofError(RuntimeError):
    """Something is cheaper than what was proven optimal: a bug of ours."""


@dataclass(frozen=True, eq=False)
class Results:
    """What the records say of some instances.

    Args:
        cases: all that were asked for, measured or not.
        best_s: the cheapest cost of each instance that anybody reached.
        proven: instances where some method proved it.
        of: what each method reached; of the learned ones, with one file of weights.
    """

    cases: tuple[Case, ...]
    best_s: dict[Case, float]
    proven: frozenset[Case]
    of: dict[tuple[Case, Method], Record]
    weights: str | None

    @classmethod
    def read(cls, records: Records, cases: Sequence[Case], weights: str | None) -> Self:
        """Raises:
        InputError: there are several weights and none is chosen, or the chosen are not there.
        ProofError: a cost is below one that was proven optimal.
        """
        weights = _one_digest(records, weights)
        kept = {case: records.of(case) for case in cases if records.of(case)}
        for case, found in kept.items():
            _require_proofs_hold(case, found)
        return cls(
            tuple(cases),
            {case: min(record.cost_s for record in found) for case, found in kept.items()},
            frozenset(case for case, found in kept.items() if any(r.optimal for r in found)),
            {
                (case, record.key[1]): record
                for case, found in kept.items()
                for record in found
                if record.weights in (None, weights)
            },
            weights,
        )

    def row(self, name: SetName, robots: int) -> list[Case]:
        """The measured instances of one set and size."""
        return [case for case in self.best_s if case.set is name and case.robots == robots]

    def sizes(self, name: SetName) -> list[int]:
        """Those of a set that were measured."""
        return sorted({case.robots for case in self.best_s if case.set is name})

    def ratios(self, name: SetName, robots: int, method: Method) -> list[float]:
        """Best known cost / cost, one for each instance that the method was measured on."""
        return [
            self.best_s[case] / self.of[case, method].cost_s
            for case in self.row(name, robots)
            if (case, method) in self.of
        ]

    def values(
        self, name: SetName, robots: int, method: Method, value: Callable[[Record], float]
    ) -> list[float]:
        """Anything else that the records of a method say."""
        row = self.row(name, robots)
        return [value(self.of[case, method]) for case in row if (case, method) in self.of]

    def without_milp(self) -> list[Case]:
        """Measured instances whose best known cost may still be beaten by MILP."""
        return [case for case in self.best_s if (case, MILP) not in self.of]


def _one_digest(records: Records, asked: str | None) -> str | None:
    there = sorted({weights for *_, weights in records.known if weights})
    if asked is None and len(there) > 1:
        names = ", ".join(digest[:8] for digest in there)
        raise InputError(f"weights is not set, and the records have several: {names}")
    if asked is not None and asked not in there:
        raise InputError(f"weights have digest {asked[:8]}, of which there are no records")
    return asked or (there[0] if there else None)


def _require_proofs_hold(case: Case, found: Sequence[Record]) -> None:
    best = min(found, key=lambda record: record.cost_s)
    for record in found:
        if record.optimal and best.cost_s < record.cost_s - TOLERANCE_S:
            raise ProofError(
                f"{case}: {best.method} reached {best.cost_s}, below the {record.cost_s} that "
                f"{record.method} proved optimal"
            )
