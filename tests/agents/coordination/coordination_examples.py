# SPDX-License-Identifier: Apache-2.0
"""Small graphs, relabelled graphs, labels and models for the tests of the learned coordinator."""

import numpy as np
import torch

from agents.coordination.labels import LabelledInstance
from agents.coordination.model import CoordinationVAE, ModelOptions
from agents.coordination.targets import Target, pool_targets
from sim.conflicts import Motion, build_graph
from sim.coordinators.dive import make_diver
from sim.coordinators.insertion import insert_in_order
from sim.families import FamilyOptions, draw_instance
from sim.floors import FloorKind
from sim.graph import CoordinationGraph
from sim.instances import Instance, InstanceOptions
from sim.routes import Routes
from sim.schedule import evaluate

SMALL = ModelOptions(width=8, heads=2, encoder_layers=1, shared_layers=1, latent=4)


def small_model(seed: int = 0, options: ModelOptions = SMALL) -> CoordinationVAE:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return CoordinationVAE(options).eval()


def some_instance(seed: int, robots: int = 8, **instance: object) -> Instance:
    options = FamilyOptions(
        robots=(robots, robots), goals=(1, 2), instance=InstanceOptions(**instance)
    )
    return draw_instance(FloorKind.WAREHOUSE, options, np.random.default_rng(seed))


def relabelled(instance: Instance, new_of_old: np.ndarray) -> CoordinationGraph:
    """The same instance with other robot numbers: old robot i becomes ``new_of_old[i]``."""
    graph, routes = instance.graph, instance.routes
    old_of_new = np.argsort(new_of_old)
    pieces = [routes.of(old) for old in old_of_new]
    offsets = np.cumsum([0, *map(len, pieces)])
    moved = Routes(np.concatenate(pieces), offsets)
    events = [graph.duration_ms[graph.offsets[i] : graph.offsets[i + 1]] for i in old_of_new]
    motion = Motion(
        duration_ms=np.concatenate(events),
        release_ms=graph.release_ms[old_of_new],
        headway_ms=graph.headway_ms,
        parked=graph.parked[old_of_new],
    )
    return build_graph(moved, motion)


def labelled(graph: CoordinationGraph, name: str = "i", labels: int = 4) -> LabelledInstance:
    """Labels are insertion in random orders: feasible and different, not good."""
    rng = np.random.default_rng(1)
    found = [
        insert_in_order(graph, rng.permutation(graph.num_robots).astype(np.int32))
        for _ in range(labels)
    ]
    found.sort(key=lambda one: evaluate(graph, one).cost_s())
    return LabelledInstance(
        name=name,
        floor="test",
        graph=graph,
        order=np.stack([one.order for one in found]),
        following=np.stack([one.following for one in found]),
        cost_s=np.array([evaluate(graph, one).cost_s() for one in found]),
        bound_s=0.0,
        proven=False,
    )


def targets_of(instance: LabelledInstance) -> tuple[Target, ...]:
    return pool_targets(instance, make_diver(instance.graph))


def with_random_weights(model: CoordinationVAE, scale: float, seed: int) -> CoordinationVAE:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(scale * torch.randn(weight.shape, generator=generator))
    return model


def replace_weight(model: CoordinationVAE, value: float) -> str:
    """Put a value into one weight; its name."""
    name, weight = next(iter(model.named_parameters()))
    with torch.no_grad():
        weight.view(-1)[0] = value
    return name
