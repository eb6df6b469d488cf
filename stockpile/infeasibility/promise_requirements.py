"""Rows of ``coverage.csv`` and least holdings as requirements that can give way.

They force stock to be bought, and so conflict with the limits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stockpile.infeasibility.requirements import Case, Requirement, place
from stockpile.problem import expand, promise_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.infeasibility.feasibility import Key
    from stockpile.infeasibility.plan_use import PlanUse
    from stockpile.instance import Instance
    from stockpile.problem import Problem
    from stockpile.tables import CoverageTarget

PROMISE, HOLDING = "promise", "holding"
MOST_NAMES = 3
"""Lists of more names than this are counted, not spelled out."""


@dataclass(frozen=True)
class PromiseRow(Requirement):
    """Level of one row of ``coverage.csv``, for all that the row names.

    Attributes
    ----------
    number
        Of the row.
    promises
        Indices of the problem's promises that the row stands for.
    """

    current: float
    number: int
    row: CoverageTarget
    promises: tuple[int, ...]
    loosest: float = 0.0
    is_limit: bool = False

    @property
    def key(self) -> Key:
        """Return what tells requirements apart."""
        return (PROMISE, -1, self.number)

    def at(self, case: Case, value: float) -> Case:
        """Return a case with another level."""
        promises = list(case.problem.promises)
        for index in self.promises:
            promises[index] = replace(promises[index], level=value)
        return Case(replace(case.problem, promises=tuple(promises)), case.couplings)

    def kept(self, use: PlanUse) -> bool:
        """Say whether all that the row promises is kept."""
        return use.broken.isdisjoint(self.promises)

    def size(self, value: float) -> float:
        """Return 1 for fractions, whose accuracy is absolute, and all days for days."""
        return self.current if self.row.metric == "days" else 1.0

    def amount(self, value: float) -> str:
        """Write a value with its unit."""
        return f"{value:.10g}"

    def title(self) -> str:
        """Say what is asked now."""
        row = {
            "participant": _names(self.row.participant, "participants"),
            "material": _names(self.row.material, "materials"),
            "demand_class": _names(self.row.demand_class, "classes"),
            "metric": self.row.metric,
            "level": self.row.level,
            "confidence": self.row.confidence,
            "stress": self.row.stress,
            "sharing": self.row.sharing,
        }
        return f"{place(self.row.file or 'coverage.csv', self.row.line)} ({promise_in_words(row)})"

    def words(self, value: float) -> str:
        """Say to what the level has to fall."""
        if value <= 0.0:
            return f"{self.title()}: leave it out; no level can be kept"
        return f"{self.title()}: lower level from {self.current:.10g} to at most {value:.10g}"


@dataclass(frozen=True)
class LeastHolding(Requirement):
    """``min_t`` of a row of ``holdings.csv``, in lots."""

    current: float
    c: int
    m: int
    where: str
    least_t: float
    lot_t: float
    loosest: float = 0.0
    step: float = 1.0
    is_limit: bool = False

    @property
    def key(self) -> Key:
        """Return what tells requirements apart."""
        return (HOLDING, self.c, self.m)

    def at(self, case: Case, value: float) -> Case:
        """Return a case with another least number of lots."""
        least = case.problem.lots_min.copy()
        least[self.c, self.m] = round(value)
        return Case(replace(case.problem, lots_min=least), case.couplings)

    def reached(self, use: PlanUse) -> float:
        """Return the lots held."""
        return float(use.held[self.c, self.m])

    def kept(self, use: PlanUse) -> bool:
        """Say whether enough is held."""
        return self.reached(use) >= self.current

    def size(self, value: float) -> float:
        """Return a lot: numbers of lots are exact."""
        return self.step

    def amount(self, value: float) -> str:
        """Write a value with its unit."""
        return f"{value * self.lot_t:.12g} t"

    def title(self) -> str:
        """Say what is asked now."""
        return f"{self.where}: min_t {self.least_t:.10g}"

    def words(self, value: float) -> str:
        """Say to what the least holding has to fall."""
        needed = value * self.lot_t
        return f"{self.where}: lower min_t from {self.least_t:.10g} to at most {needed:.12g} t"


def promise_requirements(instance: Instance, problem: Problem) -> list[Requirement]:
    """Return all rows of ``coverage.csv`` that concern one material each, and least holdings."""
    return [*_rows(instance, problem), *_holdings(instance, problem)]


def _rows(instance: Instance, problem: Problem) -> Iterator[Requirement]:
    start = 0
    for number, row in enumerate(instance.coverage):
        if row.metric == "joint_chance":
            continue
        # As they are spelled out in the problem, row by row.
        count = len(expand(row.participant, problem.participants))
        count *= len(expand(row.material, problem.materials))
        if row.metric != "days":
            count *= len(expand(row.demand_class, problem.classes))
        promises = tuple(range(start, start + count))
        start += count
        if row.level > 0.0:
            yield PromiseRow(row.level, number, row, promises)


def _holdings(instance: Instance, problem: Problem) -> Iterator[Requirement]:
    for row in instance.holdings:
        c = problem.participants.index(row.participant)
        m = problem.materials.index(row.material)
        lots = int(problem.lots_min[c, m])
        if lots > 0:
            where = (
                f"{place(row.file or 'holdings.csv', row.line)} ({row.participant}, {row.material})"
            )
            yield LeastHolding(float(lots), c, m, where, row.min_t, float(problem.lot[m]))


def _names(names: tuple[str, ...], kind: str) -> str:
    """Write a cell of names; count them where there are many."""
    return f"{len(names)} {kind}" if len(names) > MOST_NAMES else ";".join(names)
