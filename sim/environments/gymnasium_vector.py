# SPDX-License-Identifier: Apache-2.0
"""Several Gymnasium environments in one plain loop.

Every episode is reset with a seed of its own, so it is a function of that seed and its actions.
A snapshot holds no more than these: no environment has to be copied or pickled.
"""

import itertools
import logging
import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.environments.interface import Interface, Observations, Steps
from sim.environments.lane import Lane, Source
from sim.environments.readable import all_finite, readable
from sim.errors import InputError

_log = logging.getLogger(__name__)


class GymnasiumVector:
    """The environments of some lanes; a ``VectorEnvironment``.

    An episode whose environment raises, or shows what no policy can read, is dropped, with the
    cause in the log, and the environment is built anew. ``broken`` may come right after the last
    row of a finished episode: then the one dropped is the next, which never began.

    Args:
        source: of the episodes.
        lanes: their numbers across the run.
        max_steps: episodes are truncated after so many actions; None: they end by themselves.
    """

    def __init__(self, source: Source, lanes: Sequence[int], max_steps: int | None) -> None:
        self._source, self._max_steps = source, max_steps
        self._lanes = [Lane(number, source) for number in lanes]
        self._last = np.zeros((self.count, *self.interface.shape), self.interface.dtype)

    @property
    def interface(self) -> Interface:
        """Of each lane."""
        return self._source.translation.interface

    @property
    def count(self) -> int:
        """B, how many lanes there are."""
        return len(self._lanes)

    def reset(self) -> Observations:
        """``[B, *shape]``: every lane begins its episode 0.

        Raises:
            EnvironmentBroken: a lane failed three times in a row.
        """
        for row, lane in enumerate(self._lanes):
            lane.stand(-1)
            self._last[row] = lane.begin()
            lane.lost = False
        return self._last.copy()

    def step(self, actions: NDArray[np.int64]) -> Steps:
        """Take one action ``[B]`` in each lane; begin the next episode where one had ended.

        Raises:
            EnvironmentBroken: a lane failed three times in a row.
        """
        steps = self._blank()
        observations, rewards, terminated, truncated = steps[:4]
        moves, observe = self._source.translation.moves, self._source.translation.observe
        # Everything in this loop is paid at every step of every lane.
        for row, (lane, action) in enumerate(zip(self._lanes, actions.tolist(), strict=True)):
            if lane.over:
                self._begin(steps, row)
                continue
            move = moves[action]
            lane.actions.append(action)
            try:
                seen, reward, end, cut, _ = lane.environment.step(move)  # type: ignore[union-attr]
                observations[row] = observe(seen)
                rewards[row] = reward
            except Exception as error:  # whatever it is: the environment is not our code
                self._drop(steps, row, error)
                continue
            cut = cut or len(lane.actions) == self._max_steps
            if end or cut:
                terminated[row], truncated[row], lane.over = end, cut, True
        self._drop_unreadable(steps)
        self._last[:] = observations
        return steps

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Episodes, and of those that run the actions and a digest of the last observation."""
        lanes = self._lanes
        running = [[] if lane.over else lane.actions for lane in lanes]
        shown = [0 if lane.over else _digest(self._last[row]) for row, lane in enumerate(lanes)]
        return {
            "seed": np.array([self._source.seed]),
            "lanes": np.array([lane.number for lane in lanes]),
            "episodes": np.array([lane.episode for lane in lanes]),
            "faults": np.array([lane.faults for lane in lanes]),
            "lost": np.array([lane.lost for lane in lanes]),
            "over": np.array([lane.over for lane in lanes]),
            "lengths": np.array([len(actions) for actions in running]),
            "actions": np.array(list(itertools.chain(*running)), np.int64),
            "digests": np.array(shown, np.uint64),
        }

    def restore(self, snapshot: dict[str, NDArray[Any]]) -> None:
        """Play the running episodes of the snapshot again.

        Where that ends at another observation, the environment does not obey its seed: a warning
        says so, and the lane begins a new episode at the next call, as ``broken``.

        Raises:
            InputError: the snapshot is none of a vector of these lanes and this seed.
        """
        self._check(snapshot)
        ends = np.cumsum(snapshot["lengths"])
        for row, lane in enumerate(self._lanes):
            episode, faults = int(snapshot["episodes"][row]), int(snapshot["faults"][row])
            lane.stand(episode, faults, bool(snapshot["lost"][row]))
            if not snapshot["over"][row]:
                actions = snapshot["actions"][ends[row] - snapshot["lengths"][row] : ends[row]]
                self._replay(row, episode, actions.tolist(), int(snapshot["digests"][row]))

    def _blank(self) -> Steps:
        count = self.count
        flags = [np.zeros(count, np.bool_) for _ in range(4)]
        return Steps(np.empty_like(self._last), np.zeros(count, np.float32), *flags)

    def _begin(self, steps: Steps, row: int) -> None:
        lane = self._lanes[row]
        steps.observations[row] = lane.begin()
        steps.rewards[row] = 0.0
        steps.terminated[row] = steps.truncated[row] = False
        steps.begins[row], steps.broken[row] = True, lane.lost
        lane.lost = False

    def _drop(self, steps: Steps, row: int, error: Exception) -> None:
        self._lanes[row].fault(error)
        self._begin(steps, row)

    def _drop_unreadable(self, steps: Steps) -> None:
        """One look at all lanes; which one it is matters only where something is wrong."""
        if all_finite(steps.rewards) and readable(self.interface, steps.observations):
            return
        for row, (seen, reward) in enumerate(zip(steps.observations, steps.rewards, strict=True)):
            if not (readable(self.interface, seen) and math.isfinite(reward)):
                error = ValueError(f"it shows {seen.tolist()} and pays {reward}")
                self._drop(steps, row, error)

    def _replay(self, row: int, episode: int, actions: list[int], digest: int) -> None:
        lane = self._lanes[row]
        try:
            self._last[row] = lane.replay(episode, actions)
            cause = "" if _digest(self._last[row]) == digest else "it ends elsewhere"
        except Exception as error:  # whatever it is: the environment is not our code
            cause = f"{type(error).__name__}: {error}"
        if cause:
            what = "environment %r does not obey its seed; lane %d begins anew: %s"
            _log.warning(what, self._source.name, lane.number, cause)
            lane.stand(episode, lane.faults, lost=True)

    def _check(self, snapshot: dict[str, NDArray[Any]]) -> None:
        own = self.snapshot()
        if snapshot.keys() != own.keys():
            raise InputError(f"snapshot has {sorted(snapshot)}; allowed: {sorted(own)}")
        for key in ("seed", "lanes"):
            if not np.array_equal(snapshot[key], own[key]):
                raise InputError(
                    f"snapshot has {key} {snapshot[key].tolist()}; allowed: {own[key].tolist()}"
                )


def _digest(observation: Observations) -> int:
    return int.from_bytes(blake2b(observation.tobytes(), digest_size=8).digest())
