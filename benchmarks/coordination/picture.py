# SPDX-License-Identifier: Apache-2.0
"""The picture: optimality ratio against robots, sparse beside dense, the paper's curve dashed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, NullLocator

from benchmarks.coordination import paper
from benchmarks.coordination.cases import FLOORS, SIZES, SetName
from benchmarks.coordination.methods import GNN_VAE, GNN_VAE_LS, MILP, Method
from benchmarks.coordination.results import Results
from benchmarks.setting import half_width
from sim.coordinators.portfolio import CoordinatorName

PANELS = (SetName.SPARSE, SetName.DENSE)
PAPER, INK, SOFT, LINE = "#fbfaf7", "#1c2430", "#56606e", "#e4e3de"
"""Colours of the reports: background, text, lesser text, grid."""

SHOWN = {
    GNN_VAE_LS: "#0b5a97",
    GNN_VAE: "#d55e00",
    Method(CoordinatorName.LOCAL_SEARCH, 1.0): "#3fa3dc",
    MILP: "#882255",
    Method(CoordinatorName.DIVE, 1.0): "#009e73",
    Method(CoordinatorName.CMA, 1.0): "#d18f00",
    Method(CoordinatorName.FCFS, 1.0): "#6d7683",
}
"""Methods with their colours; the others are in the tables."""

EMPHASIS = (GNN_VAE_LS, GNN_VAE)
LABEL_STEP = 0.037
"""Least distance of two labels, as a share of the height."""


@dataclass(frozen=True)
class Curve:
    """Means over the instances of each size, and half widths of their 95 % intervals."""

    label: str
    colour: str
    robots: Sequence[int]
    mean: Sequence[float]
    half: Sequence[float]
    width: float = 1.5
    dashed: bool = False


def draw_picture(results: Results, path: Path) -> None:
    """Write it in the image format that the ending of the path names."""
    panels = {name: [*_curves(results, name), _of_paper()] for name in PANELS}
    lows = [low for curves in panels.values() for curve in curves for low in _low(curve)]
    bottom = float(np.floor(50 * min(lows)) / 50) - 0.004
    figure = Figure(figsize=(12, 6.2), dpi=150, facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2, sharey=True)
    for panel, (name, curves) in zip(axes, panels.items(), strict=True):
        _prepare(panel, name, bottom)
        for curve in curves:
            _draw(panel, curve)
        _write_labels(panel, curves)
    axes[0].set_ylabel("best known cost / cost", color=SOFT)
    _write_titles(figure)
    figure.subplots_adjust(left=0.06, right=0.85, top=0.81, bottom=0.1, wspace=0.68)
    figure.savefig(path, facecolor=PAPER)


def _curves(results: Results, name: SetName) -> list[Curve]:
    """Of the methods that were measured."""
    curves = []
    for method, colour in SHOWN.items():
        ratios = {size: results.ratios(name, size, method) for size in results.sizes(name)}
        ratios = {size: values for size, values in ratios.items() if values}
        if ratios:
            mean = [float(np.mean(values)) for values in ratios.values()]
            half = [half_width(values) for values in ratios.values()]
            width = 2.6 if method in EMPHASIS else 1.5
            label = str(method).replace("_", " ") if method not in EMPHASIS else str(method)
            curves.append(Curve(label, colour, list(ratios), mean, half, width))
    return curves


def _of_paper() -> Curve:
    sizes, ratios = list(paper.OURS), list(paper.OURS.values())
    return Curve("paper's GNN-VAE", INK, sizes, ratios, [0.0] * len(sizes), dashed=True)


def _low(curve: Curve) -> list[float]:
    return [mean - half for mean, half in zip(curve.mean, curve.half, strict=True)]


def _prepare(panel: Axes, name: SetName, bottom: float) -> None:
    """Scales, grid and title of an empty panel."""
    panel.set_facecolor(PAPER)
    panel.set_xscale("log")
    panel.set_xlim(SIZES[0] * 0.9, SIZES[-1] * 1.04)
    panel.set_ylim(bottom, 1.004)
    panel.set_xticks(SIZES, [str(size) for size in SIZES])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_locator(MultipleLocator(0.05))
    panel.tick_params(colors=SOFT, length=0, labelleft=True)
    panel.grid(axis="y", color=LINE, linewidth=1)
    panel.spines[:].set_visible(False)
    panel.set_xlabel("robots", color=SOFT)
    cells = FLOORS[name].cells_per_robot[0]
    title = f"{name.capitalize()}: {cells} free cells per robot"
    panel.set_title(title, loc="left", color=INK, fontsize=11, pad=10)


def _draw(panel: Axes, curve: Curve) -> None:
    low, high = _low(curve), np.add(curve.mean, curve.half)
    front = 3 if curve.width > 2 or curve.dashed else 2
    panel.fill_between(curve.robots, low, high, color=curve.colour, alpha=0.13, linewidth=0)
    panel.plot(
        curve.robots,
        curve.mean,
        color=curve.colour,
        linewidth=curve.width,
        linestyle=(0, (4, 2.5)) if curve.dashed else "-",
        marker=None if curve.dashed else "o",
        markersize=2.2 * curve.width,
        zorder=front,
    )


def _write_labels(panel: Axes, curves: Sequence[Curve]) -> None:
    """Names at the right ends, moved apart, each tied to its curve."""
    bottom, top = panel.get_ylim()
    order = sorted(curves, key=lambda curve: -curve.mean[-1])
    places = _apart([(curve.mean[-1] - bottom) / (top - bottom) for curve in order])
    for curve, place in zip(order, places, strict=True):
        panel.annotate(
            f"{curve.mean[-1]:.3f}  {curve.label}",
            xy=(curve.robots[-1], curve.mean[-1]),
            xytext=(1.045, place),
            textcoords="axes fraction",
            color=curve.colour,
            fontsize=9,
            fontweight="bold" if curve.width > 2 else "normal",
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "color": curve.colour, "linewidth": 0.7, "alpha": 0.6,
                "shrinkA": 1, "shrinkB": 3, "relpos": (0, 0.5),
            },
        )  # fmt: skip


def _apart(wanted: Sequence[float]) -> list[float]:
    """Falling places near the wanted ones, at least a step from each other."""
    places: list[float] = []
    for place in wanted:
        places.append(min(place, places[-1] - LABEL_STEP) if places else place)
    return places


def _write_titles(figure: Figure) -> None:
    figure.text(
        0.03, 0.943, "How close to the best known schedule", color=INK, fontsize=15, weight="bold"
    )
    figure.text(
        0.03, 0.9,
        "Mean travel time, 10 held-out instances per size, bands: 95 % intervals; one core, "
        "seconds are deadlines with everything included; numbers at the largest size.",
        color=SOFT, fontsize=9.5,
    )  # fmt: skip
