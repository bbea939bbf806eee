# SPDX-License-Identifier: Apache-2.0
"""What callers of the worlds rely on: episodes, snapshots, independence of the batch, refusals."""

import re

import numpy as np
import pytest

from sim.environments.rware.layout import (
    RwareLayout,
    make_rware_layout,
    read_rware_layout,
    registered_rware_layout,
)
from sim.environments.rware.options import RwareOptions
from sim.environments.rware.worlds import RwareWorlds
from sim.errors import InputError
from sim.warehouse.chance import world_keys

TINY = registered_rware_layout("tiny")
OPTIONS = RwareOptions(6, 3, max_steps=8)


def make(numbers: list[int], options: RwareOptions = OPTIONS) -> RwareWorlds:
    return RwareWorlds(TINY, options, world_keys(0, numbers))


def test_a_world_is_the_same_alone_and_among_others() -> None:
    together, alone = make([4, 5, 6]), make([5])
    np.testing.assert_array_equal(together.reset()[1], alone.reset()[0])
    rng = np.random.default_rng(0)
    for _ in range(30):
        actions = rng.integers(0, 5, (3, 6))
        many, one = together.step(actions), alone.step(actions[1:2])
        for ours, theirs in zip(many, one, strict=True):
            np.testing.assert_array_equal(
                ours[..., 1, :, :] if ours.ndim == 3 else ours[1], theirs[0]
            )


def test_an_episode_ends_with_its_last_observation_and_the_next_call_begins_another() -> None:
    worlds = make([0, 1])
    first = worlds.reset()
    nothing = np.zeros((2, 6), dtype=np.int8)
    steps = [worlds.step(nothing) for _ in range(9)]
    assert [step.truncated.all() for step in steps] == [False] * 7 + [True, False]
    assert [step.begins.all() for step in steps] == [False] * 8 + [True]
    np.testing.assert_array_equal(steps[7].observations, first)  # nobody moved
    assert (steps[8].observations != first).any(axis=(1, 2)).all()
    assert not steps[8].rewards.any()
    worlds.step(nothing)


def test_the_action_where_an_episode_begins_is_not_read() -> None:
    worlds = make([0])
    worlds.reset()
    for _ in range(8):
        worlds.step(np.zeros((1, 6), dtype=np.int64))
    assert worlds.step(np.full((1, 6), 99)).begins.all()


def test_what_was_returned_stays_as_it_is() -> None:
    worlds = make([0, 1])
    seen = worlds.reset()
    kept = seen.copy()
    worlds.step(np.full((2, 6), 2))
    np.testing.assert_array_equal(seen, kept)


def test_restored_worlds_go_on_as_those_the_snapshot_was_taken_of() -> None:
    rng = np.random.default_rng(1)
    actions = rng.integers(0, 5, (60, 2, 6))
    ours, theirs = make([0, 1]), make([0, 1])
    ours.reset()
    for taken in actions[:30]:
        ours.step(taken)
    snapshot = ours.snapshot()
    theirs.restore(snapshot)
    for taken in actions[30:]:
        for left, right in zip(ours.step(taken), theirs.step(taken), strict=True):
            np.testing.assert_array_equal(left, right)
    unborn = make([0, 1])
    unborn.restore(make([0, 1]).snapshot())
    np.testing.assert_array_equal(unborn.step(actions[0]).observations, make([0, 1]).reset())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cell", 10**6),
        ("cell", 0),
        ("heading", 4),
        ("carried", 10**4),
        ("carried", 0),
        ("shelf_cell", 0),
        ("shelf_cell", -1),
        ("requested", 1),
        ("clocks", -1),
    ],
)
def test_a_snapshot_that_cannot_be_is_refused_and_changes_nothing(name: str, value: int) -> None:
    worlds = make([0, 1])
    worlds.reset()
    before, broken = worlds.snapshot(), worlds.snapshot()
    broken[name][:] = value
    with pytest.raises(InputError, match=f"snapshot {name}|snapshot carried"):
        worlds.restore(broken)
    assert all((before[key] == now).all() for key, now in worlds.snapshot().items())
    with pytest.raises(InputError, match="snapshot"):
        worlds.restore({key: array for key, array in before.items() if key != name})


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.zeros((2, 5), dtype=np.int64), r"shape \(2, 5\); allowed: \(2, 6\)"),
        (np.zeros((2, 6)), "actions are float64; allowed: whole numbers of 0 to 4"),
        (np.full((2, 6), 5), "robot 0 in world 0 is 5; allowed: 0 to 4"),
        (np.array([[0] * 6, [0, 0, -1, 0, 0, 0]]), "robot 2 in world 1 is -1; allowed: 0 to 4"),
    ],
)
def test_wrong_actions_are_refused_and_nothing_happens(actions: np.ndarray, message: str) -> None:
    worlds = make([0, 1])
    worlds.reset()
    with pytest.raises(InputError, match=message):
        worlds.step(actions)
    assert (worlds.snapshot()["clocks"][:, 0] == 1).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "allowed: 1 to"),
        ("x.\n.", "line 2 has 1 cells; allowed: 2"),
        ("x.\ny.", "line 2 column 1 is 'y'; allowed: 'x' '.' 'g'"),
        ("x.\nx.", "goals is .*; allowed: one or more"),
    ],
)
def test_a_wrong_drawing_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_rware_layout(text)


