# SPDX-License-Identifier: Apache-2.0
"""What was measured: one JSON line for each method on each instance, so that runs can resume."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from glob import glob, has_magic
from pathlib import Path
from typing import Any, Self

from benchmarks.coordination.cases import Case, SetName
from benchmarks.coordination.methods import Method
from cluster.journal import Journal, read_journal
from sim.errors import InputError

Key = tuple[Case, Method, str | None]


@dataclass(frozen=True)
class Record:
    """What one method did on one instance.

    Args:
        weights: digest of the weights of a learned method, None for the others.
        graph: digest of the coordination graph.
        cost_s: of the certified assignment, before any floor.
        optimal: whether the method proved that nothing is cheaper.
        wall_s, cpu_s: of the whole call, features and sampling included.
    """

    set: SetName
    robots: int
    seed: int
    method: str
    deadline_s: float
    weights: str | None
    graph: str
    conflicts: int
    cost_s: float
    optimal: bool
    steps: int
    wall_s: float
    cpu_s: float

    @property
    def case(self) -> Case:
        return Case(self.set, self.robots, self.seed)

    @property
    def key(self) -> Key:
        return self.case, Method(self.method, self.deadline_s), self.weights

    @classmethod
    def read(cls, line: dict[str, Any], where: str) -> Self:
        """Of a line of JSON.

        Raises:
            InputError: a field is missing, unknown or of another kind.
        """
        names = [field.name for field in fields(cls)]
        if sorted(line) != sorted(names):
            odd = ", ".join(sorted(set(line) ^ set(names)))
            raise InputError(f"{where}: missing or unknown: {odd}; repair or delete that line")
        for field in fields(cls):
            if not isinstance(line[field.name], _KINDS[field.name]):
                raise InputError(
                    f"{where}: {field.name} is {line[field.name]!r}; repair or delete that line"
                )
        if line["set"] not in list(SetName) or not line["cost_s"] > 0:
            raise InputError(
                f"{where}: set {line['set']!r}, cost_s {line['cost_s']}; allowed: "
                f"{', '.join(SetName)}, and a cost above 0; repair or delete that line"
            )
        return cls(**{**line, "set": SetName(line["set"])})


_KINDS: dict[str, type | tuple[type, ...]] = {
    "set": str, "robots": int, "seed": int, "method": str, "deadline_s": (int, float),
    "weights": (str, type(None)), "graph": str, "conflicts": int, "cost_s": (int, float),
    "optimal": bool, "steps": int, "wall_s": (int, float), "cpu_s": (int, float),
}  # fmt: skip


class Records:
    """All records of some files; new ones go to the first of them.

    Raises:
        InputError: a complete line is damaged; one that a crash cut short is dropped.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = list(paths)
        self.known: dict[Key, Record] = {}
        self._of_case: dict[Case, list[Record]] = {}
        for path in self.paths:
            for number, line in enumerate(read_journal(path)[0], 1):
                self._keep(Record.read(line, f"{path}, line {number}"))

    def _keep(self, record: Record) -> None:
        """The first of a kind counts; all of an instance must be about the same graph."""
        for known in self.of(record.case)[:1]:
            if known.graph != record.graph:
                raise InputError(
                    f"{record.case}: {record.method} and {known.method} were measured on "
                    "different graphs; the generators changed in between, so start new records"
                )
        if record.key not in self.known:
            self.known[record.key] = record
            self._of_case.setdefault(record.case, []).append(record)

    def of(self, case: Case) -> list[Record]:
        """All of an instance."""
        return self._of_case.get(case, [])

    def append(self, record: Record) -> None:
        self._keep(record)
        self.paths[0].parent.mkdir(parents=True, exist_ok=True)
        with Journal(self.paths[0]) as journal:
            journal.append(asdict(record))


def paths_of(names: Iterable[str]) -> list[Path]:
    """The files that are named, patterns with ``*`` expanded.

    Raises:
        InputError: no file fits a pattern.
    """
    paths: list[Path] = []
    for name in names:
        found = sorted(glob(name)) if has_magic(name) else [name]
        if not found:
            raise InputError(f"records is {name}, which fits no file")
        paths += map(Path, found)
    return paths
