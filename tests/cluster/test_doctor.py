# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.doctor import (
    Finding,
    Level,
    check_compiler,
    check_cores,
    check_gpu,
    check_library,
    check_memory,
    check_packages,
    check_python,
    check_ray,
    check_runs_folder,
    check_solvers,
    check_torch,
    examine,
)
from cluster.packages import HOME, shadows, strangers


def test_this_installation_has_no_failure() -> None:
    findings = list(examine(start_ray=False))
    assert not [f for f in findings if f.level is Level.FAIL]
    assert all(f.advice for f in findings if f.level is not Level.OK)


@pytest.mark.ray
@pytest.mark.usefixtures("ray_instance")
def test_ray_does_a_task() -> None:
    assert check_ray().level is Level.OK


@pytest.mark.parametrize(
    ("finding", "level"),
    [
        (check_python((3, 10)), Level.FAIL),
        (check_library("no-such-library"), Level.FAIL),
        (check_cores(1), Level.WARN),
        (check_memory(1.0), Level.WARN),
        (next(check_packages({"sim": "not found"}, {})), Level.FAIL),
        (next(check_packages({}, {"sim": "elsewhere/sim"})), Level.WARN),
        (check_torch(None), Level.FAIL),
        (next(check_solvers(None, "3.3.2")), Level.WARN),
        (next(check_solvers(None, "False")), Level.FAIL),
    ],
)
def test_every_bad_finding_says_what_to_do(finding: Finding, level: Level) -> None:
    assert finding.level is level
    assert finding.advice


def test_a_runs_folder_that_cannot_be_written_fails(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    assert check_runs_folder(tmp_path / "runs" / "x").level is Level.FAIL
    assert check_runs_folder(tmp_path / "new" / "runs").level is Level.OK


def test_a_broken_driver_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_gpu().level is Level.OK
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\nexit 9\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert check_gpu().level is Level.WARN


def test_the_compiler_of_the_environment_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("g++", "clang++"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert check_compiler() == Finding("C++ compiler", Level.OK, "g++")
    monkeypatch.setenv("CXX", "clang++ -stdlib=libc++")
    assert check_compiler() == Finding("C++ compiler", Level.OK, "clang++ -stdlib=libc++")


@pytest.mark.parametrize("named", ["", "no-such-compiler -O2"])
def test_a_missing_compiler_says_what_it_costs(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", named)
    finding = check_compiler()
    assert finding.level is Level.WARN
    assert "slower" in finding.advice


@pytest.mark.parametrize(("cuda", "shown"), [("True", ", CUDA"), ("False", ", no CUDA")])
def test_torch_is_shown_with_what_it_computes_on(cuda: str, shown: str) -> None:
    assert check_torch(f"2.13.0 8 {cuda}").found == f"2.13.0, threads: 8{shown}"


def test_our_packages_are_ours() -> None:
    assert strangers() == {}
    assert not any(path.is_relative_to(HOME) for path in shadows().values())


def test_a_package_of_the_same_name_is_reported(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "__init__.py").touch()
    environment = {"PYTHONPATH": f"{tmp_path}:{HOME}"}
    command = [sys.executable, "-m", "cluster", "--help"]
    # From another folder, so that the current one does not come first on the path.
    done = subprocess.run(
        command, cwd=tmp_path.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"agents is {tmp_path}/agents" in done.stderr
    assert "Traceback" not in done.stderr
