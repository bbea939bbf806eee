# SPDX-License-Identifier: Apache-2.0
"""The actors of a training on Ray: who is asked for which group, and who stands in for the dead."""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ray

from agents.learning.actor import index_of
from agents.learning.options import Setup
from agents.learning.rollout import Arrays
from cluster.standing_in import StandIns
from cluster.training.answers import Reference, fetch, first_of
from cluster.training.failures import Lost, Part, Remedy, on_lost
from cluster.training.hosts import ActorHost
from sim.errors import InputError

log = logging.getLogger(__name__)

MOST_CALLS = 2
"""In flight at a host: the next one is there when it answers, and no more is stale when it dies."""
LOOK_S = 1.0
"""Between looks at the clock while hosts begin."""
PATIENCE_S = 30.0
"""Time that all hosts may take to begin before those that have begin without them."""


@dataclass(frozen=True)
class Stand:
    """Where a group stands: the index of its next rollout, and a reference to its position."""

    index: int = 0
    position: tuple[Reference, ...] = ()


@dataclass(frozen=True, eq=False)
class Call:
    """In flight: a group's next rollout, or the beginning of a host when there is no group."""

    seat: int
    host: Any
    group: int | None = None
    rollout: Reference = None
    position: Reference = None


@dataclass(frozen=True, eq=False)
class Collected:
    """A rollout that a learner can be given."""

    group: int
    rollout: Reference


class Crew:
    """Hosts of actors. Groups stay with a host as long as it lives; see :class:`StandIns`.

    Needs a running Ray. The hosts end when it is closed.

    Args:
        setup: of the training.
        actors: hosts; those for which the cluster has no core join when it has one.
    """

    def __init__(self, setup: Setup, actors: int) -> None:
        self._setup = setup
        self._stand_ins = StandIns(actors)
        self._hosts: dict[int, Any] = {}
        self._stands: dict[int, Stand] = {}
        self._calls: dict[Reference, Call] = {}
        self._asked: list[int] = []
        self._deaths: Counter[int] = Counter()
        self._weights: tuple[Reference, int] | None = None
        for seat in range(actors):
            self._start(seat)

    def muster(self, patience_s: float = PATIENCE_S) -> None:
        """Wait until as many hosts have begun as there are cores, or after a while until one has.

        Raises:
            InputError: none can begin.
        """
        cluster: Any = ray
        wanted = min(len(self._hosts), int(cluster.cluster_resources().get("CPU", 1)))
        end_s = time.monotonic() + patience_s
        while not (up := len(self._stand_ins.up)) or (up < wanted and time.monotonic() < end_s):
            for reference in first_of(list(self._calls), LOOK_S):
                self._settle(reference)
        if missing := len(self._hosts) - up:
            log.warning("%d of %d actors have not begun; it goes on", missing, len(self._hosts))

    def rewind(self, positions: Mapping[int, Arrays]) -> None:
        """All groups stand there, or at their beginnings; what they were asked is forgotten."""
        self._asked.clear()
        # The beginnings of hosts count on.
        self._calls = {ref: call for ref, call in self._calls.items() if call.group is None}
        self._stands = {
            group: Stand(index_of(position), (ray.put(position),))
            for group, position in positions.items()
        }

    def act_by(self, weights: Reference, version: int) -> None:
        """Who is asked from now on acts by these parameters."""
        self._weights = weights, version
        self._fill()

    def ask(self, groups: Iterable[int]) -> None:
        """Want the next rollout of each group."""
        self._asked += groups
        self._fill()

    def wait(self, other: Reference | None = None) -> list[Collected]:
        """Wait until a host answers, or the other reference is there; the rollouts that came.

        Raises:
            InputError: an environment or a host fails every time.
            Lost: data that a host needed.
        """
        found = first_of([*self._calls, *([] if other is None else [other])])
        settled = [self._settle(reference) for reference in found if reference in self._calls]
        self._fill()
        return [one for one in settled if one is not None]

    @property
    def positions(self) -> dict[int, Arrays]:
        """Where the groups stand that have answered.

        Raises:
            Lost: nobody knows any more.
        """
        return {g: fetch(stand.position[0], Part.DATA) for g, stand in self._stands.items()}

    def close(self) -> None:
        """End the hosts, so that their cores are free."""
        for host in self._hosts.values():
            ray.kill(host)

    def _start(self, seat: int) -> None:
        remote: Any = ray.remote(ActorHost).options(num_cpus=1, max_restarts=0)
        host = self._hosts[seat] = remote.remote(self._setup)
        self._stand_ins.lost(seat)  # until it has begun
        self._calls[host.begun.remote()] = Call(seat, host)

    def _fill(self) -> None:
        """Ask the hosts that are up, in the order in which it was wanted."""
        busy = Counter(call.seat for call in self._calls.values() if call.group is not None)
        waiting, self._asked = self._asked, []
        for group in waiting:
            seat = self._stand_ins.host_of(group)
            if seat in self._stand_ins.up and busy[seat] < MOST_CALLS:
                busy[seat] += 1
                self._send(seat, group)
            else:
                self._asked.append(group)

    def _send(self, seat: int, group: int) -> None:
        assert self._weights is not None
        stand, host = self._stands.get(group, Stand()), self._hosts[seat]
        collect = host.collect.options(num_returns=3)
        done, rollout, position = collect.remote(group, stand.index, stand.position, *self._weights)
        self._calls[done] = Call(seat, host, group, rollout, position)

    def _settle(self, reference: Reference) -> Collected | None:
        """Take an answer in."""
        call = self._calls.pop(reference)
        try:
            index = fetch(reference, Part.ACTOR)
        except Lost as lost:
            if lost.part is not Part.ACTOR:
                raise
            self._lost(call, lost)
            return None
        if call.group is None:
            self._stand_ins.back(call.seat)
            return None
        self._deaths[call.seat] = 0
        self._stands[call.group] = Stand(index + 1, (call.position,))
        return Collected(call.group, call.rollout)

    def _lost(self, call: Call, lost: Lost) -> None:
        if call.group is not None:
            self._asked.insert(0, call.group)
        if self._hosts[call.seat] is not call.host:
            return  # another of its calls has told so before
        self._deaths[call.seat] += 1
        decision = on_lost(Part.ACTOR, self._deaths[call.seat], lost.cause)
        if decision.remedy is Remedy.GIVE_UP:
            raise InputError(decision.reason)
        log.warning("%s; replaced", decision.reason)
        ray.kill(call.host)
        self._start(call.seat)
