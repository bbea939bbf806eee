# SPDX-License-Identifier: Apache-2.0
"""How sure a comparison of learners can be, after Agarwal et al. 2021 (arXiv:2108.13264).

Scores of one algorithm are an array [runs, tasks]: a run is one training, from one seed. All
randomness, as of resampling, is an argument. The report's words follow from these numbers alone.
"""

from agents.statistics.aggregates import improvement, iqm, optimality_gap, profile
from agents.statistics.bootstrap import (
    Band,
    Estimate,
    estimate_curve,
    estimate_gap,
    estimate_improvement,
    estimate_iqm,
    estimate_profile,
)
from agents.statistics.scores import checked_scores, normalised

__all__ = [
    "Band",
    "Estimate",
    "checked_scores",
    "estimate_curve",
    "estimate_gap",
    "estimate_improvement",
    "estimate_iqm",
    "estimate_profile",
    "improvement",
    "iqm",
    "normalised",
    "optimality_gap",
    "profile",
]
