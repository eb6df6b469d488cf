"""Order sheets of a nation that knows its partners' stocks as bands only.

What a nation has to release this month depends on its partners' stocks: what they leave unserved
of their own needs, and what that leaves of its stock for lower classes. A release to a higher class
of a partner falls where the partner has more; one to a lower class may rise first. So orders are
worked out at several points between the ends of all bands, and the least and the most are told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stockpile.daily_use import days, yearly_use
from stockpile.desk.continuations import continuations
from stockpile.desk.orders import this_month
from stockpile.desk.situation import situation
from stockpile.desk.state import check_state
from stockpile.errors import UsageError, suggestion
from stockpile.parallel import Workers
from stockpile.plan_decisions import require_same
from stockpile.problem import DAYS_PER_YEAR
from stockpile.redaction import BANDS, NO_STOCK, band, band_names
from stockpile.result_tables import typed_table

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.desk.state import State
    from stockpile.instance import Instance
    from stockpile.plan import Plan

SIDE_ORDERS: dict[str, type] = {
    "owner": str,
    "beneficiary": str,
    "material": str,
    "needed": str,
    "demand_class": str,
    "plants": str,
    "taken_least_t": float,
    "taken_most_t": float,
    "rule": str,
    "line": str,
}
"""Columns of an order sheet between bands."""
POINTS = 9
"""Points between the ends of bands at which orders are worked out."""


def redacted_state(state: State, instance: Instance, participant: str) -> State:
    """Return a state that may be shown to partners: stocks of a participant as bands.

    Raises
    ------
    UsageError
        If there is no such participant.
    """
    _require_participant(instance, participant)
    use = yearly_use(instance)
    stocks = tuple(
        replace(
            row,
            stock_t=None,
            band=band(
                days(row.stock_t, use.get((row.participant, row.material), 0.0)), row.stock_t
            ),
            note="",
        )
        if row.participant == participant and row.stock_t is not None
        else row
        for row in state.stocks
    )
    return replace(state, stocks=stocks)


def band_ends(name: str, use_t_per_year: float, holding_t: float) -> tuple[float, float]:
    """Return the least and the most that a stock in a band may be [t].

    Bands without an upper end, and those of materials without use, end at what is agreed to be
    held, or where they begin.
    """
    if name == NO_STOCK:
        return 0.0, 0.0
    bands = band_names()
    place = bands.index(name) if name in bands else -1
    tonnes = [0.0, *(end * use_t_per_year / DAYS_PER_YEAR for end in BANDS)]
    if not 1 <= place <= len(BANDS):
        least = tonnes[-1] if place > len(BANDS) else 0.0
        return least, max(holding_t, least)
    return tonnes[place - 1], tonnes[place]


def between(state: State, instance: Instance, plan: Plan) -> list[State]:
    """Return states without bands: all stocks at the same part of their bands, from end to end."""
    if all(row.band is None for row in state.stocks):
        return [state]
    use = yearly_use(instance)
    held = {
        (str(row["participant"]), str(row["material"])): float(row["holding_t"])
        for row in plan.holdings.to_dict(orient="records")
    }

    def at(part: float) -> State:
        rows = []
        for row in state.stocks:
            if row.band is None:
                rows.append(row)
                continue
            key = (row.participant, row.material)
            least, most = band_ends(row.band, use.get(key, 0.0), held.get(key, 0.0))
            tonnes = least + part * (most - least)
            rows.append(replace(row, stock_t=tonnes, band=None))
        return replace(state, stocks=tuple(rows))

    return [at(point / (POINTS - 1)) for point in range(POINTS)]


def side_orders(
    instance: Instance, plan: Plan, state: State, participant: str, *, threads: int | None = None
) -> pd.DataFrame:
    """Return the orders of one nation this month, at least and at most.

    Parameters
    ----------
    state
        Partners' stocks may be bands; its own are in tonnes.

    Returns
    -------
    DataFrame
        See :data:`SIDE_ORDERS`. Both amounts are the same where partners' stocks make no
        difference.

    Raises
    ------
    UsageError
        If there is no such participant, or its own stocks are bands.
    ResultError
        If the plan was made from another instance, or there is none.
    InstanceError
        If the state cannot be one of the plan.
    """
    require_same(plan, instance)
    _require_participant(instance, participant)
    check_state(state, instance, plan)
    hidden = [row.material for row in state.stocks if row.participant == participant and row.band]
    if hidden:
        raise UsageError(
            f"the stocks of {participant} are bands in this state ({', '.join(hidden[:3])}); "
            "its own orders need them in tonnes"
        )
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    points = between(state, instance, plan)
    for one in points:
        for row in _orders(instance, plan, one, threads):
            if row["owner"] != participant:
                continue
            key = tuple(row[name] for name in ("beneficiary", "material", "needed", "demand_class"))
            key = (*key, row["plants"])
            entry = found.setdefault(key, {**row, "amounts": []})
            entry["amounts"].append(row["taken_t"])
    rows = []
    for entry in found.values():
        amounts = entry.pop("amounts")
        amounts += [0.0] * (len(points) > len(amounts))
        rows.append({**entry, "taken_least_t": min(amounts), "taken_most_t": max(amounts)})
    return typed_table(SIDE_ORDERS, rows)


def _orders(
    instance: Instance, plan: Plan, state: State, threads: int | None
) -> list[dict[str, Any]]:
    """Return all orders of this month where all stocks are known."""
    now = situation(instance, plan, state)
    drawn = continuations(instance, now.problem, state, now.states, 1, 0)
    orders: list[dict[str, Any]] = []
    with Workers(threads) as workers:
        for block in now.blocks:
            orders += this_month(now, block, now.needs(block, drawn, workers))[0]
    return orders


def _require_participant(instance: Instance, participant: str) -> None:
    known = [row.participant for row in instance.participants]
    if participant not in known:
        hint = suggestion(participant, known, "participants")
        raise UsageError(f"there is no participant {participant!r}. {hint}")
