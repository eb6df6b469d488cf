"""When stocks run out under the agreed rules, as distributions over continuations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.rules import OWN

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.desk.situation import Situation
    from stockpile.needs import Needs
    from stockpile.simulate import Months

WITHIN = (3, 6, 12)
"""Months, of time, within which the chance to run out is told."""
QUANTILES = (0.1, 0.5, 0.9)
RUNOUTS: dict[str, type] = {
    "participant": str,
    "material": str,
    "stock_t": float,
    "holding_t": float,
    "least_t": float,
    **{f"chance_in_{months}_months": float for months in WITHIN},
    "chance": float,
    **{f"month_{round(100 * q)}": float for q in QUANTILES},
}
"""Columns. ``chance`` is that of running out within all months looked at; ``month_50`` is the month
in which half of all continuations have run out, counted from 1 as the current one, and empty where
fewer than half ever do."""
EMPTY = 1e-9
"""Part of a holding that counts as nothing."""


def runouts(
    situation: Situation, block: Block, needs: Needs, months: Months, count: int
) -> list[dict[str, Any]]:
    """Return when each stock of a block runs out.

    A stock has run out where nobody may draw on it any more: at the lowest level that the owner's
    rule keeps for anyone.

    Parameters
    ----------
    months
        The simulation of the needs.
    count
        Number of continuations; those that the needs do not list need nothing.
    """
    problem = situation.problem
    holding, stock, _ = situation.of_block(block)
    least = least_levels(situation, block) * holding
    state = months.state[:, situation.month :, :, 0]  # (S', months, I)
    rows = []
    for i in np.flatnonzero(holding > 0.0).tolist():
        c, m = int(block.market_participant[i]), int(block.market_material[i])
        nothing = least[i] + EMPTY * holding[i]
        out = state[:, :, i] <= nothing
        month = np.full(count, np.inf)
        month[: len(out)] = np.where(out.any(axis=1), out.argmax(axis=1) + 1.0, np.inf)
        if stock[i] <= nothing:
            month[:] = 0.0  # There is nothing to begin with.
        rows.append(
            {
                "participant": problem.participants[c],
                "material": problem.materials[m],
                "stock_t": float(stock[i]),
                "holding_t": float(holding[i]),
                "least_t": float(least[i]),
                **{
                    f"chance_in_{within}_months": float(
                        (month <= problem.period.whole(within)).mean()
                    )
                    for within in WITHIN
                },
                "chance": float(np.isfinite(month).mean()),
                **{f"month_{round(100 * q)}": _quantile(month, q) for q in QUANTILES},
            }
        )
    return rows


def soonest(table: pd.DataFrame) -> pd.DataFrame:
    """Sort run-out dates: those that one in ten continuations brings first, then by chance."""
    first = next(name for name in table.columns if name.endswith("_10"))  # By month, or by week.
    return table.sort_values(
        [first, "chance", "material"], ascending=[True, False, True], kind="stable"
    )


def least_levels(situation: Situation, block: Block) -> NDArray[np.float64]:
    """Return the lowest level that the owner's rule keeps of each stock, whoever draws, (I,)."""
    menu = situation.problem.menu
    _, _, rules = situation.of_block(block)
    served = np.isfinite(menu.trigger) & (menu.limit > 0.0)
    level = np.where(served, menu.level, 1.0)[rules]  # (C, 2, K, A)
    whose = level if situation.sharing else level[:, [OWN]]
    lowest = whose.min(axis=(1, 2, 3))
    return np.asarray(lowest[block.market_participant])


def _quantile(month: NDArray[np.float64], q: float) -> float:
    """Return the month by which a part q has run out; nan where that never happens."""
    value = float(np.sort(month)[int(np.ceil(q * month.size)) - 1])
    return value if np.isfinite(value) else np.nan
