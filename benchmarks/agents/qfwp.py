# SPDX-License-Identifier: Apache-2.0
"""Whole training, acting and learning, with 8 simulated qubits: against an LSTM, and the paper's.

MiniGrid-Empty-5x5, all else as ``train`` has it by default: 2 groups of 16 lanes, rollouts of 32
rows. The rate of learning is next to nothing, so that all play episodes of the same kind.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from agents.learning.options import ActOptions, Algorithm, LearnOptions, Setup, paper_setup
from agents.learning.training import train_here
from agents.policies.make import make_policy
from agents.policies.options import CoreName, PolicyOptions
from agents.policies.policy import to_arrays
from benchmarks.agents.measuring import Route, cpu_us_per_step, show
from benchmarks.agents.paper_loop import Gradient, Net, PaperLoop
from benchmarks.quantum.timing import Figure, ratio, require_same
from sim.environments.make import EnvironmentEngine, interface_of, make_environments

ENVIRONMENT = "MiniGrid-Empty-5x5-v0"
ENGINES = (EnvironmentEngine.GYMNASIUM, EnvironmentEngine.COMPILED)
ALGORITHMS = (Algorithm.PPO, Algorithm.VTRACE)
ROUNDS = 9
LSTM_TARGET, PAPER_TARGET = 1.5, 50.0
ALIKE = "ours, one lane and 5 steps like the paper"
STILL = 1e-12
"""A rate of learning."""
SAME = 1e-5


def measure(
    act: ActOptions | None = None, rounds: int = ROUNDS, least_s: float = 0.5
) -> list[Figure]:
    require_same_net()
    act = act or ActOptions()
    us = cpu_us_per_step({**_ours(act), **_papers()}, rounds, least_s)
    show(f"CPU per step of training in {ENVIRONMENT}:", us)
    theirs = min((us[name] for name in _papers()), key=np.median)
    kinds = [(algorithm, engine) for engine in ENGINES for algorithm in ALGORITHMS]
    return [
        *(_against_lstm(*kind, us) for kind in kinds),
        *(_against_paper(*kind, us, theirs) for kind in kinds),
        ratio("one lane and 5 steps, paper's loop / ours", theirs, us[ALIKE]),
    ]


def _ours(act: ActOptions) -> dict[str, Route]:
    alike = paper_setup(setup_of(CoreName.QFWP, Algorithm.A3C, ENGINES[0], act))
    return {
        **{
            _name(core, algorithm, engine): training(setup_of(core, algorithm, engine, act))
            for engine in ENGINES
            for algorithm in ALGORITHMS
            for core in (CoreName.QFWP, CoreName.LSTM)
        },
        ALIKE: training(alike),
    }


def _papers() -> dict[str, Route]:
    gradients: tuple[Gradient, ...] = ("backprop", "adjoint")
    return {f"paper's loop, {one}": PaperLoop(ENVIRONMENT, one).segment for one in gradients}


def _against_lstm(
    algorithm: Algorithm, engine: EnvironmentEngine, us: Mapping[str, NDArray[np.float64]]
) -> Figure:
    qfwp, lstm = (us[_name(core, algorithm, engine)] for core in (CoreName.QFWP, CoreName.LSTM))
    return ratio(f"{_title(algorithm, engine)}, qfwp / lstm", qfwp, lstm, LSTM_TARGET, at_most=True)


def _against_paper(
    algorithm: Algorithm,
    engine: EnvironmentEngine,
    us: Mapping[str, NDArray[np.float64]],
    theirs: NDArray[np.float64],
) -> Figure:
    ours = us[_name(CoreName.QFWP, algorithm, engine)]
    title = f"{_title(algorithm, engine)}, paper's loop / ours"
    return ratio(title, theirs, ours, PAPER_TARGET)


def setup_of(core: CoreName, algorithm: Algorithm, engine: str, act: ActOptions) -> Setup:
    """A training that goes on as it began."""
    return Setup(
        ENVIRONMENT,
        steps=10**9,
        engine=engine,
        policy=PolicyOptions(core),
        act=act,
        learn=LearnOptions(algorithm),
    )


def training(setup: Setup) -> Callable[[], int]:
    """One update, with the rollouts that it learns from; says how many steps."""
    setup = replace(setup, learn=replace(setup.learn, learning_rate=STILL))
    learner, updates = train_here(setup)

    def update() -> int:
        before = learner.steps
        next(updates)
        return learner.steps - before

    return update


def _name(core: CoreName, algorithm: Algorithm, engine: EnvironmentEngine) -> str:
    return f"{core}, {_title(algorithm, engine)}"


def _title(algorithm: Algorithm, engine: EnvironmentEngine) -> str:
    return f"{algorithm}, {'original' if engine is ENGINES[0] else 'compiled'} MiniGrid"


@torch.no_grad()
def require_same_net() -> None:
    """The paper's net says what ours does, step by step.

    Raises:
        AssertionError: it does not.
    """
    interface = interface_of(ENVIRONMENT)
    options = PolicyOptions(grid_encoding="raw", initial_std=0.1)
    ours = make_policy(options, interface, torch.Generator().manual_seed(0))
    theirs = Net("backprop")
    theirs.take(to_arrays(ours))
    environments = make_environments(ENVIRONMENT, [0], seed=0)
    seen = [environments.reset()]
    seen += [environments.step(np.array([turn])).observations for turn in (0, 2, 1, 2)]
    observations = torch.from_numpy(np.stack(seen, 1))
    begins = torch.zeros(1, len(seen), dtype=torch.bool)
    said = ours.unroll(observations, ours.initial_state(1), begins)
    memory, logits, values = torch.zeros(2, 8, dtype=torch.float64), [], []
    for observation in observations[0].flatten(1).double():
        one = theirs(observation, memory)
        memory = one.memory
        logits.append(one.logits)
        values.append(one.value)
    found = (said.logits[0], said.values[0], said.state.reshape(2, 8))
    require_same("ours", found, (torch.stack(logits), torch.stack(values), memory), SAME)
