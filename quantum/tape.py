# SPDX-License-Identifier: Apache-2.0
"""A PennyLane tape as a circuit: what it does (structure) apart from the numbers it does it with.

Tapes of one structure share one engine, so the structure is hashable and holds no angle. Wires are
numbers here; labels are mapped on reading.
"""

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from pennylane.measurements import ExpectationMP
from pennylane.tape import QuantumScript

from quantum import gates
from quantum.circuit import Angle, Circuit, Constant, Input, Operation, Parameter, PauliString
from quantum.engines import Engine, make_engine
from quantum.gather import ALONE, references
from quantum.native import GATES, Step, Unsupported, step_of

PROGRAMS = 256
"""Engines that are kept, the most recently used ones."""

Word = tuple[tuple[int, str], ...]
"""A Pauli string: wire and letter."""


class Structure(NamedTuple):
    """All of a tape but its numbers."""

    qubits: int
    steps: tuple[Step, ...]
    words: tuple[Word, ...]


class Reading(NamedTuple):
    """A tape, read.

    Args:
        structure: what it does.
        values: the angles, in order.
        private: for each angle, whether only the tape refers to it.
        results: for each measurement, pairs of coefficient and number of the Pauli string; the
            string None is the identity.
        torch: whether any number came as a torch tensor.
    """

    structure: Structure
    values: list[torch.Tensor | float]
    private: list[bool]
    results: list[list[tuple[Any, int | None]]]
    torch: bool


def read(tape: QuantumScript, wires: Sequence[Hashable] | None = None) -> Reading:
    """Split a tape into structure and numbers.

    Args:
        tape: any tape.
        wires: labels of the device's wires; None takes those of the tape.

    Raises:
        Unsupported: it holds a gate, an angle or a measurement that our engines cannot run.
    """
    require_expectations(tape)
    if torch._C._functorch.peek_interpreter_stack() is not None:
        raise Unsupported("a transform of torch.func, whose tensors no kernel can read")
    index = {label: k for k, label in enumerate(tape.wires if wires is None else wires)}
    try:
        steps = tuple([step_of(o, index) for o in tape.operations])
        words, results = _observables(tape, index)
    except KeyError as error:
        raise Unsupported(f"wire {error}, which the device does not have") from error
    data = [o.data for o in tape.operations if o.data]
    private = [count <= ALONE for angles in data for count in references(angles)]
    values = [_angle(value) for angles in data for value in angles]
    structure = Structure(len(index), steps, words)
    return Reading(structure, values, private, results, _any_torch(tape, results))


def require_expectations(tape: QuantumScript) -> None:
    """Find out early, before anything is decomposed.

    Raises:
        Unsupported: the tape has shots, or measures something else than expectations.
    """
    if tape.shots:
        raise Unsupported("finite shots")
    if not tape.measurements:
        raise Unsupported("a tape without measurements")
    for measurement in tape.measurements:
        if type(measurement) is not ExpectationMP or measurement.obs is None:
            raise Unsupported(f"the measurement {type(measurement).__name__}")


def _observables(
    tape: QuantumScript, index: dict[Hashable, int]
) -> tuple[tuple[Word, ...], list[list[tuple[Any, int | None]]]]:
    numbers: dict[Word, int] = {}
    results: list[list[tuple[Any, int | None]]] = []
    for measurement in tape.measurements:
        sentence = measurement.obs.pauli_rep
        if sentence is None:
            raise Unsupported(f"the observable {measurement.obs.name}")
        terms: list[tuple[Any, int | None]] = []
        for pauli, coefficient in sentence.items():
            word = tuple(sorted((index[w], letter) for w, letter in pauli.items()))
            number = numbers.setdefault(word, len(numbers)) if word else None
            terms.append((_real(coefficient), number))
        results.append(terms)
    # An engine measures something; what only asks for the identity multiplies it by zero.
    return tuple(numbers) or (((0, "Z"),),), results


