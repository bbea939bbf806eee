# SPDX-License-Identifier: Apache-2.0
"""What sites say in the stages of secure aggregation, looked at before Flower's server believes it.

Flower's server reads replies as if nobody could be wrong: a key that is none, or a vector of
another length, would end the run with an exception.
"""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

import numpy as np
from flwr.app import Message, RecordDict
from flwr.common import bytes_to_ndarray
from flwr.serverapp import Grid

from federated.flower import FIRST_SITE, failure
from federated.flower_secure import SECURE, Key, Stage, bytes_to_public_key, fit_weight


class Checked:
    """A Grid's ear: a reply that makes no sense counts as an error, and who failed is noted.

    Args:
        length: numbers that each site has to send.
    """

    def __init__(self, grid: Grid, length: int) -> None:
        self._grid = grid
        self._length = length
        self.counted: dict[int, RecordDict] = {}
        """What those said, masked, who are in the sum; by site."""
        self.failed: dict[int, str] = {}
        """Who failed in any stage, and why; after the sum, this does not take anybody out of it."""

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> list[Message]:
        """Ask, and wait: one reply to each message, perhaps an error."""
        asked = {message.metadata.dst_node_id: message for message in messages}
        stages = {str(one.content.config_records[SECURE][Key.STAGE]) for one in asked.values()}
        if not asked:
            return []
        (stage,) = stages
        replies = {
            reply.metadata.src_node_id: reply
            for reply in self._grid.send_and_receive(asked.values(), timeout=timeout)
        }
        return [
            self._heard(stage, node, message, replies.get(node)) for node, message in asked.items()
        ]

    def _heard(self, stage: str, node: int, message: Message, reply: Message | None) -> Message:
        site = node - FIRST_SITE
        reason = fault(stage, reply, self._length)
        if reply is not None and reason is None:
            if stage == Stage.COLLECT_MASKED_VECTORS:
                self.counted[site] = reply.content
            return reply
        self.failed[site] = f"{stage}: {reason}"
        return failure(message, str(reason))


def fault(stage: str, reply: Message | None, length: int) -> str | None:
    """What is wrong with the reply of a site in a stage; None for nothing."""
    if reply is None:
        return "no reply in time"
    if reply.has_error():
        return str(reply.error.reason)
    record: Mapping[str, Any] = reply.content.config_records.get(SECURE, {})
    try:
        return None if _SENSIBLE[stage](record, reply.content, length) else "not a reply to that"
    except (KeyError, TypeError, ValueError, EOFError, AttributeError) as error:
        return f"not a reply to that ({type(error).__name__})"


def _has_keys(record: Mapping[str, Any], _: RecordDict, __: int) -> bool:
    for key in (Key.PUBLIC_KEY_1, Key.PUBLIC_KEY_2):
        bytes_to_public_key(record[key])
    return True


def _has_ciphertexts(record: Mapping[str, Any], _: RecordDict, __: int) -> bool:
    texts = record[Key.CIPHERTEXT_LIST]
    return len(record[Key.DESTINATION_LIST]) == len(texts) and _all_bytes(texts)


def _has_vector(record: Mapping[str, Any], content: RecordDict, length: int) -> bool:
    factor, values = (bytes_to_ndarray(data) for data in record[Key.MASKED_PARAMETERS])
    weight = fit_weight(content)
    shaped = factor.shape == (1,) and values.shape == (length,)
    return shaped and isfinite(weight) and weight > 0 and factor.dtype == values.dtype == np.int64


def _has_shares(record: Mapping[str, Any], _: RecordDict, __: int) -> bool:
    shares = record[Key.SHARE_LIST]
    return len(record[Key.NODE_ID_LIST]) == len(shares) and _all_bytes(shares)


def _all_bytes(values: Iterable[object]) -> bool:
    return all(isinstance(one, bytes) for one in values)


_SENSIBLE = {
    Stage.SETUP: _has_keys,
    Stage.SHARE_KEYS: _has_ciphertexts,
    Stage.COLLECT_MASKED_VECTORS: _has_vector,
    Stage.UNMASK: _has_shares,
}
