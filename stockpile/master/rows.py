"""The limits (11), (12), (16), (18) as linear rows over columns: ``use of all columns <= limit``.

The limit on the tail (18) is an intersection of many such rows: the mean of the worst scenarios is
the largest of sum_s q_s cost[s] over all weights q with q_s <= p_s / tail and sum_s q_s = 1
(Rockafellar and Uryasev 2000). Only those that have been violated are written down, as cuts.

So every row here holds for every plan that keeps the limits, and its dual is a price.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from stockpile.model.verify import tail_weights
from stockpile.problem import LEVEL_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from stockpile.couplings import Couplings
    from stockpile.evaluator import Evaluator
    from stockpile.master.columns import Columns

BUDGET, STORAGE, SHARE, TAIL = "budget", "storage", "share", "tail"


@dataclass(frozen=True, slots=True)
class Row:
    """One limit.

    Attributes
    ----------
    kind
        ``budget`` (11), ``storage`` (12), ``share`` (16) or ``tail`` (18).
    participant
        Whose; -1 where it is everybody's.
    item
        Storage kind of (12); -1 elsewhere.
    limit
        Right-hand side, loosened by twice the tolerance so that no plan is lost by rounding. Room
        in facilities comes on top.
    weight
        Of a cut: weights of the kept scenarios, by block.
    """

    kind: str
    participant: int
    item: int
    limit: float
    weight: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[object, ...]:
        """Return what tells rows apart."""
        weights = tuple((i, weight.tobytes()) for i, weight in sorted(self.weight.items()))
        return (self.kind, self.participant, self.item, weights)


def fixed_rows(couplings: Couplings) -> list[Row]:
    """Return the limits that are one row each."""
    rows = []
    for c, budget in enumerate(couplings.budget):
        if np.isfinite(budget):
            rows.append(Row(BUDGET, c, -1, _loosened(float(budget))))
    if np.isfinite(couplings.joint_budget):
        rows.append(Row(BUDGET, -1, -1, _loosened(couplings.joint_budget)))
    owners = [-1] if couplings.pooled else list(range(couplings.limited.size))
    for c in owners:
        if couplings.limited[c]:
            rows += [Row(STORAGE, c, kind, 0.0) for kind in range(len(couplings.kinds))]
    for c, alone in enumerate(couplings.standalone):
        if np.isfinite(alone):
            rows.append(Row(SHARE, c, -1, _loosened(float(alone))))
    return rows


def facility_room(couplings: Couplings, row: Row) -> NDArray[np.float64]:
    """Return the room that each facility adds to a row when open, (W,) [t]."""
    stores = couplings.facilities
    if row.kind != STORAGE:
        return np.zeros(len(stores.names))
    here = stores.kind == row.item
    if row.participant >= 0:
        here = here & (stores.participant == row.participant)
    return np.where(here, stores.capacity, 0.0) * (1.0 + 2.0 * LEVEL_TOLERANCE)


def _loosened(limit: float) -> float:
    return limit + 2.0 * LEVEL_TOLERANCE * abs(limit)


def use(
    row: Row, i: int, evaluator: Evaluator, columns: Columns, couplings: Couplings, start: int = 0
) -> NDArray[np.float64]:
    """Return what the columns of block i from number ``start`` on use of a row, (n,)."""
    used = columns.figures
    if row.kind == BUDGET:
        own = used.outlay[start:]
        return own.sum(axis=1) if row.participant < 0 else own[:, row.participant]
    if row.kind == STORAGE:
        block = evaluator.block
        here = couplings.kind_of[block.market_material] == row.item
        if row.participant >= 0:
            here &= block.market_participant == row.participant
        return np.asarray(used.stored[start:][:, here].sum(axis=1))
    if row.kind == SHARE:
        return used.share[start:, row.participant]
    lots, rule = columns.candidates.lots[start:], columns.candidates.rule[start:]
    return evaluator.tail_cost(lots, rule, row.weight[i])


def tail_cut(
    cost: NDArray[np.float64],
    probability: NDArray[np.float64],
    evaluators: Sequence[Evaluator],
    couplings: Couplings,
) -> Row | None:
    """Return the row that says that these costs are too much in the tail, or None if they are not.

    Parameters
    ----------
    cost
        (S,) shortage cost of every scenario [USD/year].
    """
    weight = tail_weights(cost, probability, couplings.tail)
    limit = _loosened(couplings.most_tail_cost)
    if weight @ cost <= limit * (1.0 + VIOLATION):
        return None
    return Row(TAIL, -1, -1, limit, {i: weight[e.needs.scenario] for i, e in enumerate(evaluators)})


VIOLATION = 1e-8
"""A cut is written down where it is violated by more than this, relatively."""
