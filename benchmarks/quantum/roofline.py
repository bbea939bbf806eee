# SPDX-License-Identifier: Apache-2.0
"""How near the compiled engine comes to what one core can do, with a matrix product as the yard.

Counted is only what the turns of rows need: 6 operations a pair forwards; 16 backwards, where state
and adjoint are turned back and their overlap is taken. Expectations, sines and torch are overhead.
"""

import numpy as np
import torch

from benchmarks.quantum.ring import Size, Step, circuit, engine
from benchmarks.quantum.timing import interleaved
from quantum.program import make_program

SIZES = (Size(4, 2, 1024), Size(8, 4, 1024), Size(10, 4, 1024), Size(12, 4, 256))
SIDE = 512


def measure() -> list[str]:
    """One line for each size and precision."""
    return [_line(size, dtype) for size in SIZES for dtype in (torch.float32, torch.float64)]


def _line(size: Size, dtype: torch.dtype) -> str:
    run = engine(size, "compiled")
    step = Step.of(size, run, dtype)
    matrix = torch.ones(SIDE, SIDE, dtype=dtype)
    x, theta = step.x.detach(), step.theta.detach()
    seconds = interleaved(
        {"forward": lambda: run(x, theta), "both": step, "product": lambda: matrix @ matrix}, 7
    )
    turns = size.batch * sum(turn.active // 2 for turn in make_program(circuit(size)).rotations)
    work = {"forward": 6 * turns, "both": 22 * turns, "product": 2 * SIDE**3}
    pace = {name: work[name] / np.median(found) / 1e9 for name, found in seconds.items()}
    return (
        f"{size} {str(dtype).removeprefix('torch.')}: forward {pace['forward']:.3g} GFLOP/s, "
        f"with backward {pace['both']:.3g}; a matrix product of side {SIDE} {pace['product']:.3g}"
    )
