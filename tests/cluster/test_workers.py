# SPDX-License-Identifier: Apache-2.0
import os
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from cluster.testing import (
    die_always,
    die_at_first,
    draw,
    draw_and_show_pid,
    explode,
    no_warm_up,
    total,
)
from cluster.trials import Finished, Shared, Trial, run_here
from cluster.workers import run_on_ray

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_instance")]


def draws(count: int, pause_s: float = 0.0) -> list[Trial]:
    return [Trial(f"t{i}", draw, {"pause_s": pause_s}) for i in range(count)]


def on_ray(trials: Sequence[Trial], workers: int = 2) -> dict[str, Finished]:
    runner = run_on_ray(workers, {"table": np.arange(1000)}, no_warm_up)
    return {finished.key: finished for finished in runner(trials, 7)}


def values(results: dict[str, Finished]) -> dict[str, float]:
    return {key: f.result.record["value"] for key, f in results.items() if f.result}


def test_results_do_not_depend_on_the_number_of_workers() -> None:
    here = {f.key: f for f in run_here({})(draws(6), 7)}
    assert values(on_ray(draws(6), 1)) == values(on_ray(draws(6), 2)) == values(here)


def test_shared_values_reach_every_worker() -> None:
    results = on_ray([Trial(f"t{i}", total, {"table": Shared("table")}) for i in range(3)])
    assert [f.result and f.result.record["total"] for f in results.values()] == [499500.0] * 3


def test_a_dead_worker_is_replaced_and_its_trial_redone(tmp_path: Path) -> None:
    deadly = Trial("t1", die_at_first, {"mark": tmp_path / "mark"})
    results = on_ray([draws(1)[0], deadly, *draws(4)[2:]])
    assert (tmp_path / "mark").exists()
    assert values(results) == values(on_ray(draws(4)))


def test_a_trial_that_always_kills_its_worker_is_given_up() -> None:
    results = on_ray([Trial("deadly", die_always, {}), *draws(3)])
    assert "attempt 3 of 3" in str(results["deadly"].error)
    assert values(results) == values(on_ray(draws(3)))


def test_a_bug_is_reported_with_its_traceback_and_the_others_go_on() -> None:
    results = on_ray([Trial("bug", explode, {}), *draws(3)])
    assert "ZeroDivisionError: a bug" in str(results["bug"].error)
    assert "in explode" in str(results["bug"].error)
    assert len(values(results)) == 3


def test_more_workers_than_cores_do_not_stall() -> None:
    assert len(values(on_ray(draws(6, pause_s=0.1), workers=5))) == 6


def test_kill_9_of_a_working_worker_changes_nothing(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    slow = Trial("t0", draw_and_show_pid, {"pid_file": pid_file, "pause_s": 1.0})

    def kill_the_first() -> None:
        while not (pid_file.exists() and pid_file.read_text()):
            time.sleep(0.02)
        os.kill(int(pid_file.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill_the_first)
    killer.start()
    results = on_ray([slow, *draws(6)[1:]])
    killer.join()
    assert values(results) == values(on_ray(draws(6)))
