# SPDX-License-Identifier: Apache-2.0
"""The report as markdown: ratios, proofs and seconds for each set, then the targets."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import fmean

from benchmarks.coordination import paper
from benchmarks.coordination.cases import SetName
from benchmarks.coordination.methods import GNN_VAE, MILP, TIMED
from benchmarks.coordination.results import Results
from benchmarks.coordination.targets import targets
from benchmarks.setting import interval

COLUMNS = (*TIMED, MILP)
NOTHING = "–"


def report(results: Results) -> str:
    """Everything that was measured."""
    parts = [_heading(results)]
    for name in SetName:
        if results.sizes(name):
            parts += [f"### {name}", _ratios(results, name), _seconds(results, name)]
    parts += ["### asked, measured, met?", _table(TARGET_HEAD, _targets(results))]
    return "\n\n".join(parts) + "\n"


TARGET_HEAD = ("asked", "measured", "met?")
MET = {True: "yes", False: "**no**", None: "not measured"}


def _heading(results: Results) -> str:
    weights = results.weights[:8] if results.weights else "none"
    lines = [
        "Optimality ratio: best known cost / cost, mean travel time, 95 % t-intervals over "
        "instances; costs before the floor of first come first served. All deadlines are "
        "wall-clock seconds on one thread, everything included. "
        f"{len(results.of)} assignments, all certified; weights {weights}."
    ]
    if absent := [case for case in results.cases if case.absent]:
        lines.append(f"LEFT OUT, {len(absent)} instances whose maps are not here, as {absent[0]}.")
    if unmeasured := [c for c in results.cases if c not in results.best_s and not c.absent]:
        lines.append(f"NOT MEASURED: {len(unmeasured)} instances, as {unmeasured[0]}.")
    if unsure := results.without_milp():
        lines.append(f"NO MILP YET on {len(unsure)} instances, as {unsure[0]}; ratios may fall.")
    return "\n\n".join(lines)


def _ratios(results: Results, name: SetName) -> str:
    paper_columns = (paper.OURS, paper.CMA_ES) if name is SetName.SPARSE else ()
    head = ["robots", "seeds", *map(str, COLUMNS)]
    head += ["paper: Ours", "paper: CMA-ES"] if paper_columns else []
    rows = []
    for robots in results.sizes(name):
        seeds = len(results.row(name, robots))
        cells = [_cell(results.ratios(name, robots, method), seeds) for method in COLUMNS]
        cells += [f"{column[robots]:.3f}" for column in paper_columns]
        rows.append([str(robots), str(seeds), *cells])
    return _table(head, rows)


def _cell(ratios: Sequence[float], seeds: int) -> str:
    """Says of how many instances it speaks where these are not all."""
    if not ratios:
        return NOTHING
    return interval(ratios) + (f" (of {len(ratios)})" if len(ratios) != seeds else "")


def _seconds(results: Results, name: SetName) -> str:
    head = (
        "robots", "conflicts", "proven optimal", "best known is that of MILP",
        "gnn_vae wall [s]", "gnn_vae slowest [s]", "gnn_vae CPU [s]", "MILP wall [s]",
    )  # fmt: skip
    return _table(head, (_seconds_row(results, name, robots) for robots in results.sizes(name)))


def _seconds_row(results: Results, name: SetName, robots: int) -> list[str]:
    row = results.row(name, robots)
    conflicts = [one.conflicts for (case, _), one in results.of.items() if case in row]
    by_milp = sum(ratio == 1.0 for ratio in results.ratios(name, robots, MILP))
    wall_s = results.values(name, robots, GNN_VAE, lambda record: record.wall_s)
    cpu_s = results.values(name, robots, GNN_VAE, lambda record: record.cpu_s)
    milp_s = results.values(name, robots, MILP, lambda record: record.wall_s)
    return [
        str(robots),
        f"{fmean(conflicts):,.0f}",
        f"{sum(case in results.proven for case in row)}/{len(row)}",
        f"{by_milp}/{len(row)}",
        _two_digits(wall_s),
        _two_digits(wall_s, max),
        _two_digits(cpu_s),
        _two_digits(milp_s),
    ]


def _two_digits(seconds: Sequence[float], what: Callable[[Sequence[float]], float] = fmean) -> str:
    return f"{what(seconds):.2f}" if seconds else NOTHING


def _targets(results: Results) -> Iterator[list[str]]:
    for target in targets(results):
        yield [target.asked, target.measured, MET[target.met]]


def _table(head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(head), *rows]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
