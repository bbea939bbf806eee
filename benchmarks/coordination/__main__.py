# SPDX-License-Identifier: Apache-2.0
"""The learned coordinator against the others, in three parts.

``best_known`` takes hours: MILP and local search with 60 s each on every instance. ``methods``
takes the timed ones, on one thread. ``report`` prints tables and targets as markdown. What the
records already have is not measured again, so every part can be stopped and resumed. Several
processes can share the work, each with its own ``--seeds`` and its own first ``--records``.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.coordination.cases import SEEDS, SIZES, Case, SetName, cases
from benchmarks.coordination.measure import Bench, Weights
from benchmarks.coordination.methods import LONG, MILP, TIMED
from benchmarks.coordination.records import Records, paths_of
from sim.errors import InputError

RECORDS = "runs/coordination.jsonl"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        records = Records(paths_of(chosen.records))
        wanted = cases(chosen.sets, chosen.robots, chosen.seeds)
        match chosen.part:
            case "best_known":
                _best_known(records, wanted)
            case "methods":
                _methods(records, wanted, chosen.methods, chosen.weights)
            case "report":
                _report(records, wanted, chosen.weights, chosen.picture)
    except InputError as error:
        parser.exit(2, f"{error}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.coordination",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--part", required=True, choices=("best_known", "methods", "report"))
    add("--sets", nargs="+", type=SetName, choices=list(SetName), default=list(SetName))
    add("--robots", nargs="+", type=int, choices=SIZES, default=list(SIZES))
    add("--seeds", nargs="+", type=int, choices=SEEDS, default=list(SEEDS))
    names = [str(method) for method in TIMED]
    add("--methods", nargs="+", choices=names, default=names, help="such as 'gnn_vae 1 s'")
    add("--records", nargs="+", default=[RECORDS], help="files or patterns; written: the first")
    add("--weights", help="of the learned methods; otherwise those that are shipped")
    add("--picture", type=Path, help="report: where to draw, such as docs/coordination.png")
    return parser


def _best_known(records: Records, wanted: list[Case]) -> None:
    bench = Bench(records)
    bench.warm_up((MILP, *LONG))
    bench.best_known(wanted)


def _methods(records: Records, wanted: list[Case], names: list[str], path: str | None) -> None:
    import torch

    from agents.coordination.weights import notes
    from cluster.coordinators import load_weights, weights_path

    torch.set_num_threads(1)
    methods = [method for method in TIMED if str(method) in names]
    weights = None
    if any(method.learned for method in methods):
        weights = Weights(load_weights(path), notes(weights_path(path))["digest"])
    bench = Bench(records, weights)
    bench.warm_up(methods)
    bench.methods(wanted, methods)


def _report(records: Records, wanted: list[Case], path: str | None, picture: Path | None) -> None:
    from benchmarks.coordination.picture import draw_picture
    from benchmarks.coordination.results import Results
    from benchmarks.coordination.tables import report

    results = Results.read(records, wanted, _digest(path))
    sys.stdout.write(report(results))
    if picture is not None:
        draw_picture(results, picture)


def _digest(path: str | None) -> str | None:
    if path is None:
        return None
    from agents.coordination.weights import notes

    return notes(Path(path))["digest"]


main()
