# SPDX-License-Identifier: Apache-2.0
"""How the numeric kernels of this package are compiled: once, cached on disk, without the GIL."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile ``function`` with numba (nopython, GIL released, cached); its type is kept."""
    return cast(Callable[P, R], numba.njit(cache=True, nogil=True)(function))
