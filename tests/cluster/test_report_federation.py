# SPDX-License-Identifier: Apache-2.0
"""The report of a federation: it says no more than the scores do, and no gap in them breaks it."""

import json
import math
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster.report import build_report
from cluster.report.federation.headline import headline
from cluster.report.federation.measure import Score, weighted
from cluster.report.federation.results import read_federation
from cluster.report.federation.wording import ranges, size_words
from sim.errors import InputError

Json = dict[str, Any]
REACHED = {
    "trivial": 0.31,
    "local": 0.813,
    "local_elsewhere": 0.45,
    "federated": 0.941,
    "centralised": 0.96,
}


@dataclass(frozen=True)
class Synthetic:
    """What a made-up run is like; ``reached`` is the score of each regime over all sites."""

    sites: int = 10
    rounds: int = 12
    classes: int = 4
    reached: tuple[tuple[str, float], ...] = tuple(REACHED.items())
    test: int = 20
    judged: bool = True

    @property
    def regression(self) -> bool:
        return self.classes == 0


def score(kind: Synthetic, value: float | None, samples: int) -> Json:
    """Under the names of ``results.json``: the value is an accuracy, or for regression a loss."""
    if value is None or kind.regression:
        return {"test_samples": samples, "loss": value, "accuracy": None}
    return {"test_samples": samples, "loss": 2 * (1 - value), "accuracy": value}


def results(kind: Synthetic) -> list[Json]:
    rng, rows = random.Random(0), []
    for regime, value in kind.reached:
        spread = [max(value + rng.gauss(0, 0.03 * value), 0.0) for _ in range(kind.sites)]
        for site in [None, *range(kind.sites)]:
            reached = value if site is None else min(spread[site], 1.0)
            tested = kind.test * (kind.sites if site is None else 1)
            head = {"regime": regime, "site": site, "train_samples": 80}
            rows.append({**head, **score(kind, reached if kind.judged else None, tested)})
    return rows


def rounds(kind: Synthetic) -> list[Json]:
    rng, rows = random.Random(1), []
    reached = dict(kind.reached).get("federated", 0.5)
    for number in range(1, kind.rounds + 1):
        share = math.exp(-0.4 * number)
        value = reached * (1 + 9 * share) if kind.regression else reached * (1 - share)
        test = score(kind, value if kind.judged else None, 1)
        sites = [
            {"site": s, "samples": kind.test, "loss": value * factor,
             "accuracy": None if kind.regression else min(value * factor, 1.0)}
            for s, factor in ((s, rng.uniform(0.9, 1.05)) for s in range(kind.sites))
        ]  # fmt: skip
        rows.append({
            "round": number, "asked": kind.sites, "replies": kind.sites, "loss": 2 * share + 0.1,
            "test_loss": test["loss"], "test_accuracy": test["accuracy"],
            "bytes_down": 4096 * kind.sites, "bytes_up": 4100 * kind.sites,
            "circuits": 0 if kind.regression else 96000, "seconds": rng.uniform(0.4, 0.9),
            "rejections": [], "sites": sites if kind.judged else [],
        })  # fmt: skip
    return rows


def partition(kind: Synthetic) -> Json:
    rng, sites = random.Random(2), []
    for site in range(kind.sites):
        shares = [rng.gammavariate(0.3, 1) for _ in range(max(kind.classes, 1))]
        counts = [round(100 * share / sum(shares)) for share in shares]
        train = round(0.8 * sum(counts))
        made = {"site": site, "train": train, "test": sum(counts) - train}
        sites.append({**made, "classes": counts if kind.classes else []})
    names = [str(number) for number in range(kind.classes)]
    return {"partition": "dirichlet:0.3", "classes": names, "sites": sites}


def personal(amounts: tuple[int, ...] = (1, 3, 7, 14), accurate: bool = True) -> Json:
    rng, rows = random.Random(3), []
    gains = {"global": 0.0, "local": 0.06, "head": 0.03, "prior": 0.045}
    for site in range(5):
        base = rng.uniform(0.5, 0.6)
        for amount in amounts:
            for method, gain in gains.items():
                start = 0.3 if method == "local" else base
                value = start + gain * amount**0.5 + rng.gauss(0, 0.01)
                held = {"loss": 1 - value, "accuracy": value if accurate else None}
                named = {"site": site, "amount": amount, "method": method}
                rows.append({**named, **held, "samples": 40})
    return {"unit": "days", "rows": rows}


def run_folder(folder: Path, kind: Synthetic = Synthetic(), **artefacts: Json | None) -> Path:
    """A run folder; ``artefacts`` replaces, adds or (with None) leaves out documents."""
    manifest = {
        "command": "federate",
        "created": "2026-03-01T12:00:00+00:00",
        "seed": 7,
        "config": {"task": "vqc-digits", "clients": kind.sites, "rounds": kind.rounds},
        "versions": {"python": "3.11.7", "flwr": "1.41.0"},
        "commit": None,
        "dirty": None,
    }
    documents = {"rounds": {"rows": rounds(kind)}, "partition": partition(kind), **artefacts}
    (folder / "artefacts").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "results.json").write_text(json.dumps(results(kind)))
    for name, document in documents.items():
        if document is not None:
            (folder / "artefacts" / f"{name}.json").write_text(json.dumps(document))
    return folder


