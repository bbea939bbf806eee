# SPDX-License-Identifier: Apache-2.0
"""Who gets which order, now or after a time to think."""

from itertools import pairwise

import numpy as np
import pytest

from sim.distances import NO_CELL, breadth_first, neighbour_table
from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.assignment import AssignmentMethod
from sim.warehouse.book import ASSIGNED, BEGUN, DONE, GIVEN, Book, new_book
from sim.warehouse.book_changes import assign, reveal
from sim.warehouse.control.fields import Fields
from sim.warehouse.dispatch import Dispatcher, DispatchOptions
from sim.warehouse.fleet import Int32s, random_starts
from sim.warehouse.orders import orders_of
from sim.warehouse.rules import GRID
from sim.warehouse.streams import OrderOptions, draw_orders
from sim.warehouse.world import Setting, Worlds
from tests.sim.warehouse.living import FLOOR, Recipe, alive, worlds_of

HALL = Layout("hall", np.ones((1, 9), dtype=np.bool_))


def dispatcher(options: DispatchOptions, robots: int, layout: Layout = FLOOR) -> Dispatcher:
    return Dispatcher(layout, options, Fields(layout, 1), 1, robots)


def moves_of(book: Book, cells: Int32s, orders: Int32s) -> int:
    """By searches of their own: all ways to first errands and through all others."""
    table, total = neighbour_table(FLOOR), 0
    for cell, order in zip(cells, orders, strict=True):
        if order >= 0:
            errands = book.errand_cells[book.errand_ptr[order] : book.errand_ptr[order + 1]]
            stops = [int(cell), *errands.tolist()]
            for here, there in pairwise(stops):
                total += int(breadth_first(table, here, NO_CELL)[there])
    return total


@pytest.mark.parametrize("seed", range(6))
def test_optimal_never_costs_more_than_nearest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    robots = 12
    options = OrderOptions(orders_per_tick=1.0, backlog=True, errands_max=3)
    book = new_book(draw_orders(FLOOR, options, 20, rng), robots)
    reveal(book, 0, (8, 12, 20)[seed % 3])
    cells = random_starts(FLOOR, robots, 1, rng)[0]
    costs, pairs = {}, set()
    for method in AssignmentMethod:
        chosen = dispatcher(DispatchOptions(method), robots).propose(book, cells)
        given = chosen[chosen >= 0].tolist()
        assert len(set(given)) == len(given)
        pairs.add(len(given))
        costs[method] = moves_of(book, cells, chosen)
    assert pairs == {min(robots, (8, 12, 20)[seed % 3])}
    assert costs[AssignmentMethod.OPTIMAL] == costs[AssignmentMethod.AUCTION]
    assert costs[AssignmentMethod.OPTIMAL] <= costs[AssignmentMethod.NEAREST]


def one_robot_world() -> tuple[Worlds, Book]:
    book = new_book(orders_of([[3], [5], [8]]), 1)
    return Worlds(Setting(HALL, GRID), np.array([[0]], dtype=np.int32), [book]), book


def test_what_is_decided_takes_effect_after_the_time_to_think() -> None:
    worlds, book = one_robot_world()
    given = []
    dispatch = dispatcher(DispatchOptions(every_ticks=4, after_ticks=4), 1, HALL)
    for _ in range(12):
        worlds.reveal()
        dispatch.dispatch(worlds)
        given.append(int(book.order_of[0]))
        east = 2 if book.order_of[0] >= 0 else 0
        worlds.step(np.array([[east]], dtype=np.int8))
    # Order 0 is done in tick 6. In tick 4 the robot was not free; so it is given one in tick 12.
    assert given == [-1] * 4 + [0] * 3 + [-1] * 5
    assert book.ticks[0, GIVEN] == 4


def test_without_time_to_think_it_takes_effect_at_once() -> None:
    worlds, book = one_robot_world()
    worlds.reveal()
    dispatcher(DispatchOptions(), 1, HALL).dispatch(worlds)
    assert book.order_of.tolist() == [0]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("controller", ["pibt", "rolling"])
def test_nothing_that_is_given_is_refused(late: bool, controller: str) -> None:
    """Robots begin and finish orders while it is thought, and lose none that they have begun."""
    simulation = alive(Recipe(late=late, robots=18, pool_size=20), controller)
    begun: dict[tuple[int, int], int] = {}
    for _ in range(80):
        simulation.run(1)
        for world, book in enumerate(simulation.worlds.books):
            for robot, order in enumerate(book.order_of.tolist()):
                if order >= 0 and book.state[order] == BEGUN:
                    assert begun.get((world, order), robot) == robot
                    begun[world, order] = robot
    assert simulation.dispatcher.refused == 0
    assert len(begun) > 20


def test_orders_that_are_not_begun_change_hands_only_where_that_is_allowed() -> None:
    for change in (False, True):
        book = new_book(orders_of([[8], [4]]), 2)
        start = np.array([[0, 8]], dtype=np.int32)
        worlds = Worlds(Setting(HALL, GRID), start, [book])
        dispatch = dispatcher(DispatchOptions(change=change), 2, HALL)
        book.order_of[0], book.robot[0], book.state[0] = 0, 0, ASSIGNED
        book.counters[:2] = 1, 0
        worlds.reveal()
        dispatch.dispatch(worlds)
        assert book.order_of.tolist() == ([1, 0] if change else [0, 1])


