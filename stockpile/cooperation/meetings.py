"""How often needs meet: the data's side of what cooperation is worth.

A tonne can serve two participants if they seldom need it in the same scenario. Needs (3) depend on
data only, never on a plan.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.needs import block_needs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.setting import Setting


@dataclass(frozen=True, slots=True)
class Meeting:
    """How the participants' needs of one material meet.

    Attributes
    ----------
    material
        Its name.
    coincidence
        Probability that two participants or more need it in the same scenario, given that anybody
        does; nan where nobody ever does.
    correlation
        Correlation over all scenarios of what two participants need in all, the mean of all
        pairs; nan where fewer than two participants have needs that vary.
    """

    material: str
    coincidence: float
    correlation: float


def meetings(setting: Setting) -> tuple[list[Meeting], int | None]:
    """Return how needs meet, by material, and the worst scenario.

    That is the one in which most is needed, in USD at normal prices; None where nothing ever is.
    """
    problem = setting.problem
    value = np.zeros(setting.scenarios.count)
    found = []
    for block in setting.blocks:
        needs = block_needs(problem, block, setting.scenarios, setting.workers)
        for m in block.materials:
            markets = np.flatnonzero(block.market_material == m)
            # (S', C) needed over the horizon by each participant [t].
            total = np.column_stack(
                [needs.total[:, block.stream_market == z].sum(axis=1) for z in markets]
            )
            value[needs.scenario] += problem.price[m] * total.sum(axis=1)
            found.append(
                Meeting(
                    problem.materials[m],
                    coincidence(total, needs.probability),
                    correlation(total, needs.probability),
                )
            )
    return found, int(value.argmax()) if value.any() else None


def coincidence(total: NDArray[np.float64], probability: NDArray[np.float64]) -> float:
    """Return P(two or more need something) / P(anybody does), of needs (S', C)."""
    needy = (total > 0.0).sum(axis=1)
    anybody = float(probability[needy > 0].sum())
    return float(probability[needy > 1].sum()) / anybody if anybody > 0.0 else math.nan


def correlation(total: NDArray[np.float64], probability: NDArray[np.float64]) -> float:
    """Return the mean correlation of pairs of needs (S', C).

    Scenarios that are not listed need nothing; their probability is what is left to 1.
    """
    mean = probability @ total
    covariance = (probability[:, None] * total).T @ total - np.outer(mean, mean)
    deviation = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    pairs = [
        float(covariance[a, b] / (deviation[a] * deviation[b]))
        for a, b in itertools.combinations(range(total.shape[1]), 2)
        if min(deviation[a], deviation[b]) > 0.0
    ]
    return math.fsum(pairs) / len(pairs) if pairs else math.nan
