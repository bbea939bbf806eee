# SPDX-License-Identifier: Apache-2.0
"""Our worlds beside rware 2.0.0 itself, bit by bit.

rware gets our start and our draws of new requests, and the same actions. Only where equal chains
contend for a cell, which rware decides by the order of a Python set, it gets the actions that came
true with us. So all else is compared: dynamics, who may move, rewards, requests, observations.
"""

from collections.abc import Sequence
from typing import Any

import networkx
import numpy as np
import pytest
from rware.warehouse import Direction, RewardType, Warehouse

from sim.environments.rware.layout import (
    RwareLayout,
    make_rware_layout,
    read_rware_layout,
    registered_rware_layout,
)
from sim.environments.rware.options import RwareOptions
from sim.environments.rware.start import NEXT_REQUEST, below
from sim.environments.rware.worlds import RwareStep, RwareWorlds
from sim.warehouse.chance import world_keys

HEADINGS = (Direction.UP, Direction.RIGHT, Direction.DOWN, Direction.LEFT)
CROWDED = """
    ..g.g..
    .x.x.x.
    .......
    .xx.xx.
    ...g...
"""


class OurDraws:
    """Stands in for rware's generator: its draw of a request is ours of the same tick."""

    def __init__(self, key: np.uint64) -> None:
        self.key, self.tick, self.found = key, 0, 0

    def next_tick(self, tick: int) -> None:
        self.tick, self.found = tick, 0

    def choice(self, candidates: Sequence[Any]) -> Any:
        number = below(self.key, self.tick, self.found, NEXT_REQUEST, len(candidates))
        self.found += 1
        return candidates[number]


def drawing(layout: RwareLayout) -> str:
    cells = np.where(layout.shelves, "x", ".")
    cells.flat[layout.goals] = "g"
    return "\n".join("".join(row) for row in cells)


def make_peer(layout: RwareLayout, options: RwareOptions) -> Warehouse:
    peer = Warehouse(
        shelf_columns=1,
        column_height=1,
        shelf_rows=1,
        n_agents=options.robots,
        msg_bits=0,
        sensor_range=options.sensor_range,
        request_queue_size=options.request_queue,
        max_inactivity_steps=options.max_inactivity_steps,
        max_steps=options.max_steps,
        reward_type=RewardType[options.reward.upper()],
        layout=drawing(layout),
        normalised_coordinates=options.normalised_coordinates,
    )
    peer.reset(seed=0)
    return peer


def put(peer: Warehouse, layout: RwareLayout, here: dict[str, np.ndarray]) -> None:
    """Robots and requests as they start with us; the shelves are at home."""
    for agent, cell, heading in zip(peer.agents, here["cell"][0], here["heading"][0], strict=True):
        agent.y, agent.x = divmod(int(cell), layout.width)
        agent.dir = HEADINGS[heading]
    peer.request_queue = [peer.shelfs[s] for s in np.flatnonzero(here["requested"][0])]
    peer._recalc_grid()


def look(peer: Warehouse) -> np.ndarray:
    return np.array([peer._make_obs(agent) for agent in peer.agents])


def assert_same_state(here: dict[str, np.ndarray], peer: Warehouse, layout: RwareLayout) -> None:
    agents, shelves = peer.agents, peer.shelfs
    assert here["cell"][0].tolist() == [a.y * layout.width + a.x for a in agents]
    assert [HEADINGS[h] for h in here["heading"][0]] == [a.dir for a in agents]
    carried = [a.carrying_shelf.id - 1 if a.carrying_shelf else -1 for a in agents]
    assert here["carried"][0].tolist() == carried
    assert here["delivered"][0].tolist() == [a.has_delivered for a in agents]
    assert here["shelf_cell"][0].tolist() == [s.y * layout.width + s.x for s in shelves]
    assert set(np.flatnonzero(here["requested"][0])) == {s.id - 1 for s in peer.request_queue}
    assert here["clocks"][0, 1:3].tolist() == [peer._cur_steps, peer._cur_inactive_steps]


def tied(cells: list[int], targets: dict[int, int]) -> bool:
    """Whether two of the longest chains before one cell are equally long."""
    at = {cell: robot for robot, cell in enumerate(cells)}
    waits = networkx.DiGraph()
    waits.add_nodes_from(targets)
    waits.add_edges_from((i, at[t]) for i, t in targets.items() if at.get(t) in targets)

    def chain(robot: int) -> float:
        behind = networkx.ancestors(waits, robot)
        if any(nxt in behind for nxt in waits.successors(robot)):
            return np.inf  # part of a ring
        return networkx.dag_longest_path_length(waits.subgraph(behind | {robot}))

    for target in set(targets.values()):
        rivals = [robot for robot, wanted in targets.items() if wanted == target]
        if len(rivals) > 1:
            second, first = sorted(map(chain, rivals))[-2:]
            if first == second:
                return True
    return False


