# SPDX-License-Identifier: Apache-2.0
"""All environments taken together: every policy's scores on a scale that they share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.statistics import (
    Band,
    estimate_gap,
    estimate_improvement,
    estimate_iqm,
    estimate_profile,
    normalised,
)
from agents.statistics.scores import Array
from cluster.report.compare.results import FORGETFUL
from cluster.report.compare.scales import Scale
from cluster.report.compare.summary import Environment, Summary, resampled
from cluster.report.means import Resampled
from cluster.trials import trial_rng

THRESHOLDS = np.linspace(0.0, 1.0, 51)


@dataclass(frozen=True, eq=False)
class Scores:
    """One policy over all environments that count.

    Args:
        scores: [seeds, environments], 0 for random and 1 for optimum or best known.
        seeds: those that all these environments have.
        runs: trainings in these environments, failed ones and other seeds too.
    """

    policy: str
    scores: Array
    seeds: tuple[int, ...]
    runs: int
    iqm: Resampled
    gap: Resampled

    @property
    def remembers(self) -> bool:
        """Whether it has a memory."""
        return self.policy not in FORGETFUL


@dataclass(frozen=True, eq=False)
class Standing:
    """Who stands where.

    Args:
        environments: those that count, for they have a scale.
        left_out: environments without one.
        policies: in the order of the run; those with a seed that ended in all environments.
        absent: policies without such a seed.
        odds: P(row beats column) by pairs of policies.
    """

    environments: list[Environment]
    left_out: list[str]
    policies: list[Scores]
    absent: list[str]
    odds: dict[tuple[str, str], Resampled]

    @property
    def ranked(self) -> list[Scores]:
        """The highest interquartile mean first."""
        return sorted(self.policies, key=lambda one: -one.iqm.value)


def standing(found: Sequence[Environment]) -> Standing:
    """Scores of all policies over the environments that have a scale and returns."""
    counted = [e for e in found if e.scale is not None and e.ended]
    names = dict.fromkeys(s.policy for e in counted for s in e.summaries)
    made = {name: _scores(name, counted) for name in names}
    policies = [scores for scores in made.values() if scores is not None]
    return Standing(
        environments=counted,
        left_out=[e.name for e in found if e not in counted],
        policies=policies,
        absent=[name for name, scores in made.items() if scores is None],
        odds=_odds(policies),
    )


def _scores(policy: str, found: Sequence[Environment]) -> Scores | None:
    own = [next((s for s in e.summaries if s.policy == policy), None) for e in found]
    by_seed = [_by_seed(summary) for summary in own]
    seeds = sorted(set.intersection(*(set(returns) for returns in by_seed)))
    if not seeds:
        return None
    raw = [[returns[seed] for returns in by_seed] for seed in seeds]
    scales: list[Scale] = [e.scale for e in found if e.scale is not None]
    scores = normalised(raw, [s.zero for s in scales], [s.one for s in scales])
    iqm = resampled(estimate_iqm(scores, trial_rng(0, f"iqm/{policy}")))
    gap = resampled(estimate_gap(scores, trial_rng(0, f"gap/{policy}")))
    runs = sum(len(summary.runs) for summary in own if summary is not None)
    return Scores(policy, scores, tuple(seeds), runs, iqm, gap)


def _by_seed(summary: Summary | None) -> dict[int, float]:
    runs = summary.runs if summary else []
    return {run.seed: run.greedy for run in runs if run.greedy is not None}


def _odds(policies: Sequence[Scores]) -> dict[tuple[str, str], Resampled]:
    """Each pair is drawn once; the other way round it is what remains."""
    odds = {}
    for place, one in enumerate(policies):
        for other in policies[place + 1 :]:
            rng = trial_rng(0, f"{one.policy}/{other.policy}")
            found = resampled(estimate_improvement(one.scores, other.scores, rng))
            odds[one.policy, other.policy] = found
            ends = 1 - found.value, 1 - found.high, 1 - found.low
            odds[other.policy, one.policy] = Resampled(*ends, found.n)
    return odds


def profiles(found: Standing) -> dict[str, Band]:
    """By policy the share of its scores above each of the :data:`THRESHOLDS`."""
    return {
        one.policy: estimate_profile(one.scores, THRESHOLDS, trial_rng(0, f"profile/{one.policy}"))
        for one in found.policies
    }
