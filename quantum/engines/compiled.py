# SPDX-License-Identifier: Apache-2.0
"""The compiled engine: the native kernel as one node of torch's graph, differentiable twice."""

import ctypes
from typing import Any

import torch

from quantum.circuit import Circuit, Transform
from quantum.engines.interface import EngineName, check_arguments, not_finite
from quantum.engines.memory import require_memory
from quantum.errors import CircuitError, require
from quantum.kernel.build import load_kernel
from quantum.kernel.layout import ProgramLayout
from quantum.program import Program, make_program
from quantum.transforms import transform_columns

THREAD_WORK = 4_000_000
"""Row updates that are worth waking one more thread for: about two milliseconds."""

Gradients = tuple[torch.Tensor | None, torch.Tensor | None]


class CompiledEngine:
    """Evaluates one circuit by the native kernel; see :class:`quantum.engines.interface.Engine`.

    Raises:
        CircuitError: the kernel cannot be built here, or the circuit is too large for it.
    """

    name = EngineName.COMPILED

    def __init__(self, circuit: Circuit) -> None:
        library = load_kernel()
        if library is None:
            raise CircuitError("the compiled engine is not available here: no working C++ compiler")
        self.circuit = circuit
        program = make_program(circuit)
        self._columns = program.columns
        identity = ((k, Transform.IDENTITY) for k in range(circuit.num_features))
        self._as_they_are = program.columns == tuple(identity)
        self._kernel = _Kernel(circuit, program, library)

    def __call__(self, inputs: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        """See :meth:`quantum.engines.interface.Engine.__call__`; third derivatives are refused."""
        check_arguments(self.circuit, inputs, parameters)
        if inputs.device.type != "cpu":
            require(False, f"the compiled engine runs on cpu, not {inputs.device}")
        columns = inputs if self._as_they_are else transform_columns(self._columns, inputs)
        # Outside of the node: what it saves must be its arguments, or they lose their history.
        columns, parameters = columns.contiguous(), parameters.contiguous()
        if torch.is_inference_mode_enabled():  # a node of a graph costs as much as a small batch
            return self._kernel.forward(columns, parameters, keep_states=False)[0]
        outputs: torch.Tensor = _apply(_Expectations, self._kernel, columns, parameters)
        return outputs

    def __reduce__(self) -> tuple[type["CompiledEngine"], tuple[Circuit]]:
        """Travels as its circuit: machine code and addresses stay at home."""
        return CompiledEngine, (self.circuit,)


_ARGUMENTS = {"forward": 2, "backward": 4, "second": 6}
"""The kernel's functions, and how many arrays each takes beside inputs and parameters."""


def _typed(library: ctypes.CDLL, step: str, dtype: torch.dtype) -> Any:
    function = getattr(library, f"{step}_{str(dtype).removeprefix('torch.')}")
    pointer, flag = ctypes.c_void_p, ctypes.c_int
    others = [pointer] * _ARGUMENTS[step]
    function.argtypes = [pointer, ctypes.c_int64, pointer, pointer, flag, *others, flag]
    return function


class _Kernel:
    """The kernel's three functions for one program: tensors in, tensors out."""

    def __init__(self, circuit: Circuit, program: Program, library: ctypes.CDLL) -> None:
        self._circuit = circuit
        self._features = [feature for feature, _ in program.columns]
        self._layout = ProgramLayout(program)
        self._address = self._layout.address
        self._rows = program.rows
        self._observables = len(program.observables)
        self._work = program.rows * max(1, len(program.rotations))
        self._functions = {
            (step, dtype): _typed(library, step, dtype)
            for step in _ARGUMENTS
            for dtype in (torch.float32, torch.float64)
        }

    def forward(
        self, inputs: torch.Tensor, parameters: torch.Tensor, keep_states: bool
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Expectations ``[B, M]``, and the final states where a gradient may be asked for."""
        size = inputs.shape[0]
        outputs = inputs.new_empty((size, self._observables))
        states = None
        if keep_states:
            numbers = _padded(size, inputs) * self._rows
            what = f"training with {self._rows:,} rows for a batch of {size:,}"
            require_memory(what, numbers * inputs.element_size(), inputs.device)
            states = inputs.new_empty(numbers)
        self._call("forward", inputs, parameters, outputs, states)
        return outputs, states

    def backward(
        self,
        inputs: torch.Tensor,
        parameters: torch.Tensor,
        cotangents: torch.Tensor,
        states: torch.Tensor,
        wanted: tuple[bool, bool],
    ) -> Gradients:
        """The cotangents pulled back to inputs and parameters."""
        gradients = _empty_like(inputs, parameters, wanted)
        self._call("backward", inputs, parameters, cotangents, states, *gradients)
        return gradients

    def second(
        self,
        inputs: torch.Tensor,
        parameters: torch.Tensor,
        cotangents: torch.Tensor,
        tangents: tuple[torch.Tensor, torch.Tensor],
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Slopes of both gradients and of the outputs along the tangents."""
        slopes = cotangents.new_empty(cotangents.shape)
        along_inputs, along_parameters = torch.empty_like(inputs), torch.empty_like(parameters)
        results = slopes, along_inputs, along_parameters
        self._call("second", inputs, parameters, cotangents, *tangents, *results)
        return along_inputs, along_parameters, slopes

    def _call(
        self,
        step: str,
        inputs: torch.Tensor,
        parameters: torch.Tensor,
        *others: torch.Tensor | None,
    ) -> None:
        size = inputs.shape[0]
        status = self._functions[step, inputs.dtype](
            self._address,
            size,
            inputs.data_ptr(),
            parameters.data_ptr(),
            parameters.dim() == 1,
            *(None if t is None else t.data_ptr() for t in others),
            self._threads(size),
        )
        if status == 1:
            raise not_finite(self._circuit, self._features, inputs, parameters)
        if status:
            raise MemoryError(f"{self._rows} rows for a batch of {size}")

    def _threads(self, size: int) -> int:
        return max(1, min(torch.get_num_threads(), size * self._work // THREAD_WORK))


class _Expectations(torch.autograd.Function):
    """Forward; its backward is a node of its own when it is to be differentiated again."""

    @staticmethod
    def forward(
        ctx: Any, kernel: _Kernel, inputs: torch.Tensor, parameters: torch.Tensor
    ) -> torch.Tensor:
        outputs, states = kernel.forward(inputs, parameters, any(ctx.needs_input_grad))
        ctx.kernel, ctx.states = kernel, states
        ctx.save_for_backward(inputs, parameters)
        return outputs

    @staticmethod
    def backward(ctx: Any, cotangents: torch.Tensor) -> Any:
        inputs, parameters = ctx.saved_tensors
        arguments = ctx.kernel, ctx.states, ctx.needs_input_grad[1:]
        if torch.is_grad_enabled():
            return None, *_apply(_Pullback, *arguments, inputs, parameters, cotangents)
        kernel, states, wanted = arguments
        return None, *kernel.backward(inputs, parameters, cotangents.contiguous(), states, wanted)


class _Pullback(torch.autograd.Function):
    """The gradient as a differentiable function of inputs, parameters and cotangents."""

    @staticmethod
    def forward(
        ctx: Any,
        kernel: _Kernel,
        states: torch.Tensor,
        wanted: tuple[bool, bool],
        inputs: torch.Tensor,
        parameters: torch.Tensor,
        cotangents: torch.Tensor,
    ) -> Gradients:
        cotangents = cotangents.contiguous()
        ctx.kernel = kernel
        ctx.save_for_backward(inputs, parameters, cotangents)
        return kernel.backward(inputs, parameters, cotangents, states, wanted)

    @staticmethod
    def backward(ctx: Any, *tangents: torch.Tensor | None) -> Any:
        inputs, parameters, cotangents = ctx.saved_tensors
        along = (
            torch.zeros_like(like) if tangent is None else tangent.contiguous()
            for tangent, like in zip(tangents, (inputs, parameters), strict=True)
        )
        arguments = ctx.kernel, inputs, parameters, cotangents, *along
        return None, None, None, *_apply(_Curvature, *arguments)


class _Curvature(torch.autograd.Function):
    """The second derivative, which is where it ends.

    Torch's ``once_differentiable`` would not do: it refuses to go on only where a tangent requires
    a gradient, and takes the second derivative for a constant where none does.
    """

    @staticmethod
    def forward(
        _: Any, kernel: _Kernel, inputs: torch.Tensor, *others: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        parameters, cotangents, *along = others
        return kernel.second(inputs, parameters, cotangents, (along[0], along[1]))

    @staticmethod
    def backward(*_: object) -> Any:
        raise CircuitError(
            "the compiled engine can be differentiated twice, not three times; "
            "the torch engine any number of times"
        )


def _apply(node: type[torch.autograd.Function], *arguments: object) -> Any:
    """Torch leaves this method untyped."""
    return node.apply(*arguments)


def _empty_like(
    inputs: torch.Tensor, parameters: torch.Tensor, wanted: tuple[bool, bool]
) -> Gradients:
    return (
        torch.empty_like(inputs) if wanted[0] else None,
        torch.empty_like(parameters) if wanted[1] else None,
    )


def _padded(size: int, like: torch.Tensor) -> int:
    """The batch, filled up to whole registers of 64 bytes."""
    width = 64 // like.element_size()
    return -(-size // width) * width
