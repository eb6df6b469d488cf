"""What has to hold of a state: names that are known, stocks that have room, events that can be."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from stockpile.cells import ALL, KeyOf, NameList
from stockpile.desk.events import observed
from stockpile.desk.moments import begun, current, wrong_moment
from stockpile.errors import Mistake, suggestion
from stockpile.periods import PERIODS
from stockpile.tables import columns, names_of
from stockpile.validation.places import TOLERANCE, row_mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stockpile.desk.events import Observed
    from stockpile.desk.state import Ongoing, Started, State
    from stockpile.instance import Instance
    from stockpile.periods import Period
    from stockpile.plan import Plan
    from stockpile.reading import Gaps
    from stockpile.redacted_plans import RedactedPlan
    from stockpile.tables import Row


def state_mistakes(
    state: State, instance: Instance, plan: Plan | RedactedPlan, gaps: Gaps | None = None
) -> Iterator[Mistake]:
    """Yield what is wrong with a state whose cells are each valid.

    Parameters
    ----------
    gaps
        What has been left out of the state because it was wrong.
    """
    unknown = list(_unknown_names(state, instance))
    yield from unknown
    yield from _repeated(state)
    yield from _amounts(state)
    period = PERIODS[instance.period]
    wrong = list(_moments(state, period, gaps))
    yield from wrong
    if not wrong and _dated(state):
        yield from _begun(state, period)
        if not unknown:
            yield from _events(state, instance, period)
    if unknown:
        return
    yield from _projects(state, plan)
    if gaps is None or "stocks" not in gaps.incomplete:
        yield from _room(state, instance, plan)


def _rows(state: State, table: str) -> tuple[Row, ...]:
    rows: tuple[Row, ...] = getattr(state, table)
    return rows


def _unknown_names(state: State, instance: Instance) -> Iterator[Mistake]:
    for table in ("stocks", "ongoing", "started"):
        for row in _rows(state, table):
            for column in columns(type(row)):
                cell = column.cell
                if not isinstance(cell, (KeyOf, NameList)) or cell.table is None:
                    continue
                known = names_of(cell.table, getattr(instance, cell.table))
                value = getattr(row, column.attribute)
                for name in (value,) if isinstance(value, str) else value or ():
                    if name not in known and name != ALL:
                        yield row_mistake(
                            table,
                            row,
                            column.name,
                            name,
                            f"there is no {name!r} in {cell.table}.csv of the instance",
                            suggestion(name, known, f"names in {cell.table}.csv"),
                        )


def _repeated(state: State) -> Iterator[Mistake]:
    for table in ("stocks", "ongoing", "started"):
        rows_of: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for row in _rows(state, table):
            rows_of[tuple(getattr(row, name) for name in type(row).key)].append(row)
        for names, rows in rows_of.items():
            if len(rows) > 1:
                about = ", ".join(type(rows[0]).key)
                yield row_mistake(
                    table,
                    rows,
                    type(rows[0]).key[-1],
                    ", ".join(names),
                    f"{len(rows)} rows have the same {about}; expected one row for each",
                    "Keep one of them.",
                )


def _dated(state: State) -> bool:
    """Say whether it is known which month or week it is."""
    return state.month is not None or state.week is not None


def _moments(state: State, period: Period, gaps: Gaps | None) -> Iterator[Mistake]:
    """Find what is dated not at all, twice, or in weeks where the instance is in months."""
    message = wrong_moment(state.month, state.week, "", period)
    # What could not be read has been reported.
    if message and (_dated(state) or gaps is None or "state.toml" not in gaps.incomplete):
        value = None if state.week is None else str(state.week)
        yield Mistake("state.toml", None, _today(state)[0], value, message)
    for table, row in _dated_rows(state):
        message = wrong_moment(row.start_month, row.start_week, "start_", period)
        if message:
            yield row_mistake(table, row, *_start(row), message)
    for event in state.ongoing:
        if _last(event)[1] is None:
            continue  # It goes on.
        message = wrong_moment(event.last_month, event.last_week, "last_", period)
        if message:
            yield row_mistake("ongoing", event, *_last(event), message)


def _begun(state: State, period: Period) -> Iterator[Mistake]:
    now = current(state, period)
    for table, row in _dated_rows(state):
        if begun(row, period) > now:
            step, start = _start(row)
            today, number = _today(state)
            yield row_mistake(
                table,
                row,
                step,
                start,
                f"{step} {start} has not come: the current {today} is {number}",
                f"Leave out what has not begun, or set {today} in state.toml to the current one.",
            )


def _dated_rows(state: State) -> Iterator[tuple[str, Ongoing | Started]]:
    """Yield what began at some time, with its table."""
    yield from (("ongoing", row) for row in state.ongoing)
    yield from (("started", row) for row in state.started)


def _today(state: State) -> tuple[str, int | None]:
    """Return the key that says what is current, and its value."""
    return ("month", state.month) if state.week is None else ("week", state.week)


def _start(row: Ongoing | Started) -> tuple[str, int | None]:
    """Return the column that says when something began, and its value."""
    if row.start_week is None:
        return "start_month", row.start_month
    return "start_week", row.start_week


def _last(row: Ongoing) -> tuple[str, int | None]:
    """Return the column that says when an event ended, and its value; None while it goes on."""
    if row.last_week is None:
        return "last_month", row.last_month
    return "last_week", row.last_week


def _amounts(state: State) -> Iterator[Mistake]:
    for row in state.stocks:
        if (row.stock_t is None) == (row.band is None):
            both = "both" if row.band else "neither"
            yield row_mistake(
                "stocks",
                row,
                "stock_t",
                row.stock_t,
                f"a stock needs stock_t or a band; this row has {both}",
                "Give tonnes where they may be known, else the band of days of cover.",
            )


def _events(state: State, instance: Instance, period: Period) -> Iterator[Mistake]:
    now = current(state, period)
    hazards = {hazard.hazard: hazard for hazard in instance.hazards}
    for row in state.ongoing:
        event = observed(row, hazards.get(row.hazard or ""), period)

        def wrong(
            column: str, value: object, message: str, hint: str = "", row: Row = row
        ) -> Mistake:
            return row_mistake("ongoing", row, column, value, message, hint)

        if event.last is not None:
            yield from _over(row, event, state, now, wrong)
        elif math.isnan(event.duration_median):
            yield wrong(
                "hazard",
                "",
                f"nothing says how long {event.event} may last",
                "Name the hazard that it is one of, or give duration_median_months.",
            )
        elif event.start <= now and event.chance_to_last(now - event.start + 1) <= 0.0:
            yield wrong(
                *_start(row),
                f"no event of this kind is active in its {period.name} {now - event.start + 1}",
                f"If it is over, give its last_{period.name}. If it lasts longer than foreseen, "
                "give duration_median_months and duration_sigma.",
            )
        if event.effect == "supply_loss" and event.source is None:
            hint = "Name the source, or the hazard that it is one of."
            yield wrong("source", "", "a supply_loss needs the source it is of", hint)
        if event.effect != "supply_loss" and event.source is not None:
            yield wrong("source", event.source, f"a {event.effect} has no source")
        if event.effect == "sharing_blocked" and event.severity != 1.0:
            yield wrong("severity", event.severity, "severity of sharing_blocked must be 1")
        elif event.effect != "demand_surge" and event.severity > 1.0:
            yield wrong(
                "severity",
                event.severity,
                f"severity of a {event.effect} must be a fraction from 0 to 1",
                "Fractions are never percent: 40 % is written 0.4.",
            )


def _over(
    row: Ongoing, event: Observed, state: State, now: int, wrong: Callable[..., Mistake]
) -> Iterator[Mistake]:
    """Find events that are said to be over and cannot be."""
    assert event.last is not None
    step, last = _last(row)
    if event.last < event.start:
        first, start = _start(row)
        yield wrong(
            step,
            last,
            f"{step} {last} is before {first} {start}",
            "The event was active in both.",
        )
    if event.last >= now:
        today, number = _today(state)
        yield wrong(
            step,
            last,
            f"{step} {last} is not over: the current {today} is {number}",
            "Leave it empty while the event goes on.",
        )
    for column in ("duration_median_months", "duration_sigma"):
        given = getattr(row, column)
        if given is not None:
            yield wrong(
                column,
                given,
                f"an event with a {step} is over, and lasted as long as that says",
                "Leave the duration out.",
            )


def _projects(state: State, plan: Plan | RedactedPlan) -> Iterator[Mistake]:
    funded = set(plan.projects["project"][plan.projects["funded"]])
    for row in state.started:
        if row.project not in funded:
            yield row_mistake(
                "started",
                row,
                "project",
                row.project,
                f"{row.project} is not funded in the plan",
                suggestion(row.project, sorted(funded), "funded projects"),
            )


def _room(state: State, instance: Instance, plan: Plan | RedactedPlan) -> Iterator[Mistake]:
    """Find stocks that the stores of their owner cannot hold; without stores all is room.

    What is hidden is left out.
    """
    kind_of = {row.material: row.storage_kind for row in instance.materials}
    limited = {row.participant for row in instance.facilities}
    room: dict[tuple[str, str], float] = defaultdict(float)
    for facility in instance.facilities:
        room[facility.participant, facility.storage_kind] += facility.capacity_t
    stored: dict[tuple[str, str], float] = defaultdict(float)
    given = {
        (row.participant, row.material): row.stock_t
        for row in state.stocks
        if row.stock_t is not None
    }
    for (participant, material), tonnes in (plan.held_t | given).items():
        stored[participant, kind_of[material]] += tonnes
    for place, tonnes in stored.items():
        participant, kind = place
        if participant not in limited or tonnes <= room[place] * (1.0 + TOLERANCE):
            continue
        rows = [
            row
            for row in state.stocks
            if row.participant == participant and kind_of[row.material] == kind
        ]
        if rows:
            largest = max(rows, key=lambda row: row.stock_t or 0.0)
            yield row_mistake(
                "stocks",
                largest,
                "stock_t",
                largest.stock_t,
                f"{participant} would have {tonnes:,.6g} t in {kind} rooms of {room[place]:,.6g} t "
                "in all",
                "Stocks are in tonnes. The largest is named; stocks left out are full.",
            )
