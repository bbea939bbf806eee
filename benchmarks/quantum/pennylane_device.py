# SPDX-License-Identifier: Apache-2.0
"""The same QNode on default.qubit and on fedfleet.qubit, with one word changed; and traced once."""

import torch

from benchmarks.quantum.ring import Size, Step, engine, pennylane, qnode
from benchmarks.quantum.timing import Figure, interleaved, ratio, require_same, show
from quantum.trace import trace

DEVICE_TARGETS = {Size(8, 4, 32): 10.0, Size(8, 4, 1024): 40.0}
TRACE_TARGET = 150.0
SIZES = (Size(4, 2, 1), Size(4, 2, 32), *DEVICE_TARGETS)


def measure() -> list[Figure]:
    return [figure for size in SIZES for figure in _at(size)]


def _at(size: Size) -> list[Figure]:
    device = pennylane(size, "fedfleet.qubit")
    traced = trace(qnode(size, "fedfleet.qubit"))
    steps = {"default.qubit": Step.of(size, pennylane(size))}
    for title, dtype in (("float32", torch.float32), ("float64", torch.float64)):
        steps[f"fedfleet.qubit {title}"] = Step.of(size, device, dtype)
        steps[f"traced {title}"] = Step.of(
            size, lambda x, theta: torch.stack(traced(x, theta), dim=-1), dtype
        )
        steps[f"engine itself {title}"] = Step.of(size, engine(size, "compiled"), dtype)
    wanted = steps["default.qubit"]()
    for name, step in steps.items():
        require_same(name, step(), wanted, 1e-5 if "32" in name else 1e-11)
    seconds = interleaved(steps, rounds=7)
    show(f"through PennyLane {size}", seconds)
    slow = seconds.pop("default.qubit")
    return [
        ratio(f"{size}, {name} / default.qubit", slow, fast, _target(size, name))
        for name, fast in seconds.items()
    ]


def _target(size: Size, name: str) -> float | None:
    if size not in DEVICE_TARGETS or name.startswith("engine"):
        return None
    return TRACE_TARGET if name.startswith("traced") else DEVICE_TARGETS[size]
