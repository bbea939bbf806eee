# SPDX-License-Identifier: Apache-2.0
"""Check an output file of the League of Robot Runners: ``python -m sim.warehouse.league``.

Prints the number of tasks finished and the first faults. Exit codes: 0 no fault, 1 faults, 2 a file
that cannot be read.
"""

import argparse
import sys
from pathlib import Path

from sim.errors import InputError
from sim.lorr import read_problem
from sim.warehouse.league.checker import check_output
from sim.warehouse.league.claims import read_output

SHOWN = 10


def main(arguments: list[str] | None = None) -> int:
    """Check one file; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sim.warehouse.league", description=__doc__)
    parser.add_argument("output", type=Path, help="JSON file of output level 1")
    parser.add_argument("problem", type=Path, help="folder of the problem, or its JSON file")
    chosen = parser.parse_args(arguments)
    try:
        output = read_output(chosen.output)
        faults = check_output(output, read_problem(chosen.problem))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{output['numTaskFinished']} tasks finished, {len(faults)} faults")
    print(*faults[:SHOWN], sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
