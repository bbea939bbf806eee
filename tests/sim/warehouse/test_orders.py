# SPDX-License-Identifier: Apache-2.0
"""Orders: what describes none is refused, and a file gives back what was written."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.orders import NO_DEADLINE, Orders, orders_of, repeated, require_errands
from sim.warehouse.orders_file import load_orders, save_orders

WALL = Layout("wall", np.array([[True, True, False], [True, True, True]]))


def same(one: Orders, other: Orders) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        and getattr(one, field.name).dtype == getattr(other, field.name).dtype
        for field in fields(Orders)
    )


def test_orders_keep_the_sequence_of_their_errands() -> None:
    orders = orders_of([[3, 0, 3], np.array([5])], release_tick=[0, 7], deadline_tick=[9, 7])
    assert len(orders) == 2
    assert [orders.errands(order).tolist() for order in range(2)] == [[3, 0, 3], [5]]
    assert orders.release_tick.tolist() == [0, 7]


def test_orders_are_known_at_once_and_never_late_unless_told() -> None:
    orders = orders_of([[1]])
    assert (orders.release_tick.tolist(), orders.deadline_tick.tolist()) == ([0], [NO_DEADLINE])


def test_no_orders_are_orders() -> None:
    assert len(orders_of([])) == 0


@pytest.mark.parametrize(
    ("errands", "ticks", "message"),
    [
        ([[1], [], [2]], {}, "order 1 has no errand"),
        ([[1], [2]], {"release_tick": [4, 3]}, "release_tick of order 1 is 3; allowed: ascending"),
        ([[1]], {"release_tick": [-1]}, "release_tick of order 0 is -1"),
        ([[1], [2]], {"release_tick": [4]}, "release_tick is '1 long'; allowed: 2"),
        ([[1]], {"release_tick": [4], "deadline_tick": [3]}, "deadline_tick of order 0 is 3"),
        ([[1]], {"deadline_tick": [NO_DEADLINE + 1]}, "deadline_tick of order 0"),
        ([[1]], {"deadline_tick": [[9]]}, "deadline_tick is .*; allowed: one row of int64"),
    ],
)
def test_what_describes_no_order_is_refused(
    errands: list[list[int]], ticks: dict[str, list[int]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        orders_of(errands, **ticks)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("errand_ptr", np.array([1, 2])),
        ("errand_ptr", np.array([0, 3])),
        ("errand_ptr", np.array([0, 5, 2])),
        ("errand_ptr", np.empty(0, dtype=np.int64)),
        ("errand_cells", np.array([1, 2])),
        ("release_tick", np.array([0.5])),
        ("deadline_tick", None),
    ],
)
def test_arrays_of_another_kind_are_refused(field: str, value: object) -> None:
    with pytest.raises(InputError, match=field):
        replace(orders_of([[1, 2]]), **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cell", "where"),
    [
        (2, "order 1, errand 1: row 0, column 2 is an obstacle of layout wall"),
        (6, r"order 1, errand 1: row 2, column 0 \(cell 6\) is outside layout wall"),
        (-1, r"order 1, errand 1: row -1, column 2 \(cell -1\) is outside layout wall"),
    ],
)
def test_errands_where_no_robot_can_stand_are_refused(cell: int, where: str) -> None:
    require_errands(WALL, orders_of([[0, 5], [4, 1]]))
    with pytest.raises(InputError, match=where):
        require_errands(WALL, orders_of([[0, 5], [4, cell], [2]]))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_repeated_orders_wrap_around(count: int) -> None:
    rows = [[1, 2], [3], [4, 5, 0]]
    expected = orders_of([rows[order % 3] for order in range(count)])
    assert same(repeated(orders_of(rows), count), expected)


def test_only_orders_without_ticks_repeat() -> None:
    with pytest.raises(InputError, match="orders is 0"):
        repeated(orders_of([]), 3)
    for ticks in ({"release_tick": [2]}, {"deadline_tick": [2]}):
        with pytest.raises(InputError, match="with ticks"):
            repeated(orders_of([[1]], **ticks), 3)


def test_a_file_gives_back_the_orders(tmp_path: Path) -> None:
    for orders in (orders_of([[3, 0, 3], [5]], [0, 7], [9, 7]), orders_of([])):
        save_orders(orders, tmp_path / "orders")
        assert same(load_orders(tmp_path / "orders"), orders)


def test_files_that_hold_no_orders_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.npz"
    good = {field.name: getattr(orders_of([[1]]), field.name) for field in fields(Orders)}
    for arrays, message in (
        ({"format": np.int64(2), **good}, "format is 2; allowed: 1"),
        (good, "format is -1; allowed: 1"),
        ({"format": np.int64(1), "errand_ptr": np.zeros(1)}, "has .'errand_ptr'.; allowed: "),
        ({"format": np.int64(1), **good, "errand_ptr": np.arange(3)}, "errand_cells is"),
        ({"format": np.array([None], dtype=object)}, "holds no orders"),
    ):
        np.savez(path, **arrays)
        with pytest.raises(InputError, match=rf"orders\.npz: {message}"):
            load_orders(path)
    path.write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(InputError, match=r"orders\.npz: holds no orders"):
        load_orders(path)
    with pytest.raises(InputError, match=r"missing\.npz: holds no orders"):
        load_orders(tmp_path / "missing.npz")
