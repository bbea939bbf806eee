# SPDX-License-Identifier: Apache-2.0
"""The ring circuit through JAX: what XLA makes of a simulator, called from torch.

The hop between torch and JAX is part of the time, as it would be in a model written in torch.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qml
import torch

from benchmarks.quantum.ring import Evaluate, Size


def pennylane(size: Size) -> Evaluate:
    import jax.numpy as jnp

    @qml.qnode(qml.device("default.qubit", wires=size.qubits), interface="jax")
    def ring(x: Any, theta: Any) -> list[object]:
        for i in range(size.qubits):
            qml.Hadamard(wires=i)
            qml.RY(x[i], wires=i)
        for layer in range(size.layers):
            for i in range(size.qubits):
                qml.CNOT(wires=[i, (i + 1) % size.qubits])
            for i in range(size.qubits):
                qml.RY(theta[layer * size.qubits + i], wires=i)
        return [qml.expval(qml.PauliZ(i)) for i in range(size.qubits)]

    return _through_xla(lambda x, theta: jnp.stack(ring(x, theta)))


def tensorcircuit(size: Size) -> Evaluate:
    import jax.numpy as jnp
    import tensorcircuit as tc

    def ring(x: Any, theta: Any) -> Any:
        tc.set_backend("jax")
        circuit = tc.Circuit(size.qubits)
        for i in range(size.qubits):
            circuit.h(i)
            circuit.ry(i, theta=x[i])
        for layer in range(size.layers):
            for i in range(size.qubits):
                circuit.cnot(i, (i + 1) % size.qubits)
            for i in range(size.qubits):
                circuit.ry(i, theta=theta[layer * size.qubits + i])
        return jnp.stack([circuit.expectation_ps(z=[i]).real for i in range(size.qubits)])

    return _through_xla(ring)


def _through_xla(ring: Callable[[Any, Any], Any]) -> Evaluate:
    """A function of one sample as a node of torch's graph, batched and compiled by JAX."""
    import jax

    batched = jax.vmap(ring)
    forward = jax.jit(batched)
    pullback = jax.jit(lambda x, theta, c: jax.vjp(batched, x, theta)[1](c))

    class Node(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
            ctx.arguments = x.detach().numpy(), theta.detach().numpy()
            return torch.from_numpy(np.array(forward(*ctx.arguments)))

        @staticmethod
        def backward(ctx: Any, cotangents: torch.Tensor) -> Any:
            gradients = pullback(*ctx.arguments, cotangents.numpy())
            return tuple(torch.from_numpy(np.array(gradient)) for gradient in gradients)

    return Node.apply
