# SPDX-License-Identifier: Apache-2.0
"""What happens to a feature before it becomes an angle; the one place where it is computed."""

from collections.abc import Sequence

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

    Args:
        columns: which feature, and how transformed, each column is.
        inputs: the features.
    """
    if list(columns) == [(i, Transform.IDENTITY) for i in range(inputs.shape[1])]:
        return inputs
    if not columns:
        return inputs[:, :0]
    return torch.stack([apply(how, inputs[:, index]) for index, how in columns], dim=1)
