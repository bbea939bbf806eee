# SPDX-License-Identifier: Apache-2.0
"""The models: a recurrent core, and an affine read-out of its last output.

Sizes are those of the released code of arXiv 2402.17760 (QFWP) and of the two forms of the quantum
LSTM; the classical models are the nearest in the number of parameters.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from agents.forecasting.options import ModelName
from quantum.classical import GRU, LSTM, AdditiveFWP, DeltaFWP
from quantum.core import Core
from quantum.fast_weights import QFWP
from quantum.initialise import linear
from quantum.programmer import UpdateRule
from quantum.qlstm import FourCircuitQLSTM, SixCircuitQLSTM
from sim.errors import InputError

Make = Callable[[int, torch.Generator], "Forecaster"]
"""The number of features and a generator of initial values in, a model out."""


class Forecaster(nn.Module):
    """Maps windows ``[B, T, F]`` to forecasts ``[B, 1]``, in float64.

    Args:
        core: the memory.
        generator: of the initial values of the read-out, torch's defaults.
        front: what inputs pass through before the core, if anything.
    """

    def __init__(
        self, core: Core[Any], generator: torch.Generator, front: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.front = front
        self.core = core
        self.readout = linear(core.num_outputs, 1, generator)
        self.double()

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Read the last output."""
        forecasts: torch.Tensor = self.readout(self.features(windows))
        return forecasts

    def features(self, windows: torch.Tensor) -> torch.Tensor:
        """What the read-out sees, ``[B, num_outputs]``: the last output of the core.

        Circuits of earlier steps that only outputs need are left out.
        """
        inputs = windows if self.front is None else self.front(windows)
        outputs: torch.Tensor = self.core(inputs, last=1)[0]
        return outputs[:, -1]

    @property
    def num_parameters(self) -> int:
        """Numbers that training changes."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    def num_circuits(self, windows: int, length: int) -> int:
        """How many circuits one forward pass over so many windows evaluates."""
        return self.core.num_circuits(windows, length, last=1)


def make_model(name: ModelName, features: int, generator: torch.Generator) -> Forecaster:
    """A fresh model; all of its initial values come from the generator.

    Raises:
        InputError: the name is that of a predictor without training.
    """
    if name not in _MODELS:
        raise InputError(f"model is {str(name)!r}; allowed: {', '.join(_MODELS)}")
    return _MODELS[name](features, generator)


def _bare(make: Callable[..., Core[Any]], **sizes: Any) -> Make:
    """A model that is a core of these sizes and its read-out."""
    return lambda features, g: Forecaster(make(features, generator=g, **sizes), g)


def _delta(features: int, generator: torch.Generator) -> Forecaster:
    """Keys and values of the delta rule have no bias, so a single input needs an affine front.

    It is the first map of the other fast weight programmers, z = E x + e.
    """
    front = linear(features, LATENT, generator)
    core = DeltaFWP(LATENT, values=4, keys=3, generator=generator)
    return Forecaster(core, generator, front)


LATENT = 8
_MODELS: Mapping[ModelName, Make] = {
    ModelName.QFWP: _bare(QFWP, rule=UpdateRule.ADDITIVE),
    ModelName.QFWP_DECAY: _bare(QFWP, rule=UpdateRule.DECAY),
    ModelName.QFWP_GATED: _bare(QFWP, rule=UpdateRule.GATED),
    ModelName.QFWP_BOUNDED: _bare(QFWP, rule=UpdateRule.BOUNDED),
    ModelName.QLSTM: _bare(SixCircuitQLSTM, hidden=3, layers=2),
    ModelName.QLSTM4: _bare(FourCircuitQLSTM, hidden=5, layers=5),
    ModelName.LSTM: _bare(LSTM, hidden=4),
    ModelName.GRU: _bare(GRU, hidden=5),
    ModelName.FWP: _bare(AdditiveFWP, rows=2, columns=LATENT),
    ModelName.DELTA: _delta,
}
