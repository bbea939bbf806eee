# SPDX-License-Identifier: Apache-2.0
"""The sections of a ``coordinate`` run in their order, each with the sentence that explains it."""

from pathlib import Path

from cluster.report.blocks import Content, left_out, section, tile_row
from cluster.report.charts import comparison_charts
from cluster.report.comparison import Summary, summarise
from cluster.report.delays import delays_body, total
from cluster.report.execution import Execution
from cluster.report.fleet import animation
from cluster.report.folder import Run, read_run
from cluster.report.gantt import MOST_ROWS, Rows, chosen_rows, gantt
from cluster.report.headline import headline
from cluster.report.manifest import Missing
from cluster.report.markup import Markup, element, markup
from cluster.report.provenance import provenance
from cluster.report.replay import Replay
from cluster.report.tables import record_table, summary_table
from cluster.report.wording import counted, number, objective_words, spoken

INTERVALS = (
    "Means over instances with their 95 % t-interval. Every coordinator gets the same "
    "instances, so the paired savings in the table are sharper than the drawn intervals, which "
    "need at least three instances."
)


def coordinate_content(folder: Path) -> Content:
    """The page of a ``coordinate`` run.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    run = read_run(folder)
    summaries = summarise(run.records)
    title, support = headline(run, summaries)
    shown = sections(run, summaries)
    return Content(run.manifest, run.name, title, support, tiles(run), shown)


def sections(run: Run, summaries: list[Summary]) -> list[Markup]:
    """All sections that the folder has data for, and a note for each that it has not."""
    return [
        _fleet(run.replay),
        _charts(run, summaries),
        _tables(run, summaries),
        _delays(run.execution),
        _timeline(run.replay),
        section("Where this comes from", "", provenance(run.manifest)),
    ]


def tiles(run: Run) -> Markup:
    """Four numbers that say how much was tried and whether it holds."""
    records = run.records
    certified = sum(r.certified for r in records)
    schedules = sum(r.cost is not None for r in records)
    fleets = sorted({r.robots for r in records})
    execution = run.execution if isinstance(run.execution, Execution) else None
    collisions = total(r.collisions for r in execution.rows) if execution else None
    shown = [
        (str(len({(r.robots, r.instance) for r in records})), "instances"),
        (_span(fleets), "robots"),
        (f"{certified} of {schedules}", "schedules certified free of deadlock"),
    ]
    if execution:
        shown.append((number(collisions, 0), "collisions under sampled delays"))
    return tile_row(shown)


def _span(fleets: list[int]) -> str:
    ends = sorted({fleets[0], fleets[-1]}) if fleets else [0]
    return " to ".join(number(count, 0) for count in ends)


def _fleet(replay: Replay | Missing) -> Markup:
    title = "The fleet"
    if isinstance(replay, Missing):
        return left_out(title, replay)
    robots = counted(len(replay.trips), "robot")
    cost = f", {objective_words(replay.objective)} {number(replay.cost_s)} s"
    note = (
        f"{robots} cross {replay.floor.name} under {spoken(replay.coordinator)}, instance "
        f"{replay.instance}{cost if replay.cost_s is not None else ''}. Robots enter from a bay "
        "beside their first cell and leave into one beside their last."
    )
    return section(title, note, _deadlock(replay), animation(replay))


def _deadlock(replay: Replay) -> Markup:
    if replay.plain_fcfs is None:
        return markup()
    at_s, stuck = replay.plain_fcfs
    text = (
        "Without a coordinator that looks ahead, plain first come first served deadlocks here "
        f"after {number(at_s)} s, with {number(stuck, 0)} robots stuck for good."
    )
    return element("p", text, class_="callout")


def _charts(run: Run, summaries: list[Summary]) -> Markup:
    return section("Coordinators compared", INTERVALS, comparison_charts(run, summaries))


def _tables(run: Run, summaries: list[Summary]) -> Markup:
    title = "Results"
    if not run.records:
        return section(title, "The run has no results yet.")
    note = (
        "Ratio: best known cost of the instance over the cost reached, 1 is best. Saved: mean "
        "of the paired savings against first come first served (fcfs). n: instances solved. "
        "Small print: half the 95 % interval; for the runtime, a geometric mean, its factor. "
        "Bold: lowest mean cost of the fleet size."
    )
    every = element(
        "details",
        element("summary", f"Every instance ({counted(len(run.records), 'row')})"),
        record_table(run.records),
    )
    return section(title, note, summary_table(summaries), every)


def _delays(execution: Execution | Missing) -> Markup:
    title = "When robots are late"
    if isinstance(execution, Missing):
        return left_out(title, execution)
    if not execution.rows:
        return left_out(title, Missing("no schedule was executed"))
    note = (
        f"Every schedule was executed under {counted(execution.samples, 'sample')} of delays "
        f"({execution.delay_model}). By precedence, a robot enters a cell once those before it "
        "have left; by clock, it enters at the planned time whatever the others do. Means over "
        "n instances, small print half the 95 % interval."
    )
    return section(title, note, delays_body(execution))


def _timeline(replay: Replay | Missing) -> Markup:
    title = "Who waits for whom"
    if isinstance(replay, Missing) or not replay.trips:
        reason = replay.reason if isinstance(replay, Missing) else "the replay has no robots"
        return left_out(title, Missing(reason))
    rows = chosen_rows(replay)
    return section(title, _timeline_note(replay, rows), _timeline_key(), gantt(replay, rows))


def _timeline_note(replay: Replay, rows: Rows) -> str:
    note = (
        f"The line is the critical path of instance {replay.instance}: the chain of events, "
        "without slack, that ends with the last robot. Where it changes rows, one robot hands "
        "a cell over to the next."
    )
    if len(rows.critical) < rows.critical_total:
        note += f" It visits {rows.critical_total} robots; the last {MOST_ROWS} are drawn."
    elif len(rows.robots) < len(replay.trips):
        note += (
            f" Drawn: the {counted(len(rows.critical), 'robot')} on it and the "
            f"{len(rows.robots) - len(rows.critical)} others that wait longest, "
            f"of {len(replay.trips)}."
        )
    return note


def _timeline_key() -> Markup:
    kinds = (("drive", "driving"), ("wait", "waiting"), ("bay", "waiting in the bay"))
    keys = [element("span", element("i", class_=kind), f" {words}") for kind, words in kinds]
    chain = element("span", element("i", class_="chain"), " critical path")
    return element("p", *keys, chain, class_="legend")
