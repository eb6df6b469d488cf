"""Simulation of release rules, equations (4) to (6).

Two versions of the same equations: :func:`simulate` runs the compiled kernel and returns sums over
scenarios; :func:`simulate_months` is plain NumPy, month by month, for reading and for testing the
kernel, and returns every release.

Both take *terms*: what P candidates hold, and what their rules allow in every step (see
:func:`candidate_terms`). A month is a period of the problem: a month, or a week.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.balance import Balance
from stockpile.blocks import NOBODY
from stockpile.choices import numbered
from stockpile.kernels.lanes import VECTOR, empty_table
from stockpile.kernels.simulation import (
    LANES,
    TRIGGER_TOLERANCE,
    BalanceArrays,
    GateArrays,
    RequestArrays,
    RunArrays,
    StepArrays,
    SumArrays,
    TermArrays,
    TileArrays,
    fill_tiles,
    find_segments,
    simulate_chunks,
)
from stockpile.parallel import chunks
from stockpile.problem import LEVEL_TOLERANCE
from stockpile.rules import PARTNER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.blocks import Block, Steps
    from stockpile.needs import Needs
    from stockpile.parallel import Workers
    from stockpile.rules import RuleMenu


@dataclass(frozen=True, slots=True)
class Terms:
    """What P candidates allow in every step, by age segment; D different rows of rules.

    Attributes
    ----------
    steps
        The steps simulated, J of them.
    breakpoints
        (A,) ages [periods] at which a segment begins.
    holding
        (I, P) full stocks h [t].
    followed
        (P,) which of the D rows of rules a candidate follows.
    level, limit
        (A, J, D) l and f of (4), fractions of the holding; f is 0 where the rule never serves.
    trigger
        (A, J, D) loss from which the step is open.
    capacity
        (L, D) what can be made of each pool in a month [t].
    start
        (I, P) stocks in the first month [t]; those of a plan are full.
    """

    steps: Steps
    breakpoints: NDArray[np.int64]
    holding: NDArray[np.float64]
    followed: NDArray[np.int64]
    level: NDArray[np.float64]
    limit: NDArray[np.float64]
    trigger: NDArray[np.float64]
    capacity: NDArray[np.float64]
    start: NDArray[np.float64]

    def reserved(self) -> NDArray[np.float64]:
        """Return l h of (4), the stock that a step may not touch, (A, J, P) [t]."""
        return self.level[:, :, self.followed] * self.holding[self.steps.stock]

    def most_served(self) -> NDArray[np.float64]:
        """Return eta f h of (4), the most that a step serves in a month, (A, J, P) [t]."""
        drawn = self.limit[:, :, self.followed] * self.holding[self.steps.stock]
        return drawn * self.steps.yield_[:, None]

    def usable(self, draws: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the part of a full stock that rules let some of its steps take, (G, D).

        Parameters
        ----------
        draws
            (G, J) the steps.
        """
        least = np.where(self.limit > 0.0, self.level, 1.0).min(axis=0)  # (J, D)
        usable = np.zeros((len(draws), least.shape[1]))
        for g, those in enumerate(draws):
            usable[g] = 1.0 - least[those].min(axis=0)
        return usable


