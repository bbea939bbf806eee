# SPDX-License-Identifier: Apache-2.0
"""Measure the targets of federations, or ``--parts`` of them, and say which are met.

Two workers of one core. Ratios are of wall-clock seconds, ours and theirs in turns: processes of
their own do the work on both sides. All parts take three quarters of an hour.
"""

import argparse
import importlib
import logging

PARTS = ("empty", "vqc", "memory", "faults", "byzantine", "learning", "pedestrians")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.federated", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    chosen = parser.parse_args().parts
    logging.disable(logging.WARNING)
    results = []
    for part in chosen:
        print(f"\n== {part} ==", flush=True)
        results += importlib.import_module(f"benchmarks.federated.{part}").measure()
    print("\nmedians, and their range over the repeats")
    print("\n".join(map(str, results)))


main()
