# SPDX-License-Identifier: Apache-2.0
"""The one error that a person who typed a command can cause and repair."""


class InputError(ValueError):
    """Bad input from outside: one line that says what, where, and what is allowed.

    Raised by readers, option checks and instance builders; the command line turns it into
    that line on stderr and exit code 2. Programming mistakes raise other exceptions.
    """


def require(name: str, value: object, holds: bool, allowed: str) -> None:
    """Refuse the value of an option.

    Raises:
        InputError: it does not hold; names the option, the value and what is allowed.
    """
    if not holds:
        raise InputError(f"{name} is {value!r}; allowed: {allowed}")
