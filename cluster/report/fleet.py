# SPDX-License-Identifier: Apache-2.0
"""The animation of the fleet: its data, its canvas and its controls."""

from cluster.report.markup import Markup, coordinate, element, embedded_json, markup
from cluster.report.motion import Kind, occupancy, pace_s
from cluster.report.replay import Replay, Trip

SAMPLES = 320
STRIP_WIDTH, STRIP_HEIGHT = 1000.0, 44.0
LAYERS: tuple[Kind, ...] = ("drive", "wait", "bay")
SPEEDS = (1, 2, 5, 10, 20, 50)
WATCHING_S = 40
COUNTS = (("bay", "in the bay"), ("drive", "driving"), ("wait", "waiting"), ("done", "done"))
STATIONS = (("S", "service", "service point"), ("E", "emitter", "emitter"))


def animation(replay: Replay) -> Markup:
    """Canvas, occupancy over time, scrubber and buttons."""
    floor = replay.floor
    canvas = element(
        "canvas",
        f"The fleet on {floor.name}; the animation needs JavaScript.",
        id="floor",
        role="img",
        aria_label=f"Animation of {len(replay.trips)} robots on {floor.name}",
    )
    return element(
        "div",
        element("div", canvas, element("div", id="tip", class_="tip", hidden=True), class_="floor"),
        element("div", _strip(replay), _scrubber(replay), class_="timeline"),
        _controls(replay),
        embedded_json("replay", replay_data(replay)),
        class_="animation",
    )


def replay_data(replay: Replay) -> dict[str, object]:
    """What the script needs: times in whole hundredths of a second."""
    floor = replay.floor
    return {
        "width": floor.width,
        "height": floor.height,
        "rows": floor.rows,
        "end": replay.end_s,
        "robots": [_robot(trip) for trip in replay.trips],
    }


def _robot(trip: Trip) -> dict[str, object]:
    return {
        "cells": trip.cells,
        "times": [round(100 * time) for time in trip.times_s],
        "pace": round(pace_s(trip), 4),
    }


def _strip(replay: Replay) -> Markup:
    counts = occupancy(replay.trips, replay.end_s, SAMPLES)
    below = [0] * SAMPLES
    areas = []
    for kind in LAYERS:
        above = [low + more for low, more in zip(below, counts[kind], strict=True)]
        areas.append(element("path", d=_area(below, above, len(replay.trips)), class_=kind))
        below = above
    box = f"0 0 {coordinate(STRIP_WIDTH)} {coordinate(STRIP_HEIGHT)}"
    return element("svg", *areas, viewBox=box, preserveAspectRatio="none", aria_hidden="true")


def _area(below: list[int], above: list[int], robots: int) -> str:
    x = [STRIP_WIDTH * index / (SAMPLES - 1) for index in range(SAMPLES)]
    scale = STRIP_HEIGHT / max(robots, 1)
    edge = [(a, STRIP_HEIGHT - scale * b) for a, b in zip(x, above, strict=True)]
    edge += [(a, STRIP_HEIGHT - scale * b) for a, b in zip(x[::-1], below[::-1], strict=True)]
    return "M" + "L".join(f"{coordinate(a)},{coordinate(b)}" for a, b in edge) + "Z"


def _scrubber(replay: Replay) -> Markup:
    return element(
        "input",
        id="scrubber",
        class_="scrubber",
        type="range",
        min="0",
        max=coordinate(replay.end_s),
        step="0.05",
        value="0",
        aria_label="time in seconds",
    )


def _controls(replay: Replay) -> Markup:
    return element(
        "div",
        element("button", "Play", id="play", type="button"),
        element("label", "speed ", _speeds(replay)),
        element("output", "0.0 s", id="clock", class_="clock"),
        *(_count(kind, words) for kind, words in COUNTS),
        _legend(set("".join(replay.floor.rows))),
        class_="controls",
    )


def _count(kind: str, words: str) -> Markup:
    number = element("b", "0", id=f"count-{kind}")
    return element("span", number, f" {words}", class_=f"count {kind}")


def _speeds(replay: Replay) -> Markup:
    fitting = next((s for s in SPEEDS if replay.end_s / s <= WATCHING_S), SPEEDS[-1])
    options = [
        element("option", f"{speed}×", value=str(speed), selected=speed == fitting)
        for speed in SPEEDS
    ]
    return element("select", *options, id="speed")


def _legend(symbols: set[str]) -> Markup:
    ramp = element("span", id="ramp")
    scale = markup("waited 0 s ", ramp, " ", element("span", "", id="longest"))
    stations = [
        element("span", element("i", class_=kind), f" {words}")
        for symbol, kind, words in STATIONS
        if symbol in symbols
    ]
    ring = element("span", element("i", class_="ring"), " standing now")
    return element("div", element("span", scale), ring, *stations, class_="legend")
