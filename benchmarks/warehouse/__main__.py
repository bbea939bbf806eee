# SPDX-License-Identifier: Apache-2.0
"""Measure the targets of the living warehouse, or ``--parts`` of them, and say which are met.

One core. ``rware`` and ``pibt`` are of process CPU time in this process; ``pogema`` starts its own
Python, see there; ``league`` and ``coordination`` let worlds live and go on where they were
stopped; ``workers`` is on the clock of the wall and wants two quiet cores.
"""

import argparse
import importlib
import warnings

PARTS = ("rware", "pogema", "pibt", "league", "coordination", "workers")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.warehouse", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    warnings.simplefilter("ignore")  # those of the peers
    for part in parser.parse_args().parts:
        print(f"\n== {part} ==", flush=True)
        module = importlib.import_module(f"benchmarks.warehouse.{part}")
        found = module.measure()
        for row in found:
            print(_line(row), flush=True)
        if hasattr(module, "targets"):
            for target, met in module.targets(found).items():
                print(f"{'pass' if met else 'MISS'}  {target}")


def _line(row: object) -> str:
    """A record in one line; a figure as it prints itself."""
    if not isinstance(row, dict):
        return str(row)
    return ", ".join(f"{k} {v:.6g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())


main()
