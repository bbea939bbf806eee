# SPDX-License-Identifier: Apache-2.0
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qml
import pytest
import torch

from quantum.device import FedfleetQubit
from quantum.errors import CircuitError
from quantum.trace import PLANS, TracedCircuit, trace
from tests.quantum.test_device import angles, assert_equal, derivatives, layered, measurements

QUBITS = 4
OUTSIDE = torch.tensor([0.3, 0.4], dtype=torch.float64)


def pair(function: Callable[..., Any]) -> tuple[Any, TracedCircuit]:
    """A QNode on default.qubit, and the same circuit traced."""
    ours = qml.QNode(function, FedfleetQubit(wires=QUBITS))
    return qml.QNode(function, qml.device("default.qubit", wires=QUBITS)), trace(ours)


@pytest.mark.parametrize("inputs", [(4,), (5, 4)])
@pytest.mark.parametrize("weights", [(2, 4), (5, 2, 4)])
def test_a_replay_has_the_values_and_both_derivatives_of_default_qubit(
    inputs: tuple[int, ...], weights: tuple[int, ...]
) -> None:
    node, traced = pair(layered)
    traced(angles(*inputs, seed=7), angles(*weights, seed=8))
    arguments = angles(*inputs), angles(*weights, seed=1)
    assert_equal(derivatives(node, *arguments), derivatives(traced, *arguments))


def test_new_batch_sizes_shapes_and_precisions_are_traced_when_they_come() -> None:
    node, traced = pair(layered)
    for inputs, weights in [((3, 4), (2, 4)), ((4,), (2, 4)), ((6, 4), (6, 2, 4)), ((4,), (2, 4))]:
        arguments = angles(*inputs), angles(*weights, seed=1)
        expected = torch.stack(node(*arguments), -1)
        torch.testing.assert_close(torch.stack(traced(*arguments), -1), expected)
        single = torch.stack(traced(*[a.float() for a in arguments]), -1)
        assert single.dtype is torch.float32
        torch.testing.assert_close(single.double(), expected, rtol=0, atol=1e-6)


def test_the_quantum_function_runs_only_for_the_trace() -> None:
    calls = []

    def counted(t: torch.Tensor) -> Any:
        calls.append(1)
        qml.RX(t[0], wires=0)
        return qml.expval(qml.Z(0))

    _, traced = pair(counted)
    traced(angles(2))
    before = len(calls)
    for seed in range(5):
        t = angles(2, seed=seed)
        torch.testing.assert_close(traced(t), torch.cos(t[0]))
    assert len(calls) == before


MAPS: dict[str, Callable[[torch.Tensor], Any]] = {
    "elements": lambda t: [t[:, 0], t[:, 2], t[:, 1]],
    "an element thrice": lambda t: [t[:, 1]] * 3,
    "shared elements": lambda t: [t[0, 2], t[1, 0], t[0, 2]],
    "shared and batched": lambda t: [t[0, 2], t[:, 0], 0.5],
    "the other axis": lambda t: [t[0], t[2], t[1]],
    "both axes": lambda t: [t[0], t[:, 1], t[1, 1]],
    "a diagonal": lambda t: [torch.diagonal(t), t[:, 0], t[:, 1]],
    "unbound": lambda t: list(t.unbind(1)),
    "reshaped": lambda t: list(t.reshape(3, 3, 1).permute(1, 0, 2).squeeze(-1)),
    "expanded": lambda t: [t[0, 0].expand(3), t[:, 0], t[2, 1]],
    "flipped": lambda t: [t[:, 0].flip(0), t[:, 0], t[:, 1]],
    "the same function": lambda t: [torch.atan(t[:, k]) for k in range(3)],
    "function of all": lambda t: list(torch.sin(2 * t + 1).unbind(1)),
    "scaled and shifted": lambda t: [-2 * t[:, 0], 1 - t[:, 1], t[:, 2] / 3 + math.pi],
    "powers": lambda t: [t[:, 0] ** 2, t[:, 1] ** 3, torch.atan(t[:, 2] ** 2)],
    "arccosines of a part": lambda t: [torch.acos(t[:, 0] / 4), t[:, 1] * 9, t[:, 2]],
    "a made constant": lambda t: [torch.tensor(0.5, dtype=t.dtype) * t[:, 0], t[:, 1], t[:, 2]],
    "products and sums": lambda t: [t[:, 0] * t[:, 1], t[:, 1] + t[0, 2], t.sum() * t[0, 0]],
    "some computed": lambda t: [t[:, 0] * t[:, 1], t[:, 1], torch.atan(t[:, 2])],
    "matrix product": lambda t: list((t @ t).unbind(1)),
    "detached": lambda t: [t[:, 0].detach(), t[:, 0], t[:, 1].detach() * t[:, 2]],
    "numbers": lambda t: [0.25, t[:, 0], np.float64(1.5)],
    "in place": lambda t: list(t.clone().mul_(2).unbind(1)),
    "gathered": lambda t: [t[:, [2, 0]][:, 1], t[[0, 1, 1], 0], t[:, 1]],
}


