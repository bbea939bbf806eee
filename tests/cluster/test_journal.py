# SPDX-License-Identifier: Apache-2.0
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.journal import Journal, read_journal
from sim.errors import InputError


@contextmanager
def disk_with(size_bytes: int) -> Iterator[None]:
    """A disk that is full at so many bytes per file: the kernel refuses, after a partial write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_lines_are_read_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with Journal(path) as journal:
        journal.append({"key": "a", "cost": 0.1})
        journal.append({"key": "b", "cost": None})
        assert journal.lines == read_journal(path)[0]
    assert read_journal(path)[0] == [{"key": "a", "cost": 0.1}, {"key": "b", "cost": None}]


def test_a_torn_last_line_is_dropped_on_opening(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"key": "a"}\n{"key": "b"')
    with Journal(path) as journal:
        assert journal.lines == [{"key": "a"}]
        journal.append({"key": "c"})
    assert path.read_text() == '{"key": "a"}\n{"key": "c"}\n'


def test_a_damaged_line_in_the_middle_is_named_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"key": "a"}\nnonsense\n{"key": "b"}\n')
    with pytest.raises(InputError, match=r"metrics\.jsonl, line 2 is not a JSON object"):
        Journal(path)
    assert "nonsense" in path.read_text()


def test_a_full_disk_leaves_the_lines_before_intact(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with Journal(path) as journal:
        journal.append({"key": "a"})
        with disk_with(20), pytest.raises(OSError, match="File too large"):
            journal.append({"key": "b" * 100})
        assert path.read_text() == '{"key": "a"}\n'
        journal.append({"key": "c"})
    assert read_journal(path)[0] == [{"key": "a"}, {"key": "c"}]


def test_numbers_that_json_does_not_have_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with Journal(path) as journal, pytest.raises(ValueError, match="not JSON compliant"):
        journal.append({"cost": float("nan")})
    assert path.read_bytes() == b""
