# SPDX-License-Identifier: Apache-2.0
"""What a policy is worth: undiscounted returns of whole episodes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.learning.running import Running
from agents.learning.seeds import Role, draw
from agents.policies.policy import Policy
from sim.environments.make import make_environments
from sim.errors import require

EVALUATION_LANE = 1 << 20
"""Lanes from here on are never trained in, so that episodes are new to the policy."""


class Judged(NamedTuple):
    """Episodes, in the order of lanes."""

    returns: NDArray[np.float32]
    lengths: NDArray[np.int64]


def evaluate(
    policy: Policy,
    environment: str,
    episodes: int,
    seed: int,
    greedy: bool = True,
    lanes: int = 32,
    engine: str = "auto",
) -> Judged:
    """Play whole episodes.

    Every lane plays equally many, whatever they take: to count the first that finish would prefer
    the short ones.

    Args:
        policy: who plays.
        environment: its name.
        episodes: how many; rounded up to a multiple of the lanes.
        seed: of the episodes and the actions.
        greedy: always the most likely action, otherwise as in training.
        lanes: environments at a time; at most as many as episodes.
        engine: what steps the environments.

    Raises:
        InputError: there is nothing to play.
    """
    require("episodes", episodes, episodes >= 1, "1 or more")
    require("lanes", lanes, lanes >= 1, "1 or more")
    lanes = min(lanes, episodes)
    each = -(-episodes // lanes)
    numbers = range(EVALUATION_LANE, EVALUATION_LANE + lanes)
    environments = make_environments(environment, numbers, seed, engine)
    rng = draw(seed, Role.EVALUATION)
    observations, state = environments.reset(), policy.initial_state(lanes)
    begins, running = np.ones(lanes, dtype=np.bool_), Running(lanes)
    played: list[list[tuple[float, int]]] = [[] for _ in range(lanes)]
    while any(len(done) < each for done in played):
        uniforms = None if greedy else rng.random(lanes)
        acted = policy.act(observations, state, begins, uniforms)
        happened = environments.step(acted.actions)
        for lane in np.flatnonzero(running.follow(happened)):
            played[lane].append((float(running.returns[lane]), int(running.lengths[lane])))
        observations, begins, state = happened.observations, happened.begins, acted.state
    returns, lengths = zip(*(episode for done in played for episode in done[:each]), strict=True)
    return Judged(np.array(returns, dtype=np.float32), np.array(lengths, dtype=np.int64))