def visible(html: str) -> str:
    bare = re.sub(r"<(style|script|title).*?</\1>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare).replace("\u00a0", " "))


def reaching(**changed: float) -> Synthetic:
    return Synthetic(reached=tuple({**REACHED, **changed}.items()))


def test_a_full_run_has_every_section_and_nothing_from_outside(tmp_path: Path) -> None:
    html = build_report(run_folder(tmp_path / "run", personal=personal()))
    text = visible(html)
    for title in (
        *("The regimes side by side", "Learning curves", "Who has what", "Site by site"),
        *("New sites", "What the rounds cost", "Replies", "Where this comes from"),
    ):
        assert title in text
    assert "Left out" not in text
    assert "default-src &#x27;none&#x27;" in html
    assert "://" not in html
    assert html.count('class="thin"') == 10
    assert "every reply counted: 120 of 120." in text


def test_the_title_gives_all_three_regimes_and_the_trivial_answer_its_say(tmp_path: Path) -> None:
    title, support = headline(read_federation(run_folder(tmp_path / "run")))
    assert title == (
        "10 sites that share no data: 94.1\u00a0% together, 96.0\u00a0% pooled, "
        "81.3\u00a0% each alone"
    )
    assert support[:3] == [
        "Always saying the most frequent class of a site's training part reaches 31.0\u00a0%.",
        "A site's own model reaches 45.0\u00a0% on the test samples of all sites.",
        "The price of privacy, pooled against together, is 1.9 points.",
    ]
    assert support[3].startswith("The federated model is better than the site's own at ")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (reaching(federated=0.3), "10 sites that learned in rounds do no better than a constant"),
        (reaching(local=0.95), "10 sites gain nothing at home by learning together: 94.1"),
        (reaching(federated=0.97), "Together is better than pooled here, by 1.0 points."),
        (Synthetic(sites=1), "1 site: 94.1 % in rounds"),
        (Synthetic(judged=False), "The federated model was not judged"),
        (Synthetic(classes=0), "rounds do no better than a constant answer: 0.941 together"),
        (Synthetic(reached=(("federated", 0.9),)), "10 sites that share no data: 90.0 % together"),
        (Synthetic(reached=()), "The run has no results yet"),
    ],
)
def test_the_page_claims_what_the_scores_show(tmp_path: Path, kind: Synthetic, words: str) -> None:
    assert words in visible(build_report(run_folder(tmp_path / "run", kind)))


def test_of_losses_less_is_better(tmp_path: Path) -> None:
    losses = {"trivial": 0.9, "local": 0.5, "federated": 0.02, "centralised": 0.012}
    kind = Synthetic(classes=0, reached=tuple(losses.items()))
    text = visible(build_report(run_folder(tmp_path / "run", kind)))
    assert "0.020 together, 0.012 pooled, 0.500 each alone (test loss)" in text
    assert "The price of privacy, pooled against together, is 8.0e−3 of loss." in text
    assert "better than the site's own at 10 of 10 sites." in text.replace("&#x27;", "'")
    assert "training part" in text
    assert "accuracy" not in text


@pytest.mark.parametrize(
    "kind",
    [
        *(Synthetic(sites=sites) for sites in (1, 2, 40, 41)),
        *(Synthetic(sites=sites, classes=0) for sites in (1, 50)),
        *(Synthetic(rounds=count) for count in (0, 1, 2, 300)),
        *(Synthetic(classes=classes) for classes in (1, 2, 11, 12, 30)),
        *(Synthetic(judged=False, classes=classes) for classes in (0, 4)),
        Synthetic(sites=3, test=0),
    ],
)
def test_every_shape_of_a_run_has_a_page(tmp_path: Path, kind: Synthetic) -> None:
    html = build_report(run_folder(tmp_path / "run", kind))
    drawn = re.sub(r"<style.*?</style>|<script.*?</script>", "", html, flags=re.DOTALL)
    assert not re.search(r"\b(nan|inf|None|null)\b", visible(drawn))
    assert not re.search(r'="[^"]*\b(nan|inf)\b', drawn)
    assert "Where this comes from" in drawn


def test_a_thousand_sites_are_drawn_compactly(tmp_path: Path) -> None:
    kind = Synthetic(sites=1000, rounds=5, classes=10)
    html = build_report(run_folder(tmp_path / "run", kind))
    assert "The stronger the colour, the larger a class" in html
    assert "400 of 1\u2009000 sites" in html
    assert "middle 80 % of the sites" in html
    assert 'class="thin"' not in html
    assert "Every site (1\u2009000 rows)" in html
    assert len(html) < 1_500_000


