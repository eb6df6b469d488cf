"""The tables of a comparison: their columns, and how they are made of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpile.result_tables import typed_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

TABLES: dict[str, dict[str, type]] = {
    "worlds": {
        "world": str,
        "status": str,
        "annual_cost_usd": float,
        "bound_usd": float,
        "gap": float,
        "holding_usd": float,
        "shortage_usd": float,
        "shipping_usd": float,
        "conversion_usd": float,
        "facilities_usd": float,
        "projects_usd": float,
        "saving_usd": float,
        "saving_lower_usd": float,
        "saving_upper_usd": float,
        "saving_share": float,
        "seconds": float,
    },
    "borne": {
        "world": str,
        "participant": str,
        "holding_usd": float,
        "shortage_usd": float,
        "shipping_usd": float,
        "conversion_usd": float,
        "facilities_usd": float,
        "projects_usd": float,
        "total_usd": float,
    },
    "savings": {
        "world": str,
        "participant": str,
        "material": str,
        "alone_usd": float,
        "together_usd": float,
        "saving_usd": float,
        "holding_saving_usd": float,
        "shortage_saving_usd": float,
        "shipping_saving_usd": float,
        "conversion_saving_usd": float,
    },
    "reasons": {
        "world": str,
        "material": str,
        "alone_usd": float,
        "saving_usd": float,
        "saving_lower_usd": float,
        "saving_upper_usd": float,
        "fewer_tonnes_usd": float,
        "cheaper_place_usd": float,
        "fewer_shortages_usd": float,
        "shipping_usd": float,
        "conversion_usd": float,
        "alone_t": float,
        "together_t": float,
        "coincidence": float,
        "correlation": float,
        "capital_least_per_year": float,
        "capital_most_per_year": float,
        "storage_usd_per_t_year": float,
        "price_usd_per_kg": float,
        "reason": str,
    },
    "holdings": {
        "world": str,
        "participant": str,
        "material": str,
        "holding_t": float,
        "rule": str,
        "claim_share": float,
        "claim_t": float,
    },
    "coalitions": {
        "coalition": str,
        "cost_usd": float,
        "saving_usd": float,
        "plan": str,
        "status": str,
    },
    "splits": {
        "split": str,
        "participant": str,
        "alone_usd": float,
        "pays_usd": float,
        "saving_usd": float,
        "borne_usd": float,
        "side_payment_usd": float,
    },
    "core": {
        "split": str,
        "coalition": str,
        "pays_usd": float,
        "cost_usd": float,
        "excess_usd": float,
        "objects": bool,
    },
    "tickets": {
        "split": str,
        "holder": str,
        "material": str,
        "claim_t": float,
        "claim_usd": float,
        "payment_usd_per_year": float,
        "ticket_usd_per_t_year": float,
        "ticket_share_per_year": float,
    },
    "article7": {
        "case": str,
        "material": str,
        "participant": str,
        "months": int,
        "consumption_t_per_month": float,
        "available_t_per_month": float,
        "commitment_t": float,
        "sharing": str,
        "restraint": float,
        "drawdown_t_per_month": float,
        "supply_right_t_per_month": float,
        "balance_t_per_month": float,
        "balance_usd_per_month": float,
    },
    "default": {
        "participant": str,
        "shortage_usd": float,
        "default_shortage_usd": float,
        "extra_shortage_usd": float,
        "shipping_saved_usd": float,
        "conversion_saved_usd": float,
        "default_total_usd": float,
        "alone_usd": float,
        "above_alone_usd": float,
        "break_even": float,
        "broken_promises": int,
    },
    "floors": {
        "participant": str,
        "material": str,
        "demand_class": str,
        "metric": str,
        "level": float,
        "confidence": float,
        "stress": str,
        "group": str,
        "with_partners": float,
        "without_partners": float,
        "short_by": float,
        "alone": float,
    },
}
"""Tables of a comparison folder, their columns and what these hold."""


def table(name: str, rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Return a table of a comparison from rows, its columns in order and of their types."""
    return typed_table(TABLES[name], list(rows))
