# SPDX-License-Identifier: Apache-2.0
"""A ClientApp under secure aggregation for tests, made where it runs."""

import os

from flwr.app import Context, Message
from flwr.clientapp import ClientApp

from federated.flower_secure import SECURE, Key, Stage
from federated.grid import Answers, one_by_one
from federated.secure_options import SecureOptions
from federated.secure_site import secured_answers
from tests.cluster.site_apps import adding_app

OPTIONS = SecureOptions(clipping=16.0)


def secure_answers() -> Answers:
    """Adds the number of the site, masked."""
    return secured_answers(one_by_one(adding_app()), OPTIONS)


def dying_secure_answers(mark: str) -> Answers:
    """As the other, but the process of site 1 is killed before it sends its vector, once."""
    secure = secure_answers()

    def answer(message: Message, context: Context) -> Message:
        stage = message.content.config_records[SECURE][Key.STAGE]
        sending = stage == Stage.COLLECT_MASKED_VECTORS
        if sending and context.node_config["partition-id"] == 1 and not os.path.exists(mark):
            open(mark, "x").close()
            os.kill(os.getpid(), 9)
        (reply,) = secure([message], [context])
        return reply

    app = ClientApp()
    app.train()(answer)
    return one_by_one(app)
