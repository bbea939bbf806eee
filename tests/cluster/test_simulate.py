# SPDX-License-Identifier: Apache-2.0
"""The whole command, from arguments to results: interrupted, killed, and fed with nonsense."""

import json
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster.__main__ import main
from cluster.packages import HOME
from cluster.simulation import checkpoint
from sim.errors import InputError
from sim.warehouse.simulation import Simulation
from tests.cluster.killing import wait_until, workers_of
from tests.sim.warehouse.league.tiny_league import tiny_problem, written_problem

FLOOR = "--warehouse.rack-columns 2 --warehouse.rack-rows 2 --warehouse.num-pick-points 6".split()
SMALL = (
    "simulate --robots 8 --ticks 60 --worlds 5 --controller pibt coordinated:insertion "
    "--rolling.window.iterations 20 --rolling.coordinator-steps 20 --delays.kind fractional "
    "--people.count 1 --people.tick-s 1"
).split() + FLOOR
RUNS = 4  # two controllers, each with blocks of four worlds and of one
LEAGUE = HOME.parent / "shared" / "data" / "lorr" / "random.domain"
MEASURED = ("seconds", "decision_ms_mean", "decision_ms_p99", "decision_ms_max")


def simulated(folder: Path, *arguments: str, workers: int = 0) -> int:
    """The exit code of a run of ``SMALL``, or of other arguments."""
    return main([*(arguments or SMALL), "--workers", str(workers), "--out", str(folder)])


def records(folder: Path) -> list[dict[str, Any]]:
    """All but what is measured."""
    rows = json.loads((folder / "results.json").read_text())
    return [{key: v for key, v in row.items() if key not in MEASURED} for row in rows]


def documents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "artefacts").glob("*.json")}


def assert_same_run(one: Path, other: Path) -> None:
    assert records(one) == records(other)
    assert documents(one) == documents(other)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert simulated(folder) == 0
    return folder


def test_a_run_folder_has_everything(undisturbed: Path) -> None:
    manifest = json.loads((undisturbed / "manifest.json").read_text())
    assert (manifest["command"], manifest["seed"]) == ("simulate", 0)
    assert len((undisturbed / "metrics.jsonl").read_text().splitlines()) == RUNS
    assert documents(undisturbed).keys() == {"floor.json", "traffic.json", "film.json"}
    assert (undisturbed / "report.html").stat().st_size > 10_000
    assert not (undisturbed / "checkpoints").exists()
    rows = records(undisturbed)
    assert [row["world"] for row in rows] == [*range(5)] * 2
    assert {row["robots"] for row in rows} == {8}
    assert all(row["orders"] > 0 and not row["deadlocked"] for row in rows)
    shares = ("working", "waiting", "refused", "delayed", "idle")
    assert all(abs(sum(row[f"{s}_share"] for s in shares) - 1) < 1e-5 for row in rows)
    worlds = [tuple(v for k, v in row.items() if k not in ("world", "controller")) for row in rows]
    assert len(set(worlds)) == len(worlds)


def test_throughput_over_time_and_place_sums_to_the_records(undisturbed: Path) -> None:
    rows = records(undisturbed)
    traffic = json.loads(documents(undisturbed)["traffic.json"])["rows"]
    for own in traffic:
        mine = [row for row in rows if row["controller"] == own["controller"]]
        assert [sum(bins) for bins in own["finished"]] == [row["orders"] for row in mine]
        assert np.array(own["visits"]).sum() == 5 * 8 * 60
        assert (np.array(own["stopped"]) <= np.array(own["visits"])).all()


def test_a_finished_run_is_not_done_again(
    undisturbed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Simulation, "run", lambda *_: pytest.fail("lived again"))
    before = (undisturbed / "results.json").read_bytes()
    assert simulated(undisturbed) == 0
    assert (undisturbed / "results.json").read_bytes() == before
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == str((undisturbed / "report.html").resolve())


@pytest.mark.parametrize("ticks", [1, 7, 60])
def test_checkpoints_change_nothing(undisturbed: Path, tmp_path: Path, ticks: int) -> None:
    assert simulated(tmp_path / "run", *SMALL, "--checkpoint-ticks", str(ticks)) == 0
    assert_same_run(tmp_path / "run", undisturbed)


