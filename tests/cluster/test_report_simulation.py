# SPDX-License-Identifier: Apache-2.0
"""The report of a simulation: it says who does most orders, and no more than the worlds do."""

import json
import math
import re
from itertools import accumulate
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from cluster.report import build_report
from cluster.report.simulation.charts import throughput
from cluster.report.simulation.film import MIDDLE, film_data
from cluster.report.simulation.film_file import read_films
from cluster.report.simulation.floor_file import read_floor
from cluster.report.simulation.headline import headline
from cluster.report.simulation.heat import LEVELS, boxes_of, density, level
from cluster.report.simulation.results import read_simulation
from cluster.report.simulation.summary import paired_gain, summarise
from cluster.report.simulation.traffic_file import read_traffic
from sim.errors import InputError
from tests.cluster.simulation_folders import (
    Json,
    artefacts,
    failed,
    film_row,
    floor,
    record,
    records,
    run_folder,
    traffic_row,
)

FLOOR = read_floor(floor(), "floor.json")
AHEAD = {"pibt": [20, 22, 21, 24], "rolling": [30, 32, 33, 34]}


def visible(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script).*?</\1>", "", html, flags=re.DOTALL))


def told(folder: Path, rows: list[Json]) -> tuple[str, str]:
    run = read_simulation(run_folder(folder, rows))
    title, support = headline(run, summarise(run.records))
    return title.replace("\u00a0", " "), " ".join(support).replace("\u00a0", " ")


def test_a_full_run_has_every_section(tmp_path: Path) -> None:
    html = build_report(run_folder(tmp_path / "run", records(AHEAD)))
    text = visible(html)
    for title in ("The fleet", "Throughput", "What robots do with their time", "Results",
                  "Where robots stand in the way", "Where this comes from"):  # fmt: skip
        assert title in text
    assert "Left out" not in text
    assert html.count('class="heat-map"') == 4  # stopped and visits of two controllers
    assert html == build_report(tmp_path / "run")


def test_the_title_has_the_gain_world_by_world_with_its_interval(tmp_path: Path) -> None:
    gains = [b / a - 1 for a, b in zip(*AHEAD.values(), strict=True)]
    half = 3.182 * stdev(gains) / math.sqrt(4)
    title, support = told(tmp_path / "run", records(AHEAD))
    low, high = (round(100 * (fmean(gains) + sign * half)) for sign in (-1, 1))
    expected = f"{round(100 * fmean(gains))} % more orders than pibt (95 % interval {low} % to"
    assert title == f"Rolling does {expected} {high} %)"
    assert "4 worlds of 100 ticks with 3 robots on tiny." in support


@pytest.mark.parametrize(
    ("orders", "title"),
    [
        ({"pibt": [20, 22, 21], "rolling": [30, 18, 22]}, "No controller is clearly ahead of pibt"),
        ({"pibt": [20], "rolling": [30]},
         "In the one world, rolling does 50 % more orders than pibt"),
        ({"pibt": [30], "rolling": [20]},
         "In the one world, no controller does more orders than pibt"),
        ({"pibt": [30, 31, 32], "rolling": [20, 21, 21]},
         "No controller beats pibt: rolling does 33 % fewer orders (95 % interval 31 % to 36 %)"),
        ({"pibt": [30, 31, 32], "rolling": [20, 40, 21]}, "No controller is clearly ahead of pibt"),
        ({"pibt": [0, 1], "rolling": [30, 30]}, "Rolling does 0.300 orders per tick, pibt 0.005"),
        ({"rolling": [30, 30]}, "Rolling does 0.300 orders per tick"),
        ({"rolling": [30, 31, 32], "prioritised": [20, 40, 21]},
         "No controller is clearly ahead of the others"),
    ],
)  # fmt: skip
def test_the_title_claims_no_more_than_there_is(
    tmp_path: Path, orders: dict[str, list[int]], title: str
) -> None:
    assert told(tmp_path / "run", records(orders))[0] == title


def test_a_deadlock_is_in_the_title_of_the_winner(tmp_path: Path) -> None:
    rows = records(AHEAD)
    rows[-1]["deadlocked"] = True
    title, support = told(tmp_path / "run", rows)
    assert title.endswith(", but deadlocks in 1 of 4")
    assert "Worlds that ended in a deadlock: rolling in 1 of 4." in support


def test_a_winner_that_the_worlds_cannot_tell_from_the_next_is_told_so(tmp_path: Path) -> None:
    rows = records({**AHEAD, "prioritised": [31, 30, 34, 32]})
    assert "rolling is not clearly ahead of prioritised." in told(tmp_path / "run", rows)[1]


