# SPDX-License-Identifier: Apache-2.0
"""How policies act and learn; needs no torch."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isfinite

from agents.policies.options import PolicyOptions
from sim.errors import require


class Algorithm(StrEnum):
    """How a learner learns."""

    VTRACE = "vtrace"
    """Actor-critic with V-trace (IMPALA, arXiv 1802.01561): one update per batch."""
    PPO = "ppo"
    """Clipped surrogate with GAE (arXiv 1707.06347): several epochs over each batch."""
    A3C = "a3c"
    """n-step actor-critic without correction, as in the papers on quantum A3C."""


class StateMode(StrEnum):
    """Which memory a learner gives a core at the first step of a rollout."""

    ZERO = "zero"
    """None, as in the public code around arXiv 2402.17760: it then learns another policy than the
    one that acted."""
    STORED = "stored"
    """That of the actor, made by older parameters."""
    BURN_IN = "burn_in"
    """That of the actor some steps earlier, and these steps again (R2D2)."""
    EPISODE = "episode"
    """None, and the whole episode again, with gradients."""


@dataclass(frozen=True)
class ActOptions:
    """How rollouts are collected.

    Args:
        groups: of environments. A group acts in one batch and makes one rollout at a time; actors
            share the groups, and results do not depend on which actor has which.
        lanes: environments of a group.
        unroll_steps: rows of a rollout.

    Raises:
        InputError: a value is not allowed.
    """

    groups: int = 2
    lanes: int = 16
    unroll_steps: int = 64

    def __post_init__(self) -> None:
        require("groups", self.groups, 1 <= self.groups <= 4096, "1 to 4096")
        require("lanes", self.lanes, 1 <= self.lanes <= 65536, "1 to 65536")
        require("unroll_steps", self.unroll_steps, 1 <= self.unroll_steps <= 4096, "1 to 4096")


@dataclass(frozen=True)
class LearnOptions:
    """How a learner learns.

    Args:
        algorithm: see :class:`Algorithm`.
        state: see :class:`StateMode`.
        burn_in_steps: rows that ``burn_in`` runs again.
        learning_rate: of Adam at the beginning; it falls linearly to ``final_share`` of that.
        beta1, beta2: of Adam.
        final_share: of the learning rate and of the entropy bonus at the end of training.
        discount: of rewards, per step.
        gae_lambda: of the generalised advantage estimate (PPO), and of V-trace.
        entropy: weight of the entropy bonus.
        value_weight: of the value loss.
        clip_norm: of the gradient; None does not clip.
        rho_clip, c_clip: of V-trace's ratios.
        ratio_clip: of PPO's ratios.
        epochs, minibatches: of PPO. Minibatches share out the lanes: sequences stay whole.
        normalise: advantages of PPO to mean 0 and deviation 1 in each minibatch.

    Raises:
        InputError: a value is not allowed.
    """

    algorithm: Algorithm = Algorithm.PPO
    state: StateMode = StateMode.STORED
    burn_in_steps: int = 16
    learning_rate: float = 1e-2
    beta1: float = 0.9
    beta2: float = 0.999
    final_share: float = 0.1
    discount: float = 0.99
    gae_lambda: float = 0.95
    entropy: float = 0.01
    value_weight: float = 0.5
    clip_norm: float | None = 0.5
    rho_clip: float = 1.0
    c_clip: float = 1.0
    ratio_clip: float = 0.2
    epochs: int = 4
    minibatches: int = 4
    normalise: bool = True

    def __post_init__(self) -> None:
        for name, kind in (("algorithm", Algorithm), ("state", StateMode)):
            value = getattr(self, name)
            require(name, value, value in list(kind), ", ".join(kind))
        for name in ("learning_rate", "rho_clip", "c_clip", "ratio_clip"):
            value = getattr(self, name)
            require(name, value, isfinite(value) and value > 0, "a positive number")
        for name in ("entropy", "value_weight"):
            value = getattr(self, name)
            require(name, value, isfinite(value) and value >= 0, "0 or more")
        for name in ("discount", "gae_lambda", "final_share"):
            require(name, getattr(self, name), 0 <= getattr(self, name) <= 1, "0 to 1")
        for name in ("beta1", "beta2"):
            require(name, getattr(self, name), 0 <= getattr(self, name) < 1, "0 up to below 1")
        for name in ("epochs", "minibatches"):
            require(name, getattr(self, name), getattr(self, name) >= 1, "1 or more")
        require("burn_in_steps", self.burn_in_steps, self.burn_in_steps >= 1, "1 or more")
        clip = self.clip_norm
        require("clip_norm", clip, clip is None or clip > 0, "a positive number")

    @property
    def history_steps(self) -> int | None:
        """Rows before a rollout that its learner runs again; None: since the episode began."""
        match self.state:
            case StateMode.BURN_IN:
                return self.burn_in_steps
            case StateMode.EPISODE:
                return None
            case _:
                return 0


@dataclass(frozen=True)
class Setup:
    """All that a training depends on.

    Args:
        environment: its name; see :mod:`sim.environments.names`.
        steps: actions in all environments together after which it ends.
        seed: where all randomness comes from.
        engine: what steps the environments; see :mod:`sim.environments.make`.
        policy, act, learn: see there.

    Raises:
        InputError: a value is not allowed.
    """

    environment: str
    steps: int
    seed: int = 0
    engine: str = "auto"
    policy: PolicyOptions = field(default_factory=PolicyOptions)
    act: ActOptions = field(default_factory=ActOptions)
    learn: LearnOptions = field(default_factory=LearnOptions)

    def __post_init__(self) -> None:
        require("steps", self.steps, self.steps >= 1, "1 or more")
        require("seed", self.seed, self.seed >= 0, "0 or more")
        lanes, parts = self.act.groups * self.act.lanes, self.learn.minibatches
        if self.learn.algorithm == Algorithm.PPO:
            require(
                "minibatches", parts, parts <= lanes, f"at most {lanes}, the lanes of all groups"
            )


def paper_setup(setup: Setup) -> Setup:
    """The constants of the public code around arXiv 2402.17760, its forgetful learner included.

    Workers there push gradients of 5 steps into a shared net without a lock; here rollouts of 5
    steps go to the learner one at a time. What the actor remembers is forgotten at the first of
    these 5 steps, the discount is 0.9, and nothing rewards exploration.
    """
    return replace(
        setup,
        policy=replace(setup.policy, grid_encoding="raw", initial_std=0.1),
        act=replace(setup.act, lanes=1, unroll_steps=5),
        learn=LearnOptions(
            algorithm=Algorithm.A3C,
            state=StateMode.ZERO,
            learning_rate=1e-4,
            beta1=0.92,
            beta2=0.999,
            final_share=1.0,
            discount=0.9,
            entropy=0.0,
            value_weight=1.0,
            clip_norm=None,
        ),
    )
