"""Didymium oxide, metal and magnets: who needs what, what plants can do.

Didymium (neodymium and praseodymium as they are traded, together) carries the chain. What the
United States import as magnets is a need for magnets; what Japanese makers take is a need for
metal and oxide. No tonne is counted in two forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.sources import CODE, assumption, refs
from builder.text import significant

if TYPE_CHECKING:
    from builder.sources import Row, Sources

OXIDE, METAL, MAGNET = "NdPr", "NdPr_metal", "NdFeB"
CHAIN = (OXIDE, METAL, MAGNET)
US_PLANTS = ("P04", "P06")
"""Independence and Sumter, of which the first makes metal, too."""
US_METAL_PLANTS = ("P04",)
METAL_FORM = "unalloyed metal, REO equivalent"
MAGNET_ELEMENTS = ("Dy", "Tb")
TOLL_COUNTRY = "Vietnam"


@dataclass(frozen=True)
class Figure:
    """A figure with its references and a note."""

    value: float
    ref: str
    note: str


def has_chain(sources: Sources) -> bool:
    """Whether the instance has magnets, not only elements."""
    return bool(sources.rows("selection", symbol=MAGNET))


# --- Yields ---------------------------------------------------------------------------------------


def contained(sources: Sources) -> float:
    """Metal in didymium oxide [kg/kg]."""
    return float(_price_row(sources, OXIDE)["contained_fraction"])


def metal_yield(sources: Sources) -> Figure:
    """Tonnes of metal from a tonne of oxide."""
    recovery = sources.assumed("metal_recovery")
    return Figure(
        contained(sources) * recovery,
        refs(_price_row(sources, OXIDE)["ref"], assumption("metal_recovery")),
        f"{significant(contained(sources))} metal in the oxide, {significant(recovery)} recovered",
    )


def magnet_yield(sources: Sources) -> Figure:
    """Tonnes of magnets from a tonne of metal: Japanese output over Japanese use."""
    made, used = _japan_magnets(sources), _japan_didymium(sources)
    metal = float(used["value"]) * contained(sources)
    return Figure(
        float(made["value"]) / metal,
        refs(made["ref"], used["ref"]),
        f"{made['value']} t of magnets ({made['year']}) from {used['value']} t of didymium "
        f"({used['year']}) taken as oxide: {significant(metal)} t of metal",
    )


def _japan_magnets(sources: Sources) -> Row:
    return sources.one("supply", metric="production", material=MAGNET, country="Japan")


def _japan_didymium(sources: Sources) -> Row:
    return sources.one("demand", country="JP", material=OXIDE, is_default="1")


def _price_row(sources: Sources, symbol: str) -> Row:
    return sources.one("prices", material=symbol, basis="default")


# --- Who needs what -------------------------------------------------------------------------------


def chain_demand(sources: Sources, participant: str, symbol: str) -> Figure:
    """Yearly demand for one form [t]."""
    if participant == "us":
        return {OXIDE: _us_oxide, METAL: _us_metal, MAGNET: _us_magnets}[symbol](sources)
    return {OXIDE: _japan_oxide, METAL: _japan_metal, MAGNET: _japan_imports}[symbol](sources)


def element_demand(sources: Sources, symbol: str) -> Figure:
    """American demand for an element that magnets contain beside didymium [t of oxide].

    What comes in imported magnets is part of the need for magnets. What is left is what the
    American plants take when they run in full.
    """
    row = sources.one("demand", country="US", material=symbol, is_default="1")
    imports = _magnet_trade(sources, "us")
    nameplate, plant_ref = nameplate_t(sources, US_PLANTS)
    element = float(row["value"]) * nameplate / float(imports["value"])
    oxide = element / float(_price_row(sources, symbol)["contained_fraction"])
    return Figure(
        oxide,
        refs(row["ref"], imports["ref"], plant_ref, "method_chain"),
        f"{significant(nameplate)} t of magnets in American plants, {row['value']} t of element "
        f"in {imports['value']} t; what imported magnets contain is part of the demand for them",
    )


def nameplate_t(sources: Sources, plants: tuple[str, ...]) -> tuple[float, str]:
    """Magnets that plants of `projects.csv` can make [t/year], with references."""
    rows = [sources.one("projects", project_id=plant) for plant in plants]
    return sum(float(row["value"]) for row in rows), refs(*(row["ref"] for row in rows))


def _busy(sources: Sources) -> tuple[float, str]:
    """Magnets that American plants make for their buyers [t/year]."""
    nameplate, ref = nameplate_t(sources, US_PLANTS)
    return sources.assumed("us_plants_busy") * nameplate, refs(ref, assumption("us_plants_busy"))


def _magnet_trade(sources: Sources, participant: str) -> Row:
    return sources.one("demand", country=CODE[participant], material=MAGNET, is_default="1")


def _us_magnets(sources: Sources) -> Figure:
    row = _magnet_trade(sources, "us")
    made, ref = _busy(sources)
    return Figure(
        float(row["value"]) - made,
        refs(row["ref"], ref, "method_chain"),
        f"net imports {row['year']} of {row['value']} t less {significant(made)} t that two "
        "plants make since",
    )


def _us_metal(sources: Sources) -> Figure:
    rows = sources.rows("demand", country="US", form=METAL_FORM)
    rows = [row for row in rows if row["material"] in ("Nd", "Pr")]
    return Figure(
        sum(float(row["element_tonnes"]) for row in rows),
        refs(*(row["ref"] for row in rows), "method_chain"),
        f"imports of neodymium and praseodymium metal {rows[0]['year']}",
    )


def _us_oxide(sources: Sources) -> Figure:
    made, ref = _busy(sources)
    metal, magnets = metal_yield(sources), magnet_yield(sources)
    return Figure(
        made / magnets.value / metal.value,
        refs(ref, magnets.ref, metal.ref, "method_chain"),
        f"feed of the {significant(made)} t of magnets that two plants make",
    )


def _japan_oxide(sources: Sources) -> Figure:
    row, part = _japan_didymium(sources), sources.assumed("japan_metal_at_home")
    return Figure(
        part * float(row["value"]),
        refs(row["ref"], assumption("japan_metal_at_home"), "method_chain"),
        f"{significant(part)} of {row['value']} t of didymium products {row['year']}, taken as "
        "oxide; imported magnets are not in it",
    )


def _japan_metal(sources: Sources) -> Figure:
    row, part = _japan_didymium(sources), 1.0 - sources.assumed("japan_metal_at_home")
    return Figure(
        part * float(row["value"]) * contained(sources),
        refs(
            row["ref"],
            _price_row(sources, OXIDE)["ref"],
            assumption("japan_metal_at_home"),
            "method_chain",
        ),
        f"metal in {significant(part)} of {row['value']} t of didymium products {row['year']}, "
        "taken as oxide; imported magnets are not in it",
    )


def _japan_imports(sources: Sources) -> Figure:
    row = _magnet_trade(sources, "japan")
    return Figure(
        float(row["value"]),
        refs(row["ref"], "method_chain"),
        f"imports {row['year']}; what Japan makes itself is counted as metal and oxide",
    )


# --- Plants ---------------------------------------------------------------------------------------


def plant_capacity(sources: Sources, participant: str, made: str) -> Figure:
    """What plants can make for the reserve beside their usual work [t/year]."""
    if participant == "us":
        return _us_metal_spare(sources) if made == METAL else _us_magnets_spare(sources)
    return _japan_metal_spare(sources) if made == METAL else _japan_magnets_spare(sources)


def _us_magnets_spare(sources: Sources, plants: tuple[str, ...] = US_PLANTS) -> Figure:
    nameplate, ref = nameplate_t(sources, plants)
    busy = sources.assumed("us_plants_busy")
    return Figure(
        (1.0 - busy) * nameplate,
        refs(ref, assumption("us_plants_busy")),
        f"{significant(1.0 - busy)} of a nameplate of {significant(nameplate)} t of magnets a year",
    )


def _us_metal_spare(sources: Sources) -> Figure:
    magnets, per_metal = _us_magnets_spare(sources, US_METAL_PLANTS), magnet_yield(sources)
    return Figure(
        magnets.value / per_metal.value,
        refs(magnets.ref, per_metal.ref),
        f"metal for {magnets.note}",
    )


def _japan_magnets_spare(sources: Sources) -> Figure:
    row, part = _japan_magnets(sources), sources.assumed("japan_spare_plants")
    return Figure(
        part * float(row["value"]),
        refs(row["ref"], assumption("japan_spare_plants")),
        f"{significant(part)} of an output of {row['value']} t of magnets in {row['year']}",
    )


def _japan_metal_spare(sources: Sources) -> Figure:
    spare, feed = (
        sources.assumed("japan_spare_plants"),
        sources.assumed("malaysian_feed_in_vietnamese_metal"),
    )
    home = _japan_oxide(sources).value * metal_yield(sources).value
    toll = sources.one(
        "supply",
        metric="import_share",
        reporter="JP",
        country=TOLL_COUNTRY,
        form="rare-earth metals",
    )
    abroad = float(toll["value"]) * _japan_metal(sources).value
    return Figure(
        spare * home + (1.0 - feed) * abroad,
        refs(
            toll["ref"],
            _japan_didymium(sources)["ref"],
            assumption("japan_metal_at_home", "japan_spare_plants"),
            assumption("malaysian_feed_in_vietnamese_metal"),
        ),
        f"{significant(spare)} of {significant(home)} t of metal made at home, and the "
        f"{significant(1.0 - feed)} of {significant(abroad)} t made in Vietnam that stands idle "
        "without Chinese oxide",
    )


def spare_intake(sources: Sources, participant: str, symbol: str) -> float:
    """What the nation's plants could take of a form for the reserve [t/year]."""
    if symbol == OXIDE:
        return plant_capacity(sources, participant, METAL).value / metal_yield(sources).value
    if symbol == METAL:
        return plant_capacity(sources, participant, MAGNET).value / magnet_yield(sources).value
    return 0.0


