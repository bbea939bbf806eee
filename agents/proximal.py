# SPDX-License-Identifier: Apache-2.0
"""The proximal term of FedProx for trainers that have an optimizer and a loss of their own."""

from dataclasses import dataclass

from torch import Tensor, nn


def pull_back(module: nn.Module, mu: float) -> None:
    """The gradient of ``mu / 2`` times the squared distance from where the parameters are now
    (Li et al., arXiv 1812.06127) is added to every other that comes. With ``mu`` 0 nothing is done.
    """
    if mu == 0:
        return
    for parameter in module.parameters():
        parameter.register_hook(_Pull(parameter, parameter.detach().clone(), mu))


@dataclass(frozen=True, eq=False)
class _Pull:
    parameter: Tensor
    begun: Tensor
    mu: float

    def __call__(self, gradient: Tensor) -> Tensor:
        return gradient + self.mu * (self.parameter.detach() - self.begun)
