"""Equations (4) to (6): the simulation of many candidates, candidates innermost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stockpile.kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

OWN = 0
LANES = 256
"""Candidates simulated side by side: enough to hide the cost of entering the innermost loop, few
enough for their states to stay in the nearest caches."""
TRIGGER_TOLERANCE = 1e-9
"""A loss counts as having reached a trigger within this."""


class NeedArrays(NamedTuple):
    """Kept scenarios and their months, as in :class:`stockpile.needs.Needs`."""

    probability: NDArray[np.float64]
    first: NDArray[np.int64]
    calm: NDArray[np.int32]
    need: NDArray[np.float64]
    loss: NDArray[np.float64]
    age: NDArray[np.int32]
    blocked: NDArray[np.bool_]
    total: NDArray[np.float64]


class StepArrays(NamedTuple):
    """Steps of a month, as in :class:`stockpile.blocks.Steps`; ``refill`` (I,) is phi of (6).

    ``tracked`` (J,) says of which steps the releases are wanted.
    """

    stream: NDArray[np.int64]
    stock: NDArray[np.int64]
    market: NDArray[np.int64]
    relation: NDArray[np.int64]
    lag: NDArray[np.int64]
    yield_: NDArray[np.float64]
    capacity: NDArray[np.float64]
    refill: NDArray[np.float64]
    tracked: NDArray[np.bool_]


class TermArrays(NamedTuple):
    """What candidates allow, as in :class:`stockpile.simulate.Terms`."""

    breakpoints: NDArray[np.int64]
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


class TileArrays(NamedTuple):
    """State of a tile of candidates in one scenario, and when its gates open at all."""

    state: NDArray[np.float64]
    rest: NDArray[np.float64]
    unserved: NDArray[np.float64]
    released: NDArray[np.float64]
    closed: NDArray[np.bool_]
    opens_first: NDArray[np.float64]
    opens_last: NDArray[np.float64]


@compiled
def _serve(state, needed, given, level, limit, opens, reached, served_per_t, most):
    """One step of one month for all candidates of a tile, equations (4) and (5)."""
    taken_per_t = 1.0 / served_per_t
    for p in range(level.size):
        ceiling = limit[p] if opens[p] <= reached else 0.0
        ceiling = ceiling if ceiling < most else most
        ceiling = ceiling if ceiling < needed[p] else needed[p]
        spare = (state[p] - level[p]) * served_per_t
        spare = spare if spare > 0.0 else 0.0
        release = spare if spare < ceiling else ceiling
        needed[p] -= release
        state[p] -= release * taken_per_t
        given[p] += release


@compiled
def _serve_plainly(state, needed, level, limit):
    """Do as :func:`_serve` where all gates are open, yield is 1 and capacity has no end.

    Nobody asks for the releases themselves. It gives the same bits as :func:`_serve`, sooner.
    """
    for p in range(level.size):
        ceiling = limit[p] if limit[p] < needed[p] else needed[p]
        spare = state[p] - level[p]
        spare = spare if spare > 0.0 else 0.0
        release = spare if spare < ceiling else ceiling
        needed[p] -= release
        state[p] -= release


@compiled
def _serve_plainly_and_note(state, needed, given, level, limit):
    """Do as :func:`_serve_plainly`, and add up the releases."""
    for p in range(level.size):
        ceiling = limit[p] if limit[p] < needed[p] else needed[p]
        spare = state[p] - level[p]
        spare = spare if spare > 0.0 else 0.0
        release = spare if spare < ceiling else ceiling
        needed[p] -= release
        state[p] -= release
        given[p] += release


@compiled
def _empty_tile(num_stocks, num_streams, num_steps, num_segments):
    return TileArrays(
        np.empty((num_stocks, LANES)),
        np.empty((num_streams, LANES)),
        np.empty((num_streams, LANES)),
        np.empty((num_steps, LANES)),
        np.empty((num_segments, num_steps), dtype=np.bool_),
        np.empty((num_segments, num_steps)),
        np.empty((num_segments, num_steps)),
    )


@compiled
def _look_at_gates(tile, terms, lo, hi):
    """Note for candidates lo..hi-1 which steps are closed to all, or open to all from where."""
    for a in range(tile.closed.shape[0]):
        for j in range(tile.closed.shape[1]):
            tile.closed[a, j] = terms.limit[a, j, lo:hi].max() <= 0.0
            tile.opens_first[a, j] = terms.trigger[a, j, lo:hi].min()
            tile.opens_last[a, j] = terms.trigger[a, j, lo:hi].max()


@compiled
def _refill(state, months, refill, holding, lo, hi):
    """Buy back for so many calm months at once, equation (6)."""
    for i in range(refill.size):
        back = months * refill[i]
        if back > 0.0:
            for p in range(hi - lo):
                h = holding[i, lo + p]
                x = state[i, p] + back * h
                state[i, p] = x if x < h else h


@compiled
def _run_scenario(tile, s, needs, steps, terms, lo, hi):
    """All kept months of scenario s for candidates lo..hi-1.

    The months are looped over in here: a call costs as much as a step.
    """
    state, rest, unserved, released = tile.state, tile.rest, tile.unserved, tile.released
    need, loss, age, blocked = needs.need, needs.loss, needs.age, needs.blocked
    stream, stock, market, lag = steps.stream, steps.stock, steps.market, steps.lag
    width = hi - lo
    for i in range(state.shape[0]):
        for p in range(width):
            state[i, p] = terms.holding[i, lo + p]
    unserved[:] = 0.0
    released[:] = 0.0
    for n in range(needs.first[s], needs.first[s + 1]):
        if needs.calm[n] > 0:
            _refill(state, needs.calm[n], steps.refill, terms.holding, lo, hi)
        for q in range(rest.shape[0]):
            if need[n, q] > 0.0:
                for p in range(width):
                    rest[q, p] = need[n, q]
        for j in range(stream.size):
            q = stream[j]
            i = stock[j]
            z = market[j]
            if need[n, q] == 0.0 or age[n, z] < lag[j]:
                continue
            if steps.relation[j] != OWN and blocked[n, i]:
                continue
            a = terms.breakpoints.size - 1
            while terms.breakpoints[a] > age[n, z]:
                a -= 1
            reached = loss[n, z] + TRIGGER_TOLERANCE
            if tile.closed[a, j] or tile.opens_first[a, j] > reached:
                continue
            level, limit = terms.level[a, j, lo:hi], terms.limit[a, j, lo:hi]
            plain = steps.yield_[j] == 1.0 and steps.capacity[j] == np.inf
            if not plain or tile.opens_last[a, j] > reached:
                opens = terms.trigger[a, j, lo:hi]
                _serve(
                    state[i],
                    rest[q],
                    released[j],
                    level,
                    limit,
                    opens,
                    reached,
                    steps.yield_[j],
                    steps.capacity[j],
                )
            elif steps.tracked[j]:
                _serve_plainly_and_note(state[i], rest[q], released[j], level, limit)
            else:
                _serve_plainly(state[i], rest[q], level, limit)
        for q in range(rest.shape[0]):
            if need[n, q] > 0.0:
                for p in range(width):
                    unserved[q, p] += rest[q, p]


@compiled
def _add_up(tile, s, needs, steps, request, sums, lo, hi):
    """Add scenario s of candidates lo..hi-1 to the sums, weighted by its probability."""
    width = hi - lo
    p_s = needs.probability[s]
    for q in range(tile.unserved.shape[0]):
        for p in range(width):
            sums.unserved[q, lo + p] += p_s * tile.unserved[q, p]
    for j in range(steps.stream.size):
        if steps.tracked[j]:
            for p in range(width):
                sums.released[j, lo + p] += p_s * tile.released[j, p]
    for r in range(request.chance_stream.size):
        q = request.chance_stream[r]
        allowed = request.chance_short[r] * needs.total[s, q]
        allowed_loose = request.chance_slack[r] * needs.total[s, q]
        for p in range(width):
            short = tile.unserved[q, p]
            sums.chance[r, lo + p] += p_s if short <= allowed else 0.0
            sums.chance_loose[r, lo + p] += p_s if short <= allowed_loose else 0.0
    for g in range(request.group_first.size - 1):
        for p in range(width):
            sums.covered_of[s, g, lo + p] = 3
        for r in range(request.group_first[g], request.group_first[g + 1]):
            q = request.group_stream[r]
            allowed = request.group_short[r] * needs.total[s, q]
            allowed_loose = request.group_slack[r] * needs.total[s, q]
            for p in range(width):
                short = tile.unserved[q, p]
                kept_bits = 3 if short <= allowed else (2 if short <= allowed_loose else 0)
                sums.covered_of[s, g, lo + p] &= kept_bits
    for kept in range(request.streams.size):
        for p in range(width):
            sums.unserved_of[s, kept, lo + p] = tile.unserved[request.streams[kept], p]
    for kept in range(request.steps.size):
        for p in range(width):
            sums.released_of[s, kept, lo + p] = tile.released[request.steps[kept], p]


@compiled
def simulate_chunk(first, last, needs, steps, terms, request, sums):
    """Simulate P candidates on kept scenarios first..last-1: equations (4)-(6).

    Sums over the scenarios of the chunk are added to the (., P) arrays of ``sums``, results
    scenario by scenario are written into its (S', ., P) arrays.
    """
    num_stocks, num_candidates = terms.holding.shape
    tile = _empty_tile(num_stocks, needs.need.shape[1], steps.stream.size, terms.breakpoints.size)
    for lo in range(0, num_candidates, LANES):
        hi = min(lo + LANES, num_candidates)
        _look_at_gates(tile, terms, lo, hi)
        for s in range(first, last):
            _run_scenario(tile, s, needs, steps, terms, lo, hi)
            _add_up(tile, s, needs, steps, request, sums, lo, hi)
