"""The most that may be acquired and disposed of by material, as an annual materials plan has it."""

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
    from stockpile.reports.stocks import Stock

NAME = "annual-plan"
_WHOLE = 1e-9
"""Part of a lot that is rounding: that much above whole lots asks for no lot more."""


def annual_plan(plan: Plan, instance: Instance, say: Language) -> Table:
    """Return the table of quantities that may be acquired and disposed of at most.

    Stocks that already are what they should be have no row.

    Raises
    ------
    ResultError
        If the plan was not made from the instance, or there is no plan.
    """
    stocks = stocks_of(plan, instance)
    costs = outlays(
        instance,
        {(stock.participant, stock.material): np.array([to_acquire_t(stock)]) for stock in stocks},
    )
    rows: list[tuple[Cell, ...]] = []
    for stock in stocks:
        acquired, disposed = to_acquire_t(stock), stock.excess_t
        cost = float(costs[stock.participant, stock.material][0]) / 1e6
        if acquired > 0.0 or disposed > 0.0:
            rows.append(
                (
                    stock.mineral,
                    stock.element,
                    stock.owner,
                    stock.lot_t,
                    acquired,
                    cost,
                    disposed,
                    disposed * stock.price_usd_per_t / 1e6,
                )
            )
    rows.append((say("Total"), None, None, None, None, _sum(rows, 5), None, _sum(rows, 7)))
    tonnes, money = say("t"), say("million USD")
    return Table(
        NAME,
        say("Annual materials plan"),
        (
            Column(say("Material"), "material_name"),
            Column(say("Element"), "element"),
            Column(say("Nation"), "participant_name"),
            Column(say("Lot"), "lot_t", tonnes, "number"),
            Column(say("Acquire at most"), "acquire_t", tonnes, "number"),
            Column(say("Cost of acquiring"), "acquire_million_usd", money, "number"),
            Column(say("Dispose of at most"), "dispose_t", tonnes, "number"),
            Column(say("Value of disposals"), "dispose_million_usd", money, "number"),
        ),
        tuple(rows),
        say(
            "Ceilings, not orders: whole lots to acquire up to the planned holding, and existing "
            "stock beyond it to dispose of. Quantities are tonnes contained. Money is USD of "
            "{year}: acquisitions raise the price, disposals are counted at the normal price. "
            "Stocks that are as planned are not listed.",
            year=instance.price_year,
        ),
        total=True,
    )


def to_acquire_t(stock: Stock) -> float:
    """Return what is missing, rounded up to whole lots [t]: nothing smaller can be bought."""
    return stock.lot_t * math.ceil(stock.buy_t / stock.lot_t - _WHOLE)


def _sum(rows: list[tuple[Cell, ...]], place: int) -> float:
    return math.fsum(row[place] for row in rows)  # type: ignore[misc]
