# SPDX-License-Identifier: Apache-2.0
"""The options of every command; tyro makes the command line from them.

Options of a package live in that package; here they are put together.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from math import isfinite
from typing import Annotated, Literal

import tyro

from agents.coordination.options import ModelOptions, TrainOptions
from agents.forecasting.options import ModelName, TrainingOptions
from agents.forecasting.options import TaskName as SeriesName
from cluster.coordinators import NAMES, LearnedName
from cluster.coordinators import Name as CoordinatorName
from sim.conflicts import Granularity
from sim.coordinators.interface import Budget
from sim.coordinators.pool import PoolOptions
from sim.delays import DelayOptions
from sim.errors import require
from sim.families import FamilyOptions
from sim.floors import FloorOptions
from sim.generate import WarehouseOptions
from sim.instances import InstanceOptions
from sim.robust import Criterion
from sim.schedule import Objective

MOST_SEEDS = 1000


@dataclass(frozen=True)
class Coordinate:
    """Let several coordinators lead the same fleets across a floor, and compare them.

    Ends with the path of a report. The same command with the same --out resumes where it stopped.
    """

    map: str = "generate"
    """A MovingAI .map file, a League of Robot Runners problem (.json or a folder with one), or
    the word generate for a warehouse made with the --warehouse options."""
    scenario: str | None = None
    """A MovingAI .scen file with starts and goals; without it they are drawn at random."""
    robots: tuple[int, ...] = (10, 25, 50)
    """Sizes of the fleets, such as: --robots 10 50."""
    instances: int = 2
    """Instances of each size."""
    coordinators: tuple[str, ...] = ("fcfs", "priority", "insertion", "local_search")
    """Who decides, separated by spaces or commas; see docs/architecture.md for what each does."""
    weights: str | None = None
    """Weights of gnn_vae and gnn_vae+ls, a .safetensors file; by default those that are shipped."""
    deadline_s: float = 10.0
    """Seconds that a coordinator may think about one instance."""
    steps: int | None = None
    """Steps instead of seconds: everything but the measured seconds then depends on the seed
    alone, not on the machine or the number of workers."""
    objective: Objective = Objective.MEAN_TRAVEL
    """What a schedule costs."""
    robust: Criterion = "nominal"
    """Choose between the assignments of a coordinator by their nominal cost, or by the mean or
    the tail of their cost over sampled delays."""
    workers: int = 2
    """Processes on Ray, one core each; 0 works in this process, without Ray."""
    seed: int = 0
    """Where all randomness comes from."""
    out: str | None = None
    """The run folder: absolute, or a name below runs/; by default named after the time."""
    ray_address: str | None = None
    """HOST:PORT of a running Ray cluster; by default RAY_ADDRESS, else a local Ray."""
    instance: InstanceOptions = field(default_factory=InstanceOptions)
    warehouse: WarehouseOptions = field(default_factory=WarehouseOptions)
    delays: DelayOptions = field(default_factory=DelayOptions)
    delay_samples: int = 200
    """Executions of every schedule under sampled delays."""

    def __post_init__(self) -> None:
        require("robots", self.robots, all(n >= 1 for n in self.robots), "1 or more each")
        require("robots", self.robots, bool(self.robots), "at least one number")
        require("deadline_s", self.deadline_s, isfinite(self.deadline_s), "a finite number")
        require("instances", self.instances, self.instances >= 1, "1 or more")
        require("delay_samples", self.delay_samples, self.delay_samples >= 1, "1 or more")
        require("workers", self.workers, self.workers >= 0, "0 or more")
        require("seed", self.seed, self.seed >= 0, "0 or more")
        _ = self.budget, self.coordinator_names

    @property
    def budget(self) -> Budget:
        """How long a coordinator may think."""
        return Budget(self.deadline_s, self.steps)

    @property
    def coordinator_names(self) -> tuple[CoordinatorName, ...]:
        """The coordinators in the order given, each once."""
        return tuple(NAMES[name] for name in names_in("coordinators", self.coordinators, NAMES))

    @property
    def learned_names(self) -> tuple[LearnedName, ...]:
        """Those of the coordinators that need weights."""
        return tuple(name for name in self.coordinator_names if isinstance(name, LearnedName))


@dataclass(frozen=True)
class Forecast:
    """Train recurrent models, quantum and classical, on the same series, and compare them.

    Ends with the path of a report. The same command with the same --out resumes where it stopped.
    """

    task: tuple[str, ...] = ("shm",)
    """Names, separated by commas or spaces: shm, bessel, narma5, narma10, recall1, recall2,
    recall4 (the number is the delay)."""
    models: tuple[str, ...] = ("qfwp,qlstm,lstm,fwp",)
    """Names, separated by commas or spaces: qfwp, qfwp_decay, qfwp_gated, qfwp_bounded, qlstm,
    qlstm4, lstm, gru, fwp, delta. The predictors without training (ar, mean, persistence,
    order_blind) may be named too, but are always shown where they make sense."""
    seeds: int = 5
    """Trainings of each model on each task, from different initial values."""
    epochs: int = 100
    """Passes over the training part."""
    batch: int = 10
    """Windows per step, in the order of time."""
    learning_rate: float = 0.01
    """Of RMSprop."""
    workers: int = 2
    """Processes on Ray, one core each; 0 works in this process, without Ray."""
    seed: int = 0
    """Where all randomness comes from."""
    out: str | None = None
    """The run folder: absolute, or a name below runs/; by default named after the time."""
    ray_address: str | None = None
    """HOST:PORT of a running Ray cluster; by default RAY_ADDRESS, else a local Ray."""

    def __post_init__(self) -> None:
        require("seeds", self.seeds, 1 <= self.seeds <= MOST_SEEDS, f"1 to {MOST_SEEDS}")
        require("workers", self.workers, self.workers >= 0, "0 or more")
        require("seed", self.seed, self.seed >= 0, "0 or more")
        _ = self.training, self.task_names, self.model_names

    @property
    def training(self) -> TrainingOptions:
        """How every model is trained."""
        return TrainingOptions(self.epochs, self.batch, self.learning_rate)

    @property
    def task_names(self) -> tuple[SeriesName, ...]:
        """The tasks in the order given, each once."""
        return tuple(map(SeriesName, names_in("task", self.task, list(SeriesName))))

    @property
    def model_names(self) -> tuple[ModelName, ...]:
        """The models to train, in the order given, each once; trivial ones are always there."""
        names = map(ModelName, names_in("models", self.models, list(ModelName)))
        return tuple(name for name in names if not name.is_trivial)


@dataclass(frozen=True)
class Label:
    """Make instances, solve them, and keep several good assignments of each to learn from.

    Ends with the path of a report. The same command with the same --out resumes where it stopped.
    """

    instances: int = 64
    """How many; one without a conflict is drawn again."""
    robots: tuple[int, int] = (5, 25)
    """Least and most robots of an instance."""
    goals: tuple[int, int] = (1, 4)
    """Least and most places that a robot goes to, one after another. With several, the routes of a
    small fleet cross as often as those of a large one."""
    floors: tuple[str, ...] = ("warehouse", "random")
    """What the floors are, in turn: warehouse and random are drawn anew for every instance; also
    MovingAI .map files."""
    pool: int = 8
    """Most assignments to keep of an instance; they differ in their orders."""
    pool_ratio: float = 1.02
    """None of them costs more than this many times the best."""
    deadline_s: float = 10.0
    """Seconds for one instance; one that is proven optimal early takes less."""
    steps: int | None = None
    """Steps of local search and nodes of tree search instead of seconds: the files then depend on
    the seed alone, not on the machine or the number of workers. 40000 take 1 to 10 seconds."""
    objective: Objective = Objective.MEAN_TRAVEL
    """What a schedule costs."""
    workers: int = 2
    """Processes on Ray, one core each; 0 works in this process, without Ray."""
    seed: int = 0
    """Where all randomness comes from."""
    out: str | None = None
    """The run folder: absolute, or a name below runs/; by default named after the time."""
    ray_address: str | None = None
    """HOST:PORT of a running Ray cluster; by default RAY_ADDRESS, else a local Ray."""
    floor: FloorOptions = field(default_factory=FloorOptions)
    instance: InstanceOptions = field(default_factory=InstanceOptions)

    def __post_init__(self) -> None:
        require("instances", self.instances, 1 <= self.instances <= 100_000, "1 to 100000")
        require("floors", self.floors, bool(self.floors), "at least one")
        require("deadline_s", self.deadline_s, isfinite(self.deadline_s), "a finite number")
        require("workers", self.workers, self.workers >= 0, "0 or more")
        require("seed", self.seed, self.seed >= 0, "0 or more")
        searched = self.instance.granularity is Granularity.OVERLAPS
        require("granularity", str(self.instance.granularity), searched, "overlaps")
        _ = self.budget, self.family, self.pool_options

    @property
    def budget(self) -> Budget:
        """How long one instance may take."""
        return Budget(self.deadline_s, self.steps)

    @property
    def family(self) -> FamilyOptions:
        """What instances are drawn from."""
        return FamilyOptions(self.robots, self.goals, self.floor, self.instance)

    @property
    def pool_options(self) -> PoolOptions:
        """Which assignments are kept."""
        return PoolOptions(self.pool, self.pool_ratio)


@dataclass(frozen=True)
class TrainCoordinator:
    """Train a model on labelled instances; it leads gnn_vae and gnn_vae+ls in coordinate.

    Ends with the path of a report. The same command with the same --out resumes where it stopped,
    and ends with the same weights as if it had not.
    """

    labels: tuple[str, ...]
    """Runs of label: folders, names below runs/, folders of shards, or single shards."""
    held_out: float = 0.2
    """Share of the instances that are never learnt from, and judged instead."""
    most_held_out: int = 64
    """At most so many of them; the others are learnt from."""
    samples: int = 32
    """Assignments that methods which sample try for each held-out instance at the end."""
    weights: str | None = None
    """Begin with these weights, a .safetensors file of the same architecture, instead of random
    ones."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the model computes. On a GPU sums have no fixed order: two runs differ by rounding."""
    seed: int = 0
    """Where all randomness comes from."""
    out: str | None = None
    """The run folder: absolute, or a name below runs/; by default named after the time."""
    training: Annotated[TrainOptions, tyro.conf.arg(name="")] = field(default_factory=TrainOptions)
    model: ModelOptions = field(default_factory=ModelOptions)

    def __post_init__(self) -> None:
        require("held_out", self.held_out, 0 < self.held_out < 1, "above 0, below 1")
        require("samples", self.samples, self.samples >= 1, "1 or more")
        require("most_held_out", self.most_held_out, self.most_held_out >= 1, "1 or more")
        require("seed", self.seed, self.seed >= 0, "0 or more")


@dataclass(frozen=True)
class Report:
    """Build the report of a run again, from its folder alone."""

    run: Annotated[str, tyro.conf.Positional]
    """The run folder: a path, or a name below runs/."""


@dataclass(frozen=True)
class Doctor:
    """Check this installation, and say what to do about every finding."""

    start_ray: bool = True
    """Start a local Ray and run one task on it, which takes some seconds."""


def names_in(
    option: str, parts: tuple[str, ...], allowed: Collection[str] | None = None
) -> tuple[str, ...]:
    """The names in texts that separate them by commas, in the order given, each once.

    Raises:
        InputError: there is none, or one that is not allowed.
    """
    given = [name for part in parts for name in part.split(",") if name]
    for name in given:
        require(option, name, allowed is None or name in allowed, ", ".join(allowed or ()))
    require(option, parts, bool(given), "at least one name")
    return tuple(dict.fromkeys(given))
