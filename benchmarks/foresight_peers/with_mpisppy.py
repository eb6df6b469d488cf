"""mpi-sppy: its L-shaped method, and its extensive form. Pyomo, HiGHS, one process.

As it comes, the L-shaped method does not take HiGHS: it asks the solver for a name, which that of
Pyomo lacks, and looks up the sign of its duals in a table without it (issue 879 of mpi-sppy, open).
Both are added here. It needs mpi4py and an MPI library.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pyomo.environ as pyo
from mpisppy.opt.ef import ExtensiveForm
from mpisppy.opt.lshaped import LShapedMethod
from mpisppy.utils import lshaped_cuts, sputils
from pyomo.contrib.benders import benders_cuts

from foresight_peers.monthly import scenarios_of
from foresight_peers.of_scenarios import add_recourse, first_stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from foresight_peers.monthly import Months

SOLVER = "appsi_highs"
ROUNDS = 1000
UNIT, TOLERANCE = 1e3, 1e-6
"""Of costs in the L-shaped method [USD/year], and by how many of them a scenario's cost, times its
probability, may be above its cuts: relatively below 1e-9. Its default is 1e-8, of whatever unit."""


def creator(model: Months, unit: float) -> tuple[list[str], Callable[[str], pyo.ConcreteModel]]:
    """Return the names of the scenarios, and the function that makes the model of one."""
    scenarios = {f"scenario{s}": scenario for s, scenario in enumerate(scenarios_of(model))}

    def create(name: str) -> pyo.ConcreteModel:
        m = first_stage(model.data, unit)
        add_recourse(m, scenarios[name], unit)
        m.cost = pyo.Objective(expr=m.holding_cost + m.recourse_cost)
        sputils.attach_root_node(m, m.holding_cost, [m.hold])
        m._mpisppy_probability = scenarios[name].probability
        return m

    return list(scenarios), create


def solve(model: Months) -> tuple[float, float]:
    """Return the optimum by the L-shaped method, and the moment at which scenarios stood."""
    _introduce_highs()
    names, create = creator(model, UNIT)
    options = {
        "root_solver": SOLVER,
        "sp_solver": SOLVER,
        "valid_eta_lb": dict.fromkeys(names, 0.0),
        "max_iter": ROUNDS,
        "tol": TOLERANCE,
        "verbose": False,
        "toc": False,
    }
    method = LShapedMethod(options, names, create)
    built = time.perf_counter()
    method.lshaped_algorithm()
    return UNIT * float(pyo.value(method.root.obj)), built


def solve_extensive_form(model: Months) -> tuple[float, float]:
    """Return the optimum of the extensive form, and the moment at which it stood."""
    names, create = creator(model, 1.0)
    form = ExtensiveForm({"solver": SOLVER, "toc": False}, names, create)
    built = time.perf_counter()
    form.solve_extensive_form()
    return float(form.get_objective_value()), built


def _introduce_highs() -> None:
    """Tell the L-shaped method what it has to know of HiGHS."""
    type(pyo.SolverFactory(SOLVER)).name = SOLVER
    for of_module in (lshaped_cuts, benders_cuts):
        of_module.solver_dual_sign_convention[SOLVER] = -1
