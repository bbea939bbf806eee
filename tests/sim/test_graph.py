# SPDX-License-Identifier: Apache-2.0
"""From routes to the coordination graph: intervals, types, forced orders, what is ill-posed."""

import itertools
import pickle
import re
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.conflicts import Granularity, events_of
from sim.errors import InputError
from sim.graph import FREE, NO_REGION, U_FIRST, V_FIRST, CoordinationGraph
from sim.schedule import evaluate
from tests.sim.tiny_instances import (
    KINDS,
    bounded,
    decided,
    graph_of,
    graphs,
    region,
    routes_of,
    visits_of,
    walks,
)

MERGED = Granularity.MERGED
SAMPLE = graph_of([0, 1, 2], [2, 1, 5], [3, 4], regions=(region(1, 2, bound=1),))


def same(one: CoordinationGraph, other: CoordinationGraph) -> bool:
    pairs = [(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)]
    return all(
        np.array_equal(a, b) and np.asarray(a).dtype == np.asarray(b).dtype for a, b in pairs
    )


def sides(graph: CoordinationGraph, conflict: int) -> tuple[tuple[int, int], tuple[int, int]]:
    u, v = graph.conflict_u[conflict], graph.conflict_v[conflict]
    enter, leave = graph.interval_enter.tolist(), graph.interval_exit.tolist()
    return (enter[u], leave[u]), (enter[v], leave[v])


def test_a_route_has_an_event_for_each_cell_and_one_for_leaving() -> None:
    offsets, cell, robot = events_of(routes_of([[7, 8, 9], [4]]))
    assert offsets.tolist() == [0, 4, 6]
    assert cell.tolist() == [7, 8, 9, -1, 4, -1]
    assert robot.tolist() == [0, 0, 0, 0, 1, 1]


def test_alone_a_robot_drives_from_its_release_without_a_stop() -> None:
    graph = graph_of([0, 1], [5], duration_ms=[[10, 20], [7]], release_ms=[100, 3])
    assert graph.nominal_ms.tolist() == [100, 110, 130, 3, 10]
    assert graph.free_ms.tolist() == [130, 10]
    assert graph.num_conflicts == graph.num_intervals == 0


@bounded
@given(graphs("overlaps"))
def test_finely_every_overlap_is_a_conflict_between_its_two_sides(graph: CoordinationGraph) -> None:
    assert graph.num_conflicts == len(graph.overlap_u)
    for r, conflict in enumerate(graph.overlap_conflict):
        length = int(graph.overlap_length[r])
        u, v = int(graph.overlap_u[r]), int(graph.overlap_v_first[r])
        assert sides(graph, conflict) == ((u, u + length), (v, v + length))
        assert (graph.cell[u : u + length] >= 0).all()
        assert set(graph.cell[u : u + length]) == set(graph.cell[v : v + length])


@bounded
@given(graphs("merged"))
def test_merged_intervals_of_a_robot_are_disjoint_with_a_free_cell_between(
    graph: CoordinationGraph,
) -> None:
    intervals = sorted(
        zip(graph.interval_enter.tolist(), graph.interval_exit.tolist(), strict=True)
    )
    for (_, leave), (enter, _) in itertools.pairwise(intervals):
        assert enter > leave
    assert graph.disjoint_intervals


@bounded
@given(graphs("merged"))
def test_a_merged_conflict_covers_all_overlaps_between_its_intervals(
    graph: CoordinationGraph,
) -> None:
    for r, conflict in enumerate(graph.overlap_conflict):
        length = int(graph.overlap_length[r])
        (enter_u, exit_u), (enter_v, exit_v) = sides(graph, conflict)
        assert enter_u <= graph.overlap_u[r] <= graph.overlap_u[r] + length <= exit_u
        assert enter_v <= graph.overlap_v_first[r] <= graph.overlap_v_first[r] + length <= exit_v
    pairs = set(zip(graph.conflict_u.tolist(), graph.conflict_v.tolist(), strict=True))
    assert len(pairs) == graph.num_conflicts
    assert set(graph.overlap_conflict.tolist()) == set(range(graph.num_conflicts))


