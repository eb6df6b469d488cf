"""How many days of normal consumption are held and planned, by material and nation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.daily_use import days
from stockpile.reports.document import Column, Table
from stockpile.reports.stocks import stocks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.instance import Instance
    from stockpile.languages import Language
    from stockpile.plan import Plan
    from stockpile.reports.document import Cell
    from stockpile.reports.stocks import Stock

NAME = "days-of-cover"


def days_of_cover(plan: Plan, instance: Instance, say: Language) -> Table:
    """Return the table of days of cover: every nation, and all of them pooled.

    Raises
    ------
    ResultError
        If the plan was not made from the instance, or there is no plan.
    """
    by_material: dict[str, list[Stock]] = {}
    for stock in stocks_of(plan, instance):
        by_material.setdefault(stock.material, []).append(stock)
    rows = []
    for stocks in by_material.values():
        rows += [_row(stock.owner, [stock]) for stock in stocks]
        if len(stocks) > 1:
            rows.append(_row(say("All nations"), stocks))
    tonnes, unit = say("t"), say("days")
    return Table(
        NAME,
        say("Days of cover"),
        (
            Column(say("Material"), "material_name"),
            Column(say("Element"), "element"),
            Column(say("Nation"), "participant_name"),
            Column(say("Consumption"), "demand_t_per_year", say("t/year"), "number"),
            Column(say("Held"), "held_t", tonnes, "number"),
            Column(say("Cover held"), "held_days", unit, "number"),
            Column(say("Planned"), "planned_t", tonnes, "number"),
            Column(say("Cover planned"), "planned_days", unit, "number"),
        ),
        tuple(rows),
        say(
            "Days of normal consumption of all classes, in a year of 365 days. Quantities are "
            "tonnes contained. All nations: their stocks together over their consumption together."
        ),
    )


def _row(owner: str, stocks: Sequence[Stock]) -> tuple[Cell, ...]:
    demand = math.fsum(stock.demand_t_per_year for stock in stocks)
    held = math.fsum(stock.existing_t for stock in stocks)
    planned = math.fsum(stock.holding_t for stock in stocks)
    return (
        stocks[0].mineral,
        stocks[0].element,
        owner,
        demand,
        held,
        days(held, demand),
        planned,
        days(planned, demand),
    )
