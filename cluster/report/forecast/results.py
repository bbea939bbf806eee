# SPDX-License-Identifier: Apache-2.0
"""What a report of ``forecast`` needs of a run folder, read and checked."""

from dataclasses import dataclass
from pathlib import Path

from cluster.report.fields import Fields
from cluster.report.manifest import Manifest, Missing, optional, read_manifest, read_results
from sim.errors import InputError


@dataclass(frozen=True)
class Training:
    """One row of ``results.json``: a model trained once, or a predictor without training."""

    task: str
    model: str
    seed: int | None
    parameters: int | None
    status: str
    train_mse: float | None
    test_mse: float | None
    best_test_mse: float | None
    circuits: int | None
    seconds: float | None

    @property
    def is_trivial(self) -> bool:
        """Whether there was nothing to train."""
        return self.seed is None


@dataclass(frozen=True)
class Curve:
    """The test loss of one training after every epoch that it finished."""

    task: str
    model: str
    test_mse: list[float]


@dataclass(frozen=True)
class Forecasts:
    """What one model said for the windows of a task."""

    model: str
    seed: int | None
    test_mse: float | None
    values: list[float]


@dataclass(frozen=True)
class Picture:
    """A task and what the models made of it; windows from ``train`` on are the test part."""

    task: str
    train: int
    truth: list[float]
    rows: list[Forecasts]


@dataclass(frozen=True)
class ForecastRun:
    """A run folder in memory."""

    name: str
    manifest: Manifest
    trainings: list[Training]
    curves: list[Curve] | Missing
    pictures: list[Picture] | Missing


def read_forecast(folder: Path) -> ForecastRun:
    """Read a run folder.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    return ForecastRun(
        name=folder.resolve().name,
        manifest=read_manifest(folder),
        trainings=[_training(fields) for fields in read_results(folder)],
        curves=optional(folder, "curves.json", _curves),
        pictures=optional(folder, "predictions.json", _pictures),
    )


def _training(fields: Fields) -> Training:
    def whole(name: str) -> int | None:
        return None if fields.values.get(name) is None else fields.whole(name)

    return Training(
        task=fields.text("task"),
        model=fields.text("model"),
        seed=whole("seed"),
        parameters=whole("parameters"),
        status=fields.text("status"),
        train_mse=fields.number("train_mse"),
        test_mse=fields.number("test_mse"),
        best_test_mse=fields.number("best_test_mse"),
        circuits=whole("circuits"),
        seconds=fields.number("seconds"),
    )


def _curves(document: object, where: str) -> list[Curve]:
    rows = Fields(document, where).items("rows")
    inner = [Fields(row, f"{where}: row {i}") for i, row in enumerate(rows)]
    return [Curve(f.text("task"), f.text("model"), _numbers(f, "test_mse")) for f in inner]


def _pictures(document: object, where: str) -> list[Picture]:
    tasks = Fields(document, where).items("tasks")
    return [_picture(Fields(task, f"{where}: task {i}")) for i, task in enumerate(tasks)]


def _picture(fields: Fields) -> Picture:
    truth = _numbers(fields, "truth")
    inner = [Fields(r, f"{fields.where}: row {i}") for i, r in enumerate(fields.items("rows"))]
    rows = [_forecasts(row, len(truth)) for row in inner]
    return Picture(fields.text("task"), fields.whole("train"), truth, rows)


def _forecasts(fields: Fields, count: int) -> Forecasts:
    values = _numbers(fields, "values")
    if len(values) != count:
        raise InputError(f"{fields.where}: 'values' must be as many as 'truth', {count}")
    seed = None if fields.values.get("seed") is None else fields.whole("seed")
    return Forecasts(fields.text("model"), seed, fields.number("test_mse"), values)


def _numbers(fields: Fields, name: str) -> list[float]:
    numbers = []
    for value in fields.items(name):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{fields.where}: {name!r} must be numbers, found {value!r:.40}")
        numbers.append(float(value))
    return numbers
