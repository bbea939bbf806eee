# SPDX-License-Identifier: Apache-2.0
"""The measurements of agents, as small as they go: what they compare is alike, and they end."""

import sys

import numpy as np
import pytest

from agents.learning.options import ActOptions, Algorithm
from benchmarks.agents import cpu, qfwp
from benchmarks.agents.bare import BareLoop
from benchmarks.agents.measuring import cpu_us_per_step
from benchmarks.agents.ours import Ours
from benchmarks.agents.paper_loop import Net, PaperLoop


def test_a_round_calls_every_route_in_turn() -> None:
    calls: list[str] = []
    routes = {name: lambda name=name: calls.append(name) or 2 for name in "ab"}  # type: ignore[misc]
    us = cpu_us_per_step(routes, rounds=2, least_s=0)
    assert calls == ["a", "b"] * 3
    assert {name: values.shape for name, values in us.items()} == {"a": (2,), "b": (2,)}


@pytest.mark.parametrize("part", ["act", "step", "choose", "learn"])
def test_parts_of_ours_count_actions_and_not_resets(part: str) -> None:
    ours = Ours(cpu.setup_of(4, Algorithm.PPO))
    counted = sum(getattr(ours, part)() for _ in range(3))
    assert ours.parameters == cpu.PARAMETERS
    assert 0.8 * 3 * 128 < counted < 3 * 128  # episodes of CartPole take some twenty actions


def test_the_bare_loop_counts_the_same() -> None:
    bare = BareLoop(2, cpu.HIDDEN, 32)
    assert 0.8 * 3 * 64 < sum(bare.act() for _ in range(3)) < 3 * 64
    assert 0.8 * 3 * 64 < sum(bare.step() for _ in range(3)) < 3 * 64


def test_cpu_says_what_is_missing_and_ends_with_a_ratio(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "benchmarks.agents.rllib", None)
    (figure,) = cpu.measure(lanes=(4,), rounds=1, least_s=0)
    assert np.isfinite(figure.value)
    assert figure.title == "acting in 4 environments, ours / bare loop"
    said = capsys.readouterr().out
    assert "RLlib is missing" in said
    assert "bookkeeping" in said


def test_the_net_of_the_paper_is_ours() -> None:
    qfwp.require_same_net()
    assert sum(p.numel() for p in Net("backprop").parameters()) == 2530


def test_the_loop_of_the_paper_learns_and_begins_again() -> None:
    loop = PaperLoop(qfwp.ENVIRONMENT, "backprop")
    before = [p.clone() for p in loop.shared.parameters()]
    assert loop.segment() == 5
    assert float(loop.memory.abs().sum()) > 0
    assert any(not p.equal(q) for p, q in zip(before, loop.shared.parameters(), strict=True))
    assert all(
        p.equal(q) for p, q in zip(loop.local.parameters(), loop.shared.parameters(), strict=True)
    )
    loop.environment.unwrapped.step_count = loop.environment.unwrapped.max_steps - 2  # type: ignore[attr-defined]
    assert loop.segment() == 2
    assert float(loop.memory.abs().sum()) == 0


def test_qfwp_ends_with_every_ratio() -> None:
    figures = qfwp.measure(ActOptions(1, 4, 5), rounds=1, least_s=0)
    assert len(figures) == 9
    assert all(figure.value > 0 for figure in figures)
