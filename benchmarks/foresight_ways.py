"""One way to solve the foresight model of an instance, in a process of its own.

    python benchmarks/foresight_ways.py INSTANCE SCENARIOS WAY

Prints JSON: seconds to build and to solve, those of the processor (``cpu``, both together), the
optimum [USD/year], variables, and peak memory.
Every way gets the same needs, limits and promises, and uses one thread. Refill is left out: then
months may be summed up without changing the optimum, and the models that keep the months have the
same optimum as those that do not.

==========  ========================================================================================
cuts        ours: cuts from the closed form of the recourse
sums        the extensive form with one release for each step and scenario, HiGHS on arrays
months      the extensive form month by month, HiGHS on arrays
dense       the same with all months, needed or not, and stocks month by month; one model for all
pyomo       the same as ``months`` in Pyomo, solved by HiGHS
linopy      the same as ``months`` in linopy, solved by HiGHS
stochlift   the same, put together by stochlift from models of single scenarios, solved by HiGHS
mpisppy-ef  the same, put together by mpi-sppy from models of single scenarios, solved by HiGHS
mpisppy     the L-shaped method of mpi-sppy, month by month, HiGHS
benderslib  the L-shaped method of benderslib, month by month, SCIP
==========  ========================================================================================

All but ``dense`` solve material by material, and leave out months without any need and steps whose
gate is shut.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING

from foresight_peers.arrays import calendar_of, solve_calendars
from foresight_peers.monthly import months_of

import stockpile as sp
from stockpile.blocks import build_blocks
from stockpile.foresight_bound import block_model
from stockpile.foresight_recourse import Recourse
from stockpile.foresight_search import minimise
from stockpile.model.foresight_arrays import extensive_form
from stockpile.model.linear import solve_linear
from stockpile.needs import block_needs
from stockpile.parallel import Workers
from stockpile.problem import build_problem
from stockpile.scenarios import scenario_set, stress_cases
from stockpile.simulate import Course

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from stockpile.model.foresight_data import ForesightData

MONTHLY = {
    "months": ("arrays", "solve"),
    "pyomo": ("with_pyomo", "solve"),
    "linopy": ("with_linopy", "solve"),
    "stochlift": ("with_stochlift", "solve"),
    "mpisppy-ef": ("with_mpisppy", "solve_extensive_form"),
    "mpisppy": ("with_mpisppy", "solve"),
    "benderslib": ("with_benderslib", "solve"),
}
"""Module of ``foresight_peers``, and its function, of the ways that go month by month."""
WAYS = ("cuts", "sums", "dense", *MONTHLY)


@dataclass(frozen=True)
class Material:
    """One material: its model, and what happens month by month in which scenarios."""

    data: ForesightData
    course: Course
    probability: NDArray[np.float64]
    horizon: int


@dataclass(frozen=True)
class Moment:
    """Seconds on the clock, and seconds of the processor that this process has had."""

    clock: float
    cpu: float


def now() -> Moment:
    """Return the moment."""
    return Moment(time.perf_counter(), time.process_time())


@dataclass(frozen=True)
class Measured:
    """Seconds, the optimum [USD/year], and how many variables there were."""

    build: float = 0.0
    solve: float = 0.0
    cpu: float = 0.0
    optimum: float = 0.0
    variables: int = 0

    def and_then(self, began: Moment, built: float, optimum: float, variables: int) -> Measured:
        """Return the sum with a model that has just been solved."""
        ended = now()
        return Measured(
            self.build + built - began.clock,
            self.solve + ended.clock - built,
            self.cpu + ended.cpu - began.cpu,
            self.optimum + optimum,
            self.variables + variables,
        )


def materials_of(instance: sp.Instance, scenarios: int, workers: Workers) -> Iterator[Material]:
    """Yield the materials of an instance, without refill."""
    still = tuple(replace(row, refill_per_month=0.0) for row in instance.participants)
    instance = replace(instance, participants=still)
    problem = build_problem(instance)
    drawn, stress = scenario_set(instance, problem, scenarios), stress_cases(instance, problem)
    sharing = instance.solve_settings.cooperation != "none"
    for block in build_blocks(problem):
        steps = block.steps if sharing else block.own_steps
        needs = block_needs(problem, block, drawn, workers)
        yield Material(
            block_model(problem, block, drawn, stress, workers, sharing=sharing),
            Course.of(needs, steps, problem.menu.breakpoints, workers),
            drawn.probability,
            problem.horizon,
        )


def by_cuts(materials: Iterator[Material], workers: Workers) -> Measured:
    """Solve by our own search."""
    measured = Measured()
    for material in materials:
        if not measured.variables:
            minimise(Recourse(material.data, workers))  # Compiles.
        began = now()
        bound = minimise(Recourse(material.data, workers)).bound
        measured = measured.and_then(began, began.clock, bound, material.data.lower.size)
    return measured


def by_sums(materials: Iterator[Material]) -> Measured:
    """Solve the extensive form with the months summed up."""
    measured = Measured()
    for material in materials:
        began = now()
        linear = extensive_form(material.data)
        built = time.perf_counter()
        optimum = solve_linear(linear).objective
        measured = measured.and_then(began, built, optimum, linear.cost.size)
    return measured


def by_months(materials: Iterator[Material], way: str) -> Measured:
    """Solve month by month."""
    module, name = MONTHLY[way]
    solve = getattr(import_module(f"foresight_peers.{module}"), name)
    measured = Measured()
    for material in materials:
        began = now()
        model = months_of(material.data, material.course)
        optimum, built = solve(model)
        measured = measured.and_then(began, built, optimum, model.variables)
    return measured


def densely(materials: Iterator[Material]) -> Measured:
    """Solve one model with everything in it."""
    everything = list(materials)
    began = now()
    calendars = [calendar_of(m.data, m.course, m.probability, m.horizon) for m in everything]
    optimum, variables, built = solve_calendars(calendars)
    return Measured().and_then(began, built, optimum, variables)


def main() -> None:
    """Solve, and print what was measured."""
    folder, scenarios, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with Workers(1) as workers, open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        materials = materials_of(sp.load(folder), scenarios, workers)
        if way == "cuts":
            measured = by_cuts(materials, workers)
        elif way == "sums":
            measured = by_sums(materials)
        elif way == "dense":
            measured = densely(materials)
        else:
            measured = by_months(materials, way)
    unit = 1024 if sys.platform != "darwin" else 1024**2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(json.dumps({**asdict(measured), "peak_mib": peak}))


if __name__ == "__main__":
    main()
