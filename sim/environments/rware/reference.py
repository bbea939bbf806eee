# SPDX-License-Identifier: Apache-2.0
"""One RWARE world in plain Python, slow and obvious: what the kernels are tested against."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sim.environments.rware.layout import RwareLayout
from sim.environments.rware.options import RwareOptions
from sim.environments.rware.start import START_CELL, START_HEADING, START_REQUEST, below
from sim.environments.rware.state import FORWARD, LEFT, RIGHT, TOGGLE_LOAD

Choose = Callable[[int, int], int]
"""From a count ``n`` and how many deliveries this step has seen, one of ``0 .. n - 1``."""

_STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))  # rows and columns by heading: north, east, south, west
_RWARE_HEADING = (0, 3, 1, 2)  # up, down, left, right are its 0 to 3


@dataclass(frozen=True)
class Robot:
    """A robot: cell, heading (0 north to 3 west), shelf, and whether that has been delivered."""

    cell: int
    heading: int
    carried: int | None = None
    delivered: bool = False


@dataclass(frozen=True)
class World:
    """One world.

    Args:
        robots: by number.
        shelves: cell of each shelf, carried or not.
        requested: numbers of the shelves that are.
        steps: of this episode.
        idle_steps: since the last delivery.
    """

    robots: tuple[Robot, ...]
    shelves: tuple[int, ...]
    requested: frozenset[int]
    steps: int = 0
    idle_steps: int = 0

    def standing(self) -> dict[int, int]:
        """The shelves that nobody carries, by cell."""
        carried = {robot.carried for robot in self.robots}
        return {cell: s for s, cell in enumerate(self.shelves) if s not in carried}


def reference_start(layout: RwareLayout, options: RwareOptions, key: int, tick: int) -> World:
    """The start that ``start.begin`` draws from the same key and tick."""

    def distinct(count: int, role: int, bound: int) -> list[int]:
        found: list[int] = []
        number = 0
        while len(found) < count:
            drawn = below(key, tick, number, role, bound)  # type: ignore[arg-type]
            number += 1
            if drawn not in found:
                found.append(drawn)
        return found

    cells = distinct(options.robots, START_CELL, layout.size)
    robots = tuple(
        Robot(cell, below(key, tick, i, START_HEADING, 4))  # type: ignore[arg-type]
        for i, cell in enumerate(cells)
    )
    shelves = tuple(layout.shelf_cells.tolist())
    requested = distinct(options.request_queue, START_REQUEST, len(shelves))
    return World(robots, shelves, frozenset(requested))


def reference_step(
    layout: RwareLayout,
    options: RwareOptions,
    world: World,
    actions: Sequence[int],
    choose: Choose,
) -> tuple[World, list[float]]:
    """The world after one action of each robot, and the rewards."""
    standing = world.standing()
    targets = [
        _target(layout, robot, standing) if action == FORWARD else None
        for robot, action in zip(world.robots, actions, strict=True)
    ]
    going = reference_decision([robot.cell for robot in world.robots], targets)
    rewards = [0.0] * options.robots
    robots = []
    for i, (robot, action) in enumerate(zip(world.robots, actions, strict=True)):
        target = targets[i]
        if target is not None and going[i]:
            robots.append(replace(robot, cell=target))
        elif action in (LEFT, RIGHT):
            quarters = -1 if action == LEFT else 1
            robots.append(replace(robot, heading=(robot.heading + quarters) % 4))
        elif action == TOGGLE_LOAD and robot.carried is None:
            robots.append(replace(robot, carried=standing.get(robot.cell)))
        elif action == TOGGLE_LOAD and layout.shelves.flat[robot.cell]:
            if robot.delivered and options.reward == "two_stage":
                rewards[i] += 0.5
            robots.append(replace(robot, carried=None, delivered=False))
        else:
            robots.append(robot)
    shelves = list(world.shelves)
    for robot in robots:
        if robot.carried is not None:
            shelves[robot.carried] = robot.cell
    moved = replace(world, robots=tuple(robots), shelves=tuple(shelves), steps=world.steps + 1)
    return _delivered(layout, options, moved, rewards, choose), rewards


def _target(layout: RwareLayout, robot: Robot, standing: dict[int, int]) -> int | None:
    """The cell ahead; None off the floor, or with a shelf where one stands."""
    row, column = divmod(robot.cell, layout.width)
    row, column = row + _STEPS[robot.heading][0], column + _STEPS[robot.heading][1]
    if not (0 <= row < layout.height and 0 <= column < layout.width):
        return None
    cell = row * layout.width + column
    return None if robot.carried is not None and cell in standing else cell


def reference_decision(cells: Sequence[int], targets: Sequence[int | None]) -> list[bool]:
    """Which robots may go to their targets, by the rules of ``arbitration``."""
    at = {cell: i for i, cell in enumerate(cells)}

    def before(i: int) -> int | None:
        target = targets[i]
        return None if target is None else at.get(target)

    def ring(i: int) -> list[int]:
        """The robots of the ring that ``i`` is part of; empty if it is not."""
        found: list[int] = []
        follow: int | None = i
        while follow is not None and follow not in found:
            found.append(follow)
            follow = before(follow)
        return found if follow == i else []

    def chain(i: int) -> int:
        """Robots in the longest chain that waits behind ``i``, itself included."""
        behind = [j for j in range(len(cells)) if before(j) == i]
        return 1 + max(map(chain, behind), default=0)

    def wins(i: int) -> bool:
        rivals = [j for j in range(len(cells)) if targets[j] == targets[i]]
        in_ring = [j for j in rivals if ring(j)]
        return i == (in_ring[0] if in_ring else max(rivals, key=lambda j: (chain(j), -j)))

    def may_go(i: int) -> bool:
        if targets[i] is None or not wins(i):
            return False
        if ring(i):
            return len(ring(i)) > 2
        ahead = before(i)
        return ahead is None or may_go(ahead)

    return [may_go(i) for i in range(len(cells))]


def _delivered(
    layout: RwareLayout, options: RwareOptions, world: World, rewards: list[float], choose: Choose
) -> World:
    """After the deliveries, which are added to the rewards."""
    robots, requested = list(world.robots), set(world.requested)
    found = 0
    for goal in layout.goals.tolist():
        at_goal = [i for i, robot in enumerate(robots) if robot.cell == goal]
        for i in at_goal:
            brought = robots[i].carried
            if brought is None or brought not in requested:
                continue
            others = [s for s in range(len(world.shelves)) if s not in requested]
            requested = requested - {brought} | {others[choose(len(others), found)]}
            found += 1
            if options.reward == "global":
                rewards[:] = [reward + 1 for reward in rewards]
            elif options.reward == "individual":
                rewards[i] += 1
            else:
                rewards[i] += 0.5
                robots[i] = replace(robots[i], delivered=True)
    idle_steps = 0 if found else world.idle_steps + 1
    return World(tuple(robots), world.shelves, frozenset(requested), world.steps, idle_steps)


def reference_observation(
    layout: RwareLayout, options: RwareOptions, world: World, number: int
) -> list[float]:
    """What robot ``number`` sees, in the order of RWARE's flattened observation."""
    robot = world.robots[number]
    row, column = divmod(robot.cell, layout.width)
    x, y = float(column), float(row)
    if options.normalised_coordinates:
        x, y = column / max(layout.width - 1, 1), row / max(layout.height - 1, 1)
    corridor = not layout.shelves.flat[robot.cell]
    seen = [x, y, float(robot.carried is not None), *_one_hot(robot.heading), float(corridor)]
    reach = range(-options.sensor_range, options.sensor_range + 1)
    for dy in reach:
        for dx in reach:
            seen += _cell(layout, world, row + dy, column + dx)
    return seen


def _cell(layout: RwareLayout, world: World, row: int, column: int) -> list[float]:
    inside = 0 <= row < layout.height and 0 <= column < layout.width
    cell = row * layout.width + column if inside else -1
    there = [robot for robot in world.robots if robot.cell == cell]
    shelves = [s for s, place in enumerate(world.shelves) if place == cell]
    return [
        float(bool(there)),
        *_one_hot(there[0].heading if there else 0),
        float(bool(shelves)),
        float(bool(shelves) and shelves[0] in world.requested),
    ]


def _one_hot(heading: int) -> list[float]:
    return [float(_RWARE_HEADING[heading] == k) for k in range(4)]
