# SPDX-License-Identifier: Apache-2.0
"""Flower's own strategies by name, and what of them has to outlive the process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from flwr.app import ArrayRecord
from flwr.serverapp import strategy as flower
from flwr.serverapp.strategy import Strategy
from numpy.typing import NDArray

from federated.flower import globally_seeded
from federated.records import ONE, WEIGHT, to_arrays, to_record
from federated.seeds import Role, draw
from federated.strategy_options import (
    StrategyName,
    StrategyOptions,
    asked_each_round,
    require_possible,
)


def make_strategy(name: StrategyName, options: StrategyOptions, sites: int) -> Strategy:
    """Flower's strategy, wrapped for differential privacy where that is wanted.

    All sites are expected to be there, and all are asked to judge.

    Raises:
        InputError: as :func:`require_possible`.
    """
    require_possible(name, options, sites)
    asked = asked_each_round(options, sites)
    common: dict[str, Any] = {
        "fraction_train": options.fraction,
        "min_train_nodes": asked,
        "min_evaluate_nodes": sites,
        "min_available_nodes": sites,
        "weighted_by_key": WEIGHT if options.clip_norm is None else ONE,
    }
    made = _make(name, options, common, asked)
    clip_norm = options.clip_norm
    return made if clip_norm is None else _private(made, options, clip_norm, asked)


def _private(
    strategy: Strategy, options: StrategyOptions, clip_norm: float, asked: int
) -> Strategy:
    """Clips and adds noise at the server, around another strategy."""
    if options.adaptive_clipping:
        return flower.DifferentialPrivacyServerSideAdaptiveClipping(
            strategy,
            options.noise_multiplier,
            num_sampled_clients=asked,
            initial_clipping_norm=clip_norm,
        )
    return flower.DifferentialPrivacyServerSideFixedClipping(
        strategy, options.noise_multiplier, clip_norm, num_sampled_clients=asked
    )


def _make(
    name: StrategyName, options: StrategyOptions, common: dict[str, Any], asked: int
) -> Strategy:
    adaptive: dict[str, Any] = {"eta": options.server_learning_rate, "tau": options.tau}
    liars: dict[str, Any] = {"num_malicious_nodes": options.malicious}
    match name:
        case StrategyName.FEDAVG:
            return flower.FedAvg(**common)
        case StrategyName.FEDAVGM:
            return flower.FedAvgM(**common, server_momentum=options.momentum)
        case StrategyName.FEDPROX:
            return flower.FedProx(**common, proximal_mu=options.proximal_mu)
        case StrategyName.FEDADAM:
            return flower.FedAdam(**common, **adaptive)
        case StrategyName.FEDYOGI:
            return flower.FedYogi(**common, **adaptive)
        case StrategyName.FEDADAGRAD:
            return flower.FedAdagrad(**common, **adaptive)
        case StrategyName.FEDMEDIAN:
            return flower.FedMedian(**common)
        case StrategyName.TRIMMED:
            return flower.FedTrimmedAvg(**common, beta=options.trim)
        case StrategyName.KRUM:
            return flower.Krum(**common, **liars)
        case StrategyName.MULTIKRUM:
            chosen = max(1, asked - options.malicious)
            return flower.MultiKrum(**common, **liars, num_nodes_to_select=chosen)
        case StrategyName.BULYAN:
            return flower.Bulyan(**common, **liars)


STATE = ("m_t", "v_t", "momentum_vector", "clipping_norm")
"""What strategies remember from round to round; that 3 and 3 rounds are 6 is tested for each."""

State = dict[str, NDArray[Any]]
"""Numbers of a strategy by name, such as ``v_t/head.bias``."""


def state_of(strategy: Strategy) -> State:
    """What a strategy remembers, that of one inside of it too."""
    found: State = {}
    for name in STATE:
        value = getattr(strategy, name, None)
        if value is None:
            continue
        if isinstance(value, dict):
            found |= {f"{name}/{key}": np.asarray(one) for key, one in value.items()}
        elif isinstance(value, list):
            found |= {f"{name}/{place}": np.asarray(one) for place, one in enumerate(value)}
        else:
            found[name] = np.asarray(value)
    inner = getattr(strategy, "strategy", None)
    return found | ({f"inner/{n}": v for n, v in state_of(inner).items()} if inner else {})


def restore(strategy: Strategy, state: State) -> None:
    """Give a fresh strategy the memory that :func:`state_of` found in another one like it."""
    inner = {n.removeprefix("inner/"): v for n, v in state.items() if n.startswith("inner/")}
    for name in STATE:
        parts = {
            n.removeprefix(f"{name}/"): v for n, v in state.items() if n.startswith(f"{name}/")
        }
        if parts:
            listed = name == "momentum_vector"
            setattr(strategy, name, list(parts.values()) if listed else parts)
        elif name in state:
            setattr(strategy, name, float(state[name]))
    if inner:
        restore(strategy.strategy, inner)  # type: ignore[attr-defined]


@contextmanager
def drawn_from(seed: int, round_number: int, step: int) -> Iterator[None]:
    """Inside, what Flower draws depends on the run's seed and the round alone.

    So nothing of its generators has to be kept to go on later as if nothing had happened.
    """
    number = int(draw(seed, Role.SERVER, round_number, step).integers(2**32))
    with globally_seeded(number):
        yield


def as_before(arrays: ArrayRecord, wanted: ArrayRecord) -> ArrayRecord:
    """With the types of numbers that the model has: some strategies make doubles of all."""
    kinds = {name: value.dtype for name, value in to_arrays(wanted).items()}
    found = to_arrays(arrays)
    if all(value.dtype == kinds[name] for name, value in found.items()):
        return arrays
    return to_record({name: value.astype(kinds[name]) for name, value in found.items()})
