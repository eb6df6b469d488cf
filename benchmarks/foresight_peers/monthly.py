"""The foresight model of one material as it is first written down: month by month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.model.foresight_data import ForesightData
    from stockpile.simulate import Course

CERTAIN = 1e-12
"""Probability that all other scenarios may lack without one for calm being added."""


@dataclass(frozen=True)
class Months:
    """The model month by month, without months in which nothing is needed: R releases, U needs.

    Attributes
    ----------
    data
        Costs, and the limits of the holdings.
    probability
        (S,) of the scenarios in which anything is needed.
    need
        (U,) what is needed, month by month and stream by stream [t].
    need_cost, release_cost
        (U,) and (R,) cost of a tonne unserved, or released, in a year in which it happens
        [USD/(t year)].
    need_scenario, release_scenario
        (U,) and (R,) the scenario; none comes before an earlier one.
    need_of, owner_of
        (R,) which need a release serves, and whose stock.
    """

    data: ForesightData
    probability: NDArray[np.float64]
    need: NDArray[np.float64]
    need_cost: NDArray[np.float64]
    release_cost: NDArray[np.float64]
    need_scenario: NDArray[np.int64]
    release_scenario: NDArray[np.int64]
    need_of: NDArray[np.int64]
    owner_of: NDArray[np.int64]

    @property
    def stocks(self) -> int:
        """Return how many stocks there are: one for each scenario and owner."""
        return self.data.lower.size * self.probability.size

    @property
    def stock_of(self) -> NDArray[np.int64]:
        """Return (R,) from which of them a release is."""
        return self.data.lower.size * self.release_scenario + self.owner_of

    @property
    def expected_need_cost(self) -> NDArray[np.float64]:
        """Return (U,) the expected cost of a tonne unserved [USD/(t year)]."""
        return self.probability[self.need_scenario] * self.need_cost

    @property
    def expected_release_cost(self) -> NDArray[np.float64]:
        """Return (R,) the expected cost of a tonne released [USD/(t year)]."""
        return self.probability[self.release_scenario] * self.release_cost

    @property
    def variables(self) -> int:
        """Return how many variables the extensive form has."""
        return self.data.lower.size + self.need.size + self.need_of.size


@dataclass(frozen=True)
class Scenario:
    """What one scenario needs, and what may serve it; as in :class:`Months`."""

    probability: float
    need: NDArray[np.float64]
    need_cost: NDArray[np.float64]
    release_cost: NDArray[np.float64]
    need_of: NDArray[np.int64]
    owner_of: NDArray[np.int64]


def months_of(data: ForesightData, course: Course) -> Months:
    """Return the model of one material month by month."""
    needs, steps = course.needs, course.steps
    scenario = np.repeat(np.arange(needs.scenario.size), np.diff(needs.first))
    month, stream = np.nonzero(needs.need > 0.0)
    number = np.full(needs.need.shape, -1)
    number[month, stream] = np.arange(month.size)
    at, step = np.nonzero(course.segment >= 0)
    return Months(
        data=data,
        probability=needs.probability,
        need=needs.need[month, stream],
        need_cost=data.per_year * data.shortage_cost[stream],
        release_cost=data.per_year * data.cost[step],
        need_scenario=scenario[month],
        release_scenario=scenario[at],
        need_of=number[at, steps.stream[step]],
        owner_of=steps.stock[step],
    )


def scenarios_of(model: Months) -> list[Scenario]:
    """Return the scenarios one by one, for packages that build a model of each.

    Their probabilities add up to 1: the last one needs nothing, if that can be.
    """
    each = np.arange(model.probability.size + 1)
    first_need = np.searchsorted(model.need_scenario, each)
    first_release = np.searchsorted(model.release_scenario, each)
    scenarios = []
    for s, probability in enumerate(model.probability.tolist()):
        needs = slice(first_need[s], first_need[s + 1])
        releases = slice(first_release[s], first_release[s + 1])
        scenarios.append(
            Scenario(
                probability=probability,
                need=model.need[needs],
                need_cost=model.need_cost[needs],
                release_cost=model.release_cost[releases],
                need_of=model.need_of[releases] - first_need[s],
                owner_of=model.owner_of[releases],
            )
        )
    calm = 1.0 - float(model.probability.sum())
    if calm > CERTAIN:
        nothing, nobody = np.empty(0), np.empty(0, dtype=np.int64)
        scenarios.append(Scenario(calm, nothing, nothing, nothing, nobody, nobody))
    return scenarios
