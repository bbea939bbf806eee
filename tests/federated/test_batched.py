# SPDX-License-Identifier: Apache-2.0
"""Many models trained as one batch against the obvious way: one after another, with torch alone."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn

from federated.batched import Loss, Parameters, Samples, can_map, fit_together, outputs_together
from federated.models import components, make_classifier, make_forecaster
from federated.options import CLASSIFIERS, FitOptions, Model, ModelOptions
from federated.sample_task import cross_entropy, squared, squared_sign

SIZES = (5, 1, 8, 3)
FEATURES, CLASSES, STEPS = 2, 3, 4
SMALL = ModelOptions(features=FEATURES, layers=1)
OPTIONS = FitOptions(local_epochs=3, batch=2, learning_rate=0.1)
EXACT = {"rtol": 0.0, "atol": 1e-10}
MODELS = (*CLASSIFIERS, Model.QFWP, Model.LSTM)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def generators(count: int = len(SIZES)) -> list[torch.Generator]:
    return [generator(100 + number) for number in range(count)]


def classes_of(model: Model) -> int:
    return 2 if model is Model.PARITY else CLASSES


def made(model: Model) -> tuple[nn.Module, Loss]:
    if model not in CLASSIFIERS:
        return make_forecaster(model, FEATURES, generator(0)), squared
    module = make_classifier(model, SMALL, classes_of(model), generator(0))
    return module, squared_sign if model is Model.PARITY else cross_entropy


def samples(model: Model, sizes: Sequence[int] = SIZES) -> list[Samples]:
    rng, found = generator(1), []
    for size in sizes:
        if model in CLASSIFIERS:
            shape = (size, components(model, SMALL, classes_of(model)))
            targets = torch.randint(classes_of(model), (size,), generator=rng)
        else:
            shape = (size, STEPS, FEATURES)
            targets = torch.rand(size, dtype=torch.float64, generator=rng)
        inputs = torch.rand(shape, dtype=torch.float64, generator=rng)
        found.append(Samples(inputs, targets))
    return found


def beginnings(module: nn.Module, count: int = len(SIZES)) -> Parameters:
    """Another one for each model."""
    rng, found = generator(2), {}
    for name, value in module.named_parameters():
        noise = torch.randn(count, *value.shape, dtype=value.dtype, generator=rng)
        found[name] = value.detach() + 0.1 * noise
    return found


def alone(
    module: nn.Module,
    loss: Loss,
    begin: Parameters,
    own: Samples,
    options: FitOptions,
    order: torch.Generator,
    proximal_mu: float,
) -> tuple[Parameters, float]:
    """The reference: the module itself, its own parameters, torch's optimizer, a loop."""
    module = deepcopy(module)
    module.load_state_dict(begin, strict=False)
    parameters = dict(module.named_parameters())
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}
    optimizer = kinds[options.optimizer](parameters.values(), lr=options.learning_rate)
    losses = []
    for _ in range(options.local_epochs):
        shuffled = torch.randperm(len(own), generator=order)
        for start in range(0, len(own), options.batch):
            chosen = shuffled[start : start + options.batch]
            mean = loss(module(own.inputs[chosen]), own.targets[chosen]).mean()
            losses.append(float(mean.detach()))
            far = sum(((parameters[name] - begin[name]) ** 2).sum() for name in begin)
            optimizer.zero_grad()
            (mean + 0.5 * proximal_mu * far).backward()
            optimizer.step()
    return {n: p.detach() for n, p in parameters.items()}, sum(losses) / len(losses)


def assert_as_alone(model: Model, options: FitOptions, proximal_mu: float = 0.0) -> None:
    (module, loss), data = made(model), samples(model)
    begin = beginnings(module)
    kept = {name: value.clone() for name, value in begin.items()}
    found, losses = fit_together(module, loss, begin, data, options, generators(), proximal_mu)
    for number, (own, order) in enumerate(zip(data, generators(), strict=True)):
        first = {name: value[number] for name, value in kept.items()}
        wanted, mean = alone(module, loss, first, own, options, order, proximal_mu)
        assert list(found) == list(wanted)
        for name, value in wanted.items():
            torch.testing.assert_close(found[name][number], value, **EXACT)
            assert not torch.equal(value, first[name]), f"{name} was not trained"
        assert float(losses[number]) == pytest.approx(mean, abs=1e-10)
    assert all(torch.equal(begin[name], kept[name]) for name in kept)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_learns_what_it_would_have_learnt_alone(model: Model) -> None:
    assert_as_alone(model, OPTIONS)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("model", [Model.MLP, Model.VQC])
