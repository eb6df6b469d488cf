"""A buying calendar as arrays: stocks that lack something, prices, limits, exposures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.limits import ALL
from stockpile.purchasing.settings import QUARTERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from stockpile.couplings import Couplings
    from stockpile.instance import Instance
    from stockpile.problem import Problem
    from stockpile.purchasing.exposure import Exposure
    from stockpile.purchasing.settings import ScheduleSettings

EDGES = (0.125, 0.25, 0.5, 1.0)
"""Ends of the steps of a price, as parts of all that is lacking of a material."""
MISSED = 2.0
"""A lot that is never bought counts so many times its highest price, and more."""
WHOLE = 1e-9
"""Part of a lot that is rounding."""


@dataclass(frozen=True, slots=True)
class PriceSteps:
    """What a material costs in a quarter, by how much all together buy in it.

    Everybody pays the price of the step that the total reaches, equation (8) with a quarter's
    supply.

    Attributes
    ----------
    most
        (L,) most tonnes of each step; rising.
    price
        (L,) [USD/t]; rising.
    """

    most: NDArray[np.float64]
    price: NDArray[np.float64]

    def of(self, tonnes: float) -> float:
        """Return the price of a total that is bought in a quarter [USD/t]."""
        step = int(np.searchsorted(self.most, tonnes * (1.0 - WHOLE), side="left"))
        return float(self.price[min(step, self.price.size - 1)])


@dataclass(frozen=True, slots=True)
class BudgetYear:
    """A fiscal year of who has a budget, as far as the calendar has quarters of it.

    Attributes
    ----------
    who
        A participant, or ``all`` for all together.
    year
        Its fiscal year.
    quarters
        Quarters of the calendar that lie in it.
    stocks
        (I,) whose purchases are paid from it.
    budget
        Most that may be paid in these quarters [USD]: of a year that lies in the calendar in part,
        the same part. Infinite for no limit.
    """

    who: str
    year: int
    quarters: NDArray[np.int64]
    stocks: NDArray[np.bool_]
    budget: float


@dataclass(frozen=True, slots=True)
class ScheduleData:
    """All that a calendar depends on; I stocks that are bought for, J that are too large.

    Attributes
    ----------
    participants, materials
        Names.
    settings
        Time and limits.
    participant, material
        (I,) of each stock that lacks something.
    lots
        (I,) lots to buy.
    lot
        (I,) [t].
    lacking
        (I,) what is lacking [t]; at most lots times their size.
    due
        (I,) number of quarters within which all has to be bought; 0 for no limit.
    excess_participant, excess_material, excess_lots, excess_lot
        (J,) the same of what is to be disposed of.
    price
        (M,) normal prices [USD/t].
    steps
        (M,) steps of the price in a quarter; None where it does not rise.
    most_yearly
        (M,) most that all buy in a calendar year, or dispose of [t]; infinite for no limit.
    budget
        (C + 1,) yearly budgets of the participants, and of all together [USD]; infinite for no
        limit.
    discount
        (C,) [1/year].
    exposures
        Of each block that lacks something.
    stored
        (C, kinds) what is stored of all that is neither bought nor disposed of [t].
    couplings
        Rooms and budgets, as in the plan's world.
    tail_years
        Years after the calendar for which its last exposure is counted.
    """

    participants: tuple[str, ...]
    materials: tuple[str, ...]
    settings: ScheduleSettings
    participant: NDArray[np.int64]
    material: NDArray[np.int64]
    lots: NDArray[np.int64]
    lot: NDArray[np.float64]
    lacking: NDArray[np.float64]
    due: NDArray[np.int64]
    excess_participant: NDArray[np.int64]
    excess_material: NDArray[np.int64]
    excess_lots: NDArray[np.int64]
    excess_lot: NDArray[np.float64]
    price: NDArray[np.float64]
    steps: tuple[PriceSteps | None, ...]
    most_yearly: NDArray[np.float64]
    budget: NDArray[np.float64]
    discount: NDArray[np.float64]
    exposures: tuple[Exposure, ...]
    materials_of: tuple[tuple[int, ...], ...]
    stored: NDArray[np.float64]
    couplings: Couplings
    tail_years: float

    @property
    def missed(self) -> NDArray[np.float64]:
        """Return what a lot counts that is never bought, (I,) [USD].

        More than it can cost to buy it: its highest price, what it adds to the price of all others
        of its material, and every store. So all is bought that budgets and limits allow.
        """
        dearest = np.array(
            [
                price if steps is None else float(steps.price[-1])
                for price, steps in zip(self.price, self.steps, strict=True)
            ]
        )
        lacking = np.zeros(self.price.size)
        np.add.at(lacking, self.material, self.lots * self.lot)
        m = self.material
        stores = float(self.couplings.facilities.fixed_cost.sum()) * self.settings.years
        return np.asarray(
            MISSED * dearest[m] * self.lot + (dearest - self.price)[m] * lacking[m] + stores
        )

    def budget_years(self) -> Iterator[BudgetYear]:
        """Yield the fiscal years of all participants, and of all together."""
        everybody = np.ones(self.participant.size, dtype=np.bool_)
        for c, name in enumerate((*self.participants, ALL)):
            of_quarter = np.array(
                [self.settings.fiscal_year(name, t) for t in range(self.settings.quarters)]
            )
            for year in np.unique(of_quarter).tolist():
                quarters = np.flatnonzero(of_quarter == year)
                yield BudgetYear(
                    who=name,
                    year=year,
                    quarters=quarters,
                    stocks=everybody if name == ALL else self.participant == c,
                    budget=float(self.budget[c]) * quarters.size / QUARTERS,
                )

    def worth(self, c: int, quarter: int) -> float:
        """Return what a dollar of a participant in a quarter is worth at the beginning."""
        return float((1.0 + self.discount[c]) ** (-quarter / QUARTERS))

    def worth_to_all(self, quarter: int) -> float:
        """Return the same for what all bear."""
        return float(np.mean([self.worth(c, quarter) for c in range(self.discount.size)]))

    def exposure_years(self, quarter: int) -> float:
        """Return for how many years the exposure of a quarter counts, worth it at the beginning."""
        years = 1.0 / QUARTERS
        if quarter == self.settings.quarters - 1:
            years += self.tail_years
        return years * self.worth_to_all(quarter)


def schedule_data(
    instance: Instance,
    problem: Problem,
    couplings: Couplings,
    settings: ScheduleSettings,
    today: NDArray[np.float64],
    target: NDArray[np.float64],
    released: NDArray[np.bool_],
    exposures: Sequence[Exposure],
    materials_of: Sequence[tuple[int, ...]],
) -> ScheduleData:
    """Put a calendar's data together.

    Parameters
    ----------
    today, target
        (C, M) stocks to begin with, and to end with [t].
    released
        (C, M) whether what is lacking has been released, and is due.
    materials_of
        By block: its materials.
    """
    lacking = np.maximum(target - today, 0.0)
    lots = np.ceil(lacking / problem.lot - WHOLE).astype(np.int64)
    excess = np.floor(np.maximum(today - target, 0.0) / problem.lot + WHOLE).astype(np.int64)
    c, m = np.nonzero(lots)
    j, n = np.nonzero(excess)
    years = settings.replenish_years
    due = 0 if years is None or years > settings.years else QUARTERS * years
    kept = today - np.where(excess > 0, excess * problem.lot, 0.0)
    stored = np.zeros((len(problem.participants), len(couplings.kinds)))
    np.add.at(stored.T, couplings.kind_of, kept.T)
    yearly = np.append(couplings.budget, couplings.joint_budget) / settings.years
    named = settings.yearly_budget
    budget = [named.get(name, yearly[k]) for k, name in enumerate((*problem.participants, ALL))]
    supply = problem.world_supply
    share = math.inf if settings.most_of_supply is None else settings.most_of_supply
    most_yearly = np.where(np.isfinite(supply), share * supply, np.inf)
    return ScheduleData(
        participants=problem.participants,
        materials=problem.materials,
        settings=settings,
        participant=c,
        material=m,
        lots=lots[c, m],
        lot=problem.lot[m],
        lacking=lacking[c, m],
        due=np.where(released[c, m], due, 0),
        excess_participant=j,
        excess_material=n,
        excess_lots=excess[j, n],
        excess_lot=problem.lot[n],
        price=problem.price,
        steps=tuple(
            _price_steps(problem, k, float((lots[:, k] * problem.lot[k]).sum()))
            for k in range(len(problem.materials))
        ),
        most_yearly=most_yearly,
        budget=np.array(budget) * settings.budget_factor,
        discount=np.array([row.discount_rate_per_year for row in instance.participants]),
        exposures=tuple(exposures),
        materials_of=tuple(materials_of),
        stored=stored,
        couplings=couplings,
        tail_years=problem.horizon / problem.period.per_year,
    )


def _price_steps(problem: Problem, m: int, lacking: float) -> PriceSteps | None:
    """Return the steps of a material's price in a quarter; None where it does not rise."""
    supply, impact = float(problem.world_supply[m]), float(problem.price_impact[m])
    if not math.isfinite(supply) or impact <= 0.0 or lacking <= 0.0:
        return None
    most = lacking * np.array(EDGES)
    return PriceSteps(most, problem.price[m] * (1.0 + impact * most / (supply / QUARTERS)))
