# SPDX-License-Identifier: Apache-2.0
"""The environment of Flower's processes: offline, silent, and with our code first."""

import os
import sys
from pathlib import Path

from cluster.packages import HOME

FLOWER = {
    "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",  # else it makes an environment per run
    "FLWR_DISABLE_UPDATE_CHECK": "1",
    "FLWR_TELEMETRY_ENABLED": "0",
    "FLWR_LOG_LEVEL": "INFO",  # in its log a node says which number it was given
    "FLWR_SUPEREXEC_TASK_POLL_INTERVAL": "0.1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "PYTHONUNBUFFERED": "1",  # so that logs are written before a process is killed
}


def flower_environment(home: Path) -> dict[str, str]:
    """What every process of Flower gets.

    Args:
        home: its folder for settings and unpacked apps, instead of one in the user's home.
    """
    return {
        **os.environ,
        **FLOWER,
        "FLWR_HOME": str(home.resolve()),
        # Flower starts its processes by name, and they import the app by name.
        "PATH": os.pathsep.join([str(_scripts()), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join([str(HOME), *_path("PYTHONPATH")]),
    }


def script(name: str) -> str:
    """The path of a command of Flower, in the environment that we run in."""
    return str(_scripts() / name)


def _scripts() -> Path:
    return Path(sys.executable).parent


def _path(name: str) -> list[str]:
    return [os.environ[name]] if os.environ.get(name) else []
