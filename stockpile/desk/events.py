"""What is known of an event: what its hazard says, but for what the state says itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stockpile.cells import ALL
from stockpile.desk.moments import begun, ended

if TYPE_CHECKING:
    from stockpile.desk.state import Ongoing
    from stockpile.periods import Period
    from stockpile.tables import Hazard


@dataclass(frozen=True, slots=True)
class Observed:
    """An event that has begun, with nothing left open but when it ends, if it is not over.

    Attributes
    ----------
    event, hazard
        Key, and the hazard that it is one of, or None.
    effect, source, materials, targets, demand_class, answers
        As in `stockpile.tables.Hazard`.
    start
        First period in which it was active, counted from 1.
    severity
        As observed.
    duration_median, duration_sigma
        How long such events last from their start [periods]: lognormal, or fixed where sigma is 0.
    last
        Last period in which it was active, where it is over; else None.
    """

    event: str
    hazard: str | None
    effect: str
    source: str | None
    materials: tuple[str, ...]
    targets: tuple[str, ...]
    demand_class: tuple[str, ...]
    answers: str | None
    start: int
    severity: float
    duration_median: float
    duration_sigma: float
    last: int | None = None

    def chance_to_last(self, periods: int) -> float:
        """Return the probability that an event of the kind is active for at least so many periods.

        Durations are rounded to whole periods of at least 1, as those of drawn events are.
        """
        if periods <= 1:
            return 1.0
        if self.duration_sigma == 0.0:
            return 1.0 if round(self.duration_median) >= periods else 0.0
        z = math.log((periods - 0.5) / self.duration_median) / self.duration_sigma
        return 0.5 * math.erfc(z / math.sqrt(2.0))


def observed(row: Ongoing, hazard: Hazard | None, period: Period) -> Observed:
    """Return what is known of an event; ``hazard`` is the one that it names."""

    def either(name: str, otherwise: object) -> Any:
        given = getattr(row, name)
        if given is not None:
            return given
        return otherwise if hazard is None else getattr(hazard, name)

    values = {
        "effect": either("effect", "supply_loss"),
        "source": either("source", None),
        "materials": either("materials", (ALL,)),
        "targets": either("targets", (ALL,)),
        "demand_class": either("demand_class", (ALL,)),
        "duration_median": period.length(either("duration_median_months", math.nan)),
        "duration_sigma": either("duration_sigma", 0.0),
    }
    return Observed(
        event=row.event,
        hazard=row.hazard,
        answers=None if hazard is None else hazard.answers,
        start=begun(row, period),
        severity=row.severity,
        last=ended(row, period),
        **values,
    )
