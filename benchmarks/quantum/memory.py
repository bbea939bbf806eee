# SPDX-License-Identifier: Apache-2.0
"""Memory of training at depth 100 against depth 10: peak resident set above that of the imports.

Every figure comes from a fresh process, which has trained a tiny circuit before Linux's counter of
the peak (VmHWM) is set back. Circuit, engine and two training steps are all in it. The engines that
keep every state are measured with smaller batches, or they would need gigabytes.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import mse_loss

from benchmarks.quantum.timing import Figure, ratio
from quantum.circuits import privacy_rot_ring
from quantum.engines import make_engine

QUBITS = 8
BATCHES = {"compiled": 1024, "torch": 64, "reference": 16}
TARGET = 2.0
REPEATS = 3
STATUS = Path("/proc/self/status")


def measure() -> list[Figure]:
    return [_ratio(engine, batch) for engine, batch in BATCHES.items()]


def _ratio(engine: str, batch: int) -> Figure:
    title = f"memory n={QUBITS} B={batch}, {engine}, depth 100 / depth 10"
    shallow, deep = ([_in_fresh_process(engine, layers, batch) for _ in range(REPEATS)]
                     for layers in (10, 100))  # fmt: skip
    print(f"{title}: {np.median(deep):.3g} MiB / {np.median(shallow):.3g} MiB", flush=True)
    target = TARGET if engine == "compiled" else None
    return ratio(title, np.array(deep), np.array(shallow), target, at_most=True)


def _in_fresh_process(engine: str, layers: int, batch: int) -> float:
    command = [sys.executable, "-m", "benchmarks.quantum.memory", engine, str(layers), str(batch)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def grown_mib(engine: str, layers: int, batch: int) -> float:
    """What training adds to this process, which should be a fresh one, in MiB."""
    torch.set_num_threads(1)
    _train(engine, 1, batch=1)
    Path("/proc/self/clear_refs").write_text("5")
    before = _kib("VmRSS")
    _train(engine, layers, batch)
    return (_kib("VmHWM") - before) / 1024


def _train(engine: str, layers: int, batch: int) -> None:
    circuit = privacy_rot_ring(1, QUBITS, layers)
    evaluate = make_engine(circuit, engine)
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.rand(batch, 1, generator=generator, dtype=torch.float64) for _ in range(2))
    w = torch.randn(circuit.num_parameters, generator=generator, dtype=torch.float64)
    w.requires_grad_()
    for _ in range(2):
        mse_loss(evaluate(x, w), y).backward()


def _kib(field: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1])


if __name__ == "__main__":
    print(grown_mib(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
