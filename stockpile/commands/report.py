"""``stockpile report``: pages, spreadsheets and text that decision makers read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from stockpile.commands.exits import EXIT_OK
from stockpile.commands.options import (
    add_changes,
    add_language,
    add_redaction,
    require_target,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.reports.saved import Saved

Kind = TypeVar("Kind")

FORMATS = {
    "html": "one page that holds everything (default)",
    "pdf": "for printing",
    "xlsx": "all tables, and the numbers behind all charts, as a spreadsheet",
    "md": "words and tables as Markdown",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    parser.set_defaults(command=run)
    parser.add_argument(
        "results",
        metavar="RESULT",
        type=Path,
        nargs="+",
        help="folder of a plan, with those of compare and frontier of the same instance; or "
        "folders of several plans, which are put side by side",
    )
    parser.add_argument(
        "--instance",
        metavar="DIR",
        type=Path,
        help="instance that was solved: for stress cases, fresh scenarios, sensitivity, supply, "
        "references and full names",
    )
    add_changes(parser)
    for form, what in FORMATS.items():
        parser.add_argument(f"--{form}", action="store_true", help=what)
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="folder of the report (default: beside the first result, with -report in its name)",
    )
    add_language(parser)
    add_redaction(parser)
    parser.add_argument(
        "--scenarios", metavar="N", type=int, default=20_000, help="fresh scenarios (20000)"
    )
    parser.add_argument("--threads", metavar="N", type=int, help="threads (default: all)")


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from stockpile.interrupt import end_on_interrupt

    with end_on_interrupt():
        from stockpile.folders import write_whole
        from stockpile.redaction import parse_redaction
        from stockpile.reports.page import require_pages
        from stockpile.reports.report import report_document, written_as
        from stockpile.reports.saved import SavedComparison, SavedFrontier, read_result

    forms = [form for form in FORMATS if getattr(options, form)] or ["html"]
    if {"html", "pdf"} & set(forms):
        require_pages()
    results = {folder: read_result(folder) for folder in options.results}
    out = options.out or _beside(options.results[0])
    names = [f"report.{form}" for form in FORMATS]
    written = [name for name in names if (out / name).exists()]
    mark = written[0] if written else "report.html"
    require_target(out, mark=mark, replaceable=names)
    plans = _plans(results)
    document = report_document(
        plans,
        instance=_instance(options),
        comparison=_only(SavedComparison, results.values(), "comparison"),
        frontier=_only(SavedFrontier, results.values(), "frontier"),
        lang=options.lang,
        redact=parse_redaction(options.redact),
        scenarios=options.scenarios,
        threads=options.threads,
    )
    files = {f"report.{form}": written_as(document, form) for form in forms}
    write_whole(out, files, mark=mark, replaceable=names)
    for sentence in document.lead:
        sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()
    if options.instance is None and len(plans) == 1:
        sys.stderr.write(
            "stockpile: note: without --instance DIR the report has no stress cases, fresh "
            "scenarios, sensitivity, supply and references\n"
        )
    sys.stderr.write(f"Written to {out}: {', '.join(files)}\n")
    return EXIT_OK


def _beside(result: Path) -> Path:
    folder = result.absolute()
    return folder.with_name(f"{folder.name}-report")


def _instance(options: argparse.Namespace) -> Instance | None:
    from stockpile.errors import UsageError
    from stockpile.instance import load

    if options.instance is not None:
        return load(options.instance, overlay=options.overlay, changes=options.set)
    if options.overlay is not None or options.set:
        raise UsageError("--overlay and --set change an instance; name it with --instance DIR")
    return None


def _plans(results: dict[Path, Saved]) -> dict[str, Plan]:
    """Return the plans by the names of their folders."""
    from stockpile import Plan
    from stockpile.errors import UsageError

    plans: dict[str, Plan] = {}
    for folder, result in results.items():
        if isinstance(result, Plan):
            name = folder.resolve().name
            while name in plans:
                name += "+"
            plans[name] = result
    if not plans:
        raise UsageError("no result is a plan; name the folder of one, from stockpile solve")
    return plans


def _only(kind: type[Kind], results: Iterable[object], what: str) -> Kind | None:
    """Return the one result of a kind; None where there is none."""
    from stockpile.errors import UsageError

    found = [result for result in results if isinstance(result, kind)]
    if len(found) > 1:
        raise UsageError(f"{len(found)} results are a {what}; name one at most")
    return found[0] if found else None
