"""What stocks can release in a scenario as a whole, whatever rules say: limits of (F4) and (F3)."""

from __future__ import annotations

from stockpile.kernels.compiled import compiled
from stockpile.kernels.simulation import is_shut


@compiled
def add_releasable(first, calm, gates, refill, limit, availability):
    """Add up the months of every kept scenario.

    Parameters
    ----------
    first, calm
        As in :class:`stockpile.needs.Needs`.
    gates
        :class:`stockpile.kernels.simulation.GateArrays`; ages do not count.
    refill
        (C,) phi of the owner of each stock.
    limit
        (S', J) where the need is written that falls in months in which the gate of a partner's
        step can be open [t].
    availability
        (S', C) where the tonnes are written that a tonne held can release at most: itself, and what
        each run of calm months can bring back (6), phi a month and never more than a full stock.
    """
    for s in range(first.size - 1):
        limit[s, :] = 0.0
        availability[s, :] = 1.0
        for n in range(first[s], first[s + 1]):
            for c in range(refill.size):
                availability[s, c] += min(1.0, calm[n] * refill[c])
            for j in range(gates.stream.size):
                if not is_shut(gates, n, j):
                    limit[s, j] += gates.need[n, gates.stream[j]]
