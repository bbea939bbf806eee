# SPDX-License-Identifier: Apache-2.0
"""What a policy does, as a picture that moves."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agents.learning.evaluate import EVALUATION_LANE
from agents.policies.policy import Policy
from sim.environments.film import Choose, Film, Picture, film
from sim.environments.interface import Observations

EPISODES, MOST_PICTURES = 3, 600
LARGEST = 240
"""Pixels of the longer side."""
COLOURS = 64
SMOOTH_PER_S = 15.0
"""Of an environment that wants more pictures per second only some are shown."""
MOST_ALIKE = 8
"""Pictures in a row."""
STILL_MS = 800
"""How long the end of an episode is shown."""


def animate(policy: Policy, environment: str, seed: int) -> bytes:
    """A GIF of the first episodes that the policy is judged by, with greedy actions.

    Raises:
        InputError: the environment cannot be drawn.
    """
    shown = film(environment, greedily(policy), EPISODES, seed, EVALUATION_LANE, MOST_PICTURES)
    return as_gif(shown)


def greedily(policy: Policy) -> Choose:
    """The policy in one environment; it remembers."""
    state = policy.initial_state(1)

    def choose(observations: Observations, begins: NDArray[np.bool_]) -> NDArray[np.int64]:
        nonlocal state
        acted = policy.act(observations, state, begins, None)
        state = acted.state
        return acted.actions

    return choose


def as_gif(shown: Film) -> bytes:
    """The pictures one after another, again and again; each episode's end stays a while."""
    every = max(1, round(shown.per_s / SMOOTH_PER_S))
    images: list[Image.Image] = []
    durations_ms: list[int] = []
    for episode in shown.episodes:
        kept = _without_waiting(episode[:-1][::every]) + episode[-1:]
        images += [_image(picture) for picture in kept]
        durations_ms += [round(1000 * every / shown.per_s)] * (len(kept) - 1) + [STILL_MS]
    buffer = BytesIO()
    first, *others = images
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=durations_ms, loop=0)
    return buffer.getvalue()


def _without_waiting(pictures: list[Picture]) -> list[Picture]:
    """Where nothing moves for long, the first pictures of that say it."""
    kept: list[Picture] = []
    for picture in pictures:
        recent = kept[-MOST_ALIKE:]
        if len(recent) < MOST_ALIKE or any(not np.array_equal(picture, old) for old in recent):
            kept.append(picture)
    return kept


def _image(picture: Picture) -> Image.Image:
    image = Image.fromarray(picture)
    image.thumbnail((LARGEST, LARGEST))
    return image.quantize(COLOURS, dither=Image.Dither.NONE)
