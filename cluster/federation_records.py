# SPDX-License-Identifier: Apache-2.0
"""From rounds and scores to the documents of a run folder, and the table on the console."""

from collections.abc import Mapping, Sequence
from typing import Any

from flwr.app import Message
from rich.table import Table

from cluster.federation_privacy import spent_in_words
from cluster.trials import Record
from federated.flower import FIRST_SITE
from federated.options import acts
from federated.records import ACCURACY, ARRAYS, CIRCUITS, LOSS, WEIGHT, metric, size_bytes
from federated.rounds import Round
from federated.task import Score, Task, weighted

REGIMES = ("trivial", "local", "local_elsewhere", "federated", "centralised")
Scores = Mapping[str, Sequence[Score]]
"""By regime, one per site."""


def round_record(done: Round) -> Record:
    """A round as a line of ``metrics.jsonl``."""
    sites = [one for reply in done.scores if (one := _judgement(reply))]
    judged = weighted([Score(s["samples"], s["loss"], s["accuracy"]) for s in sites])
    good = [reply for reply in done.replies if _site(reply) in set(done.good)]
    return {
        "round": done.progress.round,
        "asked": len(done.asked),
        "replies": len(done.good),
        "loss": _training_loss(good),
        "test_loss": judged.loss if judged.samples else None,
        "test_accuracy": judged.accuracy,
        "bytes_down": sum(map(_size, done.asked)),
        "bytes_up": sum(map(_size, done.replies)),
        "circuits": sum(int(metric(reply, CIRCUITS) or 0) for reply in good),
        "seconds": round(done.seconds, 4),
        "rejections": [{"site": one.site, "reason": one.reason} for one in done.rejections],
        "sites": sites,
    }


def updates(done: Round) -> dict[str, Any]:
    """What crossed the wire: ``before/NAME``, and ``site-S/NAME`` with ``samples/S`` of each."""
    found: dict[str, Any] = {f"before/{name}": value for name, value in done.before.items()}
    for reply in done.replies:
        if reply.has_error() or ARRAYS not in reply.content.array_records:
            continue
        site = _site(reply)
        record = reply.content.array_records[ARRAYS]
        found |= {f"site-{site}/{name}": array.numpy() for name, array in record.items()}
        found[f"samples/{site}"] = metric(reply, WEIGHT) or 0
    return found


def final_records(task: Task, scores: Scores) -> list[Record]:
    """The rows of ``results.json``: every regime over all sites, then at each."""
    makeup = task.makeup()
    rows = []
    for regime in REGIMES:
        if regime not in scores:
            continue
        own = scores[regime]
        rows.append(_row(regime, None, sum(one["train"] for one in makeup), weighted(own)))
        rows += [
            _row(regime, one["site"], one["train"], score)
            for one, score in zip(makeup, own, strict=True)
        ]
    return rows


def reported_records(last: Record) -> list[Record]:
    """The rows of ``results.json`` that a server without data knows: what sites say of the model.

    Args:
        last: the last round.
    """
    scores = {s["site"]: Score(s["samples"], s["loss"], s["accuracy"]) for s in last["sites"]}
    together = _row("federated", None, None, weighted(list(scores.values())))
    each = [_row("federated", site, None, score) for site, score in sorted(scores.items())]
    return [together, *each]


def rounds_document(done: Mapping[str, Record]) -> Any:
    """The JSON object ``artefacts/rounds.json``."""
    rows = [record for key, record in done.items() if key.startswith("round-")]
    return {"rows": sorted(rows, key=lambda record: record["round"])}


def partition_document(partition: str, classes: Sequence[str], task: Task) -> Any:
    """The JSON object ``artefacts/partition.json``."""
    return {"partition": partition, "classes": list(classes), "sites": task.makeup()}


def as_scores(rows: Sequence[Sequence[float | None]]) -> list[Score]:
    """What a regime's trial returned."""
    return [Score(int(samples or 0), loss or 0.0, accuracy) for samples, loss, accuracy in rows]


