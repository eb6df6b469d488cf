"""Tables of a buying calendar, from its decisions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.limits import ALL
from stockpile.purchasing.check import Decisions, exposure_costs, payments, prices
from stockpile.purchasing.settings import quarter_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from stockpile.instance import Instance
    from stockpile.purchasing.data import ScheduleData

TABLES: dict[str, dict[str, type]] = {
    "purchases": {
        "quarter": str,
        "participant": str,
        "material": str,
        "lots": int,
        "bought_t": float,
        "price_usd_per_kg": float,
        "paid_usd": float,
        "share_of_supply": float,
        "missing_after_t": float,
    },
    "disposals": {
        "quarter": str,
        "participant": str,
        "material": str,
        "lots": int,
        "disposed_t": float,
        "got_usd": float,
    },
    "budgets": {
        "participant": str,
        "fiscal_year": int,
        "quarters": int,
        "spent_usd": float,
        "budget_usd": float,
    },
    "exposure": {
        "quarter": str,
        "materials": str,
        "exposure_usd_per_year": float,
        "simulated_usd_per_year": float,
    },
    "stores": {"quarter": str, "facility": str},
    "first_year": {
        "participant": str,
        "material": str,
        "lot_t": float,
        "acquire_t": float,
        "cost_usd": float,
        "dispose_t": float,
        "with_half_the_money_t": float,
    },
}
"""Tables of a result folder, their columns and what these hold."""


def purchases_rows(
    instance: Instance, data: ScheduleData, decisions: Decisions
) -> Iterator[dict[str, Any]]:
    """Yield purchases by quarter and stock."""
    supply = {row.material: row.world_supply_t_per_year for row in instance.materials}
    price, paid = prices(data, decisions.bought), payments(data, decisions.bought)
    for t in range(data.settings.quarters):
        for i in np.flatnonzero(decisions.bought[:, t]).tolist():
            m = int(data.material[i])
            same = data.material == m
            together = float(data.lot[same] @ decisions.bought[same, t])
            world = supply[data.materials[m]]
            left = data.lots[i] - decisions.bought[i, : t + 1].sum()
            yield {
                "quarter": quarter_name(data.settings, t),
                "participant": data.participants[data.participant[i]],
                "material": data.materials[m],
                "lots": int(decisions.bought[i, t]),
                "bought_t": float(decisions.bought[i, t] * data.lot[i]),
                "price_usd_per_kg": float(price[i, t]) / 1000.0,
                "paid_usd": float(paid[i, t]),
                "share_of_supply": math.nan if world is None else 4.0 * together / world,
                "missing_after_t": float(left * data.lot[i]),
            }


def disposals_rows(data: ScheduleData, decisions: Decisions) -> Iterator[dict[str, Any]]:
    """Yield disposals by quarter and stock."""
    for t in range(data.settings.quarters):
        for j in np.flatnonzero(decisions.disposed[:, t]).tolist():
            m = int(data.excess_material[j])
            tonnes = float(decisions.disposed[j, t] * data.excess_lot[j])
            yield {
                "quarter": quarter_name(data.settings, t),
                "participant": data.participants[data.excess_participant[j]],
                "material": data.materials[m],
                "lots": int(decisions.disposed[j, t]),
                "disposed_t": tonnes,
                "got_usd": tonnes * float(data.price[m]),
            }


def budgets_rows(data: ScheduleData, decisions: Decisions) -> Iterator[dict[str, Any]]:
    """Yield what is spent in each fiscal year; of all together where they have a budget."""
    paid = payments(data, decisions.bought)
    for part in data.budget_years():
        limited = math.isfinite(part.budget)
        if part.who == ALL and not limited:
            continue
        yield {
            "participant": part.who,
            "fiscal_year": part.year,
            "quarters": part.quarters.size,
            "spent_usd": float(paid[part.stocks][:, part.quarters].sum()),
            "budget_usd": part.budget if limited else math.nan,
        }


def exposure_rows(
    data: ScheduleData, decisions: Decisions, simulated: NDArray[np.float64]
) -> Iterator[dict[str, Any]]:
    """Yield what shortages cost a year, by quarter and block.

    Parameters
    ----------
    simulated
        (blocks, T) the same, simulated with the stocks of each quarter [USD/year].
    """
    found = exposure_costs(data, decisions.bought)
    for t in range(data.settings.quarters):
        for number, item in enumerate(data.exposures):
            yield {
                "quarter": quarter_name(data.settings, t),
                "materials": "+".join(data.materials[m] for m in data.materials_of[item.block]),
                "exposure_usd_per_year": float(found[number, t]),
                "simulated_usd_per_year": float(simulated[number, t]),
            }


def stores_rows(data: ScheduleData, decisions: Decisions) -> Iterator[dict[str, Any]]:
    """Yield the quarter in which each store is opened."""
    stores = data.couplings.facilities
    for w, name in enumerate(stores.names):
        if not stores.existing[w] and decisions.open_[w].any():
            first = int(decisions.open_[w].argmax())
            yield {"quarter": quarter_name(data.settings, first), "facility": name}


def first_year_rows(
    data: ScheduleData, decisions: Decisions, less: Decisions
) -> Iterator[dict[str, Any]]:
    """Yield what to buy and dispose of in the first year, and what with half the money."""
    paid = payments(data, decisions.bought)[:, :4].sum(axis=1)
    tonnes = data.lot * decisions.bought[:, :4].sum(axis=1)
    half = data.lot * less.bought[:, :4].sum(axis=1)
    gone = data.excess_lot * decisions.disposed[:, :4].sum(axis=1)
    for i in np.flatnonzero((tonnes > 0.0) | (half > 0.0)).tolist():
        yield {
            "participant": data.participants[data.participant[i]],
            "material": data.materials[data.material[i]],
            "lot_t": float(data.lot[i]),
            "acquire_t": float(tonnes[i]),
            "cost_usd": float(paid[i]),
            "dispose_t": 0.0,
            "with_half_the_money_t": float(half[i]),
        }
    for j in np.flatnonzero(gone > 0.0).tolist():
        yield {
            "participant": data.participants[data.excess_participant[j]],
            "material": data.materials[data.excess_material[j]],
            "lot_t": float(data.excess_lot[j]),
            "acquire_t": 0.0,
            "cost_usd": 0.0,
            "dispose_t": float(gone[j]),
            "with_half_the_money_t": 0.0,
        }
