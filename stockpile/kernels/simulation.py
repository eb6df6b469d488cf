"""Equations (4) to (6): the simulation of many candidates, candidates innermost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stockpile.kernels.compiled import compiled, inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

OWN = 0
UNTOUCHED, TOUCHED, SETTLED = 0, 1, 2
"""What has been done about a need in a month: nothing; its rest is known; it is unserved."""
LANES = 128
"""Most candidates simulated side by side: enough to hide the cost of entering the innermost loop,
few enough for their states to stay in the nearest cache."""
VECTOR = 8
"""Tiles are as wide as a multiple of this, so that nothing is left over beside whole vectors."""
TRIGGER_TOLERANCE = 1e-9
"""A loss counts as having reached a trigger within this."""


class NeedArrays(NamedTuple):
    """Kept scenarios and their months, as in :class:`stockpile.needs.Needs`.

    ``segment`` (N, J) is that of :class:`stockpile.simulate.Course`.
    """

    probability: NDArray[np.float64]
    first: NDArray[np.int64]
    calm: NDArray[np.int32]
    need: NDArray[np.float64]
    loss: NDArray[np.float64]
    total: NDArray[np.float64]
    segment: NDArray[np.int8]


class GateArrays(NamedTuple):
    """What the gates of a month depend on: needs (N, .), and of each step (J,)."""

    need: NDArray[np.float64]
    age: NDArray[np.int32]
    blocked: NDArray[np.bool_]
    stream: NDArray[np.int64]
    stock: NDArray[np.int64]
    market: NDArray[np.int64]
    relation: NDArray[np.int64]
    lag: NDArray[np.int64]
    breakpoints: NDArray[np.int64]


class StepArrays(NamedTuple):
    """Steps of a month, as in :class:`stockpile.blocks.Steps`; ``refill`` (I,) is phi of (6).

    ``tracked`` (J,) says of which steps the releases are wanted.
    """

    stream: NDArray[np.int64]
    stock: NDArray[np.int64]
    market: NDArray[np.int64]
    yield_: NDArray[np.float64]
    capacity: NDArray[np.float64]
    refill: NDArray[np.float64]
    tracked: NDArray[np.bool_]


class TermArrays(NamedTuple):
    """What candidates allow, as in :class:`stockpile.simulate.Terms`."""

    holding: NDArray[np.float64]
    level: NDArray[np.float64]
    limit: NDArray[np.float64]
    trigger: NDArray[np.float64]


class RequestArrays(NamedTuple):
    """What to count, as in :class:`stockpile.simulate.Request`."""

    chance_stream: NDArray[np.int64]
    chance_short: NDArray[np.float64]
    chance_slack: NDArray[np.float64]
    group_first: NDArray[np.int64]
    group_stream: NDArray[np.int64]
    group_short: NDArray[np.float64]
    group_slack: NDArray[np.float64]
    streams: NDArray[np.int64]
    steps: NDArray[np.int64]


class SumArrays(NamedTuple):
    """Where results are added up, as in :class:`stockpile.simulate.Simulation`."""

    unserved: NDArray[np.float64]
    released: NDArray[np.float64]
    chance: NDArray[np.float64]
    chance_loose: NDArray[np.float64]
    covered_of: NDArray[np.uint8]
    unserved_of: NDArray[np.float64]
    released_of: NDArray[np.float64]


# Loops over candidates index whole tables: a view of a row costs more than the loop over it.


@inlined
def _serve(state, rest, released, level, limit, trigger, k, i, q, j, reached, served_per_t, most):
    """One step of one month for all candidates of a tile, equations (4) and (5)."""
    taken_per_t = 1.0 / served_per_t
    for p in range(state.shape[1]):
        ceiling = limit[k, p] if trigger[k, p] <= reached else 0.0
        ceiling = ceiling if ceiling < most else most
        ceiling = ceiling if ceiling < rest[q, p] else rest[q, p]
        spare = (state[i, p] - level[k, p]) * served_per_t
        spare = spare if spare > 0.0 else 0.0
        release = spare if spare < ceiling else ceiling
        rest[q, p] -= release
        state[i, p] -= release * taken_per_t
        released[j, p] += release


@inlined
def _serve_plainly(state, rest, level, limit, k, i, q):
    """Do as :func:`_serve` where all gates are open, yield is 1 and capacity has no end.

    Nobody asks for the releases themselves. It gives the same bits as :func:`_serve`, sooner.
    """
    for p in range(state.shape[1]):
        ceiling = limit[k, p] if limit[k, p] < rest[q, p] else rest[q, p]
        spare = state[i, p] - level[k, p]
        spare = spare if spare > 0.0 else 0.0
        release = spare if spare < ceiling else ceiling
        rest[q, p] -= release
        state[i, p] -= release


@inlined
def _serve_first(state, rest, level, limit, k, i, q, need):
    """Do as :func:`_serve_plainly` where nothing of the need has been served yet."""
    for p in range(state.shape[1]):
        ceiling = limit[k, p] if limit[k, p] < need else need
        spare = state[i, p] - level[k, p]
        spare = spare if spare > 0.0 else 0.0
        release = spare if spare < ceiling else ceiling
        rest[q, p] = need - release
        state[i, p] -= release


@inlined
def _serve_alone(state, unserved, level, limit, k, i, q, need):
    """Do as :func:`_serve_first` where nobody else serves this need; what is left is unserved."""
    for p in range(state.shape[1]):
        ceiling = limit[k, p] if limit[k, p] < need else need
        spare = state[i, p] - level[k, p]
        spare = spare if spare > 0.0 else 0.0
        release = spare if spare < ceiling else ceiling
        unserved[q, p] += need - release
        state[i, p] -= release


@inlined
def _serve_plainly_and_note(state, rest, released, level, limit, k, i, q, j):
    """Do as :func:`_serve_plainly`, and add up the releases."""
    for p in range(state.shape[1]):
        ceiling = limit[k, p] if limit[k, p] < rest[q, p] else rest[q, p]
        spare = state[i, p] - level[k, p]
        spare = spare if spare > 0.0 else 0.0
        release = spare if spare < ceiling else ceiling
        rest[q, p] -= release
        state[i, p] -= release
        released[j, p] += release


@compiled
def find_segments(first, last, gates, segment):
    """Write which segment of a rule applies to every step in months first..last-1.

    -1 where the step serves nothing whatever the rule says: nothing is needed, the event is too
    young, or the owner may not ship. What a rule says besides depends on losses only.
    """
    for n in range(first, last):
        for j in range(gates.stream.size):
            age = gates.age[n, gates.market[j]]
            shut = gates.need[n, gates.stream[j]] == 0.0 or age < gates.lag[j]
            if shut or (gates.relation[j] != OWN and gates.blocked[n, gates.stock[j]]):
                segment[n, j] = -1
                continue
            a = gates.breakpoints.size - 1
            while gates.breakpoints[a] > age:
                a -= 1
            segment[n, j] = a


@inlined
def _set(table, row, value):
    for p in range(table.shape[1]):
        table[row, p] = value


@inlined
def _add(table, row, factor, other, of):
    for p in range(table.shape[1]):
        table[row, p] += factor * other[of, p]


@inlined
def _refill(state, holding, i, back):
    """Buy back a part of the holding, but no more than is missing, equation (6)."""
    for p in range(state.shape[1]):
        x = state[i, p] + back * holding[i, p]
        state[i, p] = x if x < holding[i, p] else holding[i, p]


@compiled
def _take_in(terms, lo, holding, level, limit, trigger, closed, opens_first, opens_last):
    """Fill a tile with candidates from number lo on; the last one stands where there is no more.

    Rows are segments of age times steps: whether a step is closed to all candidates, and the
    losses from which the first and the last of them open it.
    """
    num_segments, num_steps, num_candidates = terms.limit.shape
    for p in range(holding.shape[1]):
        of = min(lo + p, num_candidates - 1)
        for i in range(holding.shape[0]):
            holding[i, p] = terms.holding[i, of]
        for a in range(num_segments):
            for j in range(num_steps):
                k = a * num_steps + j
                level[k, p] = terms.level[a, j, of]
                limit[k, p] = terms.limit[a, j, of]
                trigger[k, p] = terms.trigger[a, j, of]
    for k in range(closed.size):
        closed[k] = limit[k].max() <= 0.0
        opens_first[k] = trigger[k].min()
        opens_last[k] = trigger[k].max()


@compiled
def _look_for_others(stream, closed, alone):
    """Note which steps are the only ones that can serve their stream, whatever happens."""
    J = stream.size
    for j in range(J):
        alone[j] = True
        for k in range(closed.size):
            if k % J != j and stream[k % J] == stream[j] and not closed[k]:
                alone[j] = False


@compiled
def simulate_chunk(first, last, needs, steps, terms, request, sums):
    """Simulate P candidates on kept scenarios first..last-1: equations (4)-(6).

    Sums over the scenarios of the chunk are written into the (., P) arrays of ``sums``, results
    scenario by scenario into its (S', ., P) arrays.
    """
    # Whatever the loops use has a name of its own: to take it out of a tuple counts a reference.
    probability, month_first, calm, need, loss, total, segment = needs
    stream, stock, market, yield_, capacity, refill, tracked = steps
    I, P = terms.holding.shape  # noqa: E741
    Q, J, R = need.shape[1], stream.size, request.chance_stream.size
    width = min(LANES, -(-max(P, 1) // VECTOR) * VECTOR)
    rows = terms.limit.shape[0] * J
    holding = np.empty((I, width))
    level, limit, trigger = (
        np.empty((rows, width)),
        np.empty((rows, width)),
        np.empty((rows, width)),
    )
    closed, opens_first, opens_last = np.empty(rows, np.bool_), np.empty(rows), np.empty(rows)
    state, rest = np.empty((I, width)), np.empty((Q, width))
    stage, alone = np.empty(Q, np.int8), np.empty(J, np.bool_)
    unserved, released = np.empty((Q, width)), np.empty((J, width))
    sum_unserved, sum_released = np.empty((Q, width)), np.empty((J, width))
    sum_chance, sum_loose = np.empty((R, width)), np.empty((R, width))
    chance_stream, chance_short = request.chance_stream, request.chance_short
    chance_slack = request.chance_slack
    wanted = request.group_first.size + request.streams.size + request.steps.size > 1
    for lo in range(0, P, width):
        hi = min(lo + width, P)
        _take_in(terms, lo, holding, level, limit, trigger, closed, opens_first, opens_last)
        _look_for_others(stream, closed, alone)
        sum_unserved[:] = 0.0
        sum_released[:] = 0.0
        sum_chance[:] = 0.0
        sum_loose[:] = 0.0
        for s in range(first, last):
            for i in range(I):
                for p in range(width):
                    state[i, p] = holding[i, p]
            for q in range(Q):
                _set(unserved, q, 0.0)
            for j in range(J):
                if tracked[j]:
                    _set(released, j, 0.0)
            for n in range(month_first[s], month_first[s + 1]):
                if calm[n] > 0:
                    for i in range(I):
                        if refill[i] > 0.0:
                            _refill(state, holding, i, calm[n] * refill[i])
                stage[:] = UNTOUCHED
                for j in range(J):
                    if segment[n, j] < 0:
                        continue
                    k = segment[n, j] * J + j
                    reached = loss[n, market[j]] + TRIGGER_TOLERANCE
                    if closed[k] or opens_first[k] > reached:
                        continue
                    q, i, y, most = stream[j], stock[j], yield_[j], capacity[j]
                    plain = y == 1.0 and most == np.inf and opens_last[k] <= reached
                    if plain and stage[q] == UNTOUCHED and not tracked[j]:
                        if alone[j]:
                            _serve_alone(state, unserved, level, limit, k, i, q, need[n, q])
                            stage[q] = SETTLED
                        else:
                            _serve_first(state, rest, level, limit, k, i, q, need[n, q])
                            stage[q] = TOUCHED
                        continue
                    if stage[q] == UNTOUCHED:
                        _set(rest, q, need[n, q])
                        stage[q] = TOUCHED
                    if not plain:
                        _serve(
                            state,
                            rest,
                            released,
                            level,
                            limit,
                            trigger,
                            k,
                            i,
                            q,
                            j,
                            reached,
                            y,
                            most,
                        )
                    elif tracked[j]:
                        _serve_plainly_and_note(state, rest, released, level, limit, k, i, q, j)
                    else:
                        _serve_plainly(state, rest, level, limit, k, i, q)
                for q in range(Q):
                    if stage[q] == TOUCHED:
                        _add(unserved, q, 1.0, rest, q)
                    elif stage[q] == UNTOUCHED and need[n, q] > 0.0:
                        for p in range(width):
                            unserved[q, p] += need[n, q]
            p_s = probability[s]
            for q in range(Q):
                _add(sum_unserved, q, p_s, unserved, q)
            for j in range(J):
                if tracked[j]:
                    _add(sum_released, j, p_s, released, j)
            for r in range(R):
                q = chance_stream[r]
                allowed, loose = chance_short[r] * total[s, q], chance_slack[r] * total[s, q]
                for p in range(width):
                    sum_chance[r, p] += p_s if unserved[q, p] <= allowed else 0.0
                    sum_loose[r, p] += p_s if unserved[q, p] <= loose else 0.0
            if wanted:
                _write_down(unserved, released, s, total, request, sums, lo, hi)
        sums.unserved[:, lo:hi] = sum_unserved[:, : hi - lo]
        sums.released[:, lo:hi] = sum_released[:, : hi - lo]
        sums.chance[:, lo:hi] = sum_chance[:, : hi - lo]
        sums.chance_loose[:, lo:hi] = sum_loose[:, : hi - lo]


@compiled
def _write_down(unserved, released, s, total, request, sums, lo, hi):
    """Write what is wanted of scenario s itself, of candidates lo..hi-1."""
    width = hi - lo
    for g in range(request.group_first.size - 1):
        for p in range(width):
            sums.covered_of[s, g, lo + p] = 3
        for r in range(request.group_first[g], request.group_first[g + 1]):
            q = request.group_stream[r]
            allowed = request.group_short[r] * total[s, q]
            allowed_loose = request.group_slack[r] * total[s, q]
            for p in range(width):
                short = unserved[q, p]
                kept_bits = 3 if short <= allowed else (2 if short <= allowed_loose else 0)
                sums.covered_of[s, g, lo + p] &= kept_bits
    for kept in range(request.streams.size):
        for p in range(width):
            sums.unserved_of[s, kept, lo + p] = unserved[request.streams[kept], p]
    for kept in range(request.steps.size):
        for p in range(width):
            sums.released_of[s, kept, lo + p] = released[request.steps[kept], p]
