# SPDX-License-Identifier: Apache-2.0
"""From the name of a core to a policy of the wanted size."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import nn

from agents.policies.encoders import make_encoder
from agents.policies.options import CoreName, PolicyOptions
from agents.policies.policy import Policy
from quantum.classical import GRU, LSTM, MLP, AdditiveFWP, DeltaFWP
from quantum.core import Core
from quantum.fast_weights import QFWP, Front
from quantum.feedforward import VQC
from quantum.initialise import linear
from quantum.programmer import UpdateRule
from quantum.qlstm import FourCircuitQLSTM, SixCircuitQLSTM
from sim.environments.interface import Interface

WIDTH = 8
"""What the affine front of a classical core gives: as many numbers as the QFWP has qubits."""
QLSTM_WIDTH, QLSTM_HIDDEN = 4, 4
LARGEST = 4096


class Parts(NamedTuple):
    """What stands between the encoder and the heads."""

    front: nn.Module
    core: Core[Any]


Build = Callable[[int, int, torch.Generator], Parts]
"""Features of the encoder, a size, and a generator of initial values in."""


def make_policy(options: PolicyOptions, interface: Interface, generator: torch.Generator) -> Policy:
    """A fresh policy; all of its initial values come from the generator."""
    policy = _build(options, interface, _size(options, interface), generator)
    if options.initial_std is not None:
        _initialise(policy, options.initial_std, generator)
    return policy


def _build(
    options: PolicyOptions, interface: Interface, size: int, generator: torch.Generator
) -> Policy:
    encoder = make_encoder(interface, options.grid_encoding, generator)
    parts = _BUILD[options.core](encoder.features, size, generator)
    return Policy(encoder, *parts, interface.actions, generator)


def count_parameters(options: PolicyOptions, interface: Interface) -> int:
    """How many parameters a policy will have."""
    return _count(options, interface, _size(options, interface))


@cache
def _size(options: PolicyOptions, interface: Interface) -> int:
    """The size that brings the number of parameters nearest to the wanted one, by bisection."""
    if options.core in _FIXED:
        return 0
    wanted = options.match_params or _count(replace(options, core=CoreName.QFWP), interface, 0)
    low, high = 1, 2
    while high < LARGEST and _count(options, interface, high) < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _count(options, interface, middle) < wanted else (low, middle)
    return min(low, high, key=lambda size: abs(_count(options, interface, size) - wanted))


def _count(options: PolicyOptions, interface: Interface, size: int) -> int:
    return _build(options, interface, size, torch.Generator()).num_parameters


def _initialise(policy: Policy, std: float, generator: torch.Generator) -> None:
    """Affine maps as in the public code around arXiv 2402.17760: normal weights, no bias."""
    with torch.no_grad():
        for module in policy.modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(0, std, generator=generator)
                if module.bias is not None:
                    module.bias.zero_()


def _qfwp(rule: UpdateRule) -> Build:
    def build(features: int, _size: int, generator: torch.Generator) -> Parts:
        core = QFWP(
            features,
            measured=8,
            rule=rule,
            front=Front.LINEAR,
            squash=True,
            generator=generator,
        )
        return Parts(nn.Identity(), core)

    return build


def _classical(make: Callable[[int, int, torch.Generator], Core[Any]]) -> Build:
    """A core that grows, behind an affine front of constant width."""

    def build(features: int, size: int, generator: torch.Generator) -> Parts:
        front = linear(features, WIDTH, generator)
        return Parts(front, make(WIDTH, size, generator))

    return build


def _behind(width: int, make: Callable[[int, torch.Generator], Core[Any]]) -> Build:
    """A core of constant size, behind a front that grows: circuits are slow to simulate."""

    def build(features: int, size: int, generator: torch.Generator) -> Parts:
        front = nn.Sequential(
            linear(features, size, generator), nn.Tanh(), linear(size, width, generator)
        )
        return Parts(front, make(width, generator))

    return build


_FIXED = (CoreName.QFWP, CoreName.QFWP_DECAY, CoreName.QFWP_GATED, CoreName.QFWP_BOUNDED)
_BUILD: dict[CoreName, Build] = {
    CoreName.QFWP: _qfwp(UpdateRule.ADDITIVE),
    CoreName.QFWP_DECAY: _qfwp(UpdateRule.DECAY),
    CoreName.QFWP_GATED: _qfwp(UpdateRule.GATED),
    CoreName.QFWP_BOUNDED: _qfwp(UpdateRule.BOUNDED),
    CoreName.QLSTM: _behind(
        QLSTM_WIDTH, lambda w, g: SixCircuitQLSTM(w, QLSTM_HIDDEN, generator=g)
    ),
    CoreName.QLSTM4: _behind(
        QLSTM_WIDTH, lambda w, g: FourCircuitQLSTM(w, QLSTM_HIDDEN, 2, generator=g)
    ),
    CoreName.VQC: _behind(WIDTH, lambda w, g: VQC(w, generator=g)),
    CoreName.FWP: _classical(lambda w, n, g: AdditiveFWP(w, n, n, squash=True, generator=g)),
    CoreName.FWP_GATED: _classical(
        lambda w, n, g: AdditiveFWP(w, n, n, UpdateRule.GATED, squash=True, generator=g)
    ),
    CoreName.DELTA: _classical(lambda w, n, g: DeltaFWP(w, n, n, generator=g)),
    CoreName.LSTM: _classical(lambda w, n, g: LSTM(w, n, generator=g)),
    CoreName.GRU: _classical(lambda w, n, g: GRU(w, n, generator=g)),
    CoreName.MLP: _classical(lambda w, n, g: MLP(w, n, generator=g)),
}