def test_rejections_and_missing_replies_are_told_with_their_reasons(tmp_path: Path) -> None:
    rows = rounds(Synthetic())
    for number in (2, 3, 4, 7):
        reason = "array head.weight is not finite"
        rows[number - 1] |= {"replies": 9, "rejections": [{"site": 3, "reason": reason}]}
    rows[8] |= {"replies": 0, "loss": None, "bytes_up": None}
    text = visible(build_report(run_folder(tmp_path / "run", rounds={"rows": rows})))
    assert "106 of 120 replies counted. 4 came and were rejected." in text
    assert "10 did not come in time (round 9)." in text
    assert "No reply counted in round 9: the model stayed as it was." in text
    assert "3 Array head.weight is not finite 4 2 to 4, 7" in text


def test_new_sites_are_compared_pair_by_pair(tmp_path: Path) -> None:
    rows = personal()["rows"]
    for row in rows:
        row["accuracy"] = 0.1 * row["site"] + (0.05 if row["method"] == "prior" else 0.0)
    document = {"unit": "shots", "rows": rows}
    text = visible(build_report(run_folder(tmp_path / "run", personal=document)))
    assert "1 shot 3 shots 7 shots 14 shots" in text
    assert "Gain over global, site by site" in text
    assert "prior 5.0 ±0.0" in text


@pytest.mark.parametrize("accurate", [True, False])
@pytest.mark.parametrize("amounts", [(), (3,), (1, 3, 7, 14)])
def test_new_sites_have_a_section_whatever_is_known(
    tmp_path: Path, amounts: tuple[int, ...], accurate: bool
) -> None:
    text = visible(build_report(run_folder(tmp_path / "r", personal=personal(amounts, accurate))))
    assert "New sites" in text
    assert ("no new site was judged" in text) == (not amounts)


def test_without_new_sites_there_is_no_section_for_them(tmp_path: Path) -> None:
    assert "New sites" not in visible(build_report(run_folder(tmp_path / "run")))


def test_missing_artefacts_leave_a_note(tmp_path: Path) -> None:
    text = visible(build_report(run_folder(tmp_path / "run", rounds=None, partition=None)))
    assert text.count("Left out: this run has no artefacts/rounds.json.") == 3
    assert "Left out: this run has no artefacts/partition.json." in text


@pytest.mark.parametrize(
    ("name", "document", "told"),
    [
        ("rounds", {"rows": [{"round": "x"}]}, "rounds.json: row 0: 'round' must be a whole"),
        ("rounds", {"rows": 3}, "rounds.json: 'rows': must be a list"),
        (
            "partition",
            {"partition": "iid", "classes": ["0"], "sites": [{"site": 0, "classes": []}]},
            "partition.json: site 0: 'classes' must be as many as the classes, 1",
        ),
        (
            "partition",
            {"partition": "iid", "classes": ["0"], "sites": [{"site": 0, "classes": [-4]}]},
            "partition.json: site 0: samples must be counts, found -4",
        ),
        ("personal", {"rows": []}, "personal.json: 'unit' must be a text"),
    ],
)
def test_a_broken_artefact_leaves_a_note_that_says_why(
    tmp_path: Path, name: str, document: Json, told: str
) -> None:
    folder = run_folder(tmp_path / "run", **{name: document})
    assert f"Left out: {told}" in visible(build_report(folder)).replace("&#x27;", "'")


def test_broken_results_are_refused_with_file_and_field(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    (folder / "results.json").write_text('[{"regime": "local", "site": 1.5}]')
    with pytest.raises(InputError, match=r"results\.json: record 0: 'site' must be a whole number"):
        build_report(folder)


def test_text_from_the_folder_cannot_become_markup(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>"
    rows = rounds(Synthetic())
    rows[0]["rejections"] = [{"site": 1, "reason": evil}]
    made = {**partition(Synthetic()), "partition": evil, "classes": [evil] * 4}
    told = personal()
    told["unit"] = told["rows"][0]["method"] = evil
    folder = run_folder(tmp_path / "run", rounds={"rows": rows}, partition=made, personal=told)
    html = build_report(folder)
    assert "alert(1)" in html
    assert html.count("<script") == html.count("</script>") == 1


def test_a_score_over_sites_weighs_samples_and_leaves_out_what_is_not_known() -> None:
    parts = [Score(30, 1.0, 0.5), Score(10, 2.0, None), Score(0, None, None)]
    assert weighted(parts) == Score(40, 1.25, 0.5)
    assert weighted([]) == Score(0, None, None)


@pytest.mark.parametrize(
    ("size", "words"),
    [(None, "–"), (0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (999_999, "1.0 MB"),
     (123_456_789, "123 MB"), (5e15, "5\u2009000 TB")],
)  # fmt: skip
def test_sizes_are_written_for_people(size: float | None, words: str) -> None:
    assert size_words(size).replace("\u00a0", " ") == words


def test_runs_of_rounds_are_drawn_together() -> None:
    assert ranges([1, 2, 5, 6, 7, 9]) == "1, 2, 5 to 7, 9"
    assert ranges([]) == ""
