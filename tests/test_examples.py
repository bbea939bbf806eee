# SPDX-License-Identifier: Apache-2.0
"""Every example runs and says what it promises."""

import pytest

from examples import coordinate_a_fleet


def test_coordinate_a_fleet(capsys: pytest.CaptureFixture[str]) -> None:
    coordinate_a_fleet.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("60 robots, ")
    travel_s = {line.split()[0]: float(line.split()[3]) for line in lines if "planned" in line}
    assert travel_s["local_search"] < travel_s["fcfs"]
    assert sum("0 collisions" in line for line in lines) == 3
