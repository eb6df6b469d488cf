"""Everything that a report is made from: a plan, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stockpile.errors import ResultError
from stockpile.outofsample import evaluate
from stockpile.plan_decisions import require_same
from stockpile.sensitivities import sensitivity
from stockpile.stress_simulation import stress_runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from stockpile.assurance.assurance import Assurance
    from stockpile.instance import Instance
    from stockpile.outofsample import Assessment
    from stockpile.plan import Plan
    from stockpile.progress import Progress
    from stockpile.reports.saved import SavedComparison, SavedFrontier
    from stockpile.sensitivities import Sensitivity
    from stockpile.stress_simulation import StressRuns


MOST_VARIED = 2000
"""Fresh scenarios on which a plan is judged again and again where assumptions are varied."""


@dataclass(frozen=True)
class Evidence:
    """A plan, and what is known about it; None for what is not.

    Attributes
    ----------
    plan
        The plan.
    instance
        What was solved.
    assessment
        The plan judged on fresh scenarios.
    stress
        Its course in every stress case.
    sensitivity
        What becomes of it where assumptions are wrong.
    comparison
        What acting together saves.
    frontier
        What more coverage or less money costs.
    assurance
        How needs are assured, where there are plants, projects or recycling.
    """

    plan: Plan
    instance: Instance | None = None
    assessment: Assessment | None = None
    stress: StressRuns | None = None
    sensitivity: Sensitivity | None = None
    comparison: SavedComparison | None = None
    frontier: SavedFrontier | None = None
    assurance: Assurance | None = None


def gather(
    plan: Plan,
    *,
    instance: Instance | None = None,
    comparison: SavedComparison | None = None,
    frontier: SavedFrontier | None = None,
    scenarios: int = 20_000,
    threads: int | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
) -> Evidence:
    """Work out what can be known about a plan without solving anything.

    Parameters
    ----------
    plan
        The plan.
    instance
        What was solved; without it nothing is simulated.
    comparison, frontier
        Of the same instance.
    scenarios
        Fresh scenarios that the plan is judged on.
    threads, progress
        As in :func:`stockpile.evaluate`.

    Raises
    ------
    ResultError
        If something is about another instance.
    """
    for name, other in (("comparison", comparison), ("frontier", frontier)):
        if other is not None and other.instance_hash != plan.instance_hash:
            raise ResultError(
                f"the {name} is about another instance ({other.instance_hash[:12]}) than the plan "
                f"({plan.instance_hash[:12]})"
            )
    if instance is None:
        return Evidence(plan, comparison=comparison, frontier=frontier)
    require_same(plan, instance)
    if not plan.found:
        return Evidence(plan, instance, comparison=comparison, frontier=frontier)
    return Evidence(
        plan,
        instance,
        evaluate(instance, plan, scenarios=scenarios, threads=threads, progress=progress),
        stress_runs(instance, plan),
        sensitivity(
            instance,
            plan,
            scenarios=min(scenarios, MOST_VARIED),
            threads=threads,
            progress=progress,
        ),
        comparison,
        frontier,
        _assurance(instance, plan, threads),
    )


def _assurance(instance: Instance, plan: Plan, threads: int | None) -> Assurance | None:
    if not (instance.conversions or instance.projects or instance.recycling):
        return None
    from stockpile.assurance.assurance import assurance  # Most instances do without.

    return assurance(instance, plan, threads=threads)
