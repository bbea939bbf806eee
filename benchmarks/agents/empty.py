# SPDX-License-Identifier: Apache-2.0
"""MiniGrid-Empty: what QFWP returns after 200,000 steps and before, 10 seeds; an MLP beside it."""

from benchmarks.agents.returns import compared
from benchmarks.federated.setting import Figure
from cluster.comparison_options import Compare

OPTIONS = Compare(
    envs=("MiniGrid-Empty-5x5-v0", "MiniGrid-Empty-6x6-v0"),
    policies=("qfwp", "mlp"),
    seeds=10,
    steps=200_000,
    out="benchmark-agents-empty",
)
AT_STEPS = (20_000, 50_000, 100_000, 200_000)
TARGET = 0.95


def measure(options: Compare = OPTIONS) -> list[Figure]:
    return [
        Figure(
            f"{found.name}, {one.policy}: IQM return",
            (one.iqm.value if one.iqm else float("nan"),),
            "",
            TARGET if one.policy == "qfwp" else None,
        )
        for found in compared(options, [n for n in AT_STEPS if n <= options.steps])
        for one in found.summaries
    ]
