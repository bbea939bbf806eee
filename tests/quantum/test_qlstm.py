# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

import pytest
import torch
from torch import nn

from quantum.core import LSTMState
from quantum.engines import EngineName
from quantum.errors import CircuitError
from quantum.qlstm import FourCircuitQLSTM, SixCircuitQLSTM
from tests.quantum.core_claims import CLAIMS, Build, built, generator, name, sequence

CORES: dict[str, Build] = {
    "six": lambda g: SixCircuitQLSTM(1, hidden=2, layers=1, generator=g),
    "four": lambda g: FourCircuitQLSTM(1, hidden=2, layers=2, generator=g),
    "four, torch engine": lambda g: FourCircuitQLSTM(1, 2, 1, engine="torch", generator=g),
}


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("claim", CLAIMS, ids=name)
def test_claim(claim: Callable[[Build], None], core: str) -> None:
    claim(CORES[core])


def count(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def test_the_sizes_are_those_of_the_specification() -> None:
    assert count(SixCircuitQLSTM(layers=2), nn.Linear(4, 1)) == 149
    assert count(SixCircuitQLSTM(layers=4), nn.Linear(4, 1)) == 293
    assert count(FourCircuitQLSTM(), nn.Linear(5, 1)) == 126
    six, four = SixCircuitQLSTM(), FourCircuitQLSTM()
    assert (six.num_outputs, six.gate.circuit.qubits) == (4, 4)
    assert (four.num_outputs, four.gate.circuit.qubits) == (5, 6)
    state = six.initial_state(7, torch.float64, torch.device("cpu"))
    assert isinstance(state, LSTMState)
    assert (state.hidden.shape, state.cell.shape) == ((7, 3), (7, 4))


def test_circuits_are_counted() -> None:
    assert SixCircuitQLSTM().num_circuits(10, 4) == 6 * 40
    assert SixCircuitQLSTM().num_circuits(10, 4, last=1) == 5 * 40 + 10
    assert FourCircuitQLSTM().num_circuits(10, 4, last=1) == 4 * 40


def test_the_six_circuits_written_out() -> None:
    core = built(lambda g: SixCircuitQLSTM(generator=g))
    assert isinstance(core, SixCircuitQLSTM)
    x = sequence(core)
    h, c = torch.zeros(3, 3).double(), torch.zeros(3, 4).double()
    expected = []
    for step in range(x.shape[1]):
        v = torch.cat([x[:, step], h], -1)
        f, i, g, o = (core.gate(v, weights) for weights in core.gate_weights)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        u = o.sigmoid() * c.tanh()
        h = core.to_hidden(u)[:, :3]
        expected.append(core.to_output(u))
    outputs, state = core(x)
    torch.testing.assert_close(outputs, torch.stack(expected, 1), atol=1e-13, rtol=0)
    torch.testing.assert_close(state.hidden, h, atol=1e-13, rtol=0)
    torch.testing.assert_close(state.cell, c, atol=1e-13, rtol=0)


def test_the_four_circuits_written_out() -> None:
    core = built(lambda g: FourCircuitQLSTM(generator=g))
    assert isinstance(core, FourCircuitQLSTM)
    x = sequence(core)
    h, c = torch.zeros(3, 5).double(), torch.zeros(3, 5).double()
    expected = []
    for step in range(x.shape[1]):
        v = torch.cat([x[:, step], h], -1)
        f, i, g, o = (core.gate(v, weights) for weights in core.gate_weights)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        expected.append(h)
    torch.testing.assert_close(core(x)[0], torch.stack(expected, 1), atol=1e-13, rtol=0)


def test_the_circuit_of_the_six_on_pennylane() -> None:
    qml = pytest.importorskip("pennylane")
    core = built(lambda g: SixCircuitQLSTM(generator=g))
    assert isinstance(core, SixCircuitQLSTM)

    @qml.qnode(qml.device("default.qubit", wires=4))
    def circuit(v: torch.Tensor, weights: torch.Tensor) -> object:
        for wire in range(4):
            qml.Hadamard(wire)
            qml.RY(torch.arctan(v[wire]), wires=wire)
            qml.RZ(torch.arctan(v[wire] ** 2), wires=wire)
        for layer in weights.reshape(2, 4, 3):
            for distance in (1, 2):
                for wire in range(4):
                    qml.CNOT([wire, (wire + distance) % 4])
            for wire in range(4):
                qml.Rot(*layer[wire], wires=wire)
        return [qml.expval(qml.PauliZ(wire)) for wire in range(4)]

    v = torch.randn(3, 4, generator=generator(5), dtype=torch.float64)
    expected = torch.stack([torch.stack(circuit(row, core.gate_weights[1])) for row in v])
    torch.testing.assert_close(core.gate(v, core.gate_weights[1]), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("kind", [SixCircuitQLSTM, FourCircuitQLSTM])
def test_engines_agree_and_sizes_are_checked(
    kind: type[SixCircuitQLSTM] | type[FourCircuitQLSTM],
) -> None:
    x = torch.randn(2, 3, 1, generator=generator(1), dtype=torch.float64)
    compiled, other = (
        kind(hidden=2, layers=2, engine=engine, generator=generator()).double()(x)[0]
        for engine in (EngineName.AUTO, EngineName.TORCH)
    )
    torch.testing.assert_close(compiled, other, atol=1e-12, rtol=0)
    for field in ("features", "hidden", "layers"):
        with pytest.raises(CircuitError, match=f"{field} is 0; allowed: 1 or more"):
            kind(**{field: 0})
