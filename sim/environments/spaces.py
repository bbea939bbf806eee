# SPDX-License-Identifier: Apache-2.0
"""From the spaces of Gymnasium to what a policy reads and chooses from."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from sim.environments.interface import Interface, ObservationKind, Observations
from sim.errors import InputError

MAX_CHOICES = 4096

MAX_COMBINATIONS = 64
"""More combinations of a ``MultiDiscrete`` are no longer one choice."""

MAX_FEATURES = 16384
"""A longer vector is no vector of measurements."""

MINIGRID_CATEGORIES = (11, 6, 4)
"""Types, colours and states of minigrid 3.2.0 (``minigrid.core.constants``). A door has three
states; the agent, where a view shows it, has its four directions."""

Observe = Callable[[Any], Observations]

OBSERVATIONS = (
    f"Box, Discrete, MultiDiscrete, MultiBinary, a Tuple or Dict of these, up to {MAX_FEATURES} "
    "numbers; MiniGrid's view; pixels as a Box of uint8 [height, width, channels]"
)


@dataclass(frozen=True)
class Translation:
    """An environment's spaces, as a policy sees them.

    Args:
        interface: what a policy must know.
        observe: from what the environment shows to an array of the interface's shape.
        moves: what the environment is given for each action.
    """

    interface: Interface
    observe: Observe
    moves: tuple[Any, ...]


def translate(
    environment: "gymnasium.Env[Any, Any]", name: str, max_steps: int | None
) -> Translation:
    """Read the spaces of an environment.

    Raises:
        InputError: no policy here can read or steer it; names the space and what is allowed.
    """
    moves = _moves(environment.action_space, name)
    seen = environment.observation_space
    kind, shape, categories, observe = _grid(seen) or _image(seen) or _vector(seen, name)
    return Translation(Interface(kind, shape, len(moves), categories, max_steps), observe, moves)


def _moves(space: spaces.Space[Any], name: str) -> tuple[Any, ...]:
    if isinstance(space, spaces.Discrete) and space.n <= MAX_CHOICES:
        return tuple(range(int(space.start), int(space.start + space.n)))
    if isinstance(space, spaces.MultiDiscrete):
        counts = space.nvec.ravel().tolist()
        if math.prod(counts) <= MAX_COMBINATIONS:
            # The last number changes first.
            moves = itertools.product(*map(range, counts))
            return tuple(
                np.reshape(m, space.shape).astype(space.dtype) + space.start for m in moves
            )
    raise InputError(
        f"environment {name!r} takes the actions {_line(space)}; allowed: Discrete up to "
        f"{MAX_CHOICES}, MultiDiscrete with at most {MAX_COMBINATIONS} combinations"
    )


_Read = tuple[ObservationKind, tuple[int, ...], tuple[int, ...], Observe]


def _grid(space: spaces.Space[Any]) -> _Read | None:
    """MiniGrid's: direction and mission are dropped, as the papers do."""
    if not isinstance(space, spaces.Dict) or not {"image", "mission"} <= space.spaces.keys():
        return None
    image = space.spaces["image"]
    if image.dtype != np.uint8 or image.shape is None or image.shape[2:] != (3,):
        return None
    return ObservationKind.GRID, image.shape, MINIGRID_CATEGORIES, lambda seen: seen["image"]


def _image(space: spaces.Space[Any]) -> _Read | None:
    if not isinstance(space, spaces.Box) or space.dtype != np.uint8:
        return None
    if len(space.shape) not in (2, 3):
        return None
    shape = space.shape if len(space.shape) == 3 else (*space.shape, 1)
    return ObservationKind.IMAGE, shape, (), lambda seen: np.asarray(seen, np.uint8).reshape(shape)


def _vector(space: spaces.Space[Any], name: str) -> _Read:
    code = _code(space)
    if code is None or not 0 < code[0] <= MAX_FEATURES:
        raise InputError(f"environment {name!r} shows {_line(space)}; allowed: {OBSERVATIONS}")
    size, observe = code
    return ObservationKind.VECTOR, (size,), (), observe


def _code(space: spaces.Space[Any]) -> tuple[int, Observe] | None:
    """How many numbers, and how to make them; None: it cannot be done."""
    match space:
        case spaces.Box() | spaces.MultiBinary():
            return _measured(math.prod(space.shape))
        case spaces.Discrete():
            return _one_hot(np.array([space.n]), np.array([space.start]))
        case spaces.MultiDiscrete():
            return _one_hot(space.nvec.ravel(), space.start.ravel())
        case spaces.Tuple():
            return _joined(list(enumerate(space.spaces)))
        case spaces.Dict():
            return _joined(list(space.spaces.items()))
    return None


def _measured(size: int) -> tuple[int, Observe]:
    shape = (size,)

    def observe(seen: Any) -> Observations:
        if type(seen) is np.ndarray and seen.shape == shape:
            return seen  # cast where it is written into the batch; this is paid at every step
        return np.asarray(seen, np.float32).reshape(shape)

    return size, observe


def _one_hot(counts: np.ndarray, starts: np.ndarray) -> tuple[int, Observe]:
    size = int(counts.sum())
    offsets = np.cumsum(counts) - counts

    def observe(seen: Any) -> Observations:
        index = np.asarray(seen, np.int64).reshape(counts.shape) - starts
        if (index < 0).any() or (index >= counts).any():
            raise ValueError(f"it shows {seen}, outside of its space")
        code = np.zeros(size, np.float32)
        code[offsets + index] = 1.0
        return code

    return size, observe


def _joined(parts: list[tuple[Any, spaces.Space[Any]]]) -> tuple[int, Observe] | None:
    codes = [(key, _code(part)) for key, part in parts]
    known = [(key, code[1]) for key, code in codes if code is not None]
    if len(known) < len(codes) or not known:
        return None
    size = sum(code[0] for _, code in codes if code is not None)
    return size, lambda seen: np.concatenate([observe(seen[key]) for key, observe in known])


def _line(space: spaces.Space[Any]) -> str:
    """A long space is printed in several; an error is one."""
    return " ".join(str(space).split())
