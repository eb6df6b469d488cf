"""Orders of the current month: who releases what to whom, and by which line of which rule.

What is needed this month is known, so the orders are the same however things go on (Property 2):
they are the first month of the simulation, equations (4) and (5). A month is a period of the
problem: a month, or a week.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.rules import OWN, describe_line
from stockpile.simulate import candidate_terms, simulate_months

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.blocks import Block, Steps
    from stockpile.desk.situation import Situation
    from stockpile.needs import Needs
    from stockpile.problem import Problem
    from stockpile.simulate import Months

ORDERS: dict[str, type] = {
    "owner": str,
    "beneficiary": str,
    "material": str,
    "needed": str,
    "demand_class": str,
    "plants": str,
    "taken_t": float,
    "served_t": float,
    "left_t": float,
    "rule": str,
    "line": str,
}
"""Columns of the order sheet."""
NEEDED: dict[str, type] = {
    "participant": str,
    "material": str,
    "demand_class": str,
    "need_t": float,
    "own_t": float,
    "partner_t": float,
    "unserved_t": float,
}
"""Columns of what is needed this month, and served."""
AHEAD: dict[str, type] = {
    "owner": str,
    "material": str,
    "month": int,
    "taken_t": float,
    "taken_10_t": float,
    "taken_90_t": float,
    "chance": float,
}
"""Columns of what is to be released in the coming months: month 1 is the current one; the mean over
continuations, two quantiles, and the chance that anything is released."""
MONTHS_AHEAD = 12
"""Months, of time, of which that is told."""
NOTHING = 1e-9
"""Tonnes below which nothing is released."""


def months_ahead(
    situation: Situation, block: Block, needs: Needs, months: int | None = None
) -> Months:
    """Simulate the agreed rules from the current month on, so many months or to the end."""
    holding, stock, rule = situation.of_block(block)
    terms = candidate_terms(
        situation.problem.menu,
        situation.steps(block),
        holding[:, None],
        rule[:, None],
        stock[:, None],
    )
    refill = situation.problem.refill[block.market_participant]
    horizon = situation.problem.horizon if months is None else situation.month + months
    return simulate_months(block, needs, terms, refill, horizon, first=situation.month)


def this_month(
    situation: Situation, block: Block, needs: Needs
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the orders of a block in the current month, and what is needed and served in it.

    Parameters
    ----------
    needs
        From the current month on, in any continuations.
    """
    now = np.flatnonzero(needs.month == situation.month)
    if not now.size:
        return [], []
    scenario = int(np.searchsorted(needs.first, now[0], side="right")) - 1
    one = needs.only(np.array([scenario]), np.ones(1))
    months = months_ahead(situation, block, one, months=1)
    released = months.released[0, situation.month, :, 0]
    return (
        _orders(situation, block, released),
        _needed(situation, block, months.need[0, situation.month], released),
    )


def _orders(
    situation: Situation, block: Block, released: NDArray[np.float64]
) -> list[dict[str, Any]]:
    problem, steps = situation.problem, situation.steps(block)
    _, left, rules = situation.of_block(block)
    left = left.copy()
    rows = []
    for j in np.flatnonzero(released > NOTHING).tolist():
        i = int(steps.stock[j])
        taken = float(released[j] / steps.yield_[j])
        left[i] -= taken
        rows.append(
            {
                **order_of(problem, block, steps, rules, j),
                "taken_t": taken,
                "served_t": float(released[j]),
                "left_t": max(float(left[i]), 0.0),
            }
        )
    return rows


def order_of(
    problem: Problem, block: Block, steps: Steps, rules: NDArray[np.int64], j: int
) -> dict[str, Any]:
    """Return what an order says of a step besides amounts: who, to whom, what, by which line.

    Parameters
    ----------
    rules
        (C,) rules of the owners in the block.
    """
    i, z, k = int(steps.stock[j]), int(steps.market[j]), int(steps.demand_class[j])
    owner = int(steps.owner[j])
    rule = problem.menu.rules[rules[owner]]
    pools = steps.pools.pool[steps.pools.first[j] : steps.pools.first[j + 1]]
    names = problem.conversions.names
    return {
        "owner": problem.participants[owner],
        "beneficiary": problem.participants[block.market_participant[z]],
        "material": problem.materials[block.market_material[i]],
        "needed": problem.materials[block.market_material[z]],
        "demand_class": problem.classes[k],
        "plants": ";".join(names[plant] for plant in steps.pools.plant[pools]),
        "rule": rule.name,
        "line": describe_line(rule, problem.classes, int(steps.relation[j]), k, problem.period),
    }


def _needed(
    situation: Situation,
    block: Block,
    need: NDArray[np.float64],
    released: NDArray[np.float64],
) -> list[dict[str, Any]]:
    problem, steps = situation.problem, situation.steps(block)
    rows = []
    for q in np.flatnonzero(need > 0.0).tolist():
        z, k = int(block.stream_market[q]), int(block.stream_class[q])
        of_stream = steps.stream == q
        own = float(released[of_stream & (steps.relation == OWN)].sum())
        partner = float(released[of_stream & (steps.relation != OWN)].sum())
        rows.append(
            {
                "participant": problem.participants[block.market_participant[z]],
                "material": problem.materials[block.market_material[z]],
                "demand_class": problem.classes[k],
                "need_t": float(need[q]),
                "own_t": own,
                "partner_t": partner,
                "unserved_t": max(float(need[q]) - own - partner, 0.0),
            }
        )
    return rows


def ahead(
    situation: Situation, block: Block, needs: Needs, months: Months, count: int
) -> list[dict[str, Any]]:
    """Return what the rules are to release of each stock of a block in the coming months.

    Parameters
    ----------
    months
        The simulation of the needs.
    count
        Number of continuations; those that the needs do not list need nothing.
    """
    problem, steps = situation.problem, situation.steps(block)
    first = situation.month
    after = first + problem.period.whole(MONTHS_AHEAD)
    released = months.released[:, first:after, :, 0] / steps.yield_
    rows = []
    for i in range(block.num_stocks):
        taken = np.zeros((count, released.shape[1]))
        taken[: len(released)] = released[:, :, steps.stock == i].sum(axis=2)
        low, high = np.quantile(taken, (0.1, 0.9), axis=0, method="inverted_cdf")
        rows += [
            {
                "owner": problem.participants[block.market_participant[i]],
                "material": problem.materials[block.market_material[i]],
                "month": t + 1,
                "taken_t": float(taken[:, t].mean()),
                "taken_10_t": float(low[t]),
                "taken_90_t": float(high[t]),
                "chance": float((taken[:, t] > NOTHING).mean()),
            }
            for t in np.flatnonzero((taken > NOTHING).any(axis=0)).tolist()
        ]
    return rows
