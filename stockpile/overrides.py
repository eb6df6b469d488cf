"""Changes of an instance in words: ``coverage[metric=days].level=60``, one place and one value.

A place is a column of a table, ``materials.price_usd_per_kg``; in brackets stand the rows that are
meant, all others stay as they are. Or it is a key of ``instance.toml``,
``agreement.joint_budget_usd`` or, at its top, ``horizon_months``. The value is written as in the
file; ``*1.2`` multiplies.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stockpile.cells import CellError, NameList, Number, Whole
from stockpile.errors import UsageError, printable, suggestion
from stockpile.instance import validate
from stockpile.tables import SECTIONS, TABLES, Column, Header, columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stockpile.instance import Instance
    from stockpile.tables import Row

EXAMPLE = "such as coverage[metric=days].level=60 or materials.price_usd_per_kg=*1.2"
OPTIONS = {
    ("scenarios", "count"): "scenarios",
    ("scenarios", "seed"): "seed",
    ("scenarios", "sampling"): "sampling",
    ("solve", "cooperation"): "cooperation",
    ("solve", "gap"): "gap",
}
"""Settings that are arguments of a solve as well, and are changed there."""

_PLACE = re.compile(
    r"(?:(?P<table>\w+)(?:\[(?P<rows>.*?)\])?\.)?(?P<column>\w+)\s*=\s*(?P<value>.*)", re.DOTALL
)
_SPLIT = re.compile(r"(?P<place>\w+(?:\[.*?\])?(?:\.\w+)?)\s*=(?P<value>.*)", re.DOTALL)
_FACTOR = re.compile(r"\*\s*(?P<factor>[+-]?[\d.].*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Override:
    """One change of an instance.

    Attributes
    ----------
    text
        As written.
    table
        Table whose rows are changed; None for a setting.
    section
        Section of ``instance.toml``, empty for its top; None for a table.
    rows
        Columns and what has to stand in them in the rows that are meant; empty for all rows.
    column
        What is changed.
    value
        The new value, or what to multiply by.
    times
        Whether to multiply.
    """

    text: str
    table: str | None
    section: str | None
    rows: tuple[tuple[Column, str], ...]
    column: Column
    value: object
    times: bool


def parse_override(text: str) -> Override:
    """Read a change.

    Raises
    ------
    UsageError
        Saying what cannot be understood, and the nearest valid names.
    """
    match = _PLACE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{printable(text)}: expected PLACE=VALUE, {EXAMPLE}")
    name, column_name = match["table"], match["column"]
    declared, table, section = _declared(text, name, column_name, match["rows"])
    column = _column(text, declared, column_name, name or "instance.toml")
    if (section, column_name) in OPTIONS:
        raise UsageError(_not_here(text, OPTIONS[section or "", column_name]))
    if section == "" and column_name == "format":
        raise UsageError(f"{printable(text)}: the format cannot be changed")
    rows = _rows(text, declared, table or "", match["rows"]) if match["rows"] is not None else ()
    value, times = _value(text, column, match["value"])
    return Override(text.strip(), table, section, rows, column, value, times)


def split_place(text: str) -> tuple[str, str] | None:
    """Divide ``PLACE=VALUE`` at the right equals sign; None where there is none."""
    match = _SPLIT.fullmatch(text.strip())
    return None if match is None else (match["place"], match["value"].strip())


def with_overrides(instance: Instance, overrides: Iterable[str]) -> Instance:
    """Return an instance with changes, made one after the other.

    Parameters
    ----------
    overrides
        See the head of this file.

    Raises
    ------
    UsageError
        If a change cannot be understood, or no row is as it says; all such changes are named.
    InstanceError
        If the instance is wrong with the changes.
    """
    overrides = (overrides,) if isinstance(overrides, str) else overrides
    wrong = []
    changed = instance
    for text in overrides:
        try:
            changed = _changed(changed, parse_override(text))
        except UsageError as error:
            wrong.append(str(error))
    if wrong:
        raise UsageError("\n".join(wrong))
    if changed is not instance:
        validate(changed)
    return changed


def _not_here(text: str, option: str) -> str:
    flag = f"--{option.replace('_', '-')}"
    return (
        f"{printable(text)}: this is an option of the solve; give it as {flag}, in Python as "
        f"{option}=, in a batch as --set {option}=..."
    )


def _declared(
    text: str, name: str | None, column: str, rows: str | None
) -> tuple[type, str | None, str | None]:
    """Return what declares the column, and the table or the section that it is."""
    if name is None:
        if any(item.name == column for item in columns(Header)):
            return Header, None, ""
        if column in OPTIONS.values():
            raise UsageError(_not_here(text, column))
        homes = [f"{table}.{column}" for table, kind in TABLES.items() if _has(kind, column)]
        homes += [f"{part}.{column}" for part, (_, kind) in SECTIONS.items() if _has(kind, column)]
        if homes:
            hint = f"Write {' or '.join(homes[:4])}."
        else:
            hint = suggestion(column, [item.name for item in columns(Header)], "keys")
        raise UsageError(
            f"{printable(text)}: there is no {column} at the top of instance.toml. {hint}"
        )
    # A section and a table share a name: the column says which is meant.
    if (
        name in SECTIONS
        and rows is None
        and (name not in TABLES or _has(SECTIONS[name][1], column))
    ):
        return SECTIONS[name][1], None, name
    if name in TABLES:
        return TABLES[name], name, None
    known = list(dict.fromkeys([*TABLES, *SECTIONS]))
    hint = suggestion(name, known, "tables and sections")
    raise UsageError(f"{printable(text)}: there is no table or section {name}. {hint}")


def _has(declared: type, column: str) -> bool:
    return any(item.name == column for item in columns(declared))


def _column(text: str, declared: type, name: str, where: str) -> Column:
    for column in columns(declared):
        if column.name == name:
            return column
    hint = suggestion(name, [column.name for column in columns(declared)], "columns")
    raise UsageError(f"{printable(text)}: {where} has no {name}. {hint}")


def _rows(text: str, declared: type, table: str, written: str) -> tuple[tuple[Column, str], ...]:
    """Read what stands in brackets: ``column=value``, separated by commas."""
    try:
        items = next(csv.reader([written], strict=True, skipinitialspace=True))
    except (csv.Error, StopIteration):
        items = []
    found = []
    for item in items:
        name, equal, value = item.partition("=")
        if not equal:
            items = []
            break
        found.append((_column(text, declared, name.strip(), table), value.strip()))
    if not items:
        example = "[metric=days] or [participant=us,metric=days]"
        raise UsageError(f"{printable(text)}: expected rows such as {example}")
    return tuple(found)


def _value(text: str, column: Column, written: str) -> tuple[object, bool]:
    """Return the value, and whether it is a factor."""
    factor = _FACTOR.fullmatch(written.strip())
    try:
        if factor is None or not isinstance(column.cell, Number):
            return column.parse(written), False
        return Number("times", at_least=0.0).parse(factor["factor"].strip()), True
    except CellError as error:
        raise UsageError(_refusal(text, column, error)) from None


def _refusal(text: str, column: Column, error: CellError) -> str:
    return f"{printable(text)}: {column.name} {error.text}. {error.hint}".rstrip()


def _changed(instance: Instance, override: Override) -> Instance:
    if override.table is None:
        section = override.section
        attribute = SECTIONS[section][0] if section else None
        settings = getattr(instance, attribute) if attribute else instance
        cells = _new_cells(settings, override)
        if attribute:
            cells = {attribute: replace(settings, **cells)}
        return replace(instance, **cells)
    rows: Sequence[Row] = getattr(instance, override.table)
    meant = [_is_meant(row, override.rows) for row in rows]
    if not any(meant):
        raise UsageError(f"{printable(override.text)}: {_nothing_meant(rows, override)}")
    changed: dict[str, Any] = {
        override.table: tuple(
            replace(row, **_new_cells(row, override)) if this else row
            for row, this in zip(rows, meant, strict=True)
        )
    }
    return replace(instance, **changed)


def _new_cells(row: object, override: Override) -> dict[str, Any]:
    column = override.column
    value = override.value
    if override.times:
        before = getattr(row, column.attribute)
        if before is None:
            return {}  # No limit stays no limit.
        value = before * value
        try:
            # A product such as 3 * 1.2 of whole things may not be one.
            value = column.take(round(value, 9) if isinstance(column.cell, Whole) else value)
        except CellError as error:
            raise UsageError(
                f"{_refusal(override.text, column, error)} {before:g} would become {value:g}."
            ) from None
    return {column.attribute: value}


def _is_meant(row: Row, wanted: Sequence[tuple[Column, str]]) -> bool:
    return all(_holds(row, column, text) for column, text in wanted)


def _holds(row: Row, column: Column, text: str) -> bool:
    """Say whether a cell is as written, or a list with the name in it."""
    value = getattr(row, column.attribute)
    if isinstance(column.cell, NameList) and text in value:
        return True
    written = column.write(value)
    if isinstance(column.cell, Number) and written and text:
        try:
            return bool(column.cell.parse(text) == value)
        except CellError:
            return False
    return written == text


def _nothing_meant(rows: Sequence[Row], override: Override) -> str:
    """Say why no row is as the change says."""
    if not rows:
        return f"{override.table}.csv has no rows"
    for column, text in override.rows:
        if not any(_holds(row, column, text) for row in rows):
            known = dict.fromkeys(column.write(getattr(row, column.attribute)) for row in rows)
            hint = suggestion(text, [item for item in known if item], "values")
            return f"no row of {override.table}.csv has {column.name} {text or '(empty)'}. {hint}"
    return f"no row of {override.table}.csv has all of this at once"
