# SPDX-License-Identifier: Apache-2.0
"""The measurements of agents, as small as they go: what they compare is alike, and they end."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.learning.options import ActOptions, Algorithm
from benchmarks.agents import actors, cpu, empty, memory, qfwp
from benchmarks.agents.bare import BareLoop
from benchmarks.agents.measuring import cpu_us_per_step
from benchmarks.agents.ours import Ours
from benchmarks.agents.paper_loop import Net, PaperLoop
from benchmarks.agents.processes import ACTOR, DRIVER, LEARNER, used
from benchmarks.agents.returns import curve_table
from cluster.comparison_options import Compare


def test_a_round_calls_every_route_in_turn() -> None:
    calls: list[str] = []
    routes = {name: lambda name=name: calls.append(name) or 2 for name in "ab"}  # type: ignore[misc]
    us = cpu_us_per_step(routes, rounds=2, least_s=0)
    assert calls == ["a", "b"] * 3
    assert {name: values.shape for name, values in us.items()} == {"a": (2,), "b": (2,)}


@pytest.mark.parametrize(
    "part", ["act", "step", "choose", pytest.param("learn", marks=pytest.mark.slow)]
)
def test_parts_of_ours_count_actions_and_not_resets(part: str) -> None:
    ours = Ours(cpu.setup_of(4, Algorithm.PPO))
    counted = sum(getattr(ours, part)() for _ in range(3))
    assert ours.parameters == cpu.PARAMETERS
    assert 0.8 * 3 * 128 < counted < 3 * 128  # episodes of CartPole take some twenty actions


def test_the_bare_loop_counts_the_same() -> None:
    bare = BareLoop(2, cpu.HIDDEN, 32)
    assert 0.8 * 3 * 64 < sum(bare.act() for _ in range(3)) < 3 * 64
    assert 0.8 * 3 * 64 < sum(bare.step() for _ in range(3)) < 3 * 64


@pytest.mark.slow
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


@pytest.mark.slow
def test_qfwp_ends_with_every_ratio() -> None:
    figures = qfwp.measure(ActOptions(1, 4, 5), rounds=1, least_s=0)
    assert len(figures) == 9
    assert all(figure.value > 0 for figure in figures)


def test_free_cores_allow_what_their_busiest_process_does() -> None:
    us = {ACTOR: 200.0, LEARNER: 40.0, DRIVER: 10.0}
    assert actors.most(us, actors=1, cores=4) == pytest.approx(5000)
    assert actors.most(us, actors=2, cores=4) == pytest.approx(10000)
    assert actors.most(us, actors=2, cores=2) == pytest.approx(8000)  # 250 us on two cores


def test_this_process_is_the_driver() -> None:
    before = used()
    sum(range(10**6))
    after = used()
    assert after.cpu_s[DRIVER] > before.cpu_s[DRIVER]
    assert after.cpu_s[ACTOR] == 0
    assert after.clock_s > before.clock_s


@pytest.mark.ray
@pytest.mark.usefixtures("ray_instance")
def test_actors_ends_with_a_ratio() -> None:
    figures = actors.measure(engines=("compiled MiniGrid",), rounds=1, least_s=0)
    assert len(figures) == 5
    assert all(figure.value > 0 for figure in figures)


def tiny(options: Compare, out: Path) -> Compare:
    return replace(
        options,
        policies=("qfwp", "lstm"),
        seeds=2,
        steps=64,
        episodes=2,
        workers=0,
        act=ActOptions(1, 4, 8),
        out=str(out),
    )


def test_empty_and_memory_say_what_each_core_returned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = empty.measure(tiny(empty.OPTIONS, tmp_path / "empty"))
    assert [figure.target for figure in found] == [0.95, None, 0.95, None]
    found = memory.measure(tiny(memory.OPTIONS, tmp_path / "memory"))
    assert [figure.target for figure in found] == [None, None, 0.9]
    assert "MiniGrid-MemoryS7-v0" in capsys.readouterr().out


def test_a_curve_is_read_at_the_stretch_that_holds_the_step() -> None:
    rows = [
        {"env": "e", "policy": "p", "steps": [100, 200], "returns": [float(seed), None]}
        for seed in range(4)
    ]
    assert curve_table(rows, [100, 150]).splitlines()[-1] == "| e | p | 1.500 | – |"
