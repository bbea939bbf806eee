# SPDX-License-Identifier: Apache-2.0
"""Trace a QNode once and replay it without PennyLane: the angles as a function of the arguments.

Building a tape costs PennyLane some 40 microseconds per gate, many times what our engines need to
run it. When the structure of a circuit is fixed, only the angles change from call to call.
"""

import functools
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import pennylane as qml
import torch
from pennylane.math import Interface
from pennylane.measurements import MeasurementProcess
from pennylane.queuing import AnnotatedQueue
from pennylane.tape import QuantumScript
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._pytree import tree_flatten, tree_unflatten

from quantum.angles import Angles, angle_map
from quantum.engines import Engine
from quantum.errors import CircuitError, require
from quantum.native import GATES, Unsupported, decomposed
from quantum.tape import Reading, engine_for, measured, read, require_expectations

PLANS = 64
"""Traces that one traced circuit keeps, for different shapes or values of other arguments."""


class _Plan(NamedTuple):
    """What a call with arguments of one signature does."""

    angles: Angles
    engine: Engine
    results: list[list[tuple[Any, int | None]]]
    nest: Callable[[tuple[torch.Tensor, ...]], Any]  # as the QNode returns them


class TracedCircuit:
    """A QNode that is traced on the first call with arguments of a new signature, then replayed.

    The signature is the nesting of the arguments, the shape, dtype and device of each tensor, and
    the value of everything else: so numbers that change from call to call must be tensors. What is
    not an argument is frozen: a number that the function reads from outside is that of the trace;
    a tensor is refused. Gradients are those of torch, twice; the gates are those of
    :mod:`quantum.tape`, on whatever device the QNode names.

    Args:
        node: without shots and transforms, for torch.

    Raises:
        CircuitError: on construction, the QNode has shots, transforms or another interface; on a
            call, the circuit is not one that our engines run, or its gates or angles depend on the
            values of the arguments in a way that cannot be replayed. The message names the gate.
    """

    def __init__(self, node: qml.QNode) -> None:
        require(isinstance(node, qml.QNode), f"only a QNode can be traced, not {node!r}")
        require(not node.shots, f"{node.__name__}: finite shots cannot be traced ({node.shots})")
        require(len(node.compile_pipeline) == 0, f"{node.__name__}: transforms cannot be traced")
        allowed = (Interface.AUTO.value, Interface.TORCH.value)
        require(
            node.interface in allowed,
            f"{node.__name__}: the interface is {node.interface}; allowed: {', '.join(allowed)}",
        )
        self._node = node
        self._plans: OrderedDict[Hashable, _Plan] = OrderedDict()
        functools.update_wrapper(self, node)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the QNode would return, in the dtype of the arguments."""
        leaves, nesting, tensors = _flatten(args, kwargs)
        key = (nesting, *map(_signature, leaves))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._trace(leaves, nesting)
            if len(self._plans) > PLANS:
                self._plans.popitem(last=False)
        inputs, parameters = plan.angles(tensors)
        outputs = plan.engine(inputs, parameters)
        results = measured(plan.results, outputs if plan.angles.batched else outputs[0])
        return plan.nest(results)

    def _trace(self, leaves: Sequence[Any], nesting: Any) -> _Plan:
        def tape_of(tensors: Sequence[torch.Tensor]) -> tuple[Reading, Any]:
            rest = iter(tensors)
            mixed = [next(rest) if isinstance(v, torch.Tensor) else v for v in leaves]
            args, kwargs = (mixed, {}) if nesting is None else tree_unflatten(mixed, nesting)
            return self._read(args, kwargs)

        examples = [leaf.detach() for leaf in leaves if isinstance(leaf, torch.Tensor)]
        name = self._node.__name__
        try:
            graph = make_fx(lambda *tensors: tape_of(tensors)[0].values)(*examples)
        except RuntimeError as error:
            if "tracing tensor" not in str(error):
                raise
            raise CircuitError(
                f"{name}: it asks for the value of an argument (a branch, float(), .item(), "
                ".numpy()), so its structure is not fixed and it cannot be traced"
            ) from error
        reading, output = tape_of(examples)
        angles = angle_map(graph, examples, _titles(reading, name))
        self._verify(angles, tape_of, reading, examples)
        engine = engine_for(reading.structure, angles.slots, str(angles.device))
        return _Plan(angles, engine, reading.results, _nest(output))

    def _read(self, args: Any, kwargs: Any) -> tuple[Reading, Any]:
        with AnnotatedQueue() as queue:
            returned = self._node.func(*args, **kwargs)
        tape = QuantumScript.from_queue(queue)
        measurements, output = tree_flatten(
            returned, is_leaf=lambda m: isinstance(m, MeasurementProcess)
        )
        same = len(measurements) == len(tape.measurements) and all(
            a is b for a, b in zip(measurements, tape.measurements, strict=True)
        )
        require(same, f"{self._node.__name__}: return all measurements in the order they are made")
        try:
            require_expectations(tape)
            reading = read(decomposed(tape), self._node.device.wires)
        except Unsupported as reason:
            raise CircuitError(
                f"{self._node.__name__}: our engines cannot run it because of {reason}"
            ) from reason
        for terms in reading.results:
            for coefficient, _ in terms:
                require(
                    isinstance(coefficient, float),
                    f"{self._node.__name__}: the coefficient of an observable is a tensor; "
                    "measure the terms and add them up outside",
                )
        return reading, output

    def _verify(
        self,
        angles: Angles,
        tape_of: Callable[[Sequence[torch.Tensor]], tuple[Reading, Any]],
        traced: Reading,
        examples: Sequence[torch.Tensor],
    ) -> None:
        """Compare with the QNode's own tape for the example and for random arguments."""
        titles = _titles(traced, self._node.__name__)
        for probe in _probes(examples):
            reading, _ = tape_of(probe)
            require(
                reading.structure == traced.structure and reading.results == traced.results,
                f"{self._node.__name__}: its gates or observables depend on the values of its "
                "arguments, so it cannot be traced",
            )
            replayed = angles.one_by_one(probe)
            for title, expected, found in zip(titles, reading.values, replayed, strict=True):
                require(
                    _equal(expected, found) and _same_slopes(expected, found, probe),
                    f"{title} depends on its arguments, or on what needs a gradient, in a way "
                    "that a trace does not show (.numpy(), torch.no_grad(), random numbers)",
                )


