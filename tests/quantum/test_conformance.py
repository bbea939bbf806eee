# SPDX-License-Identifier: Apache-2.0
"""PennyLane's own device tests (what ``pl-device-test`` runs), for our device."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pennylane.devices.tests import get_device_tests


def outcomes(*arguments: str, folder: Path) -> dict[str, int]:
    """How many of PennyLane's tests ended how, in a process of their own."""
    command = [sys.executable, "-m", "pytest", "--device", "fedfleet.qubit", "--skip-ops", "-q"]
    quiet = ["-p", "no:cacheprovider", "--no-flaky-report", "--tb=short"]
    done = subprocess.run(
        [*command, *quiet, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    last = done.stdout.strip().splitlines()[-1]
    found = {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", last)}
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    return found


@pytest.mark.parametrize("part", ["test_compare_default_qubit", "test_gradients_torch"])
def test_pennylanes_device_tests_pass_in_part(part: str, tmp_path: Path) -> None:
    found = outcomes(f"{get_device_tests()}/{part}.py", "--shots", "None", folder=tmp_path)
    assert found["passed"] >= 10


@pytest.mark.slow
@pytest.mark.parametrize(("shots", "least"), [("None", 390), ("20000", 360)])
def test_pennylanes_device_tests_pass(shots: str, least: int, tmp_path: Path) -> None:
    found = outcomes(get_device_tests(), "--shots", shots, folder=tmp_path)
    assert found["passed"] >= least
    assert not {"failed", "error", "errors"} & found.keys()
