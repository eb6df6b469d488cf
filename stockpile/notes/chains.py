"""Plants, and shares of plants, that can serve nothing.

A path from a stock through plants to a need passes no material twice, and goods go only where
somebody ships them.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from stockpile.notes.supply import in_use
from stockpile.validation.places import row_mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.errors import Mistake
    from stockpile.instance import Instance
    from stockpile.tables import Conversion

_Need = tuple[str, str, str]
"""Participant, material and class."""


def _plants(instance: Instance) -> Iterator[Mistake]:
    served = _served(instance)
    supplied = _supplied(instance)
    for row in instance.conversions:
        column, value, why = "to_material", row.to_material, ""
        if row.capacity_t_per_month == 0.0:
            column, value, why = "capacity_t_per_month", "0", "it makes nothing"
        elif not served[row.conversion]:
            why = "nobody that it can be shipped to needs what it, or a plant after it, makes"
        elif row.conversion not in supplied:
            column, value = "from_material", row.from_material
            why = "nobody that can ship to it may hold what it, or a plant before it, takes"
        if why:
            message = f"the plant {row.conversion} serves nobody: {why}"
            yield row_mistake("conversions", row, column, value, message)


def _shares(instance: Instance) -> Iterator[Mistake]:
    served = _served(instance)
    for row in instance.plant_shares:
        need = (row.participant, row.material, row.demand_class)
        if row.share > 0.0 and need not in served[row.conversion]:
            yield row_mistake(
                "plant_shares",
                row,
                "share",
                row.share,
                f"this part of {row.conversion} stays idle: the plant can never serve "
                f"{' '.join(need)}",
                "There is no such need, or no way to it.",
            )


def _served(instance: Instance) -> dict[str, frozenset[_Need]]:
    """Return the needs that each plant can serve, directly or by the plants after it."""
    links = _links(instance)
    plants = _working(instance)
    needs = [
        (row.participant, row.material, row.demand_class)
        for row in instance.demand
        if row.demand_t_per_year > 0.0
    ]

    @functools.cache
    def after(plant: Conversion, passed: frozenset[str]) -> frozenset[_Need]:
        passed |= {plant.to_material}
        found = {
            need
            for need in needs
            if need[1] == plant.to_material and (plant.participant, need[0]) in links
        }
        for other in plants:
            if (
                other.from_material == plant.to_material
                and other.to_material not in passed
                and (plant.participant, other.participant) in links
            ):
                found |= after(other, passed)
        return frozenset(found)

    served = {row.conversion: frozenset[_Need]() for row in instance.conversions}
    return served | {row.conversion: after(row, frozenset({row.from_material})) for row in plants}


def _supplied(instance: Instance) -> set[str]:
    """Return the plants that can get what they take, from a stock or from plants before them."""
    links = _links(instance)
    plants = _working(instance)
    may_hold = in_use(instance)
    for row in instance.holdings:
        if row.max_t is not None:
            place = (row.participant, row.material)
            may_hold = may_hold - {place} if row.max_t == 0.0 else may_hold | {place}

    @functools.cache
    def gets(plant: Conversion, passed: frozenset[str]) -> bool:
        passed |= {plant.from_material}
        return any(
            material == plant.from_material and (place, plant.participant) in links
            for place, material in may_hold
        ) or any(
            other.to_material == plant.from_material
            and other.from_material not in passed
            and (other.participant, plant.participant) in links
            and gets(other, passed)
            for other in plants
        )

    return {row.conversion for row in plants if gets(row, frozenset({row.to_material}))}


def _working(instance: Instance) -> list[Conversion]:
    return [row for row in instance.conversions if row.capacity_t_per_month > 0.0]


def _links(instance: Instance) -> set[tuple[str, str]]:
    """Return from where goods can go where: at home, and where somebody ships."""
    home = {(row.participant, row.participant) for row in instance.participants}
    return home | {(row.from_participant, row.to_participant) for row in instance.transfers}


LOOKS = (_plants, _shares)
