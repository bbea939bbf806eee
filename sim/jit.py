# SPDX-License-Identifier: Apache-2.0
"""How the numeric kernels of this package are compiled: once, cached on disk, without the GIL."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def _cache_folder() -> Path:
    """One folder for each state of our kernels.

    numba notices a change in the file of a kernel, but not in the files of the kernels that it
    calls, and would go on running their old code.
    """
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        text = source.read_bytes()
        if b"@kernel" in text or b"class GraphArrays" in text:
            digest.update(text)
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    base = Path(chosen) if chosen else package / "__pycache__"
    return base / f"kernels-{digest.hexdigest()[:12]}"


setattr(numba.config, "CACHE_DIR", str(_cache_folder()))  # noqa: B010  (untyped module)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile ``function`` with numba (nopython, GIL released, cached); its type is kept."""
    return cast(Callable[P, R], numba.njit(cache=True, nogil=True)(function))
