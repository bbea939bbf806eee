# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from torch.nn import functional

from quantum.programmer import SlowProgrammer, UpdateRule

ROWS, COLUMNS = 2, 3


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def affine(module: SlowProgrammer, name: str, z: torch.Tensor) -> torch.Tensor:
    return functional.linear(
        z, module.get_parameter(f"{name}.weight"), module.get_parameter(f"{name}.bias")
    )


def step(module: SlowProgrammer, x: torch.Tensor, w: torch.Tensor, squash: bool) -> torch.Tensor:
    """One step of one sample, as the papers write it."""
    z = affine(module, "encoder", x)
    if squash:
        z = torch.tanh(z)
    d = torch.outer(affine(module, "row_head", z), affine(module, "column_head", z))
    match module.rule:
        case UpdateRule.ADDITIVE:
            return w + d
        case UpdateRule.DECAY:
            return torch.sigmoid(module.decay_logit) * w + d
        case UpdateRule.GATED:
            g = torch.sigmoid(affine(module, "old_gate", z))
            return g * w + (1 - g) * d
        case UpdateRule.BOUNDED:
            return torch.tanh(affine(module, "old_gate", z)) * w + affine(module, "new_gate", z) * d


@pytest.mark.parametrize("squash", [False, True])
@pytest.mark.parametrize("rule", UpdateRule)
def test_every_rule_is_what_its_paper_writes(rule: UpdateRule, squash: bool) -> None:
    module = SlowProgrammer(2, ROWS, COLUMNS, rule, squash=squash, generator=generator()).double()
    x = 3 * torch.randn(2, 7, 2, generator=generator(1), dtype=torch.float64)
    start = torch.randn(2, ROWS, COLUMNS, generator=generator(2), dtype=torch.float64)
    reset = torch.zeros(2, 7).bool()
    reset[1, 4] = True
    weights = module(module.latent(x), start, reset)
    for sample in range(2):
        w = start[sample]
        for t in range(7):
            w = step(module, x[sample, t], w * (not reset[sample, t]), squash)
            torch.testing.assert_close(weights[sample, t], w, atol=1e-12, rtol=0)


def test_a_learned_decay_starts_at_nine_tenths() -> None:
    module = SlowProgrammer(1, ROWS, COLUMNS, UpdateRule.DECAY, generator=generator())
    assert module.decay_logit.requires_grad
    assert torch.sigmoid(module.decay_logit).item() == pytest.approx(0.9, abs=1e-6)


def test_a_decay_near_one_is_near_the_additive_rule_but_sees_the_order() -> None:
    additive, decay = (
        SlowProgrammer(2, ROWS, COLUMNS, rule, decay=1 - 1e-9, generator=generator()).double()
        for rule in (UpdateRule.ADDITIVE, UpdateRule.DECAY)
    )
    x = torch.randn(1, 5, 2, generator=generator(1), dtype=torch.float64)
    zero = torch.zeros(1, ROWS, COLUMNS, dtype=torch.float64)
    weights = [m(m.latent(x), zero, None) for m in (additive, decay)]
    difference = (weights[0] - weights[1]).abs().max()
    assert 1e-12 < difference < 1e-7