def test_fewer_controllers_and_worlds_live_the_same_lives(
    undisturbed: Path, tmp_path: Path
) -> None:
    fewer = [*SMALL, "--worlds", "2", "--controller", "pibt"]
    assert simulated(tmp_path / "run", *fewer) == 0
    assert records(tmp_path / "run") == records(undisturbed)[:2]


def interrupt_after(monkeypatch: pytest.MonkeyPatch, saves: int) -> None:
    """As control C would, right after so many checkpoints."""
    real, count = checkpoint.save, 0

    def save(*arguments: Any) -> None:
        nonlocal count
        real(*arguments)
        count += 1
        if count == saves:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", save)


def interrupted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only checkpoint of a run that was interrupted at tick 40 of its second block."""
    with monkeypatch.context() as patch:
        interrupt_after(patch, 4)
        assert simulated(folder, *SMALL, "--checkpoint-ticks", "20") == 130
    # The first block is done; its checkpoint is of no use and does no harm.
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 1
    return folder / "checkpoints" / "pibt-w00004.npz"


def test_an_interrupted_run_goes_on_from_its_checkpoint(
    undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    assert interrupted(folder, monkeypatch).exists()
    lived, real = [], Simulation.run

    def run(simulation: Simulation, ticks: int) -> None:
        lived.append(ticks)
        real(simulation, ticks)

    monkeypatch.setattr(Simulation, "run", run)
    assert simulated(folder, *SMALL, "--checkpoint-ticks", "500") == 0
    assert lived[-3:] == [20, 60, 60]  # the first ones compile
    assert_same_run(folder, undisturbed)


def other_format(path: Path) -> None:
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **(arrays | {"format": np.array(checkpoint.FORMAT + 1)}))


def other_arrays(path: Path) -> None:
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{name: array for name, array in arrays.items() if "fleet" not in name})


DAMAGES: list[tuple[Callable[[Path], object], str]] = [
    (other_format, "a checkpoint of format 2; allowed: 1"),
    (other_arrays, "it is of other worlds"),
    (lambda path: path.write_bytes(path.read_bytes()[:-100]), "damaged"),
    (lambda path: path.write_bytes(b""), "damaged"),
    (lambda path: path.write_bytes(b"\x80\x04N."), "damaged"),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGES)
def test_a_checkpoint_that_cannot_be_continued_is_named(
    undisturbed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], object],
    words: str,
) -> None:
    """The others are done; once it is removed, so is this one."""
    folder = tmp_path / "run"
    path = interrupted(folder, monkeypatch)
    damage(path)
    capsys.readouterr()
    assert simulated(folder) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("failed: pibt/w00004")
    assert str(path) in line
    assert words in line
    failed = [row for row in records(folder) if row["orders"] is None]
    assert [(row["controller"], row["world"]) for row in failed] == [("pibt", 4)]
    assert path.exists()  # whoever finds it may want to look at it
    path.unlink()
    assert simulated(folder) == 0
    assert_same_run(folder, undisturbed)


def test_a_checkpoint_is_there_until_the_next_one_is(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "w.npz"
    assert checkpoint.load(path) is None
    checkpoint.save(path, {"a/b": np.arange(3), "tick": np.array(7)})
    path.with_name("w.npz.part").write_bytes(b"half of the next")
    snapshot = checkpoint.load(path)
    assert snapshot is not None
    assert (snapshot["a/b"].tolist(), int(snapshot["tick"])) == ([0, 1, 2], 7)
    np.savez(path, a=np.array([None]))  # would be unpickled
    with pytest.raises(InputError, match="damaged"):
        checkpoint.load(path)


@pytest.mark.ray
@pytest.mark.usefixtures("ray_instance")
def test_workers_and_a_kill_9_in_the_middle_change_nothing(
    undisturbed: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two workers undisturbed; then one, which is killed as soon as it has a checkpoint."""
    assert simulated(tmp_path / "two", workers=2) == 0
    assert_same_run(tmp_path / "two", undisturbed)
    folder = tmp_path / "killed"

    def kill_the_first() -> None:
        wait_until(lambda: any((folder / "checkpoints").glob("*.npz")))
        for worker in workers_of(os.getpid()):
            worker.kill()

    killer = threading.Thread(target=kill_the_first)
    killer.start()
    with caplog.at_level(logging.WARNING):
        assert simulated(folder, *SMALL, "--checkpoint-ticks", "1", workers=1) == 0
    killer.join()
    assert "the worker died" in caplog.text
    assert_same_run(folder, undisturbed)


