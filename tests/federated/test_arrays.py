# SPDX-License-Identifier: Apache-2.0
"""Flower's Arrays, quickly: the same bytes, the same numbers, the same complaints."""

import pickle

import numpy as np
import pytest
from flwr.app import Array

from federated.arrays import NUMPY, QuickArray, decode, encode

VALUES = [
    np.arange(6.0).reshape(2, 3),
    np.arange(3, dtype=np.float32),
    np.array(5),
    np.zeros((0, 4)),
    np.arange(5, dtype=">i4"),
    np.ones((3, 4)).T,
    np.arange(10)[::2],
    np.array([True, False]),
    np.array([1 + 2j]),
    np.array(["text"]),
    np.zeros(2, dtype=[("name", "f4")]),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{value.dtype}{value.shape}")
def test_bytes_and_numbers_are_those_of_flower(value: np.ndarray) -> None:
    slow, quick = Array(value), encode(value)
    assert quick == slow
    for found in (decode(slow), QuickArray.of(slow).numpy()):
        np.testing.assert_array_equal(found, value)
        assert found.dtype == slow.numpy().dtype
        assert found.flags.writeable


SAID = Array(np.arange(3.0))


@pytest.mark.parametrize(
    "array",
    [
        Array("float64", (3,), NUMPY, b"no numpy file"),
        Array("float64", (3,), NUMPY, SAID.data[:-1]),
        Array("float64", (3,), "torch", SAID.data),
        Array("object", (1,), NUMPY, b"\x93NUMPY"),
        Array("float64", (3,), NUMPY, b""),
    ],
)
def test_what_flower_cannot_read_cannot_be_read(array: Array) -> None:
    with pytest.raises((ValueError, TypeError, EOFError)) as slow:
        array.numpy()
    with pytest.raises(slow.type):
        decode(array)


@pytest.mark.parametrize(("name", "shape"), [("float32", (3,)), ("float64", (4,)), ("no", (-1,))])
def test_an_array_that_says_something_else_is_read_as_flower_reads_it(
    name: str, shape: tuple[int, ...]
) -> None:
    lying = Array(name, shape, NUMPY, SAID.data)
    np.testing.assert_array_equal(decode(lying), lying.numpy())


def test_a_quick_array_travels_as_any_other() -> None:
    quick = QuickArray.of(SAID)
    assert quick.deflate() == SAID.deflate()
    assert pickle.loads(pickle.dumps(quick)) == SAID
