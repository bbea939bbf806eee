# SPDX-License-Identifier: Apache-2.0
"""The one error that a user of circuits and engines can cause and repair."""


class CircuitError(ValueError):
    """A circuit, a shape or a value that cannot be: the message names it and what is allowed."""


def require(holds: bool, message: str) -> None:
    """Raise :class:`CircuitError` with the message unless the condition holds."""
    if not holds:
        raise CircuitError(message)
