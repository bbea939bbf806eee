# SPDX-License-Identifier: Apache-2.0
"""Certificates and keys of a trial."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TRIAL_DAYS = 30
PRIVATE = 0o600


@dataclass(frozen=True)
class ServerFiles:
    """What a TLS server needs: authority and certificate to show, and the private key."""

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True)
class NodeKey:
    """The key pair of a node; only its host needs the private part, only the server the public."""

    private: Path
    public: Path


def trial_certificates(folder: Path, hosts: Sequence[str]) -> ServerFiles:
    """Those in a folder, made if there are none: an authority, and a certificate for some hosts.

    The key of the authority is never written, so nobody can sign another certificate with it.
    """
    files = ServerFiles(folder / "ca.crt", folder / "server.pem", folder / "server.key")
    if files.ca.exists():
        return files
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _authority(ca_key)
    leaf = _server(ca, ca_key, key.public_key(), hosts)
    write_private(files.key, _pem(key, PrivateFormat.PKCS8))
    files.certificate.write_bytes(leaf.public_bytes(Encoding.PEM))
    files.ca.write_bytes(ca.public_bytes(Encoding.PEM))  # last: it says that all are there
    return files


def trial_node_key(folder: Path, node: int) -> NodeKey:
    """The key pair of a node in a folder, made if there is none."""
    files = NodeKey(folder / f"node-{node}", folder / f"node-{node}.pub")
    if files.public.exists():
        return files
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP384R1())
    write_private(files.private, _pem(key, PrivateFormat.OpenSSH))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    files.public.write_bytes(public + b"\n")
    return files


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, at no time anybody else."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file:
        file.write(data)


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("fedfleet trial authority")
    builder = _certificate(name, name, key.public_key(), key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(_usage(signs=True), critical=True).sign(key, hashes.SHA256())


def _server(
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePublicKey,
    hosts: Sequence[str],
) -> x509.Certificate:
    builder = _certificate(_name("fedfleet SuperLink"), ca.subject, key, ca_key.public_key())
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    names = x509.SubjectAlternativeName([_general_name(host) for host in dict.fromkeys(hosts)])
    builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
    builder = builder.add_extension(_usage(signs=False), critical=True)
    builder = builder.add_extension(usage, critical=False).add_extension(names, critical=False)
    return builder.sign(ca_key, hashes.SHA256())


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    # An hour before now: clocks of hosts differ.
    builder = builder.not_valid_before(now - timedelta(hours=1))
    builder = builder.not_valid_after(now + timedelta(days=TRIAL_DAYS))
    own = x509.SubjectKeyIdentifier.from_public_key(key)
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key)
    return builder.add_extension(own, critical=False).add_extension(above, critical=False)


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey, form: PrivateFormat) -> bytes:
    return key.private_bytes(Encoding.PEM, form, NoEncryption())
