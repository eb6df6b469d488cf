"""How far one requirement would have to give way, all others kept as they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from stockpile.problem import LEVEL_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from stockpile.master.questions import Answer
    from stockpile.master.requirements import Requirement

ACCURACY = 1e-3
"""A value that loosens by more than this part of its size less than stated does not suffice."""
BRACKET, ROUNDING_ROOM = 0.4 * ACCURACY, 0.5 * ACCURACY
"""What of that the bisection leaves open, and what is spent on numbers that are easy to read."""
EXACT = 1e-10
"""Relative difference that counts as rounding when a number is rounded outward."""


@dataclass(frozen=True, slots=True)
class Loosening:
    """A value of a requirement that suffices.

    Attributes
    ----------
    value
        A plan that keeps everything else has been found with it.
    tight
        Whether it is proved that a value that loosens less, beyond the accuracy, does not suffice.
    """

    requirement: Requirement
    value: float
    tight: bool

    def __str__(self) -> str:
        """Say it in one line."""
        return self.requirement.words(self.value)


def least_loosening(
    requirement: Requirement, enough: float, ask: Callable[[float], Answer]
) -> Loosening:
    """Bisect between what is asked now, which is too much, and a value that suffices.

    Parameters
    ----------
    enough
        A value with which a plan has been found.
    ask
        Says whether everything else can be kept with a value.
    """
    too_much, tight = requirement.current, True
    while abs(enough - too_much) > max(
        BRACKET * requirement.size(enough), requirement.step
    ) and not _same(enough, too_much):
        middle = 0.5 * (enough + too_much)
        if requirement.step:
            middle = requirement.step * math.floor(middle / requirement.step)
            if middle in (enough, too_much):
                break
        answer = ask(middle)
        if answer.possible:
            assert answer.use is not None
            enough = requirement.tighter(middle, requirement.reached(answer.use))
        else:
            too_much, tight = middle, tight and answer.possible is False
    return Loosening(requirement, readable(requirement, enough), tight)


def readable(requirement: Requirement, value: float) -> float:
    """Round a value to the side that asks less, to as few digits as the accuracy allows."""
    if requirement.step or value == requirement.loosest:
        return value
    room = ROUNDING_ROOM * requirement.size(value)
    side = ROUND_FLOOR if requirement.falls else ROUND_CEILING
    # What is only rounding above a short number must not be rounded up to the next one.
    exact = Decimal(value) * Decimal(1.0 - EXACT if side == ROUND_CEILING else 1.0 + EXACT)
    for place in range(30, -30, -1):
        unit = Decimal(1).scaleb(place)
        rounded = (exact / unit).to_integral_value(rounding=side) * unit
        if abs(float(rounded) - value) <= room:
            return float(rounded)
    return value


def _same(first: float, second: float) -> bool:
    return abs(first - second) <= LEVEL_TOLERANCE * max(abs(first), abs(second))
