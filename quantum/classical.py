# SPDX-License-Identifier: Apache-2.0
"""Classical twins of the quantum cores: fast weight programmers, LSTM, GRU, a plain layer.

They have the interface of the quantum cores and use no circuit.
"""

import torch
from torch import nn
from torch.nn import functional

from quantum.attention import linear_attention
from quantum.core import Core, LSTMState, at_least_one, emptied, no_memory
from quantum.episodes import SHUT, Stretched, begins_inside, stretch
from quantum.initialise import linear, uniform
from quantum.programmer import SlowProgrammer, UpdateRule


class AdditiveFWP(Core[torch.Tensor]):
    """QFWP with the circuit replaced by y_t = tanh(W_t z_t); z is the programmer's latent.

    Unnormalised linear attention is of this kind (Schlag, Irie, Schmidhuber 2021, arXiv
    2102.11174). The state is W, ``[batch, rows, columns]``; the outputs are its rows. No
    step but the last has its weights written out: :func:`quantum.attention.linear_attention`.

    Args:
        features: columns of x.
        rows: rows of W, which are the outputs.
        columns: columns of W and size of the latent.
        rule, squash, decay, generator: see :class:`SlowProgrammer`.

    Raises:
        CircuitError: a size is below 1, or ``decay`` is not within (0, 1).
    """

    def __init__(
        self,
        features: int,
        rows: int = 2,
        columns: int = 8,
        rule: UpdateRule | str = UpdateRule.ADDITIVE,
        *,
        squash: bool = False,
        decay: float | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        at_least_one(rows=rows, columns=columns)
        super().__init__(features, rows)
        self.programmer = SlowProgrammer(
            features, rows, columns, rule, squash=squash, decay=decay, generator=generator
        )

    def initial_state(self, batch: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """W = 0, ``[batch, rows, columns]``."""
        return torch.zeros(batch, *self.programmer.shape, dtype=dtype, device=device)

    def _run(
        self, x: torch.Tensor, state: torch.Tensor, reset: torch.Tensor | None, wanted: slice
    ) -> tuple[torch.Tensor, torch.Tensor]:
        latent = self.programmer.latent(x)
        if x.shape[1] == 1:
            end = self.programmer(latent, state, reset).squeeze(1)
            return torch.bmm(latent, end.mT).tanh(), end
        self.programmer.check_state(state, x.shape[0])
        gates, rows, columns = self.programmer.update(latent)
        gates = None if gates is None else gates.squeeze(-1)
        read, end = linear_attention(gates, rows, columns, latent[:, wanted], state, reset)
        return read.tanh(), end


class DeltaFWP(Core[torch.Tensor]):
    """The delta rule: write only what the memory does not yet say at the key.

    W_t = W_{t-1} + beta_t (v_t - W_{t-1} phi(k_t)) phi(k_t)^T, y_t = W_t phi(q_t), with
    beta = sigmoid(linear(x)), k, q, v linear in x without bias, and phi(u) = elu(u) + 1 divided by
    its sum (Schlag, Irie, Schmidhuber 2021, arXiv 2102.11174). phi is positive
    with sum one, so |phi| <= 1 and the transition I - beta phi phi^T never grows the memory.

    That transition is a matrix, so no scan does it; but what is written at each step solves a
    triangular system: :func:`quantum.attention.linear_attention`.

    Args:
        features: columns of x.
        values: size of v, and number of outputs.
        keys: size of k and q.
        generator: of the initial values, torch's defaults.

    Raises:
        CircuitError: a size is below 1.
    """

    def __init__(
        self,
        features: int,
        values: int = 8,
        keys: int = 8,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        at_least_one(values=values, keys=keys)
        super().__init__(features, values)
        self.sizes = (values, keys)
        self.to_value = linear(features, values, generator, bias=False)
        self.to_key = linear(features, keys, generator, bias=False)
        self.to_query = linear(features, keys, generator, bias=False)
        self.to_rate = linear(features, 1, generator)

    def initial_state(self, batch: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """W = 0, ``[batch, values, keys]``."""
        return torch.zeros(batch, *self.sizes, dtype=dtype, device=device)

    def _run(
        self, x: torch.Tensor, state: torch.Tensor, reset: torch.Tensor | None, wanted: slice
    ) -> tuple[torch.Tensor, torch.Tensor]:
        keys, queries = _feature_map(self.to_key(x)), _feature_map(self.to_query(x))
        values, writes = self.to_value(x), self.to_rate(x).sigmoid() * keys
        if x.shape[1] > 1:
            return linear_attention(None, values, writes, queries[:, wanted], state, reset, keys)
        state = emptied(state, reset, 0)
        error = torch.baddbmm(values.mT, state, keys.mT, alpha=-1)
        state = torch.baddbmm(state, error, writes)
        return torch.bmm(queries, state.mT), state


def _feature_map(u: torch.Tensor) -> torch.Tensor:
    positive = functional.elu(u) + 1
    return positive / positive.sum(-1, keepdim=True)


class LSTM(Core[LSTMState]):
    """Torch's LSTM, one layer, with episodes that may begin inside a sequence.

    The outputs are the hidden state.

    Args:
        features: columns of x.
        hidden: size of the hidden state and the cell.
        generator: of the initial values, uniform within 1/sqrt(hidden) as torch's default.

    Raises:
        CircuitError: a size is below 1.
    """

    def __init__(
        self, features: int, hidden: int = 4, *, generator: torch.Generator | None = None
    ) -> None:
        at_least_one(hidden=hidden)
        super().__init__(features, hidden)
        self.lstm = uniform(nn.LSTM, hidden**-0.5, generator, features, hidden, batch_first=True)

    def initial_state(self, batch: int, dtype: torch.dtype, device: torch.device) -> LSTMState:
        """Zeros, ``[batch, hidden]`` twice."""
        zero = torch.zeros(batch, self.num_outputs, dtype=dtype, device=device)
        return LSTMState(zero, zero)

    def _run(
        self, x: torch.Tensor, state: LSTMState, reset: torch.Tensor | None, wanted: slice
    ) -> tuple[torch.Tensor, LSTMState]:
        start = LSTMState(emptied(state.hidden, reset, 0), emptied(state.cell, reset, 0))
        if x.shape[1] == 1:
            state = LSTMState(*torch.lstm_cell(x.squeeze(1), start, *self.lstm.all_weights[0]))
            return state.hidden.unsqueeze(1), state
        if reset is not None and begins_inside(reset):
            outputs, state = self._stretched(stretch(x, reset), start)
        else:
            outputs, (hidden, cell) = self.lstm(x, (start.hidden[None], start.cell[None]))
            state = LSTMState(hidden[0], cell[0])
        return outputs[:, wanted], state

    def _stretched(self, long: Stretched, start: LSTMState) -> tuple[torch.Tensor, LSTMState]:
        """Two more features: a wipe closes input, forget and output; holding keeps the cell."""
        into, *others = self.lstm.all_weights[0]
        shut = into.new_tensor([[-1, -1, 0, -1], [-1, 1, 0, 0]]) * SHUT  # input, forget, cell, out
        wider = torch.cat([into, shut.repeat_interleave(self.num_outputs, 1).t()], 1)
        x = torch.cat([long.x, torch.stack([long.wipe, long.hold], -1).to(long.x)], -1)
        begin = start.hidden[None], start.cell[None]
        every, _, cell = torch.lstm(
            x, begin, [wider, *others], True, 1, 0.0, self.training, False, True
        )
        outputs = long.read(every)
        return outputs, LSTMState(outputs[:, -1], cell[0])


class GRU(Core[torch.Tensor]):
    """Torch's GRU, one layer; otherwise as :class:`LSTM`. The outputs are the state."""

    def __init__(
        self, features: int, hidden: int = 4, *, generator: torch.Generator | None = None
    ) -> None:
        at_least_one(hidden=hidden)
        super().__init__(features, hidden)
        self.gru = uniform(nn.GRU, hidden**-0.5, generator, features, hidden, batch_first=True)

    def initial_state(self, batch: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """Zeros, ``[batch, hidden]``."""
        return torch.zeros(batch, self.num_outputs, dtype=dtype, device=device)

    def _run(
        self, x: torch.Tensor, state: torch.Tensor, reset: torch.Tensor | None, wanted: slice
    ) -> tuple[torch.Tensor, torch.Tensor]:
        start = emptied(state, reset, 0)
        if x.shape[1] == 1:
            state = torch.gru_cell(x.squeeze(1), start, *self.gru.all_weights[0])
            return state.unsqueeze(1), state
        if reset is not None and begins_inside(reset):
            outputs = self._stretched(stretch(x, reset), start)
        else:
            outputs = self.gru(x, start[None])[0]
        return outputs[:, wanted], outputs[:, -1]

    def _stretched(self, long: Stretched, start: torch.Tensor) -> torch.Tensor:
        """One more feature: a wipe closes both gates, and then only tanh(0) is the new memory."""
        into, back, bias, other = self.gru.all_weights[0]
        gates = 2 * self.num_outputs  # reset and update; then the candidate
        shut = torch.cat([bias.new_full((gates,), -SHUT), -bias[gates:]])
        wider = torch.cat([into, shut.unsqueeze(1)], 1)
        x = torch.cat([long.x, (long.wipe | long.hold).unsqueeze(-1).to(long.x)], -1)
        every, _ = torch.gru(
            x, start[None], [wider, back, bias, other], True, 1, 0.0, self.training, False, True
        )
        return long.read(every)


class MLP(Core[torch.Tensor]):
    """One hidden layer, tanh(A x + b), and no memory: what a core is worth that remembers nothing.

    The state is ``[batch, 0]``; the outputs are the hidden layer.

    Args:
        features: columns of x.
        hidden: size of the layer.
        generator: of the initial values, torch's defaults.

    Raises:
        CircuitError: a size is below 1.
    """

    def __init__(
        self, features: int, hidden: int = 8, *, generator: torch.Generator | None = None
    ) -> None:
        at_least_one(hidden=hidden)
        super().__init__(features, hidden)
        self.layer = linear(features, hidden, generator)

    def initial_state(self, batch: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """Nothing, ``[batch, 0]``."""
        return no_memory(batch, dtype, device)

    def _run(
        self,
        x: torch.Tensor,
        state: torch.Tensor,
        reset: torch.Tensor | None,  # noqa: ARG002
        wanted: slice,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return self.layer(x[:, wanted]).tanh(), state
