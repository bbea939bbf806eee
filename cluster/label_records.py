# SPDX-License-Identifier: Apache-2.0
"""From single labelled instances to the records, the shards and the table of a run."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import islice

from rich.table import Table

from agents.coordination.labels import FOLDER, INDEX, Shard, index_document, read_arrays, shard_name
from agents.coordination.packing import join
from cluster.manifest import Manifest
from cluster.records import FAILED
from cluster.report.label.summary import HEADINGS, Group, mean
from cluster.report.wording import counted
from cluster.runs import Run
from cluster.trials import Record, Trial

FIELDS = (
    *("instance", "floor", "robots", "conflicts", "cost", "fcfs", "bound", "gap"),
    *("pool", "diversity", "seconds", "status"),
)
PER_SHARD = 512
"""Instances in a shard; a few megabytes."""


def final_records(trials: Sequence[Trial], done: Mapping[str, Record]) -> list[Record]:
    """The rows of ``results.json``, in the order of the trials.

    Args:
        trials: all of the run.
        done: records by key; a trial that is not there has failed.
    """
    failed = {**dict.fromkeys(FIELDS), "status": FAILED}
    return [done.get(trial.key) or {**failed, "instance": trial.key} for trial in trials]


def write_shards(run: Run, records: Sequence[Record], manifest: Manifest) -> None:
    """Join the files of all instances that have labels, and say in the index what they are.

    Raises:
        InputError: one of the files was damaged since it was written.
    """
    labelled = [record for record in records if record["status"] != FAILED]
    names = iter([str(record["instance"]) for record in labelled])
    shards: list[Shard] = []
    while group := list(islice(names, PER_SHARD)):
        file = shard_name(len(shards))
        path = f"{FOLDER.name}/{file}"
        own = (read_arrays(run.artefact(f"{name}.npz")) for name in group)
        run.write_arrays(path, join(own))
        digest = hashlib.sha256(run.artefact(path).read_bytes()).hexdigest()
        shards.append(Shard(file, len(group), digest))
    made = {k: v for k, v in manifest.as_dict().items() if k != "created"}
    about = {
        "assignments": sum(record["pool"] for record in labelled),
        "proven": sum(record["status"] == "optimal" for record in labelled),
        "mean_gap": mean([r["gap"] for r in labelled]),
        "mean_diversity": mean([r["diversity"] for r in labelled]),
        **made,
    }
    run.write_document(f"{FOLDER.name}/{INDEX}", index_document(shards, about))


def labelled(record: Record) -> str:
    """A record in a few words."""
    sizes = counted(record["robots"], "robot"), counted(record["conflicts"], "conflict")
    return f"{', '.join(sizes)}, {record['status']}, pool of {record['pool']}"


def results_table(groups: Sequence[Group]) -> Table:
    """One row for fleets of similar size: means over their instances."""
    table = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for group in groups:
        table.add_row(*group.cells())
    return table
