"""When projects are there, and from when on a reserve could be run down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.problem import LEVEL_TOLERANCE
from stockpile.projects import FAST, FUNDED
from stockpile.quantiles import weighted_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet

EARLY, LATE = 0.1, 0.9
"""Parts of the scenarios in which a project has started by the first and the last month shown."""


@dataclass(frozen=True, slots=True)
class Start:
    """When a project starts; as it would if it is not funded.

    Attributes
    ----------
    name, funded, fast
        Which project, and its state.
    early, median, late
        Month with the first output that a tenth, half and nine tenths of the scenarios do not
        exceed.
    full
        Month from which output is in full, in the median scenario.
    """

    name: str
    funded: bool
    fast: bool
    early: int
    median: int
    late: int
    full: int


@dataclass(frozen=True, slots=True)
class Reserve:
    """The stock of one participant of what projects make for it.

    Attributes
    ----------
    participant, material
        Indices c and m.
    held
        [t].
    source, supplied
        The largest source, and what it normally supplies [t/month]; empty and 0 without any.
    output
        Of funded projects in full [t/month].
    run_down
        Month from which projects that run in full in the median scenario supply as much as the
        largest source; None if they never do.
    """

    participant: int
    material: int
    held: float
    source: str
    supplied: float
    output: float
    run_down: int | None


def starts(
    problem: Problem, scenarios: ScenarioSet, states: NDArray[np.int64]
) -> tuple[Start, ...]:
    """Return when each project starts.

    Parameters
    ----------
    states
        (N,) states of projects.
    """
    projects = problem.projects
    first = projects.first_period(scenarios.lead, np.maximum(states, FUNDED))
    found = []
    for n, name in enumerate(projects.names):
        early, median, late = (
            int(weighted_quantile(first[:, n], scenarios.probability, part))
            for part in (EARLY, 0.5, LATE)
        )
        full = median + math.ceil(float(projects.ramp[n])) - 1
        months = problem.period.month_of(np.array([early, median, late, full]))
        state = int(states[n])
        found.append(Start(name, state >= FUNDED, state == FAST, *months.tolist()))
    return tuple(found)


def reserves(
    problem: Problem, of_projects: tuple[Start, ...], lots: NDArray[np.int64]
) -> tuple[Reserve, ...]:
    """Return the reserves of what projects make, funded or not, for whom they make it.

    Parameters
    ----------
    lots
        (C, M) held.
    """
    supply = problem.projects.supply
    found = []
    for m, c in np.argwhere((supply > 0.0).any(axis=0).T).tolist():
        normal = problem.share[c, m] * problem.demand[c, m].sum()
        g = int(normal.argmax()) if normal.any() else -1
        supplied = float(normal[g]) if g >= 0 else 0.0
        output, run_down = 0.0, None
        for n in sorted(range(len(of_projects)), key=lambda n: of_projects[n].full):
            if not of_projects[n].funded or supply[n, c, m] <= 0.0:
                continue
            output += float(supply[n, c, m])
            enough = output >= supplied * (1.0 - LEVEL_TOLERANCE)
            if run_down is None and g >= 0 and enough:
                run_down = of_projects[n].full
        held = float(lots[c, m] * problem.lot[m])
        supplied, output = (amount * problem.period.per_month for amount in (supplied, output))
        source = problem.sources[g] if g >= 0 else ""
        found.append(Reserve(c, m, held, source, supplied, output, run_down))
    return tuple(found)
