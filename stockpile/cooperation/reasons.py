"""What acting together saves, by material and participant, and the reason as numbers.

The saving of a material is cut into five parts that add up to it exactly. With H tonnes held in
all at a mean cost of u USD a tonne and year, before (0, alone) and after (1, together):

* fewer tonnes, (H0 - H1) u0: less is held in all (pooling);
* cheaper place, H1 (u0 - u1): it is held where capital costs less;
* fewer shortages: expected shortage cost alone less that together;
* shipping: expected cost alone (nothing) less that together, so never above 0;
* conversion: expected cost of plants alone less that together.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.plan import COST_PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from stockpile.cooperation.meetings import Meeting
    from stockpile.instance import Instance
    from stockpile.plan import Plan

LITTLE = 0.01
"""A saving below this fraction of what a material costs alone is no reason to act together."""
COMMON = 0.8
"""From this coincidence of needs on a disruption counts as common to all."""
REASONS = {
    "fewer_tonnes_usd": "pooling",
    "cheaper_place_usd": "capital",
    "fewer_shortages_usd": "cover",
}
"""Word for the largest part of a saving."""
_ROUNDING = 1e-12  # A fraction of the cost of holding that is rounding, not a place.


def saving_rows(plans: Mapping[str, Plan]) -> list[dict[str, Any]]:
    """Return what each participant bears of each material alone and together [USD/year]."""
    rows = []
    for world, together in _with_partners(plans).items():
        for before, after in _pairs(plans["none"], together):
            saved = {part: before[part] - after[part] for part in COST_PARTS}
            rows.append(
                {
                    "world": world,
                    "participant": before["participant"],
                    "material": before["material"],
                    "alone_usd": math.fsum(before[part] for part in COST_PARTS),
                    "together_usd": math.fsum(after[part] for part in COST_PARTS),
                    "saving_usd": math.fsum(saved.values()),
                    **{f"{part}_saving_usd": usd for part, usd in saved.items()},
                }
            )
    return rows


def reason_rows(
    instance: Instance, plans: Mapping[str, Plan], meetings: Sequence[Meeting]
) -> list[dict[str, Any]]:
    """Return the saving of each material [USD/year], its parts, and what lies behind it."""
    rates = [row.discount_rate_per_year for row in instance.participants]
    data = {row.material: row for row in instance.materials}
    rows = []
    for world, together in _with_partners(plans).items():
        for meeting in meetings:
            material = meeting.material
            parts = _parts(plans["none"], together, material)
            saving = math.fsum(parts.values())
            alone = _cost(plans["none"], material)
            lower, upper = _interval(plans["none"], together, material)
            rows.append(
                {
                    "world": world,
                    "material": material,
                    "alone_usd": alone,
                    "saving_usd": saving,
                    "saving_lower_usd": lower,
                    "saving_upper_usd": upper,
                    **parts,
                    "alone_t": _tonnes(plans["none"], material),
                    "together_t": _tonnes(together, material),
                    "coincidence": meeting.coincidence,
                    "correlation": meeting.correlation,
                    "capital_least_per_year": min(rates),
                    "capital_most_per_year": max(rates),
                    "storage_usd_per_t_year": data[material].storage_usd_per_t_year,
                    "price_usd_per_kg": data[material].price_usd_per_kg,
                    "reason": main_reason(parts, alone, meeting.coincidence),
                }
            )
    return rows


def main_reason(parts: Mapping[str, float], alone: float, coincidence: float) -> str:
    """Say in one word why a material saves what it saves.

    ``pooling``, ``capital`` or ``cover`` is the largest part of a saving of at least
    :data:`LITTLE` of the cost alone. Below it the word is ``common`` where disruptions hit several
    at once, from :data:`COMMON` on, and else ``little``. ``dearer``: it costs more together, which
    pays in other materials.
    """
    saving = math.fsum(parts.values())
    least = LITTLE * alone
    if saving < -least:
        return "dearer"
    if saving <= 0.0 or saving < least:
        return "common" if coincidence >= COMMON else "little"
    return REASONS[max(REASONS, key=lambda part: parts[part])]


def _with_partners(plans: Mapping[str, Plan]) -> dict[str, Plan]:
    """Return the plans to compare with the one alone; none where there is no such plan."""
    if not plans["none"].found:
        return {}
    return {world: plan for world, plan in plans.items() if world != "none" and plan.found}


def _pairs(alone: Plan, together: Plan) -> list[tuple[dict[Any, Any], dict[Any, Any]]]:
    """Return the rows of the costs of two plans, which have the same order."""
    before, after = (plan.costs.to_dict(orient="records") for plan in (alone, together))
    return list(zip(before, after, strict=True))


def _parts(alone: Plan, together: Plan, material: str) -> dict[str, float]:
    """Cut the saving of a material into parts that add up to it [USD/year]."""
    before, after = _sums(alone, material), _sums(together, material)
    tonnes_before, tonnes_after = _tonnes(alone, material), _tonnes(together, material)
    saved = before["holding"] - after["holding"]
    fewer_tonnes = saved  # Where nothing was held, all is more tonnes.
    if tonnes_before > 0.0:
        fewer_tonnes = (tonnes_before - tonnes_after) * before["holding"] / tonnes_before
    if abs(saved - fewer_tonnes) <= _ROUNDING * before["holding"]:
        fewer_tonnes = saved
    return {
        "fewer_tonnes_usd": fewer_tonnes,
        "cheaper_place_usd": saved - fewer_tonnes,
        "fewer_shortages_usd": before["shortage"] - after["shortage"],
        "shipping_usd": before["shipping"] - after["shipping"],
        "conversion_usd": before["conversion"] - after["conversion"],
    }


def _sums(plan: Plan, material: str) -> dict[str, float]:
    rows = plan.costs[plan.costs["material"] == material]
    return {part: math.fsum(rows[part]) for part in COST_PARTS}


def _cost(plan: Plan, material: str) -> float:
    return math.fsum(_sums(plan, material).values())


def _tonnes(plan: Plan, material: str) -> float:
    rows = plan.holdings[plan.holdings["material"] == material]
    return math.fsum(rows["holding_t"])


def _interval(alone: Plan, together: Plan, material: str) -> tuple[float, float]:
    """Return what the gaps leave open of a saving; nan where a material has no bound of its own."""
    ends = []
    for plan in (alone, together):
        rows = plan.certificates[plan.certificates["material"] == material]
        if rows.empty:  # It is part of a chain, which has one bound.
            return math.nan, math.nan
        ends.append((math.fsum(rows["annual_cost_usd"]), math.fsum(rows["bound_usd"])))
    (alone_cost, alone_bound), (cost, bound) = ends
    return alone_bound - cost, alone_cost - bound
