# SPDX-License-Identifier: Apache-2.0
"""Models have the sizes of the papers, and training follows their protocol."""

import numpy as np
import pytest
import torch

from agents.forecasting.models import Forecaster, make_model
from agents.forecasting.options import TRIVIAL, ModelName, TaskName, TrainingOptions
from agents.forecasting.series import Losses, Task, losses, make_task, recall
from agents.forecasting.training import Status, forecast, train
from quantum.errors import CircuitError
from sim.errors import InputError

TRAINED = [name for name in ModelName if not name.is_trivial]
FEW = TrainingOptions(epochs=2)


def shm() -> Task:
    return make_task(TaskName.SHM, np.random.default_rng(0))


def fresh(name: ModelName, seed: int = 0) -> Forecaster:
    return make_model(name, 1, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("name", "parameters", "circuits_of_a_window"),
    [
        (ModelName.QFWP, 111, 1),
        (ModelName.QFWP_DECAY, 112, 1),
        (ModelName.QFWP_GATED, 120, 1),
        (ModelName.QFWP_BOUNDED, 129, 1),
        (ModelName.QLSTM, 149, 4 * 5 + 1),
        (ModelName.QLSTM4, 126, 4 * 4),
        (ModelName.LSTM, 117, 0),
        (ModelName.GRU, 126, 0),
        (ModelName.FWP, 109, 0),
        (ModelName.DELTA, 110, 0),
    ],
)
def test_models_have_the_sizes_of_the_papers(
    name: ModelName, parameters: int, circuits_of_a_window: int
) -> None:
    model = fresh(name)
    assert model.num_parameters == parameters
    assert model.num_circuits(windows=3, length=4) == 3 * circuits_of_a_window


def test_every_name_is_a_model_or_trivial() -> None:
    for name in TRAINED:
        assert fresh(name)(torch.zeros(2, 4, 1, dtype=torch.float64)).shape == (2, 1)
    for name in TRIVIAL:
        with pytest.raises(InputError, match=f"model is '{name}'; allowed: qfwp, "):
            fresh(name)


@pytest.mark.parametrize("name", TRAINED)
def test_the_generator_alone_makes_the_model(name: ModelName) -> None:
    torch.manual_seed(1)
    first, other = fresh(name, seed=3), fresh(name, seed=4)
    torch.manual_seed(2)
    again = fresh(name, seed=3)
    pairs = list(zip(first.parameters(), again.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b in pairs)
    assert any(
        not torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True)
    )


@pytest.mark.parametrize("name", [ModelName.QFWP, ModelName.QLSTM, ModelName.LSTM])
def test_training_reproduces_itself_and_reports_every_epoch(name: ModelName) -> None:
    task, seen = shm(), list[tuple[int, Losses]]()
    first = train(fresh(name), task, FEW, lambda epoch, found: seen.append((epoch, found)))
    again = train(fresh(name), task, FEW)
    assert [epoch.losses for epoch in first.epochs] == [epoch.losses for epoch in again.epochs]
    assert seen == [(1, first.epochs[0].losses), (2, first.epochs[1].losses)]
    assert first.status is Status.TRAINED


def test_the_optimizer_is_that_of_the_paper() -> None:
    """RMSprop by its own equations, on a model of one affine map, agrees to the last digits."""
    task, model = shm(), fresh(ModelName.LSTM)
    model.core = _Last()
    model.readout = torch.nn.Linear(1, 1).double()
    with torch.no_grad():
        model.readout.weight.fill_(0.3)
        model.readout.bias.fill_(-0.1)
    weights, mean_square = np.array([0.3, -0.1]), np.zeros(2)
    for _ in range(3):
        for start in range(0, 157, 10):
            rows = slice(start, min(start + 10, 157))
            columns = np.column_stack([task.windows[rows, -1, 0], np.ones(rows.stop - start)])
            residual = columns @ weights - task.targets[rows]
            slope = 2 * (residual[:, None] * columns).mean(0)
            mean_square = 0.99 * mean_square + 0.01 * slope**2
            weights = weights - 0.01 * slope / (np.sqrt(mean_square) + 1e-8)
    train(model, task, TrainingOptions(epochs=3))
    found = [model.readout.weight.item(), model.readout.bias.item()]
    assert found == pytest.approx(weights, rel=1e-9)


