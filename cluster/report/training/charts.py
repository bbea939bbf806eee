# SPDX-License-Identifier: Apache-2.0
"""Learning curves: held-out schedules beside those without learning, losses, and the latent."""

from collections.abc import Sequence

from cluster.report.blocks import figure
from cluster.report.line_chart import Points, Style, line_chart
from cluster.report.markup import Markup, element
from cluster.report.means import Mean
from cluster.report.training.results import Curve, TrainingRun
from cluster.report.wording import number

BESIDE = ("fcfs", "arrival_rank", "insertion", "gnn_vae")
"""Levels drawn as dashed lines: without learning, and the best weights with samples."""
NOT_LOSSES = ("step", "held_out_ratio", "kl", "active", "sensitivity", "loss")
MOST_TICKS = 6


def curves(run: TrainingRun, curve: Curve) -> Markup:
    """Three charts over the steps."""
    steps = [int(row["step"]) for row in curve]
    losses = [name for name in dict.fromkeys(key for row in curve for key in row)]
    parts = [name for name in losses if name not in NOT_LOSSES]
    charts = [
        figure("Held-out: best known cost / cost", _ratios(run, curve, steps)),
        figure("Loss, weighted parts", _chart(_series(curve, ["loss", *parts]), steps, 2)),
        figure("Divergence of the latent, nats", _chart(_series(curve, ["kl"]), steps, 2)),
        figure("Sensitivity to the latent", _chart(_series(curve, ["sensitivity"]), steps, 2)),
    ]
    return element("div", *charts, class_="pair")


def _ratios(run: TrainingRun, curve: Curve, steps: Sequence[int]) -> Markup:
    series = {"looks": _points(curve, "held_out_ratio")}
    for method in BESIDE:
        level = run.ratio(method)
        if level is not None:
            series[method] = [(step, level) for step in (steps[0], steps[-1])]
    return _chart(series, steps, 3)


def _series(curve: Curve, names: Sequence[str]) -> dict[str, Points]:
    series = {name: _points(curve, name) for name in names}
    return {name: points for name, points in series.items() if points}


def _points(curve: Curve, name: str) -> Points:
    values = ((int(row["step"]), row[name]) for row in curve if name in row)
    return [(step, Mean(value, value, value, 1)) for step, value in values]


def _chart(series: dict[str, Points], steps: Sequence[int], decimals: int) -> Markup:
    if len({step for points in series.values() for step, _ in points}) < 2:
        return element("p", "fewer than two looks measured this", class_="note")
    every = max(1, -(-len(steps) // MOST_TICKS))
    style = Style("steps", ticks=steps[::every], dashed=BESIDE, bands=False)
    return line_chart(series, lambda value: number(value, decimals), style=style)
