"""Yearly demand in the form that is stored, and its split into classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.chain import (
    CHAIN,
    MAGNET_ELEMENTS,
    Figure,
    chain_demand,
    element_demand,
    has_chain,
    spare_intake,
)
from builder.sources import CLASSES, CODE, PARTICIPANTS, assumption, refs
from builder.text import significant

if TYPE_CHECKING:
    from builder.sources import Row, Sources

DEFENSE_REF = "crs_defense_share_rare_earths"
"""Reference of the one figure for defense use."""
OXIDE_UNITS = ("t oxide", "t REO", "t product")
"""Units of rare-earth demand that already are tonnes of oxide; product weight is taken as oxide."""


def yearly_demand(sources: Sources, participant: str, symbol: str) -> float:
    """Tonnes a year in the form of the instance."""
    in_chain = _in_chain(sources, participant, symbol)
    if in_chain:
        return in_chain.value
    if (participant, symbol) == ("japan", "Ge"):
        return sources.assumed("japan_germanium_demand")
    row = _row(sources, participant, symbol)
    if not is_rare_earth(sources, symbol):
        return float(row["element_tonnes"])
    if row["unit"] in OXIDE_UNITS:
        return float(row["value"])
    price = sources.one("prices", material=symbol, basis="default")
    return float(row["value"]) / float(price["contained_fraction"])


def _in_chain(sources: Sources, participant: str, symbol: str) -> Figure | None:
    """Demand that depends on what is counted in magnets; None: it does not."""
    if symbol in CHAIN:
        return chain_demand(sources, participant, symbol)
    if participant == "us" and symbol in MAGNET_ELEMENTS and has_chain(sources):
        return element_demand(sources, symbol)
    return None


def is_rare_earth(sources: Sources, symbol: str) -> bool:
    group = sources.one("selection", symbol=symbol)["demand_group"]
    return group == "rare_earth"


def largest_holding(sources: Sources, participant: str, symbol: str) -> float:
    """Most that may be held [t]: a year of use, more of a rare earth."""
    years = sources.assumed(years_key(symbol)) if is_rare_earth(sources, symbol) else 1.0
    use = yearly_demand(sources, participant, symbol)
    if symbol in CHAIN:
        use += spare_intake(sources, participant, symbol)
    return years * use


def years_key(symbol: str) -> str:
    """The assumption on how many years of use of a rare earth may be held."""
    return "max_years_chain_product" if symbol in CHAIN[1:] else "max_years_rare_earth"


def class_shares(sources: Sources, participant: str, symbol: str) -> dict[str, float]:
    """Fraction of demand by class."""
    group = sources.one("selection", symbol=symbol)["demand_group"]
    defense = sources.assumed(f"defense_share_{participant}_{group}")
    essential = sources.assumed(f"essential_share_{group}")
    return dict(zip(CLASSES, (defense, essential, 1.0 - defense - essential), strict=True))


def demand_rows(sources: Sources) -> list[Row]:
    """Rows of `demand.csv`."""
    return [
        row
        for participant in PARTICIPANTS
        for choice in sources.tables["selection"]
        for row in _class_rows(sources, participant, choice)
    ]


def _row(sources: Sources, participant: str, symbol: str) -> Row:
    return sources.one("demand", country=CODE[participant], material=symbol, is_default="1")


def _class_rows(sources: Sources, participant: str, choice: Row) -> list[Row]:
    symbol, group = choice["symbol"], choice["demand_group"]
    total = yearly_demand(sources, participant, symbol)
    in_chain = _in_chain(sources, participant, symbol)
    if in_chain:
        return [
            {
                "participant": participant,
                "material": choice["material"],
                "demand_class": demand_class,
                "demand_t_per_year": significant(total * share),
                "ref": refs(in_chain.ref, *_class_refs(participant, group)[demand_class]),
                "note": f"share of {significant(total)} t: {in_chain.note}",
            }
            for demand_class, share in class_shares(sources, participant, symbol).items()
        ]
    source = _row(sources, participant, symbol)
    note = f"share of {significant(total)} t: {source['measure']} {source['year']}"
    if is_rare_earth(sources, symbol) and source["unit"] not in OXIDE_UNITS:
        note += f", {source['value']} t of element as oxide"
    elif source["unit"] == "t product":
        note += ", product weight taken as oxide"
    extra = dict.fromkeys(CLASSES, "")
    if (participant, symbol) == ("japan", "Ge"):
        extra = dict.fromkeys(CLASSES, assumption("japan_germanium_demand"))
    if source["defense_share"]:
        extra["defense"] = DEFENSE_REF
    return [
        {
            "participant": participant,
            "material": choice["material"],
            "demand_class": demand_class,
            "demand_t_per_year": significant(total * share),
            "ref": refs(
                source["ref"], extra[demand_class], *_class_refs(participant, group)[demand_class]
            ),
            "note": note,
        }
        for demand_class, share in class_shares(sources, participant, symbol).items()
    ]


def _class_refs(participant: str, group: str) -> dict[str, list[str]]:
    """References of the share of each class."""
    defense, essential = f"defense_share_{participant}_{group}", f"essential_share_{group}"
    return {
        "defense": [assumption(defense)],
        "essential": [assumption(essential)],
        "industrial": [assumption(defense, essential)],
    }
