# SPDX-License-Identifier: Apache-2.0
"""The labels that ``train-coordinator`` learns from, and what its documents say of them."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from agents.coordination.labels import FOLDER, INDEX, read_shards
from agents.coordination.packing import LabelledInstance
from cluster.out import RUNS


def read_labels(names: Sequence[str]) -> tuple[list[LabelledInstance], list[dict[str, Any]]]:
    """All instances, and what is known of each source: its name, digest, seed and configuration.

    Raises:
        InputError: a source is missing, truncated or altered.
    """
    paths = [_path(name) for name in names]
    instances = [one for path in paths for one in read_shards(path)]
    return instances, [_source(*pair) for pair in zip(names, paths, strict=True)]


def _path(name: str) -> Path:
    return Path(name) if Path(name).exists() or not (RUNS / name).exists() else RUNS / name


def _source(name: str, path: Path) -> dict[str, Any]:
    if path.is_file():
        return {"labels": name, "digest": sha256(path.read_bytes()).hexdigest()}
    folder = path if (path / INDEX).is_file() else path / FOLDER
    index = json.loads((folder / INDEX).read_bytes())
    about = {field: index.get(field) for field in ("digest", "instances", "seed", "config")}
    return {"labels": name, **about}
