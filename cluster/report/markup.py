# SPDX-License-Identifier: Apache-2.0
"""HTML and SVG as text that cannot forget to escape.

Plain strings are data and are escaped wherever they enter an element; only what these
functions return (``Markup``) passes through as it is.
"""

import json
from html import escape

VOID = frozenset({"meta", "input", "br", "img"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def markup(*parts: str) -> Markup:
    """The parts in a row; those that are data are escaped."""
    return Markup("".join(p if isinstance(p, Markup) else escape(p) for p in parts))


def element(name: str, /, *children: str, **attributes: str | float | bool | None) -> Markup:
    """One element: ``class_`` becomes ``class``, ``stroke_width`` becomes ``stroke-width``."""
    opening = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    closing = "" if name in VOID else f"</{name}>"
    return Markup(opening + markup(*children) + closing)


def _attribute(key: str, value: str | float | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    text = escape(value) if isinstance(value, str) else coordinate(value)
    return f' {name}="{text}"'


def coordinate(value: float) -> str:
    """A number as short as a drawing needs it: at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def embedded_json(identifier: str | None, document: object) -> Markup:
    """A data block for the page's script; no text in it can end the block early."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return element("script", Markup(text), id=identifier, type="application/json")
