"""What candidates that have been simulated say of others, without simulating those.

By Proposition 1 whoever holds no less of any stock keeps every promise that has been seen to be
kept, and whoever holds no more breaks every promise that has been seen to be broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.choices import numbered

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Kept = tuple[NDArray[np.bool_], NDArray[np.bool_]]
    """Of P candidates: whether promises are kept, and whether nearly so."""

MOST = 64
"""Candidates that are remembered of each kind: those that say most."""


class Outcomes:
    """Candidates that keep or break some promises, by what else these depend on."""

    def __init__(self) -> None:
        self._kept: dict[bytes, NDArray[np.int64]] = {}
        self._broken: dict[bytes, NDArray[np.int64]] = {}

    def judge(
        self,
        lots: NDArray[np.int64],
        given: NDArray[np.int64],
        simulate: Callable[[NDArray[np.int64]], Kept],
    ) -> Kept:
        """Say whether P candidates keep the promises, within the tolerance and within twice it.

        Parameters
        ----------
        lots
            (P, I) lots of the stocks that matter.
        given
            (P, .) rules and variants that matter.
        simulate
            Says so of some candidates, by their places.
        """
        _, first, which = np.unique(numbered(given), return_index=True, return_inverse=True)
        keys = given[first]
        by_key = np.argsort(which, kind="stable")
        groups = np.split(by_key, np.cumsum(np.bincount(which))[:-1])
        met = np.zeros(len(lots), dtype=np.bool_)
        known = np.zeros(len(lots), dtype=np.bool_)
        for key, places in zip(keys, groups, strict=True):
            kept, broken = self._look_up(key.tobytes(), lots[places])
            met[places], known[places] = kept, kept | broken
        nearly = met.copy()
        asked = np.flatnonzero(~known)
        if asked.size:
            met[asked], nearly[asked] = simulate(asked)
            for key, places in zip(keys, groups, strict=True):
                new = places[~known[places]]
                if new.size:
                    self._learn(key.tobytes(), lots[new], met[new], nearly[new])
        return met, nearly

    def _look_up(self, key: bytes, lots: NDArray[np.int64]) -> Kept:
        """Say which candidates are known to keep the promises, and which to break them."""
        nothing = np.zeros((0, lots.shape[1]), dtype=np.int64)
        kept, broken = self._kept.get(key, nothing), self._broken.get(key, nothing)
        above = np.asarray((lots[:, None] >= kept).all(axis=2))
        below = np.asarray((lots[:, None] <= broken).all(axis=2))
        return np.asarray(above.any(axis=1)), np.asarray(below.any(axis=1))

    def _learn(
        self,
        key: bytes,
        lots: NDArray[np.int64],
        met: NDArray[np.bool_],
        nearly: NDArray[np.bool_],
    ) -> None:
        for known, new, sign in ((self._kept, lots[met], 1), (self._broken, lots[~nearly], -1)):
            if len(new):
                points = np.concatenate([known[key], new]) if key in known else new
                known[key] = sign * _lowest(sign * points)


def _lowest(points: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return points above no other, those with the smallest sums, at most so many."""
    points = np.unique(points, axis=0)
    points = points[np.argsort(points.sum(axis=1), kind="stable")]
    chosen = points[:0]
    for point in points:
        if len(chosen) == MOST:
            break
        if not (chosen <= point).all(axis=1).any():
            chosen = np.concatenate([chosen, point[None]])
    return chosen
