# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from quantum.classical import GRU, LSTM, AdditiveFWP, DeltaFWP
from quantum.errors import CircuitError
from quantum.programmer import UpdateRule
from tests.quantum.core_claims import CLAIMS, Build, built, generator, name, sequence, tensors

CORES: dict[str, Build] = {
    "additive": lambda g: AdditiveFWP(2, columns=3, generator=g),
    "decay": lambda g: AdditiveFWP(2, columns=3, rule=UpdateRule.DECAY, generator=g),
    "gated": lambda g: AdditiveFWP(2, columns=3, rule=UpdateRule.GATED, generator=g),
    "bounded": lambda g: AdditiveFWP(2, columns=3, rule=UpdateRule.BOUNDED, generator=g),
    "squashed": lambda g: AdditiveFWP(2, columns=3, squash=True, generator=g),
    "delta": lambda g: DeltaFWP(2, values=2, keys=3, generator=g),
    "lstm": lambda g: LSTM(2, hidden=3, generator=g),
    "gru": lambda g: GRU(2, hidden=3, generator=g),
}


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("claim", CLAIMS, ids=name)
def test_claim(claim: Callable[[Build], None], core: str) -> None:
    claim(CORES[core])


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_sizes_are_those_of_the_specification() -> None:
    assert count(AdditiveFWP(1)) + count(nn.Linear(2, 1)) == 109
    assert count(LSTM(1)) + count(nn.Linear(4, 1)) == 117
    front = count(nn.Linear(147, 8))
    heads = (count(nn.Linear(13, 8)), count(nn.Linear(16, 8)))
    assert front + count(LSTM(8, 13)) + heads[0] == 2492
    assert front + count(GRU(8, 16)) + heads[1] == 2568


@pytest.mark.parametrize(
    ("rule", "extra"),
    [(UpdateRule.ADDITIVE, 0), (UpdateRule.DECAY, 1), (UpdateRule.GATED, 9), ("bounded", 18)],
)
def test_a_rule_adds_only_its_gates(rule: UpdateRule, extra: int) -> None:
    assert count(AdditiveFWP(1, rule=rule)) == 106 + extra


def test_a_fixed_decay_is_not_learned_and_exact() -> None:
    core = AdditiveFWP(1, rule=UpdateRule.DECAY, decay=0.25, generator=generator()).double()
    assert count(core) == 106
    x = torch.zeros(1, 1, 1, dtype=torch.float64)
    _, unit = core(x)
    _, state = core(x, torch.ones(1, 2, 8, dtype=torch.float64))
    torch.testing.assert_close(
        state - unit, torch.full((1, 2, 8), 0.25).double(), atol=1e-15, rtol=0
    )


