# SPDX-License-Identifier: Apache-2.0
"""The compiled worlds, held against the plain Python ones, step by step."""

import numpy as np
import pytest

from sim.environments.rware.arbitration import GOES, decide
from sim.environments.rware.layout import (
    RwareLayout,
    make_rware_layout,
    read_rware_layout,
    registered_rware_layout,
)
from sim.environments.rware.observe import expand_codes
from sim.environments.rware.options import RwareOptions
from sim.environments.rware.reference import (
    World,
    reference_decision,
    reference_observation,
    reference_start,
    reference_step,
)
from sim.environments.rware.start import NEXT_REQUEST, below
from sim.environments.rware.state import MOVER, NOBODY, ROBOT, TARGET, VERDICT
from sim.environments.rware.worlds import RwareWorlds
from sim.warehouse.chance import world_keys

TINY = registered_rware_layout("tiny")
DENSE = read_rware_layout("""
    .x.xx.
    x..x.x
    .xg.g.
    x.x..x
""")


def same_world(snapshot: dict[str, np.ndarray], w: int, world: World) -> bool:
    robots = world.robots
    return (
        snapshot["cell"][w].tolist() == [robot.cell for robot in robots]
        and snapshot["heading"][w].tolist() == [robot.heading for robot in robots]
        and snapshot["carried"][w].tolist()
        == [-1 if robot.carried is None else robot.carried for robot in robots]
        and snapshot["delivered"][w].tolist() == [robot.delivered for robot in robots]
        and snapshot["shelf_cell"][w].tolist() == list(world.shelves)
        and set(np.flatnonzero(snapshot["requested"][w])) == world.requested
        and snapshot["clocks"][w, 1:3].tolist() == [world.steps, world.idle_steps]
    )


@pytest.mark.parametrize(
    ("layout", "options"),
    [
        (TINY, RwareOptions(2, 2, reward="global", max_steps=40)),
        (TINY, RwareOptions(40, 10, sensor_range=3, normalised_coordinates=True, max_steps=70)),
        (DENSE, RwareOptions(14, 6, sensor_range=2, reward="two_stage", max_inactivity_steps=9)),
        (DENSE, RwareOptions(20, 9, reward="individual", max_steps=None)),
        (DENSE, RwareOptions(1, 0, reward="global", max_steps=1)),
    ],
    ids=["few", "many", "two stages", "crowded", "alone"],
)
def test_the_kernel_does_what_the_reference_does(
    layout: RwareLayout, options: RwareOptions
) -> None:
    keys = world_keys(7, [0, 1, 2])
    worlds = RwareWorlds(layout, options, keys)
    assert_observed(worlds.reset(), layout, options, starts(layout, options, keys, tick=0))
    plain = starts(layout, options, keys, tick=0)
    rng = np.random.default_rng(3)
    over = [False] * 3
    for tick in range(1, 120):
        actions = rng.choice(5, p=[0.1, 0.5, 0.1, 0.1, 0.2], size=(3, options.robots))
        step = worlds.step(actions)
        for w, key in enumerate(keys):
            rewards = [0.0] * options.robots
            assert step.begins[w] == over[w]
            if over[w]:
                plain[w] = reference_start(layout, options, key, tick)
            else:
                plain[w], rewards = reference_step(
                    layout,
                    options,
                    plain[w],
                    actions[w].tolist(),
                    lambda n, found, key=key: below(key, tick, found, NEXT_REQUEST, n),  # noqa: B023
                )
            assert step.rewards[w].tolist() == rewards
            late, idle = options.max_steps, options.max_inactivity_steps
            assert step.truncated[w] == (late is not None and plain[w].steps >= late)
            assert step.terminated[w] == (idle is not None and plain[w].idle_steps >= idle)
            over[w] = bool(step.truncated[w] or step.terminated[w])
            assert same_world(worlds.snapshot(), w, plain[w])
        if tick % 10 == 0:
            assert_observed(step.observations, layout, options, plain)


def starts(layout: RwareLayout, options: RwareOptions, keys: np.ndarray, tick: int) -> list[World]:
    return [reference_start(layout, options, key, tick) for key in keys]


def assert_observed(
    found: np.ndarray, layout: RwareLayout, options: RwareOptions, plain: list[World]
) -> None:
    wanted = [
        [reference_observation(layout, options, world, i) for i in range(options.robots)]
        for world in plain
    ]
    np.testing.assert_array_equal(found, np.array(wanted, dtype=np.float32))


