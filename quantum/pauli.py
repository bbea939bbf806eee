# SPDX-License-Identifier: Apache-2.0
"""Pauli strings as bit masks, and the frame that a product of Clifford gates turns them by.

A string is i^phase X^x Z^z with one bit of ``x`` and ``z`` for each wire; wire 0 is the most
significant bit, as in PennyLane. Products and commutators are then a few bit operations
(Aaronson and Gottesman, arXiv quant-ph/0406196).
"""

from typing import NamedTuple

from quantum.circuit import Clifford, CliffordName, PauliString


class Pauli(NamedTuple):
    """The operator i^phase X^x Z^z."""

    x: int
    z: int
    phase: int

    def __mul__(self, other: object) -> "Pauli":
        """The operator product; moving Z^z past X^x costs a sign for every shared wire."""
        assert isinstance(other, Pauli)
        swapped = 2 * (self.z & other.x).bit_count()
        phase = (self.phase + other.phase + swapped) % 4
        return Pauli(self.x ^ other.x, self.z ^ other.z, phase)

    def commutes(self, other: "Pauli") -> bool:
        """Whether the two operators commute; if not, they anticommute."""
        return ((self.x & other.z).bit_count() + (self.z & other.x).bit_count()) % 2 == 0


def bit(wire: int, qubits: int) -> int:
    """The mask of one wire."""
    return 1 << (qubits - 1 - wire)


def from_string(string: PauliString, qubits: int) -> Pauli:
    """The masks of a string of letters; Y is i X Z."""
    x = sum(bit(w, qubits) for p, w in zip(string.letters, string.wires, strict=True) if p != "Z")
    z = sum(bit(w, qubits) for p, w in zip(string.letters, string.wires, strict=True) if p != "X")
    return Pauli(x, z, string.letters.count("Y") % 4)


# g† X g and g† Z g of every wire of a gate, as signed strings over its wires in order.
_ONE = {
    CliffordName.H: ("+Z", "+X"),
    CliffordName.S: ("-Y", "+Z"),
    CliffordName.S_DAGGER: ("+Y", "+Z"),
    CliffordName.SX: ("+X", "+Y"),
    CliffordName.X: ("+X", "-Z"),
    CliffordName.Y: ("-X", "-Z"),
    CliffordName.Z: ("-X", "+Z"),
}
_TWO = {
    CliffordName.CNOT: ("+XX", "+ZI", "+IX", "+ZZ"),
    CliffordName.CY: ("+XY", "+ZI", "+ZX", "+ZZ"),
    CliffordName.CZ: ("+XZ", "+ZI", "+ZX", "+IZ"),
    CliffordName.SWAP: ("+IX", "+IZ", "+XI", "+ZI"),
    CliffordName.ISWAP: ("-ZY", "+IZ", "-YZ", "+ZI"),
}
_RULES = {**_ONE, **_TWO}


class CliffordFrame:
    """The map P -> C† P C for the product C of the gates applied so far."""

    def __init__(self, qubits: int) -> None:
        self._qubits = qubits
        self._x = [Pauli(bit(w, qubits), 0, 0) for w in range(qubits)]
        self._z = [Pauli(0, bit(w, qubits), 0) for w in range(qubits)]

    def apply(self, gate: Clifford) -> None:
        """Let one more gate act, after the others."""
        images = [self._signed(rule, gate.wires) for rule in _RULES[gate.name]]
        for number, wire in enumerate(gate.wires):
            self._x[wire], self._z[wire] = images[2 * number], images[2 * number + 1]

    def turn(self, string: PauliString) -> Pauli:
        """C† P C."""
        return self._product("+" + string.letters, string.wires)

    def _signed(self, rule: str, wires: tuple[int, ...]) -> Pauli:
        return self._product(rule, wires)

    def _product(self, signed: str, wires: tuple[int, ...]) -> Pauli:
        image = Pauli(0, 0, 0 if signed[0] == "+" else 2)
        for letter, wire in zip(signed[1:], wires, strict=True):
            if letter in "XY":
                image = image * self._x[wire]
            if letter in "YZ":
                image = image * self._z[wire]
            if letter == "Y":
                image = image * Pauli(0, 0, 1)
        return image
