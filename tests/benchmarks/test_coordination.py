# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.coordination import measure, paper
from benchmarks.coordination.cases import KINDS, SEEDS, SIZES, Case, SetName, cases, draw
from benchmarks.coordination.measure import Bench, graph_digest
from benchmarks.coordination.methods import (
    GNN_VAE,
    GNN_VAE_LS,
    LOCAL_SEARCH_5,
    LONG,
    MILP,
    Method,
)
from benchmarks.coordination.picture import draw_picture
from benchmarks.coordination.records import Record, Records, paths_of
from benchmarks.coordination.results import ProofError, Results
from benchmarks.coordination.tables import report
from benchmarks.coordination.targets import targets
from sim.errors import InputError

CASE = Case(SetName.DENSE, 5, 0)
FCFS = Method("fcfs", 1.0)
QUICK = (FCFS, Method("insertion", 0.05), Method("local_search", 0.05))
RECORD = Record(
    SetName.DENSE, 5, 0, "fcfs", 1.0, None, "g", 4, 12.0, False, steps=1, wall_s=0.1, cpu_s=0.1
)


def records_of(path: Path, *records: Record) -> Records:
    made = Records([path])
    for record in records:
        made.append(record)
    return made


def by(method: Method, cost_s: float, **changed: object) -> Record:
    weights = "first" if method.learned else None
    record = replace(RECORD, method=method.name, deadline_s=method.deadline_s, weights=weights)
    return replace(record, cost_s=cost_s, **changed)  # type: ignore[arg-type]


def test_an_instance_is_the_same_whenever_it_is_drawn_and_no_two_are_alike() -> None:
    wanted = [case for case in cases(list(SetName), [5, 25], [0, 1, 2]) if not case.absent]
    digests = [graph_digest(draw(case)) for case in wanted]
    assert digests == [graph_digest(draw(case)) for case in wanted]
    assert len(set(digests)) == len(wanted)


@pytest.mark.parametrize("name", [SetName.SPARSE, SetName.DENSE])
def test_half_of_the_seeds_are_warehouses(name: SetName) -> None:
    floors = [Case(name, 50, seed).floor for seed in SEEDS]
    assert [floors.count(kind) for kind in KINDS] == [5, 5]


def test_what_is_recorded_is_not_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "records.jsonl"
    Bench(Records([path])).methods([CASE], QUICK[:2])
    before = path.read_bytes()
    Bench(Records([path])).methods([CASE], QUICK)
    after = path.read_bytes()
    assert after.startswith(before)
    assert [record.key[1] for record in Records([path]).of(CASE)] == list(QUICK)
    Bench(Records([path])).methods([CASE], QUICK)
    assert path.read_bytes() == after


def test_what_another_process_recorded_is_not_measured_again(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.jsonl", tmp_path / "theirs.jsonl"
    Bench(Records([theirs])).methods([CASE], QUICK[:1])
    before = theirs.read_bytes()
    Bench(Records([ours, theirs])).methods([CASE], QUICK[:2])
    assert theirs.read_bytes() == before
    assert [record.key[1] for record in Records([ours]).of(CASE)] == [QUICK[1]]
    assert paths_of([str(tmp_path / "*.jsonl")]) == [ours, theirs]


def test_a_line_that_a_crash_cut_short_is_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    Bench(Records([path])).methods([CASE], QUICK[:2])
    path.write_bytes(path.read_bytes()[:-20])
    Bench(Records([path])).methods([CASE], QUICK[:2])
    assert [record.key[1] for record in Records([path]).of(CASE)] == list(QUICK[:2])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{", "", "line 2 is not a JSON object"),
        ('"cost_s": 12.0', '"cost_s": "12"', "line 2: cost_s is '12'"),
        ('"cost_s": 12.0', '"cost_s": -1.0', r"line 2: .* cost_s -1.0; allowed"),
        ('"cost_s": 12.0, ', "", "line 2: missing or unknown: cost_s"),
        ('"dense"', '"denser"', "line 2: set 'denser'"),
    ],
)
def test_a_damaged_line_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "records.jsonl"
    records_of(path, RECORD, replace(RECORD, seed=1))
    first, second = path.read_text().splitlines()
    path.write_text(f"{first}\n{second.replace(old, new)}\n")
    with pytest.raises(InputError, match=said):
        Records([path])


def test_records_of_another_generator_are_refused(tmp_path: Path) -> None:
    records = records_of(tmp_path / "records.jsonl", RECORD)
    with pytest.raises(InputError, match="different graphs"):
        records.append(by(MILP, 11.0, graph="other"))


