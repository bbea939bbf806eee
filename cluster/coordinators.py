# SPDX-License-Identifier: Apache-2.0
"""All coordinators by name: those of ``sim``, and the learned ones, which need weights."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import agents.coordination
from sim.coordinators.interface import Coordinator
from sim.coordinators.portfolio import COORDINATORS, CoordinatorName
from sim.errors import InputError

if TYPE_CHECKING:  # torch takes seconds to import, and most commands do not need it
    from agents.coordination.model import CoordinationVAE


class LearnedName(StrEnum):
    """The coordinators that a model leads."""

    GNN_VAE = "gnn_vae"
    """The cheapest of what the model says for many latents: the paper's method."""
    GNN_VAE_LS = "gnn_vae+ls"
    """The same, then local search from the cheapest."""


Name = CoordinatorName | LearnedName
NAMES: dict[str, Name] = {
    str(name): name for kind in (CoordinatorName, LearnedName) for name in kind
}

SHIPPED = Path(agents.coordination.__file__).with_name("weights.safetensors")
"""The weights that come with the code; ``model_card.json`` beside them says what they are."""


def coordinator_of(name: Name, model: "CoordinationVAE | None") -> Coordinator:
    """The function behind a name.

    Raises:
        InputError: a learned coordinator without a model.
    """
    if isinstance(name, CoordinatorName):
        return COORDINATORS[name]
    if model is None:
        raise InputError(f"coordinators has {name}, which needs a model; give --weights")
    from agents.coordination.coordinate import learned_coordinator, learned_search
    from agents.coordination.sampling import SamplingOptions

    match name:
        case LearnedName.GNN_VAE:
            return learned_coordinator(model, SamplingOptions())
        case LearnedName.GNN_VAE_LS:
            return learned_search(model, SamplingOptions())
        case _:
            assert_never(name)


def weights_path(weights: str | None) -> Path:
    """The file of weights that is meant: the one named, else the one that is shipped.

    Raises:
        InputError: none is named and none is shipped.
    """
    path = SHIPPED if weights is None else Path(weights)
    if weights is None and not path.is_file():
        raise InputError(
            f"weights is not set and {path} is missing, which comes with the code; restore it, or "
            "train others with `python -m cluster train-coordinator --labels RUN` and name "
            "RUN/artefacts/weights.safetensors"
        )
    return path


def load_weights(weights: str | None) -> "CoordinationVAE":
    """The model of :func:`weights_path`, ready for inference on one core.

    Raises:
        InputError: the file is missing, damaged, of another architecture, or has NaN.
    """
    path = weights_path(weights)
    from agents.coordination.weights import load_model

    return load_model(path)
