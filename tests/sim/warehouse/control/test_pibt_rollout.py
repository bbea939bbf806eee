# SPDX-License-Identifier: Apache-2.0
"""PIBT ahead: equal to its twin, without conflicts, and without rings where forbidden."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from sim.generate import generate_random
from sim.warehouse.chance import world_keys
from sim.warehouse.control.fields import Fields
from sim.warehouse.control.pibt_reference import rollout_reference
from sim.warehouse.control.pibt_rollout import pibt_rollout
from sim.warehouse.fleet import random_starts

STEPS = 30


@pytest.mark.parametrize("rings", [False, True])
def test_the_rollout_equals_its_twin_and_can_be_executed(rings: bool) -> None:
    rotated = 0
    for number in range(25):
        rng = np.random.default_rng(number)
        layout = generate_random(7, 7, rng.random() * 0.3, rng)
        free, fields = layout.free_cells, Fields(layout, 1)
        count = len(free) if number % 3 == 0 else int(rng.integers(1, len(free) + 1))
        cell = random_starts(layout, count, 1, rng)[0]
        goals = np.where(rng.random((count, 3)) < 0.1, -1, rng.choice(free, (count, 3)))
        rows = fields.rows(-np.sort(-goals, axis=1).astype(np.int32))
        closed = rng.random(layout.free.size if number % 2 else 0) < 0.1
        args = (fields.neighbours, fields.arrays, cell, rows, rng.permutation(count) / count,
                closed, world_keys(number, [0])[0], 5, STEPS, rings)  # fmt: skip
        cells = pibt_rollout(*args)
        assert cells.tolist() == rollout_reference(*args)
        for before, after in pairwise(cells):
            assert len(set(after.tolist())) == count
            moves = [(a, b) for a, b in zip(before.tolist(), after.tolist(), strict=True) if a != b]
            assert not any((b, a) in moves for a, b in moves)
            ring = not nx.is_directed_acyclic_graph(nx.DiGraph(moves))
            assert rings or not ring
            rotated += ring
    assert rotated > 10 * rings - 1
