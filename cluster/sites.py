# SPDX-License-Identifier: Apache-2.0
"""Sites on Ray: long-lived actors, each the host of several sites that keep what they know.

Unlike the workers of trials, hosts are restarted in place, so that a site stays with its host. But
a new process takes seconds to import what it needs. Until then the other hosts stand in for one
that died: they are asked what it was asked, and then hand its sites back with what these learnt
since. What the sites knew before begins anew.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import ray
from flwr.app import Context, Message, RecordDict
from ray import cloudpickle
from ray.exceptions import ObjectLostError, RayActorError, RayError

from cluster.standing_in import StandIns
from federated.flower import exchange, failure, site_context
from federated.grid import Answers, answer, blocks
from sim.errors import InputError

ATTEMPTS = 3
"""Times that sites are asked in a round, when hosts die while they answer."""
DIED = (RayActorError, ObjectLostError)
"""How a host is known to be gone: it says nothing, or what it said was lost with its machine."""
Block = Sequence[tuple[int, Message]]
"""Messages that are answered together, with their sites."""


class Host:
    """The plain class behind the actors.

    Args:
        make_answers: called once, here, so that nothing of it travels.
        count: of sites in all, any of which may be asked here.
    """

    def __init__(self, make_answers: Callable[[], Answers], count: int, run_id: int) -> None:
        self._answers = make_answers()
        self._new_context = partial(site_context, run_id, sites=count)
        self._contexts: dict[int, Context] = {}

    def answer(
        self, sites: Sequence[int], heads: Sequence[Message], content: RecordDict
    ) -> list[Message]:
        """The replies of sites; the heads are the messages without their common content."""
        self._contexts |= {s: self._new_context(s) for s in sites if s not in self._contexts}
        messages = [exchange(head, content) for head in heads]
        return answer(self._answers, messages, [self._contexts[site] for site in sites])

    def begun(self) -> bool:
        """Whether it is there; nobody hears it before."""
        return True

    def leave(self, block: int, size: int) -> dict[int, Context]:
        """A block of sites moves out; what they take along."""
        gone = [site for site in self._contexts if site // size == block]
        return {site: self._contexts.pop(site) for site in gone}

    def move_in(self, contexts: dict[int, Context]) -> None:
        """Sites come, with what they know."""
        self._contexts |= contexts


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
        self._count, self._block = count, block
        # On different machines, where there are several: not all hosts are lost with one.
        actor: Any = ray.remote(Host).options(
            num_cpus=1, max_restarts=-1, scheduling_strategy="SPREAD"
        )
        # As bytes a reference is never given up, and a host that is restarted needs it again.
        pickle: Any = cloudpickle
        make = partial(_answers, pickle.dumps(ray.put(make_answers)))
        hosts = min(workers, -(-count // block))
        self._hosts = [actor.remote(make, count, run_id) for _ in range(hosts)]
        self._stand_ins = StandIns(hosts)
        self._restarts: dict[int, Any] = {}
        """Hosts that died, and what is answered when they are there again."""

    @property
    def count(self) -> int:
        """How many."""
        return self._count

    def ask(
        self, messages: Sequence[tuple[int, Message]], timeout_s: float | None
    ) -> Iterable[Message]:
        """What many messages have in common is put into the object store once."""
        end_s = None if timeout_s is None else time.monotonic() + timeout_s
        self._welcome_back()
        contents = {id(message.content): message.content for _, message in messages}
        shared = {key: ray.put(content) for key, content in contents.items()}
        replies: list[Message] = []
        waiting: list[Block] = list(blocks(messages, self._block))
        for left in reversed(range(ATTEMPTS)):
            calls = dict(self._send(block, shared) for block in waiting)
            waiting = []
            for call in _done(list(calls), end_s):
                host, block = calls[call]
                try:
                    replies += ray.get(call)
                except RayError as error:
                    died = isinstance(error, DIED)
                    if died:
                        self._lost(host)
                    if died and left:
                        waiting.append(block)
                    else:
                        replies += _failures(block, error)
            if not waiting:
                break
        return replies

    def close(self) -> None:
        """End the hosts, so that their cores are free."""
        for host in self._hosts:
            ray.kill(host)

    def _send(self, block: Block, shared: Mapping[int, Any]) -> tuple[Any, tuple[int, Block]]:
        """The call, and which host was asked what."""
        sites, messages = [site for site, _ in block], [message for _, message in block]
        heads = [exchange(message, RecordDict()) for message in messages]
        host = self._stand_ins.host_of(sites[0] // self._block)
        # Where nobody can stand in, Ray asks again when the host has begun anew.
        retries = 0 if len(self._stand_ins.up) > 1 else ATTEMPTS
        content = shared[id(messages[0].content)]
        ask = self._hosts[host].answer.options(max_task_retries=retries)
        return ask.remote(sites, heads, content), (host, block)

    def _lost(self, host: int) -> None:
        self._stand_ins.lost(host)
        self._restarts[host] = self._hosts[host].begun.options(max_task_retries=-1).remote()

    def _welcome_back(self) -> None:
        """Sites go home to hosts that have begun anew, with what they know."""
        begun = [host for host, sign in self._restarts.items() if ray.wait([sign], timeout=0)[0]]
        for host in begun:
            del self._restarts[host]
            for block, where in self._stand_ins.back(host):
                known = self._hosts[where].leave.remote(block, self._block)
                self._hosts[host].move_in.remote(known)


def _answers(reference: bytes) -> Answers:
    """What a host does; the task may be large, so it travels once to each machine."""
    made: Answers = ray.get(cloudpickle.loads(reference))()
    return made


def _done(calls: list[Any], end_s: float | None) -> list[Any]:
    """The calls that end in time."""
    left_s = None if end_s is None else max(0.0, end_s - time.monotonic())
    done, late = ray.wait(calls, num_returns=len(calls), timeout=left_s)
    for call in late:
        ray.cancel(call)  # what has not begun yet; what has, ends unheard
    return done


def _failures(block: Block, error: RayError) -> list[Message]:
    """What a host that is lost would have said."""
    reason = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return [failure(message, reason) for _, message in block]
