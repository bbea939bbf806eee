# SPDX-License-Identifier: Apache-2.0
from cluster import tensorboard

WRITTEN_BY_TENSORBOARD = (
    "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c2600000000"
    "000000734fe30009000000000000044010ac022a180a0b0a046c6f737315cdcccc3d0a090a026b6c15000000c0"
    "2089b8c0"
)
"""By the RecordWriter of tensorboard 2.21.0, of the same two events."""


def test_the_bytes_are_those_of_tensorboard_itself() -> None:
    event = tensorboard.scalars(300, {"loss": 0.1, "kl": -2.0}, time_s=2.5)
    assert (tensorboard.header(1.5) + event).hex() == WRITTEN_BY_TENSORBOARD
