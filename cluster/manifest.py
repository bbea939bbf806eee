# SPDX-License-Identifier: Apache-2.0
"""What identifies a run: command, configuration, seed, versions, commit."""

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from cluster.packages import HOME

COMMIT_ENV_VAR = "FEDFLEET_COMMIT"
"""Names the commit where there is no ``.git``, as in the working folder of a Ray job."""

DISTRIBUTIONS = (
    *("cma", "dp-accounting", "flwr", "gymnasium", "highspy", "minigrid", "networkx", "numba"),
    *("numpy", "pennylane", "popgym", "pulp", "ray", "scikit-learn", "scipy"),
    *("torch", "torch-geometric"),
)

NOT_CONFIGURATION = ("out", "ray_address", "seed", "workers")
"""Options that cannot change a result, so that a run may be resumed with others; and the seed,
which has a place of its own in the manifest."""


@dataclass(frozen=True)
class Manifest:
    """The first file of a run folder.

    Args:
        command: the command's name.
        created: time of the first start, ISO 8601 with time zone.
        seed: the seed that all randomness of the run comes from.
        config: every option that can change a result; a run resumes only under an equal one.
        versions: Python, the platform, and the libraries that compute.
        commit: the commit of this code, None when unknown.
        dirty: whether files differed from that commit, None when unknown.
    """

    command: str
    created: str
    seed: int
    config: dict[str, Any]
    versions: dict[str, str]
    commit: str | None
    dirty: bool | None

    def as_dict(self) -> dict[str, Any]:
        """The JSON object."""
        return asdict(self)


def configuration(options: Any) -> dict[str, Any]:
    """The options of a command (a dataclass) that can change a result."""
    return {k: v for k, v in asdict(options).items() if k not in NOT_CONFIGURATION}


def make_manifest(command: str, seed: int, config: dict[str, Any]) -> Manifest:
    """A manifest of this moment, machine and commit."""
    commit, dirty = commit_of_code()
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Manifest(command, created, seed, config, versions(), commit, dirty)


def versions() -> dict[str, str]:
    """Versions of Python, the platform and the libraries that compute."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def commit_of_code() -> tuple[str | None, bool | None]:
    """Commit and whether the tree is dirty: from the environment, else from git, else unknown."""
    if named := os.environ.get(COMMIT_ENV_VAR):
        return named.removesuffix("-dirty"), named.endswith("-dirty")
    commit, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    return commit, None if commit is None or changes is None else bool(changes)


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=HOME, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def first_difference(
    old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = ""
) -> tuple[str, Any, Any] | None:
    """Dotted name and both values of the first key that differs; plain values before groups,
    so that a seed is named rather than what follows from it."""
    for key in sorted({*old, *new}, key=lambda k: (isinstance(new.get(k), Mapping), k)):
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            if inner := first_difference(before, after, f"{prefix}{key}."):
                return inner
        elif before != after:
            return f"{prefix}{key}", before, after
    return None
