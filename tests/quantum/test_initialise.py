# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from torch import nn

from quantum.initialise import linear, normal, uniform


@pytest.mark.parametrize("inputs", [1, 4, 100])
def test_linear_maps_start_as_those_of_torch(inputs: int) -> None:
    layer = linear(inputs, 2000, torch.Generator().manual_seed(0))
    bound = inputs**-0.5
    for values in (layer.weight, layer.bias):
        assert values.abs().max() <= bound
        assert values.min() < -0.98 * bound
        assert values.max() > 0.98 * bound
        assert values.mean().abs() < 0.1 * bound
        assert values.requires_grad
    theirs = nn.Linear(inputs, 2000)
    assert theirs.weight.abs().max() <= bound * (1 + 1e-6)
    assert theirs.weight.abs().max() > 0.98 * bound


def test_torch_modules_of_any_kind_are_filled_and_work() -> None:
    lstm = uniform(nn.LSTM, 0.5, torch.Generator().manual_seed(0), 3, 4, batch_first=True)
    assert all(0 < p.abs().max() <= 0.5 for p in lstm.parameters())
    assert lstm(torch.ones(2, 5, 3))[0].shape == (2, 5, 4)


def test_normal_entries_have_the_spread_that_was_asked_for() -> None:
    values = normal((100, 100), 0.01, torch.Generator().manual_seed(0))
    assert values.std().item() == pytest.approx(0.01, rel=0.05)
    assert abs(values.mean().item()) < 5e-4
