# SPDX-License-Identifier: Apache-2.0
from datetime import datetime
from pathlib import Path

import pytest

from cluster.out import existing_run, run_folder
from sim.errors import InputError

NOW = datetime(2026, 1, 2, 3, 4, 5)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_names_are_below_runs() -> None:
    assert run_folder("a/b", "coordinate", NOW) == Path("runs/a/b")
    assert run_folder("runs/a", "coordinate", NOW) == Path("runs/a")
    assert run_folder("/tmp/a", "coordinate", NOW) == Path("/tmp/a")
    assert run_folder(None, "coordinate", NOW) == Path("runs/2026-01-02-030405-coordinate")


@pytest.mark.parametrize("out", ["../x", "runs/../../x", "a/../../x", ".", "", "runs"])
def test_nothing_leads_out_of_runs(out: str) -> None:
    with pytest.raises(InputError, match="absolute path or a name below runs/"):
        run_folder(out, "coordinate", NOW)


def test_a_link_does_not_lead_out_of_runs_either(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "away").symlink_to(tmp_path.parent)
    with pytest.raises(InputError, match="below runs/"):
        run_folder("away/x", "coordinate", NOW)


def test_a_ray_job_needs_an_absolute_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    assert run_folder("/tmp/a", "coordinate", NOW) == Path("/tmp/a")
    for out in (None, "a"):
        with pytest.raises(InputError, match="inside a Ray job"):
            run_folder(out, "coordinate", NOW)


def test_an_existing_run_is_found_by_path_or_name(tmp_path: Path) -> None:
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / "manifest.json").touch()
    assert existing_run("a") == existing_run("runs/a") == Path("runs/a")
    assert existing_run(str(tmp_path / "runs" / "a")) == tmp_path / "runs" / "a"
    with pytest.raises(InputError, match="no run folder"):
        existing_run("b")
