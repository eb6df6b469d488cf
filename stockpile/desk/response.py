"""The answer of the crisis desk, as a result folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from stockpile.desk.advice import ADVICE, ALTERNATIVES
from stockpile.desk.orders import AHEAD, NEEDED, ORDERS
from stockpile.desk.outlook import OUTLOOK
from stockpile.desk.runouts import RUNOUTS
from stockpile.result_folder import ResultFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

FORMAT = 1
MARK = "response.json"
EVENTS: dict[str, type] = {
    "event": str,
    "hazard": str,
    "effect": str,
    "source": str,
    "materials": str,
    "targets": str,
    "start_month": int,
    "severity": float,
    "chance_3_more_months": float,
    "chance_6_more_months": float,
    "chance_12_more_months": float,
}
TABLES: dict[str, dict[str, type]] = {
    "events": EVENTS,
    "orders": ORDERS,
    "needed": NEEDED,
    "ahead": AHEAD,
    "runouts": RUNOUTS,
    "outlook": OUTLOOK,
    "alternatives": ALTERNATIVES,
    "advice": ADVICE,
}
"""Tables of a result folder, their columns and what these hold. Where the instance is in weeks,
they count these: see `stockpile.periods.Period.column`."""
FILES = (MARK, *(f"{name}.csv" for name in TABLES))


@dataclass(frozen=True)
class Response(ResultFolder):
    """What to do this month, or this week, and what is to be expected.

    Attributes
    ----------
    instance_name, instance_hash, cooperation
        Of the plan.
    period
        Of the instance, ``month`` or ``week``: what all that follows is counted in.
    month, date, title
        Of the state: number of the current period, counted from 1, and words.
    months
        Periods looked at, the current one included.
    continuations, seed
        How many ways on were drawn, and from what.
    events
        What is going on, and with which probability it goes on for so many more months.
    orders
        Who releases what to whom in this period [t], what is left then, and the line of the owner's
        rule that says so.
    needed
        What is needed in this period, and by whom it is served [t].
    ahead
        What is to be released in the coming periods [t].
    runouts
        When stocks run out: chances within some months, and periods by which parts of all
        continuations have run out, counted from 1 as the current one.
    outlook
        What is to be expected of each promise from now on.
    alternatives
        What could be done instead, on the same continuations [USD from now on].
    advice
        Other rules that would be better from here.
    """

    instance_name: str
    instance_hash: str
    cooperation: str
    period: str
    month: int
    date: str
    title: str
    months: int
    continuations: int
    seed: int
    events: pd.DataFrame
    orders: pd.DataFrame
    needed: pd.DataFrame
    ahead: pd.DataFrame
    runouts: pd.DataFrame
    outlook: pd.DataFrame
    alternatives: pd.DataFrame
    advice: pd.DataFrame

    mark: ClassVar[str] = MARK
    columns: ClassVar[Mapping[str, Mapping[str, type]]] = TABLES

    def summary(self) -> dict[str, Any]:
        """Return the content of ``response.json`` but for the tables."""
        return {
            "format": FORMAT,
            "instance": {"name": self.instance_name, "hash": self.instance_hash},
            "cooperation": self.cooperation,
            self.period: self.month,
            "date": self.date,
            "title": self.title,
            f"{self.period}s": self.months,
            "continuations": self.continuations,
            "seed": self.seed,
        }
