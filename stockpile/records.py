"""Summaries and tables of results as JSON and CSV text."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from stockpile.errors import ResultError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd


def plain(value: Any) -> Any:
    """Turn a cell into what JSON knows; a number that is not there is null."""
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def json_text(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame] | None = None) -> str:
    """Return a summary of plain values, with tables as lists of rows, as JSON text."""
    rows = {
        name: [
            {str(column): plain(value) for column, value in row.items()}
            for row in table.to_dict(orient="records")
        ]
        for name, table in (tables or {}).items()
    }
    return json.dumps({**summary, **rows}, indent=2, allow_nan=False) + "\n"


def csv_texts(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Return the text of each table by the name of its file."""
    return {
        f"{name}.csv": table.to_csv(index=False, lineterminator="\n")
        for name, table in tables.items()
    }


def read_json(path: Path) -> dict[str, Any]:
    """Read the JSON object of a file.

    Raises
    ------
    ResultError
        If it cannot be read, or is none.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise ResultError(f"{path} is damaged: {error}") from error
    if not isinstance(data, dict):
        raise ResultError(f"{path} is damaged: it is not the summary of a result")
    return data