def metal_price(sources: Sources) -> Figure:
    """Price of metal made from oxide at its price [USD/kg]."""
    oxide, recovered = _price_row(sources, OXIDE), metal_yield(sources)
    fee = sources.assumed("metal_making_cost")
    return Figure(
        float(oxide["value"]) / recovered.value + fee,
        refs(recovered.ref, assumption("metal_making_cost"), "method_chain"),
        f"oxide at {oxide['value']} USD/kg, {recovered.note}, and {significant(fee)} USD/kg for "
        "making metal",
    )


def magnet_making_cost(sources: Sources) -> Figure:
    """What a magnet outside China costs beside its didymium [USD/kg]."""
    row = sources.one("prices", material=MAGNET, basis="japan_imports")
    metal, per_metal = metal_price(sources), magnet_yield(sources)
    inside = metal.value / per_metal.value
    return Figure(
        float(row["value"]) - inside,
        refs(row["ref"], metal.ref, per_metal.ref),
        f"Japanese import value of {row['value']} USD/kg less {significant(inside, 3)} for the "
        "metal in it: dysprosium, terbium and iron, making and coating",
    )


def making_cost(sources: Sources, made: str) -> Figure:
    """Cost of converting, beside the input [USD/kg made]."""
    if made == MAGNET:
        return magnet_making_cost(sources)
    return Figure(
        sources.assumed("metal_making_cost"),
        assumption("metal_making_cost"),
        "fee for making metal",
    )


def conversion_rows(sources: Sources) -> list[Row]:
    """Rows of `conversions.csv`."""
    return [_conversion_row(sources, plant) for plant in sources.tables["plants"]]


def _conversion_row(sources: Sources, plant: Row) -> Row:
    made = plant["to_symbol"]
    capacity = plant_capacity(sources, plant["participant"], made)
    per_input = metal_yield(sources) if made == METAL else magnet_yield(sources)
    cost = making_cost(sources, made)
    return {
        "conversion": plant["conversion"],
        "participant": plant["participant"],
        "from_material": sources.one("selection", symbol=plant["from_symbol"])["material"],
        "to_material": sources.one("selection", symbol=made)["material"],
        "yield": significant(per_input.value),
        "capacity_t_per_month": significant(capacity.value / 12.0),
        "lag_months": significant(sources.assumed(plant["lag"])),
        "cost_usd_per_t": significant(1000.0 * cost.value, 3),
        "ref": refs(
            capacity.ref, per_input.ref, cost.ref, assumption(plant["lag"]), "method_chain"
        ),
        "note": f"{plant['why'].rstrip('.')}; capacity: {capacity.note}; yield: {per_input.note}; "
        f"cost: {cost.note}",
    }
