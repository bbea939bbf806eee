# SPDX-License-Identifier: Apache-2.0
"""The options of ``federate``; see :mod:`cluster.options`."""

from dataclasses import dataclass, field

from federated.options import COORDINATOR, FitOptions, ModelOptions, TaskName, has_samples
from federated.partition import Partition
from federated.privacy.options import PrivacyOptions, require_fitting
from federated.secure_options import SecureOptions
from federated.strategy_options import (
    StrategyName,
    StrategyOptions,
    asked_each_round,
    require_blind,
    require_possible,
)
from sim.errors import require


@dataclass(frozen=True)
class Federate:
    """Let sites learn one model without pooling their data, and compare it with what each learns
    alone and with what the pooled data would give.

    Ends with the path of a report. The same command with the same --out resumes where it stopped;
    with more --rounds it goes on from there.
    """

    task: str = "vqc-digits"
    """MODEL-DATA: vqc, parity, mlp or logistic with digits, cancer or credit; qfwp, qlstm, lstm or
    fwp with shm, bessel, narma5, narma10 or pedestrians; a policy with gridworld or memory, such as
    qfwp-gridworld; or gnn_vae-floors."""
    clients: int = 10
    """Sites that learn together."""
    rounds: int = 20
    """Of the whole federation, those of earlier starts included."""
    strategy: StrategyName = StrategyName.FEDAVG
    """How replies become the next model; its numbers are --server options."""
    partition: str = "dirichlet:0.3"
    """How samples, or environments, are shared out: iid, dirichlet:CONCENTRATION, classes:NUMBER,
    quantity:CONCENTRATION, or natural for data that come from several places."""
    new_sites: int = 0
    """Sites more, which do not take part and come when all is learnt: what is the model worth to
    them after 1, 3, 7 and 14 days or shots?"""
    labels: tuple[str, ...] = ()
    """For gnn_vae-floors: a run of label for each site; without any, floors are made up."""
    regimes: bool = True
    """Train each site alone, and all on pooled data, too, with the same epochs."""
    evaluate: bool = True
    """Have all sites judge each new model."""
    record_updates: bool = False
    """Keep what every site sent in every round, for a later audit; large."""
    secure: bool = False
    """Let the server learn the mean of the updates only, by SecAgg+."""
    workers: int = 2
    """Hosts of sites on Ray, one core each; 0 works in this process, without Ray."""
    seed: int = 0
    """Where all randomness comes from."""
    out: str | None = None
    """The run folder: absolute, or a name below runs/; by default named after the time."""
    ray_address: str | None = None
    """HOST:PORT of a running Ray cluster; by default RAY_ADDRESS, else a local Ray."""
    server: StrategyOptions = field(default_factory=StrategyOptions)
    fit: FitOptions = field(default_factory=FitOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    secagg: SecureOptions = field(default_factory=SecureOptions)
    privacy: PrivacyOptions = field(default_factory=PrivacyOptions)

    def __post_init__(self) -> None:
        require("clients", self.clients, 1 <= self.clients <= 100_000, "1 to 100000")
        require("rounds", self.rounds, self.rounds >= 1, "1 or more")
        require("new_sites", self.new_sites, self.new_sites >= 0, "0 or more")
        require("workers", self.workers, self.workers >= 0, "0 or more")
        require("seed", self.seed, self.seed >= 0, "0 or more")
        floors = self.task == COORDINATOR
        require("labels", self.labels, floors or not self.labels, f"only for {COORDINATOR}")
        fits = len(self.labels) in (0, self.clients)
        require("labels", self.labels, fits, f"one for each of the {self.clients} clients")
        known = has_samples(self.task) or not self.new_sites
        require("new_sites", self.new_sites, known, "0 for this task")
        require_possible(self.strategy, self.server, self.clients)
        self._require_private()
        if self.secure:
            self._require_secure()
        _ = floors or TaskName.parse(self.task), Partition.parse(self.partition)

    def _require_private(self) -> None:
        require_fitting(self.privacy, self.task, self.strategy, secure=self.secure)
        # Sites tell of their last layers for that, without noise.
        plain = self.privacy.clip_norm is None or not self.new_sites
        require("new_sites", self.new_sites, plain, "0 with privacy.clip_norm")

    def _require_secure(self) -> None:
        require_blind(self.strategy, self.server)
        self.secagg.shares_of(asked_each_round(self.server, self.clients))
        recorded = self.record_updates
        require("record_updates", recorded, not recorded, "false with secure, as none is seen")
