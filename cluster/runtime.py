# SPDX-License-Identifier: Apache-2.0
"""Ray for one command: a quiet local instance, or the cluster that somebody else runs."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray

from cluster.out import RAY_JOB_ENV_VAR
from cluster.packages import HOME, NAMES
from sim.errors import InputError

ADDRESS_ENV_VAR = "RAY_ADDRESS"
CONNECT_TIMEOUT_S = 20

QUIET_ENV = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Under `uv run` Ray would build an environment per worker.
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
}


@contextmanager
def ray_runtime(address: str | None, workers: int) -> Iterator[None]:
    """Ray within the block; afterwards only what was started here is stopped.

    Args:
        address: of a running cluster; None takes ``RAY_ADDRESS``, which a Ray job sets too, and
            without that starts Ray on this machine with one core per worker.
        workers: cores of the local instance.

    Raises:
        InputError: nothing answers at the address, or Ray does not start.
    """
    for name, value in QUIET_ENV.items():
        os.environ.setdefault(name, value)
    if ray.is_initialized():  # by the process that hosts us, such as a test session
        yield
        return
    address = address or os.environ.get(ADDRESS_ENV_VAR)
    _connect(_local(workers) if address in (None, "local") else _attached(str(address)))
    try:
        yield
    finally:
        ray.shutdown()


def _connect(arguments: dict[str, Any]) -> None:
    where = arguments.get("address", "local")
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **arguments)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"Ray at {where} did not start or answer: {reason}") from error


def _local(workers: int) -> dict[str, Any]:
    return {"address": "local", "num_cpus": workers, "include_dashboard": False}


def _attached(address: str) -> dict[str, Any]:
    _require_answer(address)
    inside_job = RAY_JOB_ENV_VAR in os.environ  # the job's working folder is on all nodes already
    code = {} if inside_job else {"py_modules": [str(HOME / name) for name in NAMES]}
    return {"address": address, "runtime_env": code}


def _require_answer(address: str) -> None:
    """Knock first, and in a process of its own: a wrong address can block or abort the caller."""
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        socket.create_connection((host, int(port)), CONNECT_TIMEOUT_S).close()
        if not address.startswith("ray://"):
            subprocess.run(command, capture_output=True, check=True, timeout=CONNECT_TIMEOUT_S)
    except (subprocess.SubprocessError, OSError, ValueError, OverflowError) as error:
        raise InputError(
            f"ray_address is {address!r}: no Ray cluster answers there; allowed is HOST:PORT of a "
            "running head (6379 unless it was changed), auto, or nothing for a local Ray"
        ) from error
