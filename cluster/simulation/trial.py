# SPDX-License-Identifier: Apache-2.0
"""The trial of ``simulate``: some worlds under one controller, from their last checkpoint on."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cluster.simulation import checkpoint
from cluster.simulation.controllers import Chosen, Drive, make_controller
from cluster.simulation.records import block_result
from cluster.simulation.scene import Scene, orders_in, starts_of
from cluster.trials import Result, Shared, Trial
from sim.errors import InputError
from sim.warehouse.book import new_book
from sim.warehouse.chance import world_keys
from sim.warehouse.control.fields import Fields
from sim.warehouse.control.rolling import RollingOptions
from sim.warehouse.delays.options import DelayKind, TickDelayOptions
from sim.warehouse.delays.process import DelayProcess
from sim.warehouse.dispatch import Dispatcher, DispatchOptions
from sim.warehouse.film import Film
from sim.warehouse.league.delays import LeagueDelays
from sim.warehouse.league.recorder import LeagueRecorder
from sim.warehouse.league.rounding import moves_apart
from sim.warehouse.people.options import PeopleOptions
from sim.warehouse.people.people import People
from sim.warehouse.simulation import Simulation, Watcher
from sim.warehouse.tally import make_tally
from sim.warehouse.world import Delays, Setting, Snapshot, Worlds

if TYPE_CHECKING:
    from agents.coordination.model import CoordinationVAE
    from agents.driving.pilot import Pilot

SCENE, MODEL = "scene", "learned model"
"""Names of shared values."""

FILM_ROBOTS = 400
TAIL = 40
WARM_UP_ROBOTS, WARM_UP_TICKS = 8, 24


@dataclass(frozen=True)
class Terms:
    """What all trials of a run have in common.

    Args:
        seed, ticks: of the run.
        checkpoint_ticks: from one checkpoint to the next.
        film_ticks: that are filmed in the first world of each controller.
        checkpoints: the folder for them; a worker on another machine writes its own there.
        others: as in the options.
    """

    seed: int
    ticks: int
    checkpoint_ticks: int
    film_ticks: int
    capacity_mib: int
    checkpoints: str
    dispatch: DispatchOptions
    rolling: RollingOptions
    delays: TickDelayOptions
    people: PeopleOptions


@dataclass(frozen=True, eq=False)
class Life:
    """A run with those who watch it."""

    simulation: Simulation
    film: Film | None
    recorder: LeagueRecorder | None
    delays: Delays | None


def trial_key(controller: Chosen, worlds: list[int]) -> str:
    """Such as ``pibt/w00000``."""
    return f"{plain_name(controller)}/w{worlds[0]:05d}"


def plain_name(controller: Chosen) -> str:
    """A name for files; those of controllers may hold colons and plus signs, and paths of runs."""
    plain = "".join(c if c.isalnum() or c in "_-" else "-" for c in controller.name)
    if controller.policy is None:
        return plain
    # Two paths may look alike by now, and a long one is no name.
    return f"{plain[-TAIL:].strip('-')}-{sha256(controller.name.encode()).hexdigest()[:8]}"


def pilot_name(run: str) -> str:
    """The name of the shared value that is the policy of a run."""
    return f"policy of {run}"


def make_trial(controller: Chosen, worlds: list[int], terms: Terms) -> Trial:
    """Some worlds under one controller."""
    key = trial_key(controller, worlds)
    arguments = {
        "controller": controller,
        "worlds": worlds,
        "terms": terms,
        "checkpoint_path": str(Path(terms.checkpoints) / f"{key.replace('/', '-')}.npz"),
        "scene": Shared(SCENE),
        "model": Shared(MODEL) if controller.is_learned else None,
        "pilot": Shared(pilot_name(controller.policy.run)) if controller.policy else None,
    }
    return Trial(key, live, arguments)


def live(
    rng: np.random.Generator,
    controller: Chosen,
    worlds: list[int],
    terms: Terms,
    checkpoint_path: str,
    scene: Scene,
    model: "CoordinationVAE | None",
    pilot: "Pilot | None" = None,
) -> Result:
    """Live to the end; all chance follows from the seed and the worlds' numbers."""
    del rng
    started_s = time.perf_counter()
    life = begin(controller, worlds, terms, scene, model, pilot)
    path = Path(checkpoint_path)
    snapshot = checkpoint.load(path)
    if snapshot is not None:
        _restore(life, snapshot, path)
    at = life.simulation.worlds
    while at.tick < terms.ticks:
        left = terms.checkpoint_ticks - at.tick % terms.checkpoint_ticks
        life.simulation.run(min(left, terms.ticks - at.tick))
        if at.tick < terms.ticks:
            checkpoint.save(path, life.simulation.snapshot())
    at.reveal()  # the pool is full at the end of the last tick too
    seconds = time.perf_counter() - started_s
    return block_result(controller.name, worlds, life, scene, seconds)


