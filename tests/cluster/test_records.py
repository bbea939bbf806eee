# SPDX-License-Identifier: Apache-2.0
import pytest

from cluster.records import describe, execution_document, final_records
from cluster.testing import draw
from cluster.trials import Record, Trial
from sim.delays import DelayOptions, LorrDelayOptions


def trial(instance: str, coordinator: str) -> Trial:
    arguments = {"instance": instance, "robots": 5, "coordinator": coordinator}
    return Trial(f"{instance}/{coordinator}", draw, arguments)


def record(of: Trial, cost: float | None, bound: float) -> Record:
    status = {"seconds": 0.1, "certified": True, "status": "feasible"}
    return {**of.arguments, "cost": cost, "bound": bound, **status}


FCFS, MILP, OTHER = trial("i0", "fcfs"), trial("i0", "milp"), trial("i1", "fcfs")


def test_coordinators_are_compared_within_their_instance() -> None:
    done = {
        MILP.key: record(MILP, 8.0, 7.0),
        FCFS.key: record(FCFS, 10.0, 5.0),
        OTHER.key: record(OTHER, 3.0, 3.0),
    }
    rows = final_records([FCFS, MILP, OTHER], done)
    assert [row["coordinator"] for row in rows] == ["fcfs", "milp", "fcfs"]
    assert [row["best_known"] for row in rows] == [8.0, 8.0, 3.0]
    assert [row["ratio"] for row in rows] == [0.8, 1.0, 1.0]
    assert [row["bound"] for row in rows] == [7.0, 7.0, 3.0]
    assert [row["gap"] for row in rows] == [0.3, 0.125, 0.0]


def test_a_failed_trial_has_a_row_and_spoils_no_other() -> None:
    failed, solved = final_records([FCFS, MILP], {MILP.key: record(MILP, 8.0, 7.0)})
    assert (failed["status"], failed["cost"], failed["certified"]) == ("failed", None, False)
    assert (failed["best_known"], failed["ratio"], failed["gap"]) == (8.0, None, None)
    assert solved["ratio"] == 1.0


@pytest.mark.parametrize(("cost", "ratio", "gap"), [(0.0, 1.0, 0.0), (2.0, 0.0, 1.0)])
def test_a_fleet_without_any_delay_costs_nothing(cost: float, ratio: float, gap: float) -> None:
    done = {FCFS.key: record(FCFS, cost, 0.0), MILP.key: record(MILP, 0.0, 0.0)}
    row = final_records([FCFS, MILP], done)[0]
    assert (row["ratio"], row["gap"]) == (ratio, gap)


def test_executions_are_listed_by_schedule() -> None:
    done = {FCFS.key: {**record(FCFS, 8.0, 7.0), "execution": {"collisions": 0}}}
    document = execution_document([FCFS, MILP], done, DelayOptions(), 9)
    head = {"coordinator": "fcfs", "instance": "i0", "robots": 5}
    assert document["rows"] == [{**head, "collisions": 0}]
    assert document["samples"] == 9


def test_delay_models_are_told_in_words() -> None:
    assert "within 20%" in describe(DelayOptions())
    assert "bernoulli delays with p = 0.1" in describe(LorrDelayOptions(p_delay=0.1))
