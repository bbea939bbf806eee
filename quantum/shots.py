# SPDX-License-Identifier: Apache-2.0
"""Expectations and gradients from finitely many shots."""

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from quantum.circuit import Circuit, PauliString
from quantum.engines import Engine, EngineName, MakeEngine, make_engine
from quantum.errors import require
from quantum.measurement import Setting, measurement_settings, product_of
from quantum.parameter_shift import ShiftEngine

MAX_JOINT = 10
"""Observables that the same shots can be drawn for: k of them have 2^k outcomes."""


def shot_engine(
    circuit: Circuit,
    shots: int | None,
    generator: torch.Generator,
    *,
    joint: bool = True,
    make: MakeEngine = make_engine,
) -> Engine:
    """The expectations as means over shots, and gradients by parameter shift with shots as well.

    Outputs and gradients are unbiased; an output f has the variance (1 - f²) / shots. Every call
    and every backward pass draws new shots: ``shots`` for each sample, each shifted circuit and
    each setting, as :func:`quantum.executions.count_executions` counts them. Gradients by
    rotations that cannot change an output are zero, without noise. Being unbiased does not
    survive a loss that is not linear in the outputs.

    Args:
        circuit: what is evaluated.
        shots: repetitions of every execution; None gives exact values.
        generator: of the shots.
        joint: observables that commute qubit by qubit are read from the same shots, so their errors
            are correlated as on a quantum computer; False draws every observable on its own.
        make: the engine that gives the expectations, a :class:`quantum.noise.NoisyEngine` for
            example; it need not be differentiable. Shots are then drawn for each of its means.

    Raises:
        CircuitError: shots is below 1, the engine cannot be made, or more observables than
            :data:`MAX_JOINT` would share their shots.
    """
    if shots is None:
        return make(circuit)
    require(shots >= 1, f"shots is {shots}; allowed: 1 or more, or None (exact)")
    settings = measurement_settings(circuit.observables, joint=joint)
    return ShiftEngine(
        circuit,
        partial(_Sampler, shots=shots, settings=settings, generator=generator, make=make),
    )


class _Sampler:
    """Estimates without derivatives.

    The distribution of k observables of one setting is the Walsh-Hadamard transform of the
    expectations of their 2^k products, which are observables of a circuit like any other.
    """

    def __init__(
        self,
        circuit: Circuit,
        shots: int,
        settings: tuple[Setting, ...],
        generator: torch.Generator,
        make: MakeEngine,
    ) -> None:
        most = max(map(len, settings))
        require(
            most <= MAX_JOINT,
            f"{circuit.name}: {most} observables share their shots; allowed: {MAX_JOINT}, or "
            "joint=False",
        )
        self.circuit = circuit
        self._shots, self._settings, self._generator = shots, settings, generator
        tables = [_products(circuit, setting) for setting in settings]
        known = dict.fromkeys(p for table in tables for p in table if p is not None)
        # The identity is the column after the last.
        column = {p: k for k, p in enumerate([*known, None])}
        self._columns = [torch.tensor([column[p] for p in table]) for table in tables]
        self._engine = make(replace(circuit, observables=tuple(known)))

    @property
    def name(self) -> EngineName:
        return self._engine.name

    def __call__(self, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            exact = self._engine(inputs, parameters).double()
        exact = torch.nn.functional.pad(exact, (0, 1), value=1.0)
        estimates = inputs.new_empty(len(inputs), len(self.circuit.observables))
        for setting, columns in zip(self._settings, self._columns, strict=True):
            means = self._means(exact[:, columns.to(exact.device)])
            estimates[:, list(setting)] = means.to(estimates)
        return estimates

    def _means(self, products: torch.Tensor) -> torch.Tensor:
        """Means over shots of k observables, from the expectations of their 2^k products."""
        signs = torch.from_numpy(_signs(products.shape[1])).to(products)
        # Rounding can take a probability of zero slightly below.
        probabilities = (products @ signs).clamp(min=0)
        counts = multinomial(self._shots, probabilities, self._generator)
        singles = [1 << k for k in range(products.shape[1].bit_length() - 1)]
        return counts @ signs[:, singles] / self._shots


def multinomial(count: int, weights: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """How often each outcome is drawn: a binomial draw halves the outcomes, then each half again.

    Args:
        count: draws for each row.
        weights: of the outcomes, ``[batch, 2^k]`` float64, not all zero in a row.
        generator: of the draws.

    Returns:
        ``[batch, 2^k]``, each row with the sum ``count``.
    """
    size, outcomes = weights.shape
    counts = weights.new_full((size, 1), count)
    while counts.shape[1] < outcomes:
        halves = weights.reshape(size, counts.shape[1], 2, -1).sum(3)
        share = (halves[:, :, 0] / halves.sum(2)).nan_to_num(0.0).clamp(max=1)
        first = torch.binomial(counts, share, generator)
        counts = torch.stack([first, counts - first], dim=2).flatten(1)
    return counts


def _products(circuit: Circuit, setting: Setting) -> list[PauliString | None]:
    """Of every subset of a setting's observables; bit k of its number is observable k."""
    members = [circuit.observables[k] for k in setting]
    return [
        product_of(o for k, o in enumerate(members) if subset >> k & 1)
        for subset in range(1 << len(members))
    ]


def _signs(size: int) -> NDArray[np.float64]:
    """+1 or -1, ``[outcomes, subsets]``: the product over a subset, where bits mark -1."""
    numbers = np.arange(size)
    return np.where(np.bitwise_count(numbers[:, None] & numbers) % 2, -1.0, 1.0)
