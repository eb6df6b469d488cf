"""From a folder to rows and settings, with a mistake for all that cannot be read.

Reading goes on after a mistake, so that one run reports as many as possible. `Gaps` remembers
what had to be left out, so that no second mistake is reported only because of the first.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stockpile.cells import CellError
from stockpile.errors import InstanceError, Mistake, nearest_name, suggestion
from stockpile.tables import (
    FORMAT,
    REQUIRED_TABLES,
    SECTIONS,
    TABLES,
    Header,
    Row,
    columns,
    key_column,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from stockpile.tables import Column

SETTINGS_FILE = "instance.toml"


@dataclass(frozen=True, slots=True)
class FolderKind:
    """What folders of one kind hold: instances, or states of them.

    Attributes
    ----------
    what
        In words, with its article.
    settings_file
        Name of the file with the settings, by which such a folder is known.
    header
        The keys at its top.
    sections
        Its sections: attribute and type of each.
    tables
        Types of the rows, by table.
    required
        Tables without which nothing can be said.
    stand_ins
        Required keys of a header that cannot be read, so that the tables can still be checked.
    """

    what: str
    settings_file: str
    header: type
    sections: Mapping[str, tuple[str, type]]
    tables: Mapping[str, type[Row]]
    required: tuple[str, ...]
    stand_ins: Mapping[str, Any]


INSTANCE = FolderKind(
    "an instance",
    SETTINGS_FILE,
    Header,
    SECTIONS,
    TABLES,
    REQUIRED_TABLES,
    {"name": "unnamed", "price_year": 2000, "horizon_months": 1},
)


@dataclass(slots=True)
class Gaps:
    """What is missing from an instance because it was wrong and has been reported.

    Attributes
    ----------
    incomplete
        Tables without some of their rows; ``instance.toml`` where a setting could not be read.
    unreadable
        Tables of which not even the names of the rows are known.
    names
        By table, the names of rows that were left out.
    """

    incomplete: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    names: dict[str, set[str]] = field(default_factory=dict)

    def add_name(self, table: str, name: str) -> None:
        """Remember the name of a row that is left out."""
        self.names.setdefault(table, set()).add(name)

    def add_table(self, table: str) -> None:
        """Remember that a table cannot be read at all."""
        self.incomplete.add(table)
        self.unreadable.add(table)


@dataclass(slots=True)
class Draft:
    """What could be read of a folder.

    Attributes
    ----------
    kind
        What folder it is.
    values
        Arguments of an instance; stand-ins for what could not be read.
    mistakes
        Mistakes found so far.
    gaps
        What is missing because of them.
    setting_lines
        Line of each key of the settings, named as `Mistake.column` names it.
    """

    kind: FolderKind = INSTANCE
    values: dict[str, Any] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    gaps: Gaps = field(default_factory=Gaps)
    setting_lines: dict[str, int] = field(default_factory=dict)


def read_folder(path: Path, kind: FolderKind = INSTANCE) -> Draft:
    """Read all that can be read of an instance folder, or one of another kind.

    Files in mistakes are named without the folder.

    Raises
    ------
    InstanceError
        If nothing in the folder can be judged: there is none, it is of no such kind, or its
        format is another one.
    """
    present = _list_folder(path, kind)
    draft = Draft(kind)
    _read_settings(path, draft)
    files = [name for name in present if name.lower().endswith(".csv") and name[0] != "."]
    meant = report_unknown_tables(files, draft)
    for table, row_type in kind.tables.items():
        if f"{table}.csv" in files:
            read = read_table(path, table, row_type, draft)
            draft.values[table] = tuple(row_type(**cells, line=line) for line, cells in read)
            continue
        draft.values[table] = ()
        if table in meant:  # Its file is there under a wrong name, which has been reported.
            draft.gaps.add_table(table)
        elif table in kind.required:
            draft.gaps.add_table(table)
            near = nearest_name(f"{table}.csv", [name for name in present if name not in files])
            draft.mistakes.append(
                Mistake(
                    f"{table}.csv",
                    None,
                    None,
                    None,
                    f"the table {table}.csv is missing; {kind.what} needs it",
                    f"Save {near} as {table}.csv." if near else _columns_hint(row_type),
                )
            )
    return draft


# --- The folder -----------------------------------------------------------------------------------


def _list_folder(path: Path, kind: FolderKind) -> list[str]:
    """Return the names of the files, or raise if this is no folder of the kind at all."""
    settings_file = kind.settings_file
    try:
        if not path.exists():
            raise _fatal(path, "there is no such folder", near_folder_hint(path))
        if not path.is_dir():
            hint = f"Give the folder that holds it: {path.parent}" if path.suffix else ""
            raise _fatal(path, f"this is a file; {kind.what} is a folder", hint)
        present = sorted(entry.name for entry in path.iterdir())
    except OSError as error:
        raise _fatal(path, f"the folder cannot be read: {error.strerror}") from error
    if settings_file not in present:
        near = nearest_name(settings_file, present)
        inside = [name for name in present if (path / name / settings_file).is_file()]
        hint = ""
        if near is not None and near.lower().endswith(".toml"):
            hint = f"Rename {near} to {settings_file}."
        elif inside:
            hint = f"Did you mean a folder inside it? {', '.join(inside[:8])}"
        raise _fatal(path, f"the folder has no {settings_file}, so it is not {kind.what}", hint)
    return present


def _fatal(path: Path, message: str, hint: str = "") -> InstanceError:
    return InstanceError([Mistake(str(path), None, None, None, message, hint)])


def near_folder_hint(path: Path) -> str:
    """Say which folder beside it was probably meant; nothing where none is near."""
    if not path.parent.is_dir():
        return ""
    near = nearest_name(path.name, [entry.name for entry in path.parent.iterdir()])
    return f"Did you mean {path.parent / near}?" if near else ""


def _read_text(path: Path, name: str) -> str:
    """Return the text of a file with plain line ends.

    Raises
    ------
    _Unreadable
        With the mistake.
    """
    file = path / name
    save_as_text = f"Save it as {'UTF-8' if name.endswith('.toml') else 'CSV UTF-8'}."
    try:
        inside = file.resolve().is_relative_to(path.resolve())
    except (OSError, RuntimeError) as error:  # Python before 3.13 raises the latter.
        raise _Unreadable(name, "the file is a link that leads back to itself") from error
    if not inside:
        raise _Unreadable(name, "the file lies outside the folder", "Copy it into it.")
    if not file.is_file():
        raise _Unreadable(name, "this is no file", "Every table is a CSV file.")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise _Unreadable(name, f"the file cannot be read: {error.strerror}") from error
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _Unreadable(name, "the file is UTF-16; expected UTF-8", save_as_text, 1)
    if data[:2] == b"PK":
        raise _Unreadable(name, "this is a spreadsheet or an archive", save_as_text)
    if b"\x00" in data:
        line = data[: data.index(b"\x00")].count(b"\n") + 1
        raise _Unreadable(name, "the file holds a NUL byte, which no text has", save_as_text, line)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        before = error.object[: error.start].splitlines()[line - 1 :]
        around = b"".join(before)[-30:] + error.object[error.start :].splitlines()[0][:30]
        raise _Unreadable(
            name,
            "the file is not UTF-8",
            save_as_text,
            line,
            around.decode("utf-8", "backslashreplace"),
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _Unreadable(Exception):  # noqa: N818  Control flow within this file, reported as a mistake.
    """A file of which nothing can be read."""

    def __init__(
        self,
        file: str,
        message: str,
        hint: str = "",
        line: int | None = None,
        value: str | None = None,
    ) -> None:
        super().__init__(message)
        self.mistake = Mistake(file, line, None, value, message, hint)


def report_unknown_tables(files: Iterable[str], draft: Draft) -> set[str]:
    """Report CSV files that are no tables; return the tables that they are probably meant for."""
    known = [f"{table}.csv" for table in draft.kind.tables]
    free = [name for name in known if name not in files]
    meant = set()
    for name in files:
        if name not in known:
            near = nearest_name(name, free)
            if near is not None:
                meant.add(near.removesuffix(".csv"))
            draft.mistakes.append(
                Mistake(
                    name,
                    None,
                    None,
                    None,
                    f"{name} is no table of the format",
                    suggestion(name, free, "tables not in the folder")
                    + "\nFiles that are no tables may not end in .csv.",
                )
            )
    return meant


# --- instance.toml --------------------------------------------------------------------------------


def _read_settings(path: Path, draft: Draft) -> None:
    document: dict[str, Any] = {}
    try:
        text = _read_text(path, draft.kind.settings_file)
        draft.setting_lines = _setting_lines(text)
        document = tomllib.loads(text)
    except _Unreadable as unreadable:
        draft.mistakes.append(unreadable.mistake)
        draft.gaps.add_table(draft.kind.settings_file)
    except (ValueError, RecursionError) as error:  # A TOMLDecodeError is a ValueError.
        draft.mistakes.append(_toml_mistake(draft, text, error))
        draft.gaps.add_table(draft.kind.settings_file)
    else:
        _require_format(path, document, draft)
        _report_unknown_settings(document, draft)
    header = _take_settings(draft.kind.header, document, "", draft)
    draft.values.update(dict(draft.kind.stand_ins) | header)
    for section, (attribute, settings_type) in draft.kind.sections.items():
        given = document.get(section, {})
        if not isinstance(given, dict):
            draft.gaps.incomplete.add(draft.kind.settings_file)
            draft.mistakes.append(
                _setting_mistake(
                    draft,
                    section,
                    f"{section} must be a section, not a value",
                    f"Write [{section}] on a line of its own, and its keys on the lines after it.",
                    given,
                )
            )
            given = {}
        values = _take_settings(settings_type, given, section, draft)
        draft.values[attribute] = settings_type(**values)


def _require_format(path: Path, document: Mapping[str, Any], draft: Draft) -> None:
    """Raise if the format is another one: then no other message would make sense."""
    given = document.get("format", FORMAT)
    if isinstance(given, int) and not isinstance(given, bool) and given != FORMAT:
        mistake = _setting_mistake(
            draft,
            "format",
            f"format must be {FORMAT}, the only one that this version reads",
            "A newer version of stockpile may read it." if given > FORMAT else "",
            given,
        )
        folder = path.resolve().name
        raise InstanceError(
            [
                Mistake(
                    f"{folder}/{mistake.file}",
                    mistake.line,
                    "format",
                    mistake.value,
                    mistake.message,
                    mistake.hint,
                )
            ]
        )


def _take_settings(
    settings_type: type, given: Mapping[str, Any], section: str, draft: Draft
) -> dict[str, Any]:
    """Return the settings of one section that are valid, and report the others."""
    values = {}
    for column in columns(settings_type):
        key = setting_name(section, column.name)
        if column.name not in given:
            # The format has a default in memory, but a file has to say which one it follows.
            missing = column.required or key == "format"
            if missing and draft.kind.settings_file not in draft.gaps.unreadable:
                draft.gaps.incomplete.add(draft.kind.settings_file)
                draft.mistakes.append(
                    _setting_mistake(
                        draft, key, f"{key} is missing: expected {column.cell.expected}"
                    )
                )
            continue
        try:
            values[column.attribute] = column.take(given[column.name])
        except CellError as error:
            draft.gaps.incomplete.add(draft.kind.settings_file)
            draft.mistakes.append(
                _setting_mistake(
                    draft, key, f"{column.name} {error.text}", error.hint, given[column.name]
                )
            )
    return values


def _report_unknown_settings(document: Mapping[str, Any], draft: Draft) -> None:
    top = [column.name for column in columns(draft.kind.header)]
    keys = {"": top} | {
        section: [column.name for column in columns(kind)]
        for section, (_, kind) in draft.kind.sections.items()
    }
    for name, value in document.items():
        if name in draft.kind.sections:
            for key in value if isinstance(value, dict) else ():
                if key not in keys[name]:
                    _report_unknown_key(key, name, keys, draft)
        elif name not in top:
            if isinstance(value, dict):
                draft.mistakes.append(
                    _setting_mistake(
                        draft,
                        f"[{name}]",
                        f"[{name}] is no section of {draft.kind.settings_file}",
                        suggestion(name, list(draft.kind.sections), "sections"),
                    )
                )
            else:
                _report_unknown_key(name, "", keys, draft)


def _report_unknown_key(
    key: str, section: str, keys: Mapping[str, Sequence[str]], draft: Draft
) -> None:
    here = f"in [{section}]" if section else f"at the top of {draft.kind.settings_file}"
    elsewhere = next((name for name, known in keys.items() if key in known), None)
    if elsewhere is None:
        hint = suggestion(key, keys[section], "keys")
    elif elsewhere:
        hint = f"It belongs in [{elsewhere}]."
    else:
        hint = "It belongs at the top, before the first section."
    draft.mistakes.append(
        _setting_mistake(draft, setting_name(section, key), f"there is no key {key} {here}", hint)
    )


def setting_name(section: str, key: str) -> str:
    """Return how mistakes name a key of ``instance.toml``: ``[solve] gap``, or the key alone."""
    return f"[{section}] {key}" if section else key


def _setting_mistake(
    draft: Draft, key: str, message: str, hint: str = "", value: object = None
) -> Mistake:
    return Mistake(
        draft.kind.settings_file,
        draft.setting_lines.get(key),
        key,
        None if value is None else toml_value(value),
        message,
        hint,
    )


def toml_value(value: object) -> str:
    """Return a value as ``instance.toml`` shows it, for messages."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _setting_lines(text: str) -> dict[str, int]:
    """Find the line of each key; tomllib does not tell. Good enough for messages."""
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if match := re.match(r"\s*\[+\s*([^\[\]]+?)\s*\]", line):
            section = match[1].strip("\"'")
            lines.setdefault(section, number)
            lines.setdefault(f"[{section}]", number)
        elif match := re.match(r"\s*([\w\"'-]+)\s*(?:\.\s*([\w\"'-]+)\s*)?=", line):
            first, second = match[1].strip("\"'"), (match[2] or "").strip("\"'")
            key = setting_name(first, second) if second else setting_name(section, first)
            lines.setdefault(key, number)
    return lines


