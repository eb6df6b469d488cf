"""A document as frozen parts, which every way of writing it (HTML, PDF, spreadsheet) shares.

Cells hold values, not texts: a spreadsheet gets numbers as numbers, a page writes them out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

Cell = str | float | int | bool | None
Kind = Literal["text", "number", "whole", "share"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    title
        Heading, without the unit.
    unit
        Such as ``t`` or ``million USD``; empty where there is none.
    kind
        ``text``; ``number``; ``whole``, a number without decimals; ``share``, a fraction of 1 that
        is shown in percent.
    key
        Name in files for other programs.
    """

    title: str
    key: str
    unit: str = ""
    kind: Kind = "text"

    @property
    def heading(self) -> str:
        """Return title and unit."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes
    ----------
    name
        Short name for files and sheets, of ASCII letters, digits and hyphens.
    title
        Heading.
    columns
        Its columns.
    rows
        Cells, one for each column; None where there is no value.
    note
        What readers have to know about it.
    total
        Whether the last row sums up the others, and stays last whatever the table is sorted by.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    total: bool = False

    @property
    def body(self) -> tuple[tuple[Cell, ...], ...]:
        """Return the rows without that of totals."""
        return self.rows[:-1] if self.total else self.rows

    def frame(self) -> pd.DataFrame:
        """Return the rows as a DataFrame with the keys of the columns, without that of totals."""
        import pandas as pd

        return pd.DataFrame(
            {
                column.key: pd.Series(
                    [row[place] for row in self.body],
                    dtype=object if column.kind == "text" else "float64",
                )
                for place, column in enumerate(self.columns)
            }
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart.

    Attributes
    ----------
    name
        Short name for files, of ASCII letters, digits and hyphens.
    title
        What it shows.
    wide, narrow
        Vega-Lite specifications for a page and for a phone.
    data
        The numbers behind it.
    text
        What it shows, in words, for those who cannot see it.
    note
        What readers have to know about it.
    """

    name: str
    title: str
    wide: Mapping[str, Any]
    narrow: Mapping[str, Any]
    data: Table
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of short texts."""

    items: tuple[str, ...]


NOTHING = "-"
"""Stands where there is no value."""

Part = Paragraph | Bullets | Table | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document under a heading.

    Attributes
    ----------
    name
        Anchor, of ASCII letters, digits and hyphens.
    title
        Heading.
    parts
        What stands in it.
    """

    name: str
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A document.

    Attributes
    ----------
    title, subtitle
        What it is about.
    lead
        The answer, in a few sentences.
    picture
        The answer, in one picture; None where there is nothing to draw.
    sections
        The rest, in order.
    language
        Code of its language.
    brief
        Whether it is meant for one sheet of paper, on which sections do not begin pages.
    """

    title: str
    subtitle: str
    lead: tuple[str, ...]
    picture: Figure | None
    sections: tuple[Section, ...] = field(default=())
    language: str = "en"
    brief: bool = False

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return all tables, and the numbers behind all charts, in order."""
        found = [] if self.picture is None else [self.picture.data]
        for section in self.sections:
            for part in section.parts:
                if isinstance(part, Table):
                    found.append(part)
                elif isinstance(part, Figure):
                    found.append(part.data)
        return tuple(found)


def written(cell: Cell, column: Column) -> str:
    """Write a cell out for readers; a dash where there is no value.

    >>> written(1234.5678, Column("Held", "held_t", "t", "number"))
    '1,235'
    >>> written(0.98765, Column("Kept", "kept", kind="share"))
    '98.77 %'
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return NOTHING
    if isinstance(cell, (bool, str)):
        return str(cell)
    if column.kind == "share":
        if 0.9999 <= cell < 1.0:  # Almost everything is not everything.
            return f"{math.floor(1e6 * cell) / 1e4:.8g} %"
        return f"{100.0 * cell:.4g} %" if abs(cell) < 1.0 else f"{100.0 * cell:,.0f} %"
    if column.kind == "whole" or abs(cell) >= 1000.0:
        return f"{cell:,.0f}"
    if cell == 0:
        return "0"
    return f"{cell:.3g}" if abs(cell) < 100.0 else f"{cell:.1f}".removesuffix(".0")
