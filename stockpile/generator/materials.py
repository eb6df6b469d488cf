"""What is held: price, lot, cost of keeping, and who produces it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stockpile.generator.places import countries
from stockpile.generator.streams import lognormal, preferred, rounded, stream
from stockpile.tables import Material

FAMILIES = ("rare_earth", "battery", "electronic", "alloy", "catalyst", "mineral")
YARD_BELOW_USD_PER_KG = 8.0
"""Cheaper materials are stored in the open."""
LOTS_A_YEAR = 100.0
"""Lots of which a nation of the first one's size uses as many in a year, but for rounding."""


@dataclass(frozen=True, slots=True)
class DrawnMaterial:
    """A material and what only the generator knows of it.

    Attributes
    ----------
    row
        Its row of ``materials.csv``.
    family
        Materials of one family are hit together by export controls.
    use_usd_per_year
        Value of what a nation of the first one's size uses [USD/year].
    producers, world_share
        Countries that produce it, the largest first, and their shares of what they all produce.
    """

    row: Material
    family: str
    use_usd_per_year: float
    producers: tuple[str, ...]
    world_share: tuple[float, ...]


def material(seed: int, m: int) -> DrawnMaterial:
    """Draw material m, counted from 0.

    Prices are lognormal from 1 to 3,000 USD/kg, and the value used is drawn apart from them. So
    tonnes used are lognormal, too, and the dearer a material the fewer.
    """
    rng = stream(seed, "material", m)
    family = FAMILIES[int(rng.integers(len(FAMILIES)))]
    price = rounded(lognormal(rng, 30.0, 1.9, 1.0, 3_000.0))
    use_usd_per_year = lognormal(rng, 2e7, 1.5, 5e5, 5e8)
    use_t = use_usd_per_year / (1_000.0 * price)
    yard = price < YARD_BELOW_USD_PER_KG
    perishable = rng.random() < 0.2
    row = Material(
        material=f"{family}_{m + 1}",
        name=f"{family.replace('_', ' ').capitalize()} {m + 1}",
        element=f"E{m + 1}",
        form=("oxide", "metal", "compound")[int(rng.integers(3))],
        price_usd_per_kg=price,
        lot_t=preferred(use_t / LOTS_A_YEAR),
        rotation_rate_per_year=rounded(rng.uniform(0.02, 0.1), 2) if perishable else 0.0,
        storage_usd_per_t_year=rounded(rng.uniform(10.0, 30.0) * (1.0 if yard else 8.0), 2),
        storage_kind="yard" if yard else "warehouse",
        world_supply_t_per_year=rounded(use_t * rng.uniform(5.0, 20.0)),
        price_impact=rounded(rng.uniform(0.3, 1.0), 2),
    )
    producers, world_share = _producers(seed, m)
    return DrawnMaterial(row, family, use_usd_per_year, producers, world_share)


def _producers(seed: int, m: int) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Draw who produces it: three to five countries, of which one mostly has more than half."""
    rng = stream(seed, "producers", m)
    all_countries = countries(seed)
    weight = np.array([country.weight for country in all_countries])
    count = int(rng.integers(3, 6))
    chosen = rng.choice(len(all_countries), size=count, replace=False, p=weight / weight.sum())
    dominant = rng.beta(5.0, 3.0)
    others = np.sort(rng.dirichlet(np.ones(count - 1)))[::-1]
    share = np.sort(np.concatenate([[dominant], (1.0 - dominant) * others]))[::-1]
    return tuple(all_countries[g].source for g in chosen), tuple(float(x) for x in share)
