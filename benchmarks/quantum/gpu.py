# SPDX-License-Identifier: Apache-2.0
"""The torch engine on a GPU, as it is, compiled by torch and captured as a graph: where it wins.

Wall time of forward and backward in float32, after waiting for the device; the rivals are
default.qubit on the same device and the compiled engine on all cores of the host.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from benchmarks.quantum.ring import Evaluate, Size, Step, engine, pennylane
from benchmarks.quantum.timing import require_same

SIZES = tuple(Size(n, 4, batch) for n in (4, 8, 10, 12) for batch in (32, 1024, 16384))
MOST_AMPLITUDES = 1 << 20
"""Of a batch for default.qubit: it keeps every state, in double precision."""

ROUNDS = 20
HOST = "compiled, on the host"


def measure(device: str = "cuda", sizes: tuple[Size, ...] = SIZES) -> list[str]:
    """One line for each size."""
    if device == "cuda" and not torch.cuda.is_available():
        return ["no GPU here: nothing measured"]
    threads = torch.get_num_threads()
    torch.set_num_threads(torch.multiprocessing.cpu_count())
    try:
        return [_line(size, device) for size in sizes]
    finally:
        torch.set_num_threads(threads)


def _line(size: Size, device: str) -> str:
    wanted = Step.of(size, engine(size, "compiled"))()
    seconds: dict[str, float] = {}
    for name, make in _routes(size, device):
        try:
            step = Step.of(size, make(), torch.float32, "cpu" if name == HOST else device)
            require_same(name, [tensor.cpu() for tensor in step()], wanted, 1e-4)
            seconds[name] = _wall_s(step)
        except (RuntimeError, ImportError) as failed:
            print(f"{size}, {name} left out: {str(failed).splitlines()[0]}", flush=True)
    cells = ", ".join(f"{name} {1e3 * found:.3g} ms" for name, found in seconds.items())
    return f"{size}: {cells}; fastest: {min(seconds, key=seconds.__getitem__)}"


def _routes(size: Size, device: str) -> Iterator[tuple[str, Callable[[], Evaluate]]]:
    yield HOST, lambda: engine(size, "compiled")
    yield "torch", lambda: engine(size, "torch")
    yield "torch.compile", lambda: torch.compile(engine(size, "torch"))
    if device == "cuda":
        yield "CUDA graph", lambda: _captured(size)
    if 2**size.qubits * size.batch <= MOST_AMPLITUDES:
        yield "default.qubit", lambda: pennylane(size)


def _captured(size: Size) -> Evaluate:
    run = engine(size, "torch")
    example = Step.of(size, run, torch.float32, "cuda")
    return torch.cuda.make_graphed_callables(run, (example.x, example.theta))


def _wall_s(step: Step) -> float:
    """Median over the rounds, after one for warming up."""
    seconds = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        step()
        if step.x.is_cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[1:]))