@pytest.mark.filterwarnings("ignore:.*Box (low|high)'s precision lowered:UserWarning")
@pytest.mark.parametrize(
    ("layout", "options", "steps", "deliveries"),
    [
        (registered_rware_layout("tiny"), RwareOptions(2, 2, max_steps=None), 1500, 0),
        (registered_rware_layout("small"), RwareOptions(8, 8, reward="global"), 500, 0),
        (registered_rware_layout("large"), RwareOptions(19, 9, max_inactivity_steps=300), 300, 0),
        (
            make_rware_layout(5, 2, 4),
            RwareOptions(40, 30, sensor_range=2, normalised_coordinates=True, max_steps=None),
            200,
            0,
        ),
        (
            read_rware_layout(CROWDED),
            RwareOptions(9, 6, reward="two_stage", max_steps=None),
            900,
            20,
        ),
        (read_rware_layout(CROWDED), RwareOptions(25, 5, reward="global", max_steps=None), 300, 5),
    ],
    ids=["2", "8", "19", "40", "two stages", "crowded"],
)
def test_the_worlds_are_those_of_rware(
    layout: RwareLayout, options: RwareOptions, steps: int, deliveries: int
) -> None:
    keys = world_keys(11, [0])
    worlds, peer, draws = (
        RwareWorlds(layout, options, keys),
        make_peer(layout, options),
        OurDraws(keys[0]),
    )
    peer.np_random = draws
    observations = worlds.reset()
    put(peer, layout, worlds.snapshot())
    np.testing.assert_array_equal(observations[0], look(peer))
    rng = np.random.default_rng(options.robots)
    refused = rewarded = ties = 0
    for tick in range(1, steps + 1):
        actions = rng.choice(5, p=[0.05, 0.5, 0.1, 0.1, 0.25], size=(1, options.robots))
        ahead = worlds.action_masks()[0, :, 1] & (actions[0] == 1)
        before = worlds.snapshot()
        step = worlds.step(actions)
        here = worlds.snapshot()
        true = np.where((actions == 1) & (before["cell"] == here["cell"]), 0, actions)[0]
        tie = tied(before["cell"][0].tolist(), wanted(layout, before, ahead))
        draws.next_tick(tick)
        theirs = peer.step((true if tie else actions[0]).tolist())
        assert_same_step(step, theirs)
        assert_same_state(here, peer, layout)
        refused += 0 if tie else int((true != actions[0]).sum())
        rewarded += int(step.rewards.any())
        ties += tie
    assert refused > steps / 2
    assert rewarded >= deliveries
    assert ties < steps / 2


def wanted(layout: RwareLayout, here: dict[str, np.ndarray], ahead: np.ndarray) -> dict[int, int]:
    """The targets of the robots that want to go ahead and are not sure to be refused."""
    steps = np.array([-layout.width, 1, layout.width, -1])
    targets = here["cell"][0] + steps[here["heading"][0]]
    return {int(robot): int(targets[robot]) for robot in np.flatnonzero(ahead)}


def assert_same_step(ours: RwareStep, theirs: tuple[Any, ...]) -> None:
    observations, rewards, done, truncated, _ = theirs
    np.testing.assert_array_equal(ours.observations[0], np.array(observations))
    assert ours.rewards[0].tolist() == rewards
    assert bool(ours.terminated[0] | ours.truncated[0]) == done  # rware never truncates
    assert not truncated


def test_most_actions_come_true_or_not_just_as_with_rware() -> None:
    """From one start, with the same actions and no help: equal until equal chains first contend."""
    layout, options = registered_rware_layout("large"), RwareOptions(16, 8, max_steps=None)
    parted = []
    for seed in range(4):
        keys = world_keys(seed, [0])
        worlds, peer, draws = (
            RwareWorlds(layout, options, keys),
            make_peer(layout, options),
            OurDraws(keys[0]),
        )
        peer.np_random = draws
        worlds.reset()
        put(peer, layout, worlds.snapshot())
        rng = np.random.default_rng(seed)
        for tick in range(1, 120):
            actions = rng.integers(0, 5, (1, 16))
            ahead = worlds.action_masks()[0, :, 1] & (actions[0] == 1)
            before = worlds.snapshot()
            if tied(before["cell"][0].tolist(), wanted(layout, before, ahead)):
                break
            draws.next_tick(tick)
            step = worlds.step(actions)
            assert_same_step(step, peer.step(actions[0].tolist()))
        parted.append(tick)
    assert max(parted) > 20


@pytest.mark.parametrize("size", ["tiny", "small", "medium", "large"])
def test_the_registered_floors_are_those_of_rware(size: str) -> None:
    import gymnasium
    import rware  # noqa: F401  (registers its names)

    peer = gymnasium.make(f"rware-{size}-1ag-v2").unwrapped
    ours = registered_rware_layout(size)
    np.testing.assert_array_equal(ours.shelves, peer.highways == 0)
    assert ours.goals.tolist() == [y * ours.width + x for x, y in peer.goals]


@pytest.mark.parametrize(("columns", "rows", "height"), [(1, 2, 3), (3, 1, 1), (7, 4, 2)])
def test_the_floors_from_parameters_are_those_of_rware(
    columns: int, rows: int, height: int
) -> None:
    peer = Warehouse(columns, height, rows, 1, 0, 1, 1, None, None, RewardType.GLOBAL)
    ours = make_rware_layout(columns, rows, height)
    np.testing.assert_array_equal(ours.shelves, peer.highways == 0)
    assert ours.goals.tolist() == [y * ours.width + x for x, y in peer.goals]
