# SPDX-License-Identifier: Apache-2.0
"""Ray for one command: a quiet local instance, or the cluster that somebody else runs."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray

from cluster.out import RAY_JOB_ENV_VAR
from cluster.packages import HOME, NAMES
from sim.errors import InputError

ADDRESS_ENV_VAR = "RAY_ADDRESS"
CONNECT_TIMEOUT_S = 20

RAY_ENV = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Under `uv run` Ray would build an environment per worker.
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    # By default 1000: a call to a dead actor fails only when it is known why the actor died.
    "RAY_timeout_ms_task_wait_for_death_info": "50",
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
    for name, value in RAY_ENV.items():
        os.environ.setdefault(name, value)
    if ray.is_initialized():  # by the process that hosts us, such as a test session
        yield
        return
    address = address or os.environ.get(ADDRESS_ENV_VAR) or "local"
    if address == "local":
        _connect(address, num_cpus=workers, include_dashboard=False)
    else:
        _attach(address)
    try:
        yield
    finally:
        ray.shutdown()


def _connect(address: str, **arguments: Any) -> None:
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **arguments)
    except Exception as error:  # on a busy machine Ray raises just that, after its own patience
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"Ray at {address} did not start or answer: {reason}") from error


def _attach(address: str) -> None:
    """Connect, and again with our packages to send along when there are nodes without them."""
    _require_answer(address)
    packages = {"py_modules": [str(HOME / name) for name in NAMES]}
    if address.startswith("ray://"):
        _connect(address, runtime_env=packages)
        return
    _connect(address)
    untyped: Any = ray
    nodes = [node["NodeManagerAddress"] for node in untyped.nodes() if node["Alive"]]
    if not has_code(nodes, untyped.util.get_node_ip_address()):
        ray.shutdown()
        _connect(address, runtime_env=packages)


def has_code(nodes: Sequence[str], here: str) -> bool:
    """Whether workers on these nodes import what we import.

    They do in a Ray job, whose working folder is on all nodes, and on this machine, where they
    start with our current folder on their path. Sent packages would be compiled anew there.
    """
    alone = set(nodes) == {here} and Path.cwd() == HOME
    return RAY_JOB_ENV_VAR in os.environ or alone


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
