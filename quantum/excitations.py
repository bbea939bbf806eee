# SPDX-License-Identifier: Apache-2.0
"""Gates of quantum chemistry as products of Pauli rotations, exact up to a global phase.

Written as :mod:`quantum.gates` writes them. An excitation turns two basis states into each other
by the real rotation [[cos, -sin], [sin, cos]] of half the angle and leaves the others alone; its
variants ``plus`` and ``minus`` multiply the others by exp(±i angle/2).
"""

from itertools import product
from math import pi
from typing import Literal

from quantum.circuit import Angle, Constant
from quantum.gates import Operations, ising_xx, ising_yy, pauli_rotation, phase_on, rz, scaled

Others = Literal["alone", "plus", "minus"]
_OTHERS_TURN = {"alone": 0.0, "plus": 0.5, "minus": -0.5}


def single_excitation(angle: Angle, a: int, b: int, *, others: Others = "alone") -> Operations:
    """Turns |01> towards |10>."""
    return _excitation(angle, ("01", "10"), (a, b), others)


def double_excitation(
    angle: Angle, a: int, b: int, c: int, d: int, *, others: Others = "alone"
) -> Operations:
    """Turns |0011> towards |1100>."""
    return _excitation(angle, ("0011", "1100"), (a, b, c, d), others)


def fermionic_swap(angle: Angle, a: int, b: int) -> Operations:
    """Exchanges two fermionic modes, wholly when the angle is pi."""
    half = scaled(angle, 0.5)
    return ising_xx(half, a, b) + ising_yy(half, a, b) + rz(half, a) + rz(half, b)


def orbital_rotation(angle: Angle, a: int, b: int, c: int, d: int) -> Operations:
    """The same excitation of both spins of two spatial orbitals."""
    exchange = fermionic_swap(Constant(pi), b, c)
    excite = single_excitation(angle, a, b) + single_excitation(angle, c, d)
    return exchange + excite + exchange


def _excitation(
    angle: Angle, states: tuple[str, str], wires: tuple[int, ...], others: Others
) -> Operations:
    """exp(-i angle/2 Y) in the plane of two states with no bit in common.

    That Y is i|to><from| + its adjoint. Each factor of |to><from| is |1><0| = (X - iY)/2 or
    |0><1| = (X + iY)/2, so the strings with an odd number of Y remain; they commute.
    """
    start, _ = states
    turns: Operations = ()
    for letters in product("XY", repeat=len(wires)):
        downs = sum(p == "Y" and bit == "1" for p, bit in zip(letters, start, strict=True))
        quarter_turns = (2 * downs - letters.count("Y")) % 4
        if quarter_turns % 2:
            factor = (1.0 if quarter_turns == 3 else -1.0) / 2 ** (len(wires) - 1)
            turns += pauli_rotation("".join(letters), scaled(angle, factor), *wires)
    # A phase of the others is, up to a global one, the opposite phase of these two.
    phase = scaled(angle, -_OTHERS_TURN[others])
    return turns + (phase_on(states, phase, *wires) if others != "alone" else ())
