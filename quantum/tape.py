# SPDX-License-Identifier: Apache-2.0
"""A PennyLane tape as a circuit: what it does (structure) apart from the numbers it does it with.

Tapes of one structure share one engine, so the structure is hashable and holds no angle. Wires are
numbers here; labels are mapped on reading.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
import pennylane as qml
import torch
from pennylane.devices.preprocess import decompose
from pennylane.measurements import ExpectationMP
from pennylane.operation import StatePrepBase
from pennylane.ops.op_math import Adjoint, ControlledOp, Exp
from pennylane.tape import QuantumScript

from quantum import excitations, gates
from quantum.circuit import Angle, Circuit, Constant, Input, Operation, Parameter, PauliString
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
    return lambda _, angle, *wires: gates.phase_on([state], angle, *wires)


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

_CONTROLLED = {kind for kind in GATES if issubclass(kind, ControlledOp)}


def is_native(operator: Any) -> bool:
    """Whether the gate, or the gate that it inverts, is one that we run as it is."""
    kind = type(operator)
    if kind not in GATES:
        return (
            isinstance(operator, Adjoint)
            and type(operator.base) in GATES
            and (is_native(operator.base))
        )
    return kind is not qml.MultiControlledX or len(operator.wires) <= MAX_CONTROLLED


def decomposed(tape: QuantumScript) -> QuantumScript:
    """The tape in gates that we run, as far as its own gates allow.

    Raises:
        Unsupported: a gate cannot be decomposed.
    """
    _require_expectations(tape)
    if all(map(is_native, tape.operations)):
        return tape
    try:
        (ours,), _ = decompose(
            tape,
            stopping_condition=lambda o: is_native(o) or _opaque(o),
            skip_initial_state_prep=False,
            target_gates={kind.__name__ for kind in GATES},
            name="fedfleet.qubit",
        )
    except Exception as error:  # whatever is wrong, default.qubit says so in PennyLane's own words
        raise Unsupported(f"a decomposition that fails: {error}") from error
    return cast(QuantumScript, ours)


def _opaque(operator: Any) -> bool:
    """Whether it has a decomposition that default.qubit would not use, for good reasons.

    The angles of a state or of a matrix are not smooth functions of its entries, and a Trotter
    formula is not exact.
    """
    if isinstance(operator, StatePrepBase):
        return not isinstance(operator, qml.BasisState)
    if isinstance(operator, Exp):
        return getattr(operator, "num_steps", None) is not None
    return bool(operator.has_matrix) and any(getattr(operator, "ndim_params", ()))


def read(tape: QuantumScript, wires: Sequence[Hashable] | None = None) -> Reading:
    """Split a tape into structure and numbers.

    Args:
        tape: any tape.
        wires: labels of the device's wires; None takes those of the tape.

    Raises:
        Unsupported: it holds a gate, an angle or a measurement that our engines cannot run.
    """
    _require_expectations(tape)
    if torch._C._functorch.peek_interpreter_stack() is not None:
        raise Unsupported("a transform of torch.func, whose tensors no kernel can read")
    index = {label: k for k, label in enumerate(tape.wires if wires is None else wires)}
    try:
        steps = tuple([_step(o, index) for o in tape.operations])
        words, results = _observables(tape, index)
    except KeyError as error:
        raise Unsupported(f"wire {error}, which the device does not have") from error
    data = [o.data for o in tape.operations if o.data]
    private = [count <= ALONE for angles in data for count in references(angles)]
    values = [_angle(value) for angles in data for value in angles]
    structure = Structure(len(index), steps, words)
    return Reading(structure, values, private, results, _any_torch(tape, results))


def _require_expectations(tape: QuantumScript) -> None:
    if tape.shots:
        raise Unsupported("finite shots")
    if not tape.measurements:
        raise Unsupported("a tape without measurements")
    for measurement in tape.measurements:
        if type(measurement) is not ExpectationMP or measurement.obs is None:
            raise Unsupported(f"the measurement {type(measurement).__name__}")


def _step(operator: Any, index: dict[Hashable, int]) -> Step:
    if not is_native(operator):
        raise Unsupported(f"the operation {operator.name}")
    inverted = type(operator) not in GATES
    if inverted:
        operator = operator.base
    kind = type(operator)
    fixed = _FIXED[kind](operator.hyperparameters) if kind in _FIXED else None
    return kind, inverted, fixed, tuple([index[label] for label in _labels(operator)])


_FIXED: dict[type, Callable[[Any], Hashable]] = {
    qml.PauliRot: lambda about: about["pauli_word"],
    qml.MultiControlledX: lambda about: "".join("01"[bool(v)] for v in about["control_values"]),
}
"""What is fixed about a gate besides its wires, from what PennyLane calls hyperparameters."""


def _labels(operator: Any) -> tuple[Hashable, ...]:
    """The wires; PennyLane builds those of a controlled gate anew, with checks, each time."""
    if type(operator) in _CONTROLLED:
        labels = operator.hyperparameters["control_wires"].labels + operator.base.wires.labels
    else:
        labels = operator.wires.labels
    return labels  # type: ignore[no-any-return]


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
