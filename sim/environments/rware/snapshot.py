# SPDX-License-Identifier: Apache-2.0
"""Where worlds stand, as a few small arrays, and back.

``cell [W, N]`` and ``shelf_cell [W, S]`` linear cells of the layout, the latter also of carried
shelves; ``heading [W, N]`` 0 north, 1 east, 2 south, 3 west; ``carried [W, N]`` a shelf or -1;
``delivered [W, N]`` 1 if that has been; ``requested [W, S]`` 1 or 0; all int32. ``clocks [W, 4]``
int64: calls since the reset, steps of the episode, steps since a delivery, and 1 if the next call
begins an episode.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.environments.rware.state import (
    CARRIED,
    CORRIDOR,
    DELIVERED,
    HEADING,
    NOTHING,
    OVER,
    PLACE,
    REQUEST,
    REQUESTED,
    ROBOT_CODES,
    SHELF,
    TICK,
    Floor,
    Rules,
    State,
    make_state,
)
from sim.errors import require

Snapshot = dict[str, NDArray[Any]]


def snapshot_of(floor: Floor, state: State) -> Snapshot:
    """The arrays that the rest follows from."""
    cell_of = np.zeros(len(floor.tiles), dtype=np.int32)
    cell_of[floor.cells] = np.arange(len(floor.cells))
    return {
        "cell": cell_of[state.robots[..., PLACE]],
        "heading": state.robots[..., HEADING].copy(),
        "carried": state.robots[..., CARRIED].copy(),
        "delivered": state.robots[..., DELIVERED].copy(),
        "shelf_cell": cell_of[state.shelves[..., PLACE]],
        "requested": state.shelves[..., REQUEST].copy(),
        "clocks": state.clocks.copy(),
    }


def restored(rules: Rules, floor: Floor, like: State, snapshot: Snapshot) -> State:
    """The state that a snapshot was taken of.

    Raises:
        InputError: other names, shapes or types than those of ``like``, or a state that cannot be.
    """
    found, wanted = _kinds(snapshot), _kinds(snapshot_of(floor, like))
    require("snapshot", found, found == wanted, str(wanted))
    _require_ranges(floor, snapshot)
    state = make_state(floor, *snapshot["cell"].shape)
    state.clocks[:] = snapshot["clocks"]
    if not _unborn(snapshot):
        _require_possible(rules, floor, snapshot)
        _fill(floor, state, snapshot)
    return state


def _unborn(snapshot: Snapshot) -> bool:
    """Taken before the first reset: all worlds begin at the next call."""
    clocks = snapshot["clocks"]
    return bool((clocks[:, TICK] == 0).all() and clocks[:, OVER].all())


def _kinds(arrays: Snapshot) -> dict[str, tuple[tuple[int, ...], str]]:
    return {name: (array.shape, array.dtype.name) for name, array in sorted(arrays.items())}


def _require_ranges(floor: Floor, snapshot: Snapshot) -> None:
    for name, low, high in (
        ("cell", 0, len(floor.cells) - 1),
        ("heading", 0, 3),
        ("carried", NOTHING, len(floor.shelves) - 1),
        ("delivered", 0, 1),
        ("shelf_cell", 0, len(floor.cells) - 1),
        ("requested", 0, 1),
        ("clocks", 0, 2**32 - 1),
    ):
        values = snapshot[name]
        found = f"{values.min()} to {values.max()}"
        within = bool(low <= values.min() and values.max() <= high)
        require(f"snapshot {name}", found, within, f"{low} to {high}")


def _require_possible(rules: Rules, floor: Floor, snapshot: Snapshot) -> None:
    """No two robots or shelves share a cell; carried shelves are with their robots."""
    for name in ("cell", "shelf_cell"):
        once = bool((np.diff(np.sort(snapshot[name], axis=1), axis=1) > 0).all())
        require(f"snapshot {name}", "one twice", once, "each once in a world")
    requests = snapshot["requested"].sum(axis=1)
    right = bool((requests == rules.requests).all())
    require("snapshot requested", requests.tolist(), right, f"{rules.requests} in each world")
    world, robot = np.nonzero(snapshot["carried"] != NOTHING)
    shelf = snapshot["carried"][world, robot]
    with_robot = snapshot["shelf_cell"][world, shelf] == snapshot["cell"][world, robot]
    require("snapshot carried", "elsewhere", bool(with_robot.all()), "where the robot is")
    stands = np.ones(snapshot["shelf_cell"].shape, dtype=np.bool_)
    stands[world, shelf] = False
    corridor = floor.tiles[floor.cells[snapshot["shelf_cell"]]] & CORRIDOR > 0
    blocked = bool((stands & corridor).any())
    require("snapshot shelf_cell", "in a corridor", not blocked, "elsewhere unless carried")


def _fill(floor: Floor, state: State, snapshot: Snapshot) -> None:
    place, shelf_place = floor.cells[snapshot["cell"]], floor.cells[snapshot["shelf_cell"]]
    columns = (place, snapshot["heading"], snapshot["carried"], snapshot["delivered"])
    state.robots[:] = np.stack(columns, axis=-1)
    state.shelves[:] = np.stack([shelf_place, snapshot["requested"]], axis=-1)
    world, shelf = np.indices(shelf_place.shape)
    state.standing[world, shelf_place] = shelf
    state.code[world, shelf_place] = SHELF + REQUESTED * snapshot["requested"]
    loaded = np.nonzero(snapshot["carried"] != NOTHING)
    state.standing[loaded[0], place[loaded]] = NOTHING
    world, _ = np.indices(place.shape)
    state.code[world, place] |= ROBOT_CODES[snapshot["heading"]]
