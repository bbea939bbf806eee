# SPDX-License-Identifier: Apache-2.0
"""The page: what a command shows of its run folder, put together and written."""

import os
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from tempfile import NamedTemporaryFile

from cluster.report.agent.sections import train_content
from cluster.report.audit.sections import audit_content
from cluster.report.blocks import Content
from cluster.report.compare.sections import compare_content
from cluster.report.federation.sections import federation_content
from cluster.report.forecast.sections import forecast_content
from cluster.report.label.sections import label_content
from cluster.report.manifest import read_manifest
from cluster.report.markup import Markup, element, markup
from cluster.report.provenance import origin_line
from cluster.report.sections import coordinate_content
from cluster.report.simulation.sections import simulation_content
from cluster.report.training.sections import training_content
from sim.errors import InputError

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"

CONTENTS: Mapping[str, Callable[[Path], Content]] = {
    "audit": audit_content,
    "compare": compare_content,
    "coordinate": coordinate_content,
    "federate": federation_content,
    "forecast": forecast_content,
    "label": label_content,
    "simulate": simulation_content,
    "train": train_content,
    "train-coordinator": training_content,
}
"""What each command shows."""


def build_report(run_folder: Path) -> str:
    """The report of a run folder as HTML; the same folder gives the same text.

    Runs in folders inside of it follow below, in the order of their names.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    inside = sorted(path.parent for path in run_folder.glob("*/manifest.json"))
    parts = [_part(folder) for folder in (run_folder, *inside)]
    title = parts[0][0]
    return f"<!doctype html>\n{_document(title, element('main', *(body for _, body in parts)))}\n"


def _part(run_folder: Path) -> tuple[str, Markup]:
    """What there is to say of one run: the title, and everything."""
    command = read_manifest(run_folder).command
    if command not in CONTENTS:
        where = run_folder / "manifest.json"
        raise InputError(f"{where}: 'command' is {command!r}; allowed: {', '.join(CONTENTS)}")
    content = CONTENTS[command](run_folder)
    header = element(
        "header",
        element("p", f"fedfleet {command}", class_="eyebrow"),
        element("h1", content.title),
        element("p", " ".join(content.support), class_="lead") if content.support else "",
        origin_line(content.manifest, content.name),
    )
    return content.title, markup(header, content.tiles, *content.sections)


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
