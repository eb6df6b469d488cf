"""What can happen: shared hazards, embargoes against one nation, failures of single materials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.generator.materials import FAMILIES
from stockpile.generator.places import (
    CONTROLLING_COUNTRIES,
    countries,
    home_source,
    participant_name,
)
from stockpile.generator.streams import rounded, stream
from stockpile.tables import Hazard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.generator.materials import DrawnMaterial
    from stockpile.generator.places import Country
    from stockpile.generator.size import Size


def hazards(size: Size, drawn: Sequence[DrawnMaterial]) -> tuple[Hazard, ...]:
    """Draw the hazards of an instance.

    Every hazard takes its figures, and in a solve its events, from its own name. A hazard that
    hits a family of materials names those that there are, so what happens to a material does not
    depend on how many others there are.
    """
    supply = countries(size.seed)
    largest = supply[0]
    found = [
        *(_unrest(country) for country in supply),
        *(_disaster(size.seed, country) for country in supply),
    ]
    for country in supply[:CONTROLLING_COUNTRIES]:
        for family in FAMILIES:
            members = tuple(item.row.material for item in drawn if item.family == family)
            if members:
                found += _controls(size.seed, country, family, members)
    found += _conflict(size.seed, largest)
    for c in range(size.participants):
        found += _against_one(size.seed, c, largest)
    for item in drawn:
        found += _failures(size.seed, item)
    return tuple(found)


def _unrest(country: Country) -> Hazard:
    return Hazard(
        hazard=f"{country.source}_unrest",
        source=country.source,
        events_per_year=country.unrest_per_year,
        duration_median_months=4.0,
        duration_sigma=0.8,
        severity_mean=0.5,
        severity_sd=0.25,
    )


def _disaster(seed: int, country: Country) -> Hazard:
    rng = stream(seed, "disaster", country.source)
    return Hazard(
        hazard=f"{country.source}_disaster",
        source=country.source,
        events_per_year=rounded(rng.uniform(0.005, 0.02)),
        duration_median_months=6.0,
        duration_sigma=0.7,
        severity_mean=rounded(rng.uniform(0.3, 0.7), 2),
        severity_sd=0.2,
    )


def _controls(seed: int, country: Country, family: str, members: tuple[str, ...]) -> list[Hazard]:
    """Draw export controls of a whole family: sharp at first, and mostly something lasts."""
    rng = stream(seed, "controls", country.source, family)
    name = f"{country.source}_controls_{family}"
    return [
        Hazard(
            hazard=name,
            source=country.source,
            materials=members,
            events_per_year=rounded(rng.uniform(0.02, 0.08)),
            duration_median_months=4.0,
            duration_sigma=0.5,
            severity_mean=rounded(rng.uniform(0.4, 0.7), 2),
            severity_sd=0.25,
        ),
        Hazard(
            hazard=f"{name}_lasting",
            source=country.source,
            materials=members,
            events_per_year=0.0,
            duration_median_months=18.0,
            duration_sigma=0.7,
            severity_mean=0.2,
            severity_sd=0.1,
            follows=name,
            follow_probability=rounded(rng.uniform(0.5, 0.9), 2),
            follow_delay_months=3,
        ),
    ]


def _conflict(seed: int, country: Country) -> list[Hazard]:
    """Draw a rare conflict: all lose what the largest country supplies, and defense needs more."""
    rng = stream(seed, "conflict")
    return [
        Hazard(
            hazard="conflict",
            source=country.source,
            events_per_year=rounded(rng.uniform(0.004, 0.008)),
            duration_median_months=15.0,
            duration_sigma=0.3,
            severity_mean=0.9,
            severity_sd=0.05,
        ),
        Hazard(
            hazard="conflict_surge",
            effect="demand_surge",
            demand_class=("defense",),
            events_per_year=0.01,
            duration_median_months=12.0,
            duration_sigma=0.4,
            severity_mean=0.5,
            severity_sd=0.2,
            follows="conflict",
            follow_probability=1.0,
        ),
    ]


def _against_one(seed: int, c: int, country: Country) -> list[Hazard]:
    """Draw what hits one participant: an embargo, a strike at home, a veto on its own stock."""
    name = participant_name(c)
    rng = stream(seed, "against", c)
    return [
        Hazard(
            hazard=f"embargo_{name}",
            source=country.source,
            targets=(name,),
            events_per_year=rounded(rng.uniform(0.02, 0.05)),
            duration_median_months=9.0,
            duration_sigma=0.5,
            severity_mean=rounded(rng.uniform(0.6, 0.85), 2),
            severity_sd=0.15,
        ),
        Hazard(
            hazard=f"{home_source(c)}_strike",
            source=home_source(c),
            events_per_year=rounded(rng.uniform(0.02, 0.05)),
            duration_median_months=2.0,
            duration_sigma=0.5,
            severity_mean=0.5,
            severity_sd=0.25,
        ),
        Hazard(
            hazard=f"{name}_keeps_its_stock",
            effect="sharing_blocked",
            targets=(name,),
            events_per_year=0.01,
            duration_median_months=6.0,
            duration_sigma=0.5,
            severity_mean=1.0,
            follows="conflict",
            follow_probability=0.2,
        ),
    ]


def _failures(seed: int, item: DrawnMaterial) -> list[Hazard]:
    """Draw a mine of the first producer and a refinery of the second; some materials have none."""
    rng = stream(seed, "failures", item.row.material)
    found = []
    for plant, source, likely in zip(
        ("mine", "refinery"), item.producers[:2], (0.6, 0.4), strict=True
    ):
        exists = rng.random() < likely
        rate, months, severity = rng.uniform([0.02, 4.0, 0.2], [0.06, 10.0, 0.5])
        if exists:
            found.append(
                Hazard(
                    hazard=f"{plant}_{item.row.material}",
                    source=source,
                    materials=(item.row.material,),
                    events_per_year=rounded(rate),
                    duration_median_months=rounded(months, 2),
                    duration_sigma=0.7,
                    severity_mean=rounded(severity, 2),
                    severity_sd=0.15,
                )
            )
    return found
