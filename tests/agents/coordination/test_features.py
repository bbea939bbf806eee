# SPDX-License-Identifier: Apache-2.0
import time

import numpy as np
import torch

from agents.coordination.features import collate, graph_features
from sim.graph import CoordinationGraph
from tests.agents.coordination.coordination_examples import (
    relabelled,
    small_model,
    some_instance,
)
from tests.sim.tiny_instances import KINDS, graph_of, random_graph


def robot_ranks(graph: CoordinationGraph) -> np.ndarray:
    batch = collate([graph_features(graph)])
    model = small_model()
    with torch.no_grad():
        return model.decode(batch, model.share(batch), torch.zeros(1, 1, 4)).robot_rank[0].numpy()


def test_other_robot_numbers_are_the_same_problem() -> None:
    instance = some_instance(1)
    new_of_old = np.random.default_rng(0).permutation(8)
    other = relabelled(instance, new_of_old)
    old, new = graph_features(instance.graph), graph_features(other)
    np.testing.assert_allclose(old.robot, new.robot[new_of_old])
    sort = np.lexsort(old.node.T)
    np.testing.assert_allclose(old.node[sort], new.node[np.lexsort(new.node.T)])
    np.testing.assert_allclose(
        robot_ranks(instance.graph), robot_ranks(other)[new_of_old], atol=2e-6
    )
    assert np.ptp(robot_ranks(other)) > 1e-3


def test_features_do_not_know_how_many_others_there_are() -> None:
    """Two fleets that never meet have, side by side, the features that each has alone."""
    routes = ([0, 1, 2, 3], [3, 2, 1], [10, 11, 12], [12, 11])
    both = graph_features(graph_of(*routes))
    one, two = graph_features(graph_of(*routes[:2])), graph_features(graph_of(*routes[2:]))
    for name in ("node", "robot", "gap", "symmetric", "antisymmetric"):
        joined = np.concatenate([getattr(one, name), getattr(two, name)])
        np.testing.assert_array_equal(getattr(both, name), joined)
    assert len(both.node) == 4


def test_both_sides_of_a_conflict_see_opposite_differences() -> None:
    instance = some_instance(2)
    features = graph_features(instance.graph)
    batch = collate([features])
    count = len(features.conflict_u)
    u_to_v, v_to_u = batch.edge[-2 * count : -count], batch.edge[-count:]
    assert torch.equal(u_to_v[:, -6:], -v_to_u[:, -6:])
    assert torch.equal(u_to_v[:, :-6], v_to_u[:, :-6])
    assert torch.equal(batch.edges[:, -2 * count : -count], batch.edges[:, -count:].flip(0))


def test_every_kind_of_graph_has_finite_features() -> None:
    rng = np.random.default_rng(3)
    for kind in KINDS:
        batch = collate([graph_features(random_graph(kind, 4, 7, rng)) for _ in range(3)])
        assert all(torch.isfinite(part).all() for part in (batch.node, batch.robot, batch.edge))
        assert batch.num_graphs == 3


def test_a_graph_without_conflicts_has_robots_only() -> None:
    features = graph_features(graph_of([0, 1], [5, 6]))
    assert features.node.shape[0] == 0
    assert features.robot.shape[0] == 2


def test_a_large_fleet_takes_well_under_100_ms() -> None:
    graph = some_instance(4, robots=150).graph
    graph_features(graph)
    before_s = time.process_time()
    graph_features(graph)
    assert time.process_time() - before_s < 0.1
