# SPDX-License-Identifier: Apache-2.0
"""What became of a run; ``flwr run`` itself ends with 0 even when the run failed."""

import json
from dataclasses import dataclass
from typing import Any

from cluster.deployment.errors import DeploymentFailed

KNOWN = "already in use"
"""What Flower says of a key that was registered before, such as by the run that is resumed."""


@dataclass(frozen=True)
class RunStatus:
    """The status of a run.

    Args:
        run_id: number that Flower gave it.
        status: such as ``running`` or ``finished:completed``.
        details: why it failed, if Flower says so.
    """

    run_id: str
    status: str
    details: str

    @property
    def finished(self) -> bool:
        """Whether it is over, in whatever way."""
        return self.status.startswith("finished")

    @property
    def completed(self) -> bool:
        """Whether it did what it should."""
        return self.status == "finished:completed"


def read_run_id(text: str) -> str:
    """The number of the run in the output of ``flwr run --format json``.

    Raises:
        DeploymentFailed: the run was refused.
    """
    answer = _object(text)
    if not answer.get("success") or not answer.get("run-id"):
        raise DeploymentFailed(f"Flower refused the run: {_reason(answer, text)}")
    return str(answer["run-id"])


def check_registered(text: str) -> None:
    """Make sure, by the output of ``flwr supernode register``, that a key is known.

    Raises:
        DeploymentFailed: it was refused.
    """
    answer = _object(text)
    if not answer.get("success") and KNOWN not in str(answer.get("error-message")):
        raise DeploymentFailed(f"Flower refused the key of a node: {_reason(answer, text)}")


def read_status(text: str) -> RunStatus | None:
    """The run in the output of ``flwr ls --format json``, the newest if there are several.

    Returns:
        None when there is none, or no answer at all, such as from a SuperLink that is dead.
    """
    runs = _object(text).get("runs") or []
    if not runs:
        return None
    newest = runs[0]
    details = str(newest.get("status-details") or "")
    return RunStatus(str(newest["run-id"]), str(newest["status"]), details)


def online_nodes(text: str) -> int:
    """How many nodes are online by the output of ``flwr supernode list --format json``."""
    nodes = _object(text).get("nodes") or []
    return sum(node.get("status") == "online" for node in nodes)


def _reason(answer: dict[str, Any], text: str) -> str:
    lines = str(answer.get("error-message") or text).split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no answer")


def _object(text: str) -> dict[str, Any]:
    """The JSON object in a text, whatever stands before and after it."""
    begin, end = text.find("{"), text.rfind("}")
    try:
        found = json.loads(text[begin : end + 1])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
