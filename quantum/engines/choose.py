# SPDX-License-Identifier: Apache-2.0
"""Which engine evaluates a circuit."""

import logging
from typing import assert_never

import torch

from quantum.circuit import Circuit
from quantum.engines.interface import Engine, EngineName
from quantum.errors import require
from quantum.kernel.build import load_kernel
from quantum.kernel.layout import MAX_ROWS
from quantum.program import make_program

_log = logging.getLogger(__name__)


def make_engine(
    circuit: Circuit,
    name: EngineName | str = EngineName.AUTO,
    device: torch.device | str = "cpu",
) -> Engine:
    """The named engine for a circuit; ``auto`` takes the fastest that fits circuit and device.

    All engines but ``compiled`` run on any device and can be differentiated any number of times;
    ``compiled`` can twice, and refuses a third time.

    Raises:
        CircuitError: the name is unknown, the engine is not available, or the circuit does not fit
            into memory.
    """
    allowed = [str(known) for known in EngineName]
    require(str(name) in allowed, f"engine is {str(name)!r}; allowed: {', '.join(allowed)}")
    asked = EngineName(name)
    chosen = _fastest(circuit, torch.device(device)) if asked is EngineName.AUTO else asked
    _log.info("%s: engine %s (asked for %s) on %s", circuit.name, chosen, asked, device)
    return _make(circuit, chosen)


def _fastest(circuit: Circuit, device: torch.device) -> EngineName:
    fits = device.type == "cpu" and make_program(circuit).rows <= MAX_ROWS
    return EngineName.COMPILED if fits and load_kernel() else EngineName.TORCH


def _make(circuit: Circuit, name: EngineName) -> Engine:
    match name:
        case EngineName.COMPILED:
            from quantum.engines.compiled import CompiledEngine

            return CompiledEngine(circuit)
        case EngineName.TORCH:
            from quantum.engines.pytorch import TorchEngine

            return TorchEngine(circuit)
        case EngineName.REFERENCE:
            # PennyLane takes seconds to import.
            from quantum.engines.reference import ReferenceEngine

            return ReferenceEngine(circuit)
        case EngineName.AUTO:
            raise AssertionError("auto is resolved before")
        case _:
            assert_never(name)
