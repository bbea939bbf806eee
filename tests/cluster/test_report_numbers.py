# SPDX-License-Identifier: Apache-2.0
"""The arithmetic behind the report: intervals, axes, motion, words, and escaping."""

import math
import random
from itertools import pairwise

import pytest
from scipy import stats

from cluster.report.axis import Axis, bounds_to_show, linear_axis, logarithmic_axis
from cluster.report.line_labels import LABEL_STEP, spread
from cluster.report.markup import Markup, coordinate, element, embedded_json, markup
from cluster.report.means import Mean, geometric_mean_of, mean_of, t_quantile
from cluster.report.motion import Stretch, occupancy, pace_s, stretches
from cluster.report.replay import Trip
from cluster.report.wording import duration, number, percent, with_interval


@pytest.mark.parametrize("degrees", [1, 4, 9, 30, 31, 60, 500])
def test_t_quantiles_are_those_of_scipy(degrees: int) -> None:
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), abs=3e-3)


def test_a_mean_has_the_t_interval_of_scipy() -> None:
    values = [3.0, 4.5, 4.0, 6.0, 5.5]
    mean = mean_of([*values, None])
    assert mean is not None
    low, high = stats.t.interval(0.95, 4, stats.tmean(values), stats.sem(values))
    assert (mean.low, mean.high) == pytest.approx((low, high), abs=2e-3)
    assert mean.n == 5


def test_means_of_nothing_and_of_one() -> None:
    assert mean_of([None]) is None
    assert mean_of([2.0]) == Mean(2.0, 2.0, 2.0, 1)
    middle = geometric_mean_of([1.0, 100.0])
    assert middle is not None
    assert middle.value == pytest.approx(10.0)
    assert geometric_mean_of([0.0]) is not None


def test_axes_end_at_ticks_around_the_values() -> None:
    rng = random.Random(0)
    for _ in range(200):
        values = [rng.uniform(0.01, 500) ** rng.choice((0.5, 1, 2)) for _ in range(5)]
        for axis in (linear_axis(values, 0, 100), logarithmic_axis(values, 0, 100)):
            ticks = axis.ticks()
            assert ticks[0] == pytest.approx(axis.low)
            assert ticks[-1] == pytest.approx(axis.high)
            assert 2 <= len(ticks) <= 9
            assert axis.low <= min(values) * (1 + 1e-9)
            assert max(values) <= axis.high * (1 + 1e-9)


def test_equal_values_still_make_an_axis() -> None:
    assert linear_axis([3.0, 3.0], 0, 10)(3.0) == pytest.approx(5.0)
    assert logarithmic_axis([0.0], 0, 10).high > 0


def test_values_outside_stay_at_the_edge() -> None:
    assert Axis(1, 100, 0, 10, logarithmic=True)(0.0) == 0
    assert Axis(1, 2, 0, 10)(7.0) == 10


def test_absurdly_wide_intervals_do_not_stretch_the_axis() -> None:
    three = Mean(10.0, -500.0, 520.0, 3)
    assert bounds_to_show([three], logarithmic=False) == [10.0, 0.0, 20.0]
    assert bounds_to_show([three], logarithmic=True) == [10.0, 1.0, 100.0]
    assert bounds_to_show([Mean(10.0, -500.0, 520.0, 2)], logarithmic=False) == [10.0]


def test_labels_keep_their_distance_and_stay_inside() -> None:
    places = spread([10.0, 11.0, 12.0, 98.0, 99.0], 5, 100)
    gaps = [b - a for a, b in pairwise(places)]
    assert min(gaps) >= LABEL_STEP - 1e-9
    assert max(places) <= 100


def test_a_long_gap_is_a_wait_before_the_move() -> None:
    trip = Trip([0, 1, 2], [2.0, 3.0, 7.0, 8.0], free_s=3.0)
    assert pace_s(trip) == 1.0
    assert trip.wait_s == 5.0
    assert stretches(trip) == [
        Stretch(0.0, 2.0, "bay"),
        Stretch(2.0, 3.0, "drive"),
        Stretch(3.0, 6.0, "wait"),
        Stretch(6.0, 8.0, "drive"),
    ]


def test_occupancy_counts_every_robot_until_it_is_done() -> None:
    trips = [Trip([0, 1], [1.0, 2.0, 4.0], 2.0), Trip([5], [0.0, 2.0], 2.0)]
    counts = occupancy(trips, end_s=4.0, samples=5)
    assert counts == {"bay": [1, 0, 0, 0, 0], "wait": [0, 0, 1, 0, 0], "drive": [1, 2, 0, 1, 0]}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (number(-1234.56), "−1\u2009234.6"),
        (number(-0.01), "0.0"),
        (number(None), "–"),
        (percent(0.285, 1), "28.5\u00a0%"),
        (duration(0.0042), "4.2 ms"),
        (duration(0.25), "250 ms"),
        (duration(12.34), "12.3 s"),
        (duration(None), "–"),
        (with_interval(Mean(1.0, 0.5, 1.5, 3), 1), '1.0<span class="pm">±0.5</span>'),
        (coordinate(-0.001), "0"),
        (coordinate(2.5), "2.5"),
    ],
)
def test_numbers_are_written_for_people(words: str, expected: str) -> None:
    assert words == expected


def test_plain_text_is_escaped_once_and_markup_never() -> None:
    inner = element("b", "<&>")
    assert inner == "<b>&lt;&amp;&gt;</b>"
    assert element("p", inner, 'a"b', title='"') == f'<p title="&quot;">{inner}a&quot;b</p>'
    assert markup(inner) == inner
    assert isinstance(markup("x"), Markup)


def test_attributes_that_are_off_are_left_out() -> None:
    assert element("input", hidden=True, checked=False, id=None) == "<input hidden>"


def test_an_embedded_block_cannot_be_closed_from_inside() -> None:
    block = embedded_json("x", {"a": "</script><!--"})
    assert block.count("</") == 1
    with pytest.raises(ValueError, match="JSON"):
        embedded_json("x", math.nan)
