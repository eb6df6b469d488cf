"""What the rules share: mistakes with their place, and lists spelled out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpile.cells import ALL
from stockpile.errors import Mistake
from stockpile.tables import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.instance import Instance

TOLERANCE = 1e-9
"""Sums of shares, and numbers of lots, are compared within this."""


def row_mistake(
    table: str,
    rows: Row | Sequence[Row],
    column: str | None,
    value: object,
    message: str,
    hint: str = "",
) -> Mistake:
    """Return a mistake of one row or of several rows of a table."""
    found = [rows] if isinstance(rows, Row) else list(rows)
    file = next((row.file for row in found if row.file), "")  # What an overlay says comes first.
    lines = sorted({row.line for row in found if row.line and row.file == file})
    return Mistake(
        file or f"{table}.csv",
        lines[0] if lines else None,
        column,
        None if value is None else f"{value:g}" if isinstance(value, float) else str(value),
        message,
        hint,
        tuple(lines[1:]),
    )


def table_rows(instance: Instance, table: str) -> tuple[Any, ...]:
    """Return the rows of a table."""
    rows: tuple[Any, ...] = getattr(instance, table)
    return rows


def expand(names: Sequence[str], everything: Sequence[str]) -> Sequence[str]:
    """Return the names that a list cell stands for."""
    return everything if tuple(names) == (ALL,) else names
