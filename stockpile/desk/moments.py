"""Moments of a plan: a month or, where the instance is in weeks, a week, each counted from 1.

A month stands for its first period; as the last one of something, for its last period.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpile.periods import WEEK

if TYPE_CHECKING:
    from stockpile.desk.state import Ongoing, Started, StateHeader
    from stockpile.periods import Period


def current(state: StateHeader, period: Period) -> int:
    """Return the number of the current period, counted from 1."""
    return _number(state.month, state.week, period)


def begun(row: Ongoing | Started, period: Period) -> int:
    """Return the number of the period, counted from 1, in which something began."""
    return _number(row.start_month, row.start_week, period)


def ended(row: Ongoing, period: Period) -> int | None:
    """Return the number of the last period of what is over, counted from 1; None if it goes on."""
    if row.last_week is not None:
        return row.last_week
    return None if row.last_month is None else period.begin(row.last_month + 1)


def at(number: int, period: Period) -> dict[str, Any]:
    """Return the key of a state that says which period it is."""
    return {period.name: number}


def began_in(number: int, period: Period) -> dict[str, Any]:
    """Return the cell that says in which period something began."""
    return {f"start_{period.name}": number}


def ended_in(number: int, period: Period) -> dict[str, Any]:
    """Return the cell that says in which period something ended."""
    return {f"last_{period.name}": number}


def wrong_moment(month: int | None, week: int | None, prefix: str, period: Period) -> str:
    """Say what is wrong with a moment; nothing where it is right.

    Parameters
    ----------
    prefix
        Of the names of the two, such as ``start_``.
    """
    if week is not None and period != WEEK:
        return f'{prefix}week {week} needs an instance with period = "week"; this one is in months'
    if month is not None and week is not None:
        return f"{prefix}month {month} and {prefix}week {week} are both given; expected one of them"
    if month is None and week is None:
        either = f"{prefix}month or {prefix}week" if period == WEEK else f"{prefix}month"
        return f"{either} is missing: expected a whole number of at least 1"
    return ""


def _number(month: int | None, week: int | None, period: Period) -> int:
    if week is not None:
        return week
    assert month is not None, "a state is checked before it is used"
    return period.begin(month) + 1
