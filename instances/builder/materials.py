"""Price, lot, storage and world supply of each material."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from builder.chain import CHAIN, METAL, OXIDE, metal_price
from builder.demand import is_rare_earth, largest_holding
from builder.sources import PARTICIPANTS, assumption, refs
from builder.supply import world_total
from builder.text import significant

if TYPE_CHECKING:
    from builder.sources import Row, Sources

WAREHOUSE_RENTS = ("Singapore", "Baltimore")
STEPS = (1.0, 2.0, 5.0, 10.0)


def price(sources: Sources, symbol: str) -> tuple[float, str, str]:
    """Price in the form of the instance [USD/kg], its reference and a note."""
    if symbol == METAL:
        made = metal_price(sources)
        return made.value, made.ref, made.note
    default = sources.one("prices", material=symbol, basis="default")
    outside = sources.rows("prices", material=symbol, basis="outside_china")
    if outside:
        row = outside[0]
        note = (
            f"{row['form']}, {row['grade'].replace('_', ' ')} ({row['note']}); "
            f"free on board China {default['value']} USD/kg"
        )
        return float(row["value"]), refs(row["ref"], default["ref"], "method_price"), note
    if is_rare_earth(sources, symbol):
        value = float(default["value"])
    else:
        value = float(default["value_usd_per_kg_contained"])
    note = f"{default['grade'] or default['form']}, {default['year']}"
    if value != float(default["value"]):
        note += f"; {default['value']} {default['unit']} at {default['contained_fraction']} content"
    return value, default["ref"], note


def lot(sources: Sources, symbol: str) -> float:
    """Lot [t]: mean of the two upper limits over a target count, in steps of 1-2-5.

    The mean is the geometric one. In the chain the larger limit counts, since the two differ much
    and many lots of several stocks take long to search.
    """
    limits = [largest_holding(sources, participant, symbol) for participant in PARTICIPANTS]
    if symbol in CHAIN:
        wanted = max(limits) / sources.assumed("lots_target_chain")
    else:
        wanted = math.sqrt(math.prod(limits)) / sources.assumed("lots_target")
    power = 10.0 ** math.floor(math.log10(wanted))
    step = min(STEPS, key=lambda step: abs(math.log(wanted / (step * power))))
    return step * power


def storage(sources: Sources, choice: Row) -> tuple[float, str, str]:
    """Cost of storing a tonne in the form of the instance [USD/(t year)]."""
    rents = [
        row
        for row in sources.rows("logistics", category="storage", unit="USD/t/day")
        if row["route_or_scope"] in WAREHOUSE_RENTS and "base metals" in row["item"]
    ]
    rent = 365.0 * sum(float(row["value"]) for row in rents) / len(rents)
    references = refs(*(row["ref"] for row in rents))
    note = "mean warehouse rent of Singapore and Baltimore"
    if choice["storage_kind"] == "yard":
        rent *= sources.assumed("storage_yard_fraction")
        references = refs(references, assumption("storage_yard_fraction"))
        note = "open yard, a part of the warehouse rent"
    content = choice["stored_content"]
    if content == "price":
        default = sources.one("prices", material=choice["symbol"], basis="default")
        rent /= float(default["contained_fraction"])
        references = refs(references, default["ref"])
        note += ", per tonne contained"
    elif content:
        rent /= sources.assumed(content)
        references = refs(references, assumption(content))
        note += ", per tonne contained"
    return rent, references, note


def rotation(sources: Sources, material: str) -> tuple[float, str]:
    """Part of the value lost by renewing the stock [1/year]."""
    key = f"rotation_months_{material}"
    if not sources.is_assumption(key):
        return 0.0, ""
    rate = 12.0 / sources.assumed(key) * sources.assumed("rotation_cost")
    return rate, assumption(key, "rotation_cost")


def ageing(sources: Sources, symbol: str) -> dict[str, str]:
    """Shelf life and loss at renewal of what ages, with references."""
    if symbol not in CHAIN[1:]:
        return {"ref": ""}
    months = "metal_turnover_months" if symbol == METAL else "magnet_turnover_months"
    loss = "rotation_cost" if symbol == METAL else "magnet_renewal_loss"
    return {
        "shelf_life_months": significant(sources.assumed(months)),
        "renewal_loss": significant(sources.assumed(loss)),
        "ref": assumption(months, loss),
    }


def material_rows(sources: Sources) -> list[Row]:
    """Rows of `materials.csv`."""
    return [_material_row(sources, choice) for choice in sources.tables["selection"]]


def _material_row(sources: Sources, choice: Row) -> Row:
    symbol = choice["symbol"]
    usd_per_kg, price_ref, price_note = price(sources, symbol)
    rent, rent_ref, rent_note = storage(sources, choice)
    rate, rotation_ref = rotation(sources, choice["material"])
    ages = ageing(sources, symbol)
    world, world_ref = world_total(sources, symbol)
    traded = OXIDE if symbol == METAL else symbol
    lots = "lots_target_chain" if symbol in CHAIN else "lots_target"
    elasticity = f"supply_elasticity_{choice['supply_group']}"
    impact = 1.0 / (sources.assumed(elasticity) * sources.assumed("purchase_years"))
    return {
        "material": choice["material"],
        "name": choice["name"],
        "element": sources.one("prices", material=traded, basis="default")["symbol"],
        "form": choice["form"],
        "price_usd_per_kg": significant(usd_per_kg, 6),
        "lot_t": significant(lot(sources, symbol), 1),
        "rotation_rate_per_year": significant(rate, 3),
        "storage_usd_per_t_year": significant(rent, 3),
        "storage_kind": choice["storage_kind"],
        "world_supply_t_per_year": significant(world),
        "price_impact": significant(impact, 3),
        **ages,
        "ref": refs(
            price_ref,
            world_ref,
            rent_ref,
            rotation_ref,
            ages["ref"],
            assumption(lots, elasticity, "purchase_years"),
            "method_form;method_lots",
        ),
        "note": f"price: {price_note}; storage: {rent_note}",
    }
