# SPDX-License-Identifier: Apache-2.0
"""Which frequencies a model can have in a feature.

A rotation by ``scale * x`` has a generator with eigenvalues ±scale/2, so it adds -scale, 0 or
scale: the outputs are Fourier series over all such sums (Schuld, Sweke, Meyer, arXiv 2008.08605).
The gradient of a squared error is the output times its derivative, which has the same frequencies:
there every rotation adds -2 to 2 times its scale. These are the frequencies that may occur; the
coefficients are up to ansatz and parameters.

For a Fourier tower of m qubits with base 5 the model has 3^m frequencies up to (5^m - 1)/4 gamma,
with gaps, and the gradient all 5^m multiples of gamma up to (5^m - 1)/2 gamma (Kumar et al., arXiv
2309.13002, eq. 68 to 72).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from quantum.circuit import Circuit, Input, Transform
from quantum.errors import require


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The frequencies of a real function of one feature.

    Args:
        frequencies: those that are not negative, sorted, in radians per unit of the transformed
            feature; the first is 0.
    """

    frequencies: tuple[float, ...]

    @property
    def count(self) -> int:
        """How many there are, negative ones included."""
        return 2 * len(self.frequencies) - 1

    @property
    def largest(self) -> float:
        """The last one."""
        return self.frequencies[-1]


def model_spectrum(
    circuit: Circuit, feature: int, transform: Transform = Transform.IDENTITY
) -> Spectrum:
    """The frequencies of the outputs in ``transform(inputs[:, feature])``.

    Raises:
        CircuitError: no rotation reads that.
    """
    return _spectrum(_scales(circuit, feature, transform), digits=[-1, 0, 1])


def gradient_spectrum(
    circuit: Circuit, feature: int, transform: Transform = Transform.IDENTITY
) -> Spectrum:
    """The frequencies of the gradient of a squared error with respect to the parameters.

    Raises:
        CircuitError: no rotation reads that.
    """
    return _spectrum(_scales(circuit, feature, transform), digits=[-2, -1, 0, 1, 2])


def _scales(circuit: Circuit, feature: int, transform: Transform) -> list[float]:
    inputs = [a for a in circuit.angles if isinstance(a, Input)]
    scales = [a.scale for a in inputs if (a.index, a.transform) == (feature, transform)]
    read = sorted({f"{a.transform}(x{a.index})" for a in inputs})
    require(
        bool(scales),
        f"{circuit.name}: no rotation reads {transform}(x{feature}); read are: "
        f"{', '.join(read) or 'none'}",
    )
    return scales


def _spectrum(scales: Iterable[float], digits: list[int]) -> Spectrum:
    sizes = [abs(scale) for scale in scales if scale]
    # In units of the smallest scale, sums closer than this are one, told apart by rounding.
    unit = min(sizes, default=1.0)
    tolerance = 1e-9
    sums = np.zeros(1)
    for size in sizes:
        every = np.sort(np.add.outer(np.multiply(digits, size / unit), sums).ravel())
        sums = every[np.diff(every, prepend=-np.inf) > tolerance]
    positive = sums[sums > tolerance] * unit
    return Spectrum((0.0, *positive.tolist()))
