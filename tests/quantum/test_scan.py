# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quantum.errors import CircuitError
from quantum.scan import linear_loop, linear_scan

Case = tuple[torch.Tensor | None, torch.Tensor, torch.Tensor, torch.Tensor | None]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    batch, steps, width = draw(st.integers(1, 4)), draw(st.integers(0, 40)), draw(st.integers(1, 3))
    numbers = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=numbers, dtype=torch.float64)

    gates = 1.2 * torch.tanh(2 * normal(batch, steps, draw(st.sampled_from([1, width]))))
    gates = gates.masked_fill(normal(*gates.shape) > 1.2, 0)
    chance = draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    reset = torch.rand(batch, steps, generator=numbers) < chance
    return (
        gates if draw(st.booleans()) else None,
        normal(batch, steps, width),
        normal(batch, width),
        reset if draw(st.booleans()) else None,
    )


def size(case: Case) -> float:
    """The largest sum of absolute terms: what rounding is relative to."""
    gates, updates, initial, reset = case
    gates = None if gates is None else gates.abs()
    return max(linear_loop(gates, updates.abs(), initial.abs(), reset).max().item(), 1.0)


@given(cases())
def test_the_scan_is_the_loop(case: Case) -> None:
    scanned, looped = linear_scan(*case), linear_loop(*case)
    assert scanned.shape == case[1].shape
    if scanned.numel():
        assert (scanned - looped).abs().max() <= 1e-12 * size(case)


@given(cases())
def test_gradients_of_the_scan_are_those_of_the_loop(case: Case) -> None:
    gates, updates, initial, reset = case
    if not updates.numel():
        return
    leaves = [t.clone().requires_grad_() for t in (gates, updates, initial) if t is not None]
    found = []
    for recurrence in (linear_scan, linear_loop):
        values = [None, *leaves] if gates is None else leaves
        loss = recurrence(values[0], values[1], values[2], reset).sin().sum()  # type: ignore[arg-type]
        found.append(torch.autograd.grad(loss, leaves))
    for scanned, looped in zip(*found, strict=True):
        scale = max(looped.abs().max().item(), size(case), 1.0)
        torch.testing.assert_close(scanned, looped, rtol=0, atol=1e-11 * scale**2)


def test_first_and_second_derivatives_are_right() -> None:
    numbers = torch.Generator().manual_seed(0)
    gates, updates = (
        torch.randn(2, 5, 2, generator=numbers, dtype=torch.float64, requires_grad=True)
        for _ in range(2)
    )
    initial = torch.randn(2, 2, generator=numbers, dtype=torch.float64, requires_grad=True)
    reset = torch.rand(2, 5, generator=numbers) < 0.3
    assert reset.any()
    arguments = (gates, updates, initial)
    for flags in (None, reset):
        assert torch.autograd.gradcheck(lambda *a, f=flags: linear_scan(*a, f), arguments)
        assert torch.autograd.gradgradcheck(lambda *a, f=flags: linear_scan(*a, f), arguments)


def test_a_small_episode_behind_a_huge_one_keeps_all_its_digits() -> None:
    updates = torch.tensor([[1e18, 1.0, 1e-6]], dtype=torch.float64)
    reset = torch.tensor([[False, True, False]])
    initial = torch.zeros(1, dtype=torch.float64)
    assert linear_scan(None, updates, initial, reset)[0, 2].item() == 1.0 + 1e-6


def test_what_is_not_finite_ends_with_its_episode() -> None:
    updates = torch.tensor([[float("inf"), float("nan"), 2.0, 3.0]])
    reset = torch.tensor([[False, False, True, False]])
    gates = torch.full((1, 4), 0.5)
    for recurrence in (linear_scan, linear_loop):
        assert recurrence(gates, updates, torch.zeros(1), reset)[0, 2:].tolist() == [2.0, 4.0]


def test_gates_of_zero_forget_and_negative_gates_alternate() -> None:
    gates = torch.tensor([[-1.0, -1.0, 0.0, -1.0]])
    states = linear_scan(gates, torch.ones(1, 4), torch.full((1,), 3.0))
    assert states.tolist() == [[-2.0, 3.0, 1.0, 0.0]]


@pytest.mark.parametrize(
    ("gates", "updates", "initial", "reset", "message"),
    [
        (None, torch.zeros(3), torch.zeros(3), None, r"expected \[batch, steps, ...\]"),
        (None, torch.zeros(2, 3, 4), torch.zeros(2, 3), None, r"\(2, 3\).*need \(2, 4\)"),
        (torch.zeros(2, 3), torch.zeros(2, 3, 4), torch.zeros(2, 4), None, "3 dimensions"),
        (None, torch.zeros(2, 3), torch.zeros(2), torch.zeros(2, 3), "torch.float32.*of bool"),
        (None, torch.zeros(2, 3), torch.zeros(2), torch.zeros(2, 2).bool(), r"\(2, 2\).*\(2, 3\)"),
    ],
)
def test_shapes_that_do_not_fit_are_named(
    gates: torch.Tensor | None,
    updates: torch.Tensor,
    initial: torch.Tensor,
    reset: torch.Tensor | None,
    message: str,
) -> None:
    with pytest.raises(CircuitError, match=message):
        linear_scan(gates, updates, initial, reset)
