"""Pattern search around candidates: one stock more or less, or one more and another less.

This only finds candidates; it proves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from stockpile.candidates import Candidates, Region

FIRST_STEP = 4
"""Part of the lots by which candidates are first changed: one over this."""


def improve(
    starts: Candidates,
    region: Region,
    look_at: Callable[[NDArray[np.int64], NDArray[np.int64]], tuple[Candidates, NDArray[np.bool_]]],
    charge: Callable[[Candidates], NDArray[np.float64]],
) -> Candidates:
    """Look for better candidates around some, by ever smaller steps; return the best from each.

    Parameters
    ----------
    look_at
        Simulates lots (P, I) under choices (P, C + 1); says which of them keep their promises.
    charge
        What candidates are charged, (P,).
    """
    best, charged = starts, charge(starts)
    moves = _moves(starts.lots.shape[1])
    part = np.full(starts.count, 1.0 / FIRST_STEP)
    active = np.ones(starts.count, dtype=np.bool_)
    while active.any():
        here = np.flatnonzero(active)
        lots = best.lots[here]
        step = np.maximum(np.rint(lots * part[here, None]), 1.0).astype(np.int64)
        tried = np.clip(lots[:, None] + moves * step[:, None], region.lo, region.hi)
        shape = tried.shape
        choices = np.repeat(starts.rule[here], len(moves), axis=0)
        found, feasible = look_at(tried.reshape(-1, shape[2]), choices)
        now = np.where(feasible, charge(found), np.inf)
        place = now.reshape(shape[:2]).argmin(axis=1) + np.arange(shape[0]) * shape[1]
        better = now[place] < charged[here]
        moved, place = here[better], place[better]
        charged[moved] = now[place]
        best = best.put(moved, found.take(place))
        active[here] = better | (step > 1).any(axis=1)
        part[here[~better]] /= 2.0
    return best


def _moves(stocks: int) -> NDArray[np.int64]:
    """Return changes of lots (., I): of one stock up or down, and of one up and another down."""
    one = np.eye(stocks, dtype=np.int64)
    exchanges = [one[i] - one[k] for i in range(stocks) for k in range(stocks) if i != k]
    return np.concatenate([one, -one, *([np.array(exchanges)] if exchanges else [])])
