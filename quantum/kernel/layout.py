# SPDX-License-Identifier: Apache-2.0
"""A program as the flat arrays that the kernel reads; the mirror of its struct Program."""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantum.errors import require
from quantum.program import PlaneRotation, Program, SignedShift

Array = NDArray[Any]

MAX_ROWS = 1 << 16
"""Rows are numbered by 16 bits in the kernel: 16 qubits of a real circuit, 15 of a complex one."""

_COUNTS = ("rows", "rotations", "passes", "groups", "observables", "columns", "parameters")
_ARRAYS = (
    "source",
    "scale",
    "offset",
    "pass",
    "group",
    "direction",
    "orbits",
    "observable",
    "terms",
)
_ZERO, _DIAGONAL, _MOVING = range(3)


class ProgramStruct(ctypes.Structure):
    """The kernel's struct Program, field by field."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in _COUNTS),
        *((name, ctypes.c_void_p) for name in _ARRAYS),
    )


class ProgramLayout:
    """Owns the arrays that a :class:`ProgramStruct` points into.

    Raises:
        CircuitError: the program has more rows than the kernel can number.
    """

    def __init__(self, program: Program) -> None:
        require(
            program.rows <= MAX_ROWS,
            f"the circuit needs {program.rows} rows; the compiled engine has at most {MAX_ROWS}: "
            "choose the torch engine",
        )
        passes = list(_passes(program.rotations))
        self._arrays = (
            _angle_arrays(program.rotations) | _pass_arrays(passes) | _observable_arrays(program)
        )
        counts = (
            program.rows,
            len(program.rotations),
            len(passes),
            len(self._arrays["group"]),
            len(program.observables),
            program.num_columns,
            program.num_parameters,
        )
        pointers = (self._arrays[name].ctypes.data for name in _ARRAYS)
        self.struct = ProgramStruct(*counts, *pointers)
        self.address = ctypes.addressof(self.struct)


def _angle_arrays(rotations: Sequence[PlaneRotation]) -> dict[str, Array]:
    return {
        "source": np.array([r.source for r in rotations], dtype=np.int32),
        "scale": np.array([r.scale for r in rotations], dtype=np.float64),
        "offset": np.array([r.offset for r in rotations], dtype=np.float64),
    }


def _passes(rotations: Sequence[PlaneRotation]) -> Iterator[tuple[int, tuple[PlaneRotation, ...]]]:
    """Rotations in twos where their pairs make squares, with the number of the first."""
    k = 0
    while k < len(rotations):
        together = rotations[k : k + 2]
        if len({r.generator.shift for r in together}) < len(together):
            together = together[:1]
        yield k, tuple(together)
        k += len(together)


def _pass_arrays(passes: Sequence[tuple[int, tuple[PlaneRotation, ...]]]) -> dict[str, Array]:
    """Equal passes of different layers share their groups of orbits."""
    known: dict[tuple[object, ...], tuple[int, int]] = {}
    table, begin = [], 0
    groups: list[tuple[int, int]] = []
    directions: list[tuple[int, ...]] = []
    orbits = [np.zeros(0, dtype=np.uint16)]
    for first, rotations in passes:
        key = tuple((r.active, *astuple(r.generator)) for r in rotations)
        if key not in known:
            found = list(_groups(rotations))
            known[key] = len(groups), len(groups) + len(found)
            for direction, rows in found:
                groups.append((begin, len(rows)))
                directions.append(direction)
                orbits.append(rows.astype(np.uint16).ravel())
                begin += rows.size
        table.append((first, *known[key]))
    return {
        "pass": np.array(table, dtype=np.int32),
        "group": np.array(groups, dtype=np.int32),
        "direction": np.array(directions, dtype=np.int8),
        "orbits": np.concatenate(orbits),
    }


def _groups(rotations: tuple[PlaneRotation, ...]) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Orbits of the rows under one or two shifts, sorted by the directions of their turns."""
    if len(rotations) == 1:
        yield (1, 0, 0, 0), rotations[0].pairs()
        return
    first, second = (r.generator for r in rotations)
    a = _corners(first, second, max(r.active for r in rotations))
    b, c = first.image(a), second.image(a)
    signs = np.stack([first.signs(a), first.signs(c), second.signs(a), second.signs(b)], axis=1)
    rows = np.stack([a, b, c, first.image(c)], axis=1)
    for direction in np.unique(signs, axis=0):
        yield tuple(direction.tolist()), rows[(signs == direction).all(axis=1)]


def _corners(first: SignedShift, second: SignedShift, active: int) -> Array:
    """One row of every square: one from which both turns go forwards, where there is such a row."""
    top = _top_bit(first.shift)
    rest = _top_bit(second.shift ^ first.shift if second.shift & top else second.shift)
    rows = np.arange(active)
    rows = rows[rows & (top | rest) == 0]
    square = np.stack(
        [rows, first.image(rows), second.image(rows), first.image(second.image(rows))]
    )
    forwards = 2 * first.signs(square) + second.signs(square)
    corner: Array = np.take_along_axis(square, forwards.argmax(axis=0)[None], axis=0)[0]
    return corner


def _top_bit(number: int) -> int:
    return 1 << (number.bit_length() - 1)


def _observable_arrays(program: Program) -> dict[str, Array]:
    rows = np.arange(program.rows)
    table, terms, begin = [], [np.zeros((0, 2), dtype=np.uint16)], 0
    for observable in program.observables:
        if observable is None:
            table.append((_ZERO, begin, 0, 0))
            continue
        image = observable.image(rows)
        once = rows[rows <= image]  # psi_p psi_q and psi_q psi_p are one term
        order = np.argsort(-observable.signs(once), kind="stable")
        positive = int((observable.signs(once) > 0).sum())
        kind = _MOVING if observable.shift else _DIAGONAL
        table.append((kind, begin, positive, len(once)))
        terms.append(np.stack([once, image[once]], axis=1)[order].astype(np.uint16))
        begin += len(once)
    return {
        "observable": np.array(table, dtype=np.int32),
        "terms": np.concatenate(terms),
    }
