# SPDX-License-Identifier: Apache-2.0
"""The league's delays: those of its own program, tick by tick, whatever the model.

``delays.json`` was recorded by the league's program: ``record_delays.cpp`` beside this file, built
in the folder of the Start-Kit with
``g++ -std=c++17 -O2 -Iinc record_delays.cpp src/DelayGenerator.cpp`` (g++ 12, 64 bits).
"""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.delays import LorrDelayOptions
from sim.errors import InputError
from sim.warehouse.league.delays import LeagueDelays, league_intervals
from sim.warehouse.league.mersenne import next_word, poisson, seeded, shuffle

RECORDED = json.loads((Path(__file__).parent / "delays.json").read_text())
OPTIONS = LorrDelayOptions(seed=7, max_delay_ticks=4, p_delay=0.1)


def name(row: dict[str, Any]) -> str:
    return f"{row['event_model']}-{row['duration_model']}-{row['seed']}"


@pytest.mark.parametrize("row", RECORDED, ids=name)
def test_every_interval_is_that_of_the_leagues_program(row: dict[str, Any]) -> None:
    options = {key: row[key] for key in row if key not in ("robots", "ticks", "intervals")}
    found = league_intervals(LorrDelayOptions(**options), row["robots"], row["ticks"])
    assert found == row["intervals"]


def test_the_words_are_those_of_the_mersenne_twister() -> None:
    words = seeded(5489)
    python = random.Random()
    python.setstate((3, tuple(map(int, words)), None))
    drawn = [next_word(words) for _ in range(10_000)]
    assert drawn == [python.getrandbits(32) for _ in range(10_000)]
    assert drawn[-1] == 4123659995  # the C++ standard says so


@pytest.mark.parametrize("mean", [0.0, 0.7, 11.9, 12.0, 300.0])
def test_poisson_numbers_have_their_mean_and_variance(mean: float) -> None:
    words = seeded(1)
    drawn = np.array([poisson(words, mean) for _ in range(4000)])
    assert abs(drawn.mean() - mean) <= 4 * (mean / 4000) ** 0.5
    assert abs(drawn.var() - mean) <= 0.12 * mean


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 70_000])
def test_a_shuffle_keeps_all_items(count: int) -> None:
    items = np.arange(count)
    shuffle(seeded(3), items)
    assert np.array_equal(np.sort(items), np.arange(count))
    assert count < 7 or not np.array_equal(items, np.arange(count))


def test_delays_count_down_and_may_follow_each_other_at_once() -> None:
    delays = LeagueDelays(LorrDelayOptions(p_delay=0.9, max_delay_ticks=1), 3)
    delay_ticks = np.zeros((1, 3), dtype=np.int32)
    delayed = []
    for tick in range(50):
        delays.advance(tick, delay_ticks)
        delayed.append(delay_ticks[0] > 0)
    shown = np.zeros((50, 3), dtype=bool)
    for robot, intervals in enumerate(delays.intervals()):
        for start, end in intervals:
            shown[start:end, robot] = True
    assert np.array_equal(shown, delayed)
    assert 0.8 < shown.mean() < 1


def test_delays_go_on_from_a_snapshot() -> None:
    whole = league_intervals(OPTIONS, 6, 700)
    first = LeagueDelays(OPTIONS, 6)
    delay_ticks = np.zeros((1, 6), dtype=np.int32)
    for tick in range(333):
        first.advance(tick, delay_ticks)
    second = LeagueDelays(OPTIONS, 6)
    second.restore(first.snapshot())
    for tick in range(333, 700):
        second.advance(tick, delay_ticks)
    assert second.intervals() == whole
    assert first.intervals() != whole


@pytest.mark.parametrize(
    "change",
    [
        {"words": np.zeros(624, dtype=np.uint32)},
        {"words": np.zeros(625)},
        {"words": np.full(625, 625, dtype=np.uint32)},
        {"intervals": np.zeros((1, 2), dtype=np.int64)},
        {"intervals": np.array([[6, 0, 1]])},
    ],
)
def test_foreign_snapshots_are_refused(change: dict[str, Any]) -> None:
    delays = LeagueDelays(OPTIONS, 6)
    with pytest.raises(InputError, match=r"words|intervals"):
        delays.restore({**delays.snapshot(), **change})
