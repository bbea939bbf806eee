# SPDX-License-Identifier: Apache-2.0
"""Scalars as TensorBoard reads them, without TensorBoard: its files are a simple format.

A file is a sequence of records: length, checksum of the length, data, checksum of the data
(TFRecord, https://www.tensorflow.org/tutorials/load_data/tfrecord). The data are protocol buffers
of the type ``Event`` (tensorflow/core/util/event.proto).
"""

import struct
from collections.abc import Mapping

FILE = "events.out.tfevents.0.fedfleet"
"""TensorBoard knows the files by the first part of their names."""


def header(time_s: float) -> bytes:
    """What a file begins with; ``time_s`` is the time of day, since 1970."""
    return _record(_double(1, time_s) + _bytes(3, b"brain.Event:2"))


def scalars(step: int, values: Mapping[str, float], time_s: float) -> bytes:
    """One event: values by name at a step."""
    summary = b"".join(
        _bytes(1, _bytes(1, name.encode()) + _float(2, value)) for name, value in values.items()
    )
    return _record(_double(1, time_s) + b"\x10" + _varint(step) + _bytes(5, summary))


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    """CRC-32C, rotated and shifted as TFRecord asks."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC_TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _crc_entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_CRC_TABLE = [_crc_entry(byte) for byte in range(256)]


def _double(field: int, value: float) -> bytes:
    return bytes([field << 3 | 1]) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    return bytes([field << 3 | 5]) + struct.pack("<f", value)


def _bytes(field: int, value: bytes) -> bytes:
    return bytes([field << 3 | 2]) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Seven bits per byte, the lowest first."""
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
