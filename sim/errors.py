# SPDX-License-Identifier: Apache-2.0
"""The one error that a person who typed a command can cause and repair."""


class InputError(ValueError):
    """Bad input from outside: one line that says what, where, and what is allowed.

    Raised by readers, option checks and instance builders; the command line turns it into
    that line on stderr and exit code 2. Programming mistakes raise other exceptions.
    """
