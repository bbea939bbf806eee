# SPDX-License-Identifier: Apache-2.0
"""What happens to a feature before it becomes an angle; the one place where it is computed."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import torch

from quantum.circuit import Transform


def apply(transform: Transform, values: torch.Tensor) -> torch.Tensor:
    """The transformed features, elementwise and differentiable.

    Args:
        transform: which function.
        values: features of any shape.

    Returns:
        The same shape and dtype, in radians. The arccosine of what lies outside [-1, 1] is NaN,
        which engines refuse as an angle that is not finite.
    """
    match transform:
        case Transform.IDENTITY:
            return values
        case Transform.ARCTAN:
            return torch.atan(values)
        case Transform.ARCTAN_SQUARE:
            return torch.atan(values * values)
        case Transform.ARCCOS:
            return torch.acos(values)


def transform_columns(
    columns: Sequence[tuple[int, Transform]], inputs: torch.Tensor
) -> torch.Tensor:
    """The input columns of a program: ``[batch, features]`` to ``[batch, columns]``.

    Columns of one transform that follow each other are computed at once, and no transform sees a
    feature that it is not asked for.

    Args:
        columns: which feature, and how transformed, each column is.
        inputs: the features.
    """
    parts = [
        apply(transform, _chosen(inputs, [index for index, _ in group]))
        for transform, group in groupby(columns, key=itemgetter(1))
    ]
    if len(parts) == 1:
        return parts[0]
    return torch.cat(parts, dim=1) if parts else inputs[:, :0]


def _chosen(inputs: torch.Tensor, indices: list[int]) -> torch.Tensor:
    first, last = indices[0], indices[-1] + 1
    if indices != list(range(first, last)):
        return inputs[:, indices]
    return inputs if last - first == inputs.shape[1] else inputs[:, first:last]
