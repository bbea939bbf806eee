# SPDX-License-Identifier: Apache-2.0
import logging
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qml
import pytest
import torch
from pennylane import numpy as pnp
from pennylane.devices import ExecutionConfig
from pennylane.exceptions import DeviceError, QuantumFunctionError, WireError
from pennylane.tape import QuantumScript

from quantum.circuit import Circuit
from quantum.device import FedfleetQubit, _notice
from quantum.errors import CircuitError
from quantum.gather import gather
from quantum.native import GATES, Unsupported, decomposed
from quantum.tape import circuit_of, read

QUBITS = 4
LETTERS = "XYZ"


def devices(wires: Any = QUBITS) -> tuple[Any, FedfleetQubit]:
    return qml.device("default.qubit", wires=wires), FedfleetQubit(wires=wires)


def both(function: Callable[..., Any], wires: Any = QUBITS, **options: Any) -> tuple[Any, Any]:
    reference, ours = devices(wires)
    return qml.QNode(function, reference, **options), qml.QNode(function, ours, **options)


def angles(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (4 * torch.rand(shape, generator=generator, dtype=torch.float64) - 2).to(dtype)


def stacked(results: Any) -> torch.Tensor:
    return torch.stack(list(results), -1) if isinstance(results, tuple | list) else results


def loss(results: Any) -> torch.Tensor:
    return (stacked(results) ** 2).sum() + stacked(results).sum()


def derivatives(node: Any, *arguments: torch.Tensor) -> list[torch.Tensor]:
    """Value, gradient, and gradient of the gradient along a fixed direction."""
    leaves = [a.clone().requires_grad_() for a in arguments]
    results = stacked(node(*leaves))
    first = torch.autograd.grad(loss(results), leaves, create_graph=True)
    along = sum((g * angles(*g.shape, seed=9)).sum() for g in first)
    assert isinstance(along, torch.Tensor)
    return [results, *first, *torch.autograd.grad(along, leaves)]


def assert_equal(left: Any, right: Any, tolerance: float = 1e-10) -> None:
    for a, b in zip(left, right, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=tolerance)


def runs_natively(tape: QuantumScript) -> bool:
    try:
        read(decomposed(tape))
    except Unsupported:
        return False
    return True


@pytest.fixture
def no_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let default.qubit refuse to simulate for our device: what passes ran on our engines."""
    execute = qml.devices.DefaultQubit.execute

    def refuse(self: Any, circuits: Any, execution_config: Any = None) -> Any:
        assert not isinstance(self, FedfleetQubit), "default.qubit took over"
        return execute(self, circuits, execution_config)

    monkeypatch.setattr(qml.devices.DefaultQubit, "execute", refuse)


def test_it_is_found_by_its_name() -> None:
    device = qml.device("fedfleet.qubit", wires=["a", "b"])
    assert type(device) is FedfleetQubit
    assert device.name == "fedfleet.qubit"
    assert list(device.wires) == ["a", "b"]


def entangle(scale: float) -> None:
    for wire in range(QUBITS):
        qml.Rot(0.3 * scale + wire, 0.7 - wire * scale, 1.1 * wire, wires=wire)
    for wire in range(QUBITS):
        qml.CNOT([wire, (wire + 1) % QUBITS])


def measurements() -> tuple[Any, ...]:
    strings = (qml.X(0), qml.Y(1) @ qml.Z(2), qml.Z(0) @ qml.X(1) @ qml.Y(3), qml.Z(3))
    return tuple(qml.expval(string) for string in strings)


EXTRA: dict[str, Callable[..., Any]] = {
    "PauliRot": lambda t: qml.PauliRot(t, "XIY", wires=[2, 0, 3]),
    "identity PauliRot": lambda t: qml.PauliRot(t, "II", wires=[2, 0]),
    "MultiRZ": lambda t: qml.MultiRZ(t, wires=[3, 0, 1]),
    "MultiControlledX": lambda _: qml.MultiControlledX([2, 0, 3], control_values=[0, 1]),
    "wide MultiControlledX": lambda _: qml.MultiControlledX([2, 0, 1, 3]),
    "GlobalPhase": qml.GlobalPhase,
    "Identity": lambda _: qml.Identity([0, 1]),
    "Barrier": lambda _: qml.Barrier([0, 1]),
    "Adjoint(Rot)": lambda t: qml.adjoint(qml.Rot(t, 2 * t, -t, wires=1)),
    "Adjoint(S)": lambda _: qml.adjoint(qml.S(2)),
    "Adjoint(SX)": lambda _: qml.adjoint(qml.SX(2)),
    "Adjoint(ISWAP)": lambda _: qml.adjoint(qml.ISWAP([2, 0])),
    "Adjoint(Adjoint(T))": lambda _: qml.adjoint(qml.adjoint(qml.T(1))),
    "C(RX) twice": lambda t: qml.ctrl(qml.RX(t, 0), [2, 3], control_values=[1, 0]),
    "C(GlobalPhase)": lambda t: qml.ctrl(qml.GlobalPhase(t), [2]),
    "C(S)": lambda _: qml.ctrl(qml.S(1), 0),
    "Pow": lambda _: qml.pow(qml.S(1), 3),
    "QFT": lambda _: qml.QFT([0, 2, 3]),
    "SingleExcitation": lambda t: qml.SingleExcitation(t, wires=[0, 2]),
}
SIZES = {qml.MultiRZ: 3, qml.MultiControlledX: 3, qml.PauliRot: 2, qml.Identity: 1, qml.Barrier: 2}


def plain_gate(kind: Any) -> Callable[..., Any]:
    count, _ = GATES[kind]
    wires = [2, 0, 3, 1][: kind.num_wires or SIZES.get(kind, 1)]
    return lambda t: kind(*[(k + 1) * t for k in range(count)], wires=wires)


ALL_GATES = {
    **{k.__name__: plain_gate(k) for k in GATES if k not in SIZES and k is not qml.GlobalPhase},
    **EXTRA,
}


@pytest.mark.usefixtures("no_fallback")
@pytest.mark.parametrize("gate", ALL_GATES)
def test_every_gate_has_the_values_and_both_derivatives_of_default_qubit(gate: str) -> None:
    def circuit(t: torch.Tensor) -> Any:
        entangle(1.0)
        ALL_GATES[gate](t[0])
        qml.RY(t[1], wires=2)
        entangle(0.4)
        ALL_GATES[gate](t[1])
        return measurements()

    reference, ours = both(circuit)
    t = angles(2, seed=len(gate))
    assert_equal(derivatives(reference, t), derivatives(ours, t))


@pytest.mark.usefixtures("no_fallback")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_single_precision_stays_single(dtype: torch.dtype) -> None:
    def circuit(t: torch.Tensor) -> Any:
        entangle(1.0)
        qml.CRX(t[:, 0], wires=[0, 1])
        qml.RY(0.3, wires=0)
        return measurements()

    reference, ours = both(circuit)
    results = stacked(ours(angles(3, 1, dtype=dtype)))
    assert results.dtype is dtype
    expected = stacked(reference(angles(3, 1, dtype=dtype)))
    torch.testing.assert_close(results.double(), expected, rtol=0, atol=1e-6)


def layered(x: torch.Tensor, theta: torch.Tensor) -> Any:
    for wire in range(QUBITS):
        qml.Hadamard(wire)
        qml.RY(torch.arctan(x[..., wire]), wires=wire)
    for layer in range(2):
        for wire in range(QUBITS):
            qml.CNOT([wire, (wire + 1) % QUBITS])
        for wire in range(QUBITS):
            qml.RY(theta[..., layer, wire], wires=wire)
    qml.RX(0.4, wires=0)
    return measurements()


SHAPES = {
    "nothing batched": ((4,), (2, 4)),
    "inputs batched": ((5, 4), (2, 4)),
    "parameters batched": ((4,), (5, 2, 4)),
    "both batched": ((5, 4), (5, 2, 4)),
    "a batch of one": ((1, 4), (1, 2, 4)),
    "as many samples as layers": ((2, 4), (2, 2, 4)),
}


@pytest.mark.usefixtures("no_fallback")
@pytest.mark.parametrize("shapes", SHAPES)
def test_batched_and_shared_angles_mix(shapes: str) -> None:
    reference, ours = both(layered)
    arguments = [angles(*shape, seed=k) for k, shape in enumerate(SHAPES[shapes])]
    expected = derivatives(reference, *arguments)
    assert_equal(expected, derivatives(ours, *arguments))
    assert_equal(expected, derivatives(ours, *arguments))  # from the cache


def in_place(t: torch.Tensor) -> list[torch.Tensor]:
    copied = t.clone()
    views = [copied[:, k] for k in range(3)]
    copied.mul_(1.5)
    views[1].add_(0.25)
    return views


LAYOUTS: dict[str, Callable[[torch.Tensor], Any]] = {
    "as it is": lambda t: [t[:, k] for k in range(3)],
    "backwards": lambda t: [t[:, 2 - k] for k in range(3)],
    "twice the same": lambda t: [t[:, 1]] * 3,
    "one held": lambda t: list(t.unbind(1)),
    "batch last": lambda t: list(t.t().contiguous()),
    "batch in the middle": lambda t: list(t.reshape(1, 3, 3).transpose(0, 1).contiguous()[:, 0].T),
    "transposed": lambda t: [t.t()[k] for k in range(3)],
    "a diagonal": lambda t: [torch.diagonal(t), t[:, 0], t[0]],
    "rows for columns": lambda t: [t[0], t[1], t[2]],
    "rows and columns": lambda t: [t[0], t[:, 1], t[2]],
    "expanded": lambda t: [t[0, 0].expand(3), t[:, 1], t[1].expand(3, 3)[:, 2]],
    "a slice of a slice": lambda t: [t[:, 1:][:, 1], t[:, :2][:, 0], t[:, 1]],
    "a part of much": lambda t: [torch.cat([t] * 20, 1)[:, k] for k in (7, 0, 59)],
    "a function": lambda t: [torch.sin(t)[:, k] for k in range(3)],
    "saved for backward": lambda t: list(torch.tanh(t).unbind(1)),
    "through a reshape": lambda t: [(2 * t).reshape(3, 3, 1)[:, k, 0] for k in range(3)],
    "shared": lambda t: [t[0, 2], t[1, 1], t[2, 0]],
    "shared and batched": lambda t: [t[0, 2], t[:, 1], t[2, 0]],
    "strided": lambda t: [torch.cat([t, t])[::2][:, k] for k in range(3)],
    "changed in place": in_place,
    "detached": lambda t: [t.detach()[:, 0], t[:, 1], t[:, 0]],
    "single and double": lambda t: [t[:, 0].float().double(), t[:, 1], t[:, 0]],
}


@pytest.mark.usefixtures("no_fallback")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_however_the_angles_look_into_a_tensor_they_are_read_right(layout: str) -> None:
    def circuit(t: torch.Tensor) -> Any:
        entangle(1.0)
        for wire, angle in enumerate(LAYOUTS[layout](t)):
            qml.RX(angle, wires=wire)
            qml.CNOT([wire, wire + 1])
        return measurements()

    reference, ours = both(circuit)
    t = angles(3, 3)
    assert_equal(derivatives(reference, t), derivatives(ours, t))


@pytest.mark.usefixtures("no_fallback")
@pytest.mark.parametrize("held", ["columns", "row", "hook", "no_grad", "leaf view"])
def test_gradients_of_views_that_the_user_holds_are_not_lost(held: str) -> None:
    def circuit(columns: Any) -> Any:
        entangle(1.0)
        for wire in range(3):
            qml.RX(columns[wire], wires=wire)
        return measurements()

    def gradients(node: Any) -> list[Any]:
        t, seen = angles(2, 3).requires_grad_(), []
        if held == "columns":
            seen = list(t.unbind(0)[0].unbind(0))
            return list(torch.autograd.grad(loss(node(seen)), [*seen, t]))
        if held == "row":
            seen = [t[1]]
            return list(torch.autograd.grad(loss(node(seen[0])), [*seen, t]))
        if held == "hook":
            columns = t[0].unbind(0)
            columns[1].register_hook(seen.append)
            loss(node(list(columns))).backward()
            return [*seen, t.grad]
        if held == "no_grad":
            with torch.no_grad():
                row = t[0]
            results = stacked(node([row[0] * 1, t[1, 1], t[1, 2]]))
            return list(torch.autograd.grad(loss(results), [t]))
        row = t.detach()[1].requires_grad_()
        return list(torch.autograd.grad(loss(node(row)), [row]))

    reference, ours = both(circuit)
    assert_equal(gradients(reference), gradients(ours))


def test_only_views_that_nobody_holds_are_replaced_by_what_they_look_into() -> None:
    t = angles(5, 3).requires_grad_()
    private = gather([t[:, k] for k in range(3)], [True] * 3)
    assert private.parameters.data_ptr() == t.data_ptr()
    held = gather([t[:, k] for k in range(3)], [True, True, False])
    assert held.parameters.data_ptr() != t.data_ptr()
    row = t[:, 1]
    watched = gather([t[:, k] for k in range(3)], [True] * 3)
    assert watched.parameters.data_ptr() != t.data_ptr()
    assert row.shape == (5,)
    with pytest.raises(CircuitError, match=r"different batch sizes: \[2, 5\]"):
        gather([t[:, 0], t[:2, 1]], [True] * 2)


TEMPLATES: dict[str, tuple[Callable[[torch.Tensor], Any], tuple[int, ...]]] = {
    "StronglyEntanglingLayers": (
        lambda w: qml.StronglyEntanglingLayers(w, wires=range(QUBITS)),
        (2, QUBITS, 3),
    ),
    "BasicEntanglerLayers": (
        lambda w: qml.BasicEntanglerLayers(w, wires=range(QUBITS), rotation=qml.RY),
        (2, QUBITS),
    ),
    "AngleEmbedding": (
        lambda w: qml.AngleEmbedding(w, wires=range(QUBITS), rotation="Y"),
        (QUBITS,),
    ),
    "batched AngleEmbedding": (lambda w: qml.AngleEmbedding(w, range(QUBITS)), (3, QUBITS)),
    "IQPEmbedding": (lambda w: qml.IQPEmbedding(w, wires=range(QUBITS)), (QUBITS,)),
    "QAOAEmbedding": (lambda w: qml.QAOAEmbedding(w[0, :4], w, range(QUBITS)), (2, 2 * QUBITS)),
}


@pytest.mark.usefixtures("no_fallback")
@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_decompose_into_our_gates(name: str) -> None:
    template, shape = TEMPLATES[name]

    def circuit(w: torch.Tensor) -> Any:
        qml.BasisState(np.array([1, 0, 1, 1]), wires=range(QUBITS))
        entangle(1.0)
        template(w)
        entangle(0.5)
        return measurements()

    reference, ours = both(circuit)
    w = angles(*shape)
    assert_equal(derivatives(reference, w), derivatives(ours, w))


OBSERVABLES: dict[str, Callable[[], Any]] = {
    "identity": lambda: qml.Identity(0),
    "word": lambda: qml.X(0) @ qml.Y(1) @ qml.I(2),
    "sum": lambda: qml.X(0) + 0.5 * qml.Z(1) @ qml.Z(2) - 2 * qml.I(0),
    "product": lambda: (qml.X(0) + qml.Z(1)) @ (qml.Y(2) - 0.5 * qml.Z(3)),
    "zero": lambda: qml.X(0) - qml.X(0),
    "Hamiltonian": lambda: qml.Hamiltonian([0.3, -1.2], [qml.X(0) @ qml.Z(1), qml.Y(2)]),
}


@pytest.mark.usefixtures("no_fallback")
@pytest.mark.parametrize("observable", OBSERVABLES)
@pytest.mark.parametrize("batched", [True, False])
def test_observables_are_any_sums_of_pauli_strings(observable: str, batched: bool) -> None:
    def circuit(x: torch.Tensor, theta: torch.Tensor) -> Any:
        entangle(1.0)
        qml.RY(x[..., 0], wires=0)
        qml.CRX(theta[0, 0], wires=[0, 1])
        return qml.expval(OBSERVABLES[observable]()), qml.expval(qml.Z(3))

    reference, ours = both(circuit)
    arguments = angles(*([3, 4] if batched else [4])), angles(2, 4)
    assert_equal(derivatives(reference, *arguments), derivatives(ours, *arguments))


@pytest.mark.usefixtures("no_fallback")
def test_products_of_paulis_on_one_wire_and_integer_angles_are_exact() -> None:
    # default.qubit returns complex numbers for such products, and rounds integers to float32.
    def circuit(t: Any) -> Any:
        qml.RX(t, wires=1)
        return qml.expval(qml.X(0) @ qml.X(0) @ qml.Z(1))

    result = qml.QNode(circuit, FedfleetQubit(wires=2))(torch.tensor([1, 2]))
    expected = torch.tensor([math.cos(1), math.cos(2)], dtype=torch.float64)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-15)


@pytest.mark.usefixtures("no_fallback")
def test_the_coefficients_of_a_hamiltonian_have_gradients() -> None:
    def circuit(t: torch.Tensor, c: torch.Tensor) -> Any:
        entangle(1.0)
        qml.RX(t[0], wires=0)
        return qml.expval(qml.Hamiltonian(c, [qml.X(0), qml.Y(1) @ qml.Z(2)]))

    reference, ours = both(circuit)
    arguments = angles(1), angles(2, seed=1)
    assert_equal(derivatives(reference, *arguments), derivatives(ours, *arguments))


@pytest.mark.usefixtures("no_fallback")
def test_wires_may_have_any_labels_or_none() -> None:
    def circuit(t: torch.Tensor) -> Any:
        qml.RX(t[0], wires="b")
        qml.CRY(t[1], wires=["b", -1])
        qml.RX(t[1], wires="a")
        return qml.expval(qml.Z(-1) @ qml.Y("b")), qml.expval(qml.Y("a"))

    t = angles(2)
    for wires in (["a", "b", -1], [-1, 7, "b", "a"], None):
        reference, ours = both(circuit, wires)
        assert_equal(derivatives(reference, t), derivatives(ours, t))


@pytest.mark.usefixtures("no_fallback")
def test_a_torch_layer_trains_to_the_same_weights() -> None:
    def circuit(inputs: torch.Tensor, weights: torch.Tensor) -> Any:
        qml.AngleEmbedding(inputs, wires=range(QUBITS))
        qml.StronglyEntanglingLayers(weights, wires=range(QUBITS))
        return [qml.expval(qml.Z(wire)) for wire in range(2)]

    x, start, trained = angles(6, QUBITS), angles(2, QUBITS, 3, seed=2), []
    for node in both(circuit):
        initial = {"weights": lambda w: w.data.copy_(start)}
        layer = qml.qnn.TorchLayer(node, {"weights": start.shape}, init_method=initial)
        model = torch.nn.Sequential(layer, torch.nn.Linear(2, 1, dtype=torch.float64))
        torch.nn.init.constant_(model[1].weight, 0.5)
        torch.nn.init.zeros_(model[1].bias)
        optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
        for _ in range(3):
            optimiser.zero_grad()
            (model(x) - 0.3).square().mean().backward()
            optimiser.step()
        trained.append(layer.weights.detach())
    assert not torch.allclose(trained[0].double(), start, atol=0.05)
    assert_equal([trained[0]], [trained[1]], 1e-5)


def cosine(t: Any) -> Any:
    qml.RY(t, wires=0)
    return qml.expval(qml.Z(0))


def second_of_square(node: Any) -> float:
    """Second derivative of cos(t)^2 at 0.3: -2 cos(0.6)."""
    t = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(node(t) ** 2, t, create_graph=True)
    return float(torch.autograd.grad(slope, t)[0])


@pytest.mark.parametrize("method", ["best", "backprop", "adjoint", "parameter-shift"])
def test_second_derivatives_are_right_where_pennylane_is_wrong_without_an_error(
    method: str,
) -> None:
    reference, ours = both(cosine, 1, diff_method=method)
    truth = -2 * math.cos(0.6)
    assert second_of_square(ours) == pytest.approx(truth, abs=1e-9)
    wrong = method in ("adjoint", "parameter-shift")
    assert (abs(second_of_square(reference) - truth) > 1) == wrong


def test_adjoint_with_device_products_is_right_too() -> None:
    node = qml.QNode(cosine, FedfleetQubit(wires=1), diff_method="adjoint", device_vjp=True)
    assert second_of_square(node) == pytest.approx(-2 * math.cos(0.6), abs=1e-12)


def test_parameter_shift_is_right_at_third_order_and_the_compiled_engine_refuses_it() -> None:
    def third(method: str) -> float:
        node = qml.QNode(cosine, FedfleetQubit(wires=1), diff_method=method)
        t = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
        slope = node(t) ** 2
        for _ in range(3):
            (slope,) = torch.autograd.grad(slope, t, create_graph=True)
        return float(slope.detach())

    assert third("parameter-shift") == pytest.approx(4 * math.sin(0.6), abs=1e-9)
    with pytest.raises(CircuitError, match="twice, not three times"):
        third("backprop")


@pytest.mark.parametrize("method", ["best", "backprop", "adjoint", "parameter-shift"])
def test_numpy_nodes_have_the_right_values_and_gradients(method: str) -> None:
    def circuit(t: Any) -> Any:
        qml.RX(t[0], wires=0)
        qml.CRY(t[1], wires=[0, 1])
        return qml.expval(qml.Z(0) @ qml.X(1))

    reference, ours = both(circuit, 2, diff_method=method)
    t = pnp.array([0.4, 1.3], requires_grad=True)
    assert float(ours(t)) == pytest.approx(float(reference(t)), abs=1e-12)
    np.testing.assert_allclose(qml.grad(ours)(t), qml.grad(reference)(t), atol=1e-10)


@pytest.mark.parametrize("value", [0.3, np.float64(0.3), np.array([0.3, 0.4]), pnp.array(0.3)])
def test_without_gradients_results_are_of_the_type_that_default_qubit_returns(value: Any) -> None:
    reference, ours = both(cosine, 1)
    expected, found = reference(value), ours(value)
    assert type(found) is type(expected)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_torch_node_without_tensors_returns_a_tensor() -> None:
    result = qml.QNode(cosine, FedfleetQubit(wires=1), interface="torch")(0.3)
    torch.testing.assert_close(result, torch.tensor(math.cos(0.3), dtype=torch.float64))


def test_parameter_shift_counts_its_executions() -> None:
    device = FedfleetQubit(wires=1)
    node = qml.QNode(cosine, device, diff_method="parameter-shift")
    with qml.Tracker(device) as tracker:
        node(torch.tensor(0.3, requires_grad=True)).backward()
    assert tracker.totals["executions"] == 3
    with qml.Tracker(device) as tracker:
        qml.QNode(cosine, device)(torch.tensor([0.3, 0.4]))
    assert (tracker.totals["executions"], tracker.totals["batches"]) == (2, 1)


def unitary(angle: torch.Tensor) -> torch.Tensor:
    c, s = torch.cos(angle), torch.sin(angle)
    return torch.stack([torch.stack([c, -s]), torch.stack([s, c])]).to(torch.complex128)


FALLBACKS: dict[str, Callable[[torch.Tensor], Any]] = {
    "the measurement ProbabilityMP": lambda _: qml.probs(wires=[0, 1]),
    "a decomposition that fails": lambda t: (  # in PennyLane, for torch
        qml.evolve(qml.X(0) @ qml.Z(1), t[0]),
        qml.expval(qml.Z(0)),
    )[1],
    "the measurement VarianceMP": lambda _: qml.var(qml.X(0)),
    "the measurement DensityMatrixMP": lambda _: qml.density_matrix(wires=[0]),
    "the observable Hermitian": lambda _: qml.expval(qml.Hermitian(np.diag([1.0, 3.0]), wires=0)),
    "the operation StatePrep": lambda _: (
        qml.StatePrep(np.array([0.6, 0.8]), wires=2),
        qml.expval(qml.X(2)),
    )[1],
    "the operation QubitUnitary": lambda t: (
        qml.QubitUnitary(unitary(t[0]), wires=0),
        qml.expval(qml.X(0)),
    )[1],
}


@pytest.mark.parametrize("reason", FALLBACKS)
def test_what_we_cannot_run_falls_back_with_one_notice(
    reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    def circuit(t: torch.Tensor) -> Any:
        if "StatePrep" not in reason:
            entangle(1.0)
        qml.RX(t[0], wires=0)
        return FALLBACKS[reason](t)

    _notice.cache_clear()
    reference, ours = both(circuit)
    t = angles(1)
    with caplog.at_level(logging.WARNING, logger="quantum.device"):
        if "DensityMatrix" not in reason and "StatePrep" not in reason:
            assert_equal(derivatives(reference, t), derivatives(ours, t))
        torch.testing.assert_close(ours(t), reference(t))
        ours(t)
    assert [r.getMessage().count(reason) for r in caplog.records] == [1]


def test_mid_circuit_measurements_and_shots_fall_back() -> None:
    @qml.set_shots(20_000)
    @qml.qnode(FedfleetQubit(wires=2, seed=1))
    def sampled(t: float) -> Any:
        qml.RX(t, wires=0)
        return qml.expval(qml.Z(0)), qml.counts(wires=0)

    mean, counts = sampled(0.8)
    assert mean == pytest.approx(math.cos(0.8), abs=0.02)
    assert sum(counts.values()) == 20_000

    def measured(t: torch.Tensor) -> Any:
        qml.RX(t, wires=0)
        qml.cond(qml.measure(0), qml.RY)(t, wires=1)
        return qml.expval(qml.Z(1))

    t = torch.tensor(0.8, dtype=torch.float64)
    reference, ours = both(measured, 3)
    torch.testing.assert_close(ours(t), reference(t))


def test_transforms_of_torch_func_fall_back() -> None:
    reference, ours = both(cosine, 1)
    t = angles(3)
    torch.testing.assert_close(torch.func.grad(ours)(t[0]), torch.func.grad(reference)(t[0]))
    torch.testing.assert_close(torch.vmap(ours)(t), torch.vmap(reference)(t))


def test_what_default_qubit_refuses_fails_with_pennylanes_own_errors() -> None:
    def on_wire(t: float) -> Any:
        qml.RX(t, wires=5)
        return qml.expval(qml.Z(0))

    def noisy(t: float) -> Any:
        qml.RX(t, wires=0)
        qml.DepolarizingChannel(0.1, wires=0)
        return qml.expval(qml.Z(0))

    def batches(t: torch.Tensor) -> Any:
        qml.RX(t, wires=0)
        qml.RX(t[:2], wires=0)
        return qml.expval(qml.Z(0))

    device = FedfleetQubit(wires=2)
    with pytest.raises(WireError):
        qml.QNode(on_wire, device)(0.3)
    with pytest.raises(DeviceError, match="DepolarizingChannel"):
        qml.QNode(noisy, device)(0.3)
    with pytest.raises(ValueError, match=r"batch sizes"):
        qml.QNode(batches, device)(angles(3))
    with pytest.raises(QuantumFunctionError):
        qml.QNode(cosine, device, diff_method="no such method")
    with pytest.raises(TypeError):
        qml.device("fedfleet.qubit", wires=2, colour="blue")
    unknown = ExecutionConfig(device_options={"colour": "blue"})
    with pytest.raises(DeviceError, match="colour not present"):
        device.setup_execution_config(unknown)


def test_an_angle_that_is_not_finite_is_refused() -> None:
    with pytest.raises(CircuitError, match="not finite"):
        qml.QNode(cosine, FedfleetQubit(wires=1))(torch.tensor(math.nan))


def test_a_tape_becomes_a_circuit_that_can_be_kept() -> None:
    tape = QuantumScript(
        [qml.RX(0.1, 0), qml.CRY(0.2, [0, 1])], [qml.expval(qml.Z(1)), qml.expval(qml.X(0))]
    )
    circuit = circuit_of(read(tape).structure, (~0, 0))
    assert isinstance(circuit, Circuit)
    assert (circuit.num_features, circuit.num_parameters, len(circuit.operations)) == (1, 1, 3)
    assert [str(o) for o in circuit.observables] == ["Z1", "X0"]


def test_structure_may_change_from_call_to_call() -> None:
    def circuit(t: torch.Tensor, layers: int) -> Any:
        for layer in range(layers):
            qml.RX(t[layer], wires=layer % 2)
            qml.CNOT([0, 1])
        return qml.expval(qml.Z(0 if layers % 2 else 1))

    reference, ours = both(circuit, 2)
    t = angles(6)
    for layers in (1, 4, 2, 6, 4):
        torch.testing.assert_close(ours(t, layers), reference(t, layers))
    assert not runs_natively(QuantumScript([qml.T(0)], [qml.probs(wires=0)]))
