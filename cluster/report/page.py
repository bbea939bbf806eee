# SPDX-License-Identifier: Apache-2.0
"""The page: reads a run folder, puts the sections together, writes ``report.html``."""

import os
from importlib.resources import files
from pathlib import Path
from tempfile import NamedTemporaryFile

from cluster.report.comparison import summarise
from cluster.report.folder import read_run
from cluster.report.headline import headline
from cluster.report.markup import Markup, element, markup
from cluster.report.provenance import origin_line
from cluster.report.sections import sections, tiles
from sim.errors import InputError

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def build_report(run_folder: Path) -> str:
    """The report of a run folder as HTML; the same folder gives the same text.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    run = read_run(run_folder)
    summaries = summarise(run.records)
    title, support = headline(run, summaries)
    body = element(
        "main",
        element(
            "header",
            element("p", f"fedfleet {run.manifest.command}", class_="eyebrow"),
            element("h1", title),
            element("p", " ".join(support), class_="lead") if support else "",
            origin_line(run.manifest, run.name),
        ),
        tiles(run),
        *sections(run, summaries),
    )
    return f"<!doctype html>\n{_document(title, body)}\n"


def write_report(run_folder: Path) -> Path:
    """Write ``report.html`` into the run folder, all of it or nothing.

    Raises:
        InputError: the folder is not a run folder, or cannot be written.
    """
    text = build_report(run_folder)
    target = run_folder / "report.html"
    try:
        _replace(target, text)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror or error})") from error
    return target


def _replace(target: Path, text: str) -> None:
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=target.parent, prefix=".report-", delete=False
    ) as draft:
        try:
            draft.write(text)
            draft.flush()
            os.fsync(draft.fileno())
            os.chmod(draft.name, 0o644)
            os.replace(draft.name, target)
        except BaseException:
            os.unlink(draft.name)
            raise


def _document(title: str, body: Markup) -> Markup:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} · fedfleet"),
        element("style", _asset("style.css")),
    )
    script = element("script", _asset("animation.js"))
    return element("html", head, element("body", markup(body, script)), lang="en")


def _asset(name: str) -> Markup:
    return Markup(files(__package__).joinpath(name).read_text(encoding="utf-8"))
