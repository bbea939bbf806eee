# SPDX-License-Identifier: Apache-2.0
"""One tick of social-force walkers of one world in plain Python: slow and obvious, for tests.

Forces are numerical slopes of the potentials of the paper, so this shares no derivative with
``sim/warehouse/people/social_force.py``.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from sim.warehouse.chance import normal
from sim.warehouse.people import social_force as law
from sim.warehouse.people.ground import Ground
from sim.warehouse.people.scripted import next_cell
from sim.warehouse.people.walkers import PUSH_X, PUSH_Y, Floats, Walkers, arrive

_SLOPE_STEP_M = 1e-5


def person_potential(offset_m: Floats, other_m_s: Floats) -> float:
    """Of another person, in m²/s²; the offset is from the other to oneself."""
    if np.linalg.norm(offset_m) > law.FURTHEST_M:
        return 0.0
    step_m = other_m_s * law.LOOK_AHEAD_S
    axes_m = float(np.linalg.norm(offset_m) + np.linalg.norm(offset_m - step_m))
    axis_m = math.sqrt((axes_m**2 - float(step_m @ step_m)) / 4 + law.LEAST_AXIS_M**2)
    return law.PEOPLE_M2_S2 * math.exp(-axis_m / law.PEOPLE_REACH_M)


def wall_potential(point_m: Floats, cell: tuple[int, int], ground: Ground) -> float:
    """Of all walls next to a cell (row, column), in m²/s²."""
    row, column = cell
    potential = 0.0
    for south, east in np.ndindex(3, 3):
        corner = south != 1 and east != 1
        beside = ground.blocked[row + 1, column + east] or ground.blocked[row + south, column + 1]
        if ground.blocked[row + south, column + east] and not (corner and beside):
            low_m = np.array([column + east - 1, row + south - 1]) * ground.cell_m
            nearest_m = np.clip(point_m, low_m, low_m + ground.cell_m)
            far_m = float(np.linalg.norm(point_m - nearest_m))
            potential += law.WALL_M2_S2 * math.exp(-far_m / law.wall_reach_m(ground.cell_m))
    return potential


def _downhill(potential: Callable[[Floats], float], point_m: Floats) -> Floats:
    steps = np.eye(2) * _SLOPE_STEP_M
    drops = [potential(point_m - step) - potential(point_m + step) for step in steps]
    return np.array(drops) / (2 * _SLOPE_STEP_M)


def acceleration_reference(walkers: Walkers, ground: Ground, walker: int) -> Floats:
    """``[2]``: all forces on a walker of world 0 but the fluctuation, in m/s²."""
    position_m, velocity_m_s = walkers.position_m[0], walkers.velocity_m_s[0]
    width, cell = ground.blocked.shape[1] - 2, int(walkers.cell[0, walker])
    wish, direction = np.zeros(2), ground.way[walkers.goal[0, walker], cell]
    if walkers.pause_ticks[0, walker] == 0 and direction >= 0:
        row, column = divmod(next_cell(cell, int(direction), width), width)
        wish = np.array([column + 0.5, row + 0.5]) * ground.cell_m - position_m[walker]
        wish /= np.linalg.norm(wish)
    total = walkers.speed_m_s[0, walker] * wish - velocity_m_s[walker]
    total /= law.RELAXATION_S
    for other in range(len(position_m)):
        if other != walker:
            felt = partial(person_potential, other_m_s=velocity_m_s[other])
            push = _downhill(felt, position_m[walker] - position_m[other])
            seen = wish @ -push >= np.linalg.norm(push) * law.SIGHT_COSINE
            total += push if seen else law.OUT_OF_SIGHT * push
    place = divmod(cell, width)
    walls = _downhill(lambda at: wall_potential(at, place, ground), position_m[walker])
    return np.asarray(total + walls)


def walk_reference(
    key: np.uint64, tick: int, tick_s: float, pause_ticks: float, ground: Ground, walkers: Walkers
) -> None:
    """One tick of world 0, in place; without the cut at walls, which walkers must not touch."""
    people, width = walkers.goal.shape[1], ground.blocked.shape[1] - 2
    for walker in range(people):
        if walkers.pause_ticks[0, walker] > 0:
            walkers.pause_ticks[0, walker] -= 1
        elif walkers.cell[0, walker] == ground.places[walkers.goal[0, walker]]:
            arrive(key, tick, 0, walker, len(ground.places), pause_ticks, walkers)
    steps = math.ceil(tick_s / law.LONGEST_STEP_S)
    for place in range(tick * steps, (tick + 1) * steps):
        forces = [acceleration_reference(walkers, ground, walker) for walker in range(people)]
        for walker, force in enumerate(forces):
            push = [normal(key, place, walker, role) for role in (PUSH_X, PUSH_Y)]
            velocity = walkers.velocity_m_s[0, walker]
            velocity += tick_s / steps * (force + law.FLUCTUATION_M_S2 * np.array(push))
            top_m_s = law.TOP_SPEED * walkers.speed_m_s[0, walker]
            velocity *= min(1, top_m_s / np.linalg.norm(velocity))
            walkers.position_m[0, walker] += velocity * tick_s / steps
            x_m, y_m = walkers.position_m[0, walker]
            walkers.cell[0, walker] = int(y_m / ground.cell_m) * width + int(x_m / ground.cell_m)