def test_with_every_optimizer_and_held_near_the_beginning(optimizer: str, model: Model) -> None:
    options = replace(OPTIONS, optimizer=optimizer)  # type: ignore[arg-type]
    assert_as_alone(model, options, proximal_mu=0.7)


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_with_any_size_of_mini_batches(batch: int) -> None:
    assert_as_alone(Model.MLP, replace(OPTIONS, batch=batch))


def test_the_proximal_term_holds() -> None:
    module, loss = made(Model.MLP)
    begin, data = beginnings(module), samples(Model.MLP)
    options = replace(OPTIONS, optimizer="sgd")

    def distance(mu: float) -> float:
        found, _ = fit_together(module, loss, begin, data, options, generators(), mu)
        return float(sum(((found[name] - begin[name]) ** 2).sum() for name in begin))

    free, loose, tight = distance(0.0), distance(1.0), distance(5.0)
    assert free > loose > tight > 0


@pytest.mark.parametrize("model", [Model.VQC, Model.LSTM])
def test_alone_is_as_in_company(model: Model) -> None:
    (module, loss), data = made(model), samples(model)
    begin = beginnings(module)
    together, losses = fit_together(module, loss, begin, data, OPTIONS, generators(), 0.1)
    for number, order in enumerate(generators()):
        own = {name: value[number : number + 1] for name, value in begin.items()}
        single, mean = fit_together(module, loss, own, [data[number]], OPTIONS, [order], 0.1)
        for name, value in single.items():
            torch.testing.assert_close(together[name][number], value[0], **EXACT)
        assert float(mean) == pytest.approx(float(losses[number]), abs=1e-10)


def test_who_is_done_stays_where_it_is_however_long_others_go_on() -> None:
    """Adam and RMSprop would go on moving on their momentum."""
    module, loss = made(Model.MLP)
    short, long = samples(Model.MLP, (2, 40))
    begin = beginnings(module, 2)
    for optimizer in ("adam", "rmsprop"):
        options = replace(OPTIONS, optimizer=optimizer)
        found, _ = fit_together(module, loss, begin, [short, long], options, generators(2), 0.1)
        own = {name: value[:1] for name, value in begin.items()}
        single, _ = fit_together(module, loss, own, [short], options, generators(1), 0.1)
        for name, value in single.items():
            torch.testing.assert_close(found[name][:1], value, **EXACT)


def test_a_model_that_leaves_the_numbers_leaves_the_others_alone() -> None:
    module, loss = made(Model.LOGISTIC)
    data, begin = samples(Model.LOGISTIC), beginnings(module)
    wild = {name: value.clone() for name, value in begin.items()}
    wild["head.bias"][2] = torch.nan
    calm, _ = fit_together(module, loss, begin, data, OPTIONS, generators(), 0.1)
    found, losses = fit_together(module, loss, wild, data, OPTIONS, generators(), 0.1)
    assert torch.isnan(found["head.bias"][2]).all()
    assert torch.isnan(losses).tolist() == [False, False, True, False]
    for name, value in calm.items():
        torch.testing.assert_close(found[name][[0, 1, 3]], value[[0, 1, 3]], **EXACT)


@pytest.mark.parametrize("model", MODELS)
def test_outputs_are_those_of_the_module(model: Model) -> None:
    module, _ = made(model)
    begin = beginnings(module)
    inputs = torch.stack([one.inputs for one in samples(model, (3,) * len(SIZES))])
    found = outputs_together(module, begin, inputs)
    for number, own in enumerate(inputs):
        module.load_state_dict({n: v[number] for n, v in begin.items()}, strict=False)
        torch.testing.assert_close(found[number], module(own), **EXACT)


def test_only_recurrent_layers_of_torch_are_done_in_a_loop() -> None:
    mapped = {model for model in MODELS if can_map(made(model)[0])}
    assert mapped == set(MODELS) - {Model.LSTM}
