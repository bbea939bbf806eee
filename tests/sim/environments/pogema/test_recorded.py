# SPDX-License-Identifier: Apache-2.0
"""POGEMA's own episodes, replayed: equal step by step and bit for bit.

``recorded.npz`` was written by pogema 1.4.0 in a virtual environment of its own
(``benchmarks/warehouse/pogema.py`` says how to make it):

    python -P benchmarks/warehouse/pogema_peer.py record tests/sim/environments/pogema/recorded.npz
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.environments.pogema import (
    Collision,
    ObservationType,
    OnTarget,
    PogemaOptions,
    PogemaWorlds,
)
from sim.layout import Layout
from sim.warehouse.chance import world_keys

Array = NDArray[Any]


class Episode(NamedTuple):
    """One recorded episode; arrays as in ``pogema_peer.episode``."""

    options: PogemaOptions
    layout: Layout
    arrays: dict[str, Array]


@cache
def _episodes() -> list[Episode]:
    with np.load(Path(__file__).with_name("recorded.npz")) as stored:
        names = [name for name in stored if not name.endswith("_ends")]
        parts = {name: np.split(stored[name], stored[f"{name}_ends"][:-1]) for name in names}
    count = len(parts["options"])
    return [_episode({name: parts[name][i] for name in names}) for i in range(count)]


def _episode(arrays: dict[str, Array]) -> Episode:
    rule, on_target, *numbers = arrays["options"].tolist()
    radius, limit, robots, rows, columns = map(int, numbers)
    options = PogemaOptions(robots, OnTarget(on_target), Collision(rule), radius, limit)
    layout = Layout("recorded", arrays["obstacles"].reshape(rows, columns) == 0)
    for name in ("actions", "moved"):
        arrays[name] = arrays[name].reshape(-1, robots)
    for name in ("rewards", "terminated"):
        packed = arrays[name].reshape(len(arrays["actions"]), -1)
        arrays[name] = np.unpackbits(packed, axis=1, count=robots)
    arrays["reached"] = arrays["reached"].reshape(-1, 3)
    return Episode(options, layout, arrays)


def _worlds(episode: Episode, observations: ObservationType) -> PogemaWorlds:
    """One world with the targets in the sequence in which POGEMA drew them."""
    robots = episode.options.robots
    queues = [[int(cell)] for cell in episode.arrays["targets"]]
    for _, robot, cell in episode.arrays["reached"].tolist():
        queues[robot].append(cell)
    most = max(map(len, queues))
    targets = np.array([queue + queue[-1:] * (most - len(queue)) for queue in queues])
    options = PogemaOptions(
        robots,
        episode.options.on_target,
        episode.options.collision,
        episode.options.obs_radius,
        episode.options.max_episode_steps,
        observations,
    )
    starts = episode.arrays["starts"].astype(np.int32)
    return PogemaWorlds(
        episode.layout, options, world_keys(0, [0]), starts[None], targets.astype(np.int32)[None]
    )


def _digest(observations: Array) -> int:
    bits = observations.astype(np.uint8)
    assert (bits == observations).all()
    packed = np.packbits(bits).tobytes()
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "little")


@pytest.mark.parametrize("observations", [ObservationType.FLOAT32, ObservationType.UINT8])
@pytest.mark.parametrize("on_target", OnTarget)
@pytest.mark.parametrize("collision", Collision)
def test_every_recorded_episode_is_replayed_bit_for_bit(
    collision: Collision, on_target: OnTarget, observations: ObservationType
) -> None:
    chosen = [
        episode
        for episode in _episodes()
        if (episode.options.collision, episode.options.on_target) == (collision, on_target)
    ]
    assert len(chosen) == 19
    for episode in chosen:
        _replay(episode, observations)


def _replay(episode: Episode, observations: ObservationType) -> None:
    recorded, worlds = episode.arrays, _worlds(episode, observations)
    first, columns = worlds.reset(), episode.layout.width
    np.testing.assert_array_equal(np.packbits(first.astype(np.uint8)), recorded["first"])
    offsets = np.array([0, -columns, columns, -1, 1])
    position = recorded["starts"].astype(np.int64)
    target = recorded["targets"].astype(np.int64)
    last = len(recorded["actions"]) - 1
    for i, actions in enumerate(recorded["actions"]):
        step = worlds.step(actions[None])
        position = position + offsets[recorded["moved"][i]]
        for _, robot, cell in recorded["reached"][recorded["reached"][:, 0] == i + 1]:
            target[robot] = cell
        assert worlds.positions[0].tolist() == position.tolist()
        assert worlds.targets[0].tolist() == target.tolist()
        assert step.rewards[0].tolist() == recorded["rewards"][i].tolist()
        assert step.terminated[0].tolist() == recorded["terminated"][i].tolist()
        assert step.observations.dtype == np.dtype(observations.value)
        assert step.observations.max() == 1
        assert _digest(step.observations) == recorded["digests"][i]
        assert bool(step.truncated[0]) == (i == last and bool(recorded["truncated"][0]))
        assert not step.begins[0]
    assert worlds.step(np.zeros((1, len(position)), dtype=np.int64)).begins[0]


def test_the_recording_holds_what_it_is_for() -> None:
    episodes = _episodes()
    assert sum(len(episode.arrays["digests"]) for episode in episodes) > 10_000
    assert {episode.options.robots for episode in episodes} >= {8, 64}
    refused = sum(
        (episode.arrays["moved"] != episode.arrays["actions"]).sum() for episode in episodes
    )
    assert refused > 50_000
    assert sum(len(episode.arrays["reached"]) for episode in episodes) > 1_000
    solved = [e for e in episodes if e.options.on_target == OnTarget.NOTHING]
    assert any(episode.arrays["rewards"].any() for episode in solved)
