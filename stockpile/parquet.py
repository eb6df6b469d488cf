"""Tables as Parquet files, with the unit of every column that has one."""

from __future__ import annotations

import importlib.util
import io
from typing import TYPE_CHECKING

from stockpile.errors import UsageError
from stockpile.plan import TABLES
from stockpile.tidy import COLUMNS, UNITS, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from stockpile.plan import Plan

TIDY = "tidy.parquet"
FILES = (TIDY, *(f"{name}.parquet" for name in TABLES))
"""Files of a plan."""


def parquet_possible() -> bool:
    """Say whether what writes Parquet is installed."""
    return importlib.util.find_spec("pyarrow") is not None


def parquet_files(plan: Plan) -> dict[str, bytes]:
    """Return the tables of a plan, and all of it as one long table, as Parquet files by name.

    Raises
    ------
    UsageError
        If pyarrow is not installed.
    """
    if not parquet_possible():
        raise UsageError('Parquet files need pyarrow: pip install "stockpile[parquet]"')
    return {
        TIDY: _parquet(tidy(plan), COLUMNS),
        **{
            f"{name}.parquet": _parquet(getattr(plan, name), columns)
            for name, columns in TABLES.items()
        },
    }


def _parquet(frame: pd.DataFrame, columns: Mapping[str, type]) -> bytes:
    """Return a DataFrame as Parquet; a table without rows has the same types as any other."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema(
        [
            pa.field(name, kinds[kind], metadata={"unit": UNITS[name]} if name in UNITS else None)
            for name, kind in columns.items()
        ]
    )
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False), buffer)
    return buffer.getvalue()
