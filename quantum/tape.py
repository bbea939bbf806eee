# SPDX-License-Identifier: Apache-2.0
"""A PennyLane tape as a circuit: what it does (structure) apart from the numbers it does it with.

Tapes of one structure share one engine, so the structure is hashable and holds no angle. Wires are
numbers here; labels are mapped on reading.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pennylane as qml
import torch
from pennylane.measurements import ExpectationMP
from pennylane.ops.op_math import Adjoint
from pennylane.tape import QuantumScript

from quantum import excitations, gates
from quantum.circuit import Angle, Circuit, Input, Operation, Parameter, PauliString
from quantum.engines import Engine, make_engine
from quantum.gather import ALONE, references

PROGRAMS = 256
"""Engines that are kept, the most recently used ones."""

MAX_CONTROLLED = 5
"""Wires of a multi-controlled X up to which its 2^wires rotations beat a decomposition."""


class Unsupported(Exception):  # noqa: N818 - it is a verdict, and nothing of it leaves the package
    """Our engines cannot run the tape; the text says what is in the way."""


Step = tuple[type, bool, Hashable, tuple[int, ...]]
"""Kind of gate, whether inverted, what else is fixed about it, wires."""

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


def _fixed(operations: Callable[..., gates.Operations]) -> Callable[..., gates.Operations]:
    return lambda _, *arguments: operations(*arguments)


def _clifford(name: str) -> Callable[..., gates.Operations]:
    return lambda _, *wires: gates.clifford(name, *wires)


def _excitation(
    build: Callable[..., gates.Operations], others: excitations.Others
) -> Callable[..., gates.Operations]:
    return lambda _, *arguments: build(*arguments, others=others)


def _phase(state: str) -> Callable[..., gates.Operations]:
    return lambda _, *arguments: gates.controlled_phase(*arguments, state=state)


def _multi_controlled_x(values: str, *wires: int) -> gates.Operations:
    return gates.multi_controlled_x(*wires, control_values=values)


def _nothing(_: object, *__: object) -> gates.Operations:
    return ()


GATES: dict[type, tuple[int, Callable[..., gates.Operations]]] = {
    **{getattr(qml, p): (0, _clifford(p)) for p in "X Y Z S SX CNOT CY CZ SWAP ISWAP".split()},
    qml.Hadamard: (0, _clifford("H")),
    qml.Identity: (0, _nothing),
    qml.Barrier: (0, _nothing),
    qml.GlobalPhase: (1, _nothing),
    qml.T: (0, _fixed(gates.t)),
    qml.RX: (1, _fixed(gates.rx)),
    qml.RY: (1, _fixed(gates.ry)),
    qml.RZ: (1, _fixed(gates.rz)),
    qml.PhaseShift: (1, _fixed(gates.phase_shift)),
    qml.U1: (1, _fixed(gates.u1)),
    qml.U2: (2, _fixed(gates.u2)),
    qml.U3: (3, _fixed(gates.u3)),
    qml.Rot: (3, _fixed(gates.rot)),
    qml.PauliRot: (1, gates.pauli_rotation),
    qml.MultiRZ: (1, _fixed(gates.multi_rz)),
    qml.IsingXX: (1, _fixed(gates.ising_xx)),
    qml.IsingYY: (1, _fixed(gates.ising_yy)),
    qml.IsingZZ: (1, _fixed(gates.ising_zz)),
    qml.IsingXY: (1, _fixed(gates.ising_xy)),
    qml.SISWAP: (0, _fixed(gates.siswap)),
    qml.ECR: (0, _fixed(gates.ecr)),
    qml.PSWAP: (1, _fixed(gates.pswap)),
    qml.CH: (0, _fixed(gates.controlled_hadamard)),
    qml.CRX: (1, _fixed(gates.crx)),
    qml.CRY: (1, _fixed(gates.cry)),
    qml.CRZ: (1, _fixed(gates.crz)),
    qml.CRot: (3, _fixed(gates.crot)),
    qml.ControlledPhaseShift: (1, _phase("11")),
    qml.CPhaseShift00: (1, _phase("00")),
    qml.CPhaseShift01: (1, _phase("01")),
    qml.CPhaseShift10: (1, _phase("10")),
    qml.CCZ: (0, _fixed(gates.ccz)),
    qml.CSWAP: (0, _fixed(gates.cswap)),
    qml.Toffoli: (0, _fixed(gates.toffoli)),
    qml.MultiControlledX: (0, _multi_controlled_x),
    qml.FermionicSWAP: (1, _fixed(excitations.fermionic_swap)),
    qml.OrbitalRotation: (1, _fixed(excitations.orbital_rotation)),
    qml.SingleExcitation: (1, _excitation(excitations.single_excitation, "alone")),
    qml.SingleExcitationPlus: (1, _excitation(excitations.single_excitation, "plus")),
    qml.SingleExcitationMinus: (1, _excitation(excitations.single_excitation, "minus")),
    qml.DoubleExcitation: (1, _excitation(excitations.double_excitation, "alone")),
    qml.DoubleExcitationPlus: (1, _excitation(excitations.double_excitation, "plus")),
    qml.DoubleExcitationMinus: (1, _excitation(excitations.double_excitation, "minus")),
}
"""For each gate its number of angles, and its operations from (what is fixed, angles, wires)."""


def is_native(operator: Any) -> bool:
    """Whether the gate, or the gate that it inverts, is one that we run as it is."""
    plain = operator.base if isinstance(operator, Adjoint) else operator
    if isinstance(plain, qml.MultiControlledX):
        return len(plain.wires) <= MAX_CONTROLLED
    return type(plain) in GATES


def read(tape: QuantumScript, wires: Sequence[Hashable] | None = None) -> Reading:
    """Split a tape into structure and numbers.

    Args:
        tape: any tape.
        wires: labels of the device's wires; None takes those of the tape.

    Raises:
        Unsupported: it holds a gate, an angle or a measurement that our engines cannot run.
    """
    if tape.shots:
        raise Unsupported("finite shots")
    if not tape.measurements:
        raise Unsupported("a tape without measurements")
    index = {label: k for k, label in enumerate(tape.wires if wires is None else wires)}
    try:
        steps = tuple([_step(o, index) for o in tape.operations])
        words, results = _observables(tape, index)
    except KeyError as error:
        raise Unsupported(f"wire {error}, which the device does not have") from error
    private = [count <= ALONE for o in tape.operations for count in references(o.data)]
    values = [_angle(value) for o in tape.operations for value in o.data]
    if len({v.shape[0] for v in values if isinstance(v, torch.Tensor) and v.dim()}) > 1:
        raise Unsupported("angles of different batch sizes")
    structure = Structure(len(index), steps, words)
    return Reading(structure, values, private, results, _any_torch(tape, results))


def _step(operator: Any, index: dict[Hashable, int]) -> Step:
    kind, inverted = type(operator), False
    if kind not in GATES and isinstance(operator, Adjoint):
        operator, inverted = operator.base, True
        kind = type(operator)
    if kind not in GATES or not is_native(operator):
        raise Unsupported(f"the operation {operator.name}")
    fixed = None
    if kind is qml.PauliRot:
        fixed = operator.hyperparameters["pauli_word"]
    elif kind is qml.MultiControlledX:
        fixed = "".join("01"[bool(v)] for v in operator.hyperparameters["control_values"])
    return kind, inverted, fixed, tuple([index[label] for label in operator.wires.labels])


def _observables(
    tape: QuantumScript, index: dict[Hashable, int]
) -> tuple[tuple[Word, ...], list[list[tuple[Any, int | None]]]]:
    numbers: dict[Word, int] = {}
    results: list[list[tuple[Any, int | None]]] = []
    for measurement in tape.measurements:
        if type(measurement) is not ExpectationMP or measurement.obs is None:
            raise Unsupported(f"the measurement {type(measurement).__name__}")
        sentence = measurement.obs.pauli_rep
        if sentence is None:
            raise Unsupported(f"the observable {measurement.obs.name}")
        terms: list[tuple[Any, int | None]] = []
        for pauli, coefficient in sentence.items():
            word = tuple(sorted((index[w], letter) for w, letter in pauli.items()))
            number = numbers.setdefault(word, len(numbers)) if word else None
            terms.append((_real(coefficient), number))
        results.append(terms)
    if not numbers:
        raise Unsupported("an observable that is a multiple of the identity")
    return tuple(numbers), results


def _real(coefficient: Any) -> Any:
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
    if isinstance(value, float | int):
        return value
    if not isinstance(value, torch.Tensor):
        if type(value).__module__.split(".")[0] not in _NUMBERS:
            raise Unsupported(f"an angle of type {type(value).__module__}.{type(value).__name__}")
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise Unsupported(f"an angle of dtype {array.dtype}")
        value = torch.tensor(array, dtype=torch.float64)
    # What torch.func and torch.export pass around are tensors whose memory no kernel can read.
    elif type(value) not in _PLAIN or torch._C._functorch.is_functorch_wrapped_tensor(value):
        raise Unsupported(f"an angle of type {type(value).__name__} (or inside torch.func)")
    if value.dtype not in _REAL or value.dim() > 1:
        raise Unsupported(f"an angle of dtype {value.dtype} and shape {tuple(value.shape)}")
    return value


def _any_torch(tape: QuantumScript, results: Sequence[Sequence[tuple[Any, int | None]]]) -> bool:
    angles = any(isinstance(v, torch.Tensor) for o in tape.operations for v in o.data)
    return angles or any(isinstance(c, torch.Tensor) for terms in results for c, _ in terms)


def circuit_of(structure: Structure, slots: Sequence[int], name: str = "tape") -> Circuit:
    """The circuit of a structure.

    Args:
        structure: what it does.
        slots: for each angle, its column of the parameters, or ``~column`` of the inputs.
        name: of the circuit.
    """
    angles = [Parameter(slot) if slot >= 0 else Input(~slot) for slot in slots]
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


def _idle(angle: Angle) -> gates.Operations:
    return gates.rz(gates.scaled(angle, 0.0), 0)


@lru_cache(maxsize=PROGRAMS)
def engine_for(structure: Structure, slots: tuple[int, ...], device: str) -> Engine:
    """The engine for a structure whose angles lie in these slots; see :func:`circuit_of`."""
    return make_engine(circuit_of(structure, slots), device=device)
