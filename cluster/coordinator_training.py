# SPDX-License-Identifier: Apache-2.0
"""Training from one look at held-out schedules to the next, and what a look sees."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np
import torch

from agents.coordination.diagnostics import LatentReport, latent_report, useful_latents
from agents.coordination.features import GraphBatch, collate
from agents.coordination.targets import Targets, collate_targets
from agents.coordination.training import Example, Trainer
from cluster.trials import trial_rng
from sim.errors import InputError

PER_BATCH = 8
"""Graphs that are diagnosed at a time."""
DIAGNOSED = 32
"""Graphs that are diagnosed at most; of those learnt from, as few may be held out."""


def split(count: int, share: float, most: int, seed: int) -> tuple[list[int], list[int]]:
    """Numbers of the instances to learn from, and of those to judge; in order, both at least one.

    Raises:
        InputError: there are not two instances.
    """
    if count < 2:
        raise InputError(f"labels has {count} instance(s); allowed: 2 or more, one to be held out")
    held_out = min(max(1, round(share * count)), most, count - 1)
    shuffled = trial_rng(seed, "held out").permutation(count)
    return sorted(shuffled[held_out:].tolist()), sorted(shuffled[:held_out].tolist())


def advance(
    trainer: Trainer, examples: Sequence[Example], held_out: Sequence[Example]
) -> dict[str, float]:
    """Train to the next look, and look; the row is also the last of the trainer's history.

    Losses are means over the steps since the look before; the first look is before all steps.
    """
    rows = []
    if trainer.history:
        until = min(trainer.step + trainer.options.judge_every, trainer.options.steps)
        while trainer.step < until:
            rows.append(trainer.fit_batch(_draw(trainer, examples)))
    row = {
        "step": float(trainer.step),
        "held_out_ratio": trainer.judge(held_out),
        **_latent_row(trainer, diagnose(trainer, examples)),
        **{name: fmean(row[name] for row in rows) for name in (rows[0] if rows else ())},
    }
    trainer.history.append(row)
    return row


def _draw(trainer: Trainer, examples: Sequence[Example]) -> list[Example]:
    chosen = torch.randint(len(examples), (trainer.options.graphs,), generator=trainer.generator)
    return [examples[number] for number in chosen.tolist()]


def _latent_row(trainer: Trainer, report: LatentReport) -> dict[str, float]:
    """Without imitation nobody trains the encoder, so that its divergence says nothing."""
    heard = {"sensitivity": report.sensitivity}
    if trainer.options.imitation == 0:
        return heard
    return {**heard, "kl": sum(report.kl), "active": float(report.active)}


def diagnose(trainer: Trainer, examples: Sequence[Example]) -> LatentReport:
    """How alive the latent is, with the same noise at every look."""
    device = next(trainer.model.parameters()).device
    generator = torch.Generator(device).manual_seed(0)
    return latent_report(trainer.model, _batches(examples[:DIAGNOSED], device), generator)


def _batches(examples: Sequence[Example], device: torch.device) -> list[tuple[GraphBatch, Targets]]:
    """Every graph with its cheapest label."""
    groups = [examples[i : i + PER_BATCH] for i in range(0, len(examples), PER_BATCH)]
    return [
        (
            collate([one.features for one in group], device),
            collate_targets([one.targets[0] for one in group], device),
        )
        for group in groups
    ]


def useful(examples: Sequence[Example], beta: float) -> float:
    """Mean over graphs of the upper bound on useful numbers of the latent, before training."""
    orders = (np.stack([target.order for target in one.targets]) for one in examples)
    return fmean(useful_latents(order, beta) for order in orders)


def complaints(trainer: Trainer, report: LatentReport, useful_numbers: float) -> list[str]:
    """What is wrong with the latent, in words."""
    if trainer.options.imitation == 0:
        return [text for text in report.warnings() if text.startswith("the decoder")]
    return list(report.warnings(useful_numbers))


def latent_document(report: LatentReport, useful_numbers: float, texts: list[str]) -> Any:
    """The latent as a JSON object."""
    return {
        "kl": [round(value, 6) for value in report.kl],
        "active": report.active,
        "sensitivity": round(report.sensitivity, 6),
        "useful": round(useful_numbers, 3),
        "dead": report.dead,
        "warnings": texts,
    }
