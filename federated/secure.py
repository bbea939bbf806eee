# SPDX-License-Identifier: Apache-2.0
"""Secure aggregation: the server learns the weighted mean of what sites learnt, and no summand.

Flower's SecAgg+, one round at a time: sites add masks that cancel in the sum, and give others
shares of the keys, so that the sum can still be had when some fail on the way. It keeps secrets
from a server that is curious and follows the protocol, alone or with fewer sites than the
threshold. What it does not do: nobody can look at what a single site sent, so neither sifting nor
robust strategies work, and one site can shift the mean as far as the clipping lets it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, Message, RecordDict
from flwr.serverapp import Grid
from numpy.typing import NDArray

from federated.flower import FIRST_SITE, Run, failure, number
from federated.flower_secure import SecAggPlusWorkflow, fit_weight, masked_mean
from federated.secure_options import SecureOptions
from federated.secure_replies import Checked
from federated.task import Arrays


@dataclass(frozen=True, eq=False)
class Secured:
    """What came of a round.

    Args:
        arrays: the weighted mean, within ``options.error``; None if the round failed, and then
            the model stays as it is.
        weight: samples of those in the mean.
        metrics: of those in the mean, by site, which were not secret.
        dropped: who is not in the mean, and why; who failed when all was sent is in it.
        halted: why there is no mean.
    """

    arrays: Arrays | None
    weight: float
    metrics: dict[int, RecordDict]
    dropped: dict[int, str]
    halted: str | None = None


def secure_round(
    grid: Grid,
    contents: Mapping[int, RecordDict],
    options: SecureOptions,
    round_number: int = 1,
    timeout_s: float | None = None,
) -> Secured:
    """Let sites learn, and take the weighted mean of what they learnt. Needs an identity.

    Args:
        grid: where apps with :func:`federated.secure_site.secured` run.
        contents: what each site gets, by site: one record of arrays, alike in names, shapes and
            types at all sites, and what else the app reads.
        timeout_s: of each of the four stages.

    Raises:
        InputError: fewer than 3 sites, or more than the modulus has room for.
    """
    (model,) = next(iter(contents.values())).array_records.values()
    workflow = SecAggPlusWorkflow(
        options.shares_of(len(contents)),
        options.threshold_of(len(contents)),
        max_weight=options.most_samples,
        clipping_range=options.clipping,
        quantization_range=options.quantisation,
        modulus_range=options.modulus,
        timeout=timeout_s,
    )
    length = sum(int(np.prod(array.shape)) for array in model.values()) + 1
    checked = Checked(grid, length)
    by_node = {FIRST_SITE + site: content for site, content in contents.items()}
    mean = masked_mean(workflow, checked, by_node, round_number)
    return _result(mean, model, checked, options)


def _result(
    mean: NDArray[np.float64] | None, model: ArrayRecord, checked: Checked, options: SecureOptions
) -> Secured:
    counted, failed = checked.counted, checked.failed
    dropped = {site: reason for site, reason in failed.items() if site not in counted}
    weight = sum(map(fit_weight, counted.values()))
    if mean is None:
        listed = "; ".join(f"site {site}: {reason}" for site, reason in sorted(failed.items()))
        return Secured(None, 0.0, {}, dropped, f"too few sites came through ({listed})")
    error = options.error(len(counted), weight)
    if not _cancelled(mean, options.clipping, error):
        return Secured(None, 0.0, {}, dropped, "the masks did not cancel: not all follow the rules")
    metrics = {site: _metrics(content) for site, content in counted.items()}
    return Secured(dict(_arrays(mean, model)), weight, metrics, dropped)


def _cancelled(mean: NDArray[np.float64], clipping: float, error: float) -> bool:
    """Whether the last number, which is the clipping at every site, came back, and no larger."""
    near = abs(mean[-1] - clipping) <= error
    return bool(near and (np.abs(mean) <= clipping + error).all())


def _arrays(mean: NDArray[np.float64], model: ArrayRecord) -> Iterator[tuple[str, NDArray[Any]]]:
    start = 0
    for name, array in model.items():
        size = int(np.prod(array.shape))
        part = mean[start : start + size].reshape(tuple(array.shape))
        yield name, part.astype(array.dtype)
        start += size


def _metrics(content: RecordDict) -> RecordDict:
    """A reply without what Flower added to it."""
    kept = {n: r for n, r in content.metric_records.items() if not n.startswith("fitres.")}
    return RecordDict(dict(kept))


class SecureGrid(Grid):
    """A Grid whose training messages are answered with the secure mean, so that strategies stay.

    Every site whose summand is in the mean seems to have replied with the mean itself and its own
    metrics, so FedAvg and what builds on it do what they would have done. All others have failed,
    and everybody if the round did.
    """

    def __init__(self, grid: Grid, options: SecureOptions) -> None:
        self._grid = grid
        self._options = options
        self._rounds = 0
        self.latest: Secured | None = None
        """What came of the last round."""

    def set_run(self, run: Run) -> None:
        """As the inner one."""
        self._grid.set_run(run)

    @property
    def run(self) -> Run:
        """As the inner one's."""
        return self._grid.run

    def create_message(
        self,
        content: RecordDict,
        message_type: str,
        dst_node_id: int,
        group_id: str,
        ttl: float | None = None,
    ) -> Message:
        """As the inner one."""
        return self._grid.create_message(content, message_type, dst_node_id, group_id, ttl)

    def get_node_ids(self) -> Iterable[int]:
        """As the inner one."""
        return self._grid.get_node_ids()

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """As the inner one; nothing is secure here, and sites do not answer to training."""
        return self._grid.push_messages(messages)

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """As the inner one."""
        return self._grid.pull_messages(message_ids)

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterable[Message]:
        """Training messages go through a secure round, others as they are.

        Raises:
            InputError: fewer than 3 sites are to learn, or too many.
        """
        asked = list(messages)
        if not asked or asked[0].metadata.message_type.split(".")[0] != "train":
            return self._grid.send_and_receive(asked, timeout=timeout)
        self._rounds += 1
        by_site = {message.metadata.dst_node_id - FIRST_SITE: message for message in asked}
        contents = {site: message.content for site, message in by_site.items()}
        secured = secure_round(self._grid, contents, self._options, self._rounds, timeout)
        self.latest = secured
        return [_as_reply(secured, site, message) for site, message in by_site.items()]


def _as_reply(secured: Secured, site: int, message: Message) -> Message:
    number(message)
    if secured.arrays is None or site not in secured.metrics:
        return failure(message, secured.dropped.get(site) or str(secured.halted))
    (name,) = message.content.array_records
    arrays = ArrayRecord({key: Array(values) for key, values in secured.arrays.items()})
    return Message(RecordDict({name: arrays, **secured.metrics[site]}), reply_to=message)
