# SPDX-License-Identifier: Apache-2.0
"""Map and scenario readers: real files, every fault named, no other exception for any bytes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.errors import InputError
from sim.generate import WarehouseOptions, generate_random, generate_warehouse
from sim.readers import format_map, read_map, read_scenario

MAPS = Path(__file__).parents[2].parent / "shared" / "data" / "maps"

MAP = "type octile\nheight 3\nwidth 4\nmap\n@.G.\nTSEO\nW..@\n"
PAIR = "0\tm.map\t4\t3\t1\t0\t2\t2\t3.41421356\n"
SCENARIO = "version 1\n" + PAIR + PAIR


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "file"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def real(name: str) -> Path:
    path = MAPS / name
    if not path.exists():
        pytest.skip(f"{name} is not there; see ../shared/data/README.md")
    return path


def test_every_symbol_has_its_meaning(tmp_path: Path) -> None:
    layout = read_map(written(tmp_path, MAP))
    expected = [[0, 1, 1, 1], [0, 1, 1, 0], [0, 1, 1, 0]]
    assert layout.free.tolist() == np.array(expected, dtype=bool).tolist()
    assert (layout.emitters.tolist(), layout.service_points.tolist()) == ([6], [5])
    assert layout.name == "file"


def test_line_ends_of_windows_and_blank_last_lines_are_fine(tmp_path: Path) -> None:
    layout = read_map(written(tmp_path, MAP.replace("\n", "\r\n") + "\r\n\r\n"))
    assert layout.free.shape == (3, 4)


@pytest.mark.parametrize(
    ("name", "shape", "num_free"),
    [
        ("warehouse-10-20-10-2-1.map", (63, 161), 5699),
        ("random-32-32-20.map", (32, 32), 819),
        ("den520d.map", (257, 256), 28178),
    ],
)
def test_real_maps_are_read(name: str, shape: tuple[int, int], num_free: int) -> None:
    layout = read_map(real(name))
    assert (layout.free.shape, len(layout.free_cells)) == (shape, num_free)


def test_a_real_scenario_fits_its_map() -> None:
    scenario = read_scenario(real("den520d-even-9.scen"), read_map(real("den520d.map")))
    assert scenario.map_name == "den520d.map"
    assert (scenario.starts[0], scenario.goals[0]) == (115 * 256 + 176, 161 * 256 + 88)
    assert (scenario.buckets[0], scenario.optimal_lengths[0]) == (27, 109.98275604)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: starts with ''; needed: 'type octile'"),
        ("\x7fELF", "1: starts with"),
        (b"\xff\xfe\x00", "1: not a text file; UTF-8"),
        (MAP.encode() + b"\n\xc3", "9: not a text file; UTF-8"),
        (MAP.replace("octile", "hex"), "1: starts with 'type hex'"),
        (MAP.replace("height 3", "width 4"), "2: found 'width 4'; needed: 'height NUMBER'"),
        (MAP.replace("height 3", "height -3"), "2: height is '-3'; allowed: 1 to"),
        (MAP.replace("height 3", "height 0"), "2: height is '0'; allowed: 1 to"),
        (MAP.replace("height 3", "height ٣"), "2: height is"),
        (MAP.replace("width 4", "width 99999999999999"), "3: width is '99999999999999'; allowed"),
        (MAP.replace("width 4", "width " + "9" * 9000), "3: width is '9999"),
        (MAP.replace("height 3", "height 100000"), "7: 3 rows of symbols; the header says height"),
        (MAP.replace("height 3", "height 2"), "7: 3 rows of symbols; the header says height 2"),
        (MAP.replace("width 4", "width 100000"), "5: 4 symbols; the header says width 100000"),
        (MAP[:-6], "6: 2 rows of symbols; the header says height 3"),
        (MAP[:-3], "7: 2 symbols; the header says width 4"),
        (MAP[:12], "2: found ''; needed: 'height NUMBER'"),
        (MAP.replace("map", "grid"), "4: found 'grid'; needed: 'map'"),
        (MAP.replace("TS", "T?"), "6: unknown symbol '?' in column 1; allowed: .GSE"),
        (MAP.replace("TS", "T\N{BLACK SQUARE}"), r"6: unknown symbol '\u25a0'"),
        ("type octile\nheight 1\nwidth 2\nmap\n@@\n", "5: no free cell; at least one of .GSE"),
    ],
)
def test_bad_maps_are_refused_with_place_and_remedy(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_map(path)
    assert str(caught.value).startswith(f"{path}:{message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: starts with ''; needed: 'version 1'"),
        ("version 1\n", "2: no start and goal pair"),
        (SCENARIO + "0\tm.map\t4\t3\n", "4: 4 columns; needed: 9"),
        (SCENARIO + PAIR.replace("m.map", "n.map"), "4: map 'n.map' after 'm.map'"),
        (SCENARIO + PAIR.replace("\t4\t3\t", "\t5\t3\t"), "4: map width is '5'; allowed: 4 to 4"),
        (SCENARIO + PAIR.replace("\t1\t0\t", "\t4\t0\t"), "4: start x is '4'; allowed: 0 to 3"),
        (SCENARIO + PAIR.replace("\t2\t2\t", "\t2\t-2\t"), "4: goal y is '-2'; allowed: 0 to 2"),
        (SCENARIO + PAIR.replace("\t1\t0\t", "\t0\t0\t"), "4: start in row 0, column 0 is an obst"),
        (SCENARIO + PAIR.replace("\t2\t2\t", "\t3\t2\t"), "4: goal in row 2, column 3 is an obst"),
        (SCENARIO + PAIR.replace("3.41421356", "nan"), "4: optimal length is 'nan'; allowed"),
        (SCENARIO + PAIR.replace("3.41421356", "1e999"), "4: optimal length is '1e999'; allowed"),
    ],
)
def test_bad_scenarios_are_refused_with_place_and_remedy(
    tmp_path: Path, text: str, message: str
) -> None:
    layout = read_map(written(tmp_path, MAP))
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_scenario(path, layout)
    assert str(caught.value).startswith(f"{path}:{message}")


def test_a_scenario_without_its_map_is_checked_against_its_own_size(tmp_path: Path) -> None:
    scenario = read_scenario(written(tmp_path, SCENARIO))
    assert (scenario.height, scenario.width) == (3, 4)
    assert (scenario.starts.tolist(), scenario.goals.tolist()) == ([1, 1], [10, 10])
    with pytest.raises(InputError, match="2: map height is '10000000'; allowed: 1 to 100000"):
        read_scenario(written(tmp_path, SCENARIO.replace("\t3\t", "\t10000000\t")))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none", tmp_path / "pipe", tmp_path / ("x" * 5000)):
        with pytest.raises(InputError, match=r"a file is needed|cannot be read"):
            read_map(path)
    with pytest.raises(InputError, match="a file is needed"):
        read_map(Path("nul\0byte"))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), warehouse=st.booleans())
def test_a_written_map_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, seed: int, warehouse: bool
) -> None:
    rng = np.random.default_rng(seed)
    if warehouse:
        layout = generate_warehouse(WarehouseOptions(), rng)
    else:
        layout = generate_random(*rng.integers(1, 30, size=2).tolist(), 0.3, rng)
    again = read_map(written(tmp_path_factory.getbasetemp(), format_map(layout)))
    assert np.array_equal(again.free, layout.free)
    assert np.array_equal(again.emitters, layout.emitters)
    assert np.array_equal(again.service_points, layout.service_points)


def mutated(text: str) -> st.SearchStrategy[bytes]:
    """Strategy for a valid file in which one stretch is replaced by random bytes or copied."""

    def change(start: int, length: int, insert: bytes, copy: bool) -> bytes:
        content = text.encode()
        cut = content[start : start + length]
        return content[:start] + (cut * 2 if copy else insert) + content[start + length :]

    inserted = st.binary(max_size=8) | st.sampled_from([b"\n", b"\t", b"9" * 30, b"-1", b"nan"])
    place = st.integers(0, len(text))
    return st.builds(change, place, st.integers(0, 12), inserted, st.booleans())


Read = TypeVar("Read")


def value_or_line(read: Callable[[Path], Read], path: Path) -> Read | str:
    try:
        return read(path)
    except InputError as error:
        return str(error)


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=80) | mutated(MAP))
def test_any_bytes_give_a_layout_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = written(tmp_path_factory.getbasetemp(), content)
    result = value_or_line(read_map, path)
    if isinstance(result, str):
        assert result.startswith(f"{path}:")
        assert "\n" not in result
    else:
        assert result.free.any()


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=80) | mutated(SCENARIO))
def test_any_bytes_give_a_scenario_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = written(tmp_path_factory.getbasetemp(), content)
    result = value_or_line(read_scenario, path)
    if isinstance(result, str):
        assert result.startswith(f"{path}:")
        assert "\n" not in result
    else:
        assert result.goals.max() < result.height * result.width
