# SPDX-License-Identifier: Apache-2.0
"""Where blocks of sites are asked: at home, or while their host is away at another one."""


class StandIns:
    """Block ``b`` is at home at host ``b % hosts``.

    Args:
        hosts: how many there are, all up.
    """

    def __init__(self, hosts: int) -> None:
        self._hosts = hosts
        self._down: set[int] = set()
        self._guests: dict[int, int] = {}  # blocks that are not at home, and where they are

    @property
    def up(self) -> list[int]:
        """Hosts that can be asked."""
        return [host for host in range(self._hosts) if host not in self._down]

    def host_of(self, block: int) -> int:
        """Where to ask a block now; at home too when nobody is up, and then it has to wait."""
        home = block % self._hosts
        where = self._guests.get(block, home)
        if where not in self._down:
            return where
        up = self.up
        chosen = up[block // self._hosts % len(up)] if up and home in self._down else home
        self._guests[block] = chosen
        return chosen

    def lost(self, host: int) -> None:
        """A host died."""
        self._down.add(host)

    def back(self, host: int) -> list[tuple[int, int]]:
        """A host is there again; its blocks that others have, and the hosts that have them."""
        self._down.discard(host)
        moved = [(b, where) for b, where in self._guests.items() if b % self._hosts == host]
        for block, _ in moved:
            del self._guests[block]
        return [(block, where) for block, where in moved if where not in {host} | self._down]