@pytest.mark.parametrize("how", MAPS)
def test_however_the_angles_depend_on_the_arguments(how: str) -> None:
    def circuit(t: torch.Tensor) -> Any:
        for wire, angle in enumerate(MAPS[how](t)):
            qml.Hadamard(wire)
            qml.RZ(angle, wires=wire)
            qml.CRX(angle, wires=[wire, wire + 1])
        return measurements()

    node, traced = pair(circuit)
    traced(angles(3, 3, seed=5))
    t = angles(3, 3)
    assert_equal(derivatives(node, t), derivatives(traced, t))


def test_an_elementwise_function_is_computed_once_for_all_its_angles() -> None:
    node, traced = pair(layered)
    arguments = angles(5, 4).requires_grad_(), angles(5, 2, 4).requires_grad_()
    with torch.profiler.profile() as profile:
        traced(*arguments)
    with torch.profiler.profile() as profile:
        traced(*arguments)
    names = [event.name for event in profile.events()]
    assert names.count("aten::atan") == 1
    assert names.count("aten::select") <= 4  # for the results
    assert not {"aten::stack", "aten::cat", "aten::index"} & set(names)
    assert node(*arguments)[0].shape == (5,)


def test_what_is_used_by_nobody_is_not_put_through_a_function() -> None:
    def circuit(t: torch.Tensor) -> Any:
        qml.RX(torch.acos(t[:, 1]), wires=0)
        return qml.expval(qml.Z(0))

    _, traced = pair(circuit)
    t = torch.tensor([[9.0, 0.5, -9.0]], dtype=torch.float64, requires_grad=True)
    result = traced(t)
    result.sum().backward()
    torch.testing.assert_close(result, torch.tensor([0.5], dtype=torch.float64))
    assert t.grad is not None
    torch.testing.assert_close(t.grad, torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64))


def test_arguments_may_be_nested_named_and_mixed_with_other_values() -> None:
    def circuit(weights: Any, *, layers: int, data: torch.Tensor, kind: str = "RX") -> Any:
        for layer in range(layers):
            getattr(qml, kind)(weights["angles"][layer], wires=0)
            qml.RY(data, wires=0)
        return {"z": qml.expval(qml.Z(0)), "rest": [qml.expval(qml.X(0)), qml.expval(qml.Y(0))]}

    node, traced = pair(circuit)
    for layers, kind in [(1, "RX"), (3, "RX"), (3, "RZ")]:
        arguments = {"layers": layers, "data": angles(4), "kind": kind}
        weights = {"angles": list(angles(3, seed=layers))}
        expected, found = node(weights, **arguments), traced(weights, **arguments)
        assert found.keys() == expected.keys()
        torch.testing.assert_close(found["rest"], list(expected["rest"]))


@pytest.mark.parametrize("kind", [list, tuple])
def test_results_are_nested_as_the_function_returns_them(kind: type) -> None:
    def circuit(t: torch.Tensor) -> Any:
        qml.RX(t, wires=0)
        return kind([qml.expval(qml.Z(0) + 0.5 * qml.I(0)), qml.expval(qml.Y(0))])

    node, traced = pair(circuit)
    results = traced(angles(3))
    assert type(results) is kind
    torch.testing.assert_close(list(results), list(node(angles(3))))


def test_it_is_a_decorator_that_keeps_name_and_text_and_bounds_its_memory() -> None:
    @trace
    @qml.qnode(FedfleetQubit(wires=1))
    def cosine(t: torch.Tensor, turns: int) -> Any:
        """The cosine."""
        qml.RX(turns * t, wires=0)
        return qml.expval(qml.Z(0))

    assert (cosine.__name__, cosine.__doc__) == ("cosine", "The cosine.")
    for turns in range(PLANS + 3):
        torch.testing.assert_close(cosine(angles(1), turns), torch.cos(turns * angles(1)))
    assert len(cosine._plans) == PLANS


def branch(t: torch.Tensor) -> Any:
    qml.RX(t[0] if t[0] > 0 else t[1], wires=0)
    return qml.expval(qml.Z(0))


def number(t: torch.Tensor) -> Any:
    qml.RX(float(t[0]), wires=0)
    return qml.expval(qml.Z(0))


