# SPDX-License-Identifier: Apache-2.0
"""What a step would cost on a quantum computer: circuit executions and shots."""

from dataclasses import dataclass, replace

from quantum.circuit import Circuit
from quantum.errors import require
from quantum.gradients import GradientMethod
from quantum.measurement import Setting, measurement_settings
from quantum.unshared import depends, live_rotations


@dataclass(frozen=True)
class Executions:
    """Circuits that a quantum computer would run, each of them ``shots`` times.

    Args:
        forward: for the outputs.
        gradient: more of them for the gradient; None where the method needs a simulator.
        settings: choices of measured axes; every circuit is run in each of them.
        shots: repetitions of every execution; None means exact, which only simulators are.
    """

    forward: int
    gradient: int | None
    settings: int
    shots: int | None

    @property
    def total(self) -> int | None:
        """Executions of a training step; None where the method needs a simulator."""
        return None if self.gradient is None else self.forward + self.gradient

    @property
    def total_shots(self) -> int | None:
        """Shots of a training step; None if exact, or where the method needs a simulator."""
        return None if self.total is None or self.shots is None else self.total * self.shots


def count_executions(
    circuit: Circuit,
    *,
    batch: int = 1,
    shots: int | None = None,
    method: GradientMethod = GradientMethod.PARAMETER_SHIFT,
    inputs: bool = False,
    parameters: bool = True,
    joint: bool = True,
    dead: bool = False,
) -> Executions:
    """The executions of one forward pass and one gradient.

    Every sample is a circuit of its own, with shared parameters too: its features differ. Parameter
    shift runs two circuits for every rotation whose angle depends on what is trained: for each
    setting only rotations that can change what that setting measures. The observables should be
    those that enter the loss.

    Args:
        circuit: what is evaluated.
        batch: samples; of a recurrent core, sequences times steps times circuits of each step.
        shots: of every execution; None for exact expectations.
        method: how it is differentiated. Adjoint and backprop read the state, so their gradient
            has no cost in executions: a quantum computer cannot run them.
        inputs: gradients by the features are wanted, as below a trained layer.
        parameters: gradients by the parameters are wanted.
        joint: observables that commute qubit by qubit are read from the same shots; False gives
            every observable shots of its own (:func:`quantum.measurement.measurement_settings`).
        dead: count rotations that cannot change any output too, as papers do.

    Raises:
        CircuitError: the batch is negative, or shots is below 1.
    """
    require(batch >= 0, f"batch is {batch}; allowed: 0 or more")
    require(shots is None or shots >= 1, f"shots is {shots}; allowed: 1 or more, or None (exact)")
    settings = measurement_settings(circuit.observables, joint=joint)

    def shifted(setting: Setting) -> int:
        observables = tuple(circuit.observables[k] for k in setting)
        measured = replace(circuit, observables=observables)
        rotations = range(len(circuit.angles)) if dead else live_rotations(measured)
        angles = (circuit.angles[k] for k in rotations)
        return sum(depends(a, inputs=inputs, parameters=parameters) for a in angles)

    on_hardware = GradientMethod(method) is GradientMethod.PARAMETER_SHIFT
    gradient = 2 * batch * sum(map(shifted, settings)) if on_hardware else None
    return Executions(batch * len(settings), gradient, len(settings), shots)
