# SPDX-License-Identifier: Apache-2.0
"""The site's side: a message with a model comes in, and what the task makes of it goes out.

:func:`answer_together` is for hosts of many sites; ``app`` is the same for one site, as Flower's
ClientApp, under ``flwr run`` and on SuperNodes.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from flwr.app import ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from federated.flower import failure
from federated.grid import Answers
from federated.options import FitOptions
from federated.records import (
    ACCURACY,
    ARRAYS,
    CIRCUITS,
    CONFIG,
    LOSS,
    METRICS,
    ONE,
    PROXIMAL_MU,
    ROUND,
    SITE,
    WEIGHT,
    to_arrays,
    to_record,
)
from federated.run_config import site_options
from federated.task import Arrays, Fit, Score, Task
from federated.tasks import make_task

EVALUATE = "evaluate"

app = ClientApp()


@app.train()
def train(message: Message, context: Context) -> Message:
    """Fit at the site that this node is."""
    return _alone(message, context)


@app.evaluate()
def evaluate(message: Message, context: Context) -> Message:
    """Judge at the site that this node is."""
    return _alone(message, context)


@app.query()
def introduce(message: Message, context: Context) -> Message:
    """Tell which site this node is; see :mod:`federated.numbered`."""
    site, *_ = site_options(context.node_config, context.run_config)
    return Message(RecordDict({METRICS: MetricRecord({SITE: site})}), reply_to=message)


def task_answers(make: Callable[[], Task], options: FitOptions) -> Answers:
    """What hosts of many sites do: :func:`answer_together`, for a task that is made here."""
    task = make()

    def answers(messages: Sequence[Message], contexts: Sequence[Context]) -> list[Message]:
        sites = [int(context.node_config["partition-id"]) for context in contexts]
        return answer_together(task, options, sites, messages)

    return answers


def answer_together(
    task: Task, options: FitOptions, sites: Sequence[int], messages: Sequence[Message]
) -> list[Message]:
    """The replies of several sites to messages with the same content.

    When they cannot be answered as one batch, each is answered alone, so that a site in trouble
    is the only one to say so.
    """
    try:
        contents = _answers(task, options, sites, messages[0])
    except Exception as error:
        if len(messages) == 1:
            return [failure(messages[0], f"{type(error).__name__}: {error}")]
        alone = zip(sites, messages, strict=True)
        return [answer_together(task, options, [site], [one])[0] for site, one in alone]
    pairs = zip(contents, messages, strict=True)
    return [Message(content, reply_to=message) for content, message in pairs]


def _answers(
    task: Task, options: FitOptions, sites: Sequence[int], message: Message
) -> list[RecordDict]:
    model = to_arrays(message.content.array_records[ARRAYS])
    _require_model_of(task, model)
    arrays = [model] * len(sites)
    config = message.content.config_records.get(CONFIG, ConfigRecord())
    if message.metadata.message_type.startswith(EVALUATE):
        return [_judged(score) for score in task.evaluate(arrays, sites)]
    number, mu = _number(config, ROUND), _number(config, PROXIMAL_MU)
    return [_fitted(fit) for fit in task.fit(arrays, sites, options, int(number), mu)]


def _require_model_of(task: Task, model: Arrays) -> None:
    """Parameters that are missing would be those that the task began with, and nobody noticed."""
    found, wanted = ({n: v.shape for n, v in one.items()} for one in (model, task.initial()))
    if found != wanted:
        raise ValueError(f"the model has arrays {found}; that of {task.name} has {wanted}")


def _number(config: ConfigRecord, name: str) -> float:
    value = config.get(name, 0)
    if not isinstance(value, int | float):
        raise TypeError(f"{name} is {value!r}; needed: a number")
    return value


def _fitted(fit: Fit) -> RecordDict:
    numbers = {WEIGHT: fit.samples, ONE: 1, LOSS: fit.loss, CIRCUITS: fit.circuits}
    return RecordDict({ARRAYS: to_record(fit.arrays), METRICS: MetricRecord(dict(numbers))})


def _judged(score: Score) -> RecordDict:
    numbers: dict[str, int | float] = {WEIGHT: score.samples, ONE: 1, LOSS: score.loss}
    if score.accuracy is not None:
        numbers[ACCURACY] = score.accuracy
    return RecordDict({METRICS: MetricRecord(dict(numbers))})


def _alone(message: Message, context: Context) -> Message:
    site, options, fit = site_options(context.node_config, context.run_config)
    return answer_together(_task(options), fit, [site], [message])[0]


_task = lru_cache(maxsize=1)(make_task)
"""A process that answers several messages makes its task once."""
