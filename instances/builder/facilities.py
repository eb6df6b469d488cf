"""Stores: what exists, what could be opened, room and cost.

Rent is in `materials.csv`, per tonne stored. The fixed cost of a store that is opened is what has
to be paid whether it is full or empty: its staff and, for a dry store, drying and fire control.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.sources import assumption, refs
from builder.text import significant

if TYPE_CHECKING:
    from builder.sources import Row, Sources

SQUARE_FEET = {"sq ft": 1.0, "sq ft leased": 1.0, "m2": 10.7639, "acres": 43560.0}
"""Square feet in a unit of area."""
REST = "rest"
FLOOR_PER_TONNE, USABLE_FLOOR = "L63", "L64"
STAFF, LOCATIONS, LEASE_CHARGES = "L08", "L61", "L65"


def facility_rows(sources: Sources) -> list[Row]:
    """Rows of `facilities.csv`."""
    return [_facility_row(sources, store) for store in sources.tables["stores"]]


def _facility_row(sources: Sources, store: Row) -> Row:
    area, area_refs, area_note = _area(sources, store)
    if store["storage_kind"] == "yard":
        capacity, room_refs, room_note = _yard_room(sources, area)
    else:
        capacity, room_refs, room_note = _floor_room(sources, area)
    cost, cost_refs, cost_note = _fixed_cost(sources, store, area)
    return {
        "facility": store["facility"],
        "participant": store["participant"],
        "storage_kind": store["storage_kind"],
        "capacity_t": significant(capacity, 3),
        "fixed_cost_usd_per_year": significant(cost, 2),
        "existing": store["existing"],
        "ref": refs(area_refs, room_refs, cost_refs, "method_facilities"),
        "note": f"{store['why'].rstrip('.')}: {area_note}, {room_note}; {cost_note}",
    }


def _area(sources: Sources, store: Row) -> tuple[float, str, str]:
    """Area [sq ft], references and a note."""
    if sources.is_assumption(store["area"]):
        row = sources.one("assumptions", key=store["area"])
        references = assumption(store["area"])
    else:
        row = sources.one("logistics", item_id=store["area"])
        references = row["ref"]
    part, part_ref = _part(sources, store)
    note = f"{row['value']} {row['unit']}"
    if part < 1.0:
        note = f"{significant(part)} of {note}"
    return part * float(row["value"]) * SQUARE_FEET[row["unit"]], refs(references, part_ref), note


def _part(sources: Sources, store: Row) -> tuple[float, str]:
    """Part of the area, with its reference."""
    if not store["part"]:
        return 1.0, ""
    if store["part"] != REST:
        return sources.assumed(store["part"]), assumption(store["part"])
    others = [row for row in sources.rows("stores", area=store["area"]) if row["part"] != REST]
    return (
        1.0 - sum(sources.assumed(row["part"]) for row in others),
        assumption(*(row["part"] for row in others)),
    )


def _floor_room(sources: Sources, area: float) -> tuple[float, str, str]:
    """Tonnes under a roof. What weighs more gross than contained also stands denser."""
    usable = sources.one("logistics", item_id=USABLE_FLOOR)
    per_tonne = sources.one("logistics", item_id=FLOOR_PER_TONNE)
    room = area * float(usable["value"]) / float(per_tonne["value"])
    note = f"{usable['value']} of the floor usable, {per_tonne['value']} sq ft a tonne"
    return room, refs(usable["ref"], per_tonne["ref"]), note


def _yard_room(sources: Sources, area: float) -> tuple[float, str, str]:
    """Tonnes of manganese contained in ore; fluorspar, counted by product, takes less room."""
    load, content = sources.assumed("yard_load"), sources.assumed("stored_content_manganese")
    room = area / SQUARE_FEET["m2"] * load * content
    note = f"{significant(load)} t of ore a m2, {significant(content)} of it manganese"
    return room, assumption("yard_load", "stored_content_manganese"), note


def _fixed_cost(sources: Sources, store: Row, area: float) -> tuple[float, str, str]:
    """Cost of having it open [USD/year], references and a note."""
    if store["existing"] == "true":
        return 0.0, "", "open in any case, so it costs this reserve nothing but rent"
    staff = sources.one("logistics", item_id=STAFF)
    locations = sources.one("logistics", item_id=LOCATIONS)
    persons = float(staff["value"]) / float(locations["value"])
    cost = persons * sources.assumed("site_staff_cost")
    references = refs(staff["ref"], locations["ref"], assumption("site_staff_cost"))
    note = f"cost: {significant(persons, 2)} persons"
    if store["storage_kind"] == "dry_store":
        charge = sources.one("logistics", item_id=LEASE_CHARGES)
        usd_per_sq_ft = sources.assumed("dry_store_charge") * float(charge["value"])
        cost += usd_per_sq_ft * area
        references = refs(references, charge["ref"], assumption("dry_store_charge"))
        note += f" and {significant(usd_per_sq_ft)} USD a sq ft for drying and fire control"
    return cost, references, f"{note}; rent is charged per tonne in materials.csv"
