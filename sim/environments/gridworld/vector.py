# SPDX-License-Identifier: Apache-2.0
"""Compiled MiniGrid worlds, B at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.environments.gridworld.draws import compiled_episode_seed
from sim.environments.gridworld.lanes import VIEW, Lanes, Rules, make_lanes
from sim.environments.gridworld.rooms import generate
from sim.environments.gridworld.steps import step_all
from sim.environments.gridworld.worlds import interface_of, rules_of
from sim.environments.interface import Observations, Steps
from sim.errors import InputError, require
from sim.jit import kernel

_WORD = 2**32


class GridworldVector:
    """B lanes of one MiniGrid world; a ``VectorEnvironment``.

    The rules are those of minigrid 3.2.0, its rooms have the same probabilities, but an episode's
    seed gives another room than there.

    Args:
        name: one of ``NAMES``.
        lanes: ``[B]`` their numbers in the whole run, each below 2^32.
        seed: of the run, below 2^32.

    Raises:
        InputError: one of these is not so.
    """

    def __init__(self, name: str, lanes: Sequence[int], seed: int) -> None:
        require("lanes", list(lanes), len(lanes) > 0, "one or more")
        require("lanes", list(lanes), all(0 <= n < _WORD for n in lanes), "0 to 2^32 - 1")
        require("seed", seed, 0 <= seed < _WORD, "0 to 2^32 - 1")
        self._rules = rules_of(name)
        self._seed = seed
        self._numbers = np.array(lanes, dtype=np.int64)
        self._lanes = make_lanes(len(lanes), self._rules.size)
        self.interface = interface_of(self._rules)
        self.count = len(lanes)

    def reset(self) -> Observations:
        """``[B, 7, 7, 3]``: every lane begins its episode 0."""
        self._lanes.episode[:] = -1
        self._lanes.over[:] = True
        return self.step(np.zeros(self.count, dtype=np.int64)).observations

    def step(self, actions: NDArray[np.int64]) -> Steps:
        """Take one action ``[B]`` in each lane; begin the next episode where one had ended.

        Raises:
            InputError: not one action for each lane, or one that does not exist.
        """
        if actions.shape != (self.count,):
            raise InputError(f"actions have the shape {actions.shape}; allowed: ({self.count},)")
        out = _room_for(self.count)
        actions = np.ascontiguousarray(actions, dtype=np.int64)
        wrong = step_all(self._rules, self._lanes, self._numbers, self._seed, actions, out)
        if wrong >= 0:
            raise InputError(f"the action of lane {wrong} is {actions[wrong]}; allowed: 0 to 6")
        return out

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Where the lanes stand; their rooms follow from the numbers of their episodes."""
        here = self._lanes
        moving = {"agent": here.agent, "steps": here.steps, "over": here.over}
        return {name: array.copy() for name, array in moving.items()} | {
            "episode": here.episode.copy()
        }

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where the snapshot of a vector of the same name, lanes and seed was taken.

        Raises:
            InputError: the arrays are not those of such a vector.
        """
        _check(snapshot, self.snapshot())
        self._lanes.episode[:] = snapshot["episode"]
        _rebuild(self._rules, self._lanes, self._numbers, self._seed)
        for name in ("agent", "steps", "over"):
            getattr(self._lanes, name)[:] = snapshot[name]


def _room_for(count: int) -> Steps:
    """Fresh arrays for each step, so that what was returned stays as it is."""
    flags = np.empty((4, count), dtype=np.bool_)
    return Steps(
        np.empty((count, VIEW, VIEW, 3), dtype=np.uint8),
        np.empty(count, dtype=np.float32),
        *flags,
    )


def _check(given: dict[str, NDArray[Any]], like: dict[str, NDArray[Any]]) -> None:
    found = {name: (array.shape, array.dtype.name) for name, array in given.items()}
    wanted = {name: (array.shape, array.dtype.name) for name, array in like.items()}
    require("snapshot", found, found == wanted, str(wanted))


@kernel
def _rebuild(rules: Rules, lanes: Lanes, numbers: NDArray[np.int64], seed: int) -> None:
    """The rooms of the episodes that run."""
    for b in range(len(numbers)):
        if lanes.episode[b] >= 0:
            generate(rules, lanes, b, compiled_episode_seed(seed, numbers[b], lanes.episode[b]))
