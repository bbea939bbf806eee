# SPDX-License-Identifier: Apache-2.0
"""The parameter-shift rule: derivatives as differences of outputs, for anything that has outputs.

With exp(-i a/2 P) an output is c + d cos(a) + e sin(a) in every single angle, so its derivative is
exactly [f(a + pi/2) - f(a - pi/2)] / 2 (Mitarai et al., arXiv 1803.00745; Schuld et al., arXiv
1811.11184). That stays true of means over shots and over Pauli errors, which is why a quantum
computer can be trained by it. The shifted outputs obey the rule as well, so applied to itself it
gives derivatives of every order.
"""

from collections.abc import Callable, Sequence
from math import pi
from typing import Any, cast

import torch

from quantum.circuit import Circuit
from quantum.engines import EngineName, MakeEngine, make_engine
from quantum.unshared import RotationAngles, depends, live_rotations, unshare

Evaluate = Callable[[torch.Tensor], torch.Tensor]
"""Angles ``[batch, rotations]`` to outputs ``[batch, observables]``; need not be differentiable."""

MAX_BATCH = 4096
"""Samples that are evaluated at once: enough for full speed, little enough for memory."""


def parameter_shift(
    evaluate: Evaluate, angles: torch.Tensor, rotations: Sequence[int] | None = None
) -> torch.Tensor:
    """``evaluate(angles)``, with the parameter-shift rule as its derivative of every order.

    A backward pass evaluates every sample at two angles for each rotation, in batches of up to
    :data:`MAX_BATCH`; where ``evaluate`` is random, each of them is drawn anew, and the gradient
    is unbiased if the outputs are.

    Args:
        evaluate: outputs that are, in the mean, a sine of each angle.
        angles: ``[batch, rotations]``.
        rotations: the columns to differentiate by, all by default; the others get zero.

    Returns:
        ``[batch, observables]``.
    """
    chosen = tuple(range(angles.shape[1])) if rotations is None else tuple(rotations)
    return cast(torch.Tensor, _Shifted.apply(evaluate, chosen, angles))


class ShiftEngine:
    """An engine that differentiates by parameter shift; see :class:`quantum.engines.Engine`.

    Only rotations that can change an output are shifted, and only those whose angle depends on
    what requires a gradient.

    Args:
        circuit: what is evaluated.
        make: the engine that evaluates it, exactly or not. It is made for the circuit's
            :func:`quantum.unshared.unshare`, and need not be differentiable.

    Raises:
        CircuitError: the engine cannot be made.
    """

    def __init__(self, circuit: Circuit, make: MakeEngine = make_engine) -> None:
        self.circuit = circuit
        self._angles = RotationAngles(circuit)
        self._live = live_rotations(circuit)
        self._engine = make(unshare(circuit))

    @property
    def name(self) -> EngineName:
        """The engine that it evaluates with."""
        return self._engine.name

    def __call__(self, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        """See :meth:`quantum.engines.interface.Engine.__call__`; differentiable at every order."""
        wanted = [k for k in self._live if depends(
            self.circuit.angles[k],
            inputs=inputs.requires_grad, parameters=parameters.requires_grad,
        )]  # fmt: skip
        return parameter_shift(self._evaluate, self._angles(inputs, parameters), wanted)

    def _evaluate(self, angles: torch.Tensor) -> torch.Tensor:
        return self._engine(angles[:, :0], angles)


class _Shifted(torch.autograd.Function):
    """Differentiated again, the backward pass meets itself at the shifted angles."""

    @staticmethod
    def forward(
        ctx: Any, evaluate: Evaluate, rotations: tuple[int, ...], angles: torch.Tensor
    ) -> torch.Tensor:
        ctx.evaluate, ctx.rotations = evaluate, rotations
        ctx.save_for_backward(angles)
        return evaluate(angles)

    @staticmethod
    def backward(ctx: Any, cotangents: torch.Tensor) -> Any:
        (angles,) = ctx.saved_tensors
        rotations = torch.tensor(ctx.rotations, dtype=torch.long, device=angles.device)
        chunk = max(1, MAX_BATCH // (2 * max(1, len(angles))))
        slopes = [
            torch.einsum("rbm,bm->br", _differences(ctx, angles, part), cotangents)
            for part in rotations.split(chunk)
            if len(part)
        ]
        gradient = torch.zeros_like(angles)
        if slopes:
            gradient = gradient.index_copy(1, rotations, torch.cat(slopes, 1))
        return None, None, gradient


def _differences(ctx: Any, angles: torch.Tensor, part: torch.Tensor) -> torch.Tensor:
    """Derivatives of all outputs by some of the angles, ``[rotations, batch, observables]``."""
    shifts = angles.new_zeros(2, len(part), 1, angles.shape[1])
    number = torch.arange(len(part), device=angles.device)
    shifts[0, number, 0, part], shifts[1, number, 0, part] = pi / 2, -pi / 2
    shifted = (angles + shifts).flatten(0, 2)
    outputs = parameter_shift(ctx.evaluate, shifted, ctx.rotations)
    ahead, behind = outputs.unflatten(0, (2, len(part), len(angles))).unbind(0)
    slopes: torch.Tensor = (ahead - behind) / 2
    return slopes
