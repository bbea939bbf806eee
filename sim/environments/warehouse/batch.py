# SPDX-License-Identifier: Apache-2.0
"""The living warehouse as an environment: W worlds of N robots, stepped by one call."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.environments.warehouse import ticks
from sim.environments.warehouse.delays import EpisodeDelays
from sim.environments.warehouse.episodes import Episode, draw_episode, later
from sim.environments.warehouse.options import WarehouseOptions, make_layout
from sim.environments.warehouse.show import Observations, Show
from sim.errors import InputError, require
from sim.warehouse.book import new_book
from sim.warehouse.chance import Keys
from sim.warehouse.control.fields import Fields, distances
from sim.warehouse.control.interface import View
from sim.warehouse.delays.options import DelayKind
from sim.warehouse.fleet import Int32s
from sim.warehouse.world import Setting, Snapshot, Worlds, inner, outer

LOOK_AT = 100
"""Free robots choose among so many of the oldest open orders."""


class WarehouseSteps(NamedTuple):
    """What one call brought about; it belongs to the caller.

    Where an episode ended, ``observations`` holds its last ones. At the next call the actions of
    that world are not used: it returns the first observations of its next episode, with ``begins``
    true and rewards 0.

    Args:
        observations: each ``[W, ...]``, see ``Show``.
        rewards: ``[W, N]`` float32, of the actions just taken.
        terminated: ``[W]`` bool: all orders of a stream that ends are done.
        truncated: ``[W]`` bool: cut off after ``max_steps``, with work left.
        begins: ``[W]`` bool: the observations are the first of an episode.
        refused: ``[W, N]`` bool: the action could not be done and became a wait.
    """

    observations: Observations
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    begins: NDArray[np.bool_]
    refused: NDArray[np.bool_]


class WarehouseBatch:
    """W warehouses with one floor and one kind of work.

    What happens in episode ``k`` of a world is a function of the options, the world's key, ``k``
    and the actions; the other worlds, and what happened before, do not matter.

    Args:
        options: of all worlds.
        keys: ``[W]`` uint64, all chance of each world, see ``sim.warehouse.chance.world_keys``.

    Raises:
        InputError: no keys, a bad map, or more robots than cells.
    """

    def __init__(self, options: WarehouseOptions, keys: Keys) -> None:
        require("worlds", len(keys), len(keys) > 0, "1 or more")
        _require_keys(keys, len(keys))
        self.options, self.layout = options, make_layout(options)
        self._keys = keys.copy()
        worlds, robots = self.shape
        delayed = options.delays.kind is not DelayKind.NONE
        self._delays = EpisodeDelays(options.delays, worlds, robots) if delayed else None
        self._fields = Fields(self.layout)
        self.show = Show(options, self.layout, self._fields)
        self._episode = np.zeros(worlds, dtype=np.int64)
        self._begun = np.zeros(worlds, dtype=np.int64)
        self._steps = np.zeros(worlds, dtype=np.int64)
        self._over = np.zeros(worlds, dtype=np.bool_)
        self.reset()

    @property
    def shape(self) -> tuple[int, int]:
        """W and N."""
        return len(self._keys), self.options.robots

    @property
    def view(self) -> View:
        """What is to be acted on now, as controllers read it; changes with the next step."""
        return self._view

    def reset(self, keys: Keys | None = None) -> Observations:
        """Every world begins its episode 0.

        Args:
            keys: ``[W]`` new ones; None keeps those that are.

        Raises:
            InputError: not one key for each world.
        """
        if keys is not None:
            _require_keys(keys, len(self._keys))
            self._keys[:] = keys
        worlds, robots = self.shape
        episodes = [self._draw(world, 0) for world in range(worlds)]
        starts = np.stack([episode.cells for episode in episodes])
        setting = Setting(self.layout, self.options.rules, self.options.pool_size, 1)
        books = [new_book(episode.orders, robots) for episode in episodes]
        self._worlds = Worlds(setting, starts, books, self._delays)
        self._books = ticks.stack(books[0], worlds)
        self._orders = np.empty((worlds, LOOK_AT), dtype=np.int32)
        for world, episode in enumerate(episodes):
            self._begin(world, 0, episode, 0)
        return self._look()

    def next_episode(self) -> Observations:
        """Every world begins its next episode, wherever it stands."""
        for world in range(len(self._keys)):
            self._begin_next(world)
        return self._look()

    def step(self, actions: NDArray[Any]) -> WarehouseSteps:
        """Take one action ``[W, N]`` for each robot; begin an episode where one had ended.

        Raises:
            InputError: not one whole number for each robot, or an action that does not exist;
                nothing has changed then.
        """
        chosen = self._checked(actions)
        begins = self._over.copy()
        chosen[begins] = 0
        left = self._left()
        moved = self._worlds.move(chosen)
        nearer = left - self._left()
        rewards, done = self._paid()
        rewards += np.float32(self.options.way_reward) * nearer
        self._steps += 1
        for world in np.flatnonzero(begins):
            self._begin_next(int(world))
        rewards[begins] = 0
        refused = moved.refused & ~begins[:, None]
        terminated = done & ~begins & (self.options.order_ticks > 0)
        truncated = (self._steps == self.options.max_steps) & ~terminated
        self._over = terminated | truncated
        return WarehouseSteps(self._look(), rewards, terminated, truncated, begins, refused)

    def action_masks(self) -> NDArray[np.bool_]:
        """``[W, N, A]``: False where the action would be refused whatever the others do.

        A robot in mid-action may go on or wait; at rest it may not drive off the floor.
        """
        return self.show.masks(self._view)

    def _checked(self, actions: NDArray[Any]) -> NDArray[np.int8]:
        given, most = np.asarray(actions), self.options.rules.num_actions - 1
        require("actions", f"{given.dtype} {given.shape}",
                given.dtype.kind in "iu" and given.shape == self.shape,
                f"whole numbers {self.shape}")  # fmt: skip
        wrong = (given < 0) | (given > most)
        if wrong.any():
            world, robot = np.argwhere(wrong)[0]
            raise InputError(
                f"action of robot {robot} in world {world} is {given[world, robot]}; allowed: "
                f"0 to {most}"
            )
        return given.astype(np.int8)

    def _draw(self, world: int, number: int) -> Episode:
        return draw_episode(self.options, self.layout, self._keys[world], number)

    def _begin_next(self, world: int) -> None:
        number = int(self._episode[world]) + 1
        self._begin(world, number, self._draw(world, number), self._worlds.tick)

    def _begin(self, world: int, number: int, episode: Episode, tick: int) -> None:
        fleet = self._worlds.fleet
        for array in fleet:
            array[world] = 0
        fleet.cell[world], fleet.heading[world] = episode.cells, episode.headings
        book = new_book(later(episode.orders, tick), self.options.robots)
        self._worlds.books[world] = book
        ticks.put(self._books, world, book)
        if self._delays is not None:
            self._delays.begin(world, tick, episode.key)
        self._episode[world], self._begun[world] = number, tick
        self._steps[world], self._over[world] = 0, False

    def _look(self) -> Observations:
        """Orders become known and are given to free robots; then what is to be seen."""
        worlds, cells = self._worlds, np.empty_like(self._orders)
        goals = np.empty((*self.shape, 1), dtype=np.int32)
        ticks.wanted(self._books, worlds.tick, self.options.pool_size, self._orders, cells)
        rows = self._fields.rows(cells)
        fleet, fields = worlds.fleet, self._fields.arrays
        ticks.give(self._books, worlds.tick, fleet.cell, self._orders, rows, fields, goals)
        self._view = View(worlds.tick, fleet, goals, None)
        return self.show.observe(self._view)

    def _left(self) -> Int32s:
        """``[W, N]`` moves to the errands that robots were last seen to be on; 0 if unpaid."""
        if not self.options.way_reward:
            return np.zeros(self.shape, dtype=np.int32)
        goals = np.ascontiguousarray(self._view.goals[:, :, 0])
        rows = self._fields.rows(goals)
        return distances(self._fields.arrays, rows, self._worlds.fleet.cell)

    def _paid(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """``[W, N]`` rewards of the tick that has passed; ``[W]`` whether all orders are done."""
        options, worlds = self.options, self._worlds
        rewards = np.full(self.shape, -options.step_cost, dtype=np.float32)
        done = np.empty(len(rewards), dtype=np.bool_)
        paid = float(options.errand_reward), float(options.order_reward)
        ticks.finish(self._books, worlds.fleet.cell, worlds.tick, *paid, rewards, done)
        return rewards, done

    def snapshot(self) -> Snapshot:
        """Where the worlds stand, as arrays."""
        return {
            "keys": self._keys.copy(),
            "episode": self._episode.copy(),
            "steps": self._steps.copy(),
            "over": self._over.copy(),
            "begun": self._begun.copy(),
            **outer(self._worlds.snapshot(), "worlds"),
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Go on exactly where the snapshot of a batch of the same options and keys was taken.

        Raises:
            InputError: the arrays are not those of such a batch; it must be reset then.
        """
        _require_alike(snapshot, self.snapshot(), ("keys", "episode", "steps", "over", "begun"))
        require("keys", "others", np.array_equal(snapshot["keys"], self._keys), "the batch's own")
        for world in range(self.shape[0]):
            number, begun = int(snapshot["episode"][world]), int(snapshot["begun"][world])
            require("episode", (number, begun), number >= 0 and begun >= 0, "0 or more, both")
            self._begin(world, number, self._draw(world, number), begun)
        self._worlds.restore(inner(snapshot, "worlds"))
        self._steps[:], self._over[:] = snapshot["steps"], snapshot["over"]
        self._view = self._worlds.view()


def _require_keys(keys: Keys, worlds: int) -> None:
    fits = keys.shape == (worlds,) and keys.dtype == np.uint64
    require("keys", f"{keys.dtype} {list(keys.shape)}", fits, f"uint64 [{worlds}]")


def _require_alike(given: Snapshot, own: Snapshot, names: tuple[str, ...]) -> None:
    for name in names:
        found = given[name] if name in given else np.empty(0)
        wanted = own[name]
        fits = found.shape == wanted.shape and found.dtype == wanted.dtype
        require(f"snapshot: {name}", f"{found.dtype} {list(found.shape)}", fits,
                f"{wanted.dtype} {list(wanted.shape)}")  # fmt: skip
