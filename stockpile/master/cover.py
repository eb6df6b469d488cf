"""Joint chance groups (13) in the linear relaxation: who covers which scenarios.

For every block i of the group ``full[s] <= sum_j covered[s,i,j] z[i,j]``, and ``sum_s p_s full[s]``
is at least the confidence. Scenarios that every column covers need no row, and scenarios that are
covered by the same columns are one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cover:
    """The scenarios of one group in which some column falls short; M kinds of them.

    Attributes
    ----------
    scenario, kind
        (U,) scenarios that some column does not cover, and which kind each is.
    probability
        (M,) of each kind.
    least
        Probability that the kinds must be covered with, all others being covered.
    rows
        By block: the kinds that some of its columns do not cover, (rows,), and which do, (rows, n).
    """

    scenario: NDArray[np.int64]
    kind: NDArray[np.int64]
    probability: NDArray[np.float64]
    least: float
    rows: Mapping[int, tuple[NDArray[np.int64], NDArray[np.float64]]]


def cover(
    covered: Mapping[int, NDArray[np.uint8]],
    kept: Mapping[int, NDArray[np.int64]],
    probability: NDArray[np.float64],
    confidence: float,
) -> Cover:
    """Sort the scenarios of a group by which columns cover them.

    Parameters
    ----------
    covered
        By block of the group: (n, S') whether its columns cover its kept scenarios, as 0 or 1.
    kept
        By block: (S',) which scenarios those are; all others are covered.
    probability
        (S,) of all scenarios.
    confidence
        Least probability of the group.
    """
    blocks = sorted(covered)
    short = [kept[i][~covered[i].astype(np.bool_).all(axis=0)] for i in blocks]
    scenario = np.unique(np.concatenate(short)) if short else np.empty(0, dtype=np.int64)
    patterns = []
    for i in blocks:
        pattern = np.ones((len(covered[i]), scenario.size), dtype=np.uint8)
        place = np.searchsorted(scenario, kept[i])
        inside = place < scenario.size
        inside[inside] = scenario[place[inside]] == kept[i][inside]
        pattern[:, place[inside]] = covered[i][:, inside]
        patterns.append(pattern)
    packed = np.packbits(np.concatenate(patterns), axis=0)
    _, first, kind = np.unique(packed, axis=1, return_index=True, return_inverse=True)
    kind = kind.reshape(-1)
    rows = {}
    for i, pattern in zip(blocks, patterns, strict=True):
        of_kind = pattern[:, first]
        partly = np.flatnonzero(~of_kind.astype(np.bool_).all(axis=0))
        rows[i] = (partly, of_kind[:, partly].T.astype(np.float64))
    mass: NDArray[np.float64] = np.zeros(first.size)
    mass += np.bincount(kind, weights=probability[scenario], minlength=first.size)
    calm = float(probability.sum() - probability[scenario].sum())
    return Cover(scenario, kind, mass, confidence - calm, rows)


def scenario_prices(
    group: Cover,
    i: int,
    price: NDArray[np.float64],
    kept: NDArray[np.int64],
    probability: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Spread the prices of a block's rows over the scenarios that they stand for.

    Parameters
    ----------
    price
        (rows,) [USD/year per scenario kind covered in full].
    kept
        (S',) scenarios that the block keeps.

    Returns
    -------
    (S',) price of each kept scenario.
    """
    of_kind = np.zeros(group.probability.size)
    of_kind[group.rows[i][0]] = price
    part = np.divide(
        of_kind,
        group.probability,
        out=np.zeros_like(of_kind),
        where=group.probability > 0.0,
    )
    spread = np.zeros(probability.size)
    spread[group.scenario] = part[group.kind] * probability[group.scenario]
    return spread[kept]


def least_price(
    price: NDArray[np.float64], probability: NDArray[np.float64], confidence: float
) -> float:
    """Return the least that scenarios of so much probability can be charged together.

    Parameters
    ----------
    price
        (S,) of covering each scenario in full, non-negative.
    """
    worth = np.divide(price, probability, out=np.zeros_like(price), where=probability > 0.0)
    order = np.argsort(worth, kind="stable")
    before = np.cumsum(probability[order]) - probability[order]
    part = np.clip(confidence - before, 0.0, probability[order])
    return float(part @ worth[order])
