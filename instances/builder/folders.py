"""The three folders as text by path: the whole, the same in one form, the rare earths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.budgets import add_budgets, add_project_budgets
from builder.chain import conversion_rows
from builder.demand import demand_rows
from builder.facilities import facility_rows
from builder.hazards import ANY, hazard_rows
from builder.materials import material_rows
from builder.nations import (
    commercial_rows,
    holding_rows,
    participant_rows,
    transfer_rows,
)
from builder.projects import concentration_rows, project_tables
from builder.promises import coverage_rows, outcome_rows, stress_rows
from builder.settings import CHAIN_GAP, GAP, coupling_settings, settings
from builder.shortage import class_rows, shortage_rows
from builder.sources import references, seen_by
from builder.supply import supply_tables
from builder.text import references_text, table_text

if TYPE_CHECKING:
    from builder.sources import Row, Sources

COLUMNS = {
    "participants": "participant name discount_rate_per_year refill_per_month",
    "classes": "demand_class priority shortage_cost_multiple",
    "materials": "material name element form price_usd_per_kg lot_t rotation_rate_per_year "
    "storage_usd_per_t_year storage_kind world_supply_t_per_year price_impact",
    "demand": "participant material demand_class demand_t_per_year",
    "shortage": "participant material demand_class shortage_cost_usd_per_kg",
    "sources": "source name",
    "supply": "participant material source share",
    "holdings": "participant material existing_t max_t",
    "hazards": "hazard effect source materials targets demand_class events_per_year "
    "duration_median_months duration_sigma severity_mean severity_sd follows "
    "follow_probability follow_delay_months",
    "stress": "stress effect source materials targets start_month duration_months severity",
    "coverage": "participant material demand_class metric level confidence stress sharing",
    "transfers": "from_participant to_participant lag_months cost_usd_per_t",
    "commercial": "participant material industry_days thrift_share thrift_after_months "
    "demand_class",
}

COUPLED_COLUMNS = {
    "participants": "participant name discount_rate_per_year acquisition_budget_usd "
    "refill_per_month",
    "coverage": "participant material demand_class metric level confidence stress group sharing",
    "facilities": "facility participant storage_kind capacity_t fixed_cost_usd_per_year existing",
}
"""Columns of an instance with limits over all materials, where they differ."""

CHAIN_COLUMNS = {
    "participants": f"{COUPLED_COLUMNS['participants']} project_budget_usd",
    "materials": f"{COLUMNS['materials']} shelf_life_months renewal_loss",
    "hazards": f"{COLUMNS['hazards']} answers",
    "projects": "project kind material capacity_t_per_year beneficiaries beneficiary_shares "
    "funder capital_usd operating_usd_per_t lead_median_months lead_sigma fast_track_usd "
    "fast_track_months ramp_months slip_probability slip_months life_years source",
    "outcomes": "stress month outcome",
    "project_products": "project material capacity_t_per_year operating_usd_per_t",
    "concentration": "participant material source max_share",
    "conversions": "conversion participant from_material to_material yield "
    "capacity_t_per_month lag_months cost_usd_per_t",
}
"""Columns of an instance with the magnet chain and projects, too, where they differ."""


TITLE = "United States and Japan: joint critical-mineral reserve"


@dataclass(frozen=True)
class Instance:
    """Name, title, tables and columns of one folder, whether its materials are coupled, its gap."""

    name: str
    title: str
    tables: dict[str, list[Row]]
    columns: dict[str, str]
    coupled: bool
    gap: str = GAP


def material_tables(sources: Sources) -> dict[str, list[Row]]:
    """The tables that describe every material by itself."""
    names, supply = supply_tables(sources)
    return {
        "participants": participant_rows(sources),
        "classes": class_rows(sources),
        "materials": material_rows(sources),
        "demand": demand_rows(sources),
        "shortage": shortage_rows(sources),
        "sources": names,
        "supply": supply,
        "holdings": holding_rows(sources),
        "hazards": hazard_rows(sources),
        "stress": stress_rows(sources),
        "coverage": coverage_rows(sources),
        "transfers": transfer_rows(sources),
        "commercial": commercial_rows(sources),
    }


def in_one_form(sources: Sources) -> Instance:
    """All materials, each in one form, with limits over all of them."""
    tables = material_tables(sources)
    tables["participants"] = add_budgets(sources, tables["participants"])
    tables["facilities"] = facility_rows(sources)
    title = f"{TITLE}, each material in one form"
    return Instance("us-japan-one-form", title, tables, COLUMNS | COUPLED_COLUMNS, coupled=True)


def whole(sources: Sources) -> Instance:
    """All of it: didymium as a chain of forms, projects, limits over all materials."""
    full = in_one_form(sources)
    projects, products = project_tables(sources)
    tables = full.tables | {
        "participants": add_project_budgets(sources, full.tables["participants"]),
        "outcomes": outcome_rows(sources),
        "projects": projects,
        "project_products": products,
        "concentration": concentration_rows(sources),
        "conversions": conversion_rows(sources),
    }
    columns = full.columns | CHAIN_COLUMNS
    return Instance("us-japan", TITLE, tables, columns, coupled=True, gap=CHAIN_GAP)


def rare_earths(sources: Sources) -> Instance:
    """The rare earths alone, element by element, without anything that joins them."""
    chosen = {row["material"] for row in sources.rows("selection", demand_group="rare_earth")}
    kept = {
        table: [part for row in rows if (part := _part(row, chosen))]
        for table, rows in material_tables(sources).items()
    }
    kept["coverage"] = [
        {column: cell for column, cell in row.items() if column != "group"}
        for row in kept["coverage"]
        if not row["group"]
    ]
    used = {row["source"] for row in kept["supply"]}
    kept["sources"] = [row for row in kept["sources"] if row["source"] in used]
    kept["hazards"] = _reachable(
        [row for row in kept["hazards"] if row["source"] in used or not row["source"]]
    )
    title = "United States and Japan: rare-earth reserve"
    return Instance("rare-earths", title, kept, COLUMNS, coupled=False)


def _part(row: Row, chosen: set[str]) -> Row | None:
    """A row with its materials cut down to those chosen; None where none is left."""
    for column in ("material", "materials"):
        cell = row.get(column, ANY)
        if cell != ANY:
            left = [material for material in cell.split(";") if material in chosen]
            if not left:
                return None
            row = {**row, column: ";".join(left)}
    return row


def _reachable(hazards: list[Row]) -> list[Row]:
    """Leave out hazards that follow one that is left out."""
    names = {row["hazard"] for row in hazards}
    left = [row for row in hazards if not row["follows"] or row["follows"] in names]
    return left if len(left) == len(hazards) else _reachable(left)


def texts(sources: Sources, instance: Instance) -> dict[str, str]:
    """Every file of a folder by its path below `instances`."""
    used = {
        key
        for rows in instance.tables.values()
        for row in rows
        for key in row["ref"].split(";")
        if key
    }
    files = {
        f"{table}.csv": table_text(columns.split(), instance.tables[table])
        for table, columns in instance.columns.items()
    }
    files["instance.toml"] = settings(instance.name, instance.title, instance.gap)
    if instance.coupled:
        text, keys = coupling_settings(sources)
        files["instance.toml"] += text
        used |= keys
    files["references.csv"] = references_text(references(sources, used))
    return {f"{instance.name}/{name}": text for name, text in files.items()}


def build(sources: Sources) -> dict[str, str]:
    """Every file of the three folders by its path below `instances`."""
    files: dict[str, str] = {}
    for name, make in FOLDERS.items():
        seen = seen_by(sources, name)
        files |= texts(seen, make(seen))
    return files


FOLDERS = {"us-japan-one-form": in_one_form, "us-japan": whole, "rare-earths": rare_earths}
"""What makes each folder."""
