# SPDX-License-Identifier: Apache-2.0
"""Controllers by name."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cluster.coordinators import NAMES, LearnedName, Name, coordinator_of
from sim.errors import InputError
from sim.layout import Layout
from sim.warehouse.chance import Keys
from sim.warehouse.control.interface import Controller
from sim.warehouse.control.oriented import OrientedFields
from sim.warehouse.control.pibt import PibtController
from sim.warehouse.control.prioritised import PrioritisedController
from sim.warehouse.control.rolling import RollingController, RollingOptions
from sim.warehouse.fleet import Fleet
from sim.warehouse.rules import Following, Rules

if TYPE_CHECKING:
    from agents.coordination.model import CoordinationVAE

COORDINATED = "coordinated:"


class Plain(StrEnum):
    """Controllers without a coordinator."""

    PIBT = "pibt"
    """Priority inheritance with backtracking, one cell ahead, in every tick."""

    PRIORITISED = "prioritised"
    """Windowed prioritised planning: one robot after the other, around those before it."""

    ROLLING = "rolling"
    """All robots planned together over a rolling horizon, executed by precedence."""


@dataclass(frozen=True)
class Chosen:
    """A controller that was asked for.

    Args:
        name: as asked.
        plain: the controller; ``ROLLING`` with a coordinator too.
        coordinator: who decides passing orders; None: the plan.
    """

    name: str
    plain: Plain
    coordinator: Name | None = None

    @property
    def is_learned(self) -> bool:
        """Whether it needs weights."""
        return isinstance(self.coordinator, LearnedName)


def chosen(name: str) -> Chosen:
    """The controller of a name.

    Raises:
        InputError: there is none; tells what is allowed.
    """
    if name in list(Plain):
        return Chosen(name, Plain(name))
    if name.startswith(COORDINATED) and name.removeprefix(COORDINATED) in NAMES:
        return Chosen(name, Plain.ROLLING, NAMES[name.removeprefix(COORDINATED)])
    raise InputError(
        f"controller is {name!r}; allowed: {', '.join(Plain)}, and {COORDINATED} followed by one "
        f"of {', '.join(NAMES)}"
    )


@dataclass(frozen=True, eq=False)
class Drive:
    """What a controller needs beside its name.

    Args:
        layout, rules, fleet, keys: of the worlds.
        rolling: options of the rolling horizon.
        capacity_mib: memory for distances.
        model: of the learned coordinators.
        apart: ``[cells, 4]`` bool, moves in which a robot follows nobody; None: nowhere.
    """

    layout: Layout
    rules: Rules
    fleet: Fleet
    keys: Keys
    rolling: RollingOptions
    capacity_mib: int
    model: "CoordinationVAE | None"
    apart: NDArray[np.bool_] | None = None


def make_controller(choice: Chosen, drive: Drive) -> Controller:
    """The controller, before its first tick."""
    if choice.plain is Plain.ROLLING:
        fields = OrientedFields(drive.layout, drive.rules.gait, drive.capacity_mib)
        coordinator = None
        if choice.coordinator is not None:
            coordinator = coordinator_of(choice.coordinator, drive.model)
        return RollingController(
            drive.layout,
            drive.rules,
            drive.rolling,
            drive.fleet,
            drive.keys,
            fields,
            coordinator,
            drive.apart,
        )
    rules = drive.rules
    if rules.following is Following.STRAIGHT:  # it plans cells, and keeps a whole one apart
        rules = replace(rules, following=Following.NEVER)
    if choice.plain is Plain.PIBT:
        return PibtController(drive.layout, rules, drive.keys, drive.capacity_mib)
    return PrioritisedController(drive.layout, rules, drive.keys, capacity_mib=drive.capacity_mib)
