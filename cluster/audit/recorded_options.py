# SPDX-License-Identifier: Apache-2.0
"""The options of a federated run, from its manifest, and whether such a run can be audited."""

import json
from dataclasses import fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from cluster.federation_options import Federate
from federated.options import COORDINATOR, TaskName
from sim.errors import InputError

Options = TypeVar("Options")
FOLLOWED = ("sgd", "adam")
"""Optimizers of sites that an attacker can do again step by step."""


def read_options(folder: Path) -> Federate:
    """The options that a run of ``federate`` was made with.

    Raises:
        InputError: its manifest is of another command or another version.
    """
    file = folder / "manifest.json"
    try:
        manifest = json.loads(file.read_bytes())
        command, seed, config = (manifest[key] for key in ("command", "seed", "config"))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{file}: is not a manifest ({error})") from error
    if command != "federate":
        raise InputError(f"run {folder.name!r} is of {command!r}; allowed: one of 'federate'")
    try:
        return _rebuilt(Federate, {**config, "seed": seed, "workers": 0})
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{file}: was written by another version of fedfleet ({error})") from error


def _rebuilt(kind: type[Options], values: dict[str, Any]) -> Options:
    """Options from JSON; what grows with a run, such as its rounds, is as by default."""
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if strangers := sorted(set(values) - known):
        raise ValueError(f"{strangers[0]} is no option of today")
    return kind(**{name: _typed(hints[name], value) for name, value in values.items()})


def _typed(hint: Any, value: Any) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        return _rebuilt(hint, value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(value)
    return tuple(value) if isinstance(value, list) else value


def require_auditable(name: str, options: Federate) -> None:
    """Refuse runs whose updates nobody saw, or that attacks do not know.

    Raises:
        InputError: says what is allowed.
    """
    if options.secure:
        raise InputError(
            f"run {name!r} has secure = true: its server saw no update of a single site; audit "
            "what an aggregate tells by --model with --defences secagg:k=10"
        )
    if options.fit.optimizer not in FOLLOWED:
        raise InputError(
            f"run {name!r} has fit.optimizer {options.fit.optimizer!r}; allowed: "
            f"{', '.join(FOLLOWED)}, whose steps attacks can follow"
        )
    classifiers = [str(one) for one in TaskName.every() if one.classifies]
    if options.task == COORDINATOR or options.task not in classifiers:
        raise InputError(
            f"run {name!r} has task {options.task!r}; allowed: {', '.join(classifiers)}"
        )
