"""What is asked of a plan, and can give way when not everything can be kept: the base of all.

A requirement has a scale of values from what is asked now to where it asks nothing any more. What
is asked of a plan as a whole is a :class:`Case`; a requirement knows how to change its own part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.couplings import Couplings
    from stockpile.infeasibility.feasibility import Key
    from stockpile.infeasibility.plan_use import PlanUse
    from stockpile.problem import Problem


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked of a plan: promises and least holdings of a problem, and the limits."""

    problem: Problem
    couplings: Couplings


class Requirement(ABC):
    """Something that is asked of a plan.

    Attributes
    ----------
    current, loosest
        What is asked now, and where nothing is asked any more; in a unit of its own. What is
        asked loosens monotonically from the one to the other.
    step
        Least difference between two values that differ; 0 where any number will do.
    origin
        Value from which the number counts that is to be easy to read.
    rank
        How much work a question with it takes, roughly: those of low rank are asked about first.
    is_limit
        Whether it joins the materials, and so has a price in proofs.
    """

    current: float
    loosest: float
    step: float = 0.0
    origin: float = 0.0
    rank: int = 0
    is_limit: bool = True

    @property
    @abstractmethod
    def key(self) -> Key:
        """Return what tells limits apart in proofs."""

    @abstractmethod
    def at(self, case: Case, value: float) -> Case:
        """Return a case that asks for another value of this, and the same of all else."""

    @abstractmethod
    def kept(self, use: PlanUse) -> bool:
        """Say whether a plan keeps what is asked now."""

    def reached(self, use: PlanUse) -> float:
        """Return the tightest value that a plan is known to keep."""
        return self.current if self.kept(use) else self.loosest

    @abstractmethod
    def size(self, value: float) -> float:
        """Return what the accuracy of a value is relative to."""

    @abstractmethod
    def amount(self, value: float) -> str:
        """Write a value with its unit."""

    @abstractmethod
    def title(self) -> str:
        """Say what is asked now."""

    @abstractmethod
    def words(self, value: float) -> str:
        """Say in one line what to change for a value to be asked instead of the current one."""

    @property
    def falls(self) -> bool:
        """Return whether lower values ask less."""
        return self.loosest < self.current

    def tighter(self, first: float, second: float) -> float:
        """Return the one of two values that asks more."""
        return max(first, second) if self.falls else min(first, second)


def place(file: str, *lines: int) -> str:
    """Say where something stands, such as ``coverage.csv line 7``; lines are 0 where unknown."""
    known = [str(line) for line in sorted(set(lines)) if line]
    if not known:
        return file
    return f"{file} line{'s' if len(known) > 1 else ''} {listed(known)}"


def listed(names: Sequence[str]) -> str:
    """List names in words."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def together(participants: Sequence[str]) -> str:
    """Name all participants as one."""
    return listed(participants) + (" together" if len(participants) > 1 else "")


def money(current: float, needed: float) -> tuple[str, str, str]:
    """Write two amounts of USD in a common unit that is easy to read; return that too."""
    for size, unit in ((1e9, "billion USD"), (1e6, "million USD")):
        if needed >= size:
            return f"{current / size:.10g}", f"{needed / size:.12g}", unit
    return f"{current:,.10g}", f"{needed:,.12g}", "USD"


def relative_size(value: float) -> float:
    """Return the size of an amount that may be 0."""
    return max(abs(value), float(np.finfo(np.float64).tiny))
