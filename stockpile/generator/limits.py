"""Limits that join the materials: tight, and kept by the reference plan.

The reference plan keeps all limits but one by construction. The one is (16): nobody may be worse
off than alone. But its rule is one of a participant alone, so there are plans without partners
within these limits. The best of them is what everybody bears alone, and it is a plan with
partners, too, because its rules have closed variants. So there is a plan.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.generator.reference import reference_costs
from stockpile.generator.streams import rounded, rounded_up, stream
from stockpile.model.verify import tail_weights
from stockpile.tables import Agreement, Facility, Risk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.generator.reference import ReferencePlan
    from stockpile.instance import Instance

BUDGET_LOW, BUDGET_HIGH = 1.0, 1.2
"""Budgets as multiples of what the reference plan costs to buy."""
EXISTING_LOW, EXISTING_HIGH = 0.5, 0.8
"""Room that exists as a part of what the reference plan stores."""
NEW_STORES, NEW_ROOM = 2, 0.3
"""Stores that can be opened of each kind, and the room of each as a part of the same."""
STORE_USD_PER_T_YEAR = {"yard": 20.0, "warehouse": 150.0}
"""Fixed cost of new room, about what the tonnes kept in it are charged in ``materials.csv``."""
MOST_RULES = 3
CVAR_CONFIDENCE = 0.95
CVAR_FACTOR = 1.5
"""Limit of the worst scenarios as a multiple of what they cost with the reference plan. Much less
leaves hardly any other plan in some instances, and proofs there take very long."""


def with_limits(instance: Instance, plan: ReferencePlan) -> Instance:
    """Add budgets, stores, the agreement and the risk limit to an instance.

    - Budget: what the reference plan costs the participant to buy, times 1.0 to 1.2.
    - Stores: for each kind of storage one that exists, with room for 0.5 to 0.8 of what the
      reference plan stores, and two to open, each with room for 0.3 of it.
    - At most three distinct rules per participant, of five; nobody worse off than alone.
    - The worst 5 % of the scenarios may cost 1.5 times as much as with the reference plan.
    """
    costs = reference_costs(instance, plan)
    seed = instance.scenario_settings.seed
    participants = tuple(
        replace(
            row,
            acquisition_budget_usd=rounded_up(
                float(costs.outlay[c]) * stream(seed, "budget", c).uniform(BUDGET_LOW, BUDGET_HIGH)
            ),
        )
        for c, row in enumerate(instance.participants)
    )
    count = costs.shortage.size
    tail = 1.0 - CVAR_CONFIDENCE
    worst = float(tail_weights(costs.shortage, np.full(count, 1 / count), tail) @ costs.shortage)
    return replace(
        instance,
        participants=participants,
        facilities=_facilities(instance, plan.lots),
        agreement=Agreement(max_distinct_rules=MOST_RULES, nobody_worse_off=True),
        risk=Risk(
            cvar_confidence=CVAR_CONFIDENCE,
            cvar_limit_usd_per_year=rounded_up(CVAR_FACTOR * worst),
        ),
    )


def _facilities(instance: Instance, lots: NDArray[np.int64]) -> tuple[Facility, ...]:
    """Return the stores of every participant and kind, for lots (C, M) to be stored."""
    found = []
    kinds = sorted({row.storage_kind for row in instance.materials})
    for c, participant in enumerate(instance.participants):
        name = participant.participant
        for kind in kinds:
            rng = stream(instance.scenario_settings.seed, "stores", c, kind)
            stored = float(
                sum(
                    lots[c, m] * row.lot_t
                    for m, row in enumerate(instance.materials)
                    if row.storage_kind == kind
                )
            )
            share = rng.uniform(EXISTING_LOW, EXISTING_HIGH)
            found.append(
                Facility(
                    facility=f"{name}_{kind}",
                    participant=name,
                    storage_kind=kind,
                    capacity_t=rounded_up(share * stored),
                    fixed_cost_usd_per_year=0.0,
                    existing=True,
                )
            )
            for number in range(1, NEW_STORES + 1):
                room = rounded_up(NEW_ROOM * stored)
                usd = STORE_USD_PER_T_YEAR[kind] * rng.uniform(0.5, 2.0)
                found.append(
                    Facility(
                        facility=f"{name}_{kind}_new_{number}",
                        participant=name,
                        storage_kind=kind,
                        capacity_t=room,
                        fixed_cost_usd_per_year=rounded(usd * room),
                    )
                )
    return tuple(found)