def episode_by_episode(
    core: LSTM | GRU, x: torch.Tensor, reset: torch.Tensor
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The definition: torch's own net on every episode of every row by itself, from zero."""
    net: nn.Module = core.lstm if isinstance(core, LSTM) else core.gru
    rows, ends = [], []
    for row, flags in zip(x, reset, strict=True):
        begins = [0, *(t for t in range(1, len(row)) if flags[t])]
        runs = [net(row[a:b]) for a, b in zip(begins, [*begins[1:], len(row)], strict=True)]
        rows.append(torch.cat([output for output, _ in runs]))
        ends.append(torch.cat(tensors(runs[-1][1]), 1))
    return torch.stack(rows), [torch.cat(ends)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_episodes_inside_a_batch_are_those_run_alone(
    kind: type[LSTM | GRU], share: float, dtype: torch.dtype
) -> None:
    core = kind(3, 5, generator=generator()).to(dtype)
    x = (10 * torch.randn(4, 12, 3, generator=generator(1))).to(dtype).requires_grad_()
    reset = torch.rand(4, 12, generator=generator(2)) < share
    leaves = [x, *core.parameters()]
    found = []
    for outputs, end in (core(x, None, reset), episode_by_episode(core, x, reset)):
        last = torch.cat(tensors(end), 1)
        slopes = torch.autograd.grad(outputs.sin().sum() + last.cos().sum(), leaves)
        found.append((outputs, last, *slopes))
    tolerance = 1e-12 if dtype is torch.float64 else 1e-6
    for ours, alone in zip(*found, strict=True):
        scale = max(1.0, alone.abs().max().item())
        torch.testing.assert_close(ours, alone, rtol=0, atol=tolerance * scale)


def test_the_additive_rule_is_unnormalised_linear_attention() -> None:
    core = built(CORES["additive"])
    assert isinstance(core, AdditiveFWP)
    x = sequence(core)
    z = core.programmer.latent(x)
    rows, columns = core.programmer.row_head(z), core.programmer.column_head(z)
    scores = torch.einsum("btc,bsc->bts", z, columns).tril()
    torch.testing.assert_close(core(x)[0], (scores @ rows).tanh(), atol=1e-12, rtol=0)


def test_the_delta_rule_overwrites_what_it_said_at_a_key() -> None:
    core = DeltaFWP(2, values=1, keys=2, generator=generator()).double()
    with torch.no_grad():
        core.to_rate.bias.fill_(60.0)  # a rate of one
        core.to_key.weight.copy_(torch.tensor([[0.0, -40.0], [0.0, 40.0]]))  # keys: unit vectors
        core.to_query.weight.copy_(core.to_key.weight)
        core.to_value.weight.copy_(torch.tensor([[1.0, 0.0]]))
    x = torch.tensor([[[3.0, 1.0], [5.0, -1.0], [-2.0, 1.0]]], dtype=torch.float64)
    # Values written: 3 at the second key, 5 at the first one, -2 over the 3.
    outputs, memory = core(x)
    torch.testing.assert_close(outputs.flatten(), x[0, :, 0], atol=0.2, rtol=0)
    torch.testing.assert_close(
        memory.flatten(), torch.tensor([5.0, -2.0]).double(), atol=0.2, rtol=0
    )


def test_the_delta_memory_stays_bounded_under_a_constant_input() -> None:
    core = DeltaFWP(1, generator=generator()).double()
    outputs, _ = core(torch.ones(1, 400, 1, dtype=torch.float64))
    additive, _ = AdditiveFWP(1, generator=generator()).double()(torch.ones(1, 400, 1).double())
    value = core.to_value(torch.ones(1, dtype=torch.float64))
    assert (outputs.abs() <= 2 * value.abs().max()).all()
    assert additive[0, -1].abs().max() > 0.99


@pytest.mark.parametrize("size", [0, -1])
@pytest.mark.parametrize(
    ("build", "field"),
    [
        (AdditiveFWP, "features"),
        (lambda n: AdditiveFWP(1, rows=n), "rows"),
        (lambda n: AdditiveFWP(1, columns=n), "columns"),
        (lambda n: DeltaFWP(1, values=n), "values"),
        (lambda n: DeltaFWP(1, keys=n), "keys"),
        (lambda n: LSTM(1, hidden=n), "hidden"),
        (lambda n: GRU(1, hidden=n), "hidden"),
    ],
)
def test_sizes_below_one_are_refused(
    build: Callable[[int], nn.Module], field: str, size: int
) -> None:
    with pytest.raises(CircuitError, match=f"{field} is {size}; allowed: 1 or more"):
        build(size)


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.5, float("nan")])
def test_a_decay_outside_the_unit_interval_is_refused(decay: float) -> None:
    with pytest.raises(CircuitError, match=r"decay is .*strictly between 0 and 1"):
        AdditiveFWP(1, rule=UpdateRule.DECAY, decay=decay)


def test_a_state_of_another_batch_is_refused() -> None:
    core = partial(AdditiveFWP(1), torch.zeros(2, 1, 1))
    with pytest.raises(CircuitError, match=r"\(3, 2, 8\).*need \(2, 2, 8\)"):
        core(torch.zeros(3, 2, 8))
