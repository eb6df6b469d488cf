"""The tables of a plan, from what the searches of its blocks have brought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.outlay import acquisition_outlay
from stockpile.plan import COST_PARTS, TABLES, table
from stockpile.problem import DAYS_PER_YEAR, describe_promise
from stockpile.rules import describe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import pandas as pd
    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.certificate import Certificate
    from stockpile.couplings import Couplings
    from stockpile.limits import LimitUse
    from stockpile.problem import Problem, Promise
    from stockpile.scores import Judgement


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
        holding = lots * problem.lot[block.market_material]
        outlay = acquisition_outlay(problem, block, holding[None, :])[0]
        for m in block.materials:
            stocks = np.flatnonzero(block.market_material == m)
            participants = block.market_participant[stocks]
            held = holding[stocks]
            demand = problem.demand[participants, m].sum(axis=1) * problem.period.per_year
            for place, c in enumerate(participants):
                daily = demand[place] / DAYS_PER_YEAR
                rows.append(
                    {
                        "participant": problem.participants[c],
                        "material": problem.materials[m],
                        "lots": int(lots[stocks[place]]),
                        "holding_t": float(held[place]),
                        "existing_t": float(problem.existing[c, m]),
                        "buy_t": float(max(0.0, held[place] - problem.existing[c, m])),
                        "days_of_cover": float(held[place] / daily) if daily > 0.0 else np.nan,
                        "outlay_usd": float(outlay[stocks[place]]),
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
        for stock in outcome.block.by_material:
            c = outcome.block.market_participant[stock]
            rule = problem.menu.rules[chosen[c]]
            words = (
                describe(rule, problem.classes, problem.period)
                if lots[stock]
                else "Nothing is held."
            )
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
        rows += [
            {
                "participant": problem.participants[outcome.block.market_participant[z]],
                "material": problem.materials[outcome.block.market_material[z]],
                **{part: float(getattr(judgement, part)[z]) for part in COST_PARTS},
            }
            for z in outcome.block.by_material
        ]
    return table("costs", rows)


def groups_table(problem: Problem, groups: Sequence[float], tolerance: float) -> pd.DataFrame:
    """Return the rows of the ``coverage`` table that are about several materials at once (13).

    Every row of a group shows what the group as a whole reaches.
    """
    rows = []
    for group, reached in zip(problem.groups, groups, strict=True):
        for participants, materials, classes, level, _ in group.rows:
            rows.append(
                {
                    "participant": participants,
                    "material": materials,
                    "demand_class": classes,
                    "metric": "joint_chance",
                    "level": level,
                    "confidence": group.confidence,
                    "stress": "",
                    "group": group.name,
                    "sharing": "off" if group.floor else "on",
                    "achieved": reached,
                    "met": reached >= group.confidence - tolerance,
                }
            )
    return table("coverage", rows)


def facilities_table(
    problem: Problem, couplings: Couplings, open_: NDArray[np.bool_]
) -> pd.DataFrame:
    """Return the ``facilities`` table of a plan."""
    stores = couplings.facilities
    return table(
        "facilities",
        [
            {
                "facility": name,
                "participant": problem.participants[stores.participant[w]],
                "storage_kind": couplings.kinds[stores.kind[w]],
                "capacity_t": stores.capacity[w],
                "open": open_[w],
                "fixed_cost_usd_per_year": stores.fixed_cost[w] if open_[w] else 0.0,
            }
            for w, name in enumerate(stores.names)
        ],
    )


def limits_table(uses: Sequence[LimitUse]) -> pd.DataFrame:
    """Return the ``limits`` table of a plan."""
    return table(
        "limits",
        [{name: getattr(used, name) for name in TABLES["limits"]} for used in uses],
    )


def certificates_table(outcomes: Sequence[BlockOutcome]) -> pd.DataFrame:
    """Return the ``certificates`` table of a plan."""
    return table(
        "certificates",
        [
            {
                "material": outcome.block.name,
                "annual_cost_usd": outcome.certificate.incumbent,
                "bound_usd": _known(outcome.certificate.bound),
                "gap": _known(outcome.certificate.gap),
                "simulations": outcome.certificate.simulations,
            }
            for outcome in outcomes
        ],
    )


def _known(value: float) -> float:
    """Return nothing for what is not known of a block alone."""
    return value if np.isfinite(value) else np.nan
