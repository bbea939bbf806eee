# SPDX-License-Identifier: Apache-2.0
"""The angles of a traced circuit as a function of its arguments, in few operations.

A trace computes every angle on its own: ``atan(x[:, 3])`` is a select and an arctangent. Here all
angles that are the same elementwise function of elements of the same argument become one: the
function of the whole argument, or of the part that is used. The elements are found by running the
views of the trace on a tensor that holds its own indices.
"""

import operator
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.fx import GraphModule, Node

from quantum.errors import require
from quantum.gather import SPARSE, Arrangement, Block, arrange, assemble, empty_like
from quantum.tape import Slot

_aten = torch.ops.aten
_MOVES = {
    *(_aten.select.int, _aten.slice.Tensor, _aten.unbind.int, _aten.split.Tensor),
    *(_aten.view.default, _aten._unsafe_view.default, _aten.expand.default, _aten.alias.default),
    *(_aten.unsqueeze.default, _aten.squeeze.default, _aten.squeeze.dim, _aten.squeeze.dims),
    *(_aten.permute.default, _aten.transpose.int, _aten.t.default, _aten.clone.default),
}
"""Operations that only move elements; operator.getitem takes one of several results."""

_ELEMENTWISE = {
    *(_aten.atan.default, _aten.asin.default, _aten.acos.default, _aten.tanh.default),
    *(_aten.sin.default, _aten.cos.default, _aten.sigmoid.default, _aten.exp.default),
    *(_aten.neg.default, _aten.abs.default, _aten.sqrt.default, _aten.reciprocal.default),
    *(_aten.mul.Tensor, _aten.add.Tensor, _aten.sub.Tensor, _aten.div.Tensor, _aten.rsub.Scalar),
    *(_aten.pow.Tensor_Scalar, _aten.log.default, _aten._to_copy.default),
}
"""Operations on one tensor, and numbers, that treat every element alike."""

Step = tuple[Any, tuple[Any, ...], tuple[tuple[str, Any], ...]]
"""An elementwise operation, and what it is given besides the tensor, by place and by name."""


@dataclass(frozen=True, eq=False)
class _Elements:
    """Elements of an argument, put through elementwise steps.

    Args:
        argument: its number.
        index: which elements of the flattened argument; several results of one move are a tuple.
        steps: the first one first.
    """

    argument: int
    index: Any
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, eq=False)
class _Source:
    """One block of angles: a part of an argument, put through elementwise steps."""

    argument: int
    arrange: Callable[[torch.Tensor], torch.Tensor]
    steps: tuple[Step, ...]

    def __call__(self, tensors: Sequence[torch.Tensor]) -> torch.Tensor:
        values = self.arrange(tensors[self.argument])
        for operation, others, named in self.steps:
            values = operation(values, *others, **dict(named))
        return values


