# SPDX-License-Identifier: Apache-2.0
"""The reports of compare and train: they say no more than the seeds do."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from agents.statistics import estimate_improvement
from cluster.agent_table import final_table
from cluster.report import build_report
from cluster.report.agent.charts import MOST_POINTS as MOST_LOOKS
from cluster.report.agent.charts import thinned
from cluster.report.agent.results import Look
from cluster.report.axis import bounds_to_show
from cluster.report.compare.headline import headline
from cluster.report.compare.learning import MOST_POINTS, efficiency
from cluster.report.compare.results import Curve, typed_rows
from cluster.report.compare.standing import Standing, standing
from cluster.report.compare.summary import Environment, environments
from cluster.report.fields import Fields
from cluster.report.means import Mean, Resampled
from cluster.report.palette import colour
from sim.errors import InputError

Json = dict[str, Any]
MEMORY, EASY = "MiniGrid-MemoryS7-v0", "CartPole-v1"
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff;"


def run(env: str, policy: str, seed: int, greedy: float | None, **more: Any) -> Json:
    head = {"kind": "run", "env": env, "policy": policy, "seed": seed, "parameters": 2500}
    ends = {"greedy_return": greedy, "sampled_return": greedy, "episodes": 100, "success": 0.5}
    rest = {"steps": 4000, "circuits": 0, "seconds": 4.0, "steps_per_s": 1000.0}
    return {**head, **ends, **rest, "diverged": False, **more}


def trivial(env: str, policy: str, mean: float, label: str | None = None) -> Json:
    ends = {"mean": mean, "low": mean - 0.01, "high": mean + 0.01, "episodes": 1000}
    return {"kind": "trivial", "env": env, "policy": policy, "label": label or policy, **ends}


def records(env: str, returns: Mapping[str, Sequence[float | None]], optimum: bool = True) -> Any:
    """Runs by policy, one per seed; random reaches 0 and the optimum is 1."""
    rows = [run(env, p, s, value) for p, rs in returns.items() for s, value in enumerate(rs)]
    known = [trivial(env, "optimum", 1.0, "shortest paths")] if optimum else []
    return [*rows, trivial(env, "random", 0.0, "random actions"), *known]


def around(middle: float, seeds: int = 10, spread: float = 0.02) -> list[float]:
    return [middle + spread * (2 * k / max(seeds - 1, 1) - 1) for k in range(seeds)]


def curves(rows: Sequence[Json]) -> Json:
    made = []
    for row in rows:
        if row["kind"] == "run":
            named = {name: row[name] for name in ("env", "policy", "seed")}
            values = [None, *(0.1 * k + 0.01 * row["seed"] for k in range(1, 8))]
            made.append({**named, "steps": [500 * k for k in range(1, 9)], "returns": values})
    return {"rows": made}


def run_folder(folder: Path, rows: Sequence[Json], command: str = "compare") -> Path:
    manifest = {
        "command": command,
        "created": "2026-03-01T12:00:00+00:00",
        "seed": 7,
        "config": {"steps": 4000},
        "versions": {"python": "3.11.7"},
        "commit": None,
        "dirty": None,
    }
    (folder / "artefacts").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "results.json").write_text(json.dumps(rows))
    if command == "compare":
        (folder / "artefacts" / "curves.json").write_text(json.dumps(curves(rows)))
    return folder


def visible(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script).*?</\1>", "", html, flags=re.DOTALL))


def found_in(rows: Sequence[Json]) -> list[Environment]:
    return environments(typed_rows([Fields(row, f"record {i}") for i, row in enumerate(rows)]))


def told(rows: Sequence[Json]) -> tuple[str, str]:
    found = found_in(rows)
    title, support = headline(found, standing(found))
    return title, " ".join(support)


def stands(rows: Sequence[Json]) -> Standing:
    return standing(found_in(rows))


@pytest.fixture
def rows() -> list[Json]:
    """Memory helps in the first environment and not in the second."""
    memory = {"lstm": around(0.95), "qfwp": around(0.5), "mlp": around(0.3)}
    easy = {"lstm": around(0.96), "qfwp": around(0.955), "mlp": around(0.957)}
    return [*records(MEMORY, memory), *records(EASY, easy)]


def test_a_full_run_has_every_section(tmp_path: Path, rows: list[Json]) -> None:
    html = build_report(run_folder(tmp_path / "run", rows))
    text = visible(html)
    for title in ("All environments together", "Who beats whom", "Environment by environment"):
        assert title in text
    assert "Left out" not in text
    assert html.count('class="line base"') == 4  # random and optimum of two environments
    assert html.count('class="chart"') == 6
    assert html.count('class="band"') == 3 + 2 * 5  # profiles; policies and what needs no training
    assert "://" not in html
    assert "inf" not in text
    assert "nan" not in text


def test_the_same_folder_gives_the_same_page(tmp_path: Path, rows: list[Json]) -> None:
    folder = run_folder(tmp_path / "run", rows)
    assert build_report(folder) == build_report(folder)


def test_the_leader_is_named_where_its_interval_is_alone(rows: list[Json]) -> None:
    title, support = told(rows)
    assert title == "Over 2 environments lstm is ahead of both others"
    assert "Clearly behind: qfwp and mlp." in support
    assert f"On {EASY} a policy without memory does as well" in support
    assert MEMORY not in support


def test_overlap_is_told_not_hidden() -> None:
    returns = {"lstm": around(0.9), "gru": around(0.905), "mlp": around(0.2)}
    title, support = told(records(MEMORY, returns))
    assert title == f"On {MEMORY} gru and lstm lead, and no one of them clearly"
    assert "the interval of lstm overlaps with it" in support
    assert "Without memory (mlp) 0.20 is reached: memory helps here." in support
    title, _ = told(records(MEMORY, {"lstm": around(0.9), "gru": around(0.905)}))
    assert title == f"On {MEMORY} no policy is clearly ahead"


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (0.901, "Its interval overlaps with lstm."),
        (
            0.911,
            "overlaps with lstm; seed by seed it is still more often better than lstm (P = 0.72).",
        ),
    ],
)
def test_what_is_told_of_overlapping_intervals_is_what_the_pairs_say(
    second: float, words: str
) -> None:
    """Close behind, and ahead in most pairs of seeds though the intervals overlap."""
    rows = [row for env in (MEMORY, EASY) for row in records(env, pair(second))]
    title, support = told(rows)
    assert title == "Over 2 environments no policy is clearly ahead"
    assert words in support


def pair(second: float) -> dict[str, list[float]]:
    return {"lstm": around(0.9), "gru": around(second)}


def test_a_policy_without_memory_that_is_best_is_called_that() -> None:
    _, support = told(records(EASY, {"lstm": around(0.8), "mlp": around(0.9)}))
    assert (
        "A policy without memory, mlp, does as well, with 0.90: this environment does not show"
        in (support)
    )
    _, support = told(records(EASY, {"lstm": around(0.8), "gru": around(0.9)}))
    assert "No policy without memory took part" in support


def test_few_seeds_make_no_claim() -> None:
    title, support = told(records(MEMORY, {"lstm": [0.9], "mlp": [0.2]}))
    assert title == f"On {MEMORY} no policy is clearly ahead"
    assert "over 1 seed; so few seeds cannot tell it from mlp" in support
    assert "so few seeds cannot show whether memory helps" in support
    assert "interval" not in support


def test_what_needs_no_training_has_its_say_first() -> None:
    returns = {"lstm": around(0.5), "mlp": around(0.4)}
    known = [*records(MEMORY, returns), trivial(MEMORY, "heuristic", 0.6, "the wall follower")]
    title, support = told(known)
    assert title == (f"On {MEMORY} no policy is better than the wall follower, which reaches 0.60")
    assert "memory helps" not in support
    title, _ = told([*known, *records(EASY, returns)])
    assert title == "On 1 of 2 environments no policy is better than what needs no training"


def test_where_nobody_is_clearly_above_random_nothing_is_said_of_memory() -> None:
    wide = [0.0, 0.0, 0.9]
    rows = [*records(MEMORY, {"lstm": [0.0] * 3, "mlp": wide}), trivial(MEMORY, "constant", -0.5)]
    title, support = told(rows)
    assert title == f"On {MEMORY} no policy is clearly better than random actions"
    assert "No policy is clearly better than random actions." in support
    assert "emory" not in support.replace(MEMORY, "")
    title, support = told([*rows, *records(EASY, {"lstm": [0.0] * 3, "mlp": wide})])
    assert title == "On 2 environments no policy is clearly better than random actions"
    assert "not needed" not in support


def test_the_optimum_is_no_rival() -> None:
    title, support = told(records(MEMORY, {"lstm": around(0.98), "mlp": around(0.3)}))
    assert title == f"On {MEMORY} lstm is ahead of mlp"
    assert "The optimum is 1.00." in support


def test_unequal_sizes_are_told() -> None:
    rows = records(MEMORY, {"lstm": around(0.9), "mlp": around(0.3)})
    assert "equal size" not in told(rows)[1]
    rows = [row | {"parameters": 9000} if row["policy"] == "lstm" else row for row in rows]
    assert "not of equal size: 2\u2009500 to 9\u2009000 parameters" in told(rows)[1]


def test_solved_means_nine_tenths_of_the_way_to_a_known_optimum() -> None:
    returns = {"lstm": [0.95, 0.91, 0.89, 0.5]}
    known, unknown = records(MEMORY, returns), records(MEMORY, returns, optimum=False)
    assert found_in(known)[0].summaries[0].solved == 2
    assert found_in(unknown)[0].summaries[0].solved is None
    scale = found_in(unknown)[0].scale
    assert scale is not None
    assert (scale.one, scale.source, scale.is_optimum) == (0.95, "lstm, seed 0", False)


def test_scores_lie_between_random_and_the_optimum() -> None:
    rows = [run(EASY, "lstm", s, value) for s, value in enumerate((20.0, 260.0, 500.0))]
    rows += [trivial(EASY, "random", 20.0), trivial(EASY, "optimum", 500.0)]
    assert stands(rows).policies[0].scores.ravel().tolist() == [0.0, 0.5, 1.0]


def test_an_environment_where_nobody_is_above_random_is_left_out(
    tmp_path: Path, rows: list[Json]
) -> None:
    lost = records("Hard-v0", {"lstm": [-0.2, 0.005, -0.1]}, optimum=False)
    together = stands([*rows, *lost])
    assert (together.left_out, len(together.environments)) == (["Hard-v0"], 2)
    text = visible(build_report(run_folder(tmp_path / "run", [*rows, *lost])))
    assert "nobody is clearly above random there: Hard-v0." in text


def test_a_seed_that_failed_somewhere_counts_nowhere_in_the_whole(tmp_path: Path) -> None:
    rows = records(MEMORY, {"lstm": [0.9, None, 0.8, 0.85], "mlp": around(0.2, 4)})
    rows += records(EASY, {"lstm": around(0.9, 4), "mlp": around(0.9, 4)})
    assert {p.policy: p.seeds for p in stands(rows).policies} == {
        "lstm": (0, 2, 3),
        "mlp": (0, 1, 2, 3),
    }
    text = visible(build_report(run_folder(tmp_path / "run", rows)))
    assert "Of lstm only the seeds count that ended in all environments." in text
    assert "failed 1" in text


def test_a_policy_without_a_seed_in_all_environments_is_named(tmp_path: Path) -> None:
    rows = records(MEMORY, {"lstm": around(0.9, 3), "mlp": [0.1] * 3})
    rows += records(EASY, {"lstm": around(0.9, 3)})
    assert stands(rows).absent == ["mlp"]
    text = visible(build_report(run_folder(tmp_path / "run", rows)))
    assert "no seed ended in all environments: mlp." in text


def test_a_training_that_diverged_counts_as_random_actions(tmp_path: Path) -> None:
    rows = records(MEMORY, {"lstm": [0.9, 0.9, None], "mlp": [0.3, 0.3, None]})
    rows[2]["diverged"] = True
    lstm, mlp = found_in(rows)[0].summaries
    assert (lstm.statuses, lstm.returns) == ({"diverged": 1}, [0.9, 0.9, 0.0])
    assert (mlp.statuses, mlp.returns) == ({"failed": 1}, [0.3, 0.3])
    assert stands(rows).policies[0].scores.ravel().tolist() == [0.9, 0.9, 0.0]
    text = visible(build_report(run_folder(tmp_path / "run", rows)))
    assert "diverged 1" in text
    unknown = [row for row in rows if row["policy"] != "random"]
    assert found_in(unknown)[0].summaries[0].returns == [0.9, 0.9, 0.3]


def test_odds_of_a_pair_are_those_of_the_statistics_and_add_up_to_one(rows: list[Json]) -> None:
    together = stands(rows)
    by_name = {one.policy: one.scores for one in together.policies}
    assert len(together.odds) == 6
    for (one, other), odds in together.odds.items():
        back = together.odds[other, one]
        assert odds.value + back.value == pytest.approx(1.0)
        assert odds.low + back.high == pytest.approx(1.0)
        direct = estimate_improvement(by_name[one], by_name[other], np.random.default_rng(1))
        assert odds.value == pytest.approx(direct.value)
        assert odds.low == pytest.approx(direct.low, abs=0.03)


def test_colours_of_the_matrix_are_for_intervals_that_leave_out_a_half(tmp_path: Path) -> None:
    returns = {"lstm": around(0.95), "gru": around(0.951), "mlp": around(0.3)}
    html = build_report(run_folder(tmp_path / "run", records(MEMORY, returns)))
    kinds = re.findall(r'<td class="(more|less|same)"', html)
    assert sorted(kinds) == ["less"] * 2 + ["more"] * 2 + ["same"] * 2


def test_a_curve_begins_when_every_seed_has_ended_an_episode_and_then_stays() -> None:
    late = Curve(EASY, "lstm", 0, (10, 20, 30, 40), (None, 1.0, None, 3.0))
    short = Curve(EASY, "lstm", 1, (10, 20), (5.0, 2.0))
    points = efficiency([late, short], EASY)["lstm"]
    assert [(step, mean.value) for step, mean in points] == [(20, 1.5), (30, 1.5), (40, 2.5)]
    assert efficiency([Curve(EASY, "lstm", 0, (10,), (None,))], EASY) == {}


def test_long_curves_are_thinned_and_keep_their_end() -> None:
    steps = tuple(float(k) for k in range(1, 1001))
    points = efficiency([Curve(EASY, "mlp", 0, steps, steps)], EASY)["mlp"]
    assert len(points) <= MOST_POINTS
    assert points[-1] == (1000, Resampled(1000.0, 1000.0, 1000.0, 1))


def test_missing_and_broken_curves_leave_a_note(tmp_path: Path, rows: list[Json]) -> None:
    folder = run_folder(tmp_path / "run", rows)
    path = folder / "artefacts" / "curves.json"
    path.write_text(
        '{"rows": [{"env": "a", "policy": "b", "seed": 0, "steps": [1], "returns": []}]}'
    )
    assert "&#x27;returns&#x27; must be 1 numbers, found 0" in visible(build_report(folder))
    path.unlink()
    assert "No learning curves: this run has no artefacts/curves.json." in visible(
        build_report(folder)
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "walk"}, "record 0: 'kind' is 'walk'; allowed: run, trivial"),
        ({"seed": None}, "record 0: 'seed' must be a whole number, found null"),
        ({"greedy_return": "high"}, "record 0: 'greedy_return' must be a number"),
    ],
)
def test_records_of_another_kind_are_refused(change: Json, words: str) -> None:
    with pytest.raises(InputError, match=words):
        final_table([{**run(EASY, "mlp", 0, 1.0), **change}])


def test_text_from_the_folder_cannot_become_markup(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>"
    rows = records(evil, {evil: around(0.9), "mlp": around(0.2)})
    rows.append(trivial(evil, evil, 0.1, evil))
    html = build_report(run_folder(tmp_path / "run", rows))
    assert "alert(1)" in html
    assert html.count("<script") == html.count("</script>") == 1


@pytest.mark.parametrize(
    ("rows", "title"),
    [
        ([], "No policy was trained"),
        ([trivial(EASY, "random", 0.0)], "No policy was trained"),
        ([run(EASY, "mlp", 0, None)], "No training ended with a return"),
        ([run(EASY, "mlp", 0, 0.4)], f"On {EASY} mlp reaches 0.40"),
    ],
)
def test_runs_with_little_in_them_have_a_page(tmp_path: Path, rows: list[Json], title: str) -> None:
    assert title in visible(build_report(run_folder(tmp_path / "run", rows)))


def test_the_console_shows_the_same_numbers(rows: list[Json]) -> None:
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(final_table(rows))
    console.file.close()
    lines = console.export_text().splitlines()
    summary = found_in(rows)[0].summaries[0]
    assert summary.iqm is not None
    first = next(line for line in lines if line.startswith(MEMORY))
    assert f"{summary.iqm.value:.2f}" in first
    assert f"{summary.iqm.low:.2f} to {summary.iqm.high:.2f}" in first
    assert "10/10" in first
    assert sum("random actions" in line for line in lines) == 2


def test_every_core_has_a_colour_of_its_own() -> None:
    names = (
        "qfwp qfwp_decay qfwp_gated qfwp_bounded qlstm qlstm4 vqc fwp fwp_gated delta lstm gru mlp"
    )
    assert len({colour(name, []) for name in names.split()}) == 13
    assert colour("random", []) == colour("optimum", []) == "var(--series-0)"


def test_bootstrap_intervals_are_drawn_whole() -> None:
    ends = (-0.5, -0.9, -0.2)
    assert bounds_to_show([Resampled(*ends, 10)], False) == list(ends)
    assert bounds_to_show([Mean(*ends, 10)], False) == [-0.5, -0.5, -0.2]


# One training.


def looks(count: int = 40) -> Json:
    rows = [
        {
            "update": k, "steps": 100 * k, "return": None if k < 3 else 0.02 * k, "episodes": 3,
            "steps_per_s": 900.0 + k, "lag": 1.0, "entropy": 1.9, "loss": 0.1, "value_loss": 0.05,
            "broken": int(k == 7),
        }
        for k in range(1, count + 1)
    ]  # fmt: skip
    return {"rows": rows}


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    rows = [run(EASY, "qfwp", 0, 0.93), trivial(EASY, "random", 0.1, "random actions")]
    folder = run_folder(tmp_path / "run", rows, "train")
    (folder / "artefacts" / "training.json").write_text(json.dumps(looks()))
    (folder / "artefacts" / "episode.gif").write_bytes(GIF)
    return folder


def test_the_page_of_a_training_shows_curve_speed_losses_and_the_episode(trained: Path) -> None:
    html = build_report(trained)
    text = visible(html)
    assert f"qfwp reaches 0.93 on {EASY} after 4\u2009000 steps" in text
    assert "Without training: random actions 0.10." in text
    assert html.count('class="chart"') == 6
    assert 'src="data:image/gif;base64,R0lGODlh' in html
    assert "img-src data:" in html
    assert "Left out" not in text
    assert "://" not in html


def test_a_training_without_animation_or_curve_says_so(trained: Path) -> None:
    (trained / "artefacts" / "episode.gif").write_bytes(b"<svg onload=alert(1)>")
    (trained / "artefacts" / "training.json").unlink()
    html = build_report(trained)
    assert "artefacts/episode.gif is no GIF" in visible(html)
    assert "this run has no artefacts/training.json" in visible(html)
    assert "<img" not in html
    (trained / "artefacts" / "episode.gif").unlink()
    assert "this run has no artefacts/episode.gif" in visible(build_report(trained))


def test_a_training_that_ended_without_a_return_has_a_page(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", [run(EASY, "qfwp", 0, None, diverged=True)], "train")
    (folder / "artefacts" / "training.json").write_text(json.dumps(looks(2)))
    text = visible(build_report(folder))
    assert "ended without a return" in text
    assert "The training diverged" in text
    assert "no episode ended" in text


def test_many_updates_become_means_of_neighbours() -> None:
    def look(k: int) -> Look:
        return Look(k, 10 * k, float(k), 1, None, None, None, None, None, None)

    points = thinned([look(k) for k in range(1, 4 * MOST_LOOKS + 1)], lambda k: k.mean_return)
    assert len(points) == MOST_LOOKS
    assert (points[0][0], points[0][1].value) == (40, 2.5)
    assert points[-1][0] == 40 * MOST_LOOKS
    assert thinned([look(1)], lambda k: k.loss) == []
