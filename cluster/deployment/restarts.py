# SPDX-License-Identifier: Apache-2.0
"""When something that died is started again."""

from collections.abc import Sequence

FIRST_PAUSE_S = 3.0
"""Longer than a SuperLink needs to tell its app that a node has gone."""
MOST_DEATHS = 6
WITHIN_S = 180.0
"""So many deaths in such a time, and it will not live. Long enough to be refused for a minute:
so long does a SuperLink hold a silent node for alive."""


def pause_s(deaths_s: Sequence[float], now_s: float) -> float | None:
    """How long to wait before a start; None when there is no point in one.

    Args:
        deaths_s: times of all deaths so far, the last of which has just been.
        now_s: the time.
    """
    recent = [one for one in deaths_s if now_s - one < WITHIN_S]
    if len(recent) >= MOST_DEATHS:
        return None
    return FIRST_PAUSE_S * 2.0 ** max(0, len(recent) - 1)
