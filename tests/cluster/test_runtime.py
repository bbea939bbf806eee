# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from cluster.out import RAY_JOB_ENV_VAR
from cluster.packages import HOME
from cluster.runtime import has_code


def test_other_machines_and_other_folders_need_our_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(HOME)
    assert has_code(["10.0.0.1"], here="10.0.0.1")
    assert not has_code(["10.0.0.1", "10.0.0.2"], here="10.0.0.1")
    monkeypatch.chdir(tmp_path)
    assert not has_code(["10.0.0.1"], here="10.0.0.1")


def test_a_job_has_it_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RAY_JOB_ENV_VAR, "{}")
    assert has_code(["10.0.0.1", "10.0.0.2"], here="10.0.0.3")
