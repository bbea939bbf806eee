# SPDX-License-Identifier: Apache-2.0
"""``python -m cluster train-coordinator``: from labels to weights, in looks that can be resumed."""

import sys
from collections.abc import Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from agents.coordination.ablation import held_out_costs
from agents.coordination.checkpoint import load_checkpoint, pack_checkpoint
from agents.coordination.model import CoordinationVAE
from agents.coordination.packing import LabelledInstance
from agents.coordination.training import Example, Trainer, prepare
from agents.coordination.weights import load_model, require_device, save_model
from cluster.coordinator_data import read_labels
from cluster.coordinator_training import (
    advance,
    complaints,
    diagnose,
    latent_document,
    split,
    useful,
)
from cluster.manifest import Manifest, configuration, make_manifest
from cluster.options import TrainCoordinator
from cluster.out import run_folder
from cluster.progress import progress, waiting
from cluster.report import write_report
from cluster.runs import Run, open_run
from cluster.tensorboard import open_board, show
from cluster.training_records import final_records, looked, means, model_card, results_table
from cluster.trials import Finished, Result
from sim.errors import InputError

CHECKPOINT, WEIGHTS, CARD = "checkpoint.pt", "weights.safetensors", "model_card.json"


@dataclass(frozen=True, eq=False)
class Data:
    """Prepared instances; ``names`` are those of the held-out ones."""

    examples: list[Example]
    held_out: list[Example]
    names: list[str]
    sources: list[dict[str, Any]]


def train_coordinator(options: TrainCoordinator) -> int:
    """Do what is not done yet, then write weights, model card and report; print table and path.

    Returns:
        0.

    Raises:
        InputError: an option, the labels, a checkpoint or the run folder is not usable, or the
            training left the finite numbers.
    """
    console = Console(width=None if sys.stdout.isatty() else 120)
    torch.set_num_threads(1)  # sums of floats then have one order, whatever the machine is doing
    path = run_folder(options.out, "train-coordinator", datetime.now())
    trainer = _begin(options)
    untrained = deepcopy(trainer.model)
    with waiting(console, "reading labels (the first start compiles for minutes)"):
        data = _data(options)
    manifest = make_manifest("train-coordinator", options.seed, _configuration(options, data))
    with open_run(path, manifest) as run:
        _train(run, trainer, data, console)
        trainer.model.load_state_dict(trainer.best_weights)
        records = _judge(trainer.model, untrained, data, options.samples)
        run.write_results(records)
        _write_model(run, trainer, options, data, records, manifest)
    console.print(results_table(records))
    print(write_report(path).resolve(), flush=True)
    return 0


def _begin(options: TrainCoordinator) -> Trainer:
    """A training before its first step."""
    require_device(options.device)
    trainer = Trainer(options.model, options.training, options.seed)
    if options.weights is not None:
        given = load_model(Path(options.weights))
        if given.options != options.model:
            raise InputError(
                f"weights is {options.weights}: its model has {given.options}; "
                f"needed: {options.model}"
            )
        trainer.model.load_state_dict(given.state_dict())
    trainer.model.to(options.device)
    return trainer


def _data(options: TrainCoordinator) -> Data:
    instances, sources = read_labels(options.labels)
    learnt, held_out = split(len(instances), options.held_out, options.most_held_out, options.seed)
    prepared = [_prepared(one, options.training.sharpness) for one in instances]
    return Data(
        examples=[prepared[number] for number in learnt],
        held_out=[prepared[number] for number in held_out],
        names=[instances[number].name for number in held_out],
        sources=sources,
    )


def _prepared(instance: LabelledInstance, sharpness: float) -> Example:
    """A shard may be well-formed and yet say what no fleet can do."""
    try:
        return prepare(instance, sharpness)
    except (IndexError, ValueError) as error:
        raise InputError(
            f"labels has a damaged instance, {instance.name} ({error}); label again"
        ) from error


def _configuration(options: TrainCoordinator, data: Data) -> dict[str, Any]:
    """With digests, so that a run is not resumed on other labels or from other weights."""
    digests: dict[str, Any] = {"label_digests": [source["digest"] for source in data.sources]}
    if options.weights is not None:
        digests["weights_digest"] = sha256(Path(options.weights).read_bytes()).hexdigest()
    return {**configuration(options), **digests}


def _train(run: Run, trainer: Trainer, data: Data, console: Console) -> None:
    """Look by look; a checkpoint is written before the line that tells of it."""
    checkpoint = run.artefact(CHECKPOINT)
    if checkpoint.is_file():
        load_checkpoint(trainer, run.read_bytes(CHECKPOINT), str(checkpoint))
    _note(run, trainer.history)
    every, steps = trainer.options.judge_every, trainer.options.steps
    looks = 1 + -(-steps // every)
    with (
        closing(open_board(checkpoint.parent, trainer.history)) as board,
        progress(console, "looks", looks, len(trainer.history)) as tell,
    ):
        while not trainer.finished:
            row = advance(trainer, data.examples, data.held_out)
            run.write_bytes(CHECKPOINT, pack_checkpoint(trainer))
            _note(run, [row])
            show(board, row)
            tell(looked(row))


def _note(run: Run, rows: Sequence[dict[str, float]]) -> None:
    """Lines of ``metrics.jsonl`` for the looks that have none."""
    for row in rows:
        key = f"step-{row['step']:07.0f}"
        if key not in run.done:
            run.append(Finished(key, Result(dict(row))))


def _judge(
    model: CoordinationVAE, untrained: CoordinationVAE, data: Data, samples: int
) -> list[dict[str, Any]]:
    found = list(held_out_costs(model, untrained, data.held_out, samples))
    return final_records(found, data.names)


def _write_model(
    run: Run,
    trainer: Trainer,
    options: TrainCoordinator,
    data: Data,
    records: Sequence[dict[str, Any]],
    manifest: Manifest,
) -> None:
    """Weights, model card and learning curve; the model has its best weights."""
    report = diagnose(trainer, data.examples)
    possible = useful(data.examples, options.training.loss.beta)
    latent = latent_document(report, possible, complaints(trainer, report, possible))
    sizes = len(data.examples), len(data.held_out)
    documents = {"held_out_ratio": means(records), "latent": latent}
    card = model_card(options, manifest, trainer, data.sources, sizes, documents)
    part = run.artefact(f"{WEIGHTS}.part")
    save_model(part, trainer.model, {"command": card["command"]})
    part.chmod(0o644)  # safetensors makes files that only their owner may read
    part.replace(run.artefact(WEIGHTS))
    run.write_document(CARD, card)
    run.write_document("curve.json", {"rows": trainer.history})
