"""Equations (4) to (6): the simulation of many candidates, candidates innermost.

A month is a period of the problem: a month, or a week.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stockpile.kernels.compiled import compiled, inlined
from stockpile.kernels.lanes import (
    VECTOR,
    any_above_zero,
    empty_table,
    fill,
    greatest,
    least,
    load,
    rows,
    store,
    where_at_most,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST, LAST, NOTED, PLANTS = 1, 2, 4, 8
"""How a step is run: it finds the whole need of its stream; it leaves what is unserved of it; its
releases are added up; it goes through plants, so that a tonne taken need not be a tonne served."""
LANES = 128
"""Most candidates simulated side by side: enough to hide the cost of entering the innermost loop,
few enough for their states to stay in the nearest cache."""
TRIGGER_TOLERANCE = 1e-9
"""A loss counts as having reached a trigger within this."""
SAYS_SOMETHING = 1e-300
"""What the balance of tonnes has to add at least, so that candidates side by side do not matter."""


class RunArrays(NamedTuple):
    """Kept scenarios and their runs of months, as in :class:`stockpile.simulate.Course`."""

    probability: NDArray[np.float64]
    total: NDArray[np.float64]
    calm: NDArray[np.int32]
    need: NDArray[np.float64]
    first: NDArray[np.int64]
    month: NDArray[np.int64]
    length: NDArray[np.int64]
    first_step: NDArray[np.int64]
    step: NDArray[np.int32]
    row: NDArray[np.int32]
    reached: NDArray[np.float64]


class GateArrays(NamedTuple):
    """What the gates of a month depend on: needs (N, .), and of each step (J,)."""

    need: NDArray[np.float64]
    age: NDArray[np.int32]
    blocked: NDArray[np.bool_]
    stream: NDArray[np.int64]
    market: NDArray[np.int64]
    ships: NDArray[np.int64]
    lag: NDArray[np.int64]
    breakpoints: NDArray[np.int64]


class StepArrays(NamedTuple):
    """Steps of a month, as in :class:`stockpile.blocks.Steps`; ``refill`` (I,) is phi of (6).

    ``tracked`` (J,) says of which steps the releases are wanted. The rest is as in
    :class:`stockpile.pools.Pools`.
    """

    stream: NDArray[np.int64]
    stock: NDArray[np.int64]
    yield_: NDArray[np.float64]
    refill: NDArray[np.float64]
    tracked: NDArray[np.bool_]
    first_pool: NDArray[np.int64]
    pool: NDArray[np.int64]
    made: NDArray[np.float64]


class TermArrays(NamedTuple):
    """What candidates allow, as in :class:`stockpile.simulate.Terms`; of steps stock and yield."""

    stock: NDArray[np.int64]
    yield_: NDArray[np.float64]
    holding: NDArray[np.float64]
    start: NDArray[np.float64]
    followed: NDArray[np.int64]
    level: NDArray[np.float64]
    limit: NDArray[np.float64]
    trigger: NDArray[np.float64]
    capacity: NDArray[np.float64]
    points: NDArray[np.float64]
    usable: NDArray[np.float64]


class TileArrays(NamedTuple):
    """The same in tonnes, cut into W tiles of candidates; rows are segments of age times steps.

    Of each row ``closed`` (W, .) says whether it is closed to all candidates of a tile, and
    ``opens_first`` and ``opens_last`` are the losses from which the first and the last of them
    open it.
    """

    holding: NDArray[np.float64]
    start: NDArray[np.float64]
    level: NDArray[np.float64]
    limit: NDArray[np.float64]
    trigger: NDArray[np.float64]
    capacity: NDArray[np.float64]
    points: NDArray[np.float64]
    usable: NDArray[np.float64]
    closed: NDArray[np.bool_]
    opens_first: NDArray[np.float64]
    opens_last: NDArray[np.float64]


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


class BalanceArrays(NamedTuple):
    """What the balance of tonnes says, as in :class:`stockpile.balance.Balance`.

    Which steps a draw has is told by ``TileArrays.usable`` (W, G, .).
    """

    charge: NDArray[np.float64]
    step_charge: NDArray[np.float64]
    stock: NDArray[np.int64]
    value: NDArray[np.float64]
    served: NDArray[np.float64]
    form: NDArray[np.int64]
    constant: NDArray[np.float64]
    refilled: NDArray[np.float64]


class SumArrays(NamedTuple):
    """Where results are added up, as in :class:`stockpile.simulate.Simulation`."""

    unserved: NDArray[np.float64]
    released: NDArray[np.float64]
    chance: NDArray[np.float64]
    chance_loose: NDArray[np.float64]
    added: NDArray[np.float64]
    fall: NDArray[np.float64]
    covered_of: NDArray[np.uint8]
    unserved_of: NDArray[np.float64]
    released_of: NDArray[np.float64]


# Loops over candidates index whole tables: a view of a row costs more than the loop over it.
# Every table is as wide as a multiple of VECTOR.


@inlined
def _serve(
    state, rest, unserved, released, level, limit, k, row, i, q, j, need, first, last, noted
):
    """One step of one month for all candidates of a tile, equations (4) and (5)."""
    for p in range(0, state.width, VECTOR):
        wanted = fill(need) if first else load(rest, q, p)
        left = load(state, i, p)
        spare = greatest(left - load(level, k, p), fill(0.0))
        release = least(spare, least(load(limit, row, p), wanted))
        if last:
            store(unserved, q, p, load(unserved, q, p) + (wanted - release))
        else:
            store(rest, q, p, wanted - release)
        store(state, i, p, left - release)
        if noted:
            store(released, j, p, load(released, j, p) + release)


@inlined
def _serve_through_plants(
    state, rest, released, level, limit, left, k, row, i, q, j, served_per_t, pool, made, d, plants
):
    """Do as :func:`_serve` where a tonne taken serves less or more than a tonne.

    The step draws on pools ``pool[d : d + plants]``, one or two: no more than is left of them this
    month, and ``made`` tonnes are made there per tonne served.
    """
    served, taken = fill(served_per_t), fill(1.0 / served_per_t)
    one, of_one, from_one = pool[d], fill(made[d]), fill(1.0 / made[d])
    other, of_other, from_other = one, of_one, from_one
    if plants == 2:
        other, of_other, from_other = pool[d + 1], fill(made[d + 1]), fill(1.0 / made[d + 1])
    for p in range(0, state.width, VECTOR):
        wanted = load(rest, q, p)
        held = load(state, i, p)
        spare = greatest((held - load(level, k, p)) * served, fill(0.0))
        release = least(spare, least(load(limit, row, p), wanted))
        release = least(release, greatest(load(left, one, p) * from_one, fill(0.0)))
        if plants == 2:
            release = least(release, greatest(load(left, other, p) * from_other, fill(0.0)))
        store(rest, q, p, wanted - release)
        store(state, i, p, held - release * taken)
        store(released, j, p, load(released, j, p) + release)
        store(left, one, p, load(left, one, p) - release * of_one)
        if plants == 2:
            store(left, other, p, load(left, other, p) - release * of_other)


@inlined
def _serve_through_many(
    state,
    rest,
    released,
    level,
    limit,
    left,
    k,
    row,
    i,
    q,
    j,
    served_per_t,
    pool,
    made,
    first,
    last,
):
    """Do as :func:`_serve_through_plants` with more plants than two, or none: slower."""
    served, taken = fill(served_per_t), fill(1.0 / served_per_t)
    for p in range(0, state.width, VECTOR):
        wanted = load(rest, q, p)
        held = load(state, i, p)
        spare = greatest((held - load(level, k, p)) * served, fill(0.0))
        release = least(spare, least(load(limit, row, p), wanted))
        for d in range(first, last):
            room = greatest(load(left, pool[d], p) * fill(1.0 / made[d]), fill(0.0))
            release = least(release, room)
        store(rest, q, p, wanted - release)
        store(state, i, p, held - release * taken)
        store(released, j, p, load(released, j, p) + release)
        for d in range(first, last):
            store(left, pool[d], p, load(left, pool[d], p) - release * fill(made[d]))


@compiled
def is_shut(gates, n, j):
    """Say whether step j is closed in month n whatever rules say, even if something is needed."""
    if gates.age[n, gates.market[j]] < gates.lag[j]:
        return True
    for x in range(gates.ships.shape[1]):
        ship = gates.ships[j, x]
        if ship >= 0 and gates.blocked[n, ship]:
            return True
    return False


@compiled
def find_segments(first, last, gates, segment):
    """Write which segment of a rule applies to every step in months first..last-1.

    -1 where the step serves nothing whatever the rule says: nothing is needed, the event is too
    young, or somebody may not ship. What a rule says besides depends on losses only.
    """
    for n in range(first, last):
        for j in range(gates.stream.size):
            if gates.need[n, gates.stream[j]] == 0.0 or is_shut(gates, n, j):
                segment[n, j] = -1
                continue
            age = gates.age[n, gates.market[j]]
            a = gates.breakpoints.size - 1
            while gates.breakpoints[a] > age:
                a -= 1
            segment[n, j] = a


@inlined
def _set(table, row, value):
    for p in range(0, table.width, VECTOR):
        store(table, row, p, fill(value))


@inlined
def _copy(table, row, other, of):
    for p in range(0, table.width, VECTOR):
        store(table, row, p, load(other, of, p))


@inlined
def _add(table, row, other, of):
    for p in range(0, table.width, VECTOR):
        store(table, row, p, load(table, row, p) + load(other, of, p))


@inlined
def _add_up(table, other, row, factor):
    """Add a row times a factor to that of another table, and begin it anew."""
    for p in range(0, table.width, VECTOR):
        store(table, row, p, load(table, row, p) + fill(factor) * load(other, row, p))
        store(other, row, p, fill(0.0))


@inlined
def _any_left(rest, q):
    """Say whether any candidate of a tile has left anything of stream q unserved."""
    for p in range(0, rest.width, VECTOR):  # noqa: SIM110 - compiled code knows no generators.
        if any_above_zero(load(rest, q, p)):
            return True
    return False


@inlined
def _refill(state, holding, i, back):
    """Buy back a part of the holding, but no more than is missing, equation (6)."""
    for p in range(0, state.width, VECTOR):
        full = load(holding, i, p)
        store(state, i, p, least(load(state, i, p) + fill(back) * full, full))


@inlined
def _limit_by_loss(limit, trigger, row, k, reached):
    """Write what a step serves at most where the loss opens it to some candidates only."""
    for p in range(0, limit.width, VECTOR):
        ceiling = where_at_most(load(trigger, k, p), fill(reached), load(limit, k, p))
        store(limit, row, p, ceiling)


@inlined
def _count_chance(chance, r, unserved, q, allowed, probability):
    """Add the probability of a scenario where no more than allowed is unserved."""
    for p in range(0, chance.width, VECTOR):
        kept = where_at_most(load(unserved, q, p), fill(allowed), fill(probability))
        store(chance, r, p, load(chance, r, p) + kept)


@inlined
def _add_balance(
    added,
    fall,
    said,
    unserved,
    released,
    points,
    usable,
    balance,
    s,
    total,
    used,
    probability,
    num_points,
    num_stocks,
    num_streams,
    num_steps,
):
    """Add by how much the balance of tonnes at ``points`` is above the cost here in scenario s.

    And how fast that falls with every tonne more than there. The first F rows of ``said`` are for
    what holds at all points, the next F for what holds at one.
    """
    charge, step_charge, stock, value, served, form, constant, refilled = balance
    forms, draws = form.shape[1], stock.size
    for p in range(0, added.width, VECTOR):
        cost = fill(0.0)
        for q in range(num_streams):
            if total[s, q] > 0.0:
                cost = cost + fill(charge[q]) * load(unserved, q, p)
        for j in range(num_steps):
            if used[j] and step_charge[j] > 0.0:
                cost = cost + fill(step_charge[j]) * load(released, j, p)
        for f in range(forms):
            d = form[s, f]
            if d < 0:
                continue
            more = fill(constant[s, f]) - cost
            for q in range(num_streams):
                if total[s, q] > 0.0:
                    more = more + fill(served[d, q]) * load(unserved, q, p)
            store(said, f, p, more)
        for x in range(num_points):
            first, most = x * num_stocks, fill(0.0)
            for f in range(forms):
                d = form[s, f]
                if d < 0:
                    continue
                more = load(said, f, p)
                for g in range(draws):
                    if value[d, g] > 0.0:
                        parts = load(usable, g, p) + fill(refilled[s, stock[g]])
                        held = load(points, first + stock[g], p)
                        more = more - fill(value[d, g]) * parts * held
                store(said, forms + f, p, more)
                most = greatest(most, more)
            if not any_above_zero(most):
                continue
            store(added, x, p, load(added, x, p) + fill(probability) * most)
            # Of values that say the same the first ones count: a plane of both would be too steep.
            left, least = fill(probability), greatest(most, fill(SAYS_SOMETHING))
            for f in range(forms):
                d = form[s, f]
                if d < 0:
                    continue
                counts = where_at_most(least, load(said, forms + f, p), left)
                left = left - counts
                for g in range(draws):
                    if value[d, g] > 0.0:
                        parts = load(usable, g, p) + fill(refilled[s, stock[g]])
                        falls = counts * fill(value[d, g]) * parts
                        row = first + stock[g]
                        store(fall, row, p, load(fall, row, p) + falls)


@compiled
def fill_tiles(terms, tiles):
    """Write candidates into tiles; the last one stands where there is no more."""
    num_segments, num_steps, _ = terms.limit.shape
    num_candidates, width = terms.holding.shape[1], tiles.holding.shape[2]
    for w in range(tiles.holding.shape[0]):
        for i in range(terms.holding.shape[0]):
            for p in range(width):
                of = min(w * width + p, num_candidates - 1)
                tiles.holding[w, i, p] = terms.holding[i, of]
                tiles.start[w, i, p] = terms.start[i, of]
        for i in range(terms.points.shape[0]):
            for p in range(width):
                of = min(w * width + p, num_candidates - 1)
                tiles.points[w, i, p] = terms.points[i, of]
        for g in range(terms.usable.shape[0]):
            for p in range(width):
                of = terms.followed[min(w * width + p, num_candidates - 1)]
                tiles.usable[w, g, p] = terms.usable[g, of]
        for d in range(terms.capacity.shape[0]):
            for p in range(width):
                of = terms.followed[min(w * width + p, num_candidates - 1)]
                tiles.capacity[w, d, p] = terms.capacity[d, of]
        for a in range(num_segments):
            for j in range(num_steps):
                k, i, served = a * num_steps + j, terms.stock[j], terms.yield_[j]
                most, opens_first, opens_last = 0.0, np.inf, -np.inf
                for p in range(width):
                    of = terms.followed[min(w * width + p, num_candidates - 1)]
                    held, trigger = tiles.holding[w, i, p], terms.trigger[a, j, of]
                    limit = terms.limit[a, j, of] * held * served
                    tiles.level[w, k, p] = terms.level[a, j, of] * held
                    tiles.limit[w, k, p] = limit
                    tiles.trigger[w, k, p] = trigger
                    most = max(most, limit)
                    opens_first, opens_last = min(opens_first, trigger), max(opens_last, trigger)
                tiles.closed[w, k] = most <= 0.0
                tiles.opens_first[w, k], tiles.opens_last[w, k] = opens_first, opens_last


@compiled
def _simulate_tile(first, last, w, lo, hi, runs, steps, tiles, request, balance, tables, added):
    """Add up what tile w, candidates lo..hi-1, does in kept scenarios first..last-1."""
    # Whatever the loops use has a name of its own: to take it out of a tuple counts a reference.
    probability, total, calm, need = runs.probability, runs.total, runs.calm, runs.need
    first_run, month, length, first_step = runs.first, runs.month, runs.length, runs.first_step
    run_step, run_row, run_reached = runs.step, runs.row, runs.reached
    stream, stock, yield_, refill, tracked, first_pool, pool, made = steps
    capacity, num_pools = rows(tiles.capacity[w]), tiles.capacity.shape[1]
    holding, level, trigger = rows(tiles.holding[w]), rows(tiles.level[w]), rows(tiles.trigger[w])
    closed, opens_first, opens_last = tiles.closed[w], tiles.opens_first[w], tiles.opens_last[w]
    start, usable = rows(tiles.start[w]), rows(tiles.usable[w])
    points, num_points = rows(tiles.points[w]), tiles.points.shape[1] // refill.size
    state, rest, limit = rows(tables[0]), rows(tables[1]), rows(tables[4])
    left = rows(tables[5])
    unserved, released = rows(tables[2]), rows(tables[3])
    sum_unserved, sum_released = rows(added.unserved), rows(added.released)
    sum_chance, sum_loose = rows(added.chance), rows(added.chance_loose)
    sum_added, sum_fall = rows(added.added), rows(added.fall)
    said, form, forms = rows(tables[6]), balance.form, balance.form.shape[1]
    chance_stream, chance_short = request.chance_stream, request.chance_short
    chance_slack = request.chance_slack
    wanted = request.group_first.size + request.streams.size + request.steps.size > 1
    num_rows = tiles.level.shape[1]
    I, Q, J, R = refill.size, need.shape[1], stream.size, chance_stream.size  # noqa: E741
    # The steps of a run that are open to any candidate of the tile.
    open_step, open_row = np.empty(J, np.int64), np.empty(J, np.int64)
    ceiling_row, kind = np.empty(J, np.int64), np.empty(J, np.int64)
    latest, used = np.full(Q, -1), np.zeros(J, np.bool_)
    # Through plants there are many ways to a stream, of which those that come first often do.
    served = np.zeros(Q, np.bool_)
    open_pool, drawn_in = np.empty(num_pools, np.int64), np.full(num_pools, -1)
    for s in range(first, last):
        for i in range(I):
            _copy(state, i, start, i)
        for u in range(first_run[s], first_run[s + 1]):
            n, months = month[u], length[u]
            if calm[n] > 0:
                for i in range(I):
                    if refill[i] > 0.0:
                        _refill(state, holding, i, calm[n] * refill[i])
            count, pools = 0, 0
            for e in range(first_step[u], first_step[u + 1]):
                k, reached = run_row[e], run_reached[e]
                if closed[k] or opens_first[k] > reached:
                    continue
                j = run_step[e]
                open_step[count], open_row[count], ceiling_row[count] = j, k, k
                if opens_last[k] > reached:
                    ceiling_row[count] = num_rows + count
                    _limit_by_loss(limit, trigger, ceiling_row[count], k, reached)
                kind[count] = 0 if latest[stream[j]] >= 0 else FIRST
                if tracked[j]:
                    kind[count] |= NOTED
                    used[j] = True
                if first_pool[j + 1] > first_pool[j] or yield_[j] != 1.0:
                    kind[count] |= PLANTS
                    for d in range(first_pool[j], first_pool[j + 1]):
                        if drawn_in[pool[d]] != u:
                            drawn_in[pool[d]] = u
                            open_pool[pools] = pool[d]
                            pools += 1
                latest[stream[j]] = count
                count += 1
            for q in range(Q):
                if latest[q] >= 0:
                    kind[latest[q]] |= LAST
                    latest[q] = -1
                elif need[n, q] > 0.0:
                    _set(rest, q, need[n, q])
                    for _ in range(months):
                        _add(unserved, q, rest, q)
            for _ in range(months):
                for d in range(pools):
                    _copy(left, open_pool[d], capacity, open_pool[d])
                for c in range(count):
                    j, k, row, how = open_step[c], open_row[c], ceiling_row[c], kind[c]
                    q, i = stream[j], stock[j]
                    x = need[n, q]
                    if served[q]:
                        if how & LAST:
                            served[q] = False
                        continue
                    if how == FIRST:
                        _serve(
                            state,
                            rest,
                            unserved,
                            released,
                            level,
                            limit,
                            k,
                            row,
                            i,
                            q,
                            j,
                            x,
                            True,
                            False,
                            False,
                        )
                    elif how == LAST | NOTED:
                        _serve(
                            state,
                            rest,
                            unserved,
                            released,
                            level,
                            limit,
                            k,
                            row,
                            i,
                            q,
                            j,
                            x,
                            False,
                            True,
                            True,
                        )
                    elif how == FIRST | LAST:
                        _serve(
                            state,
                            rest,
                            unserved,
                            released,
                            level,
                            limit,
                            k,
                            row,
                            i,
                            q,
                            j,
                            x,
                            True,
                            True,
                            False,
                        )
                    else:
                        if how & FIRST:
                            _set(rest, q, x)
                        if how & PLANTS:
                            d, plants = first_pool[j], first_pool[j + 1] - first_pool[j]
                            if plants == 1:
                                _serve_through_plants(
                                    state,
                                    rest,
                                    released,
                                    level,
                                    limit,
                                    left,
                                    k,
                                    row,
                                    i,
                                    q,
                                    j,
                                    yield_[j],
                                    pool,
                                    made,
                                    d,
                                    1,
                                )
                            elif plants == 2:
                                _serve_through_plants(
                                    state,
                                    rest,
                                    released,
                                    level,
                                    limit,
                                    left,
                                    k,
                                    row,
                                    i,
                                    q,
                                    j,
                                    yield_[j],
                                    pool,
                                    made,
                                    d,
                                    2,
                                )
                            else:
                                _serve_through_many(
                                    state,
                                    rest,
                                    released,
                                    level,
                                    limit,
                                    left,
                                    k,
                                    row,
                                    i,
                                    q,
                                    j,
                                    yield_[j],
                                    pool,
                                    made,
                                    d,
                                    d + plants,
                                )
                        else:
                            _serve(
                                state,
                                rest,
                                unserved,
                                released,
                                level,
                                limit,
                                k,
                                row,
                                i,
                                q,
                                j,
                                x,
                                False,
                                False,
                                True,
                            )
                        if how & LAST:
                            _add(unserved, q, rest, q)
                    if pools > 0 and not how & LAST:
                        served[q] = not _any_left(rest, q)
        p_s = probability[s]
        for r in range(R):
            q = chance_stream[r]
            _count_chance(sum_chance, r, unserved, q, chance_short[r] * total[s, q], p_s)
            _count_chance(sum_loose, r, unserved, q, chance_slack[r] * total[s, q], p_s)
        if forms > 0 and form[s, 0] >= 0:
            _add_balance(
                sum_added,
                sum_fall,
                said,
                unserved,
                released,
                points,
                usable,
                balance,
                s,
                total,
                used,
                p_s,
                num_points,
                I,
                Q,
                J,
            )
        if wanted:
            _write_down(tables[2], tables[3], s, total, request, added, lo, hi)
        for q in range(Q):
            if total[s, q] > 0.0:
                _add_up(sum_unserved, unserved, q, p_s)
        for j in range(J):
            if used[j]:
                _add_up(sum_released, released, j, p_s)
                used[j] = False


@compiled
def simulate_chunks(chunks, first, last, runs, steps, tiles, request, balance, sums):
    """Simulate P candidates on the kept scenarios of chunks first..last-1: equations (4)-(6).

    Sums over the scenarios of each chunk are written into the (., ., P) arrays of ``sums``,
    results scenario by scenario into its (S', ., P) arrays.

    Parameters
    ----------
    chunks
        (., 2) first scenario of each chunk, and the first one after it.
    """
    num_tiles, I, width = tiles.holding.shape  # noqa: E741
    P = sums.unserved.shape[2]
    num_rows, Q, J = tiles.level.shape[1], runs.need.shape[1], steps.stream.size
    R = request.chance_stream.size
    limit = empty_table(num_rows + J, width)
    state, rest = empty_table(I, width), empty_table(Q, width)
    unserved, released = empty_table(Q, width), empty_table(J, width)
    added = SumArrays(
        empty_table(Q, width),
        empty_table(J, width),
        empty_table(R, width),
        empty_table(R, width),
        empty_table(sums.added.shape[1], width),
        empty_table(sums.fall.shape[1], width),
        sums.covered_of,
        sums.unserved_of,
        sums.released_of,
    )
    left = empty_table(tiles.capacity.shape[1], width)
    said = empty_table(2 * balance.form.shape[1], width)
    tables = (state, rest, unserved, released, limit, left, said)
    for c in range(first, last):
        for w in range(num_tiles):
            lo, hi = w * width, min((w + 1) * width, P)
            limit[:num_rows] = tiles.limit[w]
            unserved[:] = 0.0
            released[:] = 0.0
            added.unserved[:] = 0.0
            added.released[:] = 0.0
            added.chance[:] = 0.0
            added.chance_loose[:] = 0.0
            added.added[:] = 0.0
            added.fall[:] = 0.0
            _simulate_tile(
                chunks[c, 0],
                chunks[c, 1],
                w,
                lo,
                hi,
                runs,
                steps,
                tiles,
                request,
                balance,
                tables,
                added,
            )
            sums.unserved[c, :, lo:hi] = added.unserved[:, : hi - lo]
            sums.released[c, :, lo:hi] = added.released[:, : hi - lo]
            sums.chance[c, :, lo:hi] = added.chance[:, : hi - lo]
            sums.chance_loose[c, :, lo:hi] = added.chance_loose[:, : hi - lo]
            sums.added[c, :, lo:hi] = added.added[:, : hi - lo]
            sums.fall[c, :, lo:hi] = added.fall[:, : hi - lo]


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
