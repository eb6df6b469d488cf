"""Recourse with perfect foresight, scenario by scenario: its least cost, and prices of stocks.

Numbers such as (F8) are those of ``docs/foresight.md``. There are two kernels: one in closed form
for two nations, and one by best chains for any number of participants.

Both add to ``sums`` (2 + C,) the expected cost of the recourse and then, at the prices that it
gives to the stocks, the constant and the slopes of a cut (F8). The cut is computed from the prices
alone: it is below the cost everywhere, whatever the prices are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stockpile.kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_GAIN = 1e-12
"""A chain of releases has to save more than this part of the largest shortage cost."""
NO_STEP = -1


class PairArrays(NamedTuple):
    """Two nations; the streams of each in falling order of shortage cost, places j = 0..K-1.

    Attributes
    ----------
    probability
        (S',) p_s.
    availability
        (S', 2) tonnes that a tonne held can release in all.
    need, shareable
        (S', 2, K) need [t], and the part of it that the partner can serve.
    worth
        (2, K + 1) shortage cost [USD/t]; 0 in the last place.
    shipping
        (2,) what a tonne costs that a nation receives [USD/t].
    """

    probability: NDArray[np.float64]
    availability: NDArray[np.float64]
    need: NDArray[np.float64]
    shareable: NDArray[np.float64]
    worth: NDArray[np.float64]
    shipping: NDArray[np.float64]


class PairState(NamedTuple):
    """One scenario: stocks (2,) [t]; need N and shareable need M up to each place, (2, K) [t]."""

    stock: NDArray[np.float64]
    need: NDArray[np.float64]
    shareable: NDArray[np.float64]


class ChainArrays(NamedTuple):
    """Any number C of participants, as in :class:`stockpile.model.foresight_data.ForesightData`.

    Attributes
    ----------
    probability, availability, need, limit
        (S',), (S', C), (S', Q) and (S', J).
    shortage_cost
        (Q,) [USD/t].
    owner, stream, cost
        (J,) stock and stream of each step, and its cost [USD/t].
    """

    probability: NDArray[np.float64]
    availability: NDArray[np.float64]
    need: NDArray[np.float64]
    limit: NDArray[np.float64]
    shortage_cost: NDArray[np.float64]
    owner: NDArray[np.int64]
    stream: NDArray[np.int64]
    cost: NDArray[np.float64]


class ChainState(NamedTuple):
    """One scenario.

    Attributes
    ----------
    unmet
        (Q,) need not served yet [t].
    room, given
        (J,) what a step may still serve, and what it serves [t].
    value, onward
        (C,) what one more tonne of a stock would save [USD/t], and by which step; ``NO_STEP``
        where it would save nothing.
    gain, freed
        (Q,) what one more tonne brought to a stream would save [USD/t], and the step into the
        stream that it would set free; ``NO_STEP`` where it would serve unmet need.
    """

    unmet: NDArray[np.float64]
    room: NDArray[np.float64]
    given: NDArray[np.float64]
    value: NDArray[np.float64]
    onward: NDArray[np.int64]
    gain: NDArray[np.float64]
    freed: NDArray[np.int64]


# --- Two nations ----------------------------------------------------------------------------------


@compiled
def _short(state, nation, j, sent, received):
    """Return by how much what is left and received falls short of needs up to place j [t]."""
    imported = min(received, state.shareable[nation, j])
    return sent - imported - (state.stock[nation] - state.need[nation, j])


@compiled
def _first_short(state, nation, sent, received):
    """Return the first place up to which needs are not all served."""
    j = 0
    while j < state.need.shape[1] and _short(state, nation, j, sent, received) <= 0.0:
        j += 1
    return j


@compiled
def _first_losing(state, sender, sent):
    """Return the first place up to which a little less would leave needs unserved."""
    j = 0
    while j < state.need.shape[1] and _short(state, sender, j, sent, 0.0) < 0.0:
        j += 1
    return j


@compiled
def _reach(state, to, j):
    """Return the tonnes received beyond which the streams up to place j gain nothing (F10)."""
    return max(0.0, min(state.shareable[to, j], _short(state, to, j, 0.0, 0.0)))


@compiled
def _first_gaining(state, to, received):
    """Return the first place up to which streams gain from a little more."""
    j = 0
    while j < state.need.shape[1] and _reach(state, to, j) <= received:
        j += 1
    return j


@compiled
def _ship(state, arrays, to):
    """Ship to a nation as long as the next tonne saves more there than it costs (F10)."""
    sender = 1 - to
    stock = state.stock[sender]
    shipped = 0.0
    while shipped < stock:
        gaining = _first_gaining(state, to, shipped)
        losing = _first_losing(state, sender, shipped)
        if arrays.worth[to, gaining] - arrays.worth[sender, losing] <= arrays.shipping[to]:
            break
        until = min(_reach(state, to, gaining), stock)
        if losing > 0:
            until = min(until, stock - state.need[sender, losing - 1])
        shipped = until
    return shipped


@compiled
def _pair_prices(state, arrays, to, shipped, price):
    """Find prices of the two stocks that support the shipment (F11)."""
    sender = 1 - to
    worth, shipping = arrays.worth, arrays.shipping
    price[sender] = max(
        worth[sender, _first_short(state, sender, shipped, 0.0)],
        worth[to, _first_gaining(state, to, shipped)] - shipping[to],
    )
    if shipped > 0.0:
        traded = price[sender] + shipping[to]
    else:
        traded = worth[sender, _first_gaining(state, sender, 0.0)] - shipping[sender]
    price[to] = max(worth[to, _first_short(state, to, 0.0, shipped)], traded)


@compiled
def _pair_cost(state, arrays, to, shipped):
    """Return the cost of the recourse [USD], as a sum of terms none of which is negative (F9)."""
    cost = arrays.shipping[to] * shipped
    for nation in range(2):
        sent = 0.0 if nation == to else shipped
        received = shipped if nation == to else 0.0
        for j in range(state.need.shape[1]):
            short = _short(state, nation, j, sent, received)
            if short > 0.0:
                cost += (arrays.worth[nation, j] - arrays.worth[nation, j + 1]) * short
    return cost


@compiled
def _pair_constant(arrays, s, price):
    """Return the cost of all needs of scenario s at given prices of the stocks [USD], in (F8)."""
    constant = 0.0
    for nation in range(2):
        imported = price[1 - nation] + arrays.shipping[nation]
        for j in range(arrays.need.shape[2]):
            alone = min(arrays.worth[nation, j], price[nation])
            shareable = arrays.shareable[s, nation, j]
            constant += (arrays.need[s, nation, j] - shareable) * alone
            constant += shareable * min(alone, imported)
    return constant


@compiled
def pair_chunk(first, last, arrays, holding, sums):
    """Recourse of scenarios first..last-1 to holdings (2,) [t], added to ``sums`` (4,)."""
    num_places = arrays.need.shape[2]
    state = PairState(np.empty(2), np.empty((2, num_places)), np.empty((2, num_places)))
    price = np.empty(2)
    for s in range(first, last):
        for nation in range(2):
            state.stock[nation] = arrays.availability[s, nation] * holding[nation]
            need = 0.0
            shareable = 0.0
            for j in range(num_places):
                need += arrays.need[s, nation, j]
                shareable += arrays.shareable[s, nation, j]
                state.need[nation, j] = need
                state.shareable[nation, j] = shareable
        if state.stock[0] >= state.need[0, -1] and state.stock[1] >= state.need[1, -1]:
            continue  # Each has enough: nothing costs anything, nor would a tonne more save any.
        shipped = 0.0
        for to in range(2):  # It never pays both ways at once.
            shipped = _ship(state, arrays, to)
            if shipped > 0.0:
                break
        _pair_prices(state, arrays, to, shipped, price)
        p_s = arrays.probability[s]
        sums[0] += p_s * _pair_cost(state, arrays, to, shipped)
        sums[1] += p_s * _pair_constant(arrays, s, price)
        for nation in range(2):
            sums[2 + nation] -= p_s * arrays.availability[s, nation] * price[nation]


@compiled
def pair_chunks(chunks, first, last, arrays, holding, sums):
    """Recourse of the scenarios of chunks first..last-1, each added to its row of ``sums``."""
    for n in range(first, last):
        pair_chunk(chunks[n, 0], chunks[n, 1], arrays, holding, sums[n])


# --- Any number of participants -------------------------------------------------------------------


@compiled
def _empty_chain(arrays):
    num_streams, num_steps = arrays.shortage_cost.size, arrays.cost.size
    num_stocks = arrays.availability.shape[1]
    return ChainState(
        np.empty(num_streams),
        np.empty(num_steps),
        np.empty(num_steps),
        np.empty(num_stocks),
        np.empty(num_stocks, dtype=np.int64),
        np.empty(num_streams),
        np.empty(num_streams, dtype=np.int64),
    )


@compiled
def _find_values(state, arrays, least):
    """Find what one more tonne of each stock, or at each stream, would save by its best chain.

    Chains only get longer as they get better, and none visits a stock twice, so this ends.
    """
    state.value[:] = 0.0
    state.onward[:] = NO_STEP
    state.freed[:] = NO_STEP
    for q in range(state.unmet.size):
        state.gain[q] = arrays.shortage_cost[q] if state.unmet[q] > 0.0 else 0.0
    changed = True
    while changed:
        changed = False
        for j in range(arrays.cost.size):
            o, q = arrays.owner[j], arrays.stream[j]
            if state.room[j] > 0.0 and state.gain[q] - arrays.cost[j] > state.value[o] + least:
                state.value[o] = state.gain[q] - arrays.cost[j]
                state.onward[o] = j
                changed = True
            if state.given[j] > 0.0 and state.value[o] + arrays.cost[j] > state.gain[q] + least:
                state.gain[q] = state.value[o] + arrays.cost[j]
                state.freed[q] = j
                changed = True


@compiled
def _follow_chain(state, arrays, stock, most):
    """Return the tonnes, at most ``most``, that the best chain from a stock can move."""
    amount = most
    o = stock
    while True:
        j = state.onward[o]
        q = arrays.stream[j]
        amount = min(amount, state.room[j])
        freed = state.freed[q]
        if freed == NO_STEP:
            return min(amount, state.unmet[q])
        amount = min(amount, state.given[freed])
        o = arrays.owner[freed]


@compiled
def _move_chain(state, arrays, stock, amount):
    """Move tonnes along the best chain from a stock."""
    o = stock
    while True:
        j = state.onward[o]
        q = arrays.stream[j]
        state.room[j] -= amount
        state.given[j] += amount
        freed = state.freed[q]
        if freed == NO_STEP:
            state.unmet[q] -= amount
            return
        state.given[freed] -= amount
        state.room[freed] += amount
        o = arrays.owner[freed]


@compiled
def _respond(state, arrays, s, tonnes, charge):
    """Best response to scenario s: serve by the chain that saves most, until none saves.

    Each stock offers ``tonnes`` (2, C) [t], first those that are free and then those that cost
    ``charge`` (C,) [USD/t]. Returns the cost of shortage, shipping and charges [USD].
    """
    state.unmet[:] = arrays.need[s]
    state.room[:] = arrays.limit[s]
    state.given[:] = 0.0
    least = LEAST_GAIN * arrays.shortage_cost.max()
    charged = 0.0
    while True:
        _find_values(state, arrays, least)
        best, best_tier, best_gain = 0, 0, least
        for o in range(charge.size):
            for tier in range(2):
                gain = state.value[o] - tier * charge[o]
                if tonnes[tier, o] > 0.0 and gain > best_gain:
                    best, best_tier, best_gain = o, tier, gain
        if best_gain == least:
            break
        amount = _follow_chain(state, arrays, best, tonnes[best_tier, best])
        _move_chain(state, arrays, best, amount)
        tonnes[best_tier, best] -= amount
        charged += best_tier * charge[best] * amount
    cost = charged
    for q in range(state.unmet.size):
        cost += arrays.shortage_cost[q] * state.unmet[q]
    for j in range(state.given.size):
        cost += arrays.cost[j] * state.given[j]
    return cost


@compiled
def _chain_constant(arrays, s, price, used):
    """Return the cost of all needs of scenario s at given prices of the stocks [USD], in (F8).

    Each stream takes the cheapest steps up to their limits, and goes short where that is cheaper.
    """
    constant = 0.0
    used[:] = False
    for q in range(arrays.shortage_cost.size):
        left = arrays.need[s, q]
        while left > 0.0:
            cheapest, least = NO_STEP, arrays.shortage_cost[q]
            for j in range(used.size):
                if arrays.stream[j] == q and not used[j]:
                    at = price[arrays.owner[j]] + arrays.cost[j]
                    if at < least:
                        cheapest, least = j, at
            if cheapest == NO_STEP:
                constant += least * left
                break
            used[cheapest] = True
            taken = min(left, arrays.limit[s, cheapest])
            constant += least * taken
            left -= taken
    return constant


@compiled
def chain_chunk(first, last, arrays, holding, sums):
    """Recourse of scenarios first..last-1 to holdings (C,) [t], added to ``sums`` (2 + C,)."""
    num_stocks = holding.size
    state = _empty_chain(arrays)
    tonnes = np.zeros((2, num_stocks))
    charge = np.zeros(num_stocks)
    used = np.empty(arrays.cost.size, dtype=np.bool_)
    for s in range(first, last):
        for o in range(num_stocks):
            tonnes[0, o] = arrays.availability[s, o] * holding[o]
        p_s = arrays.probability[s]
        sums[0] += p_s * _respond(state, arrays, s, tonnes, charge)
        sums[1] += p_s * _chain_constant(arrays, s, state.value, used)
        for o in range(num_stocks):
            sums[2 + o] -= p_s * arrays.availability[s, o] * state.value[o]


@compiled
def chain_chunks(chunks, first, last, arrays, holding, sums):
    """Do as :func:`pair_chunks` for any number of participants."""
    for n in range(first, last):
        chain_chunk(chunks[n, 0], chunks[n, 1], arrays, holding, sums[n])


@compiled
def wait_and_see_chunk(first, last, arrays, lower, upper, unit_cost, cost, held):
    """Least cost of each scenario with holdings chosen for it alone, into ``cost`` (S',) [USD].

    Counted is what comes on top of holding ``lower`` (C,) [t]: shortage, shipping, and
    ``unit_cost`` (C,) [USD/t] for what is held above, at most up to ``upper`` (F13). The holdings
    go into ``held`` (S', C) [t].
    """
    num_stocks = lower.size
    state = _empty_chain(arrays)
    tonnes = np.empty((2, num_stocks))
    charge = np.empty(num_stocks)
    for s in range(first, last):
        for o in range(num_stocks):
            available = arrays.availability[s, o]
            tonnes[0, o] = available * lower[o]
            tonnes[1, o] = available * (upper[o] - lower[o])
            charge[o] = unit_cost[o] / available
        cost[s] = _respond(state, arrays, s, tonnes, charge)
        for o in range(num_stocks):
            # What is left over of the second tier need not be held.
            left = tonnes[1, o] / arrays.availability[s, o]
            held[s, o] = max(upper[o] - left, lower[o])