@bounded
@given(graphs("overlaps"))
def test_it_is_known_whether_intervals_are_disjoint(graph: CoordinationGraph) -> None:
    intervals = sorted(
        zip(graph.interval_enter.tolist(), graph.interval_exit.tolist(), strict=True)
    )
    apart = all(enter > leave for (_, leave), (enter, _) in itertools.pairwise(intervals))
    assert graph.disjoint_intervals == apart


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data())
def test_the_robot_of_u_has_the_lower_number(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    owner = graph.event_robot[graph.interval_enter]
    assert (owner[graph.conflict_u] < owner[graph.conflict_v]).all()


@pytest.mark.parametrize(
    ("routes", "granularity", "allowed"),
    [
        pytest.param([[0, 1, 2, 3], [5, 1, 2, 6]], "overlaps", True, id="same direction"),
        pytest.param([[0, 1, 2, 3], [5, 2, 1, 6]], "overlaps", False, id="head on"),
        pytest.param([[0, 1, 2], [5, 1, 6]], "overlaps", False, id="crossing"),
        pytest.param([[0, 1, 2, 3], [5, 1, 2, 6]], "merged", True, id="merged same direction"),
        pytest.param([[0, 1, 2, 3], [5, 2, 1, 6]], "merged", False, id="merged head on"),
        pytest.param([[0, 1, 2], [5, 1, 6]], "merged", False, id="merged crossing"),
        # a third robot on cell 8 joins the second's visits to cells 1 and 2
        pytest.param([[0, 1, 2, 3], [9, 1, 8, 2, 7], [6, 8, 5]], "merged", True, id="same order"),
        pytest.param([[0, 1, 2, 3], [9, 2, 8, 1, 7], [6, 8, 5]], "merged", False, id="turned"),
        pytest.param(
            [[0, 1, 2, 3, 4], [9, 1, 2, 8, 4, 3], [6, 8, 5]],
            "merged",
            False,
            id="along, then head on",
        ),
    ],
)
def test_following_needs_the_same_order_of_more_than_one_cell(
    routes: list[list[int]], granularity: str, allowed: bool
) -> None:
    graph = graph_of(*routes, granularity=Granularity(granularity))
    owner = graph.event_robot[graph.interval_enter]
    between = (owner[graph.conflict_u] == 0) & (owner[graph.conflict_v] == 1)
    assert graph.following_allowed[between].tolist() == [allowed]


@pytest.mark.parametrize("granularity", Granularity)
@pytest.mark.parametrize(
    ("routes", "forced"),
    [
        pytest.param([[0, 1, 2], [3, 0, 4]], U_FIRST, id="u starts in the way"),
        pytest.param([[3, 0, 4], [0, 1, 2]], V_FIRST, id="v starts in the way"),
        pytest.param([[0, 1, 2], [3, 2, 4]], V_FIRST, id="u parks in the way"),
        pytest.param([[3, 2, 4], [0, 1, 2]], U_FIRST, id="v parks in the way"),
        pytest.param([[0, 1, 2], [3, 1, 4]], FREE, id="neither"),
        pytest.param([[1, 2, 3], [0, 1, 2, 5]], U_FIRST, id="u starts ahead of v"),
    ],
)
def test_who_starts_inside_goes_first_and_who_parks_inside_goes_last(
    routes: list[list[int]], forced: int, granularity: Granularity
) -> None:
    on_the_floor = graph_of(*routes, parked=True, granularity=granularity)
    assert on_the_floor.forced.tolist() == [forced]
    assert graph_of(*routes, granularity=granularity).forced.tolist() == [FREE]


@pytest.mark.parametrize(
    "routes",
    [
        pytest.param([[0, 1, 2], [2, 1, 0]], id="face to face"),
        pytest.param([[0, 1], [0, 2]], id="one start"),
        pytest.param([[1, 0], [2, 0]], id="one goal"),
        pytest.param([[0, 1, 2, 3, 4], [3, 2, 1]], id="one drives within the other's way"),
    ],
)
@pytest.mark.parametrize("granularity", Granularity)
def test_two_robots_inside_one_stretch_are_rejected_by_name(
    routes: list[list[int]], granularity: Granularity
) -> None:
    with pytest.raises(InputError, match="robots 1 and 2 start or park inside the same stretch"):
        graph_of([8, 9], *routes, parked=True, granularity=granularity)
    assert graph_of([8, 9], *routes, granularity=granularity).num_conflicts == 1


@pytest.mark.parametrize("granularity", Granularity)
@pytest.mark.parametrize(
    "circle",
    [[[0, 10, 1], [1, 11, 2], [2, 12, 0]], [[0, 10, 1], [1, 11, 2], [2, 12, 3], [3, 13, 0]]],
    ids=len,
)
def test_a_circle_of_parked_robots_is_rejected_by_name(
    circle: list[list[int]], granularity: Granularity
) -> None:
    outsider = [20, 21]
    with pytest.raises(InputError, match="in a circle; give them bays") as rejected:
        graph_of(outsider, *circle, parked=True, granularity=granularity)
    named = re.search(r"robots ([\d >-]+) stand", str(rejected.value))
    assert named is not None
    assert {int(robot) for robot in named[1].split("->")} == set(range(1, len(circle) + 1))
    assert graph_of(outsider, *circle, granularity=granularity).num_conflicts == len(circle)


def test_in_a_density_region_every_two_visits_of_two_robots_are_a_conflict() -> None:
    graph = graph_of([0, 1, 2, 3, 1, 0], [9, 1, 2, 8], [7, 6], regions=(region(1, 2, bound=1),))
    dense = np.flatnonzero(graph.conflict_region != NO_REGION)
    assert [sides(graph, int(c)) for c in dense] == [((1, 3), (8, 10)), ((4, 5), (8, 10))]
    assert graph.following_allowed[dense].all()
    assert (graph.forced[dense] == FREE).all()
    assert visits_of(graph, 0) == [(1, 3), (4, 5), (8, 10)]
    assert not np.isin(graph.overlap_conflict, dense).any()


def test_a_region_that_one_robot_visits_has_nothing_to_decide() -> None:
    graph = graph_of([0, 1, 2], [5, 6], regions=(region(1, bound=1), region(30, bound=1)))
    assert (graph.num_regions, graph.num_conflicts, len(graph.region_visits)) == (2, 0, 0)


def test_regions_that_cannot_be_kept_are_rejected() -> None:
    with pytest.raises(InputError, match="density bound is 0; it must be at least 1"):
        graph_of([0, 1], regions=(region(0, bound=0),))
    with pytest.raises(InputError, match="density regions need bays"):
        graph_of([0, 1], regions=(region(0, bound=1),), parked=True)


def test_times_that_prove_nothing_or_do_not_fit_are_rejected() -> None:
    with pytest.raises(InputError, match="headway_ms is 0; it must be positive"):
        graph_of([0, 1], headway_ms=0)
    with pytest.raises(InputError, match="more than 12 days"):
        graph_of([0, 1], duration_ms=2**29)


@bounded
@given(walks(), st.booleans(), st.sampled_from(Granularity))
def test_any_walks_are_built_or_rejected_in_one_line(
    routes: list[list[int]], parked: bool, granularity: Granularity
) -> None:
    problem = rejection(routes, parked, granularity)
    if problem is not None:
        assert parked
        assert re.fullmatch("ill-posed instance: robots [0-9].*", problem)


def rejection(routes: list[list[int]], parked: bool, granularity: Granularity) -> str | None:
    try:
        graph_of(*routes, parked=parked, granularity=granularity)
    except InputError as error:
        return str(error)
    return None


def test_a_graph_cannot_be_changed() -> None:
    for field in fields(SAMPLE):
        value = getattr(SAMPLE, field.name)
        if isinstance(value, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                value[...] = 0


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data())
def test_a_saved_graph_comes_back_equal(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "graph.npz"
        graph.save(path)
        assert same(CoordinationGraph.load(path), graph)


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(data=st.data())
def test_a_pickled_graph_comes_back_equal(kind: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(kind))
    _ = graph.arrays, graph.nominal_ms  # what was derived from it does not travel
    assert same(pickle.loads(pickle.dumps(graph)), graph)


def test_a_graph_that_came_back_serves_as_before(tmp_path: Path) -> None:
    SAMPLE.save(tmp_path / "graph.npz")
    loaded = CoordinationGraph.load(tmp_path / "graph.npz")
    for back in (loaded, pickle.loads(pickle.dumps(SAMPLE))):
        assignment = decided(back, *[0] * back.num_conflicts, following=False)
        before = evaluate(SAMPLE, assignment)
        np.testing.assert_array_equal(evaluate(back, assignment).time_ms, before.time_ms)
    with pytest.raises(ValueError, match="read-only"):
        loaded.cell[0] = 7


def damaged(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(str(path))):
        CoordinationGraph.load(path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.99])
def test_a_cut_off_file_is_named(tmp_path: Path, share: float) -> None:
    path = tmp_path / "graph.npz"
    SAMPLE.save(path)
    whole = path.read_bytes()
    damaged(path, whole[: int(share * len(whole))])


@bounded
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_is_noticed_or_harmless(place: int, change: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "graph.npz"
        SAMPLE.save(path)
        content = bytearray(path.read_bytes())
        content[place % len(content)] ^= change
        path.write_bytes(content)
        assert is_intact_or_named(path)


def is_intact_or_named(path: Path) -> bool:
    try:
        return same(CoordinationGraph.load(path), SAMPLE)
    except InputError as error:
        return str(path) in str(error)


def test_another_file_is_named(tmp_path: Path) -> None:
    damaged(tmp_path / "text.npz", b"no graph at all\n")
    np.save(tmp_path / "array.npy", np.arange(3))
    damaged(tmp_path / "array.npz", (tmp_path / "array.npy").read_bytes())
    np.savez(tmp_path / "other.npz", offsets=np.arange(3))
    damaged(tmp_path / "other.npz", (tmp_path / "other.npz").read_bytes())
    np.savez(tmp_path / "pickled.npz", offsets=np.array([None], dtype=object))
    damaged(tmp_path / "pickled.npz", (tmp_path / "pickled.npz").read_bytes())
    for missing in (tmp_path / "nowhere.npz", tmp_path):
        with pytest.raises(InputError, match=re.escape(str(missing))):
            CoordinationGraph.load(missing)
