# SPDX-License-Identifier: Apache-2.0
"""What the sites would get without each other, and without any secret: the other two regimes.

Both train as the federation does, round by round with the same optimizer, epochs and batches, so
every sample is seen as often in all three.
"""

from federated.options import FitOptions
from federated.task import Arrays, Score, Task


def train_alone(task: Task, options: FitOptions, rounds: int) -> list[Arrays]:
    """A model for each site, of its own samples."""
    everybody = range(task.count)
    arrays = [task.initial()] * task.count
    for number in range(1, rounds + 1):
        arrays = [fit.arrays for fit in task.fit(arrays, everybody, options, number)]
    return arrays


def train_pooled(task: Task, options: FitOptions, rounds: int) -> Arrays:
    """A model of the samples of all."""
    pooled = task.pooled()
    arrays = task.initial()
    for number in range(1, rounds + 1):
        arrays = pooled.fit([arrays], [0], options, number)[0].arrays
    return arrays


def elsewhere(task: Task, arrays: list[Arrays]) -> list[Score]:
    """How the model of each site does on the tests of all."""
    return task.pooled().evaluate(arrays, [0] * len(arrays))
