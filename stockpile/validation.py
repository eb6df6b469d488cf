"""What has to hold between the rows of an instance, one function per rule of the format.

Each function yields the mistakes that it finds. It leaves alone what has been reported already:
cells are checked one by one before (`cell_mistakes`, or by the reader), and `Gaps` says which rows
were left out because of that.
"""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stockpile.cells import ALL, CellError, KeyOf, NameList
from stockpile.errors import Mistake, suggestion
from stockpile.reading import SETTINGS_FILE, Gaps, setting_name, toml_value
from stockpile.tables import (
    RELATIONS,
    REQUIRED_TABLES,
    SECTIONS,
    TABLES,
    Header,
    Row,
    columns,
    key_column,
    names_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stockpile.instance import Instance
    from stockpile.tables import Event, Hazard, StressEvent

TOLERANCE = 1e-9
"""Sums of shares, and numbers of lots, are compared within this."""
PROBABILITY_TOLERANCE = 1e-6
"""Probabilities may be rounded to six decimals, each of them."""


def cross_mistakes(instance: Instance, gaps: Gaps) -> list[Mistake]:
    """Return what is wrong between the rows of an instance whose cells are each valid."""
    return [mistake for rule in _RULES for mistake in rule(instance, gaps)]


def in_file_order(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """Sort mistakes by file, in the order of the format, and line."""
    order = {SETTINGS_FILE: -1} | {f"{table}.csv": i for i, table in enumerate(TABLES)}
    return sorted(mistakes, key=lambda item: (order.get(item.file, len(order)), item.line or 0))


def row_mistake(
    table: str,
    rows: Row | Sequence[Row],
    column: str | None,
    value: object,
    message: str,
    hint: str = "",
) -> Mistake:
    """Return a mistake of one row or of several rows of a table."""
    found = [rows] if isinstance(rows, Row) else list(rows)
    file = next((row.file for row in found if row.file), "")  # What an overlay says comes first.
    lines = sorted({row.line for row in found if row.line and row.file == file})
    return Mistake(
        file or f"{table}.csv",
        lines[0] if lines else None,
        column,
        None if value is None else f"{value:g}" if isinstance(value, float) else str(value),
        message,
        hint,
        tuple(lines[1:]),
    )


def _rows(instance: Instance, table: str) -> tuple[Any, ...]:
    rows: tuple[Any, ...] = getattr(instance, table)
    return rows


def _expand(names: Sequence[str], everything: Sequence[str]) -> Sequence[str]:
    """Return the names that a list cell stands for."""
    return everything if tuple(names) == (ALL,) else names


# --- Cells, for an instance that was not read from a folder ---------------------------------------


def cell_mistakes(instance: Instance) -> tuple[list[Mistake], Gaps, Instance]:
    """Check every value of an instance on its own.

    Returns
    -------
    mistakes
        What is wrong.
    gaps
        What the instance returned lacks because of that.
    instance
        The instance without the rows that are wrong, fit for `cross_mistakes`.
    """
    mistakes: list[Mistake] = []
    gaps = Gaps()
    clean: dict[str, Any] = {}
    mistakes += _settings_mistakes(instance, Header, "")
    for section, (attribute, settings_type) in SECTIONS.items():
        settings = getattr(instance, attribute)
        found = _settings_mistakes(settings, settings_type, section)
        if found:
            clean[attribute] = settings_type()
        mistakes += found
    if mistakes:
        gaps.incomplete.add(SETTINGS_FILE)
    for table, row_type in TABLES.items():
        rows = _rows(instance, table)
        good = []
        if not isinstance(rows, tuple):
            gaps.add_table(table)
            expected = f"{table} must be a tuple of {row_type.__name__}"
            mistakes.append(row_mistake(table, (), None, type(rows).__name__, expected))
            rows = ()
        for row in rows:
            found = _row_mistakes(table, row, row_type)
            mistakes += found
            if not found:
                good.append(row)
                continue
            gaps.incomplete.add(table)
            key = key_column(table)
            if key is not None:
                gaps.add_name(table, str(getattr(row, key.attribute, "")))
        clean[table] = tuple(good)
    return mistakes, gaps, replace(instance, **clean)


def _settings_mistakes(settings: object, settings_type: type, section: str) -> list[Mistake]:
    if not isinstance(settings, settings_type):
        message = f"[{section}] must be {settings_type.__name__}"
        value = type(settings).__name__
        return [Mistake(SETTINGS_FILE, None, f"[{section}]", value, message)]
    mistakes = []
    for column in columns(settings_type):
        value = getattr(settings, column.attribute)
        try:
            column.take(value)
        except CellError as error:
            mistakes.append(
                Mistake(
                    SETTINGS_FILE,
                    None,
                    setting_name(section, column.name),
                    toml_value(value),
                    f"{column.name} {error.text}",
                    error.hint,
                )
            )
    return mistakes


def _row_mistakes(table: str, row: object, row_type: type[Row]) -> list[Mistake]:
    if not isinstance(row, row_type):
        message = f"a row of {table} must be {row_type.__name__}"
        return [row_mistake(table, (), None, type(row).__name__, message)]
    mistakes = []
    for column in columns(row_type):
        value = getattr(row, column.attribute)
        try:
            column.take(value)
        except CellError as error:
            mistakes.append(
                row_mistake(
                    table, row, column.name, value, f"{column.name} {error.text}", error.hint
                )
            )
    return mistakes


# --- Names ----------------------------------------------------------------------------------------


def _required_rows(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    for table in REQUIRED_TABLES:
        if not _rows(instance, table) and table not in gaps.incomplete:
            yield row_mistake(
                table, (), None, None, f"{table}.csv has no rows; it needs at least one"
            )


def _references(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that every name that a cell refers to is given by the other table."""
    for table, row_type in TABLES.items():
        for column in columns(row_type):
            cell = column.cell
            if not isinstance(cell, (KeyOf, NameList)) or cell.table is None:
                continue
            if cell.table in gaps.unreadable:
                continue
            known = names_of(cell.table, _rows(instance, cell.table))
            valid = {ALL, *known, *gaps.names.get(cell.table, ())}
            if isinstance(cell, KeyOf):
                valid.update(cell.also)
            users: dict[str, list[Row]] = defaultdict(list)
            for row in _rows(instance, table):
                value = getattr(row, column.attribute)
                for name in (value,) if isinstance(value, str) else value or ():
                    if name not in valid:
                        users[name].append(row)
            if users and not known and cell.table not in gaps.incomplete:
                yield row_mistake(
                    table,
                    list(itertools.chain.from_iterable(users.values())),
                    column.name,
                    ", ".join(users),
                    f"{table}.csv names {cell.table}, but there are no rows in {cell.table}.csv",
                    f"Add {cell.table}.csv with a row for each.",
                )
                continue
            for name, rows in users.items():
                yield row_mistake(
                    table,
                    rows,
                    column.name,
                    name,
                    f"{column.name} must be {cell.expected}; there is no {name!r}",
                    suggestion(name, known, f"names in {cell.table}.csv"),
                )


def _unique_rows(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that no two rows of a table are about the same."""
    for table, row_type in TABLES.items():
        if not row_type.key:
            continue
        rows_of: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for row in _rows(instance, table):
            rows_of[tuple(getattr(row, column) for column in row_type.key)].append(row)
        for names, rows in rows_of.items():
            if len(rows) > 1:
                about = ", ".join(row_type.key)
                yield row_mistake(
                    table,
                    rows,
                    row_type.key[-1],
                    ", ".join(names),
                    f"{len(rows)} rows have the same {about}; expected one row for each",
                    "Keep one of them.",
                )


def _distinct_spelling(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that no two names differ only by case or encoding: readers would mix them up."""
    for table in TABLES:
        column = key_column(table)
        if column is None:
            continue
        first_with: dict[str, Row] = {}
        for row in _rows(instance, table):
            name = getattr(row, column.attribute)
            first = first_with.setdefault(unicodedata.normalize("NFC", name).casefold(), row)
            first_name = getattr(first, column.attribute)
            if name != first_name:
                yield row_mistake(
                    table,
                    (first, row),
                    column.name,
                    name,
                    f"{name} and {first_name} differ only by case",
                    "Use one spelling, or clearly different names.",
                )


def _distinct_priorities(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    rows_of: dict[int, list[Row]] = defaultdict(list)
    for row in instance.classes:
        rows_of[row.priority].append(row)
    for priority, rows in rows_of.items():
        if len(names_of("classes", rows)) > 1:
            classes = " and ".join(names_of("classes", rows))
            yield row_mistake(
                "classes",
                rows,
                "priority",
                priority,
                f"{classes} have the same priority; each class needs its own, 1 is served first",
            )


# --- Supply and disruptions -----------------------------------------------------------------------


def _supply_shares(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    rows_of: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in instance.supply:
        rows_of[row.material, row.participant].append(row)
    for (material, participant), rows in rows_of.items():
        total = math.fsum(row.share for row in rows)
        if total > 1.0 + TOLERANCE:
            yield row_mistake(
                "supply",
                rows,
                "share",
                ", ".join(f"{row.source} {row.share:.2f}" for row in rows),
                f"supply shares of {material} for {participant} add up to {total:.6g}, "
                "which is above 1",
                "Shares are fractions of normal supply; what they leave below 1 is never "
                "disrupted.\nRecycling that would be added to supply belongs in projects.csv.",
            )


def _scenarios(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    if "scenarios" in gaps.incomplete:
        return
    if instance.events and not instance.scenarios:
        yield row_mistake(
            "events",
            (),
            None,
            None,
            "there are events, but no scenarios.csv to say which scenarios there are",
            "Add scenarios.csv with each scenario and its probability.",
        )
    total = math.fsum(row.probability for row in instance.scenarios)
    if instance.scenarios and abs(total - 1.0) > PROBABILITY_TOLERANCE * (
        1 + len(instance.scenarios)
    ):
        yield row_mistake(
            "scenarios",
            instance.scenarios,
            "probability",
            f"{total:.9g} in all",
            f"the probabilities of the scenarios add up to {total:.9g}; expected 1",
            "A scenario in which nothing happens needs a row, too.",
        )


def _effects(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    for table in ("hazards", "events", "stress"):
        for row in _rows(instance, table):
            yield from _effect(table, row)


def _effect(table: str, row: Hazard | Event | StressEvent) -> Iterator[Mistake]:
    """Check that a row gives what its effect needs."""
    if row.effect == "supply_loss" and row.source is None:
        hint = "Surges of demand and blocked sharing have none; they need their effect named."
        yield row_mistake(table, row, "source", "", "a supply_loss needs the source it is of", hint)
    if row.effect != "supply_loss" and row.source is not None:
        hint = "Leave the cell empty, or make it a supply_loss."
        message = f"a {row.effect} has no source; expected an empty cell"
        yield row_mistake(table, row, "source", row.source, message, hint)
    column = "severity_mean" if table == "hazards" else "severity"
    severity: float = getattr(row, column)
    if row.effect == "supply_loss" and severity > 1.0:
        hint = "No more than all of a source's supply can be lost."
        if severity <= 100.0:
            hint = f"Fractions are never percent: {severity:g} % is written {severity / 100.0:g}."
        message = f"{column} of a supply_loss must be a number from 0 to 1 [fraction]"
        yield row_mistake(table, row, column, severity, message, hint)
    if row.effect == "sharing_blocked" and severity != 1.0:
        message = f"{column} of sharing_blocked must be 1: sharing is blocked or not"
        yield row_mistake(table, row, column, severity, message)


def _severity_spread(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that a beta distribution has the given mean and standard deviation."""
    for row in instance.hazards:
        mean, sd = row.severity_mean, row.severity_sd
        if sd == 0.0:
            continue
        if row.effect == "sharing_blocked":
            message = "severity_sd of sharing_blocked must be 0: sharing is blocked or not"
            yield row_mistake("hazards", row, "severity_sd", sd, message)
        elif mean >= 1.0 or mean <= 0.0:
            if row.effect == "supply_loss" and mean > 1.0:
                continue  # Reported as a severity above 1.
            yield row_mistake(
                "hazards",
                row,
                "severity_sd",
                sd,
                f"severity_sd must be 0 where severity_mean is {mean:g}: a beta-distributed "
                "severity varies between 0 and 1",
                "Write 0 for a severity that does not vary.",
            )
        elif sd**2 >= mean * (1.0 - mean):
            most = math.sqrt(mean * (1.0 - mean))
            yield row_mistake(
                "hazards",
                row,
                "severity_sd",
                sd,
                f"severity_sd must be below {most:.4g}, the most for a severity with mean {mean:g}",
                "A beta distribution needs sd^2 < mean (1 - mean).",
            )


def _followers(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    follows = {row.hazard: row.follows for row in instance.hazards}
    reported: set[str] = set()
    for row in instance.hazards:
        if row.follows is None:
            continue
        if row.follows == row.hazard:
            message = "a hazard cannot follow itself"
            yield row_mistake("hazards", row, "follows", row.follows, message)
            continue
        chain = [row.hazard]
        while (previous := follows.get(chain[-1])) is not None and previous not in chain:
            chain.append(previous)
        if previous == row.hazard and row.hazard not in reported:
            reported.update(chain)
            circle = [item for item in instance.hazards if item.hazard in chain]
            yield row_mistake(
                "hazards",
                circle,
                "follows",
                row.follows,
                f"hazards follow each other in a circle: {' follows '.join([*chain, previous])}",
                "An event cannot set off itself; take out one of the links.",
            )


# --- Holdings, costs, promises, rules -------------------------------------------------------------


def _holding_limits(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that the least that must be held is not more than the most that may be."""
    for row in instance.holdings:
        if row.max_t is not None and row.min_t > row.max_t * (1.0 + TOLERANCE):
            message = f"min_t must not be above max_t {row.max_t:g} t"
            yield row_mistake("holdings", row, "min_t", row.min_t, message)


def _shortage_ties(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check, for every need, that the rows that name most agree on its shortage cost."""
    if "shortage" in gaps.incomplete:
        return  # The row that would decide may be missing.
    rows_for: dict[tuple[str, ...], list[int]] = defaultdict(list)
    named = []
    for position, row in enumerate(instance.shortage):
        cells = (row.participant, row.material, row.demand_class)
        named.append(sum(cell != (ALL,) for cell in cells))
        for names in itertools.product(*cells):
            rows_for[names].append(position)
    reported: set[tuple[int, ...]] = set()
    for stream in instance.demand:
        need = (stream.participant, stream.material, stream.demand_class)
        choices = itertools.product(*((name, ALL) for name in need))
        matching = sorted(position for choice in choices for position in rows_for.get(choice, ()))
        most = max((named[position] for position in matching), default=0)
        deciding = tuple(position for position in matching if named[position] == most)
        rows = [instance.shortage[position] for position in deciding]
        if len({row.shortage_cost_usd_per_kg for row in rows}) > 1 and deciding not in reported:
            reported.add(deciding)
            yield row_mistake(
                "shortage",
                rows,
                "shortage_cost_usd_per_kg",
                ", ".join(f"{row.shortage_cost_usd_per_kg:g}" for row in rows),
                f"rows that name equally much differ on {' '.join(need)}; "
                "expected one shortage cost",
                "Add a row that names more, or make the rows agree.",
            )


WITH_CONFIDENCE = ("chance", "cvar", "joint_chance")


def _coverage(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that a promise gives what its metric needs."""
    for row in instance.coverage:
        metric = row.metric

        def wrong(
            column: str, value: object, message: str, hint: str = "", row: Row = row
        ) -> Mistake:
            return row_mistake("coverage", row, column, value, message, hint)

        if metric != "days" and row.level > 1.0:
            hint = "Only days has levels above 1."
            if row.level <= 100.0:
                percent = f"{row.level:g} % is written {row.level / 100.0:g}."
                hint = f"Fractions are never percent: {percent}"
            message = f"level of {metric} must be a number from 0 to 1 [fraction]"
            yield wrong("level", row.level, message, hint)
        if metric in WITH_CONFIDENCE and row.confidence is None:
            yield wrong("confidence", "", f"{metric} needs a confidence, a number from 0 to 1")
        if metric == "cvar" and row.confidence == 1.0:
            hint = "For every scenario without exception, use chance with confidence 1."
            yield wrong("confidence", 1.0, "confidence of cvar must be below 1", hint)
        if metric == "stress" and row.stress is None:
            yield wrong("stress", "", "stress needs the name of a case of stress.csv")
        if metric == "joint_chance" and row.group is None:
            hint = "Rows of the same group must hold at once."
            yield wrong("group", "", "joint_chance needs a group", hint)


def _joint_groups(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that a joint chance, one promise, has one confidence and one kind of sharing."""
    rows_of: dict[str, list[Any]] = defaultdict(list)
    for row in instance.coverage:
        if row.metric == "joint_chance" and row.group is not None:
            rows_of[row.group].append(row)
    for group, rows in rows_of.items():
        for column in ("confidence", "sharing"):
            values = list(dict.fromkeys(getattr(row, column) for row in rows))
            if len(values) > 1 and None not in values:
                yield row_mistake(
                    "coverage",
                    rows,
                    column,
                    ", ".join(str(value) for value in values),
                    f"rows of the joint_chance group {group} differ; expected the same {column}",
                )


def _rule_rows(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that no rule says two things to the same relation, class and age."""
    classes = names_of("classes", instance.classes)
    first_with: dict[tuple[str, str, str, int], Row] = {}
    for row in instance.rules:
        repeated = []
        for relation in _expand(row.relation, RELATIONS):
            for demand_class in _expand(row.demand_class, classes):
                what = (row.rule, relation, demand_class, row.from_month)
                first = first_with.setdefault(what, row)
                if first is not row:
                    repeated.append((first, relation, demand_class))
        if repeated:
            first, relation, demand_class = repeated[0]
            yield row_mistake(
                "rules",
                (first, row),
                "from_month",
                row.from_month,
                f"the rule {row.rule} has two rows for {relation} {demand_class} from month "
                f"{row.from_month}; expected one",
                "Rows for the same relation and class need different from_month.",
            )


def _transfers(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    for row in instance.transfers:
        if row.from_participant == row.to_participant:
            message = "a participant cannot ship to itself; expected two different ones"
            yield row_mistake("transfers", row, "to_participant", row.to_participant, message)


def _commercial(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that no two rows give a thrift for the same participant, material and class."""
    classes = names_of("classes", instance.classes)
    first_with: dict[tuple[str, str, str], Row] = {}
    for row in instance.commercial:
        if row.thrift_share == 0.0:
            continue
        for demand_class in _expand(row.demand_class, classes):
            first = first_with.setdefault((row.participant, row.material, demand_class), row)
            if first is not row:
                yield row_mistake(
                    "commercial",
                    (first, row),
                    "thrift_share",
                    row.thrift_share,
                    f"two rows give a thrift for {row.material} of {row.participant}, "
                    f"{demand_class}; expected one",
                    "An empty demand_class means all classes.",
                )
                break


def _projects(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    participants = names_of("participants", instance.participants)
    for row in instance.projects:
        beneficiaries = _expand(row.beneficiaries, participants)
        shares = row.beneficiary_shares
        value = ";".join(f"{share:g}" for share in shares)
        known = row.beneficiaries != (ALL,) or "participants" not in gaps.incomplete
        if known and len(shares) != len(beneficiaries):
            yield row_mistake(
                "projects",
                row,
                "beneficiary_shares",
                value,
                f"{len(shares)} beneficiary_shares are given for {len(beneficiaries)} "
                "beneficiaries; expected one for each",
                f"Beneficiaries in order: {', '.join(beneficiaries)}.",
            )
        elif math.fsum(shares) > 1.0 + TOLERANCE:
            message = f"beneficiary_shares add up to {math.fsum(shares):.6g}, which is above 1"
            hint = "Shares are fractions of the project's output."
            yield row_mistake("projects", row, "beneficiary_shares", value, message, hint)
        if row.fast_track_usd is None and row.fast_track_months > 0.0:
            yield row_mistake(
                "projects",
                row,
                "fast_track_usd",
                "",
                "fast_track_months is given, but not what the fast track costs",
                "Write 0 if it costs nothing.",
            )


def _conversions(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    for row in instance.conversions:
        if row.from_material == row.to_material:
            message = "a conversion cannot make what it takes; expected two different materials"
            yield row_mistake("conversions", row, "to_material", row.to_material, message)


def _risk(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    if SETTINGS_FILE in gaps.incomplete:
        return  # The confidence may have been given, and reported.
    risk = instance.risk
    if risk.cvar_limit_usd_per_year is not None and risk.cvar_confidence is None:
        yield Mistake(
            SETTINGS_FILE,
            None,
            setting_name("risk", "cvar_confidence"),
            None,
            "[risk] has a cvar_limit_usd_per_year, but no cvar_confidence that it is for",
            "Give both, or leave [risk] out for no limit.",
        )


_RULES = (
    _required_rows,
    _references,
    _unique_rows,
    _distinct_spelling,
    _distinct_priorities,
    _supply_shares,
    _scenarios,
    _effects,
    _severity_spread,
    _followers,
    _holding_limits,
    _shortage_ties,
    _coverage,
    _joint_groups,
    _rule_rows,
    _transfers,
    _commercial,
    _projects,
    _conversions,
    _risk,
)
