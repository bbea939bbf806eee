# SPDX-License-Identifier: Apache-2.0
"""Training and judging for a budget, as functions from arrays to arrays.

So a federation can train policies like anything else: whoever is given the same arguments makes
the same of them, and nothing is remembered between calls. Environments, optimizer and memory begin
anew in each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch

from agents.learning.actor import Actor
from agents.learning.evaluate import Judged, evaluate
from agents.learning.learner import Learner
from agents.learning.options import ActOptions, Setup
from agents.learning.rollout import Arrays
from agents.policies.make import make_policy
from agents.policies.policy import load_arrays
from agents.proximal import pull_back
from sim.environments.make import interface_of
from sim.errors import InputError, require

CERTAIN = 100.0
"""A logit beside which all others are nothing."""


@dataclass(frozen=True)
class Place:
    """Environments of one name.

    Raises:
        InputError: there are none.
    """

    environment: str
    lanes: int

    def __post_init__(self) -> None:
        require("lanes", self.lanes, self.lanes >= 1, "1 or more")


class Fitted(NamedTuple):
    """What a budget was spent on."""

    arrays: Arrays
    """The parameters in the end."""
    steps: int
    """Actions that were learnt from."""
    mean_return: float
    """Of the episodes that began; one that was still running counts with what it had brought."""
    acted: int
    """Circuits evaluated to act; 0 without circuits."""
    learnt: int
    """Circuits evaluated forward to learn."""


def begin(setup: Setup) -> Arrays:
    """The parameters of a fresh policy."""
    return Learner(setup).weights()


def fit(
    setup: Setup,
    weights: Arrays,
    places: Sequence[Place],
    updates: int,
    proximal_mu: float = 0.0,
) -> Fitted:
    """So many updates, each of one rollout of every environment.

    Args:
        setup: the policy, how it acts and learns, and the seed. Its environment says what the
            policy sees; where it acts is said by ``places``.
        weights: parameters to begin with.
        places: each is a group, and all are learnt from as one batch.
        updates: batches of rollouts.
        proximal_mu: pull towards ``weights`` (FedProx); 0 is none.

    Raises:
        InputError: no places, no updates, an environment whose observations or actions are others,
            or parameters that came out infinite or undefined.
    """
    require("updates", updates, updates >= 1, "1 or more")
    _require_alike(setup, places)
    learner = Learner(setup)
    load_arrays(learner.policy, weights)
    pull_back(learner.policy, proximal_mu)
    actors = [Actor(_at(setup, place), group) for group, place in enumerate(places)]
    lanes = sum(place.lanes for place in places)
    episodes, rewards = lanes, 0.0
    for _ in range(updates):
        rollouts = [actor.collect(learner.weights(), learner.updates) for actor in actors]
        if not learner.update(rollouts).finite:
            raise InputError("learning_rate is too high: the parameters are no numbers any more")
        episodes += sum(len(one.returns) for one in rollouts)
        rewards += sum(float(one.rewards.sum()) for one in rollouts)
    return Fitted(
        arrays=learner.weights(),
        steps=learner.steps,
        mean_return=rewards / episodes,
        acted=learner.policy.num_circuits(lanes, updates * setup.act.unroll_steps),
        learnt=learner.circuits,
    )


def judge(
    setup: Setup, weights: Arrays, places: Sequence[Place], episodes: int, greedy: bool = True
) -> Judged:
    """Whole episodes, so many in every environment, in the order of the places.

    Args:
        setup: the policy, and the seed of the episodes, none of which :func:`fit` has seen.
        weights: its parameters.
        places: where it plays.
        episodes: of every environment.
        greedy: always the most likely action.

    Raises:
        InputError: no places or episodes, or an environment with other observations or actions.
    """
    require("episodes", episodes, episodes >= 1, "1 or more")
    _require_alike(setup, places)
    policy = make_policy(setup.policy, interface_of(setup.environment), torch.Generator())
    load_arrays(policy, weights)
    played = [
        evaluate(policy, p.environment, episodes * p.lanes, setup.seed, greedy, p.lanes)
        for p in places
    ]
    return Judged(*(np.concatenate(parts) for parts in zip(*played, strict=True)))


def unlearned(setup: Setup, action: int | None) -> Arrays:
    """Parameters of a policy that looks at nothing.

    Args:
        setup: of the policy.
        action: that it always takes; None takes each as often as another.
    """
    arrays = begin(setup)
    bias = np.zeros_like(arrays["actor.bias"])
    if action is not None:
        bias[action] = CERTAIN
    return {**arrays, "actor.weight": np.zeros_like(arrays["actor.weight"]), "actor.bias": bias}


def _at(setup: Setup, place: Place) -> Setup:
    """The setup of the actor there, which does not learn."""
    return replace(
        setup,
        environment=place.environment,
        act=ActOptions(1, place.lanes, setup.act.unroll_steps),
        learn=replace(setup.learn, minibatches=1),
    )


def _require_alike(setup: Setup, places: Sequence[Place]) -> None:
    require("places", len(places), bool(places), "one or more")
    wanted = replace(interface_of(setup.environment), max_steps=None)
    for place in places:
        found = replace(interface_of(place.environment), max_steps=None)
        if found != wanted:
            raise InputError(
                f"environment {place.environment!r} has {found}; allowed beside "
                f"{setup.environment}: {wanted}"
            )
