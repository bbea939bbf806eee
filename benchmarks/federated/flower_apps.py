# SPDX-License-Identifier: Apache-2.0
"""What ``flwr run`` is given: a ServerApp that times Flower's FedAvg, and an empty ClientApp."""

import time
from pathlib import Path

import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from federated.grid import Answers, one_by_one
from federated.records import ARRAYS, METRICS, WEIGHT, to_arrays, to_record
from federated.run_config import read_run_config
from federated.task import Arrays
from federated.tasks import make_task

EMPTY = "empty"
"""The task of clients that do nothing."""
NUMBERS = 10

empty = ClientApp()
server = ServerApp()


@empty.train()
def echo(message: Message, context: Context) -> Message:
    """The model as it came."""
    del context
    arrays = message.content.array_records[ARRAYS]
    content = RecordDict({ARRAYS: arrays, METRICS: MetricRecord({WEIGHT: 1})})
    return Message(content, reply_to=message)


def empty_answers() -> Answers:
    """The empty ClientApp on our hosts."""
    return one_by_one(empty)


def initial(config: dict[str, bool | float | int | str]) -> Arrays:
    """The model before the first round."""
    if config["task"] == EMPTY:
        return {"numbers": np.zeros(NUMBERS, dtype=np.float32)}
    return make_task(read_run_config(config)[0]).initial()


def fedavg(clients: int) -> FedAvg:
    """As it comes, of all clients, without the rounds in which they judge."""
    return FedAvg(fraction_evaluate=0.0, min_train_nodes=clients, min_available_nodes=clients)


@server.main()
def main(grid: Grid, context: Context) -> None:
    """Leaves the seconds of each round and the last model in the file ``out``."""
    config = dict(context.run_config)
    times_s = []

    def look(number: int, arrays: ArrayRecord) -> None:
        del number, arrays
        times_s.append(time.perf_counter())

    result = fedavg(int(config["clients"])).start(
        grid, to_record(initial(config)), num_rounds=int(config["rounds"]), evaluate_fn=look
    )
    seconds = {"seconds": np.diff(times_s)}
    np.savez(Path(str(config["out"])), allow_pickle=False, **seconds, **to_arrays(result.arrays))
