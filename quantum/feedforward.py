# SPDX-License-Identifier: Apache-2.0
"""A feed-forward variational circuit: what the fast weights of QFWP are worth shows without them.

Source: the circuit of Chen, arXiv 2402.17760, with trained angles in place of programmed ones.
"""

import torch

from quantum.circuits import qfwp
from quantum.core import Core, at_least_one, no_memory
from quantum.engines import EngineChoice, EngineName
from quantum.errors import require
from quantum.initialise import linear
from quantum.layer import QuantumLayer


class VQC(Core[torch.Tensor]):
    """:class:`quantum.fast_weights.QFWP` with a linear front and angles that time does not change.

    It remembers nothing: the state is ``[batch, 0]``.

    Args:
        features: columns of x.
        qubits, layers: size of the circuit.
        measured: how many qubits are measured, from the first one; the number of outputs.
        engine: which engine evaluates the circuits.
        generator: of the initial values: torch's defaults for the front, 0.01 times a standard
            normal for the angles.

    Raises:
        CircuitError: a size is below 1, or more is measured than there are qubits.
    """

    circuits_for_output = 1

    def __init__(
        self,
        features: int,
        qubits: int = 8,
        layers: int = 2,
        measured: int = 4,
        *,
        engine: EngineChoice = EngineName.AUTO,
        generator: torch.Generator | None = None,
    ) -> None:
        at_least_one(qubits=qubits, layers=layers, measured=measured)
        require(measured <= qubits, f"measured is {measured}; allowed: 1 to {qubits}, the qubits")
        super().__init__(features, measured)
        self.front = linear(features, qubits, generator)
        circuit = qfwp(qubits, layers, qubits, measured)
        self.circuit = QuantumLayer(circuit, generator, engine=engine)

    def initial_state(self, batch: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """Nothing, ``[batch, 0]``."""
        return no_memory(batch, dtype, device)

    def _run(
        self,
        x: torch.Tensor,
        state: torch.Tensor,
        reset: torch.Tensor | None,  # noqa: ARG002
        wanted: slice,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return self.circuit(self.front(x[:, wanted])), state
