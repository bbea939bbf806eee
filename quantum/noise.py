# SPDX-License-Identifier: Apache-2.0
"""Depolarising noise after gates and errors of the readout, as Pauli trajectories.

Depolarising noise is a random Pauli error after each gate. Moved to the end of the circuit, an
error E turns exp(-i a/2 P) into exp(+i a/2 P) where E and P anticommute, and flips the sign of the
observables that it anticommutes with; no more. So a noisy trajectory is the same circuit with other
signs of its angles and outputs: a batch with angles of its own for each sample, which every engine
evaluates at full speed, gradients included. The mean over trajectories is unbiased.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from quantum.circuit import Circuit, Clifford, PauliString
from quantum.engines import EngineName, MakeEngine, make_engine
from quantum.errors import require
from quantum.parameter_shift import MAX_BATCH
from quantum.pauli import CliffordFrame, Pauli
from quantum.unshared import RotationAngles, live_rotations, unshare


@dataclass(frozen=True)
class Noise:
    """How noisy a quantum computer is.

    Args:
        depolarising: after every gate of the circuit as it is written, on each wire that the gate
            acts on: X, Y or Z with a third of this probability each, as PennyLane's
            ``DepolarizingChannel``. The measured axes are turned without noise.
        readout: probability that a measured bit is reported wrong, for each wire.

    Raises:
        CircuitError: a probability is outside [0, 1].
    """

    depolarising: float = 0.0
    readout: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            require(0 <= value <= 1, f"{name} is {value}; allowed: probabilities, 0 to 1")


class NoisyEngine:
    """The expectations on a noisy quantum computer; see :class:`quantum.engines.Engine`.

    Readout errors are exact: they multiply a string of weight k by (1 - 2 readout)^k. So are
    depolarising errors that no live rotation follows: each multiplies the observables that it can
    flip by 1 - 4/3 depolarising. All others are drawn, ``trajectories`` times for every sample of
    every call, and averaged. Gradients are exactly those of what was drawn.

    Args:
        circuit: what is evaluated.
        noise: how noisy.
        generator: of the errors.
        trajectories: the standard error of an output is at most 1 / sqrt(trajectories).
        make: the engine that evaluates the trajectories, made for the circuit's
            :func:`quantum.unshared.unshare`.

    Raises:
        CircuitError: the engine cannot be made, or there is no trajectory.
    """

    def __init__(
        self,
        circuit: Circuit,
        noise: Noise,
        generator: torch.Generator,
        trajectories: int = 100,
        make: MakeEngine = make_engine,
    ) -> None:
        require(trajectories >= 1, f"trajectories is {trajectories}; allowed: 1 or more")
        self.circuit = circuit
        self.noise = noise
        self._generator = generator
        self._angles = RotationAngles(circuit)
        self._engine = make(unshare(circuit))
        flips = _flips(circuit)
        drawn = flips[:, :, list(live_rotations(circuit))].any((1, 2)) & (noise.depolarising > 0)
        self._drawn = torch.from_numpy(flips[drawn].reshape(-1, flips.shape[2]))
        self._factors = torch.from_numpy(_factors(circuit, noise, flips[~drawn]))
        self._trajectories = trajectories if drawn.any() else 1

    @property
    def name(self) -> EngineName:
        """The engine that it evaluates with."""
        return self._engine.name

    def __call__(self, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        """See :meth:`quantum.engines.interface.Engine.__call__`; new errors in every call."""
        angles = self._angles(inputs, parameters)
        parts = angles.split(max(1, MAX_BATCH // self._trajectories))
        return torch.cat([self._mean(part) for part in parts]) * self._factors.to(inputs)

    def _mean(self, angles: torch.Tensor) -> torch.Tensor:
        each = angles.repeat_interleave(self._trajectories, 0)
        signs = self._signs(each)
        turns, measured = signs.split([angles.shape[1], len(self.circuit.observables)], 1)
        outputs = self._engine(angles.new_empty(len(each), 0), each * turns) * measured
        means: torch.Tensor = outputs.unflatten(0, (len(angles), self._trajectories)).mean(1)
        return means

    def _signs(self, like: torch.Tensor) -> torch.Tensor:
        """+1 or -1 for each rotation and observable of each trajectory."""
        p, sites = self.noise.depolarising, len(self._drawn) // 2
        chance = torch.rand(
            (len(like), sites), generator=self._generator, dtype=torch.float64, device=like.device
        )
        with_x, with_z = chance < 2 / 3 * p, (p / 3 <= chance) & (chance < p)
        errors = torch.stack([with_x, with_z], 2).flatten(1).to(like.dtype)
        odd: torch.Tensor = torch.sparse.mm(errors.to_sparse(), self._drawn.to(like)) % 2
        return 1 - 2 * odd


def _flips(circuit: Circuit) -> NDArray[np.bool_]:
    """Which signs an X and a Z error flip: ``[sites, 2, rotations + observables]``.

    A site is a wire of a gate, just after that gate.
    """
    frame = CliffordFrame(circuit.qubits)
    turned: list[Pauli] = []
    errors: list[Pauli] = []
    first: list[int] = []
    for operation in circuit.operations:
        if isinstance(operation, Clifford):
            frame.apply(operation)
        else:
            turned.append(frame.turn(operation.pauli))
        errors += [frame.turn(PauliString(p, (w,))) for w in operation.wires for p in "XZ"]
        first += [len(turned)] * (2 * len(operation.wires))
    turned += [frame.turn(observable) for observable in circuit.observables]
    later = np.arange(len(turned)) >= np.array(first, dtype=np.int64)[:, None]
    return (_anticommute(errors, turned) & later).reshape(-1, 2, len(turned))


def _anticommute(ones: list[Pauli], others: list[Pauli]) -> NDArray[np.bool_]:
    x, z = (np.array([p[part] for p in ones], dtype=np.int64)[:, None] for part in (0, 1))
    other_x, other_z = (np.array([p[part] for p in others], dtype=np.int64) for part in (0, 1))
    crossings = np.bitwise_count(x & other_z) + np.bitwise_count(z & other_x)
    odd: NDArray[np.bool_] = crossings % 2 == 1
    return odd


def _factors(circuit: Circuit, noise: Noise, flips: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What the errors that are not drawn multiply each observable by.

    Of X, Y and Z at a site, two flip an observable or none does.
    """
    sites = flips[:, :, len(circuit.angles) :].any(1).sum(0)
    weights = np.array([len(observable.wires) for observable in circuit.observables])
    factors: NDArray[np.float64] = (1 - 4 / 3 * noise.depolarising) ** sites
    return factors * (1 - 2 * noise.readout) ** weights
