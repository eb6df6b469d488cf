"""What may be funded in one world: states of projects, their costs, budgets and caps.

Equations (9), (11), (14) and (17): the part of the couplings that is about projects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.concentration import Cap, build_caps
from stockpile.project_costs import capital_cost, capital_outlay, support_cost
from stockpile.projects import NOT_FUNDED, STATES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.instance import Instance
    from stockpile.problem import Cooperation, Problem
    from stockpile.scenarios import ScenarioSet


@dataclass(frozen=True, slots=True)
class ProjectLimits:
    """Projects in one world, N of them, in states not funded, funded, and fast (3).

    Attributes
    ----------
    names
        As in ``projects.csv``.
    allowed
        (N, 3) whether a project may be in a state.
    capital, support
        (N, 3) what a state costs a year: capital, and output above its price [USD/year]; 0 where
        it is not allowed.
    outlay
        (C, N, 3) what each participant pays for it at once [USD].
    budget
        (C,) most that each may pay for projects [USD]; infinite where there is no limit.
    joint_budget
        Most that all together may pay for them [USD]; infinite where there is no limit.
    caps
        Limits on what one source supplies.
    """

    names: tuple[str, ...]
    allowed: NDArray[np.bool_]
    capital: NDArray[np.float64]
    support: NDArray[np.float64]
    outlay: NDArray[np.float64]
    budget: NDArray[np.float64]
    joint_budget: float
    caps: tuple[Cap, ...]

    @property
    def count(self) -> int:
        """Return the number of projects N."""
        return len(self.names)

    @property
    def cost(self) -> NDArray[np.float64]:
        """Return what each state costs a year, (N, 3) [USD/year] (9)."""
        return self.capital + self.support

    def paid(self, states: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what each participant pays for projects in these states, (C,) [USD] (11)."""
        paid: NDArray[np.float64] = self.outlay[:, np.arange(states.size), states].sum(axis=1)
        return paid


def build_project_limits(
    instance: Instance, problem: Problem, world: Cooperation, scenarios: ScenarioSet
) -> ProjectLimits:
    """Read what may be funded in a world.

    Without partners nothing is funded jointly. In ``joint`` there is one budget for projects, the
    joint one or else the sum.
    """
    projects = problem.projects
    outlay = capital_outlay(problem)
    allowed = np.isfinite(outlay)
    if world == "none":
        allowed[projects.joint] = np.arange(STATES) == NOT_FUNDED
    # What adds to nobody's supply would only cost.
    allowed[~(projects.supply > 0.0).any(axis=(1, 2))] = np.arange(STATES) == NOT_FUNDED
    own = np.array(
        [
            np.inf if row.project_budget_usd is None else row.project_budget_usd
            for row in instance.participants
        ]
    )
    given = instance.agreement.joint_project_budget_usd
    joint_budget = np.inf if given is None else given
    if world == "joint":
        joint_budget = float(own.sum()) if given is None else given
        own = np.full(own.size, np.inf)
    paid = np.where(allowed, outlay, 0.0)
    return ProjectLimits(
        names=projects.names,
        allowed=allowed,
        capital=np.where(allowed, capital_cost(problem), 0.0),
        support=np.where(allowed, support_cost(problem, scenarios), 0.0),
        outlay=projects.payer.T[:, :, None] * paid[None],
        budget=own,
        joint_budget=joint_budget,
        caps=build_caps(instance, problem),
    )
