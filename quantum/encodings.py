# SPDX-License-Identifier: Apache-2.0
"""How features enter a circuit: operations whose angles read inputs.

All start from |0...0>, and all upload each feature once for each of its qubits. The functions
raise :class:`quantum.errors.CircuitError` when there are more features than qubits, or none.
"""

from collections.abc import Iterable
from itertools import chain
from math import pi

from quantum.circuit import Input, Transform
from quantum.errors import require
from quantum.gates import Operations, clifford, rx, ry, rz


def product_map(qubits: int, features: int) -> Operations:
    """RX(x_j) on qubit j (Kumar et al., arXiv 2309.13002)."""
    _check(qubits, features)
    return _joined(rx(Input(j), j) for j in range(features))


def ry_encoding(
    qubits: int, features: int, transform: Transform = Transform.IDENTITY
) -> Operations:
    """RY(x_j), or of a function of x_j, on qubit j; real amplitudes stay real."""
    _check(qubits, features)
    return _joined(ry(Input(j, transform=transform), j) for j in range(features))


def hadamard_ry(qubits: int, features: int) -> Operations:
    """H on every qubit, then RY(x_j) on qubit j (QFWP, Chen, arXiv 2402.17760)."""
    return _hadamards(qubits) + ry_encoding(qubits, features)


def hadamard_arctan(qubits: int, features: int) -> Operations:
    """H on every qubit, then RY(arctan x_j) and RZ(arctan x_j²) on qubit j.

    Source: QLSTM, Chen et al., arXiv 2009.01783.
    """
    _check(qubits, features)
    turns = (
        ry(Input(j, transform=Transform.ARCTAN), j)
        + rz(Input(j, transform=Transform.ARCTAN_SQUARE), j)
        for j in range(features)
    )
    return _hadamards(qubits) + _joined(turns)


def fourier_tower(
    features: int, qubits_per_feature: int, base: int = 5, gamma: float = 2 * pi
) -> Operations:
    """RX(base^k gamma x_j) on the k-th qubit of feature j, which is qubit j m + k for m of them.

    With base 3 the model, with base 5 the gradient of its squared error has every frequency up to
    its largest (Kumar et al., arXiv 2309.13002, eq. 14; :mod:`quantum.spectrum`).

    Args:
        features: number of features, for x in [0, 1).
        qubits_per_feature: m, from k = 0 to m - 1; the circuit has ``features * m`` qubits.
        base: ratio of neighbouring scales.
        gamma: radians per unit of x.
    """
    _check_tower(features, qubits_per_feature)
    return _joined(
        rx(Input(j, gamma * float(base**k)), j * qubits_per_feature + k)
        for j in range(features)
        for k in range(qubits_per_feature)
    )


def chebyshev_tower(features: int, qubits_per_feature: int, alpha: float = 1.0) -> Operations:
    """RY(alpha k arccos x_j) for k = 1 to m on the qubits of feature j.

    With alpha 1, the expectation of a Z is the Chebyshev polynomial T_k(x_j). The slope of the
    arccosine is infinite at -1 and 1; outside of them engines refuse.

    Args:
        features: number of features, for x in (-1, 1).
        qubits_per_feature: m; the circuit has ``features * m`` qubits.
        alpha: scale of all angles.
    """
    _check_tower(features, qubits_per_feature)
    return _joined(
        ry(Input(j, alpha * (k + 1), Transform.ARCCOS), j * qubits_per_feature + k)
        for j in range(features)
        for k in range(qubits_per_feature)
    )


def _hadamards(qubits: int) -> Operations:
    return _joined(clifford("H", q) for q in range(qubits))


def _joined(parts: Iterable[Operations]) -> Operations:
    return tuple(chain.from_iterable(parts))


def _check(qubits: int, features: int) -> None:
    require(
        1 <= features <= qubits,
        f"{features} features on {qubits} qubits: this encoding takes 1 feature to {qubits}, "
        "one for each qubit",
    )


def _check_tower(features: int, qubits_per_feature: int) -> None:
    require(
        features >= 1 and qubits_per_feature >= 1,
        f"a tower of {features} features with {qubits_per_feature} qubits each: "
        "both must be 1 or more",
    )
