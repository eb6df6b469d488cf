"""What is lost if partners do not release what their rules say, and what would make it safe.

The agreed plan, its stocks and rules, in a world in which nobody serves a partner: a default, a
veto, a closed sea lane. A promise that breaks there rests on partners. The same promise asked for
as a floor (``sharing = off``) would not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.cooperation.costs_of_worlds import borne
from stockpile.decisions import chosen, project_states
from stockpile.limits import group_coverage
from stockpile.problem import LEVEL_TOLERANCE, expand
from stockpile.variants import only

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from stockpile.plan import Plan
    from stockpile.problem import JointGroup, Problem, Promise
    from stockpile.setting import Setting


@dataclass(frozen=True, slots=True)
class Default:
    """The agreed plan with all releases to partners switched off.

    Attributes
    ----------
    shortage, conversion
        (C,) expected shortage cost of each participant, and what it pays its plants, without
        partners [USD/year].
    promises, groups
        Promises and joint chance groups that break, though they hold in the plan.
    rows
        One for each of these promises, and for each row of these groups.
    """

    shortage: NDArray[np.float64]
    conversion: NDArray[np.float64]
    promises: tuple[Promise, ...]
    groups: tuple[JointGroup, ...]
    rows: tuple[dict[str, Any], ...]


def without_partners(setting: Setting, agreed: Plan, alone: Plan) -> Default:
    """Simulate the agreed plan in a world in which nobody serves a partner."""
    problem = setting.problem
    shortage, conversion = np.zeros((2, len(problem.participants)))
    # In the order of the coverage table of a plan: promises by block, then groups.
    promises: list[Promise] = []
    reached: list[float] = []
    kept: list[bool] = []
    states = only(project_states(problem, agreed))
    for block, lots, rules in chosen(problem, setting.blocks, agreed):
        evaluator = setting.evaluator(block, sharing=False, states=states)
        judged = evaluator.judge(lots, rules)
        np.add.at(shortage, block.market_participant, judged.shortage)
        np.add.at(conversion, block.market_participant, judged.conversion)
        promises += evaluator.promises
        reached += judged.achieved.tolist()
        kept += judged.met.tolist()
    tolerance = 2.0 * LEVEL_TOLERANCE + setting.scenarios.rounded_away
    broken_groups = []
    for group in problem.groups:
        value = _group_reaches(setting, group, agreed)
        holds = value >= group.confidence - tolerance
        reached += [value] * len(group.rows)
        kept += [holds] * len(group.rows)
        broken_groups += [] if holds else [group]
    return Default(
        shortage,
        conversion,
        tuple(item for item, holds in zip(promises, kept, strict=False) if not holds),
        tuple(broken_groups),
        tuple(_rows(agreed, alone, reached, kept)),
    )


def _group_reaches(setting: Setting, group: JointGroup, plan: Plan) -> float:
    """Return the probability that a joint chance group is covered without partners (13)."""
    states = only(project_states(setting.problem, plan))
    concerned = [
        (setting.evaluator(block, sharing=False, states=states), lots, rules)
        for block, lots, rules in chosen(setting.problem, setting.blocks, plan)
        if group.materials.intersection(block.materials)
    ]
    evaluators, lots, rules = zip(*concerned, strict=True)
    return group_coverage(setting.problem, group, evaluators, setting.scenarios, lots, rules)


def _rows(
    agreed: Plan, alone: Plan, reached: Sequence[float], kept: Sequence[bool]
) -> list[dict[str, Any]]:
    """Return the promises that break, with what they reach with, without and never with partners.

    A floor of the same level and confidence makes them hold. What the plan alone reaches is at
    least that, since it has no partners and keeps them.
    """
    coverage = agreed.coverage.to_dict(orient="records")
    of_alone = alone.coverage["achieved"] if alone.found else [math.nan] * len(coverage)
    rows = []
    for row, without, holds, by_itself in zip(coverage, reached, kept, of_alone, strict=True):
        if holds:
            continue
        chance = row["metric"] in ("chance", "joint_chance")
        promised = row["confidence"] if chance else row["level"]
        rows.append(
            {
                **{name: row[name] for name in _NAMING},
                "with_partners": row["achieved"],
                "without_partners": without,
                "short_by": promised - without,
                "alone": by_itself,
            }
        )
    return rows


_NAMING = (
    "participant",
    "material",
    "demand_class",
    "metric",
    "level",
    "confidence",
    "stress",
    "group",
)
"""What names a promise in the tables of results."""


def default_rows(
    problem: Problem, agreed: Plan, alone: Plan, default: Default
) -> list[dict[str, Any]]:
    """Return what a default costs each participant [USD/year], and how many promises it breaks."""
    with_partners = borne(agreed)
    by_itself = borne(alone) if alone.found else {}
    rows = []
    for c, name in enumerate(problem.participants):
        before = with_partners[name]
        shortage, conversion = float(default.shortage[c]), float(default.conversion[c])
        parts = {**before, "shortage": shortage, "shipping": 0.0, "conversion": conversion}
        total = math.fsum(parts.values())
        standing_alone = math.fsum(by_itself[name].values()) if by_itself else math.nan
        rows.append(
            {
                "participant": name,
                "shortage_usd": before["shortage"],
                "default_shortage_usd": shortage,
                "extra_shortage_usd": shortage - before["shortage"],
                "shipping_saved_usd": before["shipping"],
                "conversion_saved_usd": before["conversion"] - conversion,
                "default_total_usd": total,
                "alone_usd": standing_alone,
                "above_alone_usd": total - standing_alone,
                "break_even": break_even(standing_alone, math.fsum(before.values()), total),
                "broken_promises": sum(
                    c in expand(row["participant"].split(";"), problem.participants)
                    for row in default.rows
                ),
            }
        )
    return rows


def break_even(alone: float, together: float, default: float) -> float:
    """Return the probability of a default up to which joining costs no more than acting alone.

    With probability p partners never release anything, else they always do: the expected cost is
    (1 - p) together + p default. Side payments are left out.

    Parameters
    ----------
    alone, together, default
        What a participant bears alone, in the agreed plan, and in it without partners [USD/year].
    """
    if math.isnan(alone):
        return math.nan
    if together > alone:
        return 0.0
    return 1.0 if default <= alone else (alone - together) / (default - together)
