# SPDX-License-Identifier: Apache-2.0
"""Where worlds with POGEMA's rules stand, as a few small arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.environments.pogema.floors import Floors
from sim.environments.pogema.state import State
from sim.errors import require

_NAMES = ("cell", "target", "turn", "active", "steps", "episode", "over")


def snapshot(state: State) -> dict[str, NDArray[Any]]:
    """Copies; the grid of what robots see is kept as one bit for each robot, ``shown``."""
    world = np.arange(len(state.cell))[:, None]
    arrays: dict[str, NDArray[Any]] = {name: getattr(state, name).copy() for name in _NAMES}
    return arrays | {"shown": state.shown[world, state.cell] != 0}


def restore(
    state: State, floors: Floors, floor: NDArray[np.int64], arrays: dict[str, NDArray[Any]]
) -> None:
    """Write a snapshot into ``state``.

    Raises:
        InputError: other names, shapes, types or numbers than such worlds have.
    """
    _check_kind(arrays, snapshot(state))
    for name in ("cell", "target"):
        inside = (arrays[name] >= 0) & (arrays[name] < floors.size.shape[1])
        free = floors.size[floor[:, None], np.where(inside, arrays[name], 0)] > 0
        require(name, arrays[name][~(inside & free)], (inside & free).all(), "free cells")
    for name, least in (("turn", 0), ("steps", 0), ("episode", -1)):
        require(name, int(arrays[name].min()), arrays[name].min() >= least, f"{least} or more")
    _check_cells(arrays)
    for name in _NAMES:
        getattr(state, name)[:] = arrays[name]
    state.shown[:] = 0
    world, robot = np.nonzero(arrays["shown"])
    state.shown[world, arrays["cell"][world, robot]] = 1


def _check_kind(given: dict[str, NDArray[Any]], like: dict[str, NDArray[Any]]) -> None:
    found = {name: (array.shape, array.dtype.name) for name, array in given.items()}
    wanted = {name: (array.shape, array.dtype.name) for name, array in like.items()}
    require("snapshot", found, found == wanted, str(wanted))


def _check_cells(arrays: dict[str, NDArray[Any]]) -> None:
    """Two robots in one cell would send each other back for ever."""
    for w in np.flatnonzero(~arrays["over"]):
        cells = arrays["cell"][w, arrays["active"][w]]
        distinct = len(np.unique(cells)) == len(cells)
        require(f"cell of world {w}", cells.tolist(), distinct, "one robot in each")
