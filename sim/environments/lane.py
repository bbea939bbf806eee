# SPDX-License-Identifier: Apache-2.0
"""One Gymnasium environment of a vector: its running episode, its faults, its replay."""

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.environments.gridworld.draws import compiled_episode_seed
from sim.environments.readable import readable
from sim.errors import InputError

if TYPE_CHECKING:  # nothing here needs Gymnasium to run
    import gymnasium

    from sim.environments.interface import Observations
    from sim.environments.spaces import Translation

MAX_FAULTS = 2

_log = logging.getLogger(__name__)


class EnvironmentBroken(InputError):  # noqa: N818 (reads as what happened)
    """One lane failed three times in a row, with no finished episode between."""


@dataclass(frozen=True)
class Source:
    """Where the episodes of a run come from.

    Args:
        name: of the environment, for messages.
        make: builds one, without a time limit.
        translation: its spaces, as a policy sees them.
        seed: of the run.
    """

    name: str
    make: "Callable[[], gymnasium.Env[Any, Any]]"
    translation: "Translation"
    seed: int


class Lane:
    """One environment, and where it stands.

    Args:
        number: of the lane, across the whole run.
        source: of its episodes.

    Attributes:
        environment: None until an episode begins, and after a fault.
        episode: the number of the running one; -1 before the first.
        actions: of the running episode.
        over: no episode is running, so the next call begins one.
        lost: the last one was dropped rather than finished.
        faults: since the last finished episode.
    """

    __slots__ = ("actions", "environment", "episode", "faults", "lost", "number", "over", "source")

    def __init__(self, number: int, source: Source) -> None:
        self.number, self.source = number, source
        self.environment: gymnasium.Env[Any, Any] | None = None
        self.stand(-1)

    def stand(self, episode: int, faults: int = 0, lost: bool = False) -> None:
        """Between ``episode`` and the next one."""
        self.episode, self.faults, self.lost = episode, faults, lost
        self.over = True
        self.actions: list[int] = []

    def begin(self) -> "Observations":
        """The first observation ``[*shape]`` of the next episode that begins without a fault.

        ``lost`` stays true where an episode was dropped before, or is dropped here.

        Raises:
            EnvironmentBroken: three faults in a row.
        """
        if not self.lost:
            self.faults = 0
        while True:
            self.episode += 1
            try:
                return self._reset()
            except Exception as error:  # whatever it is: the environment is not our code
                self.fault(error)

    def fault(self, error: Exception) -> None:
        """Drop the running episode and its environment.

        Raises:
            EnvironmentBroken: it is the third fault in a row; names the cause.
        """
        cause = f"{type(error).__name__}: {error}"
        where = f"environment {self.source.name!r}, lane {self.number}"
        _log.warning("%s: episode %d dropped: %s", where, self.episode, cause)
        self.stand(self.episode, self.faults + 1, lost=True)
        self._discard()
        if self.faults > MAX_FAULTS:
            raise EnvironmentBroken(f"{where} failed {self.faults} times in a row: {cause}")

    def replay(self, episode: int, actions: Sequence[int]) -> "Observations":
        """Play an episode again; returns the observation ``[*shape]`` after its last action."""
        translation = self.source.translation
        self.episode = episode
        observation = self._reset()
        assert self.environment is not None
        for action in actions:
            seen = self.environment.step(translation.moves[action])[0]
            observation = translation.observe(seen)
        self.actions = list(actions)
        return observation

    def _reset(self) -> "Observations":
        if self.environment is None:
            self.environment = self.source.make()
        # Compiled, as a tenth of a short episode would go into numpy's.
        seed = compiled_episode_seed(self.source.seed, self.number, self.episode)
        observation = self.source.translation.observe(self.environment.reset(seed=seed)[0])
        if not readable(self.source.translation.interface, observation):
            raise ValueError(f"it shows {observation.tolist()}")
        self.actions, self.over = [], False
        return observation

    def _discard(self) -> None:
        if self.environment is not None:
            with contextlib.suppress(Exception):  # it is broken already
                self.environment.close()
            self.environment = None