def test_a_league_problem_is_solved_by_its_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = written_problem(tmp_path, tiny_problem())
    folder = tmp_path / "run"
    arguments = f"simulate --map {problem} --ticks 200 --controller pibt rolling".split()
    assert simulated(folder, *arguments) == 0
    shown = capsys.readouterr().out
    for record in records(folder):
        name = f"league-{record['controller']}.json"
        output = json.loads((folder / "artefacts" / name).read_text())
        assert record["league_errors"] == 0
        assert output["numTaskFinished"] == record["orders"] > 0
        assert output["makespan"] == 200
        assert f"{record['orders']} tasks finished in 200 ticks, 0 errors by the rules" in shown


def test_a_real_league_problem_is_solved_by_its_rules(tmp_path: Path) -> None:
    if not LEAGUE.exists():
        pytest.skip("random.domain is not there; see ../shared/data/README.md")
    arguments = f"simulate --map {LEAGUE} --controller pibt --ticks 100".split()
    assert simulated(tmp_path / "run", *arguments) == 0
    (record,) = records(tmp_path / "run")
    assert (record["robots"], record["league_errors"]) == (400, 0)
    assert record["orders"] > 10
    output = json.loads((tmp_path / "run" / "artefacts" / "league-pibt.json").read_text())
    assert output["numTaskFinished"] == record["orders"]


