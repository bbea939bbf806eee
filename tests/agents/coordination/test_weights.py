# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from agents.coordination.weights import ARCHITECTURE, load_model, notes, require_device, save_model
from sim.errors import InputError
from tests.agents.coordination.coordination_examples import SMALL, replace_weight, small_model


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save_model(path, small_model(3), {"made_by": "a test"})
    return path


def rewrite(path: Path, **metadata: str) -> None:
    save_file(load_file(path), path, {**notes(path), **metadata})


def test_what_is_loaded_is_what_was_saved(saved: Path) -> None:
    model = load_model(saved)
    assert model.options == SMALL
    assert not model.training
    for name, value in small_model(3).state_dict().items():
        assert torch.equal(model.state_dict()[name], value)
    assert notes(saved)["made_by"] == "a test"


def test_a_missing_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.safetensors: no readable weights"):
        load_model(tmp_path / "none.safetensors")


@pytest.mark.parametrize("left", [0, 5, 100, -7])
def test_a_file_cut_short_is_an_error(saved: Path, left: int) -> None:
    saved.write_bytes(saved.read_bytes()[:left])
    with pytest.raises(InputError, match="no readable weights"):
        load_model(saved)


def test_a_flipped_bit_is_noticed(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    saved.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        load_model(saved)


def test_another_architecture_is_named(saved: Path) -> None:
    rewrite(saved, architecture="transformer 9")
    with pytest.raises(InputError, match="transformer 9.*needed.*" + ARCHITECTURE[:10]):
        load_model(saved)


def test_other_options_do_not_fit(saved: Path) -> None:
    options = json.loads(notes(saved)["options"])
    for width in (16, 2**20):
        rewrite(saved, options=json.dumps({**options, "width": width}))
        with pytest.raises(InputError, match="do not fit their options") as raised:
            load_model(saved)
        assert "\n" not in str(raised.value)
        assert len(str(raised.value)) < 400


@pytest.mark.parametrize(
    "options",
    [
        '{"depth": 1}',
        "[1]",
        "{",
        '{"width": "8"}',
        '{"width": 8.0, "heads": 2}',
        '{"latent_layers": 0.5}',
        '{"width": -2}',
        '{"width": 4611686018427387904}',
    ],
)
def test_damaged_options_are_an_error(saved: Path, options: str) -> None:
    rewrite(saved, options=options)
    with pytest.raises(InputError, match="options of the model are damaged"):
        load_model(saved)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64, torch.int32])
def test_other_numbers_than_those_of_32_bits_are_refused(saved: Path, dtype: torch.dtype) -> None:
    save_file({k: v.to(dtype) for k, v in load_file(saved).items()}, saved, notes(saved))
    with pytest.raises(InputError, match=f"is of {dtype}; needed: torch.float32"):
        load_model(saved)


def test_weights_that_are_not_finite_are_neither_saved_nor_loaded(saved: Path) -> None:
    model = small_model()
    name = replace_weight(model, float("nan"))
    with pytest.raises(InputError, match=f"tensor {name} is not finite"):
        save_model(saved, model)
    tensors = load_file(saved)
    tensors[name].view(-1)[0] = float("inf")
    save_file(tensors, saved, notes(saved))
    with pytest.raises(InputError, match=f"tensor {name} is not finite"):
        load_model(saved)


@pytest.mark.parametrize("device", ["cuda:17", "abacus"])
def test_a_device_that_is_not_there_is_refused(saved: Path, device: str) -> None:
    with pytest.raises(InputError, match=f"device is {device}"):
        load_model(saved, device)
    require_device("cpu")
