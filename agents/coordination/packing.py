# SPDX-License-Identifier: Apache-2.0
"""Solved instances in shards: ``.npz`` files that hold many of them, one after another.

A shard has one array per field of the graph, all instances end to end, and the matrix ``lengths``
that says where each ends; likewise for the pools. So reading a shard opens some thirty arrays,
however many instances are in it, and two shards are joined by joining their arrays.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.graph import Bools, CoordinationGraph, Int8s, Int32s

FORMAT = "fedfleet labels 1"
SCALARS = {"headway_ms": np.int64, "merged": np.bool_}
RAGGED = (*(f.name for f in fields(CoordinationGraph) if f.name not in SCALARS),
          "order", "following", "cost_s")  # fmt: skip
FLAT = {**SCALARS, "name": np.str_, "floor": np.str_, "bound_s": np.float64, "proven": np.bool_}

Arrays = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LabelledInstance:
    """A coordination graph and P good assignments, the cheapest first.

    Args:
        name: unique within a run.
        floor: name of the layout.
        graph: with C conflicts, at least one.
        order: ``[P, C]`` as in :class:`sim.schedule.Assignment`; all rows differ.
        following: ``[P, C]``.
        cost_s: ``[P]`` ascending.
        bound_s: proven lower bound of the cost.
        proven: whether no assignment is cheaper than the first.
    """

    name: str
    floor: str
    graph: CoordinationGraph
    order: Int8s
    following: Bools
    cost_s: Floats
    bound_s: float
    proven: bool

    @property
    def gap(self) -> float:
        """``(cost - bound) / cost`` of the best, 0 where it is proven."""
        return 0.0 if self.proven else 1.0 - self.bound_s / float(self.cost_s[0])


def pack(instances: Sequence[LabelledInstance]) -> dict[str, NDArray[Any]]:
    """The arrays of a shard of at least one instance."""
    columns = {name: [_value(one, name).ravel() for one in instances] for name in RAGGED}
    lengths = np.array([[len(part) for part in parts] for parts in columns.values()], np.int64).T
    flat: dict[str, NDArray[Any]] = {
        name: np.array([_value(one, name).item() for one in instances], dtype)
        for name, dtype in FLAT.items()
    }
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    return {"format": np.array([FORMAT]), "lengths": lengths, **flat, **joined}


def join(shards: Iterable[Arrays]) -> dict[str, NDArray[Any]]:
    """One shard out of several, in their order; at least one."""
    given = list(shards)
    joined = {name: np.concatenate([shard[name] for shard in given]) for name in given[0]}
    return {**joined, "format": given[0]["format"]}


def unpack(arrays: Arrays) -> Iterator[LabelledInstance]:
    """The instances of a shard, as views into its arrays.

    Raises:
        InputError: the arrays are not those of a shard.
    """
    _require_shard(arrays)
    ends = arrays["lengths"].cumsum(axis=0)
    for number in range(len(ends)):
        starts = ends[number - 1] if number else np.zeros_like(ends[0])
        pairs = zip(RAGGED, starts, ends[number], strict=True)
        own = {name: arrays[name][start:end] for name, start, end in pairs}
        own |= {name: arrays[name][number].item() for name in FLAT}
        yield _instance(own)


def _instance(values: dict[str, Any]) -> LabelledInstance:
    graph = CoordinationGraph(**{f.name: values[f.name] for f in fields(CoordinationGraph)})
    shape = (len(values["cost_s"]), graph.num_conflicts)
    rows = {name: values[name].reshape(shape) for name in ("order", "following")}
    rest = {name: values[name] for name in ("name", "floor", "cost_s", "bound_s", "proven")}
    return LabelledInstance(graph=graph, **rows, **rest)


_NUMBERS = {Int32s: np.int32, Int8s: np.int8, Bools: np.bool_, Floats: np.float64}
_HINTS = {**get_type_hints(CoordinationGraph), **get_type_hints(LabelledInstance)}
_DTYPES = {"lengths": np.int64, **FLAT, **{name: _NUMBERS[_HINTS[name]] for name in RAGGED}}


def _require_shard(arrays: Arrays) -> None:
    found = ", ".join(map(str, arrays["format"].flat)) if "format" in arrays else "missing"
    if found != FORMAT:
        raise InputError(f"'format' is {found}; needed: {FORMAT}")
    for name, needed in _DTYPES.items():
        if name not in arrays:
            raise InputError(f"array {name!r} is missing")
        if not np.issubdtype(arrays[name].dtype, needed):
            raise InputError(f"{name!r} is of {arrays[name].dtype}; needed: {needed.__name__}")
    lengths = arrays["lengths"]
    if lengths.ndim != 2 or lengths.shape[1] != len(RAGGED):
        raise InputError(f"'lengths' has shape {lengths.shape}; needed: (instances, {len(RAGGED)})")
    counts = {**dict.fromkeys(FLAT, len(lengths)), **dict(zip(RAGGED, lengths.sum(0), strict=True))}
    for name, count in counts.items():
        if arrays[name].shape != (count,):
            raise InputError(f"{name!r} has shape {arrays[name].shape}; needed: ({count},)")
    pools, conflicts, orders = (
        lengths[:, RAGGED.index(name)] for name in ("cost_s", "conflict_u", "order")
    )
    if (pools < 1).any() or (pools * conflicts != orders).any():
        raise InputError("'order' does not have one row of all conflicts per cost")
    if not np.isfinite(arrays["cost_s"]).all() or not np.isfinite(arrays["bound_s"]).all():
        raise InputError("'cost_s' or 'bound_s' has a number that is not finite")
    if not np.isin(arrays["order"], (0, 1)).all():
        raise InputError("'order' has a number other than 0 and 1")


def _value(instance: LabelledInstance, name: str) -> NDArray[Any]:
    owner = instance if name in LabelledInstance.__dataclass_fields__ else instance.graph
    return np.asarray(getattr(owner, name))
