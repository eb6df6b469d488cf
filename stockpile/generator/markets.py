"""What each participant uses of each material, where it comes from, and what is there already."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.generator.places import home_source, participant_name, participant_size
from stockpile.generator.streams import lognormal, rounded, stream
from stockpile.tables import Commercial, Demand, DemandClass, Holding, Supply

if TYPE_CHECKING:
    from stockpile.generator.materials import DrawnMaterial

CLASSES = (
    DemandClass(demand_class="defense", priority=1, shortage_cost_multiple=30.0),
    DemandClass(demand_class="civil", priority=2, shortage_cost_multiple=10.0),
    DemandClass(demand_class="industry", priority=3, shortage_cost_multiple=3.0),
)
MOST_YEARS_HELD = 1.5
"""``max_t`` in years of use, unless promises need more."""
LEAST_SHARE = 0.01
"""A smaller source is not worth a row."""
LEAST_USE_USD, MOST_USE_USD = 1e5, 1e9


@dataclass(frozen=True, slots=True)
class Market:
    """Rows about one participant and material."""

    demand: tuple[Demand, ...]
    supply: tuple[Supply, ...]
    holding: Holding
    commercial: tuple[Commercial, ...]


def market(seed: int, c: int, m: int, drawn: DrawnMaterial) -> Market:
    """Draw the rows of participant c and material m, both counted from 0."""
    rng = stream(seed, "market", c, m)
    value = drawn.use_usd_per_year * participant_size(seed, c) * lognormal(rng, 1, 0.3, 0.5, 2)
    use_t = float(np.clip(value, LEAST_USE_USD, MOST_USE_USD)) / (
        1_000.0 * drawn.row.price_usd_per_kg
    )
    defense, civil = rng.uniform(0.05, 0.2), rng.uniform(0.2, 0.35)
    tonnes = [rounded(use_t * share) for share in (defense, civil, 1.0 - defense - civil)]
    participant, name = participant_name(c), drawn.row.material
    return Market(
        demand=tuple(
            Demand(
                participant=participant,
                material=name,
                demand_class=row.demand_class,
                demand_t_per_year=t,
            )
            for row, t in zip(CLASSES, tonnes, strict=True)
        ),
        supply=tuple(
            Supply(participant=participant, material=name, source=source, share=share)
            for source, share in _shares(seed, c, m, drawn)
        ),
        holding=_holding(seed, c, m, drawn, sum(tonnes)),
        commercial=_commercial(rng, participant, name),
    )


def _shares(seed: int, c: int, m: int, drawn: DrawnMaterial) -> list[tuple[str, float]]:
    """Draw two to five sources: the largest producers, and often production at home.

    Shares follow those of the world, so that partners mostly depend on the same country.
    """
    rng = stream(seed, "supply", c, m)
    count = int(rng.integers(2, len(drawn.producers) + 1))
    share = np.array(drawn.world_share[:count]) * np.exp(0.3 * rng.standard_normal(count))
    share = np.maximum(share, LEAST_SHARE)
    at_home = rng.uniform(0.05, 0.3) if count < 5 and rng.random() < 0.4 else 0.0
    share *= (1.0 - at_home) * rng.uniform(0.92, 1.0) / share.sum()
    # Rounded down, so that they never add up to more than 1.
    found = [
        (source, math.floor(1_000.0 * x) / 1_000.0)
        for source, x in zip(drawn.producers, [float(x) for x in share], strict=False)
    ]
    if at_home > 0.0:
        found.append((home_source(c), math.floor(1_000.0 * at_home) / 1_000.0))
    return found


def _holding(seed: int, c: int, m: int, drawn: DrawnMaterial, use_t: float) -> Holding:
    rng = stream(seed, "existing", c, m)
    lot = drawn.row.lot_t
    most = max(10, math.ceil(MOST_YEARS_HELD * use_t / lot))
    existing = int(rng.integers(1, max(2, most // 10))) if rng.random() < 0.3 else 0
    return Holding(
        participant=participant_name(c),
        material=drawn.row.material,
        existing_t=rounded(existing * lot, 9),
        max_t=rounded(most * lot, 9),
    )


def _commercial(rng: np.random.Generator, participant: str, name: str) -> tuple[Commercial, ...]:
    days = float(rng.integers(15, 61))
    return (
        Commercial(
            participant=participant,
            material=name,
            industry_days=days,
            demand_class=("defense", "civil"),
        ),
        Commercial(
            participant=participant,
            material=name,
            industry_days=days,
            thrift_share=rounded(rng.uniform(0.1, 0.3), 2),
            thrift_after_months=6,
            demand_class=("industry",),
        ),
    )
