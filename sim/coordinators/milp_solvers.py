# SPDX-License-Identifier: Apache-2.0
"""Running a PuLP program on HiGHS (``highspy``) or CBC, and reading the bound they proved.

PuLP calls a run that hit its limit "Optimal" and reports no bound, so both are read from the
solver itself. Both run on one thread with a fixed seed: under a node limit they are deterministic.
"""

import re
import tempfile
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import pulp

from sim.coordinators.interface import Clock

SolverName = Literal["auto", "highs", "cbc"]

ABSOLUTE_GAP_S = 5e-4
"""Costs are whole milliseconds, so nothing lies closer below an incumbent."""

RESERVE_S, RESERVE_S_PER_ROW = 0.1, 2e-5
"""Kept back: HiGHS looks at its clock between rounds of cuts, and the solution must be read."""

_CBC_BOUND = re.compile(r"^Lower bound:\s+(\S+)", re.MULTILINE)
_CBC_NODES = re.compile(r"^Enumerated nodes:\s+(\d+)", re.MULTILINE)


def available_solvers() -> tuple[str, ...]:
    """Names of the solvers that can run here, best first."""
    here = {"highs": find_spec("highspy") is not None, "cbc": _cbc_command().available()}
    return tuple(name for name, found in here.items() if found)


def _cbc_command(**options: Any) -> Any:
    """PuLP's door to CBC: its bundled program where it has one, else ``cbc`` on the path."""
    bundled = getattr(getattr(pulp, "PULP_CBC_CMD", None), "pulp_cbc_path", None)
    return pulp.COIN_CMD(path=bundled, msg=False, **options)


def solve(problem: Any, solver: SolverName, clock: Clock) -> tuple[float, int]:
    """Solve from the variables' start values; the values found are left in the variables.

    Args:
        problem: a program to be minimised, every variable with a start value.
        clock: its seconds are wall time, copying the program included; its steps are nodes.

    Returns:
        The proven lower bound of the objective (minus infinity for none), and nodes searched.
    """
    name = (available_solvers() or ("none",))[0] if solver == "auto" else solver
    if name == "highs":
        return _solve_highs(problem, clock)
    if name == "cbc":
        return _solve_cbc(problem, clock)
    return float("-inf"), 0


def _solve_highs(problem: Any, clock: Clock) -> tuple[float, int]:
    import highspy

    highs = _loaded_highs(problem, clock)
    latest = _Latest(float("-inf"), 0, [])
    if _run(highs, clock, latest):
        info = highs.getInfo()
        latest.bound, latest.nodes = float(info.mip_dual_bound), max(info.mip_node_count, 0)
        if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
            latest.values = list(highs.getSolution().col_value)
        if highs.getModelStatus() == highspy.HighsModelStatus.kOptimal:
            # Also serves programs without binaries, for which HiGHS keeps no dual bound.
            latest.bound = float(info.objective_function_value) - ABSOLUTE_GAP_S
    for variable, value in zip(problem.variables(), latest.values, strict=False):
        variable.varValue = value
    return latest.bound, latest.nodes


def _loaded_highs(problem: Any, clock: Clock) -> Any:
    """HiGHS with the program, its limits and the start values of its variables."""
    import highspy

    solver = pulp.HiGHS(msg=False, threads=1, gapAbs=ABSOLUTE_GAP_S, gapRel=0.0)
    solver.createAndConfigureSolver(problem)
    solver.buildSolverModel(problem)
    highs = problem.solverModel
    highs.setOptionValue("parallel", "off")
    highs.setOptionValue("random_seed", 0)
    if clock.budget.steps is None:
        reserve_s = RESERVE_S + RESERVE_S_PER_ROW * problem.numConstraints()
        highs.setOptionValue("time_limit", max(clock.remaining_s - reserve_s, 0.0))
    else:
        highs.setOptionValue("mip_max_nodes", clock.budget.steps)
    start = highspy.HighsSolution()
    start.col_value = [variable.varValue for variable in problem.variables()]
    highs.setSolution(start)
    return highs


@dataclass
class _Latest:
    """What HiGHS has told so far; ``values`` is empty until it has improved the start."""

    bound: float
    nodes: int
    values: list[float]


def _run(highs: Any, clock: Clock, latest: _Latest) -> bool:
    """Whether HiGHS ended in time; if not, ``latest`` holds what it had told.

    HiGHS looks at its clock between rounds of cuts, which take seconds in large programs. It runs
    in a thread that is left behind at the deadline and ends when it looks next.
    """
    if clock.budget.steps is not None:
        highs.run()
        return True

    def note(event: Any) -> None:
        latest.bound = max(latest.bound, float(event.data_out.mip_dual_bound))
        latest.nodes = max(int(event.data_out.mip_node_count), 0)
        latest.values = list(event.data_out.mip_solution) or latest.values

    highs.cbMipInterrupt.subscribe(note)  # fired often, and unlike logging when HiGHS is quiet
    highs.cbMipImprovingSolution.subscribe(note)
    worker = threading.Thread(target=highs.run, name="highs")
    worker.start()
    worker.join(max(clock.remaining_s, 0.0))
    return not worker.is_alive()


def _solve_cbc(problem: Any, clock: Clock) -> tuple[float, int]:
    steps = clock.budget.steps
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "cbc.log"
        solver = _cbc_command(
            threads=1,
            timeLimit=0.9 * clock.remaining_s if steps is None else None,  # it looks seldom
            maxNodes=steps,
            gapAbs=ABSOLUTE_GAP_S,
            gapRel=0.0,
            warmStart=True,
            logPath=str(log),
            options=["randomSeed 1", "randomCbcSeed 1"],
        )
        solver.tmpDir = folder
        problem.solve(solver)
        text = log.read_text(errors="replace")
    nodes = int((_CBC_NODES.findall(text) or ["0"])[-1])
    if problem.sol_status == pulp.LpSolutionOptimal:
        return float(problem.objective.value()) - ABSOLUTE_GAP_S, nodes
    return float((_CBC_BOUND.findall(text) or ["-inf"])[-1]), nodes
