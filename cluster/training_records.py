# SPDX-License-Identifier: Apache-2.0
"""From a finished training to its documents: results, learning curve, model card, table."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, is_dataclass
from statistics import fmean
from typing import Any

from rich.table import Table

from agents.coordination.ablation import HeldOut, Method
from agents.coordination.training import Trainer
from agents.coordination.weights import ARCHITECTURE, digest
from cluster.manifest import NOT_CONFIGURATION, Manifest
from cluster.options import TrainCoordinator
from cluster.trials import Record

DECIMALS = 6


def final_records(found: Sequence[HeldOut], names: Sequence[str]) -> list[Record]:
    """The rows of ``results.json``; ``names`` are those of the held-out instances."""
    return [
        {
            "instance": names[one.instance],
            "robots": one.robots,
            "method": str(one.method),
            "cost": round(one.cost_s, DECIMALS),
            "best_known": round(one.best_s, DECIMALS),
            "ratio": round(one.ratio, DECIMALS),
        }
        for one in found
    ]


def means(records: Sequence[Record]) -> dict[str, float]:
    """Mean ratio of each method, in the order of the methods."""
    return {
        str(method): round(fmean(r["ratio"] for r in records if r["method"] == method), DECIMALS)
        for method in Method
    }


def results_table(records: Sequence[Record]) -> Table:
    """One row per method."""
    table = Table(box=None, pad_edge=False)
    table.add_column("held out")
    table.add_column("ratio", justify="right")
    for method, ratio in means(records).items():
        table.add_row(method, f"{ratio:.4f}")
    return table


def looked(row: dict[str, float]) -> str:
    """A look in a few words."""
    loss = f", loss {row['loss']:.3f}" if "loss" in row else ""
    return f"step {row['step']:.0f}: held-out ratio {row['held_out_ratio']:.4f}{loss}"


def model_card(
    options: TrainCoordinator,
    manifest: Manifest,
    trainer: Trainer,
    sources: Sequence[dict[str, Any]],
    sizes: tuple[int, int],
    documents: dict[str, Any],
) -> dict[str, Any]:
    """The JSON object that says what the weights are, and how they are made again.

    Args:
        sizes: instances learnt from and held out.
        documents: further fields.
    """
    tensors = trainer.best_weights
    best = max(trainer.history, key=lambda row: row["held_out_ratio"])
    return {
        "architecture": ARCHITECTURE,
        "model": asdict(options.model),
        "parameters": sum(value.numel() for value in tensors.values()),
        "digest": digest({name: value.cpu() for name, value in tensors.items()}),
        "command": command_line(options),
        "seed": options.seed,
        "data": {"learnt_from": sizes[0], "held_out": sizes[1], "sources": list(sources)},
        "steps": trainer.step,
        "best_step": int(best["step"]),
        **documents,
        "training": asdict(options.training),
        "device": options.device,
        "versions": manifest.versions,
        "commit": manifest.commit,
        "dirty": manifest.dirty,
    }


def command_line(options: TrainCoordinator) -> str:
    """The command with every option that is not at its default."""
    standard = TrainCoordinator(labels=())
    flags = [text for given in _flags(options, standard) for text in given]
    return shlex.join(["python", "-m", "cluster", "train-coordinator", *flags])


def _flags(given: Any, standard: Any, prefix: str = "") -> Iterator[tuple[str, ...]]:
    for field in fields(given):
        value, usual = getattr(given, field.name), getattr(standard, field.name)
        name = f"{prefix}{field.name}"
        if is_dataclass(value):
            # the options of the training stand on the command line without a prefix
            yield from _flags(value, usual, "" if name == "training" else f"{name}.")
        elif name == "seed" or (value != usual and name not in NOT_CONFIGURATION):
            values = value if isinstance(value, tuple) else (value,)
            yield (f"--{name.replace('_', '-')}", *map(str, values))
