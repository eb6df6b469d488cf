"""Tables as a spreadsheet: an index, and a sheet for each table with numbers as numbers.

Every cell is written as what it is. A text stays a text, whatever it begins with: there is no
formula in the file, and the cells of texts that look like one are marked, so that editing them
does not make them one. The same tables give the same bytes.
"""

from __future__ import annotations

import datetime
import importlib.util
import io
import math
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from stockpile.errors import UsageError
from stockpile.reports.document import written
from stockpile.reports.formulas import like_formula

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.languages import Language
    from stockpile.reports.document import Cell, Column, Table

LONGEST_TEXT = 32_767
"""Characters in a cell; more cannot be stored."""
LONGEST_NAME = 31
"""Characters in the name of a sheet."""
WIDEST = 60
"""Widest column, in digits."""
NOTES = 100
"""Width of notes in the index, in digits."""
LINE = 15
"""Height of a line [points]."""
_UNCHANGING = datetime.datetime(2000, 1, 1)  # In place of the moment of writing.


def spreadsheet_possible() -> bool:
    """Say whether what writes spreadsheets is installed."""
    return importlib.util.find_spec("xlsxwriter") is not None


def spreadsheet(
    tables: Sequence[Table], say: Language, *, title: str, about: Sequence[str] = ()
) -> bytes:
    """Return an ``.xlsx`` file.

    Parameters
    ----------
    tables
        One sheet each, in order.
    say
        Language of the index; that of the tables.
    title
        Heading of the index.
    about
        Lines below it, such as what the tables were made from.

    Raises
    ------
    UsageError
        If XlsxWriter is not installed.
    """
    if not spreadsheet_possible():
        raise UsageError('spreadsheets need XlsxWriter: pip install "stockpile[report]"')
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
        workbook.set_properties({"title": title, "created": _UNCHANGING})
        styles = _Styles(workbook)
        contents = say("Contents")
        names = sheet_names([contents, *(table.title for table in tables)])
        index = workbook.add_worksheet(names[0])
        sheets = [workbook.add_worksheet(name) for name in names[1:]]
        _write_index(index, styles, say, title, about, tables, names[1:])
        for sheet, table in zip(sheets, tables, strict=True):
            _write_table(sheet, styles, table)
    return buffer.getvalue()


def sheet_names(titles: Sequence[str]) -> list[str]:
    """Return names that sheets may have, each once: no marks of formulas, not too long.

    >>> sheet_names(["Cost [USD]", "cost (USD)"])
    ['Cost (USD)', 'cost (USD) 2']
    """
    names: list[str] = []
    taken: set[str] = set()
    for title in titles:
        plain = re.sub(r"[:*?/\\\x00-\x1f]", " ", title).replace("[", "(").replace("]", ")")
        plain = plain.strip(" '") or "-"
        number = 1
        while True:
            ending = "" if number == 1 else f" {number}"
            name = plain[: LONGEST_NAME - len(ending)].strip(" '") + ending
            if name.casefold() not in taken and name.casefold() != "history":  # Excel's own.
                break
            number += 1
        taken.add(name.casefold())
        names.append(name)
    return names


def number_format(value: float, column: Column) -> str:
    """Return how a number is shown: with about three digits, as everywhere in reports.

    >>> from stockpile.reports.document import Column
    >>> number_format(0.0123, Column("Held", "held_t", "t", "number"))
    '#,##0.0###'
    """
    if column.kind == "share":
        return "0.0%"
    if column.kind == "whole" or value == round(value) or abs(value) >= 1000.0:
        return "#,##0"
    before = math.floor(math.log10(abs(value))) + 1
    return "#,##0.0" + "#" * min(9, max(0, 2 - before))


