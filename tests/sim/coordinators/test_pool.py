# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest

from sim.certificate import certify
from sim.coordinators.interface import Budget
from sim.coordinators.pool import Pool, PoolOptions, Priced, diversity, make_pool, priced
from sim.coordinators.pool_search import solution_pool
from sim.coordinators.portfolio import CertificateError
from sim.errors import InputError
from sim.families import FamilyOptions, draw_instance
from sim.floors import FloorKind, FloorOptions
from sim.graph import CoordinationGraph
from sim.schedule import Assignment, Objective, evaluate
from tests.sim.coordinators.tiny_graphs import least_cost_s, tiny_graphs
from tests.sim.tiny_instances import decided, graph_of

MEAN = Objective.MEAN_TRAVEL
CELLWISE = ("overlaps", "parked", "density", "loose density")


def solve(
    graph: CoordinationGraph,
    steps: int = 4000,
    objective: Objective = MEAN,
    options: PoolOptions = PoolOptions(),  # noqa: B008 (frozen)
    seed: int = 0,
) -> Pool:
    rng = np.random.default_rng(seed)
    return solution_pool(graph, Budget(steps=steps), objective, options, rng)


def crowded(seed: int, robots: int = 12) -> CoordinationGraph:
    options = FamilyOptions((robots, robots), (3, 3), FloorOptions(cells_per_robot=(10, 10)))
    return draw_instance(FloorKind.RANDOM, options, np.random.default_rng(seed)).graph


def check(graph: CoordinationGraph, pool: Pool, objective: Objective, ratio: float) -> None:
    """What holds for every pool."""
    order = pool.order
    assert len({row.tobytes() for row in order}) == len(order) == len(pool.cost_s)
    assert (np.diff(pool.cost_s) >= 0).all()
    assert (pool.cost_s <= ratio * pool.cost_s[0]).all()
    assert pool.bound_s <= pool.cost_s[0] + 1e-9
    for assignment, cost_s in zip(pool.assignments, pool.cost_s, strict=True):
        assert certify(graph, assignment).valid
        assert evaluate(graph, assignment).cost_s(objective) == cost_s


@pytest.mark.parametrize("objective", Objective)
@pytest.mark.parametrize("kind", CELLWISE)
def test_the_best_of_a_small_instance_is_the_proven_optimum(
    kind: str, objective: Objective
) -> None:
    for graph in tiny_graphs(kind, 5):
        pool = solve(graph, 20_000, objective, PoolOptions(size=5, ratio=1.3))
        check(graph, pool, objective, 1.3)
        assert pool.proven
        assert pool.cost_s[0] == pytest.approx(least_cost_s(graph, objective))


@pytest.mark.parametrize("steps", [1, 50, 5000])
def test_a_pool_holds_for_any_budget(steps: int) -> None:
    for seed in range(3):
        graph = crowded(seed)
        pool = solve(graph, steps)
        check(graph, pool, MEAN, 1.02)
        assert 1 <= len(pool.cost_s) <= 8


def test_steps_decide_everything() -> None:
    graph = crowded(5)
    first, again, other = (solve(graph, 2000, seed=seed) for seed in (1, 1, 2))
    assert first.order.tobytes() == again.order.tobytes()
    assert first.cost_s.tobytes() == again.cost_s.tobytes()
    assert first.order.tobytes() != other.order.tobytes()


def test_a_crowded_floor_has_many_good_assignments() -> None:
    graph = crowded(1)
    pool = solve(graph, 20_000)
    assert len(pool.cost_s) == 8
    assert diversity(graph, pool.order) > 0.02
    assert len(solve(graph, 20_000, options=PoolOptions(size=20)).cost_s) == 20
    assert len(solve(graph, 20_000, options=PoolOptions(size=1)).cost_s) == 1


def test_a_walk_stays_below_the_limit_and_leaves_the_start() -> None:
    """Without the limit a pool of ratio 1.005 would be empty but for the start."""
    narrow = solve(crowded(1), 20_000, options=PoolOptions(size=20, ratio=1.005))
    assert len(narrow.cost_s) > 1
    assert narrow.cost_s[-1] <= 1.005 * narrow.cost_s[0]


def test_nothing_to_decide_is_decided() -> None:
    for graph in (graph_of([0, 1], [2, 3]), graph_of([0, 1])):
        pool = solve(graph, 100)
        assert (pool.order.shape, pool.proven) == ((1, 0), True)
        assert diversity(graph, pool.order) == 0


def test_the_pool_takes_what_differs_most() -> None:
    graph = graph_of([0, 1, 2], [5, 1, 6], [7, 1, 8])
    ways = [decided(graph, *order) for order in itertools.product((0, 1), repeat=3)]
    found = [priced(graph, way, MEAN) for way in ways if certify(graph, way).valid]
    assert len(found) == 6  # of eight, two are circles
    two = make_pool(graph, [*found, *found], 0.0, PoolOptions(size=2, ratio=2.0))
    cheapest = min(found, key=lambda one: one.cost_s).cost_s
    assert two.cost_s[0] == cheapest
    assert (two.order[0] != two.order[1]).all()  # the reverse order of all three robots
    assert not two.proven


def test_an_unsafe_assignment_is_a_bug() -> None:
    graph = graph_of([0, 1, 2], [2, 1, 0])
    unsafe = Assignment(np.array([2], dtype=np.int8), np.array([False]))
    with pytest.raises(CertificateError, match="not certified: conflict 0 has order 2"):
        make_pool(graph, [Priced(1.0, unsafe)], 0.0, PoolOptions())


def test_diversity_is_the_mean_share_over_pairs() -> None:
    graph = crowded(0)
    order = np.random.default_rng(0).integers(0, 2, (5, graph.num_conflicts)).astype(np.int8)
    shares = [(a != b).mean() for a, b in itertools.combinations(order, 2)]
    assert diversity(graph, order) == pytest.approx(np.mean(shares))


def test_forced_conflicts_do_not_count_as_equal() -> None:
    graph = next(g for g in tiny_graphs("parked", 10) if (g.forced >= 0).any())
    free = graph.forced < 0
    order = np.zeros((2, graph.num_conflicts), dtype=np.int8)
    order[1, free] = 1
    assert diversity(graph, order) == 1.0


def test_merged_intervals_are_refused() -> None:
    with pytest.raises(InputError, match="a solution pool needs granularity overlaps"):
        solve(tiny_graphs("merged", 1)[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"size": 0}, "pool is 0; allowed: 1 or more"), ({"ratio": 0.9}, "pool_ratio is 0.9")],
)
def test_bad_options_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PoolOptions(**options)  # type: ignore[arg-type]
