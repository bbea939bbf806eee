# SPDX-License-Identifier: Apache-2.0
"""Flower's Arrays without reading and writing the same header thousands of times.

A small model is mostly header: ``np.load`` parses Python for 50 µs to find the shape of ten
numbers, and Flower does that for every array of every reply. Here the header that an array must
have, by what it says of itself, is made once and compared; the bytes are those of ``np.save``.
"""

from functools import lru_cache
from io import BytesIO
from math import prod
from typing import Any

import numpy as np
from flwr.app import Array
from numpy.typing import NDArray

NUMPY = "numpy.ndarray"
"""How Flower calls the format of ``np.save``."""
PLAIN = "biufc"
"""Kinds of numbers whose bytes are what they are in memory."""


def encode(value: NDArray[Any]) -> Array:
    """As ``Array(value)``, byte for byte."""
    if value.dtype.kind not in PLAIN or not value.flags.c_contiguous:
        return Array(value)
    name, shape = str(value.dtype), value.shape
    return Array(name, shape, NUMPY, _header(name, shape) + value.tobytes())


def decode(array: Array) -> NDArray[Any]:
    """As ``array.numpy()``, which is asked when the bytes are not what they should be.

    Raises:
        ValueError, TypeError, EOFError: as there.
    """
    found = _quickly(array)
    return Array.numpy(array) if found is None else found


class QuickArray(Array):
    """An Array for a strategy, which calls :meth:`numpy` of every array of every reply.

    Strategies may send on what they were given: then, to Flower and pickle, it is an Array.
    """

    __qualname__ = "Array"

    @classmethod
    def of(cls, array: Array) -> "QuickArray":
        """The same array."""
        made = cls.__new__(cls)
        made.__dict__.update(array.__dict__)
        return made

    def numpy(self) -> NDArray[Any]:
        """The numbers."""
        return decode(self)

    def __reduce__(self) -> tuple[type[Array], tuple[str, tuple[int, ...], str, bytes]]:
        return Array, (self.dtype, self.shape, self.stype, self.data)


def _quickly(array: Array) -> NDArray[Any] | None:
    shape = tuple(array.shape)
    try:
        header, dtype = _header(array.dtype, shape), np.dtype(array.dtype)
    except (ValueError, TypeError):
        return None
    size = len(header) + dtype.itemsize * prod(shape)
    if array.stype != NUMPY or len(array.data) != size or not array.data.startswith(header):
        return None
    return np.frombuffer(array.data, dtype, offset=len(header)).reshape(shape).copy()


@lru_cache(maxsize=1024)
def _header(name: str, shape: tuple[int, ...]) -> bytes:
    """What ``np.save`` writes before the numbers."""
    dtype = np.dtype(name)
    if dtype.kind not in PLAIN:
        raise TypeError(f"{name} is no plain kind of number")
    buffer = BytesIO()
    described = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, described)
    return buffer.getvalue()
