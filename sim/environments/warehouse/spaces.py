# SPDX-License-Identifier: Apache-2.0
"""The spaces of observations and actions, for a team and for one of its robots."""

from typing import Any

import numpy as np
from gymnasium import spaces

from sim.environments.warehouse.batch import WarehouseBatch
from sim.environments.warehouse.observe import FEATURES
from sim.environments.warehouse.options import Observation
from sim.environments.warehouse.show import Observations

Space = spaces.Space[Any]


def action_space(batch: WarehouseBatch) -> spaces.MultiDiscrete:
    """One action for each robot of a world."""
    return spaces.MultiDiscrete([batch.options.rules.num_actions] * batch.options.robots)


def team_space(batch: WarehouseBatch) -> Space:
    """What one world shows: a box of planes if local, else a dict."""
    options, planes = batch.options, len(batch.show.planes)
    robots, near = options.robots, options.neighbours
    match options.observation:
        case Observation.LOCAL:
            return _bytes(robots, planes, *_window(batch))
        case Observation.GLOBAL:
            floor = _bytes(planes, *batch.layout.free.shape)
            return spaces.Dict({"floor": floor, "robots": _floats(robots, len(FEATURES))})
        case Observation.GRAPH:
            return spaces.Dict(
                {
                    "robots": _floats(robots, len(FEATURES)),
                    "neighbours": spaces.Box(0, max(1, robots - 1), (robots, near), np.int32),
                    "mask": spaces.MultiBinary((robots, near)),
                    "offsets": _floats(robots, near, 2),
                }
            )


def robot_space(batch: WarehouseBatch) -> Space:
    """What one robot sees: planes around it, or the floor, or its neighbours, and itself."""
    planes, near = len(batch.show.planes), batch.options.neighbours
    match batch.options.observation:
        case Observation.LOCAL:
            return _bytes(planes, *_window(batch))
        case Observation.GLOBAL:
            floor = _bytes(planes, *batch.layout.free.shape)
            return spaces.Dict({"floor": floor, "robot": _floats(len(FEATURES))})
        case Observation.GRAPH:
            return spaces.Dict(
                {
                    "robot": _floats(len(FEATURES)),
                    "neighbours": _floats(near, len(FEATURES)),
                    "mask": spaces.MultiBinary(near),
                    "offsets": _floats(near, 2),
                }
            )


def shown_to_teams(seen: Observations) -> Any:
    """What W worlds show, as the spaces have it: ``[W, ...]``."""
    return seen.get("planes", seen)


def shown_to_robot(seen: Observations, robot: int) -> Any:
    """What one robot of the first world sees."""
    if "planes" in seen:
        return seen["planes"][0, robot]
    own = seen["robots"][0, robot]
    if "floor" in seen:
        return {"floor": seen["floor"][0].copy(), "robot": own}
    return {
        "robot": own,
        "neighbours": seen["robots"][0, seen["neighbours"][0, robot]],
        "mask": seen["mask"][0, robot],
        "offsets": seen["offsets"][0, robot],
    }


def _window(batch: WarehouseBatch) -> tuple[int, int]:
    side = 2 * batch.options.radius + 1
    return side, side


def _bytes(*shape: int) -> spaces.Box:
    return spaces.Box(0, 1, shape, np.uint8)


def _floats(*shape: int) -> spaces.Box:
    return spaces.Box(-1.0, 1.0, shape, np.float32)
