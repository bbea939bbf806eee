# SPDX-License-Identifier: Apache-2.0
"""All that we touch of Flower's inside: an upgrade that moves it fails here first. What only secure
aggregation needs is in federated/flower_secure.py.

Flower's Message API is public, but only Flower's own engines are meant to carry messages: identity,
message numbers and an empty run have no public names. Tested against the pinned version.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import numpy as np
from flwr.app import Context, Error, Message, RecordDict
from flwr.supercore.run import Run as Run
from flwr.supercore.task_identity import TaskIdentity

SERVER_ID = 1
"""The node that messages to sites come from; sites are numbered from FIRST_SITE."""
FIRST_SITE = 2
TASK_ID = 1
UNKNOWN_ERROR = 0
"""Flower's code of an error that is none of its own."""


def empty_run(run_id: int) -> Run:
    """A run without an app, as strategies ask for one and read only its number."""
    return Run.create_empty(run_id)


@contextmanager
def identity(run_id: int) -> Iterator[None]:
    """Inside, this process may make messages to sites, as the server of a run."""
    before = TaskIdentity._run_id, TaskIdentity._node_id, TaskIdentity._task_id
    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = run_id, SERVER_ID, TASK_ID
    try:
        yield
    finally:
        TaskIdentity._run_id, TaskIdentity._node_id, TaskIdentity._task_id = before


def number(message: Message) -> str:
    """Give a message an identifier, as Flower's server would; its reply refers to it."""
    identifier = uuid4().hex
    message.metadata.__dict__["_message_id"] = identifier
    return identifier


def exchange(message: Message, content: RecordDict) -> Message:
    """The same message with another content, so that what many have in common travels once."""
    made: Any = Message
    exchanged: Message = made(content, metadata=message.metadata)
    return exchanged


def rename_sender(message: Message, node: int) -> None:
    """Have a message come from another node."""
    message.metadata.__dict__["_src_node_id"] = node


def failure(message: Message, reason: str) -> Message:
    """The reply of a site that could not do what the message asks."""
    return Message(Error(code=UNKNOWN_ERROR, reason=reason), reply_to=message)


def site_context(run_id: int, site: int, sites: int) -> Context:
    """What a ClientApp knows of where it is; its state lasts as long as this object."""
    config: dict[str, bool | float | int | str] = {"partition-id": site, "num-partitions": sites}
    return Context(
        run_id=run_id,
        node_id=FIRST_SITE + site,
        node_config=config,
        state=RecordDict(),
        run_config={},
    )


@contextmanager
def globally_seeded(seed: int) -> Iterator[None]:
    """Inside, Python's and numpy's global generators, from which Flower draws, begin at a seed.

    Args:
        seed: below 2**32.
    """
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
