# SPDX-License-Identifier: Apache-2.0
"""Players that are programmed rather than trained, by the environments that they know.

Each sees what a policy sees, one observation after the other of one episode. Those of POPGym's
card games remember all that they have seen; the rules are those of popgym 1.0.7.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Seen = NDArray[np.float32]  # [F], one observation of a vector environment
Episode = Callable[[Seen], int]  # called once for each observation, in their order
CARTPOLE_STEP_S = 0.02

SUITS, RANKS, DECK = 4, 13, 52


@dataclass(frozen=True)
class Known:
    """A player, and what its return proves.

    Args:
        label: in a few words.
        begin: a player for one episode.
        ceiling: no episode can pay more; None: nobody in the same place can expect more.
    """

    label: str
    begin: Callable[[], Episode]
    ceiling: float | None


def known_player(name: str) -> Known | None:
    """The player for an environment of this name, if there is one."""
    for pattern, make in _TABLE.items():
        if found := re.fullmatch(pattern, name):
            return make(*found.groups())
    return None


def _balance(state: Seen | list[float]) -> int:
    """Push where the pole falls, a little earlier than it does, and back to the middle."""
    x, x_speed, angle, angle_speed = state
    return int(0.05 * x + 0.1 * x_speed + angle + 0.5 * angle_speed > 0)


def _balancing() -> Episode:
    return _balance


class _Differences:
    """Sees position and angle; takes speeds from the last two."""

    def __init__(self) -> None:
        self._before: Seen | None = None

    def __call__(self, seen: Seen) -> int:
        before = seen if self._before is None else self._before
        speeds = (seen - before) / CARTPOLE_STEP_S
        self._before = seen.copy()
        return _balance([seen[0], speeds[0], seen[1], speeds[1]])


class _Previous:
    """The suit of ``back - 1`` observations ago; nothing is paid before there is one."""

    def __init__(self, back: int) -> None:
        self._back, self._suits = back, list[int]()

    def __call__(self, seen: Seen) -> int:
        self._suits.append(int(seen.argmax()))
        return self._suits[-self._back] if len(self._suits) >= self._back else 0


class _First:
    """What stood in the first observation."""

    def __init__(self, read: Callable[[Seen], int]) -> None:
        self._read, self._kept = read, -1

    def __call__(self, seen: Seen) -> int:
        if self._kept < 0:
            self._kept = self._read(seen)
        return self._kept


class _Backwards:
    """Sees ``[play, watch, suits]``; the first card to play is the last one to watch."""

    def __init__(self) -> None:
        self._cards, self._watching = list[int](), True

    def __call__(self, seen: Seen) -> int:
        if self._watching:
            self._cards.append(int(seen[2:].argmax()))
        self._watching = bool(seen[1])
        if self._watching or not self._cards:  # none are left at the final observation
            return 0
        return self._cards.pop()


class _Counts:
    """Sees the card dealt and the one asked for; says how often that one was dealt."""

    def __init__(self, kinds: int) -> None:
        self._counts = np.zeros(kinds, dtype=np.int64)

    def __call__(self, seen: Seen) -> int:
        dealt, asked = np.split(seen, 2)
        self._counts[dealt.argmax()] += 1
        return int(self._counts[asked.argmax()])


class _CardCounter:
    """Bets on higher (0) or lower (1), whatever more of the cards left are."""

    def __init__(self, decks: int) -> None:
        self._left = np.full(RANKS, SUITS * decks)

    def __call__(self, seen: Seen) -> int:
        rank = int(seen.argmax())
        self._left[rank] -= 1
        return int(self._left[:rank].sum() > self._left[rank + 1 :].sum())


def _argmax(seen: Seen) -> int:
    return int(seen.argmax())


LEVELS = ("Easy", "Medium", "Hard")
MEMORY = "a player that remembers everything"


def _previous(level: str) -> Known:
    back = {"Easy": 4, "Medium": 32, "Hard": 64}[level]
    return Known(MEMORY, lambda: _Previous(back), None)


def _counting(level: str) -> Known:
    kinds = {"Easy": 2, "Medium": SUITS, "Hard": RANKS}[level]
    return Known(MEMORY, lambda: _Counts(kinds), None)


def _higher_lower(level: str) -> Known:
    decks = LEVELS.index(level) + 1
    return Known("a player that counts cards", lambda: _CardCounter(decks), None)


def _cue(_length: str) -> Known:
    return Known(MEMORY, lambda: _First(lambda seen: int(seen[0] > 0)), None)


def _best_arm(arms: str) -> Known:
    return Known("the best arm", lambda: lambda _seen: int(arms) - 1, None)


def _cartpole(limit: float) -> Known:
    return Known("a linear controller", _balancing, limit)


_ANY = f"({'|'.join(LEVELS)})"
_TABLE: dict[str, Callable[..., Known]] = {
    "CartPole-v0": lambda: _cartpole(200.0),
    "CartPole-v1": lambda: _cartpole(500.0),
    f"popgym-PositionOnlyCartPole{_ANY}-v0": lambda _: Known(
        "a linear controller of positions and their differences", _Differences, 1.0
    ),
    f"popgym-RepeatPrevious{_ANY}-v0": _previous,
    f"popgym-RepeatFirst{_ANY}-v0": lambda _: Known(MEMORY, lambda: _First(_argmax), None),
    f"popgym-Autoencode{_ANY}-v0": lambda _: Known(MEMORY, _Backwards, None),
    f"popgym-CountRecall{_ANY}-v0": _counting,
    f"popgym-HigherLower{_ANY}-v0": _higher_lower,
    r"memory-length-(\d+)": _cue,
    r"identity-(\d+)": lambda _: Known("a copy of the observation", lambda: _argmax, None),
    r"bandit-(\d+)": _best_arm,
}
