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
from federated.privacy.hooks import Hook, Withheld, send
from federated.privacy.options import PrivacyOptions
from federated.privacy.protection import protected
from federated.records import (
    ACCURACY,
    ARRAYS,
    CIRCUITS,
    CONFIG,
    LOSS,
    METRICS,
    NOISE,
    NOTES,
    ONE,
    PROXIMAL_MU,
    ROUND,
    SAMPLING_RATE,
    SITE,
    STEPS,
    WEIGHT,
    WITHHELD,
    to_arrays,
    to_record,
)
from federated.run_config import read_privacy, site_options
from federated.task import Arrays, Fit, Score, Task
from federated.tasks import TaskOptions, make_any_task

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


def task_answers(
    make: Callable[[], Task],
    options: FitOptions,
    privacy: PrivacyOptions | None = None,
    rounds: int = 0,
) -> Answers:
    """What hosts of many sites do: :func:`answer_together`, for a task that is made here.

    Args:
        make: makes it.
        options: how sites train.
        privacy: what they do before they send; None for nothing.
        rounds: of the federation, which noise for an epsilon is made for.
    """
    task, hooks = protected(make(), options, privacy or PrivacyOptions(), rounds)

    def answers(messages: Sequence[Message], contexts: Sequence[Context]) -> list[Message]:
        sites = [int(context.node_config["partition-id"]) for context in contexts]
        return answer_together(task, options, sites, messages, hooks)

    return answers


def answer_together(
    task: Task,
    options: FitOptions,
    sites: Sequence[int],
    messages: Sequence[Message],
    hooks: Sequence[Hook] = (),
) -> list[Message]:
    """The replies of several sites to messages with the same content.

    When they cannot be answered as one batch, each is answered alone, so that a site in trouble
    is the only one to say so. One that withholds its update says why, too.
    """
    try:
        contents = _answers(task, options, sites, messages[0], hooks)
    except Exception as error:
        if len(messages) == 1:
            return [failure(messages[0], f"{type(error).__name__}: {error}")]
        alone = zip(sites, messages, strict=True)
        return [answer_together(task, options, [site], [one], hooks)[0] for site, one in alone]
    return [_reply(*pair) for pair in zip(contents, messages, strict=True)]


def _reply(content: RecordDict | Withheld, message: Message) -> Message:
    if isinstance(content, Withheld):
        return failure(message, f"{WITHHELD}: {content}")
    return Message(content, reply_to=message)


def _answers(
    task: Task,
    options: FitOptions,
    sites: Sequence[int],
    message: Message,
    hooks: Sequence[Hook],
) -> list[RecordDict] | list[RecordDict | Withheld]:
    model = to_arrays(message.content.array_records[ARRAYS])
    _require_model_of(task, model)
    arrays = [model] * len(sites)
    config = message.content.config_records.get(CONFIG, ConfigRecord())
    if message.metadata.message_type.startswith(EVALUATE):
        return [_judged(score) for score in task.evaluate(arrays, sites)]
    number, mu = int(_number(config, ROUND)), _number(config, PROXIMAL_MU)
    fits = task.fit(arrays, sites, options, number, mu)
    pairs = zip(fits, sites, strict=True)
    return [_sent(hooks, model, fit, site, number) for fit, site in pairs]


def _sent(
    hooks: Sequence[Hook], model: Arrays, fit: Fit, site: int, number: int
) -> RecordDict | Withheld:
    try:
        return _fitted(send(hooks, model, fit, site, number))
    except Withheld as reason:
        return reason


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
    numbers: dict[str, int | float] = {WEIGHT: fit.samples, ONE: 1, CIRCUITS: fit.circuits}
    if fit.noise is None:
        numbers[LOSS] = fit.loss
    else:
        noise = fit.noise
        numbers |= {NOISE: noise.multiplier, SAMPLING_RATE: noise.sampling_rate, STEPS: noise.steps}
    content = RecordDict({ARRAYS: to_record(fit.arrays), METRICS: MetricRecord(dict(numbers))})
    if fit.notes:
        content[NOTES] = ConfigRecord({NOTES: list(fit.notes)})
    return content


def _judged(score: Score) -> RecordDict:
    numbers: dict[str, int | float] = {WEIGHT: score.samples, ONE: 1, LOSS: score.loss}
    if score.accuracy is not None:
        numbers[ACCURACY] = score.accuracy
    return RecordDict({METRICS: MetricRecord(dict(numbers))})


def _alone(message: Message, context: Context) -> Message:
    site, options, fit = site_options(context.node_config, context.run_config)
    task, hooks = _task(options, fit, *read_privacy(context.run_config))
    return answer_together(task, fit, [site], [message], hooks)[0]


@lru_cache(maxsize=1)
def _task(
    options: TaskOptions, fit: FitOptions, privacy: PrivacyOptions, rounds: int
) -> tuple[Task, tuple[Hook, ...]]:
    """A process that answers several messages makes its task once."""
    return protected(make_any_task(options), fit, privacy, rounds)
