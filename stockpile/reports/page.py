"""A document as one HTML file that holds everything it needs, and never asks a network for more."""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from stockpile.errors import UsageError
from stockpile.languages import language
from stockpile.reports.csv_files import csv_text
from stockpile.reports.document import Bullets, Figure, Paragraph, Table, written
from stockpile.reports.drawing import drawing, on_paper

if TYPE_CHECKING:
    from collections.abc import Callable

    from stockpile.reports.document import Document, Part

LONG = 14
"""Rows from which on a table is folded; on paper it is not."""


def page(document: Document) -> str:
    """Return the HTML of a document for screens, light and dark, wide and narrow."""
    return _rendered(document, paper=False)


def paper(document: Document) -> str:
    """Return the HTML of a document for paper: one form of each chart, colours as they are."""
    return _rendered(document, paper=True)


def require_pages() -> None:
    """Raise `UsageError` if pages cannot be written: those who wait for one are told before."""
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"pages need Jinja, which is not installed ({error}).\n"
            '  Install it with: pip install "stockpile[report]"'
        ) from None


def _rendered(document: Document, *, paper: bool) -> str:
    require_pages()
    import jinja2

    say = language(document.language)
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.PackageLoader("stockpile.reports", ""),
    )
    words = {"contents": say("Contents"), "data": say("Data (CSV)")}
    shared: dict[str, Any] = {"words": words, "written": written, "long": LONG, "paper": paper}
    parts = environment.get_template("parts.html", globals=shared).make_module(shared)
    script = "" if paper else _asset("page.js")
    return environment.get_template("page.html").render(
        document=document,
        words=words,
        style=_asset("page.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        show=partial(_shown, parts, paper=paper),
    )


def _shown(parts: Any, part: Part, *, paper: bool) -> Any:
    """Return a part as markup."""
    link: Callable[[Table], str] = (lambda _: "") if paper else _link
    if isinstance(part, Paragraph):
        return parts.paragraph(part)
    if isinstance(part, Bullets):
        return parts.bullets(part)
    if isinstance(part, Table):
        return parts.table(part, link(part))
    assert isinstance(part, Figure)
    wide = drawing(part.wide, part.name)
    narrow = "" if paper else drawing(part.narrow, f"{part.name}-narrow")
    return parts.figure(part, on_paper(wide) if paper else wide, narrow, link(part.data))


def _link(table: Table) -> str:
    """Return an address that holds the numbers of a table themselves."""
    data = base64.b64encode(("\ufeff" + csv_text(table)).encode()).decode()
    return f"data:text/csv;charset=utf-8;base64,{data}"


def _asset(name: str) -> str:
    return files("stockpile.reports").joinpath(name).read_text(encoding="utf-8")
