"""A document as PDF, with pages that end where a person would end them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.errors import UsageError
from stockpile.reports.page import paper

if TYPE_CHECKING:
    from stockpile.reports.document import Document


def pdf(document: Document) -> bytes:
    """Return the PDF of a document.

    Raises
    ------
    UsageError
        If what makes PDF is not installed.
    """
    try:
        import weasyprint
    except (ImportError, OSError) as error:  # Its libraries are not part of the package.
        raise UsageError(
            f"PDF needs WeasyPrint and Pango, which are not installed ({error}).\n"
            '  Install them with: pip install "stockpile[report]", and Pango from your system'
        ) from None
    html = weasyprint.HTML(string=paper(document), url_fetcher=_refuse)
    made: bytes = html.write_pdf()
    return made


def _refuse(url: str, *_: object, **__: object) -> dict[str, object]:
    """Fetch nothing: a document holds everything it needs."""
    raise ValueError(f"{url} is outside the document")
