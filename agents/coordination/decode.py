# SPDX-License-Identifier: Apache-2.0
"""From predictions to assignments that nobody can deadlock under, whatever the weights are.

Orders that are predicted pair by pair with one error in a hundred deadlock almost surely in a
large fleet, so every decoder here constructs its assignment.
"""

from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sim.coordinators.dispatch import dispatch
from sim.coordinators.insertion import insert_in_order
from sim.coordinators.node_ranks import assignment_from_node_ranks
from sim.coordinators.robot_order import robot_order
from sim.errors import InputError
from sim.graph import CoordinationGraph
from sim.schedule import Assignment

Floats = NDArray[np.float64]


class Decoder(StrEnum):
    """How a prediction becomes an assignment."""

    CONFLICTS = "conflicts"
    """Orders of conflicts are committed where they are violated, and flipped on a circle."""
    ROBOTS = "robots"
    """Robots are inserted by rank, each into the earliest gaps on its route."""
    NODES = "nodes"
    """Intervals are sorted by rank, as far as routes and forced orders allow (the paper's)."""
    EVENTS = "events"
    """Requests for cells are served by rank of the interval, as far as nobody gets stuck."""


def decode_robots(graph: CoordinationGraph, rank: NDArray[np.floating | np.integer]) -> Assignment:
    """Insert robots by rank.

    Args:
        rank: ``[N]`` finite, low goes first.
    """
    return insert_in_order(graph, robot_order(graph, rank))


def decode_nodes(
    graph: CoordinationGraph, rank: Floats, confidence: Floats | None = None
) -> Assignment:
    """Sort intervals by rank; the most confident conflicts of density regions are exclusive.

    Parking on the floor may force contradictory orders on whole blocks of intervals; then robots
    are inserted by the mean rank of their intervals.

    Args:
        rank: ``[V]`` finite; confidence: ``[C]``.
    """
    try:
        return assignment_from_node_ranks(graph, rank, confidence)
    except InputError:
        return decode_robots(graph, mean_by_robot(graph, rank))


def decode_events(graph: CoordinationGraph, rank: Floats) -> Assignment:
    """Serve requests by rank; between two intervals a robot has the rank of the later one.

    Args:
        rank: ``[V]`` finite.
    """
    by_enter = np.argsort(graph.interval_enter, kind="stable")
    enter = graph.interval_enter[by_enter]
    of_event = np.zeros(graph.num_events)
    if len(enter):
        following = np.searchsorted(enter, np.arange(graph.num_events), side="left")
        of_event = rank[by_enter[np.minimum(following, len(enter) - 1)]]
    return dispatch(graph, of_event)


def mean_by_robot(graph: CoordinationGraph, rank: Floats) -> Floats:
    """``[N]`` mean of the ranks ``[V]`` of a robot's intervals, 0 for a robot without any."""
    owner = graph.event_robot[graph.interval_enter]
    counts = np.bincount(owner, minlength=graph.num_robots)
    total = np.bincount(owner, weights=rank, minlength=graph.num_robots)
    return np.asarray(total / np.maximum(counts, 1))


def sample_orders(rank: Floats, temperature: float, rng: np.random.Generator) -> Floats:
    """``[K, N]`` noisy ranks, whose orders are Plackett-Luce samples.

    Args:
        rank: ``[K, N]`` logits: a robot is next with probability proportional to
            exp(-rank / temperature).
    """
    return np.asarray(rank - temperature * rng.gumbel(size=rank.shape))


def finite(name: str, values: Tensor) -> Floats:
    """A prediction as numpy array.

    Raises:
        InputError: some value is NaN or infinite, so the weights are useless.
    """
    if not bool(torch.isfinite(values).all()):
        raise InputError(f"the model predicts {name} that are not finite; its weights are damaged")
    return values.detach().cpu().double().numpy()
