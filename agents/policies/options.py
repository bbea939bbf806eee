# SPDX-License-Identifier: Apache-2.0
"""The names of policies and their options; needs no torch."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

from sim.errors import require


class CoreName(StrEnum):
    """The memory of a policy."""

    QFWP = "qfwp"
    """Fast weights are the angles of a circuit, and only add up (arXiv 2402.17760)."""
    QFWP_DECAY = "qfwp_decay"
    QFWP_GATED = "qfwp_gated"
    QFWP_BOUNDED = "qfwp_bounded"
    QLSTM = "qlstm"
    """Six circuits in an LSTM (arXiv 2009.01783)."""
    QLSTM4 = "qlstm4"
    """Four circuits."""
    VQC = "vqc"
    """A circuit with trained angles; no memory."""
    FWP = "fwp"
    """Classical fast weights under the additive rule."""
    FWP_GATED = "fwp_gated"
    DELTA = "delta"
    """Classical fast weights under the delta rule (arXiv 2102.11174)."""
    LSTM = "lstm"
    GRU = "gru"
    MLP = "mlp"
    """No memory."""

    @property
    def is_quantum(self) -> bool:
        """Whether it evaluates circuits."""
        return self.value.startswith("q") or self is CoreName.VQC

    @property
    def remembers(self) -> bool:
        """Whether it has a memory at all."""
        return self not in (CoreName.VQC, CoreName.MLP)

    @property
    def is_fast_weight(self) -> bool:
        """Whether a slow net programs its memory."""
        return "fwp" in self.value or self is CoreName.DELTA


GridEncoding = Literal["embedding", "raw"]


@dataclass(frozen=True)
class PolicyOptions:
    """What a policy is made of.

    Args:
        core: its memory.
        match_params: the core is sized so that the whole policy has as nearly as possible so many
            parameters; None takes the number that ``qfwp`` has in the same environment. The QFWP
            cores have the size of the paper whatever it says: 8 qubits in 2 layers.
        grid_encoding: ``embedding`` learns what types, colours and states mean; ``raw`` takes
            their numbers as they are, like the paper.
        initial_std: weights of affine maps are normal with this deviation and biases zero, like
            in the paper with 0.1; None takes torch's defaults.

    Raises:
        InputError: a value is not allowed.
    """

    core: CoreName = CoreName.QFWP
    match_params: int | None = None
    grid_encoding: GridEncoding = "embedding"
    initial_std: float | None = None

    def __post_init__(self) -> None:
        count, std = self.match_params, self.initial_std
        require("core", self.core, self.core in list(CoreName), ", ".join(CoreName))
        encoding, encodings = self.grid_encoding, get_args(GridEncoding)
        require("grid_encoding", encoding, encoding in encodings, ", ".join(encodings))
        require("match_params", count, count is None or count >= 1, "1 or more")
        require("initial_std", std, std is None or 0 < std <= 10, "above 0, at most 10")
