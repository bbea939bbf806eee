# SPDX-License-Identifier: Apache-2.0
"""LSTM cells whose affine maps are circuits.

Sources: Chen, Yoo, Fang, arXiv 2009.01783, for the six circuits; the four circuits are the form
used with fast weights, arXiv 2402.17760. The input of each step depends on the output of the one
before, so time is a loop; the four gates of a step share their inputs and are one batch.
"""

from abc import abstractmethod

import torch

from quantum.circuit import Circuit
from quantum.circuits import qlstm_gate, qlstm_modern_gate
from quantum.core import Core, LSTMState, at_least_one, emptied
from quantum.engines import EngineChoice, EngineName
from quantum.initialise import normal
from quantum.layer import CircuitModule, QuantumLayer

GATES = 4
"""Forget, input, candidate, output: the order of the rows of ``gate_weights``."""


class QLSTM(Core[LSTMState]):
    """What both forms share: four gates by circuits, and the equations of an LSTM.

    With v = [x, h]: c' = sigmoid(f(v)) c + sigmoid(i(v)) tanh(g(v)) and u = sigmoid(o(v)) tanh(c').

    Args:
        features: columns of x.
        hidden: size of h.
        num_outputs: columns of the output.
        gate: the circuit of every gate, on features + hidden inputs.
        engine: which engine evaluates it.
        generator: of the initial parameters, 0.01 times a standard normal.
    """

    circuits_for_state = GATES

    def __init__(
        self,
        features: int,
        hidden: int,
        num_outputs: int,
        gate: Circuit,
        engine: EngineChoice,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__(features, num_outputs)
        self.hidden = hidden
        self.gate = CircuitModule(gate, engine)
        self.gate_weights = normal((GATES, gate.num_parameters), 0.01, generator)

    def initial_state(self, batch: int, dtype: torch.dtype, device: torch.device) -> LSTMState:
        """Zeros, ``[batch, hidden]`` and ``[batch, cell]``."""
        cell = len(self.gate.circuit.observables)
        return LSTMState(
            torch.zeros(batch, self.hidden, dtype=dtype, device=device),
            torch.zeros(batch, cell, dtype=dtype, device=device),
        )

    @abstractmethod
    def _next_hidden(self, u: torch.Tensor) -> torch.Tensor:
        """h' from u, ``[batch, hidden]``."""

    @abstractmethod
    def _read(self, u: torch.Tensor) -> torch.Tensor:
        """The outputs from u of many steps, ``[batch, steps, num_outputs]``."""

    def _run(
        self, x: torch.Tensor, state: LSTMState, reset: torch.Tensor | None, wanted: slice
    ) -> tuple[torch.Tensor, LSTMState]:
        hidden, cell = state
        weights = self.gate_weights.repeat_interleave(x.shape[0], 0)
        history = []
        for step, x_t in enumerate(x.unbind(1)):
            hidden, cell = emptied(hidden, reset, step), emptied(cell, reset, step)
            v = torch.cat([x_t, hidden], -1).repeat(GATES, 1)
            forget, enter, candidate, leave = self.gate(v, weights).chunk(GATES)
            cell = forget.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
            u = leave.sigmoid() * cell.tanh()
            hidden = self._next_hidden(u)
            history.append(u)
        return self._read(torch.stack(history[wanted], 1)), LSTMState(hidden, cell)


class SixCircuitQLSTM(QLSTM):
    """Two more circuits on u: one gives h', the other the output.

    Every circuit has features + hidden qubits, all measured; so the cell and the outputs have that
    size, and h' is the first expectations of its circuit. The sixth circuit is no part of the
    recurrence, so that of all steps it is one batch.

    Args:
        features: columns of x.
        hidden: size of h.
        layers: of every circuit.
        engine: which engine evaluates them.
        generator: of the initial parameters, 0.01 times a standard normal.

    Raises:
        CircuitError: a size is below 1.
    """

    circuits_for_state = GATES + 1
    circuits_for_output = 1

    def __init__(
        self,
        features: int = 1,
        hidden: int = 3,
        layers: int = 2,
        *,
        engine: EngineChoice = EngineName.AUTO,
        generator: torch.Generator | None = None,
    ) -> None:
        at_least_one(features=features, hidden=hidden, layers=layers)
        qubits = features + hidden
        circuit = qlstm_gate(qubits, layers, measured=qubits)
        super().__init__(features, hidden, qubits, circuit, engine, generator)
        self.to_hidden = QuantumLayer(circuit, generator, engine=engine)
        self.to_output = QuantumLayer(circuit, generator, engine=engine)

    def _next_hidden(self, u: torch.Tensor) -> torch.Tensor:
        expectations: torch.Tensor = self.to_hidden(u)
        return expectations[:, : self.hidden]

    def _read(self, u: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.to_output(u)
        return outputs


class FourCircuitQLSTM(QLSTM):
    """The usual LSTM with a circuit for each affine map: h' = u, which is also the output.

    Every circuit is that of :class:`quantum.fast_weights.QFWP` on features + hidden qubits with
    trained angles, measured on the first ``hidden`` qubits.

    Args:
        features: columns of x.
        hidden: size of h, of the cell and of the output.
        layers: of every circuit.
        engine: which engine evaluates them.
        generator: of the initial parameters, 0.01 times a standard normal.

    Raises:
        CircuitError: a size is below 1.
    """

    def __init__(
        self,
        features: int = 1,
        hidden: int = 5,
        layers: int = 5,
        *,
        engine: EngineChoice = EngineName.AUTO,
        generator: torch.Generator | None = None,
    ) -> None:
        at_least_one(features=features, hidden=hidden, layers=layers)
        circuit = qlstm_modern_gate(features, hidden, layers)
        super().__init__(features, hidden, hidden, circuit, engine, generator)

    def _next_hidden(self, u: torch.Tensor) -> torch.Tensor:
        return u

    def _read(self, u: torch.Tensor) -> torch.Tensor:
        return u
