# SPDX-License-Identifier: Apache-2.0
"""The options of ``train``; see :mod:`cluster.options`."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import tyro

from agents.learning.options import ActOptions, Algorithm, LearnOptions, Setup, paper_setup
from agents.policies.options import CoreName, GridEncoding, PolicyOptions
from sim.environments.make import EnvironmentEngine
from sim.errors import require

ROWS = 100
"""Lines of a whole training, unless it is said how often there is one."""


class Mode(StrEnum):
    """Who waits for whom."""

    SYNC = "sync"
    """All groups act with the same parameters, then the learner learns: the same bits for a seed,
    whatever the number of actors."""
    ASYNC = "async"
    """Nobody waits: actors go on with the newest parameters that there are."""
    PAPER = "paper"
    """Asynchronous, with the constants and the forgetful learner of the paper."""


@dataclass(frozen=True)
class Train:
    """Train a policy in an environment, by actors on several cores and one learner.

    Ends with the path of a report. The same command with the same --out resumes where it stopped;
    in the mode sync it ends with the same parameters as if it had not.
    """

    env: str = "MiniGrid-Empty-5x5-v0"
    """An id of Gymnasium, MiniGrid or POPGym, MODULE:ID of any other, or one of ours: bandit-4,
    identity-4, memory-length-8 with any number."""
    policy: CoreName = CoreName.QFWP
    """Its memory."""
    actors: int = 2
    """Processes on Ray that act, one core each; at most as many as groups."""
    steps: int = 200_000
    """Actions in all environments together; the first update that reaches them is the last."""
    mode: Mode = Mode.SYNC
    """sync repeats to the bit; async does not wait; paper is async with the constants of arXiv
    2402.17760."""
    match_params: int | None = None
    """Size the core so that the policy has as nearly as possible so many parameters; by default
    those of qfwp. The sizes of the QFWP cores are fixed."""
    grid_encoding: GridEncoding = "embedding"
    """Grids by learnt tables, or raw numbers as in the paper."""
    engine: EnvironmentEngine = EnvironmentEngine.AUTO
    """What steps the environments; auto takes the compiled world where there is one."""
    batch_rollouts: int | None = None
    """Rollouts of an update; in the mode sync one of each group, in paper 1, else by default as
    many as groups."""
    checkpoint_updates: int | None = None
    """A checkpoint and a line after every so many updates; by default a hundredth of them."""
    episodes: int = 128
    """Whole episodes that the policy is judged by at the end, with greedy actions and again with
    drawn ones."""
    seed: int = 0
    """Where all randomness comes from."""
    out: str | None = None
    """The run folder: absolute, or a name below runs/; by default named after the time."""
    ray_address: str | None = None
    """HOST:PORT of a running Ray cluster; by default RAY_ADDRESS, else a local Ray."""
    act: Annotated[ActOptions, tyro.conf.arg(name="")] = field(default_factory=ActOptions)
    learn: Annotated[LearnOptions, tyro.conf.arg(name="")] = field(default_factory=LearnOptions)

    def __post_init__(self) -> None:
        groups, rollouts = self.act.groups, self.batch_rollouts
        require("actors", self.actors, 1 <= self.actors <= groups, f"1 to {groups}, the groups")
        for name in ("batch_rollouts", "checkpoint_updates"):
            value = getattr(self, name)
            require(name, value, value is None or value >= 1, "1 or more")
        require("episodes", self.episodes, 2 <= self.episodes <= 100_000, "2 to 100000")
        by_mode = rollouts is None or self.mode is Mode.ASYNC
        require("batch_rollouts", rollouts, by_mode, "only with mode async")
        self._require_fitting()
        _ = self.setup

    def _require_fitting(self) -> None:
        """Options that another one leaves without effect, or without sense."""
        if self.mode is Mode.PAPER:
            plain = self.learn == LearnOptions()
            require("mode", str(self.mode), plain, "sync or async with options of learning")
            act = self.act == ActOptions(groups=self.act.groups)
            require("mode", str(self.mode), act, "sync or async with lanes or unroll_steps")
        elif self.learn.algorithm is Algorithm.PPO:
            lanes, parts = self.rollouts * self.act.lanes, self.learn.minibatches
            require("minibatches", parts, parts <= lanes, f"at most {lanes}, the lanes of a batch")

    @property
    def setup(self) -> Setup:
        """All that the training depends on."""
        setup = Setup(
            environment=self.env,
            steps=self.steps,
            seed=self.seed,
            engine=self.engine,
            policy=PolicyOptions(self.policy, self.match_params, self.grid_encoding),
            act=self.act,
            learn=self.learn,
        )
        return paper_setup(setup) if self.mode is Mode.PAPER else setup

    @property
    def rollouts(self) -> int:
        """Of an update."""
        if self.mode is Mode.PAPER:
            return 1
        return self.batch_rollouts or self.act.groups

    @property
    def interval_updates(self) -> int:
        """Updates between two checkpoints."""
        act = self.setup.act
        updates = -(-self.steps // (self.rollouts * act.lanes * act.unroll_steps))
        return self.checkpoint_updates or -(-updates // ROWS)
