# SPDX-License-Identifier: Apache-2.0
"""Circuits as text and as pictures, by PennyLane's drawer, with angles as one would write them."""

from fractions import Fraction
from math import isclose, pi
from pathlib import Path
from typing import Any

import numpy as np
import pennylane as qml
from matplotlib import image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pennylane.drawer.drawable_layers import drawable_layers

from quantum.circuit import Angle, Circuit, Constant, Input, Parameter, Transform
from quantum.engines.reference import play
from quantum.errors import require

Pixels = NDArray[np.uint8]


def label(angle: Angle) -> str:
    """Such as ``10π x0``, ``atan x1²``, ``θ3``, ``0.5 θ3`` or ``π/4``."""
    match angle:
        case Input(index, scale, transform):
            return _multiple(scale, _TRANSFORMED[transform].format(index))
        case Parameter(index, scale):
            return _multiple(scale, f"θ{index}")
        case Constant(value):
            return _number(value)


def text(circuit: Circuit, width: int = 100) -> str:
    """The circuit in characters, one line for each wire, wrapped at ``width`` characters."""
    return str(
        qml.drawer.tape_text(
            _tape(circuit),
            wire_order=range(circuit.qubits),
            show_all_wires=True,
            decimals=2,
            max_length=width,
        )
    )


def picture(circuit: Circuit, path: Path | str, columns: int = 20) -> None:
    """Write a picture of the circuit, with its name and its observables above it.

    Args:
        circuit: what to draw.
        path: a file whose ending is an image format that matplotlib knows, such as ``.png``.
        columns: gates that follow each other in one row of the picture; then a new row begins.

    Raises:
        CircuitError: ``columns`` is below 1.
    """
    require(columns >= 1, f"columns is {columns}; allowed: 1 or more")
    tape = _tape(circuit)
    layers = drawable_layers(tape.operations, {w: w for w in range(circuit.qubits)})
    starts = range(0, max(len(layers), 1), columns)
    rows = [[o for layer in layers[s : s + columns] for o in layer] for s in starts]
    tapes = [qml.tape.QuantumScript(operations) for operations in rows[:-1]]
    tapes.append(qml.tape.QuantumScript(rows[-1], tape.measurements))
    title = f"{circuit.name}: " + ", ".join(f"⟨{o}⟩" for o in circuit.observables)
    images = [_row(part, circuit.qubits, title if not k else "") for k, part in enumerate(tapes)]
    image.imsave(path, _stacked(images))


_TRANSFORMED = {
    Transform.IDENTITY: "x{}",
    Transform.ARCTAN: "atan x{}",
    Transform.ARCTAN_SQUARE: "atan x{}²",
    Transform.ARCCOS: "acos x{}",
}


def _multiple(scale: float, name: str) -> str:
    if abs(scale) == 1.0:
        return name if scale > 0 else f"-{name}"
    return f"{_number(scale)} {name}"


def _number(value: float) -> str:
    """A short fraction of pi, or else three digits."""
    part = Fraction(value / pi).limit_denominator(16)
    if not part or not isclose(part * pi, value, rel_tol=1e-12):
        return f"{value:.3g}"
    top = {1: "π", -1: "-π"}.get(part.numerator, f"{part.numerator}π")
    return top if part.denominator == 1 else f"{top}/{part.denominator}"


class _Turn(qml.PauliRot):  # type: ignore[misc]
    """PennyLane formats the angle of this one gate as a number; ours is a label."""

    def label(self, *_: object, **__: object) -> str:
        return f"R{self.hyperparameters['pauli_word']}\n({self.parameters[0]})"


def _tape(circuit: Circuit) -> Any:
    with qml.queuing.AnnotatedQueue() as queue:
        play(circuit, label)
    tape = qml.tape.QuantumScript.from_queue(queue)
    operations = [
        _Turn(*o.parameters, **o.hyperparameters, wires=o.wires)
        if isinstance(o, qml.PauliRot)
        else o
        for o in tape.operations
    ]
    return qml.tape.QuantumScript(operations, tape.measurements)


def _row(tape: Any, qubits: int, title: str) -> Pixels:
    """One row of the picture, ``[height, width, 4]``; pyplot, which keeps figures, has no part."""
    figure = Figure(dpi=110)
    canvas: Any = FigureCanvasAgg(figure)
    _, axes = qml.drawer.tape_mpl(
        tape,
        wire_order=range(qubits),
        show_all_wires=True,
        decimals=2,
        fig=figure,
        style="black_white",
    )
    axes.text(-1.5, -0.65, title, fontsize=16)
    pixels, (width, height) = canvas.print_to_buffer()
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 4)


def _stacked(rows: list[Pixels]) -> Pixels:
    width = max(row.shape[1] for row in rows)
    return np.concatenate(
        [np.pad(r, ((0, 0), (0, width - r.shape[1]), (0, 0)), constant_values=255) for r in rows]
    )
