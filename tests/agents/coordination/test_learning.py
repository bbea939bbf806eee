# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import pytest
import torch

from agents.coordination.improvement import ImprovementOptions
from agents.coordination.training import (
    Example,
    Trainer,
    TrainOptions,
    judge,
    prepare,
    train,
)
from sim.errors import InputError
from tests.agents.coordination.coordination_examples import SMALL, labelled, some_instance

FEW = TrainOptions(
    steps=6,
    graphs=2,
    judge_every=3,
    judge_samples=4,
    improvement=ImprovementOptions(weight=1.0, samples=4, latents=2),
)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    graphs = [some_instance(seed, robots=5).graph for seed in range(4)]
    return [prepare(labelled(graph), sharpness=1.0) for graph in graphs]


def trained(
    examples: Sequence[Example], options: TrainOptions, until: int | None = None
) -> Trainer:
    trainer = Trainer(SMALL, options, seed=3)
    train(trainer, examples[:2], examples[2:], until)
    return trainer


def test_a_training_that_was_resumed_ends_like_one_that_was_not(
    examples: list[Example], tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = trained(examples, FEW)
    path = tmp_path_factory.mktemp("state") / "state.pt"
    torch.save(trained(examples, FEW, until=4).state_dict(), path)
    resumed = Trainer(SMALL, FEW, seed=99)
    resumed.load_state_dict(torch.load(path, weights_only=False))
    train(resumed, examples[:2], examples[2:])
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    assert whole.history == resumed.history
    assert whole.best_ratio == resumed.best_ratio


def test_seeds_differ_and_repeat(examples: list[Example]) -> None:
    once, again = trained(examples, FEW), trained(examples, FEW)
    assert once.history == again.history
    other = Trainer(SMALL, FEW, seed=4)
    name = "robot_head.0.weight"
    assert not torch.equal(once.model.state_dict()[name], other.model.state_dict()[name])


def test_making_a_trainer_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    Trainer(SMALL, FEW, seed=1)
    assert torch.equal(before, torch.get_rng_state())


def test_imitation_learns_the_labels_of_one_instance(examples: list[Example]) -> None:
    options = TrainOptions(steps=60, learning_rate=0.01, graphs=4)
    trainer = Trainer(SMALL, options, seed=0)
    losses = [trainer.fit_batch(examples[:1])["loss"] for _ in range(60)]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_training_stops_when_held_out_schedules_get_no_better(examples: list[Example]) -> None:
    options = TrainOptions(
        steps=50, graphs=1, judge_every=1, patience=3, judge_samples=1, learning_rate=1e-9
    )
    trainer = trained(examples, options)
    assert trainer.step == 4  # the first look sets the mark, three see no change
    assert trainer.finished


def test_the_judge_counts_cost_and_not_loss(examples: list[Example]) -> None:
    trainer = Trainer(SMALL, FEW, seed=0)
    ratio = judge(trainer.model, examples, samples=4)
    assert 0.3 < ratio <= 1.5
    assert judge(trainer.model, examples, samples=64) >= ratio
    assert trainer.judge(examples) == ratio == trainer.best_ratio


def test_a_loss_that_is_not_finite_is_an_error(examples: list[Example]) -> None:
    trainer = Trainer(SMALL, FEW, seed=0)
    with torch.no_grad():
        trainer.model.robot_head[0].bias.fill_(torch.nan)
    with pytest.raises(InputError, match="loss is not finite at step 0"):
        trainer.fit_batch(examples[:1])


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 0}, {"learning_rate": 0.0}, {"sharpness": -1.0}, {"patience": 0}],
)
def test_impossible_options_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        TrainOptions(**wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="nothing would be learnt"):
        TrainOptions(imitation=0.0)
