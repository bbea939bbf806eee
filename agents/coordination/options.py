# SPDX-License-Identifier: Apache-2.0
"""Options of model, losses and training; without torch, so that a command line starts quickly."""

from dataclasses import dataclass, field, fields
from enum import StrEnum

from sim.errors import InputError


@dataclass(frozen=True)
class ModelOptions:
    """Size of the model; all counts are at least 1, but those of the decoder's layers 0."""

    width: int = 48
    """Numbers for each node; a multiple of ``heads``."""
    heads: int = 4
    """Attention heads."""
    encoder_layers: int = 2
    """GATv2 layers of the encoder."""
    shared_layers: int = 3
    """GATv2 layers of the decoder before it sees the latent."""
    latent_layers: int = 0
    """GATv2 layers of the decoder after that. With none, K samples for one graph cost hardly more
    than one, because only the heads see the latent."""
    latent: int = 16
    """Numbers of the latent of a graph."""

    def __post_init__(self) -> None:
        for one in fields(self):
            least = 0 if one.name in ("shared_layers", "latent_layers") else 1
            if getattr(self, one.name) < least:
                value = getattr(self, one.name)
                raise InputError(f"{one.name} is {value}; allowed: {least} or more")
        if self.width % self.heads:
            raise InputError(f"width is {self.width}; allowed: a multiple of heads ({self.heads})")


@dataclass(frozen=True)
class LossOptions:
    """Weights of the parts, all per graph, and what keeps the latent alive."""

    decisions: float = 1.0
    """Of the orders of those conflicts that come up when the label is decoded."""
    robots: float = 0.02
    """Of the order in which robots are inserted (Plackett-Luce, per robot)."""
    nodes: float = 0.02
    """Of the orders of conflicts as differences of interval ranks."""
    order: float = 0.0
    """Of the orders of all conflicts, whether they come up or not. Most never do, and what they
    teach misleads where it matters."""
    exclusive: float = 0.02
    """Of the types of conflicts in density regions."""
    beta: float = 0.01
    """Of the divergence of the latent from its prior, once warmed up."""
    warmup_steps: int = 200
    """Steps in which ``beta`` grows from 0."""
    free_bits: float = 0.05
    """Divergence in nats that every number of the latent may have at no cost (Kingma et al. 2016);
    against posterior collapse."""

    def __post_init__(self) -> None:
        for one in fields(self):
            if not 0 <= getattr(self, one.name) < float("inf"):
                value = getattr(self, one.name)
                raise InputError(f"{one.name} is {value}; allowed: 0 or more, finite")

    def beta_at(self, step: int) -> float:
        """Weight of the divergence at a step, from 0."""
        return self.beta * min(1.0, (step + 1) / max(self.warmup_steps, 1))


class Credit(StrEnum):
    """How the samples of a graph are weighted."""

    ADVANTAGE = "advantage"
    """By how much cheaper than the others they are, in standard deviations."""
    BEST = "best"
    """The cheapest eighth alone, all alike."""


@dataclass(frozen=True)
class ImprovementOptions:
    """How the model improves on itself."""

    weight: float = 0.0
    """Of this part of the loss; 0 leaves it out. It takes ten times as long as imitation, and
    brought nothing beyond it."""
    samples: int = 32
    """Schedules for each graph and step; a multiple of ``latents``, at least 2."""
    latents: int = 4
    """Latents of the prior that they come from."""
    temperature: float = 0.4
    """Of the samples, above 0; as hot as what is tried at inference."""
    credit: Credit = Credit.ADVANTAGE
    """How samples are weighted."""

    def __post_init__(self) -> None:
        if not 0 <= self.weight < float("inf"):
            raise InputError(f"weight is {self.weight}; allowed: 0 or more, finite")
        if not 0 < self.temperature < float("inf"):
            raise InputError(f"temperature is {self.temperature}; allowed: above 0, finite")
        if self.latents < 1 or self.samples < 2 or self.samples % self.latents:
            raise InputError(
                f"samples is {self.samples}; allowed: 2 or more, a multiple of latents "
                f"({self.latents})"
            )


@dataclass(frozen=True)
class TrainOptions:
    """How the model is trained."""

    steps: int = 800
    """Batches, at most."""
    graphs: int = 16
    """Graphs in a batch."""
    learning_rate: float = 1.5e-3
    """Of Adam, at the start; falls linearly to a tenth."""
    imitation: float = 1.0
    """Weight of the autoencoder's loss; 0 leaves it out."""
    sharpness: float = 1.0
    """How much rather to learn from the cheaper labels of a pool: their odds fall by exp(-this)
    for each percent of cost."""
    judge_every: int = 100
    """Steps between two looks at the cost of held-out schedules."""
    patience: int = 6
    """Looks without improvement after which training stops."""
    judge_samples: int = 1
    """Assignments tried for each held-out instance at a look. One is what the mean of the latent
    says, which shows best what was learnt: in small fleets the best of many samples of anything is
    close to the optimum."""
    loss: LossOptions = field(default_factory=LossOptions)
    improvement: ImprovementOptions = field(default_factory=ImprovementOptions)

    def __post_init__(self) -> None:
        for name in ("steps", "graphs", "judge_every", "patience", "judge_samples"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; allowed: 1 or more")
        for name in ("imitation", "sharpness"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InputError(f"{name} is {getattr(self, name)}; allowed: 0 or more, finite")
        if not 0 < self.learning_rate < 1:
            raise InputError(f"learning_rate is {self.learning_rate}; allowed: above 0, below 1")
        if self.imitation == 0 and self.improvement.weight == 0:
            raise InputError("imitation and improvement.weight are both 0; nothing would be learnt")

    def rate_at(self, step: int) -> float:
        """Learning rate at a step, from 0."""
        return self.learning_rate * (1.0 - 0.9 * min(1.0, step / self.steps))
