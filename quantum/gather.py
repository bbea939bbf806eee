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
    """How many references to each value Python counts, its own included."""
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
    sizes = {len(v) for v in tensors if v.dim()}
    require(len(sizes) <= 1, f"angles have different batch sizes: {sorted(sizes)}")
    size = next(iter(sizes), 1)
    like = empty_like(tensors)
    blocks = list(_blocks(values, private, size, like))
    arrangement = arrange(blocks, len(values))
    arguments = assemble(arrangement, [block.values for block in blocks], size, like)
    return Gathered(*arguments, arrangement.slots, bool(sizes))


def empty_like(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """An empty tensor of their common device and floating dtype; float64 where there is none."""
    kinds = {t.dtype if t.dtype.is_floating_point else torch.float64 for t in tensors}
    dtype = torch.float32 if kinds == {torch.float32} else torch.float64
    return torch.empty(0, dtype=dtype, device=tensors[0].device if tensors else "cpu")


class Arrangement(NamedTuple):
    """Which blocks, by number, lie side by side in which argument, and where the angles are then.

    Args:
        inputs: blocks of the inputs, all batched.
        parameters: blocks of the parameters, all batched or none.
        widths: of inputs and parameters, cut after the last column that is read.
        slots: see :class:`Gathered`.
    """

    inputs: tuple[int, ...]
    parameters: tuple[int, ...]
    widths: tuple[int, int]
    slots: tuple[int, ...]


def arrange(blocks: Sequence[Block], num_angles: int) -> Arrangement:
    """Batched blocks to the inputs and shared ones to the parameters.

    Without shared blocks the widest batched one becomes the parameters: two need no copy then.
    """
    order = sorted(range(len(blocks)), key=lambda k: blocks[k].values.shape[-1])
    shared = [k for k in order if blocks[k].values.dim() == 1]
    batched = [k for k in order if blocks[k].values.dim() == 2]
    if not shared:
        shared, batched = batched[-1:], batched[:-1]
    slots = [0] * num_angles
    num_inputs = _place([blocks[k] for k in batched], slots)
    slots = [~slot for slot in slots]
    num_parameters = _place([blocks[k] for k in shared], slots)
    return Arrangement(tuple(batched), tuple(shared), (num_inputs, num_parameters), tuple(slots))


def _place(blocks: Sequence[Block], slots: list[int]) -> int:
    """Writes the columns of the angles into the slots; the number of columns up to the last one."""
    start = used = 0
    for block in blocks:
        for angle, column in zip(block.angles, block.columns, strict=True):
            slots[angle] = start + column
            used = max(used, start + column + 1)
        start += block.values.shape[-1]
    return used


def assemble(
    arrangement: Arrangement, values: Sequence[torch.Tensor], size: int, like: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and parameters from the values of the blocks.

    Args:
        arrangement: of the blocks.
        values: ``[batch, width]`` or ``[width]`` each.
        size: of the batch, 1 where nothing is batched.
        like: an empty tensor of the wanted dtype and device.
    """
    num_inputs, num_parameters = arrangement.widths
    inputs = _side_by_side([values[k] for k in arrangement.inputs], num_inputs)
    parameters = _side_by_side([values[k] for k in arrangement.parameters], num_parameters)
    return (
        like.new_empty(size, 0) if inputs is None else _cast(inputs, like.dtype),
        like if parameters is None else _cast(parameters, like.dtype),
    )


def _cast(values: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return values if values.dtype == dtype else values.to(dtype)


def _side_by_side(values: Sequence[torch.Tensor], width: int) -> torch.Tensor | None:
    if not values:
        return None
    whole = values[0] if len(values) == 1 else torch.cat(list(values), -1)
    return whole if width == whole.shape[-1] else whole[..., :width]


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
            yield block._replace(values=block.values.to(like.dtype))
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
    first = base.storage_offset()
    starts = [int(v.storage_offset() - first) for v in views]
    if base.numel() > SPARSE * len(set(starts)) * size or not _replaces(base, views):
        return None
    if not views[0].dim():
        return Block(base.reshape(-1), angles, starts)
    width, left = divmod(base.numel(), size)
    steps = {v.stride() for v in views} if size > 1 else {(width,)}
    if left:
        return None
    if steps == {(width,)} and max(starts) < width:  # the batch is the first axis
        return Block(base.reshape(size, width), angles, starts)
    if steps == {(1,)} and not any(start % size for start in starts):  # the last one
        columns = [start // size for start in starts]
        return Block(base.reshape(width, size).t(), angles, columns)
    return None


def _replaces(base: torch.Tensor, views: Sequence[torch.Tensor]) -> bool:
    """Whether a position in memory means the same for all, and gradients may go to the base."""
    wanted = base.requires_grad
    if not base.is_contiguous():
        return False
    for view in views:
        if view.dtype != base.dtype or view.requires_grad != wanted:
            return False
        # A view that was made under no_grad says that it requires a gradient, but is a leaf.
        if wanted and (view.is_leaf or view.retains_grad or view._backward_hooks):
            return False
    # The views are private, but somebody who holds a view between them and the base may ask for
    # its gradient. So nobody else may look into this memory: neither Python nor a saved tensor.
    aliases = torch._C._storage_Use_Count(base.untyped_storage()._cdata) if wanted else 0
    return not wanted or aliases == len(set(map(id, views))) + 2
