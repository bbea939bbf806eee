# SPDX-License-Identifier: Apache-2.0
"""The names of warehouses whose robots are lanes."""

import re

from sim.errors import require

SIZES = (1, 2, 4, 8, 16, 32)
"""Robots of a world. Policies are judged on 32 lanes, so others would not fit."""


def warehouse_robots(name: str) -> int | None:
    """N of ``warehouse-N``; None for any other name.

    Raises:
        InputError: there is no world with so many robots.
    """
    match = re.fullmatch(r"warehouse-(\d+)", name)
    if match is None:
        return None
    robots, allowed = int(match[1]), ", ".join(f"warehouse-{size}" for size in SIZES)
    require("environment", name, robots in SIZES, allowed)
    return robots