def _toml_mistake(draft: Draft, text: str, error: Exception) -> Mistake:
    """Report a file that is no TOML."""
    message = "nested too deeply" if isinstance(error, RecursionError) else str(error)
    line, value, hint = None, None, ""
    if match := re.search(r"\s*\(at line (\d+), column \d+\)", message):
        line = int(match[1])
        message = message.replace(match[0], "")
        value = text.split("\n")[line - 1].strip()
        if re.search(r"=\s*[\d.]+,\d", value):
            hint = "Write a decimal point, and nothing between thousands."
        elif re.search(r"=\s*(True|False)\b", value):
            hint = "Write true or false."
        elif re.search(r"=\s*[A-Za-z]", value):
            hint = 'Text needs quotes: name = "us-japan"'
    elif message.endswith(" (at end of document)"):
        line = text.rstrip("\n").count("\n") + 1
        message = message.removesuffix(" (at end of document)")
    return Mistake(
        draft.kind.settings_file, line, None, value, f"this is not valid TOML: {message}", hint
    )


# --- Tables ---------------------------------------------------------------------------------------


def read_table(
    path: Path,
    table: str,
    row_type: type[Row],
    draft: Draft,
    required: Collection[str] | None = None,
) -> list[tuple[int, dict[str, Any]]]:
    """Return line and cells of the rows that can be read, and report the others.

    Parameters
    ----------
    required
        Columns that have to be there, and what else is empty is left out of the cells; None for
        those without a default, and all columns of the file are among the cells.
    """
    name = f"{table}.csv"
    rows: list[tuple[int, dict[str, Any]]] = []
    try:
        records = _records(name, _read_text(path, name))
        header_line, header = next(records, (1, []))
        if not header:
            raise _Unreadable(
                name, "the file is empty; expected a row of column names", _columns_hint(row_type)
            )
        found = _read_header(name, header_line, header, row_type, draft, required)
        if found is None:
            draft.gaps.add_table(table)
            return []
        for line, cells in records:
            row = _read_row(table, line, cells, len(header), found, draft, required)
            if row is not None:
                rows.append((line, row))
    except _Unreadable as unreadable:
        draft.mistakes.append(unreadable.mistake)
        draft.gaps.add_table(table)
    return rows


