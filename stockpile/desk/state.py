"""What is known on the day: the month, what is left of each stock, and what is going on.

A state is a folder beside a result, read and checked like an instance: ``state.toml`` with the
current month, ``stocks.csv``, ``ongoing.csv`` and ``started.csv``. Months are those of the plan,
counted from 1: its first month is when its stocks were full. Where the instance is in weeks, weeks
may stand in place of months; a month then means its first week, and a last month its last one.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from stockpile.cells import CellError, Choice, KeyOf, Name, NameList, Number, Text, Whole
from stockpile.desk.moments import wrong_moment
from stockpile.desk.state_mistakes import state_mistakes
from stockpile.errors import InstanceError, ResultError, UsageError, suggestion
from stockpile.folders import write_whole
from stockpile.instance import toml_keys
from stockpile.periods import PERIODS
from stockpile.plan import Plan
from stockpile.reading import FolderKind, read_folder
from stockpile.redaction import ALL_BANDS
from stockpile.tables import EFFECTS, FORMAT, SourcedRow, columns

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from stockpile.errors import Mistake
    from stockpile.instance import Instance
    from stockpile.redacted_plans import RedactedPlan
    from stockpile.tables import Row


_SEVERITY = Number("fraction", at_least=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateHeader:
    """The keys at the top of ``state.toml``.

    Attributes
    ----------
    format
        Version of the format.
    month
        Current month, counted from 1 as those of the plan: what is released in it is asked for.
    week
        In place of that the current week, counted likewise, where the instance is in weeks.
    date
        When that is, in words, for reports.
    title
        What is going on, in one line, for reports.
    """

    format: Annotated[int, Whole("", at_least=FORMAT, at_most=FORMAT)] = FORMAT
    month: Annotated[int | None, Whole("month", at_least=1)] = None
    week: Annotated[int | None, Whole("week", at_least=1)] = None
    date: Annotated[str, Text()] = ""
    title: Annotated[str, Text()] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLevel(SourcedRow):
    """``stocks.csv``: what is left of a stock. Stocks left out are full.

    Attributes
    ----------
    participant, material
        Whose stock, and of what.
    stock_t
        At the beginning of the current month, or week [t]; None where only the band is told.
    band
        In place of that, for partners who may not know it: in which band of days of cover it lies,
        as :data:`stockpile.redaction.ALL_BANDS` lists them.
    """

    key: ClassVar[tuple[str, ...]] = ("participant", "material")

    participant: Annotated[str, KeyOf("participants")]
    material: Annotated[str, KeyOf("materials")]
    stock_t: Annotated[float | None, Number("t", at_least=0.0)] = None
    band: Annotated[str | None, Choice(ALL_BANDS)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ongoing(SourcedRow):
    """``ongoing.csv``: an event that has begun, and goes on unless it says when it ended.

    Attributes
    ----------
    event
        Key.
    hazard
        The hazard that it is one of: it says how long such events last, and what follows them. None
        for one of no kind, which needs durations of its own.
    effect, source, materials, targets, demand_class
        What it does to whom; empty as the hazard says.
    start_month
        First month in which it was active, counted from 1.
    start_week
        In place of that its first week, where the instance is in weeks.
    last_month
        Last month in which it was active, if it is over: what firms have used of their own stocks
        by now depends on it. None while it goes on.
    last_week
        In place of that its last week, where the instance is in weeks.
    severity
        Fraction of the source's supply lost, or of demand added, so far.
    duration_median_months, duration_sigma
        In place of those of the hazard: how long such events last from their start. None as the
        hazard says.
    """

    key: ClassVar[tuple[str, ...]] = ("event",)

    event: Annotated[str, Name(key=True)]
    hazard: Annotated[str | None, KeyOf("hazards")] = None
    effect: Annotated[str | None, Choice(EFFECTS)] = None
    source: Annotated[str | None, KeyOf("sources")] = None
    materials: Annotated[tuple[str, ...] | None, NameList("materials")] = None
    targets: Annotated[tuple[str, ...] | None, NameList("participants")] = None
    demand_class: Annotated[tuple[str, ...] | None, NameList("classes")] = None
    start_month: Annotated[int | None, Whole("month", at_least=1)] = None
    start_week: Annotated[int | None, Whole("week", at_least=1)] = None
    last_month: Annotated[int | None, Whole("month", at_least=1)] = None
    last_week: Annotated[int | None, Whole("week", at_least=1)] = None
    severity: Annotated[float, _SEVERITY]
    duration_median_months: Annotated[float | None, Number("months", above=0.0)] = None
    duration_sigma: Annotated[float | None, Number("of the logarithm", at_least=0.0)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(SourcedRow):
    """``started.csv``: a funded project that has begun to deliver. Those left out have not.

    Attributes
    ----------
    project
        Key of ``projects.csv``.
    start_month
        First month with output, counted from 1.
    start_week
        In place of that the first week with output, where the instance is in weeks.
    """

    key: ClassVar[tuple[str, ...]] = ("project",)

    project: Annotated[str, KeyOf("projects")]
    start_month: Annotated[int | None, Whole("month", at_least=1)] = None
    start_week: Annotated[int | None, Whole("week", at_least=1)] = None


TABLES: dict[str, type[Row]] = {"stocks": StockLevel, "ongoing": Ongoing, "started": Started}
"""Tables of a state."""
STATE_FILE = "state.toml"
STATE = FolderKind("a state", STATE_FILE, StateHeader, {}, TABLES, (), {})
FILES = (STATE_FILE, *(f"{table}.csv" for table in TABLES))


@dataclass(frozen=True, kw_only=True)
class State(StateHeader):
    """Everything that a state folder says; see the rows for their meaning."""

    stocks: tuple[StockLevel, ...] = ()
    ongoing: tuple[Ongoing, ...] = ()
    started: tuple[Started, ...] = ()


def load_state(
    path: str | os.PathLike[str], instance: Instance, plan: Plan | RedactedPlan
) -> State:
    """Read a state folder and check that it can be one of a plan.

    Raises
    ------
    InstanceError
        With every mistake found, each with file, line, column and value.
    """
    folder = Path(path)
    draft = read_folder(folder, STATE)
    state = State(**draft.values)
    mistakes = [*draft.mistakes, *state_mistakes(state, instance, plan, draft.gaps)]
    if mistakes:
        order = {name: place for place, name in enumerate(FILES)}
        mistakes.sort(key=lambda item: (order.get(item.file, len(order)), item.line or 0))
        raise InstanceError(_located(item, folder, draft.setting_lines) for item in mistakes)
    return state


def check_state(state: State, instance: Instance, plan: Plan | RedactedPlan) -> None:
    """Raise `InstanceError` if a state made in memory cannot be one of a plan."""
    mistakes = list(state_mistakes(state, instance, plan))
    if mistakes:
        raise InstanceError(mistakes)


def _located(mistake: Mistake, folder: Path, setting_lines: dict[str, int]) -> Mistake:
    line = mistake.line
    if line is None and mistake.file == STATE_FILE:
        line = setting_lines.get(mistake.column or "")
    return dataclasses.replace(mistake, file=f"{folder.resolve().name}/{mistake.file}", line=line)


def state_files(state: State) -> dict[str, str]:
    """Return the files of a state folder, by name."""
    texts = {STATE_FILE: toml_keys(state, StateHeader)}
    optional = {"ref", "note"} | ({"start_week", "last_week"} if state.week is None else set())
    for table, row_type in TABLES.items():
        texts[f"{table}.csv"] = _table_text(row_type, getattr(state, table), optional)
    return texts


def save_state(state: State, path: str | os.PathLike[str]) -> None:
    """Write a state folder, whole or not at all; an earlier one is replaced.

    Raises
    ------
    UsageError
        If there is something else in the way.
    """
    write_whole(Path(path), state_files(state), STATE_FILE, FILES)


def _table_text(row_type: type[Row], rows: Sequence[Row], optional: set[str]) -> str:
    """Write a table; optional columns only where any row has something in them."""
    shown = [
        column
        for column in columns(row_type)
        if column.name not in optional
        or any(getattr(row, column.attribute) != column.default for row in rows)
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.name for column in shown)
    for row in rows:
        values = [getattr(row, column.attribute) for column in shown]
        writer.writerow(
            "" if value is None else column.cell.write(value)
            for column, value in zip(shown, values, strict=True)
        )
    return text.getvalue()


def begun_state(
    instance: Instance,
    plan: Plan | RedactedPlan,
    events: Sequence[str] = (),
    *,
    month: int | None = None,
    week: int | None = None,
    date: str = "",
    title: str = "",
    existing: bool = False,
) -> State:
    """Return a state to begin with: stocks of the plan, and events that begin now.

    Of a plan for a partner, stocks that are hidden are left out, and so are full; those of today
    are bands.

    Parameters
    ----------
    events
        Names of hazards, each with ``=`` and a severity where it is not as severe as such events
        are on average.
    month
        The current month, counted from 1; the first one where no week is given either.
    week
        The current week, where the instance is in weeks.
    existing
        Whether stocks are what is held today, not what the plan wants to be held.

    Raises
    ------
    UsageError
        If an event, date or title cannot be understood, or there is no such month or week.
    ResultError
        If there is no plan.
    """
    if month is None and week is None:
        month = 1
    for name, number in (("month", month), ("week", week)):
        if number is not None and number < 1:
            raise UsageError(f"{name} is {number}; expected at least 1")
    wrong = wrong_moment(month, week, "", PERIODS[instance.period])
    if wrong:
        raise UsageError(wrong)
    for name, text in (("date", date), ("title", title)):
        try:
            Text().take(text)
        except CellError as error:
            raise UsageError(f"{name} {error}") from None
    if isinstance(plan, Plan) and not plan.found:
        raise ResultError(f"The result holds no plan: its status is {plan.status}.")
    tonnes = plan.existing_t if existing else plan.held_t
    stocks = tuple(
        StockLevel(participant=participant, material=material, stock_t=stock_t)
        for (participant, material), stock_t in tonnes.items()
    )
    if existing and not isinstance(plan, Plan):  # Left out they would be as full as agreed.
        stocks += _hidden_of_today(plan)
    return State(
        month=month,
        week=week,
        date=date,
        title=title or instance.title,
        stocks=stocks,
        ongoing=tuple(_beginning(instance, text, month, week) for text in events),
    )


def _hidden_of_today(plan: RedactedPlan) -> tuple[StockLevel, ...]:
    """Return what is held today of the stocks that a plan for a partner hides, as bands."""
    table = plan.holdings
    known = plan.existing_t
    return tuple(
        StockLevel(participant=participant, material=material, band=name)
        for participant, material, name in zip(
            table["participant"], table["material"], table["existing"], strict=True
        )
        if (participant, material) not in known
    )


def _beginning(instance: Instance, text: str, month: int | None, week: int | None) -> Ongoing:
    """Read ``hazard`` or ``hazard=severity``."""
    name, _, given = text.partition("=")
    hazards = {hazard.hazard: hazard for hazard in instance.hazards}
    if name not in hazards:
        hint = suggestion(name, list(hazards), "hazards")
        raise UsageError(f"--event: there is no hazard {name!r}. {hint}")
    severity = hazards[name].severity_mean
    if given:
        try:
            severity = _SEVERITY.parse(given.strip())
        except CellError:
            raise UsageError(
                f"--event: {given!r}; expected a severity of at least 0, such as 0.8"
            ) from None
    return Ongoing(event=name, hazard=name, start_month=month, start_week=week, severity=severity)
