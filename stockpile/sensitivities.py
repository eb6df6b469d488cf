"""What a plan costs, and what it keeps, where an assumption is wrong: prices, hazards, demand."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from stockpile.errors import UsageError
from stockpile.outofsample import evaluate
from stockpile.overrides import with_overrides

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stockpile.instance import Instance
    from stockpile.outofsample import Assessment
    from stockpile.plan import Plan
    from stockpile.progress import Progress

FACTORS: dict[str, tuple[str, ...]] = {
    "prices": ("materials.price_usd_per_kg",),
    "hazard rates": ("hazards.events_per_year",),
    "demand": ("demand.demand_t_per_year",),
    "shortage costs": ("classes.shortage_cost_multiple", "shortage.shortage_cost_usd_per_kg"),
}
"""Assumptions that are varied, and the columns that they stand in."""


@dataclass(frozen=True)
class Sensitivity:
    """What becomes of a plan as it stands where assumptions are wrong.

    Holdings and rules stay as they are; nothing is solved again.

    Attributes
    ----------
    change
        By which part assumptions are varied, up and down.
    scenario_count
        Scenarios that each case is judged on; the same random numbers in all of them.
    annual_cost_usd, promises_kept
        Of the plan where all assumptions hold [USD/year].
    promises
        Number of promises.
    single
        factor, times, annual_cost_usd, change_usd_per_year, promises_kept.
    combined
        One column for each factor with what it is multiplied by, annual_cost_usd,
        change_usd_per_year, promises_kept: all combinations of up and down.
    """

    change: float
    scenario_count: int
    annual_cost_usd: float
    promises_kept: int
    promises: int
    single: pd.DataFrame
    combined: pd.DataFrame


def sensitivity(
    instance: Instance,
    plan: Plan,
    *,
    change: float = 0.2,
    scenarios: int = 2000,
    threads: int | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
) -> Sensitivity:
    """Judge a plan with prices, hazard rates, demand and shortage costs up and down.

    Parameters
    ----------
    instance, plan
        What was solved, and its plan.
    change
        By which part each is varied, above 0 and below 1.
    scenarios
        Fresh scenarios that each case is judged on.
    threads, progress
        As in :func:`stockpile.evaluate`.

    Raises
    ------
    ResultError
        If the plan does not fit the instance.
    UsageError
        If an argument is out of range.
    """
    if not 0.0 < change < 1.0:
        raise UsageError(f"change is {change!r}; expected a fraction above 0 and below 1")
    places = {
        name: tuple(place for place in columns if _has_rows(instance, place))
        for name, columns in FACTORS.items()
    }
    factors = [name for name in places if places[name]]
    low, high = 1.0 - change, 1.0 + change

    def judged(times: Mapping[str, float]) -> Assessment:
        changes = [f"{place}=*{times[name]!r}" for name in times for place in places[name]]
        return evaluate(
            with_overrides(instance, changes),
            plan,
            scenarios=scenarios,
            threads=threads,
            progress=progress,
        )

    base = judged({})

    def case(times: Mapping[str, float]) -> dict[str, Any]:
        found = judged(times)
        return {
            "annual_cost_usd": found.annual_cost_usd,
            "change_usd_per_year": found.annual_cost_usd - base.annual_cost_usd,
            "promises_kept": int(found.coverage["met"].sum()),
        }

    single = [
        {"factor": name, "times": times, **case({name: times})}
        for name in factors
        for times in (low, high)
    ]
    corners = [
        dict(zip(factors, corner, strict=True))
        for corner in itertools.product((low, high), repeat=len(factors))
    ]
    return Sensitivity(
        change=change,
        scenario_count=base.scenario_count,
        annual_cost_usd=base.annual_cost_usd,
        promises_kept=int(base.coverage["met"].sum()),
        promises=len(base.coverage),
        single=pd.DataFrame(single),
        combined=pd.DataFrame([{**corner, **case(corner)} for corner in corners]),
    )


def _has_rows(instance: Instance, place: str) -> bool:
    return bool(getattr(instance, place.partition(".")[0]))
