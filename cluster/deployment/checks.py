# SPDX-License-Identifier: Apache-2.0
"""What must hold before anything starts: files that fit each other, and ports that are free."""

import errno
import socket
from collections.abc import Callable, Sequence
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from cluster.deployment.certificates import ServerFiles
from sim.errors import InputError

T = TypeVar("T")


def check_server_files(files: ServerFiles, hosts: Sequence[str], now: datetime) -> None:
    """Make sure that clients who trust the authority will accept this server at all its hosts.

    Raises:
        InputError: a file is missing or not what it should be, the key is of another certificate,
            a certificate is not valid now, names another host, or was signed by somebody else.
    """
    chain = read_certificates("certificate", files.certificate, now)
    authorities = read_certificates("ca", files.ca, now)
    key = _read("key", files.key, lambda data: load_pem_private_key(data, None), "PEM private key")
    leaf = chain[0]
    if _public(key.public_key()) != _public(leaf.public_key()):
        raise InputError(f"key is {files.key}: it is not the key of {files.certificate}")
    if not any(_issued(leaf, above) for above in [*chain[1:], *authorities]):
        raise InputError(f"certificate is {files.certificate}: not signed by {files.ca}")
    for host in hosts:
        if not names_host(leaf, host):
            raise InputError(
                f"certificate is {files.certificate}: it does not name {host} among its subject "
                "alternative names"
            )


def read_certificates(option: str, path: Path, now: datetime) -> list[x509.Certificate]:
    """The certificates in a PEM file, at least one, all valid now.

    Raises:
        InputError: they are not.
    """
    found = _read(option, path, x509.load_pem_x509_certificates, "PEM certificate")
    for one in found:
        begin, end = one.not_valid_before_utc, one.not_valid_after_utc
        if not begin <= now <= end:
            raise InputError(f"{option} is {path}: valid from {begin} to {end}, and now is {now}")
    return found


def names_host(certificate: x509.Certificate, host: str) -> bool:
    """Whether a certificate is for a host; ``*.`` stands for one label, as browsers have it."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ip_address(host) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        wanted = host.lower()
        star = f"*.{wanted.partition('.')[2]}"
        given = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
        return wanted in given or star in given


def check_private_key(path: Path) -> None:
    """Make sure that a file is the private key of a node.

    Raises:
        InputError: it is not.
    """
    key = _read("node_keys", path, lambda data: load_ssh_private_key(data, None), PRIVATE_KEY)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise InputError(f"node_keys is {path}: no {PRIVATE_KEY}")


def check_public_key(path: Path) -> bytes:
    """Make sure that a file is the public key of a node.

    Returns:
        The key, in a form in which equal keys are equal.

    Raises:
        InputError: it is not.
    """
    key = _read("node_keys", path, load_ssh_public_key, PUBLIC_KEY)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InputError(f"node_keys is {path}: no {PUBLIC_KEY}")
    return _public(key)


PRIVATE_KEY = "private ECDSA key in OpenSSH's format, without a password"
PUBLIC_KEY = "public ECDSA key in OpenSSH's format"


def check_port(option: str, host: str, port: int) -> None:
    """Make sure that we could listen there.

    Raises:
        InputError: somebody else does, or it is not allowed, or the host is not this one.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            # As servers do: connections of an earlier one that linger are no obstacle.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "another process listens there" if taken else error.strerror or error
        raise InputError(f"{option} is {port}: cannot listen at {host}:{port}; {reason}") from error


def _read(option: str, path: Path, load: Callable[[bytes], T], what: str) -> T:
    try:
        return load(path.read_bytes())
    except OSError as error:
        raise InputError(f"{option} is {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{option} is {path}: no {what}") from error


def _issued(leaf: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _public(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
