# SPDX-License-Identifier: Apache-2.0
"""ClientApps for tests, made where they run."""

import os
import time

from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from federated.grid import Answers, one_by_one


def adding_app() -> ClientApp:
    """Adds the number of the site; tells its process, and how often it was asked before."""
    app = ClientApp()

    @app.train()
    def train(message: Message, context: Context) -> Message:
        site = int(context.node_config["partition-id"])
        asked = int(context.state.metric_records.get("asked", MetricRecord({"n": 0}))["n"])
        context.state["asked"] = MetricRecord({"n": asked + 1})
        (weights,) = message.content["arrays"].to_numpy_ndarrays()
        metrics = {"num-examples": site + 1, "pid": os.getpid(), "asked": asked}
        content = {"arrays": ArrayRecord([weights + site]), "metrics": MetricRecord(metrics)}
        return Message(RecordDict(content), reply_to=message)

    return app


def dying_app() -> ClientApp:
    """As the other, but the process of site 1 is killed in the middle of round 2, once."""
    app = adding_app()
    dying = ClientApp()

    @dying.train()
    def train(message: Message, context: Context) -> Message:
        path = str(message.content["config"]["mark"])
        second = message.content["config"]["server-round"] == 2
        if second and context.node_config["partition-id"] == 1 and not os.path.exists(path):
            open(path, "x").close()
            os.kill(os.getpid(), 9)
        return app(message, context)

    return dying


def sleeping_app() -> ClientApp:
    """Site 0 takes its time in round 1."""
    app = adding_app()
    sleeping = ClientApp()

    @sleeping.train()
    def train(message: Message, context: Context) -> Message:
        if context.node_config["partition-id"] == 0 and message.metadata.group_id == "1":
            time.sleep(1.5)
        return app(message, context)

    return sleeping


def adding() -> Answers:
    return one_by_one(adding_app())


def dying() -> Answers:
    return one_by_one(dying_app())


def sleeping() -> Answers:
    return one_by_one(sleeping_app())
