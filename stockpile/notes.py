"""What an instance says in vain: no mistake, but worth knowing.

Such cells are allowed and change nothing. Whoever wrote them may have meant something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.cells import ALL
from stockpile.errors import Mistake
from stockpile.reading import SETTINGS_FILE, setting_name
from stockpile.validation import WITH_CONFIDENCE, row_mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.instance import Instance


def notes(instance: Instance) -> list[Mistake]:
    """Return what a valid instance says in vain, each with its place."""
    return [
        note
        for look in (_unused_classes, _late_events, _unused_followers, _unused_promise_cells, _risk)
        for note in look(instance)
    ]


def _unused_classes(instance: Instance) -> Iterator[Mistake]:
    for table in ("hazards", "events", "stress"):
        for row in getattr(instance, table):
            if row.effect != "demand_surge" and row.demand_class != (ALL,):
                yield row_mistake(
                    table,
                    row,
                    "demand_class",
                    ";".join(row.demand_class),
                    f"demand_class is ignored: a {row.effect} cannot choose classes",
                    "How a loss falls on classes follows from their priority.",
                )


def _late_events(instance: Instance) -> Iterator[Mistake]:
    for table in ("events", "stress"):
        for row in getattr(instance, table):
            if row.start_month > instance.horizon_months:
                yield row_mistake(
                    table,
                    row,
                    "start_month",
                    row.start_month,
                    "the event never happens: it starts after the last month of the horizon, "
                    f"{instance.horizon_months}",
                )


def _unused_followers(instance: Instance) -> Iterator[Mistake]:
    for row in instance.hazards:
        if row.follows is None and row.follow_probability > 0.0:
            yield row_mistake(
                "hazards",
                row,
                "follow_probability",
                row.follow_probability,
                "follow_probability is ignored: follows does not say what is followed",
            )


def _unused_promise_cells(instance: Instance) -> Iterator[Mistake]:
    for row in instance.coverage:
        users = {
            "confidence": WITH_CONFIDENCE,
            "stress": ("stress",),
            "group": ("joint_chance", "days"),
        }
        for column, metrics in users.items():
            value = getattr(row, column)
            if value is not None and row.metric not in metrics:
                yield row_mistake(
                    "coverage",
                    row,
                    column,
                    value,
                    f"{column} is ignored: it is for {' and '.join(metrics)}, not for {row.metric}",
                )


def _risk(instance: Instance) -> Iterator[Mistake]:
    risk = instance.risk
    if risk.cvar_confidence is not None and risk.cvar_limit_usd_per_year is None:
        yield Mistake(
            SETTINGS_FILE,
            None,
            setting_name("risk", "cvar_confidence"),
            str(risk.cvar_confidence),
            "cvar_confidence is ignored: there is no cvar_limit_usd_per_year",
        )
