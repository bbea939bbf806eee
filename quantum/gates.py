# SPDX-License-Identifier: Apache-2.0
"""The usual gates as products of Pauli rotations and Clifford gates, exact up to a global phase.

Names, argument orders and signs are those of PennyLane: angles first, then wires, controls before
targets. Every angle that comes out is a multiple of one angle that went in, so what differentiates
rotations differentiates all of these. Because a global phase is dropped, none of them may be put
under a further control.
"""

from collections.abc import Sequence
from itertools import product
from math import pi, prod

from quantum.circuit import (
    Angle,
    Clifford,
    CliffordName,
    Constant,
    Input,
    Operation,
    Parameter,
    PauliString,
    Rotation,
)
from quantum.errors import require

Operations = tuple[Operation, ...]


def scaled(angle: Angle, factor: float) -> Angle:
    """The angle times a number."""
    match angle:
        case Input(index, scale, transform):
            return Input(index, factor * scale, transform)
        case Parameter(index, scale):
            return Parameter(index, factor * scale)
        case Constant(value):
            return Constant(factor * value)


def adjoint(operations: Operations) -> Operations:
    """The inverse, up to a global phase."""
    return tuple(inverse for o in reversed(operations) for inverse in _inverse(o))


def _inverse(operation: Operation) -> Operations:
    match operation:
        case Rotation(pauli, angle):
            return (Rotation(pauli, scaled(angle, -1.0)),)
        case Clifford(CliffordName.S, wires):
            return clifford("S†", *wires)
        case Clifford(CliffordName.S_DAGGER, wires):
            return clifford("S", *wires)
        case Clifford(CliffordName.SX, wires):
            return (operation, *clifford("X", *wires))
        case Clifford(CliffordName.ISWAP, wires):
            return (operation, *(z for wire in wires for z in clifford("Z", wire)))
        case _:
            return (operation,)


def clifford(name: str, *wires: int) -> Operations:
    """One Clifford gate, by the name of a :class:`quantum.circuit.CliffordName`.

    Raises:
        ValueError: there is none of this name.
        CircuitError: it acts on another number of wires.
    """
    return (Clifford(CliffordName(name), wires),)


def pauli_rotation(letters: str, angle: Angle, *wires: int) -> Operations:
    """exp(-i angle/2 P); letters I are allowed, and nothing is left of a rotation by them alone.

    Raises:
        CircuitError: letters and wires do not match.
    """
    require(
        len(letters) == len(wires),
        f"Pauli rotation {letters!r} on wires {wires}: one letter of IXYZ for each wire",
    )
    kept = [(p, w) for p, w in zip(letters, wires, strict=True) if p != "I"]
    if not kept:
        return ()
    return (Rotation(PauliString("".join(p for p, _ in kept), tuple(w for _, w in kept)), angle),)


def multi_rz(angle: Angle, *wires: int) -> Operations:
    """exp(-i angle/2 Z...Z)."""
    return pauli_rotation("Z" * len(wires), angle, *wires)


def rx(angle: Angle, wire: int) -> Operations:
    """exp(-i angle/2 X)."""
    return pauli_rotation("X", angle, wire)


def ry(angle: Angle, wire: int) -> Operations:
    """exp(-i angle/2 Y)."""
    return pauli_rotation("Y", angle, wire)


def rz(angle: Angle, wire: int) -> Operations:
    """exp(-i angle/2 Z); up to the global phase also U1 and the phase shift."""
    return pauli_rotation("Z", angle, wire)


phase_shift = u1 = rz


def rot(phi: Angle, theta: Angle, omega: Angle, wire: int) -> Operations:
    """RZ(phi), then RY(theta), then RZ(omega)."""
    return rz(phi, wire) + ry(theta, wire) + rz(omega, wire)


def u2(phi: Angle, delta: Angle, wire: int) -> Operations:
    """U3 with theta = pi/2."""
    return u3(Constant(pi / 2), phi, delta, wire)


def u3(theta: Angle, phi: Angle, delta: Angle, wire: int) -> Operations:
    """RZ(delta), then RY(theta), then RZ(phi)."""
    return rot(delta, theta, phi, wire)


def t(wire: int) -> Operations:
    """The fourth root of Z."""
    return rz(Constant(pi / 4), wire)


def ising_xx(angle: Angle, a: int, b: int) -> Operations:
    """exp(-i angle/2 XX)."""
    return pauli_rotation("XX", angle, a, b)


