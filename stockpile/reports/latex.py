r"""Tables as LaTeX: one file for each, to be read with ``\input``, and one that shows them all.

Files for Japanese readers need LuaLaTeX or XeLaTeX with a Japanese font.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.reports.document import NOTHING, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stockpile.reports.document import Cell, Column, Table

WHOLE = "tables.tex"
"""The file that shows all tables."""
_PACKAGES = r"\usepackage{booktabs,longtable}"
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # Else the optional argument of the line above.
    "]": "{]}",
    "*": "{*}",  # Likewise.
    "-": "{-}",  # Two in a row would be one dash.
    "\n": " ",
    "\t": " ",
}


def escaped(text: str) -> str:
    r"""Return a text that LaTeX sets as it is.

    >>> escaped("50 % of a_b")
    '50 \\% of a\\_b'
    """
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def latex_table(table: Table) -> str:
    """Return one table that may run over several pages, in the style of booktabs."""
    places = "".join("l" if column.kind == "text" else "r" for column in table.columns)
    header = [_line(escaped(column.title) for column in table.columns)]
    if any(column.unit for column in table.columns):
        header.append(
            _line(escaped(f"[{column.unit}]") if column.unit else "" for column in table.columns)
        )
    rows = [
        _line(_cell(cell, column) for cell, column in zip(row, table.columns, strict=True))
        for row in table.body
    ]
    if table.total:  # What has no sum stays empty.
        sums = zip(table.rows[-1], table.columns, strict=True)
        last = ["" if cell is None else _cell(cell, column) for cell, column in sums]
        rows += [r"\midrule", _line(last)]
    lines = [
        f"% Needs {_PACKAGES}",
        rf"\begin{{longtable}}{{@{{}}{places}@{{}}}}",
        rf"\caption{{{escaped(table.title)}}}\label{{tab:{table.name}}}\\",
        r"\toprule",
        *header,
        r"\midrule",
        r"\endfirsthead",
        r"\toprule",
        *header,
        r"\midrule",
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        *rows,
        r"\end{longtable}",
        # Not in the table, whose columns it would stretch.
        *([rf"\noindent{{\footnotesize {escaped(table.note)}\par}}"] if table.note else []),
    ]
    return "\n".join(lines) + "\n"


def latex_files(tables: Sequence[Table], *, title: str, lang: str = "en") -> dict[str, str]:
    """Return a file for each table, and the one that shows them all."""
    files = {f"{table.name}.tex": latex_table(table) for table in tables}
    japanese = lang == "ja"
    whole = [
        f"% Set it with: lualatex {WHOLE}, three times, until the columns of long tables agree.",
        r"\documentclass{ltjsarticle}" if japanese else r"\documentclass{article}",
        r"\usepackage[a4paper,landscape,margin=15mm]{geometry}",
        *([] if japanese else [r"\usepackage{textcomp}"]),
        _PACKAGES,
        r"\begin{document}",
        r"\small",
        rf"\section*{{{escaped(title)}}}",
        *(rf"\input{{{table.name}}}" for table in tables),
        r"\end{document}",
    ]
    return {WHOLE: "\n".join(whole) + "\n", **files}


def _cell(cell: Cell, column: Column) -> str:
    text = written(cell, column)
    if text == NOTHING and not isinstance(cell, str):
        return "" if column.kind == "text" else "--"
    if isinstance(cell, str):
        return escaped(text)
    return escaped(text).replace("{-}", "$-$").replace(" \\%", r"\,\%")


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"
