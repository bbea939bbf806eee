# SPDX-License-Identifier: Apache-2.0
"""The execution of the schedules under sampled delays, as ``artefacts/execution.json`` has it."""

from dataclasses import dataclass

from cluster.report.fields import Fields


@dataclass(frozen=True)
class Executed:
    """One instance under one coordinator, over all delay samples."""

    coordinator: str
    instance: str
    robots: int
    travel_s_mean: float | None
    travel_s_p95: float | None
    wait_s_mean: float | None
    throughput_per_min: float | None
    collisions: float | None
    deadlocks: float | None
    by_clock_collisions_mean: float | None
    by_clock_collided_share: float | None


@dataclass(frozen=True)
class Execution:
    """All of them, with the delays that were sampled."""

    samples: int
    delay_model: str
    rows: list[Executed]


def read_execution(document: object, where: str) -> Execution:
    """Check and convert the document.

    Raises:
        InputError: a field is missing or of the wrong kind.
    """
    fields = Fields(document, where)
    rows = [Fields(row, f"{where}: row {i}") for i, row in enumerate(fields.items("rows"))]
    return Execution(fields.whole("samples"), fields.text("delay_model"), [_row(r) for r in rows])


def _row(fields: Fields) -> Executed:
    return Executed(
        coordinator=fields.text("coordinator"),
        instance=fields.text("instance"),
        robots=fields.whole("robots"),
        travel_s_mean=fields.number("travel_s_mean"),
        travel_s_p95=fields.number("travel_s_p95"),
        wait_s_mean=fields.number("wait_s_mean"),
        throughput_per_min=fields.number("throughput_per_min"),
        collisions=fields.number("collisions"),
        deadlocks=fields.number("deadlocks"),
        by_clock_collisions_mean=fields.number("by_clock_collisions_mean"),
        by_clock_collided_share=fields.number("by_clock_collided_share"),
    )
