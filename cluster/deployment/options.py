# SPDX-License-Identifier: Apache-2.0
"""The options of ``deploy``, and of the app that it runs."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import tyro

from federated.options import FitOptions, ModelOptions, TaskName
from federated.partition import Partition
from federated.privacy.options import PrivacyOptions, require_fitting
from federated.strategy_options import StrategyName, StrategyOptions, require_possible
from sim.errors import require

LOOPBACK = "127.0.0.1"
MOST_HERE, MOST = 32, 1000
"""Nodes on one host, each of which takes 250 MB and more while it trains, and in all."""
WILDCARDS = ("0.0.0.0", "::")


@dataclass(frozen=True)
class AppOptions:
    """What is learnt, and how; as in ``federate``, and in ``[tool.flwr.app.config]``."""

    task: str = "vqc-digits"
    """MODEL-DATA: vqc, parity, mlp or logistic with digits, cancer or credit; qfwp, qlstm, lstm or
    fwp with shm, bessel, narma5, narma10 or pedestrians; a policy with gridworld or memory, such as
    qfwp-gridworld."""
    rounds: int = 3
    """Of the whole federation, those of earlier starts included."""
    strategy: StrategyName = StrategyName.FEDAVG
    """How replies become the next model."""
    partition: str = "iid"
    """How samples, or environments, are shared out: iid, dirichlet:CONCENTRATION, classes:NUMBER,
    quantity:CONCENTRATION, or natural for data that come from several places."""
    seed: int = 0
    """Where all randomness comes from."""
    server: StrategyOptions = field(default_factory=StrategyOptions)
    fit: FitOptions = field(default_factory=FitOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    privacy: PrivacyOptions = field(default_factory=PrivacyOptions)

    def __post_init__(self) -> None:
        require("rounds", self.rounds, self.rounds >= 1, "1 or more")
        require("seed", self.seed, self.seed >= 0, "0 or more")
        require_fitting(self.privacy, self.task, self.strategy)
        TaskName.parse(self.task)
        Partition.parse(self.partition)


@dataclass(frozen=True)
class Deploy:
    """Run the federation as real processes that authenticate each other: Flower's SuperLink here,
    and a SuperNode at every site, here or on other hosts.

    Keys and certificates are made for a trial in the run folder, or are yours. What dies is started
    again, and the federation goes on after its last finished round. Ends with the path of the
    result; the same command with the same --out resumes.
    """

    role: Literal["all", "server", "node"] = "all"
    """What to start on this host: the SuperLink and all nodes, the SuperLink alone, or one node."""
    nodes: int = 2
    """SuperNodes in all, one per site."""
    node: int = 0
    """Which of them, from 0; for the role node."""
    host: str = LOOPBACK
    """Name or address by which nodes reach the SuperLink; its certificate must name it."""
    bind: str | None = None
    """Address that the SuperLink listens on, such as 0.0.0.0; by default that of --host."""
    port: int = 9443
    """Of the SuperLink."""
    node_port: int = 9494
    """Node i listens at this port + i, on the loopback of its host alone, for its ClientApp."""
    insecure: bool = False
    """No TLS and no authentication: everybody on the way reads and writes everything."""
    ca: str | None = None
    """Certificate of the authority (PEM); by default one made for a trial, in the run folder."""
    certificate: str | None = None
    """Certificate of the SuperLink (PEM), with its intermediates."""
    key: str | None = None
    """Its private key (PEM, without a password)."""
    node_keys: tuple[str, ...] = ()
    """OpenSSH keys (ECDSA, such as ssh-keygen -t ecdsa makes them), in the order of the nodes:
    private ones of all nodes for the role all, public ones of all nodes for server, one private
    key for node. By default made for a trial, except for node."""
    out: str | None = None
    """The run folder: absolute, or a name below runs/; by default named after the time."""
    app: Annotated[AppOptions, tyro.conf.arg(name="")] = field(default_factory=AppOptions)

    def __post_init__(self) -> None:
        most = MOST_HERE if self.role == "all" else MOST
        require("nodes", self.nodes, 1 <= self.nodes <= most, f"1 to {most} for role {self.role}")
        require("node", self.node, 0 <= self.node < self.nodes, f"0 to {self.nodes - 1}")
        require("host", self.host, self.host not in ("", *WILDCARDS), "a name or an address")
        last = 65535 - self.nodes
        require("port", self.port, 1 <= self.port <= 65535, "1 to 65535")
        require("node_port", self.node_port, 1 <= self.node_port <= last, f"1 to {last}")
        require_possible(self.app.strategy, self.app.server, self.nodes)
        self._require_keys()

    def _require_keys(self) -> None:
        given = [self.ca, self.certificate, self.key, *self.node_keys]
        if self.insecure:
            require("insecure", True, not any(given), "no, with keys or certificates")
            return
        if self.role == "node":
            require("ca", self.ca, self.ca is not None, "a file; role node needs it")
            held = len(self.node_keys) == 1
            require("node_keys", self.node_keys, held, "one private key; role node needs it")
            return
        three = [self.ca, self.certificate, self.key]
        together = all(three) or not any(three)
        require("certificate", self.certificate, together, "with --ca and --key, or none of them")
        complete = len(self.node_keys) in (0, self.nodes)
        require("node_keys", self.node_keys, complete, f"one for each of {self.nodes} nodes")

    @property
    def listening(self) -> str:
        """Address that the SuperLink listens on."""
        return self.bind or self.host

    @property
    def address(self) -> str:
        """Where nodes find the SuperLink."""
        return f"{self.host}:{self.port}"

    @property
    def here(self) -> range:
        """The nodes that run on this host."""
        match self.role:
            case "all":
                return range(self.nodes)
            case "server":
                return range(0)
            case "node":
                return range(self.node, self.node + 1)
