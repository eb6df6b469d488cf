"""What is missing of every stock, and what it takes to fill the gap in full or in part."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stockpile.reports.buying import outlays
from stockpile.reports.document import Column, Table
from stockpile.reports.stocks import stocks_of

if TYPE_CHECKING:
    from stockpile.instance import Instance
    from stockpile.languages import Language
    from stockpile.plan import Plan
    from stockpile.reports.document import Cell

NAME = "shortfall"
PARTS = (0.25, 0.5, 0.75, 1.0)
"""Parts of the gap that may be funded."""


def shortfall(plan: Plan, instance: Instance, say: Language) -> Table:
    """Return the table of objectives, stocks held and gaps, the dearest gap first.

    Raises
    ------
    ResultError
        If the plan was not made from the instance, or there is no plan.
    """
    stocks = stocks_of(plan, instance)
    parts = np.array(PARTS)
    costs = outlays(
        instance, {(stock.participant, stock.material): stock.buy_t * parts for stock in stocks}
    )
    rows: list[tuple[Cell, ...]] = []
    for stock in stocks:
        needed = (costs[stock.participant, stock.material] / 1e6).tolist()
        rows.append(
            (
                stock.mineral,
                stock.element,
                stock.owner,
                stock.holding_t,
                stock.existing_t,
                stock.buy_t,
                stock.buy_t / stock.holding_t if stock.holding_t > 0.0 else None,
                *needed,
            )
        )
    rows.sort(key=lambda row: -float(row[-1] or 0.0))  # Equal ones stay in the plan's order.
    totals = [math.fsum(float(row[place] or 0.0) for row in rows) for place in range(7, 11)]
    rows.append((say("Total"), None, None, None, None, None, None, *totals))
    tonnes, money = say("t"), say("million USD")
    return Table(
        NAME,
        say("Shortfall by material"),
        (
            Column(say("Material"), "material_name"),
            Column(say("Element"), "element"),
            Column(say("Nation"), "participant_name"),
            Column(say("Objective"), "objective_t", tonnes, "number"),
            Column(say("Held"), "held_t", tonnes, "number"),
            Column(say("Missing"), "missing_t", tonnes, "number"),
            Column(say("Part missing"), "missing_share", "", "share"),
            *(
                Column(
                    say("Money for {part} %", part=f"{100.0 * part:g}"),
                    f"money_for_{100.0 * part:g}_percent_million_usd",
                    money,
                    "number",
                )
                for part in PARTS
            ),
        ),
        tuple(rows),
        say(
            "The objective is the planned holding. Quantities are tonnes contained. Money is what "
            "it takes to buy that part of every gap, in USD of {year}. Where buying raises the "
            "price, half of a gap costs less than half of the money. Parts are not rounded to "
            "whole lots.",
            year=instance.price_year,
        ),
        total=True,
    )
