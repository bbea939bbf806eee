# SPDX-License-Identifier: Apache-2.0
"""The scalars of a training for TensorBoard, in the folder of its artefacts."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from tensorboardX import SummaryWriter

PATTERN = "events.out.tfevents.*"
Row = Mapping[str, float | None]


def open_board(folder: Path, rows: Iterable[Row], axis: str = "step") -> SummaryWriter:
    """A file that begins with the rows so far, in place of one that a killed process left."""
    for path in folder.glob(PATTERN):
        path.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    board = SummaryWriter(logdir=str(folder))
    for row in rows:
        show(board, row, axis)
    return board


def show(board: SummaryWriter, row: Row, axis: str = "step") -> None:
    """Every value of a row at that of its axis, on disk at once; None is left out."""
    at = row[axis]
    assert at is not None
    for name, value in row.items():
        if name != axis and value is not None:
            board.add_scalar(name, value, int(at))
    board.flush()
