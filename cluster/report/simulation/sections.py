# SPDX-License-Identifier: Apache-2.0
"""The sections of a ``simulate`` run in their order, each with the sentence that explains it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from cluster.report.blocks import Content, left_out, section, tile_row
from cluster.report.manifest import Missing
from cluster.report.markup import Markup, element, markup
from cluster.report.provenance import provenance
from cluster.report.replay import Floor
from cluster.report.simulation.charts import share_bars, throughput_charts
from cluster.report.simulation.film import player
from cluster.report.simulation.film_file import Film
from cluster.report.simulation.headline import headline, rate, rival_of
from cluster.report.simulation.heat import Heat, heat_maps, heat_of
from cluster.report.simulation.results import SimulationRun, read_simulation
from cluster.report.simulation.summary import Of, Summary, ranked, summarise
from cluster.report.simulation.tables import controller_table, world_details
from cluster.report.simulation.traffic_file import Traffic
from cluster.report.wording import counted, number, percent

COMPARED = (
    "On the left every point is a stretch of time, the mean over worlds with the 95 % t-interval "
    "as a band; on the right every dot is a world, and the line is the 95 % t-interval of their "
    "mean. Bands and lines need three worlds. Dashed and grey: pibt, which looks one cell ahead."
)
SHARES = (
    "Means over worlds. Waiting: at rest although it has an errand. Refused: told to drive, but "
    "the cell was taken. Delayed: stopped by a fault or by people."
)
CONGESTION = (
    "Robots per free cell that wait or are refused, on average over all ticks and worlds; grey: "
    "obstacles. One scale for all controllers; each colour stands for twice the one before."
)
VISITS = "The same of all robots, whatever they do: which aisles carry the traffic."
TABLE = (
    "Means over worlds, small print half the 95 % t-interval. More orders than pibt: world by "
    "world, which is sharper than the intervals of the means; nothing corrects for the best being "
    "picked from several. Times of computation are measured, everything else follows from the seed."
)
LEAGUE = (
    "artefacts/league.json is the run as the League of Robot Runners records it; its visualiser "
    "PlanViz opens the file."
)

Words = Callable[[Summary], str]


def simulation_content(folder: Path) -> Content:
    """The page of a ``simulate`` run.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    run = read_simulation(folder)
    summaries = summarise(run.records)
    title, support = headline(run, summaries)
    shown = [
        _film(run),
        *_compared(run, summaries),
        *_congestion(run, summaries),
        _table(run, summaries),
        *_league(run, summaries),
        section("Where this comes from", "", provenance(run.manifest)),
    ]
    return Content(run.manifest, run.name, title, support, tiles(summaries), shown)


def tiles(summaries: Sequence[Summary]) -> Markup:
    """The first controller in five numbers, beside those of the one that it is compared with."""
    order = ranked(summaries)
    if not order:
        return tile_row([])
    best, rival = order[0], rival_of(order)
    return tile_row(
        [
            (rate(best), f"orders per tick, {best.controller}{_beside(rival, rate)}"),
            _tile(best, rival, "ticks for an order", _service),
            _tile(best, rival, "waiting or refused", _standing),
            _tile(best, rival, "worlds deadlocked", _stuck),
            _tile(best, rival, "computation per tick", _computation),
        ]
    )


def _tile(best: Summary, rival: Summary | None, words: str, value: Words) -> tuple[str, str]:
    return value(best), f"{words}{_beside(rival, value)}"


def _beside(rival: Summary | None, value: Words) -> str:
    return f" ({rival.controller} {value(rival)})" if rival else ""


def _value(summary: Summary, of: Of) -> float | None:
    mean = summary.mean(of)
    return mean.value if mean else None


def _service(summary: Summary) -> str:
    return number(_value(summary, lambda r: r.service_ticks_mean))


def _standing(summary: Summary) -> str:
    return percent(_value(summary, lambda r: r.standing), 1)


def _stuck(summary: Summary) -> str:
    return f"{summary.deadlocks} of {len(summary.ended)}"


def _computation(summary: Summary) -> str:
    value = _value(summary, lambda r: r.decision_ms_mean)
    return f"{number(value, 2 if value is not None and value < 10 else 0)} ms"


def _film(run: SimulationRun) -> Markup:
    title = "The fleet"
    if isinstance(run.films, Missing):
        return left_out(title, run.films)
    if not run.films or not isinstance(run.floor, Floor):
        return left_out(title, Missing("the film is empty"))
    return section(title, _film_note(run.films[0], run.floor), player(run.films, run.floor))


def _film_note(film: Film, floor: Floor) -> str:
    action = counted(film.ticks_per_action, "tick")
    turns = "; robots turn" if film.turning else ""
    last = film.from_tick + len(film.x) - 1
    return (
        f"{counted(film.robots, 'robot')} of world {film.world} on {floor.name}, ticks "
        f"{number(film.from_tick, 0)} to {number(last, 0)}. An action takes {action}{turns}. "
        "Carrying: an errand of the order is done already."
    )


def _compared(run: SimulationRun, summaries: list[Summary]) -> list[Markup]:
    if not ranked(summaries):
        return []
    return [
        section("Throughput", COMPARED, throughput_charts(run, summaries)),
        section("What robots do with their time", SHARES, share_bars(summaries)),
    ]


def _congestion(run: SimulationRun, summaries: list[Summary]) -> list[Markup]:
    title = "Where robots stand in the way"
    if isinstance(run.traffic, Missing) or not isinstance(run.floor, Floor):
        reason = run.traffic if isinstance(run.traffic, Missing) else Missing("there is no floor")
        return [left_out(title, reason)]
    lived = {s.controller: sum(r.ticks or 0 for r in s.ended) for s in summaries}
    known = [traffic for traffic in run.traffic if lived.get(traffic.controller)]
    if not known:
        return [left_out(title, Missing("no world came to its end"))]
    stopped, visits = (_heats(known, which, run.floor, lived) for which in (True, False))
    told = element("p", VISITS, class_="note")
    return [
        section(
            title,
            CONGESTION,
            heat_maps(stopped, run.floor, "waiting or refused"),
            element("h3", "Where robots are at all", class_="below"),
            told,
            heat_maps(visits, run.floor, ""),
        )
    ]


def _heats(
    known: Sequence[Traffic], stopped: bool, floor: Floor, lived: dict[str, int]
) -> list[Heat]:
    return [heat_of(traffic, stopped, floor, lived[traffic.controller]) for traffic in known]


def _table(run: SimulationRun, summaries: list[Summary]) -> Markup:
    title = "Results"
    if not run.records:
        return section(title, "The run has no results yet.")
    return section(title, TABLE, controller_table(summaries), world_details(run.records))


def _league(run: SimulationRun, summaries: list[Summary]) -> list[Markup]:
    checked = [s for s in summaries if s.total(lambda r: r.league_errors) is not None]
    if not run.has_league and not checked:
        return []
    told = [_league_words(summary) for summary in checked]
    note = LEAGUE if run.has_league else ""
    return [section("League of Robot Runners", note, markup(*told))]


def _league_words(summary: Summary) -> Markup:
    errors = summary.total(lambda r: r.league_errors)
    orders = number(summary.total(lambda r: r.orders), 0)
    verdict = "no error" if not errors else counted(int(errors), "error")
    text = f"{summary.controller} finished {orders} tasks, with {verdict} by the league's rules."
    return element("p", text, class_="callout")
