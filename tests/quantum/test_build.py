# SPDX-License-Identifier: Apache-2.0
"""Where there is no compiler, or no folder for what it makes, work goes on."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from quantum.circuit import Circuit, Parameter, PauliString, Rotation
from quantum.engines import EngineName, make_engine
from quantum.errors import CircuitError
from quantum.kernel import build

QUICK = 'extern "C" int answer() { return 42; }\n'
COSINE = Circuit(
    1, (), (Rotation(PauliString("Y", (0,)), Parameter(0)),), (PauliString("Z", (0,)),), "cosine"
)


@pytest.fixture(autouse=True)
def no_kernel_is_loaded_yet() -> Iterator[None]:
    build.load_kernel.cache_clear()
    yield
    build.load_kernel.cache_clear()


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A small source instead of the kernel, with no built kernels near."""
    path = tmp_path / "package" / "kernel.cpp"
    path.parent.mkdir()
    path.write_text(QUICK)
    monkeypatch.setattr(build, "FOLDER", path.parent)
    monkeypatch.setattr(build, "SOURCE", path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv(build.CACHE_VARIABLE, str(tmp_path / "cache"))
    return path


def script(folder: Path, text: str) -> str:
    path = folder / "compiler"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def built(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []


def assert_torch_takes_over(caplog: pytest.LogCaptureFixture, reason: str) -> None:
    with caplog.at_level(logging.WARNING):
        engines = [make_engine(COSINE) for _ in range(3)]
    assert [engine.name for engine in engines] == [EngineName.TORCH] * 3
    outputs = engines[0](torch.empty(1, 0), torch.tensor([0.5]))
    assert outputs.item() == pytest.approx(torch.tensor(0.5).cos().item())
    (warning,) = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert "torch takes over" in warning.message
    assert reason in warning.message
    with pytest.raises(CircuitError, match="not available here"):
        make_engine(COSINE, "compiled")


def test_without_a_compiler_torch_takes_over_with_one_notice(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler -O2")
    assert_torch_takes_over(caplog, "no C++ compiler (no-such-compiler) is found")


@pytest.mark.usefixtures("source")
def test_a_compiler_that_fails_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    broken = script(tmp_path, '[ "$1" = --version ] && exit 0; echo "disk is full" >&2; exit 1')
    monkeypatch.setenv("CXX", broken)
    assert_torch_takes_over(caplog, "the compiler failed: disk is full")
    assert built(tmp_path / "cache") == []


@pytest.mark.usefixtures("source")
def test_a_compiler_that_cannot_tell_its_version_is_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("CXX", script(tmp_path, "exit 3"))
    assert_torch_takes_over(caplog, "the compiler failed")


@pytest.mark.usefixtures("source")
def test_what_the_compiler_wrote_must_be_a_library(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("CXX", script(tmp_path, "exit 0"))
    assert_torch_takes_over(caplog, "file too short")


@pytest.mark.usefixtures("source")
def test_a_kernel_is_built_once_into_the_chosen_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = build.load_kernel()
    assert library is not None
    assert library.answer() == 42
    (name,) = built(tmp_path / "cache")
    assert name.startswith("kernel-")
    assert build.load_kernel() is library

    def refuse(*_: object) -> Path:
        raise AssertionError("it is there already")

    build.load_kernel.cache_clear()
    monkeypatch.setattr(build, "_compile", refuse)
    assert build.load_kernel() is not None


def test_another_source_is_another_kernel(source: Path, tmp_path: Path) -> None:
    assert build.load_kernel() is not None
    build.load_kernel.cache_clear()
    source.write_text(QUICK.replace("42", "43"))
    library = build.load_kernel()
    assert library is not None
    assert library.answer() == 43
    assert len(built(tmp_path / "cache")) == 2


def test_a_folder_that_cannot_be_made_is_passed_over(source: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert build.load_kernel() is not None
    assert len(built(source.parent / "__pycache__")) == 1


def lock(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """The superuser may write into every folder, so the refusal is played."""
    access = os.access

    def played(path: Path | str, mode: int) -> bool:
        return Path(path) not in folders and access(path, mode)

    monkeypatch.setattr(os, "access", played)


def test_a_folder_that_cannot_be_written_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, source: Path, tmp_path: Path
) -> None:
    lock(monkeypatch, tmp_path / "cache", source.parent / "__pycache__")
    assert build.load_kernel() is not None
    assert len(built(tmp_path / "home" / ".cache" / "fedfleet")) == 1


def test_without_any_folder_torch_takes_over(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    source: Path,
    tmp_path: Path,
) -> None:
    places = tmp_path / "cache", source.parent / "__pycache__", tmp_path / "home/.cache/fedfleet"
    lock(monkeypatch, *places)
    assert_torch_takes_over(caplog, "can be written")


def test_two_processes_may_build_at_once(source: Path, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from quantum.kernel import build; "
        "build.SOURCE = pathlib.Path(sys.argv[1]); build.FOLDER = build.SOURCE.parent; "
        "print('ready', flush=True); sys.stdin.readline(); "
        "print(build.load_kernel().answer())"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", code, str(source)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen(command, cwd=root, **pipes) for _ in range(2)]
    for worker in workers:  # both are there before either begins
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    answers = []
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        answers.append(worker.communicate(timeout=120)[0])
        assert worker.returncode == 0
    assert answers == ["42\n"] * 2
    assert len(built(tmp_path / "cache")) == 1, "drafts are moved or removed"
