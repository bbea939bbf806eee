# SPDX-License-Identifier: Apache-2.0
"""Running methods on the held-out instances: certified, timed, recorded, resumable."""

import gc
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.coordination.cases import Case, SetName, draw
from benchmarks.coordination.methods import LONG, MILP, Method, coordinator_by
from benchmarks.coordination.records import Record, Records
from sim.certificate import certify
from sim.coordinators.interface import Budget, Status
from sim.coordinators.portfolio import CertificateError
from sim.graph import CoordinationGraph
from sim.schedule import Objective, evaluate

if TYPE_CHECKING:
    from agents.coordination.model import CoordinationVAE

OBJECTIVE = Objective.MEAN_TRAVEL


@dataclass(frozen=True, eq=False)
class Weights:
    """A model and the digest of its weights."""

    model: "CoordinationVAE"
    digest: str


@dataclass(frozen=True, eq=False)
class Bench:
    """Measures what the records lack.

    Args:
        weights: of the learned methods; None if there are none of these.
    """

    records: Records
    weights: Weights | None = None

    def methods(self, cases: Iterable[Case], methods: Iterable[Method]) -> None:
        """All methods on one instance, then the next, so that a busy hour hurts all alike."""
        methods = tuple(methods)
        for case in cases:
            self._run(case, methods)

    def best_known(self, cases: Iterable[Case]) -> None:
        """MILP, and long searches where nobody has proved a cost to be the best there is.

        Where MILP proves its own, they could only find the same, so their time is saved.
        """
        for case in cases:
            self._run(case, (MILP,))
            if not any(record.optimal for record in self.records.of(case)):
                self._run(case, LONG)

    def warm_up(self, methods: Iterable[Method]) -> None:
        """Compile the kernels and load the libraries: by steps, then by the clock."""
        graph = draw(Case(SetName.DENSE, 10, 0))
        for method in methods:
            coordinator = coordinator_by(method, self.weights.model if self.weights else None)
            for budget in (Budget(steps=20), Budget(deadline_s=0.1)):
                coordinator(graph, budget, OBJECTIVE, np.random.default_rng(0))

    def _run(self, case: Case, methods: tuple[Method, ...]) -> None:
        missing = [m for m in methods if (case, m, self._digest(m)) not in self.records.known]
        if case.absent:
            print(f"{case}: LEFT OUT, no file {case.floor}", flush=True)
        elif missing:
            graph = draw(case)
            for method in missing:
                self.records.append(record := self._measure(case, graph, method))
                print(_line(record), flush=True)

    def _digest(self, method: Method) -> str | None:
        return self.weights.digest if method.learned and self.weights else None

    def _measure(self, case: Case, graph: CoordinationGraph, method: Method) -> Record:
        """
        Raises:
            CertificateError: the assignment could deadlock or crowd.
        """
        coordinator = coordinator_by(method, self.weights.model if self.weights else None)
        fresh = replace(graph)  # without the derived indices: every method pays for its own
        gc.collect()
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        found = coordinator(
            fresh, Budget(method.deadline_s), OBJECTIVE, np.random.default_rng(case.seed)
        )
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
        certificate = certify(graph, found.assignment)
        if not certificate.valid:
            raise CertificateError(f"{case}: {method} is not certified: {certificate.violation}")
        return Record(
            set=case.set,
            robots=case.robots,
            seed=case.seed,
            method=method.name,
            deadline_s=method.deadline_s,
            weights=self._digest(method),
            graph=graph_digest(graph),
            conflicts=graph.num_conflicts,
            cost_s=evaluate(graph, found.assignment).cost_s(OBJECTIVE),
            optimal=found.status is Status.OPTIMAL,
            steps=found.steps,
            wall_s=wall_s,
            cpu_s=cpu_s,
        )


def graph_digest(graph: CoordinationGraph) -> str:
    """Tells whether two records are about the same instance."""
    state = hashlib.sha256()
    for field in fields(graph):
        state.update(np.asarray(getattr(graph, field.name)).tobytes())
    return state.hexdigest()[:16]


def _line(record: Record) -> str:
    _, method, _ = record.key
    proven = ", optimal" if record.optimal else ""
    return (
        f"{record.case}, {record.conflicts} conflicts: {method} {record.cost_s:.3f} s{proven} "
        f"({record.wall_s:.2f} s wall, {record.cpu_s:.2f} s CPU, {record.steps} steps)"
    )
