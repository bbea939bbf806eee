# SPDX-License-Identifier: Apache-2.0
"""All that secure aggregation touches of Flower's inside; the rest is in federated/flower.py.

In Flower 1.41 SecAgg+ exists for its former API alone: a workflow and a mod that speak in fit
results. Here are their stages, one round at a time, and masks that can be relied on.
"""

from collections.abc import Iterable, Mapping
from hashlib import shake_256
from importlib import import_module
from itertools import accumulate
from math import prod
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.client.mod import secaggplus_mod as secaggplus_mod
from flwr.common import FitIns, FitRes, Parameters, parameters_to_ndarrays
from flwr.common.secure_aggregation.secaggplus_constants import RECORD_KEY_CONFIGS
from flwr.common.secure_aggregation.secaggplus_constants import Key as Key
from flwr.common.secure_aggregation.secaggplus_constants import Stage as Stage
from flwr.server.compat.legacy_context import LegacyContext
from flwr.server.workflow import SecAggPlusWorkflow as SecAggPlusWorkflow
from flwr.server.workflow.constant import MAIN_CONFIGS_RECORD, MAIN_PARAMS_RECORD
from flwr.server.workflow.constant import Key as RoundKey
from flwr.server.workflow.secure_aggregation import secaggplus_workflow as server_side
from flwr.supercore.primitives.asymmetric import bytes_to_public_key as bytes_to_public_key
from numpy.typing import NDArray

from federated.flower import SERVER_ID

SECURE = RECORD_KEY_CONFIGS
"""The record that the stages of secure aggregation are in."""


def mask(seed: bytes, modulus: int, shapes: list[tuple[int, ...]]) -> list[NDArray[np.int64]]:
    """Numbers below a modulus (a power of two) that nobody can tell who has not the whole seed.

    Flower's own folds a seed to 32 bits, that of a pair of sites to 28, because the characters of
    base64 have 7: a server could find a mask by trying. So this takes its place on both sides.
    """
    ends = list(accumulate(prod(shape) for shape in shapes))
    stream = np.frombuffer(shake_256(seed).digest(8 * sum(map(prod, shapes))), "<u8")
    numbers = (stream & np.uint64(modulus - 1)).astype(np.int64)
    parts = np.split(numbers, ends[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


# By its name, because Flower has a function of this name where the module would be.
site_side = import_module("flwr.client.mod.secure_aggregation.secaggplus_mod")
for _side in (site_side, server_side):
    if "pseudo_rand_gen" not in vars(_side):
        raise ImportError(f"{_side.__name__} makes its masks elsewhere than in Flower 1.41")
    vars(_side)["pseudo_rand_gen"] = mask


class Asks(Protocol):
    """What secure aggregation needs of a Grid; replies have to be a list, they are read twice."""

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> list[Message]:
        """Ask, and wait for the replies."""
        ...


def fit_result(vector: NDArray[np.float64], weight: float) -> RecordDict:
    """What a site learnt, in the only words that the site side of SecAgg+ understands."""
    return RecordDict(
        {
            "fitres.parameters": ArrayRecord([vector]),
            "fitres.num_examples": MetricRecord({"num_examples": weight}),
            "fitres.metrics": ConfigRecord({}),
            "fitres.status": ConfigRecord({"code": 0, "message": ""}),
        }
    )


def fit_weight(content: RecordDict) -> float:
    """The weight in the reply to such a result, which travels unmasked.

    Raises:
        KeyError, TypeError: it is not there, or something else that Flower reads is not.
    """
    weight: Any = content.metric_records["fitres.num_examples"]["num_examples"]
    content.array_records["fitres.parameters"], content.config_records["fitres.metrics"]
    content.config_records["fitres.status"]["message"]
    return float(weight)


def masked_mean(
    workflow: SecAggPlusWorkflow, grid: Asks, contents: Mapping[int, RecordDict], round_number: int
) -> NDArray[np.float64] | None:
    """One round of Flower's SecAgg+: the weighted mean of the vectors of those who came through.

    Flower's server forgets nobody who fails before it has given away shares of its keys, asks the
    others for these shares, and the round fails. Here such a site was never there.

    Args:
        workflow: with its options; its stages are used, its call is not.
        contents: by node, what the app of a site is to get when it is asked to learn.

    Returns:
        None if too few came through, or the shares that they sent do not fit.
    """
    fit = _OneFit(contents)
    context = LegacyContext(_server_context(round_number), strategy=fit)  # type: ignore[arg-type]
    state = server_side.WorkflowState()
    asks: Any = grid
    if not workflow.setup_stage(asks, context, state):
        return None
    state.nid_to_fitins = {node: RecordDict(dict(content)) for node, content in contents.items()}
    _forget_dropouts(state)
    if not workflow.share_keys_stage(asks, context, state):
        return None
    _forget_dropouts(state)
    if not workflow.collect_masked_vectors_stage(asks, context, state):
        return None
    try:
        finished = workflow.unmask_stage(asks, context, state)
    except (ValueError, KeyError, IndexError):  # shares that are none
        return None
    return fit.mean if finished else None


class _OneFit:
    """What SecAgg+ asks of a strategy: whom to ask, and to take the result."""

    def __init__(self, nodes: Iterable[int]) -> None:
        self._nodes = nodes
        self.mean: NDArray[np.float64] | None = None

    def configure_fit(self, *_: object) -> list[tuple[Any, FitIns]]:
        nothing = FitIns(Parameters([], ""), {})
        return [(SimpleNamespace(node_id=node), nothing) for node in self._nodes]

    def aggregate_fit(
        self, _: int, results: list[tuple[Any, FitRes]], __: object
    ) -> tuple[None, dict[str, Any]]:
        (self.mean,) = parameters_to_ndarrays(results[0][1].parameters)
        return None, {}


def _server_context(round_number: int) -> Context:
    state = RecordDict(
        {
            MAIN_PARAMS_RECORD: ArrayRecord(),
            MAIN_CONFIGS_RECORD: ConfigRecord({RoundKey.CURRENT_ROUND: round_number}),
        }
    )
    return Context(0, SERVER_ID, {}, state, {})


def _forget_dropouts(state: server_side.WorkflowState) -> None:
    there = set(state.active_node_ids)
    state.sampled_node_ids = there
    state.nid_to_neighbours = {node: state.nid_to_neighbours[node] & there for node in there}
