"""Tables of a document as files for other programs."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stockpile.reports.document import Cell, Table

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With these a spreadsheet begins a formula."""


def csv_text(table: Table) -> str:
    """Return a table as CSV, with the keys of its columns and full precision.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.key for column in table.columns])
    for row in table.rows:
        writer.writerow([_cell(cell) for cell in row])
    return text.getvalue()


def _cell(cell: Cell) -> str:
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA) and cell != "-" else cell
    return repr(cell) if isinstance(cell, float) else str(cell)
