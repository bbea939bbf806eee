# SPDX-License-Identifier: Apache-2.0
"""The options of ``compare``; needs no torch."""

from dataclasses import dataclass, field
from typing import Annotated

import tyro

from agents.learning.options import ActOptions, LearnOptions, Setup
from agents.policies.options import CoreName, PolicyOptions
from cluster.options import MOST_SEEDS, names_in
from sim.errors import require


@dataclass(frozen=True)
class Compare:
    """Train several policies on several environments from many seeds, and judge them.

    Ends with the path of a report. The same command with the same --out resumes where it stopped.
    """

    envs: tuple[str, ...] = ("MiniGrid-MemoryS7-v0",)
    """Environments, separated by commas or spaces: Gymnasium, MiniGrid and POPGym ids,
    memory-length-N, bandit-N, identity-N."""
    policies: tuple[str, ...] = ("qfwp,qfwp_gated,vqc,fwp,fwp_gated,delta,lstm,gru,mlp",)
    """Cores, separated by commas or spaces: qfwp, qfwp_decay, qfwp_gated, qfwp_bounded, qlstm,
    qlstm4, vqc, fwp, fwp_gated, delta, lstm, gru, mlp."""
    seeds: int = 10
    """Trainings of each policy on each environment."""
    steps: int = 200_000
    """Actions of each training, in all environments together."""
    match_params: int | None = None
    """Size every opponent to so many parameters; by default to as many as qfwp has."""
    episodes: int = 100
    """At the end each policy is judged by so many, and so are the trivial players."""
    engine: str = "auto"
    """What steps the environments: compiled where there is a compiled one (auto), compiled, or
    gymnasium."""
    workers: int = 2
    """Processes on Ray, one core each; 0 works in this process, without Ray."""
    seed: int = 0
    """Where all randomness comes from."""
    out: str | None = None
    """The run folder: absolute, or a name below runs/; by default named after the time."""
    ray_address: str | None = None
    """HOST:PORT of a running Ray cluster; by default RAY_ADDRESS, else a local Ray."""
    act: Annotated[ActOptions, tyro.conf.arg(name="")] = field(default_factory=ActOptions)
    learn: Annotated[LearnOptions, tyro.conf.arg(name="")] = field(default_factory=LearnOptions)

    def __post_init__(self) -> None:
        require("seeds", self.seeds, 1 <= self.seeds <= MOST_SEEDS, f"1 to {MOST_SEEDS}")
        require("episodes", self.episodes, self.episodes >= 2, "2 or more")
        require("workers", self.workers, self.workers >= 0, "0 or more")
        _ = self.policy_names
        for name in self.env_names:
            self.setup(name, CoreName.QFWP, self.seed)

    @property
    def env_names(self) -> tuple[str, ...]:
        """The environments in the order given, each once."""
        return names_in("envs", self.envs)

    @property
    def policy_names(self) -> tuple[CoreName, ...]:
        """The policies in the order given, each once."""
        return tuple(map(CoreName, names_in("policies", self.policies, list(CoreName))))

    def setup(self, env: str, policy: CoreName, seed: int) -> Setup:
        """One training."""
        made_of = PolicyOptions(policy, self.match_params)
        return Setup(env, self.steps, seed, self.engine, made_of, self.act, self.learn)
