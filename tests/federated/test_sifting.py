# SPDX-License-Identifier: Apache-2.0
"""Sites that send nonsense, in every way that Flower's strategies do not survive."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp.strategy import FedAvg

from federated.arrays import QuickArray
from federated.flower import identity
from federated.grid import LocalSites, SiteGrid, one_by_one
from federated.sifting import Sifted
from sim.errors import InputError

SITES, BAD = 6, (1, 4)
Spoil = Callable[[np.ndarray], RecordDict]


def content(*arrays: np.ndarray, **metrics: float) -> RecordDict:
    return RecordDict(
        {
            "arrays": ArrayRecord(list(arrays)),
            "metrics": MetricRecord({"num-examples": 1} | metrics),
        }
    )


def unreadable(weights: np.ndarray) -> RecordDict:
    array = Array(str(weights.dtype), weights.shape, "numpy.ndarray", b"no numpy file")
    return RecordDict(
        {"arrays": ArrayRecord({"0": array}), "metrics": MetricRecord({"num-examples": 1})}
    )


SPOILS: dict[str, tuple[Spoil, str]] = {
    "nan": (lambda w: content(w * np.nan), "array 0 is not finite"),
    "infinite": (lambda w: content(w + np.inf), "array 0 is not finite"),
    "shape": (lambda w: content(w[:-1]), "instead of float64[3]"),
    "type": (lambda w: content(w.astype(np.float32)), "float32[3] instead of float64[3]"),
    "more arrays": (lambda w: content(w, w), "instead of ['0']"),
    "nothing": (lambda _: RecordDict(), "not one record"),
    "unreadable": (unreadable, "cannot be read"),
    "no weight": (lambda w: content(w, **{"num-examples": 0}), "num-examples is 0"),
    "negative": (lambda w: content(w, **{"num-examples": -5}), "num-examples is -5"),
    "weight nan": (lambda w: content(w, **{"num-examples": float("nan")}), "num-examples is nan"),
    "odd metrics": (lambda w: content(w, extra=1.0), "other names than most"),
    "raises": (lambda w: content(w[7:8] / w[9]), "the site failed: IndexError"),
}


def sites(spoil: Spoil, bad: tuple[int, ...] = BAD) -> LocalSites:
    app = ClientApp()

    @app.train()
    def train(message: Message, context: Context) -> Message:
        site = int(context.node_config["partition-id"])
        (weights,) = message.content["arrays"].to_numpy_ndarrays()
        reply = spoil(weights) if site in bad else content(weights + site)
        return Message(reply, reply_to=message)

    return LocalSites(one_by_one(app), SITES)


def trained(strategy: Sifted | FedAvg, where: LocalSites) -> np.ndarray:
    with identity(run_id=1):
        result = strategy.start(SiteGrid(where), ArrayRecord([np.zeros(3)]), num_rounds=2)
    (weights,) = result.arrays.to_numpy_ndarrays()
    return weights


def average() -> FedAvg:
    return FedAvg(fraction_evaluate=0.0, min_train_nodes=SITES, min_available_nodes=SITES)


@pytest.mark.parametrize("name", SPOILS)
def test_nonsense_does_not_count_and_is_named(name: str) -> None:
    spoil, told = SPOILS[name]
    strategy = Sifted(average())
    np.testing.assert_allclose(trained(strategy, sites(spoil)), 2 * np.mean([0, 2, 3, 5]))
    assert [(one.round, one.site) for one in strategy.rejections] == [
        (turn, site) for turn in (1, 2) for site in BAD
    ]
    assert all(told in one.reason for one in strategy.rejections), strategy.rejections


def test_without_sifting_the_same_sites_spoil_or_end_the_run() -> None:
    assert np.isnan(trained(average(), sites(SPOILS["nan"][0]))).all()
    with pytest.raises(Exception, match=r"shape|broadcast|MetricRecord|ArrayRecord"):
        trained(average(), sites(SPOILS["shape"][0]))


def test_good_replies_change_nothing() -> None:
    plain = trained(average(), sites(SPOILS["nan"][0], bad=()))
    strategy = Sifted(average())
    np.testing.assert_array_equal(trained(strategy, sites(SPOILS["nan"][0], bad=())), plain)
    assert strategy.rejections == []


def test_with_too_few_good_replies_the_model_stays_as_it_is() -> None:
    np.testing.assert_array_equal(
        trained(Sifted(average(), least=5), sites(SPOILS["nan"][0])), np.zeros(3)
    )
    nobody = Sifted(average())
    trained(nobody, sites(SPOILS["nan"][0], bad=tuple(range(SITES))))
    assert len(nobody.rejections) == 2 * SITES
    with pytest.raises(InputError, match="least is 0"):
        Sifted(average(), least=0)


class Looking(FedAvg):
    """Notes what kind of arrays it is given."""

    kinds: frozenset[type] = frozenset()

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        found = list(replies)
        self.kinds |= {
            type(one)
            for reply in found
            for record in reply.content.array_records.values()
            for one in record.values()
        }
        return super().aggregate_train(server_round, found)


def test_a_strategy_is_given_arrays_whose_headers_are_not_parsed_again() -> None:
    strategy = Looking(fraction_evaluate=0.0, min_train_nodes=SITES, min_available_nodes=SITES)
    trained(Sifted(strategy), sites(SPOILS["nan"][0]))
    assert strategy.kinds == {QuickArray}