def trace(node: qml.QNode, *args: Any, **kwargs: Any) -> TracedCircuit:
    """Trace a QNode; usable as a decorator.

    Args:
        node: see :class:`TracedCircuit`.
        args: an example of its arguments, to trace at once; without, the first call does.
        kwargs: the same, for arguments by name.

    Raises:
        CircuitError: see :class:`TracedCircuit`.
    """
    traced = TracedCircuit(node)
    if args or kwargs:
        traced(*args, **kwargs)
    return traced


def _flatten(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Sequence[Any], Any, Sequence[torch.Tensor]]:
    """The leaves of the arguments, their nesting (None for plain tensors), and the tensors."""
    if not kwargs and all([isinstance(a, torch.Tensor) for a in args]):
        return args, None, args
    leaves, nesting = tree_flatten((args, kwargs))
    return leaves, nesting, [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]


def _nest(output: Any) -> Callable[[tuple[torch.Tensor, ...]], Any]:
    """Unflattening is slow, and nearly always one of these."""
    flat = all(child.is_leaf() for child in output.children())
    if output.is_leaf():
        return lambda results: results[0]
    if flat and output.type in (list, tuple):
        return output.type  # type: ignore[no-any-return]
    return lambda results: tree_unflatten(results, output)


def _signature(leaf: Any) -> Hashable:
    if isinstance(leaf, torch.Tensor):
        return leaf.shape, leaf.dtype, leaf.device
    return type(leaf), leaf


def _titles(reading: Reading, name: str) -> list[str]:
    """For each angle, the gate it belongs to."""
    return [
        f"{name}: an angle of gate {number} ({kind.__name__} on wires {wires})"
        for number, (kind, _, _, wires) in enumerate(reading.structure.steps)
        for _ in range(GATES[kind][0])
    ]


def _probes(examples: Sequence[torch.Tensor]) -> list[list[torch.Tensor]]:
    """The example, one near it, and one anywhere in (-1, 1); integers stay as they are."""
    generator = torch.Generator().manual_seed(0)

    def drawn(like: torch.Tensor) -> torch.Tensor:
        values = torch.rand(like.shape, generator=generator, dtype=torch.float64)
        return (2 * values - 1).to(like)

    def probe(change: Callable[[torch.Tensor], torch.Tensor]) -> list[torch.Tensor]:
        return [
            change(e).detach().requires_grad_() if e.is_floating_point() else e for e in examples
        ]

    return [probe(torch.clone), probe(lambda e: e + 0.1 * drawn(e)), probe(drawn)]


def _equal(expected: torch.Tensor | float, found: torch.Tensor | float) -> bool:
    a, b = torch.as_tensor(expected), torch.as_tensor(found)
    if a.shape != b.shape:
        return False
    tolerance = 1e-5 if torch.float32 in (a.dtype, b.dtype) else 1e-12
    return torch.allclose(a.double(), b.double(), tolerance, tolerance, equal_nan=True)


def _same_slopes(
    expected: torch.Tensor | float, found: torch.Tensor | float, at: Sequence[torch.Tensor]
) -> bool:
    pairs = zip(_slopes(expected, at), _slopes(found, at), strict=True)
    return all(_equal(a, b) for a, b in pairs)


def _slopes(angle: torch.Tensor | float, at: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Gradients of one angle, its samples weighted differently."""
    leaves = [t for t in at if t.requires_grad]
    if not leaves or not isinstance(angle, torch.Tensor) or not angle.requires_grad:
        return [torch.zeros_like(t) for t in leaves]
    weights = torch.arange(1, angle.numel() + 1).reshape(angle.shape).to(angle)
    return list(
        torch.autograd.grad(
            (weights * angle).sum(), leaves, retain_graph=True, materialize_grads=True
        )
    )
