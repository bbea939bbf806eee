# SPDX-License-Identifier: Apache-2.0
"""MiniGrid-MemoryS7: which cores look, remember and choose within 300,000 steps, 10 seeds.

A policy without memory can turn round at the fork to look again; that is hard to find, so the bound
on what it can expect is as high as the optimum, and the measured ``mlp`` is the better witness.
"""

from agents.learning.options import LearnOptions
from benchmarks.agents.returns import compared
from benchmarks.federated.setting import Figure
from cluster.comparison_options import Compare

OPTIONS = Compare(
    envs=("MiniGrid-MemoryS7-v0",),
    policies=("qfwp,qfwp_gated,fwp_gated,delta,lstm,gru,mlp",),
    seeds=10,
    steps=300_000,
    learn=LearnOptions(epochs=8),
    out="benchmark-agents-memory",
)
FAST_WEIGHTS = ("qfwp", "qfwp_gated", "fwp", "fwp_gated", "delta")
TARGET = 0.9


def measure(options: Compare = OPTIONS) -> list[Figure]:
    (found,) = compared(options)
    iqms = {one.policy: one.iqm.value for one in found.summaries if one.iqm}
    best = max((iqms[name] for name in FAST_WEIGHTS if name in iqms), default=float("nan"))
    return [
        *(Figure(f"{found.name}, {name}: IQM return", (iqm,), "") for name, iqm in iqms.items()),
        Figure(f"{found.name}, best fast weights: IQM return", (best,), "", TARGET),
    ]
