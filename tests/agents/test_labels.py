# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
from dataclasses import fields, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.coordination.labels import INDEX, Shard, index_document, read_shards, shard_name
from agents.coordination.packing import FORMAT, RAGGED, LabelledInstance, join, pack, unpack
from sim.coordinators.interface import Budget
from sim.coordinators.pool import PoolOptions
from sim.coordinators.pool_search import solution_pool
from sim.errors import InputError
from sim.families import FamilyOptions, draw_instance
from sim.floors import FloorKind
from sim.graph import CoordinationGraph
from sim.instances import InstanceOptions
from sim.schedule import Objective


@cache
def labelled(seed: int, density_bound: int = 0) -> LabelledInstance:
    rng = np.random.default_rng(seed)
    how = InstanceOptions(density_bound=density_bound, density_block_cells=4)
    instance = draw_instance(FloorKind.RANDOM, FamilyOptions((3, 6), (1, 2), instance=how), rng)
    budget, options = Budget(steps=200), PoolOptions(ratio=1.2)
    pool = solution_pool(instance.graph, budget, Objective.MEAN_TRAVEL, options, rng)
    following = np.stack([one.following for one in pool.assignments])
    rest = (pool.order, following, pool.cost_s, pool.bound_s, pool.proven)
    return LabelledInstance(f"i{seed}", instance.layout.name, instance.graph, *rest)


def assert_same(found: LabelledInstance, wanted: LabelledInstance) -> None:
    for owner in (LabelledInstance, CoordinationGraph):
        for field in fields(owner):
            if field.name == "graph":
                continue
            graphs = owner is CoordinationGraph
            a, b = (getattr(x.graph if graphs else x, field.name) for x in (found, wanted))
            np.testing.assert_array_equal(a, b, strict=True, err_msg=field.name)
            assert type(a) is type(b)


def shard_bytes(*instances: LabelledInstance) -> bytes:
    buffer = BytesIO()
    np.savez_compressed(buffer, **pack(instances))
    return buffer.getvalue()


def shard_folder(folder: Path, *groups: tuple[LabelledInstance, ...]) -> Path:
    shards = []
    for number, group in enumerate(groups):
        data = shard_bytes(*group)
        (folder / shard_name(number)).write_bytes(data)
        shards.append(Shard(shard_name(number), len(group), hashlib.sha256(data).hexdigest()))
    (folder / INDEX).write_text(json.dumps(index_document(shards, {})))
    return folder


def test_what_was_packed_comes_back() -> None:
    given = [labelled(0), labelled(1, density_bound=2), labelled(2)]
    for found, wanted in zip(unpack(pack(given)), given, strict=True):
        assert_same(found, wanted)
    assert any(len(one.cost_s) > 1 for one in given)
    assert given[1].graph.num_regions > 0


def test_joined_shards_are_the_shard_of_all() -> None:
    given = [labelled(seed) for seed in range(4)]
    joined = join([pack(given[:1]), pack(given[1:3]), pack(given[3:])])
    for found, wanted in zip(unpack(joined), given, strict=True):
        assert_same(found, wanted)


def test_a_folder_is_read_in_order(tmp_path: Path) -> None:
    groups = (labelled(3), labelled(1)), (labelled(2),)
    folder = shard_folder(tmp_path, *groups)
    assert [one.name for one in read_shards(folder)] == ["i3", "i1", "i2"]
    assert [one.name for one in read_shards(folder / shard_name(1))] == ["i2"]


def test_the_gap_is_zero_where_it_is_proven() -> None:
    one = labelled(0)
    assert replace(one, proven=True).gap == 0
    assert replace(one, proven=False, bound_s=0.75 * one.cost_s[0]).gap == pytest.approx(0.25)


WHOLE = shard_bytes(labelled(0))


@settings(max_examples=60)
@given(length=st.integers(0, len(WHOLE) - 1))
def test_a_shard_cut_anywhere_is_refused(
    length: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "cut.npz"
    path.write_bytes(WHOLE[:length])
    with pytest.raises(InputError, match=r"cut\.npz: is truncated or no shard of labels"):
        list(read_shards(path))


def test_a_shard_that_does_not_match_the_index_is_refused(tmp_path: Path) -> None:
    folder = shard_folder(tmp_path, (labelled(0),), (labelled(1),))
    (folder / shard_name(1)).write_bytes(shard_bytes(labelled(2)))
    read = read_shards(folder)
    assert next(read).name == "i0"
    with pytest.raises(InputError, match=r"labels-0001\.npz: is truncated or altered"):
        next(read)
    (folder / shard_name(1)).unlink()
    with pytest.raises(InputError, match=r"labels-0001\.npz: cannot be read"):
        list(read_shards(folder))


def test_a_folder_without_shards_says_how_to_make_them(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match="`python -m cluster label` makes shards"):
            read_shards(path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "other"}', f'{{"format": "{FORMAT}", "shards": [{{}}]}}']
)
def test_a_foreign_index_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / INDEX).write_text(text)
    with pytest.raises(InputError, match=r"index\.json: "):
        read_shards(tmp_path)


TWO = pack([labelled(0), labelled(1)])


def change(name: str, value: Any) -> dict[str, Any]:
    arrays = {**TWO, name: value}
    return {key: array for key, array in arrays.items() if array is not None}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros(3)}, f"'format' is missing; needed: {FORMAT}"),
        (change("format", np.array(["fedfleet labels 0"])), "'format' is fedfleet labels 0"),
        (change("cell", None), "array 'cell' is missing"),
        (change("lengths", np.zeros((2, 3), np.int64)), r"'lengths' has shape \(2, 3\)"),
        (change("cost_s", np.zeros(1)), r"'cost_s' has shape \(1,\)"),
        (change("proven", np.zeros(3, np.bool_)), r"'proven' has shape \(3,\); needed: \(2,\)"),
        (change("order", np.zeros((2, 2), np.int8)), "'order' has shape"),
        (change("format", np.array([])), "'format' is ; needed"),
        (change("lengths", TWO["lengths"] * 1.0), "'lengths' is of float64; needed: int64"),
        (change("cost_s", TWO["cost_s"].astype(str)), "'cost_s' is of <U32; needed: float64"),
        (change("cost_s", TWO["cost_s"] * np.nan), "'cost_s' or 'bound_s' has a number that is"),
        (change("bound_s", TWO["bound_s"] * np.inf), "'cost_s' or 'bound_s' has a number that is"),
        (change("order", TWO["order"] + np.int8(1)), "'order' has a number other than 0 and 1"),
    ],
)
def test_foreign_arrays_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    path = tmp_path / "foreign.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=f"foreign.npz: is no shard of labels: .*{message}"):
        list(read_shards(path))


def test_orders_that_do_not_fit_the_pool_are_refused() -> None:
    arrays = pack([labelled(0), labelled(1)])
    lengths = arrays["lengths"].copy()
    costs = RAGGED.index("cost_s")
    lengths[:, costs] = lengths[::-1, costs]  # the sum stays as it is
    assert len(set(lengths[:, costs])) == 2
    with pytest.raises(InputError, match="'order' does not have one row of all conflicts per cost"):
        list(unpack({**arrays, "lengths": lengths}))
