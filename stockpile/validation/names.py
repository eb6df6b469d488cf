"""Names: that they are given, unique, and mean what they are used for."""

from __future__ import annotations

import itertools
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

from stockpile.cells import ALL, KeyOf, NameList
from stockpile.errors import suggestion
from stockpile.tables import REQUIRED_TABLES, TABLES, Row, columns, key_column, names_of
from stockpile.validation.places import row_mistake, table_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.errors import Mistake
    from stockpile.instance import Instance
    from stockpile.reading import Gaps


def _required_rows(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    for table in REQUIRED_TABLES:
        if not table_rows(instance, table) and table not in gaps.incomplete:
            yield row_mistake(
                table, (), None, None, f"{table}.csv has no rows; it needs at least one"
            )


def _references(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that every name that a cell refers to is given by the other table."""
    for table, row_type in TABLES.items():
        for column in columns(row_type):
            cell = column.cell
            if not isinstance(cell, (KeyOf, NameList)) or cell.table is None:
                continue
            if cell.table in gaps.unreadable:
                continue
            known = names_of(cell.table, table_rows(instance, cell.table))
            valid = {ALL, *known, *gaps.names.get(cell.table, ())}
            if isinstance(cell, KeyOf):
                valid.update(cell.also)
            users: dict[str, list[Row]] = defaultdict(list)
            for row in table_rows(instance, table):
                value = getattr(row, column.attribute)
                for name in (value,) if isinstance(value, str) else value or ():
                    if name not in valid:
                        users[name].append(row)
            if users and not known and cell.table not in gaps.incomplete:
                yield row_mistake(
                    table,
                    list(itertools.chain.from_iterable(users.values())),
                    column.name,
                    ", ".join(users),
                    f"{table}.csv names {cell.table}, but there are no rows in {cell.table}.csv",
                    f"Add {cell.table}.csv with a row for each.",
                )
                continue
            for name, rows in users.items():
                yield row_mistake(
                    table,
                    rows,
                    column.name,
                    name,
                    f"{column.name} must be {cell.expected}; there is no {name!r}",
                    suggestion(name, known, f"names in {cell.table}.csv"),
                )


def _unique_rows(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that no two rows of a table are about the same."""
    for table, row_type in TABLES.items():
        if not row_type.key:
            continue
        rows_of: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for row in table_rows(instance, table):
            # An empty cell is a value like others here: a recycled material, for one.
            rows_of[tuple(getattr(row, column) or "" for column in row_type.key)].append(row)
        for names, rows in rows_of.items():
            if len(rows) > 1:
                about = ", ".join(row_type.key)
                yield row_mistake(
                    table,
                    rows,
                    row_type.key[-1],
                    ", ".join(filter(None, names)),
                    f"{len(rows)} rows have the same {about}; expected one row for each",
                    "Keep one of them.",
                )


def _distinct_spelling(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that no two names differ only by case or encoding: readers would mix them up."""
    for table in TABLES:
        column = key_column(TABLES[table])
        if column is None:
            continue
        first_with: dict[str, Row] = {}
        for row in table_rows(instance, table):
            name = getattr(row, column.attribute)
            first = first_with.setdefault(unicodedata.normalize("NFC", name).casefold(), row)
            first_name = getattr(first, column.attribute)
            if name != first_name:
                yield row_mistake(
                    table,
                    (first, row),
                    column.name,
                    name,
                    f"{name} and {first_name} differ only by case",
                    "Use one spelling, or clearly different names.",
                )


def _distinct_priorities(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    rows_of: dict[int, list[Row]] = defaultdict(list)
    for row in instance.classes:
        rows_of[row.priority].append(row)
    for priority, rows in rows_of.items():
        if len(names_of("classes", rows)) > 1:
            classes = " and ".join(names_of("classes", rows))
            yield row_mistake(
                "classes",
                rows,
                "priority",
                priority,
                f"{classes} have the same priority; each class needs its own, 1 is served first",
            )


RULES = (
    _required_rows,
    _references,
    _unique_rows,
    _distinct_spelling,
    _distinct_priorities,
)
