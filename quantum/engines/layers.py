# SPDX-License-Identifier: Apache-2.0
"""A program in layers of commuting rotations, each of which is simple in one fixed basis.

In that basis every rotation of the layer turns the same pairs of coordinates, forwards or
backwards. So pair p turns by sum_k turns[k, p] a_k / 2: read as complex numbers, the pairs are
multiplied by phases, whatever the number of gates. Observables that commute are sums of squares of
coordinates, likewise.
"""

from dataclasses import dataclass

import numpy as np

from quantum.engines.eigenbasis import Basis, Signs, commute, eigenbasis, turning_basis
from quantum.program import PlaneRotation, Program, SignedShift


@dataclass(frozen=True, eq=False)
class Layer:
    """Rotations that commute, and their common basis.

    Args:
        rotations: in the order of the program.
        basis: its coordinates 2p and 2p + 1 are a pair that turns.
        turns: ``[rotations, patterns]`` of +1 and -1, the direction in which each rotation turns
            the pairs; pair p has pattern p // (pairs / patterns).
    """

    rotations: tuple[PlaneRotation, ...]
    basis: Basis
    turns: Signs


@dataclass(frozen=True, eq=False)
class Measurement:
    """Observables that commute: their expectations are ``coordinates**2 @ values``.

    Args:
        basis: the coordinates.
        values: ``[rows, observables]``, +1 or -1; zero for observables of other measurements.
    """

    basis: Basis
    values: Signs


def group_rotations(program: Program) -> list[list[PlaneRotation]]:
    """Each rotation in the earliest layer that it can be moved to."""
    groups: list[list[PlaneRotation]] = []
    for rotation in program.rotations:
        place = len(groups)
        while place and all(commute(rotation.generator, r.generator) for r in groups[place - 1]):
            place -= 1
        if place == len(groups):
            groups.append([])
        groups[place].append(rotation)
    return groups


def make_layer(rotations: list[PlaneRotation], rows: int) -> Layer:
    """The basis of rotations that commute."""
    basis, turns = turning_basis([rotation.generator for rotation in rotations], rows)
    return Layer(tuple(rotations), basis, turns)


def make_measurements(program: Program) -> list[Measurement]:
    """The observables in groups that commute; at least one group."""
    groups: list[dict[int, SignedShift]] = [{}]
    for number, observable in enumerate(program.observables):
        if observable is not None:
            fitting = (g for g in groups if all(commute(observable, o) for o in g.values()))
            group = next(fitting, None)
            if group is None:
                groups.append(group := {})
            group[number] = observable
    return [_measurement(group, program) for group in groups]


def _measurement(group: dict[int, SignedShift], program: Program) -> Measurement:
    basis, found = eigenbasis(list(group.values()), program.rows)
    values = np.zeros((program.rows, len(program.observables)), dtype=np.int8)
    values[:, list(group)] = found.T
    return Measurement(basis, values)
