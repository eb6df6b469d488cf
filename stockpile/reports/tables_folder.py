"""A folder with the tables of a plan, for offices and for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.errors import UsageError, suggestion
from stockpile.folders import write_whole
from stockpile.languages import language
from stockpile.parquet import FILES as PARQUET_FILES
from stockpile.parquet import parquet_files, parquet_possible
from stockpile.records import json_text
from stockpile.reports.annual_plan import NAME as ANNUAL_PLAN
from stockpile.reports.csv_files import csv_text, frame_csv_text
from stockpile.reports.days_of_cover import NAME as DAYS_OF_COVER
from stockpile.reports.latex import WHOLE, latex_files
from stockpile.reports.office_tables import office_tables
from stockpile.reports.shortfall import NAME as SHORTFALL
from stockpile.reports.spreadsheet import spreadsheet, spreadsheet_possible
from stockpile.tidy import tidy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.reports.document import Table

FORMAT = 1
MANIFEST = "tables.json"
SPREADSHEET = "tables.xlsx"
TIDY = "tidy.csv"
FORMATS = ("csv", "xlsx", "latex", "parquet")
"""What tables can be written as."""
_NAMES = (ANNUAL_PLAN, SHORTFALL, DAYS_OF_COVER)
FILES = (
    MANIFEST,
    SPREADSHEET,
    TIDY,
    WHOLE,
    *(f"{name}.{ending}" for name in _NAMES for ending in ("csv", "tex")),
    *PARQUET_FILES,
)
"""All files that such a folder may hold."""


def possible_formats() -> tuple[str, ...]:
    """Return the formats that can be written with what is installed."""
    missing = {"xlsx": not spreadsheet_possible(), "parquet": not parquet_possible()}
    return tuple(name for name in FORMATS if not missing.get(name, False))


def write_tables(
    plan: Plan,
    instance: Instance,
    folder: str | Path,
    *,
    formats: Sequence[str] | None = None,
    lang: str = "en",
) -> Path:
    """Write the tables of a plan into a folder, whole or not at all; an earlier one is replaced.

    Parameters
    ----------
    plan
        The plan.
    instance
        The instance that it was made from.
    folder
        New, empty, or one of this kind.
    formats
        Any of ``csv``, ``xlsx``, ``latex`` and ``parquet``; all that is installed where there are
        none.
    lang
        Language of headings and notes, ``en`` or ``ja``.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ResultError
        If the plan was not made from the instance, or there is no plan.
    UsageError
        If a format or the language is not known, what a format needs is not installed, or the
        folder holds anything else.
    OSError
        If the folder cannot be written; nothing is left half-written then.
    """
    folder = Path(folder)
    chosen = tuple(formats) if formats else possible_formats()
    write_whole(folder, table_files(plan, instance, chosen, lang), MANIFEST, FILES)
    return folder


def table_files(
    plan: Plan, instance: Instance, formats: Sequence[str], lang: str
) -> dict[str, str | bytes]:
    """Return the files of the folder by name; see :func:`write_tables`."""
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"there is no format {name}. {suggestion(name, FORMATS, 'formats')}")
    tables = office_tables(plan, instance, lang=lang)
    say = language(lang)
    title = instance.title or instance.name
    files: dict[str, str | bytes] = {}
    if "csv" in formats:
        files |= {f"{table.name}.csv": csv_text(table) for table in tables}
        files[TIDY] = frame_csv_text(tidy(plan))
    if "xlsx" in formats:
        worlds = {
            "none": say("each nation alone"),
            "sharing": say("releases to partners"),
            "joint": say("releases to partners and one budget"),
        }
        about = (
            say("Plan for {name}: {world}", name=instance.name, world=worlds[plan.cooperation]),
            say("Hash of the instance: {hash}", hash=plan.instance_hash),
        )
        files[SPREADSHEET] = spreadsheet(tables, say, title=title, about=about)
    if "latex" in formats:
        files |= latex_files(tables, title=title, lang=lang)
    if "parquet" in formats:
        files |= parquet_files(plan)
    return {MANIFEST: _manifest(plan, tables, lang, sorted(files)), **files}


def _manifest(plan: Plan, tables: Sequence[Table], lang: str, files: Sequence[str]) -> str:
    """Say what the tables were made from, and what their columns mean."""
    described: list[dict[str, Any]] = [
        {
            "name": table.name,
            "title": table.title,
            "note": table.note,
            "columns": [
                {"key": column.key, "title": column.title, "unit": column.unit, "kind": column.kind}
                for column in table.columns
            ],
        }
        for table in tables
    ]
    return json_text(
        {
            "format": FORMAT,
            "instance": {"name": plan.instance_name, "hash": plan.instance_hash},
            "cooperation": plan.cooperation,
            "language": lang,
            "files": list(files),
            "tables": described,
        }
    )
