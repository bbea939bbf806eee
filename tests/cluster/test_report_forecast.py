# SPDX-License-Identifier: Apache-2.0
"""The report of a forecast run: it says no more than the losses do."""

import json
import math
import random
import re
from pathlib import Path
from typing import Any

import pytest

from cluster.report import build_report
from cluster.report.forecast.headline import headline
from cluster.report.forecast.results import read_forecast
from cluster.report.forecast.summary import snapshots, summarise
from cluster.report.means import Median, median_of
from cluster.report.wording import loss_words
from sim.errors import InputError

Json = dict[str, Any]
TRIVIAL = {"shm": {"ar": 9.5e-8, "mean": 4.7e-2}, "recall4": {"ar": 1.0, "order_blind": 0.8}}


def record(task: str, model: str, seed: int | None, test: float | None, **more: Any) -> Json:
    head = {"task": task, "model": model, "seed": seed, "parameters": 111, "status": "trained"}
    best = {"best_epoch": 4, "best_train_mse": test, "best_test_mse": test}
    rest = {"train_mse": test, "test_mse": test, "circuits": 1000, "seconds": 2.5}
    return {**head, **best, **rest, **more}


def records(task: str, tests: dict[str, list[float | None]]) -> list[Json]:
    """Trivial rows of the task, and the given test losses by model, one per seed."""
    none = {"status": "closed form", "seconds": None, "circuits": 0, "parameters": 5}
    rows = [record(task, model, None, mse, **none) for model, mse in TRIVIAL[task].items()]
    for model, losses in tests.items():
        for seed, loss in enumerate(losses):
            status = "diverged" if loss is None else "trained"
            rows.append(record(task, model, seed, loss, status=status))
    return rows


def run_folder(folder: Path, rows: list[Json], epochs: int = 40, drawn: bool = True) -> Path:
    manifest = {
        "command": "forecast",
        "created": "2026-03-01T12:00:00+00:00",
        "seed": 7,
        "config": {"epochs": epochs, "batch": 10},
        "versions": {"python": "3.11.7", "torch": "2.13.0"},
        "commit": None,
        "dirty": None,
    }
    (folder / "artefacts").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "results.json").write_text(json.dumps(rows))
    if drawn:
        documents = {"curves": curves(rows, epochs), "predictions": predictions(rows)}
        for name, document in documents.items():
            (folder / "artefacts" / f"{name}.json").write_text(json.dumps(document))
    return folder


def curves(rows: list[Json], epochs: int) -> Json:
    made = []
    for row in rows:
        if row["seed"] is not None:
            length = epochs if row["test_mse"] is not None else epochs // 2
            falling = [math.exp(-0.1 * e) * (row["seed"] + 1) for e in range(length)]
            named = {name: row[name] for name in ("task", "model", "seed")}
            made.append({**named, "train_mse": falling, "test_mse": falling})
    return {"rows": made}


def predictions(rows: list[Json]) -> Json:
    rng, tasks = random.Random(0), []
    for task in dict.fromkeys(row["task"] for row in rows):
        truth = [rng.choice((-1.0, 1.0)) if task == "recall4" else math.sin(i) for i in range(90)]
        models = dict.fromkeys(row["model"] for row in rows if row["task"] == task)
        said = [
            {
                "model": m,
                "seed": 0,
                "test_mse": 0.1,
                "values": [v + rng.gauss(0, 0.1) for v in truth],
            }
            for m in models
        ]
        tasks.append({"task": task, "train": 60, "truth": truth, "rows": said})
    return {"tasks": tasks}


def visible(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script).*?</\1>", "", html, flags=re.DOTALL))


@pytest.fixture
def full_run(tmp_path: Path) -> Path:
    rows = records("shm", {"qfwp": [1e-2, 4e-5, 3e-2], "lstm": [2e-5, 1e-5, 4e-4]})
    rows += records("recall4", {"qfwp": [0.81, 0.78, 0.8], "lstm": [1e-4, 2e-4, 3e-4]})
    return run_folder(tmp_path / "run", rows)


def test_a_full_run_has_every_section(full_run: Path) -> None:
    html = build_report(full_run)
    text = visible(html)
    for title in ("Models compared", "Results", "Forecasts against the truth"):
        assert title in text
    assert "Left out" not in text
    assert html.count('class="line base"') == 4  # the trivial rows of the two tasks
    assert html.count('class="chart forecasts"') == 8
    assert "default-src &#x27;none&#x27;" in html
    assert "://" not in html
    for epoch in (1, 15, 30, 40):
        assert f"test, epoch\u00a0{epoch}" in text


def test_the_trivial_row_has_its_say_first(full_run: Path) -> None:
    title, support = headline(summarise(read_forecast(full_run)))
    assert title == "On 1 of 2 tasks no trained model reaches a predictor that needs no training"
    assert support[0].startswith(
        "On shm lstm has the least test MSE of 2 models, median 2.0e−5 over 3 seeds, "
        "1.0e−5 to 4.0e−4; the range of qfwp overlaps with it."
    )
    assert support[0].endswith("A linear fit of the last 4 inputs reaches 9.5e−8, 211 times less.")
    assert support[1].endswith("The order-blind optimum reaches 0.80, 4\u2009000 times as much.")


def test_recall_says_who_remembers(full_run: Path) -> None:
    text = visible(build_report(full_run))
    assert "the symbol is recalled: lstm." in text
    assert "Not below it and by theorem never (additive): qfwp." in text


