"""How far one requirement would have to give way, all others kept as they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stockpile.infeasibility.plan_use import PlanUse
    from stockpile.infeasibility.questions import Answer
    from stockpile.infeasibility.requirements import Requirement

ACCURACY = 1e-3
"""A value that loosens by more than this part of its size less than stated does not suffice."""
BRACKET, ROUNDING_ROOM = 0.4 * ACCURACY, 0.5 * ACCURACY
"""What of that the bisection leaves open, and what is spent on numbers that are easy to read."""
EXACT = 1e-10
"""Relative difference that counts as rounding when a number is rounded outward."""


MOST_OPEN = 2
"""Questions that may stay open before the bisection is content with what it has."""


@dataclass(frozen=True, slots=True)
class Loosening:
    """A value of a requirement that suffices.

    Attributes
    ----------
    value
        A plan that keeps everything else has been found with it.
    too_much
        A value with which it is proved that there is none.
    use
        What that plan uses.
    """

    requirement: Requirement
    value: float
    too_much: float
    use: PlanUse

    @property
    def tight(self) -> bool:
        """Return whether less does not suffice, but for the accuracy."""
        room = max(ACCURACY * self.requirement.size(self.value), self.requirement.step)
        return abs(self.value - self.too_much) <= room * (1.0 + EXACT)

    def __str__(self) -> str:
        """Say it in one line."""
        text = self.requirement.words(self.value)
        if self.tight:
            return text
        text += "; less may be enough"
        if self.too_much == self.requirement.current:
            return text
        too_much = readable(self.requirement, self.too_much, looser=False)
        return f"{text}, but not {self.requirement.amount(too_much)}"


def least_loosening(
    requirement: Requirement,
    low: float,
    too_much: float,
    answer: Answer,
    ask: Callable[[float], Answer],
) -> Loosening:
    """Bisect between a value that does not suffice and one that does.

    Parameters
    ----------
    low
        A value with which no plan is known.
    too_much
        A value with which it is proved that there is none.
    answer
        With a plan, whatever is asked of the requirement.
    ask
        Says whether everything else can be kept with a value.
    """
    assert answer.use is not None
    use, enough = answer.use, requirement.reached(answer.use)
    still_open = 0
    while still_open < MOST_OPEN:
        if requirement.tighter(low, enough) == enough:
            # A plan does better than a value with which none was known.
            low = too_much
        if _close(requirement, low, enough):
            break
        middle = 0.5 * (enough + low)
        if requirement.step:
            middle = requirement.step * math.floor(middle / requirement.step)
            middle = low + requirement.step if middle == low else middle
        answer = ask(middle)
        if answer.use is not None:
            use, enough = answer.use, requirement.tighter(middle, requirement.reached(answer.use))
        else:
            low = middle
            still_open += answer.possible is None
            too_much = too_much if answer.possible is None else middle
    return Loosening(requirement, readable(requirement, enough), too_much, use)


def _close(requirement: Requirement, low: float, enough: float) -> bool:
    """Say whether two values differ by no more than the bisection leaves open."""
    room = max(BRACKET * requirement.size(enough), requirement.step)
    return abs(enough - low) <= room * (1.0 + EXACT)


def readable(requirement: Requirement, value: float, *, looser: bool = True) -> float:
    """Round a value to as few digits as the accuracy allows, to the side that asks less, or more.

    Parameters
    ----------
    looser
        Whether to the side that asks less.
    """
    if requirement.step or value in (requirement.loosest, requirement.current):
        return value
    room = ROUNDING_ROOM * requirement.size(value)
    side = ROUND_FLOOR if requirement.falls == looser else ROUND_CEILING
    # What is only rounding above a short number must not be rounded up to the next one.
    exact = Decimal(value) * Decimal(1.0 - EXACT if side == ROUND_CEILING else 1.0 + EXACT)
    exact -= Decimal(requirement.origin)
    for place in range(30, -30, -1):
        unit = Decimal(1).scaleb(place)
        rounded = (exact / unit).to_integral_value(rounding=side) * unit
        rounded += Decimal(requirement.origin)
        if abs(float(rounded) - value) <= room:
            return float(rounded)
    return value
