# SPDX-License-Identifier: Apache-2.0
"""Where instances come from: a map with random fleets, a scenario, or a league problem."""

from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cluster.options import Coordinate
from cluster.trials import trial_rng
from sim.delays import DelayModel, LorrDelayOptions
from sim.errors import InputError
from sim.generate import generate_warehouse
from sim.instances import Instance, InstanceOptions, make_errand_instance, make_instance
from sim.layout import Cells, Layout
from sim.lorr import Problem, read_problem
from sim.readers import read_map, read_scenario

GENERATE = "generate"


class Maker(Protocol):
    """Makes the instance of a given number (0, 1, ...) for a fleet of a given size."""

    def __call__(self, number: int, num_robots: int, rng: np.random.Generator) -> Instance:
        """Raise InputError where the source does not have such an instance."""
        ...


@dataclass(frozen=True)
class Source:
    """A floor, and how fleets are put on it.

    Args:
        make: makes instances.
        delays: how robots are delayed; a league problem brings its own model.
        digest: changes with the content of the files, so that a run is not resumed on others.
    """

    make: Maker
    delays: DelayModel
    digest: str


def read_source(options: Coordinate) -> Source:
    """Read or generate what ``--map`` and ``--scenario`` name.

    Raises:
        InputError: a file is missing or damaged, or the two do not go together.
    """
    path = Path(options.map)
    if options.map != GENERATE and not path.exists():
        raise InputError(f"map is {options.map!r}; allowed: a file, a folder, or {GENERATE}")
    if path.suffix == ".json" or path.is_dir():
        if options.scenario is not None:
            raise InputError(
                "scenario is set, but a league problem brings its own starts and goals"
            )
        problem = read_problem(path)
        make = partial(_from_problem, problem, options.instance)
        return Source(make, _league_delays(problem, options.instance), _digest_of(problem))
    layout = _layout(options, path)
    if options.scenario is None:
        make = partial(_random, layout, options.instance)
        return Source(make, options.delays, _digest(layout.free))
    scenario = read_scenario(Path(options.scenario), layout)
    stops = np.stack([scenario.starts, scenario.goals], axis=1)
    pairs = partial(_from_pairs, layout, stops, options.instance)
    return Source(pairs, options.delays, _digest(layout.free, stops))


def _layout(options: Coordinate, path: Path) -> Layout:
    if options.map == GENERATE:
        return generate_warehouse(options.warehouse, trial_rng(options.seed, "layout"))
    return read_map(path)


def _random(
    layout: Layout, how: InstanceOptions, number: int, num_robots: int, rng: np.random.Generator
) -> Instance:
    """Starts and goals at random; the generator alone tells one instance from another."""
    del number
    return make_instance(layout, num_robots, how, rng)


def _from_pairs(
    layout: Layout,
    pairs: Cells,
    how: InstanceOptions,
    number: int,
    num_robots: int,
    rng: np.random.Generator,
) -> Instance:
    """The pairs of a scenario in their order; the next instance goes on where one ended."""
    chosen = pairs[number * num_robots : (number + 1) * num_robots]
    if len(chosen) < num_robots:
        raise InputError(
            f"instances x robots is {number + 1} x {num_robots}; "
            f"allowed: up to the {len(pairs)} pairs of the scenario"
        )
    return make_errand_instance(layout, list(chosen), how, rng)


def _from_problem(
    problem: Problem, how: InstanceOptions, number: int, num_robots: int, rng: np.random.Generator
) -> Instance:
    """The first robots and tasks as they are; further instances take them in random order."""
    if number > 0:
        robots = rng.permutation(problem.team_size)
        tasks = rng.permutation(len(problem.tasks))
        problem = replace(
            problem,
            starts=problem.starts[robots],
            tasks=tuple(problem.tasks[task] for task in tasks),
        )
    return make_errand_instance(problem.layout, problem.stops(num_robots), how, rng)


def _league_delays(problem: Problem, how: InstanceOptions) -> LorrDelayOptions:
    """The problem's delays with a tick as long as our robots take for it."""
    cell_ms = 1000 * how.cell_m / how.speed_m_s
    return replace(problem.delays, tick_ms=max(1, round(cell_ms / problem.ticks_per_action)))


def _digest_of(problem: Problem) -> str:
    return _digest(problem.layout.free, problem.starts, *problem.tasks)


def _digest(*arrays: NDArray[np.generic]) -> str:
    parts = [f"{array.shape}".encode() + array.tobytes() for array in arrays]
    return sha256(b"".join(parts)).hexdigest()[:16]
