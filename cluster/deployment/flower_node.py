# SPDX-License-Identifier: Apache-2.0
"""What a node that was killed could not say any more: that it is gone.

A SuperLink holds a silent node for alive for a minute: so long its app waits for an answer that
will never come, and the node, started again, is turned away. Flower's command line cannot tell it
otherwise; the node can, with its key. This touches Flower's inside; tested against the pinned
version.
"""

import re
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from flwr.proto.fleet_pb2 import DeactivateNodeRequest
from flwr.supercore.interceptors.http.runtime_version import RuntimeVersionHttpInterceptor
from flwr.supernode.fleet_http_client import FleetHttpClient
from flwr.supernode.node_auth_http_interceptor import NodeAuthHttpInterceptor

NODE_ID = re.compile(r"SuperNode ID: (\d+)")


def take_offline(address: str, ca: Path, private: Path, log: Path) -> bool:
    """Say for a node that is dead that it is gone.

    Args:
        address: of the SuperLink, HOST:PORT.
        ca: who signed its certificate.
        private: the node's key.
        log: of the node, which names the number that the SuperLink gave it.

    Returns:
        Whether the SuperLink took note; if not, it will notice within a minute.
    """
    numbers = NODE_ID.findall(log.read_text(encoding="utf-8", errors="replace"))
    key = load_ssh_private_key(private.read_bytes(), None)
    if not numbers or not isinstance(key, ec.EllipticCurvePrivateKey):
        return False
    signed = NodeAuthHttpInterceptor(key, key.public_key())
    version = RuntimeVersionHttpInterceptor(component_name="SuperNode")
    request = DeactivateNodeRequest(node_id=int(numbers[-1]))
    try:
        with FleetHttpClient.from_server_address(
            address, False, ca.read_bytes(), [version, signed]
        ) as client:
            client.DeactivateNode(request)
    except (httpx.HTTPError, RuntimeError):
        return False
    return True
