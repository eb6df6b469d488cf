"""Print where the plan for us-japan-one-form puts the reserve, with and without floors.

The limits over all materials (budgets, stores, joint promises, ``[agreement]``, ``[risk]``) are
taken out, so that only the floors make the difference. Floors are the promises that each nation
keeps alone: coverage rows with ``sharing = off`` and days of cover. Run from the root of the
repository:

    python instances/compare_floors.py
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import stockpile as sp
from stockpile.tables import Agreement, Risk

HERE = Path(__file__).parent
CAPITAL = {"us": 0.07, "japan": 0.04}
"""Discount rates that differ: the United States 1992 rate and the Japanese social rate."""


def without_limits(instance: sp.Instance) -> sp.Instance:
    """Take out what joins the materials, so that each is planned for itself."""
    return replace(
        instance,
        participants=tuple(
            replace(row, acquisition_budget_usd=None) for row in instance.participants
        ),
        facilities=(),
        coverage=tuple(row for row in instance.coverage if row.metric != "joint_chance"),
        agreement=Agreement(),
        risk=Risk(),
    )


def without_floors(instance: sp.Instance) -> sp.Instance:
    """Take out what each nation has to keep alone."""
    kept = tuple(row for row in instance.coverage if row.sharing == "on" and row.metric != "days")
    return replace(instance, coverage=kept)


def with_own_capital_costs(instance: sp.Instance) -> sp.Instance:
    """Give each nation its own discount rate instead of the common one."""
    return replace(
        instance,
        participants=tuple(
            replace(row, discount_rate_per_year=CAPITAL[row.participant])
            for row in instance.participants
        ),
    )


def describe(label: str, instance: sp.Instance) -> str:
    """Solve one variant and say in a row of a table where the reserve is."""
    plan = sp.solve(instance)
    price = {row.material: 1000.0 * row.price_usd_per_kg for row in instance.materials}
    value = plan.holdings["holding_t"] * plan.holdings["material"].map(price)
    in_us = value[plan.holdings["participant"] == "us"].sum() / value.sum()
    days = {
        c: plan.holdings.loc[plan.holdings["participant"] == c, "days_of_cover"].median()
        for c in ("us", "japan")
    }
    empty = {
        c: int((plan.holdings.loc[plan.holdings["participant"] == c, "lots"] == 0).sum())
        for c in ("us", "japan")
    }
    return (
        f"| {label} | {plan.annual_cost_usd / 1e6:,.0f} | {value.sum() / 1e9:,.2f} | "
        f"{100 * in_us:.0f} % | {100 * (1 - in_us):.0f} % | {days['us']:.0f} | "
        f"{days['japan']:.0f} | {empty['us']} | {empty['japan']} |"
    )


def main() -> None:
    """Print the table."""
    instance = without_limits(sp.load(HERE / "us-japan-one-form"))
    print(
        "| variant | cost, million USD a year | value held, billion USD | in the United States | "
        "in Japan | median days, US | median days, Japan | materials without stock, US | "
        "materials without stock, Japan |"
    )
    print("|---|" + "---:|" * 8)
    for label, variant in (
        ("floors, one discount rate", instance),
        ("without floors, one discount rate", without_floors(instance)),
        ("floors, 7 % in the US and 4 % in Japan", with_own_capital_costs(instance)),
        (
            "without floors, 7 % in the US and 4 % in Japan",
            without_floors(with_own_capital_costs(instance)),
        ),
    ):
        print(describe(label, variant), flush=True)


if __name__ == "__main__":
    main()
