# SPDX-License-Identifier: Apache-2.0
"""What every recurrent core is: a memory that acts step by step and learns by whole sequences."""

from abc import ABC, abstractmethod
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, cast

import torch
from torch import nn

from quantum.errors import require

State = TypeVar("State")
Choice = TypeVar("Choice", bound=StrEnum)


class LSTMState(NamedTuple):
    """The memory of the LSTM kinds."""

    hidden: torch.Tensor
    """``[batch, hidden]``"""
    cell: torch.Tensor
    """``[batch, cell]``"""


class Core(nn.Module, ABC, Generic[State]):
    """Maps sequences of features to sequences of outputs and carries a state.

    Feeding a sequence in pieces, with the state carried, gives the same as feeding it whole. Heads
    are not part of a core.

    Args:
        features: columns of a step's input.
        num_outputs: columns of a step's output.

    Raises:
        CircuitError: ``features`` is below 1.
    """

    circuits_for_state: ClassVar[int] = 0
    """Circuits that the state of the next step depends on, per step."""
    circuits_for_output: ClassVar[int] = 0
    """Circuits that only the output of their own step depends on."""

    def __init__(self, features: int, num_outputs: int) -> None:
        super().__init__()
        at_least_one(features=features)
        self.features = features
        self.num_outputs = num_outputs

    def forward(
        self,
        x: torch.Tensor,
        state: State | None = None,
        reset: torch.Tensor | None = None,
        last: int | None = None,
    ) -> tuple[torch.Tensor, State]:
        """Run over a sequence, or a piece of one.

        Args:
            x: features, ``[batch, steps, features]``.
            state: what the last call returned; None starts afresh. Detaching is up to the caller.
            reset: ``[batch, steps]``, bool; true where a step begins a new episode, and then that
                step finds an empty memory.
            last: return the outputs of the last so many steps alone; no circuit is evaluated whose
                output nobody uses. None returns all.

        Returns:
            Outputs ``[batch, steps or last, num_outputs]``, and the state after the last step.

        Raises:
            CircuitError: shapes do not fit, ``reset`` is not bool, or ``last`` is not 1 to steps.
        """
        batch, steps = self._checked(x, reset)
        if state is None:
            state = self.initial_state(batch, x.dtype, x.device)
        return self._run(x, state, reset, slice(steps - self._kept(steps, last), None))

    @abstractmethod
    def initial_state(self, batch: int, dtype: torch.dtype, device: torch.device) -> State:
        """The empty memory."""

    @abstractmethod
    def _run(
        self, x: torch.Tensor, state: State, reset: torch.Tensor | None, wanted: slice
    ) -> tuple[torch.Tensor, State]:
        """What :meth:`forward` does, with valid arguments; outputs of the wanted steps."""

    def num_circuits(self, batch: int, steps: int, last: int | None = None) -> int:
        """How many circuits one forward pass evaluates."""
        kept = self._kept(steps, last)
        return batch * (steps * self.circuits_for_state + kept * self.circuits_for_output)

    @property
    def state_size(self) -> int:
        """Numbers in the memory of one row: the S of :meth:`flat`."""
        return self._layout.size

    def flat(self, state: State) -> torch.Tensor:
        """The memory as one tensor ``[batch, S]``, the form in which it is stored and sent."""
        if isinstance(state, torch.Tensor):
            return state.flatten(1)
        parts = cast(tuple[torch.Tensor, ...], state)
        return torch.cat([part.flatten(1) for part in parts], 1)

    def unflat(self, flat: torch.Tensor) -> State:
        """The inverse of :meth:`flat`; views where the state is a tensor.

        Raises:
            CircuitError: the tensor is not ``[batch, S]``.
        """
        kind, shapes, sizes, size = self._layout
        if flat.dim() != 2 or flat.shape[1] != size:
            require(
                False,
                f"{type(self).__name__}: a flat state has shape {tuple(flat.shape)}; "
                f"expected [batch, {size}]",
            )
        if kind is None:
            return cast(State, flat.reshape(-1, *shapes[0]) if size else flat)
        parts = zip(flat.split(sizes, 1), shapes, strict=True)
        return cast(State, kind(*(part.reshape(-1, *shape) for part, shape in parts)))

    @cached_property
    def _layout(self) -> "_Layout":
        state: Any = self.initial_state(1, torch.float32, torch.device("cpu"))
        kind = None if isinstance(state, torch.Tensor) else type(state)
        parts = [state] if kind is None else list(state)
        sizes = [part.numel() for part in parts]
        return _Layout(kind, [part.shape[1:] for part in parts], sizes, sum(sizes))

    def _kept(self, steps: int, last: int | None) -> int:
        if last is not None and not 1 <= last <= steps:
            require(
                False, f"{type(self).__name__}: last is {last}; allowed: 1 to {steps}, the steps"
            )
        return steps if last is None else last

    def _checked(self, x: torch.Tensor, reset: torch.Tensor | None) -> tuple[int, int]:
        kind, shape = type(self).__name__, tuple(x.shape)
        if not (x.dim() == 3 and shape[1] >= 1 and shape[2] == self.features):
            require(
                False,
                f"{kind}: x has shape {shape}; expected [batch, steps >= 1, {self.features}]",
            )
        if reset is not None and not (reset.dtype == torch.bool and reset.shape == shape[:2]):
            require(
                False,
                f"{kind}: reset is {tuple(reset.shape)} of {reset.dtype}; "
                f"expected {shape[:2]} of torch.bool",
            )
        return shape[0], shape[1]


class _Layout(NamedTuple):
    """How the parts of a state lie in a flat one."""

    kind: Any
    """The NamedTuple that holds the parts; None where the state is one tensor."""
    shapes: list[torch.Size]
    """Of each part, without the batch."""
    sizes: list[int]
    size: int


def no_memory(batch: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """The state of a core that remembers nothing, ``[batch, 0]``."""
    return torch.zeros(batch, 0, dtype=dtype, device=device)


def emptied(state: torch.Tensor, reset: torch.Tensor | None, step: int) -> torch.Tensor:
    """The state ``[batch, ...]`` before a step: zero in the rows that begin an episode there."""
    if reset is None:
        return state
    begins = reset.narrow(1, step, 1)
    while begins.dim() < state.dim():
        begins = begins.unsqueeze(-1)
    return state.masked_fill(begins, 0)


def at_least_one(**sizes: int) -> None:
    """Refuse sizes below 1.

    Raises:
        CircuitError: naming the first such size.
    """
    for name, size in sizes.items():
        require(size >= 1, f"{name} is {size}; allowed: 1 or more")


def choice(kind: type[Choice], field: str, value: str) -> Choice:
    """The member of an enumeration with this value.

    Raises:
        CircuitError: there is none; naming the field and what is allowed.
    """
    allowed = [str(member.value) for member in kind]
    require(value in allowed, f"{field} is {str(value)!r}; allowed: {', '.join(allowed)}")
    return kind(value)