def ising_yy(angle: Angle, a: int, b: int) -> Operations:
    """exp(-i angle/2 YY)."""
    return pauli_rotation("YY", angle, a, b)


def ising_zz(angle: Angle, a: int, b: int) -> Operations:
    """exp(-i angle/2 ZZ)."""
    return pauli_rotation("ZZ", angle, a, b)


def ising_xy(angle: Angle, a: int, b: int) -> Operations:
    """exp(i angle/4 (XX + YY))."""
    half = scaled(angle, -0.5)
    return ising_xx(half, a, b) + ising_yy(half, a, b)


def siswap(a: int, b: int) -> Operations:
    """The square root of ISWAP."""
    return ising_xy(Constant(pi / 2), a, b)


def ecr(a: int, b: int) -> Operations:
    """The echoed cross resonance gate (IX - XY) / sqrt(2)."""
    return pauli_rotation("ZX", Constant(pi / 2), a, b) + clifford("X", a)


def controlled_rotation(letter: str, angle: Angle, control: int, target: int) -> Operations:
    """exp(-i angle/2 P) on the target where the control is 1: half of it by P, half by -ZP."""
    turn = pauli_rotation(letter, scaled(angle, 0.5), target)
    return turn + pauli_rotation("Z" + letter, scaled(angle, -0.5), control, target)


def crx(angle: Angle, control: int, target: int) -> Operations:
    """A controlled RX."""
    return controlled_rotation("X", angle, control, target)


def cry(angle: Angle, control: int, target: int) -> Operations:
    """A controlled RY."""
    return controlled_rotation("Y", angle, control, target)


def crz(angle: Angle, control: int, target: int) -> Operations:
    """A controlled RZ."""
    return controlled_rotation("Z", angle, control, target)


def crot(phi: Angle, theta: Angle, omega: Angle, control: int, target: int) -> Operations:
    """A controlled Rot."""
    return crz(phi, control, target) + cry(theta, control, target) + crz(omega, control, target)


def controlled_hadamard(control: int, target: int) -> Operations:
    """A controlled H, which is Z seen from an eighth of a turn about Y."""
    eighth = Constant(pi / 4)
    turned = ry(scaled(eighth, -1.0), target) + clifford("CZ", control, target)
    return turned + ry(eighth, target)


def phase_on(states: Sequence[str], angle: Angle, *wires: int) -> Operations:
    """Multiplies the named basis states, such as ``"011"``, by exp(i angle), and no others.

    The projector on a state of k wires is the mean of 2^k strings of Z with signs; so this is up
    to 2^k - 1 rotations.
    """
    turns: Operations = ()
    for letters in product("IZ", repeat=len(wires)):
        signs = (_sign(letters, bits) for bits in states)
        factor = -2.0 * sum(signs) / 2 ** len(wires)
        if factor:
            turns += pauli_rotation("".join(letters), scaled(angle, factor), *wires)
    return turns


def _sign(letters: Sequence[str], bits: str) -> int:
    return prod(-1 if (p, b) == ("Z", "1") else 1 for p, b in zip(letters, bits, strict=True))


def controlled_phase(angle: Angle, control: int, target: int, state: str = "11") -> Operations:
    """exp(i angle) on one basis state: the gates CPhaseShift, CPhaseShift00, 01 and 10."""
    return phase_on([state], angle, control, target)


def pswap(angle: Angle, a: int, b: int) -> Operations:
    """SWAP, with exp(i angle) where the wires differ."""
    return clifford("SWAP", a, b) + phase_on(["01", "10"], angle, a, b)


def multi_controlled_x(*wires: int, control_values: str | None = None) -> Operations:
    """X on the last wire where the others are as ``control_values`` says, by default all 1."""
    values = "1" * (len(wires) - 1) if control_values is None else control_values
    hadamard = clifford("H", wires[-1])
    return hadamard + phase_on([values + "1"], Constant(pi), *wires) + hadamard


def ccz(a: int, b: int, c: int) -> Operations:
    """-1 where all three are 1."""
    return phase_on(["111"], Constant(pi), a, b, c)


def toffoli(a: int, b: int, target: int) -> Operations:
    """X on the target where both others are 1."""
    return multi_controlled_x(a, b, target)


def cswap(control: int, a: int, b: int) -> Operations:
    """Swaps two wires where the control is 1."""
    return clifford("CNOT", b, a) + toffoli(control, a, b) + clifford("CNOT", b, a)
