"""What has to hold of a state: names that are known, stocks that have room, events that can be."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from stockpile.cells import ALL, KeyOf, NameList
from stockpile.desk.events import observed
from stockpile.errors import suggestion
from stockpile.tables import columns, names_of
from stockpile.validation.places import TOLERANCE, row_mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stockpile.desk.state import Ongoing, State
    from stockpile.errors import Mistake
    from stockpile.instance import Instance
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
    yield from _begun(state)
    yield from _amounts(state)
    if unknown:
        return
    yield from _events(state, instance)
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


def _begun(state: State) -> Iterator[Mistake]:
    for table in ("ongoing", "started"):
        for row in _rows(state, table):
            start: int = getattr(row, "start_month")  # noqa: B009  Both tables have it.
            if start > state.month:
                yield row_mistake(
                    table,
                    row,
                    "start_month",
                    start,
                    f"start_month {start} has not come: the current month is {state.month}",
                    "Leave out what has not begun, or set month in state.toml to the current one.",
                )


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


def _events(state: State, instance: Instance) -> Iterator[Mistake]:
    hazards = {hazard.hazard: hazard for hazard in instance.hazards}
    for row in state.ongoing:
        event = observed(row, hazards.get(row.hazard or ""))

        def wrong(
            column: str, value: object, message: str, hint: str = "", row: Row = row
        ) -> Mistake:
            return row_mistake("ongoing", row, column, value, message, hint)

        if row.last_month is not None:
            yield from _over(row, state.month, wrong)
        elif math.isnan(event.duration_median_months):
            yield wrong(
                "hazard",
                "",
                f"nothing says how long {event.event} may last",
                "Name the hazard that it is one of, or give duration_median_months.",
            )
        elif event.start_month <= state.month:
            yield from _lasting(event.chance_to_last, event.start_month, state.month, wrong)
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


def _over(row: Ongoing, month: int, wrong: Callable[..., Mistake]) -> Iterator[Mistake]:
    """Find events that are said to be over and cannot be."""
    last = row.last_month
    assert last is not None
    if last < row.start_month:
        yield wrong(
            "last_month",
            last,
            f"last_month {last} is before start_month {row.start_month}",
            "Both are months in which the event was active.",
        )
    if last >= month:
        yield wrong(
            "last_month",
            last,
            f"last_month {last} is not over: the current month is {month}",
            "Leave it empty while the event goes on.",
        )
    for column in ("duration_median_months", "duration_sigma"):
        given = getattr(row, column)
        if given is not None:
            yield wrong(
                column,
                given,
                "an event with a last_month is over, and lasted as long as that says",
                "Leave the duration out.",
            )


def _lasting(
    chance: Callable[[int], float], start: int, month: int, wrong: Callable[..., Mistake]
) -> Iterator[Mistake]:
    months = month - start + 1
    if chance(months) <= 0.0:
        yield wrong(
            "start_month",
            start,
            f"no event of this kind is active in its month {months}",
            "If it is over, give its last_month. If it lasts longer than foreseen, give "
            "duration_median_months and duration_sigma.",
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
