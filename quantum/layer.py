# SPDX-License-Identifier: Apache-2.0
"""Circuits as torch modules."""

import math
from typing import Any

import torch
from torch import nn

from quantum.circuit import Circuit
from quantum.engines import Engine, EngineChoice, EngineName, make_engine
from quantum.errors import require
from quantum.initialise import normal
from quantum.vectorise import evaluate_mapped, is_mapped


class CircuitModule(nn.Module):
    """A circuit whose parameters come with the call: from a slow net, or from a layer.

    Engines may hold addresses of native code. So copies and pickles carry the circuit alone, and
    every process and device makes its own engine when it first needs one.

    Args:
        circuit: what is evaluated.
        engine: which engine evaluates it, by name; or what makes the engine for a circuit, such as
            one with noise or shots.

    Raises:
        CircuitError: no such engine, or it cannot evaluate this circuit here.
    """

    def __init__(self, circuit: Circuit, engine: EngineChoice = EngineName.AUTO) -> None:
        super().__init__()
        self.circuit = circuit
        self._wanted = engine
        self._engines: dict[str, Engine] = {}
        self.engine()

    def engine(self, device: str = "cpu") -> Engine:
        """The engine for tensors on a type of device."""
        if device not in self._engines:
            wanted, circuit = self._wanted, self.circuit
            self._engines[device] = (
                wanted(circuit) if callable(wanted) else make_engine(circuit, wanted, device)
            )
        return self._engines[device]

    def forward(self, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        """The expectations of the circuit's observables.

        Args:
            inputs: features, ``[..., num_features]``; all leading dimensions are one batch, and so
            is what ``torch.vmap`` maps over.
            parameters: shared ``[num_parameters]``, or ``[..., num_parameters]`` with leading
                dimensions that broadcast to those of the inputs.

        Returns:
            ``[..., observables]``.

        Raises:
            CircuitError: shapes, dtypes or devices do not fit, or an angle is not finite.
        """
        circuit, leading = self.circuit, inputs.shape[:-1]
        if inputs.dim() < 1 or inputs.shape[-1] != circuit.num_features:
            require(False, f"{circuit.name}: inputs have shape {tuple(inputs.shape)}; "
                    f"expected [..., {circuit.num_features}]")  # fmt: skip
        size = math.prod(leading)
        if parameters.dim() > 1:
            parameters = _for_each(parameters, leading, circuit).reshape(size, -1)
        engine = self.engine(inputs.device.type)
        flat = inputs.reshape(size, circuit.num_features), parameters
        outputs = evaluate_mapped(engine, *flat) if is_mapped(*flat) else engine(*flat)
        return outputs.reshape(*leading, outputs.shape[-1])

    def extra_repr(self) -> str:
        """What a picture of the module shows of the circuit."""
        circuit = self.circuit
        return (
            f"{circuit.name}, qubits={circuit.qubits}, features={circuit.num_features}, "
            f"parameters={circuit.num_parameters}, observables={len(circuit.observables)}, "
            f"engine={self.engine().name}"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_engines": {}}


class QuantumLayer(CircuitModule):
    """A circuit with trained parameters, shared by all samples.

    Args:
        circuit: what is evaluated.
        generator: of the initial parameters.
        init_std: their standard deviation; the mean is zero.
        engine: which engine evaluates the circuit.

    Raises:
        CircuitError: no such engine, or it cannot evaluate this circuit here.
    """

    def __init__(
        self,
        circuit: Circuit,
        generator: torch.Generator | None = None,
        init_std: float = 0.01,
        engine: EngineChoice = EngineName.AUTO,
    ) -> None:
        super().__init__(circuit, engine)
        self.weights = normal((circuit.num_parameters,), init_std, generator)
        """``[num_parameters]``; `parameters` is taken by torch."""

    def forward(self, inputs: torch.Tensor, parameters: torch.Tensor | None = None) -> torch.Tensor:
        """As :meth:`CircuitModule.forward`; without parameters the layer's own are used."""
        return super().forward(inputs, self.weights if parameters is None else parameters)


def _for_each(parameters: torch.Tensor, leading: torch.Size, circuit: Circuit) -> torch.Tensor:
    shape = (*leading, circuit.num_parameters)
    try:
        return parameters.expand(shape)
    except RuntimeError:
        require(
            False,
            f"{circuit.name}: parameters have shape {tuple(parameters.shape)}; "
            f"expected [{circuit.num_parameters}] (shared), or what broadcasts to {shape}",
        )
        raise
