# SPDX-License-Identifier: Apache-2.0
"""What a site does so that its updates give less away; needs neither torch nor Flower."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal, get_args

from federated.options import has_samples
from federated.strategy_options import StrategyName
from sim.errors import require

Gate = Literal["off", "warn", "refuse"]
"""What a site does with an update that the certificate says can be inverted."""

LEAST_NOISE, MOST_NOISE = 1e-6, 1e6
"""Accountants can reckon with these."""


@dataclass(frozen=True)
class PrivacyOptions:
    """What a site does before it sends; by default nothing.

    Raises:
        InputError: a value is not allowed, or does not go with the others.
    """

    clip_norm: float | None = None
    """Length that the gradient of every sample is cut to; turns on DP-SGD at the sites, which needs
    noise_multiplier or epsilon too."""
    noise_multiplier: float | None = None
    """Standard deviation of the noise on the sum of a step's gradients, in clip norms."""
    epsilon: float | None = None
    """Have every site find the noise that spends this much in all rounds; the number of rounds can
    then not grow."""
    delta: float = 1e-5
    """For which epsilon holds; well below one over the samples of a site."""
    max_epsilon: float | None = None
    """A site that would spend more than this withholds its update."""
    secret_noise: bool = False
    """Draw noise and batches from the operating system: who knows the seed of the run could else
    take the noise off again. Such a run cannot be repeated."""
    keep: float = 1.0
    """Share of the numbers of an update that is sent, the largest ones."""
    sign: bool = False
    """Send of every number its sign only, and of every parameter the mean size of its numbers."""
    gate: Gate = "off"
    """Of an update that is certain to give the samples away: warn, or refuse to send it."""

    def __post_init__(self) -> None:
        for name in ("clip_norm", "epsilon", "max_epsilon"):
            value = getattr(self, name)
            _require(name, value, value is None or _positive(value), "a positive number")
        noise = self.noise_multiplier
        usable = noise is None or noise == 0 or LEAST_NOISE <= noise <= MOST_NOISE
        allowed = f"0, or {LEAST_NOISE:g} to {MOST_NOISE:g}"
        _require("noise_multiplier", noise, usable, allowed)
        _require("delta", self.delta, 0 < self.delta < 1, "above 0, below 1")
        _require("keep", self.keep, 0 < self.keep <= 1, "above 0, at most 1")
        _require("gate", self.gate, self.gate in get_args(Gate), ", ".join(get_args(Gate)))
        self._require_together()

    def _require_together(self) -> None:
        on, noise = self.clip_norm is not None, self.noise_multiplier
        for name in ("noise_multiplier", "epsilon", "max_epsilon", "secret_noise"):
            value = getattr(self, name)
            _require(
                name, value, on or value is None or value is False, "with privacy.clip_norm only"
            )
        alone = noise is None or self.epsilon is None
        _require("epsilon", self.epsilon, alone, "not with privacy.noise_multiplier; choose one")
        given = not on or noise is not None or self.epsilon is not None
        allowed = "with privacy.noise_multiplier or privacy.epsilon"
        _require("clip_norm", self.clip_norm, given, allowed)
        bounded = self.max_epsilon is None or noise != 0
        _require("max_epsilon", self.max_epsilon, bounded, "with noise only")

    @property
    def idle(self) -> bool:
        """Whether sites send what they have learnt as it is."""
        return self == PrivacyOptions(delta=self.delta)


def require_fitting(
    options: PrivacyOptions, task: str, strategy: StrategyName, *, secure: bool = False
) -> None:
    """Refuse what does not go with the rest of a federation.

    Raises:
        InputError: DP-SGD or the certificate with a task or a strategy that they do not know, or
            the certificate where no single update is seen.
    """
    samples = has_samples(task)
    clip_norm, gate = options.clip_norm, options.gate
    _require("clip_norm", clip_norm, clip_norm is None or samples, f"none for {task}")
    _require("gate", gate, gate == "off" or samples, f"off for {task}")
    _require("gate", gate, gate == "off" or not secure, "off with secure: no update is seen alone")
    # Its pull towards the common model is not in the accounted step.
    plain = clip_norm is None or strategy is not StrategyName.FEDPROX
    require("strategy", str(strategy), plain, "any other with privacy.clip_norm")


def _positive(value: float) -> bool:
    return isfinite(value) and value > 0


def _require(name: str, value: object, holds: bool, allowed: str) -> None:
    require(f"privacy.{name}", value, holds, allowed)
