# SPDX-License-Identifier: Apache-2.0
"""The names of tasks and models, and the options of training; needs no torch."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from sim.errors import require


class TaskName(StrEnum):
    """What can be forecast; :mod:`agents.forecasting.series` says what each is."""

    SHM = "shm"
    BESSEL = "bessel"
    NARMA5 = "narma5"
    NARMA10 = "narma10"
    RECALL1 = "recall1"
    RECALL2 = "recall2"
    RECALL4 = "recall4"

    @property
    def delay(self) -> int | None:
        """How many steps before the last input the recalled one was; None for other tasks."""
        text = self.value.removeprefix("recall")
        return None if text == self.value else int(text)


class ModelName(StrEnum):
    """Who can forecast: recurrent models that are trained, then predictors that are not."""

    QFWP = "qfwp"
    QFWP_DECAY = "qfwp_decay"
    QFWP_GATED = "qfwp_gated"
    QFWP_BOUNDED = "qfwp_bounded"
    QLSTM = "qlstm"
    QLSTM4 = "qlstm4"
    LSTM = "lstm"
    GRU = "gru"
    FWP = "fwp"
    DELTA = "delta"
    AR = "ar"
    MEAN = "mean"
    PERSISTENCE = "persistence"
    ORDER_BLIND = "order_blind"

    @property
    def is_trivial(self) -> bool:
        """Whether it needs no training: a row that every honest table has."""
        return self in TRIVIAL


TRIVIAL = (ModelName.AR, ModelName.MEAN, ModelName.PERSISTENCE, ModelName.ORDER_BLIND)


@dataclass(frozen=True)
class TrainingOptions:
    """How models are trained; the defaults are those of the released code of arXiv 2402.17760.

    Args:
        epochs: passes over the training windows.
        batch: windows per step, in the order of time.
        learning_rate: of RMSprop, whose alpha is 0.99 and epsilon 1e-8.

    Raises:
        InputError: a value is not positive.
    """

    epochs: int = 100
    batch: int = 10
    learning_rate: float = 0.01

    def __post_init__(self) -> None:
        require("epochs", self.epochs, self.epochs >= 1, "1 or more")
        require("batch", self.batch, self.batch >= 1, "1 or more")
        usable = isfinite(self.learning_rate) and self.learning_rate > 0
        require("learning_rate", self.learning_rate, usable, "a positive number")
