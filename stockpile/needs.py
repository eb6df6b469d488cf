"""From events to needs: equations (1) to (3), one block at a time, in compressed form.

Needs depend on data only, never on the plan, so they are computed once per block. Only months in
which some stream of the block needs something are kept; of the calm months between them only
their number matters, for the refill (6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.kernels.needs import (
    EventArrays,
    KeptArrays,
    MarketArrays,
    count_need_months,
    fill_need_months,
)
from stockpile.problem import MONTHS_PER_YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.parallel import Workers
    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet


@dataclass(frozen=True, slots=True)
class Needs:
    """The needs of one block in the scenarios that have any.

    Attributes
    ----------
    scenario
        (S',) index of each kept scenario in the scenario set; the others need nothing.
    probability
        (S',) p_s of the kept scenarios.
    first
        (S' + 1,) months of kept scenario s are ``first[s]`` to ``first[s + 1] - 1``.
    month
        (N,) calendar month of each kept month, from 0.
    calm
        (N,) months without any need since the kept month before; 0 for the first one of a
        scenario, where stocks are still full.
    need
        (N, Q) n of equation (3) [t].
    loss, age
        (N, Z) supply loss (1) and age of the event [months] by market.
    blocked
        (N, I) whether the owner of a stock may not ship to partners.
    total
        (S', Q) need over the whole horizon [t].
    expected
        (Q,) E[need] over the horizon, of all scenarios of the set [t].
    """

    scenario: NDArray[np.int64]
    probability: NDArray[np.float64]
    first: NDArray[np.int64]
    month: NDArray[np.int32]
    calm: NDArray[np.int32]
    need: NDArray[np.float64]
    loss: NDArray[np.float64]
    age: NDArray[np.int32]
    blocked: NDArray[np.bool_]
    total: NDArray[np.float64]
    expected: NDArray[np.float64]

    def only(self, chosen: NDArray[np.int64], weight: NDArray[np.float64]) -> Needs:
        """Return the needs of some kept scenarios, weighted anew; nothing else is expected."""
        months = self.months_of(chosen)
        count = np.diff(self.first)[chosen]
        return replace(
            self,
            scenario=self.scenario[chosen],
            probability=np.ascontiguousarray(weight),
            first=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
            month=self.month[months],
            calm=self.calm[months],
            need=self.need[months],
            loss=self.loss[months],
            age=self.age[months],
            blocked=self.blocked[months],
            total=self.total[chosen],
        )

    def months_of(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places of the kept months of some kept scenarios, in their order."""
        count = np.diff(self.first)[chosen]
        begin = np.cumsum(count) - count
        return np.repeat(self.first[chosen] - begin, count) + np.arange(count.sum())

    def head(self, count: int) -> Needs:
        """Return the needs of the first scenarios that are kept, at most ``count``."""
        first = np.arange(min(count, self.scenario.size))
        return self.only(first, self.probability[first])


def block_needs(problem: Problem, block: Block, scenarios: ScenarioSet, workers: Workers) -> Needs:
    """Compute the needs of a block in all scenarios."""
    participant, material = block.market_participant, block.market_material
    events = EventArrays(
        scenarios.first,
        scenarios.effect,
        scenarios.source,
        scenarios.scope,
        scenarios.start,
        scenarios.end,
        scenarios.severity,
        hits=np.ascontiguousarray(
            scenarios.materials[:, material] & scenarios.targets[:, participant]
        ),
        classes=scenarios.classes,
    )
    markets = MarketArrays(
        share=problem.share[participant, material],
        demand=problem.demand[participant, material],
        commercial=problem.commercial[participant, material],
        thrift_share=problem.thrift_share[participant, material],
        thrift_after=problem.thrift_after[participant, material],
        pro_rata=problem.pro_rata,
        horizon=problem.horizon,
    )
    S = scenarios.count
    counts = np.zeros(S, dtype=np.int64)
    workers.run(lambda lo, hi: count_need_months(lo, hi, events, markets, counts), S)
    kept = np.flatnonzero(counts)
    first = np.concatenate([[0], np.cumsum(counts[kept])]).astype(np.int64)
    N, Q, Z = int(first[-1]), block.num_streams, block.num_stocks
    needs = Needs(
        scenario=kept,
        probability=scenarios.probability[kept],
        first=first,
        month=np.empty(N, dtype=np.int32),
        calm=np.empty(N, dtype=np.int32),
        need=np.empty((N, Q)),
        loss=np.empty((N, Z)),
        age=np.empty((N, Z), dtype=np.int32),
        blocked=np.empty((N, Z), dtype=np.bool_),
        total=np.zeros((kept.size, Q)),
        expected=np.empty(Q),
    )
    arrays = KeptArrays(*(getattr(needs, name) for name in KeptArrays._fields))
    workers.run(lambda lo, hi: fill_need_months(lo, hi, events, markets, arrays), kept.size)
    needs.expected[:] = needs.probability @ needs.total
    return needs


def yearly(total_over_horizon: float, horizon: int) -> float:
    """Turn a sum over the horizon into a sum per year, the 12/T of equation (7)."""
    return total_over_horizon * MONTHS_PER_YEAR / horizon
