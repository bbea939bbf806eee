# SPDX-License-Identifier: Apache-2.0
"""The rooms are those of minigrid, each as often as there."""

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

import gymnasium
import minigrid  # noqa: F401  (registers its worlds)
import numpy as np
import pytest
from scipy.stats import chi2_contingency

from sim.environments.gridworld.lanes import WALL, make_lanes
from sim.environments.gridworld.rooms import generate
from sim.environments.gridworld.worlds import rules_of

SMALL = {  # how many rooms there are, starts included
    "MiniGrid-Empty-5x5-v0": 1,
    "MiniGrid-Empty-Random-5x5-v0": 8 * 4,
    "MiniGrid-Empty-Random-6x6-v0": 15 * 4,
    "MiniGrid-SimpleCrossingS9N1-v0": 6 * 7,
    "MiniGrid-SimpleCrossingS9N2-v0": 6 * 7 * 7 + 2 * 9 * 9,  # parallel, and of both kinds
    "MiniGrid-MemoryS7-v0": 4 * 4,
    "MiniGrid-MemoryS13-v0": 10 * 4,
    "MiniGrid-MemoryS13Random-v0": sum(range(4, 11)) * 4,
    "MiniGrid-MemoryS17Random-v0": sum(range(4, 15)) * 4,
}
LARGE = ["MiniGrid-SimpleCrossingS9N3-v0", "MiniGrid-SimpleCrossingS11N5-v0"]

Room = tuple[np.ndarray, tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def _theirs(name: str, count: int) -> list[Room]:
    env: Any = gymnasium.make(name).unwrapped
    env.reset(seed=11)
    rooms = []
    for _ in range(count):
        env._gen_grid(env.width, env.height)  # what a reset does, without looking around
        ends = [getattr(env, "success_pos", (env.width - 2,) * 2)]
        ends.append(getattr(env, "failure_pos", (-1, -1)))
        start = (*map(int, env.agent_pos), env.agent_dir)
        rooms.append((_kinds(env), start, *(tuple(map(int, end)) for end in ends)))
    return rooms


def _kinds(env: Any) -> np.ndarray:
    """``grid.encode()[:, :, 0]``, ten times as fast."""
    numbers = {"wall": 2, "key": 5, "ball": 6, "goal": 8}
    flat = [1 if cell is None else numbers[cell.type] for cell in env.grid.grid]
    return np.array(flat, dtype=np.uint8).reshape(env.height, env.width).T


def _ours(name: str, count: int) -> list[Room]:
    rules = rules_of(name)
    lanes = make_lanes(1, rules.size)
    rooms = []
    for seed in range(count):
        generate(rules, lanes, 0, seed)
        rows = (lanes.agent, lanes.success, lanes.failure)
        rooms.append((lanes.cells[0].copy(), *(tuple(map(int, row[0])) for row in rows)))
    return rooms


def _whole(room: Room) -> Hashable:
    return (room[0].tobytes(), *room[1:])


def _walls(room: Room) -> Hashable:
    """Which columns and rows are walls: seen where both neighbours along the rim are walls."""
    inner = room[0][1:-1, 1:-1] == WALL
    count = len(inner) - 2  # a wall with one opening where no other wall crosses it
    return tuple(np.flatnonzero(inner.sum(1) > count)), tuple(np.flatnonzero(inner.sum(0) > count))


def _first_opening(room: Room) -> Hashable:
    """Where the first wall (columns before rows) is open, and how many walls are columns."""
    columns, rows = _walls(room)
    line = room[0][columns[0] + 1] if columns else room[0][:, rows[0] + 1]
    return len(columns), tuple(np.flatnonzero(line != WALL))


def _p_value(ours: Counter[Hashable], theirs: Counter[Hashable]) -> float:
    """That both are samples of one distribution; rare rooms are counted together."""
    table = np.array([(ours[room], theirs[room]) for room in ours | theirs])
    rare = table.sum(axis=1) < 10
    table = np.vstack([table[~rare], table[rare].sum(axis=0, keepdims=True)])
    table = table[table.sum(axis=1) > 0]
    return float(chi2_contingency(table).pvalue) if len(table) > 1 else 1.0


@pytest.mark.parametrize("name", SMALL)
def test_the_rooms_of_small_worlds_are_exactly_those_of_minigrid(name: str) -> None:
    count = 25 * SMALL[name]
    theirs, ours = (Counter(map(_whole, make(name, count))) for make in (_theirs, _ours))
    assert len(theirs) == SMALL[name], "the sample should hold every room"
    assert ours.keys() == theirs.keys()
    assert _p_value(ours, theirs) > 0.01


@pytest.mark.parametrize("what", [_walls, _first_opening])
@pytest.mark.parametrize("name", LARGE)
def test_walls_and_openings_fall_as_in_minigrid(
    name: str, what: Callable[[Room], Hashable]
) -> None:
    theirs, ours = (Counter(map(what, make(name, 1500))) for make in (_theirs, _ours))
    assert _p_value(ours, theirs) > 0.01


def test_the_p_value_notices_a_changed_distribution() -> None:
    rooms = Counter(map(_whole, _ours("MiniGrid-SimpleCrossingS9N1-v0", 4000)))
    half = set(list(rooms)[:21])
    bent = Counter({room: n * (2 if room in half else 1) for room, n in rooms.items()})
    assert _p_value(rooms, bent) < 1e-6
