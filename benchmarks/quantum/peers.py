# SPDX-License-Identifier: Apache-2.0
"""Other Python simulators on the same circuit; those that are not installed are left out.

``benchmarks/peers.txt`` lists what to install beside ours, best into an environment of its own.
Every peer is used as its documentation says, batched in the way that it offers, and must agree
with our engine before it is timed.
"""

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.quantum import jax_peers, torch_peers
from benchmarks.quantum.ring import Evaluate, Size, Step, engine, pennylane
from benchmarks.quantum.timing import Figure, cpu_s, interleaved, ratio, require_same, show

TARGET = 40.0
SIZES = (Size(4, 2, 32), Size(4, 2, 1024), Size(8, 4, 32), Size(8, 4, 256), Size(8, 4, 1024))
MOST_S = 3.0
"""Slower peers are named and not timed, nor tried with a larger batch, which takes gigabytes."""

EAGER: dict[str, tuple[Callable[[Size], Evaluate], torch.dtype]] = {
    "lightning.qubit": (torch_peers.lightning, torch.float64),
    "deepquantum": (torch_peers.deepquantum, torch.float32),
    "tensorcircuit-ng": (torch_peers.tensorcircuit, torch.float32),
    "pyqtorch": (torch_peers.pyqtorch, torch.float64),
    "torchquantum-ng": (torch_peers.torchquantum, torch.float32),
    "qandle": (torch_peers.qandle, torch.float32),
}
"""Title: how to make the circuit, and the precision that the peer calculates in by default."""

COMPILED = {
    "default.qubit under jax.jit": (jax_peers.pennylane, torch.float32),
    "tensorcircuit-ng under jax.jit": (jax_peers.tensorcircuit, torch.float32),
}
"""Compiled by XLA for one circuit and one batch size, which takes 4 to 23 s each here."""


def measure() -> list[Figure]:
    slow: set[tuple[str, int]] = set()
    return [figure for size in SIZES for figure in _at(size, slow)]


def _at(size: Size, slow: set[tuple[str, int]]) -> list[Figure]:
    ours = Step.of(size, engine(size, "compiled"), torch.float32)
    wanted = Step.of(size, engine(size, "compiled"))()
    steps = {"ours": ours, "default.qubit": Step.of(size, pennylane(size))}
    for name, (make, dtype) in (EAGER | COMPILED).items():
        if (name, size.qubits) in slow:
            continue
        step = _peer(name, size, make, dtype)
        if step is None:
            continue
        require_same(name, step(), wanted, 1e-5)
        took_s = cpu_s(step)
        if took_s <= MOST_S:
            steps[name] = step
        else:
            slow.add((name, size.qubits))
            print(f"peers {size}: {name} left out: it takes {took_s:.1f} s", flush=True)
    seconds = interleaved(steps, rounds=5)
    show(f"peers {size}", seconds)
    return [*_fastest(size, seconds, EAGER, TARGET), *_fastest(size, seconds, COMPILED, None)]


def _peer(
    name: str, size: Size, make: Callable[[Size], Evaluate], dtype: torch.dtype
) -> Step | None:
    try:
        return Step.of(size, make(size), dtype)
    except ImportError as missing:
        print(f"peers {size}: {name} left out: {missing}", flush=True)
        return None


def _fastest(
    size: Size, seconds: dict[str, np.ndarray], among: dict[str, object], target: float | None
) -> list[Figure]:
    found = {name: times for name, times in seconds.items() if name in among}
    if not found:
        return []
    name = min(found, key=lambda name: float(np.median(found[name])))
    title = f"{size}, compiled / {name}, the fastest of {len(found)}"
    return [ratio(title, found[name], seconds["ours"], target)]
