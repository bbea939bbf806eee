# SPDX-License-Identifier: Apache-2.0
"""A daemon that is started again when it dies."""

from collections.abc import Callable

from cluster.deployment.errors import DeploymentFailed
from cluster.deployment.processes import Daemon
from cluster.deployment.restarts import pause_s

Say = Callable[[str], None]


class Kept:
    """Keeps a daemon alive.

    Args:
        start: starts it.
        mourn: called when it has died.
        say: tells people.
        daemons: where those that run are listed, for who ends them at last.
    """

    def __init__(
        self,
        start: Callable[[], Daemon],
        mourn: Callable[[Daemon], None],
        say: Say,
        daemons: list[Daemon],
    ) -> None:
        self._start, self._mourn, self._say, self._daemons = start, mourn, say, daemons
        self._deaths_s: list[float] = []
        self._due_s: float | None = None
        self.daemon = start()
        daemons.append(self.daemon)

    @property
    def alive(self) -> bool:
        """Whether it ran when it was last looked at."""
        return self._due_s is None

    def look(self, now_s: float) -> bool:
        """See to it; call this often.

        Returns:
            Whether it has just been started again.

        Raises:
            DeploymentFailed: it dies again and again.
        """
        if self._due_s is None:
            if self.daemon.look() is not None:
                self._bury(now_s)
            return False
        if now_s < self._due_s:
            return False
        self._due_s = None
        self.daemon = self._start()
        self._daemons.append(self.daemon)
        self._say(f"{self.daemon.name} started again")
        return True

    def _bury(self, now_s: float) -> None:
        self.daemon.end()
        self._daemons.remove(self.daemon)
        self._deaths_s.append(now_s)
        pause = pause_s(self._deaths_s, now_s)
        name, why = self.daemon.name, self.daemon.last_words()
        if pause is None:
            raise DeploymentFailed(f"{name} dies all the time: {why}")
        self._say(f"{name} died: {why}; it is started again in {pause:g} s")
        self._due_s = now_s + pause
        self._mourn(self.daemon)
