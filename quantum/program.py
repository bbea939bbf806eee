# SPDX-License-Identifier: Apache-2.0
"""A circuit as engines run it: plane rotations on the rows of a real vector.

Three observations turn every circuit into the same simple thing.

1. Clifford gates cost nothing: moved to the end of the circuit, they change the Pauli string that
   each rotation turns about and each observable measures, and no more (:mod:`quantum.pauli`).
2. Written with the real and imaginary parts of the amplitudes as rows, -iP is a real antisymmetric
   signed permutation A with A² = -1, for every Pauli string P. So exp(-i a/2 P) = cos(a/2) +
   sin(a/2) A turns disjoint pairs of rows by the same angle, whatever the gate was.
3. A moves row k to row k ^ shift. Rows that no sum of shifts reaches from |0...0> stay zero and
   are left out: a real circuit keeps its real rows only, an untouched qubit or a conserved parity
   halves them again.

Rotations that cannot change any output are left out as well: those that only turn the phase of
|0...0>, and those that commute with all that follows. Parameters that occur only there are dead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from quantum.circuit import Angle, Circuit, Clifford, Constant, Input, Parameter, Transform
from quantum.pauli import CliffordFrame, Pauli

NO_SOURCE = -1

Columns = tuple[tuple[int, Transform], ...]
"""Which feature, and how transformed, each column of a program's inputs is."""


