"""Small instances with projects whose answers can be worked out by hand.

A tonne costs 1,000 USD (1 USD/kg) and capital 10 % a year: a tonne of stock costs 100 USD a year,
and so do 1,000 USD paid for a project that does not wear out. Without ``max_t`` nothing can be
held, and what a year costs is shortage and projects.
"""

from __future__ import annotations

import stockpile as sp
from stockpile.tables import (
    Demand,
    DemandClass,
    Event,
    Holding,
    Material,
    Participant,
    Project,
    ProjectProduct,
    Scenario,
    Source,
    Supply,
)

MONTHS = 12
"""Default horizon: what happens in it happens in a year."""


def instance(
    *,
    scenarios,
    demand=None,
    participants=("us",),
    materials=("m",),
    shortage=(1000.0,),
    rate=0.1,
    max_t=0.0,
    share=1.0,
    months=MONTHS,
    budgets=None,
    **tables,
):
    """An instance all of whose supply comes from the source ``g``.

    Parameters
    ----------
    scenarios
        (probability, rows of ``events.csv`` as mappings) of each.
    demand
        t/month of each class by participant and material; default 10 t of everything.
    shortage
        USD for a missing tonne, by class.
    share
        Part of the supply that comes from the source; the rest is never disrupted.
    budgets
        ``project_budget_usd`` by participant.
    """
    pairs = [(c, m) for c in participants for m in materials]
    demand = demand or {pair: (10.0,) * len(shortage) for pair in pairs}
    classes = tuple(f"class{k}" for k in range(len(shortage)))
    made = sp.Instance(
        **{
            "name": "known",
            "price_year": 2025,
            "horizon_months": months,
            "participants": tuple(
                Participant(
                    participant=c,
                    name=c,
                    discount_rate_per_year=rate,
                    project_budget_usd=(budgets or {}).get(c),
                )
                for c in participants
            ),
            "classes": tuple(
                DemandClass(demand_class=k, priority=i + 1, shortage_cost_multiple=w / 1000.0)
                for i, (k, w) in enumerate(zip(classes, shortage, strict=True))
            ),
            "materials": tuple(
                Material(
                    material=m, name=m, element="M", form="metal", price_usd_per_kg=1.0, lot_t=1.0
                )
                for m in materials
            ),
            "demand": tuple(
                Demand(participant=c, material=m, demand_class=k, demand_t_per_year=12.0 * d)
                for (c, m), by_class in demand.items()
                for k, d in zip(classes, by_class, strict=True)
            ),
            "sources": (Source(source="g", name="g"),),
            "supply": tuple(
                Supply(participant=c, material=m, source="g", share=share) for c, m in pairs
            ),
            "holdings": tuple(Holding(participant=c, material=m, max_t=max_t) for c, m in pairs),
            "scenarios": tuple(
                Scenario(scenario=f"s{i}", probability=p) for i, (p, _) in enumerate(scenarios)
            ),
            "events": tuple(
                Event(scenario=f"s{i}", **row)
                for i, (_, rows) in enumerate(scenarios)
                for row in rows
            ),
        }
        | tables
    )
    sp.validate(made)
    return made


def lost(start, duration=1, severity=1.0, **more):
    """The source ``g`` is lost."""
    return {
        "source": "g",
        "start_month": start,
        "duration_months": duration,
        "severity": severity,
        **more,
    }


def cut(start, duration, severity, **more):
    """The price falls by a fraction."""
    return {
        "effect": "price_cut",
        "start_month": start,
        "duration_months": duration,
        "severity": severity,
        **more,
    }


def project(name="mine", *, output, capital=0.0, **more):
    """A mine of ``output`` t/month for the United States, there from the first month on."""
    return Project(
        **{
            "project": name,
            "kind": "mine",
            "material": "m",
            "capacity_t_per_year": 12.0 * output,
            "beneficiaries": ("us",),
            "beneficiary_shares": (1.0,),
            "funder": "us",
            "capital_usd": capital,
            "operating_usd_per_t": 0.0,
            "lead_median_months": 0.0,
            "lead_sigma": 0.0,
        }
        | more
    )


def product(name="mine", *, material, output, **more):
    """What a project makes besides."""
    return ProjectProduct(
        project=name, material=material, capacity_t_per_year=12.0 * output, **more
    )


EMBARGO = ((0.9, []), (0.1, [lost(6)]))
"""One scenario in ten loses all supply for a month: 10 t missing are 1,000 USD a year."""


def solve(world, **options):
    """The proven optimum."""
    return sp.solve(world, **{"gap": 0.0, "progress": False} | options)


def funded(plan):
    """Names of the projects that a plan funds."""
    return plan.projects["project"][plan.projects["funded"]].tolist()


def files(plan):
    """The files of a result folder, but for how long it took."""
    texts = plan.files()
    lines = texts["plan.json"].splitlines()
    return texts | {"plan.json": [line for line in lines if '"seconds"' not in line]}
