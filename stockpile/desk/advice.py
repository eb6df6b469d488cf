"""What alternatives cost beside the agreed rules, and whether a change of rules is advised."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.desk.alternatives import BEST, FOLLOW, THRIFT
from stockpile.intervals import Spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.desk.alternatives import Cost
    from stockpile.desk.situation import Situation

ALTERNATIVES: dict[str, type] = {
    "alternative": str,
    "cost_usd": float,
    "change_usd": float,
    "change_low_usd": float,
    "change_high_usd": float,
    "regret_usd": float,
    "regret_low_usd": float,
    "regret_high_usd": float,
    "worse_chance": float,
    "promises_kept": int,
    "borne_by": str,
    "borne_usd": str,
}
"""Columns. Changes are against following the agreed rules, regrets against the best alternative
that asks nothing of firms; ``worse_chance`` is the part of the continuations in which it costs more
than following them; promises are those of materials of which anything may be needed; costs are
shared as listed."""
ADVICE: dict[str, type] = {
    "materials": str,
    "participant": str,
    "rule": str,
    "best_rule": str,
    "gain_usd": float,
    "gain_low_usd": float,
    "gain_high_usd": float,
    "advised": bool,
    "complete": bool,
}
"""Columns. The gain is that of all owners' changes together; ``complete`` says whether all
combinations of rules were looked at."""


def interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean of equally likely values (S,), and its interval."""
    spread = Spread(values.size, np.empty(0, dtype=np.int64))
    mean = float(values.mean())
    half = spread.width * spread.error(values - mean)
    return mean, mean - half, mean + half


def alternative_rows(
    participants: Sequence[str],
    totals: Mapping[str, NDArray[np.float64]],
    kept: Mapping[str, int],
) -> list[dict[str, Any]]:
    """Compare alternatives on the same continuations.

    Parameters
    ----------
    totals
        By alternative: what each participant bears in every continuation, (S, C) [USD].
    kept
        By alternative: promises that are to be expected to be kept.
    """
    cost = {name: usd.sum(axis=1) for name, usd in totals.items()}
    if not cost:
        return []
    best = min((name for name in cost if name != THRIFT), key=lambda name: float(cost[name].mean()))
    rows = []
    for name, usd in cost.items():
        change, low, high = interval(usd - cost[FOLLOW])
        regret, regret_low, regret_high = interval(usd - cost[best])
        borne = totals[name].mean(axis=0)
        rows.append(
            {
                "alternative": name,
                "cost_usd": float(usd.mean()),
                "change_usd": change,
                "change_low_usd": low,
                "change_high_usd": high,
                "regret_usd": regret,
                "regret_low_usd": regret_low,
                "regret_high_usd": regret_high,
                "worse_chance": float((usd > cost[FOLLOW] * (1.0 + 1e-12)).mean()),
                "promises_kept": kept[name],
                "borne_by": ";".join(participants),
                "borne_usd": ";".join(f"{value:.10g}" for value in borne),
            }
        )
    return rows


def advice_rows(
    situation: Situation,
    block: Block,
    agreed: NDArray[np.int64],
    best: NDArray[np.int64],
    costs: Mapping[str, Cost],
    count: int,
    *,
    complete: bool,
) -> tuple[bool, list[dict[str, Any]]]:
    """Say whether other rules are advised for a block, with a row for each owner's change.

    They are where they save money outside the interval, on continuations that they were not chosen
    on.

    Parameters
    ----------
    costs
        Of the block, by alternative.
    """
    if (agreed == best).all():
        return False, []
    gain = np.zeros(count)
    follow, other = costs[FOLLOW], costs[BEST]
    gain[follow.scenario] = follow.usd.sum(axis=1) - other.usd.sum(axis=1)
    mean, low, high = interval(gain)
    advised = low > 0.0 and math.isfinite(low)
    problem = situation.problem
    names = problem.menu.names
    rows = [
        {
            "materials": block.name,
            "participant": problem.participants[c],
            "rule": names[agreed[c]],
            "best_rule": names[best[c]],
            "gain_usd": mean,
            "gain_low_usd": low,
            "gain_high_usd": high,
            "advised": advised,
            "complete": complete,
        }
        for c in np.flatnonzero(agreed != best).tolist()
    ]
    return advised, rows
