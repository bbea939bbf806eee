# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest

from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.chance import world_keys
from sim.warehouse.people.ground import ground_of
from sim.warehouse.people.options import PeopleKind, PeopleOptions
from sim.warehouse.people.people import People
from sim.warehouse.people.scripted import path_reference, position_reference
from sim.warehouse.people.walkers import closed_reference
from tests.sim.warehouse.people.floors import floor

KEYS = world_keys(7, [0, 1, 2])


def options(kind: PeopleKind, **changes: Any) -> PeopleOptions:
    return PeopleOptions(**{"count": 6, "kind": kind, "pause_s": 1.0, "tick_s": 0.25} | changes)


def test_scripted_walkers_follow_shortest_paths_and_pause() -> None:
    """Each walk between two pauses against its own polyline, tick by tick."""
    layout, chosen = floor(), options(PeopleKind.SCRIPTED, cell_m=1.5, tick_s=0.1)
    people = People(layout, chosen, KEYS[:1])
    ground, speed_m_s = people.ground, people.desired_speeds[0]
    begun, walks, pauses = {}, 0, 0
    for tick in range(600):
        before = people.snapshot()
        people.advance(tick)
        for walker in range(chosen.count):
            cell, goal = int(before["people_cell"][0, walker]), before["people_goal"][0, walker]
            if before["people_pause_ticks"][0, walker] > 0:
                np.testing.assert_array_equal(
                    people.positions[0, walker], before["people_position_m"][0, walker]
                )
                begun.pop(walker, None)
                pauses += 1
                continue
            if walker not in begun:
                begun[walker] = (tick, path_reference(ground, layout.width, cell, goal))
            first, path = begun[walker]
            walked_m = (tick + 1 - first) * 0.1 * speed_m_s[walker]
            expected = position_reference(path, walked_m, 1.5, layout.width)
            np.testing.assert_allclose(people.positions[0, walker], expected, atol=1e-9)
            if people.snapshot()["people_goal"][0, walker] != goal:
                assert walked_m >= 1.5 * (len(path) - 1) - 1e-9
                begun.pop(walker)
                walks += 1
    assert walks > 10
    assert pauses > 50


def test_ways_are_shortest() -> None:
    layout = floor()
    ground = ground_of(layout, PeopleOptions(1))
    from_wall = np.full(layout.free.size, -1)
    for place in (0, 5):
        lengths = [len(path_reference(ground, layout.width, int(cell), place)) - 1
                   for cell in ground.cells]  # fmt: skip
        from_wall[ground.cells] = lengths
        for cell, length in zip(ground.cells, lengths, strict=True):
            row, column = layout.row_column(int(cell))
            around = [from_wall[(row + r) * layout.width + column + c]
                      for r, c in ((-1, 0), (0, 1), (1, 0), (0, -1))
                      if 0 <= row + r < layout.height and 0 <= column + c < layout.width
                      and layout.free[row + r, column + c]]  # fmt: skip
            assert length == 0 or min(around) == length - 1
        assert lengths.count(0) == 1


@pytest.mark.parametrize("kind", list(PeopleKind))
@pytest.mark.parametrize("radius_m", [0.0, 0.9, 2.5])
def test_cells_around_people_are_closed(kind: PeopleKind, radius_m: float) -> None:
    layout, chosen = floor(), options(kind, stop_radius_m=radius_m, cell_m=0.9)
    people = People(layout, chosen, KEYS)
    for tick in range(30):
        expected = closed_reference(people.positions, radius_m, 0.9, layout.height, layout.width)
        np.testing.assert_array_equal(people.closed, expected)
        assert (people.closed.sum(axis=1) >= 1).all()
        people.advance(tick)


@pytest.mark.parametrize("kind", list(PeopleKind))
def test_a_world_is_the_same_alone_and_goes_on_from_a_snapshot(kind: PeopleKind) -> None:
    together = People(floor(), options(kind), KEYS)
    alone = People(floor(), options(kind), KEYS[1:2])
    begin = alone.positions.copy()
    for tick in range(120):
        if tick == 60:
            half = alone.snapshot()
            alone = People(floor(), options(kind), KEYS[1:2])
            alone.restore(half)
        together.advance(tick)
        alone.advance(tick)
        np.testing.assert_array_equal(together.closed[1], alone.closed[0])
    np.testing.assert_array_equal(together.positions[1], alone.positions[0])
    assert np.abs(alone.positions - begin).max() > 3
    assert not np.array_equal(together.positions[0], together.positions[1])


def test_no_people_close_nothing() -> None:
    people = People(floor(), PeopleOptions(), KEYS)
    people.advance(0)
    assert people.positions.shape == (3, 0, 2)
    assert not people.closed.any()


@pytest.mark.parametrize(
    ("field", "value"),
    [("count", -1), ("count", 1001), ("speed_m_s", 0.0), ("speed_m_s", float("nan")),
     ("speed_deviation_m_s", 1.0), ("pause_s", -1.0), ("places", 1), ("places_seed", -1),
     ("cell_m", 0.0), ("tick_s", float("inf")), ("stop_radius_m", float("nan"))],
)  # fmt: skip
def test_options_refuse(field: str, value: float) -> None:
    with pytest.raises(InputError, match=rf"{field} is .*allowed"):
        PeopleOptions(**{field: value})


def test_a_floor_without_a_way_is_refused() -> None:
    with pytest.raises(InputError, match="cells to walk on is 1"):
        People(Layout("one", np.array([[True, False, True]])), PeopleOptions(1), KEYS)


def test_snapshots_of_others_are_refused() -> None:
    people = People(floor(), options(PeopleKind.SCRIPTED), KEYS)
    good = people.snapshot()
    obstacle = int(np.flatnonzero(~floor().free.ravel())[0])
    changes: list[dict[str, Any]] = [
        {"people_goal": good["people_goal"][:1]},
        {"people_goal": good["people_goal"].astype(float)},
        {"people_goal": good["people_goal"] + 1000},
        {"people_cell": np.full_like(good["people_cell"], obstacle)},
        {"people_position_m": good["people_position_m"] + 1000},
        {"people_position_m": good["people_position_m"] * np.nan},
        {"another": np.zeros(1)},
    ]
    for change in changes:
        with pytest.raises(InputError):
            people.restore(good | change)
    people.restore(good)
