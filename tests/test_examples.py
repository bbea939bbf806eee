# SPDX-License-Identifier: Apache-2.0
"""Every example runs and says what it promises."""

import pytest

from examples import coordinate_a_fleet, quantum_layer


def test_coordinate_a_fleet(capsys: pytest.CaptureFixture[str]) -> None:
    coordinate_a_fleet.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("60 robots, ")
    travel_s = {line.split()[0]: float(line.split()[3]) for line in lines if "planned" in line}
    assert travel_s["local_search"] < travel_s["fcfs"]
    assert sum("0 collisions" in line for line in lines) == 3


def test_quantum_layer(capsys: pytest.CaptureFixture[str]) -> None:
    quantum_layer.main(epochs=2)
    lines = capsys.readouterr().out.splitlines()
    names = ["default.qubit", "fedfleet.qubit", "traced once", "engine alone"]
    assert [line[:15].strip() for line in lines] == names
    assert all(float(line.split()[-1]) < 1e-9 for line in lines)
    times_as_fast = [float(line.split(" s, ")[1].split()[0]) for line in lines]
    assert times_as_fast[0] == 1.0
    assert times_as_fast[3] > 1.0  # some thirty on a quiet machine
