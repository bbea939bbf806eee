# SPDX-License-Identifier: Apache-2.0
from math import pi
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from matplotlib import image
from matplotlib import pyplot as plt

from quantum import circuits, draw, gates
from quantum.circuit import Angle, Circuit, Constant, Input, Parameter, Transform
from quantum.errors import CircuitError
from tests.quantum.random_circuits import circuits as random_circuits


@pytest.mark.parametrize(
    ("angle", "expected"),
    [
        (Input(0), "x0"),
        (Input(1, -1.0), "-x1"),
        (Input(0, 25.0), "25 x0"),
        (Input(0, 10 * pi), "10π x0"),
        (Input(2, 1.0, Transform.ARCTAN), "atan x2"),
        (Input(2, 1.0, Transform.ARCTAN_SQUARE), "atan x2²"),
        (Input(0, 3.0, Transform.ARCCOS), "3 acos x0"),
        (Parameter(3), "θ3"),
        (Parameter(3, 0.5), "0.5 θ3"),
        (Parameter(3, -pi), "-π θ3"),
        (Constant(pi), "π"),
        (Constant(-pi / 4), "-π/4"),
        (Constant(3 * pi / 2), "3π/2"),
        (Constant(0.0), "0"),
        (Constant(0.12345), "0.123"),
        (Constant(3.14), "3.14"),
    ],
)
def test_angles_are_written_as_one_would(angle: Angle, expected: str) -> None:
    assert draw.label(angle) == expected


def test_text_has_one_line_for_each_wire() -> None:
    pair = Circuit(
        3,
        gates.clifford("H", 0) + gates.ry(Input(0), 0),
        gates.clifford("CNOT", 0, 1) + gates.pauli_rotation("XZ", Parameter(0), 1, 0),
        circuits.z_each([0]) + circuits.parity(2),
    )
    assert draw.text(pair).splitlines() == [
        "0: ──H──RY(x0)─╭●─╭RZX(θ0)─┤  <Z> ╭<Z@Z>",
        "1: ────────────╰X─╰RZX(θ0)─┤      ╰<Z@Z>",
        "2: ────────────────────────┤            ",
    ]


def test_text_is_wrapped() -> None:
    lines = draw.text(circuits.privacy(1, 3), width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert "RX(50π x0)" in lines[2]
    assert "RZ(θ59)" in lines[-1]


@settings(max_examples=20)
@given(random_circuits())
def test_every_circuit_has_a_text(circuit: Circuit) -> None:
    text = draw.text(circuit, width=10_000)
    for angle in circuit.angles:
        assert draw.label(angle) in text


def dark_share(path: Path) -> float:
    return float((image.imread(path)[..., :3].mean(axis=2) < 0.5).mean())


def test_a_picture_is_written_row_under_row(tmp_path: Path) -> None:
    circuit = circuits.privacy(1, 2, layers=3)
    draw.picture(circuit, tmp_path / "one.png", columns=100)
    draw.picture(circuit, tmp_path / "many.png", columns=4)
    one, many = (image.imread(tmp_path / f"{name}.png").shape for name in ("one", "many"))
    assert many[0] == 3 * one[0]
    assert many[1] < one[1]
    assert 0.01 < dark_share(tmp_path / "one.png") < 0.3


def test_a_circuit_without_gates_has_a_picture_too(tmp_path: Path) -> None:
    draw.picture(Circuit(2, (), (), circuits.parity(2)), tmp_path / "bare.png")
    assert dark_share(tmp_path / "bare.png") > 0.0


def test_a_picture_leaves_no_figure_and_no_setting_behind(tmp_path: Path) -> None:
    before = {key: dict.__getitem__(mpl.rcParams, key) for key in mpl.rcParams}
    draw.picture(circuits.qfwp(), tmp_path / "qfwp.png")
    after = {key: dict.__getitem__(mpl.rcParams, key) for key in mpl.rcParams}
    assert plt.get_fignums() == []
    assert before == after


def test_pictures_are_the_same_every_time(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw.picture(circuits.qfwp(3, 1, 1, 1), tmp_path / name)
    np.testing.assert_array_equal(*(image.imread(tmp_path / n) for n in ("a.png", "b.png")))


def test_a_row_holds_at_least_one_column(tmp_path: Path) -> None:
    with pytest.raises(CircuitError, match="columns is 0; allowed: 1 or more"):
        draw.picture(circuits.qfwp(), tmp_path / "none.png", columns=0)
