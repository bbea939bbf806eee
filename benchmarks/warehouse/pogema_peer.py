# SPDX-License-Identifier: Apache-2.0
"""POGEMA itself: records what it does, and how long it takes.

Run by a Python of its own that has pogema 1.4.0 and numpy, and nothing of ours (its pins are old;
``benchmarks/warehouse/pogema.py`` says how to make one):

    python -P benchmarks/warehouse/pogema_peer.py record tests/sim/environments/pogema/recorded.npz
    python -P benchmarks/warehouse/pogema_peer.py time 64 priority

With ``-P`` the neighbour ``pogema.py`` is not taken for it. The second form answers each line of
its input by the CPU microseconds of a robot's step, with observations and without.
"""

import hashlib
import itertools
import sys
import time
import warnings

import numpy as np
from pogema import GridConfig, pogema_v0

RULES = ("block_both", "priority", "soft")
ON_TARGET = ("finish", "nothing", "restart")
# robots, rows, columns, density, radius, steps at most, episodes
SIZES = (
    (1, 4, 5, 0.1, 1, 40, 6),
    (2, 4, 3, 0.1, 3, 60, 6),
    (8, 9, 7, 0.2, 2, 120, 2),
    (16, 7, 9, 0.1, 4, 120, 2),
    (32, 12, 16, 0.3, 5, 160, 1),
    (64, 24, 20, 0.2, 5, 160, 1),
    (64, 11, 13, 0.05, 5, 100, 1),
)
MOVES = np.array(GridConfig().MOVES)


def main() -> None:
    warnings.simplefilter("ignore")
    if sys.argv[1] == "record":
        record(sys.argv[2])
    else:
        answer(int(sys.argv[2]), sys.argv[3])


def record(path: str) -> None:
    """Write episodes under all rules, each array flat and one behind the other; ``NAME_ends``
    ``[episodes]`` says where each ends.
    """
    cases = [
        (rule, on_target, *size[:-1])
        for rule, on_target, size in itertools.product(RULES, ON_TARGET, SIZES)
        for _ in range(size[-1])
    ]
    episodes = [episode(number, *case) for number, case in enumerate(cases)]
    arrays = {}
    for name in episodes[0]:
        each = [one[name].ravel() for one in episodes]
        arrays[name], arrays[f"{name}_ends"] = np.concatenate(each), np.cumsum(list(map(len, each)))
    np.savez_compressed(path, **arrays)
    steps, robot_steps = len(arrays["digests"]), len(arrays["actions"])
    print(f"{len(cases)} episodes, {steps} steps, {robot_steps} of robots")


def episode(number, rule, on_target, robots, rows, columns, density, radius, steps):
    """One, until it ends. Cells are ``row * columns + column``.

    ``observations`` are those after the reset, then one digest for each step: eight bytes of
    BLAKE2 of all bits. ``reached`` holds ``step, robot, cell`` of every new target.
    """
    rng = np.random.default_rng(number)
    worlds = make(rule, on_target, robots, rows, columns, density, radius, steps, number)
    first, _ = worlds.reset()
    grid = worlds.unwrapped.grid
    result = {
        "options": np.array([rule, on_target, radius, steps, robots, rows, columns]).astype("U10"),
        "obstacles": grid.get_obstacles(ignore_borders=True).astype(np.uint8),
        "starts": cells(grid.get_agents_xy(ignore_borders=True), columns),
        "targets": cells(grid.get_targets_xy(ignore_borders=True), columns),
        "first": np.packbits(bits(first)),
    }
    rows_of = {name: [] for name in ("actions", "moved", "rewards", "terminated", "digests")}
    reached, over = [], False
    targets, truncated = result["targets"], [False]
    while not over:
        before, actions = np.array(grid.positions_xy), choose(grid, rng)
        seen, rewards, terminated, truncated, _ = worlds.step(actions.tolist())
        rows_of["actions"].append(actions)
        rows_of["moved"].append(directions(np.array(grid.positions_xy) - before))
        rows_of["rewards"].append(rewards)
        rows_of["terminated"].append(terminated)
        rows_of["digests"].append(digest(seen))
        now = cells(grid.get_targets_xy(ignore_borders=True), columns)
        step = len(rows_of["actions"])
        reached += [(step, robot, now[robot]) for robot in np.flatnonzero(now != targets)]
        targets, over = now, all(terminated) or all(truncated)
    for name, dtype in (("actions", np.uint8), ("moved", np.uint8), ("digests", np.uint64)):
        result[name] = np.array(rows_of[name], dtype=dtype)
    for name in ("rewards", "terminated"):
        flags = np.array(rows_of[name])
        assert set(np.unique(flags)) <= {0, 1}
        result[name] = np.packbits(flags.astype(np.uint8), axis=1)
    result["reached"] = np.array(reached, dtype=np.uint16).reshape(-1, 3)
    result["truncated"] = np.array(all(truncated))
    return result


def make(rule, on_target, robots, rows, columns, density, radius, steps, seed):
    return pogema_v0(
        GridConfig(
            num_agents=robots, height=rows, width=columns, density=density, obs_radius=radius,
            on_target=on_target, collision_system=rule, max_episode_steps=steps, seed=seed,
        )
    )  # fmt: skip


def choose(grid, rng):
    """Actions: mostly towards the target, often anything."""
    offset = np.array(grid.finishes_xy) - np.array(grid.positions_xy)
    vertical = np.where(offset[:, 0] < 0, 1, 2)
    horizontal = np.where(offset[:, 1] < 0, 3, 4)
    far = np.abs(offset) > 0
    sideways = far[:, 1] & (~far[:, 0] | (rng.random(len(offset)) < 0.5))
    towards = np.where(sideways, horizontal, np.where(far[:, 0], vertical, 0))
    return np.where(rng.random(len(offset)) < 0.6, towards, rng.integers(0, 5, len(offset)))


def cells(positions, columns):
    pairs = np.array(positions)
    return (pairs[:, 0] * columns + pairs[:, 1]).astype(np.uint16)


def directions(moved):
    """The action that each of these moves is."""
    return (moved[:, None] == MOVES).all(axis=2).argmax(axis=1)


def bits(observations):
    """Zeros and ones, and nothing else."""
    array = np.array(observations)
    assert array.dtype == np.float32
    assert np.isin(array, (0, 1)).all()
    return array.astype(np.uint8)


def digest(observations):
    packed = np.packbits(bits(observations)).tobytes()
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "little")


def answer(robots: int, rule: str) -> None:
    """Lifelong, on a square with ten cells for each robot, a third of them obstacles."""
    side = round((10 * robots) ** 0.5)
    worlds = make(rule, "restart", robots, side, side, 0.3, 5, 10**9, 0)
    worlds.reset()
    actions = np.random.default_rng(0).integers(0, 5, (200, robots)).tolist()
    with_observations = worlds.unwrapped._obs
    for _ in sys.stdin:
        figures = []
        for observe in (with_observations, list):
            worlds.unwrapped._obs = observe
            figures.append(cpu_us(worlds, actions, robots))
        print(*figures, flush=True)


def cpu_us(worlds, actions, robots: int, least_s: float = 0.5) -> float:
    start, steps = time.process_time(), 0
    while (spent := time.process_time() - start) < least_s:
        for each in actions:
            worlds.step(list(each))
        steps += len(actions) * robots
    return 1e6 * spent / steps


if __name__ == "__main__":
    main()
