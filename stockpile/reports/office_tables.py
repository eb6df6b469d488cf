"""Tables in the shape that stockpile offices expect, from a plan and its instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.languages import language
from stockpile.reports.annual_plan import annual_plan
from stockpile.reports.days_of_cover import days_of_cover
from stockpile.reports.shortfall import shortfall

if TYPE_CHECKING:
    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.reports.document import Table


def office_tables(plan: Plan, instance: Instance, *, lang: str = "en") -> tuple[Table, ...]:
    """Return the annual materials plan, the shortfall, and the days of cover.

    Parameters
    ----------
    plan
        The plan.
    instance
        The instance that it was made from.
    lang
        Code of the language of headings and notes, such as ``ja``. Names stay as the instance has
        them.

    Returns
    -------
    tuple of Table
        Their rows hold values; ``table.frame()`` makes a DataFrame of one.

    Raises
    ------
    ResultError
        If the plan was not made from the instance, or there is no plan.
    UsageError
        If the language is not known.
    """
    say = language(lang)
    return (
        annual_plan(plan, instance, say),
        shortfall(plan, instance, say),
        days_of_cover(plan, instance, say),
    )
