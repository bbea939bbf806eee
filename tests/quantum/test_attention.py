# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quantum.attention import CHUNK, linear_attention
from quantum.classical import AdditiveFWP
from quantum.errors import CircuitError
from quantum.programmer import UpdateRule
from quantum.scan import linear_loop
from tests.quantum.core_claims import generator

BATCH, ROWS, COLUMNS = 2, 3, 4


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64).requires_grad_()


def gates_of(kind: str, steps: int) -> torch.Tensor | None:
    free = drawn(5, BATCH, steps, 1)
    kinds = {
        "one": None,
        "within": free.sigmoid(),
        "signed": free.tanh(),
        "often zero": free.clamp(min=0).tanh(),
    }
    return kinds[kind]


def written_out(
    gates: torch.Tensor | None,
    rows: torch.Tensor,
    columns: torch.Tensor,
    queries: torch.Tensor,
    initial: torch.Tensor,
    reset: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The definition: the matrix of every step, one after the other, times its query."""
    updates = rows.unsqueeze(-1) * columns.unsqueeze(-2)
    weights = linear_loop(None if gates is None else gates.unsqueeze(-1), updates, initial, reset)
    late = weights[:, rows.shape[1] - queries.shape[1] :]
    return torch.einsum("btrc,btc->btr", late, queries), weights[:, -1]


@given(
    st.sampled_from(["one", "within", "signed", "often zero"]),
    st.sampled_from([1, 2, 7, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5]),
    st.floats(0, 1),
    st.sampled_from([None, 0.0, 0.1, 1.0]),
)
def test_reading_is_the_matrices_times_the_queries(
    kind: str, steps: int, part: float, share: float | None
) -> None:
    last = 1 + int(part * (steps - 1))
    rows, columns = drawn(1, BATCH, steps, ROWS), drawn(2, BATCH, steps, COLUMNS)
    queries, initial = drawn(3, BATCH, last, COLUMNS), drawn(4, BATCH, ROWS, COLUMNS)
    reset = None if share is None else torch.rand(BATCH, steps, generator=generator(6)) < share
    gates = gates_of(kind, steps)
    leaves = [rows, columns, queries, initial, *([] if gates is None else [gates])]
    found = []
    for function in (linear_attention, written_out):
        read, end = function(gates, rows, columns, queries, initial, reset)
        loss = read.sin().sum() + end.cos().sum()
        found.append((read, end, *torch.autograd.grad(loss, leaves)))
    for ours, expected in zip(*found, strict=True):
        scale = max(1.0, expected.abs().max().item())
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12 * scale)


def delta_written_out(
    values: torch.Tensor,
    keys: torch.Tensor,
    writes: torch.Tensor,
    queries: torch.Tensor,
    weights: torch.Tensor,
    reset: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The delta rule by its definition."""
    reads = []
    for t in range(values.shape[1]):
        if reset is not None:
            weights = torch.where(reset[:, t, None, None], 0.0, weights)
        error = values[:, t] - torch.einsum("brc,bc->br", weights, keys[:, t])
        weights = weights + torch.einsum("br,bc->brc", error, writes[:, t])
        reads.append(weights)
    late = torch.stack(reads, 1)[:, values.shape[1] - queries.shape[1] :]
    return torch.einsum("btrc,btc->btr", late, queries), weights


@pytest.mark.parametrize("share", [None, 0.0, 0.1, 1.0])
@pytest.mark.parametrize(("steps", "last"), [(1, 1), (7, 3), (CHUNK, CHUNK), (2 * CHUNK + 5, 80)])
def test_the_delta_rule_is_a_triangular_system(steps: int, last: int, share: float | None) -> None:
    values, keys = drawn(1, BATCH, steps, ROWS), drawn(2, BATCH, steps, COLUMNS)
    rates, initial = drawn(3, BATCH, steps, 1), drawn(4, BATCH, ROWS, COLUMNS)
    queries = drawn(5, BATCH, last, COLUMNS)
    reset = None if share is None else torch.rand(BATCH, steps, generator=generator(6)) < share
    leaves = [values, keys, rates, initial, queries]
    found = []
    for fast in (True, False):
        direction = keys.softmax(-1)
        writes = rates.sigmoid() * direction
        if fast:
            read, end = linear_attention(None, values, writes, queries, initial, reset, direction)
        else:
            read, end = delta_written_out(values, direction, writes, queries, initial, reset)
        loss = read.sin().sum() + end.cos().sum()
        found.append((read, end, *torch.autograd.grad(loss, leaves)))
    for ours, expected in zip(*found, strict=True):
        scale = max(1.0, expected.abs().max().item())
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize("rule", UpdateRule)
def test_in_single_precision_a_core_agrees_with_its_matrices(rule: UpdateRule) -> None:
    core = AdditiveFWP(5, 6, 7, rule, squash=True, generator=generator())
    x = torch.randn(3, 32, 5, generator=generator(1))
    reset = torch.rand(3, 32, generator=generator(2)) < 0.1
    latent = core.programmer.latent(x)
    weights = core.programmer(latent, torch.zeros(3, 6, 7), reset)
    outputs, end = core(x, None, reset)
    torch.testing.assert_close(
        outputs, torch.einsum("btrc,btc->btr", weights, latent).tanh(), rtol=0, atol=1e-6
    )
    torch.testing.assert_close(end, weights[:, -1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 4])
def test_a_state_of_another_size_is_refused(steps: int) -> None:
    core = AdditiveFWP(1, 2, 3, generator=generator())
    with pytest.raises(CircuitError, match=r"\(1, 2, 3\); the updates need \(4, 2, 3\)"):
        core(torch.zeros(4, steps, 1), torch.zeros(1, 2, 3))
