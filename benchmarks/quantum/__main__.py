# SPDX-License-Identifier: Apache-2.0
"""Measure the targets of the quantum engine, or ``--parts`` of them, and say which are met.

CPU time of one thread, routes interleaved in one process: see :mod:`benchmarks.quantum.timing`.
"""

import argparse
import logging
import warnings

import torch

from benchmarks.quantum import (
    forward_backward,
    gpu,
    memory,
    peers,
    pennylane_device,
    privacy,
    roofline,
    second_derivatives,
    training_step,
)

PARTS = {
    "forward_backward": forward_backward.measure,
    "pennylane_device": pennylane_device.measure,
    "training_step": training_step.measure,
    "privacy": privacy.measure,
    "memory": memory.measure,
    "second_derivatives": second_derivatives.measure,
    "roofline": roofline.measure,
    "gpu": gpu.measure,
    "peers": peers.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quantum", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    chosen = parser.parse_args().parts
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # those of the peers
    logging.disable(logging.WARNING)
    results = [result for part in chosen for result in PARTS[part]()]
    print("\nmedians of ratios of CPU time, and their range over the rounds")
    print("\n".join(map(str, results)))


main()