def in_words(record: Record, task: str) -> str:
    """A round in a few words."""
    parts = [f"{record['replies']}/{record['asked']} replies"]
    if record["loss"] is not None:
        parts.append(_loss_in_words(record["loss"], task))
    if record["test_accuracy"] is not None:
        parts.append(f"test accuracy {100 * record['test_accuracy']:.1f} %")
    elif record["test_loss"] is not None:
        parts.append(f"test {_loss_in_words(record['test_loss'], task)}")
    return ", ".join([*parts, *spent_in_words(record), f"{record['seconds']:.2f} s"])


def regime_in_words(task: str, record: Record) -> str:
    """What a regime came to, in a few words."""
    parts = []
    for regime, rows in record.items():
        score = weighted(as_scores(rows))
        if score.accuracy is None:
            parts.append(f"{regime} {_loss_in_words(score.loss, task)}")
        else:
            parts.append(f"{regime} {100 * score.accuracy:.1f} %")
    return ", ".join(parts)


def results_table(records: Sequence[Record], task: str) -> Table:
    """One row per regime: all sites together, the worst, the best."""
    table = Table(box=None, pad_edge=False)
    table.add_column("regime")
    headings = ("return",) if acts(task) else ("loss", "accuracy")
    for heading in (*headings, "worst site", "best site"):
        table.add_column(heading, justify="right")
    for regime in dict.fromkeys(record["regime"] for record in records):
        rows = [record for record in records if record["regime"] == regime]
        (all_sites,) = (row for row in rows if row["site"] is None)
        each = [row for row in rows if row["site"] is not None]
        table.add_row(regime, *_cells(all_sites, each, task))
    return table


def _cells(all_sites: Record, each: Sequence[Record], task: str) -> list[str]:
    """Of policies the returns; else the loss, and accuracies where something is classified."""
    name, write = ("loss", _return) if acts(task) else ("accuracy", _percent)
    known = [row[name] for row in each if row[name] is not None]
    ends = sorted((min(known), max(known)), reverse=acts(task)) if known else (None, None)
    loss = [] if acts(task) else [_or_dash(all_sites["loss"])]
    return [*loss, *map(write, (all_sites[name], *ends))]


def _loss_in_words(loss: float, task: str) -> str:
    """A policy's loss is minus its return."""
    return f"return {0.0 - loss:.4f}" if acts(task) else f"loss {loss:.4f}"


def _or_dash(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _return(loss: float | None) -> str:
    return _or_dash(None if loss is None else 0.0 - loss)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _row(regime: str, site: int | None, train: int | None, score: Score) -> Record:
    return {
        "regime": regime,
        "site": site,
        "train_samples": train,
        "test_samples": score.samples,
        "loss": score.loss if score.samples else None,
        "accuracy": score.accuracy,
    }


def _judgement(reply: Message) -> Record | None:
    """What a site says of the model; None if it failed, or says nonsense."""
    samples, loss = metric(reply, WEIGHT), metric(reply, LOSS)
    if samples is None or loss is None:
        return None
    accuracy = metric(reply, ACCURACY)
    return {"site": _site(reply), "loss": loss, "accuracy": accuracy, "samples": int(samples)}


def _training_loss(replies: Sequence[Message]) -> float | None:
    """Weighted by samples; None without a reply that tells."""
    pairs = [(metric(reply, WEIGHT) or 0.0, metric(reply, LOSS)) for reply in replies]
    known = [(weight, loss) for weight, loss in pairs if loss is not None]
    total = sum(weight for weight, _ in known)
    return sum(weight * loss for weight, loss in known) / total if total else None


def _size(message: Message) -> int:
    if message.has_error():
        return 0
    return sum(map(size_bytes, message.content.array_records.values()))


def _site(reply: Message) -> int:
    return reply.metadata.src_node_id - FIRST_SITE
