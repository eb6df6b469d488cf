"""What coverage is still to be expected under the agreed rules, beside what was promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.coverage import served_fraction, worst_mean
from stockpile.problem import LEVEL_TOLERANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.desk.situation import Situation
    from stockpile.needs import Needs
    from stockpile.problem import Promise
    from stockpile.simulate import Months

OUTLOOK: dict[str, type] = {
    "participant": str,
    "material": str,
    "demand_class": str,
    "metric": str,
    "level": float,
    "confidence": float,
    "expected": float,
    "kept": bool,
    "need_t": float,
    "unserved_t": float,
}
"""Columns: a promise about the years of the plan, and what is to be expected from now on."""
METRICS = ("fill_rate", "chance", "cvar")
"""Metrics that a look ahead can be compared with; floors and cases of their own are not."""


def outlook_rows(
    situation: Situation, block: Block, needs: Needs, months: Months, count: int
) -> list[dict[str, Any]]:
    """Return what is to be expected of each promise of a block that has partners' help.

    Parameters
    ----------
    months
        The simulation of the needs.
    count
        Number of continuations; those that the needs do not list need nothing.
    """
    problem = situation.problem
    unserved = months.unserved[:, :, 0]
    rows = []
    for promise in problem.promises:
        if (
            promise.metric not in METRICS
            or promise.floor
            or not block.owns(promise.participant, promise.material)
        ):
            continue
        q = block.stream(promise.participant, promise.material, promise.demand_class)
        short, need = unserved[:, q], needs.total[:, q]
        expected = _expected(promise, short, need, count)
        asked = promise.confidence if promise.metric == "chance" else promise.level
        rows.append(
            {
                "participant": problem.participants[promise.participant],
                "material": problem.materials[promise.material],
                "demand_class": problem.classes[promise.demand_class],
                "metric": promise.metric,
                "level": promise.level,
                "confidence": promise.confidence,
                "expected": expected,
                "kept": expected >= asked - LEVEL_TOLERANCE,
                "need_t": float(need.sum() / count),
                "unserved_t": float(short.sum() / count),
            }
        )
    return rows


def _expected(
    promise: Promise, short: NDArray[np.float64], need: NDArray[np.float64], count: int
) -> float:
    if promise.metric == "fill_rate":
        total = float(need.sum())
        return 1.0 - float(short.sum()) / total if total > 0.0 else 1.0
    if promise.metric == "chance":
        missed = served_fraction(short, need) < promise.level - LEVEL_TOLERANCE
        return 1.0 - float(missed.sum()) / count
    probability = np.full(short.size, 1.0 / count)
    return float(worst_mean(short[:, None], need, probability, 1.0 - promise.confidence)[0])
