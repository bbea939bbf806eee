# SPDX-License-Identifier: Apache-2.0
"""A rolling horizon never stands still, whoever decides who passes first."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.coordinators.insertion import rank_insertion
from sim.coordinators.interface import Coordinator, Outcome, Status
from sim.errors import InputError
from sim.schedule import Assignment
from sim.warehouse.chance import world_keys
from sim.warehouse.control.oriented import OrientedFields
from sim.warehouse.control.rolling import RollingController, RollingOptions
from sim.warehouse.control.window import WindowSettings
from sim.warehouse.rules import GRID, Following, Gait, Rules, league
from tests.sim.warehouse.control.driving import Drive, drive

RULES = [GRID, league(3), Rules(Gait.SLIDING, 3, Following.STRAIGHT)]
QUICK = RollingOptions(
    every_ticks=4, commit_steps=3, window=WindowSettings(iterations=20), coordinator_steps=20
)


def content(*_: Any, incumbent: Any = None) -> Outcome:
    """A coordinator to whom the plan is good enough."""
    return Outcome(incumbent, Status.FEASIBLE, None, 1)


def nonsense(graph: Any, *rest: Any, incumbent: Any = None) -> Outcome:
    """Orders by lot: circles, forced ones broken."""
    order = rest[-1].integers(0, 2, graph.num_conflicts).astype(np.int8)
    return Outcome(Assignment(order, incumbent.following), Status.FEASIBLE, None, 1)


def controller(
    at: Drive, options: RollingOptions = QUICK, coordinator: Coordinator | None = None
) -> RollingController:
    fields = OrientedFields(at.layout, at.rules.gait, 1)
    keys = world_keys(0, [0, 1])
    return RollingController(at.layout, at.rules, options, at.fleet, keys, fields, coordinator)


def require_progress(at: Drive, driver: RollingController, stretches: int, ticks: int) -> None:
    """In each stretch somebody of each world gets somewhere; on half-empty floors all do."""
    at.hopeful = True
    reached = [at.run(driver, ticks, begin=ticks * stretch) for stretch in range(stretches)]
    assert all((stretch.sum(axis=1) > 0).all() for stretch in reached)
    if at.fleet.cell.shape[1] < 0.5 * len(at.layout.free_cells):
        assert np.all(sum(reached) > 0)


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_nobody_waits_for_ever(rules: Rules, late: bool, share: float) -> None:
    at = drive(rules, 1, share)
    options = replace(QUICK, after_ticks=QUICK.every_ticks) if late else QUICK
    require_progress(at, controller(at, options), 8 if share < 0.5 else 2, 250)


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("coordinator", [rank_insertion, nonsense])
def test_coordinated_robots_do_not_wait_for_ever(rules: Rules, coordinator: Coordinator) -> None:
    at = drive(rules, 2, 0.4)
    driver = controller(at, replace(QUICK, every_ticks=5), coordinator)
    require_progress(at, driver, 4, 250)
    assert (driver.windows == 200).all()
    assert (driver.improved > 0).any() == (coordinator is rank_insertion)
    assert (driver.improved <= driver.windows).all()


def test_nonsense_of_a_coordinator_changes_nothing() -> None:
    cells = []
    for coordinator in (content, nonsense):
        at = drive(GRID, 3, 0.5)
        driver = controller(at, QUICK, coordinator)
        at.hopeful = True
        at.run(driver, 100)
        assert not driver.improved.any()
        cells.append(at.fleet.cell.copy())
    assert (cells[0] == cells[1]).all()


def test_a_coordinator_is_asked_also_where_there_is_time_to_think() -> None:
    asked = []

    def counting(*arguments: Any, incumbent: Any = None) -> Outcome:
        asked.append(1)
        return content(*arguments, incumbent=incumbent)

    at = drive(league(3), 2, 0.4)
    driver = controller(at, replace(QUICK, after_ticks=QUICK.every_ticks), counting)
    require_progress(at, driver, 2, 250)
    assert len(asked) > 100


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"every_ticks": 0}, "every_ticks is 0; allowed: 1 to 1000"),
        ({"after_ticks": 3}, "after_ticks is 3; allowed: 0, or every_ticks, 5"),
        ({"commit_steps": 65}, "commit_steps is 65; allowed: 1 to "),
        ({"commit_steps": 0}, "commit_steps is 0; allowed: 1 to "),
        ({"coordinator_steps": 0}, "coordinator_steps is 0; allowed: 1 to 1000000"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        RollingOptions(**options)  # type: ignore[arg-type]


def test_a_snapshot_of_other_worlds_is_refused() -> None:
    at, other = drive(GRID, 1, 0.3), drive(GRID, 1, 0.5)
    snapshot = controller(at).snapshot()
    with pytest.raises(InputError, match="snapshot: pending is none"):
        controller(other).restore(snapshot)
    for name in snapshot:
        broken = {key: array for key, array in snapshot.items() if key != name}
        with pytest.raises(InputError, match="snapshot"):
            controller(at).restore(broken)
