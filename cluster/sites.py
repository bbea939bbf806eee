# SPDX-License-Identifier: Apache-2.0
"""Sites on Ray: long-lived actors, each the host of several sites that keep what they know.

Unlike the workers of trials, hosts are restarted in place, so that a site stays with its host. What
a killed host was asked is asked again; the state of its sites begins anew.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ray
from flwr.app import Message, RecordDict
from flwr.clientapp import ClientApp
from ray.exceptions import RayError

from federated.flower import exchange, failure, site_context
from federated.grid import answer
from sim.errors import InputError

RETRIES = 3
"""Times that a host is asked again after it died while it answered."""


class Host:
    """The plain class behind the actors.

    Args:
        make_app: called once, here, so that nothing of it travels.
        sites: numbers of those that live here, of ``count`` in all.
    """

    def __init__(
        self, make_app: Callable[[], ClientApp], sites: Sequence[int], count: int, run_id: int
    ) -> None:
        self._app = make_app()
        self._contexts = {site: site_context(run_id, site, count) for site in sites}

    def answer(self, site: int, head: Message, content: RecordDict) -> Message:
        """The reply of a site; ``head`` is the message without its content."""
        return answer(self._app, exchange(head, content), self._contexts[site])


class RaySites:
    """Sites dealt out in turn to hosts of one core each; see :class:`federated.grid.Sites`.

    Needs a running Ray. The hosts end with this object.
    """

    def __init__(
        self, make_app: Callable[[], ClientApp], count: int, workers: int, run_id: int = 1
    ) -> None:
        if count < 1 or workers < 1:
            raise InputError(f"sites is {count} and workers is {workers}; allowed: 1 or more")
        hosts = min(workers, count)
        actor: Any = ray.remote(Host).options(num_cpus=1, max_restarts=-1, max_task_retries=RETRIES)
        self._count = count
        self._hosts = [
            actor.remote(make_app, range(first, count, hosts), count, run_id)
            for first in range(hosts)
        ]

    @property
    def count(self) -> int:
        """How many."""
        return self._count

    def ask(
        self, messages: Sequence[tuple[int, Message]], timeout_s: float | None
    ) -> Iterable[Message]:
        """What many messages have in common is put into the object store once."""
        contents: dict[int, Any] = {}
        calls: dict[Any, Message] = {}
        for site, message in messages:
            key = id(message.content)
            if key not in contents:
                contents[key] = ray.put(message.content)
            head = exchange(message, RecordDict())
            host = self._hosts[site % len(self._hosts)]
            calls[host.answer.remote(site, head, contents[key])] = message
        done, late = ray.wait(list(calls), num_returns=len(calls), timeout=timeout_s)
        for call in late:
            ray.cancel(call)  # what has not begun yet; what has, ends unheard
        return [_reply(call, calls[call]) for call in done]


def _reply(call: Any, message: Message) -> Message:
    """What a host said, or that it is lost."""
    try:
        reply: Message = ray.get(call)
    except RayError as error:
        return failure(message, f"{type(error).__name__}: {str(error).splitlines()[0]}")
    return reply
