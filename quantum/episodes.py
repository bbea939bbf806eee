# SPDX-License-Identifier: Apache-2.0
"""Episodes that begin inside of a sequence, for recurrent nets that torch runs as a whole.

Torch's kernels know no episodes, and running them from one beginning to the next is slow. So a
step is put in before each beginning, a *wipe*, which leaves an empty memory behind because one more
input feature closes the gates. The steps that fill shorter rows up to the longest *hold*.
"""

from typing import NamedTuple

import torch

SHUT = 1e4
"""An input of a sigmoid, up to its sign, that makes it 0 or 1 and its derivative 0, exactly."""


class Stretched(NamedTuple):
    """A batch of sequences with wipes put in; of L steps, at most twice as many as before."""

    x: torch.Tensor
    """``[batch, L, features]``; zero in what was put in."""
    wipe: torch.Tensor
    """``[batch, L]``, bool: these steps are to leave an empty memory."""
    hold: torch.Tensor
    """``[batch, L]``, bool: these come after the last step of their row."""
    places: torch.Tensor
    """``[batch * steps]``: where the steps are among the ``batch * L``."""

    def read(self, outputs: torch.Tensor) -> torch.Tensor:
        """The outputs of the steps that were there before, ``[batch, steps, ...]``."""
        chosen = outputs.flatten(0, 1).index_select(0, self.places)
        return chosen.reshape(len(outputs), -1, *outputs.shape[2:])


def begins_inside(reset: torch.Tensor | None) -> bool:
    """Whether an episode begins after the first step."""
    return reset is not None and reset.shape[1] > 1 and bool(reset[:, 1:].any())


def stretch(x: torch.Tensor, reset: torch.Tensor) -> Stretched:
    """Put a wipe before each beginning but those at the first step.

    Args:
        x: ``[batch, steps, features]``.
        reset: where episodes begin, ``[batch, steps]``, bool.
    """
    (batch, steps), features, device = reset.shape, x.shape[2], x.device
    inside = reset.clone()
    inside[:, 0] = False
    place = torch.arange(steps, device=device) + inside.cumsum(1)
    end = place[:, -1:]
    length = int(end.max()) + 1
    places = (place + length * torch.arange(batch, device=device).unsqueeze(1)).flatten()
    hold = torch.arange(length, device=device) > end
    free = torch.ones(batch * length, dtype=torch.bool, device=device).index_fill(0, places, False)
    wide = x.new_zeros(batch * length, features).index_copy(0, places, x.flatten(0, 1))
    return Stretched(
        wide.unflatten(0, (batch, length)), free.unflatten(0, (batch, length)) & ~hold, hold, places
    )
