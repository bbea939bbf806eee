# SPDX-License-Identifier: Apache-2.0
"""Whether something fits into memory, found out before it is allocated."""

import psutil
import torch

from quantum.errors import require

UNNOTICED_BYTES = 1 << 28
"""Less is on every machine; to ask for the free memory would cost more than a small circuit."""


def require_memory(what: str, needed: int, device: torch.device) -> None:
    """The bytes are free on the device, as far as it tells.

    Raises:
        CircuitError: they are not; the message says how many are needed and free.
    """
    if needed > UNNOTICED_BYTES:
        free = _free(device)
        require(
            free is None or needed <= free,
            f"{what} needs {needed:,} bytes of memory; {device} has {free or 0:,} free",
        )


def _free(device: torch.device) -> int | None:
    if device.type == "cpu":
        return int(psutil.virtual_memory().available)
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + unused
    return None
