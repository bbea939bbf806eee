# SPDX-License-Identifier: Apache-2.0
"""What a policy is worth: undiscounted returns of whole episodes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.learning.seeds import Role, draw
from agents.policies.policy import Policy
from sim.environments.make import make_environments

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
    """
    lanes = min(lanes, episodes)
    each = -(-episodes // lanes)
    numbers = range(EVALUATION_LANE, EVALUATION_LANE + lanes)
    environments = make_environments(environment, numbers, seed, engine)
    rng = draw(seed, Role.EVALUATION)
    observations, state = environments.reset(), policy.initial_state(lanes)
    begins, closing = np.ones(lanes, dtype=np.bool_), np.zeros(lanes, dtype=np.bool_)
    running, length = np.zeros(lanes, dtype=np.float32), np.zeros(lanes, dtype=np.int64)
    returns: list[list[float]] = [[] for _ in range(lanes)]
    lengths: list[list[int]] = [[] for _ in range(lanes)]
    while any(len(done) < each for done in returns):
        uniforms = None if greedy else rng.random(lanes)
        acted = policy.act(observations, state, begins, uniforms)
        happened = environments.step(acted.actions)
        running += happened.rewards
        length += ~closing
        closing = happened.terminated | happened.truncated
        for lane in np.flatnonzero(closing):
            returns[lane].append(float(running[lane]))
            lengths[lane].append(int(length[lane]))
        running[closing | happened.begins] = 0
        length[closing | happened.begins] = 0
        observations, begins, state = happened.observations, happened.begins, acted.state
    return Judged(
        np.array([one for done in returns for one in done[:each]], dtype=np.float32),
        np.array([one for done in lengths for one in done[:each]], dtype=np.int64),
    )
