# SPDX-License-Identifier: Apache-2.0
"""The result in words: who does most orders, and whether the worlds allow to say so."""

from collections.abc import Sequence

from cluster.report.compare.words import listed
from cluster.report.means import Mean
from cluster.report.replay import Floor
from cluster.report.simulation.results import SimulationRun
from cluster.report.simulation.summary import BASELINE, Summary, paired_gain, ranked
from cluster.report.wording import capitalised, counted, number, percent

PLAIN_SHARE = 0.0995
"""From here on per cent have no decimals."""


def headline(run: SimulationRun, summaries: list[Summary]) -> tuple[str, list[str]]:
    """The title sentence and the sentences that support it."""
    order = ranked(summaries)
    if not order:
        return ("No world came to its end" if summaries else "The run has no results yet"), []
    support = [
        _setting(run, summaries),
        _rates(order),
        _near(order),
        _deadlocks(summaries),
        _league(summaries),
        _failed(summaries),
    ]
    return capitalised(_title(order)), [sentence for sentence in support if sentence]


def rival_of(order: Sequence[Summary]) -> Summary | None:
    """Whom the first is compared with: the baseline, or if it is the first itself, the next."""
    return next((s for s in order[1:] if s.controller == BASELINE), next(iter(order[1:]), None))


def _title(order: list[Summary]) -> str:
    best, rival = order[0], rival_of(order)
    stuck = f", but deadlocks in {best.deadlocks} of {len(best.ended)}" if best.deadlocks else ""
    if rival is None:
        return f"{best.controller} does {rate(best)} orders per tick{stuck}"
    if best.controller == BASELINE:
        return f"{_behind(order)}{stuck}"
    gain = paired_gain(best.records, rival.records)
    if gain is None:
        told = f"{best.controller} does {rate(best)} orders per tick, {rival.controller}"
        return f"{told} {rate(rival)}{stuck}"
    if gain.n == 1:
        return f"In the one world, {best.controller} does {_more(gain, rival)}{stuck}"
    if gain.low <= 0:
        leader = rival.controller if rival.controller == BASELINE else "the others"
        return f"No controller is clearly ahead of {leader}{stuck}"
    return f"{best.controller} does {_more(gain, rival)}{stuck}"


def _behind(order: list[Summary]) -> str:
    """The baseline does most; how far the next is behind it."""
    base, rival = order[0], order[1]
    gain = paired_gain(rival.records, base.records)
    if gain is None:
        return f"No controller does more orders than {base.controller}"
    if gain.n == 1:
        return f"In the one world, no controller does more orders than {base.controller}"
    if gain.high < 0:
        told = f"{_percent(-gain.value)} fewer orders ({_ends(gain)})"
        return f"No controller beats {base.controller}: {rival.controller} does {told}"
    return f"No controller is clearly ahead of {base.controller}"


def _more(gain: Mean, rival: Summary) -> str:
    ends = f" ({_ends(gain)})" if gain.has_interval else ""
    return f"{_percent(gain.value)} more orders than {rival.controller}{ends}"


def _ends(gain: Mean) -> str:
    low, high = sorted((abs(gain.low), abs(gain.high)))
    return f"95\u00a0% interval {_percent(low)} to {_percent(high)}"


def _percent(share: float) -> str:
    return percent(share, 0 if share >= PLAIN_SHARE else 1)


def rate(summary: Summary) -> str:
    """Orders per tick of a controller, in three figures."""
    return rate_words(summary.throughput.value if summary.throughput else None)


def rate_words(value: float | None) -> str:
    """Orders per tick in about three figures; a dash where there are none."""
    decimals = 3 if value is not None and value < 0.995 else 2
    return number(value, decimals)


def _setting(run: SimulationRun, summaries: list[Summary]) -> str:
    ended = [record for s in summaries for record in s.ended]
    robots = _span([r.robots for r in ended if r.robots is not None])
    ticks = _span([r.ticks for r in ended if r.ticks is not None])
    worlds = counted(len({record.world for record in ended}), "world")
    where = f" on {run.floor.name}" if isinstance(run.floor, Floor) else ""
    alone = "; one world has no interval" if worlds == "1 world" else ""
    return f"{worlds} of {ticks} ticks with {robots} robots{where}{alone}."


def _span(values: Sequence[int]) -> str:
    ends = sorted({min(values), max(values)}) if values else []
    return " to ".join(number(value, 0) for value in ends) or "unknown"


def _rates(order: list[Summary]) -> str:
    """Orders per tick of everybody, the first first."""
    if len(order) < 2:
        return ""
    return f"Orders per tick: {listed([f'{s.controller} {rate(s)}' for s in order])}."


def _near(order: list[Summary]) -> str:
    """Whom the worlds cannot tell from the first."""
    best = order[0]
    near = []
    for other in order[1:]:
        gain = paired_gain(best.records, other.records)
        if gain is not None and gain.has_interval and gain.low <= 0:
            near.append(other.controller)
    return (
        f"World by world, {best.controller} is not clearly ahead of {listed(near)}." if near else ""
    )


def _deadlocks(summaries: list[Summary]) -> str:
    stuck = [f"{s.controller} in {s.deadlocks} of {len(s.ended)}" for s in summaries if s.deadlocks]
    return f"Worlds that ended in a deadlock: {listed(stuck)}." if stuck else ""


def _league(summaries: list[Summary]) -> str:
    found = [(s.controller, s.total(lambda r: r.league_errors)) for s in summaries]
    wrong = [f"{name} {number(errors, 0)}" for name, errors in found if errors]
    return f"Errors by the rules of the league: {listed(wrong)}." if wrong else ""


def _failed(summaries: list[Summary]) -> str:
    total = sum(len(s.records) for s in summaries)
    failed = total - sum(len(s.ended) for s in summaries)
    return f"{failed} of {counted(total, 'world')} failed and count nowhere." if failed else ""