def _records(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the records of a CSV text, but empty ones, with the lines on which they begin."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _Unreadable(
                name,
                f"the row cannot be read as CSV: {error}",
                'A quote that opens a cell has to be closed; inside, a quote is written "".',
                line,
            ) from error
        if any(cell.strip() for cell in cells):
            yield line, cells


def _read_header(
    name: str,
    line: int,
    header: Sequence[str],
    row_type: type[Row],
    draft: Draft,
    required: Collection[str] | None,
) -> dict[int, Column] | None:
    """Return the column at each position, or None if the rows cannot be understood."""
    known = {column.name: column for column in columns(row_type)}
    given = [cell.strip() for cell in header]

    def report(column: str | None, value: str | None, message: str, hint: str) -> None:
        draft.mistakes.append(Mistake(name, line, column, value, message, hint))

    for mark, word in ((";", "semicolons"), ("\t", "tabs")):
        if any(mark in cell for cell in header) and not any(cell in known for cell in given):
            report(
                None,
                ",".join(header),
                f"the cells seem to be separated by {word}; expected commas",
                "Save it as comma-separated CSV, with a point before the decimals.",
            )
            return None

    found: dict[int, Column] = {}
    meant = set()
    if required is None:
        required = [item.name for item in known.values() if item.required]
    missing = [item for item in known if item in required and item not in given]
    readable = True
    for position, column in enumerate(given):
        if not column:
            readable = False
            report(
                None,
                ",".join(header),
                f"column {position + 1} has no name",
                "Name it, or take out the comma that is too many.",
            )
        elif column not in known:
            free = [item for item in known if item not in given]
            near = nearest_name(column, free)
            if near in missing:
                meant.add(near)
            hint = suggestion(column, free or list(known), "columns")
            report(column, column, f"{name} has no column {column}", hint)
        elif given.index(column) != position:
            readable = False
            report(column, column, f"the column {column} is there twice", "Keep one of the two.")
        else:
            found[position] = known[column]
    for item in missing:
        readable = False
        if item not in meant:  # Else the misspelled name has been reported.
            report(
                item,
                None,
                f"the column {item} is missing",
                f"It is required and holds {known[item].cell.expected}.",
            )
    return found if readable else None


