# SPDX-License-Identifier: Apache-2.0
"""What the robots see, as RWARE's flattened vector or in one byte per cell.

The vector is x, y, whether the robot carries, its heading one-hot (up, down, left, right), whether
it is in a corridor; then for each cell in sight, row by row, whether there is a robot, its heading
one-hot (1 0 0 0 without a robot), whether there is a shelf, whether that is requested.
"""

import numpy as np
from numpy.typing import NDArray

from sim.environments.rware.layout import RwareLayout
from sim.environments.rware.options import RwareOptions
from sim.environments.rware.state import (
    CARRIED,
    CODES,
    HEADING,
    NOTHING,
    PLACE,
    REQUESTED,
    ROBOT_CODES,
    SHELF,
    Rules,
    coordinate_scale,
)
from sim.jit import kernel

OWN = 8
PER_CELL = 7
OWN_CODES = 5


def _cell_features() -> NDArray[np.float32]:
    """``[CODES, 8]`` a zero and the seven numbers of a cell."""
    features = np.zeros((CODES, 1 + PER_CELL), dtype=np.float32)
    for code in range(CODES):
        heading = max(code // 4 - 1, 0)
        features[code, 1] = code >= 4
        features[code, 2 + heading] = 1
        features[code, 6] = code & SHELF > 0
        features[code, 7] = code & REQUESTED > 0
    return features


_FEATURES = _cell_features()


@kernel
def write_vectors(
    rules: Rules,
    own: NDArray[np.float32],
    robots: NDArray[np.int32],
    code: NDArray[np.uint8],
    w: int,
    out: NDArray[np.float32],
) -> None:
    """The vectors of the robots of world ``w``, into ``out [W * N * F]``.

    A cell is written with a zero before it, as eight numbers are copied faster than seven; hence
    backwards, so that the zero is overwritten. Unsigned indices into one flat array halve the time:
    numba asks of signed ones whether they are negative.
    """
    side = 2 * rules.radius + 1
    features = OWN + PER_CELL * side * side
    for robot in range(robots.shape[1]):
        place = robots[w, robot, PLACE]
        corner = place - rules.radius * (rules.width + 1)
        first = (w * robots.shape[1] + robot) * features
        at = np.uintp(first + features - 1)
        for row in range(side - 1, -1, -1):
            for column in range(side - 1, -1, -1):
                at -= np.uintp(PER_CELL)
                seen = np.uintp(code[w, np.uintp(corner + row * rules.width + column)])
                for k in range(np.uintp(1 + PER_CELL)):
                    out[at + k] = _FEATURES[seen, k]
        for k in range(3, OWN - 1):
            out[first + k] = 0.0
        out[first], out[first + 1] = own[place, 0], own[place, 1]
        out[first + 2] = np.float32(robots[w, robot, CARRIED] != NOTHING)
        out[first + 2 + ROBOT_CODES[robots[w, robot, HEADING]] // 4] = 1.0
        out[first + OWN - 1] = own[place, 2]


@kernel
def write_codes(
    rules: Rules,
    own: NDArray[np.uint8],
    robots: NDArray[np.int32],
    code: NDArray[np.uint8],
    w: int,
    out: NDArray[np.uint8],
) -> None:
    """The codes of the robots of world ``w``, into ``out [W, N, F]``."""
    side = 2 * rules.radius + 1
    for robot in range(robots.shape[1]):
        place = robots[w, robot, PLACE]
        out[w, robot, 0], out[w, robot, 1] = own[place, 0], own[place, 1]
        out[w, robot, 2] = robots[w, robot, CARRIED] != NOTHING
        out[w, robot, 3] = ROBOT_CODES[robots[w, robot, HEADING]] // 4 - 1
        out[w, robot, 4] = own[place, 2]
        corner = place - rules.radius * (rules.width + 1)
        at = OWN_CODES
        for row in range(side):
            for column in range(side):
                out[w, robot, at] = code[w, corner + row * rules.width + column]
                at += 1


def expand_codes(
    codes: NDArray[np.uint8], layout: RwareLayout, options: RwareOptions
) -> NDArray[np.float32]:
    """The vectors ``[..., 8 + 7 * cells]`` that say the same as codes ``[..., 5 + cells]``."""
    cells = _FEATURES[codes[..., OWN_CODES:], 1:]
    own = (
        codes[..., 0:2] / np.array(coordinate_scale(layout, options)),
        codes[..., 2:3],
        np.eye(4)[codes[..., 3]],
        codes[..., 4:5],
        cells.reshape(*codes.shape[:-1], -1),
    )
    return np.concatenate(own, axis=-1, dtype=np.float32)
