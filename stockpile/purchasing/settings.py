"""What a buying calendar is asked to keep to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stockpile.errors import UsageError, suggestion
from stockpile.limits import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

QUARTERS = 4
"""Quarters of a year."""


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """Time and limits of a buying calendar.

    Attributes
    ----------
    from_year, years
        The first calendar year, and how many are planned.
    yearly_budget
        By participant: most that is paid in a fiscal year [USD]; ``all`` for all together. Who is
        left out may spend the acquisition budget that the plan has in its world, in equal parts;
        without one there is no limit.
    budget_factor
        All yearly budgets are multiplied by this.
    fiscal_start
        By participant: month in which its fiscal year begins; 1 where left out. ``all`` for the
        year of the budget of all together.
    most_of_supply
        Most that all participants together buy of a material in a calendar year, as a fraction of
        yearly world supply; None for no limit. The same holds for what they dispose of.
    replenish_years
        Years within which what a state says has been released is bought back; None for no limit.
    """

    from_year: int
    years: int
    yearly_budget: Mapping[str, float] = field(default_factory=dict)
    budget_factor: float = 1.0
    fiscal_start: Mapping[str, int] = field(default_factory=dict)
    most_of_supply: float | None = None
    replenish_years: int | None = None

    @property
    def quarters(self) -> int:
        """Return the number of quarters T."""
        return self.years * QUARTERS

    def check(self, participants: Sequence[str]) -> None:
        """Raise `UsageError` if anything is out of range."""
        wrong = []
        if not 1 <= self.years <= MOST_YEARS:
            wrong.append(f"years is {self.years}; expected 1 to {MOST_YEARS}")
        if not 1900 <= self.from_year <= 2200:
            wrong.append(f"from_year is {self.from_year}; expected a year from 1900 to 2200")
        for name, budget in self.yearly_budget.items():
            if not 0.0 <= budget < math.inf:
                wrong.append(f"the yearly budget of {name} is {budget!r}; expected at least 0 USD")
        for name, month in self.fiscal_start.items():
            if month not in FISCAL_MONTHS:
                wrong.append(
                    f"the fiscal year of {name} begins in month {month}; expected the first month "
                    "of a quarter: 1, 4, 7 or 10"
                )
        for name in (*self.yearly_budget, *self.fiscal_start):
            if name not in (*participants, ALL):
                hint = suggestion(name, list(participants), "participants")
                wrong.append(f"there is no participant {name!r}. {hint}")
        if self.most_of_supply is not None and not 0.0 < self.most_of_supply < math.inf:
            wrong.append(f"most_of_supply is {self.most_of_supply!r}; expected a fraction above 0")
        if not 0.0 <= self.budget_factor < math.inf:
            wrong.append(f"budget_factor is {self.budget_factor!r}; expected at least 0")
        if self.replenish_years is not None and self.replenish_years < 1:
            wrong.append(f"replenish_years is {self.replenish_years}; expected at least 1")
        if wrong:
            raise UsageError("\n".join(dict.fromkeys(wrong)))

    def calendar_year(self, quarter: int) -> int:
        """Return the calendar year of a quarter, counted from 0."""
        return self.from_year + quarter // QUARTERS

    def fiscal_year(self, participant: str, quarter: int) -> int:
        """Return the fiscal year of a quarter, named after the calendar year with most of it.

        One that begins in April is named after that year, as in Japan; one that begins in October
        after the next one, as in the United States, and so is one that begins in July.
        """
        start = self.fiscal_start.get(participant, 1)
        month = 3 * (quarter % QUARTERS) + 1
        year = self.calendar_year(quarter)
        if start <= APRIL:
            return year - (month < start)
        return year + (month >= start)


APRIL = 4
MOST_YEARS = 20
FISCAL_MONTHS = (1, 4, 7, 10)


def quarter_name(settings: ScheduleSettings, quarter: int) -> str:
    """Return the name of a quarter, such as ``2027-Q1``."""
    return f"{settings.calendar_year(quarter)}-Q{quarter % QUARTERS + 1}"
