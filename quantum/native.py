# SPDX-License-Identifier: Apache-2.0
"""Which of PennyLane's gates our engines run, and as which rotations and Clifford gates."""

from collections.abc import Callable, Hashable
from typing import Any, cast

import pennylane as qml
from pennylane.devices.preprocess import decompose
from pennylane.operation import StatePrepBase
from pennylane.ops.op_math import Adjoint, ControlledOp, Exp
from pennylane.tape import QuantumScript

from quantum import excitations, gates

MAX_CONTROLLED = 5
"""Wires of a multi-controlled X up to which its 2^wires rotations beat a decomposition."""


class Unsupported(Exception):  # noqa: N818 - it is a verdict, and nothing of it leaves the package
    """Our engines cannot run the tape; the text says what is in the way."""


Step = tuple[type, bool, Hashable, tuple[int, ...]]
"""Kind of gate, whether inverted, what else is fixed about it, wires."""


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


def step_of(operator: Any, index: dict[Hashable, int]) -> Step:
    """One gate as a part of a structure.

    Args:
        operator: any operation.
        index: number of each wire, by its label.

    Raises:
        Unsupported: it is not native.
        KeyError: a wire is not in the index.
    """
    kind = type(operator)
    if kind in GATES and kind not in _FIXED:  # nearly always
        return kind, False, None, tuple([index[label] for label in _labels(operator)])
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
