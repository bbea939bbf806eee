# SPDX-License-Identifier: Apache-2.0
"""Builds the kernel with the system's compiler, once for each source, compiler and processor."""

import contextlib
import ctypes
import functools
import hashlib
import logging
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "kernel.cpp"
FLAGS = (
    "-std=c++17 -O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math "
    "-shared -fPIC -pthread -Wno-psabi -Wno-ignored-attributes"
).split()
CACHE_VARIABLE = "FEDFLEET_CACHE"
COMPILE_TIMEOUT_S = 300

_log = logging.getLogger(__name__)


@functools.cache
def load_kernel() -> ctypes.CDLL | None:
    """The kernel, built if need be; None, after one notice, where that is not possible.

    Every process finds out for itself, so workers of a cluster build for their own processor.
    """
    try:
        return _loaded(compiler())
    except (OSError, subprocess.SubprocessError) as error:
        _log.warning(
            "the compiled quantum engine is not available, torch takes over (many times slower): "
            "%s; `python -m cluster doctor` tells what is missing",
            _reason(error),
        )
        return None


def compiler() -> list[str]:
    """The C++ compiler as the start of a command line: the CXX variable, or the first one found.

    Raises:
        FileNotFoundError: there is none.
    """
    chosen = shlex.split(os.environ.get("CXX", ""))
    candidates = [chosen] if chosen else [["c++"], ["g++"], ["clang++"]]
    for candidate in candidates:
        if shutil.which(candidate[0]):
            return candidate
    raise FileNotFoundError(f"no C++ compiler ({', '.join(c[0] for c in candidates)}) is found")


def _loaded(command: list[str]) -> ctypes.CDLL:
    name = f"kernel-{_digest(command)}.so"
    folders = list(_folders())
    for folder in folders:
        if (folder / name).is_file():
            # One that was damaged is built again.
            with contextlib.suppress(OSError):
                return ctypes.CDLL(str(folder / name))
    for folder in folders:
        if _writable(folder):
            return ctypes.CDLL(str(_compile(command, folder / name)))
    raise PermissionError(f"none of {', '.join(map(str, folders))} can be written")


def _folders() -> Iterator[Path]:
    """Where a built kernel may lie, the preferred place first."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        yield Path(chosen)
    yield FOLDER / "__pycache__"
    yield Path.home() / ".cache" / "fedfleet"


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _compile(command: list[str], target: Path) -> Path:
    """Compile beside the target and move it there: two processes at once do no harm."""
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".kernel-", suffix=".so")
    os.close(handle)
    try:
        subprocess.run(
            [*command, *FLAGS, "-o", draft, str(SOURCE)],
            check=True,
            capture_output=True,
            text=True,
            timeout=COMPILE_TIMEOUT_S,
        )
        os.replace(draft, target)
    finally:
        Path(draft).unlink(missing_ok=True)
    return target


def _digest(command: list[str]) -> str:
    """Changes with the source, the flags, the compiler and the instructions of the processor."""
    version = subprocess.run(
        [*command, "--version"], check=True, capture_output=True, timeout=COMPILE_TIMEOUT_S
    )
    sources = (path.read_bytes() for path in sorted(FOLDER.glob("*.[ch]pp")))
    parts = (*sources, repr(FLAGS).encode(), version.stdout, _processor().encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{platform.machine()} {flags or platform.processor()}"


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = str(error.stderr).strip().splitlines()
        return f"the compiler failed: {lines[0] if lines else error}"
    return str(error)
