# SPDX-License-Identifier: Apache-2.0
"""Plans cut so that the robots could also drive one after another."""

import networkx as nx
import numpy as np
import pytest

from sim.conflicts import events_of, sequential_precedences
from sim.distances import neighbour_table
from sim.generate import generate_random
from sim.routes import Routes
from sim.warehouse.control.sequential import sequential_steps
from sim.warehouse.fleet import fleet_at, random_starts
from sim.warehouse.motion import Motion
from sim.warehouse.rules import GRID


def walk(seed: int, share: float, steps: int) -> tuple[np.ndarray, int]:
    """Random moves without collisions; steps in which a ring rotates are drawn again."""
    rng = np.random.default_rng(seed)
    layout = generate_random(7, 7, 0.2, rng)
    neighbours = neighbour_table(layout)
    fleet = fleet_at(random_starts(layout, max(2, int(share * layout.free.sum())), 1, rng))
    motion = Motion(neighbours, GRID)
    rows = [fleet.cell[0].copy()]
    while len(rows) <= steps:
        before = fleet.cell.copy()
        motion.step(fleet, rng.integers(0, 5, fleet.cell.shape).astype(np.int8))
        owner = {int(cell): robot for robot, cell in enumerate(before[0])}
        follows = nx.DiGraph()
        for robot, cell in enumerate(fleet.cell[0].tolist()):
            if cell in owner and owner[cell] != robot:
                follows.add_edge(robot, owner[cell])
        if not nx.is_directed_acyclic_graph(follows):
            fleet.cell[:] = before
            continue
        rows.append(fleet.cell[0].copy())
    return np.stack(rows, axis=1), layout.free.size


def precedences(cells: np.ndarray, taken: np.ndarray) -> "nx.DiGraph[int]":
    routes = []
    for row, count in zip(cells, taken, strict=True):
        kept = row[: count + 1]
        routes.append(kept[np.r_[True, kept[1:] != kept[:-1]]])
    offsets = np.cumsum([0] + [len(route) for route in routes])
    events = events_of(Routes(np.concatenate(routes).astype(np.int32), offsets))
    parked = np.ones(len(routes), dtype=np.bool_)
    return nx.DiGraph(list(sequential_precedences(events[0], events[1], events[2], parked)))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.9])
def test_what_is_taken_over_has_a_sequence_and_no_collision(share: float) -> None:
    cut = whole = 0
    for seed in range(15):
        cells, num_cells = walk(seed, share, 8)
        taken = sequential_steps(cells, num_cells)
        assert nx.is_directed_acyclic_graph(precedences(cells, taken))
        assert (taken[cells[:, 0] != cells[:, 1]] >= 1).all(), "the first step is always taken over"
        for step in range(cells.shape[1]):
            at = cells[np.arange(len(cells)), np.minimum(taken, step)]
            assert len(np.unique(at)) == len(at)
        cut += int((taken < 8).sum())
        whole += int((taken == 8).sum())
    assert whole > 0
    if share >= 0.3:
        assert cut > 0


def test_a_plan_that_has_a_sequence_is_taken_over_whole() -> None:
    agreed = 0
    for seed in range(60):
        cells, num_cells = walk(seed, 0.15, 5)
        everything = np.full(len(cells), 5)
        if nx.is_directed_acyclic_graph(precedences(cells, everything)):
            # Prefixes may have a circle that the whole has not, as who parks later parks elsewhere.
            prefixes = [precedences(cells, np.full(len(cells), n)) for n in range(6)]
            if all(map(nx.is_directed_acyclic_graph, prefixes)):
                agreed += 1
                assert sequential_steps(cells, num_cells).tolist() == everything.tolist()
    assert agreed > 10
