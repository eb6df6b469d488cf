"""Tables as CSV text for other programs: keys with units as headers, full numbers, no totals.

A text that a spreadsheet would take for a formula gets an apostrophe in front, and so does one
that begins with an apostrophe: whoever takes one away has the text as it was.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.reports.formulas import like_formula

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from stockpile.reports.document import Cell, Table

GUARD = "'"


def csv_text(table: Table) -> str:
    """Return a table as CSV text, without the row of totals, which programs would count twice."""
    return _text([column.key for column in table.columns], table.body)


def frame_csv_text(frame: pd.DataFrame) -> str:
    """Return a DataFrame as CSV text, with texts made safe likewise."""
    return _text([str(name) for name in frame.columns], frame.itertuples(index=False, name=None))


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula.

    >>> guarded("=1+1")
    "'=1+1"
    """
    return GUARD + text if like_formula(text) or text.startswith(GUARD) else text


def unguarded(text: str) -> str:
    """Return the text as it was before :func:`guarded`."""
    return text.removeprefix(GUARD)


def _text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    lines = [header, *([_cell(value) for value in row] for row in rows)]
    return "".join(",".join(map(_quoted, line)) + "\n" for line in lines)


def _cell(value: Cell) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return guarded(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    """Put a text in quotes where it needs them; the csv module forgets some line ends."""
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