def _read_row(
    table: str,
    line: int,
    cells: Sequence[str],
    width: int,
    found: Mapping[int, Column],
    draft: Draft,
    required: Collection[str] | None,
) -> dict[str, Any] | None:
    """Return the cells of a row, or None if one of them is wrong, which is reported."""
    name = f"{table}.csv"
    mistakes = []
    values: dict[str, Any] = {}
    if len(cells) != width:
        comma = "Text with a comma needs quotes around it, and decimals need a point."
        mistakes.append(
            Mistake(
                name,
                line,
                None,
                ",".join(cells),
                f"the row has {len(cells)} cells, but the table has {width} columns",
                comma
                if len(cells) > width
                else "Write a comma for each cell, even if it is empty.",
            )
        )
    else:
        for position, column in found.items():
            if required is not None and column.name not in required and not cells[position].strip():
                continue
            try:
                values[column.attribute] = column.parse(cells[position])
            except CellError as error:
                mistakes.append(
                    Mistake(
                        name,
                        line,
                        column.name,
                        cells[position].strip(),
                        f"{column.name} {error.text}",
                        error.hint,
                    )
                )
    if not mistakes:
        return values
    draft.mistakes.extend(mistakes)
    draft.gaps.incomplete.add(table)
    key = key_column(draft.kind.tables[table])
    for position, column in found.items():
        if column == key and position < len(cells):
            draft.gaps.add_name(table, cells[position].strip())
    return None


def _columns_hint(row_type: type[Row]) -> str:
    required = [column.name for column in columns(row_type) if column.required]
    return f"Required columns: {', '.join(required)}"
