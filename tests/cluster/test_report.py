# SPDX-License-Identifier: Apache-2.0
"""The report from a run folder that looks like a real one."""

import json
import re
from pathlib import Path

import pytest

from cluster.report import build_report, write_report
from sim.errors import InputError
from tests.cluster.test_report_sample import (
    COORDINATORS,
    Json,
    execution,
    replay,
    results,
    run_folder,
    warehouse,
)


@pytest.fixture
def full_run(tmp_path: Path) -> Path:
    records = results()
    film = replay(warehouse(), 40)
    return run_folder(tmp_path / "run", records, replay=film, execution=execution(records))


def visible(html: str) -> str:
    """The text a reader sees: no style, no script, no tags."""
    return re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script).*?</\1>", "", html, flags=re.DOTALL))


def embedded(html: str) -> Json:
    block = re.search(r'<script id="replay"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert block
    document: Json = json.loads(block[1])
    return document


def test_a_full_run_has_every_section(full_run: Path) -> None:
    html = build_report(full_run)
    text = visible(html)
    assert "Local search cuts mean travel time by 28" in text
    assert "95 % interval" in text
    assert "paired over 5 instances" in text
    for title in ("The fleet", "Coordinators compared", "Results", "When robots are late"):
        assert title in text
    assert "Left out" not in text
    assert "deadlocks here after 31.2 s, with 17 robots stuck" in text
    assert "58cd6e8f0a with uncommitted changes" in text
    assert "map.source" in text
    assert html.count('class="chart"') == 4
    assert 'class="chart gantt"' in html
    assert len(embedded(html)["robots"]) == 40


def test_every_record_is_in_the_table(full_run: Path) -> None:
    text = visible(build_report(full_run))
    assert text.count("i002-r050") == len(COORDINATORS)


def test_the_same_folder_gives_the_same_text(full_run: Path) -> None:
    first = write_report(full_run).read_bytes()
    assert write_report(full_run).read_bytes() == first
    assert sorted(p.name for p in full_run.iterdir()) == [
        "artefacts",
        "manifest.json",
        "report.html",
        "results.json",
    ]


def test_nothing_is_loaded_from_outside(full_run: Path) -> None:
    html = build_report(full_run)
    assert "://" not in html
    assert not re.search(r"\s(src|href)=|url\(|@import", html)
    assert "default-src &#x27;none&#x27;" in html


def test_text_from_the_folder_cannot_become_markup(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>"
    records = results((10,), 2)
    for record in records:
        record["instance"] = record["status"] = evil
        record["coordinator"] += evil
    film = replay(warehouse(), 3) | {"instance": evil, "coordinator": evil}
    film["layout"]["name"] = evil
    late = execution(records) | {"delay_model": evil}
    html = build_report(run_folder(tmp_path / evil[:1] / "x", records, replay=film, execution=late))
    assert "alert(1)" in html
    assert "<script>alert" not in html
    assert html.count("<script") == html.count("</script>") == 2


def test_unknown_symbols_of_the_floor_stay_inside_the_data_block(tmp_path: Path) -> None:
    film = replay(warehouse(), 3)
    film["layout"]["rows"][0] = "</script>".ljust(film["layout"]["width"], ".")
    html = build_report(run_folder(tmp_path / "run", results((10,), 2), replay=film))
    assert embedded(html)["rows"][0].startswith("</script>")


def test_missing_artefacts_leave_a_note(tmp_path: Path) -> None:
    text = visible(build_report(run_folder(tmp_path / "run", results())))
    assert text.count("Left out: this run has no artefacts/replay.json.") == 2
    assert text.count("Left out: this run has no artefacts/execution.json.") == 1


def test_a_broken_artefact_leaves_a_note_that_says_why(tmp_path: Path) -> None:
    film = replay(warehouse(), 3)
    film["robots"][1]["times_s"].pop()
    folder = run_folder(tmp_path / "run", results(), replay=film)
    (folder / "artefacts" / "execution.json").write_text("{")
    text = visible(build_report(folder))
    assert "replay.json: robot 1: needs cells, and one time more than cells" in text
    assert "execution.json: is not valid JSON" in text


def test_one_robot_count_shows_the_instances(tmp_path: Path) -> None:
    html = build_report(run_folder(tmp_path / "run", results((50,))))
    assert html.count('class="dot"') == 2 * 5 * len(COORDINATORS)
    assert 'class="band"' not in html


def test_failed_trials_have_dashes_and_do_not_count(tmp_path: Path) -> None:
    records = results((10, 50), 3)
    for record in records:
        if record["coordinator"] == "milp" and record["robots"] == 50:
            nothing = dict.fromkeys(("cost", "ratio", "bound", "gap", "seconds"))
            record.update(nothing, certified=False, status="failed")
    records[0]["cost"] = float("nan")
    text = visible(build_report(run_folder(tmp_path / "run", records)))
    assert "failed 3" in text
    assert "0 of 3" in text
    assert "milp to 10" in text
    assert "nan" not in text.lower()


@pytest.mark.parametrize(
    ("kept", "title"),
    [
        ((), "No coordinator returned a schedule"),
        (("fcfs",), "No coordinator beats first come first served at 10 robots"),
        (("milp", "cma"), "has the lowest mean travel time at 10 robots"),
        (("fcfs", "cma"), "CMA-ES cuts mean travel time"),
    ],
)
def test_the_headline_claims_what_the_data_shows(
    tmp_path: Path, kept: tuple[str, ...], title: str
) -> None:
    records = [r for r in results((10,)) if r["coordinator"] in kept]
    assert title in visible(build_report(run_folder(tmp_path / "run", records)))


def test_the_headline_does_not_claim_an_unclear_difference(tmp_path: Path) -> None:
    records = [r for r in results((10,), 2) if r["coordinator"] in ("fcfs", "cma")]
    for record, cost in zip(records, (50.0, 40.0, 50.0, 51.0), strict=True):
        record["cost"] = cost
    text = visible(build_report(run_folder(tmp_path / "run", records)))
    assert "CMA-ES is not clearly better than first come first served" in text


def test_one_instance_has_no_interval(tmp_path: Path) -> None:
    text = visible(build_report(run_folder(tmp_path / "run", results((10,), 1))))
    assert "on a single instance, so without an interval" in text
    assert "±" not in text


@pytest.mark.parametrize("name", ["manifest.json", "results.json"])
@pytest.mark.parametrize("content", [None, "", "{", "7", '[{"robots": 1}]', '{"config": 3}'])
def test_a_folder_without_its_core_is_refused(
    full_run: Path, name: str, content: str | None
) -> None:
    (full_run / name).unlink()
    if content is not None:
        (full_run / name).write_text(content)
    with pytest.raises(InputError, match=name) as refusal:
        write_report(full_run)
    assert "\n" not in str(refusal.value)
    assert not (full_run / "report.html").exists()


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a run folder"):
        build_report(tmp_path / "nowhere")


def test_a_large_fleet_stays_small_and_readable(tmp_path: Path) -> None:
    film = replay(warehouse(blocks=18, aisles=20), 250)
    html = build_report(run_folder(tmp_path / "run", results(), replay=film))
    assert len(html) < 3_000_000
    assert html.count(">robot ") == 2 * 40  # a label and a tooltip each
    assert "that wait longest, of 250." in visible(html)
