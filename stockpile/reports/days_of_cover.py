"""How many days of normal consumption are held and planned, by material and nation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.problem import DAYS_PER_YEAR
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
    tonnes, days = say("t"), say("days")
    return Table(
        NAME,
        say("Days of cover"),
        (
            Column(say("Material"), "material_name"),
            Column(say("Element"), "element"),
            Column(say("Nation"), "participant_name"),
            Column(say("Consumption"), "demand_t_per_year", say("t/year"), "number"),
            Column(say("Held"), "held_t", tonnes, "number"),
            Column(say("Cover held"), "held_days", days, "number"),
            Column(say("Planned"), "planned_t", tonnes, "number"),
            Column(say("Cover planned"), "planned_days", days, "number"),
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
        _days(held, demand),
        planned,
        _days(planned, demand),
    )


def _days(tonnes: float, demand_t_per_year: float) -> float | None:
    """Return for how many days a stock lasts; None where nothing is used."""
    return DAYS_PER_YEAR * tonnes / demand_t_per_year if demand_t_per_year > 0.0 else None
