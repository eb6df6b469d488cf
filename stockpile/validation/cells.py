"""Every value on its own, for an instance that was not read from a folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stockpile.cells import CellError
from stockpile.errors import Mistake
from stockpile.reading import SETTINGS_FILE, Gaps, setting_name, toml_value
from stockpile.tables import SECTIONS, TABLES, Header, Row, columns, key_column
from stockpile.validation.places import row_mistake, table_rows

if TYPE_CHECKING:
    from stockpile.instance import Instance


def cell_mistakes(instance: Instance) -> tuple[list[Mistake], Gaps, Instance]:
    """Check every value of an instance on its own.

    Returns
    -------
    mistakes
        What is wrong.
    gaps
        What the instance returned lacks because of that.
    instance
        The instance without the rows that are wrong, fit for `cross_mistakes`.
    """
    mistakes: list[Mistake] = []
    gaps = Gaps()
    clean: dict[str, Any] = {}
    mistakes += _settings_mistakes(instance, Header, "")
    for section, (attribute, settings_type) in SECTIONS.items():
        settings = getattr(instance, attribute)
        found = _settings_mistakes(settings, settings_type, section)
        if found:
            clean[attribute] = settings_type()
        mistakes += found
    if mistakes:
        gaps.incomplete.add(SETTINGS_FILE)
    for table, row_type in TABLES.items():
        rows = table_rows(instance, table)
        good = []
        if not isinstance(rows, tuple):
            gaps.add_table(table)
            expected = f"{table} must be a tuple of {row_type.__name__}"
            mistakes.append(row_mistake(table, (), None, type(rows).__name__, expected))
            rows = ()
        for row in rows:
            found = _row_mistakes(table, row, row_type)
            mistakes += found
            if not found:
                good.append(row)
                continue
            gaps.incomplete.add(table)
            key = key_column(TABLES[table])
            if key is not None:
                gaps.add_name(table, str(getattr(row, key.attribute, "")))
        clean[table] = tuple(good)
    return mistakes, gaps, replace(instance, **clean)


def _settings_mistakes(settings: object, settings_type: type, section: str) -> list[Mistake]:
    if not isinstance(settings, settings_type):
        message = f"[{section}] must be {settings_type.__name__}"
        value = type(settings).__name__
        return [Mistake(SETTINGS_FILE, None, f"[{section}]", value, message)]
    mistakes = []
    for column in columns(settings_type):
        value = getattr(settings, column.attribute)
        try:
            column.take(value)
        except CellError as error:
            mistakes.append(
                Mistake(
                    SETTINGS_FILE,
                    None,
                    setting_name(section, column.name),
                    toml_value(value),
                    f"{column.name} {error.text}",
                    error.hint,
                )
            )
    return mistakes


def _row_mistakes(table: str, row: object, row_type: type[Row]) -> list[Mistake]:
    if not isinstance(row, row_type):
        message = f"a row of {table} must be {row_type.__name__}"
        return [row_mistake(table, (), None, type(row).__name__, message)]
    mistakes = []
    for column in columns(row_type):
        value = getattr(row, column.attribute)
        try:
            column.take(value)
        except CellError as error:
            mistakes.append(
                row_mistake(
                    table, row, column.name, value, f"{column.name} {error.text}", error.hint
                )
            )
    return mistakes
