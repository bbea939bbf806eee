# SPDX-License-Identifier: Apache-2.0
"""The command line: ``python -m cluster COMMAND``."""

from cluster.packages import strangers

if _found := strangers():
    raise SystemExit(
        "another installation shadows fedfleet: "
        + ", ".join(f"{name} is {where}" for name, where in _found.items())
        + "; run `python -m cluster` from the folder of fedfleet, in an environment without them"
    )

import io
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from typing import assert_never

import tyro

from cluster.audit_options import Audit
from cluster.comparison_options import Compare
from cluster.deployment.options import Deploy
from cluster.federation_options import Federate
from cluster.options import Coordinate, Doctor, Forecast, Label, Report, TrainCoordinator
from cluster.simulation_options import Simulate
from cluster.training_options import Train
from quantum.errors import CircuitError
from sim.errors import InputError

Options = (
    Coordinate
    | Simulate
    | Forecast
    | Compare
    | Federate
    | Audit
    | Deploy
    | Label
    | Train
    | TrainCoordinator
    | Report
    | Doctor
)
COMMANDS: dict[str, Callable[..., Options]] = {
    "coordinate": Coordinate,
    "simulate": Simulate,
    "forecast": Forecast,
    "compare": Compare,
    "federate": Federate,
    "audit": Audit,
    "deploy": Deploy,
    "label": Label,
    "train": Train,
    "train-coordinator": TrainCoordinator,
    "report": Report,
    "doctor": Doctor,
}

BAD_INPUT = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; bad input is one line on stderr and exit code 2."""
    try:
        return run(parse(sys.argv[1:] if arguments is None else arguments))
    except (InputError, CircuitError) as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted; the same command with the same --out resumes", file=sys.stderr)
        return INTERRUPTED


def parse(arguments: Sequence[str]) -> Options:
    """The options that the arguments mean.

    Raises:
        InputError: a value is not allowed.
        SystemExit: the arguments cannot be parsed, or ask for help.
    """
    shown = io.StringIO()
    try:
        with redirect_stderr(shown):
            options: Options = tyro.extras.subcommand_cli_from_dict(
                COMMANDS,
                args=list(arguments),
                prog="python -m cluster",
                description="Robot fleets that cross a warehouse without deadlock.",
                config=(tyro.conf.EnumChoicesFromValues,),
            )
            return options
    except SystemExit as stop:
        if error := _cause(stop):
            raise error from None
        sys.stderr.write(shown.getvalue())
        raise


def _cause(stop: BaseException) -> InputError | None:
    """Our own error behind tyro's exit: it would be drawn as a box of several lines."""
    behind: BaseException | None = stop
    while behind is not None and not isinstance(behind, InputError):
        behind = behind.__context__
    return behind


def run(options: Options) -> int:
    """Import the command only now, so that help and bad input need neither Ray nor solvers."""
    match options:
        case Coordinate():
            from cluster.commands.coordinate import coordinate

            return coordinate(options)
        case Simulate():
            from cluster.commands.simulate import simulate

            return simulate(options)
        case Forecast():
            from cluster.commands.forecast import forecast

            return forecast(options)
        case Compare():
            from cluster.commands.compare import compare

            return compare(options)
        case Federate():
            from cluster.commands.federate import federate

            return federate(options)
        case Audit():
            from cluster.commands.audit import audit

            return audit(options)
        case Deploy():
            from cluster.commands.deploy import deploy

            return deploy(options)
        case Label():
            from cluster.commands.label import label

            return label(options)
        case Train():
            from cluster.commands.train import train

            return train(options)
        case TrainCoordinator():
            from cluster.commands.train_coordinator import train_coordinator

            return train_coordinator(options)
        case Report():
            from cluster.commands.report import report

            return report(options)
        case Doctor():
            from cluster.commands.doctor import doctor

            return doctor(options)
        case _:
            assert_never(options)


if __name__ == "__main__":
    sys.exit(main())
