# SPDX-License-Identifier: Apache-2.0
"""Worlds in which controllers are tried: new goals at once, random delays, everything watched."""

from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from sim.distances import neighbour_table
from sim.generate import generate_random
from sim.layout import Layout
from sim.warehouse.control.interface import Controller, View
from sim.warehouse.fleet import Fleet, fleet_at, random_starts
from sim.warehouse.motion import Motion
from sim.warehouse.rules import GRID, Following, Gait, Rules, league

WORLDS = 2
ALL_RULES = [
    GRID,
    Rules(Gait.SLIDING, 1, Following.NEVER),
    Rules(Gait.SLIDING, 3, Following.STRAIGHT),
    Rules(Gait.TURNING, 1, Following.TOGETHER),
    league(1),
    league(3),
    Rules(Gait.TURNING, 2, Following.NEVER),
]


@dataclass
class Drive:
    """Some worlds; a robot that is at its goal gets another one at once."""

    layout: Layout
    rules: Rules
    fleet: Fleet
    goals: NDArray[np.int32]
    rng: np.random.Generator
    delays: float = 0.02
    hopeful: bool = False
    """Whether robots may be told to follow others that do not move; where all move together."""

    def run(self, controller: Controller, ticks: int, begin: int = 0) -> NDArray[np.int64]:
        """``[W, N]`` goals reached; asserts that nothing is refused but because of new delays."""
        motion = Motion(neighbour_table(self.layout), self.rules)
        reached = np.zeros(self.fleet.cell.shape, dtype=np.int64)
        for tick in range(begin, begin + ticks):
            actions = controller.act(View(tick, self.fleet, self.goals[:, :, None], None))
            struck = self.delay()
            moved = motion.step(self.fleet, actions)
            together = self.rules.following is Following.TOGETHER
            assert not moved.refused.any() or (together and (struck or self.hopeful))
            for cells in self.fleet.cell:
                assert len(set(cells.tolist())) == len(cells)
            there = self.fleet.cell == self.goals
            reached += there
            self.goals[there] = self.rng.choice(self.layout.free_cells, there.sum())
        return reached

    def delay(self) -> bool:
        """Count delays down, begin new ones; whether any began."""
        left = self.fleet.delay_ticks
        left[:] = np.maximum(left - 1, 0)
        struck = (self.rng.random(left.shape) < self.delays) & (left == 0)
        left[struck] = self.rng.integers(1, 10, struck.sum())
        return bool(struck.any())


def drive(rules: Rules, seed: int, share: float, size: int = 8) -> Drive:
    """Robots on so large a share of a biconnected floor."""
    rng = np.random.default_rng(seed)
    layout = biconnected_floor(size, rng)
    count = max(1, round(share * len(layout.free_cells)))
    fleet = fleet_at(random_starts(layout, count, WORLDS, rng))
    goals = rng.choice(layout.free_cells, fleet.cell.shape).astype(np.int32)
    return Drive(layout, rules, fleet, goals, rng)


def biconnected_floor(size: int, rng: np.random.Generator) -> Layout:
    """Of random ones the first that no single cell can cut."""
    while True:
        layout = generate_random(size, size, 0.15, rng)
        grid = nx.grid_2d_graph(size, size)
        grid.remove_nodes_from([tuple(place) for place in np.argwhere(~layout.free)])
        if len(grid) > size and nx.is_biconnected(grid):
            return layout
