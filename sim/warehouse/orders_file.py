# SPDX-License-Identifier: Apache-2.0
"""Orders in an ``.npz`` file."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.text_files import quoted, shown
from sim.warehouse.orders import Orders

FORMAT = 1


def save_orders(orders: Orders, path: Path) -> None:
    """Write to exactly this path."""
    arrays = {field.name: getattr(orders, field.name) for field in fields(orders)}
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, format=np.int64(FORMAT), **arrays)


def load_orders(path: Path) -> Orders:
    """Read what ``save_orders`` wrote.

    Raises:
        InputError: the file is missing, damaged or from another version.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            arrays: dict[str, NDArray[Any]] = dict(data)
    except Exception as error:  # a damaged archive raises a dozen kinds, few of them OSError
        raise InputError(f"{shown(path)}: holds no orders ({error})") from error
    found = arrays.pop("format", np.int64(-1))
    if found.shape != () or found != FORMAT:
        raise InputError(f"{shown(path)}: format is {quoted(found.tolist())}; allowed: {FORMAT}")
    expected = {field.name for field in fields(Orders)}
    if arrays.keys() != expected:
        raise InputError(f"{shown(path)}: has {sorted(arrays)}; allowed: {sorted(expected)}")
    try:
        return Orders(**arrays)
    except InputError as error:
        raise InputError(f"{shown(path)}: {error}") from error
