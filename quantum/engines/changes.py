# SPDX-License-Identifier: Apache-2.0
"""From the coordinates of one basis to those of another, for a batch of states."""

from collections.abc import Callable

import numpy as np
import torch

from quantum.engines.eigenbasis import Basis, hadamard

Change = Callable[[torch.Tensor], torch.Tensor]

DENSE_ROWS = 256
"""Up to so many rows one matrix is faster than its factors, whose cost grows as rows^1.5."""

WIDE_ENOUGH = 4
"""A batch of products with at least so many columns runs well; fewer are merged into the matrix."""


def make_change(one: Basis, other: Basis, like: torch.Tensor) -> Change:
    """The function from coordinates ``[batch, rows]`` in one basis to those in the other.

    Args:
        one, other: the bases.
        like: a tensor of the dtype and on the device of the states.
    """
    if len(one.order) > DENSE_ROWS:
        return _Factored(one, other, like)
    return _Dense(like.new_tensor(one.matrix() @ other.matrix().T))


def first_row(basis: Basis, like: torch.Tensor) -> torch.Tensor:
    """The coordinates ``[1, rows]`` of row 0, where the state starts."""
    placed = np.where(basis.order == 0, basis.signs, 0)
    return _Walsh(basis, like)(like.new_tensor(placed)[None])


class _Dense:
    """One matrix."""

    def __init__(self, matrix: torch.Tensor) -> None:
        self._matrix = matrix

    def __call__(self, coordinates: torch.Tensor) -> torch.Tensor:
        return coordinates @ self._matrix


class _Factored:
    """Hadamard transform, signed permutation, Hadamard transform."""

    def __init__(self, one: Basis, other: Basis, like: torch.Tensor) -> None:
        place = np.argsort(one.order)[other.order]
        self._place = torch.tensor(place, dtype=torch.int32, device=like.device)
        self._signs = like.new_tensor(one.signs[place] * other.signs)
        self._before, self._after = _Walsh(one, like), _Walsh(other, like)

    def __call__(self, coordinates: torch.Tensor) -> torch.Tensor:
        state = self._before(coordinates)
        return self._after(state.index_select(1, self._place) * self._signs)


class _Walsh:
    """The Hadamard transform of a basis, its own inverse, as two products with small matrices."""

    def __init__(self, basis: Basis, like: torch.Tensor) -> None:
        outer = basis.bits // 2
        inner = hadamard(basis.bits - outer)
        columns = len(basis.order) >> basis.bits
        merged = columns if columns < WIDE_ENOUGH else 1
        self._outer = like.new_tensor(hadamard(outer))
        # Symmetric, so that it may stand on either side.
        self._inner = like.new_tensor(np.kron(inner, np.eye(merged)))
        self._shape = len(self._outer), len(self._inner), columns // merged

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        (batch, rows), (outer, inner, columns) = values.shape, self._shape
        if outer > 1:
            values = _multiply(self._outer, values.reshape(batch, outer, rows // outer))
        if columns == 1:
            values = values.reshape(batch * outer, inner) @ self._inner
        elif inner > 1:
            values = _multiply(self._inner, values.reshape(batch * outer, inner, columns))
        return values.reshape(batch, rows)


def _multiply(matrix: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
    # Plain matmul would transpose and copy the batch.
    return torch.bmm(matrix.expand(len(batch), -1, -1), batch)
