# SPDX-License-Identifier: Apache-2.0
"""A block of numbers moved at once, for a @kernel that copies many short rows.

numba compiles a copy of eleven numbers to eleven loads and eleven stores, and does not merge them
where it is told how many there are. So this says it in the compiler's own words. Who copies rows
one after the other can copy more than a row has: the next one writes over it.
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
Copy = Callable[[Numbers, int, Bytes, int], None]

TWELVE, SIXTEEN = 12, 16


def _copier(*widths: int) -> Copy:
    """Copies vectors of these widths one behind the other."""

    def copy(_context: Any, to: Any, _i: Any, source: Any, _j: Any) -> Any:
        def instructions(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            for k, width in enumerate(widths):
                _copy_vector(context, builder, signature.args, arguments, sum(widths[:k]), width)
            return context.get_dummy_value()

        return types.void(to, types.intp, source, types.intp), instructions

    return cast(Copy, intrinsic(copy))


def _copy_vector(
    context: Any, builder: Any, kinds: Any, arguments: Any, after: int, width: int
) -> None:
    """``to[i + after:]`` gets ``width`` numbers of ``source[j + after:]``."""
    to = _pointer(context, builder, kinds[0], arguments[:2], after, width)
    source = _pointer(context, builder, kinds[2], arguments[2:], after, width)
    vector = builder.load(source, align=1)
    if kinds[0].dtype == types.float32:
        vector = builder.uitofp(vector, to.type.pointee)
    builder.store(vector, to, align=kinds[0].dtype.bitwidth // 8)


def _pointer(context: Any, builder: Any, kind: Any, place: Any, after: int, width: int) -> Any:
    """To ``width`` numbers of an array, behind an index."""
    array, index = place
    data = context.make_array(kind)(context, builder, array).data
    first = builder.gep(data, [builder.add(index, index.type(after))])
    return builder.bitcast(first, ir.VectorType(data.type.pointee, width).as_pointer())


copy_twelve = _copier(8, 4)
"""``to[i : i + 12] = source[j : j + 12]``, both contiguous; nobody checks their bounds."""

copy_sixteen = _copier(16)
"""``to[i : i + 16] = source[j : j + 16]``, both contiguous; nobody checks their bounds."""
