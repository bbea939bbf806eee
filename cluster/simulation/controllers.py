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
from sim.warehouse.control.fields import Fields
from sim.warehouse.control.interface import Controller
from sim.warehouse.control.oriented import OrientedFields
from sim.warehouse.control.pibt import PibtController
from sim.warehouse.control.prioritised import PrioritisedController
from sim.warehouse.control.rolling import RollingController, RollingOptions
from sim.warehouse.fleet import Fleet
from sim.warehouse.rules import Following, Rules

if TYPE_CHECKING:
    from agents.coordination.model import CoordinationVAE
    from agents.driving.pilot import Pilot

COORDINATED, POLICY = "coordinated:", "policy:"
DRAWN, GUIDED = "+drawn", "+pibt"


class Plain(StrEnum):
    """Controllers without a coordinator."""

    PIBT = "pibt"
    """Priority inheritance with backtracking, one cell ahead, in every tick."""

    PRIORITISED = "prioritised"
    """Windowed prioritised planning: one robot after the other, around those before it."""

    ROLLING = "rolling"
    """All robots planned together over a rolling horizon, executed by precedence."""


@dataclass(frozen=True)
class Trained:
    """A policy that was asked for.

    Args:
        run: of ``train``, as asked.
        drawn: draws actions as in training; otherwise always the most likely one.
        guided: PIBT decides, and the policy wishes.
    """

    run: str
    drawn: bool = False
    guided: bool = False


@dataclass(frozen=True)
class Chosen:
    """A controller that was asked for.

    Args:
        name: as asked.
        plain: the controller; ``ROLLING`` with a coordinator too, None for a policy.
        coordinator: who decides passing orders; None: the plan.
        policy: who drives instead.
    """

    name: str
    plain: Plain | None
    coordinator: Name | None = None
    policy: Trained | None = None

    @property
    def is_learned(self) -> bool:
        """Whether it needs the weights of a coordinator."""
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
    if name.startswith(POLICY) and (policy := _trained(name.removeprefix(POLICY))).run:
        return Chosen(name, None, policy=policy)
    raise InputError(
        f"controller is {name!r}; allowed: {', '.join(Plain)}, {COORDINATED} followed by one of "
        f"{', '.join(NAMES)}, and {POLICY} followed by a run of train, {DRAWN} and {GUIDED} as "
        "wanted"
    )


def _trained(rest: str) -> Trained:
    guided = rest.endswith(GUIDED)
    rest = rest.removesuffix(GUIDED)
    return Trained(rest.removesuffix(DRAWN), rest.endswith(DRAWN), guided)


@dataclass(frozen=True, eq=False)
class Drive:
    """What a controller needs beside its name.

    Args:
        layout, rules, fleet, keys: of the worlds.
        rolling: options of the rolling horizon.
        capacity_mib: memory for distances.
        model: of the learned coordinators.
        apart: ``[cells, 4]`` bool, moves in which a robot follows nobody; None: nowhere.
        pilot: the policy.
    """

    layout: Layout
    rules: Rules
    fleet: Fleet
    keys: Keys
    rolling: RollingOptions
    capacity_mib: int
    model: "CoordinationVAE | None"
    apart: NDArray[np.bool_] | None = None
    pilot: "Pilot | None" = None


def make_controller(choice: Chosen, drive: Drive) -> Controller:
    """The controller, before its first tick.

    Raises:
        InputError: weights are missing, or do not fit.
    """
    if choice.policy is not None:
        return _policy_controller(choice.policy, drive)
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
    if choice.plain is Plain.PIBT:
        return _pibt(drive)
    rules, memory_mib = _whole_cells(drive.rules), drive.capacity_mib
    return PrioritisedController(drive.layout, rules, drive.keys, capacity_mib=memory_mib)


def _pibt(drive: Drive) -> PibtController:
    return PibtController(drive.layout, _whole_cells(drive.rules), drive.keys, drive.capacity_mib)


def _whole_cells(rules: Rules) -> Rules:
    """For those that plan cells, and keep a whole one apart."""
    straight = rules.following is Following.STRAIGHT
    return replace(rules, following=Following.NEVER) if straight else rules


def _policy_controller(choice: Trained, drive: Drive) -> Controller:
    if drive.pilot is None:
        raise InputError(f"controller is {POLICY}{choice.run}, which needs that policy's weights")
    import torch

    from agents.driving.guided import GuidedController
    from agents.driving.pilot import require_rules
    from agents.driving.policy import PolicyController

    torch.set_num_threads(1)  # sums of floats then have one order, here as in other workers
    require_rules(drive.pilot, drive.rules)
    pibt = _pibt(drive) if choice.guided else None
    fields = Fields(drive.layout, drive.capacity_mib) if pibt is None else pibt.fields
    robots = drive.fleet.cell.shape[1]
    policy = PolicyController(drive.pilot, fields, drive.keys, robots, choice.drawn)
    return policy if pibt is None else GuidedController(policy, pibt)
