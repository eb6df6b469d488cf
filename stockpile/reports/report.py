"""Write reports: from results to files that people read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.errors import UsageError
from stockpile.folders import write_file
from stockpile.languages import language
from stockpile.plan import Plan
from stockpile.plan_decisions import require_same
from stockpile.redaction import parse_redaction
from stockpile.reports.evidence import gather
from stockpile.reports.plan_report import plan_report
from stockpile.reports.redacted_report import redacted_report
from stockpile.reports.saved import SavedComparison, SavedFrontier
from stockpile.reports.side_by_side import side_by_side

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Mapping

    from stockpile.cooperation.comparison import Comparison
    from stockpile.frontier_points import Frontier
    from stockpile.instance import Instance
    from stockpile.languages import Language
    from stockpile.marginal_costs import Marginals
    from stockpile.progress import Progress
    from stockpile.reports.document import Document

FORMATS = ("html", "pdf", "xlsx", "md")
"""Ways of writing a report, which are the endings of its files."""


def report(
    plan: Plan | Mapping[str, Plan],
    path: str | os.PathLike[str],
    *,
    instance: Instance | None = None,
    comparison: Comparison | SavedComparison | None = None,
    frontier: Frontier | SavedFrontier | None = None,
    marginals: Marginals | None = None,
    lang: str = "en",
    redact: Collection[str] = (),
    scenarios: int = 20_000,
    threads: int | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
) -> Path:
    """Write a report on a plan, or on several side by side.

    Parameters
    ----------
    plan
        As returned by :func:`stockpile.solve`; or plans by the names to show.
    path
        File to write; its ending says how: ``.html``, ``.pdf``, ``.xlsx`` or ``.md``. A file that
        is there is replaced.
    instance
        What was solved. Without it nothing can be simulated, and there is no word of stress cases,
        fresh scenarios, sensitivity, supply and references.
    comparison, frontier, marginals
        Of the same instance, as returned by :func:`stockpile.compare`, :func:`stockpile.frontier`
        and :func:`stockpile.marginals`.
    lang
        ``en`` or ``ja``.
    redact
        What is hidden, and shown as bands: ``holdings``, ``existing`` or both; see
        ``stockpile.redaction``. Needs the instance, and shows less.
    scenarios
        Fresh scenarios that the plan is judged on.
    threads, progress
        As in :func:`stockpile.evaluate`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UsageError
        If the ending or the language is not known, or a package is missing.
    ResultError
        If something is about another instance.
    OSError
        If the file cannot be written; an earlier one is still there then.
    """
    file = Path(path)
    form = file.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        endings = ", ".join(f".{name}" for name in FORMATS)
        raise UsageError(f"{file}: a report ends with one of {endings}")
    document = report_document(
        plan,
        instance=instance,
        comparison=comparison,
        frontier=frontier,
        marginals=marginals,
        lang=lang,
        redact=redact,
        scenarios=scenarios,
        threads=threads,
        progress=progress,
    )
    write_file(file, written_as(document, form))
    return file


def report_document(
    plan: Plan | Mapping[str, Plan],
    *,
    instance: Instance | None = None,
    comparison: Comparison | SavedComparison | None = None,
    frontier: Frontier | SavedFrontier | None = None,
    marginals: Marginals | None = None,
    lang: str = "en",
    redact: Collection[str] = (),
    scenarios: int = 20_000,
    threads: int | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
) -> Document:
    """Return the parts of a report; see :func:`report`."""
    say = language(lang)
    hidden = parse_redaction(",".join(redact) or None)
    if hidden:
        return _redacted(plan, instance, hidden, say)
    if not isinstance(plan, Plan):
        if len(plan) > 1:
            return side_by_side(plan, instance, say)
        (plan,) = plan.values()
    if comparison is not None and not isinstance(comparison, SavedComparison):
        comparison = SavedComparison.of(comparison)
    if frontier is not None and not isinstance(frontier, SavedFrontier):
        frontier = SavedFrontier.of(frontier, marginals)
    evidence = gather(
        plan,
        instance=instance,
        comparison=comparison,
        frontier=frontier,
        scenarios=scenarios,
        threads=threads,
        progress=progress,
    )
    return plan_report(evidence, say)


def _redacted(
    plan: Plan | Mapping[str, Plan],
    instance: Instance | None,
    hidden: Collection[str],
    say: Language,
) -> Document:
    if not isinstance(plan, Plan):
        if len(plan) > 1:
            raise UsageError("a report on several plans cannot hide anything; name one plan")
        (plan,) = plan.values()
    if instance is None:
        raise UsageError(
            "to hide quantities, the instance is needed: it says what days of cover are"
        )
    require_same(plan, instance)
    return redacted_report(plan, instance, hidden, say)


def written_as(document: Document, form: str) -> bytes:
    """Return a document as a file.

    Parameters
    ----------
    form
        One of :data:`FORMATS`.
    """
    if form == "html":
        from stockpile.reports.page import page

        return page(document).encode()
    if form == "pdf":
        from stockpile.reports.pdf import pdf

        return pdf(document)
    if form == "xlsx":
        from stockpile.reports.spreadsheet import spreadsheet

        say = language(document.language)
        return spreadsheet(document.tables, say, title=document.title, about=document.lead)
    from stockpile.reports.markdown import markdown

    return markdown(document).encode()
