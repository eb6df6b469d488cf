"""What the worlds cost: in all, with what the gaps leave open, and for each participant."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.plan import COST_PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from stockpile.plan import Plan

PARTS = (*COST_PARTS, "facilities", "projects")
"""What a participant bears of a plan; facilities are booked to where they stand, and
projects to who pays for them."""


def borne(plan: Plan) -> dict[str, dict[str, float]]:
    """Return what each participant bears of a plan [USD/year], by part.

    The parts of all participants add up to the cost of the plan.
    """
    found = {name: dict.fromkeys(PARTS, 0.0) for name in plan.costs["participant"]}
    for row in plan.costs.to_dict(orient="records"):
        for part in COST_PARTS:
            found[row["participant"]][part] += row[part]
    for row in plan.facilities.to_dict(orient="records"):
        found[row["participant"]]["facilities"] += row["fixed_cost_usd_per_year"]
    for row in plan.projects.to_dict(orient="records"):
        cost = row["capital_usd_per_year"] + row["support_usd_per_year"]
        shares = row["payer_shares"].split(";")
        for name, share in zip(row["payers"].split(";"), shares, strict=True):
            found[name]["projects"] += float(share) * cost
    return found


def totals(of_parts: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return what each participant bears in all [USD/year]."""
    return {name: math.fsum(parts.values()) for name, parts in of_parts.items()}


def cheapest(plans: Mapping[str, Plan]) -> str | None:
    """Return the world of the cheapest plan, of equal ones that with the least cooperation."""
    found = {world: plan for world, plan in plans.items() if plan.annual_cost_usd is not None}
    # Equal to rounding is equal: an agreement that saves nothing is not needed.
    return min(found, key=lambda world: _rounded(found[world].annual_cost_usd), default=None)


def _rounded(usd: float | None) -> float:
    return float(f"{usd or 0.0:.9g}")


def world_rows(plans: Mapping[str, Plan]) -> list[dict[str, Any]]:
    """Return cost, proof and saving of every world, with what the gaps leave open.

    The optimum of a world lies between its bound and the cost of its plan. So what acting
    together really saves lies between ``saving_lower_usd`` = bound alone - cost together and
    ``saving_upper_usd`` = cost alone - bound together.
    """
    rows = []
    alone = plans["none"]
    for world, plan in plans.items():
        cost, bound = _known(plan.annual_cost_usd), _known(plan.bound_usd)
        alone_cost, alone_bound = _known(alone.annual_cost_usd), _known(alone.bound_usd)
        parts = dict.fromkeys(PARTS, math.nan)
        if plan.found:
            by_name = borne(plan).values()
            parts = {part: math.fsum(item[part] for item in by_name) for part in PARTS}
        saving = alone_cost - cost
        rows.append(
            {
                "world": world,
                "status": str(plan.status),
                "annual_cost_usd": cost,
                "bound_usd": bound,
                "gap": _known(plan.gap),
                **{f"{part}_usd": usd for part, usd in parts.items()},
                "saving_usd": saving,
                "saving_lower_usd": 0.0 if world == "none" else alone_bound - cost,
                "saving_upper_usd": 0.0 if world == "none" else alone_cost - bound,
                "saving_share": saving / alone_cost if alone_cost > 0.0 else math.nan,
                "seconds": plan.seconds,
            }
        )
    return rows


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def borne_rows(plans: Mapping[str, Plan]) -> list[dict[str, Any]]:
    """Return what each participant bears in each world that has a plan [USD/year]."""
    rows = []
    for world, plan in plans.items():
        if plan.found:
            rows += [
                {
                    "world": world,
                    "participant": name,
                    **{f"{part}_usd": usd for part, usd in parts.items()},
                    "total_usd": math.fsum(parts.values()),
                }
                for name, parts in borne(plan).items()
            ]
    return rows
