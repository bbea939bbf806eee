# SPDX-License-Identifier: Apache-2.0
"""The fixed tensors of a program, for one device and one precision."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from quantum.engines.changes import Change, first_row, make_change
from quantum.engines.eigenbasis import Basis
from quantum.engines.layers import Layer, Measurement
from quantum.program import NO_SOURCE, Program


@dataclass(frozen=True, eq=False)
class Step:
    """One layer: change to its basis, then turn every pair of coordinates by a phase.

    Args:
        change: from the coordinates of the step before; None where the state starts.
        turns: ``[angles, 2 * patterns]``: the phases are sin(angles @ turns + quarters), the real
            part of every pattern next to its imaginary part.
        quarters: ``[2 * patterns]``, a right angle for every real part.
        reads_inputs: whether its angles differ from sample to sample with shared parameters too.
    """

    change: Change | None
    turns: torch.Tensor
    quarters: torch.Tensor
    reads_inputs: bool


@dataclass(frozen=True, eq=False)
class Plan:
    """What the torch engine needs beside inputs and parameters.

    Args:
        by_inputs, by_parameters, offsets: the halves of all angles, those of the first step first,
            are columns @ by_inputs + parameters @ by_parameters + offsets; in double precision.
        start: ``[1, rows]``, the state in the coordinates of the first step.
        steps: the layers.
        measurements: for each the change to its coordinates, and ``[rows, observables]``.
    """

    by_inputs: torch.Tensor
    by_parameters: torch.Tensor
    offsets: torch.Tensor
    start: torch.Tensor
    steps: tuple[Step, ...]
    measurements: tuple[tuple[Change, torch.Tensor], ...]


def make_plan(
    program: Program,
    layers: Sequence[Layer],
    measurements: Sequence[Measurement],
    like: torch.Tensor,
) -> Plan:
    """The tensors of a program, of the dtype and on the device of another tensor."""
    untouched = Basis(np.arange(program.rows), np.ones(program.rows, dtype=np.int64), 0)
    bases = [layer.basis for layer in layers] or [untouched]
    changes = [None, *(make_change(a, b, like) for a, b in pairwise(bases))]
    angles = [_Angles(layer, program) for layer in layers]
    nothing = np.zeros((program.num_columns + program.num_parameters + 1, 0))
    sources = np.concatenate([nothing, *(a.sources for a in angles)], axis=1)
    # Sums of angles lose digits that their sines need. Apple's devices know no double precision.
    wide = torch.float32 if like.device.type == "mps" else torch.float64
    by_inputs, by_parameters, offsets = torch.tensor(sources, dtype=wide, device=like.device).split(
        [program.num_columns, program.num_parameters, 1]
    )
    return Plan(
        by_inputs,
        by_parameters,
        offsets,
        start=first_row(bases[0], like),
        steps=tuple(a.step(c, program, like) for a, c in zip(angles, changes, strict=False)),
        measurements=tuple(
            (make_change(bases[-1], m.basis, like), like.new_tensor(m.values)) for m in measurements
        ),
    )


class _Angles:
    """The angles of a layer: rotations that turn alike, or opposite, share one."""

    def __init__(self, layer: Layer, program: Program) -> None:
        signs = layer.turns[:, 0]
        self.turns, which = np.unique(layer.turns * signs[:, None], axis=0, return_inverse=True)
        constant = program.num_columns + program.num_parameters
        self.sources = np.zeros((constant + 1, len(self.turns)))
        for rotation, angle, sign in zip(layer.rotations, which.reshape(-1), signs, strict=True):
            self.sources[constant, angle] += sign * rotation.offset / 2
            if rotation.source != NO_SOURCE:
                self.sources[rotation.source, angle] += sign * rotation.scale / 2

    def step(self, change: Change | None, program: Program, like: torch.Tensor) -> Step:
        """The step in torch's terms."""
        turns = like.new_tensor(self.turns).repeat_interleave(2, dim=1)
        quarters = like.new_tensor([np.pi / 2, 0.0]).repeat(self.turns.shape[1])
        return Step(change, turns, quarters, bool(self.sources[: program.num_columns].any()))
