# SPDX-License-Identifier: Apache-2.0
"""The terms of secure aggregation, on which the server and every site have to agree; no Flower."""

from dataclasses import dataclass
from math import ceil, isfinite

from sim.errors import require

LEAST_SITES = 3
"""With two, the mean tells each of them what the other one sent."""
MOST_QUANTISED = 2**30
"""Flower quantises to 32 bits with a sign."""
MOST_MODULUS = 2**53
"""Sums are turned into floats, which hold no larger integers."""


@dataclass(frozen=True)
class SecureOptions:
    """How SecAgg+ masks and adds, in Flower's form of it.

    After Bell et al., "Secure Single-Server Aggregation with (Poly)Logarithmic Overhead", CCS 2020.
    Precision costs no bytes: every parameter travels as a 64-bit integer.
    """

    shares: int = 9
    """Sites that hold a share of each site's keys, itself among them; odd. All sites if fewer."""
    threshold: float = 0.6
    """Part of the shares that restores a key: more is safer, fewer bears more dropouts."""
    clipping: float = 8.0
    """Magnitude that no parameter may exceed; a site with a larger one sends an error instead."""
    quantisation: int = MOST_QUANTISED
    """Steps from the least to the largest parameter."""
    modulus: int = 2**48
    """Masks and sums are modulo this power of two: at least sites times quantisation."""
    most_samples: int = 10_000
    """Samples that no site may exceed; the precision is that of a site with as many."""

    def __post_init__(self) -> None:
        odd = self.shares >= LEAST_SITES and self.shares % 2 == 1
        require("shares", self.shares, odd, f"an odd number of {LEAST_SITES} or more")
        share = isfinite(self.threshold) and 0.5 < self.threshold < 1
        require("threshold", self.threshold, share, "above 0.5, below 1")
        positive = isfinite(self.clipping) and self.clipping > 0
        require("clipping", self.clipping, positive, "a positive number")
        steps = 2 <= self.quantisation <= MOST_QUANTISED
        require("quantisation", self.quantisation, steps, f"2 to {MOST_QUANTISED}")
        power = 0 < self.modulus <= MOST_MODULUS and self.modulus.bit_count() == 1
        require("modulus", self.modulus, power, f"a power of two up to {MOST_MODULUS}")
        room = 1 <= self.most_samples <= self.quantisation
        require("most_samples", self.most_samples, room, f"1 to quantisation, {self.quantisation}")

    def shares_of(self, sites: int) -> int:
        """Shares of each key among so many sites.

        Raises:
            InputError: too few sites, or so many that their sum could exceed the modulus.
        """
        most = (self.modulus - 1) // self.quantisation
        allowed = f"{LEAST_SITES} to {most} for modulus {self.modulus}"
        require("sites", sites, LEAST_SITES <= sites <= most, allowed)
        return min(self.shares, sites)

    def threshold_of(self, sites: int) -> int:
        """Shares that restore a key among so many sites."""
        shares = self.shares_of(sites)
        return min(ceil(self.threshold * shares), shares - 1)

    def error(self, sites: int, samples: float) -> float:
        """How far each parameter of the mean can be from the exact one, at most.

        With c the clipping, Q the quantisation, and d = round(w Q / most_samples) / Q for a site
        of w samples: rounding each d x adds less than 2c / Q per site, and d instead of
        w / most_samples moves the mean by at most c / Q per site; both are divided by the sum of d.

        Args:
            sites: how many came through.
            samples: how many they have together.
        """
        step = self.clipping / self.quantisation
        total = samples / self.most_samples - sites / (2 * self.quantisation)
        return 3 * sites * step / total if total > 0 else 2 * self.clipping
