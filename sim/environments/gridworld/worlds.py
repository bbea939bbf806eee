# SPDX-License-Identifier: Apache-2.0
"""The worlds that are compiled, by the names that minigrid 3.2.0 registers."""

from sim.environments.gridworld.lanes import (
    ACTIONS,
    CROSSING,
    MEMORY,
    OPEN_ROOM,
    VIEW,
    Rules,
)
from sim.environments.interface import Interface, ObservationKind
from sim.errors import InputError


def _open_room(size: int, random: bool = False) -> Rules:
    return Rules(OPEN_ROOM, size, 0, random, 4 * size**2)


def _crossing(size: int, crossings: int) -> Rules:
    return Rules(CROSSING, size, crossings, False, 4 * size**2)


def _memory(size: int, random: bool = False) -> Rules:
    return Rules(MEMORY, size, 0, random, 5 * size**2)


_RULES = {
    "MiniGrid-Empty-5x5-v0": _open_room(5),
    "MiniGrid-Empty-6x6-v0": _open_room(6),
    "MiniGrid-Empty-8x8-v0": _open_room(8),
    "MiniGrid-Empty-16x16-v0": _open_room(16),
    "MiniGrid-Empty-Random-5x5-v0": _open_room(5, random=True),
    "MiniGrid-Empty-Random-6x6-v0": _open_room(6, random=True),
    "MiniGrid-SimpleCrossingS9N1-v0": _crossing(9, 1),
    "MiniGrid-SimpleCrossingS9N2-v0": _crossing(9, 2),
    "MiniGrid-SimpleCrossingS9N3-v0": _crossing(9, 3),
    "MiniGrid-SimpleCrossingS11N5-v0": _crossing(11, 5),
    "MiniGrid-MemoryS7-v0": _memory(7),
    "MiniGrid-MemoryS9-v0": _memory(9),
    "MiniGrid-MemoryS11-v0": _memory(11),
    "MiniGrid-MemoryS13-v0": _memory(13),
    "MiniGrid-MemoryS13Random-v0": _memory(13, random=True),
    "MiniGrid-MemoryS17Random-v0": _memory(17, random=True),
}

NAMES = tuple(_RULES)
"""The names of all worlds that are compiled."""


def rules_of(name: str) -> Rules:
    """The rules of a world.

    Raises:
        InputError: it is none of ``NAMES``.
    """
    if name not in _RULES:
        raise InputError(f"environment is {name!r}; compiled are: {', '.join(NAMES)}")
    return _RULES[name]


def interface_of(rules: Rules) -> Interface:
    """What a policy must know; the direction and the mission are not shown to it."""
    return Interface(ObservationKind.GRID, (VIEW, VIEW, 3), ACTIONS, (11, 6, 4), rules.max_steps)
