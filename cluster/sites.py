# SPDX-License-Identifier: Apache-2.0
"""Sites on Ray: long-lived actors, each the host of several sites that keep what they know.

Unlike the workers of trials, hosts are restarted in place, so that a site stays with its host. What
a killed host was asked is asked again; the state of its sites begins anew.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import ray
from flwr.app import Message, RecordDict
from ray import cloudpickle
from ray.exceptions import RayError

from federated.flower import exchange, failure, site_context
from federated.grid import Answers, answer, blocks
from sim.errors import InputError

RETRIES = 3
"""Times that a host is asked again after it died while it answered."""


class Host:
    """The plain class behind the actors.

    Args:
        make_answers: called once, here, so that nothing of it travels.
        sites: numbers of those that live here, of ``count`` in all.
    """

    def __init__(
        self, make_answers: Callable[[], Answers], sites: Sequence[int], count: int, run_id: int
    ) -> None:
        self._answers = make_answers()
        self._contexts = {site: site_context(run_id, site, count) for site in sites}

    def answer(
        self, sites: Sequence[int], heads: Sequence[Message], content: RecordDict
    ) -> list[Message]:
        """The replies of sites; the heads are the messages without their common content."""
        messages = [exchange(head, content) for head in heads]
        return answer(self._answers, messages, [self._contexts[site] for site in sites])


class RaySites:
    """Sites dealt out to hosts of one core each, in blocks; see :class:`federated.grid.Sites`.

    Needs a running Ray. The hosts end with this object, or when it is closed.

    Args:
        make_answers: makes what the sites do, once in every host.
        count: how many sites there are.
        workers: hosts at most.
        block: so many neighbours at most are asked together, in one call.
    """

    def __init__(
        self,
        make_answers: Callable[[], Answers],
        count: int,
        workers: int,
        block: int = 1,
        run_id: int = 1,
    ) -> None:
        if count < 1 or workers < 1:
            raise InputError(f"sites is {count} and workers is {workers}; allowed: 1 or more")
        hosts = min(workers, -(-count // block))
        actor: Any = ray.remote(Host).options(num_cpus=1, max_restarts=-1, max_task_retries=RETRIES)
        self._count, self._block = count, block
        homes = [[s for s in range(count) if s // block % hosts == host] for host in range(hosts)]
        # As bytes a reference is never given up, and a host that is restarted needs it again.
        pickle: Any = cloudpickle
        make = partial(_answers, pickle.dumps(ray.put(make_answers)))
        self._hosts = [actor.remote(make, home, count, run_id) for home in homes]

    @property
    def count(self) -> int:
        """How many."""
        return self._count

    def ask(
        self, messages: Sequence[tuple[int, Message]], timeout_s: float | None
    ) -> Iterable[Message]:
        """What many messages have in common is put into the object store once."""
        contents: dict[int, Any] = {}
        calls: dict[Any, list[Message]] = {}
        for together in blocks(messages, self._block):
            sites, asked = [site for site, _ in together], [message for _, message in together]
            content = asked[0].content
            if id(content) not in contents:
                contents[id(content)] = ray.put(content)
            heads = [exchange(message, RecordDict()) for message in asked]
            host = self._hosts[sites[0] // self._block % len(self._hosts)]
            calls[host.answer.remote(sites, heads, contents[id(content)])] = asked
        done, late = ray.wait(list(calls), num_returns=len(calls), timeout=timeout_s)
        for call in late:
            ray.cancel(call)  # what has not begun yet; what has, ends unheard
        return [reply for call in done for reply in _replies(call, calls[call])]

    def close(self) -> None:
        """End the hosts, so that their cores are free."""
        for host in self._hosts:
            ray.kill(host)


def _answers(reference: bytes) -> Answers:
    """What a host does; the task may be large, so it travels once to each machine."""
    made: Answers = ray.get(cloudpickle.loads(reference))()
    return made


def _replies(call: Any, messages: Sequence[Message]) -> list[Message]:
    """What a host said, or that it is lost."""
    try:
        replies: list[Message] = ray.get(call)
    except RayError as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        return [failure(message, reason) for message in messages]
    return replies
