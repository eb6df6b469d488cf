"""Prices of the shared limits, and the lower limit that they prove.

For any prices d >= 0, every plan that keeps the limits costs at least

    sum_i min_j (priced cost of candidate j of block i) - sum_rows d * limit
    + min over facilities open + min over rules in use + min over scenarios covered
    + min over states of projects,

because what is added for each row is never positive for such a plan (Lagrangian relaxation). It is
worked out here from the prices alone, whatever solver they come from. Prices that tie the variants
of blocks to the projects funded (14) may have either sign: those rows are equations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from stockpile.master.cover import least_price
from stockpile.master.node import FREE, OPEN
from stockpile.master.project_rows import of_states, project_rows
from stockpile.master.rows import BUDGET, SHARE, STORAGE, facility_room
from stockpile.prices import BlockPrices
from stockpile.problem import LEVEL_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from stockpile.couplings import Couplings
    from stockpile.evaluator import Evaluator
    from stockpile.master.node import Node
    from stockpile.master.rows import Row
    from stockpile.problem import JointGroup
    from stockpile.scenarios import ScenarioSet

ROUNDING = 1e-12
"""Relative allowance for rounding in the sums below."""


@dataclass(frozen=True, slots=True)
class Duals:
    """Prices of all limits; non-negative.

    Attributes
    ----------
    cost
        Weight of the cost: 1, or 0 where it is only asked whether the limits can be kept.
    row
        One for each row [USD/year per unit of the row].
    rule
        By block and owner: price on the use of each rule that stands for a class of rules that
        act the same, (R,) [USD/year]. Empty where rules are not limited.
    cover
        By joint chance group and block: price on each scenario that the block keeps, (S',)
        [USD/year].
    link
        By block: (n, 2) price on being in a variant in which a project that matters to it is
        funded, and on one in which it is fast, of either sign [USD/year].
    project_row
        One for each limit on projects alone [USD/year per unit of the row].
    """

    cost: float
    row: NDArray[np.float64]
    rule: Mapping[tuple[int, int], NDArray[np.float64]]
    cover: Mapping[tuple[int, int], NDArray[np.float64]]
    link: Mapping[int, NDArray[np.float64]]
    project_row: NDArray[np.float64]


Key = TypeVar("Key")


def mix(first: Duals, second: Duals, part: float) -> Duals:
    """Return prices between two: so large a part of the way from the first to the second."""
    short = second.row.size - first.row.size  # Rows that were written down since.
    row = np.pad(first.row, (0, short)) if short else first.row

    def between(
        one: Mapping[Key, NDArray[np.float64]], other: Mapping[Key, NDArray[np.float64]]
    ) -> dict[Key, NDArray[np.float64]]:
        mixed = {key: (1.0 - part) * price for key, price in one.items()}
        for key, price in other.items():
            mixed[key] = mixed.get(key, 0.0) + part * price
        return mixed

    return Duals(
        second.cost,
        (1.0 - part) * row + part * second.row,
        between(first.rule, second.rule),
        between(first.cover, second.cover),
        between(first.link, second.link),
        (1.0 - part) * first.project_row + part * second.project_row,
    )


def block_prices(
    duals: Duals, rows: Sequence[Row], i: int, evaluator: Evaluator, couplings: Couplings
) -> BlockPrices:
    """Return what the limits charge block i."""
    block = evaluator.block
    C, S = len(evaluator.problem.participants), evaluator.needs.scenario.size
    prices = BlockPrices(
        cost=duals.cost,
        share=np.zeros(C),
        outlay=np.zeros(C),
        stored=np.zeros(block.num_stocks),
        rule=np.zeros((C, len(evaluator.problem.menu.rules))),
        covered=np.zeros((len(evaluator.groups), S)),
        tail=np.zeros(S),
        variant=variant_prices(duals, i, evaluator),
    )
    for row, price in zip(rows, duals.row, strict=True):
        if price <= 0.0:
            continue
        if row.kind == BUDGET:
            prices.outlay[slice(None) if row.participant < 0 else row.participant] += price
        elif row.kind == STORAGE:
            here = couplings.kind_of[block.market_material] == row.item
            if row.participant >= 0:
                here &= block.market_participant == row.participant
            prices.stored[here] += price
        elif row.kind == SHARE:
            prices.share[row.participant] += price
        else:
            prices.tail[:] += price * row.weight[i]
    for place, g in enumerate(evaluator.groups):
        if (g, i) in duals.cover:
            prices.covered[place] = duals.cover[g, i]
    for c in range(C):
        if (i, c) in duals.rule:
            prices.rule[c] = duals.rule[i, c]
    return prices


def variant_prices(duals: Duals, i: int, evaluator: Evaluator) -> NDArray[np.float64]:
    """Return the price of each variant of block i, (V,) [USD/year]."""
    variants = evaluator.variants
    if i not in duals.link:
        return np.zeros(variants.count)
    places = np.arange(variants.projects.size)
    return np.asarray(of_states(duals.link[i])[places, variants.states].sum(axis=1))


def constant(
    duals: Duals,
    rows: Sequence[Row],
    node: Node,
    couplings: Couplings,
    classes: Sequence[NDArray[np.int64]],
    evaluators: Sequence[Evaluator],
    scenarios: ScenarioSet,
) -> float:
    """Return the part of the lower limit that is not a block's, lowered by what rounding can do.

    Parameters
    ----------
    classes
        By block: (C, R) the rule that stands for each rule.
    """
    limits = np.array([row.limit for row in rows])
    parts = [-float(price * limit) for price, limit in zip(duals.row, limits, strict=True)]
    stores = couplings.facilities
    room = np.zeros(len(stores.names))
    for row, price in zip(rows, duals.row, strict=True):
        room += price * facility_room(couplings, row)
    opening = duals.cost * stores.fixed_cost - room
    is_open = np.where(node.facility == FREE, opening < 0.0, node.facility == OPEN)
    parts += (duals.cost * stores.fixed_cost)[is_open].tolist()
    parts += (-room[is_open]).tolist()
    if couplings.most_rules is not None:
        C, R = node.rule.shape
        worth = np.zeros((C, R))
        for (i, c), price in duals.rule.items():
            worth[c] += price[classes[i][c]]
        for c in range(C):
            forced = node.rule[c] == OPEN
            free = np.sort(worth[c][node.rule[c] == FREE])[::-1]
            parts += (-worth[c][forced]).tolist()
            parts += (-free[: max(couplings.most_rules - int(forced.sum()), 0)]).tolist()
    parts += _projects(duals, node, couplings, evaluators)
    groups = evaluators[0].problem.groups
    for g, group in enumerate(groups):
        price = np.zeros(scenarios.count)
        for i, evaluator in enumerate(evaluators):
            if (g, i) in duals.cover:
                price[evaluator.needs.scenario] += duals.cover[g, i]
        confidence = least_confidence(group, scenarios)
        parts.append(least_price(price, scenarios.probability, confidence))
    return sum(parts) - ROUNDING * sum(map(abs, parts))


def least_confidence(group: JointGroup, scenarios: ScenarioSet) -> float:
    """Return the confidence of a group, loosened so that no plan is lost by rounding."""
    return group.confidence - scenarios.rounded_away - 2.0 * LEVEL_TOLERANCE


def _projects(
    duals: Duals, node: Node, couplings: Couplings, evaluators: Sequence[Evaluator]
) -> list[float]:
    """Return what the best states of all projects cost at these prices, in parts."""
    limits = couplings.projects
    rows = project_rows(limits, evaluators[0].problem.materials)
    worth = duals.cost * limits.cost
    for row, price in zip(rows, duals.project_row, strict=True):
        worth = worth + price * row.use
    for i, link in duals.link.items():
        worth[evaluators[i].variants.projects] -= of_states(link)
    parts = [
        -float(price * row.loosened) for row, price in zip(rows, duals.project_row, strict=True)
    ]
    best = np.where(node.project, worth, np.inf).min(axis=1, initial=np.inf)
    return [*parts, *best.tolist()]
