# SPDX-License-Identifier: Apache-2.0
"""The scalars of a training for TensorBoard, in the folder of its artefacts."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from tensorboardX import SummaryWriter

PATTERN = "events.out.tfevents.*"


def open_board(folder: Path, rows: Iterable[Mapping[str, float]]) -> SummaryWriter:
    """A file that begins with the rows so far, in place of one that a killed process left."""
    for path in folder.glob(PATTERN):
        path.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    board = SummaryWriter(logdir=str(folder))
    for row in rows:
        show(board, row)
    return board


def show(board: SummaryWriter, row: Mapping[str, float]) -> None:
    """Every value of a row at its ``step``, on disk at once."""
    for name, value in row.items():
        if name != "step":
            board.add_scalar(name, value, int(row["step"]))
    board.flush()
