# SPDX-License-Identifier: Apache-2.0
"""One step of training QFWP, against the same step with the circuit replaced by the identity.

Forward, mean squared error, backward, RMSprop; 32 sequences of 10 steps. The loss is on the outputs
of all steps, or on the last output alone, for which one circuit per sequence is enough.
"""

from collections.abc import Callable

import torch
from torch import nn

from benchmarks.quantum.timing import Figure, interleaved, ratio, show
from quantum.fast_weights import QFWP

QUBITS, LAYERS, STEPS, BATCH = 8, 2, 10, 32
TARGET = 1.6


class Identity(nn.Module):
    """As many outputs as the circuit has, from the first angles: the cheapest that still trains."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        return parameters[..., : self.outputs]


def measure() -> list[Figure]:
    return [
        figure
        for dtype in (torch.float32, torch.float64)
        for last_only in (False, True)
        for figure in _measure(dtype, last_only)
    ]


def _measure(dtype: torch.dtype, last_only: bool) -> list[Figure]:
    routes = {
        "compiled": _step("compiled", dtype, last_only),
        "torch": _step("torch", dtype, last_only),
        "default.qubit": _step("reference", dtype, last_only),
        "identity": _step(None, dtype, last_only),
    }
    seconds = interleaved(routes, rounds=9)
    title = f"{str(dtype).removeprefix('torch.')}, loss on {'the last' if last_only else 'all'}"
    show(f"QFWP step, {title}", seconds)
    return [
        ratio(f"QFWP step, {title}, compiled / identity", seconds["compiled"],
              seconds["identity"], TARGET, at_most=True),
        ratio(f"QFWP step, {title}, torch / identity", seconds["torch"], seconds["identity"]),
        ratio(f"QFWP step, {title}, default.qubit / compiled", seconds["default.qubit"],
              seconds["compiled"]),
    ]  # fmt: skip


def _step(engine: str | None, dtype: torch.dtype, last_only: bool) -> Callable[[], None]:
    generator = torch.Generator().manual_seed(0)
    core = QFWP(1, QUBITS, LAYERS, engine=engine or "auto", generator=generator)
    if engine is None:
        core.circuit = Identity(core.num_outputs)
    core.to(dtype)
    head = nn.Linear(core.num_outputs, 1, dtype=dtype)
    x, y = (torch.randn(BATCH, STEPS, 1, generator=generator).to(dtype) for _ in range(2))
    wanted = y[:, -1:] if last_only else y
    optimiser = torch.optim.RMSprop([*core.parameters(), *head.parameters()], lr=1e-3)

    def step() -> None:
        optimiser.zero_grad()
        outputs, _ = core(x, last=1 if last_only else None)
        loss = nn.functional.mse_loss(head(outputs), wanted)
        loss.backward()
        optimiser.step()

    return step
