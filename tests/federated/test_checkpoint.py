# SPDX-License-Identifier: Apache-2.0
"""A checkpoint is what was kept, to the bit, or refused with the name of its file."""

import json
import pickle
from hashlib import sha256
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federated.checkpoint import pack, unpack
from federated.rounds import Progress
from sim.errors import InputError

WHERE = "runs/x/checkpoint.npz"
ME = "vqc-digits, 10 clients, seed 0"
NAMES = st.text("abcdefghij._/ é", min_size=1, max_size=12)


def progress() -> Progress:
    arrays = {
        "head.weight": np.array([[1.5, -0.0], [np.pi, 5e-324]]),
        "head.bias": np.float32([0.1, 3e38]),
        "count": np.array(7),
    }
    state = {"m_t/head.weight": np.full((2, 2), 1 / 3), "clipping_norm": np.asarray(0.1)}
    return Progress(12, arrays, state)


def assert_same(one: Progress, other: Progress) -> None:
    assert one.round == other.round
    for own, theirs in ((one.arrays, other.arrays), (one.state, other.state)):
        assert list(own) == list(theirs)
        for name, value in own.items():
            assert (value.dtype, value.shape) == (theirs[name].dtype, theirs[name].shape)
            assert value.tobytes() == theirs[name].tobytes()


def test_what_is_kept_comes_back_to_the_bit() -> None:
    assert_same(unpack(pack(progress(), ME), ME, WHERE), progress())
    empty = Progress(0, {}, {})
    assert_same(unpack(pack(empty, ""), "", WHERE), empty)


@given(
    st.dictionaries(NAMES, st.lists(st.floats(), max_size=3), max_size=3),
    st.dictionaries(NAMES, st.lists(st.floats(width=32), max_size=3), max_size=3),
    st.text(),
)
def test_whatever_arrays_are_called(
    arrays: dict[str, list[float]], state: dict[str, list[float]], identity: str
) -> None:
    made = Progress(
        3,
        {name: np.array(values) for name, values in arrays.items()},
        {name: np.array(values, np.float32) for name, values in state.items()},
    )
    assert_same(unpack(pack(made, identity), identity, WHERE), made)


def test_names_of_model_and_state_do_not_meet() -> None:
    made = Progress(1, {"a": np.zeros(1), "header": np.ones(1)}, {"a": np.ones(2)})
    assert_same(unpack(pack(made, ME), ME, WHERE), made)


def refusal(data: bytes, identity: str = ME) -> str:
    with pytest.raises(InputError) as told:
        unpack(data, identity, WHERE)
    (line,) = str(told.value).splitlines()
    assert line.startswith(f"{WHERE}: ")
    return line


def test_damage_anywhere_is_noticed() -> None:
    data = pack(progress(), ME)
    places = [0, 10, 63, 64, 65, 66, *range(70, len(data), 97), len(data) - 1]
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        assert "no checkpoint, or damaged; delete it to begin anew" in refusal(bytes(damaged))


@pytest.mark.parametrize("kept", [0, 1, 64, 65, 66, 200, -1])
def test_a_part_of_a_checkpoint_is_none(kept: int) -> None:
    assert "no checkpoint, or damaged" in refusal(pack(progress(), ME)[:kept])


@pytest.mark.parametrize(
    "data", [b"\n", b"hello", b"PK\x03\x04", b"{}\n{}", bytes(500), b"\xff" * 80 + b"\n\xff"]
)
def test_other_files_are_none(data: bytes) -> None:
    assert "no checkpoint, or damaged" in refusal(data)


def sealed(data: bytes) -> bytes:
    """With a digest that fits, as nothing but malice or another program would make it."""
    return sha256(data).hexdigest().encode() + b"\n" + data


def npz(**arrays: Any) -> bytes:
    buffer = BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def header(**changes: Any) -> np.ndarray:
    return np.array(json.dumps({"format": 1, "identity": ME, "round": 1} | changes))


def array(values: list[float]) -> bytes:
    buffer = BytesIO()
    np.save(buffer, np.array(values))
    return buffer.getvalue()


def test_what_is_sealed_and_no_checkpoint_is_refused_all_the_same() -> None:
    executed: list[int] = []

    class Evil:
        def __reduce__(self) -> Any:
            return executed.append, (1,)

    assert "is no checkpoint" in refusal(sealed(b"anything"))
    assert "is no checkpoint" in refusal(sealed(b""))
    assert "is no checkpoint" in refusal(sealed(pickle.dumps(Evil())))
    assert "is no checkpoint" in refusal(sealed(array([1.0])))
    assert "is no checkpoint" in refusal(sealed(npz(other=np.zeros(1))))
    assert "is no checkpoint" in refusal(sealed(npz(header=np.array("{no json"))))
    assert "is no checkpoint" in refusal(sealed(npz(header=np.array("[1]"))))
    assert "is no checkpoint" in refusal(
        sealed(npz(header=np.array(json.dumps({"format": 1, "identity": ME}))))
    )
    assert "is no checkpoint" in refusal(sealed(npz(header=header(round="soon"))))
    evil = sealed(npz(header=header(), **{"model/a": np.array([Evil()], dtype=object)}))
    executed.clear()  # writing it does not run it; reading must not either
    assert "is no checkpoint" in refusal(evil)
    assert executed == []


def test_other_formats_and_other_federations_are_refused() -> None:
    assert "has format 2; needed: 1" in refusal(sealed(npz(header=header(format=2))))
    assert "has format None; needed: 1" in refusal(sealed(npz(header=np.array("{}"))))
    told = refusal(pack(progress(), "mlp-digits, 3 clients"))
    assert f"is of mlp-digits, 3 clients; needed: {ME}" in told