def test_a_drawing_may_have_spaces_and_capitals() -> None:
    layout = read_rware_layout("\n  X . g\n  . x G\n")
    assert layout.shelves.tolist() == [[True, False, False], [False, True, False]]
    assert layout.goals.tolist() == [2, 5]
    assert layout.shelf_cells.tolist() == [0, 4]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ((2, 1, 1), "shelf_columns is 2; allowed: an odd number"),
        ((1, 0, 1), "shelf_rows is 0"),
        ((1, 1, 0), "column_height is 0"),
        ((1001, 1001, 1001), "layout cells"),
    ],
)
def test_wrong_parameters_of_a_layout_are_refused(
    parameters: tuple[int, int, int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        make_rware_layout(*parameters)


def test_other_wrong_layouts_are_refused() -> None:
    with pytest.raises(InputError, match="size is 'huge'; allowed: tiny, small, medium, large"):
        registered_rware_layout("huge")  # type: ignore[arg-type]
    shelves = np.array([[True, False]])
    for goals, message in (([0], "corridor"), ([2], "corridor"), ([1, 1], "each once")):
        with pytest.raises(InputError, match=message):
            RwareLayout(shelves, np.array(goals, dtype=np.int32))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"robots": 0}, "robots is 0"),
        ({"request_queue": -1}, "request_queue is -1"),
        ({"sensor_range": 0}, "sensor_range is 0"),
        ({"sensor_range": 17}, "allowed: 1 to 16"),
        ({"reward": "local"}, "allowed: global, individual, two_stage"),
        ({"observation": "image"}, "allowed: flattened, codes, none"),
        ({"max_steps": 0}, "max_steps is 0"),
        ({"max_inactivity_steps": 0}, "max_inactivity_steps is 0"),
        ({"msg_bits": 2}, "msg_bits is 2; allowed: 0"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        RwareOptions(**{"robots": 2, "request_queue": 2, **options})  # type: ignore[arg-type]


def test_options_that_do_not_fit_the_layout_are_refused() -> None:
    keys = world_keys(0, [0])
    with pytest.raises(InputError, match=f"robots is 1000; allowed: 1 to {TINY.size}"):
        RwareWorlds(TINY, RwareOptions(1000, 1), keys)
    shelves = len(TINY.shelf_cells)
    with pytest.raises(InputError, match=f"request_queue is {shelves}; allowed: less"):
        RwareWorlds(TINY, RwareOptions(1, shelves), keys)
    with pytest.raises(InputError, match="shelves is 0"):
        RwareWorlds(read_rware_layout("g."), RwareOptions(1, 0), keys)
    with pytest.raises(InputError, match="seen in codes"):
        RwareWorlds(
            read_rware_layout("x" + "." * 300 + "g"), RwareOptions(1, 0, observation="codes"), keys
        )
    with pytest.raises(InputError, match=r"keys is .uint64"):
        RwareWorlds(TINY, OPTIONS, keys[:0])
