# SPDX-License-Identifier: Apache-2.0
"""MiniGrid, compiled: the rules of minigrid 3.2.0 at about a microsecond a step."""

from sim.environments.gridworld.vector import GridworldVector
from sim.environments.gridworld.worlds import NAMES

__all__ = ["NAMES", "GridworldVector"]