@dataclass(frozen=True, eq=False)
class Angles:
    """Computes an engine's inputs and parameters from the tensors among a circuit's arguments.

    Args:
        slots: where each angle is then, see :data:`quantum.tape.Slot`.
        batched: whether any angle is batched.
        size: of the batch; 1 without one.
        device: where the angles lie.
    """

    slots: tuple[Slot, ...]
    batched: bool
    size: int
    device: torch.device
    _blocks: Sequence[Callable[[Sequence[torch.Tensor]], torch.Tensor]] = field(repr=False)
    _arrangement: Arrangement = field(repr=False)
    _like: torch.Tensor = field(repr=False)

    def __call__(self, tensors: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and parameters."""
        values = [block(tensors) for block in self._blocks]
        return assemble(self._arrangement, values, self.size, self._like)

    def one_by_one(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor | float]:
        """The angles in order, as the tape has them; only for comparison."""
        inputs, parameters = self(tensors)
        return [_read(slot, inputs, parameters) for slot in self.slots]


def _read(slot: Slot, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor | float:
    if isinstance(slot, float):
        return slot
    return inputs[..., ~slot] if slot < 0 else parameters[..., slot]


def angle_map(
    graph: GraphModule, examples: Sequence[torch.Tensor], titles: Sequence[str]
) -> Angles:
    """Find out how the angles depend on the arguments.

    Args:
        graph: from the tensors among the arguments to the list of angles, traced by make_fx.
        examples: those tensors.
        titles: for each angle, how a message names it.

    Raises:
        CircuitError: an angle reads a tensor that is not an argument.
    """
    outputs: Any = graph.graph.output_node().args[0]
    _refuse_foreign_tensors(graph, outputs, titles)
    known = _elements(graph, examples)
    groups: dict[Any, list[int]] = defaultdict(list)
    for k, node in enumerate(outputs):
        if isinstance(node, Node):
            found = known.get(node)
            key = (found.argument, found.steps, found.index.dim()) if found else None
            groups[key].append(k)
    rest = groups.pop(None, [])
    sources: list[Callable[[Sequence[torch.Tensor]], torch.Tensor]] = []
    blocks: list[Block] = []
    for (argument, steps, _), angles in groups.items():
        indices = [known[outputs[k]].index for k in angles]
        taken, columns = _layout(examples[argument], indices, whole=not steps)
        sources.append(_Source(argument, taken, steps))
        blocks.append(Block(sources[-1](examples), angles, columns))
    for source, angles in _computed(graph, examples, outputs, rest):
        sources.append(source)
        blocks.append(Block(source(examples), angles, range(len(angles))))
    arrangement = arrange(blocks, len(outputs))
    slots = tuple(
        slot if isinstance(node, Node) else float(node)
        for slot, node in zip(arrangement.slots, outputs, strict=True)
    )
    sizes = {len(block.values) for block in blocks if block.values.dim() == 2}
    require(len(sizes) <= 1, f"angles have different batch sizes: {sorted(sizes)}")
    like = empty_like([block.values for block in blocks])
    return Angles(slots, bool(sizes), next(iter(sizes), 1), like.device, sources, arrangement, like)


def _refuse_foreign_tensors(
    graph: GraphModule, outputs: Sequence[Any], titles: Sequence[str]
) -> None:
    """A tensor constant is harmless where the function itself made it: then it was copied."""
    foreign: set[Node] = set()
    for node in graph.graph.nodes:
        made_here = node.target is _aten.lift_fresh_copy.default
        if node.op == "get_attr" or (not made_here and foreign.intersection(node.all_input_nodes)):
            foreign.add(node)
    for node, title in zip(outputs, titles, strict=True):
        require(node not in foreign, f"{title} reads a tensor that is not an argument; pass it")


def _elements(graph: GraphModule, examples: Sequence[torch.Tensor]) -> dict[Node, _Elements]:
    """All nodes of the graph that are elements of one argument, put through elementwise steps."""
    known: dict[Node, _Elements] = {}
    arguments = iter(range(len(examples)))
    for node in graph.graph.nodes:
        if node.op == "placeholder":
            number = next(arguments)
            shape = examples[number].shape
            index = torch.arange(examples[number].numel()).reshape(shape)
            known[node] = _Elements(number, index)
        elif node.op == "call_function" and len(node.all_input_nodes) == 1:
            of = known.get(node.args[0])
            if of is not None and (found := _moved(node, of)):
                known[node] = found
    return known


def _moved(node: Node, of: _Elements) -> _Elements | None:
    others = tuple(node.args[1:])
    if node.target is operator.getitem:
        return _Elements(of.argument, of.index[others[0]], of.steps)
    if node.target in _MOVES:
        moved = node.target(of.index, *others, **node.kwargs)
        return _Elements(of.argument, moved, of.steps)
    if node.target in _ELEMENTWISE and isinstance(of.index, torch.Tensor):
        step = node.target, others, tuple(node.kwargs.items())
        return _Elements(of.argument, of.index, (*of.steps, step))
    return None


def _layout(
    example: torch.Tensor, indices: Sequence[torch.Tensor], whole: bool
) -> tuple[Callable[[torch.Tensor], torch.Tensor], list[int]]:
    """How the argument becomes columns, and in which of them the elements are.

    Args:
        example: the argument.
        indices: for each angle, its element, or its element for each sample.
        whole: whether columns that nobody reads do no harm.
    """
    places = torch.arange(example.numel()).reshape(example.shape)
    for axis in range(example.dim()) if indices[0].dim() else [None]:
        take = _flat if axis is None else _axis_first(axis)
        table = take(places)
        columns = [_column(table, index) for index in indices]
        if None not in columns:
            return _trimmed(take, [c for c in columns if c is not None], table.shape[-1], whole)
    wanted = torch.stack(list(indices), dim=-1).to(example.device)
    return lambda argument: argument.reshape(-1)[wanted], list(range(len(indices)))


def _flat(argument: torch.Tensor) -> torch.Tensor:
    return argument.reshape(-1)


def _axis_first(axis: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """The axis is the batch, all others together are the columns."""
    if axis == 0:
        return lambda argument: argument.flatten(1) if argument.dim() > 1 else argument[:, None]
    return lambda argument: argument.movedim(axis, 0).reshape(argument.shape[axis], -1)


def _column(table: torch.Tensor, index: torch.Tensor) -> int | None:
    if not index.dim():
        return int(index)
    if len(index) != len(table) or not len(index):
        return None
    found = (table[0] == index[0]).nonzero()
    column = int(found[0]) if len(found) else 0
    return column if torch.equal(table[:, column], index) else None


def _trimmed(
    take: Callable[[torch.Tensor], torch.Tensor], columns: list[int], width: int, whole: bool
) -> tuple[Callable[[torch.Tensor], torch.Tensor], list[int]]:
    used = sorted(set(columns))
    if used == list(range(width)) or (whole and width <= SPARSE * len(used)):
        return take, columns
    wanted = torch.tensor(used)
    return (
        lambda argument: take(argument).index_select(-1, wanted.to(argument.device)),
        [used.index(column) for column in columns],
    )


def _computed(
    graph: GraphModule, examples: Sequence[torch.Tensor], outputs: Sequence[Any], angles: list[int]
) -> list[tuple[Callable[[Sequence[torch.Tensor]], torch.Tensor], list[int]]]:
    """Angles for which the trace itself is run, batched ones and shared ones apart."""
    if not angles:
        return []
    dims = [value.dim() for value in _restricted(graph, outputs, angles)(*examples)]
    parts = []
    for dim in sorted(set(dims)):
        own = [k for k, d in zip(angles, dims, strict=True) if d == dim]
        parts.append((_stacked(_restricted(graph, outputs, own)), own))
    return parts


def _stacked(module: GraphModule) -> Callable[[Sequence[torch.Tensor]], torch.Tensor]:
    return lambda tensors: torch.stack(module(*tensors), dim=-1)


def _restricted(graph: GraphModule, outputs: Sequence[Any], angles: Sequence[int]) -> GraphModule:
    """The trace with some of the angles as its only outputs."""
    part = torch.fx.Graph()
    copies: dict[Node, Node] = {}
    part.graph_copy(graph.graph, copies)
    part.output([copies[outputs[k]] for k in angles])
    part.eliminate_dead_code()
    return GraphModule(graph, part)