@dataclass(frozen=True, eq=False)
class SignedShift:
    """The signed permutation that sends row k to ±row k ^ shift.

    The sign is negative where ``negative`` plus the parity of ``mask & k`` is odd.
    """

    shift: int
    mask: int
    negative: bool

    def image(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the rows go."""
        return rows ^ self.shift

    def signs(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """+1 or -1 for every row."""
        odd = np.bitwise_count(rows & self.mask) % 2 != self.negative
        return np.where(odd, -1, 1)


@dataclass(frozen=True, eq=False)
class PlaneRotation:
    """Turns the pairs (k, k ^ shift) of the first ``active`` rows by ``angle / 2``.

    The angle is ``scale * source + offset``, where the source is a column of the inputs, then of
    the parameters (:attr:`Program.num_columns` first), or nothing.
    """

    generator: SignedShift
    active: int
    source: int
    scale: float
    offset: float

    def pairs(self) -> NDArray[np.int64]:
        """``[active / 2, 2]``: rows (p, q) of which p turns towards q, so q += sin * p."""
        top = 1 << (self.generator.shift.bit_length() - 1)
        rows = np.arange(self.active)
        low = rows[rows & top == 0]
        both = np.stack([low, self.generator.image(low)], axis=1)
        return np.where(self.generator.signs(low)[:, None] > 0, both, both[:, ::-1])


@dataclass(frozen=True, eq=False)
class Program:
    """What an engine runs; see the module's text.

    Args:
        rows: length of the real state vector, a power of two; the start is row 0.
        columns: which feature, and how transformed, each input column is.
        rotations: in the order in which they act.
        observables: signed symmetric permutations; None where the expectation is always zero.
        num_parameters: columns of the parameters.
        dead_parameters: indices of parameters that no output depends on.
    """

    rows: int
    columns: Columns
    rotations: tuple[PlaneRotation, ...]
    observables: tuple[SignedShift | None, ...]
    num_parameters: int
    dead_parameters: tuple[int, ...]

    @property
    def num_columns(self) -> int:
        """Columns of the transformed inputs."""
        return len(self.columns)


@lru_cache(maxsize=64)
def make_program(circuit: Circuit) -> Program:
    """Compile a circuit; nothing of exponential size is made.

    Kept, because choosing an engine asks for it and then the engine does.
    """
    turns, angles, measured = _conjugate(circuit)
    kept = _alive(turns, measured)
    span = _Span()
    columns = input_columns([angles[k] for k in kept])
    rotations = []
    for k in kept:
        row_shift, row_mask, negative = _real_action(turns[k], circuit.qubits, quarter_turns=-1)
        span.add(row_shift)
        generator = span.reduced(row_shift, row_mask, negative)
        assert generator is not None
        source, scale, offset = affine(angles[k], columns)
        rotations.append(PlaneRotation(generator, 1 << span.rank, source, scale, offset))
    observables = tuple(
        span.reduced(*_real_action(pauli, circuit.qubits, quarter_turns=0)) for pauli in measured
    )
    alive = {a.index for a in (angles[k] for k in kept) if isinstance(a, Parameter)}
    dead = tuple(p for p in range(circuit.num_parameters) if p not in alive)
    return Program(
        1 << span.rank, columns, tuple(rotations), observables, circuit.num_parameters, dead
    )


def _conjugate(circuit: Circuit) -> tuple[list[Pauli], list[Angle], list[Pauli]]:
    """The strings of the rotations and of the observables once all Cliffords are at the end."""
    frame = CliffordFrame(circuit.qubits)
    turns = []
    for operation in circuit.operations:
        if isinstance(operation, Clifford):
            frame.apply(operation)
        else:
            turns.append(frame.turn(operation.pauli))
    return turns, list(circuit.angles), [frame.turn(o) for o in circuit.observables]


def _alive(turns: list[Pauli], measured: list[Pauli]) -> list[int]:
    """The rotations that can change an output, in order."""
    later: list[Pauli] = list(measured)
    kept = []
    for k in reversed(range(len(turns))):
        if not _commutes_with_all(turns[k], later):
            later.append(turns[k])
            kept.append(k)
    earlier: list[Pauli] = []
    alive = []
    for k in reversed(kept):
        # A string without X leaves |0...0> where it is, up to a phase, if it can get to it.
        if turns[k].x or not _commutes_with_all(turns[k], earlier):
            earlier.append(turns[k])
            alive.append(k)
    return alive


def _commutes_with_all(pauli: Pauli, others: list[Pauli]) -> bool:
    # The nearest ones first: they are the likeliest to share a wire.
    return all(pauli.commutes(other) for other in reversed(others))


def _real_action(pauli: Pauli, qubits: int, quarter_turns: int) -> tuple[int, int, bool]:
    """Shift, mask and sign of i^quarter_turns P on real rows; the top bit marks imaginary parts.

    An odd power of i exchanges real and imaginary parts, with a sign from imaginary to real.
    """
    power = (pauli.phase + quarter_turns) % 4
    exchange = (power % 2) << qubits
    return pauli.x | exchange, pauli.z | exchange, power >= 2


class _Span:
    """The sums of the shifts so far; a row's number says which of them it takes, bit by bit."""

    def __init__(self) -> None:
        self._basis: list[int] = []
        # Sums of basis shifts, each with a top bit that later ones lack; and which ones.
        self._echelon: list[tuple[int, int, int]] = []

    @property
    def rank(self) -> int:
        return len(self._basis)

    def add(self, shift: int) -> None:
        """Let the span grow by this shift, unless it is in there."""
        rest, members = self._eliminate(shift)
        if rest:
            top = 1 << (rest.bit_length() - 1)
            self._echelon.append((top, rest, members ^ (1 << self.rank)))
            self._basis.append(shift)

    def reduced(self, shift: int, mask: int, negative: bool) -> SignedShift | None:
        """The action in the span's own row numbers; None if it leads out of the span."""
        rest, members = self._eliminate(shift)
        if rest:
            return None
        odd = (i for i, s in enumerate(self._basis) if (mask & s).bit_count() % 2)
        return SignedShift(members, sum(1 << i for i in odd), negative)

    def _eliminate(self, shift: int) -> tuple[int, int]:
        """What is left of the shift, and the basis shifts that were taken from it."""
        members = 0
        for top, rest, which in self._echelon:
            if shift & top:
                shift, members = shift ^ rest, members ^ which
        return shift, members


def input_columns(angles: Sequence[Angle]) -> Columns:
    """What angles read of the inputs: by transform, then by feature, to be transformed at once."""
    used = {(a.index, a.transform) for a in angles if isinstance(a, Input)}
    return tuple(sorted(used, key=lambda column: (list(Transform).index(column[1]), column[0])))


def affine(angle: Angle, columns: Columns) -> tuple[int, float, float]:
    """Source, scale and offset of an angle; see :class:`PlaneRotation`."""
    match angle:
        case Input(index, scale, transform):
            return columns.index((index, transform)), scale, 0.0
        case Parameter(index, scale):
            return len(columns) + index, scale, 0.0
        case Constant(value):
            return NO_SOURCE, 0.0, value
