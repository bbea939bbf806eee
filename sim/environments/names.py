# SPDX-License-Identifier: Apache-2.0
"""Environments by name: those that Gymnasium, MiniGrid and POPGym register, and small ones here."""

import dataclasses
import difflib
import functools
import importlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium

from sim.environments.chains import Bandit, Identity, MemoryLength
from sim.environments.warehouse_names import SIZES, warehouse_robots
from sim.errors import InputError, require

AnyEnvironment = gymnasium.Env[Any, Any]

SIZED: dict[str, tuple[Callable[[int], AnyEnvironment], int]] = {
    "memory-length": (MemoryLength, 1),
    "bandit": (Bandit, 2),
    "identity": (Identity, 2),
}
"""Ours, named with a number as in ``bandit-4``: what builds them, and the least number."""

MAX_SIZE = 1000

FAMILIES = {"MiniGrid-": "minigrid", "BabyAI-": "minigrid", "popgym-": "popgym"}
"""Packages that register their environments when they are imported, which takes a while."""

EXTRAS = {"popgym-Labyrinth": "mazelib"}
"""Environments that are there only with another package."""


@dataclass(frozen=True)
class Recipe:
    """How to build one environment.

    Args:
        make: builds it, without a time limit; takes Gymnasium's ``render_mode``.
        max_steps: the time limit; None: its episodes end by themselves.
    """

    make: Callable[..., AnyEnvironment]
    max_steps: int | None


def resolve(name: str) -> Recipe:
    """How to build the environment of a name.

    A name may also be ``module:id``: the module is imported first, and registers the id.

    Raises:
        InputError: Gymnasium has none of that name; tells near ones, or what has to be installed.
    """
    if warehouse_robots(name) is not None:
        raise InputError(f"environment {name!r} is not one of Gymnasium: its robots are lanes")
    return _sized(name) or _registered(name)


def known_names() -> list[str]:
    """All names that are registered, and one for each kind of ours."""
    for package in set(FAMILIES.values()):
        _import(package)
    own = [f"{kind}-{least}" for kind, (_, least) in SIZED.items()]
    return sorted(gymnasium.registry) + own + [f"warehouse-{size}" for size in SIZES]


def _sized(name: str) -> Recipe | None:
    match = re.fullmatch(r"([a-z-]+)-(\d+)", name)
    if match is None or match[1] not in SIZED:
        return None
    build, least = SIZED[match[1]]
    size = int(match[2])
    allowed = f"{match[1]}-N with N from {least} to {MAX_SIZE}"
    require("environment", name, least <= size <= MAX_SIZE, allowed)
    return Recipe(functools.partial(build, size), None)


def _registered(name: str) -> Recipe:
    module, _, plain = name.rpartition(":")
    for package in [module] if module else _packages_of(name):
        _import(package)
    if plain not in gymnasium.registry:
        raise InputError(_unknown(name))
    # What these wrappers check costs as much as a small environment does.
    spec = dataclasses.replace(
        gymnasium.spec(plain), order_enforce=False, disable_env_checker=True, max_episode_steps=None
    )
    limit = gymnasium.spec(plain).max_episode_steps
    return Recipe(functools.partial(gymnasium.make, spec), limit)


def _packages_of(name: str) -> list[str]:
    return [package for prefix, package in FAMILIES.items() if name.startswith(prefix)]


def _import(module: str) -> None:
    # MiniGrid draws by pygame, which otherwise greets on stdout.
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"environments of {module!r} need a package: {error}") from error


def _unknown(name: str) -> str:
    for prefix, package in EXTRAS.items():
        if name.startswith(prefix):
            return f"environment {name!r} needs the package {package}: pip install {package}"
    near = difflib.get_close_matches(name, known_names(), cutoff=0.5)
    kinds = ", ".join(f"{kind}-N" for kind in [*SIZED, "warehouse"])
    listed = f"did you mean {' or '.join(near)}? " if near else ""
    return (
        f"environment {name!r} is unknown; {listed}allowed: what Gymnasium, MiniGrid and POPGym "
        f"register, and {kinds}"
    )
