# SPDX-License-Identifier: Apache-2.0
"""The circuits of the papers, by name."""

from collections.abc import Iterable

from quantum import ansatz, encodings
from quantum.circuit import Circuit, PauliString
from quantum.errors import require


def z_each(wires: Iterable[int]) -> tuple[PauliString, ...]:
    """One observable Z for each wire."""
    return tuple(PauliString("Z", (wire,)) for wire in wires)


def parity(qubits: int) -> tuple[PauliString, ...]:
    """The one observable Z...Z on all qubits."""
    return (PauliString("Z" * qubits, tuple(range(qubits))),)


def qfwp(qubits: int = 8, layers: int = 2, features: int = 1, measured: int = 4) -> Circuit:
    """The fast programmer of quantum fast weights; its parameters are the state.

    ``[layers, qubits]`` parameters, all gates real, outputs Z of the first ``measured`` qubits.
    Source: Chen, arXiv 2402.17760, sizes of the released time series code.

    Raises:
        CircuitError: more features, or measured qubits, than qubits.
    """
    return Circuit(
        qubits,
        encodings.hadamard_ry(qubits, features),
        ansatz.brick(qubits, layers),
        _first_z(measured, qubits),
        "qfwp",
    )


def qlstm_gate(qubits: int = 4, layers: int = 2, measured: int = 4) -> Circuit:
    """One of the six circuits of the first quantum LSTM, with one feature for each qubit.

    ``[layers, qubits, 3]`` parameters. Source: Chen et al., arXiv 2009.01783.

    Raises:
        CircuitError: more measured qubits than qubits.
    """
    return Circuit(
        qubits,
        encodings.hadamard_arctan(qubits, qubits),
        ansatz.near_and_far(qubits, layers),
        _first_z(measured, qubits),
        "qlstm gate",
    )


def qlstm_modern_gate(features: int = 1, hidden: int = 5, layers: int = 5) -> Circuit:
    """One of the four circuits of the later quantum LSTM: QFWP's, with trained angles.

    It reads ``[x, h]``, so has ``features + hidden`` qubits, and outputs Z of the first
    ``hidden``. ``[layers, qubits]`` parameters.
    """
    qubits = features + hidden
    circuit = qfwp(qubits, layers, features=qubits, measured=hidden)
    return Circuit(
        qubits, circuit.encoding, circuit.ansatz, circuit.observables, "qlstm modern gate"
    )


def privacy(
    features: int = 1,
    qubits_per_feature: int = 2,
    layers: int = 10,
    entangler: ansatz.Entangler = "chain",
) -> Circuit:
    """Fourier tower, hardware-efficient ansatz, and the parity of all qubits.

    ``[layers, features * qubits_per_feature, 2]`` parameters. Of the last layer all RZ and, with a
    chain, some RY are dead: :func:`quantum.program.make_program` says which. Source: Kumar et al.,
    arXiv 2309.13002.
    """
    qubits = features * qubits_per_feature
    return Circuit(
        qubits,
        encodings.fourier_tower(features, qubits_per_feature),
        ansatz.hardware_efficient(qubits, layers, entangler),
        parity(qubits),
        "privacy",
    )


def privacy_rot_ring(features: int = 1, qubits_per_feature: int = 4, layers: int = 21) -> Circuit:
    """As :func:`privacy`, with an ansatz of Rot and a ring of CZ.

    ``[layers, features * qubits_per_feature, 3]`` parameters.
    """
    qubits = features * qubits_per_feature
    return Circuit(
        qubits,
        encodings.fourier_tower(features, qubits_per_feature),
        ansatz.rot_cz_ring(qubits, layers),
        parity(qubits),
        "privacy rot ring",
    )


def _first_z(measured: int, qubits: int) -> tuple[PauliString, ...]:
    require(
        1 <= measured <= qubits,
        f"{measured} measured qubits of {qubits}: allowed are 1 to {qubits}",
    )
    return z_each(range(measured))
