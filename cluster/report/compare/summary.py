# SPDX-License-Identifier: Apache-2.0
"""The policies side by side in one environment: one summary each, over its seeds.

A training that diverged has no policy that could be judged. It counts as random actions, so that it
cannot improve a mean; one that failed, which is an error and no result, does not count.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from agents.statistics import Estimate, estimate_iqm
from cluster.report.compare.results import FORGETFUL, TRAINED, Rows, Run, Trivial
from cluster.report.compare.scales import RANDOM, Scale, scale_of
from cluster.report.means import Median, Resampled, median_of
from cluster.trials import trial_rng

SOLVED = 0.9
"""Share of the way from random to the optimum."""


@dataclass(frozen=True)
class Summary:
    """One policy in one environment; a training that failed is in ``runs`` alone.

    Args:
        iqm: interquartile mean of the greedy returns with its 95 % interval.
        sampled: interquartile mean of the returns of drawn actions.
        solved: seeds that came :data:`SOLVED` of the way from random to a known optimum.
    """

    env: str
    policy: str
    runs: list[Run]
    parameters: int | None
    iqm: Resampled | None
    median: Median | None
    sampled: float | None
    success: float | None
    solved: int | None
    steps_per_s: Median | None

    @property
    def remembers(self) -> bool:
        """Whether it has a memory."""
        return self.policy not in FORGETFUL

    @property
    def returns(self) -> list[float]:
        """Greedy returns of the seeds."""
        return [run.greedy for run in self.runs if run.greedy is not None]

    @property
    def statuses(self) -> dict[str, int]:
        """How many seeds came to no good end, by how."""
        return dict(sorted(Counter(r.status for r in self.runs if r.status != TRAINED).items()))


@dataclass(frozen=True)
class Environment:
    """All that is known of one environment.

    Args:
        summaries: in the order of the run.
        trivials: what can be had without training.
        scale: from random to optimum or best known; None where that is no scale.
    """

    name: str
    summaries: list[Summary]
    trivials: list[Trivial]
    scale: Scale | None

    @property
    def ended(self) -> list[Summary]:
        """Those with a return, the highest interquartile mean first."""
        known = [(s.iqm.value, s) for s in self.summaries if s.iqm]
        return [s for _, s in sorted(known, key=lambda pair: -pair[0])]


def environments(rows: Rows) -> list[Environment]:
    """In the order of the run."""
    names = dict.fromkeys([r.env for r in rows.runs] + [t.env for t in rows.trivials])
    return [_environment(name, rows) for name in names]


def _environment(name: str, rows: Rows) -> Environment:
    trivials = [trivial for trivial in rows.trivials if trivial.env == name]
    judged = [run for run in rows.runs if run.env == name]
    scale = scale_of(judged, trivials)
    runs = _with_diverged(judged, trivials)
    policies = dict.fromkeys(run.policy for run in runs)
    summaries = [_summary(name, policy, runs, scale) for policy in policies]
    return Environment(name, summaries, trivials, scale)


def _with_diverged(runs: Sequence[Run], trivials: Sequence[Trivial]) -> list[Run]:
    """Those that diverged with what they count as: random actions, else the least return here."""
    known = [r.greedy for r in runs if r.greedy is not None] + [t.mean for t in trivials]
    random = next((t.mean for t in trivials if t.policy == RANDOM), None)
    floor = min(known, default=None) if random is None else random
    return [
        replace(run, greedy=floor) if run.diverged and run.greedy is None else run for run in runs
    ]


def _summary(env: str, policy: str, runs: Sequence[Run], scale: Scale | None) -> Summary:
    own = [run for run in runs if run.policy == policy]
    greedy = [run.greedy for run in own if run.greedy is not None]
    sampled = [run.sampled for run in own if run.sampled is not None]
    success = [run.success for run in own if run.success is not None]
    return Summary(
        env=env,
        policy=policy,
        runs=own,
        parameters=next((r.parameters for r in own if r.parameters is not None), None),
        iqm=iqm_of(greedy, env, policy),
        median=median_of(greedy),
        sampled=_value(iqm_of(sampled, env, policy)),
        success=fmean(success) if success else None,
        solved=_solved(greedy, scale),
        steps_per_s=median_of([r.steps_per_s for r in own if r.steps_per_s is not None]),
    )


def iqm_of(returns: Sequence[float], *names: str) -> Resampled | None:
    """The interquartile mean over seeds; the names say what chance the resampling has."""
    if not returns:
        return None
    scores = np.array(returns)[:, None]
    return resampled(estimate_iqm(scores, trial_rng(0, "/".join(names))))


def resampled(estimate: Estimate) -> Resampled:
    """An estimate as charts and tables draw it."""
    return Resampled(estimate.value, estimate.low, estimate.high, estimate.runs)


def _solved(returns: Sequence[float], scale: Scale | None) -> int | None:
    if scale is None or not scale.is_optimum:
        return None
    return sum(scale.share(value) >= SOLVED for value in returns)


def _value(mean: Resampled | None) -> float | None:
    return mean.value if mean else None
