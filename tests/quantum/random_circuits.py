# SPDX-License-Identifier: Apache-2.0
"""Circuits at random: every gate, shared parameters, scaled inputs, constants, any observable."""

from collections.abc import Sequence

import numpy as np
import torch
from hypothesis import strategies as st

from quantum.circuit import (
    Angle,
    Circuit,
    Clifford,
    CliffordName,
    Constant,
    Input,
    Operation,
    Parameter,
    PauliString,
    Rotation,
    Transform,
)

EVERYWHERE = (Transform.IDENTITY, Transform.ARCTAN, Transform.ARCTAN_SQUARE)
"""The transforms that are defined for every real feature; the arccosine is not."""

NUM_FEATURES, NUM_PARAMETERS = 3, 6
"""Few, so that most of them are used more than once."""


def random_circuit(
    rng: np.random.Generator,
    qubits: int,
    num_operations: int,
    transforms: Sequence[Transform] = EVERYWHERE,
) -> Circuit:
    """A circuit whose first operations are the same for every ``num_operations``."""
    observables = tuple(_string(rng, qubits, 5) for _ in range(rng.integers(1, 4)))
    operations = tuple(_operation(rng, qubits, transforms) for _ in range(num_operations))
    half = num_operations // 2
    return Circuit(qubits, operations[:half], operations[half:], observables, "random")


def random_arguments(
    rng: np.random.Generator,
    circuit: Circuit,
    batch: int,
    *,
    shared: bool = True,
    dtype: torch.dtype = torch.float64,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs within (-1, 1), where every transform is smooth, and parameters of some radians."""
    rows = () if shared else (batch,)
    inputs = rng.uniform(-0.9, 0.9, (batch, circuit.num_features))
    parameters = rng.uniform(-4.0, 4.0, (*rows, circuit.num_parameters))
    return torch.tensor(inputs, dtype=dtype), torch.tensor(parameters, dtype=dtype)


def circuits(
    max_qubits: int = 5,
    max_operations: int = 16,
    transforms: Sequence[Transform] = EVERYWHERE,
) -> st.SearchStrategy[Circuit]:
    """Random circuits of 1 to 5 qubits; a failing one shrinks by losing its last operations."""
    return st.builds(
        lambda seed, qubits, count: random_circuit(
            np.random.default_rng(seed), qubits, count, transforms
        ),
        st.integers(0, 2**32 - 1),
        st.integers(1, max_qubits),
        st.integers(0, max_operations),
    )


def _operation(rng: np.random.Generator, qubits: int, transforms: Sequence[Transform]) -> Operation:
    if rng.random() < 0.6:
        return Rotation(_string(rng, qubits, 3), _angle(rng, transforms))
    names = [name for name in CliffordName if name.num_wires <= qubits]
    name = names[rng.integers(len(names))]
    return Clifford(name, _wires(rng, qubits, name.num_wires))


def _string(rng: np.random.Generator, qubits: int, longest: int) -> PauliString:
    length = int(rng.integers(1, min(qubits, longest) + 1))
    return PauliString("".join(rng.choice(list("XYZ"), length)), _wires(rng, qubits, length))


def _wires(rng: np.random.Generator, qubits: int, count: int) -> tuple[int, ...]:
    return tuple(int(wire) for wire in rng.permutation(qubits)[:count])


def _angle(rng: np.random.Generator, transforms: Sequence[Transform]) -> Angle:
    scale = float(rng.choice([-1.0, 0.5, 1.0, 2.0, 5.0]))
    match rng.integers(5):
        case 0:
            return Constant(float(rng.uniform(-4.0, 4.0)))
        case 1 | 2:
            transform = transforms[rng.integers(len(transforms))]
            return Input(int(rng.integers(NUM_FEATURES)), scale, transform)
        case _:
            return Parameter(int(rng.integers(NUM_PARAMETERS)), scale)
