"""Solve models with any solver that Pyomo reaches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyomo.environ as pyo
from pyomo.opt import TerminationCondition

from stockpile.errors import UsageError
from stockpile.model.plan_arrays import read_choice
from stockpile.model.plan_reference import plan_reference

if TYPE_CHECKING:
    from stockpile.model.plan_arrays import Choice
    from stockpile.model.selection import Selection

DEFAULT_SOLVER = "highs"
"""The solver that is installed with the package."""

_GAP_OPTIONS = {
    "highs": "mip_rel_gap",
    "appsi_highs": "mip_rel_gap",
    "gurobi": "MIPGap",
    "gurobi_direct": "MIPGap",
    "cplex": "mip_tolerances_mipgap",
    "cplex_direct": "mip_tolerances_mipgap",
    "xpress": "miprelstop",
    "xpress_direct": "miprelstop",
    "scip": "limits/gap",
    "scip_direct": "limits/gap",
    "cbc": "ratioGap",
    "glpk": "mipgap",
}
"""Mixed-integer solvers by Pyomo's names, and what each calls the relative gap."""

_STATUS = {
    TerminationCondition.optimal: "optimal",
    TerminationCondition.infeasible: "infeasible",
    TerminationCondition.infeasibleOrUnbounded: "infeasible",
    TerminationCondition.unbounded: "unbounded",
}


@dataclass(frozen=True, slots=True)
class ReferenceSolution:
    """What a solver says of a Pyomo model.

    Attributes
    ----------
    status
        ``optimal``, ``infeasible``, ``unbounded``, or ``stopped``.
    objective
        In the unit of the model's objective; infinite unless optimal.
    values
        Variables by name, such as ``z[3]``; empty unless optimal.
    """

    status: str
    objective: float = float("inf")
    values: dict[str, float] = field(default_factory=dict)


def choose_with(selection: Selection, solver: str, *, gap: float = 0.0) -> Choice | None:
    """Choose the cheapest columns that keep all limits, with a solver of that name.

    As :func:`~stockpile.model.plan_arrays.choose` does with HiGHS, but by the model in Pyomo.

    Raises
    ------
    UsageError
        If the solver is not there.
    """
    solution = solve_reference(plan_reference(selection), solver, gap=gap)
    if not solution.values:
        return None
    z = np.array([solution.values[f"z[{j}]"] for j in range(selection.block.size)])
    return read_choice(selection, z, solution.status)


def solve_reference(
    model: pyo.ConcreteModel, solver: str = DEFAULT_SOLVER, *, gap: float = 0.0
) -> ReferenceSolution:
    """Solve a Pyomo model.

    Parameters
    ----------
    solver
        Name that Pyomo has for the solver, such as ``highs``, ``gurobi`` or ``glpk``.
    gap
        Relative gap at which a mixed-integer program may stop. Solvers whose name for it is not
        known here stop at a gap of their own.

    Raises
    ------
    UsageError
        If the solver is not there.
    """
    require_solver(solver)
    options = {_GAP_OPTIONS[solver]: gap} if solver in _GAP_OPTIONS else {}
    results = pyo.SolverFactory(solver).solve(model, load_solutions=False, options=options)
    status = _STATUS.get(results.solver.termination_condition, "stopped")
    if status != "optimal":
        return ReferenceSolution(status)
    model.solutions.load_from(results)
    objective = next(model.component_data_objects(pyo.Objective, active=True))
    variables = model.component_data_objects(pyo.Var)
    # A variable that no row and no cost mentions has no value.
    values = {var.name: float(pyo.value(var)) for var in variables if var.value is not None}
    return ReferenceSolution(status, float(pyo.value(objective)), values)


def require_solver(solver: str) -> None:
    """Refuse a solver that Pyomo does not reach.

    Raises
    ------
    UsageError
        Naming those that it does.
    """
    if not _is_available(solver):
        available = ", ".join(name for name in _GAP_OPTIONS if _is_available(name))
        raise UsageError(
            f"the solver {solver} is not available\n"
            f"  Pyomo finds these here: {available or 'none'}.\n"
            "  A solver that is installed must also be found on the PATH or by its Python package."
        )


def _is_available(solver: str) -> bool:
    """Whether Pyomo knows the solver and finds it, licence included."""
    # Pyomo takes an unknown name for a program and complains in its log.
    if solver not in set(pyo.SolverFactory):
        return False
    return bool(pyo.SolverFactory(solver).available(exception_flag=False))
