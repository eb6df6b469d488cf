"""The period of an instance, the step of time of everything that is simulated: month or week.

Tables are in months and years whatever the period is, so that one folder can be read with either.
Here, and nowhere else, months become periods. A week is the 52nd part of a year, 12/52 of a month.

What happens at a moment or lasts for a time is put on whole periods: the nearest ones. Rates are
never rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Amount = TypeVar("Amount", float, NDArray[np.float64])
    Count = TypeVar("Count", int, NDArray[np.int64])

MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True)
class Period:
    """A step of time.

    Attributes
    ----------
    name
        ``month`` or ``week``, as in ``instance.toml``; the columns of results that count steps
        have this name, too.
    per_year
        How many a year has.
    """

    name: str
    per_year: int

    @property
    def per_month(self) -> float:
        """Return how many a month has, on average."""
        return self.per_year / MONTHS_PER_YEAR

    def length(self, months: Amount) -> Amount:
        """Return how many periods so many months are, whole or not."""
        return months * self.per_month

    def months(self, periods: Amount) -> Amount:
        """Return how many months so many periods are, whole or not."""
        return periods / self.per_month

    def whole(self, months: int) -> int:
        """Return the number of whole periods that is nearest to so many months.

        Examples
        --------
        >>> [WEEK.whole(months) for months in (0, 1, 2, 3, 12)]
        [0, 4, 9, 13, 52]
        """
        # In whole numbers, exact however many there are; a third of a period is never a tie.
        return (2 * months * self.per_year + MONTHS_PER_YEAR) // (2 * MONTHS_PER_YEAR)

    def begin(self, month: int) -> int:
        """Return the first period, counted from 0, of a month, counted from 1."""
        return self.whole(month - 1)

    def span(self, start_month: int, months: int) -> int:
        """Return how many periods an event has that is active for months from a month on.

        It ends where the month after its last one begins, so what follows it at once in months
        does so in weeks.
        """
        return self.begin(start_month + months) - self.begin(start_month)

    def month_of(self, period: Count) -> Count:
        """Return the months, counted from 1, that periods, counted from 0, are in.

        Examples
        --------
        >>> [WEEK.month_of(week) for week in (0, 3, 4, 8, 9)]
        [1, 1, 2, 2, 3]
        """
        return (2 * period + 1) * MONTHS_PER_YEAR // (2 * self.per_year) + 1

    def column(self, name: str) -> str:
        """Return the name of a column that counts steps, from what it is called in months.

        Times and rates stay in months, and so do their names.

        Examples
        --------
        >>> [WEEK.column(name) for name in ("month", "start_month", "chance_in_3_months", "need_t")]
        ['week', 'start_week', 'chance_in_3_months', 'need_t']
        """
        return "_".join(self.name if word == MONTH.name else word for word in name.split("_"))

    def rate(self, per_month: Amount) -> Amount:
        """Turn an amount or a fraction per month into one per period."""
        return per_month / self.per_month

    def draw_limit(self, per_month: float) -> float:
        """Turn a draw limit of a month (4) into one of a period.

        So a month's periods may take together what a month may; 1 is no limit in either.
        """
        return 1.0 if per_month >= 1.0 else self.rate(per_month)


MONTH = Period("month", 12)
WEEK = Period("week", 52)
PERIODS = {period.name: period for period in (MONTH, WEEK)}
"""By the names that ``instance.toml`` may give."""
