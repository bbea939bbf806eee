# SPDX-License-Identifier: Apache-2.0
"""The models of tasks; the classical ones have as many parameters as the circuit beside them."""

from math import pi

import torch
from torch import nn

from agents.forecasting.models import Forecaster, make_model
from agents.forecasting.options import ModelName
from federated.options import Model, ModelOptions
from quantum.ansatz import hardware_efficient
from quantum.circuit import Circuit
from quantum.circuits import parity, z_each
from quantum.encodings import fourier_tower
from quantum.executions import count_executions
from quantum.fast_weights import QFWP
from quantum.initialise import linear
from quantum.layer import CircuitModule, QuantumLayer
from sim.errors import InputError

INITIAL_STD = 0.3
"""Of the angles; at zero the gradients of many vanish by symmetry."""


class Classifier(nn.Module):
    """A body and an affine read-out: ``[B, F]`` features in 0 to 1 to ``[B, K]`` logits.

    Args:
        body: what makes features for the read-out.
        size: how many.
        classes: K.
        generator: of the initial values of the read-out, torch's defaults.
    """

    def __init__(
        self, body: nn.Module, size: int, classes: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.body = body
        self.head = linear(size, classes, generator)
        self.double()

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """What the read-out sees, ``[B, size]``."""
        seen: torch.Tensor = self.body(inputs)
        return seen

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits."""
        logits: torch.Tensor = self.head(self.features(inputs))
        return logits


class Centred(nn.Module):
    """From 0 to 1 to -1 to 1, which is what classical models prefer."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Elementwise."""
        return 2 * inputs - 1


def tower(options: ModelOptions, *, every_qubit: bool) -> Circuit:
    """The circuit of arXiv 2309.13002, eq. 14 and 17; its own observable is the parity.

    Args:
        options: its size.
        every_qubit: measure Z of each qubit instead, for a read-out.
    """
    features, each = options.features, options.qubits_per_feature
    qubits = features * each
    return Circuit(
        qubits,
        fourier_tower(features, each, gamma=2 * pi * options.span),
        hardware_efficient(qubits, options.layers),
        z_each(range(qubits)) if every_qubit else parity(qubits),
        "tower",
    )


def make_classifier(
    model: Model, options: ModelOptions, classes: int, generator: torch.Generator
) -> nn.Module:
    """A classifier; all initial values come from the generator.

    Returns:
        A :class:`Classifier`, or for ``parity`` a layer with one output in -1 to 1.

    Raises:
        InputError: ``parity`` for other than two classes.
    """
    if model is Model.PARITY:
        if classes != 2:
            raise InputError(f"model is 'parity', with {classes} classes; allowed: 2")
        circuit = tower(options, every_qubit=False)
        return QuantumLayer(circuit, generator, INITIAL_STD).double()
    if model is Model.VQC:
        circuit = tower(options, every_qubit=True)
        layer = QuantumLayer(circuit, generator, INITIAL_STD)
        return Classifier(layer, circuit.qubits, classes, generator)
    if model is Model.MLP:
        hidden = _hidden(options, classes)
        body = nn.Sequential(Centred(), linear(options.features, hidden, generator), nn.Tanh())
        return Classifier(body, hidden, classes, generator)
    return Classifier(Centred(), components(model, options, classes), classes, generator)


def components(model: Model, options: ModelOptions, classes: int) -> int:
    """How many features a classifier is shown: an affine one as many as its parameters allow."""
    if model is not Model.LOGISTIC:
        return options.features
    return max(1, round(_parameters(options, classes) / classes) - 1)


def _parameters(options: ModelOptions, classes: int) -> int:
    """Of ``vqc``."""
    qubits = options.features * options.qubits_per_feature
    return 2 * options.layers * qubits + (qubits + 1) * classes


def _hidden(options: ModelOptions, classes: int) -> int:
    """The size of the hidden layer that comes closest to the parameters of ``vqc``."""
    each = options.features + 1 + classes
    return max(1, round((_parameters(options, classes) - classes) / each))


def make_forecaster(model: Model, features: int, generator: torch.Generator) -> Forecaster:
    """A recurrent core with its read-out; see :mod:`agents.forecasting.models`."""
    return make_model(ModelName(model.value), features, generator)


def executions(module: nn.Module, length: int) -> int:
    """What a gradient for one sample costs on a quantum computer, by parameter shift.

    Args:
        module: one of the above.
        length: steps of a window; 1 where there is no time.
    """
    circuits = [one for one in module.modules() if isinstance(one, CircuitModule)]
    if not circuits:
        return 0
    if isinstance(module, Forecaster):
        # Features of a QFWP go into its circuit as they are; those of a QLSTM come from circuits.
        within = not isinstance(module.core, QFWP)
        each = count_executions(circuits[0].circuit, inputs=within).total or 0
        return each * module.num_circuits(1, length)
    return count_executions(circuits[0].circuit).total or 0
