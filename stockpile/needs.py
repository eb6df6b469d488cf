"""From events to needs: equations (1) to (3), one block at a time, in compressed form.

Needs depend on data only, never on the plan, so they are computed once per block. Only months in
which some stream of the block needs something are kept; of the calm months between them only
their number matters, for the refill (6). A month is a period of the problem: a month, or a week.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.kernels.needs import (
    EventArrays,
    KeptArrays,
    MarketArrays,
    OutputArrays,
    keep_need_months,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        (N,) number of each kept month, from 0.
    calm
        (N,) months without any need since the kept month before; 0 for the first one of a
        scenario, where stocks are still full.
    need
        (N, Q) n of equation (3) [t].
    loss, age
        (N, Z) supply loss (1) and age of the event [periods] by market.
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

    def among(self, scenarios: NDArray[np.int64], probability: NDArray[np.float64]) -> Needs:
        """Return the same needs with more scenarios kept, in which nothing is needed.

        Parameters
        ----------
        scenarios, probability
            (S'',) indices, sorted, those that are kept now among them; and p_s of each.
        """
        place = np.searchsorted(scenarios, self.scenario)
        count = np.zeros(scenarios.size, dtype=np.int64)
        count[place] = np.diff(self.first)
        total = np.zeros((scenarios.size, self.total.shape[1]))
        total[place] = self.total
        return replace(
            self,
            scenario=scenarios,
            probability=probability,
            first=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
            total=total,
        )

    def of_part(self, part: Block) -> Needs:
        """Return the needs of a part of the block, in all its months."""
        assert part.part_of is not None
        whole = part.part_of
        markets = np.array(
            [
                whole.market(c, m)
                for c, m in zip(part.market_participant, part.market_material, strict=True)
            ]
        )
        streams = np.flatnonzero(np.isin(whole.stream_market, markets))
        return replace(
            self,
            need=np.ascontiguousarray(self.need[:, streams]),
            loss=np.ascontiguousarray(self.loss[:, markets]),
            age=np.ascontiguousarray(self.age[:, markets]),
            blocked=np.ascontiguousarray(self.blocked[:, markets]),
            total=np.ascontiguousarray(self.total[:, streams]),
            expected=self.expected[streams],
        )

    def without_months(self) -> Needs:
        """Return what there is to know of whole scenarios; the months take nearly all memory."""
        nothing = np.zeros(self.first.size, dtype=np.int64)
        columns = ("month", "calm", "need", "loss", "age", "blocked")
        none = {name: getattr(self, name)[:0].copy() for name in columns}
        return replace(self, first=nothing, **none)

    def since(self, month: int) -> Needs:
        """Return the needs from a calendar month on, counted from 0, in which stocks may be low.

        Scenarios without any need from then on are no longer kept.
        """
        later = self.month >= month
        of_scenario = np.repeat(np.arange(self.scenario.size), np.diff(self.first))
        count = np.bincount(of_scenario[later], minlength=self.scenario.size)
        kept = np.flatnonzero(count)
        first = np.concatenate([[0], np.cumsum(count[kept])]).astype(np.int64)
        need, calm, months = self.need[later], self.calm[later], self.month[later]
        calm[first[:-1]] = months[first[:-1]] - month
        total = np.add.reduceat(need, first[:-1], axis=0) if kept.size else need
        probability = self.probability[kept]
        return Needs(
            scenario=self.scenario[kept],
            probability=probability,
            first=first,
            month=months,
            calm=calm,
            need=need,
            loss=self.loss[later],
            age=self.age[later],
            blocked=self.blocked[later],
            total=total,
            expected=probability @ total,
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


def block_needs(
    problem: Problem,
    block: Block,
    scenarios: ScenarioSet,
    workers: Workers,
    states: NDArray[np.int64] | None = None,
) -> Needs:
    """Compute the needs of a block in all scenarios.

    Of a part of a block, the months are those of the whole: it is refilled in none of them.

    Parameters
    ----------
    states
        (N,) states of all projects; None where none is funded.
    """
    if block.part_of is not None:
        return block_needs(problem, block.part_of, scenarios, workers, states).of_part(block)
    participant, material = block.market_participant, block.market_material
    projects = problem.projects
    states = np.zeros(projects.count, dtype=np.int64) if states is None else states
    online = np.flatnonzero(states)
    happens = (scenarios.answers < 0) | np.isin(scenarios.answers, online)
    events = EventArrays(
        scenarios.first,
        scenarios.effect,
        scenarios.source,
        scenarios.scope,
        scenarios.start,
        scenarios.end,
        scenarios.severity,
        hits=np.ascontiguousarray(
            scenarios.materials[:, material] & scenarios.targets[:, participant] & happens[:, None]
        ),
        classes=scenarios.classes,
    )
    markets = MarketArrays(
        share=problem.share[participant, material],
        demand=problem.demand[participant, material],
        commercial=problem.commercial[participant, material],
        thrift_share=problem.thrift_share[participant, material],
        thrift_after=problem.thrift_after[participant, material],
        extra=problem.recycled[participant, material],
        refill=problem.period.length(REFILL_MONTHS),
        pro_rata=problem.pro_rata,
        horizon=problem.horizon,
    )
    outputs = OutputArrays(
        first=np.ascontiguousarray(projects.first_period(scenarios.lead, states)[:, online]),
        ramp=projects.ramp[online],
        supply=np.ascontiguousarray(projects.supply[online][:, participant, material]),
    )
    pieces: dict[int, KeptArrays] = {}

    def work(lo: int, hi: int) -> None:
        room = _room(min(AT_ONCE, hi - lo), problem.horizon, block)
        for first in range(lo, max(hi, lo + 1), AT_ONCE):
            last = min(first + AT_ONCE, hi)
            of_scenarios, of_months = keep_need_months(first, last, events, markets, outputs, room)
            pieces[first] = _first_of(room, of_scenarios, of_months)

    workers.run(work, scenarios.count)
    kept = _joined([pieces[first] for first in sorted(pieces)])
    probability = scenarios.probability[kept.scenario]
    return Needs(
        scenario=kept.scenario,
        probability=probability,
        first=np.concatenate([[0], np.cumsum(kept.months)]).astype(np.int64),
        month=kept.month,
        calm=kept.calm,
        need=kept.need,
        loss=kept.loss,
        age=kept.age,
        blocked=kept.blocked,
        total=kept.total,
        expected=probability @ kept.total,
    )


REFILL_MONTHS = 6.0
"""Commercial stock is refilled by a sixth of its size per month without a gap."""
AT_ONCE = 128
"""Scenarios for all months of which there is room while needs are worked out."""


def _room(scenarios: int, horizon: int, block: Block) -> KeptArrays:
    """Return arrays for all months of some scenarios."""
    N, Q, Z = scenarios * horizon, block.num_streams, block.num_stocks
    return KeptArrays(
        scenario=np.empty(scenarios, dtype=np.int64),
        months=np.empty(scenarios, dtype=np.int64),
        month=np.empty(N, dtype=np.int32),
        calm=np.empty(N, dtype=np.int32),
        need=np.empty((N, Q)),
        loss=np.empty((N, Z)),
        age=np.empty((N, Z), dtype=np.int32),
        blocked=np.empty((N, Z), dtype=np.bool_),
        total=np.empty((scenarios, Q)),
    )


def _first_of(room: KeptArrays, scenarios: int, months: int) -> KeptArrays:
    """Return a copy of what has been written of so many scenarios and months."""
    return KeptArrays(
        scenario=room.scenario[:scenarios].copy(),
        months=room.months[:scenarios].copy(),
        month=room.month[:months].copy(),
        calm=room.calm[:months].copy(),
        need=room.need[:months].copy(),
        loss=room.loss[:months].copy(),
        age=room.age[:months].copy(),
        blocked=room.blocked[:months].copy(),
        total=room.total[:scenarios].copy(),
    )


def _joined(pieces: Sequence[KeptArrays]) -> KeptArrays:
    return KeptArrays(*(np.concatenate(parts) for parts in zip(*pieces, strict=True)))


def yearly(total_over_horizon: float, problem: Problem) -> float:
    """Turn a sum over the horizon into a sum per year, the 12/T of equation (7)."""
    return total_over_horizon * problem.period.per_year / problem.horizon
