# SPDX-License-Identifier: Apache-2.0
"""What holds for the repository as a whole."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml

HOME = Path(__file__).resolve().parents[1]
LICENCE = "# SPDX-License-Identifier: Apache-2.0\n"


def files(suffix: str) -> Iterator[Path]:
    folders = (p for p in HOME.iterdir() if p.is_dir() and not p.name.startswith("."))
    for folder in folders:
        yield from (p for p in folder.rglob(f"*{suffix}") if "runs" not in p.parts)


def project() -> dict[str, Any]:
    return tomllib.loads((HOME / "pyproject.toml").read_text())


def test_every_source_file_names_its_licence() -> None:
    assert [p for p in files(".py") if not p.read_text().startswith(LICENCE)] == []


def test_every_direct_dependency_is_pinned() -> None:
    meta = project()["project"]
    named = [*meta["dependencies"], *meta["optional-dependencies"]["dev"]]
    pins = re.findall(r"^([\w.-]+)==", (HOME / "constraints.txt").read_text(), re.MULTILINE)
    pinned = {normal(name) for name in pins}
    assert {normal(re.split(r"[\[<>=,;]", name)[0]) for name in named} <= pinned


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_declared_entry_points_are_installed() -> None:
    for group, declared in project()["project"]["entry-points"].items():
        installed = {(point.name, point.value) for point in entry_points(group=group)}
        assert set(declared.items()) <= installed, "run: make setup"


def test_no_folder_of_this_machine_is_named() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=HOME, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    text_files = (HOME / name for name in tracked if (HOME / name).is_file())
    local = re.compile(rb"[/](work|root|home/[a-z]+)[/]|[.]library")
    assert [p for p in text_files if local.search(p.read_bytes())] == []


def test_ray_accepts_the_cluster_file() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = yaml.safe_load((HOME / "ray_config.yaml").read_text())
    validate_config(prepare_config(config))


def test_ray_would_refuse_a_key_of_ours() -> None:
    from jsonschema import ValidationError
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = yaml.safe_load((HOME / "ray_config.yaml").read_text())
    with pytest.raises(ValidationError, match="fleet"):
        validate_config(prepare_config({**config, "fleet": 1}))
