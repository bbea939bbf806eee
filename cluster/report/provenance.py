# SPDX-License-Identifier: Apache-2.0
"""Where the numbers come from: command, configuration, seed, commit and versions."""

from collections.abc import Iterator

from cluster.report.manifest import Manifest
from cluster.report.markup import Markup, element

SHORT_COMMIT = 10


def flattened(values: dict[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested values as dotted names, in the order of the file."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            yield from flattened(value, f"{name}.")
        else:
            yield name, _word(value)


def _word(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_word(item) for item in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None or value == {} else str(value)


def commit_words(manifest: Manifest) -> str:
    """The commit, and whether the tree had other changes."""
    if manifest.commit is None:
        return "commit unknown"
    changed = " with uncommitted changes" if manifest.dirty else ""
    return f"commit {manifest.commit[:SHORT_COMMIT]}{changed}"


def origin_line(manifest: Manifest, run_name: str) -> Markup:
    """One quiet line under the title."""
    seed = "seed unknown" if manifest.seed is None else f"seed {manifest.seed}"
    day = manifest.created.replace("T", " ")[:16]
    parts = [run_name, day, seed, commit_words(manifest)]
    return element("p", *(element("span", part) for part in parts if part), class_="origin")


def provenance(manifest: Manifest) -> Markup:
    """Configuration and versions, each as a list of pairs."""
    config = _pairs("Configuration", flattened(manifest.config))
    return element("div", config, _pairs("Versions", flattened(manifest.versions)), class_="pair")


def _pairs(title: str, pairs: Iterator[tuple[str, str]]) -> Markup:
    rows = [element("div", element("dt", name), element("dd", value)) for name, value in pairs]
    listed = element("dl", *rows) if rows else element("p", "none recorded", class_="note")
    return element("div", element("h3", title), listed)
