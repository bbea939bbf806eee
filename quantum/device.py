# SPDX-License-Identifier: Apache-2.0
"""The PennyLane device "fedfleet.qubit": unchanged QNodes on our engines; see docs/pennylane.md."""

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import pennylane as qml
from pennylane.devices import DefaultQubit, Device, ExecutionConfig
from pennylane.devices.modifiers import simulator_tracking, single_tape_support
from pennylane.math import Interface
from pennylane.tape import QuantumScript
from pennylane.transforms.core import CompilePipeline, transform

from quantum.gather import gather
from quantum.native import Unsupported, decomposed
from quantum.tape import Reading, engine_for, measured, read, require_expectations

SHIFT_ORDER = {Interface.TORCH: 4}
"""Up to which derivative parameter shift is set up; PennyLane's autograd fails beyond two."""

_log = logging.getLogger(__name__)

_readings: WeakKeyDictionary[QuantumScript, Reading] = WeakKeyDictionary()
"""What preprocessing found, until the tape is executed: reading it takes longer than running it."""


class FedfleetQubit(DefaultQubit):
    """PennyLane's default.qubit, with our engines wherever they can run the tape.

    They can where all gates are, or decompose into, Pauli rotations and Clifford gates, all
    measurements are expectations of sums of Pauli strings, and there are no shots. Anything else
    runs as on default.qubit, with one notice in the log for each reason, and fails as it does
    there.

    Gradients of torch tensors come from the engine's own adjoint sweep, whatever of ``best``,
    ``backprop`` and ``adjoint`` the QNode asks for, and can be differentiated again. So can those
    of ``parameter-shift``, up to the fourth order. Other interfaces are differentiated by
    default.qubit.

    Args:
        wires: number of wires, or their labels; None takes those of each tape.
        shots: as for default.qubit.
        seed: as for default.qubit.
        max_workers: as for default.qubit; with workers, nothing runs on our engines.
    """

    @property
    def name(self) -> str:
        """The name that ``qml.device`` knows it by."""
        return "fedfleet.qubit"

    def setup_execution_config(
        self, config: ExecutionConfig | None = None, circuit: QuantumScript | None = None
    ) -> ExecutionConfig:
        """Choose how to differentiate, such that second derivatives are right as well.

        PennyLane takes the Jacobian of an adjoint sweep, and that of parameter shift at order
        ``max_diff`` (by default 1), for a constant: higher ones are then wrong, without an error.
        """
        config = super().setup_execution_config(config, circuit)
        if config.gradient_method == "adjoint" and not self._workers(config):
            return replace(
                config,
                gradient_method="backprop",
                use_device_gradient=True,
                use_device_jacobian_product=False,
                grad_on_execution=False,
            )
        if config.gradient_method is qml.gradients.param_shift:
            order = max(SHIFT_ORDER.get(config.interface, 2), config.derivative_order)
            return replace(config, derivative_order=order)
        return config

    def preprocess_transforms(
        self, execution_config: ExecutionConfig | None = None
    ) -> CompilePipeline:
        """What our engines can run is decomposed for them; the rest as in default.qubit."""
        config = execution_config or ExecutionConfig()
        if qml.capture.enabled() or self._workers(config):
            return super().preprocess_transforms(config)
        pipeline = CompilePipeline()
        default = functools.partial(super().preprocess_transforms, config)
        pipeline.add_transform(_prepare, wires=self.wires, default=default)
        return pipeline

    def execute(
        self,
        circuits: QuantumScript | Sequence[QuantumScript],
        execution_config: ExecutionConfig | None = None,
    ) -> Any:
        """The results of every tape: torch tensors for torch angles, in their dtype."""
        if isinstance(circuits, QuantumScript):
            return self.execute((circuits,), execution_config)[0]
        config = execution_config or ExecutionConfig()
        ours = [tape for tape in circuits if self._runs(tape, config)]
        rest = [tape for tape in circuits if tape not in _readings]
        engines = _Engines(self.wires)
        engines.tracker = self.tracker
        results = dict(zip(ours, engines.execute(ours, config), strict=True)) if ours else {}
        if rest:  # in one call: they share a random state
            results |= zip(rest, super().execute(rest, config), strict=True)
        return tuple(results[tape] for tape in circuits)

    def _runs(self, tape: QuantumScript, config: ExecutionConfig) -> bool:
        if self._workers(config) or self._debugger:
            return False
        if tape not in _readings:
            try:
                _readings[tape] = read(tape, self.wires)
            except Unsupported:
                return False
        return True

    def _workers(self, config: ExecutionConfig) -> bool:
        return bool(config.device_options.get("max_workers", self._max_workers))


@simulator_tracking
@single_tape_support
class _Engines(Device):
    """Executes tapes that have been read."""

    def execute(
        self, circuits: Sequence[QuantumScript], execution_config: ExecutionConfig | None = None
    ) -> Any:
        config = execution_config or ExecutionConfig()
        like = config.interface if config.gradient_method in ("backprop", None) else None
        return tuple(_expectations(_readings.pop(tape), like) for tape in circuits)


def _expectations(reading: Reading, interface: Any) -> Any:
    """One result for every measurement: ``[batch]``, or a scalar where no angle is batched."""
    inputs, parameters, slots, batched = gather(reading.values, reading.private)
    engine = engine_for(reading.structure, slots, str(parameters.device))
    outputs = engine(inputs, parameters)
    results = measured(reading.results, outputs if batched else outputs[0])
    if not reading.torch and interface != Interface.TORCH:
        results = tuple(_converted(r.numpy()[()], interface) for r in results)
    return results if len(results) > 1 else results[0]


def _converted(result: Any, interface: Any) -> Any:
    like = interface.get_like() if interface else "numpy"
    return result if like in ("numpy", None) else qml.math.asarray(result, like=like)


@transform  # type: ignore[untyped-decorator]
def _prepare(
    tape: QuantumScript, wires: Any, default: Callable[[], CompilePipeline]
) -> tuple[Sequence[QuantumScript], Callable[[Any], Any]]:
    try:
        require_expectations(tape)
        ours = decomposed(tape)
        _readings[ours] = read(ours, wires)
    except Unsupported as reason:
        _notice(str(reason))
        tapes, combine = default()((tape,))
        return tapes, lambda results: combine(results)[0]
    return (ours,), lambda results: results[0]


@functools.lru_cache(maxsize=256)
def _notice(reason: str) -> None:
    """Said once for each reason."""
    _log.warning("default.qubit takes over, many times slower, because of %s", reason)
