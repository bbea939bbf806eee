# SPDX-License-Identifier: Apache-2.0
"""The people of many worlds, tick by tick, and the cells that they close to robots."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, require
from sim.layout import Layout
from sim.warehouse.chance import Keys
from sim.warehouse.people.ground import ground_of
from sim.warehouse.people.options import PeopleKind, PeopleOptions
from sim.warehouse.people.scripted import walk_scripted
from sim.warehouse.people.social_force import walk_by_forces
from sim.warehouse.people.walkers import Floats, Walkers, mark_closed, set_out

PREFIX = "people_"


def _walkers_of(worlds: int, people: int) -> Walkers:
    shape = (worlds, people)
    return Walkers(
        position_m=np.zeros((*shape, 2)),
        velocity_m_s=np.zeros((*shape, 2)),
        cell=np.zeros(shape, dtype=np.int32),
        goal=np.zeros(shape, dtype=np.int32),
        pause_ticks=np.zeros(shape, dtype=np.int32),
        speed_m_s=np.zeros(shape),
    )


class People:
    """P people in each of W worlds.

    They start on free cells of the largest connected area and walk between places of it. They do
    not see robots; robots stop for them. Everything is a function of a world's key, the tick and
    the walker, so worlds do not depend on which others are stepped along.

    Args:
        layout: the floor.
        options: who walks.
        keys: ``[W]``, one per world.

    Raises:
        InputError: fewer than two connected cells, or no world.
    """

    def __init__(self, layout: Layout, options: PeopleOptions, keys: Keys) -> None:
        require("worlds", len(keys), len(keys) >= 1, "1 or more")
        self.options, self.keys = options, np.array(keys, dtype=np.uint64)
        self.ground = ground_of(layout, options)
        self._width = layout.width
        self._walkers = _walkers_of(len(keys), options.count)
        set_out(
            self.keys, self.ground.cells, len(self.ground.places), options.cell_m, layout.width,
            options.speed_m_s, options.speed_deviation_m_s, self._walkers,
        )  # fmt: skip
        self.closed: NDArray[np.bool_] = np.zeros((len(keys), layout.free.size), dtype=np.bool_)
        """``[W, cells]``, where robots must not go now; changed in place by ``advance``."""
        self._mark()

    @property
    def positions(self) -> Floats:
        """``[W, P, 2]`` metres to the east and to the south of the floor's north-west corner."""
        return self._walkers.position_m

    @property
    def velocities(self) -> Floats:
        """``[W, P, 2]`` metres per second; 0 for scripted walkers."""
        return self._walkers.velocity_m_s

    @property
    def desired_speeds(self) -> Floats:
        """``[W, P]`` metres per second."""
        return self._walkers.speed_m_s

    def advance(self, tick: int) -> None:
        """Let everybody walk for one tick; call once per tick, in order."""
        options, ground = self.options, self.ground
        pause_ticks = options.pause_s / options.tick_s
        if options.kind is PeopleKind.SCRIPTED:
            walk_scripted(
                self.keys, tick, options.tick_s, pause_ticks, ground.way, ground.cell_m,
                self._width, self._walkers,
            )  # fmt: skip
        else:
            walk_by_forces(
                self.keys, tick, options.tick_s, pause_ticks, ground.way, ground.blocked,
                ground.cell_m, self._walkers,
            )  # fmt: skip
        self._mark()

    def _mark(self) -> None:
        options = self.options
        mark_closed(
            self._walkers.position_m,
            options.stop_radius_m,
            options.cell_m,
            self._width,
            self.closed,
        )

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Where everybody is and what they are up to; names begin with ``people_``."""
        return {PREFIX + name: array.copy() for name, array in self._walkers._asdict().items()}

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot.

        Raises:
            InputError: the arrays are not those of such people on such a floor.
        """
        own = {PREFIX + name: array for name, array in self._walkers._asdict().items()}
        if snapshot.keys() != own.keys():
            raise InputError(f"snapshot has {sorted(snapshot)}; allowed: {sorted(own)}")
        for name, array in own.items():
            new = snapshot[name]
            fits = new.shape == array.shape and new.dtype == array.dtype
            require(
                name, f"{new.dtype}{list(new.shape)}", fits, f"{array.dtype}{list(array.shape)}"
            )
            require(name, "not finite", bool(np.isfinite(new).all()), "finite numbers")
        self._require_on_floor(snapshot)
        for name, array in own.items():
            array[:] = snapshot[name]
        self._mark()

    def _require_on_floor(self, snapshot: dict[str, NDArray[Any]]) -> None:
        goal, cell = snapshot[PREFIX + "goal"], snapshot[PREFIX + "cell"]
        column, row = np.floor(snapshot[PREFIX + "position_m"] / self.options.cell_m).T
        inside = (row >= 0) & (row < self.ground.blocked.shape[0] - 2)
        inside &= (column >= 0) & (column < self._width)
        require(
            PREFIX + "position_m", "off the floor", bool(inside.all()), "positions on the floor"
        )
        known = (goal >= 0) & (goal < len(self.ground.places)) & np.isin(cell, self.ground.cells)
        require(PREFIX + "goal, cell", "unknown", bool(known.all()), "those of this floor")
