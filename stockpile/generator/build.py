"""Put a generated instance together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stockpile.generator.hazards import hazards
from stockpile.generator.limits import with_limits
from stockpile.generator.markets import CLASSES, market
from stockpile.generator.materials import material
from stockpile.generator.menu import menu
from stockpile.generator.places import participants as draw_participants
from stockpile.generator.places import sources, transfers
from stockpile.generator.promises import coverage, stress
from stockpile.generator.reference import reference_plan
from stockpile.generator.size import Size
from stockpile.generator.streams import rounded
from stockpile.instance import Instance
from stockpile.tables import ScenarioSettings

if TYPE_CHECKING:
    from stockpile.generator.reference import ReferencePlan

MATERIALS, SCENARIOS, MONTHS, PARTICIPANTS, SEED = 20, 2_000, 60, 2, 1
"""Size of an instance of which nothing else is asked."""
PRICE_YEAR = 2025


def generate(
    *,
    materials: int = MATERIALS,
    scenarios: int = SCENARIOS,
    months: int = MONTHS,
    participants: int = PARTICIPANTS,
    seed: int = SEED,
    couplings: bool = False,
) -> Instance:
    """Make an instance of any size with invented figures that are shaped like real ones.

    The same arguments give the same instance. With another number of materials or participants
    those that both have are the same, and so is what happens to them; ``max_t`` may differ where
    promises need more than usual, and limits differ.

    Parameters
    ----------
    materials, participants
        How many of them there are.
    scenarios
        How many a solve draws.
    months
        Length of a scenario.
    seed
        Of all figures, and of the scenarios.
    couplings
        Whether materials share budgets, stores and a limit on the worst scenarios, materials are
        promised jointly, and nobody may be worse off than alone, with few rules. There is a plan
        within these limits on the scenarios that the instance draws.

    Raises
    ------
    UsageError
        If a number is out of range.
    """
    size = Size(materials, scenarios, months, participants, seed)
    draft = _draft(size, couplings=couplings)
    plan = reference_plan(draft)
    instance = _with_room(draft, plan)
    return with_limits(instance, plan) if couplings else instance


def _draft(size: Size, *, couplings: bool) -> Instance:
    """Return the instance without limits that join its materials."""
    drawn = [material(size.seed, m) for m in range(size.materials)]
    markets = [
        market(size.seed, c, m, drawn[m])
        for m in range(size.materials)
        for c in range(size.participants)
    ]
    names = [item.row.material for item in drawn]
    kind = "coupled" if couplings else "separate"
    return Instance(
        name=f"generated-{size.materials}x{size.participants}-{kind}-{size.seed}",
        title=f"Invented figures: {size.materials} materials, {size.participants} participants",
        price_year=PRICE_YEAR,
        horizon_months=size.months,
        # By priority a gap would hardly ever reach defense, and its promises would say nothing.
        allocation="pro_rata",
        scenario_settings=ScenarioSettings(count=size.scenarios, seed=size.seed),
        participants=draw_participants(size),
        classes=CLASSES,
        materials=tuple(item.row for item in drawn),
        demand=tuple(row for item in markets for row in item.demand),
        sources=sources(size),
        supply=tuple(row for item in markets for row in item.supply),
        holdings=tuple(item.holding for item in markets),
        hazards=hazards(size, drawn),
        stress=stress(size),
        coverage=coverage(size, names, couplings=couplings),
        rules=menu(),
        transfers=transfers(size),
        commercial=tuple(row for item in markets for row in item.commercial),
    )


def _with_room(instance: Instance, plan: ReferencePlan) -> Instance:
    """Raise ``max_t`` where the reference plan holds more."""
    lot = {row.material: row.lot_t for row in instance.materials}
    place = {row.participant: c for c, row in enumerate(instance.participants)}
    number = {row.material: m for m, row in enumerate(instance.materials)}
    holdings = []
    for row in instance.holdings:
        lots = int(plan.lots[place[row.participant], number[row.material]])
        needed = rounded(lots * lot[row.material], 9)
        assert row.max_t is not None
        holdings.append(replace(row, max_t=max(row.max_t, needed)))
    return replace(instance, holdings=tuple(holdings))
