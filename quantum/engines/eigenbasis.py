# SPDX-License-Identifier: Apache-2.0
"""Joint eigenvectors of commuting signed permutations, without linear algebra.

Let S_1, S_2, ... be symmetric, T the sums of their shifts, and G_t a product of them that moves
rows by t. For every coset of T take one row k: the vectors sum_t (-1)^(l·t) G_t |k> are the
eigenvectors. So the eigenbasis is a signed permutation of the rows, then a Walsh-Hadamard transform
over t: a few small matrix products, where the matrix of the whole basis would be too large.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from quantum.program import SignedShift

Integers = NDArray[np.int64]
Signs = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Basis:
    """Coordinates z = H (signs * state[order]); H is the Hadamard matrix over the first index.

    Args:
        order: the row of the state at each place; places are ``[2^bits, others]``, flattened.
        signs: +1 or -1 for each place.
        bits: H is of size 2^bits.
    """

    order: Integers
    signs: Integers
    bits: int

    def matrix(self) -> NDArray[np.float64]:
        """``[rows, rows]``, orthogonal: one coordinate in each row."""
        rows = len(self.order)
        placed = np.zeros((rows, rows))
        placed[np.arange(rows), self.order] = self.signs
        spread = hadamard(self.bits) @ placed.reshape(1 << self.bits, -1)
        return spread.reshape(rows, rows)


def hadamard(bits: int) -> NDArray[np.float64]:
    """The orthogonal Walsh-Hadamard matrix of size 2^bits."""
    every = np.arange(1 << bits)
    odd = np.bitwise_count(every[:, None] & every) % 2 == 1
    matrix: NDArray[np.float64] = np.where(odd, -1.0, 1.0) * 2.0 ** (-bits / 2)
    return matrix


def commute(one: SignedShift, other: SignedShift) -> bool:
    """Whether the order in which they act does not matter; if it does, it matters by a sign."""
    crossed = (one.mask & other.shift).bit_count() + (other.mask & one.shift).bit_count()
    return crossed % 2 == 0


def product(one: SignedShift, other: SignedShift) -> SignedShift:
    """One after the other: the other acts first."""
    odd = (one.mask & other.shift).bit_count() % 2 == 1
    negative = one.negative ^ other.negative ^ odd
    return SignedShift(one.shift ^ other.shift, one.mask ^ other.mask, negative)


def eigenbasis(symmetric: list[SignedShift], rows: int) -> tuple[Basis, Signs]:
    """The basis, and the eigenvalues of every matrix ``[matrices, rows]``."""
    moving = _independent(symmetric)
    order, signs = _images(moving, rows, sum(moving))
    values = _eigenvalues(symmetric, moving, order, signs)
    basis = Basis(order.reshape(-1), signs.reshape(-1), len(moving))
    return basis, values.reshape(len(symmetric), rows)


def turning_basis(generators: list[SignedShift], rows: int) -> tuple[Basis, Signs]:
    """The basis in which commuting antisymmetric signed permutations A turn pairs of coordinates.

    With J the first of them, A = S J, and S is symmetric and commutes with J. So there are joint
    eigenvectors of all S that come in pairs v, Jv, and A sends v to s Jv and Jv to -s v, where s is
    the eigenvalue of S.

    Returns:
        The basis, in which coordinates 2p and 2p + 1 are a pair, and ``[generators, patterns]`` of
        +1 and -1: the s of pair p are in column p // (pairs / patterns).
    """
    turn = generators[0]
    back = SignedShift(turn.shift, turn.mask, not turn.negative)
    symmetric = [product(generator, back) for generator in generators]
    moving = _independent(symmetric)
    order, signs = _images(moving, rows, sum(moving) + _top(_rest(moving, turn)))
    values = _eigenvalues(symmetric, moving, order, signs)
    # Pairs that all generators turn alike, side by side.
    _, pattern, counts = np.unique(values[:, 0], axis=1, return_inverse=True, return_counts=True)
    alike = np.argsort(pattern.reshape(-1), kind="stable")
    order, signs = order[:, alike], signs[:, alike]
    order = np.stack([order, turn.image(order)], axis=-1)
    signs = np.stack([signs, signs * turn.signs(order[..., 0])], axis=-1)
    turns = values[:, :, alike[:: counts[0]]].reshape(len(generators), -1)
    return Basis(order.reshape(-1), signs.reshape(-1), len(moving)), turns


def _independent(matrices: Iterable[SignedShift]) -> dict[int, SignedShift]:
    """Products whose shifts generate T; each alone moves the bit that it is found by."""
    moving: dict[int, SignedShift] = {}
    for matrix in matrices:
        rest = _rest(moving, matrix)
        if rest.shift:
            new = _top(rest)
            for top, other in moving.items():
                moving[top] = product(other, rest) if other.shift & new else other
            moving[new] = rest
    return moving


def _rest(moving: dict[int, SignedShift], matrix: SignedShift) -> SignedShift:
    """The matrix times those that take their bits out of its shift."""
    return reduce(product, [m for top, m in moving.items() if matrix.shift & top], matrix)


def _top(matrix: SignedShift) -> int:
    return 1 << (matrix.shift.bit_length() - 1)


def _images(moving: dict[int, SignedShift], rows: int, used: int) -> tuple[Integers, Integers]:
    """Rows and signs ``[2^bits, k]`` of G_t |k>, for all k without the used bits."""
    every = np.arange(rows)
    order = every[every & used == 0][None]
    signs = np.ones_like(order)
    for matrix in moving.values():
        signs = np.concatenate([signs, signs * matrix.signs(order)])
        order = np.concatenate([order, matrix.image(order)])
    return order, signs


def _eigenvalues(
    matrices: list[SignedShift], moving: dict[int, SignedShift], order: Integers, signs: Integers
) -> Signs:
    """``[matrices, 2^bits, k]``: how the coefficient of |k> changes."""
    values = np.empty((len(matrices), *order.shape), dtype=np.int8)
    for number, matrix in enumerate(matrices):
        at = sum(1 << i for i, top in enumerate(moving) if matrix.shift & top)
        odd = np.bitwise_count(np.arange(len(order)) & at) % 2 == 1
        values[number] = np.where(odd, -1, 1)[:, None] * matrix.signs(order[at]) * signs[at]
    return values
