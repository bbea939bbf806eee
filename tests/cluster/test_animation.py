# SPDX-License-Identifier: Apache-2.0
"""Pictures that move."""

from io import BytesIO

import numpy as np
import torch
from PIL import Image, ImageSequence

from agents.learning.evaluate import EVALUATION_LANE, evaluate
from agents.policies.make import make_policy
from agents.policies.options import CoreName, PolicyOptions
from cluster.training.animation import LARGEST, MOST_ALIKE, STILL_MS, as_gif, greedily
from sim.environments.film import Film, Picture, film
from sim.environments.make import interface_of


def picture(level: int) -> Picture:
    return np.full((300, 600, 3), level, np.uint8)


def durations_ms(data: bytes) -> list[int]:
    with Image.open(BytesIO(data)) as image:
        assert image.size == (LARGEST, LARGEST // 2)
        return [frame.info["duration"] for frame in ImageSequence.Iterator(image)]


def test_the_end_of_each_episode_stays_a_while() -> None:
    episodes = [[picture(0), picture(80), picture(160)], [picture(240), picture(40)]]
    assert durations_ms(as_gif(Film(episodes, 10.0))) == [100, 100, STILL_MS, 100, STILL_MS]


def test_of_many_pictures_per_second_some_are_shown() -> None:
    episode = [picture(20 * number) for number in range(9)]
    assert durations_ms(as_gif(Film([episode], 50.0))) == [60, 60, 60, STILL_MS]


def test_nobody_has_to_watch_a_policy_that_stands_still() -> None:
    still = [picture(0)] * 500 + [picture(200)]
    assert durations_ms(as_gif(Film([still], 10.0))) == [100 * MOST_ALIKE, STILL_MS]


def test_the_film_shows_what_is_judged() -> None:
    """With the memory of the policy: the same episodes are as long."""
    name, generator = "CartPole-v1", torch.Generator().manual_seed(2)
    policy = make_policy(PolicyOptions(CoreName.LSTM, 300), interface_of(name), generator)
    with torch.no_grad():
        policy.actor.weight *= 100  # so that what it remembers decides
    shown = film(name, greedily(policy), 3, 7, EVALUATION_LANE, 1000)
    judged = evaluate(policy, name, 3, 7, lanes=1)
    assert [len(one) - 1 for one in shown.episodes] == judged.lengths.tolist()
