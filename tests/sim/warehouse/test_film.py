# SPDX-License-Identifier: Apache-2.0
"""Films show robots where they are."""

import numpy as np
import pytest

from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.book import new_book
from sim.warehouse.book_changes import assign
from sim.warehouse.film import BUSY, CALLED, FREE, Film
from sim.warehouse.orders import orders_of
from sim.warehouse.rules import GRID, Following, Gait, Rules, league
from sim.warehouse.world import Setting, Worlds

HALL = Layout("hall", np.ones((4, 5), dtype=np.bool_))


def filmed(rules: Rules, actions: list[int], ticks: int = 20) -> tuple[Film, Worlds]:
    """One robot that starts in row 2, column 1, with an order to column 2 and back."""
    book = new_book(orders_of([[12, 11]]), 1)
    worlds = Worlds(Setting(HALL, rules), np.array([[11]], dtype=np.int32), [book])
    film = Film(worlds, ticks, 400)
    worlds.reveal()
    assign(book, np.array([0], dtype=np.int32), 0)
    for action in actions:
        told = np.array([[action]], dtype=np.int8)
        film.watch(worlds, worlds.view(), told, worlds.step(told))
    return film, worlds


def test_robots_drive_between_cells_by_tenths() -> None:
    film, _ = filmed(league(4), [1, 1, 0, 1, 1, 1])
    assert film.x[:7, 0].tolist() == [10, 12, 15, 15, 17, 20, 22]
    assert film.y[:7, 0].tolist() == [20] * 7
    assert film.heading[:7, 0].tolist() == [1] * 7
    assert film.work[:7, 0].tolist() == [FREE] + [CALLED] * 4 + [BUSY] * 2


def test_robots_turn_on_the_spot_and_head_where_they_drive() -> None:
    film, _ = filmed(league(2), [2, 2, 1, 1])
    assert film.heading[:5, 0].tolist() == [1, 1, 2, 2, 2]
    assert film.x[:5, 0].tolist() == [10] * 5
    assert film.y[:5, 0].tolist() == [20, 20, 20, 25, 30]


@pytest.mark.parametrize(("action", "x", "y"), [(1, 10, 15), (2, 15, 20), (3, 10, 25), (4, 5, 20)])
def test_robots_slide_in_all_directions(action: int, x: int, y: int) -> None:
    film, _ = filmed(Rules(Gait.SLIDING, 2, Following.NEVER), [action])
    assert (film.x[1, 0], film.y[1, 0], film.heading[1, 0]) == (x, y, action - 1)


def test_a_robot_is_busy_from_its_first_errand_to_its_last() -> None:
    film, _ = filmed(GRID, [2, 0, 4, 0])
    assert film.work[:5, 0].tolist() == [FREE, BUSY, BUSY, FREE, FREE]


def test_only_the_first_ticks_and_robots_of_the_first_world_are_kept() -> None:
    books = [new_book(orders_of([[0]]), 3) for _ in range(2)]
    starts = np.array([[0, 1, 2], [5, 6, 7]], dtype=np.int32)
    worlds = Worlds(Setting(HALL, GRID), starts, books)
    film = Film(worlds, 2, 2)
    wait = np.zeros((2, 3), dtype=np.int8)
    for _ in range(5):
        film.watch(worlds, worlds.view(), wait, worlds.step(wait))
    assert film.length == 3
    assert film.x.tolist() == [[0, 10]] * 3


def test_a_film_goes_on_from_a_snapshot_of_its_kind_alone() -> None:
    film, worlds = filmed(GRID, [2, 3])
    snapshot = film.snapshot()
    other = Film(worlds, 20, 400)
    other.restore(snapshot)
    assert other.length == 3
    assert (other.x == film.x).all()
    with pytest.raises(InputError, match="x is of another film"):
        Film(worlds, 19, 400).restore(snapshot)
    with pytest.raises(InputError, match="of another film"):
        film.restore({name: array for name, array in snapshot.items() if name != "length"})
