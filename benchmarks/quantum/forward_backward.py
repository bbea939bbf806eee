# SPDX-License-Identifier: Apache-2.0
"""Forward and backward with parameters for every sample, against default.qubit."""

import torch

from benchmarks.quantum.ring import Size, Step, engine, pennylane
from benchmarks.quantum.timing import Figure, interleaved, ratio, require_same, show

TARGETS = {Size(8, 4, 256): 150.0, Size(8, 4, 1024): 150.0, Size(4, 2, 1024): 90.0}
TORCH_TARGET = 8.0
UNTARGETED = (Size(4, 2, 1), Size(4, 2, 32), Size(8, 4, 32), Size(12, 4, 32))


def measure() -> list[Figure]:
    return [figure for size in (*UNTARGETED, *TARGETS) for figure in _at(size)]


def _at(size: Size) -> list[Figure]:
    steps = {"default.qubit": Step.of(size, pennylane(size))}
    for name in ("compiled", "torch"):
        evaluate = engine(size, name)
        steps[f"{name} float32"] = Step.of(size, evaluate, torch.float32)
        steps[f"{name} float64"] = Step.of(size, evaluate)
    wanted = steps["default.qubit"]()
    for name, step in steps.items():
        require_same(name, step(), wanted, 1e-5 if "32" in name else 1e-11)
    seconds = interleaved(steps, rounds=7)
    show(f"forward+backward {size}", seconds)
    slow = seconds.pop("default.qubit")
    return [
        ratio(f"{size}, {name} / default.qubit", slow, fast, _target(size, name))
        for name, fast in seconds.items()
    ]


def _target(size: Size, name: str) -> float | None:
    if size not in TARGETS:
        return None
    return TARGETS[size] if name.startswith("compiled") else TORCH_TARGET
