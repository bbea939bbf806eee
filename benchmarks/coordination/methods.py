# SPDX-License-Identifier: Apache-2.0
"""Who is measured, and for how long each may think."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster.coordinators import NAMES, LearnedName, coordinator_of
from sim.coordinators.interface import Coordinator
from sim.coordinators.portfolio import CoordinatorName

if TYPE_CHECKING:  # torch takes seconds to import, and the best known costs do not need it
    from agents.coordination.model import CoordinationVAE


@dataclass(frozen=True)
class Method:
    """A coordinator and its deadline in seconds of wall-clock time, everything included."""

    name: str
    deadline_s: float

    def __str__(self) -> str:
        plans_nothing = self.name == CoordinatorName.FCFS
        return self.name if plans_nothing else f"{self.name} {self.deadline_s:g} s"

    @property
    def learned(self) -> bool:
        return self.name in list(LearnedName)


GNN_VAE = Method(LearnedName.GNN_VAE, 1.0)
GNN_VAE_LS = Method(LearnedName.GNN_VAE_LS, 1.0)
LOCAL_SEARCH_5 = Method(CoordinatorName.LOCAL_SEARCH, 5.0)
TIMED = (
    Method(CoordinatorName.FCFS, 1.0),
    Method(CoordinatorName.INSERTION, 1.0),
    Method(CoordinatorName.DIVE, 1.0),
    GNN_VAE,
    GNN_VAE_LS,
    Method(CoordinatorName.LOCAL_SEARCH, 1.0),
    LOCAL_SEARCH_5,
    Method(CoordinatorName.PORTFOLIO, 1.0),
    Method(CoordinatorName.CMA, 1.0),
)
MILP = Method(CoordinatorName.MILP, 60.0)
LONG = (Method(CoordinatorName.LOCAL_SEARCH, 60.0), Method(CoordinatorName.PORTFOLIO, 10.0))
"""They look for the best known cost where MILP proves none; the second starts from a dive."""


def coordinator_by(method: Method, model: "CoordinationVAE | None") -> Coordinator:
    """The function behind a method, without the floor of first come first served.

    Raises:
        InputError: a learned method without a model.
    """
    return coordinator_of(NAMES[method.name], model)
