# SPDX-License-Identifier: Apache-2.0
"""A program as the flat arrays that the kernel reads; the mirror of its struct Program."""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantum.errors import require
from quantum.program import Program, SignedShift

MAX_ROWS = 1 << 16
"""Rows are numbered by 16 bits in the kernel: 16 qubits of a real circuit, 15 of a complex one."""

_ZERO, _DIAGONAL, _MOVING = range(3)


_COUNTS = ("rows", "rotations", "observables", "columns", "parameters")
_ARRAYS = (
    "source",
    "scale",
    "offset",
    "first_pair",
    "num_pairs",
    "pairs",
    "kind",
    "image",
    "sign",
)


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
        self._arrays = _rotation_arrays(program) | _observable_arrays(program)
        counts = (
            program.rows,
            len(program.rotations),
            len(program.observables),
            program.num_columns,
            program.num_parameters,
        )
        pointers = (self._arrays[name].ctypes.data for name in _ARRAYS)
        self.struct = ProgramStruct(*counts, *pointers)
        self.address = ctypes.addressof(self.struct)


def _rotation_arrays(program: Program) -> dict[str, NDArray[Any]]:
    """Equal rotations of different layers share one table of pairs."""
    tables: dict[tuple[object, ...], int] = {}
    parts: list[NDArray[np.int64]] = []
    first = []
    for rotation in program.rotations:
        generator = rotation.generator
        key = generator.shift, generator.mask, generator.negative, rotation.active
        if key not in tables:
            tables[key] = sum(map(len, parts))
            parts.append(rotation.pairs())
        first.append(tables[key])
    pairs = np.concatenate(parts) if parts else np.zeros((0, 2), dtype=np.int64)
    return {
        "source": np.array([r.source for r in program.rotations], dtype=np.int32),
        "scale": np.array([r.scale for r in program.rotations], dtype=np.float64),
        "offset": np.array([r.offset for r in program.rotations], dtype=np.float64),
        "first_pair": np.array(first, dtype=np.int32),
        "num_pairs": np.array([r.active // 2 for r in program.rotations], dtype=np.int32),
        "pairs": np.ascontiguousarray(pairs, dtype=np.uint16),
    }


def _observable_arrays(program: Program) -> dict[str, NDArray[Any]]:
    rows = np.arange(program.rows)
    none = SignedShift(0, 0, False)
    actions = [observable or none for observable in program.observables]
    return {
        "kind": np.array([_kind(observable) for observable in program.observables], dtype=np.uint8),
        "image": np.array([action.image(rows) for action in actions], dtype=np.uint16),
        "sign": np.array([action.signs(rows) for action in actions], dtype=np.int8),
    }


def _kind(observable: SignedShift | None) -> int:
    if observable is None:
        return _ZERO
    return _MOVING if observable.shift else _DIAGONAL
