"""Promises and limits that say more than they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.errors import Mistake
from stockpile.reading import SETTINGS_FILE, setting_name
from stockpile.validation.places import row_mistake
from stockpile.validation.plans import WITH_CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.instance import Instance


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


LOOKS = (_unused_promise_cells, _risk)
