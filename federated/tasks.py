# SPDX-License-Identifier: Apache-2.0
"""From the name of a task to the task."""

from dataclasses import dataclass, field

from federated.data import load, widest
from federated.models import components, executions, make_classifier, make_forecaster
from federated.options import CLASSIFIERS, TABLES, Model, ModelOptions, TaskName
from federated.partition import Partition
from federated.policy_task import make_policy_task
from federated.sample_task import SampleTask, cross_entropy, make_sites, squared, squared_sign
from federated.seeds import Role, draw_torch
from federated.task import Task
from sim.errors import InputError


@dataclass(frozen=True)
class TaskOptions:
    """All that a task is made from, so that any process can make the same one.

    Args:
        name: the model, and what it learns from.
        sites: how many share the samples, or the environments.
        partition: how they share them.
        seed: of everything that is drawn.
        model: the size of classifiers.
    """

    name: TaskName
    sites: int
    partition: Partition
    seed: int = 0
    model: ModelOptions = field(default_factory=ModelOptions)


def make_any_task(options: TaskOptions) -> Task:
    """The task, with samples or without.

    Raises:
        InputError: samples or environments cannot be shared out like this, or a package is missing.
    """
    if options.name.acts:
        return make_policy_task(options.name, options.partition, options.sites, options.seed)
    return make_task(options)


def make_task(options: TaskOptions) -> SampleTask:
    """The task with samples.

    Raises:
        InputError: it has none, they cannot be shared out like this, or a package is missing.
    """
    name, seed = options.name, options.seed
    if name.acts:
        raise InputError(f"task is {name}; allowed: those with samples, such as vqc-digits")
    generator = draw_torch(seed, Role.MODEL)
    classes = len(options.model.digits) if name.data == "digits" else 2
    width = components(name.model, options.model, classes)
    _require_components(options, width)
    dataset = load(name.data, options.model, width, seed)
    sites = make_sites(dataset, options.partition, options.sites, seed)
    if name.model in CLASSIFIERS:
        module = make_classifier(name.model, options.model, classes, generator)
        loss = squared_sign if name.model is Model.PARITY else cross_entropy
        cost = executions(module, 1)
    else:
        module = make_forecaster(name.model, dataset.inputs.shape[2], generator)
        loss, cost = squared, executions(module, dataset.inputs.shape[1])
    return SampleTask(str(name), module, loss, dataset.classes, sites, cost, seed, dataset.unit)


def _require_components(options: TaskOptions, width: int) -> None:
    """Only ``logistic`` can want more than there are: it has to be as large as ``vqc``."""
    name, model = options.name, options.model
    if name.data in TABLES and width > (most := widest(name.data, model)):
        raise InputError(
            f"layers is {model.layers}: {name} needs {width} principal components to have as many "
            f"parameters as vqc; allowed: at most {most}"
        )
