# SPDX-License-Identifier: Apache-2.0
"""Sixteen numbers moved at once, for a @kernel that copies many short rows.

numba compiles a copy of eleven numbers to eleven loads and eleven stores, and does not merge them
where it is told that there are sixteen. So this says it in the compiler's own words.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

Numbers = NDArray[np.float32] | NDArray[np.uint8]
Bytes = NDArray[np.uint8]
SIXTEEN = 16


def _copy_sixteen(_context: Any, to: Any, _i: Any, source: Any, _j: Any) -> Any:
    """What numba asks for: the signature, and who writes the instructions."""
    return types.void(to, types.intp, source, types.intp), _instructions


def _instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Load a vector from ``source[j:]`` and store it at ``to[i:]``."""
    kinds = signature.args[0], signature.args[2]
    to, source = (
        _pointer(context, builder, kind, *arguments[k : k + 2])
        for kind, k in zip(kinds, (0, 2), strict=True)
    )
    vector = builder.load(source, align=1)
    if kinds[0].dtype == types.float32:
        vector = builder.uitofp(vector, to.type.pointee)
    builder.store(vector, to, align=kinds[0].dtype.bitwidth // 8)
    return context.get_dummy_value()


def _pointer(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """To sixteen numbers of an array, at an index."""
    data = context.make_array(kind)(context, builder, array).data
    vector = ir.VectorType(context.get_data_type(kind.dtype), SIXTEEN)
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


copy_sixteen = cast(Callable[[Numbers, int, Bytes, int], None], intrinsic(_copy_sixteen))
"""``to[i : i + 16] = source[j : j + 16]``, both contiguous; nobody checks their bounds."""
