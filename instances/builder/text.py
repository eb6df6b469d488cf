"""Numbers and tables as text: the same bytes on every run."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.sources import Row


def significant(value: float, digits: int = 4) -> str:
    """A number with so many significant digits, never in powers of ten."""
    return np.format_float_positional(
        float(value), precision=digits, unique=False, fractional=False, trim="-"
    )


def decimals(value: float, digits: int) -> str:
    """A number with at most so many decimals."""
    return np.format_float_positional(
        float(value), precision=digits, unique=False, fractional=True, trim="-"
    )


def table_text(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """A CSV table."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*columns, "ref", "note"], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def references_text(rows: Sequence[Row]) -> str:
    """The table of references, the only one without `ref` and `note`."""
    text = io.StringIO()
    columns = ["ref", "title", "url", "year", "kind"]
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
