# SPDX-License-Identifier: Apache-2.0
"""What a variational circuit is: Pauli rotations and Clifford gates on |0...0>, then expectations.

A circuit is a value: frozen, comparable, hashable. It knows nothing of engines. Every gate of the
usual sets is a :class:`Clifford`, a :class:`Rotation`, or a short product of them
(:mod:`quantum.gates`).
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from quantum.errors import require


class Transform(StrEnum):
    """What happens to a feature before it becomes an angle."""

    IDENTITY = "identity"
    ARCTAN = "arctan"
    ARCTAN_SQUARE = "arctan_square"
    """The arctangent of the square."""
    ARCCOS = "arccos"
    """Defined on [-1, 1]; its slope is infinite at the ends."""


@dataclass(frozen=True, slots=True)
class Input:
    """The angle ``scale * transform(inputs[..., index])``."""

    index: int
    scale: float = 1.0
    transform: Transform = Transform.IDENTITY


@dataclass(frozen=True, slots=True)
class Parameter:
    """The angle ``scale * parameters[..., index]``."""

    index: int
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Constant:
    """A fixed angle."""

    value: float


Angle = Input | Parameter | Constant


@dataclass(frozen=True, slots=True)
class PauliString:
    """A product of Pauli matrices, one letter of XYZ for each named wire.

    Raises:
        CircuitError: the letters and the wires do not match.
    """

    letters: str
    wires: tuple[int, ...]

    def __post_init__(self) -> None:
        require(
            0 < len(self.letters) == len(self.wires) and set(self.letters) <= set("XYZ"),
            f"Pauli string {self.letters!r} on wires {self.wires}: one letter of XYZ for each wire",
        )
        require(
            len(set(self.wires)) == len(self.wires),
            f"Pauli string {self.letters!r} names a wire twice: {self.wires}",
        )

    def __str__(self) -> str:
        return " ".join(f"{p}{w}" for p, w in zip(self.letters, self.wires, strict=True))


@dataclass(frozen=True, slots=True)
class Rotation:
    """The gate exp(-i angle/2 P) for a Pauli string P; wire 0 is the most significant qubit."""

    pauli: PauliString
    angle: Angle

    @property
    def wires(self) -> tuple[int, ...]:
        """The wires that it acts on."""
        return self.pauli.wires


class CliffordName(StrEnum):
    """The Clifford gates that circuits are written with."""

    H = "H"
    S = "S"
    S_DAGGER = "S†"
    SX = "SX"
    X = "X"
    Y = "Y"
    Z = "Z"
    CNOT = "CNOT"
    CY = "CY"
    CZ = "CZ"
    SWAP = "SWAP"
    ISWAP = "ISWAP"

    @property
    def num_wires(self) -> int:
        """1 or 2."""
        return 2 if self in _ON_TWO_WIRES else 1


_ON_TWO_WIRES = {
    CliffordName.CNOT,
    CliffordName.CY,
    CliffordName.CZ,
    CliffordName.SWAP,
    CliffordName.ISWAP,
}


@dataclass(frozen=True, slots=True)
class Clifford:
    """A Clifford gate; of two wires the first is the control.

    Raises:
        CircuitError: the number of wires is not that of the gate.
    """

    name: CliffordName
    wires: tuple[int, ...]

    def __post_init__(self) -> None:
        require(
            len(self.wires) == self.name.num_wires == len(set(self.wires)),
            f"{self.name} acts on {self.name.num_wires} different wires; got {self.wires}",
        )


Operation = Rotation | Clifford


@dataclass(frozen=True)
class Circuit:
    """An encoding of the inputs, an ansatz with parameters, and the observables that are measured.

    Args:
        qubits: number of wires, all starting in |0>.
        encoding: the first operations; by habit those that read inputs.
        ansatz: the operations after them; by habit those that read parameters. Either part may
            read either.
        observables: the Pauli strings whose expectations are the outputs.
        name: for pictures and messages.

    Raises:
        CircuitError: a wire does not exist, or nothing is measured.
    """

    qubits: int
    encoding: tuple[Operation, ...]
    ansatz: tuple[Operation, ...]
    observables: tuple[PauliString, ...]
    name: str = "circuit"

    def __post_init__(self) -> None:
        require(self.qubits >= 1, f"{self.name}: qubits is {self.qubits}; allowed: 1 or more")
        require(bool(self.observables), f"{self.name}: at least one observable")
        for part in (*self.operations, *self.observables):
            outside = [w for w in part.wires if not 0 <= w < self.qubits]
            require(
                not outside,
                f"{self.name}: {_title(part)} acts on wire {', '.join(map(str, outside))}, "
                f"but the wires are 0 to {self.qubits - 1}",
            )
        for angle in self.angles:
            if not isinstance(angle, Constant):
                require(angle.index >= 0, f"{self.name}: {angle} has a negative index")

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Encoding and ansatz, in the order in which they act."""
        return self.encoding + self.ansatz

    @cached_property
    def angles(self) -> tuple[Angle, ...]:
        """The angles of the rotations, in the order in which they act."""
        return tuple(o.angle for o in self.operations if isinstance(o, Rotation))

    @cached_property
    def num_features(self) -> int:
        """Columns of the inputs."""
        return max((a.index + 1 for a in self.angles if isinstance(a, Input)), default=0)

    @cached_property
    def num_parameters(self) -> int:
        """Columns of the parameters, dead ones included (see :mod:`quantum.program`)."""
        return max((a.index + 1 for a in self.angles if isinstance(a, Parameter)), default=0)


def _title(part: Operation | PauliString) -> str:
    match part:
        case Rotation():
            return f"the rotation about {part.pauli}"
        case Clifford():
            return str(part.name)
        case PauliString():
            return f"the observable {part}"
