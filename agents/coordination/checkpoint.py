# SPDX-License-Identifier: Apache-2.0
"""A training as bytes that notice damage: one line of text, then what ``torch.save`` makes.

fedfleet checkpoint 1 SHA256-OF-THE-REST
"""

import hashlib
import json
import pickle
from dataclasses import asdict
from io import BytesIO
from typing import Any

import torch

from agents.coordination.training import Trainer
from agents.coordination.weights import ARCHITECTURE
from sim.errors import InputError

FORMAT = b"fedfleet checkpoint 1"


def pack_checkpoint(trainer: Trainer) -> bytes:
    """Everything that the training has to remember."""
    buffer = BytesIO()
    torch.save({"architecture": _architecture(trainer), "state": trainer.state_dict()}, buffer)
    data = buffer.getvalue()
    return FORMAT + b" " + hashlib.sha256(data).hexdigest().encode() + b"\n" + data


def load_checkpoint(trainer: Trainer, content: bytes, where: str) -> None:
    """Go on from :func:`pack_checkpoint`; the options of the training must be the same.

    Args:
        where: the file, for messages.

    Raises:
        InputError: it is truncated, altered, of another architecture, or no checkpoint.
    """
    head, _, data = content.partition(b"\n")
    if head != FORMAT + b" " + hashlib.sha256(data).hexdigest().encode():
        raise InputError(
            f"{where}: is truncated, altered or no checkpoint; delete it to begin anew"
        )
    try:
        document: dict[str, Any] = torch.load(BytesIO(data), "cpu", weights_only=True)
        found, needed = document["architecture"], _architecture(trainer)
        if found != needed:
            raise InputError(f"{where}: is a checkpoint of {found!r}; needed: {needed!r}")
        trainer.load_state_dict(document["state"])
    except (RuntimeError, ValueError, KeyError, TypeError, pickle.UnpicklingError) as error:
        if isinstance(error, InputError):
            raise
        reason = str(error).splitlines()[0]
        raise InputError(f"{where}: is no checkpoint of this training ({reason})") from error


def _architecture(trainer: Trainer) -> str:
    return f"{ARCHITECTURE}, {json.dumps(asdict(trainer.model.options))}"
