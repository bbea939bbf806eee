# SPDX-License-Identifier: Apache-2.0
"""The one door to environments: several lanes of one name, by the fastest engine that has it.

Gymnasium and the compiled worlds are imported only when one of theirs is asked for: together they
take a second, and most commands need neither.
"""

import functools
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from sim.environments.interface import Interface, VectorEnvironment
from sim.environments.warehouse_names import warehouse_robots
from sim.errors import InputError, require

if TYPE_CHECKING:
    from sim.environments.names import Recipe
    from sim.environments.spaces import Translation

MAX_NUMBER = 2**32 - 1


class EnvironmentEngine(StrEnum):
    """What steps the environments."""

    AUTO = "auto"
    """Compiled where there is a compiled world of that name, else Gymnasium."""

    COMPILED = "compiled"
    GYMNASIUM = "gymnasium"


def make_environments(
    name: str, lanes: Sequence[int], seed: int, engine: str = EnvironmentEngine.AUTO
) -> VectorEnvironment:
    """One environment for each lane, to be reset before the first step.

    What happens in an episode follows from the name, the engine, the seed, the number of the lane,
    the number of the episode and the actions; the other lanes do not matter.

    Args:
        name: an id that Gymnasium, MiniGrid or POPGym registers, one of ``names.SIZED``, or
            ``warehouse-N``, where each robot is a lane.
        lanes: ``[B]`` numbers across the whole run, all different, below 2^32.
        seed: of the run, below 2^32.
        engine: an ``EnvironmentEngine``.

    Raises:
        InputError: unknown name, spaces that no policy here can use, or bad numbers.
    """
    numbers = list(lanes)
    require("lanes", numbers, 0 < len(numbers) == len(set(numbers)), "one or more, all different")
    in_range = all(0 <= number <= MAX_NUMBER for number in [*numbers, seed])
    require("lanes and seed", (numbers, seed), in_range, f"0 to {MAX_NUMBER}")
    if is_compiled(name, engine):
        return _compiled(name, numbers, seed)
    from sim.environments.gymnasium_vector import GymnasiumVector
    from sim.environments.lane import Source

    recipe, translation = _read(name)
    return GymnasiumVector(Source(name, recipe.make, translation, seed), numbers, recipe.max_steps)


def _compiled(name: str, numbers: list[int], seed: int) -> VectorEnvironment:
    robots = warehouse_robots(name)
    if robots is not None:
        from sim.environments.warehouse.lanes import WarehouseLanes

        return WarehouseLanes(robots, numbers, seed)
    from sim.environments.gridworld import GridworldVector

    return GridworldVector(name, numbers, seed)


def interface_of(name: str) -> Interface:
    """What a policy must know of an environment, whatever the engine.

    Raises:
        InputError: unknown name, or spaces that no policy here can use.
    """
    robots = warehouse_robots(name)
    if robots is not None:
        from sim.environments.warehouse.lanes import interface_for

        return interface_for(robots)
    if is_compiled(name, EnvironmentEngine.AUTO):
        from sim.environments.gridworld.worlds import interface_of as interface_of_rules
        from sim.environments.gridworld.worlds import rules_of

        return interface_of_rules(rules_of(name))
    return _read(name)[1].interface


def is_compiled(name: str, engine: str) -> bool:
    """Whether the engine steps this environment by the compiled worlds.

    Raises:
        InputError: no such engine, or the compiled one where it has no such world.
    """
    require("engine", engine, engine in list(EnvironmentEngine), ", ".join(EnvironmentEngine))
    if warehouse_robots(name) is not None:
        own = engine != EnvironmentEngine.GYMNASIUM
        require("engine", engine, own, "auto, compiled; every robot of a warehouse is a lane")
        return True
    if engine == EnvironmentEngine.GYMNASIUM:
        return False
    from sim.environments.gridworld.worlds import NAMES

    if engine == EnvironmentEngine.COMPILED and name not in NAMES:
        raise InputError(f"engine is 'compiled', environment {name!r}; allowed: {', '.join(NAMES)}")
    return name in NAMES


@functools.cache
def _read(name: str) -> "tuple[Recipe, Translation]":
    """The spaces are those of an environment that is built once for this."""
    from sim.environments.names import resolve
    from sim.environments.spaces import translate

    recipe = resolve(name)
    try:
        environment = recipe.make()
        environment.reset(seed=0)  # some find out only here that a package is missing
    except Exception as error:  # whatever it is: the environment is not our code
        cause = f"{type(error).__name__}: {error}"
        raise InputError(f"environment {name!r} cannot be started: {cause}") from error
    translation = translate(environment, name, recipe.max_steps or _own_limit(environment))
    environment.close()
    return recipe, translation


def _own_limit(environment: object) -> int | None:
    """MiniGrid calls it ``max_steps``, POPGym ``max_episode_length``."""
    plain = getattr(environment, "unwrapped", environment)
    for attribute in ("max_steps", "max_episode_length"):
        limit = getattr(plain, attribute, None)
        if isinstance(limit, int):
            return limit
    return None
