# SPDX-License-Identifier: Apache-2.0
"""Labels beside the ends of lines, which must not cover each other."""

from collections.abc import Sequence

LABEL_STEP = 15.0


def spread(wanted: Sequence[float], top: float, bottom: float) -> list[float]:
    """Places near the wanted ones (ascending) that are at least a line of text apart."""
    places: list[float] = []
    for y in wanted:
        places.append(max(y, places[-1] + LABEL_STEP) if places else max(y, top))
    limit = bottom
    for index in reversed(range(len(places))):
        places[index] = min(places[index], limit)
        limit = places[index] - LABEL_STEP
    return places
