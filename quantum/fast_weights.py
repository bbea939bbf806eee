# SPDX-License-Identifier: Apache-2.0
"""Quantum fast weight programmer: a slow classical net programs the angles of a circuit.

Source: Chen, arXiv 2402.17760. The fast weights do not depend on what the circuit says, so one scan
gives the angles of all steps, and all circuits of all steps are one batch.
"""

from enum import StrEnum

import torch

from quantum.circuits import qfwp
from quantum.core import Core, at_least_one, choice
from quantum.engines import EngineChoice, EngineName
from quantum.errors import require
from quantum.initialise import linear
from quantum.layer import CircuitModule
from quantum.programmer import SlowProgrammer, UpdateRule
from quantum.scan import Recurrence, linear_scan


class Front(StrEnum):
    """How the features of a step become the angles that encode it."""

    RAW = "raw"
    """Feature i is the angle of qubit i; qubits beyond the features stay in |+>."""
    LINEAR = "linear"
    """A trained affine map gives one angle for each qubit, as in the reinforcement version."""


class QFWP(Core[torch.Tensor]):
    """The circuit's angles W_t are the memory; each step adds a rank-one update l_t q_t^T.

    The circuit, :func:`quantum.circuits.qfwp`, has no trained angle of its own. The state is W,
    ``[batch, layers, qubits]``; it is not reduced modulo 2 pi. Under the additive rule the order
    of past inputs leaves no trace: the proof is in :class:`quantum.programmer.SlowProgrammer`.

    Args:
        features: columns of x.
        qubits, layers: size of the circuit.
        measured: how many qubits are measured, from the first one; the number of outputs.
        rule: how W changes.
        front: how a step is encoded; see :class:`Front`.
        squash: tanh on the latent before the heads, as in the reinforcement version.
        decay: see :class:`quantum.programmer.SlowProgrammer`.
        engine: which engine evaluates the circuits.
        generator: of the initial values, torch's defaults.

    Raises:
        CircuitError: a size is below 1, more is measured than there are qubits, there are more raw
            features than qubits, or the decay is not within (0, 1).
    """

    circuits_for_output = 1

    def __init__(
        self,
        features: int,
        qubits: int = 8,
        layers: int = 2,
        measured: int = 4,
        rule: UpdateRule | str = UpdateRule.ADDITIVE,
        *,
        front: Front | str = Front.RAW,
        squash: bool = False,
        decay: float | None = None,
        engine: EngineChoice = EngineName.AUTO,
        generator: torch.Generator | None = None,
    ) -> None:
        at_least_one(qubits=qubits, layers=layers, measured=measured)
        raw = choice(Front, "front", front) is Front.RAW
        require(
            not raw or features <= qubits,
            f"features is {features}, but only {qubits} qubits can encode them; "
            "allowed: at most as many as qubits, or front='linear'",
        )
        require(measured <= qubits, f"measured is {measured}; allowed: 1 to {qubits}, the qubits")
        super().__init__(features, measured)
        self.programmer = SlowProgrammer(
            features, layers, qubits, rule, squash=squash, decay=decay, generator=generator
        )
        self.front = None if raw else linear(features, qubits, generator)
        circuit = qfwp(qubits, layers, features if raw else qubits, measured)
        self.circuit = CircuitModule(circuit, engine)

    def initial_state(self, batch: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """W = 0, ``[batch, layers, qubits]``."""
        return torch.zeros(batch, *self.programmer.shape, dtype=dtype, device=device)

    def fast_weights(
        self,
        x: torch.Tensor,
        state: torch.Tensor,
        reset: torch.Tensor | None = None,
        recurrence: Recurrence = linear_scan,
    ) -> torch.Tensor:
        """The angles after each step, ``[batch, steps, layers, qubits]``, by scan or by loop."""
        latent = self.programmer.latent(x)
        weights: torch.Tensor = self.programmer(latent, state, reset, recurrence)
        return weights

    def _run(
        self, x: torch.Tensor, state: torch.Tensor, reset: torch.Tensor | None, wanted: slice
    ) -> tuple[torch.Tensor, torch.Tensor]:
        weights = self.fast_weights(x, state, reset)
        angles = x[:, wanted] if self.front is None else self.front(x[:, wanted])
        return self.circuit(angles, weights[:, wanted].flatten(2)), weights[:, -1]
