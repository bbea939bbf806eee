# SPDX-License-Identifier: Apache-2.0
"""The torch engine: a handful of torch operations for each layer of commuting rotations.

A layer multiplies the coordinates of its basis by phases, then changes to the basis of the next one
(:mod:`quantum.engines.layers`). The changes are fixed, so angles of their own for every sample cost
little more than shared ones, and it does not matter how many gates a layer has.
"""

import math

import torch

from quantum.circuit import Circuit
from quantum.engines.evolution import expectations, half_angles
from quantum.engines.interface import EngineName, check_arguments, not_finite
from quantum.engines.layers import group_rotations, make_layer, make_measurements
from quantum.engines.memory import require_memory
from quantum.engines.plan import Plan, make_plan
from quantum.program import make_program
from quantum.transforms import transform_columns


class TorchEngine:
    """Evaluates one circuit by torch operations; see :class:`quantum.engines.interface.Engine`.

    Runs on any device, and can be differentiated any number of times. Only on the CPU an angle that
    is not finite is refused; elsewhere its outputs are NaN, because to look at it would make the
    host wait for the device.

    Args:
        circuit: what to evaluate.

    Raises:
        CircuitError: the circuit does not fit into memory.
    """

    name = EngineName.TORCH

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self._program = program = make_program(circuit)
        self._title = f"{circuit.name}: {circuit.qubits} qubits ({program.rows:,} rows)"
        groups = group_rotations(program)
        tables = 32 * len(groups) + 12 * (len(program.rotations) + len(program.observables))
        require_memory(self._title, program.rows * tables, torch.device("cpu"))
        self._layers = [make_layer(group, program.rows) for group in groups]
        self._measurements = make_measurements(program)
        self._plans: dict[tuple[torch.device, torch.dtype], Plan] = {}

    def __call__(self, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        """See :meth:`quantum.engines.interface.Engine.__call__`.

        Raises:
            CircuitError: see there; also if the batch does not fit into memory.
        """
        check_arguments(self.circuit, inputs, parameters)
        columns = transform_columns(self._program.columns, inputs)
        self._check_memory(columns, parameters)
        plan = self._plan(inputs)
        angles, fixed = half_angles(plan, columns, parameters)
        if inputs.device.type == "cpu":
            self._check_finite(angles, columns, parameters)
        outputs = expectations(plan, angles, fixed)
        if not any(step.reads_inputs for step in plan.steps):
            # Nothing, but for the graph: the gradient of an argument that is not read is zero.
            outputs = outputs + (inputs[:, :0].sum() + parameters[..., :0].sum())
        return outputs.expand(len(inputs), -1)

    def __reduce__(self) -> tuple[type["TorchEngine"], tuple[Circuit]]:
        """Travels as its circuit; every process makes its own tensors."""
        return TorchEngine, (self.circuit,)

    def _plan(self, like: torch.Tensor) -> Plan:
        key = like.device, like.dtype
        if key not in self._plans:
            layers, measurements = self._layers, self._measurements
            self._plans[key] = make_plan(self._program, layers, measurements, like.detach())
        return self._plans[key]

    def _check_memory(self, columns: torch.Tensor, parameters: torch.Tensor) -> None:
        """States at work, and what each layer keeps for gradients: states, phases, their angles."""
        rows, batch = self._program.rows, len(columns)
        graph = torch.is_grad_enabled() and (columns.requires_grad or parameters.requires_grad)
        kept = sum(rows + 4 * layer.turns.shape[1] for layer in self._layers) if graph else 0
        needed = batch * (4 * rows + kept) * columns.element_size()
        require_memory(f"{self._title} for a batch of {batch:,}", needed, columns.device)

    def _check_finite(
        self, angles: torch.Tensor, columns: torch.Tensor, parameters: torch.Tensor
    ) -> None:
        # One number nearly always tells; finite angles may overflow it, so it is not the last word.
        if math.isfinite(angles.detach().sum()) or angles.isfinite().all():
            return
        features = [feature for feature, _ in self._program.columns]
        raise not_finite(self.circuit, features, columns, parameters)