BAD = [
    ("--robots 0", "robots is 0; allowed: 1 or more"),
    ("--robots 100000", "robots is 100000; allowed: 1 to "),
    ("--ticks -5", "ticks is -5; allowed: 1 to 10000000"),
    ("--ticks 0", "ticks is 0; allowed: 1 to 10000000"),
    ("--worlds 0", "worlds is 0; allowed: 1 to 100000"),
    ("--workers -1", "workers is -1; allowed: 0 or more"),
    ("--seed -1", "seed is -1; allowed: 0 to"),
    ("--pool nan", "pool is nan; allowed: 0 to 1000"),
    ("--pool -1", "pool is -1.0; allowed: 0 to 1000"),
    ("--checkpoint-ticks 0", "checkpoint_ticks is 0; allowed: 1 or more"),
    ("--film-ticks -1", "film_ticks is -1; allowed: 0 to 2000"),
    ("--think-ticks -1", "think_ticks is -1; allowed: 0 to 1000"),
    ("--ticks-per-action 0", "ticks_per_action is 0; allowed: 1 to 1000"),
    ("--capacity-mib 0", "capacity_mib is 0; allowed: 1 or more"),
    ("--map nowhere.map", "map is 'nowhere.map'; allowed: a file, a folder, or generate"),
    ("--map .", ": holds 0 .json files; exactly one is needed"),
    ("--orders.orders-per-tick nan", "orders_per_tick is nan; allowed: 0 to 10000"),
    ("--orders.orders-per-tick inf", "orders_per_tick is inf; allowed: 0 to 10000"),
    ("--orders.errands-min 0", "errands_min is 0; allowed: 1 to 1000"),
    ("--delays.share nan", "share is nan; allowed"),
    ("--delays.mean-ticks nan", "mean_ticks is nan; allowed"),
    ("--delays.hurst 1.5", "hurst is 1.5; allowed"),
    ("--people.speed-m-s nan", "speed_m_s is nan; allowed"),
    ("--people.count -1", "count is -1; allowed: 0 to 1000"),
    ("--rolling.commit-steps 99", "commit_steps is 99; allowed: 1 to "),
    ("--dispatch.look-at 0", "look_at is 0; allowed: 1 to 100000"),
    (
        "--controller pibt,magic",
        "controller is 'magic'; allowed: pibt, prioritised, rolling, coordinated: followed by "
        "one of fcfs, priority, insertion",
    ),
    ("--controller coordinated:nonsense", "controller is 'coordinated:nonsense'; allowed: pibt"),
    ("--controller coordinated:", "controller is 'coordinated:'; allowed: pibt"),
    ("--controller ,", "controller is (',',); allowed: at least one name"),
    ("--controller coordinated:gnn_vae --weights no.safetensors", "no.safetensors"),
    ("--orders.orders-per-tick 10000 --pool 0 --ticks 10000000", "orders_per_tick is 10000.0"),
    ("--robots 40 --ticks 10000000", "ticks is 10000000; allowed: fewer, or fewer robots: "),
    ("--out ../x", "out is '../x'; it must be an absolute path or a name below runs/"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[pair[0] for pair in BAD])
def test_bad_input_is_one_line_and_leaves_nothing(
    arguments: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    few = [] if "--robots" in arguments else ["--robots", "8"]
    assert main(["simulate", "--workers", "0", *few, *FLOOR, *arguments.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("tasks", "1\n0,7\n", "tasks:2: cell 7 (row 1, column 1) is an obstacle"),
        ("robots", "1\n7\n", "robots:2: cell 7 (row 1, column 1) is an obstacle"),
        ("tasks", "1\n0,30\n", "tasks:2"),
        ("tasks", "0\n", "tasks:1"),
        ("problem.json", '{"mapFile": "floor.map"', "problem.json:1: no JSON"),
        ("floor.map", "type octile\nheight 3\nwidth 3\nmap\n...\n..", "floor.map"),
    ],
)
def test_a_problem_that_cannot_be_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, content: str, words: str
) -> None:
    folder = written_problem(tmp_path, tiny_problem())
    (folder / file).write_text(content)
    assert main(["simulate", "--map", str(folder), "--out", str(tmp_path / "run")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert not (tmp_path / "run").exists()


def test_a_league_has_no_more_robots_than_its_team(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written_problem(tmp_path, tiny_problem())
    assert main(["simulate", "--map", str(folder), "--robots", "5"]) == 2
    assert "robots is 5; allowed: 1 to 4, the team" in capsys.readouterr().err


def test_the_folder_of_another_run_is_refused(
    undisturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = records(undisturbed)
    assert simulated(undisturbed, *SMALL, "--ticks", "61") == 2
    assert "was made with ticks = 60, now it is 61" in capsys.readouterr().err
    manifest = undisturbed / "manifest.json"
    kept = manifest.read_text()
    manifest.write_text(kept.replace('"simulate"', '"coordinate"'))
    assert simulated(undisturbed) == 2
    assert 'was made with command = "coordinate", now it is "simulate"' in capsys.readouterr().err
    manifest.write_text(kept)
    assert records(undisturbed) == before


def test_another_floor_of_the_same_name_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    floor = tmp_path / "floor.map"
    command = ["simulate", "--map", str(floor), "--robots", "2", "--ticks", "5"]
    floor.write_text("type octile\nheight 2\nwidth 3\nmap\n...\n...\n")
    assert simulated(tmp_path / "run", *command) == 0
    floor.write_text("type octile\nheight 2\nwidth 3\nmap\n...\n.@.\n")
    assert simulated(tmp_path / "run", *command) == 2
    assert "map_digest" in capsys.readouterr().err


def test_a_run_without_orders_says_so(tmp_path: Path) -> None:
    none = f"simulate --pool 0 --orders.orders-per-tick 0 --ticks 12 --robots 4 {' '.join(FLOOR)}"
    assert simulated(tmp_path / "run", *none.split()) == 0
    (row,) = records(tmp_path / "run")
    assert (row["orders"], row["idle_share"], row["deadlocked"]) == (0, 1.0, False)
    assert row["service_ticks_mean"] is None


def test_a_failed_world_is_named_and_lived_again_by_the_next_start(
    undisturbed: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sim.warehouse.control.rolling import RollingController

    def buggy(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr("cluster.commands.simulate.warm_up", lambda *_: None)
        patch.setattr(RollingController, "act", buggy)
        assert simulated(tmp_path / "run") == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ", 1)[0] for line in lines] == ["failed"] * 2
    assert "coordinated-insertion/w00000: ZeroDivisionError: a bug" in lines[0]
    lost = [row for row in records(tmp_path / "run") if row["orders"] is None]
    assert [row["controller"] for row in lost] == ["coordinated:insertion"] * 5
    assert lost[0].keys() >= records(undisturbed)[0].keys()
    assert (tmp_path / "run" / "report.html").exists()
    assert simulated(tmp_path / "run") == 0
    assert_same_run(tmp_path / "run", undisturbed)
