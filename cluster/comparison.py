# SPDX-License-Identifier: Apache-2.0
"""The trials of ``compare``: train a policy once and judge it, or ask a player without training."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agents.learning.evaluate import evaluate
from agents.learning.options import Setup
from agents.learning.training import train_here
from agents.policies.policy import Policy
from cluster.trials import Record, Result, Trial
from sim.environments.trivial import Played, play_trivial

CURVE_POINTS = 50
"""Of a learning curve."""
JUDGEMENT = ("greedy_return", "sampled_return", "success", "episodes")


def make_trial(setup: Setup, number: int, episodes: int) -> Trial:
    """One training; its seed is drawn from the key, so that all trainings are independent."""
    core = setup.policy.core
    arguments = {"setup": setup, "number": number, "episodes": episodes}
    return Trial(f"{_safe(setup.environment)}/{core}/s{number:03d}", learn, arguments)


def make_trivial_trial(env: str, episodes: int, engine: str) -> Trial:
    """All players of an environment that need no training."""
    arguments = {"env": env, "episodes": episodes, "engine": engine}
    return Trial(f"{_safe(env)}/trivial", ask, arguments)


def learn(rng: np.random.Generator, setup: Setup, number: int, episodes: int) -> Result:
    """Train a fresh policy and judge it on episodes that it has not seen."""
    setup = replace(setup, seed=int(rng.integers(2**31)))
    torch.set_num_threads(1)
    began = time.perf_counter()
    learner, updates = train_here(setup)
    steps: list[int] = []
    returns: list[float] = []
    finite = True
    for update in updates:
        steps += [update.metrics.steps] * len(update.returns)
        returns += update.returns
        finite = update.metrics.finite
        if not finite:
            break
    seconds = time.perf_counter() - began
    judged = judge(learner.policy, setup, episodes) if finite else dict.fromkeys(JUDGEMENT)
    record = {
        **head(setup, number),
        "parameters": learner.policy.num_parameters,
        "steps": learner.steps,
        **judged,
        "circuits": learner.circuits,
        "seconds": round(seconds, 3),
        "steps_per_s": round(learner.steps / seconds, 1),
        "diverged": not finite,
    }
    curve = learning_curve(np.array(steps), np.array(returns), setup.steps)
    return Result(record, curve)


def ask(rng: np.random.Generator, env: str, episodes: int, engine: str) -> Result:
    """Every player that needs no training, by the same number of episodes."""
    seed = int(rng.integers(2**31))
    players = play_trivial(env, episodes, seed, engine)
    return Result({"env": env, "rows": [trivial_record(env, played) for played in players]})


def judge(policy: Policy, setup: Setup, episodes: int) -> Record:
    """What the policy is worth on new episodes.

    In MiniGrid an episode that is rewarded at all has succeeded; elsewhere nobody knows what
    success is.
    """
    env, seed, engine = setup.environment, setup.seed, setup.engine
    greedy = evaluate(policy, env, episodes, seed, engine=engine)
    sampled = evaluate(policy, env, episodes, seed, greedy=False, engine=engine)
    grid = env.startswith("MiniGrid-")
    return {
        "greedy_return": float(greedy.returns.mean()),
        "sampled_return": float(sampled.returns.mean()),
        "success": float((greedy.returns > 0).mean()) if grid else None,
        "episodes": len(greedy.returns),
    }


def head(setup: Setup, number: int) -> Record:
    """What a training is known by."""
    return {
        "kind": "run",
        "env": setup.environment,
        "policy": str(setup.policy.core),
        "seed": number,
    }


def learning_curve(
    steps: NDArray[np.int64], returns: NDArray[np.float64], most: int
) -> dict[str, NDArray[np.float64]]:
    """Mean returns of the episodes that ended in each stretch of the training; NaN where none did.

    Args:
        steps: of the whole training when an episode's end was learnt from.
        returns: of these episodes.
        most: steps of the training.
    """
    ends = np.linspace(0, most, CURVE_POINTS + 1)[1:]
    stretch = np.minimum(np.searchsorted(ends, steps), CURVE_POINTS - 1)
    count = np.bincount(stretch, minlength=CURVE_POINTS)
    total = np.bincount(stretch, returns, minlength=CURVE_POINTS)
    means = np.divide(total, count, out=np.full(CURVE_POINTS, np.nan), where=count > 0)
    return {"steps": ends, "returns": means}


def trivial_record(env: str, played: Played) -> Record:
    """A row of the results: mean return and its 95 % interval over episodes (normal)."""
    mean = float(played.returns.mean())
    half = 1.96 * float(played.returns.std(ddof=1)) / len(played.returns) ** 0.5
    return {
        "kind": "trivial",
        "env": env,
        "policy": played.kind,
        "label": played.label,
        "mean": mean,
        "low": mean - half,
        "high": mean + half,
        "episodes": len(played.returns),
    }


def final_records(trials: Sequence[Trial], done: Mapping[str, Record]) -> list[Record]:
    """The rows of ``results.json`` in the order of the trials; a training that failed has a row
    without numbers, as a crash is no reason to leave a policy out of a comparison."""
    records: list[Record] = []
    for trial in trials:
        found = done.get(trial.key)
        if trial.function is ask:
            records += found["rows"] if found else []
        else:
            records.append(found or _failed(trial))
    return records


def curves_document(trials: Iterable[Trial], done: Mapping[str, Record], read: Any) -> Any:
    """The JSON object ``artefacts/curves.json``.

    Args:
        trials: all of the run.
        done: records by key.
        read: the arrays of a trial by its key.
    """
    rows = []
    for trial in trials:
        if trial.function is ask or trial.key not in done:
            continue
        arrays, record = read(trial.key), done[trial.key]
        named = {name: record[name] for name in ("env", "policy", "seed")}
        returns = [None if np.isnan(r) else round(float(r), 4) for r in arrays["returns"]]
        rows.append({**named, "steps": arrays["steps"].tolist(), "returns": returns})
    return {"rows": rows}


def trained(record: Record) -> str:
    """A record in a few words."""
    if "rows" in record:
        return "random, constant and known players"
    if record["diverged"]:
        return f"diverged after {record['steps']} steps"
    return f"return {record['greedy_return']:.3f}, {record['steps_per_s']:.0f} steps/s"


def _failed(trial: Trial) -> Record:
    setup, number = trial.arguments["setup"], trial.arguments["number"]
    assert isinstance(setup, Setup)
    assert isinstance(number, int)
    empty = dict.fromkeys((*JUDGEMENT, "parameters", "steps", "circuits"))
    speed = dict.fromkeys(("seconds", "steps_per_s"))
    return {**head(setup, number), **empty, **speed, "diverged": False}


def _safe(name: str) -> str:
    """A name for files: ids may have slashes and colons."""
    return name.replace("/", "_").replace(":", "_")