def candidate_terms(
    menu: RuleMenu,
    steps: Steps,
    holding: NDArray[np.float64],
    rule: NDArray[np.int64],
    start: NDArray[np.float64] | None = None,
) -> Terms:
    """Say what holdings and rules of P candidates allow in every step.

    Parameters
    ----------
    holding
        (I, P) holdings [t].
    rule
        (C, P) index of each owner's rule in the menu.
    start
        (I, P) what is there in the first month, at most the holdings [t]; None for all of them.
    """
    _, first, followed = np.unique(numbered(rule.T), return_index=True, return_inverse=True)
    rules = rule[:, first]
    of_step = (rules[steps.owner], steps.relation[:, None], steps.demand_class[:, None])

    def segments(array: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ascontiguousarray(np.moveaxis(array[of_step], -1, 0))  # (J, D, A) -> (A, J, D)

    trigger = segments(menu.trigger)
    served = np.isfinite(trigger)
    limit = np.where(served, segments(menu.limit), 0.0)
    capacity = np.empty((0, first.size))
    if steps.pools.count:
        allowed = _allowed(menu, steps, np.asarray(served.any(axis=0)), rules)
        limit = np.where(allowed, limit, 0.0)
        capacity = np.empty((steps.pools.count, first.size))
        for d, some in enumerate(allowed.T):
            capacity[:, d] = steps.pools.under(some)
    return Terms(
        steps=steps,
        breakpoints=menu.breakpoints,
        holding=np.ascontiguousarray(holding),
        start=np.ascontiguousarray(holding if start is None else start),
        followed=followed.reshape(-1),
        level=segments(menu.level),
        limit=limit,
        trigger=np.where(served, trigger, 0.0),
        capacity=capacity,
    )


def _allowed(
    menu: RuleMenu, steps: Steps, served: NDArray[np.bool_], rules: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which steps rows of rules (C, D) ever allow, (J, D).

    Parameters
    ----------
    served
        (J, D) whether the rule of the stock's owner ever serves the step.
    """
    # Whose rule serves partners of a class: hosts of plants let these use them.
    opens = np.asarray(np.isfinite(menu.trigger[:, PARTNER]).any(axis=2))  # (R, K)
    allowed = served.copy()
    for hosts in steps.hosts.T:
        abroad = hosts != NOBODY
        open_to = opens[rules[hosts[abroad]], steps.demand_class[abroad, None]]
        allowed[abroad] &= open_to
    return allowed


@dataclass(frozen=True, slots=True)
class Runs:
    """Months in a row that differ in nothing that the simulation looks at; U of them.

    What a month is about is worked out once for each run.

    Attributes
    ----------
    first
        (S' + 1,) runs of kept scenario s are ``first[s]`` to ``first[s + 1] - 1``.
    month, length
        (U,) place of the first month of a run among the kept months, and number of its months.
    first_step
        (U + 1,) rows of run u in the following are ``first_step[u]`` to ``first_step[u + 1] - 1``.
    step, row, reached
        The steps of a run that may serve something, in their order; which row of the terms
        applies, segments times steps; the loss that a trigger is compared with.
    """

    first: NDArray[np.int64]
    month: NDArray[np.int64]
    length: NDArray[np.int64]
    first_step: NDArray[np.int64]
    step: NDArray[np.int32]
    row: NDArray[np.int32]
    reached: NDArray[np.float64]

    @staticmethod
    def of(needs: Needs, steps: Steps, segment: NDArray[np.int8]) -> Runs:
        """Find the runs in the kept months of a block."""
        begins = np.ones(needs.month.size + 1, dtype=np.bool_)
        begins[1:-1] = needs.calm[1:] > 0
        for table in (needs.need, needs.loss, segment):
            for column in table.T:
                begins[1:-1] |= column[1:] != column[:-1]
        begins[needs.first] = True
        number = np.cumsum(begins) - 1
        month = np.flatnonzero(begins)
        run, step = np.nonzero(segment[month[:-1]] >= 0)
        at = month[run]
        return Runs(
            first=number[needs.first],
            month=month[:-1],
            length=np.diff(month),
            first_step=np.searchsorted(run, np.arange(month.size)),
            step=step.astype(np.int32),
            row=(segment[at, step] * np.int32(steps.count) + step).astype(np.int32),
            reached=needs.loss[at, steps.market[step]] + TRIGGER_TOLERANCE,
        )


@dataclass(frozen=True, slots=True)
class Course:
    """What happens month by month: needs, the steps that may serve them, and which can.

    Attributes
    ----------
    needs
        The needs of a block.
    steps
        The steps of a month, J of them.
    segment
        (N, J) segment of a rule's ages that applies in each kept month; -1 where the step can
        serve nothing, whatever the rule says.
    runs
        Months in a row in which the same happens, see :class:`Runs`.
    """

    needs: Needs
    steps: Steps
    segment: NDArray[np.int8]
    runs: Runs

    @staticmethod
    def of(needs: Needs, steps: Steps, breakpoints: NDArray[np.int64], workers: Workers) -> Course:
        """Return the course of needs under some steps.

        Parameters
        ----------
        breakpoints
            (A,) ages [periods] at which segments of rules begin.
        """
        segment = np.empty((needs.month.size, steps.count), dtype=np.int8)
        gates = GateArrays(
            needs.need,
            needs.age,
            needs.blocked,
            steps.stream,
            steps.market,
            steps.ships,
            steps.lag,
            breakpoints,
        )
        workers.run(lambda lo, hi: find_segments(lo, hi, gates, segment), needs.month.size)
        return Course(needs, steps, segment, Runs.of(needs, steps, segment))

    def only(self, chosen: NDArray[np.int64], weight: NDArray[np.float64]) -> Course:
        """Return the course of some kept scenarios, weighted anew."""
        months = self.needs.months_of(chosen)
        needs, segment = self.needs.only(chosen, weight), self.segment[months]
        return Course(needs, self.steps, segment, Runs.of(needs, self.steps, segment))


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the simulation of P candidates adds up to.

    Attributes
    ----------
    unserved, released
        (Q, P) and (J, P) expected tonnes over the horizon; releases only of steps that cost
        something or were asked for, else 0.
    chance, chance_loose
        (R, P) probability, among scenarios with need of the block, that a counted stream is
        left short by no more than allowed; with the tolerance, and with twice the tolerance.
    covered_of
        (S', G, P) whether all streams of a group are left short by no more than allowed: bit 0
        with the tolerance, bit 1 with twice the tolerance.
    added, fall
        (X, P) expected amount by which the balance of tonnes at points of a box is above the cost
        here [USD over the horizon], and (X, I, P) how fast it falls with what is held above that
        [USD/t].
    unserved_of, released_of
        (S', ., P) tonnes scenario by scenario, for the streams and steps asked for.
    """

    unserved: NDArray[np.float64]
    released: NDArray[np.float64]
    chance: NDArray[np.float64]
    chance_loose: NDArray[np.float64]
    added: NDArray[np.float64]
    fall: NDArray[np.float64]
    covered_of: NDArray[np.uint8]
    unserved_of: NDArray[np.float64]
    released_of: NDArray[np.float64]

    def take(self, chosen: NDArray[np.int64]) -> Simulation:
        """Return the chosen candidates, in this order."""
        # Many times faster than an index behind an ellipsis.
        return Simulation(
            *(np.take(getattr(self, name), chosen, axis=-1) for name in Simulation.__slots__)
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What a simulation should count besides sums.

    Attributes
    ----------
    chance_stream, chance_short, chance_slack
        (R,) stream, and the fractions of its need that may stay unserved for a scenario to
        count: within the tolerance, and within twice the tolerance.
    group_first, group_stream, group_short, group_slack
        Groups of streams that count together, scenario by scenario: group g is rows
        ``group_first[g]`` to ``group_first[g + 1] - 1`` of the others, which mean the same as
        above.
    streams, steps
        Streams and steps whose tonnes are wanted scenario by scenario.
    """

    chance_stream: NDArray[np.int64]
    chance_short: NDArray[np.float64]
    chance_slack: NDArray[np.float64]
    group_first: NDArray[np.int64]
    group_stream: NDArray[np.int64]
    group_short: NDArray[np.float64]
    group_slack: NDArray[np.float64]
    streams: NDArray[np.int64]
    steps: NDArray[np.int64]

    @staticmethod
    def of(
        streams: Sequence[int] = (),
        steps: Sequence[int] = (),
        chances: Sequence[tuple[int, float]] = (),
        groups: Sequence[Sequence[tuple[int, float]]] = (),
    ) -> Request:
        """Return a request; chances and groups as pairs of a stream and the level it must reach."""
        limits = [limit for group in groups for limit in group]
        return Request(
            *_limits(chances),
            np.cumsum([0, *(len(group) for group in groups)], dtype=np.int64),
            *_limits(limits),
            np.array(streams, dtype=np.int64),
            np.array(steps, dtype=np.int64),
        )


def _limits(
    pairs: Sequence[tuple[int, float]],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Turn levels to reach into streams and the fractions of need that may stay unserved."""
    short = 1.0 - np.array([level for _, level in pairs], dtype=np.float64)
    return (
        np.array([stream for stream, _ in pairs], dtype=np.int64),
        short + LEVEL_TOLERANCE,
        short + 2.0 * LEVEL_TOLERANCE,
    )


def simulate(
    block: Block,
    course: Course,
    terms: Terms,
    refill: NDArray[np.float64],
    request: Request,
    workers: Workers,
    balance: Balance | None = None,
    points: NDArray[np.float64] | None = None,
) -> Simulation:
    """Simulate P candidates on all scenarios with the compiled kernel.

    Parameters
    ----------
    course
        With the steps of the terms.
    refill
        (I,) phi of the owner of each stock, fraction of the holding per calm month.
    balance, points
        What the balance of tonnes says of each scenario, and (X, I, P) holdings [t] at which it is
        asked, in the box that a candidate is the top corner of; None where nobody asks.
    """
    needs, steps = course.needs, course.steps
    S, P = needs.scenario.size, terms.holding.shape[1]
    tracked = steps.cost > 0.0
    tracked[request.steps] = True
    runs = RunArrays(
        needs.probability,
        needs.total,
        needs.calm,
        needs.need,
        *(getattr(course.runs, name) for name in Runs.__slots__),
    )
    step_arrays = StepArrays(
        steps.stream,
        steps.stock,
        steps.yield_,
        refill,
        tracked,
        steps.pools.first,
        steps.pools.pool,
        steps.pools.made,
    )
    I = block.num_stocks  # noqa: E741
    if balance is None or points is None:
        balance, points = Balance.nothing(steps.count, S), np.empty((0, I, P))
    X = len(points)
    tiles = _tiles(terms, points.reshape(X * I, P), balance.steps)
    balance_arrays = BalanceArrays(*(getattr(balance, name) for name in BalanceArrays._fields))
    request_arrays = RequestArrays(*(getattr(request, name) for name in RequestArrays._fields))
    # Chunks add up on their own and are summed in order: no dependence on the threads.
    pieces = np.array(chunks(S))
    count, R = len(pieces), request.chance_stream.size
    sums = SumArrays(
        unserved=np.zeros((count, block.num_streams, P)),
        released=np.zeros((count, steps.count, P)),
        chance=np.zeros((count, R, P)),
        chance_loose=np.zeros((count, R, P)),
        added=np.zeros((count, X, P)),
        fall=np.zeros((count, X * I, P)),
        covered_of=np.zeros((S, request.group_first.size - 1, P), dtype=np.uint8),
        unserved_of=np.zeros((S, request.streams.size, P)),
        released_of=np.zeros((S, request.steps.size, P)),
    )
    workers.run_in_groups(
        lambda first, last: simulate_chunks(
            pieces, first, last, runs, step_arrays, tiles, request_arrays, balance_arrays, sums
        ),
        S,
    )
    return Simulation(
        sums.unserved.sum(axis=0),
        sums.released.sum(axis=0),
        sums.chance.sum(axis=0),
        sums.chance_loose.sum(axis=0),
        sums.added.sum(axis=0),
        sums.fall.sum(axis=0).reshape(X, I, P),
        sums.covered_of,
        sums.unserved_of,
        sums.released_of,
    )


def _tiles(terms: Terms, points: NDArray[np.float64], draws: NDArray[np.bool_]) -> TileArrays:
    """Cut candidates into tiles of the same width that are simulated side by side."""
    P, I = terms.holding.shape[1], len(terms.holding)  # noqa: E741
    count = -(-P // LANES)
    width = -(-P // max(count * VECTOR, 1)) * VECTOR
    rows, pools = terms.limit.shape[0] * terms.limit.shape[1], len(terms.capacity)
    tiles = TileArrays(
        holding=empty_table(count * I, width).reshape(count, I, width),
        start=empty_table(count * I, width).reshape(count, I, width),
        level=empty_table(count * rows, width).reshape(count, rows, width),
        limit=empty_table(count * rows, width).reshape(count, rows, width),
        trigger=empty_table(count * rows, width).reshape(count, rows, width),
        capacity=empty_table(count * pools, width).reshape(count, pools, width),
        points=empty_table(count * len(points), width).reshape(count, len(points), width),
        usable=empty_table(count * len(draws), width).reshape(count, len(draws), width),
        closed=np.empty((count, rows), dtype=np.bool_),
        opens_first=np.empty((count, rows)),
        opens_last=np.empty((count, rows)),
    )
    fill_tiles(
        TermArrays(
            terms.steps.stock,
            terms.steps.yield_,
            terms.holding,
            terms.start,
            terms.followed,
            terms.level,
            terms.limit,
            terms.trigger,
            terms.capacity,
            points,
            terms.usable(draws),
        ),
        tiles,
    )
    return tiles


@dataclass(frozen=True, slots=True)
class Months:
    """A simulation month by month.

    Attributes
    ----------
    need
        (S', T, Q) [t].
    released
        (S', T, J, P) [t].
    unserved
        (S', Q, P) u over the horizon [t].
    state
        (S', T, I, P) stocks at the end of each month [t].
    """

    need: NDArray[np.float64]
    released: NDArray[np.float64]
    unserved: NDArray[np.float64]
    state: NDArray[np.float64]


def simulate_months(
    block: Block,
    needs: Needs,
    terms: Terms,
    refill: NDArray[np.float64],
    horizon: int,
    first: int = 0,
) -> Months:
    """Simulate P candidates in plain NumPy, one month and one step after the other.

    Parameters
    ----------
    horizon
        Months that are simulated; what is needed after them is left out.
    first
        Month, counted from 0, in which the simulation begins; before it nothing happens.
    """
    steps, pools = terms.steps, terms.steps.pools
    S, P, I = needs.scenario.size, terms.holding.shape[1], block.num_stocks  # noqa: E741
    seen = needs.month < horizon
    scenario_of = np.repeat(np.arange(S), np.diff(needs.first))[seen]

    def dense(values: NDArray[np.generic]) -> NDArray[np.float64]:
        result = np.zeros((S, horizon, values.shape[1]))
        result[scenario_of, needs.month[seen]] = values[seen]
        return result

    need, loss, age = dense(needs.need), dense(needs.loss), dense(needs.age)
    blocked = dense(needs.blocked) > 0.0
    released = np.zeros((S, horizon, steps.count, P))
    unserved = np.zeros((S, block.num_streams, P))
    states = np.zeros((S, horizon, I, P))
    state = np.broadcast_to(terms.start, (S, I, P)).copy()
    reserved, most_served = terms.reserved(), terms.most_served()
    trigger, capacity = terms.trigger[:, :, terms.followed], terms.capacity[:, terms.followed]
    for t in range(first, horizon):
        rest = np.repeat(need[:, t, :, None], P, axis=2)
        left = np.repeat(capacity[:, None, :], S, axis=1)
        for j in range(steps.count):
            q, i, z = int(steps.stream[j]), int(steps.stock[j]), int(steps.market[j])
            segment = np.searchsorted(terms.breakpoints, age[:, t, z], side="right") - 1
            gate = (age[:, t, z] >= steps.lag[j])[:, None] & (
                loss[:, t, z, None] >= trigger[segment, j] - TRIGGER_TOLERANCE
            )
            ships = steps.ships[j][steps.ships[j] >= 0]
            gate &= ~blocked[:, t, ships].any(axis=1, keepdims=True)
            drawn = range(pools.first[j], pools.first[j + 1])
            spare = np.maximum(state[:, i] - reserved[segment, j], 0.0)
            release = np.minimum.reduce(  # (4)
                [
                    rest[:, q],
                    spare * steps.yield_[j],
                    most_served[segment, j],
                    *(np.maximum(left[pools.pool[d]], 0.0) / pools.made[d] for d in drawn),
                ]
            )
            release = np.where(gate, release, 0.0)
            rest[:, q] -= release  # (5)
            state[:, i] -= release / steps.yield_[j]
            for d in drawn:
                left[pools.pool[d]] -= release * pools.made[d]
            released[:, t, j] = release
        unserved += rest
        calm = ~np.any(need[:, t] > 0.0, axis=1)[:, None, None]
        full = terms.holding
        refilled = np.minimum(full, state + refill[:, None] * full)  # (6)
        state = np.where(calm, refilled, state)
        states[:, t] = state
    return Months(need, released, unserved, states)
