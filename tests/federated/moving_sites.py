# SPDX-License-Identifier: Apache-2.0
"""Sites for tests of rounds: each moves half of the way to a place of its own, in no time."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from flwr.app import Array, ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from federated.grid import LocalSites, SiteGrid, one_by_one
from federated.task import Arrays

COUNT = 7  # enough for Bulyan against one
Trouble = Mapping[int, Callable[[int], bool]]
"""By site, in which rounds it fails."""


def beginning(dtype: type = np.float64) -> Arrays:
    return {"head.weight": np.zeros((2, 3), dtype), "head.bias": np.ones(2, dtype)}


def place_of(site: int, name: str, like: np.ndarray) -> np.ndarray:
    """Where a site is drawn to."""
    rng = np.random.default_rng([site, len(name)])
    return rng.normal(size=like.shape)


def moved(site: int, arrays: Arrays) -> Arrays:
    return {
        name: (0.5 * (value + place_of(site, name, value))).astype(value.dtype)
        for name, value in arrays.items()
    }


def samples(site: int) -> int:
    return 10 + 3 * site


def moving_app(trouble: Trouble | None = None) -> ClientApp:
    app = ClientApp()

    @app.train()
    def train(message: Message, context: Context) -> Message:
        site = int(context.node_config["partition-id"])
        number = int(message.content["config"]["server-round"])
        if trouble and site in trouble and trouble[site](number):
            raise RuntimeError(f"site {site} is tired")
        before = {n: a.numpy() for n, a in message.content["arrays"].items()}
        after = {n: Array(v) for n, v in moved(site, before).items()}
        metrics = {"num-examples": samples(site), "one": 1, "loss": 1.0 / number, "circuits": 2}
        content = {"arrays": ArrayRecord(after), "metrics": MetricRecord(metrics)}
        return Message(RecordDict(content), reply_to=message)

    @app.evaluate()
    def evaluate(message: Message, context: Context) -> Message:
        site = int(context.node_config["partition-id"])
        bias = message.content["arrays"]["head.bias"].numpy()
        metrics = {"num-examples": samples(site), "one": 1, "loss": float(bias.sum())}
        return Message(RecordDict({"metrics": MetricRecord(metrics)}), reply_to=message)

    return app


def moving_grid(count: int = COUNT, trouble: Trouble | None = None) -> SiteGrid:
    return SiteGrid(LocalSites(one_by_one(moving_app(trouble)), count))


@contextmanager
def small_heap() -> Iterator[None]:
    """Flower's Bulyan collects garbage for every reply; there is a lot here that is none."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
