"""Tickets: on which tonnes partners have a claim, and what a side payment comes to per tonne."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stockpile.cooperation.payments import ticket_price
from stockpile.decisions import chosen
from stockpile.rules import PARTNER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.plan import Plan
    from stockpile.problem import Problem

ALL = "*"
"""Stands for all materials together."""


def claims(problem: Problem, blocks: Sequence[Block], plan: Plan) -> NDArray[np.float64]:
    """Return the part of each stock (C, M) on which partners have a claim.

    It is 1 less the lowest reserve level at which the owner's rule serves any class of a partner
    whom the stock can reach, through plants or not; 0 where it serves none. Draw limits and
    triggers slow a claim down, they do not take from it.
    """
    part = np.zeros((len(problem.participants), len(problem.materials)))
    if plan.cooperation == "none":
        return part
    for block, _, rules in chosen(problem, blocks, plan):
        partner = block.steps.relation == PARTNER
        stocks, classes = block.steps.stock[partner], block.steps.demand_class[partner]
        for stock, k in zip(stocks.tolist(), classes.tolist(), strict=True):
            owner, material = block.market_participant[stock], block.market_material[stock]
            served = np.isfinite(problem.menu.trigger[rules[owner], PARTNER, k])
            levels = problem.menu.level[rules[owner], PARTNER, k, served]
            part[owner, material] = max(part[owner, material], 1.0 - levels.min(initial=1.0))
    return part


def ticket_rows(
    problem: Problem, claimed: NDArray[np.float64], splits: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return side payments received, as prices of tickets on what partners have a claim on.

    A payment is spread over materials in proportion to the value of the tonnes claimed, so that a
    ticket costs the same fraction of the price of every material. Rows of all materials together
    (``*``) come first.

    Parameters
    ----------
    claimed
        (C, M) tonnes on which partners have a claim.
    splits
        Rows of :func:`split_rows`.
    """
    rows = []
    for split in splits:
        owner = problem.participants.index(split["participant"])
        tonnes = claimed[owner]
        value = float(tonnes @ problem.price)
        received = max(0.0, -split["side_payment_usd"])
        share = ticket_price(received, value)  # Per USD of stock, instead of per tonne.
        held = np.flatnonzero(tonnes)
        per_tonne = ticket_price(received, float(tonnes.sum()))
        everything = (ALL, float(tonnes.sum()), value, received, per_tonne)
        single = [
            (
                problem.materials[m],
                float(tonnes[m]),
                float(tonnes[m] * problem.price[m]),
                float((share or 0.0) * tonnes[m] * problem.price[m]),
                float((share or 0.0) * problem.price[m]),
            )
            for m in held
        ]
        rows += [
            {
                "split": split["split"],
                "holder": split["participant"],
                "material": material,
                "claim_t": claim,
                "claim_usd": worth,
                "payment_usd_per_year": payment,
                "ticket_usd_per_t_year": math.nan if price is None else price,
                "ticket_share_per_year": math.nan if share is None else share,
            }
            for material, claim, worth, payment, price in [everything, *single]
        ]
    return rows


def holding_rows(plan: Plan, problem: Problem, part: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return what is held in a plan [t], under which rule, and what partners have a claim on.

    Parameters
    ----------
    part
        (C, M) of :func:`claims`.
    """
    rows = []
    for held, rule in zip(plan.holdings.to_dict(orient="records"), plan.rules["rule"], strict=True):
        c = problem.participants.index(held["participant"])
        share = float(part[c, problem.materials.index(held["material"])])
        rows.append(
            {
                "world": plan.cooperation,
                "participant": held["participant"],
                "material": held["material"],
                "holding_t": held["holding_t"],
                "rule": rule,
                "claim_share": share,
                "claim_t": share * held["holding_t"],
            }
        )
    return rows
