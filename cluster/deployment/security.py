# SPDX-License-Identifier: Apache-2.0
"""Who trusts whom: brought files, checked, or files made for a trial."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
)

from cluster.deployment.certificates import ServerFiles, trial_certificates, trial_node_key
from cluster.deployment.checks import (
    check_private_key,
    check_public_key,
    check_server_files,
    read_certificates,
)
from cluster.deployment.options import LOOPBACK, WILDCARDS, Deploy
from sim.errors import InputError


@dataclass(frozen=True)
class Security:
    """Files of a deployment; without any it is insecure.

    Args:
        server: of the SuperLink, where it runs on this host.
        ca: who signed its certificate.
        private: key of each node on this host.
        public: keys of all nodes, where the SuperLink runs on this host.
        loopback: of the interfaces between nodes and their ClientApps.
    """

    server: ServerFiles | None = None
    ca: Path | None = None
    private: Mapping[int, Path] = field(default_factory=dict)
    public: Sequence[Path] = ()
    loopback: ServerFiles | None = None


def make_security(options: Deploy, folder: Path, now: datetime) -> Security:
    """The files that the options name, or those for a trial in a folder.

    Raises:
        InputError: they would not work.
    """
    if options.insecure:
        return Security()
    private, public = _node_keys(options, folder / "nodes")
    loopback = trial_certificates(folder / "loopback", [LOOPBACK])
    check_server_files(loopback, [LOOPBACK], now)
    if options.role == "node":
        ca = Path(options.ca or "")
        read_certificates("ca", ca, now)
        return Security(ca=ca, private=private, loopback=loopback)
    server = _server_files(options, folder / "tls", now)
    return Security(server, server.ca, private, public, loopback)


def _server_files(options: Deploy, folder: Path, now: datetime) -> ServerFiles:
    # The SuperLink's own helpers reach it by the address that it listens on.
    own = LOOPBACK if options.listening in WILDCARDS else options.listening
    hosts = [options.host, own]
    if options.ca and options.certificate and options.key:
        files = ServerFiles(Path(options.ca), Path(options.certificate), Path(options.key))
    else:
        files = trial_certificates(folder, hosts)
    check_server_files(files, hosts, now)
    return files


def _node_keys(options: Deploy, folder: Path) -> tuple[dict[int, Path], list[Path]]:
    """Private keys of the nodes here, by node, and public keys of all nodes."""
    if not options.node_keys:
        pairs = [trial_node_key(folder, node) for node in range(options.nodes)]
        return {node: pairs[node].private for node in options.here}, [one.public for one in pairs]
    brought = [Path(name) for name in options.node_keys]
    if options.role == "server":
        return {}, _distinct(brought)
    private = dict(zip(options.here, brought, strict=True))
    return private, _distinct([_public_file(key, folder, n) for n, key in private.items()])


def _public_file(private: Path, folder: Path, node: int) -> Path:
    """The public half of a private key that was brought, as a file."""
    check_private_key(private)
    key = load_ssh_private_key(private.read_bytes(), None)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"node-{node}.pub"
    file.write_bytes(key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    return file


def _distinct(public: list[Path]) -> list[Path]:
    if len({check_public_key(one) for one in public}) < len(public):
        raise InputError("node_keys holds the same key twice; every node needs one of its own")
    return public
