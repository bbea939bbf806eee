# SPDX-License-Identifier: Apache-2.0
"""Sites by number over Flower's own engines, whose nodes have random names in every run.

Sums of floats depend on the order of replies, and records name sites; so each node is asked once
which site it is, and from then on a strategy sees the numbers that it would see on our own hosts.
"""

import time
from collections.abc import Iterable

from flwr.app import Message, RecordDict
from flwr.serverapp import Grid

from federated.flower import FIRST_SITE, Run, rename_sender
from federated.records import SITE, metric
from sim.errors import InputError

LOOK_S = 0.2
QUERY = "query"


class NumberedGrid(Grid):
    """Another Grid, with its nodes in the order of their sites.

    Args:
        grid: Flower's.
        count: sites of the federation; the others' nodes are left alone.
        patience_s: how long to wait for nodes that have not come yet, or that have gone.
    """

    def __init__(self, grid: Grid, count: int, patience_s: float = 120.0) -> None:
        self._grid = grid
        self._count = count
        self._patience_s = patience_s
        self._sites: dict[int, int] = {}  # by node, whoever ever was there

    def set_run(self, run: Run) -> None:
        """As the inner one."""
        self._grid.set_run(run)

    @property
    def run(self) -> Run:
        """As the inner one's."""
        return self._grid.run

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
        """The sites, waited for if some are missing.

        Raises:
            InputError: two nodes say that they are the same site, or some stay away.
        """
        deadline_s = time.monotonic() + self._patience_s
        while len(there := self._nodes()) < self._count:
            if time.monotonic() > deadline_s:
                missing = sorted(set(range(self._count)) - set(there))
                raise InputError(
                    f"clients is {self._count}; no node says that it is site "
                    f"{', '.join(map(str, missing[:5]))}, in {self._patience_s:g} s"
                )
            time.sleep(LOOK_S)
        return [FIRST_SITE + site for site in range(self._count)]

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """To the nodes of the sites."""
        nodes = self._nodes()
        return self._grid.push_messages(self._addressed(list(messages), nodes))

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """From the sites."""
        return self._numbered(self._grid.pull_messages(message_ids))

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterable[Message]:
        """To the sites that are there, and from them; replies are sorted by site."""
        addressed = self._addressed(list(messages), self._nodes())
        replies = self._numbered(self._grid.send_and_receive(addressed, timeout=timeout))
        return sorted(replies, key=lambda reply: reply.metadata.src_node_id)

    def _nodes(self) -> dict[int, int]:
        """The nodes that are there now, by site; newcomers are asked who they are."""
        there = list(self._grid.get_node_ids())
        self._ask([node for node in there if node not in self._sites])
        nodes: dict[int, int] = {}
        for node in there:
            site = self._sites.get(node, -1)
            if 0 <= site < self._count and nodes.setdefault(site, node) != node:
                raise InputError(f"partition-id is {site} at two nodes; each site needs its own")
        return nodes

    def _ask(self, nodes: list[int]) -> None:
        if not nodes:
            return
        questions = [Message(RecordDict(), node, QUERY) for node in nodes]
        for reply in self._grid.send_and_receive(questions, timeout=self._patience_s):
            site = metric(reply, SITE)
            if site is not None:
                self._sites[reply.metadata.src_node_id] = int(site)

    def _addressed(self, messages: list[Message], nodes: dict[int, int]) -> list[Message]:
        found = []
        for message in messages:
            node = nodes.get(message.metadata.dst_node_id - FIRST_SITE)
            if node is not None:
                message.metadata.dst_node_id = node
                found.append(message)
        return found

    def _numbered(self, replies: Iterable[Message]) -> list[Message]:
        found = []
        for reply in replies:
            site = self._sites.get(reply.metadata.src_node_id)
            if site is not None:
                rename_sender(reply, FIRST_SITE + site)
                found.append(reply)
        return found
