# SPDX-License-Identifier: Apache-2.0
"""Secure aggregation is averaging, within its quantisation, and fails without harm."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.common import bytes_to_ndarray, ndarray_to_bytes
from flwr.common.secure_aggregation.secaggplus_utils import pseudo_rand_gen
from flwr.serverapp.strategy import FedAvg

from federated.flower import FIRST_SITE, identity
from federated.flower_secure import SECURE, Key, Stage, mask, server_side, site_side
from federated.grid import LocalSites, SiteGrid, one_by_one
from federated.secure import Secured, SecureGrid, secure_round
from federated.secure_options import SecureOptions
from federated.secure_site import secured, terms
from sim.errors import InputError

SITES = 6
SHAPES: dict[str, tuple[int, ...]] = {"matrix": (3, 4), "bias": (5,), "scale": (), "none": (0, 2)}
COARSE = SecureOptions(quantisation=2**16, modulus=2**32, most_samples=1000)
Meddle = Callable[[Message, Context], Message | None]


def learnt(site: int) -> dict[str, np.ndarray]:
    """What a site makes of any model: numbers of its own, almost as large as is allowed."""
    rng = np.random.default_rng(site)
    return {name: rng.uniform(-8, 8, shape) for name, shape in SHAPES.items()}


def weight(site: int) -> int:
    return 3 + 7 * site**2


def app_of(options: SecureOptions, meddle: Meddle = lambda *_: None) -> ClientApp:
    """Sites that learn those numbers; ``meddle`` may answer a stage in their place."""
    app = ClientApp()

    def first(message: Message, context: Context, go_on: Callable[..., Message]) -> Message:
        return meddle(message, context) or go_on(message, context)

    @app.train(mods=[first, secured(options)])
    def train(message: Message, context: Context) -> Message:
        assert SECURE not in message.content
        site = int(context.node_config["partition-id"])
        arrays = ArrayRecord({name: Array(values) for name, values in learnt(site).items()})
        metrics = MetricRecord({"num-examples": weight(site), "loss": 0.5 * site})
        return Message(RecordDict({"arrays": arrays, "metrics": metrics}), reply_to=message)

    @app.evaluate()
    def evaluate(message: Message, _: Context) -> Message:
        metrics = MetricRecord({"num-examples": 1, "loss": 1.0})
        return Message(RecordDict({"metrics": metrics}), reply_to=message)

    return app


def failing(stages: Mapping[int, str]) -> Meddle:
    """Some sites raise in a stage."""

    def meddle(message: Message, context: Context) -> None:
        site = int(context.node_config["partition-id"])
        if message.content[SECURE][Key.STAGE] == stages.get(site):
            raise RuntimeError(f"no floor under site {site}")

    return meddle


def model(dtype: type = np.float64) -> RecordDict:
    zeros = {name: Array(np.zeros(shape, dtype)) for name, shape in SHAPES.items()}
    return RecordDict({"arrays": ArrayRecord(zeros), "config": ConfigRecord({"rate": 0.1})})


def run(
    options: SecureOptions, meddle: Meddle = lambda *_: None, sites: int = SITES, rounds: int = 1
) -> Secured:
    grid = SiteGrid(LocalSites(one_by_one(app_of(options, meddle)), sites))
    with identity(run_id=1):
        for number in range(1, rounds + 1):
            result = secure_round(grid, dict.fromkeys(range(sites), model()), options, number)
    return result


def assert_mean(result: Secured, sites: list[int], options: SecureOptions) -> None:
    """Of these sites, within the bound."""
    total = sum(map(weight, sites))
    assert result.halted is None
    assert result.arrays is not None
    assert result.weight == total
    assert sorted(result.metrics) == sites
    for name, shape in SHAPES.items():
        exact = np.average([learnt(s)[name] for s in sites], axis=0, weights=[*map(weight, sites)])
        assert result.arrays[name].shape == shape
        bound = options.error(len(sites), total)
        np.testing.assert_allclose(result.arrays[name], exact, rtol=0, atol=bound)


@pytest.mark.parametrize("options", [SecureOptions(), COARSE, SecureOptions(shares=3)])
def test_the_secure_mean_is_the_weighted_mean_within_its_quantisation(
    options: SecureOptions,
) -> None:
    result = run(options)
    assert_mean(result, list(range(SITES)), options)
    assert result.dropped == {}
    assert result.metrics[2]["metrics"]["loss"] == 1.0


def test_the_bound_is_small_and_not_idle() -> None:
    total = sum(map(weight, range(SITES)))
    assert SecureOptions().error(SITES, total) < 5e-6
    coarse = SecureOptions(quantisation=2**12, most_samples=256)
    arrays = run(coarse).arrays
    assert arrays is not None
    weights = [*map(weight, range(SITES))]
    exact = np.average([learnt(s)["matrix"] for s in range(SITES)], axis=0, weights=weights)
    error = np.abs(arrays["matrix"] - exact).max()
    assert coarse.error(SITES, total) / 100 < error < coarse.error(SITES, total) < 0.03


@pytest.mark.parametrize("stage", [Stage.SETUP, Stage.SHARE_KEYS, Stage.COLLECT_MASKED_VECTORS])
def test_a_site_that_fails_on_the_way_is_left_out(stage: str) -> None:
    result = run(SecureOptions(), failing({1: stage, 4: stage}))
    assert_mean(result, [0, 2, 3, 5], SecureOptions())
    assert sorted(result.dropped) == [1, 4]
    assert "no floor under site 4" in result.dropped[4]
    assert result.dropped[4].startswith(stage)


def test_sites_may_fail_in_different_stages() -> None:
    stages = {0: Stage.SETUP, 1: Stage.SHARE_KEYS, 5: Stage.COLLECT_MASKED_VECTORS, 6: Stage.UNMASK}
    options = SecureOptions(shares=9, threshold=0.55)
    result = run(options, failing(stages), sites=9)
    assert_mean(result, [2, 3, 4, 6, 7, 8], options)
    assert sorted(result.dropped) == [0, 1, 5]


@pytest.mark.parametrize("stage", Stage.all())
def test_too_many_dropouts_halt_the_round_and_the_next_one_succeeds(stage: str) -> None:
    options = SecureOptions()
    failures = {"left": 3}

    def meddle(message: Message, _: Context) -> None:
        if message.content[SECURE][Key.STAGE] == stage and failures["left"]:
            failures["left"] -= 1
            raise RuntimeError("no floor")

    halted = run(options, meddle)
    assert halted.arrays is None
    assert halted.halted is not None
    assert "too few sites came through" in halted.halted
    assert f"{stage}: RuntimeError: no floor" in halted.halted
    failures["left"] = 3
    assert_mean(run(options, meddle, rounds=2), list(range(SITES)), options)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda arrays, _: arrays["bias"].__setitem__(2, -8.001), "parameter bias reaches 8.001"),
        (lambda arrays, _: arrays["bias"].__setitem__(2, np.nan), "parameter bias reaches nan"),
        (lambda arrays, _: arrays.update(bias=np.ones(5, np.int64)), "bias is of int64"),
        (lambda arrays, _: arrays.update(bias=np.ones(6)), "not a reply to that"),
        (lambda _, metrics: metrics.update({"num-examples": 10_001}), "num-examples is 10001"),
        (lambda _, metrics: metrics.update({"num-examples": 0}), "num-examples is 0"),
        (lambda _, metrics: metrics.pop("num-examples"), "num-examples is None"),
    ],
)
def test_what_would_be_clipped_or_is_nonsense_is_refused_by_name(
    change: Callable[..., None], reason: str
) -> None:
    options = SecureOptions()
    app = ClientApp()

    @app.train(mods=[secured(options)])
    def train(message: Message, context: Context) -> Message:
        site = int(context.node_config["partition-id"])
        arrays = learnt(site)
        metrics: dict[str, int | float | list[int] | list[float]] = {"num-examples": weight(site)}
        if site == 3:
            change(arrays, metrics)
        records = ArrayRecord({name: Array(values) for name, values in arrays.items()})
        content = {"arrays": records, "metrics": MetricRecord(metrics)}
        return Message(RecordDict(content), reply_to=message)

    with identity(run_id=1):
        grid = SiteGrid(LocalSites(one_by_one(app), SITES))
        result = secure_round(grid, dict.fromkeys(range(SITES), model()), options)
    assert_mean(result, [0, 1, 2, 4, 5], options)
    assert reason in result.dropped[3]


@pytest.mark.parametrize("stage", Stage.all())
def test_a_site_that_answers_nonsense_is_left_out_or_halts_but_nothing_breaks(stage: str) -> None:
    def meddle(message: Message, context: Context) -> Message | None:
        if context.node_config["partition-id"] != 2:
            return None
        if message.content[SECURE][Key.STAGE] != stage:
            return None
        nonsense = ConfigRecord({Key.PUBLIC_KEY_1: b"x", Key.NODE_ID_LIST: [7], "nids": ["a"]})
        return Message(RecordDict({SECURE: nonsense}), reply_to=message)

    result = run(SecureOptions(), meddle)
    present = range(SITES) if stage == Stage.UNMASK else [0, 1, 3, 4, 5]
    assert_mean(result, list(present), SecureOptions())


def test_masks_that_do_not_cancel_are_noticed() -> None:
    """A site that adds to its masked numbers in one place too many is seen by the last number."""
    app = app_of(SecureOptions())
    shifted = ClientApp()

    @shifted.train()
    def train(message: Message, context: Context) -> Message:
        reply = app(message, context)
        record = reply.content.config_records.get(SECURE, ConfigRecord({}))
        if context.node_config["partition-id"] == 1 and Key.MASKED_PARAMETERS in record:
            factor, values = map(bytes_to_ndarray, record[Key.MASKED_PARAMETERS])  # type: ignore[arg-type]
            record[Key.MASKED_PARAMETERS] = [
                ndarray_to_bytes(factor),
                ndarray_to_bytes(np.roll(values, 1)),
            ]
        return reply

    with identity(run_id=1):
        grid = SiteGrid(LocalSites(one_by_one(shifted), SITES))
        result = secure_round(grid, dict.fromkeys(range(SITES), model()), SecureOptions())
    assert result.arrays is None
    assert result.halted == "the masks did not cancel: not all follow the rules"


def replies_to(content: RecordDict, times: int = 1) -> Message:
    grid = SiteGrid(LocalSites(one_by_one(app_of(SecureOptions())), 3))
    with identity(run_id=1):
        for _ in range(times):
            message = Message(content, FIRST_SITE, "train", group_id="1")
            (reply,) = grid.send_and_receive([message])
    return reply


def test_a_site_refuses_a_server_that_wants_to_know_more() -> None:
    plain = replies_to(model())
    assert "secure aggregation only" in str(plain.error.reason)

    agreed = {Key.STAGE: Stage.SETUP, Key.SAMPLE_NUMBER: 6, **terms(SecureOptions(), 6)}
    assert replies_to(RecordDict({SECURE: ConfigRecord(agreed)})).has_content()  # type: ignore[arg-type]
    weaker = ConfigRecord(agreed | {Key.THRESHOLD: 1})  # type: ignore[arg-type]
    refused = replies_to(RecordDict({SECURE: weaker}))
    assert "threshold is 1; this site allows 4" in str(refused.error.reason)
    two = ConfigRecord(agreed | {Key.SAMPLE_NUMBER: 2})  # type: ignore[arg-type]
    assert "sites is 2" in str(replies_to(RecordDict({SECURE: two})).error.reason)

    both = {Key.STAGE: Stage.UNMASK, Key.ACTIVE_NODE_ID_LIST: [2, 3], Key.DEAD_NODE_ID_LIST: [3]}
    refused = replies_to(RecordDict({SECURE: ConfigRecord(both)}))  # type: ignore[arg-type]
    assert "nodes [3] are said to be both" in str(refused.error.reason)


def test_what_the_server_receives_is_masked() -> None:
    seen: list[Message] = []

    class Listening(SiteGrid):
        def send_and_receive(self, messages, *, timeout=None):  # type: ignore[no-untyped-def]
            replies = list(super().send_and_receive(messages, timeout=timeout))
            seen.extend(replies)
            return replies

    options = SecureOptions(quantisation=2**16)
    with identity(run_id=1):
        grid = Listening(LocalSites(one_by_one(app_of(options)), SITES))
        secure_round(grid, dict.fromkeys(range(SITES), model()), options)
    assert len(seen) == 4 * SITES
    assert all(not arrays for one in seen for arrays in one.content.array_records.values())
    sent = [one.content.config_records[SECURE].get(Key.MASKED_PARAMETERS) for one in seen]
    masked = [bytes_to_ndarray(data) for pair in sent if pair for data in pair]  # type: ignore[union-attr,arg-type]
    assert len(masked) == 2 * SITES
    assert (np.concatenate(masked) > 2**20).mean() > 0.99  # unmasked they are up to 2**16


def test_masks_need_the_whole_seed() -> None:
    """Exclusive or of their words is the same for both seeds: to Flower they are one."""
    one, other = bytes(range(32)), bytes(range(4, 8)) + bytes(range(4)) + bytes(range(8, 32))
    same = [pseudo_rand_gen(seed, 2**32, [(4,)])[0] for seed in (one, other)]
    np.testing.assert_array_equal(*same)
    assert vars(site_side)["pseudo_rand_gen"] is vars(server_side)["pseudo_rand_gen"] is mask
    shapes: list[tuple[int, ...]] = [(1,), (3, 500), (), (0,)]
    ours = [mask(seed, 2**20, shapes) for seed in (one, other)]
    assert [part.shape for part in ours[0]] == shapes
    assert (ours[0][1] != ours[1][1]).mean() > 0.99
    assert 0 <= ours[0][1].min() < 2**10
    assert 2**20 - 2**10 < ours[0][1].max() < 2**20


def secure_grid(options: SecureOptions, meddle: Meddle) -> SecureGrid:
    sites = LocalSites(one_by_one(app_of(options, meddle)), SITES)
    return SecureGrid(SiteGrid(sites), options)


def test_a_strategy_of_flowers_does_not_notice() -> None:
    options = SecureOptions()
    grid = secure_grid(options, failing({2: Stage.SETUP}))
    with identity(run_id=1):
        result = FedAvg(min_train_nodes=SITES, min_available_nodes=SITES).start(
            grid, model().array_records["arrays"], num_rounds=2
        )
    sites = [0, 1, 3, 4, 5]
    exact = np.average([learnt(s)["bias"] for s in sites], axis=0, weights=[*map(weight, sites)])
    bound = options.error(5, sum(map(weight, sites)))
    np.testing.assert_allclose(result.arrays["bias"].numpy(), exact, rtol=0, atol=bound)
    assert grid.latest is not None
    assert list(grid.latest.dropped) == [2]
    losses = np.average([0.5 * s for s in sites], weights=[*map(weight, sites)])
    assert result.train_metrics_clientapp[2]["loss"] == pytest.approx(losses)


def test_a_round_that_fails_gives_no_reply() -> None:
    options = SecureOptions()
    meddle = failing(dict.fromkeys(range(4), Stage.COLLECT_MASKED_VECTORS))
    grid = secure_grid(options, meddle)
    with identity(run_id=1):
        messages = [Message(model(), FIRST_SITE + site, "train") for site in range(SITES)]
        replies = list(grid.send_and_receive(messages))
    assert all(reply.has_error() for reply in replies)
    assert "no floor under site 1" in str(replies[1].error.reason)
    assert "too few sites" in str(replies[5].error.reason)


def test_types_of_the_model_are_kept() -> None:
    with identity(run_id=1):
        contents = dict.fromkeys(range(SITES), model(np.float32))
        grid = SiteGrid(LocalSites(one_by_one(app_of(SecureOptions())), SITES))
        arrays = secure_round(grid, contents, SecureOptions()).arrays
    assert arrays is not None
    assert {values.dtype for values in arrays.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shares", 4),
        ("shares", 1),
        ("threshold", 0.5),
        ("threshold", 1.0),
        ("threshold", float("nan")),
        ("clipping", 0.0),
        ("clipping", float("inf")),
        ("quantisation", 1),
        ("quantisation", 2**31),
        ("modulus", 1000),
        ("modulus", 2**54),
        ("most_samples", 0),
        ("most_samples", 2**31),
    ],
)
def test_bad_options_are_refused(field: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{field} is "):
        SecureOptions(**{field: value})  # type: ignore[arg-type]


def test_too_few_or_too_many_sites_are_refused() -> None:
    with pytest.raises(InputError, match="sites is 2; allowed: 3 to 262143"):
        run(SecureOptions(), sites=2)
    with pytest.raises(InputError, match="sites is 4; allowed: 3 to 3 for modulus"):
        SecureOptions(quantisation=2**16, modulus=2**18).shares_of(4)