def through_numpy(t: torch.Tensor) -> Any:
    qml.RX(torch.from_numpy(t.detach().numpy().copy())[0], wires=0)
    return qml.expval(qml.Z(0))


def without_gradient(t: torch.Tensor) -> Any:
    with torch.no_grad():
        angle = 2 * t[0]
    qml.RX(t[1], wires=1)
    qml.RY(angle, wires=0)
    return qml.expval(qml.Z(0))


def from_outside(t: torch.Tensor) -> Any:
    qml.RX(t[0], wires=0)
    qml.RY(OUTSIDE[0] * t[1], wires=1)
    return qml.expval(qml.Z(0))


def only_outside(t: torch.Tensor) -> Any:
    qml.RX(t[0], wires=0)
    qml.RY(OUTSIDE[0], wires=1)
    return qml.expval(qml.Z(0))


def matrix(t: torch.Tensor) -> Any:
    qml.RX(t[0], wires=0)
    qml.QubitUnitary(np.eye(2), wires=0)
    return qml.expval(qml.Z(0))


def probabilities(t: torch.Tensor) -> Any:
    qml.RX(t[0], wires=0)
    return qml.probs(wires=0)


def no_wire(t: torch.Tensor) -> Any:
    qml.RX(t[0], wires=99)
    return qml.expval(qml.Z(0))


def weighted(t: torch.Tensor) -> Any:
    qml.RX(t[0], wires=0)
    return qml.expval(qml.Hamiltonian(t[:1], [qml.Z(0)]))


def disordered(t: torch.Tensor) -> Any:
    qml.RX(t[0], wires=0)
    first, second = qml.expval(qml.Z(0)), qml.expval(qml.X(0))
    return second, first


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (branch, "asks for the value of an argument"),
        (number, "asks for the value of an argument"),
        (through_numpy, r"gate 0 \(RX on wires \(0,\)\)|asks for the value"),
        (without_gradient, r"gate 1 \(RY on wires \(0,\)\) depends on .*no_grad"),
        (from_outside, r"gate 1 \(RY on wires \(1,\)\) reads a tensor that is not an argument"),
        (only_outside, r"gate 1 \(RY on wires \(1,\)\) reads a tensor that is not an argument"),
        (matrix, "because of the operation QubitUnitary"),
        (probabilities, "because of the measurement ProbabilityMP"),
        (no_wire, "because of wire 99, which the device does not have"),
        (weighted, "coefficient of an observable is a tensor"),
        (disordered, "in the order they are made"),
    ],
)
def test_what_cannot_be_replayed_is_refused_by_name(
    function: Callable[..., Any], message: str
) -> None:
    node = qml.QNode(function, FedfleetQubit(wires=QUBITS))
    with pytest.raises(CircuitError, match=rf"(?s){function.__name__}: .*({message})"):
        trace(node, angles(2))


def test_gates_that_depend_on_values_are_noticed() -> None:
    def circuit(t: torch.Tensor) -> Any:
        if np.asarray(t.detach().tolist())[0] > 0:
            qml.Hadamard(0)
        qml.RX(t[1], wires=0)
        return qml.expval(qml.Z(0))

    def by_memory(t: torch.Tensor) -> Any:
        seen.append(t)
        for _ in range(len(seen)):
            qml.Hadamard(0)
        qml.RX(t[1], wires=0)
        return qml.expval(qml.Z(0))

    seen: list[torch.Tensor] = []
    with pytest.raises(CircuitError, match=r"asks for the value|depend on the values"):
        trace(qml.QNode(circuit, FedfleetQubit(wires=1)), angles(2))
    with pytest.raises(CircuitError, match="gates or observables depend"):
        trace(qml.QNode(by_memory, FedfleetQubit(wires=1)), angles(2))


def test_nodes_with_shots_transforms_or_other_interfaces_are_refused() -> None:
    def circuit(t: torch.Tensor) -> Any:
        qml.RX(t, wires=0)
        return qml.expval(qml.Z(0))

    device = FedfleetQubit(wires=1)
    with pytest.raises(CircuitError, match="finite shots"):
        trace(qml.set_shots(qml.QNode(circuit, device), 10))
    with pytest.raises(CircuitError, match="transforms"):
        trace(qml.transforms.cancel_inverses(qml.QNode(circuit, device)))
    with pytest.raises(CircuitError, match="interface is autograd; allowed: auto, torch"):
        trace(qml.QNode(circuit, device, interface="autograd"))
    with pytest.raises(CircuitError, match="only a QNode"):
        trace(circuit)
