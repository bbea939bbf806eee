# SPDX-License-Identifier: Apache-2.0
"""What a batch of warehouses shows, by the chosen kind of observation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.distances import neighbour_table
from sim.environments.warehouse.observe import (
    FEATURES,
    Floor,
    write_edges,
    write_floor,
    write_local,
    write_masks,
    write_vectors,
)
from sim.environments.warehouse.options import Observation, WarehouseOptions
from sim.layout import Layout
from sim.warehouse.control.fields import Fields
from sim.warehouse.control.interface import View
from sim.warehouse.rules import Gait

Observations = dict[str, NDArray[Any]]
"""Local: ``planes`` uint8 ``[W, N, C, D, D]``. Global: ``floor`` uint8 ``[W, C, height, width]``,
``robots`` float32 ``[W, N, F]``. Graph: ``robots``, ``neighbours`` int32 ``[W, N, K]``, ``mask``
int8 ``[W, N, K]`` and ``offsets`` float32 ``[W, N, K, 2]``. See ``observe``."""

PLANES = ("obstacle", "robot", "goal", "nearer")
CLAIMS = ("claimed",)
HEADINGS = ("north", "east", "south", "west")


def planes_of(options: WarehouseOptions) -> tuple[str, ...]:
    """The names of the C planes: claims where moves take time, headings where robots turn."""
    claims = CLAIMS if options.ticks_per_action > 1 else ()
    return PLANES + claims + (HEADINGS if options.gait is Gait.TURNING else ())


class Show:
    """Observations and action masks of some worlds.

    Args:
        options, layout: of all worlds.
        fields: distances on this layout.
    """

    def __init__(self, options: WarehouseOptions, layout: Layout, fields: Fields) -> None:
        self._options, self._layout, self._fields = options, layout, fields
        self.planes = planes_of(options)
        self._floor = Floor(
            free=layout.free.ravel().copy(),
            neighbours=neighbour_table(layout),
            height=layout.height,
            width=layout.width,
            turning=options.gait is Gait.TURNING,
            claims=self.planes.index("claimed") if "claimed" in self.planes else -1,
            headings=self.planes.index("north") if "north" in self.planes else -1,
        )

    def observe(self, view: View) -> Observations:
        """What the robots see now; fresh arrays."""
        match self._options.observation:
            case Observation.LOCAL:
                return {"planes": self._local(view)}
            case Observation.GLOBAL:
                return {"floor": self.whole(view), "robots": self._vectors(view)}
            case Observation.GRAPH:
                return {"robots": self._vectors(view), **self._edges(view)}

    def masks(self, view: View) -> NDArray[np.bool_]:
        """``[W, N, A]``, see ``WarehouseBatch.action_masks``."""
        shape = (*view.fleet.cell.shape, self._options.rules.num_actions)
        masks = np.zeros(shape, dtype=np.bool_)
        write_masks(self._floor, view.fleet, masks)
        return masks

    def _local(self, view: View) -> NDArray[np.uint8]:
        radius = self._options.radius
        side = 2 * radius + 1
        goals = np.ascontiguousarray(view.goals[:, :, 0])
        out = np.zeros((*goals.shape, len(self.planes), side, side), dtype=np.uint8)
        rows, arrays = self._fields.rows(goals), self._fields.arrays
        write_local(self._floor, view.fleet, goals, rows, arrays, radius, out)
        return out

    def whole(self, view: View) -> NDArray[np.uint8]:
        """``[W, C, height, width]``, whatever the kind of observation."""
        goals = np.ascontiguousarray(view.goals[:, :, 0])
        out = np.zeros((len(goals), len(self.planes), self._layout.free.size), dtype=np.uint8)
        write_floor(self._floor, view.fleet, goals, out)
        return out.reshape(*out.shape[:2], *self._layout.free.shape)

    def _vectors(self, view: View) -> NDArray[np.float32]:
        goals = np.ascontiguousarray(view.goals[:, :, 0])
        out = np.zeros((*goals.shape, len(FEATURES)), dtype=np.float32)
        rows, arrays = self._fields.rows(goals), self._fields.arrays
        ticks = self._options.ticks_per_action
        write_vectors(self._floor, view.fleet, goals, rows, arrays, ticks, out)
        return out

    def _edges(self, view: View) -> Observations:
        shape = (*view.fleet.cell.shape, self._options.neighbours)
        neighbours = np.zeros(shape, dtype=np.int32)
        mask = np.zeros(shape, dtype=np.int8)
        offsets = np.zeros((*shape, 2), dtype=np.float32)
        write_edges(self._floor, view.fleet, neighbours, mask, offsets)
        return {"neighbours": neighbours, "mask": mask, "offsets": offsets}
