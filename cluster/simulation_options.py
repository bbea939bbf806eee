# SPDX-License-Identifier: Apache-2.0
"""The options of ``simulate``."""

from dataclasses import dataclass, field, replace

from cluster.options import names_in
from cluster.simulation.controllers import Chosen, chosen
from sim.errors import require
from sim.generate import WarehouseOptions
from sim.warehouse.control.rolling import RollingOptions
from sim.warehouse.delays.options import TickDelayOptions
from sim.warehouse.dispatch import DispatchOptions
from sim.warehouse.people.options import PeopleOptions
from sim.warehouse.rules import Following, Gait, Rules
from sim.warehouse.streams import OrderOptions

MAX_TICKS = 10_000_000


@dataclass(frozen=True)
class Simulate:
    """Let warehouses live: orders come in, robots pick and deliver, and somebody drives them.

    Ends with the path of a report. The same command with the same --out resumes where it stopped.
    """

    map: str = "generate"
    """A MovingAI .map file, a League of Robot Runners problem (.json or a folder with one), or
    the word generate for a warehouse made with the --warehouse options."""
    controller: tuple[str, ...] = ("pibt",)
    """Who drives, separated by spaces or commas: pibt, prioritised, rolling, or coordinated: and a
    coordinator, such as coordinated:insertion or coordinated:gnn_vae+ls, or policy: and a run of
    train --env warehouse-N, such as policy:RUN, policy:RUN+drawn for actions that are drawn as in
    training, or policy:RUN+pibt where PIBT decides and the policy wishes."""
    robots: int | None = None
    """In each world; by default 100, or the team of the league's problem."""
    ticks: int = 1000
    """Length of the run."""
    worlds: int = 1
    """Worlds with other starts, orders and delays, each under every controller."""
    gait: Gait = Gait.SLIDING
    """How robots move. In a league's problem they turn."""
    ticks_per_action: int = 1
    """Ticks that a move or a quarter turn takes; a league's problem brings its own."""
    pool: float = 1.5
    """Orders that are kept known and not done, per robot; 0: they become known as they come in, by
    --orders.orders-per-tick. A league's problem brings its own number."""
    think_ticks: int | None = None
    """What is planned and who is to get which order takes effect so many ticks later, and is
    decided as often; by default 10 in a league's problem, as its rules say, else 0: at once. Not
    for pibt and prioritised, which react in every tick."""
    weights: str | None = None
    """Weights of gnn_vae and gnn_vae+ls, a .safetensors file; by default those that are shipped."""
    checkpoint_ticks: int = 500
    """Every so many ticks all that a world is made of is written down: what was lost with a worker
    is lived again from there."""
    film_ticks: int = 200
    """Ticks that the report shows as an animation; 0: none."""
    capacity_mib: int = 1024
    """Memory for distances in each worker, for orders and for robots each."""
    workers: int = 2
    """Processes on Ray, one core each; 0 works in this process, without Ray."""
    seed: int = 0
    """Where all randomness comes from."""
    out: str | None = None
    """The run folder: absolute, or a name below runs/; by default named after the time."""
    ray_address: str | None = None
    """HOST:PORT of a running Ray cluster; by default RAY_ADDRESS, else a local Ray."""
    orders: OrderOptions = field(default_factory=OrderOptions)
    dispatch: DispatchOptions = field(default_factory=DispatchOptions)
    delays: TickDelayOptions = field(default_factory=TickDelayOptions)
    people: PeopleOptions = field(default_factory=PeopleOptions)
    rolling: RollingOptions = field(default_factory=RollingOptions)
    warehouse: WarehouseOptions = field(default_factory=WarehouseOptions)

    def __post_init__(self) -> None:
        robots = self.robots
        require("robots", robots, robots is None or robots >= 1, "1 or more")
        require("ticks", self.ticks, 1 <= self.ticks <= MAX_TICKS, f"1 to {MAX_TICKS}")
        require("worlds", self.worlds, 1 <= self.worlds <= 100_000, "1 to 100000")
        require("pool", self.pool, 0 <= self.pool <= 1000, "0 to 1000")
        think = self.think_ticks
        require("think_ticks", think, think is None or 0 <= think <= 1000, "0 to 1000")
        require("checkpoint_ticks", self.checkpoint_ticks, self.checkpoint_ticks >= 1, "1 or more")
        require("film_ticks", self.film_ticks, 0 <= self.film_ticks <= 2000, "0 to 2000")
        require("capacity_mib", self.capacity_mib, self.capacity_mib >= 1, "1 or more")
        require("workers", self.workers, self.workers >= 0, "0 or more")
        require("seed", self.seed, 0 <= self.seed < 2**32, "0 to 2^32 - 1")
        _ = self.controllers, self.rules

    @property
    def controllers(self) -> tuple[Chosen, ...]:
        """Those asked for, each once."""
        return tuple(chosen(name) for name in names_in("controller", self.controller))

    @property
    def rules(self) -> Rules:
        """Of a floor that is no league's problem."""
        alone = self.ticks_per_action == 1 and self.gait is Gait.SLIDING
        following = Following.TOGETHER if alone else Following.STRAIGHT
        return Rules(self.gait, self.ticks_per_action, following)

    def timed(self, think_ticks: int) -> tuple[DispatchOptions, RollingOptions]:
        """The options of dispatch and rolling horizon with the time to think."""
        if think_ticks == 0:
            return self.dispatch, self.rolling
        return (
            replace(self.dispatch, every_ticks=think_ticks, after_ticks=think_ticks),
            replace(self.rolling, every_ticks=think_ticks, after_ticks=think_ticks),
        )