def test_failed_worlds_count_nowhere(tmp_path: Path) -> None:
    rows = [*records(AHEAD), failed("rolling", 4), record("pibt", 4, 90)]
    run = read_simulation(run_folder(tmp_path / "run", rows))
    pibt, rolling = summarise(run.records)
    assert rolling.throughput is not None
    assert rolling.throughput.n == 4
    gain = paired_gain(rolling.records, pibt.records)
    assert gain is not None
    assert gain.n == 4
    text = visible(build_report(tmp_path / "run"))
    assert "1 of 10 worlds failed and count nowhere." in text
    assert "4 of 5" in text


def test_a_run_in_which_all_failed_is_shown(tmp_path: Path) -> None:
    rows = [failed("pibt", 0)]
    text = visible(build_report(run_folder(tmp_path / "run", rows)))
    assert "No world came to its end" in text
    assert "no world came to its end" in text  # why there is no map
    assert "The run has no results yet" in visible(build_report(run_folder(tmp_path / "x", [], {})))


def test_the_table_has_the_means_of_the_records(tmp_path: Path) -> None:
    rows = [record("pibt", w, 40 + w, service_ticks_mean=30.0 + w) for w in range(3)]
    half = 4.303 / math.sqrt(3)
    text = " ".join(visible(build_report(run_folder(tmp_path / "run", rows))).split())
    assert f"orders 41 ±{half:.0f}" in text
    assert f"from given to done, mean 31.0 ±{half:.1f}" in text
    assert "longest without one of a robot, ticks 19" in text
    assert "waiting 20.0" in text
    assert "per tick, 99th percentile, ms 1.50" in text
    assert "errors by the league" not in text
    assert "windows improved" not in text


def test_errors_of_the_league_are_counted(tmp_path: Path) -> None:
    rows = [record("pibt", 0, 40, league_errors=2)]
    html = build_report(run_folder(tmp_path / "run", rows, {**artefacts(rows), "league": {}}))
    text = visible(html)
    assert "Errors by the rules of the league: pibt 2." in text
    assert "pibt finished 40 tasks, with 2 errors by the league" in text
    assert "PlanViz" in text


def test_without_artefacts_the_records_are_still_shown(tmp_path: Path) -> None:
    text = visible(build_report(run_folder(tmp_path / "run", records(AHEAD), {})))
    assert text.count("Left out") == 3  # film, throughput over time, congestion
    assert "orders per tick" in text


def test_throughput_is_orders_by_ticks_and_the_last_stretch_may_be_short() -> None:
    (traffic,) = read_traffic({"rows": [traffic_row("pibt", [[8, 4, 2], [12, 4, 4]])]}, "t", FLOOR)
    points = throughput(traffic, ticks=100)
    assert [end for end, _ in points] == [40, 80, 100]
    assert [mean.value for _, mean in points] == pytest.approx([10 / 40, 4 / 40, 3 / 20])


def test_many_stretches_are_drawn_together() -> None:
    (traffic,) = read_traffic({"rows": [traffic_row("pibt", [[3] * 100])]}, "t", FLOOR)
    points = throughput(traffic, ticks=4000)
    assert len(points) == 25
    assert {mean.value for _, mean in points} == {3 / 40}


def test_a_block_is_as_dense_as_its_free_cells_are_full() -> None:
    found = density([[300, 60, 0], [40, 0, 20]], 2, FLOOR, world_ticks=100)
    assert found == [[300 / (3 * 100), 60 / (3 * 100), 0.0], [40 / 300, 0.0, 20 / 400]]


def test_each_colour_stands_for_twice_the_one_before() -> None:
    assert [level(v, 0.8) for v in (0.0, 1e-9, 0.11, 0.3, 0.41, 0.8)] == [
        0, 1, LEVELS - 2, LEVELS - 1, LEVELS, LEVELS,
    ]  # fmt: skip


def test_boxes_cover_what_is_marked_and_nothing_else() -> None:
    marked = [[c == "#" for c in row] for row in ("##.#", "##.#", "#.##", "....", ".###")]
    boxes = boxes_of(marked)
    covered = [(x + i, y + j) for x, y, w, h in boxes for i in range(w) for j in range(h)]
    wanted = {(x, y) for y, row in enumerate(marked) for x, here in enumerate(row) if here}
    assert len(covered) == len(set(covered))
    assert set(covered) == wanted
    assert (0, 0, 2, 2) in boxes


def test_the_film_in_the_page_unfolds_to_the_positions() -> None:
    row = film_row("pibt")
    films: Any = film_data(read_films({"rows": [row]}, "film.json", FLOOR), FLOOR)["films"]
    film = films[0]
    for axis in "xy":
        for robot in range(2):
            moves = [ord(text[robot]) - MIDDLE for text in film[f"d{axis}"]]
            path = list(accumulate(moves, initial=film[axis][robot]))
            assert path == [picture[robot] for picture in row[axis]]


