# SPDX-License-Identifier: Apache-2.0
"""CPU time per environment step, part by part: CartPole and an LSTM of 16.

All three policies are an affine map to 8, an LSTM of 16 and two affine heads, 1,755 parameters, and
their environments are Gymnasium's CartPole. What counts are actions, not resets. The learner is PPO
with 4 epochs of 4 minibatches of sequences of 32 rows, the same in RLlib.
"""

import numpy as np

from agents.learning.options import ActOptions, Algorithm, LearnOptions, Setup
from agents.policies.options import CoreName, PolicyOptions
from benchmarks.agents.bare import BareLoop
from benchmarks.agents.measuring import Route, cpu_us_per_step, show
from benchmarks.agents.ours import Ours
from benchmarks.quantum.timing import Figure, ratio

LANES = (8, 32)
HIDDEN, PARAMETERS, STEPS = 16, 1755, 32
ROUNDS = 9
RLLIB_TARGET, BARE_TARGET = 4.0, 1.5


def measure(
    lanes: tuple[int, ...] = LANES, rounds: int = ROUNDS, least_s: float = 0.2
) -> list[Figure]:
    return [figure for count in lanes for figure in _measure(count, rounds, least_s)]


def setup_of(lanes: int, algorithm: Algorithm) -> Setup:
    """One group of so many lanes."""
    return Setup(
        "CartPole-v1",
        steps=10**9,
        policy=PolicyOptions(CoreName.LSTM, match_params=PARAMETERS),
        act=ActOptions(1, lanes, STEPS),
        learn=LearnOptions(algorithm, final_share=1.0),
    )


def _measure(lanes: int, rounds: int, least_s: float) -> list[Figure]:
    ours, bare = Ours(setup_of(lanes, Algorithm.PPO)), BareLoop(lanes, HIDDEN, STEPS)
    once = Ours(setup_of(lanes, Algorithm.VTRACE))
    _require_size(ours.parameters)
    routes: dict[str, Route] = {
        "ours: acting": ours.act,
        "ours: environments alone": ours.step,
        "ours: policy alone": ours.choose,
        "ours: learner, PPO": ours.learn,
        "ours: learner, V-trace": once.learn,
        "bare loop: acting": bare.act,
        "bare loop: environments alone": bare.step,
        **_rllib(lanes),
    }
    us = cpu_us_per_step(routes, rounds, least_s)
    us["ours: bookkeeping, the rest of acting"] = (
        us["ours: acting"] - us["ours: environments alone"] - us["ours: policy alone"]
    )
    show(f"CPU per environment step, {lanes} environments:", us)
    return [*_against_rllib(lanes, us), _against_bare(lanes, us)]


def _against_bare(lanes: int, us: dict[str, np.ndarray]) -> Figure:
    title = f"acting in {lanes} environments, ours / bare loop"
    return ratio(title, us["ours: acting"], us["bare loop: acting"], BARE_TARGET, at_most=True)


def _against_rllib(lanes: int, us: dict[str, np.ndarray]) -> list[Figure]:
    if "RLlib: acting" not in us:
        return []
    whole = {who: us[f"{who}: acting"] + us[f"{who}: learner, PPO"] for who in ("ours", "RLlib")}
    where = f"in {lanes} environments, RLlib / ours"
    return [
        ratio(f"acting {where}", us["RLlib: acting"], us["ours: acting"], RLLIB_TARGET),
        ratio(f"acting and PPO {where}", whole["RLlib"], whole["ours"]),
    ]


def _rllib(lanes: int) -> dict[str, Route]:
    try:
        from benchmarks.agents.rllib import RLlib
    except ImportError as missing:
        print(f"RLlib is missing: {missing}; see benchmarks/agents/peers.txt", flush=True)
        return {}
    peer = RLlib(lanes, HIDDEN, STEPS)
    _require_size(peer.parameters)
    return {"RLlib: acting": peer.act, "RLlib: learner, PPO": peer.learn}


def _require_size(parameters: int) -> None:
    if parameters != PARAMETERS:
        raise AssertionError(f"a policy has {parameters} parameters, not {PARAMETERS}")
