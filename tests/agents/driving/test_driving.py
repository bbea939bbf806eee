# SPDX-License-Identifier: Apache-2.0
"""Policies drive the robots of worlds as they did in training, alone or guided by PIBT."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.driving.guided import GuidedController, wished_cells
from agents.driving.pilot import Pilot, require_rules
from agents.driving.policy import PolicyController
from agents.policies.options import CoreName, PolicyOptions
from sim.distances import neighbour_table
from sim.environments.make import make_environments
from sim.environments.warehouse.batch import WarehouseBatch
from sim.environments.warehouse.lanes import options_for
from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.chance import Keys, world_keys
from sim.warehouse.control.fields import Fields
from sim.warehouse.control.interface import Controller, View
from sim.warehouse.control.pibt import PibtController
from sim.warehouse.fleet import Int8s, fleet_at
from sim.warehouse.rules import GRID, Following, Gait, Rules, league
from tests.agents.driving.untrained import untrained
from tests.sim.warehouse.control.driving import WORLDS, Drive, drive
from tests.sim.warehouse.living import assert_same

KEYS = world_keys(0, list(range(WORLDS)))
KINDS = ("policy", "drawn", "guided", "guided drawn")
ROBOTS = 9


def driver(
    kind: str, layout: Layout, keys: Keys = KEYS, robots: int = ROBOTS, pilot: Pilot | None = None
) -> Controller:
    pilot = untrained() if pilot is None else pilot
    pibt = PibtController(layout, GRID, keys)
    policy = PolicyController(pilot, pibt.fields, keys, robots, "drawn" in kind)
    return GuidedController(policy, pibt) if "guided" in kind else policy


def crowd(seed: int = 1) -> Drive:
    worlds = drive(GRID, seed, 0.2)
    count = worlds.fleet.cell.shape[1]
    assert count >= ROBOTS
    fleet = fleet_at(worlds.fleet.cell[:, :ROBOTS])
    return replace(worlds, fleet=fleet, goals=worlds.goals[:, :ROBOTS].copy(), delays=0.1)


def seen_at(worlds: Drive, tick: int) -> View:
    return View(tick, worlds.fleet, worlds.goals[:, :, None], None)


def driven(controller: Controller, worlds: Drive, ticks: range) -> list[Int8s]:
    """What the controller does; the worlds do not refuse anything but go on by chance."""
    answers = []
    rng = np.random.default_rng(5)
    free = worlds.layout.free_cells
    for tick in range(ticks.stop):  # the same worlds at a tick whoever asks
        for cells in worlds.fleet.cell:
            cells[:] = rng.choice(free, len(cells), replace=False)
        if tick % 20 == 0:  # so that most robots do not get nearer for a while
            worlds.goals[:] = rng.choice(free, worlds.goals.shape)
        if tick in ticks:
            answers.append(controller.act(seen_at(worlds, tick)))
    return answers


@pytest.mark.parametrize("core", [CoreName.GRU, CoreName.MLP, CoreName.QFWP])
def test_a_policy_drives_as_in_its_training(core: CoreName) -> None:
    pilot = untrained(core)
    lanes = make_environments(pilot.environment, range(4), 3)
    batch = WarehouseBatch(options_for(2), world_keys(3, [0, 2]))
    controller = PolicyController(pilot, Fields(batch.layout), world_keys(3, [0, 2]), 2)
    policy = pilot.policy()
    seen, state, begins = lanes.reset(), policy.initial_state(4), np.ones(4, dtype=np.bool_)
    taken = set()
    for _ in range(60):
        acted = policy.act(seen, state, begins, None)
        actions = controller.act(batch.view)
        np.testing.assert_array_equal(actions.ravel(), acted.actions)
        batch.step(actions)
        steps = lanes.step(acted.actions)
        seen, state, begins = steps.observations, acted.state, steps.begins
        taken |= set(actions.ravel().tolist())
    assert len(taken) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_world_is_driven_alone_as_beside_others(kind: str) -> None:
    worlds = crowd()
    both = driven(driver(kind, worlds.layout), worlds, range(30))

    class Second:
        """Sees the second world alone."""

        def __init__(self) -> None:
            self.inner = driver(kind, worlds.layout, KEYS[1:])

        def act(self, view: View) -> Int8s:
            fleet = type(view.fleet)(*(array[1:] for array in view.fleet))
            return self.inner.act(View(view.tick, fleet, view.goals[1:], None))

        def snapshot(self) -> dict[str, NDArray[Any]]:
            return self.inner.snapshot()

        def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
            self.inner.restore(snapshot)

    alone = driven(Second(), crowd(), range(30))
    np.testing.assert_array_equal(np.stack(both)[:, 1:], np.stack(alone))


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_on_from_a_snapshot(kind: str) -> None:
    worlds = crowd()
    whole = driven(driver(kind, worlds.layout), worlds, range(30))
    first = driver(kind, worlds.layout)
    answers = driven(first, worlds, range(15))
    snapshot = {name: array.copy() for name, array in first.snapshot().items()}
    driven(first, worlds, range(3))  # what was taken stays as it was
    second = driver(kind, worlds.layout)
    second.restore(snapshot)
    assert_same(second.snapshot(), snapshot)
    answers += driven(second, worlds, range(15, 30))
    np.testing.assert_array_equal(np.stack(answers), np.stack(whole))


def test_memory_matters() -> None:
    worlds = crowd()
    whole = driven(driver("policy", worlds.layout), worlds, range(30))
    forgetful = driven(driver("policy", worlds.layout), worlds, range(15, 30))
    assert (np.stack(whole[15:]) != np.stack(forgetful)).any()


def test_drawn_actions_are_others_than_the_likeliest() -> None:
    worlds = crowd()
    drawn = np.stack(driven(driver("drawn", worlds.layout), worlds, range(40)))
    shares = np.bincount(drawn.ravel(), minlength=5) / drawn.size
    np.testing.assert_allclose(shares, 0.2, atol=0.06)  # an untrained head is nearly undecided


@pytest.mark.parametrize("seed", range(3))
def test_guided_robots_never_collide_and_all_get_somewhere(seed: int) -> None:
    """``Drive.run`` asserts that nothing is refused; this policy has learnt nothing."""
    worlds = drive(GRID, seed, 0.5)
    robots = worlds.fleet.cell.shape[1]
    controller = driver("guided", worlds.layout, robots=robots, pilot=untrained(seed=seed))
    assert (worlds.run(controller, 500) > 0).all()


def test_wishes_are_obeyed_where_nobody_is_in_the_way() -> None:
    worlds = crowd()
    layout, pilot = worlds.layout, untrained()
    policy = PolicyController(pilot, Fields(layout), KEYS, 1)
    guided = driver("guided", layout, robots=1, pilot=pilot)
    neighbours = neighbour_table(layout)
    for cell in layout.free_cells:
        fleet = fleet_at(np.array([[cell], [cell]], dtype=np.int32))
        goals = np.full((WORLDS, 1, 1), layout.free_cells[0], dtype=np.int32)
        goals[fleet.cell == goals[:, :, 0]] = layout.free_cells[-1]
        policy.restore(PolicyController(pilot, Fields(layout), KEYS, 1).snapshot())
        guided = driver("guided", layout, robots=1, pilot=pilot)
        view = View(0, fleet, goals, None)
        wanted = wished_cells(neighbours, False, fleet, policy.act(view))
        got = wished_cells(neighbours, False, fleet, guided.act(view))
        np.testing.assert_array_equal(got, wanted)


def test_cells_that_actions_lead_to() -> None:
    layout = Layout("3 x 3", np.ones((3, 3), np.bool_), *np.zeros((2, 0), np.int32))
    neighbours, fleet = neighbour_table(layout), fleet_at(np.array([[4] * 5 + [0]], np.int32))
    actions = np.array([[0, 1, 2, 3, 4, 1]], dtype=np.int8)
    found = wished_cells(neighbours, False, fleet, actions)
    assert found.tolist() == [[4, 1, 5, 7, 3, 0]]
    turned = wished_cells(neighbours, True, fleet, np.minimum(actions, 3))  # all face east
    assert turned.tolist() == [[4, 5, 7, 1, 1, 1]]


@pytest.mark.parametrize(
    "rules", [league(1), Rules(Gait.SLIDING, 2), Rules(Gait.SLIDING, 1, Following.NEVER)]
)
def test_robots_that_move_otherwise_are_refused(rules: Rules) -> None:
    require_rules(untrained(), GRID)
    with pytest.raises(InputError, match=r"warehouse-2 .* following together; these are .*same$"):
        require_rules(untrained(), rules)


def test_what_does_not_fit_is_refused() -> None:
    pilot, layout = untrained(), crowd().layout
    with pytest.raises(InputError, match="CartPole-v1; allowed: warehouse-N"):
        Pilot("CartPole-v1", PolicyOptions(), {})
    broken = dict(pilot.parameters, **{"actor.bias": np.full(5, np.nan, np.float32)})
    with pytest.raises(InputError, match=r"actor\.bias .* finite"):
        Pilot(pilot.environment, pilot.options, broken)
    other = Pilot(pilot.environment, PolicyOptions(CoreName.GRU, 3000), pilot.parameters)
    with pytest.raises(InputError, match="shape of"):
        other.policy()
    controller = driver("policy", layout)
    with pytest.raises(InputError, match=r"worlds and robots is \(2, 3\); allowed: \(2, 9\)"):
        controller.act(View(0, fleet_at(np.zeros((2, 3), np.int32)), np.empty(0), None))
    for wrong in ({}, {"memory": np.zeros((1, 9, 3), np.float32)}):
        with pytest.raises(InputError, match="memory"):
            controller.restore(wrong)
    with pytest.raises(InputError, match="aim, nearest and since"):
        driver("guided", layout).restore({})


def test_the_digest_is_of_all_that_a_policy_is() -> None:
    pilot = untrained()
    arrays = dict(pilot.parameters)
    arrays["actor.bias"] = arrays["actor.bias"] + 1
    others = [
        Pilot("warehouse-4", pilot.options, pilot.parameters),
        Pilot(pilot.environment, PolicyOptions(CoreName.LSTM, 2000), pilot.parameters),
        Pilot(pilot.environment, pilot.options, arrays),
    ]
    assert untrained().digest == pilot.digest
    assert len({pilot.digest, *(other.digest for other in others)}) == 4
