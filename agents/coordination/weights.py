# SPDX-License-Identifier: Apache-2.0
"""Weights as a safetensors file that knows its architecture and notices damage."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from textwrap import shorten

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from agents.coordination.features import EDGE_WIDTH, NODE_WIDTH, ROBOT_WIDTH
from agents.coordination.model import CoordinationVAE
from agents.coordination.options import ModelOptions
from sim.errors import InputError

ARCHITECTURE = f"fedfleet coordination vae 2, features {NODE_WIDTH} {ROBOT_WIDTH} {EDGE_WIDTH}"


def save_model(path: Path, model: CoordinationVAE, notes: Mapping[str, str] | None = None) -> None:
    """Write weights and options.

    Args:
        notes: more to know, such as the command that made the weights.

    Raises:
        InputError: a weight is not a finite number of 32 bits.
    """
    tensors = {
        name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()
    }
    _require_numbers(path, tensors)
    metadata = {
        **(notes or {}),
        "architecture": ARCHITECTURE,
        "options": json.dumps(asdict(model.options)),
        "digest": digest(tensors),
    }
    save_file(tensors, path, metadata)


def load_model(path: Path, device: str = "cpu") -> CoordinationVAE:
    """Read what :func:`save_model` wrote, ready for inference.

    Raises:
        InputError: the file is missing, cut short, changed, of another architecture, or has
            weights that are not finite numbers of 32 bits; or there is no such device.
    """
    require_device(device)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: no readable weights ({error})") from error
    found = metadata.get("architecture", "unknown")
    if found != ARCHITECTURE:
        raise InputError(f"{path}: weights of {found!r}; needed: {ARCHITECTURE!r}")
    _require_numbers(path, tensors)
    if metadata.get("digest") != digest(tensors):
        raise InputError(f"{path}: the weights do not match their digest; the file is damaged")
    return _model(path, metadata, tensors).to(device).eval()


def notes(path: Path) -> dict[str, str]:
    """The metadata of a file of weights."""
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata() or {})


def require_device(device: str) -> None:
    """Refuse a device that this machine lacks.

    Raises:
        InputError: a GPU is asked for where none is, or the name means nothing.
    """
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"device is {device}; allowed: cpu, or a GPU if there is one ({reason})"
        ) from error


def digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, shapes and numbers."""
    state = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].contiguous()
        state.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        state.update(value.numpy().tobytes())
    return state.hexdigest()


def _model(
    path: Path, metadata: Mapping[str, str], tensors: Mapping[str, Tensor]
) -> CoordinationVAE:
    try:
        options = ModelOptions(**json.loads(metadata["options"]))
        with torch.device("meta"):  # takes no memory, however large the options say it is
            model = CoordinationVAE(options)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = _one_line(error)
        raise InputError(f"{path}: the options of the model are damaged ({reason})") from error
    try:
        model.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        reason = _one_line(error)
        raise InputError(f"{path}: the weights do not fit their options ({reason})") from error
    return model


def _one_line(error: Exception) -> str:
    """The start of a message that may list every tensor."""
    return shorten(str(error), width=200, placeholder=" ...")


def _require_numbers(path: Path, tensors: Mapping[str, Tensor]) -> None:
    for name, value in tensors.items():
        if value.dtype is not torch.float32:
            raise InputError(f"{path}: tensor {name} is of {value.dtype}; needed: torch.float32")
        if not bool(torch.isfinite(value).all()):
            raise InputError(f"{path}: tensor {name} is not finite")