class _Styles:
    """Formats of a workbook, each made once."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def __call__(self, **properties: Any) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._workbook.add_format({"valign": "top", **properties})
        return self._made[key]


def _write_index(
    sheet: Any,
    styles: _Styles,
    say: Language,
    title: str,
    about: Sequence[str],
    tables: Sequence[Table],
    names: Sequence[str],
) -> None:
    _write_text(sheet, 0, 0, title, styles, bold=True, font_size=14)
    for line, text in enumerate(about, start=1):
        _write_text(sheet, line, 0, text, styles)
    top = len(about) + 2
    for place, heading in enumerate((say("Sheet"), say("Rows"), say("Note"))):
        _write_text(sheet, top, place, heading, styles, bold=True, bottom=1)
    for line, (table, name) in enumerate(zip(tables, names, strict=True), start=top + 1):
        target = name.replace("'", "''")
        link = styles(font_color="#0563C1", underline=1)
        sheet.write_url(line, 0, f"internal:'{target}'!A1", link, string=name)
        sheet.write_number(line, 1, len(table.body), styles())
        _write_text(sheet, line, 2, table.note, styles, text_wrap=True)
        sheet.set_row(line, LINE * math.ceil(1.1 * _width(table.note) / NOTES or 1))
    sheet.set_column(0, 0, max([24, *(_width(name) + 2 for name in names)]))
    sheet.set_column(1, 1, 8)
    sheet.set_column(2, 2, NOTES)
    sheet.hide_gridlines(2)
    _set_page(sheet)


def _write_table(sheet: Any, styles: _Styles, table: Table) -> None:
    """Write headings, rows and filters; the row of totals stays out of the filter."""
    for place, column in enumerate(table.columns):
        align = "left" if column.kind == "text" else "right"
        _write_text(
            sheet,
            0,
            place,
            column.heading,
            styles,
            bold=True,
            text_wrap=True,
            bottom=1,
            align=align,
            bg_color="#E8EEF4",
        )
        texts = [written(row[place], column) for row in table.rows]
        # The unit below the title, and room for the button of the filter.
        heading = 1.2 * max(_width(column.title), _width(f"[{column.unit}]")) + 3
        wanted = max([heading, *(_width(text) + 2 for text in texts)])
        sheet.set_column(place, place, min(WIDEST, wanted))
    for line, row in enumerate(table.rows, start=1):
        last = table.total and line == len(table.rows)
        look = {"bold": True, "top": 1} if last else {}
        for place, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
            _write_cell(sheet, line, place, cell, column, styles, look)
    sheet.set_row(0, 2 * LINE + 2)
    sheet.freeze_panes(1, 1)
    if table.body:
        sheet.autofilter(0, 0, len(table.body), len(table.columns) - 1)
    sheet.repeat_rows(0)
    _set_page(sheet)


def _set_page(sheet: Any) -> None:
    """Let all columns fit on one page, however many pages long."""
    sheet.set_landscape()
    sheet.set_paper(9)  # A4.
    sheet.fit_to_pages(1, 0)


def _write_cell(
    sheet: Any,
    line: int,
    place: int,
    cell: Cell,
    column: Column,
    styles: _Styles,
    look: dict[str, Any],
) -> None:
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        sheet.write_blank(line, place, None, styles(**look))
    elif isinstance(cell, str):
        _write_text(sheet, line, place, cell, styles, **look)
    elif isinstance(cell, bool):
        sheet.write_boolean(line, place, cell, styles(**look))
    else:
        form = styles(num_format=number_format(float(cell), column), **look)
        sheet.write_number(line, place, cell, form)


def _write_text(sheet: Any, line: int, place: int, text: str, styles: _Styles, **look: Any) -> None:
    if len(text) > LONGEST_TEXT:
        text = text[: LONGEST_TEXT - 3] + "..."
    if like_formula(text):  # Stays a text when somebody edits the cell.
        look["quote_prefix"] = True
    sheet.write_string(line, place, text, styles(**look))


def _width(text: str) -> int:
    """Return the width of a text in digits; letters of East Asia take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
