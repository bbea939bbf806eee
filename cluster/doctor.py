# SPDX-License-Identifier: Apache-2.0
"""Checks of an installation, each with what to do about what it found."""

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryFile

import psutil

from cluster.out import RUNS
from cluster.packages import shadows, strangers
from quantum.kernel.build import compiler
from sim.errors import InputError

OLDEST_PYTHON = (3, 11)
LIBRARIES = ("numpy", "numba", "scipy", "networkx", "ray", "tyro", "rich", "cma", "pennylane")
LEAST_MEMORY_GB = 4.0
PROBE_TIMEOUT_S = 60


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One check: what was found, and what to do about it (empty when there is nothing to do)."""

    check: str
    level: Level
    found: str
    advice: str = ""


def examine(start_ray: bool) -> Iterator[Finding]:
    """All checks, the slow one last."""
    yield check_python(sys.version_info[:2])
    yield from (check_library(name) for name in LIBRARIES)
    yield from check_packages(strangers(), {n: str(p) for n, p in shadows().items()})
    yield check_cores(psutil.cpu_count() or 1)
    yield check_memory(psutil.virtual_memory().available / 1e9)
    yield check_gpu()
    yield check_torch(_probe(TORCH_PROBE))
    yield check_compiler()
    yield from check_solvers(_probe(HIGHS_PROBE), _probe(CBC_PROBE))
    yield check_runs_folder(RUNS)
    if start_ray:
        yield check_ray()


def check_python(found: tuple[int, int]) -> Finding:
    """The interpreter is new enough."""
    text = f"{platform.python_version()} at {sys.executable}"
    if found >= OLDEST_PYTHON:
        return Finding("python", Level.OK, text)
    return Finding("python", Level.FAIL, text, "use 3.11 or later: make clean, then make setup")


def check_library(name: str) -> Finding:
    """A library is installed."""
    try:
        return Finding(name, Level.OK, version(name))
    except PackageNotFoundError:
        return Finding(name, Level.FAIL, "not installed", "run: make setup")


def check_packages(foreign: dict[str, str], shadowing: dict[str, str]) -> Iterator[Finding]:
    """The five packages are ours, and nothing else of their names is around."""
    for name, where in foreign.items():
        advice = "start from the folder of fedfleet, in an environment without it"
        yield Finding("packages", Level.FAIL, f"{name} is {where}", advice)
    for name, where in shadowing.items():
        advice = f"harmless from this folder; uninstall what brought another {name} if you can"
        yield Finding("packages", Level.WARN, f"another {name}: {where}", advice)
    if not foreign and not shadowing:
        yield Finding("packages", Level.OK, "all five are ours")


def check_cores(cores: int) -> Finding:
    """More than one core: Ray's own processes need some of it."""
    if cores >= 2:
        return Finding("cores", Level.OK, str(cores))
    return Finding("cores", Level.WARN, str(cores), "use --workers 1, or 0 to do without Ray")


def check_memory(available_gb: float) -> Finding:
    """Enough memory for Ray and two workers."""
    text = f"{available_gb:.1f} GB available"
    if available_gb >= LEAST_MEMORY_GB:
        return Finding("memory", Level.OK, text)
    return Finding("memory", Level.WARN, text, "close other programs, or use --workers 0")


def check_gpu() -> Finding:
    """A graphics card is welcome, not needed."""
    nvidia_smi = shutil.which("nvidia-smi")
    if nvidia_smi is None:
        return Finding("gpu", Level.OK, "none (no command needs one)")
    name = _output([nvidia_smi, "--query-gpu=name", "--format=csv,noheader"])
    if name is None:
        return Finding("gpu", Level.WARN, "nvidia-smi fails", "check the driver")
    return Finding("gpu", Level.OK, name.replace("\n", ", "))


# Each in a process of its own: a library that breaks takes only that down, and solver libraries
# may not share one.
TORCH_PROBE = (
    "import torch; print(torch.__version__, torch.get_num_threads(), torch.cuda.is_available())"
)


def check_torch(probed: str | None) -> Finding:
    """Torch imports, and what it would compute on."""
    if not probed:
        return Finding("torch", Level.FAIL, "does not import", "run: make setup")
    number, threads, cuda = probed.split()
    device = "CUDA" if cuda == "True" else "no CUDA"
    return Finding("torch", Level.OK, f"{number}, threads: {threads}, {device}")


def check_compiler() -> Finding:
    """A C++ compiler, which builds the quantum engine's kernel on first use."""
    try:
        return Finding("C++ compiler", Level.OK, " ".join(compiler()))
    except FileNotFoundError as error:
        advice = (
            "the quantum engine falls back to torch operations, many times slower; "
            "install g++ or clang++"
        )
        return Finding("C++ compiler", Level.WARN, str(error), advice)


HIGHS_PROBE = "import highspy; print(highspy.Highs().version())"
CBC_PROBE = "import pulp; print(pulp.PULP_CBC_CMD(msg=False).available() and pulp.__version__)"


def check_solvers(highs: str | None, cbc: str | None) -> Iterator[Finding]:
    """HiGHS for the MILP coordinator, or CBC as the second best."""
    found_cbc = bool(cbc) and cbc != "False"
    if highs:
        yield Finding("HiGHS", Level.OK, f"{highs} by highspy")
    else:
        level = Level.WARN if found_cbc else Level.FAIL
        yield Finding("HiGHS", level, "does not load", "run: pip install highspy")
    if found_cbc:
        yield Finding("CBC", Level.OK, f"comes with PuLP {cbc}")
    else:
        advice = "nothing while HiGHS is there; else run: pip install pulp"
        yield Finding("CBC", Level.WARN, "does not load", advice)


def check_runs_folder(folder: Path) -> Finding:
    """Runs can be written."""
    where = folder.resolve()
    existing = next(p for p in (where, *where.parents) if p.exists())
    try:
        with TemporaryFile(dir=existing):
            pass
    except OSError as error:
        advice = "make it writable, start elsewhere, or give --out an absolute path"
        return Finding("runs folder", Level.FAIL, f"{existing}: {error.strerror}", advice)
    free_gb = shutil.disk_usage(existing).free / 1e9
    if free_gb < 1:
        return Finding("runs folder", Level.WARN, f"{free_gb:.1f} GB free", "free some space")
    return Finding("runs folder", Level.OK, f"{where}, {free_gb:.0f} GB free")


def check_ray() -> Finding:
    """Ray starts here and does a task."""
    advice = "try again on a quieter machine, or use --workers 0, which needs no Ray"
    started_s = time.monotonic()
    try:
        answer = _task_on_ray()
    except InputError as error:
        return Finding("ray start", Level.FAIL, str(error), advice)
    seconds = time.monotonic() - started_s
    if answer == os.getpid():
        return Finding("ray start", Level.FAIL, "the task ran in this process", advice)
    return Finding("ray start", Level.OK, f"one task done after {seconds:.1f} s")


def _task_on_ray() -> int:
    from cluster.runtime import ray_runtime

    with ray_runtime("local", workers=1):
        import ray

        return int(ray.get(ray.remote(_process).remote()))


def _process() -> int:
    return os.getpid()


def _probe(code: str) -> str | None:
    return _output([sys.executable, "-c", code])


def _output(command: list[str]) -> str | None:
    """What a command prints, None when it fails or does not end."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=PROBE_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