@pytest.mark.parametrize(
    ("tests", "title"),
    [
        ({}, "No model was trained"),
        ({"gru": [None]}, "No training ended with a finite loss"),
        ({"gru": [1e-9]}, "On shm the best model is gru, ahead of every trivial predictor"),
        (
            {"gru": [1.9e-7], "lstm": [1.0]},
            "On shm a linear fit of the last 4 inputs has 2.0 times less error than the best "
            "trained model, gru",
        ),
    ],
)
def test_the_title_claims_what_the_losses_show(
    tmp_path: Path, tests: dict[str, list[float | None]], title: str
) -> None:
    folder = run_folder(tmp_path / "run", records("shm", tests))
    assert title in visible(build_report(folder))


def test_a_training_that_diverged_counts_as_infinitely_bad(tmp_path: Path) -> None:
    rows = records("shm", {"lstm": [1e-5, None, 3e-5], "qfwp": [None, None, 1e-9]})
    folder = run_folder(tmp_path / "run", rows)
    by_model = {s.model: s for s in summarise(read_forecast(folder))}
    assert by_model["lstm"].loss == 3e-5
    assert math.isinf(by_model["qfwp"].loss)
    text = visible(build_report(folder))
    assert "lstm has the least test MSE" in text
    assert "inf" not in text.replace("infinitely", "")
    assert "diverged 2" in text


def test_a_curve_ends_where_the_median_diverges(tmp_path: Path) -> None:
    rows = records("shm", {"lstm": [1e-5, None, 3e-5], "qfwp": [None, None, 1e-9]})
    folder = run_folder(tmp_path / "run", rows, epochs=40)
    curve = {s.model: s.curve for s in summarise(read_forecast(folder))}
    assert (len(curve["lstm"]), len(curve["qfwp"])) == (40, 20)


def test_failed_trainings_do_not_count(tmp_path: Path) -> None:
    rows = records("shm", {"lstm": [1e-5, 2e-5]})
    nothing = dict.fromkeys(("train_mse", "test_mse", "best_test_mse", "parameters", "seconds"))
    rows[-1] |= {**nothing, "status": "failed"}
    folder = run_folder(tmp_path / "run", rows, drawn=False)
    lstm = summarise(read_forecast(folder))[-1]
    assert (lstm.loss, lstm.statuses) == (1e-5, {"failed": 1, "trained": 1})
    assert "failed 1" in visible(build_report(folder))


def test_missing_artefacts_leave_a_note(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", records("shm", {"lstm": [1e-5]}), drawn=False)
    text = visible(build_report(folder))
    assert "No learning curves: this run has no artefacts/curves.json." in text
    assert "Left out: this run has no artefacts/predictions.json." in text


def test_a_broken_artefact_leaves_a_note_that_says_why(full_run: Path) -> None:
    document = json.loads((full_run / "artefacts" / "predictions.json").read_text())
    document["tasks"][0]["rows"][0]["values"].pop()
    (full_run / "artefacts" / "predictions.json").write_text(json.dumps(document))
    (full_run / "artefacts" / "curves.json").write_text('{"rows": [{"task": "x", "model": 3}]}')
    text = visible(build_report(full_run))
    assert "&#x27;values&#x27; must be as many as &#x27;truth&#x27;, 90" in text
    assert "curves.json: row 0: &#x27;model&#x27; must be a text" in text


def test_text_from_the_folder_cannot_become_markup(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>"
    rows = records("shm", {"lstm": [1e-5, 2e-5, 4e-5]})
    for row in rows:
        row["task"] = row["status"] = evil
        row["model"] += evil
    html = build_report(run_folder(tmp_path / "run", rows))
    assert "alert(1)" in html
    assert html.count("<script") == html.count("</script>") == 1


def test_a_run_without_results_has_a_page(tmp_path: Path) -> None:
    assert "The run has no results yet." in visible(build_report(run_folder(tmp_path / "x", [])))


def test_an_unknown_command_is_refused(full_run: Path) -> None:
    manifest = json.loads((full_run / "manifest.json").read_text())
    (full_run / "manifest.json").write_text(json.dumps({**manifest, "command": "knit"}))
    with pytest.raises(
        InputError, match="is 'knit'; allowed: audit, compare, coordinate, federate, forecast"
    ):
        build_report(full_run)


def test_snapshots_are_those_of_the_paper_and_the_last_epoch() -> None:
    assert snapshots(100) == (1, 15, 30, 100)
    assert snapshots(40) == (1, 15, 30, 40)
    assert snapshots(250) == (1, 15, 30, 100, 250)
    assert snapshots(1) == (1,)


def test_medians_are_exact_and_know_infinity() -> None:
    assert median_of([3.0, 1.0, 2.0]) == Median(2.0, 1.0, 3.0, 3)
    assert median_of([4.0, 1.0]) == Median(2.5, 1.0, 4.0, 2)
    assert median_of([1.0, math.inf, math.inf]) == Median(math.inf, 1.0, math.inf, 3)
    assert median_of([]) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [(9.47e-8, "9.5e−8"), (0.0469, "4.7e−2"), (0.1, "0.10"), (1.234, "1.23"), (0.0, "0.00"),
     (12.3, "12"), (4e12, "4.0e+12"), (math.inf, "∞"), (None, "–")],
)  # fmt: skip
def test_losses_are_written_for_people(value: float | None, words: str) -> None:
    assert loss_words(value) == words
