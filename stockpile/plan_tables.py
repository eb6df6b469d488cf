"""The tables of a plan, from what the searches of its blocks have brought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.plan import table
from stockpile.problem import DAYS_PER_YEAR, MONTHS_PER_YEAR, describe_promise
from stockpile.rules import describe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import pandas as pd
    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.boxsearch import Certificate
    from stockpile.evaluator import Judgement
    from stockpile.problem import Problem, Promise


@dataclass(frozen=True, slots=True)
class BlockOutcome:
    """What the search of one block has brought.

    Attributes
    ----------
    judgement
        The incumbent in full; None without one.
    achieved, met
        What the incumbent reaches of each promise, and whether it keeps it. In an infeasible
        block what each promise reaches at best on its own. Empty where neither is known.
    conflicts
        Where infeasible: the promises that cannot be kept, in words.
    """

    block: Block
    certificate: Certificate
    promises: tuple[Promise, ...]
    judgement: Judgement | None
    achieved: NDArray[np.float64]
    met: NDArray[np.bool_]
    conflicts: tuple[str, ...]


def holdings_table(problem: Problem, outcomes: Sequence[BlockOutcome]) -> pd.DataFrame:
    """Return the ``holdings`` table of a plan."""
    rows = []
    for outcome in outcomes:
        block, lots = outcome.block, outcome.certificate.lots
        assert lots is not None
        for m in block.materials:
            stocks = np.flatnonzero(block.market_material == m)
            participants = block.market_participant[stocks]
            held = lots[stocks] * problem.lot[m]
            bought = np.maximum(0.0, held - problem.existing[participants, m])
            impact = 0.0
            if not np.isnan(problem.world_supply[m]):
                impact = problem.price_impact[m] * bought.sum() / problem.world_supply[m]
            demand = problem.demand[participants, m].sum(axis=1) * MONTHS_PER_YEAR
            for place, c in enumerate(participants):
                daily = demand[place] / DAYS_PER_YEAR
                rows.append(
                    {
                        "participant": problem.participants[c],
                        "material": problem.materials[m],
                        "lots": int(lots[stocks[place]]),
                        "holding_t": float(held[place]),
                        "existing_t": float(problem.existing[c, m]),
                        "buy_t": float(bought[place]),
                        "days_of_cover": float(held[place] / daily) if daily > 0.0 else np.nan,
                        "outlay_usd": float(
                            problem.price[m] * (1.0 + impact) * bought[place]
                        ),  # (8)
                        "annual_holding_cost_usd": float(held[place] * problem.holding_cost[c, m]),
                    }
                )
    return table("holdings", rows)


def rules_table(problem: Problem, outcomes: Sequence[BlockOutcome]) -> pd.DataFrame:
    """Return the ``rules`` table of a plan."""
    rows = []
    for outcome in outcomes:
        chosen, lots = outcome.certificate.rule, outcome.certificate.lots
        assert chosen is not None
        assert lots is not None
        for stock, c in enumerate(outcome.block.market_participant):
            rule = problem.menu.rules[chosen[c]]
            words = describe(rule, problem.classes) if lots[stock] else "Nothing is held."
            rows.append(
                {
                    "participant": problem.participants[c],
                    "material": problem.materials[outcome.block.market_material[stock]],
                    "rule": rule.name,
                    "instruction": words,
                }
            )
    return table("rules", rows)


def coverage_table(problem: Problem, outcomes: Sequence[BlockOutcome]) -> pd.DataFrame:
    """Return the ``coverage`` table of a plan."""
    rows: list[dict[str, Any]] = []
    for outcome in outcomes:
        # A block that was not judged, beside an infeasible one, has nothing to show.
        judged = zip(outcome.promises, outcome.achieved, outcome.met, strict=False)
        rows += [
            {**describe_promise(problem, promise), "achieved": float(achieved), "met": bool(met)}
            for promise, achieved, met in judged
        ]
    return table("coverage", rows)


def costs_table(problem: Problem, outcomes: Sequence[BlockOutcome]) -> pd.DataFrame:
    """Return the ``costs`` table of a plan."""
    rows = []
    for outcome in outcomes:
        judgement = outcome.judgement
        assert judgement is not None
        for z, c in enumerate(outcome.block.market_participant):
            rows.append(
                {
                    "participant": problem.participants[c],
                    "material": problem.materials[outcome.block.market_material[z]],
                    "holding": float(judgement.holding[z]),
                    "shortage": float(judgement.shortage[z]),
                    "shipping": float(judgement.shipping[z]),
                }
            )
    return table("costs", rows)


def certificates_table(outcomes: Sequence[BlockOutcome]) -> pd.DataFrame:
    """Return the ``certificates`` table of a plan."""
    return table(
        "certificates",
        [
            {
                "material": outcome.block.name,
                "annual_cost_usd": outcome.certificate.incumbent,
                "bound_usd": outcome.certificate.bound,
                "gap": outcome.certificate.gap,
                "simulations": outcome.certificate.simulations,
            }
            for outcome in outcomes
        ],
    )
