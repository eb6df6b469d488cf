"""The decisions of a plan as arrays, for an instance that it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.conversions import joined_materials
from stockpile.decisions import project_states
from stockpile.errors import ResultError, suggestion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.problem import Problem
    from stockpile.redacted_plans import RedactedPlan


def plan_decisions(
    problem: Problem, plan: Plan
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Read lots (C, M), rules (C, M), and the states of projects (N,), from a plan's tables.

    Raises
    ------
    ResultError
        If there is no plan, or it does not fit the instance.
    """
    if not plan.found:
        raise ResultError(f"The result holds no plan to evaluate: its status is {plan.status}.")
    shape = (len(problem.participants), len(problem.materials))
    lots = np.full(shape, -1, dtype=np.int64)
    for row in plan.holdings.to_dict(orient="records"):
        c = known_place(row["participant"], problem.participants, "participants")
        m = known_place(row["material"], problem.materials, "materials")
        lots[c, m] = int(row["lots"])
        held = lots[c, m] * problem.lot[m]
        if lots[c, m] >= 0 and abs(held - row["holding_t"]) > 1e-6 * max(held, 1.0):
            raise ResultError(
                f"The result does not fit the instance: {row['participant']} holds {lots[c, m]} "
                f"lots of {row['material']}, {row['holding_t']:g} t, but a lot is now "
                f"{problem.lot[m]:g} t."
            )
    require_all(problem, lots >= 0)
    return lots, agreed_rules(problem, plan), agreed_projects(problem, plan)


def agreed_rules(problem: Problem, plan: Plan | RedactedPlan) -> NDArray[np.int64]:
    """Read the rules (C, M) of a plan, indices into the menu.

    Raises
    ------
    ResultError
        If they do not fit the instance.
    """
    rules = np.full((len(problem.participants), len(problem.materials)), -1, dtype=np.int64)
    for row in plan.rules.to_dict(orient="records"):
        c = known_place(row["participant"], problem.participants, "participants")
        m = known_place(row["material"], problem.materials, "materials")
        rules[c, m] = known_place(row["rule"], problem.menu.names, "rules")
    require_all(problem, rules >= 0)
    for chain in joined_materials(problem.conversions, len(problem.materials)):
        differ = rules[:, chain] != rules[:, chain[:1]]
        if differ.any():
            c, other = (int(axis[0]) for axis in np.nonzero(differ))
            raise ResultError(
                "The result does not fit the instance: conversions join "
                f"{problem.materials[chain[0]]} and {problem.materials[chain[other]]}, so "
                f"{problem.participants[c]} has one rule for both, but the result has two."
            )
    return rules


def agreed_projects(problem: Problem, plan: Plan | RedactedPlan) -> NDArray[np.int64]:
    """Read the states of all projects (N,) in a plan.

    Raises
    ------
    ResultError
        If they do not fit the instance.
    """
    for name in plan.projects["project"]:
        known_place(name, problem.projects.names, "projects")
    missing = set(problem.projects.names) - set(plan.projects["project"])
    if missing:
        raise ResultError(
            f"The result does not fit the instance: it does not say whether {min(missing)} is "
            "funded."
        )
    return project_states(problem, plan)


def require_all(problem: Problem, known: NDArray[np.bool_]) -> None:
    """Refuse a result that does not say something of every stock (C, M).

    Raises
    ------
    ResultError
        Naming one of which it does not.
    """
    if not known.all():
        c, m = (int(axis[0]) for axis in np.nonzero(~known))
        raise ResultError(
            "The result does not fit the instance: it has no holding or rule for "
            f"{problem.participants[c]}, {problem.materials[m]}."
        )


def known_place(name: str, known: tuple[str, ...], what: str) -> int:
    """Return the number of a name; raise :class:`ResultError` if the instance has none such."""
    if name not in known:
        raise ResultError(
            f"The result does not fit the instance: {name!r} is not among its {what}. "
            f"{suggestion(name, known, what)}"
        )
    return known.index(name)


def require_same(plan: Plan, instance: Instance) -> None:
    """Refuse an instance that a plan was not made from.

    Raises
    ------
    ResultError
        Saying which is which.
    """
    if plan.instance_hash != instance.content_hash:
        raise ResultError(
            f"the plan was made from {plan.instance_name} ({plan.instance_hash[:12]}), not from "
            f"{instance.name} as it is now ({instance.content_hash[:12]}).\n"
            "  Give the instance that was solved, with the same --overlay and --set, or solve it "
            "again."
        )
