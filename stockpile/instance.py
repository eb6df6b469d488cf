"""An instance: the tables and settings of one folder as frozen data, validated once.

`load` and `save` go between folders and instances; `validate` checks one that was made or changed
in memory, by the same rules.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import hashlib
import io
import json
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.cells import Choice, Name, Text
from stockpile.errors import InstanceError, InstanceWarning
from stockpile.folders import write_whole
from stockpile.notes import notes
from stockpile.overlay import lay_over
from stockpile.reading import SETTINGS_FILE, read_folder
from stockpile.tables import (
    REQUIRED_TABLES,
    SECTIONS,
    TABLES,
    Agreement,
    Commercial,
    ConcentrationCap,
    Conversion,
    CoverageTarget,
    Demand,
    DemandClass,
    Event,
    Facility,
    Hazard,
    Header,
    Holding,
    Lead,
    Material,
    Outcome,
    Participant,
    PlantShare,
    Project,
    ProjectProduct,
    Recycling,
    Reference,
    Risk,
    RuleRow,
    Scenario,
    ScenarioSettings,
    ShortageCost,
    SolveSettings,
    Source,
    StressEvent,
    Supply,
    Transfer,
    columns,
)
from stockpile.validation import cell_mistakes, cross_mistakes, in_file_order

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from stockpile.errors import Mistake
    from stockpile.tables import Row


@dataclass(frozen=True, kw_only=True)
class Instance(Header):
    """Everything that an instance folder says, with defaults filled in.

    Change one with `dataclasses.replace`, then `validate` it. Rows keep the order of their tables.

    Attributes
    ----------
    scenario_settings, solve_settings, agreement, risk
        Sections ``[scenarios]``, ``[solve]``, ``[agreement]`` and ``[risk]``.
    participants, classes, ...
        Rows of the table of that name; empty where there is no such table.
    """

    scenario_settings: ScenarioSettings = field(default_factory=ScenarioSettings)
    solve_settings: SolveSettings = field(default_factory=SolveSettings)
    agreement: Agreement = field(default_factory=Agreement)
    risk: Risk = field(default_factory=Risk)

    participants: tuple[Participant, ...]
    classes: tuple[DemandClass, ...]
    materials: tuple[Material, ...]
    demand: tuple[Demand, ...]
    shortage: tuple[ShortageCost, ...] = ()
    sources: tuple[Source, ...] = ()
    supply: tuple[Supply, ...] = ()
    holdings: tuple[Holding, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    events: tuple[Event, ...] = ()
    stress: tuple[StressEvent, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    coverage: tuple[CoverageTarget, ...] = ()
    rules: tuple[RuleRow, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    commercial: tuple[Commercial, ...] = ()
    facilities: tuple[Facility, ...] = ()
    projects: tuple[Project, ...] = ()
    project_products: tuple[ProjectProduct, ...] = ()
    leads: tuple[Lead, ...] = ()
    recycling: tuple[Recycling, ...] = ()
    concentration: tuple[ConcentrationCap, ...] = ()
    conversions: tuple[Conversion, ...] = ()
    plant_shares: tuple[PlantShare, ...] = ()
    references: tuple[Reference, ...] = ()

    @functools.cached_property
    def content_hash(self) -> str:
        """SHA-256 [hex] of all that the instance says, however its files are written.

        Line ends, the order of columns, quotes, and whether a default is spelled out make no
        difference; the order of rows, ``ref`` and ``note`` do.
        """
        sections: dict[str, object] = {"": self} | {
            section: getattr(self, attribute) for section, (attribute, _) in SECTIONS.items()
        }
        types = {"": Header} | {section: kind for section, (_, kind) in SECTIONS.items()}
        content = {
            "settings": {
                section: _texts(settings, types[section]) for section, settings in sections.items()
            },
            "tables": {
                table: [_texts(row, row_type) for row in getattr(self, table)]
                for table, row_type in TABLES.items()
                if table not in _LATER_TABLES or getattr(self, table)
            },
        }
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def load(
    path: str | os.PathLike[str],
    *,
    overlay: str | os.PathLike[str] | None = None,
    changes: Sequence[str] = (),
) -> Instance:
    """Read an instance folder and validate it.

    Parameters
    ----------
    path
        The folder with ``instance.toml`` and the tables.
    overlay
        Folder with tables to lay over it, such as stock levels that are not public; see
        :mod:`stockpile.overlay`.
    changes
        Changes such as ``coverage[metric=days].level=60``; see :mod:`stockpile.overrides`.

    Raises
    ------
    InstanceError
        With every mistake found, each with file, line, column and value.
    UsageError
        If a change cannot be understood, or means no row.

    Warns
    -----
    InstanceWarning
        For each cell that is allowed but has no effect.
    """
    folder = Path(path)
    draft = read_folder(folder)
    if overlay is not None:
        lay_over(draft, Path(overlay))
    instance = Instance(**draft.values)
    mistakes = in_file_order([*draft.mistakes, *cross_mistakes(instance, draft.gaps)])
    if mistakes:
        raise InstanceError(_located(mistake, folder, draft.setting_lines) for mistake in mistakes)
    for note in in_file_order(notes(instance)):
        text = str(_located(note, folder, draft.setting_lines))
        warnings.warn(text, InstanceWarning, stacklevel=2)
    if not changes:
        return instance
    from stockpile.overrides import with_overrides  # It builds on this file.

    return with_overrides(instance, changes)


def _located(mistake: Mistake, folder: Path, setting_lines: Mapping[str, int]) -> Mistake:
    """Add what only the reader knows: the folder, and the lines of settings."""
    line = mistake.line
    if line is None and mistake.file == SETTINGS_FILE:
        line = setting_lines.get(mistake.column or "")
    known = "/" in mistake.file  # Of an overlay, which says so itself.
    file = mistake.file if known else f"{folder.resolve().name}/{mistake.file}"
    return dataclasses.replace(mistake, file=file, line=line)


def validate(instance: Instance) -> None:
    """Check an instance that was made or changed in memory, by the rules of `load`.

    Raises
    ------
    InstanceError
        With every mistake found. Lines are those of the file that a row was read from, if any.
    """
    mistakes, gaps, sound = cell_mistakes(instance)
    mistakes += cross_mistakes(sound, gaps)
    if mistakes:
        raise InstanceError(in_file_order(mistakes))


def save(instance: Instance, path: str | os.PathLike[str]) -> Path:
    """Write an instance as a folder, whole or not at all, so that `load` returns an equal one.

    Tables without rows and columns that hold nothing but their default are left out.

    Parameters
    ----------
    instance
        It is validated first.
    path
        The folder to write; it may exist if it is empty.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InstanceError
        If the instance is wrong.
    UsageError
        If there is already something at ``path``.
    OSError
        If it cannot be written.
    """
    validate(instance)
    folder = Path(path)
    texts = {SETTINGS_FILE: _toml(instance)}
    for table, row_type in TABLES.items():
        rows = getattr(instance, table)
        if rows or table in REQUIRED_TABLES:
            texts[f"{table}.csv"] = _csv(rows, row_type)
    write_whole(folder, texts)
    return folder


def _csv(rows: Sequence[Row], row_type: type[Row]) -> str:
    used = [
        column
        for column in columns(row_type)
        if column.required or any(getattr(row, column.attribute) != column.default for row in rows)
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in used])
    for row in rows:
        writer.writerow([column.write(getattr(row, column.attribute)) for column in used])
    return text.getvalue()


def _toml(instance: Instance) -> str:
    parts = [toml_keys(instance, Header)]
    for section, (attribute, settings_type) in SECTIONS.items():
        keys = toml_keys(getattr(instance, attribute), settings_type)
        if keys:
            parts.append(f"[{section}]\n{keys}")
    return "\n".join(parts)


def toml_keys(settings: object, settings_type: type) -> str:
    """Return the keys of a section, or of the top of a file, as TOML."""
    lines = []
    for column in columns(settings_type):
        value = getattr(settings, column.attribute)
        unsaid = column.name in _SAID_IF_CHANGED and value == column.default
        if value is not None and not unsaid:
            text = column.write(value)
            if isinstance(column.cell, (Text, Name, Choice)):
                # Escapes of JSON are escapes of TOML, too.
                text = json.dumps(text, ensure_ascii=False)
            lines.append(f"{column.name} = {text}\n")
    return "".join(lines)


_SAID_IF_CHANGED = frozenset({"period"})
"""Keys that are written only where they say something; earlier versions do not know them."""

_LATER: dict[type, frozenset[str]] = {
    Header: frozenset({"period"}),
    ScenarioSettings: frozenset({"sampling"}),
    Agreement: frozenset({"joint_project_budget_usd"}),
    Participant: frozenset({"project_budget_usd"}),
    Material: frozenset({"loss_rate_per_year", "shelf_life_months", "renewal_loss"}),
    Hazard: frozenset({"answers"}),
    Event: frozenset({"answers"}),
    StressEvent: frozenset({"answers"}),
    Project: frozenset({"ramp_months", "slip_probability", "slip_months", "life_years", "source"}),
}
"""Columns and keys younger than the first hashes, which stay as they were at the default."""
_LATER_TABLES = frozenset(
    {"project_products", "leads", "recycling", "concentration", "plant_shares", "outcomes"}
)
"""Tables younger than the first hashes, which stay as they were without rows."""


def _texts(row: object, declared: type) -> dict[str, str | None]:
    """Return the cells of a row, or the keys of a section, as text; None where there is nothing."""
    cells: dict[str, str | None] = {}
    later = _LATER.get(declared, frozenset())
    for column in columns(declared):
        value = getattr(row, column.attribute)
        if column.name in later and value == column.default:
            continue
        cells[column.name] = None if value is None else column.write(value)
    return cells
