# SPDX-License-Identifier: Apache-2.0
"""Where a training stands, as bytes: the learner, and every group; see :mod:`federated.sealed`."""

import json
from dataclasses import asdict

from agents.learning.options import Setup
from cluster.runs import Run
from cluster.training.standing import Standing
from federated.sealed import part, seal, unseal

CHECKPOINT = "checkpoint.npz"
LEARNER, POSITION = "learner/", "position/"


def pack(standing: Standing, setup: Setup) -> bytes:
    """A checkpoint of a training that has begun."""
    learner = {f"{LEARNER}{name}": value for name, value in (standing.learner or {}).items()}
    positions = {
        f"{POSITION}{group}/{name}": value
        for group, position in standing.positions.items()
        for name, value in position.items()
    }
    return seal(learner | positions, standing.updates, _whose(setup))


def unpack(data: bytes, setup: Setup, where: str) -> Standing:
    """What :func:`pack` was given.

    Args:
        data: the checkpoint.
        setup: the training that it has to be of.
        where: what to call it.

    Raises:
        InputError: it is damaged, of another version, or of another training.
    """
    _, arrays = unseal(data, _whose(setup), where)
    positions = part(arrays, POSITION)
    groups = sorted({int(name.partition("/")[0]) for name in positions})
    return Standing(
        part(arrays, LEARNER), {group: part(positions, f"{group}/") for group in groups}
    )


def stand(run: Run, setup: Setup) -> Standing:
    """Where an earlier start left the training of a run, or the beginning.

    Raises:
        InputError: the checkpoint is damaged, or of another training.
    """
    path = run.artefact(CHECKPOINT)
    if not path.is_file():
        return Standing()
    return unpack(run.read_bytes(CHECKPOINT), setup, str(path))


def _whose(setup: Setup) -> str:
    return json.dumps(asdict(setup))
