# SPDX-License-Identifier: Apache-2.0
"""How numbers and names are written in the report."""

import math

from cluster.report.markup import Markup, element, markup
from cluster.report.means import Mean

MISSING = "–"
BASELINE = "fcfs"
COORDINATORS = {
    BASELINE: "first come first served",
    "milp": "MILP",
    "cma": "CMA-ES",
    "gnn_vae": "the GNN-VAE",
    "gnn_vae+ls": "the GNN-VAE with local search",
}
"""Those whose names are no words."""
OBJECTIVES = {"mean_travel": "mean travel time", "mean_travel_time": "mean travel time"}


def number(value: float | None, decimals: int = 1) -> str:
    """A number with fixed decimals and a real minus sign; a dash where there is none."""
    if value is None:
        return MISSING
    text = f"{value:,.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("-")
    return text.replace(",", "\u2009").replace("-", "−")


def loss_words(value: float | None) -> str:
    """A loss in two figures, with a power of ten below 0.1; a dash where there is none."""
    if value is None:
        return MISSING
    if math.isinf(value):
        return "∞"
    if value == 0 or 0.0995 <= value < 1000:
        return number(value, 2 if value < 9.95 else 0)
    return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e+").replace("-", "−")


def percent(value: float | None, decimals: int = 0) -> str:
    """A share of one as per cent."""
    return MISSING if value is None else f"{number(100 * value, decimals)}\u00a0%"


def duration(seconds: float | None) -> str:
    """A run time with about three figures, from milliseconds to hours."""
    if seconds is None:
        return MISSING
    if seconds < 1:
        return f"{number(1000 * seconds, 0 if seconds >= 0.01 else 1)} ms"
    return f"{number(seconds, 1 if seconds < 100 else 0)} s"


def with_interval(mean: Mean | None, decimals: int, scale: float = 1.0) -> Markup:
    """A mean and half the width of its interval, the latter in small print."""
    if mean is None:
        return markup(MISSING)
    value = number(scale * mean.value, decimals)
    if not mean.has_interval:
        return markup(value)
    half = number(scale * (mean.high - mean.low) / 2, decimals)
    return markup(value, element("span", f"±{half}", class_="pm"))


def duration_with_factor(mean: Mean | None) -> Markup:
    """A geometric mean and, in small print, the factor to either end of its interval."""
    if mean is None:
        return markup(MISSING)
    if not mean.has_interval:
        return markup(duration(mean.value))
    factor = mean.high / mean.value
    wide = number(factor, 1) if factor < 100 else "100+"
    return markup(duration(mean.value), element("span", f"×÷{wide}", class_="pm"))


def counted(count: int, singular: str) -> str:
    """``1 instance``, ``5 instances``."""
    return f"{count} {singular}" if count == 1 else f"{number(count, 0)} {singular}s"


def spoken(name: str) -> str:
    """A stable name as it reads in a sentence."""
    return COORDINATORS.get(name, name.replace("_", " "))


def objective_words(objective: str) -> str:
    """What the cost measures, in words."""
    return OBJECTIVES.get(objective, objective.replace("_", " "))


def capitalised(sentence: str) -> str:
    """The sentence with a capital first letter and everything else as it is."""
    return sentence[:1].upper() + sentence[1:]


def label_words(name: str) -> str:
    """A name beside a line or a mark, where there is little room."""
    return name.removeprefix("coordinated:")
