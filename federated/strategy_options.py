# SPDX-License-Identifier: Apache-2.0
"""Strategies by name, and their numbers; needs no Flower."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from sim.errors import require


class StrategyName(StrEnum):
    """How replies become the next model."""

    FEDAVG = "fedavg"
    FEDAVGM = "fedavgm"
    FEDPROX = "fedprox"
    FEDADAM = "fedadam"
    FEDYOGI = "fedyogi"
    FEDADAGRAD = "fedadagrad"
    FEDMEDIAN = "fedmedian"
    TRIMMED = "trimmed"
    KRUM = "krum"
    MULTIKRUM = "multikrum"
    BULYAN = "bulyan"


@dataclass(frozen=True)
class StrategyOptions:
    """How replies become the next model; Flower's names and defaults where it has any."""

    fraction: float = 1.0
    """Share of the sites that is asked in each round."""
    quorum: int = 1
    """Good replies that a round needs; with fewer the model stays as it is."""
    timeout_s: float = 600.0
    """Seconds after which a round goes on without the sites that have not answered."""
    proximal_mu: float = 0.1
    """Of fedprox: how strongly a site is held near the common model."""
    server_learning_rate: float = 0.1
    """Of fedadam, fedyogi and fedadagrad."""
    tau: float = 0.001
    """Of the same: what is added to their denominators."""
    momentum: float = 0.5
    """Of fedavgm."""
    malicious: int = 0
    """Sites that krum, multikrum and bulyan expect to lie."""
    trim: float = 0.2
    """Share that trimmed leaves out at either end of every parameter."""
    clip_norm: float | None = None
    """Length that updates are cut to before they are averaged with noise; every site then has the
    same weight. Differential privacy needs this and noise."""
    noise_multiplier: float = 1.0
    """Standard deviation of the noise on the sum of the updates, in clip norms."""
    adaptive_clipping: bool = False
    """Let the clip norm follow the median of the updates' lengths; it begins with clip_norm."""

    def __post_init__(self) -> None:
        require("fraction", self.fraction, 0 < self.fraction <= 1, "above 0, at most 1")
        require("quorum", self.quorum, self.quorum >= 1, "1 or more")
        _positive("timeout_s", self.timeout_s)
        require("proximal_mu", self.proximal_mu, 0 <= self.proximal_mu < 1e6, "0 or more")
        _positive("server_learning_rate", self.server_learning_rate)
        _positive("tau", self.tau)
        require("momentum", self.momentum, 0 <= self.momentum < 1, "0 or more, below 1")
        require("malicious", self.malicious, self.malicious >= 0, "0 or more")
        require("trim", self.trim, 0 <= self.trim < 0.5, "0 or more, below 0.5")
        if self.clip_norm is not None:
            _positive("clip_norm", self.clip_norm)
        require("noise_multiplier", self.noise_multiplier, self.noise_multiplier >= 0, "0 or more")
        adaptive = not self.adaptive_clipping or self.clip_norm is not None
        require("adaptive_clipping", self.adaptive_clipping, adaptive, "with clip_norm only")


def asked_each_round(options: StrategyOptions, sites: int) -> int:
    """How many sites a round asks."""
    return max(1, int(sites * options.fraction))


def require_possible(name: StrategyName, options: StrategyOptions, sites: int) -> None:
    """Refuse what can never work, before anything starts.

    Raises:
        InputError: the quorum is above the sites that are asked, or there are too few for the
            number of liars or the noise; or the strategy does not go with noise.
    """
    asked = asked_each_round(options, sites)
    require("quorum", options.quorum, options.quorum <= asked, f"at most {asked}, who are asked")
    needed = {
        StrategyName.KRUM: 2 * options.malicious + 3,
        StrategyName.MULTIKRUM: 2 * options.malicious + 3,
        StrategyName.BULYAN: 4 * options.malicious + 3,
    }.get(name, 1)
    fewer = f"fewer, as {name} needs {needed} sites and asks {asked}"
    require("malicious", options.malicious, asked >= needed, fewer)
    # It goes on from a model of its own, to which no noise was added.
    noisy = options.clip_norm is not None and name is StrategyName.FEDAVGM
    require("strategy", str(name), not noisy, "any other with clip_norm")
    # A part of the noise goes to the count of updates that were cut, whose deviation is asked / 20.
    room = not options.adaptive_clipping or options.noise_multiplier < asked / 10
    allowed = f"below {asked / 10:g}, a tenth of the sites asked, with adaptive_clipping"
    require("noise_multiplier", options.noise_multiplier, room, allowed)


def require_blind(name: StrategyName, options: StrategyOptions) -> None:
    """Refuse what has to see the update of each site, which secure aggregation hides.

    Raises:
        InputError: the strategy or the clipping does.
    """
    require("strategy", str(name), name in OF_THE_MEAN, f"with secure: {', '.join(OF_THE_MEAN)}")
    require("clip_norm", options.clip_norm, options.clip_norm is None, "none with secure")


OF_THE_MEAN = (
    *(StrategyName.FEDAVG, StrategyName.FEDAVGM, StrategyName.FEDPROX),
    *(StrategyName.FEDADAM, StrategyName.FEDYOGI, StrategyName.FEDADAGRAD),
)
"""Strategies that need no more than the mean of the replies."""


def _positive(name: str, value: float) -> None:
    require(name, value, isfinite(value) and value > 0, "a positive number")
