# SPDX-License-Identifier: Apache-2.0
"""The result in words, no stronger than the data."""

from cluster.report.comparison import Summary, best_at, largest_count
from cluster.report.folder import Run
from cluster.report.means import Mean
from cluster.report.wording import (
    BASELINE,
    capitalised,
    counted,
    number,
    objective_words,
    percent,
    spoken,
)


def headline(run: Run, summaries: list[Summary]) -> tuple[str, list[str]]:
    """The title sentence and the sentences that support it."""
    robots = largest_count(summaries)
    best = best_at(summaries, robots) if robots is not None else None
    if best is None:
        return "No coordinator returned a schedule", []
    cost = objective_words(run.objective)
    support = [_support(best, summaries, cost), _smaller(summaries, best)]
    return _title(best, cost, _baseline(summaries, best)), [text for text in support if text]


def _baseline(summaries: list[Summary], best: Summary) -> Summary | None:
    same = [s for s in summaries if s.robots == best.robots and s.coordinator == BASELINE]
    return next((s for s in same if s.cost is not None), None)


def _title(best: Summary, cost: str, baseline: Summary | None) -> str:
    fleet = counted(best.robots, "robot")
    name, base = spoken(best.coordinator), spoken(BASELINE)
    if best.coordinator == BASELINE:
        return f"No coordinator beats {base} at {fleet}"
    if baseline is None or best.saving is None:
        return capitalised(f"{name} has the lowest {cost} at {fleet}")
    if is_clear(best.saving) or (best.saving.n == 1 and best.saving.value > 0):
        saved = percent(best.saving.value)
        return capitalised(f"{name} cuts {cost} by {saved} against {base} at {fleet}")
    return capitalised(f"{name} is not clearly better than {base} at {fleet}")


def is_clear(saving: Mean) -> bool:
    """Whether the whole interval lies above zero."""
    return saving.has_interval and saving.low > 0


def _support(best: Summary, summaries: list[Summary], cost: str) -> str:
    assert best.cost is not None
    own = f"{number(best.cost.value)} s"
    baseline = _baseline(summaries, best)
    if best.coordinator == BASELINE or baseline is None or baseline.cost is None:
        where = counted(best.cost.n, "instance")
        return capitalised(f"{cost} {own}, mean over {where}; nothing to compare it with by pair.")
    base = f"{number(baseline.cost.value)} s"
    saving = f", {interval_words(best.saving)}" if best.saving else ""
    return capitalised(f"{cost} {own} instead of {base}{saving}.")


def interval_words(saving: Mean) -> str:
    """A saving with its interval and the number of instances behind it."""
    if not saving.has_interval:
        return f"{percent(saving.value, 1)} less on a single instance, so without an interval"
    bounds = f"{number(100 * saving.low, 1)} to {percent(saving.high, 1)}"
    paired = f"paired over {counted(saving.n, 'instance')}"
    return f"{percent(saving.value, 1)} less (95 % interval {bounds}, {paired})"


def _smaller(summaries: list[Summary], best: Summary) -> str:
    if best.coordinator == BASELINE:
        return ""
    own = [s for s in summaries if s.coordinator == best.coordinator and s.robots < best.robots]
    others = [
        f"{percent(s.saving.value) if is_clear(s.saving) else 'no clear difference'} at {s.robots}"
        for s in own
        if s.saving is not None
    ]
    return f"Smaller fleets: {', '.join(others)} robots." if others else ""
