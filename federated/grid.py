# SPDX-License-Identifier: Apache-2.0
"""Flower's Grid over any sites that can be asked: in this process here, on actors elsewhere.

A strategy sees nothing but a Grid. Replies are sorted by site, because sums of floats depend on
their order; what a site cannot do becomes an error reply; what comes too late is left out.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from flwr.app import Context, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid

from federated.flower import FIRST_SITE, Run, empty_run, failure, number, site_context
from sim.errors import InputError

Answers = Callable[[Sequence[Message], Sequence[Context]], list[Message]]
"""The replies of some sites to messages with the same content, given what each site keeps."""


class Sites(Protocol):
    """Where ClientApps run, and their data are."""

    @property
    def count(self) -> int:
        """How many there are, numbered from 0."""
        ...

    def ask(
        self, messages: Sequence[tuple[int, Message]], timeout_s: float | None
    ) -> Iterable[Message]:
        """Replies to messages to sites, in any order; those that came too late are missing."""
        ...


class SiteGrid(Grid):
    """Messages go to sites and their replies come back."""

    def __init__(self, sites: Sites, run_id: int = 1) -> None:
        self._sites = sites
        self._run = empty_run(run_id)
        self._replies: dict[str, Message] = {}

    def set_run(self, run: Run) -> None:
        """Flower names the run it is in."""
        self._run = run

    @property
    def run(self) -> Run:
        """The run."""
        return self._run

    def create_message(
        self,
        content: RecordDict,
        message_type: str,
        dst_node_id: int,
        group_id: str,
        ttl: float | None = None,
    ) -> Message:
        """A message to a site."""
        return Message(content, dst_node_id, message_type, ttl=ttl, group_id=group_id)

    def get_node_ids(self) -> Iterable[int]:
        """All sites, whether they answer or not."""
        return [FIRST_SITE + site for site in range(self._sites.count)]

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Ask, and keep the replies until they are pulled."""
        asked = list(messages)
        replies = self._ask(asked, None)
        self._replies |= {reply.metadata.reply_to_message_id: reply for reply in replies}
        return [message.metadata.message_id for message in asked]

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """The replies that are there; each can be had once."""
        return [self._replies.pop(one) for one in message_ids if one in self._replies]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterable[Message]:
        """Ask, and wait for the replies, ``timeout`` seconds at most.

        Raises:
            InputError: a message is to a site that does not exist.
        """
        return self._ask(list(messages), timeout)

    def _ask(self, messages: list[Message], timeout_s: float | None) -> list[Message]:
        addressed = []
        for message in messages:
            site = message.metadata.dst_node_id - FIRST_SITE
            if not 0 <= site < self._sites.count:
                raise InputError(
                    f"a message is to node {message.metadata.dst_node_id}; there are "
                    f"{FIRST_SITE} to {FIRST_SITE + self._sites.count - 1}"
                )
            number(message)
            addressed.append((site, message))
        replies = self._sites.ask(addressed, timeout_s)
        return sorted(replies, key=lambda reply: reply.metadata.src_node_id)


class LocalSites:
    """All sites in this process: for tests, small runs, and to look into with a debugger.

    A site keeps its Context, and with it its state, from message to message.

    Args:
        answers: what the sites do; see :func:`one_by_one` for a ClientApp.
        count: how many there are.
        block: so many neighbours at most are asked together.
    """

    def __init__(self, answers: Answers, count: int, block: int = 1, run_id: int = 1) -> None:
        if count < 1:
            raise InputError(f"sites is {count}; allowed: 1 or more")
        self._answers = answers
        self._block = block
        self._contexts = [site_context(run_id, site, count) for site in range(count)]

    @property
    def count(self) -> int:
        """How many."""
        return len(self._contexts)

    def ask(
        self, messages: Sequence[tuple[int, Message]], timeout_s: float | None
    ) -> Iterable[Message]:
        """Nobody can be interrupted here; who has not begun when the time is over is left out."""
        started_s = time.monotonic()
        for together in blocks(messages, self._block):
            if timeout_s is not None and time.monotonic() - started_s > timeout_s:
                return
            contexts = [self._contexts[site] for site, _ in together]
            yield from answer(self._answers, [message for _, message in together], contexts)


def blocks(messages: Sequence[tuple[int, Message]], size: int) -> list[list[tuple[int, Message]]]:
    """Messages that can be answered together: the same content, to neighbouring sites.

    Which sites are neighbours depends on their numbers alone, so that sums of floats are the same
    wherever and with whomever the sites live.
    """
    found: dict[tuple[int, int], list[tuple[int, Message]]] = {}
    for site, message in messages:
        found.setdefault((id(message.content), site // size), []).append((site, message))
    return list(found.values())


def one_by_one(app: ClientApp) -> Answers:
    """A ClientApp, which may be anybody's: whatever it raises becomes an error reply."""

    def one(message: Message, context: Context) -> Message:
        try:
            return app(message, context)
        except Exception as error:
            return failure(message, f"{type(error).__name__}: {error}")

    return lambda messages, contexts: list(map(one, messages, contexts))


def answer(
    answers: Answers, messages: Sequence[Message], contexts: Sequence[Context]
) -> list[Message]:
    """The replies; whatever is raised becomes the error reply of all who were asked."""
    try:
        return answers(messages, contexts)
    except Exception as error:
        return [failure(message, f"{type(error).__name__}: {error}") for message in messages]
