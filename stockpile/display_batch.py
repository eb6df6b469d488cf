"""A batch as a table for a terminal or a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from stockpile.batches.summary import COLUMNS
from stockpile.display import render_table
from stockpile.number_text import number_text

if TYPE_CHECKING:
    from stockpile.batches.batch import Batch


def batch_table(batch: Batch) -> str:
    """Show one line for each run."""
    summary = batch.summary
    swept = [column for column in summary.columns if column not in COLUMNS]
    seconds = batch.manifest["seconds"].tolist()
    rows = []
    for row, took in zip(summary.to_dict(orient="records"), seconds, strict=True):
        promises = row["promises"]
        kept = "-" if pd.isna(promises) else f"{row['promises_kept']}/{promises}"
        gap = row["gap"]
        rows.append(
            [
                row["run"],
                *(row[place] for place in swept),
                row["status"],
                number_text(row["annual_cost_usd"] / 1e6),
                "-" if pd.isna(gap) else f"{100.0 * gap:.2f} %",
                number_text(row["outlay_usd"] / 1e6),
                kept,
                "-" if pd.isna(took) else f"{took:.1f}",
            ]
        )
    header = ["run", *swept, "status", "M USD\na year", "gap", "outlay\nM USD", "promises", "s"]
    return render_table(f"Batch of {len(rows)} runs", header, rows, left={*range(len(swept) + 2)})
