"""One row for every run of a batch: what was asked, and what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.batches.runs import Run
    from stockpile.plan import Plan

COLUMNS: dict[str, type] = {
    "run": str,
    "instance": str,
    "instance_hash": str,
    "changes": str,
    "cooperation": str,
    "seed": float,
    "sampling": str,
    "scenarios": float,
    "status": str,
    "annual_cost_usd": float,
    "bound_usd": float,
    "gap": float,
    "outlay_usd": float,
    "holding_usd_per_year": float,
    "shortage_usd_per_year": float,
    "shipping_usd_per_year": float,
    "conversion_usd_per_year": float,
    "facilities_usd_per_year": float,
    "projects_usd_per_year": float,
    "promises": float,
    "promises_kept": float,
    "error": str,
}
"""Columns of the summary, and what they hold; before them stands what is swept. Seconds are not
among them: the summary of a batch is the same whenever and wherever it runs."""
WHOLE = ("seed", "scenarios", "promises", "promises_kept")
"""Columns of whole numbers, some of which may be missing."""


def asked_row(run: Run) -> dict[str, Any]:
    """Return what the row of a run says before anything has come out."""
    options = {"scenarios": run.options.get("scenarios"), "seed": run.options.get("seed")}
    return {
        **run.swept,
        **options,
        "cooperation": run.options.get("cooperation"),
        "sampling": run.options.get("sampling"),
        "run": run.name,
        "changes": ", ".join(run.changes),
    }


def plan_row(plan: Plan) -> dict[str, Any]:
    """Return what the row of a run says of its plan."""
    row: dict[str, Any] = {
        "instance": plan.instance_name,
        "instance_hash": plan.instance_hash,
        "status": str(plan.status),
        "cooperation": plan.cooperation,
        "seed": plan.seed,
        "sampling": plan.sampling,
        "scenarios": plan.scenario_count,
        "annual_cost_usd": plan.annual_cost_usd,
        "bound_usd": plan.bound_usd,
        "gap": plan.gap,
    }
    if plan.found:
        facilities = plan.facilities
        open_ = facilities["open"].to_numpy(dtype=bool)
        row |= {
            "outlay_usd": float(plan.holdings["outlay_usd"].sum()),
            "holding_usd_per_year": float(plan.costs["holding"].sum()),
            "shortage_usd_per_year": float(plan.costs["shortage"].sum()),
            "shipping_usd_per_year": float(plan.costs["shipping"].sum()),
            "conversion_usd_per_year": float(plan.costs["conversion"].sum()),
            "facilities_usd_per_year": float(
                facilities["fixed_cost_usd_per_year"].to_numpy()[open_].sum()
            ),
            "projects_usd_per_year": float(
                plan.projects[["capital_usd_per_year", "support_usd_per_year"]].to_numpy().sum()
            ),
            "promises": len(plan.coverage),
            "promises_kept": int(plan.coverage["met"].sum()),
        }
    return row


def summary_table(rows: Sequence[dict[str, Any]], swept: Sequence[str]) -> pd.DataFrame:
    """Return the summary of runs; what is swept stands after the name of the run."""
    order = ["run", *(place for place in swept if place not in COLUMNS)]
    order += [column for column in COLUMNS if column != "run"]
    data: dict[str, Any] = {}
    for column in order:
        values = [row.get(column) for row in rows]
        if COLUMNS.get(column) is float:
            numbers = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
            whole = column in WHOLE
            data[column] = pd.Series(numbers).astype("Int64") if whole else numbers
        else:
            data[column] = np.array(["" if v is None else str(v) for v in values], dtype=object)
    return pd.DataFrame(data)
