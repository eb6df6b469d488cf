"""One long table of all that a plan says: a row for every value, with its unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stockpile.plan import TABLES
from stockpile.result_tables import typed_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from stockpile.plan import Plan

COLUMNS: dict[str, type] = {
    "table": str,
    "row": int,
    "participant": str,
    "material": str,
    "demand_class": str,
    "item": str,
    "value": float,
    "unit": str,
    "text": str,
}
"""Columns of the table, and what they hold."""
SUMMARY = "plan"
"""Stands for ``plan.json`` in the column ``table``."""
KEYS = ("participant", "material", "demand_class")
"""Columns of a plan's tables that keep their name."""
UNITS = {
    "lots": "lots",
    "holding_t": "t",
    "existing_t": "t",
    "buy_t": "t",
    "capacity_t": "t",
    "days_of_cover": "days",
    "outlay_usd": "USD",
    "annual_holding_cost_usd": "USD/year",
    "fixed_cost_usd_per_year": "USD/year",
    "capital_usd": "USD",
    "capital_usd_per_year": "USD/year",
    "support_usd_per_year": "USD/year",
    "start_month_median": "month",
    "output_t_per_year": "t/year",
    "share_before": "fraction",
    "share_after": "fraction",
    "hhi_before": "fraction",
    "hhi_after": "fraction",
    "annual_cost_usd": "USD/year",
    "bound_usd": "USD/year",
    "holding": "USD/year",
    "shortage": "USD/year",
    "shipping": "USD/year",
    "conversion": "USD/year",
    "gap": "fraction",
    "alone_gap": "fraction",
    "level": "fraction",
    "confidence": "fraction",
    "achieved": "fraction",
    "seconds": "s",
}
"""Units of items; those of ``limits`` and of days of cover stand in their rows."""


def tidy(plan: Plan) -> pd.DataFrame:
    """Return one long table of a plan.

    Every cell of every table of the plan is a row: ``table`` and ``row`` (counted from 0) say where
    it stands, ``participant``, ``material`` and ``demand_class`` whose it is, and ``item`` is its
    column. Numbers stand in ``value``, true as 1, and texts in ``text``. Rows of the table ``plan``
    are the keys of ``plan.json``. A whole number that a double cannot hold stands in ``text``, too.
    """
    rows = []
    for key, given in plan.summary().items():
        if isinstance(given, dict):
            rows += [_row(SUMMARY, 0, {}, f"{key}.{name}", value) for name, value in given.items()]
        elif isinstance(given, list):
            rows += [_row(SUMMARY, place, {}, key, value) for place, value in enumerate(given)]
        else:
            rows.append(_row(SUMMARY, 0, {}, key, given))
    for name, columns in TABLES.items():
        items = [column for column in columns if column not in KEYS]
        for place, cells in enumerate(getattr(plan, name).to_dict(orient="records")):
            rows += [_row(name, place, cells, item, cells[item]) for item in items]
    return typed_table(COLUMNS, rows)


def _row(table: str, place: int, cells: Mapping[Any, Any], item: str, given: Any) -> dict[str, Any]:
    number, text = math.nan, ""
    if isinstance(given, str):
        text = str(given)
    elif given is not None:
        number = float(given)
        if isinstance(given, int) and int(number) != given:
            text = str(given)
    return {
        "table": table,
        "row": place,
        **{key: cells.get(key, "") for key in KEYS},
        "item": item,
        "value": number,
        "unit": "" if isinstance(given, str) else _unit(cells, item),
        "text": text,
    }


def _unit(cells: Mapping[Any, Any], item: str) -> str:
    if item in ("used", "allowed"):
        return str(cells["unit"])
    if item in ("level", "achieved") and cells["metric"] == "days":
        return "days"
    return UNITS.get(item, "")
