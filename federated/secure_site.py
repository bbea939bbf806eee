# SPDX-License-Identifier: Apache-2.0
"""The site's side of secure aggregation: a Flower mod that lets nothing out unmasked.

Unmasked are metrics, the number of samples among them; whatever metrics tell, the server knows.
"""

from collections.abc import Callable
from math import isfinite
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, RecordDict
from numpy.typing import NDArray

from federated.flower import exchange, failure
from federated.flower_secure import SECURE, Key, Stage, fit_result, secaggplus_mod
from federated.grid import Answers
from federated.records import WEIGHT
from federated.secure_options import SecureOptions
from sim.errors import InputError

Learn = Callable[[Message, Context], Message]
Mod = Callable[[Message, Context, Learn], Message]


def secured(options: SecureOptions) -> Mod:
    """A mod for the training function of any app whose replies are those of Flower's strategies.

    Attach it by ``@app.train(mods=[secured(options)])``; other messages pass. A site refuses, by
    an error reply that says why: to learn for anybody who does not mask; other terms than its own;
    to help unmask one site in two ways; to send values that would be clipped or are not finite.

    It keeps its keys in the state of its Context between the stages of a round.
    """

    def take_part(message: Message, context: Context, learn: Learn) -> Message:
        if message.metadata.message_type.split(".")[0] != "train":
            return learn(message, context)
        try:
            own = _own_copy(message)
            _check_terms(own.content.config_records[SECURE], options)
            return secaggplus_mod(own, context, lambda *given: _learnt(learn, options, *given))
        except InputError as error:
            return failure(message, str(error))

    return take_part


def secured_answers(answers: Answers, options: SecureOptions) -> Answers:
    """The same for what hosts of many sites do. Every site is asked for itself, so that batches
    are of one: what it gets from the server is for it alone.
    """
    take_part = secured(options)

    def learn(message: Message, context: Context) -> Message:
        return answers([message], [context])[0]

    def one(message: Message, context: Context) -> Message:
        try:
            return take_part(message, context, learn)
        except Exception as error:  # Flower's checks, and whatever the task raises
            return failure(message, f"{type(error).__name__}: {error}")

    return lambda messages, contexts: list(map(one, messages, contexts))


def _own_copy(message: Message) -> Message:
    """Flower's mod takes a message apart, which in one process is that of the others too."""
    content = RecordDict(dict(message.content))
    if SECURE not in content.config_records:
        raise InputError("this site learns under secure aggregation only, which was not asked for")
    content[SECURE] = ConfigRecord(dict(content.config_records[SECURE]))
    return exchange(message, content)


def _check_terms(asked: ConfigRecord, options: SecureOptions) -> None:
    if asked.get(Key.STAGE) == Stage.SETUP:
        for name, wanted in terms(options, _whole(asked, Key.SAMPLE_NUMBER)).items():
            if asked.get(name) != wanted:
                raise InputError(f"{name} is {asked.get(name)!r}; this site allows {wanted!r}")
    if asked.get(Key.STAGE) == Stage.UNMASK:
        active, dead = (
            set(_listed(asked, key)) for key in (Key.ACTIVE_NODE_ID_LIST, Key.DEAD_NODE_ID_LIST)
        )
        if active & dead:
            raise InputError(f"nodes {sorted(active & dead)} are said to be both there and gone")


def terms(options: SecureOptions, sites: int) -> dict[str, int | float]:
    """What the server says at the beginning, in Flower's words."""
    return {
        Key.SHARE_NUMBER: options.shares_of(sites),
        Key.THRESHOLD: options.threshold_of(sites),
        Key.CLIPPING_RANGE: options.clipping,
        Key.TARGET_RANGE: options.quantisation,
        Key.MOD_RANGE: options.modulus,
        Key.MAX_WEIGHT: options.most_samples,
    }


def _whole(record: ConfigRecord, key: str) -> int:
    value = record.get(key)
    return value if isinstance(value, int) else 0


def _listed(record: ConfigRecord, key: str) -> list[Any]:
    value = record.get(key)
    return value if isinstance(value, list) else []


def _learnt(learn: Learn, options: SecureOptions, message: Message, context: Context) -> Message:
    """What the app says, in the words that Flower's mod masks."""
    content = RecordDict({name: one for name, one in message.content.items() if name != SECURE})
    reply = learn(exchange(message, content), context)
    if reply.has_error():
        raise InputError(reply.error.reason or "the app failed")
    if len(reply.content.array_records) != 1 or len(reply.content.metric_records) != 1:
        raise InputError("a reply is one record of arrays and one of metrics")
    ((name, metrics),) = reply.content.metric_records.items()
    (arrays,) = reply.content.array_records.values()
    weight = metrics.get(WEIGHT)
    if not isinstance(weight, int | float) or not 0 < weight <= options.most_samples:
        raise InputError(f"{WEIGHT} is {weight!r}; allowed: above 0 up to {options.most_samples}")
    result = fit_result(vector(arrays, options), weight)
    result[name] = metrics
    return exchange(reply, result)


def vector(arrays: ArrayRecord, options: SecureOptions) -> NDArray[np.float64]:
    """All parameters in a row, [P + 1], and a last number, the clipping, by which the server sees
    whether the masks cancelled.

    Raises:
        InputError: an array is not of floats, not finite, or would be clipped; by its name.
    """
    parts = []
    for name, array in arrays.items():
        values = array.numpy()
        if values.dtype.kind != "f":
            raise InputError(f"parameter {name} is of {values.dtype}; allowed: floats")
        largest = float(np.abs(values).max(initial=0.0))
        if not isfinite(largest) or largest > options.clipping:
            raise InputError(
                f"parameter {name} reaches {largest:.6g}; allowed: up to clipping, "
                f"{options.clipping:g}"
            )
        parts.append(values.astype(np.float64).ravel())
    return np.concatenate([*parts, [options.clipping]])