def _restore(life: Life, snapshot: Snapshot, path: Path) -> None:
    try:
        life.simulation.restore(snapshot)
    except InputError as error:
        raise InputError(f"{path}: {error}; remove it to begin anew") from error


def begin(
    controller: Chosen,
    worlds: list[int],
    terms: Terms,
    scene: Scene,
    model: "CoordinationVAE | None" = None,
    pilot: "Pilot | None" = None,
) -> Life:
    """The worlds at tick 0, and who looks after them."""
    keys = world_keys(terms.seed, worlds)
    books = [
        new_book(orders_in(scene, terms.seed, world, terms.ticks), scene.robots) for world in worlds
    ]
    apart = None if scene.problem is None else moves_apart(scene.layout)
    setting = Setting(scene.layout, scene.rules, scene.pool_size, apart=apart)
    delays = _delays(scene, terms, worlds, keys)
    people = People(scene.layout, terms.people, keys) if terms.people.count else None
    at = Worlds(setting, starts_of(scene, terms.seed, worlds), books, delays, people)
    watchers: dict[str, Watcher] = {}
    film = Film(at, terms.film_ticks, FILM_ROBOTS) if terms.film_ticks and 0 in worlds else None
    recorder = LeagueRecorder(at, terms.ticks) if scene.problem is not None else None
    if film is not None:
        watchers["film"] = film
    if recorder is not None:
        watchers["league"] = recorder
    fields = Fields(scene.layout, terms.capacity_mib)
    dispatcher = Dispatcher(scene.layout, terms.dispatch, fields, *at.shape)
    drive = Drive(
        scene.layout,
        scene.rules,
        at.fleet,
        keys,
        terms.rolling,
        terms.capacity_mib,
        model,
        apart,
        pilot,
    )
    driver = make_controller(controller, drive)
    tally = make_tally(at, terms.ticks)
    return Life(Simulation(at, dispatcher, driver, tally, watchers), film, recorder, delays)


def _delays(scene: Scene, terms: Terms, worlds: list[int], keys: Any) -> Delays | None:
    if scene.problem is not None:  # blocks of one world there
        options = scene.problem.delays
        return LeagueDelays(replace(options, seed=options.seed + worlds[0]), scene.robots)
    if terms.delays.kind is DelayKind.NONE:
        return None
    return DelayProcess(terms.delays, keys, scene.robots)


def warm_up(
    controllers: tuple[Chosen, ...], terms: Terms, scene: Scene, pilots: Mapping[str, "Pilot"]
) -> None:
    """Compile what the run will use, on its own floor, so that its first ticks are like others.

    Args:
        controllers, terms, scene: of the run.
        pilots: its policies, by their runs.
    """
    short = replace(terms, ticks=WARM_UP_TICKS, film_ticks=0)
    few = replace(scene, robots=min(scene.robots, WARM_UP_ROBOTS), pool_size=2 * WARM_UP_ROBOTS)
    if scene.problem is not None:
        problem = replace(scene.problem, starts=scene.problem.starts[: few.robots])
        few = replace(few, problem=problem)
    plain = {
        choice.plain: replace(choice, coordinator=None) for choice in controllers if choice.plain
    }
    for choice in plain.values():
        begin(choice, [0], short, few).simulation.run(WARM_UP_TICKS)
    for choice in controllers:
        if choice.policy is not None:
            pilot = pilots[choice.policy.run]
            begin(choice, [0], short, few, None, pilot).simulation.run(WARM_UP_TICKS)
