# SPDX-License-Identifier: Apache-2.0
"""Where everything of a deployment is, below its run folder."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.deployment.commands import connection, toml
from cluster.deployment.options import Deploy
from cluster.deployment.security import Security
from cluster.packages import HOME

APP_FILES = ("pyproject.toml", "LICENSE")
"""All of the app that travels: the code is what is installed at each site."""
OWNER_ALONE = 0o700


@dataclass(frozen=True)
class Layout:
    """The folders of a deployment.

    Args:
        run: its run folder, absolute.
    """

    run: Path

    @property
    def result(self) -> Path:
        """Where the app writes what it learnt: a run folder like that of ``federate``."""
        return self.run / "result"

    @property
    def private(self) -> Path:
        """Keys, logs, the database with all messages: nobody else's business."""
        return self.run / "deployment"

    @property
    def app(self) -> Path:
        """What is submitted: as ``flwr run .``, without a search through the whole checkout."""
        return self.private / "app"

    @property
    def run_config(self) -> Path:
        """The options of the app."""
        return self.private / "run.toml"

    @property
    def database(self) -> Path:
        """Of the SuperLink."""
        return self.private / "state.db"

    @property
    def flower(self) -> Path:
        """Flower's home."""
        return self.private / "flower"

    def log(self, name: str) -> Path:
        """The log of a process."""
        return self.private / f"{name}.log"

    def make_private(self) -> Path:
        """The private folder, made."""
        self.private.mkdir(mode=OWNER_ALONE, parents=True, exist_ok=True)
        return self.private

    def write(self, options: Deploy, security: Security, run_config: Mapping[str, Any]) -> None:
        """Write all files that are neither keys nor certificates."""
        for folder in (self.app, self.flower):
            folder.mkdir(exist_ok=True)
        for name in APP_FILES:
            shutil.copy(HOME / name, self.app / name)
        self.run_config.write_text(toml(run_config), encoding="utf-8")
        text = connection(options, security.ca)
        (self.flower / "config.toml").write_text(text, encoding="utf-8")
