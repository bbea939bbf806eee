# SPDX-License-Identifier: Apache-2.0
"""The angles of a tape, each a number or a tensor of its own, as the two arguments of an engine.

``qml.RY(theta[:, 1, 2], wires=2)`` makes a view of ``theta``. Stacking such views costs a copy, and
in the backward pass one zero tensor as large as ``theta`` for every angle. Where it can be proven
that nobody could see the difference, the tensor that the views look into is handed over instead.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch

from quantum.errors import require

SPARSE = 4
"""A tensor of which less than one in so many elements is an angle is not handed over whole."""


class Gathered(NamedTuple):
    """The arguments of an engine, and where each angle went.

    Args:
        inputs: ``[batch, features]``; a batch of one where no angle is batched.
        parameters: ``[count]``, or ``[batch, count]`` where every angle is batched.
        slots: for each angle, its column of the parameters, or ``~column`` of the inputs.
        batched: whether any angle is batched.
    """

    inputs: torch.Tensor
    parameters: torch.Tensor
    slots: tuple[int, ...]
    batched: bool


class Block(NamedTuple):
    """Columns ``[batch, width]`` or ``[width]``, and which angle reads which column."""

    values: torch.Tensor
    angles: Sequence[int]
    columns: Sequence[int]


def references(values: tuple[object, ...]) -> list[int]:
    """How many references to each value Python counts, those of this function and tuple included."""
    return [sys.getrefcount(value) for value in values]


ALONE = references((object(),))[0]
"""The count for a value that nothing but the tuple refers to."""


def gather(values: Sequence[torch.Tensor | float], private: Sequence[bool]) -> Gathered:
    """Put all angles into inputs and parameters, one column for each different element.

    Args:
        values: numbers, and real tensors of shape ``[]`` or ``[batch]``, of one device. Integers
            become float64, and float32 beside float64 becomes float64.
        private: for each value, whether only the tape refers to it.

    Raises:
        CircuitError: two batch sizes.
    """
    tensors = [v for v in values if isinstance(v, torch.Tensor)]
    sizes = {v.shape[0] for v in tensors if v.dim()}
    require(len(sizes) <= 1, f"angles have different batch sizes: {sorted(sizes)}")
    dtype = _common_dtype(tensors)
    like = torch.empty(0, dtype=dtype, device=tensors[0].device if tensors else "cpu")
    blocks = [
        block._replace(values=block.values.to(dtype))
        for block in _blocks(values, private, next(iter(sizes), 1), like)
    ]
    return combine(blocks, len(values), like)


def combine(blocks: Iterable[Block], num_angles: int, like: torch.Tensor) -> Gathered:
    """The arguments of an engine from blocks that cover all angles.

    Args:
        blocks: their values have one dtype and device.
        num_angles: how many angles there are.
        like: an empty tensor of that dtype and device.
    """
    shared, batched = [], []
    for block in blocks:
        (batched if block.values.dim() == 2 else shared).append(block)
    size = batched[0].values.shape[0] if batched else 1
    if not shared:  # then parameters may be batched too, and two tensors need no copy
        batched.sort(key=lambda block: block.values.shape[1])
        shared, batched = batched[-1:], batched[:-1]
    slots = [0] * num_angles
    parameters = _side_by_side(shared, slots, like)
    inputs = _side_by_side(batched, slots, like.reshape(1, 0).expand(size, 0), negated=True)
    return Gathered(inputs, parameters, tuple(slots), bool(batched) or parameters.dim() == 2)


def _side_by_side(
    blocks: Sequence[Block], slots: list[int], empty: torch.Tensor, negated: bool = False
) -> torch.Tensor:
    """The blocks as one tensor, cut after the last column that is read; fills in the slots."""
    if not blocks:
        return empty
    start, used = 0, 0
    for block in blocks:
        for angle, column in zip(block.angles, block.columns, strict=True):
            slots[angle] = ~(start + column) if negated else start + column
            used = max(used, start + column + 1)
        start += block.values.shape[-1]
    whole = blocks[0].values if len(blocks) == 1 else torch.cat([b.values for b in blocks], -1)
    return whole if used == start else whole[..., :used]


def _common_dtype(tensors: Sequence[torch.Tensor]) -> torch.dtype:
    kinds = {t.dtype if t.dtype.is_floating_point else torch.float64 for t in tensors}
    return torch.float32 if kinds == {torch.float32} else torch.float64


def _blocks(
    values: Sequence[torch.Tensor | float],
    private: Sequence[bool],
    size: int,
    like: torch.Tensor,
) -> Iterable[Block]:
    views: dict[tuple[int, int], list[int]] = defaultdict(list)
    rest: dict[int, list[int]] = defaultdict(list)
    for k, value in enumerate(values):
        if not isinstance(value, torch.Tensor):
            rest[-1].append(k)
        elif value._base is None or (value.requires_grad and not private[k]):
            rest[value.dim()].append(k)
        else:
            views[id(value._base), value.dim()].append(k)
    for (_, dim), angles in views.items():
        if block := _whole([values[k] for k in angles], angles, size):  # type: ignore[misc]
            yield block
        else:
            rest[dim].extend(angles)
    for dim, angles in rest.items():
        if dim < 0:
            numbers = like.new_tensor([float(values[k]) for k in angles])
            yield Block(numbers, angles, range(len(angles)))
        else:
            columns = [values[k].to(like.dtype) for k in angles]  # type: ignore[union-attr]
            yield Block(torch.stack(columns, dim=-1), angles, range(len(angles)))


def _whole(views: Sequence[torch.Tensor], angles: Sequence[int], size: int) -> Block | None:
    """The tensor that these views look into, if it may take their place."""
    base = views[0]._base
    assert base is not None
    starts = [v.storage_offset() - base.storage_offset() for v in views]
    if not _plain(base, views) or base.numel() > SPARSE * len(set(starts)) * size:
        return None
    if not views[0].dim():
        return Block(base.reshape(-1), angles, starts) if _same_graph(base, views) else None
    if base.numel() % size:
        return None
    width = base.numel() // size
    steps = {v.stride(0) for v in views} if size > 1 else {width}
    if steps == {width} and max(starts) < width:  # the batch is the first axis
        values, columns = base.reshape(size, width), starts
    elif steps == {1} and not any(start % size for start in starts):  # the last one
        values, columns = base.reshape(width, size).t(), [start // size for start in starts]
    else:
        return None
    return Block(values, angles, columns) if _same_graph(base, views) else None


def _plain(base: torch.Tensor, views: Sequence[torch.Tensor]) -> bool:
    """Whether a position in memory means the same number for all of them."""
    return base.is_contiguous() and not any(
        v.dtype != base.dtype or v.is_neg() != base.is_neg() for v in views
    )


def _same_graph(base: torch.Tensor, views: Sequence[torch.Tensor]) -> bool:
    """Whether gradients may go to the base directly."""
    if not any(v.requires_grad for v in views):
        return not base.requires_grad
    # A view that was made under no_grad says that it requires a gradient, but has no grad_fn.
    if not base.requires_grad or any(v.grad_fn is None for v in views):
        return False
    # The views are private, but somebody who holds a view between them and the base may ask for
    # its gradient. So nobody else may look into this memory: neither Python nor a saved tensor.
    holders = {id(v): v for v in views}
    storage = base.untyped_storage()
    aliases = torch._C._storage_Use_Count(storage._cdata)
    return aliases == len(holders) + 2 and all(map(_unwatched, holders.values()))


def _unwatched(view: torch.Tensor) -> bool:
    return not view.retains_grad and not view._backward_hooks
