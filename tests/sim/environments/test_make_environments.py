# SPDX-License-Identifier: Apache-2.0
"""Environments by name."""

import subprocess
import sys

import numpy as np
import pytest

from sim.environments.gridworld import NAMES as COMPILED
from sim.environments.gridworld import GridworldVector
from sim.environments.gymnasium_vector import GymnasiumVector
from sim.environments.interface import ObservationKind
from sim.environments.make import interface_of, make_environments
from sim.errors import InputError

EMPTY = "MiniGrid-Empty-5x5-v0"
POPGYM = [
    f"popgym-{kind}{level}-v0"
    for level in ("Easy", "Medium", "Hard")
    for kind in ("RepeatPrevious", "RepeatFirst", "Autoencode", "PositionOnlyCartPole")
]


@pytest.mark.parametrize(
    ("name", "kind", "shape", "actions", "max_steps"),
    [
        ("CartPole-v1", "vector", (4,), 2, 500),
        ("FrozenLake-v1", "vector", (16,), 4, 100),
        ("popgym-RepeatPreviousEasy-v0", "vector", (4,), 4, 51),
        ("popgym-BattleshipEasy-v0", "vector", (2,), 64, 64),
        ("MiniGrid-DoorKey-5x5-v0", "grid", (7, 7, 3), 7, 250),
        ("memory-length-5", "vector", (3,), 2, 6),
        ("bandit-3", "vector", (1,), 3, 1),
        ("identity-4", "vector", (4,), 4, 8),
    ],
)
def test_what_a_policy_must_know(
    name: str, kind: str, shape: tuple[int, ...], actions: int, max_steps: int
) -> None:
    found = interface_of(name)
    assert found.kind is ObservationKind(kind)
    assert (found.shape, found.actions, found.max_steps) == (shape, actions, max_steps)
    assert make_environments(name, [0], 0).interface == found


@pytest.mark.parametrize("name", POPGYM)
def test_popgym_is_a_function_of_its_seed_within_its_limit(name: str) -> None:
    left, right = (make_environments(name, [3, 4], 9) for _ in range(2))
    np.testing.assert_array_equal(left.reset(), right.reset())
    limit = left.interface.max_steps
    assert limit is not None
    taken, rng = np.zeros(2, int), np.random.default_rng(0)
    for _ in range(400):
        actions = rng.integers(0, left.interface.actions, 2)
        a, b = left.step(actions), right.step(actions)
        for one, other in zip(a, b, strict=True):
            np.testing.assert_array_equal(one, other)
        taken = np.where(a.begins, 0, taken + 1)
        assert (taken <= limit).all()


@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_world_has_the_interface_of_its_original(name: str) -> None:
    assert make_environments(name, [0], 0, "gymnasium").interface == interface_of(name)


def test_auto_takes_the_compiled_world_where_there_is_one() -> None:
    assert isinstance(make_environments(EMPTY, [0], 0), GridworldVector)
    assert isinstance(make_environments(EMPTY, [0], 0, "gymnasium"), GymnasiumVector)
    assert isinstance(make_environments("bandit-2", [0], 0), GymnasiumVector)


def test_a_module_may_register_the_name(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("code")
    text = "import gymnasium\nfrom sim.environments.chains import Bandit\n"
    text += 'gymnasium.register("Own-v0", Bandit, kwargs={"arms": 5}, max_episode_steps=3)\n'
    (folder / "own_environments.py").write_text(text)
    monkeypatch.syspath_prepend(folder)
    assert interface_of("own_environments:Own-v0").actions == 5


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("CartPole", "did you mean CartPole-v1"),
        ("MiniGrid-Empty-5x5", "did you mean MiniGrid-Empty-5x5-v0"),
        ("popgym-RepeatPreviousEasy", "did you mean popgym-RepeatPreviousEasy-v0"),
        ("qqqqqqqq", "is unknown; allowed: what Gymnasium, MiniGrid and POPGym register"),
        ("identity", "did you mean identity-2"),
        ("bandit-1", "allowed: bandit-N with N from 2 to 1000"),
        ("memory-length-0", "allowed: memory-length-N with N from 1 to 1000"),
        ("identity-1001", "identity-N with N from 2"),
        ("Pendulum-v1", r"takes the actions Box\(.*; allowed: Discrete"),
        ("popgym-BattleshipHard-v0", r"MultiDiscrete\(\[12 12\]\).* at most 64 combinations"),
        ("popgym-LabyrinthEscapeEasy-v0", "needs the package mazelib: pip install mazelib"),
        ("phys2d/CartPole-v1", "cannot be started: ModuleNotFoundError: No module named 'jax'"),
        ("there_is_no_module:X-v0", "No module named 'there_is_no_module'"),
        ("", "environment '' is unknown"),
    ],
)
def test_a_name_that_cannot_be_had_is_told(name: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        make_environments(name, [0], 0)
    with pytest.raises(InputError, match=told):
        interface_of(name)


def test_the_compiled_engine_names_its_worlds() -> None:
    with pytest.raises(InputError, match=r"'CartPole-v1'; allowed: MiniGrid-Empty-5x5-v0, "):
        make_environments("CartPole-v1", [0], 0, "compiled")


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(InputError, match="engine is 'fast'; allowed: auto, compiled, gymnasium"):
        make_environments(EMPTY, [0], 0, "fast")


@pytest.mark.parametrize(
    ("lanes", "seed"), [([], 0), ([1, 1], 0), ([-1], 0), ([0], -1), ([0], 2**32)]
)
def test_bad_lanes_and_seeds_are_refused(lanes: list[int], seed: int) -> None:
    with pytest.raises(InputError, match="lanes"):
        make_environments("CartPole-v1", lanes, seed)


def test_the_door_opens_without_gymnasium() -> None:
    code = f"""
import sys
from sim.environments.make import interface_of
interface_of("{EMPTY}")
print("gymnasium" in sys.modules)
"""
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "False"