class _Last(torch.nn.Module):
    """A core without memory or parameters."""

    def forward(self, x: torch.Tensor, last: int) -> tuple[torch.Tensor, None]:
        assert last == 1
        return x[:, -1:], None

    def num_circuits(self, *_: int, last: int) -> int:
        return 0 if last == 1 else -1


def test_an_epoch_keeps_what_the_model_was_after_it() -> None:
    task, model = shm(), fresh(ModelName.GRU)
    history = train(model, task, TrainingOptions(epochs=4))
    best = history.best
    assert best is not None
    kept = history.epochs[best - 1]
    assert kept.losses.train == min(epoch.losses.train for epoch in history.epochs)
    again = fresh(ModelName.GRU, seed=9)
    again.load_state_dict(kept.weights)
    predictions = forecast(again, torch.from_numpy(task.windows))
    assert np.array_equal(predictions, kept.predictions)
    assert losses(task, predictions) == kept.losses
    assert history.losses_at(best) == kept.losses
    assert history.losses_at(5) is None
    assert history.losses_at(None) is None


def test_circuits_are_counted() -> None:
    task = shm()
    history = train(fresh(ModelName.QFWP), task, FEW)
    assert history.circuits == 2 * (157 + 235)
    assert train(fresh(ModelName.GRU), task, FEW).circuits == 0


def test_a_model_that_diverges_is_an_outcome() -> None:
    history = train(fresh(ModelName.QFWP), shm(), TrainingOptions(epochs=5, learning_rate=1e200))
    assert history.status is Status.DIVERGED
    assert len(history.epochs) < 5
    assert all(np.isfinite(epoch.predictions).all() for epoch in history.epochs)
    assert history.losses_at(5) is None


def test_a_model_that_starts_without_finite_losses_has_no_epochs() -> None:
    model = fresh(ModelName.LSTM)
    with torch.no_grad():
        model.readout.bias.fill_(torch.nan)
    history = train(model, shm(), FEW)
    assert (history.epochs, history.best, history.status) == ((), None, Status.DIVERGED)


def test_a_model_that_does_not_fit_the_task_is_an_error_and_no_divergence() -> None:
    model = make_model(ModelName.QFWP, 2, torch.Generator().manual_seed(0))
    with pytest.raises(CircuitError, match="shape"):
        train(model, shm(), FEW)


def test_the_additive_rule_is_blind_to_the_order_of_the_past() -> None:
    """The theorem, on trained models: who has seen the same inputs says the same."""
    task = recall(TaskName.RECALL4, 4, np.random.default_rng(0), symbols=100)
    windows = torch.from_numpy(task.windows)
    order = torch.tensor([3, 0, 4, 1, 2, 5])
    for name in (ModelName.QFWP, ModelName.FWP):
        model = fresh(name)
        train(model, task, FEW)
        same = np.abs(forecast(model, windows) - forecast(model, windows[:, order]))
        assert same.max() < 1e-12
    for name in (ModelName.QFWP_DECAY, ModelName.QFWP_GATED, ModelName.LSTM):
        model = fresh(name)
        train(model, task, FEW)
        other = np.abs(forecast(model, windows) - forecast(model, windows[:, order]))
        assert other.max() > 1e-4


def test_a_model_with_order_solves_recall_and_a_blind_one_cannot() -> None:
    task = recall(TaskName.RECALL2, 2, np.random.default_rng(0), length=4, symbols=200)
    names = (ModelName.LSTM, ModelName.FWP)
    histories = {name: train(fresh(name), task, TrainingOptions(epochs=25)) for name in names}
    loss = {name: history.epochs[-1].losses.test for name, history in histories.items()}
    assert loss[ModelName.LSTM] < 0.05
    assert loss[ModelName.FWP] > 0.4  # 2/3 is the least to expect; the test part is a small sample