def test_names_are_escaped(tmp_path: Path) -> None:
    evil = "</script><b>"
    rows = records({evil: [20, 21, 22], "pibt": [10, 11, 12]})
    html = build_report(
        run_folder(tmp_path / "run", rows, {**artefacts(rows), "floor": floor(evil)})
    )
    assert evil not in html
    assert "&lt;/script&gt;&lt;b&gt;" in html


def test_there_is_one_script_per_player_and_nothing_from_outside(tmp_path: Path) -> None:
    html = build_report(run_folder(tmp_path / "run", records(AHEAD)))
    assert html.count("document.currentScript.parentElement") == 1
    assert not re.search(r"""(src|href)=|url\(|https?://""", html)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"orders": -1}, "'orders' must be 0 or more, found -1"),
        ({"orders": "many"}, "'orders' must be a whole number"),
        ({"controller": 3}, "'controller' must be a text"),
        ({"waiting_share": 1.5}, "'waiting_share' must be at most 1"),
        ({"idle_share": None}, "the five shares must be 1 together"),
        ({"idle_share": 0.3}, "the five shares must be 1 together, found 1.25"),
        ({"deadlocked": 1}, "'deadlocked' must be a flag"),
    ],
)
def test_records_that_are_not_what_they_should_be(
    tmp_path: Path, change: Json, message: str
) -> None:
    rows = [record("pibt", 0, 4), {**record("pibt", 1, 4), **change}]
    folder = run_folder(tmp_path / "run", rows, {})
    with pytest.raises(InputError, match=r"results\.json: record 1") as error:
        build_report(folder)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_world_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'world' 0 of 'pibt' is there twice"):
        build_report(run_folder(tmp_path / "run", [record("pibt", 0, 4)] * 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"height": 3}, "'height' and 'width' are 3 and 3; blocks of 2 cells need 2 and 3"),
        ({"block_cells": 0}, "'block_cells' must be 1 or more"),
        ({"visits": [[300, 60, 0]]}, "'visits' must be 2 rows, found 1"),
        ({"visits": [[300, 60, 0], [40, 0.5, 20]]}, "row 1: must be whole numbers from 0 on"),
        ({"stopped": [[150, 61, 0], [10, 0, 0]]}, "more robot-ticks than 'visits'"),
        ({"finished": [[1, 2], [1]]}, "'finished' must have as many numbers in each world"),
    ],
)
def test_traffic_that_is_not_what_it_should_be(change: Json, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as error:
        read_traffic({"rows": [{**traffic_row("pibt", [[1, 2, 3]]), **change}]}, "t.json", FLOOR)
    assert str(error.value).startswith("t.json: 'rows': row 0")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": []}, "'x' has no robots"),
        ({"x": [[0, 50], [5, 50], [10]]}, "'x': tick 2: must be 2 numbers, found 1"),
        ({"x": [[0, 51], [5, 51], [10, 51]]}, "'x' has a robot beside the floor of 6 cells"),
        ({"x": [[0, 50], [11, 50], [20, 50]]}, "moves more than one cell in a tick"),
        ({"y": [[0, 30], [0, 30]]}, "'y' must be 3 by 2 as 'x' is"),
        ({"heading": ["10", "11", "14"]}, "'heading' has '4'; allowed: 0 1 2 3"),
        ({"begun": ["00", "00"]}, "'begun' must be 3 texts of 2 symbols"),
        ({"begun": [1, 2, 3]}, "'begun' must be texts, found 1"),
    ],
)
def test_a_film_that_is_not_what_it_should_be(change: Json, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as error:
        read_films({"rows": [{**film_row("pibt"), **change}]}, "film.json", FLOOR)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"height": 5}, "'rows' are not 5 by 6 symbols"),
        ({"rows": ["......"] * 3 + ["..<..."]}, "'rows' have '<'; allowed: . @ E S"),
        ({"rows": "x"}, "'rows': must be a list"),
    ],
)
def test_a_floor_that_is_not_what_it_should_be(change: Json, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        read_floor({**floor(), **change}, "floor.json")


@pytest.mark.parametrize("garbage", [3, [], {"rows": 1}, {"rows": [1]}, {"rows": [{}]}])
def test_a_damaged_artefact_is_left_out_and_says_why(tmp_path: Path, garbage: Any) -> None:
    rows = records(AHEAD)
    documents = {**artefacts(rows), "film": garbage, "traffic": garbage}
    text = visible(build_report(run_folder(tmp_path / "run", rows, documents)))
    assert text.count("Left out") == 3
    assert "Left out: film.json" in text
    assert "Left out: traffic.json" in text


def test_an_artefact_that_is_no_json_is_left_out(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", records(AHEAD))
    (folder / "artefacts" / "floor.json").write_text("{")
    text = visible(build_report(folder))
    assert "without its floor there is nowhere to draw it" in text
    assert json.loads((folder / "results.json").read_text())  # the records are shown all the same
    assert "pibt" in text
