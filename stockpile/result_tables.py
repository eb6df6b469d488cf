"""Tables of result folders: columns of known types, read with a message for whatever is wrong."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stockpile.errors import ResultError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def typed_table(columns: Mapping[str, type], rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a table from rows, with its columns in order and of their types."""
    kinds: dict[type, Any] = {str: object, int: np.int64, float: np.float64, bool: np.bool_}
    return pd.DataFrame(
        {
            column: np.array([row[column] for row in rows], dtype=kinds[kind])
            for column, kind in columns.items()
        }
    )


def read_result_table(path: Path, columns: Mapping[str, type]) -> pd.DataFrame:
    """Read one table of a result folder, every cell as what its column holds.

    Raises
    ------
    ResultError
        If the file is not such a table.
    """
    try:
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8")), strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise ResultError(f"{path} cannot be read: {error}") from error
    if not lines or lines[0] != list(columns):
        raise ResultError(
            f"{path} has the columns {', '.join(lines[0]) if lines else '(none)'}; "
            f"expected {', '.join(columns)}"
        )
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        if len(cells) != len(columns):
            raise ResultError(f"{path}, line {number}: {len(cells)} cells; expected {len(columns)}")
        row = {}
        for (column, kind), cell in zip(columns.items(), cells, strict=True):
            try:
                row[column] = _parse(cell, kind)
            except ValueError:
                raise ResultError(
                    f"{path}, line {number}, column {column}: {cell!r}; expected {_EXPECTED[kind]}"
                ) from None
        rows.append(row)
    return typed_table(columns, rows)


_EXPECTED = {
    str: "text without control characters",
    int: "a whole number",
    float: "a number or nothing",
    bool: "True or False",
}


def _parse(cell: str, kind: type) -> str | int | float | bool:
    if kind is bool:
        return ("False", "True").index(cell) == 1
    if kind is float:
        value = float(cell) if cell else math.nan
        if math.isinf(value):
            raise ValueError
        return value
    if kind is int:
        whole = int(cell)
        if abs(whole) >= 2**63:
            raise ValueError
        return whole
    return _plain_text(cell)


def _plain_text(text: str) -> str:
    """Refuse characters that would do something to a terminal."""
    if not all(letter.isprintable() for letter in text):
        raise ValueError
    return text
