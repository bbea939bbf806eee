# SPDX-License-Identifier: Apache-2.0
"""What an environment pays to players that were not trained: the scale of what was learnt.

Every lane plays equally many episodes: to count the first that finish would prefer the short ones.
The lanes are far from those of any training, and other ones for each purpose.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.environments.gridworld.optimum import optimal_returns
from sim.environments.gridworld.worlds import NAMES
from sim.environments.interface import Observations
from sim.environments.make import interface_of, make_environments
from sim.environments.players import Known, known_player
from sim.errors import require

Returns = NDArray[np.float64]
Choose = Callable[[Observations, NDArray[np.bool_]], NDArray[np.int64]]
"""From observations ``[B, *shape]`` and begins ``[B]`` to actions ``[B]``."""

RANDOM_LANE, SCREENING_LANE, CONSTANT_LANE, KNOWN_LANE = (k << 21 for k in (1, 2, 3, 4))
MAX_LANES = 32
SCREENED = 16
"""Episodes by which the best constant action is picked."""

TOLERANCE = 1e-5
"""Rewards are float32; a return this near to a ceiling has reached it."""


@dataclass(frozen=True)
class Played:
    """What one player was paid.

    Args:
        kind: ``random``, ``constant``, ``heuristic``, ``optimum``: nobody can expect more, or
            ``memoryless``: nobody without a memory can.
        label: who it is, in a few words.
        returns: ``[E]`` of each episode, undiscounted.
    """

    kind: str
    label: str
    returns: Returns


def play_trivial(name: str, episodes: int, seed: int, engine: str = "auto") -> list[Played]:
    """All players of an environment that need no training.

    Args:
        name: of the environment.
        episodes: for each, rounded up to a multiple of 32 where there are more than that.
        seed: of episodes and random actions.
        engine: what steps the environments.

    Raises:
        InputError: there is nothing to play.
    """
    action, returns = best_constant(name, episodes, seed, engine)
    played = [
        Played("random", "random actions", random_return(name, episodes, seed, engine)),
        Played("constant", f"always action {action}", returns),
    ]
    known = optimum_or_heuristic(name, episodes, seed, engine)
    return [*played, *forgetful_bound(name, episodes, seed), *([known] if known else [])]


def forgetful_bound(name: str, episodes: int, seed: int) -> list[Played]:
    """What policies of the present observation alone cannot beat, where that is known and less
    than the optimum; see :class:`sim.environments.gridworld.optimum.OptimalReturns`."""
    if name not in NAMES:
        return []
    found = optimal_returns(name, episodes, seed, KNOWN_LANE)
    if (found.memoryless == found.looking).all():
        return []
    return [Played("memoryless", "at most without memory", found.memoryless)]


def random_return(name: str, episodes: int, seed: int, engine: str = "auto") -> Returns:
    """``[E]``, of actions that are all equally likely."""
    actions, rng = interface_of(name).actions, np.random.default_rng([seed, RANDOM_LANE])

    def choose(_: Observations, begins: NDArray[np.bool_]) -> NDArray[np.int64]:
        return rng.integers(actions, size=len(begins))

    return _play(name, choose, RANDOM_LANE, episodes, seed, engine)


def best_constant(name: str, episodes: int, seed: int, engine: str = "auto") -> tuple[int, Returns]:
    """The best action to take always, and its returns ``[E]``.

    It is picked by a few episodes, the same for all actions, and judged by others: the best of
    many luckily high means would be too high.
    """
    actions = range(interface_of(name).actions)
    means = [
        _play(name, _always(action), SCREENING_LANE, SCREENED, seed, engine).mean()
        for action in actions
    ]
    best = int(np.argmax(means))
    return best, _play(name, _always(best), CONSTANT_LANE, episodes, seed, engine)


def optimum_or_heuristic(
    name: str, episodes: int, seed: int, engine: str = "auto"
) -> Played | None:
    """The best that is known without training; None where nothing is.

    In the compiled worlds this is a bound and not a player: the shortest way to the goal of who
    knows the room, and in the memory worlds has to look at the object first.
    """
    if name in NAMES:
        found = optimal_returns(name, episodes, seed, KNOWN_LANE)
        return Played("optimum", "the shortest way", found.looking)
    known = known_player(name)
    if known is None:
        return None
    returns = _play(name, _by_lane(known), KNOWN_LANE, episodes, seed, engine)
    return Played(_kind(known, returns), known.label, returns)


def _kind(known: Known, returns: Returns) -> str:
    proven = known.ceiling is None or returns.min() >= known.ceiling * (1 - TOLERANCE)
    return "optimum" if proven else "heuristic"


def _always(action: int) -> Choose:
    return lambda _, begins: np.full(len(begins), action)


def _by_lane(known: Known) -> Choose:
    """One player for each lane, and a new one for each episode."""
    players: dict[int, Any] = {}

    def choose(observations: Observations, begins: NDArray[np.bool_]) -> NDArray[np.int64]:
        for lane in np.flatnonzero(begins):
            players[int(lane)] = known.begin()
        return np.array([players[lane](seen) for lane, seen in enumerate(observations)])

    return choose


def _play(
    name: str, choose: Choose, first_lane: int, episodes: int, seed: int, engine: str
) -> Returns:
    require("episodes", episodes, episodes >= 1, "1 or more")
    lanes = min(MAX_LANES, episodes)
    each = -(-episodes // lanes)
    done: list[list[float]] = [[] for _ in range(lanes)]
    for lane, paid in _episodes(name, choose, range(first_lane, first_lane + lanes), seed, engine):
        done[lane].append(paid)
        if min(map(len, done)) == each:
            break
    return np.array([paid for returns in done for paid in returns[:each]])


def _episodes(
    name: str, choose: Choose, lanes: range, seed: int, engine: str
) -> Iterator[tuple[int, float]]:
    """Lane and return of each finished episode, for ever."""
    environments = make_environments(name, lanes, seed, engine)
    observations, begins = environments.reset(), np.ones(len(lanes), np.bool_)
    paid = np.zeros(len(lanes))
    while True:
        steps = environments.step(choose(observations, begins))
        observations, begins = steps.observations, steps.begins
        paid = np.where(begins, 0.0, paid + steps.rewards)
        for lane in np.flatnonzero(steps.terminated | steps.truncated):
            yield int(lane), float(paid[lane])
