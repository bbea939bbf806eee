# SPDX-License-Identifier: Apache-2.0
import shutil
import socket
import ssl
import stat
import subprocess
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cluster.deployment.certificates import (
    TRIAL_DAYS,
    ServerFiles,
    trial_certificates,
    trial_node_key,
)
from cluster.deployment.checks import check_private_key, check_public_key, check_server_files
from cluster.deployment.options import LOOPBACK, Deploy
from cluster.deployment.security import Security, make_security
from sim.errors import InputError

NOW = datetime.now(UTC)
HOSTS = [LOOPBACK, "link.example.org"]


@pytest.fixture
def files(tmp_path: Path) -> ServerFiles:
    return trial_certificates(tmp_path / "tls", HOSTS)


def handshake(files: ServerFiles, trusted: Path, host: str) -> str | None:
    """The TLS version that both sides of a socket agree on."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)
    client = ssl.create_default_context(cafile=str(trusted))
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, suppress(OSError):  # the other side hung up
            server.wrap_socket(theirs, server_side=True).close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with ours, client.wrap_socket(ours, server_hostname=host) as agreed:
            return agreed.version()
    finally:
        thread.join()


@pytest.mark.parametrize("host", HOSTS)
def test_openssl_accepts_the_certificates_of_a_trial(files: ServerFiles, host: str) -> None:
    assert handshake(files, files.ca, host) == "TLSv1.3"


def test_another_authority_is_not_accepted(files: ServerFiles, tmp_path: Path) -> None:
    other = trial_certificates(tmp_path / "other", HOSTS)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(files, other.ca, LOOPBACK)
    with pytest.raises(InputError, match="not signed by"):
        check_server_files(ServerFiles(other.ca, files.certificate, files.key), HOSTS, NOW)


def test_private_keys_are_for_their_owner_alone(files: ServerFiles, tmp_path: Path) -> None:
    node = trial_node_key(tmp_path / "nodes", 0)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (files.key, node.private)}
    assert modes == {0o600}


def test_the_key_of_the_authority_is_nowhere(files: ServerFiles) -> None:
    assert {path.name for path in files.ca.parent.iterdir()} == {
        "ca.crt",
        "server.pem",
        "server.key",
    }


def test_a_trial_that_is_resumed_keeps_its_files(files: ServerFiles, tmp_path: Path) -> None:
    before = files.certificate.read_bytes()
    assert trial_certificates(tmp_path / "tls", ["elsewhere"]) == files
    assert files.certificate.read_bytes() == before
    first = trial_node_key(tmp_path, 0).public.read_bytes()
    assert trial_node_key(tmp_path, 0).public.read_bytes() == first


def test_good_files_pass(files: ServerFiles) -> None:
    check_server_files(files, HOSTS, NOW)


def test_a_host_that_the_certificate_does_not_name(files: ServerFiles) -> None:
    with pytest.raises(InputError, match=r"does not name 10\.0\.0\.5"):
        check_server_files(files, ["10.0.0.5"], NOW)


def test_a_star_stands_for_one_label(tmp_path: Path) -> None:
    files = trial_certificates(tmp_path, ["*.example.org"])
    check_server_files(files, ["a.example.org"], NOW)
    with pytest.raises(InputError, match=r"does not name a\.b\.example\.org"):
        check_server_files(files, ["a.b.example.org"], NOW)


@pytest.mark.parametrize("days", [TRIAL_DAYS + 1, -1])
def test_a_certificate_that_is_not_valid_now(files: ServerFiles, days: int) -> None:
    with pytest.raises(InputError, match=r"valid from .* to .*, and now is"):
        check_server_files(files, HOSTS, NOW + timedelta(days=days))


@pytest.mark.parametrize("name", ["ca.crt", "server.pem", "server.key"])
def test_a_file_that_is_not_pem_is_named(files: ServerFiles, name: str) -> None:
    (files.ca.parent / name).write_text("nonsense")
    with pytest.raises(InputError, match=rf"{name}: no PEM"):
        check_server_files(files, HOSTS, NOW)


@pytest.mark.parametrize("name", ["ca.crt", "server.pem", "server.key"])
def test_a_file_that_is_missing_is_named(files: ServerFiles, name: str) -> None:
    (files.ca.parent / name).unlink()
    with pytest.raises(InputError, match=rf"{name}: No such file"):
        check_server_files(files, HOSTS, NOW)


def test_a_key_of_another_certificate(files: ServerFiles, tmp_path: Path) -> None:
    other = trial_certificates(tmp_path / "other", HOSTS)
    with pytest.raises(InputError, match="is not the key of"):
        check_server_files(ServerFiles(files.ca, files.certificate, other.key), HOSTS, NOW)


def test_node_keys_have_two_halves(tmp_path: Path) -> None:
    node = trial_node_key(tmp_path, 0)
    check_private_key(node.private)
    check_public_key(node.public)
    with pytest.raises(InputError, match="no private ECDSA key"):
        check_private_key(node.public)
    with pytest.raises(InputError, match="no public ECDSA key"):
        check_public_key(node.private)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
@pytest.mark.parametrize(("kind", "good"), [("ecdsa", True), ("ed25519", False)])
def test_keys_of_ssh_keygen(tmp_path: Path, kind: str, good: bool) -> None:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", path], check=True)
    if good:
        check_private_key(path)
        return
    with pytest.raises(InputError, match="no private ECDSA key"):
        check_private_key(path)


def test_a_trial_has_all_that_each_role_needs(tmp_path: Path) -> None:
    everything = make_security(Deploy(nodes=2), tmp_path / "all", NOW)
    assert list(everything.private) == [0, 1]
    assert len(everything.public) == 2
    server = make_security(Deploy(role="server", host="10.0.0.5"), tmp_path / "server", NOW)
    assert not server.private
    assert len(server.public) == 2
    keys = (str(tmp_path / "server" / "nodes" / "node-1"),)
    node = Deploy(role="node", node=1, ca=str(server.ca), node_keys=keys)
    made = make_security(node, tmp_path / "node", NOW)
    assert (list(made.private), made.server, list(made.public)) == ([1], None, [])


def test_without_security_there_are_no_files(tmp_path: Path) -> None:
    assert make_security(Deploy(insecure=True), tmp_path / "none", NOW) == Security()
    assert not (tmp_path / "none").exists()


def test_brought_keys_are_used_and_must_differ(tmp_path: Path) -> None:
    pair = [str(trial_node_key(tmp_path, node).private) for node in range(2)]
    made = make_security(Deploy(node_keys=tuple(pair)), tmp_path / "run", NOW)
    assert [str(path) for path in made.private.values()] == pair
    assert check_public_key(made.public[0]) == check_public_key(tmp_path / "node-0.pub")
    with pytest.raises(InputError, match="the same key twice"):
        make_security(Deploy(node_keys=(pair[0], pair[0])), tmp_path / "run", NOW)