def test_a_pattern_that_fits_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fits no file"):
        paths_of([str(tmp_path / "*.jsonl")])


def test_local_search_runs_for_long_only_where_milp_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proven = Records([tmp_path / "proven.jsonl"])
    Bench(proven).best_known([CASE])
    assert [record.key[1] for record in proven.of(CASE)] == [MILP]

    monkeypatch.setattr(measure, "MILP", QUICK[1])
    monkeypatch.setattr(measure, "LONG", QUICK[2:3])
    unproven = Records([tmp_path / "unproven.jsonl"])
    Bench(unproven).best_known([CASE])
    assert [record.key[1] for record in unproven.of(CASE)] == [QUICK[1], QUICK[2]]


def test_an_absent_map_is_left_out_visibly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    on_map = Case(SetName.UNSEEN, 25, 2)
    records = Records([Path("records.jsonl")])
    Bench(records).methods([on_map], QUICK)
    assert "LEFT OUT" in capsys.readouterr().out
    assert "LEFT OUT, 1 instances" in report(Results.read(records, [on_map], None))


def test_a_ratio_is_the_best_known_cost_over_the_cost(tmp_path: Path) -> None:
    records = records_of(
        tmp_path / "records.jsonl",
        by(FCFS, 12.5),
        by(MILP, 11.0),
        by(LONG[0], 10.0),
        by(GNN_VAE, 10.5),
        by(FCFS, 20.0, seed=1),
        by(MILP, 20.0, seed=1, optimal=True),
    )
    results = Results.read(records, [CASE, replace(CASE, seed=1)], None)
    assert results.ratios(SetName.DENSE, 5, FCFS) == [0.8, 1.0]
    assert results.ratios(SetName.DENSE, 5, GNN_VAE) == [10.0 / 10.5]
    assert results.proven == {replace(CASE, seed=1)}
    assert "| 5 | 2 | 0.900 ± 1.271 |" in report(results)
    assert "0.952 (of 1)" in report(results)


def test_a_cost_below_a_proven_optimum_is_a_bug(tmp_path: Path) -> None:
    records = records_of(
        tmp_path / "records.jsonl", by(MILP, 11.0, optimal=True), by(LONG[0], 10.9)
    )
    with pytest.raises(ProofError, match="proved optimal"):
        Results.read(records, [CASE], None)


def test_several_weights_need_a_choice_and_all_know_the_best_cost(tmp_path: Path) -> None:
    records = records_of(
        tmp_path / "records.jsonl", by(GNN_VAE, 10.0), by(GNN_VAE, 8.0, weights="second")
    )
    with pytest.raises(InputError, match="several: first, second"):
        Results.read(records, [CASE], None)
    assert Results.read(records, [CASE], "first").ratios(SetName.DENSE, 5, GNN_VAE) == [0.8]
    with pytest.raises(InputError, match="no records"):
        Results.read(records, [CASE], "third")


def test_targets_are_met_missed_or_not_measured(tmp_path: Path) -> None:
    records = records_of(
        tmp_path / "records.jsonl",
        by(LONG[0], 100.0, robots=250),
        by(GNN_VAE, 105.0, robots=250, wall_s=1.004),
        by(GNN_VAE_LS, 104.0, robots=250),
        by(LOCAL_SEARCH_5, 103.0, robots=250),
    )
    results = Results.read(records, [replace(CASE, robots=250)], None)
    met = {target.asked: target.met for target in targets(results)}
    assert met["dense, 250 robots: gnn_vae 1 s at least 0.913"] is True
    assert met["dense, 250 robots: gnn_vae takes 1.00 s or less on one core"] is True
    assert met["dense, 250 robots: gnn_vae+ls 1 s at least 0.970"] is False
    assert met["dense, 250 robots: gnn_vae+ls 1 s no worse than local_search 5 s"] is False
    assert met["sparse, 250 robots: gnn_vae 1 s at least 0.913"] is None


def test_the_paper_is_there_at_every_size() -> None:
    assert tuple(paper.OURS) == tuple(paper.CMA_ES) == SIZES


def test_the_picture_can_be_drawn_from_part_of_the_measurements(tmp_path: Path) -> None:
    records = records_of(tmp_path / "records.jsonl", by(FCFS, 12.0), by(MILP, 10.0))
    draw_picture(Results.read(records, [CASE], None), tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
