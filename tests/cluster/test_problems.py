# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import numpy as np
import pytest

from cluster.options import Coordinate
from cluster.problems import read_source
from cluster.trials import trial_rng
from sim.delays import LorrDelayOptions
from sim.errors import InputError
from sim.instances import Instance

MAP = "type octile\nheight 4\nwidth 6\nmap\n" + "......\n" * 4
PAIRS = [(0, 0, 5, 3), (5, 0, 0, 3), (1, 0, 1, 3), (4, 0, 2, 3)]


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    (tmp_path / "room.map").write_text(MAP)
    rows = ["0\troom.map\t6\t4\t" + "\t".join(map(str, pair)) + "\t5" for pair in PAIRS]
    (tmp_path / "room.scen").write_text("\n".join(["version 1", *rows]) + "\n")
    (tmp_path / "room.agents").write_text("3\n0\n5\n2\n")
    (tmp_path / "room.tasks").write_text("3\n23,18\n18\n12\n")
    problem = {
        "mapFile": "room.map",
        "agentFile": "room.agents",
        "taskFile": "room.tasks",
        "teamSize": 3,
        "agentCounter": 4,
    }
    (tmp_path / "room.json").write_text(json.dumps(problem))
    return tmp_path


def make(options: Coordinate, number: int, robots: int) -> Instance:
    return read_source(options).make(number, robots, trial_rng(0, f"{number}-{robots}"))


def ends(instance: Instance) -> list[tuple[int, int]]:
    routes = [instance.routes.of(robot) for robot in range(instance.routes.num_robots)]
    return [(int(route[0]), int(route[-1])) for route in routes]


def test_a_generated_floor_depends_on_the_seed_alone() -> None:
    first, again, other = (read_source(Coordinate(seed=seed)) for seed in (0, 0, 1))
    assert first.digest == again.digest != other.digest


def test_a_scenario_is_taken_in_its_order(floor: Path) -> None:
    options = Coordinate(map=str(floor / "room.map"), scenario=str(floor / "room.scen"))
    assert ends(make(options, 0, 2)) == [(0, 23), (5, 18)]
    assert ends(make(options, 1, 2)) == [(1, 19), (4, 20)]
    with pytest.raises(InputError, match="up to the 4 pairs"):
        make(options, 1, 3)


def test_a_league_problem_is_taken_as_it_is_and_then_shuffled(floor: Path) -> None:
    options = Coordinate(map=str(floor / "room.json"))
    first = make(options, 0, 3)
    assert ends(first) == [(0, 18), (5, 18), (2, 12)]
    assert 23 in first.routes.of(0)
    assert {start for start, _ in ends(make(options, 1, 3))} == {0, 2, 5}


def test_a_league_problem_brings_its_delays_and_ticks(floor: Path) -> None:
    source = read_source(Coordinate(map=str(floor / "room.json")))
    assert isinstance(source.delays, LorrDelayOptions)
    assert source.delays.tick_ms == 250


def test_a_league_problem_takes_no_scenario(floor: Path) -> None:
    options = Coordinate(map=str(floor / "room.json"), scenario=str(floor / "room.scen"))
    with pytest.raises(InputError, match="brings its own starts"):
        read_source(options)


def test_the_digest_follows_the_content(floor: Path) -> None:
    options = Coordinate(map=str(floor / "room.map"))
    before = read_source(options).digest
    assert before == read_source(options).digest
    (floor / "room.map").write_text(MAP.replace("......", "@.....", 1))
    assert read_source(options).digest != before


def test_random_fleets_differ_by_their_generator_alone(floor: Path) -> None:
    source = read_source(Coordinate(map=str(floor / "room.map")))
    fleets = [ends(source.make(number, 5, np.random.default_rng(3))) for number in (0, 1)]
    assert fleets[0] == fleets[1]
