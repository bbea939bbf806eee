# SPDX-License-Identifier: Apache-2.0
"""Where a federation stands, as bytes; see :mod:`federated.sealed`."""

from federated.rounds import Progress
from federated.sealed import part, seal, unseal

MODEL, MEMORY = "model/", "state/"


def pack(progress: Progress, identity: str) -> bytes:
    """A checkpoint.

    Args:
        progress: where it stands.
        identity: whose it is, such as the task with all its options.
    """
    model = {f"{MODEL}{name}": value for name, value in progress.arrays.items()}
    memory = {f"{MEMORY}{name}": value for name, value in progress.state.items()}
    return seal(model | memory, progress.round, identity)


def unpack(data: bytes, identity: str, where: str) -> Progress:
    """What :func:`pack` was given.

    Args:
        data: the checkpoint.
        identity: whose it has to be.
        where: what to call it.

    Raises:
        InputError: it is damaged, of another version, or of something else.
    """
    done, arrays = unseal(data, identity, where)
    return Progress(done, part(arrays, MODEL), part(arrays, MEMORY))
