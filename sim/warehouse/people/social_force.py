# SPDX-License-Identifier: Apache-2.0
"""Walkers that keep off walls and each other by forces.

Source: Helbing, Molnar, "Social force model for pedestrian dynamics", Physical Review E 51 (1995),
with its constants: desired speeds 1.34 ± 0.26 m/s and at most 1.3 times the desired one; relaxation
time 0.5 s; repulsion between people from the potential 2.1 m²/s² exp(-b / 0.3 m), where b is the
half of the short axis of the ellipse that looks 2 s of the other's walk ahead; from walls
10 m²/s² exp(-d / R), R = 0.2 m, d to the nearest point of the wall; people outside of a sight of
200° count half. There is no attraction. The paper leaves the fluctuations open; here they are
normal accelerations of 0.1 m/s² in each step.

Our own:

- R is at most a twelfth of a cell. In aisles of one metre, the walls of the paper push people away
  from the mouth of an aisle with 2.8 m/s², and they want to enter with 2.7: they stay outside.
- A walker aims at the centre of the next cell of a shortest path from wherever it is pushed.
- Steps are at most 0.05 s long; people more than 5 m away do not count; sqrt(b² + (0.05 m)²) stands
  for b, since otherwise the force is infinite right before somebody.
- A step into an obstacle, or through the point where two obstacles touch, is cut to the direction
  along the wall, so that no number of pushing people gets anybody into a rack.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sim.jit import kernel
from sim.warehouse.chance import Keys, normal
from sim.warehouse.people.scripted import next_cell
from sim.warehouse.people.walkers import PUSH_X, PUSH_Y, Floats, Walkers, arrive

RELAXATION_S = 0.5
TOP_SPEED = 1.3
"""Highest speed as a multiple of the desired one."""
PEOPLE_M2_S2, PEOPLE_REACH_M = 2.1, 0.3
WALL_M2_S2, WALL_REACH_M, WALL_REACH_CELLS = 10.0, 0.2, 1 / 12
LOOK_AHEAD_S = 2.0
SIGHT_COSINE = math.cos(math.radians(100))
OUT_OF_SIGHT = 0.5
FLUCTUATION_M_S2 = 0.1
LONGEST_STEP_S = 0.05
LEAST_AXIS_M = 0.05
FURTHEST_M = 5.0


@kernel
def push_of_person(
    east_m: float, south_m: float, other_east_m_s: float, other_south_m_s: float
) -> tuple[float, float]:
    """Acceleration away from another person.

    Args:
        east_m, south_m: from the other to oneself.
        other_east_m_s, other_south_m_s: the other's velocity.
    """
    if east_m * east_m + south_m * south_m > FURTHEST_M * FURTHEST_M:
        return 0.0, 0.0
    ahead_east_m = east_m - other_east_m_s * LOOK_AHEAD_S
    ahead_south_m = south_m - other_south_m_s * LOOK_AHEAD_S
    now_m, ahead_m = math.hypot(east_m, south_m), math.hypot(ahead_east_m, ahead_south_m)
    if now_m == 0.0 or ahead_m == 0.0:
        return 0.0, 0.0
    step_m = math.hypot(other_east_m_s, other_south_m_s) * LOOK_AHEAD_S
    axis_m = math.sqrt(max((now_m + ahead_m) ** 2 - step_m**2, 0.0) / 4 + LEAST_AXIS_M**2)
    size = PEOPLE_M2_S2 / PEOPLE_REACH_M * math.exp(-axis_m / PEOPLE_REACH_M)
    size *= (now_m + ahead_m) / (4 * axis_m)
    return (
        size * (east_m / now_m + ahead_east_m / ahead_m),
        size * (south_m / now_m + ahead_south_m / ahead_m),
    )


@kernel
def wall_reach_m(cell_m: float) -> float:
    """R, over which the repulsion of walls falls to a part 1 / e."""
    return min(WALL_REACH_M, WALL_REACH_CELLS * cell_m)


@kernel
def push_of_walls(
    x_m: float, y_m: float, blocked: NDArray[np.bool_], cell_m: float
) -> tuple[float, float]:
    """Acceleration away from the sides of the cell that are walls, and from lone corners."""
    column, row = int(x_m / cell_m), int(y_m / cell_m)
    inside_x_m, inside_y_m = x_m - column * cell_m, y_m - row * cell_m
    east_m_s2, south_m_s2, reach_m = 0.0, 0.0, wall_reach_m(cell_m)
    for south in range(-1, 2):
        away_y_m = 0.0 if south == 0 else inside_y_m - (cell_m if south > 0 else 0.0)
        for east in range(-1, 2):
            if not blocked[row + 1 + south, column + 1 + east]:
                continue
            beside = blocked[row + 1, column + 1 + east] or blocked[row + 1 + south, column + 1]
            if south != 0 and east != 0 and beside:
                continue  # the corner is part of a side
            away_x_m = 0.0 if east == 0 else inside_x_m - (cell_m if east > 0 else 0.0)
            far_m = math.hypot(away_x_m, away_y_m)
            if far_m > 0:
                size = WALL_M2_S2 / reach_m * math.exp(-far_m / reach_m)
                east_m_s2 += size * away_x_m / far_m
                south_m_s2 += size * away_y_m / far_m
    return east_m_s2, south_m_s2


@kernel
def heading_of(
    walkers: Walkers, world: int, walker: int, way: NDArray[np.int8], cell_m: float, width: int
) -> tuple[float, float]:
    """Unit vector to where a walker wants to go now; 0 where it rests."""
    cell = walkers.cell[world, walker]
    direction = way[walkers.goal[world, walker], cell]
    if walkers.pause_ticks[world, walker] > 0 or direction < 0:
        return 0.0, 0.0
    ahead = next_cell(cell, direction, width)
    east_m = (ahead % width + 0.5) * cell_m - walkers.position_m[world, walker, 0]
    south_m = (ahead // width + 0.5) * cell_m - walkers.position_m[world, walker, 1]
    way_m = math.hypot(east_m, south_m)
    return east_m / way_m, south_m / way_m  # never 0: the centre of another cell


@kernel
def acceleration(
    walkers: Walkers, world: int, walker: int, way: NDArray[np.int8],
    blocked: NDArray[np.bool_], cell_m: float,
) -> tuple[float, float]:  # fmt: skip
    """Sum of all forces on a walker but the fluctuation."""
    position, velocity = walkers.position_m[world], walkers.velocity_m_s[world]
    width = blocked.shape[1] - 2
    e_x, e_y = heading_of(walkers, world, walker, way, cell_m, width)
    speed = walkers.speed_m_s[world, walker]
    x = (speed * e_x - velocity[walker, 0]) / RELAXATION_S
    y = (speed * e_y - velocity[walker, 1]) / RELAXATION_S
    for other in range(len(position)):
        if other != walker:
            push_x, push_y = push_of_person(
                position[walker, 0] - position[other, 0],
                position[walker, 1] - position[other, 1],
                velocity[other, 0],
                velocity[other, 1],
            )
            seen = -(e_x * push_x + e_y * push_y) >= SIGHT_COSINE * math.hypot(push_x, push_y)
            weight = 1.0 if seen else OUT_OF_SIGHT
            x += weight * push_x
            y += weight * push_y
    wall_x, wall_y = push_of_walls(position[walker, 0], position[walker, 1], blocked, cell_m)
    return x + wall_x, y + wall_y


@kernel
def move_along_walls(
    position: Floats, velocity: Floats, step_s: float, blocked: NDArray[np.bool_], cell_m: float
) -> None:
    """Move by the velocity; a part of it that leads into an obstacle is lost."""
    x_m, y_m = position[0] + velocity[0] * step_s, position[1] + velocity[1] * step_s
    row, column = int(position[1] / cell_m) + 1, int(position[0] / cell_m) + 1
    # Cells of the padded floor; a step is shorter than a cell, so floor matters only at its rim.
    to_row, to_column = math.floor(y_m / cell_m) + 1, math.floor(x_m / cell_m) + 1
    if blocked[row, to_column]:
        velocity[0], x_m, to_column = 0.0, position[0], column
    if blocked[to_row, to_column]:
        velocity[1], y_m = 0.0, position[1]
    position[0], position[1] = x_m, y_m


@kernel
def walk_by_forces(
    keys: Keys, tick: int, tick_s: float, pause_ticks: float, way: NDArray[np.int8],
    blocked: NDArray[np.bool_], cell_m: float, walkers: Walkers,
) -> None:  # fmt: skip
    """One tick of all walkers; ``pause_ticks`` is a mean."""
    num_worlds, people = walkers.goal.shape
    steps = math.ceil(tick_s / LONGEST_STEP_S)
    step_s = tick_s / steps
    forces = np.empty((people, 2))
    width = blocked.shape[1] - 2
    for world in range(num_worlds):
        key = keys[world]
        for walker in range(people):
            if walkers.pause_ticks[world, walker] > 0:
                walkers.pause_ticks[world, walker] -= 1
            elif way[walkers.goal[world, walker], walkers.cell[world, walker]] < 0:
                arrive(key, tick, world, walker, len(way), pause_ticks, walkers)
        for step in range(steps):
            for walker in range(people):
                x, y = acceleration(walkers, world, walker, way, blocked, cell_m)
                place = tick * steps + step
                forces[walker, 0] = x + FLUCTUATION_M_S2 * normal(key, place, walker, PUSH_X)
                forces[walker, 1] = y + FLUCTUATION_M_S2 * normal(key, place, walker, PUSH_Y)
            for walker in range(people):
                velocity = walkers.velocity_m_s[world, walker]
                position = walkers.position_m[world, walker]
                velocity += step_s * forces[walker]
                top_m_s = TOP_SPEED * walkers.speed_m_s[world, walker]
                velocity *= min(1.0, top_m_s / max(math.hypot(velocity[0], velocity[1]), 1e-12))
                move_along_walls(position, velocity, step_s, blocked, cell_m)
                cell = int(position[1] / cell_m) * width + int(position[0] / cell_m)
                walkers.cell[world, walker] = cell
