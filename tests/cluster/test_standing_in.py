# SPDX-License-Identifier: Apache-2.0
"""Which host has which sites when some are down."""

from cluster.standing_in import StandIns


def where(hosts: StandIns, blocks: int = 6) -> list[int]:
    return [hosts.host_of(block) for block in range(blocks)]


def test_everybody_is_at_home_while_all_hosts_are_up() -> None:
    assert where(StandIns(3)) == [0, 1, 2, 0, 1, 2]


def test_blocks_of_a_lost_host_are_shared_and_go_back() -> None:
    hosts = StandIns(3)
    hosts.lost(1)
    assert where(hosts) == [0, 0, 2, 0, 2, 2]
    assert hosts.up == [0, 2]
    assert hosts.back(1) == [(1, 0), (4, 2)]
    assert where(hosts) == [0, 1, 2, 0, 1, 2]


def test_a_guest_moves_on_when_its_host_is_lost_too() -> None:
    hosts = StandIns(3)
    hosts.lost(1)
    where(hosts)
    hosts.lost(0)
    assert where(hosts) == [2] * 6
    assert hosts.back(0) == [(0, 2), (3, 2)]
    assert hosts.back(1) == [(1, 2), (4, 2)]


def test_a_guest_goes_home_when_its_host_is_lost_and_home_is_up() -> None:
    hosts = StandIns(3)
    hosts.lost(1)
    where(hosts)
    hosts.back(1)
    hosts.lost(0)
    assert hosts.host_of(1) == 1


def test_when_nobody_is_up_blocks_wait_at_home_and_nothing_is_handed_back() -> None:
    hosts = StandIns(2)
    hosts.lost(0)
    assert hosts.host_of(0) == 1
    hosts.lost(1)
    assert where(hosts, 4) == [0, 1, 0, 1]
    assert hosts.back(0) == []
    assert hosts.host_of(0) == 0


def test_what_a_lost_stand_in_had_is_not_handed_back() -> None:
    hosts = StandIns(3)
    hosts.lost(1)
    where(hosts)
    hosts.lost(0)
    assert hosts.back(1) == [(4, 2)]
