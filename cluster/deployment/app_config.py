# SPDX-License-Identifier: Apache-2.0
"""The app's options as a Flower run config."""

from dataclasses import fields

from cluster.deployment.options import AppOptions
from federated.options import TaskName
from federated.partition import Partition
from federated.run_config import to_run_config
from federated.tasks import TaskOptions, make_any_task


def app_config(app: AppOptions, nodes: int) -> dict[str, bool | float | int | str]:
    """All keys of ``[tool.flwr.app.config]`` in pyproject.toml, but for where the result goes.

    Raises:
        InputError: the samples cannot be shared out among so many nodes.
    """
    name, partition = TaskName.parse(app.task), Partition.parse(app.partition)
    task = TaskOptions(name, nodes, partition, app.seed, app.model)
    make_any_task(task)  # refuses what cannot be; every node makes the same later
    server = {
        f"server.{f.name.replace('_', '-')}": getattr(app.server, f.name)
        for f in fields(app.server)
    }
    unset = {f"privacy.{f.name.replace('_', '-')}": None for f in fields(app.privacy)}
    config = {
        "rounds": app.rounds,
        "strategy": str(app.strategy),
        "fit.learning-rate": app.fit.learning_rate,
        **unset,
        **to_run_config(task, app.fit, app.privacy),
        **server,
    }
    return {key: "" if value is None else value for key, value in config.items()}