def test_only_the_oldest_orders_are_looked_at() -> None:
    worlds, book = one_robot_world()
    worlds.reveal()
    near = np.array([8], dtype=np.int32)
    assert dispatcher(DispatchOptions(), 1, HALL).propose(book, near).tolist() == [2]
    assert dispatcher(DispatchOptions(look_at=2), 1, HALL).propose(book, near).tolist() == [1]


def test_orders_that_nobody_can_do_are_given_to_nobody() -> None:
    """One begins beyond the wall, one leads there."""
    halves = Layout("halves", np.array([[1, 1, 0, 1]], dtype=np.bool_))
    book = new_book(orders_of([[3], [1, 3], [1]]), 2)
    worlds = Worlds(Setting(halves, GRID), np.array([[0, 1]], dtype=np.int32), [book])
    worlds.reveal()
    dispatcher(DispatchOptions(), 2, halves).dispatch(worlds)
    assert sorted(book.order_of.tolist()) == [-1, 2]


def cramped(options: DispatchOptions, robots: int, layout: Layout) -> Dispatcher:
    """With room for the distances to one goal."""
    row_mib = 2 * (len(layout.free_cells) + 1) / 2**20
    return Dispatcher(layout, options, Fields(layout, row_mib), 1, robots)


def test_distances_that_do_not_fit_are_estimated() -> None:
    """On a floor without obstacles nothing changes; islands are still told apart."""
    room = Layout("room", np.ones((7, 9), dtype=np.bool_))
    rng = np.random.default_rng(0)
    book = new_book(orders_of(list(rng.choice(room.free_cells, (12, 2)))), 5)
    reveal(book, 0, 12)
    cells = random_starts(room, 5, 1, rng)[0]
    exact, estimated = (
        make(DispatchOptions(), 5, room).propose(book, cells) for make in (dispatcher, cramped)
    )
    assert np.array_equal(exact, estimated)
    halves = Layout("halves", np.array([[1, 1, 0, 1]], dtype=np.bool_))
    book = new_book(orders_of([[3], [1, 3], [1]]), 2)
    reveal(book, 0, 3)
    both = np.array([0, 1], dtype=np.int32)
    assert sorted(cramped(DispatchOptions(), 2, halves).propose(book, both).tolist()) == [-1, 2]


@pytest.mark.parametrize("change", [False, True])
def test_more_robots_than_orders_looked_at_all_get_some(change: bool) -> None:
    rng = np.random.default_rng(0)
    book = new_book(orders_of(list(rng.choice(FLOOR.free_cells, (40, 1)))), 20)
    reveal(book, 0, 40)
    cells = random_starts(FLOOR, 20, 1, rng)[0]
    few = dispatcher(DispatchOptions(look_at=3, change=change), 20)
    chosen = few.propose(book, cells)
    given = set(chosen.tolist())
    assert len(given) == 20
    assert set(range(18)) < given < set(range(21))  # the last two are chosen among three
    assign(book, chosen, 0)
    book.order_of[:2], book.state[chosen[:2]] = -1, DONE
    again = few.propose(book, cells)
    assert len(set(again.tolist())) == 20
    assert (again[:2] >= 0).all()
    kept = int((again == chosen).sum())
    assert 18 - 3 <= kept <= 18 if change else kept == 18


def test_options_that_mean_nothing_are_refused() -> None:
    for options, words in (
        ({"every_ticks": 0}, "every_ticks is 0; allowed: 1 to 1000"),
        ({"after_ticks": -1}, "after_ticks is -1; allowed: 0 to 1000"),
        ({"every_ticks": 5, "after_ticks": 4}, "after_ticks is 4; allowed: 0, or every_ticks, 5"),
        ({"look_at": 0}, "look_at is 0; allowed: 1 to 100000"),
    ):
        with pytest.raises(InputError, match=words):
            DispatchOptions(**options)  # type: ignore[arg-type]


def test_a_dispatcher_goes_on_from_a_snapshot_of_its_kind_alone() -> None:
    worlds = worlds_of(Recipe(numbers=(0,)))
    options = DispatchOptions(every_ticks=2, after_ticks=2)
    one, other = dispatcher(options, 12), dispatcher(options, 12)
    worlds.reveal()
    one.dispatch(worlds)
    other.restore(one.snapshot())
    assert (other.snapshot()["proposed"] == one.snapshot()["proposed"]).all()
    assert (one.snapshot()["proposed"] >= 0).any()
    with pytest.raises(InputError, match="snapshot of a dispatcher"):
        dispatcher(options, 11).restore(one.snapshot())
    for name in ("proposed", "refused"):
        with pytest.raises(InputError, match="snapshot of a dispatcher"):
            other.restore({key: value for key, value in one.snapshot().items() if key != name})
