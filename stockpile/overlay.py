"""Private tables laid over a public instance: rows that both have are changed, others are added.

An overlay is a folder with some of the tables of an instance. Its rows say by their key columns
which row they mean, and change what stands in their other cells; an empty cell changes nothing.
Nothing is ever written to either folder.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from stockpile.errors import InstanceError, Mistake
from stockpile.reading import (
    SETTINGS_FILE,
    Draft,
    near_folder_hint,
    read_table,
    report_unknown_tables,
)
from stockpile.tables import TABLES, columns

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from stockpile.tables import Column, Row

_EVENT = ("effect", "source", "materials", "targets", "demand_class", "start_month")
KEYS: dict[str, tuple[str, ...]] = {
    **{table: row_type.key for table, row_type in TABLES.items()},
    "shortage": ("participant", "material", "demand_class"),
    "commercial": ("participant", "material", "demand_class"),
    "events": ("scenario", *_EVENT),
    "stress": ("stress", *_EVENT),
    "outcomes": ("stress", "month"),
    "coverage": (
        "participant",
        "material",
        "demand_class",
        "metric",
        "stress",
        "group",
        "sharing",
    ),
    "concentration": ("participant", "material", "source"),
    "rules": ("rule", "relation", "demand_class", "from_month"),
}
"""Columns of each table by which a row of an overlay says which row it means."""


def lay_over(draft: Draft, folder: Path) -> None:
    """Lay the tables of a folder over those of a draft; mistakes are added to its mistakes.

    Raises
    ------
    InstanceError
        If the folder cannot be read, or has no tables.
    """
    over = Draft()
    files = _tables_in(folder, over)
    report_unknown_tables(files, over)
    for table, row_type in TABLES.items():
        if f"{table}.csv" in files:
            draft.values[table] = _laid(draft, over, folder, table, row_type)
    draft.mistakes += [
        dataclasses.replace(mistake, file=_file(folder, mistake.file)) for mistake in over.mistakes
    ]
    draft.gaps.incomplete |= over.gaps.incomplete
    draft.gaps.unreadable |= over.gaps.unreadable
    for table, names in over.gaps.names.items():
        draft.gaps.names.setdefault(table, set()).update(names)


def _tables_in(folder: Path, over: Draft) -> list[str]:
    """Return the names of the CSV files in an overlay."""

    def fatal(message: str, hint: str = "") -> InstanceError:
        return InstanceError([Mistake(str(folder), None, None, None, message, hint)])

    try:
        if not folder.is_dir():
            raise fatal("there is no such overlay folder", near_folder_hint(folder))
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise fatal(f"the overlay cannot be read: {error.strerror}") from error
    files = [name for name in names if name.lower().endswith(".csv") and name[0] != "."]
    if not files:
        raise fatal("the overlay has no tables", "It needs at least one, such as holdings.csv.")
    if SETTINGS_FILE in names:
        message = "an overlay has tables only"
        hint = "Change settings with --set agreement.joint_budget_usd=4e9, for one."
        over.mistakes.append(Mistake(SETTINGS_FILE, None, None, None, message, hint))
    return files


def _file(folder: Path, name: str) -> str:
    return f"{folder.resolve().name}/{name}"


def _laid(
    draft: Draft, over: Draft, folder: Path, table: str, row_type: type[Row]
) -> tuple[Row, ...]:
    """Return the rows of a table with those of the overlay."""
    declared = {column.name: column for column in columns(row_type)}
    key = [declared[name] for name in KEYS[table]]
    file = _file(folder, f"{table}.csv")
    needed = [column.name for column in key if column.required]
    rows = list(draft.values[table])
    place: dict[tuple[Any, ...], list[int]] = {}
    for number, row in enumerate(rows):
        place.setdefault(_key_of(row, key), []).append(number)
    seen: dict[tuple[Any, ...], int] = {}
    for line, cells in read_table(folder, table, row_type, over, needed):
        meant = tuple(cells.get(column.attribute, column.default) for column in key)
        where = place.get(meant, [])
        mistake = _mistake(table, line, key, meant, seen.get(meant), len(where))
        if mistake is None and not where:
            mistake = _missing(table, line, declared.values(), cells)
        if mistake is not None:
            over.mistakes.append(mistake)
            over.gaps.incomplete.add(table)
            if not where and key and isinstance(meant[0], str):
                over.gaps.add_name(table, meant[0])
        elif where:
            rows[where[0]] = dataclasses.replace(rows[where[0]], **cells, line=line, file=file)
        else:
            rows.append(row_type(**cells, line=line, file=file))
        seen.setdefault(meant, line)
    return tuple(rows)


def _key_of(row: Row, key: Sequence[Column]) -> tuple[Any, ...]:
    return tuple(getattr(row, column.attribute) for column in key)


def _mistake(
    table: str,
    line: int,
    key: Sequence[Column],
    meant: tuple[Any, ...],
    before: int | None,
    found: int,
) -> Mistake | None:
    """Return what is wrong with the row that is meant, if anything."""
    value = ", ".join(column.write(part) for column, part in zip(key, meant, strict=True) if part)
    name = f"{table}.csv"
    if before is not None:
        message = "the overlay has two rows with the same key"
        return Mistake(name, line, None, value, message, "Keep one of the two.", (before,))
    if found > 1:
        message = f"{found} rows of the instance have this key, and one has to be meant"
        hint = f"A row is known by {', '.join(column.name for column in key)}."
        return Mistake(name, line, None, value, message, hint)
    return None


def _missing(
    table: str, line: int, declared: Collection[Column], cells: dict[str, Any]
) -> Mistake | None:
    """Return that a new row lacks something, if it does."""
    lacking = [item.name for item in declared if item.required and item.attribute not in cells]
    if not lacking:
        return None
    message = f"the instance has no such row, and a new one needs {', '.join(lacking)}"
    return Mistake(f"{table}.csv", line, lacking[0], None, message)
