# SPDX-License-Identifier: Apache-2.0
"""Large-neighbourhood search on schedules: take a few robots out, put them back in another order.

One step removes a handful of robots that hinder each other, inserts them again one by one into
the earliest gaps (so whoever goes first now wins the conflicts it lost before), then pushes every
event as early as the new orders allow. Worse schedules are accepted with the probability of
simulated annealing, so that the search leaves local optima.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.graph import Bools, GraphArrays, Int32s
from sim.jit import kernel
from sim.kernels.insertion import Scratch, insert_robot, make_scratch
from sim.kernels.longest_path import NONE, longest_path

MEAN, MAKESPAN = 0, 1


class Search(NamedTuple):
    """State of a search; all arrays are written in place.

    ``time`` current schedule, ``best`` cheapest so far; ``visitor`` the visits of every cell in
    order of time, ``num_visits`` of them; ``waits_for`` exit event of the visitor before;
    ``cost`` is (current, best).
    """

    time: Int32s
    best: Int32s
    trial: Int32s
    visitor: Int32s
    num_visits: Int32s
    waits_for: Int32s
    sequence: Int32s
    placed: Bools
    removed: Int32s
    weight: NDArray[np.float64]
    cost: NDArray[np.float64]
    scratch: Scratch


@kernel
def schedule_cost(g: GraphArrays, time: Int32s, objective: int) -> float:
    """Mean finish, or makespan with a trace of the mean to lead over plateaus; milliseconds."""
    n = len(g.offsets) - 1
    total = 0.0
    latest = 0
    for i in range(n):
        finish = time[g.offsets[i + 1] - 1]
        total += finish
        latest = max(latest, finish)
    return total / n if objective == MEAN else latest + 1e-3 * total / n


@kernel
def start_search(g: GraphArrays, time: Int32s, objective: int) -> Search:
    """A search from a feasible schedule."""
    n = len(g.offsets) - 1
    s = Search(
        time.copy(),
        time.copy(),
        time.copy(),
        g.visits.copy(),
        (g.visit_ptr[1:] - g.visit_ptr[:-1]).astype(np.int32),
        np.full(len(time), NONE, np.int32),
        np.empty_like(time),
        np.ones(n, np.bool_),
        np.empty(n, np.int32),
        np.empty(n),
        np.empty(2),
        make_scratch(g),
    )
    _sort_all(g, s)
    _compact(g, s, s.time)
    s.best[:] = s.time
    s.cost[:] = schedule_cost(g, s.time, objective)
    return s


@kernel
def _sort_cell(visitor: Int32s, waits_for: Int32s, time: Int32s) -> None:
    """Order the visitors of one cell by time; insertion sort, as little changes between steps."""
    for a in range(1, len(visitor)):
        e = visitor[a]
        place = a
        while place > 0 and time[visitor[place - 1]] > time[e]:
            visitor[place] = visitor[place - 1]
            place -= 1
        visitor[place] = e
    waits_for[visitor[0]] = NONE
    for a in range(1, len(visitor)):
        waits_for[visitor[a]] = visitor[a - 1] + 1


@kernel
def _sort_route(g: GraphArrays, s: Search, i: int, time: Int32s) -> None:
    for e in range(g.offsets[i], g.offsets[i + 1] - 1):
        k = g.resource[e]
        _sort_cell(s.visitor[g.visit_ptr[k] : g.visit_ptr[k + 1]], s.waits_for, time)


@kernel
def _sort_all(g: GraphArrays, s: Search) -> None:
    for k in range(len(g.visit_ptr) - 1):
        _sort_cell(s.visitor[g.visit_ptr[k] : g.visit_ptr[k + 1]], s.waits_for, s.time)


@kernel
def _compact(g: GraphArrays, s: Search, time: Int32s) -> None:
    """Every event as early as the order on the cells allows; not where that overfills a region."""
    none = s.removed[:0]
    before = time.copy() if len(g.region_bound) else time[:0]
    longest_path(g, g.duration_ms, s.waits_for, none, none, time, s.sequence)
    if not _density_kept(g, time):
        time[:] = before


@kernel
def _density_kept(g: GraphArrays, time: Int32s) -> bool:
    """Whether no region ever holds more robots than its bound, headway included."""
    for q in range(len(g.region_bound)):
        enter = np.sort(time[g.region_enter[g.region_ptr[q] : g.region_ptr[q + 1]]])
        leave = np.sort(time[g.region_exit[g.region_ptr[q] : g.region_ptr[q + 1]]])
        bound = g.region_bound[q]
        for a in range(bound, len(enter)):
            if leave[a - bound] + g.headway_ms > enter[a]:
                return False
    return True


@kernel
def restore_best(g: GraphArrays, s: Search) -> None:
    """Go back to the cheapest schedule so far."""
    s.time[:] = s.best
    s.cost[0] = s.cost[1]
    _sort_all(g, s)


@kernel
def _pick_late_robot(g: GraphArrays, s: Search, rng: np.random.Generator) -> int:
    """A robot at random, in proportion to its delay."""
    n = len(g.offsets) - 1
    total = 0.0
    for i in range(n):
        total += s.time[g.offsets[i + 1] - 1] - g.free_ms[i] + 1
        s.weight[i] = total
    late = int(np.searchsorted(s.weight, rng.random() * total, side="right"))
    return min(n - 1, late)


@kernel
def _blocker_of(g: GraphArrays, s: Search, i: int, rng: np.random.Generator) -> int:
    """A robot that ``i`` waited for, or one before or behind it on a cell, or anybody."""
    first, last = g.offsets[i], g.offsets[i + 1] - 1
    waits = 0
    chosen = NONE
    for e in range(first, last):
        ready = g.release_ms[i] if e == first else s.time[e - 1] + g.duration_ms[e - 1]
        if s.time[e] > ready and s.waits_for[e] >= 0:
            waits += 1
            if rng.random() * waits < 1.0:
                chosen = g.robot[s.waits_for[e]]
    if chosen >= 0 and rng.random() < 0.7:
        return int(chosen)
    e = first + int(rng.random() * (last - first))
    k = g.resource[e]
    size = g.visit_ptr[k + 1] - g.visit_ptr[k]
    return int(g.robot[s.visitor[g.visit_ptr[k] + int(rng.random() * size)]])


@kernel
def _choose_removed(g: GraphArrays, s: Search, most: int, rng: np.random.Generator) -> int:
    """Fill ``removed`` with robots that hinder each other; a late one comes first."""
    n = len(g.offsets) - 1
    wanted = min(n, 2 + int(rng.random() * (most - 1)))
    s.removed[0] = _pick_late_robot(g, s, rng)
    s.placed[s.removed[0]] = False
    count = 1
    for _ in range(3 * wanted):
        if count == wanted:
            break
        source = s.removed[int(rng.random() * count)]
        i = _blocker_of(g, s, source, rng) if rng.random() < 0.9 else int(rng.random() * n)
        if s.placed[i]:
            s.placed[i] = False
            s.removed[count] = i
            count += 1
    for a in range(count - 1, 1, -1):
        b = 1 + int(rng.random() * a)
        s.removed[a], s.removed[b] = s.removed[b], s.removed[a]
    if rng.random() < 0.3:
        b = int(rng.random() * count)
        s.removed[0], s.removed[b] = s.removed[b], s.removed[0]
    return count


@kernel
def _reinsert(g: GraphArrays, s: Search, count: int, objective: int, most_ms: float) -> bool:
    """Insert the removed robots in turn into ``trial``; False where a robot finds no way, or as
    soon as the cost exceeds ``most_ms`` even if those still outside were never held up."""
    n = len(g.offsets) - 1
    total = 0.0
    for i in range(n):
        total += s.time[g.offsets[i + 1] - 1] if s.placed[i] else g.free_ms[i]
    for a in range(count):
        i = s.removed[a]
        if not insert_robot(g, i, s.visitor, s.num_visits, s.placed, s.trial, s.scratch):
            return False
        s.placed[i] = True
        finish = s.trial[g.offsets[i + 1] - 1]
        total += finish - g.free_ms[i]
        if (total / n if objective == MEAN else finish) > most_ms:
            return False
    return True


@kernel
def _undo(g: GraphArrays, s: Search, count: int) -> None:
    """Put the removed robots back where they were, in ``trial`` as well."""
    for a in range(count):
        i = s.removed[a]
        s.placed[i] = True
        s.trial[g.offsets[i] : g.offsets[i + 1]] = s.time[g.offsets[i] : g.offsets[i + 1]]


@kernel
def search_steps(
    g: GraphArrays,
    s: Search,
    steps: int,
    objective: int,
    most: int,
    temperature: float,
    hope: float,
    rng: np.random.Generator,
) -> None:
    """Run ``steps`` steps.

    Args:
        temperature: in milliseconds of cost.
        hope: mean of what pushing events earlier is hoped to bring, in milliseconds of cost. Nine
            in ten insertions are too dear for any such help and end here, which makes a step
            three times as fast. The hope is drawn anew for each step, so that none is excluded.
    """
    s.trial[:] = s.time
    for _ in range(steps):
        count = _choose_removed(g, s, most, rng)
        accepted = s.cost[0] - temperature * np.log(1.0 - rng.random() + 1e-300)
        hoped = -hope * np.log(1.0 - rng.random() + 1e-300)
        if not _reinsert(g, s, count, objective, accepted + hoped):
            _undo(g, s, count)
            continue
        for a in range(count):
            _sort_route(g, s, s.removed[a], s.trial)
        _compact(g, s, s.trial)
        cost = schedule_cost(g, s.trial, objective)
        if cost < accepted:
            s.time[:] = s.trial
            s.cost[0] = cost
            if cost < s.cost[1]:
                s.cost[1] = cost
                s.best[:] = s.trial
        else:
            s.trial[:] = s.time
            for a in range(count):
                _sort_route(g, s, s.removed[a], s.time)
