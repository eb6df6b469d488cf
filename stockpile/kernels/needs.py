"""Equations (1) to (3): events to needs, scenario by scenario, in compressed months.

A month is a period of the problem here: a month, or a week.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stockpile.kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUPPLY_LOSS, DEMAND_SURGE, SHARING_BLOCKED, PRICE_CUT = 0, 1, 2, 3
"""Effects, as numbered in :data:`stockpile.tables.EFFECTS`; needs know nothing of cut prices."""
NO_GAP = 1e-12
"""A gap below this fraction of normal demand is rounding."""


class EventArrays(NamedTuple):
    """Events of a scenario set, as one block sees them.

    The first seven are those of :class:`stockpile.scenarios.ScenarioSet`; ``hits`` (scopes, Z)
    and ``classes`` (scopes, K) say which markets and classes of demand a scope hits.
    """

    first: NDArray[np.int64]
    effect: NDArray[np.int8]
    source: NDArray[np.int32]
    scope: NDArray[np.int32]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    severity: NDArray[np.float64]
    hits: NDArray[np.bool_]
    classes: NDArray[np.bool_]


class MarketArrays(NamedTuple):
    """Markets of a block: rows of the arrays of :class:`stockpile.problem.Problem`, by market.

    ``extra`` (Z, T) is supply besides the normal one, which no event touches [t/period];
    ``refill`` is the number of periods without a gap in which commercial stock is refilled.
    """

    share: NDArray[np.float64]
    demand: NDArray[np.float64]
    commercial: NDArray[np.float64]
    thrift_share: NDArray[np.float64]
    thrift_after: NDArray[np.int64]
    extra: NDArray[np.float64]
    refill: float
    pro_rata: bool
    horizon: int


class OutputArrays(NamedTuple):
    """Projects online, n of them.

    Attributes
    ----------
    first
        (S, n) first period with output, counted from 0.
    ramp
        (n,) periods over which it grows to its full size.
    supply
        (n, Z) what each adds to the supply of a market in full [t/period].
    """

    first: NDArray[np.int64]
    ramp: NDArray[np.float64]
    supply: NDArray[np.float64]


class MonthArrays(NamedTuple):
    """Months of one scenario: need (Z, T, K), loss, age and blocked (Z, T)."""

    need: NDArray[np.float64]
    loss: NDArray[np.float64]
    age: NDArray[np.int32]
    blocked: NDArray[np.bool_]


class KeptArrays(NamedTuple):
    """Compressed months of kept scenarios, as in :class:`stockpile.needs.Needs`.

    ``months`` (S',) is the number of months of each scenario.
    """

    scenario: NDArray[np.int64]
    months: NDArray[np.int64]
    month: NDArray[np.int32]
    calm: NDArray[np.int32]
    need: NDArray[np.float64]
    loss: NDArray[np.float64]
    age: NDArray[np.int32]
    blocked: NDArray[np.bool_]
    total: NDArray[np.float64]


@compiled
def _empty_months(markets):
    num_markets, num_classes = markets.demand.shape
    return MonthArrays(
        np.empty((num_markets, markets.horizon, num_classes)),
        np.empty((num_markets, markets.horizon)),
        np.empty((num_markets, markets.horizon), dtype=np.int32),
        np.empty((num_markets, markets.horizon), dtype=np.bool_),
    )


@compiled
def _losses_and_surges(s, z, events, markets, loss, blocked, surge):
    """Equation (1) for market z in scenario s, and the surges of its demand, by month.

    Returns whether any event can make a gap, and whether any demand surges.
    """
    num_sources = markets.share.shape[1]
    keep = np.empty((num_sources, markets.horizon))
    touched = np.zeros(num_sources, dtype=np.bool_)
    hit = False
    surged = False
    for e in range(events.first[s], events.first[s + 1]):
        if not events.hits[events.scope[e], z]:
            continue
        if events.effect[e] == SUPPLY_LOSS:
            g = events.source[e]
            if markets.share[z, g] == 0.0:
                continue
            hit = True
            if not touched[g]:
                touched[g] = True
                keep[g, :] = 1.0
            for t in range(events.start[e], events.end[e]):
                keep[g, t] *= 1.0 - events.severity[e]
        elif events.effect[e] == DEMAND_SURGE:
            if not surged:
                surge[:] = 0.0
            surged = True
            hit = True
            for k in range(surge.shape[0]):
                if events.classes[events.scope[e], k]:
                    for t in range(events.start[e], events.end[e]):
                        surge[k, t] += events.severity[e]
        elif events.effect[e] == SHARING_BLOCKED:
            for t in range(events.start[e], events.end[e]):
                blocked[t] = True
    for g in range(num_sources):
        if touched[g]:
            for t in range(markets.horizon):
                loss[t] += markets.share[z, g] * (1.0 - keep[g, t])
    return hit, surged


@compiled
def _extra_supply(s, z, markets, outputs, extra):
    """Write what comes on top of the normal supply of market z in scenario s, by month [t]."""
    extra[:] = markets.extra[z]
    for n in range(outputs.ramp.size):
        in_full = outputs.supply[n, z]
        if in_full > 0.0:
            first = outputs.first[s, n]
            for t in range(first, markets.horizon):
                extra[t] += in_full * min(1.0, (t - first + 1) / outputs.ramp[n])


@compiled
def _needs_of_market(z, markets, loss, extra, surge, surged, need, age):
    """Equations (2) and (3) for market z: gap, commercial stock, classes, thrift, by month.

    ``extra`` (T,) is what comes on top of normal supply [t/period].

    Returns whether anything is needed at all.
    """
    num_classes = markets.demand.shape[1]
    class_need = np.empty(num_classes)
    any_need = False
    normal = 0.0
    for k in range(num_classes):
        normal += markets.demand[z, k]
    stock = markets.commercial[z]
    months_of_gap = 0
    for t in range(markets.horizon):
        age[t] = months_of_gap
        wanted = normal
        if surged:
            wanted = 0.0
            for k in range(num_classes):
                wanted += markets.demand[z, k] * (1.0 + surge[k, t])
        gap = wanted - (1.0 - loss[t]) * normal - extra[t]  # (2)
        if gap <= NO_GAP * normal:
            months_of_gap = 0
            stock = min(markets.commercial[z], stock + markets.commercial[z] / markets.refill)
            continue
        months_of_gap += 1
        drawn = min(stock, gap)
        stock -= drawn
        gap -= drawn
        if gap <= NO_GAP * normal:
            continue
        for k in range(num_classes - 1, -1, -1):  # (3)
            of_class = markets.demand[z, k]
            if surged:
                of_class *= 1.0 + surge[k, t]
            if markets.pro_rata:
                class_need[k] = gap * of_class / wanted
            else:
                class_need[k] = min(gap, of_class)
                gap -= class_need[k]
                if gap <= NO_GAP * normal:  # What rounding leaves is no need of anybody.
                    gap = 0.0
        for k in range(num_classes):
            if age[t] >= markets.thrift_after[z, k]:
                class_need[k] *= 1.0 - markets.thrift_share[z, k]
            if class_need[k] > 0.0:
                need[t, k] = class_need[k]
                any_need = True
    return any_need


@compiled
def _may_need(s, events, markets):
    """Say whether anything happens in scenario s that can make a gap in any market."""
    for e in range(events.first[s], events.first[s + 1]):
        if events.effect[e] != SUPPLY_LOSS and events.effect[e] != DEMAND_SURGE:
            continue
        for z in range(markets.share.shape[0]):
            if events.hits[events.scope[e], z] and (
                events.effect[e] == DEMAND_SURGE or markets.share[z, events.source[e]] > 0.0
            ):
                return True
    return False


@compiled
def _months_of_scenario(s, events, markets, outputs, months):
    """Fill in all months of scenario s; returns whether anything is needed at all."""
    num_markets, num_classes = markets.demand.shape
    surge = np.empty((num_classes, markets.horizon))
    extra = np.empty(markets.horizon)
    months.need[:] = 0.0
    months.loss[:] = 0.0
    months.age[:] = 0
    months.blocked[:] = False
    any_need = False
    for z in range(num_markets):
        hit, surged = _losses_and_surges(
            s, z, events, markets, months.loss[z], months.blocked[z], surge
        )
        if hit:
            _extra_supply(s, z, markets, outputs, extra)
            if _needs_of_market(
                z, markets, months.loss[z], extra, surge, surged, months.need[z], months.age[z]
            ):
                any_need = True
    return any_need


@compiled
def _active(months, t):
    """Say whether anybody needs anything in month t."""
    for z in range(months.need.shape[0]):
        for k in range(months.need.shape[2]):
            if months.need[z, t, k] > 0.0:
                return True
    return False


@compiled
def keep_need_months(lo, hi, events, markets, outputs, kept):
    """Write the scenarios among lo..hi-1 that need anything, and their months, compressed.

    Returns
    -------
    How many scenarios and how many months were written.
    """
    num_markets, num_classes = markets.demand.shape
    months = _empty_months(markets)
    scenarios = 0
    n = 0
    for s in range(lo, hi):
        if not _may_need(s, events, markets):
            continue
        if not _months_of_scenario(s, events, markets, outputs, months):
            continue
        first = n
        last = -1
        kept.total[scenarios, :] = 0.0
        for t in range(markets.horizon):
            if not _active(months, t):
                continue
            kept.month[n] = t
            kept.calm[n] = t - last - 1 if last >= 0 else 0
            last = t
            for z in range(num_markets):
                kept.loss[n, z] = months.loss[z, t]
                kept.age[n, z] = months.age[z, t]
                kept.blocked[n, z] = months.blocked[z, t]
                for k in range(num_classes):
                    q = z * num_classes + k
                    kept.need[n, q] = months.need[z, t, k]
                    kept.total[scenarios, q] += months.need[z, t, k]
            n += 1
        kept.scenario[scenarios] = s
        kept.months[scenarios] = n - first
        scenarios += 1
    return scenarios, n
