"""A buying calendar as text for a terminal or a pipe; never solves anything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.display import money, render_table
from stockpile.number_text import number_text

if TYPE_CHECKING:
    from stockpile.purchasing.calendar import Schedule

MILLION = 1e6


def schedule_text(found: Schedule) -> str:
    """Print what a calendar costs, what it buys when, and what to buy first."""
    settings = found.settings
    last = settings.from_year + settings.years - 1
    head = (
        f"Buying calendar for {found.instance_name} ({found.instance_hash[:12]}), cooperation "
        f"{found.cooperation}, {settings.from_year} to {last}\n"
        f"  status      {found.status}\n"
        f"  cost        {money(found.cost_usd)}: {money(found.payments_usd)} paid, "
        f"{money(found.exposure_usd)} of shortages expected meanwhile and after\n"
        f"  simulated   {money(found.exposure_simulated_usd)} of the same shortages, with the "
        "stocks of each quarter\n"
        f"  at once     {money(found.exposure_at_once_usd)} of shortages if all were there now\n"
        f"  bound       {money(found.bound_usd)}, recomputed; the solver says "
        f"{money(found.solver_bound_usd)}\n"
        f"  gap         {100.0 * found.gap:.3f} %\n\n"
    )
    if found.missed_usd > 0.0:
        head = head.rstrip("\n") + (
            "\n  missed      not all can be bought; what is missing counts "
            f"{money(found.missed_usd)} of the cost\n\n"
        )
    parts = [_purchases(found), _budgets(found), _stores(found), _first_year(found)]
    return head + "\n".join(part for part in parts if part)


def _purchases(found: Schedule) -> str:
    """Print tonnes by stock and year, and the quarters in which they are bought."""
    if not len(found.purchases):
        return "Nothing has to be bought.\n"
    rows = []
    years = range(found.settings.from_year, found.settings.from_year + found.settings.years)
    for (participant, material), own in found.purchases.groupby(
        ["participant", "material"], sort=False
    ):
        by_year = own.groupby(own["quarter"].str[:4])["bought_t"].sum()
        dear = own["paid_usd"].sum() / (1000.0 * own["bought_t"].sum())
        rows.append(
            [
                str(participant),
                str(material),
                *(number_text(by_year[f"{y}"]) if f"{y}" in by_year else "" for y in years),
                own["quarter"].iloc[0],
                own["quarter"].iloc[-1],
                number_text(dear),
            ]
        )
    header = ["owner", "material", *(f"{year}, t" for year in years), "first", "last", "USD/kg"]
    return render_table("What is bought", header, rows, left={0, 1})


def _budgets(found: Schedule) -> str:
    rows = [
        [
            row["participant"],
            f"{row['fiscal_year']}",
            f"{row['quarters']}",
            number_text(row["spent_usd"] / MILLION),
            "-" if math.isnan(row["budget_usd"]) else number_text(row["budget_usd"] / MILLION),
        ]
        for row in found.budgets.to_dict(orient="records")
    ]
    header = ["participant", "fiscal year", "quarters", "spent, M USD", "budget, M USD"]
    return render_table("Money", header, rows, left={0})


def _stores(found: Schedule) -> str:
    if not len(found.stores):
        return ""
    in_order = found.stores.sort_values("quarter", kind="stable")
    rows = [[row["quarter"], row["facility"]] for row in in_order.to_dict(orient="records")]
    return render_table("Stores that are opened", ["quarter", "facility"], rows, left={0, 1})


def _first_year(found: Schedule) -> str:
    if not len(found.first_year):
        return ""
    rows = [
        [
            row["participant"],
            row["material"],
            number_text(row["acquire_t"]),
            number_text(row["cost_usd"] / MILLION),
            number_text(row["dispose_t"]),
            number_text(row["with_half_the_money_t"]),
        ]
        for row in found.first_year.to_dict(orient="records")
    ]
    header = ["participant", "material", "acquire, t", "M USD", "dispose, t"]
    return render_table(
        f"Annual materials plan of {found.settings.from_year}, and what to buy first with half "
        "the money",
        [*header, "with half, t"],
        rows,
        left={0, 1},
    )
