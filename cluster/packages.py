# SPDX-License-Identifier: Apache-2.0
"""Our package names are common words: make sure that it is ours that get imported.

A foreign distribution that ships a package called ``agents`` wins silently when it comes first on
``sys.path``; our editable install, which is asked last, cannot prevent that.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

NAMES = ("agents", "cluster", "federated", "quantum", "sim")
HOME = Path(__file__).resolve().parents[1]
"""The folder that holds the five packages."""


def strangers() -> dict[str, str]:
    """Names that would be imported from another folder, and from which (or ``not found``)."""
    found = {name: _folder(name) for name in NAMES}
    return {n: str(at or "not found") for n, at in found.items() if at != HOME / n}


def shadows() -> dict[str, Path]:
    """Packages or modules of the same names elsewhere on ``sys.path``, harmless at present."""
    entries = {Path(entry or ".").resolve() for entry in sys.path} - {HOME}
    candidates = (
        (name, e / form) for e in entries for name in NAMES for form in (name, f"{name}.py")
    )
    return {name: path for name, path in candidates if _importable(path)}


def _folder(name: str) -> Path | None:
    spec = find_spec(name)
    return Path(spec.origin).resolve().parent if spec and spec.origin else None


def _importable(path: Path) -> bool:
    return path.is_file() if path.suffix else (path / "__init__.py").is_file()
