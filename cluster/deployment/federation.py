# SPDX-License-Identifier: Apache-2.0
"""The processes of a deployment on this host: started in order, and kept alive until it is over."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Never

from cluster.deployment import commands
from cluster.deployment.environment import flower_environment
from cluster.deployment.errors import DeploymentFailed
from cluster.deployment.flower_node import take_offline
from cluster.deployment.keeping import Kept, Say
from cluster.deployment.layout import Layout
from cluster.deployment.options import LOOPBACK, WILDCARDS, Deploy
from cluster.deployment.processes import Daemon, listens, output_of
from cluster.deployment.security import Security
from cluster.deployment.status import (
    RunStatus,
    check_registered,
    online_nodes,
    read_run_id,
    read_status,
)

LOOK_S = 0.5
PATIENCE_S = 5.0


@dataclass(frozen=True)
class AppRun:
    """A run of the app, and the process that shows its log and ends with it."""

    run_id: str
    log: Daemon


class Federation:
    """What runs on this host.

    Args:
        options: what to run.
        security: who trusts whom.
        layout: its files, all written.
        daemons: where the processes are listed, for who ends them.
        say: tells people what happens.
    """

    def __init__(
        self,
        options: Deploy,
        security: Security,
        layout: Layout,
        daemons: list[Daemon],
        say: Say,
    ) -> None:
        self._options, self._security, self._layout = options, security, layout
        self._daemons, self._say = daemons, say
        self._environment = flower_environment(layout.flower)

    def serve(self) -> RunStatus:
        """Run the app on a SuperLink and the nodes of this host, until it is over.

        A SuperLink that died knows its nodes, and its run has failed: so the run is submitted
        again, and the app finds its own checkpoint.

        Raises:
            DeploymentFailed: a process does not start, or dies all the time, or Flower refuses.
        """
        link = self._keep(self._superlink, lambda _: None)
        nodes: list[Kept] | None = None
        run: AppRun | None = None
        while True:
            if link.look(time.monotonic()) or not link.alive:
                self._forget(run)
                run = None
            for node in nodes or ():
                node.look(time.monotonic())
            if nodes is None and not link.alive:
                raise DeploymentFailed(f"the SuperLink ended: {link.daemon.last_words()}")
            if link.alive and self._answers():
                nodes = self._admit_nodes() if nodes is None else nodes
                run = run or self._submit()
                if run is not None and (done := self._outcome(run)):
                    return done
            time.sleep(LOOK_S)

    def host_nodes(self) -> Never:
        """Keep the nodes of this host alive, until somebody interrupts.

        Raises:
            DeploymentFailed: one dies all the time, such as one that is not registered.
        """
        nodes = self._keep_nodes()
        while True:
            for node in nodes:
                node.look(time.monotonic())
            time.sleep(LOOK_S)

    def _keep(self, start: Callable[[], Daemon], mourn: Callable[[Daemon], None]) -> Kept:
        return Kept(start, mourn, self._say, self._daemons)

    def _keep_nodes(self) -> list[Kept]:
        return [
            self._keep(partial(self._supernode, node), partial(self._take_offline, node))
            for node in self._options.here
        ]

    def _superlink(self) -> Daemon:
        database, server = self._layout.database, self._security.server
        command = commands.superlink(self._options, database, server)
        return Daemon("superlink", command, self._environment, self._layout.log("superlink"))

    def _supernode(self, node: int) -> Daemon:
        name, files = f"node-{node}", self._security
        key = files.private.get(node)
        command = commands.supernode(self._options, node, files.ca, key, files.loopback)
        # A home of its own, as on a host of its own: all unpack the app there.
        environment = flower_environment(self._layout.flower / name)
        return Daemon(name, command, environment, self._layout.log(name))

    def _take_offline(self, node: int, dead: Daemon) -> None:
        key, ca = self._security.private.get(node), self._security.ca
        if key is not None and ca is not None and dead.log is not None:
            take_offline(self._options.address, ca, key, dead.log)

    def _answers(self) -> bool:
        listening = self._options.listening
        host = LOOPBACK if listening in WILDCARDS else listening
        return listens(host, self._options.port)

    def _admit_nodes(self) -> list[Kept]:
        for key in self._security.public:
            check_registered(self._flwr("supernode", "register", str(key), commands.CONNECTION))
        return self._keep_nodes()

    def _submit(self) -> AppRun | None:
        """None as long as nodes of other hosts are missing: the app would not wait for long."""
        if self._options.role == "server" and not self._complete():
            time.sleep(PATIENCE_S)
            return None
        config = ["--run-config", str(self._layout.run_config)]
        app = str(self._layout.app)
        run_id = read_run_id(self._flwr("run", app, commands.CONNECTION, *config))
        self._say(f"run {run_id} submitted")
        return AppRun(run_id, self._show(run_id))

    def _complete(self) -> bool:
        online = online_nodes(self._flwr("supernode", "list", commands.CONNECTION))
        if online < self._options.nodes:
            self._say(f"{online} of {self._options.nodes} nodes are online")
        return online >= self._options.nodes

    def _show(self, run_id: str) -> Daemon:
        command = commands.flwr("log", run_id, commands.CONNECTION, "--stream")
        shown = Daemon("log", command, self._environment, None)
        self._daemons.append(shown)
        return shown

    def _forget(self, run: AppRun | None) -> None:
        if run is not None:
            run.log.end()
            self._daemons.remove(run.log)

    def _outcome(self, run: AppRun) -> RunStatus | None:
        """How the run ended; None if it did not, or the SuperLink does not say."""
        if run.log.look() is None:
            return None
        told = self._flwr("ls", commands.CONNECTION, "--run-id", run.run_id)
        status = read_status(told)
        return status if status is not None and status.finished else None

    def _flwr(self, *arguments: str) -> str:
        command = commands.flwr(*arguments, "--format", "json")
        return output_of(command, self._environment)
