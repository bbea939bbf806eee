# SPDX-License-Identifier: Apache-2.0
"""What is typed to start Flower's processes, and what their files say."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cluster.deployment.certificates import ServerFiles
from cluster.deployment.environment import script
from cluster.deployment.options import LOOPBACK, Deploy

CONNECTION = "deployment"
"""Name of the SuperLink in Flower's configuration."""


def superlink(options: Deploy, database: Path, files: ServerFiles | None) -> list[str]:
    """The SuperLink; without files it is insecure."""
    security = ["--insecure"] if files is None else [*_tls(files), "--enable-supernode-auth"]
    listening = ["--host", options.listening, "--port", str(options.port)]
    return [script("flower-superlink"), *listening, "--database", str(database), *security]


def simulation(port: int, database: Path) -> list[str]:
    """The SuperLink of ``flwr run`` without nodes: it simulates them on Ray."""
    listening = ["--host", LOOPBACK, "--port", str(port), "--database", str(database)]
    return [script("flower-superlink"), "--insecure", "--simulation", *listening]


def supernode(
    options: Deploy, node: int, ca: Path | None, key: Path | None, own: ServerFiles | None
) -> list[str]:
    """The SuperNode of a site.

    Args:
        ca: who signed the SuperLink's certificate.
        key: the node's private key.
        own: of the interface to its ClientApp, on the loopback; insecure without these three.
    """
    security = ["--insecure"]
    if ca is not None and key is not None and own is not None:
        trust = ["--root-certificates", str(ca), "--auth-supernode-private-key", str(key)]
        security = [*trust, *_tls(own)]
    config = f"partition-id={node} num-partitions={options.nodes}"
    port = str(options.node_port + node)
    listening = ["--host", LOOPBACK, "--port", port]
    where = ["--superlink", options.address, *listening, "--node-config", config]
    return [script("flower-supernode"), *where, *security]


def flwr(*arguments: str) -> list[str]:
    """Flower's command line."""
    return [script("flwr"), *arguments]


def connection(options: Deploy, ca: Path | None) -> str:
    """Flower's ``config.toml``: how its command line reaches the SuperLink."""
    trust = {"insecure": True} if ca is None else {"root-certificates": str(ca.resolve())}
    keys = toml({"address": options.address, **trust})
    return f'[superlink]\ndefault = "{CONNECTION}"\n\n[superlink.{CONNECTION}]\n{keys}'


def toml(values: Mapping[str, Any]) -> str:
    """A flat table; text, numbers and truth are written in TOML as in JSON."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def _tls(files: ServerFiles) -> list[str]:
    served = ["--ssl-certfile", str(files.certificate), "--ssl-keyfile", str(files.key)]
    return ["--ssl-ca-certfile", str(files.ca), *served]
