# SPDX-License-Identifier: Apache-2.0
"""Runs can be stopped at any tick and continued elsewhere, and worlds do not know of each other."""

import re

import numpy as np
import pytest

from sim.errors import InputError
from sim.warehouse.delays.options import DelayKind
from sim.warehouse.rules import GRID, Rules, league
from sim.warehouse.world import inner
from tests.sim.warehouse.living import CONTROLLERS, Recipe, alive, assert_same

BOTH_GAITS = [GRID, league(2)]
DELAYS = [DelayKind.INDEPENDENT, DelayKind.MARKOV, DelayKind.FRACTIONAL]


@pytest.mark.parametrize("rules", BOTH_GAITS, ids=str)
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_a_run_goes_on_from_a_snapshot_as_if_undisturbed(rules: Rules, controller: str) -> None:
    """Stopped again and again, by fresh objects each time; then all arrays are equal."""
    recipe = Recipe(rules=rules, delays=DELAYS[CONTROLLERS.index(controller) % 3], late=True)
    undisturbed, stopped = alive(recipe, controller), alive(recipe, controller)
    for ticks in (0, 1, 6, 11, 30):
        undisturbed.run(ticks)
        stopped.run(ticks)
        snapshot = stopped.snapshot()
        kept = {name: array.copy() for name, array in snapshot.items()}
        successor = alive(recipe, controller)
        successor.restore(snapshot)
        stopped.run(3)  # who goes on must not change what was handed over
        assert_same(snapshot, kept)
        stopped = successor
        assert_same(stopped.snapshot(), undisturbed.snapshot())
    undisturbed.run(20)
    stopped.run(20)
    assert_same(stopped.snapshot(), undisturbed.snapshot())
    assert undisturbed.tally.counts.finished.sum() > 5


@pytest.mark.parametrize("rules", BOTH_GAITS, ids=str)
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_worlds_together_are_what_they_are_alone(rules: Rules, controller: str) -> None:
    numbers = (4, 0, 7)
    together = alive(Recipe(numbers, rules), controller)
    together.run(50)
    snapshot = together.snapshot()
    for place, number in enumerate(numbers):
        single = alive(Recipe((number,), rules), controller)
        single.run(50)
        alone = single.snapshot()
        for name in ("cell", "heading", "doing", "progress", "delay_ticks"):
            key = f"worlds/fleet/{name}"
            np.testing.assert_array_equal(snapshot[key][place], alone[key][0], err_msg=name)
        assert_same(inner(snapshot, f"worlds/book-{place}"), inner(alone, "worlds/book-0"))
        for name in ("finished", "working", "waiting", "longest", "longest_still"):
            counts, own = snapshot[f"tally/{name}"], alone[f"tally/{name}"]
            np.testing.assert_array_equal(counts[place], own[0], err_msg=name)


@pytest.mark.parametrize("late", [False, True])
def test_worlds_without_any_order_are_idle(late: bool) -> None:
    simulation = alive(Recipe(ticks=0, late=late, delays=DelayKind.NONE, people=0))
    simulation.run(12)
    assert simulation.tally.counts.idle.tolist() == [12 * 12] * 2


def test_other_seeds_live_otherwise() -> None:
    one, other = (alive(Recipe(seed=seed)) for seed in (0, 1))
    one.run(30)
    other.run(30)
    assert (one.worlds.fleet.cell != other.worlds.fleet.cell).any()


def test_one_decision_is_timed_per_tick() -> None:
    simulation = alive(Recipe())
    simulation.run(7)
    assert simulation.decision_s.shape == (7,)
    assert (simulation.decision_s >= 0).all()


@pytest.mark.parametrize(
    ("other", "controller"),
    [
        (Recipe(numbers=(0,)), "pibt"),
        (Recipe(robots=11), "pibt"),
        (Recipe(seed=1), "pibt"),
        (Recipe(pool_size=0), "pibt"),
        (Recipe(people=0), "pibt"),
        (Recipe(people=3), "pibt"),
        (Recipe(delays=DelayKind.NONE), "pibt"),
        (Recipe(delays=DelayKind.FRACTIONAL), "pibt"),
        (Recipe(ticks=50), "pibt"),
        (Recipe(), "rolling"),
        (Recipe(), "prioritised"),
    ],
    ids=str,
)
def test_snapshots_of_other_runs_are_refused_in_one_line(other: Recipe, controller: str) -> None:
    foreign = alive(other, controller)
    foreign.run(3)
    with pytest.raises(InputError) as error:
        alive(Recipe()).restore(foreign.snapshot())
    assert "\n" not in str(error.value)


def test_any_part_that_is_missing_or_of_another_shape_is_an_input_error() -> None:
    source = alive(Recipe(late=True), "rolling")
    source.run(5)
    snapshot = source.snapshot()
    for name, array in snapshot.items():
        for wrong in (None, np.zeros((3, 1, 2), dtype=array.dtype)):
            broken = {key: value for key, value in snapshot.items() if key != name}
            broken |= {} if wrong is None else {name: wrong}
            with pytest.raises(InputError, match=re.compile(".")):
                alive(Recipe(late=True), "rolling").restore(broken)
