# SPDX-License-Identifier: Apache-2.0
"""What a page is made of, whatever the command: title, tiles, sections."""

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.report.manifest import Manifest, Missing
from cluster.report.markup import Markup, element


@dataclass(frozen=True)
class Content:
    """What one command shows of a run.

    Args:
        manifest: of the run.
        name: of the run folder.
        title: the result in one sentence.
        support: sentences below it.
        tiles: the numbers below those.
        sections: in their order.
    """

    manifest: Manifest
    name: str
    title: str
    support: Sequence[str]
    tiles: Markup
    sections: Sequence[Markup]


def section(title: str, note: str, *body: str) -> Markup:
    """A titled part of the page."""
    explained = element("p", note, class_="note") if note else ""
    return element("section", element("h2", title), explained, *body)


def left_out(title: str, missing: Missing) -> Markup:
    """A section that the folder has no data for, and why."""
    return section(title, f"Left out: {missing.reason}.")


def tile_row(shown: Sequence[tuple[str, str]]) -> Markup:
    """Numbers in large print, each above what it counts."""
    made = [element("div", element("b", value), element("span", words)) for value, words in shown]
    return element("div", *made, class_="tiles")


def figure(caption: str, *drawn: str) -> Markup:
    """A chart under its caption."""
    return element("figure", element("figcaption", caption), *drawn)