def _real(coefficient: Any) -> Any:
    if type(coefficient) in (float, int, np.float64):
        return float(coefficient)
    if isinstance(coefficient, torch.Tensor):
        if coefficient.dim() or coefficient.is_complex():
            raise Unsupported("an observable with batched or complex coefficients")
        return coefficient
    if type(coefficient).__module__.split(".")[0] not in ("builtins", "numpy", "pennylane"):
        raise Unsupported(f"a coefficient of type {type(coefficient).__name__}")
    if np.ndim(coefficient) or np.imag(coefficient):
        raise Unsupported("an observable with batched or complex coefficients")
    return float(np.real(coefficient))


_REAL = {torch.float32, torch.float64, torch.int32, torch.int64}
_PLAIN = {torch.Tensor, torch.nn.Parameter}
_NUMBERS = ("builtins", "numpy", "pennylane")


def _angle(value: Any) -> torch.Tensor | float:
    if type(value) is torch.Tensor and value.dtype in _REAL and value.dim() <= 1:
        return value  # by far the most frequent
    if isinstance(value, float | int):
        return value
    if not isinstance(value, torch.Tensor):
        if type(value).__module__.split(".")[0] not in _NUMBERS:
            raise Unsupported(f"an angle of type {type(value).__module__}.{type(value).__name__}")
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise Unsupported(f"an angle of dtype {array.dtype}")
        return _angle(torch.tensor(array, dtype=torch.float64))
    if type(value) not in _PLAIN:  # fake tensors and their like have no memory
        raise Unsupported(f"an angle of type {type(value).__name__}")
    if value.dtype not in _REAL or value.dim() > 1:
        raise Unsupported(f"an angle of dtype {value.dtype} and shape {tuple(value.shape)}")
    return value


def _any_torch(tape: QuantumScript, results: Sequence[Sequence[tuple[Any, int | None]]]) -> bool:
    angles = any(isinstance(v, torch.Tensor) for o in tape.operations for v in o.data)
    return angles or any(isinstance(c, torch.Tensor) for terms in results for c, _ in terms)


def measured(
    results: Sequence[Sequence[tuple[Any, int | None]]], outputs: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """The measurements of a tape.

    Args:
        results: see :class:`Reading`.
        outputs: of the engine, ``[batch, words]`` or ``[words]``.

    Returns:
        One tensor for each measurement, ``[batch]`` or a scalar.
    """
    columns = outputs.unbind(-1)
    return tuple([_sum(terms, columns) for terms in results])


def _sum(terms: Sequence[tuple[Any, int | None]], columns: Sequence[torch.Tensor]) -> torch.Tensor:
    if len(terms) == 1:
        coefficient, number = terms[0]
        if number is not None and type(coefficient) is float and coefficient == 1.0:
            return columns[number]
    total = 0.0 * columns[0]
    for coefficient, number in terms:
        total = total + (coefficient if number is None else coefficient * columns[number])
    return total


Slot = int | float
"""Where an angle is: a column of the parameters, ``~column`` of the inputs, or a fixed number."""


def circuit_of(structure: Structure, slots: Sequence[Slot], name: str = "tape") -> Circuit:
    """The circuit of a structure.

    Args:
        structure: what it does.
        slots: of the angles, in order.
        name: of the circuit.
    """
    angles = [_angle_in(slot) for slot in slots]
    operations: list[Operation] = []
    for kind, inverted, fixed, wires in structure.steps:
        count, build = GATES[kind]
        own, angles = angles[:count], angles[count:]
        built = build(fixed, *own, *wires)
        operations += gates.adjoint(built) if inverted else built
        if own and not built:  # a global phase: nothing depends on it, but it is an argument
            operations += _idle(own[0])
    observables = tuple(
        PauliString("".join(letter for _, letter in word), tuple(wire for wire, _ in word))
        for word in structure.words
    )
    return Circuit(structure.qubits, (), tuple(operations), observables, name)


def _angle_in(slot: Slot) -> Angle:
    if isinstance(slot, float):
        return Constant(slot)
    return Parameter(slot) if slot >= 0 else Input(~slot)


def _idle(angle: Angle) -> gates.Operations:
    return gates.rz(gates.scaled(angle, 0.0), 0)


@lru_cache(maxsize=PROGRAMS)
def engine_for(structure: Structure, slots: tuple[Slot, ...], device: str) -> Engine:
    """The engine for a structure whose angles lie in these slots; see :func:`circuit_of`."""
    return make_engine(circuit_of(structure, slots), device=device)
