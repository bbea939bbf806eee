# SPDX-License-Identifier: Apache-2.0
"""The film of the fleet: its data, its canvas and its controls."""

from collections.abc import Sequence
from importlib.resources import files
from itertools import pairwise

from cluster.report.markup import Markup, element, embedded_json
from cluster.report.replay import Floor
from cluster.report.simulation.film_file import CARRYING, FREE, ON_THE_WAY, TENTHS, Film

SPEEDS = (1, 2, 4, 8, 16, 32)
"""Ticks per second."""
WATCHING_S = 50
STATES = (
    (FREE, "free", "without an order"),
    (ON_THE_WAY, "way", "on the way"),
    (CARRYING, "load", "carrying"),
)
STATIONS = (("S", "service", "station S"), ("E", "emitter", "station E"))
MIDDLE = ord("k")
"""The letter of a robot that stays; each further one is a tenth of a cell, ``a`` to ``u``."""


def player(films: Sequence[Film], floor: Floor) -> Markup:
    """Canvas, scrubber, buttons, legend, and the script that moves them."""
    longest = max(len(film.x) - 1 for film in films)
    canvas = element(
        "canvas",
        f"The fleet on {floor.name}; the animation needs JavaScript.",
        role="img",
        aria_label=f"Animation of {films[0].robots} robots on {floor.name}",
    )
    return element(
        "div",
        element("div", canvas, element("div", class_="tip", hidden=True), class_="floor"),
        element("div", _scrubber(longest), class_="timeline"),
        _controls(films, floor, longest),
        embedded_json(None, film_data(films, floor)),
        element("script", Markup(_script())),
        class_="film",
    )


def film_data(films: Sequence[Film], floor: Floor) -> dict[str, object]:
    """What the script needs; a robot takes four letters per tick."""
    return {
        "width": floor.width,
        "height": floor.height,
        "rows": floor.rows,
        "films": [_film(film) for film in films],
    }


def _film(film: Film) -> dict[str, object]:
    return {
        "from": film.from_tick,
        "action": film.ticks_per_action,
        "turning": film.turning,
        "x": film.x[0],
        "y": film.y[0],
        "dx": moves(film.x),
        "dy": moves(film.y),
        "heading": film.heading,
        "states": film.states,
    }


def moves(places: Sequence[Sequence[int]]) -> list[str]:
    """One text per tick: how far each robot goes, in tenths of a cell, as a letter."""
    return [
        "".join(chr(MIDDLE + b - a) for a, b in zip(before, after, strict=True))
        for before, after in pairwise(places)
    ]


def _scrubber(longest: int) -> Markup:
    return element(
        "input",
        class_="scrubber",
        type="range",
        min="0",
        max=str(longest),
        step="0.05",
        value="0",
        aria_label="tick",
    )


def _controls(films: Sequence[Film], floor: Floor, longest: int) -> Markup:
    shown = [(symbol, kind, words) for symbol, kind, words in STATES if _occurs(symbol, films)]
    counts = [
        element("span", element("b", "0"), f" {words}", class_=f"count {kind}", data_state=symbol)
        for symbol, kind, words in shown
    ]
    standing = element("span", element("b", "0"), " standing", class_="count still")
    return element(
        "div",
        element("button", "Play", type="button"),
        _choice(films),
        element("label", "speed ", _speeds(longest)),
        element("output", "tick 0", class_="clock"),
        *counts,
        standing,
        _legend(films, floor),
        class_="controls",
    )


def _occurs(symbol: str, films: Sequence[Film]) -> bool:
    return any(symbol in text for film in films for text in film.states)


def _choice(films: Sequence[Film]) -> Markup:
    """Which film is shown; a single one is only named."""
    options = [
        element("option", f"{film.controller}, world {film.world}", value=str(i))
        for i, film in enumerate(films)
    ]
    label = "" if len(films) > 1 else None
    shown = element("select", *options, class_="choice", disabled=label is None)
    return element("label", "controller ", shown)


def _speeds(longest: int) -> Markup:
    fitting = next((s for s in SPEEDS if longest / s <= WATCHING_S), SPEEDS[-1])
    options = [
        element("option", f"{s} ticks/s", value=str(s), selected=s == fitting) for s in SPEEDS
    ]
    return element("select", *options, class_="speed")


def _legend(films: Sequence[Film], floor: Floor) -> Markup:
    symbols = set("".join(floor.rows))
    stations = [
        element("span", element("i", class_=kind), f" {words}")
        for symbol, kind, words in STATIONS
        if symbol in symbols
    ]
    nose = "The pointed end is the front. " if any(film.turning for film in films) else ""
    told = f"{nose}Point at a robot to see its path; arrow keys on the scrubber go tick by tick."
    return element("div", *stations, element("span", told), class_="legend")


def _script() -> str:
    return files(__package__).joinpath("film.js").read_text(encoding="utf-8")


assert MIDDLE - ord("a") == TENTHS
