"""What coverage is still to be expected under the agreed rules, beside what was promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.coverage import served_fraction, worst_mean
from stockpile.problem import LEVEL_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    asked = promises_of(situation, block)
    expected = expectations(block, asked, needs, months.unserved, count)[:, 0]
    rows = []
    for promise, value in zip(asked, expected.tolist(), strict=True):
        q = _stream(block, promise)
        rows.append(
            {
                "participant": problem.participants[promise.participant],
                "material": problem.materials[promise.material],
                "demand_class": problem.classes[promise.demand_class],
                "metric": promise.metric,
                "level": promise.level,
                "confidence": promise.confidence,
                "expected": value,
                "kept": value >= least_value(promise) - LEVEL_TOLERANCE,
                "need_t": float(needs.total[:, q].sum() / count),
                "unserved_t": float(months.unserved[:, q, 0].sum() / count),
            }
        )
    return rows


def promises_of(situation: Situation, block: Block) -> list[Promise]:
    """Return the promises of a block that a look ahead can be compared with."""
    return [
        promise
        for promise in situation.problem.promises
        if promise.metric in METRICS
        and not promise.floor
        and block.owns(promise.participant, promise.material)
    ]


def least_value(promise: Promise) -> float:
    """Return what a promise asks of its value: a confidence of ``chance``, else a level."""
    return promise.confidence if promise.metric == "chance" else promise.level


def expectations(
    block: Block,
    promises: Sequence[Promise],
    needs: Needs,
    unserved: NDArray[np.float64],
    count: int,
) -> NDArray[np.float64]:
    """Return the value of each promise under P candidates, (promises, P).

    Parameters
    ----------
    unserved
        (S', Q, P) [t].
    count
        Number of continuations; those that the needs do not list need nothing.
    """
    values = np.ones((len(promises), unserved.shape[2]))
    for place, promise in enumerate(promises):
        q = _stream(block, promise)
        short, need = unserved[:, q], needs.total[:, q]
        if promise.metric == "fill_rate":
            total = float(need.sum())
            if total > 0.0:
                values[place] = 1.0 - short.sum(axis=0) / total
        elif promise.metric == "chance":
            missed = served_fraction(short, need[:, None]) < promise.level - LEVEL_TOLERANCE
            values[place] = 1.0 - missed.sum(axis=0) / count
        else:
            probability = np.full(need.size, 1.0 / count)
            values[place] = worst_mean(short, need, probability, 1.0 - promise.confidence)
    return values


def _stream(block: Block, promise: Promise) -> int:
    return block.stream(promise.participant, promise.material, promise.demand_class)
