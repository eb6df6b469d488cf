"""A document as Markdown: words and tables; charts are told in words, with the numbers behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.reports.document import Bullets, Figure, Paragraph, Table, written

if TYPE_CHECKING:
    from stockpile.reports.document import Document, Part

LONGEST_DATA = 40
"""Rows of the numbers behind a chart up to which they are shown."""


def markdown(document: Document) -> str:
    """Return the Markdown of a document."""
    blocks = [f"# {_plain(document.title)}", _plain(document.subtitle)]
    blocks += [_plain(sentence) for sentence in document.lead]
    if document.picture is not None:
        blocks.append(_part(document.picture))
    for section in document.sections:
        blocks.append(f"## {_plain(section.title)}")
        blocks += [_part(part) for part in section.parts]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _part(part: Part) -> str:
    if isinstance(part, Paragraph):
        return _plain(part.text)
    if isinstance(part, Bullets):
        return "\n".join(f"- {_plain(item)}" for item in part.items)
    if isinstance(part, Table):
        return _table(part)
    assert isinstance(part, Figure)
    if len(part.data.rows) <= LONGEST_DATA:
        return f"{_table(part.data)}\n\n{_plain(part.text)}"
    return f"### {_plain(part.title)}\n\n{_plain(part.text)}"


def _table(table: Table) -> str:
    heads = [_plain(column.heading) for column in table.columns]
    rules = [":--" if column.kind == "text" else "--:" for column in table.columns]
    body = [
        [_plain(written(cell, column)) for cell, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    ]
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in [heads, rules, *body])
    note = f"\n\n{_plain(table.note)}" if table.note else ""
    return f"### {_plain(table.title)}\n\n{text}{note}"


_MARKS = {mark: f"\\{mark}" for mark in "\\`*_[]|#"} | {"<": "&lt;", ">": "&gt;"}


def _plain(text: str) -> str:
    """Return text that stays text: nothing in it is taken for markup, and it stays on its line."""
    return "".join(_MARKS.get(letter, letter) for letter in " ".join(text.split()))
