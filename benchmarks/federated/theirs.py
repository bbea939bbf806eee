# SPDX-License-Identifier: Apache-2.0
"""Rounds by ``flwr run``: Flower's simulation as it comes, with a home and a port of its own."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from cluster.deployment.commands import toml
from cluster.flower_run import flower_run
from federated.task import Arrays

APP = """[project]
name = "measured"
version = "1.0.0"
license = "Apache-2.0"

[tool.flwr.app]
publisher = "fedfleet"

[tool.flwr.app.components]
serverapp = "benchmarks.federated.flower_apps:server"
clientapp = "{client}"

[tool.flwr.app.config]
{config}"""
"""The code is the one that is installed here; only these lines travel."""


@dataclass(frozen=True, eq=False)
class Rounds:
    """What rounds took, and the model after the last."""

    seconds: np.ndarray
    arrays: Arrays

    @property
    def later_s(self) -> np.ndarray:
        """Of the rounds in which everything is up."""
        return self.seconds[1:]


def flower_rounds(client: str, config: dict[str, Any]) -> Rounds:
    """FedAvg over clients of Flower's simulation, two at a time.

    Args:
        client: where the ClientApp is, such as ``federated.client:app``.
        config: run config, with ``task``, ``clients`` and ``rounds``.

    Raises:
        RuntimeError: the run failed.
    """
    with TemporaryDirectory(prefix="fedfleet-flower-") as name:
        folder = Path(name)
        app, out = folder / "app", folder / "out.npz"
        app.mkdir()
        known = {**config, "out": str(out)}
        (app / "pyproject.toml").write_text(APP.format(client=client, config=toml(known)))
        with (folder / "flwr.log").open("w") as log, _output_to(log.fileno()):
            status = flower_run(folder / "run", app, known)
        if not status.completed:
            raise RuntimeError(f"flwr run: {status.status}: {status.details}")
        with np.load(out, allow_pickle=False) as found:
            numbers = {key: found[key] for key in found.files}
    return Rounds(numbers.pop("seconds"), numbers)


@contextlib.contextmanager
def _output_to(descriptor: int) -> Iterator[None]:
    """Flower's command writes on our output, hundreds of lines."""
    kept = {number: os.dup(number) for number in (1, 2)}
    for number in kept:
        os.dup2(descriptor, number)
    try:
        yield
    finally:
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)
