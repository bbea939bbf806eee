# SPDX-License-Identifier: Apache-2.0
"""A training in a run folder: what an earlier start has done, and the rest, line by line."""

from collections.abc import Callable
from contextlib import closing
from time import perf_counter

from agents.learning.training import Trained
from cluster.runs import Run
from cluster.tensorboard import open_board, show
from cluster.training.checkpoint import CHECKPOINT, pack
from cluster.training.records import key_of, row_of, rows_until, scalars
from cluster.training.standing import Standing
from cluster.training.training import Training
from cluster.training_options import Train
from cluster.trials import Finished, Record, Result

AXIS = "steps"


def go_on(run: Run, options: Train, standing: Standing, tell: Callable[[Record], None]) -> Standing:
    """Train from there to the end, on a Ray that runs; returns where it stands then.

    The line that tells of some updates is written before the checkpoint, so that after a crash
    between the two they are done again, and the later line counts.

    Raises:
        InputError: an environment or a part of the training fails every time.
    """
    rows = rows_until(run.done, standing.updates)
    steps = rows[-1]["steps"] if rows else 0
    since: dict[int, Trained] = {}
    with (
        closing(open_board(run.path / "artefacts", map(scalars, rows), AXIS)) as board,
        closing(Training(options, standing)) as training,
    ):
        training.muster()
        began_s = perf_counter()
        for trained, checkpoint in training.updates():
            now = trained.metrics.update  # what is done again takes the place of what was lost
            since = {update: one for update, one in since.items() if update < now} | {now: trained}
            if checkpoint is None:
                continue
            now_s = perf_counter()
            row = row_of(list(since.values()), steps, now_s - began_s)
            run.append(Finished(key_of(row), Result(row)))
            run.write_bytes(CHECKPOINT, pack(checkpoint, options.setup))
            show(board, scalars(row), AXIS)
            tell(row)
            since, steps, began_s, standing = {}, row["steps"], now_s, checkpoint
    return standing
