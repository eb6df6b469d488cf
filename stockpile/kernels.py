"""Compiled loops: arrays in, arrays out, no objects.

Shapes and meanings are those of :mod:`stockpile.needs` and :mod:`stockpile.simulate`. Everything
is double precision without reordering of sums, so a result does not depend on which candidates
are simulated together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")

SUPPLY_LOSS, DEMAND_SURGE, SHARING_BLOCKED = 0, 1, 2
OWN = 0
LANES = 256
"""Candidates simulated side by side: enough to hide the cost of entering the innermost loop, few
enough for their states to stay in the nearest caches."""
TRIGGER_TOLERANCE = 1e-9
"""A loss counts as having reached a trigger within this."""
NO_GAP = 1e-12
"""A gap below this fraction of normal demand is rounding."""
REFILL_MONTHS = 6.0
"""Commercial stock is refilled by a sixth of its size per month without a gap."""


def _compiled(function: Function) -> Function:
    compiled: Any = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return compiled  # type: ignore[no-any-return]


@_compiled
def _months_of_scenario(
    s,
    first,
    effect,
    source,
    scope,
    start,
    end,
    severity,
    hits,
    classes,
    share,
    demand,
    commercial,
    thrift_share,
    thrift_after,
    pro_rata,
    horizon,
    need,
    loss,
    age,
    blocked,
):
    """Equations (1)-(3) for all months of scenario s into (T, ...) arrays.

    Returns whether anything is needed at all.
    """
    num_markets, num_sources = share.shape
    num_classes = demand.shape[1]
    need[:] = 0.0
    loss[:] = 0.0
    age[:] = 0
    blocked[:] = False
    keep = np.empty((num_sources, horizon))
    touched = np.empty(num_sources, dtype=np.bool_)
    surge = np.empty((num_classes, horizon))
    class_need = np.empty(num_classes)
    any_need = False
    for z in range(num_markets):
        touched[:] = False
        hit = False
        surged = False
        for e in range(first[s], first[s + 1]):
            if not hits[scope[e], z]:
                continue
            if effect[e] == SUPPLY_LOSS:
                g = source[e]
                if share[z, g] == 0.0:
                    continue
                hit = True
                if not touched[g]:
                    touched[g] = True
                    keep[g, :] = 1.0
                for t in range(start[e], end[e]):
                    keep[g, t] *= 1.0 - severity[e]
            elif effect[e] == DEMAND_SURGE:
                if not surged:
                    surge[:] = 0.0
                surged = True
                hit = True
                for k in range(num_classes):
                    if classes[scope[e], k]:
                        for t in range(start[e], end[e]):
                            surge[k, t] += severity[e]
            else:
                for t in range(start[e], end[e]):
                    blocked[t, z] = True
        if not hit:
            continue
        for g in range(num_sources):  # (1)
            if touched[g]:
                for t in range(horizon):
                    loss[t, z] += share[z, g] * (1.0 - keep[g, t])
        normal = 0.0
        for k in range(num_classes):
            normal += demand[z, k]
        stock = commercial[z]
        months_of_gap = 0
        for t in range(horizon):
            age[t, z] = months_of_gap
            wanted = normal
            if surged:
                wanted = 0.0
                for k in range(num_classes):
                    wanted += demand[z, k] * (1.0 + surge[k, t])
            gap = wanted - (1.0 - loss[t, z]) * normal  # (2)
            if gap <= NO_GAP * normal:
                months_of_gap = 0
                stock = min(commercial[z], stock + commercial[z] / REFILL_MONTHS)
                continue
            months_of_gap += 1
            drawn = min(stock, gap)
            stock -= drawn
            gap -= drawn
            if gap <= NO_GAP * normal:
                continue
            for k in range(num_classes - 1, -1, -1):  # (3)
                of_class = demand[z, k]
                if surged:
                    of_class *= 1.0 + surge[k, t]
                if pro_rata:
                    class_need[k] = gap * of_class / wanted
                else:
                    class_need[k] = min(gap, of_class)
                    gap -= class_need[k]
                    if gap <= NO_GAP * normal:  # What rounding leaves is no need of anybody.
                        gap = 0.0
            for k in range(num_classes):
                if age[t, z] >= thrift_after[z, k]:
                    class_need[k] *= 1.0 - thrift_share[z, k]
                if class_need[k] > 0.0:
                    need[t, z * num_classes + k] = class_need[k]
                    any_need = True
    return any_need


@_compiled
def count_need_months(
    lo,
    hi,
    first,
    effect,
    source,
    scope,
    start,
    end,
    severity,
    hits,
    classes,
    share,
    demand,
    commercial,
    thrift_share,
    thrift_after,
    pro_rata,
    horizon,
    counts,
):
    """Count the months with any need of scenarios lo..hi-1 into ``counts``."""
    num_markets, num_classes = demand.shape
    need = np.empty((horizon, num_markets * num_classes))
    loss = np.empty((horizon, num_markets))
    age = np.empty((horizon, num_markets), dtype=np.int32)
    blocked = np.empty((horizon, num_markets), dtype=np.bool_)
    for s in range(lo, hi):
        counts[s] = 0
        if first[s] == first[s + 1] or not _months_of_scenario(
            s,
            first,
            effect,
            source,
            scope,
            start,
            end,
            severity,
            hits,
            classes,
            share,
            demand,
            commercial,
            thrift_share,
            thrift_after,
            pro_rata,
            horizon,
            need,
            loss,
            age,
            blocked,
        ):
            continue
        for t in range(horizon):
            for q in range(need.shape[1]):
                if need[t, q] > 0.0:
                    counts[s] += 1
                    break


@_compiled
def fill_need_months(
    lo,
    hi,
    first,
    effect,
    source,
    scope,
    start,
    end,
    severity,
    hits,
    classes,
    share,
    demand,
    commercial,
    thrift_share,
    thrift_after,
    pro_rata,
    horizon,
    kept_scenario,
    kept_first,
    kept_month,
    kept_calm,
    kept_need,
    kept_loss,
    kept_age,
    kept_blocked,
    total,
):
    """Write the months with any need of kept scenarios lo..hi-1, compressed."""
    num_markets, num_classes = demand.shape
    need = np.empty((horizon, num_markets * num_classes))
    loss = np.empty((horizon, num_markets))
    age = np.empty((horizon, num_markets), dtype=np.int32)
    blocked = np.empty((horizon, num_markets), dtype=np.bool_)
    for kept in range(lo, hi):
        _months_of_scenario(
            kept_scenario[kept],
            first,
            effect,
            source,
            scope,
            start,
            end,
            severity,
            hits,
            classes,
            share,
            demand,
            commercial,
            thrift_share,
            thrift_after,
            pro_rata,
            horizon,
            need,
            loss,
            age,
            blocked,
        )
        n = kept_first[kept]
        last = -1
        for t in range(horizon):
            active = False
            for q in range(need.shape[1]):
                if need[t, q] > 0.0:
                    active = True
                    break
            if not active:
                continue
            kept_month[n] = t
            kept_calm[n] = t - last - 1 if last >= 0 else 0
            last = t
            for q in range(need.shape[1]):
                kept_need[n, q] = need[t, q]
                total[kept, q] += need[t, q]
            for z in range(num_markets):
                kept_loss[n, z] = loss[t, z]
                kept_age[n, z] = age[t, z]
                kept_blocked[n, z] = blocked[t, z]
            n += 1


@_compiled
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


@_compiled
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


@_compiled
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


@_compiled
def simulate_chunk(
    lo,
    hi,
    probability,
    first,
    calm,
    need,
    loss,
    age,
    blocked,
    total,
    stream,
    stock,
    market,
    relation,
    lag,
    yield_,
    capacity,
    refill,
    holding,
    level_t,
    limit_t,
    trigger,
    breakpoints,
    chance_stream,
    chance_short,
    chance_slack,
    kept_stream,
    kept_step,
    tracked,
    sum_unserved,
    sum_released,
    chance,
    chance_loose,
    unserved_of,
    released_of,
):
    """Simulate P candidates on kept scenarios lo..hi-1: equations (4)-(6).

    Sums over the scenarios of the chunk, weighted by probability, are added to
    ``sum_unserved`` (Q, P), ``sum_released`` (J, P; only of the ``tracked`` steps), ``chance``
    and ``chance_loose`` (R, P).
    Unserved need of the streams in ``kept_stream`` and releases of the steps in ``kept_step``
    are written scenario by scenario into ``unserved_of`` (S', ., P) and ``released_of``
    (S', ., P).
    """
    num_stocks, num_candidates = holding.shape
    num_streams = need.shape[1]
    num_steps = stream.size
    state = np.empty((num_stocks, LANES))
    unserved = np.empty((num_streams, LANES))
    rest = np.empty((num_streams, LANES))
    released = np.empty((num_steps, LANES))
    num_segments = breakpoints.size
    closed = np.empty((num_segments, num_steps), dtype=np.bool_)
    opens_first = np.empty((num_segments, num_steps))
    opens_last = np.empty((num_segments, num_steps))
    for tile in range(0, num_candidates, LANES):
        width = min(LANES, num_candidates - tile)
        for a in range(num_segments):
            for j in range(num_steps):
                closed[a, j] = limit_t[a, j, tile : tile + width].max() <= 0.0
                opens_first[a, j] = trigger[a, j, tile : tile + width].min()
                opens_last[a, j] = trigger[a, j, tile : tile + width].max()
        for s in range(lo, hi):
            p_s = probability[s]
            for i in range(num_stocks):
                for p in range(width):
                    state[i, p] = holding[i, tile + p]
            unserved[:] = 0.0
            released[:] = 0.0
            for n in range(first[s], first[s + 1]):
                if calm[n] > 0:  # (6), all calm months at once
                    for i in range(num_stocks):
                        back = calm[n] * refill[i]
                        if back > 0.0:
                            for p in range(width):
                                h = holding[i, tile + p]
                                x = state[i, p] + back * h
                                state[i, p] = x if x < h else h
                for q in range(num_streams):
                    if need[n, q] > 0.0:
                        for p in range(width):
                            rest[q, p] = need[n, q]
                for j in range(num_steps):
                    q = stream[j]
                    i = stock[j]
                    z = market[j]
                    if need[n, q] == 0.0 or age[n, z] < lag[j]:
                        continue
                    if relation[j] != OWN and blocked[n, i]:
                        continue
                    a = breakpoints.size - 1
                    while breakpoints[a] > age[n, z]:
                        a -= 1
                    reached = loss[n, z] + TRIGGER_TOLERANCE
                    if closed[a, j] or opens_first[a, j] > reached:  # For all candidates.
                        continue
                    level = level_t[a, j, tile : tile + width]
                    limit = limit_t[a, j, tile : tile + width]
                    plain = yield_[j] == 1.0 and capacity[j] == np.inf
                    if not plain or opens_last[a, j] > reached:
                        opens = trigger[a, j, tile : tile + width]
                        _serve(
                            state[i],
                            rest[q],
                            released[j],
                            level,
                            limit,
                            opens,
                            reached,
                            yield_[j],
                            capacity[j],
                        )
                    elif tracked[j]:
                        _serve_plainly_and_note(state[i], rest[q], released[j], level, limit)
                    else:
                        _serve_plainly(state[i], rest[q], level, limit)
                for q in range(num_streams):
                    if need[n, q] > 0.0:
                        for p in range(width):
                            unserved[q, p] += rest[q, p]
            for q in range(num_streams):
                for p in range(width):
                    sum_unserved[q, tile + p] += p_s * unserved[q, p]
            for j in range(num_steps):
                if tracked[j]:
                    for p in range(width):
                        sum_released[j, tile + p] += p_s * released[j, p]
            for r in range(chance_stream.size):
                q = chance_stream[r]
                allowed = chance_short[r] * total[s, q]
                allowed_loose = chance_slack[r] * total[s, q]
                for p in range(width):
                    chance[r, tile + p] += p_s if unserved[q, p] <= allowed else 0.0
                    chance_loose[r, tile + p] += p_s if unserved[q, p] <= allowed_loose else 0.0
            for kept in range(kept_stream.size):
                for p in range(width):
                    unserved_of[s, kept, tile + p] = unserved[kept_stream[kept], p]
            for kept in range(kept_step.size):
                for p in range(width):
                    released_of[s, kept, tile + p] = released[kept_step[kept], p]


@_compiled
def worst_shortfalls(served, probability, tail, shortfall):
    """Sum probability times (1 - served) over the worst ``tail`` of probability, by candidate.

    ``served`` is (S', P), ``shortfall`` (P,). Scenarios that are served in full add nothing, so
    only the others are ranked, and those only if they do not all fit into the tail.
    """
    num_scenarios, num_candidates = served.shape
    short = np.empty(num_scenarios)
    mass = np.empty(num_scenarios)
    for p in range(num_candidates):
        count = 0
        total = 0.0
        for s in range(num_scenarios):
            if served[s, p] < 1.0:
                short[count] = 1.0 - served[s, p]
                mass[count] = probability[s]
                total += probability[s]
                count += 1
        result = 0.0
        if total <= tail:
            for n in range(count):
                result += mass[n] * short[n]
        else:
            left = tail
            order = np.argsort(-short[:count], kind="mergesort")
            for n in order:
                part = mass[n] if mass[n] < left else left
                result += part * short[n]
                left -= part
                if left <= 0.0:
                    break
        shortfall[p] = result
