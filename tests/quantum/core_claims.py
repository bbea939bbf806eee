# SPDX-License-Identifier: Apache-2.0
"""What is true of every recurrent core. A claim takes a function that builds the core."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.func import functional_call

from quantum.core import Core, LSTMState
from quantum.errors import CircuitError

Build = Callable[[torch.Generator], Core[Any]]
BATCH, STEPS = 3, 6
CPU = torch.device("cpu")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(build: Build, seed: int = 0) -> Core[Any]:
    """The core in float64, with all its entries of order one: small angles would hide errors."""
    core = build(generator(seed)).double()
    with torch.no_grad():
        for parameter in core.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator(7)).double(), alpha=0.5)
    return core


def sequence(core: Core[Any], steps: int = STEPS) -> torch.Tensor:
    return torch.randn(BATCH, steps, core.features, generator=generator(1), dtype=torch.float64)


RESET = torch.tensor([[0, 0, 1, 0, 0, 1], [1, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0]]).bool()


def tensors(state: Any) -> tuple[torch.Tensor, ...]:
    return (state,) if isinstance(state, torch.Tensor) else tuple(state)


def assert_close(left: Any, right: Any, tolerance: float = 1e-12) -> None:
    for a, b in zip(tensors(left), tensors(right), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=tolerance)


def acting_step_by_step_equals_learning_at_once(build: Build) -> None:
    core = built(build)
    x = sequence(core)
    for reset in (None, RESET):
        whole, end = core(x, None, reset)
        state, outputs = None, []
        for t in range(STEPS):
            output, state = core(x[:, t : t + 1], state, reset if reset is None else RESET[:, [t]])
            outputs.append(output)
        assert whole.shape == (BATCH, STEPS, core.num_outputs)
        assert_close(torch.cat(outputs, 1), whole)
        assert_close(state, end)


def a_sequence_may_be_cut_anywhere(build: Build) -> None:
    core = built(build)
    x = sequence(core)
    whole, _ = core(x, None, RESET)
    for cut in range(1, STEPS):
        first, state = core(x[:, :cut], None, RESET[:, :cut])
        second, _ = core(x[:, cut:], state, RESET[:, cut:])
        assert_close(torch.cat([first, second], 1), whole)


def a_reset_is_a_fresh_start(build: Build) -> None:
    core = built(build)
    x = sequence(core)
    _, full = core(x)
    outputs, state = core(x, full, RESET)
    fresh, end = core(x[:1, 5:])
    assert_close(outputs[:1, 5:], fresh)
    assert_close([s[:1] for s in tensors(state)], tensors(end))
    middle, _ = core(x[:1, 2:5])
    assert_close(outputs[:1, 2:5], middle)
    carried, _ = core(x, full)
    assert (carried[0, 5] - fresh[0, 0]).abs().max() > 1e-6


def the_memory_matters(build: Build) -> None:
    core = built(build)
    x = sequence(core)
    other = x.clone()
    other[:, 0] += 0.5
    assert (core(x)[0][:, -1] - core(other)[0][:, -1]).abs().max() > 1e-7
    assert core(x)[0].flatten(0, 1).std(0).min() > 1e-6


def the_last_output_alone_has_the_same_value_and_gradients(build: Build) -> None:
    core = built(build)
    x = sequence(core)
    found = []
    for last in (None, 1, 2):
        outputs, state = core(x, None, RESET, last)
        loss = (outputs[:, -1:] ** 2).sum() + sum(s.sin().sum() for s in tensors(state))
        found.append([outputs[:, -1:], *torch.autograd.grad(loss, list(core.parameters()))])
        assert outputs.shape == (BATCH, last or STEPS, core.num_outputs)
    assert_close(tuple(found[0]), tuple(found[1]))
    assert_close(tuple(found[0]), tuple(found[2]))
    assert core.num_circuits(BATCH, STEPS, 1) <= core.num_circuits(BATCH, STEPS)
    assert core.num_circuits(BATCH, STEPS, STEPS) == core.num_circuits(BATCH, STEPS)


def a_state_is_one_row_of_numbers(build: Build) -> None:
    core = built(build)
    x = sequence(core)
    _, state = core(x[:, :4])
    flat = core.flat(state)
    assert flat.shape == (BATCH, core.state_size)
    assert core.state_size == sum(s[0].numel() for s in tensors(state))
    again = core.unflat(flat)
    assert type(again) is type(state)
    assert_close(again, state, 0)
    assert_close(core(x[1:2, 4:], core.unflat(flat[1:2]))[0], core(x[:, 4:], state)[0][1:2])
    with pytest.raises(CircuitError, match=rf"flat state .*expected \[batch, {core.state_size}\]"):
        core.unflat(flat.repeat(1, 2) if core.state_size else torch.zeros(BATCH, 1))


def _as_function(core: Core[Any]) -> tuple[Callable[..., torch.Tensor], tuple[torch.Tensor, ...]]:
    """Everything that is differentiable, of two rows and three steps with a reset."""
    names = [name for name, _ in core.named_parameters()]
    x = sequence(core)[:2, :3]
    state = core.initial_state(2, torch.float64, CPU)
    start = [
        0.3 * torch.randn(s.shape, generator=generator(3)).double()
        for s in tensors(state)
        if core.state_size
    ]
    reset = torch.tensor([[0, 0, 1], [0, 0, 0]]).bool()

    def function(x: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
        begin = rest[: len(start)]
        whole = LSTMState(*begin) if len(start) > 1 else begin[0] if start else None
        values = dict(zip(names, rest[len(start) :], strict=True))
        outputs, end = functional_call(core, values, (x, whole, reset))
        return torch.cat([outputs.flatten(), *(s.flatten() for s in tensors(end))])

    arguments = (x, *start, *core.parameters())
    return function, tuple(a.detach().clone().requires_grad_() for a in arguments)


def gradients_are_right(build: Build) -> None:
    function, arguments = _as_function(built(build))
    assert torch.autograd.gradcheck(function, arguments)


def second_derivatives_are_right(build: Build) -> None:
    function, arguments = _as_function(built(build))
    assert torch.autograd.gradgradcheck(function, arguments, fast_mode=True)


def copies_and_pickles_compute_the_same(build: Build) -> None:
    core = built(build)
    x = sequence(core)
    expected = core(x)[0]
    for twin in (copy.deepcopy(core), pickle.loads(pickle.dumps(core))):
        assert torch.equal(twin(x)[0], expected)
        assert repr(twin) == repr(core)
    other = build(generator(5)).double()
    assert not torch.equal(other(x)[0], expected)
    other.load_state_dict(core.state_dict())
    assert torch.equal(other(x)[0], expected)


def only_the_generator_decides_the_initial_values(build: Build) -> None:
    before = torch.get_rng_state()
    first, again, other = (nn.utils.parameters_to_vector(build(generator(s)).parameters())
                           for s in (3, 3, 4))  # fmt: skip
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def float32_stays_float32(build: Build) -> None:
    core = build(generator())
    outputs, state = core(sequence(core).float(), None, RESET)
    assert {outputs.dtype, *(s.dtype for s in tensors(state))} == {torch.float32}


def wrong_shapes_are_named(build: Build) -> None:
    core = build(generator())
    f = core.features
    with pytest.raises(CircuitError, match=rf"\(3, 6, {f + 1}\).*expected .*, {f}\]"):
        core(torch.zeros(BATCH, STEPS, f + 1))
    with pytest.raises(CircuitError, match=r"x has shape \(3, 6\)"):
        core(torch.zeros(BATCH, STEPS))
    with pytest.raises(CircuitError, match="steps >= 1"):
        core(torch.zeros(BATCH, 0, f))
    with pytest.raises(CircuitError, match=r"reset is \(3, 5\).*\(3, 6\)"):
        core(torch.zeros(BATCH, STEPS, f), None, RESET[:, 1:])
    with pytest.raises(CircuitError, match=r"torch\.int64.*torch\.bool"):
        core(torch.zeros(BATCH, STEPS, f), None, RESET.long())
    for last in (0, -1, STEPS + 1):
        with pytest.raises(CircuitError, match=f"last is {last}; allowed: 1 to {STEPS}"):
            core(torch.zeros(BATCH, STEPS, f), last=last)


def policy_gradients(build: Build) -> list[torch.Tensor]:
    """Of weighted log-probabilities of actions over a sequence with resets, by the parameters."""
    core = built(build)
    heads = nn.Linear(core.num_outputs, 3, dtype=torch.float64)
    with torch.no_grad():
        for number, part in enumerate(heads.parameters()):
            part.copy_(torch.randn(part.shape, generator=generator(20 + number)))
    actions = torch.randint(3, (BATCH, STEPS, 1), generator=generator(5))
    advantages = torch.randn(BATCH, STEPS, generator=generator(6)).double()
    start = 0.3 * torch.randn(BATCH, core.state_size, generator=generator(3)).double()
    outputs, _ = core(sequence(core), core.unflat(start), RESET)
    chosen = heads(outputs).log_softmax(-1).gather(-1, actions).squeeze(-1)
    return list(torch.autograd.grad((chosen * advantages).sum(), list(core.parameters())))


WITHOUT_MEMORY = (
    acting_step_by_step_equals_learning_at_once,
    a_sequence_may_be_cut_anywhere,
    the_last_output_alone_has_the_same_value_and_gradients,
    a_state_is_one_row_of_numbers,
    gradients_are_right,
    second_derivatives_are_right,
    copies_and_pickles_compute_the_same,
    only_the_generator_decides_the_initial_values,
    float32_stays_float32,
    wrong_shapes_are_named,
)
CLAIMS = (*WITHOUT_MEMORY, a_reset_is_a_fresh_start, the_memory_matters)


def name(claim: object) -> str:
    """The identifier of a parametrised test."""
    return getattr(claim, "__name__", str(claim))
