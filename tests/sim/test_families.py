# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim.distances import largest_component
from sim.errors import InputError
from sim.families import FamilyOptions, draw_instance
from sim.floors import FloorKind, FloorOptions, draw_floor
from sim.instances import InstanceOptions
from sim.layout import Layout

SEEDS = range(40)


@pytest.mark.parametrize("kind", FloorKind)
def test_a_floor_is_as_large_as_asked(kind: FloorKind) -> None:
    options = FloorOptions(cells_per_robot=(20, 20), obstacle_ratio=(0.2, 0.2))
    for seed in SEEDS:
        layout = draw_floor(kind, 10, options, np.random.default_rng(seed))
        # A rack row or column more than needed, or a pocket that obstacles cut off.
        assert 150 <= len(layout.free_cells) <= 330
        assert len(largest_component(layout)) == len(layout.free_cells)


def test_floors_fill_the_ranges() -> None:
    options = FloorOptions(cells_per_robot=(10, 40), obstacle_ratio=(0.0, 0.3))
    drawn = [draw_floor(FloorKind.RANDOM, 50, options, np.random.default_rng(s)) for s in SEEDS]
    per_robot = np.array([len(layout.free_cells) / 50 for layout in drawn])
    assert per_robot.min() < 14
    assert per_robot.max() > 30
    assert np.median(per_robot) == pytest.approx(20, rel=0.25)  # even in the logarithm
    obstacles = [1 - layout.free.mean() for layout in drawn]
    assert min(obstacles) < 0.05
    assert max(obstacles) > 0.25
    racks = {
        draw_floor(FloorKind.WAREHOUSE, 20, options, np.random.default_rng(s)).name for s in SEEDS
    }
    assert len(racks) > 30


@pytest.mark.parametrize("kind", FloorKind)
def test_every_instance_has_a_conflict_and_the_robots_are_even(kind: FloorKind) -> None:
    sparse = FloorOptions(cells_per_robot=(60, 60))
    options = FamilyOptions(robots=(2, 4), goals=(1, 1), floor=sparse)
    graphs = [draw_instance(kind, options, np.random.default_rng(s)).graph for s in range(60)]
    assert all(graph.num_conflicts for graph in graphs)
    counts = np.bincount([graph.num_robots for graph in graphs], minlength=5)
    assert (counts[2:] >= 10).all()


def test_several_goals_make_routes_longer_on_the_same_floor() -> None:
    def events(goals: int) -> float:
        options = FamilyOptions(robots=(10, 10), goals=(goals, goals))
        drawn = (draw_instance(FloorKind.RANDOM, options, np.random.default_rng(s)) for s in SEEDS)
        return float(np.mean([instance.graph.num_events for instance in drawn]))

    assert events(4) > 3 * events(1)


def test_a_given_floor_is_used_as_it_is() -> None:
    layout = Layout("mine", np.ones((6, 6), dtype=np.bool_))
    instance = draw_instance(layout, FamilyOptions(robots=(9, 9)), np.random.default_rng(0))
    assert instance.layout is layout
    assert instance.graph.num_robots == 9


def test_ill_posed_draws_are_repeated() -> None:
    parked = InstanceOptions(parking="floor")
    options = FamilyOptions(robots=(4, 4), goals=(1, 1), instance=parked)
    for seed in range(10):
        draw_instance(FloorKind.RANDOM, options, np.random.default_rng(seed))


def test_a_floor_on_which_nobody_meets_is_refused() -> None:
    corridor = Layout("corridors", np.eye(2, dtype=np.bool_).repeat(3, axis=1))
    with pytest.raises(InputError, match="floor corridors, 9 robots: no usable instance in 100"):
        draw_instance(corridor, FamilyOptions(robots=(9, 9)), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("cells_per_robot", (1, 5), "2 to 10000"),
        ("cells_per_robot", (9, 5), "2 to 10000"),
        ("obstacle_ratio", (0.0, 0.4), "0 to 0.35"),
        ("obstacle_ratio", (float("nan"), 0.1), "0 to 0.35"),
        ("aisle_cells", (0, 1), "1 to 100"),
        ("missing_rack_ratio", (-0.1, 0.1), "0 to 1"),
    ],
)
def test_bad_ranges_are_refused(name: str, value: tuple[float, float], allowed: str) -> None:
    with pytest.raises(InputError, match=f"{name} is .*; allowed: .* within {allowed}"):
        FloorOptions(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("robots", [(1, 5), (6, 5)])
def test_fewer_than_two_robots_are_refused(robots: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="allowed: a low and a high end, 2 or more"):
        FamilyOptions(robots=robots)
