# SPDX-License-Identifier: Apache-2.0
"""Pictures of episodes, by the original environments: compiled worlds draw nothing."""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.environments.interface import Observations
from sim.environments.make import interface_of
from sim.environments.names import AnyEnvironment, resolve
from sim.environments.seeds import episode_seed
from sim.environments.spaces import Translation, translate
from sim.errors import InputError

Choose = Callable[[Observations, NDArray[np.bool_]], NDArray[np.int64]]
"""From observations ``[1, *shape]`` and begins ``[1]`` to an action ``[1]``."""
Picture = NDArray[np.uint8]
USUAL_PER_S = 10.0


@dataclass(frozen=True, eq=False)
class Film:
    """Episodes one after another.

    Args:
        episodes: pictures ``[height, width, 3]`` of each, the first before the first action.
        per_s: pictures per second, as the environment wants to be shown.
    """

    episodes: list[list[Picture]]
    per_s: float


def film(
    name: str, choose: Choose, episodes: int, seed: int, lane: int, most_pictures: int
) -> Film:
    """Play and draw whole episodes.

    Args:
        name: of the environment.
        choose: who plays.
        episodes: at most; no further one begins once there are ``most_pictures``, where a long
            one is cut off.
        seed, lane: of the episodes, as in :func:`sim.environments.make.make_environments`.

    Raises:
        InputError: it cannot be drawn, or fails.
    """
    limit = interface_of(name).max_steps
    environment = _drawing(name)
    told = translate(environment, name, limit)
    played: list[list[Picture]] = []
    try:
        for episode in range(episodes):
            left = most_pictures - sum(map(len, played))
            if left <= 0:
                break
            begin = episode_seed(seed, lane, episode)
            played.append(_episode(environment, told, choose, begin, left))
    except Exception as error:  # whatever it is: the environment is not our code
        raise _not_drawn(name, error) from error
    finally:
        environment.close()
    return Film(played, float(environment.metadata.get("render_fps") or USUAL_PER_S))


def _drawing(name: str) -> AnyEnvironment:
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pygame needs no screen then
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some can draw that do not say so
            return resolve(name).make(render_mode="rgb_array")
    except Exception as error:  # whatever it is: the environment is not our code
        raise _not_drawn(name, error) from error


def _episode(
    environment: AnyEnvironment, told: Translation, choose: Choose, seed: int, most: int
) -> list[Picture]:
    seen, _ = environment.reset(seed=seed)
    pictures, over = [_picture(environment)], False
    begins = np.ones(1, np.bool_)
    while not over and len(pictures) < most:
        observation = np.asarray(told.observe(seen), told.interface.dtype)
        action = int(choose(observation[None], begins)[0])
        seen, _, end, cut, _ = environment.step(told.moves[action])
        over = end or cut or len(pictures) == told.interface.max_steps
        pictures.append(_picture(environment))
        begins = np.zeros(1, np.bool_)
    return pictures


def _picture(environment: AnyEnvironment) -> Picture:
    drawn: Any = environment.render()
    if not isinstance(drawn, np.ndarray) or drawn.ndim != 3 or drawn.shape[2] != 3:
        raise ValueError(f"it draws {type(drawn).__name__}, not pixels")
    return np.array(drawn, np.uint8)


def _not_drawn(name: str, error: Exception) -> InputError:
    cause = (str(error).strip() or type(error).__name__).splitlines()[0]
    if "render_mode" in cause:
        cause = "it has no pictures"
    return InputError(f"environment {name!r} cannot be drawn: {cause}")
