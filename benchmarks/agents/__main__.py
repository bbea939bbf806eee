# SPDX-License-Identifier: Apache-2.0
"""Measure the targets of agents, or ``--parts`` of them, and say which are met.

One thread. Ratios are of process CPU time, ours and theirs in turns in one process; only ``actors``
is on the clock of the wall. ``empty`` and ``memory`` train for a long time, and go on where they
were stopped.
"""

import argparse
import importlib
import logging
import warnings

import torch

PARTS = ("cpu", "qfwp", "actors", "empty", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agents", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    chosen = parser.parse_args().parts
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # those of the peers
    logging.disable(logging.WARNING)
    results = []
    for part in chosen:
        print(f"\n== {part} ==", flush=True)
        results += importlib.import_module(f"benchmarks.agents.{part}").measure()
    print("\nmedians of ratios, and their range over the rounds")
    print("\n".join(map(str, results)))


main()
