"""The data of the two-stage model with perfect foresight (F1)-(F6), (F16): plain arrays.

Equations are those of ``docs/foresight.md``. Whatever solves the model starts from here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.kernels.releasable import add_releasable
from stockpile.kernels.simulation import GateArrays
from stockpile.needs import yearly
from stockpile.problem import LEVEL_TOLERANCE
from stockpile.rules import OWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.blocks import Block, Steps
    from stockpile.couplings import Couplings
    from stockpile.needs import Needs
    from stockpile.problem import Problem

FORGIVEN = 2.0 * LEVEL_TOLERANCE
"""Twice the tolerance within which a level, a confidence or a limit counts as kept."""


@dataclass(frozen=True, slots=True)
class ForesightData:
    """One material: holdings are chosen first, and releases when the scenario is known.

    A stock belongs to each participant c, a stream q is a demand class of one participant, and a
    step j says which stock may serve which stream, as in :class:`stockpile.blocks.Steps`.

    Attributes
    ----------
    material
        Name of the block.
    participants
        Names of the C owners of stocks.
    per_year
        12/T: turns a cost over the horizon into a cost per year.
    holding_cost
        (C,) cost of holding a tonne [USD/(t year)].
    price, existing
        (C,) what buying a tonne costs at least [USD/t], and tonnes that are there already [t].
    lower, upper
        (C,) limits of the holdings [t].
    pool
        (R, C) whose holdings count towards each pooled promise of days of cover.
    pooled
        (R,) what they must add up to [t].
    shortage_cost
        (Q,) cost of a missing tonne [USD/t].
    owner, stream
        (J,) stock c and stream q of each step.
    own
        (J,) whether a step serves the owner itself.
    cost
        (J,) shipping [USD/t].
    scenario
        (S',) index, in the scenario set, of the scenarios that need anything; the others cost
        nothing but the holdings.
    probability
        (S',) p_s of these scenarios.
    need
        (S', Q) need over the horizon [t].
    limit
        (S', J) need that falls in months in which the gate of the step can be open [t].
    availability
        (S', C) tonnes that a tonne held can release over the horizon, refills included.
    """

    material: str
    participants: tuple[str, ...]
    per_year: float
    holding_cost: NDArray[np.float64]
    price: NDArray[np.float64]
    existing: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    pool: NDArray[np.bool_]
    pooled: NDArray[np.float64]
    shortage_cost: NDArray[np.float64]
    owner: NDArray[np.int64]
    stream: NDArray[np.int64]
    own: NDArray[np.bool_]
    cost: NDArray[np.float64]
    scenario: NDArray[np.int64]
    probability: NDArray[np.float64]
    need: NDArray[np.float64]
    limit: NDArray[np.float64]
    availability: NDArray[np.float64]

    @property
    def feasible(self) -> bool:
        """Return whether any holdings keep within all limits."""
        return bool(
            (self.lower <= self.upper).all() and (self.pool @ self.upper >= self.pooled).all()
        )

    def mean_scenario(self) -> ForesightData:
        """Return the same model on one scenario: the mean of all, those without need included."""
        p = self.probability
        return replace(
            self,
            scenario=np.zeros(1, dtype=np.int64),
            probability=np.ones(1),
            need=(p @ self.need)[None],
            limit=(p @ self.limit)[None],
            availability=(1.0 + p @ (self.availability - 1.0))[None],
        )

    def in_scenarios(
        self, chosen: NDArray[np.int64], probability: NDArray[np.float64]
    ) -> ForesightData:
        """Return the same model on chosen scenarios of the set, those without need included.

        Parameters
        ----------
        chosen
            (N,) indices in the scenario set.
        probability
            (N,) how much each counts.
        """
        place = np.minimum(np.searchsorted(self.scenario, chosen), self.scenario.size - 1)
        needed = self.scenario[place] == chosen if self.scenario.size else chosen < 0

        def pick(values: NDArray[np.float64], otherwise: float) -> NDArray[np.float64]:
            rows = np.full((chosen.size, values.shape[1]), otherwise)
            rows[needed] = values[place[needed]]
            return rows

        return replace(
            self,
            scenario=chosen,
            probability=probability,
            need=pick(self.need, 0.0),
            limit=pick(self.limit, 0.0),
            availability=pick(self.availability, 1.0),
        )

    def holdings_cost(self, holding: NDArray[np.float64]) -> float:
        """Return the cost of holdings (C,) [USD/year], the first sum of (F1)."""
        return float(self.holding_cost @ holding)


@dataclass(frozen=True, slots=True)
class ForesightBudgets:
    """What buying the holdings of all materials may cost (F16); B limits.

    Attributes
    ----------
    names
        Whose budget it is; ``all`` for that of all together.
    member
        (B, C) whose purchases count.
    most
        (B,) [USD], loosened so that rounding shuts no plan out.
    """

    names: tuple[str, ...]
    member: NDArray[np.bool_]
    most: NDArray[np.float64]

    def outlay(
        self, materials: Sequence[ForesightData], holdings: Sequence[NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return what buying holdings costs at least, (..., B) [USD].

        Parameters
        ----------
        holdings
            By material: (..., C) [t].
        """
        bought = sum(
            data.price * np.maximum(0.0, held - data.existing)
            for data, held in zip(materials, holdings, strict=True)
        )
        return np.asarray(bought @ self.member.T.astype(np.float64))


def foresight_budgets(problem: Problem, couplings: Couplings) -> ForesightBudgets:
    """Return the budgets of a world: those of participants, and that of all together."""
    C = len(problem.participants)
    own = np.flatnonzero(np.isfinite(couplings.budget))
    everybody = np.ones((int(np.isfinite(couplings.joint_budget)), C), dtype=np.bool_)
    return ForesightBudgets(
        names=(*(problem.participants[c] for c in own), *["all"] * len(everybody)),
        member=np.concatenate([np.eye(C, dtype=np.bool_)[own], everybody]),
        most=np.concatenate(
            [couplings.budget[own], np.full(len(everybody), couplings.joint_budget)]
        )
        * (1.0 + FORGIVEN),
    )


def foresight_data(problem: Problem, block: Block, needs: Needs, *, sharing: bool) -> ForesightData:
    """Return the model of one block on its needs, with holdings limited by lots alone.

    Parameters
    ----------
    sharing
        If false, no partner releases anything.
    """
    participant, material = block.market_participant, block.market_material
    steps = block.steps if sharing else block.own_steps
    lot = problem.lot[material]
    nobody = np.zeros((0, participant.size), dtype=np.bool_)
    limit, availability = _releasable(needs, steps, problem.refill[participant])
    return ForesightData(
        material=block.name,
        participants=tuple(problem.participants[c] for c in participant),
        per_year=yearly(1.0, problem),
        holding_cost=problem.holding_cost[participant, material],
        price=problem.price[material],
        existing=problem.existing[participant, material],
        lower=problem.lots_min[participant, material] * lot,
        upper=problem.lots_max[participant, material] * lot,
        pool=nobody,
        pooled=np.empty(0),
        shortage_cost=problem.shortage_cost[
            participant[block.stream_market], material[block.stream_market], block.stream_class
        ],
        owner=steps.stock,
        stream=steps.stream,
        own=steps.relation == OWN,
        cost=steps.cost,
        scenario=needs.scenario,
        probability=needs.probability,
        need=needs.total,
        limit=limit,
        availability=availability,
    )


def _releasable(
    needs: Needs, steps: Steps, refill: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what steps can serve (S', J) [t], and what a tonne held can release (S', C).

    A gate needs the age of the event to reach the lag and no blocked owner, whatever the rules
    say. Own steps are always open.
    """
    gates = GateArrays(
        needs.need,
        needs.age,
        needs.blocked,
        steps.stream,
        steps.market,
        steps.ships,
        steps.lag,
        np.zeros(1, dtype=np.int64),
    )
    limit = np.empty((needs.scenario.size, steps.count))
    availability = np.empty((needs.scenario.size, refill.size))
    add_releasable(needs.first, needs.calm, gates, refill, limit, availability)
    # Sums in another order must not let a step serve more than is needed.
    own, total = steps.relation == OWN, needs.total[:, steps.stream]
    return np.where(own, total, np.minimum(limit, total)), availability
