# SPDX-License-Identifier: Apache-2.0
"""Many different instances, none of them without a decision: what a learner is trained on."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from sim.errors import InputError
from sim.floors import FloorKind, FloorOptions, draw_floor
from sim.instances import Instance, InstanceOptions, make_errand_instance
from sim.layout import Cells, Layout
from sim.routes import sample_endpoints

Floor: TypeAlias = FloorKind | Layout
"""A family that a floor is drawn from, or one that is given."""

MOST_DRAWS = 100


@dataclass(frozen=True)
class FamilyOptions:
    """What instances have in common, and the ranges in which they differ.

    Args:
        robots: least and most robots.
        goals: least and most places that a robot goes to, one after another. A small fleet on a
            small floor has short routes; with several goals they cross as often as in a large one.
        floor: measures of the floors that are drawn.
        instance: how robots drive.
    """

    robots: tuple[int, int] = (5, 25)
    goals: tuple[int, int] = (1, 4)
    floor: FloorOptions = field(default_factory=FloorOptions)
    instance: InstanceOptions = field(default_factory=InstanceOptions)

    def __post_init__(self) -> None:
        for name, least in (("robots", 2), ("goals", 1)):
            low, high = getattr(self, name)
            if not least <= low <= high:
                raise InputError(
                    f"{name} is {low} {high}; allowed: a low and a high end, {least} or more"
                )


def draw_instance(floor: Floor, options: FamilyOptions, rng: np.random.Generator) -> Instance:
    """An instance with at least one conflict; one without teaches nothing and is drawn again.

    The number of robots is not, so that it is equally likely within its range on every floor.

    Raises:
        InputError: none in 100 draws, such as for few robots on a vast floor.
    """
    robots = int(rng.integers(options.robots[0], options.robots[1] + 1))
    reason = "no two robots meet"
    for _ in range(MOST_DRAWS):
        try:
            instance = _draw(floor, robots, options, rng)
        except InputError as error:  # the floor is too small, or the instance ill-posed
            reason = str(error)
            continue
        if instance.graph.num_conflicts:
            return instance
    name = floor.name if isinstance(floor, Layout) else str(floor)
    raise InputError(
        f"floor {name}, {robots} robots: no usable instance in {MOST_DRAWS} draws; {reason}"
    )


def _draw(floor: Floor, robots: int, options: FamilyOptions, rng: np.random.Generator) -> Instance:
    goals = int(rng.integers(options.goals[0], options.goals[1] + 1))
    layout = floor if isinstance(floor, Layout) else draw_floor(floor, robots, options.floor, rng)
    stops = _draw_stops(layout, robots, goals, rng)
    return make_errand_instance(layout, stops, options.instance, rng)


def _draw_stops(layout: Layout, robots: int, goals: int, rng: np.random.Generator) -> list[Cells]:
    """Start and goals of every robot; at any stop all robots are on different cells."""
    starts, ends = sample_endpoints(layout, robots, rng)
    stops = [starts, ends]
    for _ in range(goals - 1):
        stops.append(rng.permutation(sample_endpoints(layout, robots, rng)[1]))
    return list(np.stack(stops, axis=1))
