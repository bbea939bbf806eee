# SPDX-License-Identifier: Apache-2.0
"""Where robots start and go to: drawn for each episode, or given."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.environments.pogema.floors import Floors, with_margin
from sim.environments.pogema.options import OnTarget, PogemaOptions
from sim.environments.pogema.state import Orders
from sim.errors import InputError, require
from sim.layout import Cells, Layout
from sim.warehouse.chance import Keys


def drawn(layouts: Sequence[Layout], floors: Floors, options: PogemaOptions, keys: Keys) -> Orders:
    """Other starts and targets in every episode.

    Raises:
        InputError: a layout has too few cells for so many robots.
    """
    for layout, sizes in zip(layouts, floors.size, strict=True):
        free, counts = np.unique(sizes[sizes > 0], return_counts=True)
        room = int((counts // free * (free // 2)).sum())  # components of a size, pairs in each
        require("robots", options.robots, options.robots <= room,
                f"1 to {room}, the pairs of connected cells of {layout.name}")  # fmt: skip
    shape = (0, options.robots)
    none = np.empty(shape, dtype=np.int32)
    return Orders(none, np.empty((*shape, 0), dtype=np.int32), _floor(layouts, keys), keys)


def given(
    layouts: Sequence[Layout],
    options: PogemaOptions,
    keys: Keys,
    starts: NDArray[np.int32],
    targets: NDArray[np.int32],
) -> Orders:
    """The same starts and targets in every episode.

    Args:
        starts: ``[W, N]`` cells of the layouts.
        targets: ``[W, N, K]``, visited in turn and then again from the first one; K is 1 where
            robots do not restart.

    Raises:
        InputError: another shape, an obstacle, or two robots of a world that start in one cell.
    """
    shape = (len(keys), options.robots)
    require("starts", starts.shape, starts.shape == shape, str(shape))
    restart = options.on_target == OnTarget.RESTART
    matching = targets.shape[:2] == shape and targets.ndim == 3 and targets.shape[2] > 0
    require("targets", targets.shape, matching and (restart or targets.shape[2] == 1),
            f"{shape} and {'one or more' if restart else 'one'} for each robot")  # fmt: skip
    floor = _floor(layouts, keys)
    for w, number in enumerate(floor):
        _require_free(layouts[number], f"starts of world {w}", starts[w])
        _require_free(layouts[number], f"targets of world {w}", targets[w])
        if len(np.unique(starts[w])) < options.robots:
            raise InputError(f"starts of world {w} hold a cell twice; allowed: one for each robot")
    width, margin = layouts[0].width, options.obs_radius
    return Orders(
        with_margin(starts, width, margin), with_margin(targets, width, margin), floor, keys
    )


def _floor(layouts: Sequence[Layout], keys: Keys) -> NDArray[np.int64]:
    """``[W]``: the number of each world's layout."""
    one = len(layouts) == 1
    require("layouts", len(layouts), one or len(layouts) == len(keys), f"1 or {len(keys)}")
    return np.zeros(len(keys), dtype=np.int64) if one else np.arange(len(keys))


def _require_free(layout: Layout, what: str, cells: Cells) -> None:
    require(what, cells.dtype.name, cells.dtype.kind in "iu", "whole numbers")
    inside = (cells >= 0) & (cells < layout.free.size)
    wrong = cells[~(inside & layout.free.ravel()[np.where(inside, cells, 0)])]
    if wrong.size:
        raise InputError(f"{what}: cell {wrong[0]}; allowed: free cells of layout {layout.name}")
