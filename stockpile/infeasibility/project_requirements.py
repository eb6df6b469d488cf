"""Limits on projects as requirements that can give way: budgets (11) and caps on sources (17)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.infeasibility.feasibility import CAP, PROJECT_BUDGET
from stockpile.infeasibility.limit_requirements import AtMost, Budget
from stockpile.infeasibility.requirements import Case, place, together
from stockpile.problem import LEVEL_TOLERANCE
from stockpile.projects import NOT_FUNDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.concentration import Cap
    from stockpile.couplings import Couplings
    from stockpile.infeasibility.feasibility import Key
    from stockpile.infeasibility.plan_use import PlanUse
    from stockpile.infeasibility.requirements import Requirement
    from stockpile.instance import Instance
    from stockpile.problem import Problem


@dataclass(frozen=True, kw_only=True)
class ProjectBudget(Budget):
    """Equation (11): what a participant c pays for projects, or all together where c is -1 [USD].

    Attributes
    ----------
    couplings
        Tell what projects cost whom.
    """

    couplings: Couplings

    @property
    def key(self) -> Key:
        """Return what tells limits apart in proofs."""
        return (PROJECT_BUDGET, self.c, -1)

    def at(self, case: Case, value: float) -> Case:
        """Return a case with another budget."""
        projects = case.couplings.projects
        if self.c < 0:
            projects = replace(projects, joint_budget=value)
        else:
            budget = projects.budget.copy()
            budget[self.c] = value
            projects = replace(projects, budget=budget)
        return Case(case.problem, replace(case.couplings, projects=projects))

    def reached(self, use: PlanUse) -> float:
        """Return what is paid."""
        paid = self.couplings.projects.paid(use.states)
        return float(paid.sum() if self.c < 0 else paid[self.c])


@dataclass(frozen=True)
class SourceCap(AtMost):
    """Equation (17): most that a source may supply, of one row of ``concentration.csv``.

    Attributes
    ----------
    row
        Number of the row.
    caps
        What it stands for.
    problem
        Tells what supplies there are.
    """

    current: float
    row: int
    where: str
    caps: tuple[Cap, ...]
    problem: Problem
    loosest: float = 1.0

    @property
    def key(self) -> Key:
        """Return what tells limits apart in proofs."""
        return (CAP, -1, self.row)

    def at(self, case: Case, value: float) -> Case:
        """Return a case with another share; all may come from one source where that is 1."""
        projects = case.couplings.projects
        others = tuple(cap for cap in projects.caps if cap.row != self.row)
        if value < self.loosest:
            others += tuple(cap.with_share(value, case.problem) for cap in self.caps)
        projects = replace(projects, caps=others)
        return Case(case.problem, replace(case.couplings, projects=projects))

    def reached(self, use: PlanUse) -> float:
        """Return the largest share."""
        funded = use.states != NOT_FUNDED
        return max(cap.share(self.problem, funded) for cap in self.caps)

    def kept(self, use: PlanUse) -> bool:
        """Say whether no source supplies more than is allowed now."""
        return self.reached(use) <= self.current + LEVEL_TOLERANCE

    def size(self, value: float) -> float:
        """Return 1: accuracies of shares are absolute."""
        return 1.0

    def amount(self, value: float) -> str:
        """Write a value with its unit."""
        return f"{value:.10g}"

    def title(self) -> str:
        """Say what is asked now."""
        return f"{self.where}: max_share of {self._whose()}, {self.current:.10g}"

    def words(self, value: float) -> str:
        """Say to what the share has to rise."""
        return (
            f"{self.where}: raise max_share of {self._whose()} "
            f"from {self.current:.10g} to at least {value:.10g}"
        )

    def _whose(self) -> str:
        """Name whom and what the row is about."""
        problem = self.problem
        texts = [
            f"{cap.source} for {problem.participants[cap.participant]} "
            f"in {problem.materials[cap.material]}"
            for cap in self.caps
        ]
        more = f" and {len(texts) - 1} more" if len(texts) > 1 else ""
        return texts[0] + more


def project_requirements(
    instance: Instance, problem: Problem, couplings: Couplings
) -> Iterator[Requirement]:
    """Return the limits on projects of a world."""
    projects = couplings.projects
    for c, (budget, row) in enumerate(zip(projects.budget, instance.participants, strict=True)):
        if np.isfinite(budget):
            where = place(row.file or "participants.csv", row.line)
            what = f"project_budget_usd of {row.participant}"
            yield ProjectBudget(float(budget), c, where, what, couplings=couplings)
    if np.isfinite(projects.joint_budget):
        if instance.agreement.joint_project_budget_usd is not None:
            where, what = "instance.toml", "joint_project_budget_usd"
        else:  # In the world `joint`, the budgets of all are one.
            where = place("participants.csv", *(row.line for row in instance.participants))
            names = together([row.participant for row in instance.participants])
            what = f"project_budget_usd of {names}"
        yield ProjectBudget(projects.joint_budget, -1, where, what, couplings=couplings)
    for number in dict.fromkeys(cap.row for cap in projects.caps):
        caps = tuple(cap for cap in projects.caps if cap.row == number)
        where = place(caps[0].file, caps[0].line)
        yield SourceCap(caps[0].max_share, number, where, caps, problem)