def decided(cells: list[int], targets: list[int | None], places: int) -> list[bool]:
    robots = np.zeros((1, len(cells), 4), dtype=np.int32)
    robots[0, :, 0] = cells
    marks = np.full((places, 2), NOBODY, dtype=np.int32)
    marks[cells, ROBOT] = np.arange(len(cells))
    plans = np.zeros((len(cells), 7), dtype=np.int32)
    movers = [i for i, target in enumerate(targets) if target is not None]
    plans[:, TARGET] = [NOBODY if target is None else target for target in targets]
    plans[: len(movers), MOVER] = movers
    decide(0, robots, marks, plans, len(movers))
    return [i in movers and bool(plans[i, VERDICT] == GOES) for i in range(len(cells))]


def test_the_verdicts_are_those_of_the_rules_in_any_graph_of_wanted_moves() -> None:
    """Not only on a grid: anyone may want any place, so that all shapes of contests occur."""
    rng = np.random.default_rng(5)
    rings = 0
    for _ in range(3000):
        places = int(rng.integers(3, 12))
        robots = int(rng.integers(2, places + 1))
        cells = rng.permutation(places)[:robots].tolist()
        targets = [
            None if rng.random() < 0.15 or there == cell else there
            for cell, there in zip(cells, rng.integers(0, places, robots).tolist(), strict=True)
        ]
        wanted = reference_decision(cells, targets)
        assert decided(cells, targets, places) == wanted
        entered = [targets[i] for i in range(robots) if wanted[i]]
        left = [cell for i, cell in enumerate(cells) if not wanted[i]]
        assert len(set(entered + left)) == robots  # nobody shares a place
        rings += all(target in cells for target in entered) and any(wanted)
    assert rings > 50


def test_a_full_ring_turns_though_an_outsider_wants_in() -> None:
    cells, targets = [9, 0, 1, 2, 3], [0, 1, 2, 3, 0]
    assert decided(cells, targets, 10) == [False, True, True, True, True]


def test_two_do_not_swap_and_nobody_follows_them() -> None:
    assert decided([0, 1, 2], [1, 0, 0], 3) == [False, False, False]


def test_the_longer_chain_goes_first_and_of_equal_ones_the_lower_number() -> None:
    assert decided([0, 1, 2], [5, 5, 1], 6) == [False, True, True]
    assert decided([0, 1], [5, 5], 6) == [True, False]


@pytest.mark.parametrize("normalised", [False, True])
def test_codes_say_the_same_as_vectors(normalised: bool) -> None:
    keys = world_keys(1, [0, 1])
    kinds = {
        kind: RwareOptions(
            12, 8, sensor_range=2, normalised_coordinates=normalised, observation=kind
        )
        for kind in ("flattened", "codes", "none")
    }
    worlds = {kind: RwareWorlds(TINY, options, keys) for kind, options in kinds.items()}
    found = {kind: each.reset() for kind, each in worlds.items()}
    rng = np.random.default_rng(0)
    for _ in range(50):
        expanded = expand_codes(found["codes"], TINY, kinds["codes"])
        assert expanded.dtype == np.float32
        np.testing.assert_array_equal(expanded, found["flattened"])
        assert found["codes"].dtype == np.uint8
        assert found["codes"].shape == (2, 12, 5 + 25)
        assert found["none"].shape == (2, 12, 0)
        actions = rng.integers(0, 5, (2, 12))
        found = {kind: each.step(actions).observations for kind, each in worlds.items()}


def test_a_masked_action_does_what_no_action_does_and_others_may_do_more() -> None:
    options = RwareOptions(1, 3, max_steps=None, observation="none")
    layout = make_rware_layout(3, 1, 3)
    worlds = RwareWorlds(layout, options, world_keys(2, list(range(40))))
    worlds.reset()
    rng = np.random.default_rng(4)
    masked = np.zeros(5, dtype=np.int64)
    for _ in range(60):
        here, masks = worlds.snapshot(), worlds.action_masks()
        outcomes = []
        for action in range(5):
            worlds.restore(here)
            worlds.step(np.full((40, 1), action))
            outcomes.append(worlds.snapshot())
        for action in range(5):
            differs = np.zeros(40, dtype=np.bool_)
            for name in ("cell", "heading", "carried"):
                differs |= (outcomes[action][name] != outcomes[0][name]).any(axis=1)
            assert (differs == (masks[:, 0, action] if action else False)).all()  # alone: exact
            masked[action] += (~masks[:, 0, action]).sum()
        worlds.restore(here)
        worlds.step(rng.integers(0, 5, (40, 1)))
    assert masked[[0, 2, 3]].sum() == 0
    assert (masked[[1, 4]] > 50).all()
