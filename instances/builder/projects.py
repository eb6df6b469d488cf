"""Projects that add supply: what they make for whom, and what they cost.

One price floor for output outside China is published, for didymium. Its ratio to the price of the
worst of five years is taken for every other product.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from builder.chain import METAL, OXIDE, Figure, magnet_yield, metal_yield
from builder.leads import lead, slips
from builder.prices import floor_over_lowest, lowest_mean
from builder.sources import assumption, refs
from builder.text import significant

if TYPE_CHECKING:
    from builder.sources import Row, Sources

BY_VALUE = "value"
"""Where no capital is published: a multiple of the value of a year's output."""
HEAVY_FEED = ("Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Y")
"""Elements in the feed of a heavy rare-earth plant."""
FEED_COUNTRY = "Australia"
FEED_FORM = "oxide in mined concentrate"


# --- Output ---------------------------------------------------------------------------------------


def outputs(sources: Sources, project: str) -> list[tuple[str, Figure, Figure]]:
    """Symbol, yearly output [t] and cost [USD/kg] of everything that a project makes."""
    found = []
    for row in sources.rows("project_outputs", project=project):
        amount, cost = _amount(sources, row), _cost(sources, row)
        if row["how"] == "mix":
            found += _mix(sources, amount, cost)
        else:
            found.append((row["symbol"], amount, cost))
    return found


def _amount(sources: Sources, row: Row) -> Figure:
    source = sources.one("projects", project_id=row["row"])
    if row["how"] == "feed":
        return _from_feed(sources, source, row["symbol"])
    value, ref, note = float(source["value"]), source["ref"], f"{source['value']} {source['unit']}"
    if row["less"]:
        working = sources.one("projects", project_id=row["less"])
        value -= float(working["value"])
        ref = refs(ref, working["ref"])
        note += f" less {working['value']} t of what works already"
    return Figure(value, ref, note)


def _from_feed(sources: Sources, source: Row, symbol: str) -> Figure:
    """Feed divided by the heavy rare earths in the ore."""
    rows = {
        row["material"]: row
        for row in sources.rows(
            "supply", metric="production", country=FEED_COUNTRY, stage="mine", form=FEED_FORM
        )
    }
    whole = sum(float(rows[element]["value"]) for element in HEAVY_FEED)
    part = float(rows[symbol]["value"]) / whole
    return Figure(
        part * float(source["value"]),
        refs(source["ref"], rows[symbol]["ref"]),
        f"{significant(100.0 * part, 3)} % of {source['value']} {source['unit']}, as in the heavy "
        "part of the Australian ore",
    )


def _mix(sources: Sources, amount: Figure, cost: Figure) -> list[tuple[str, Figure, Figure]]:
    """Didymium oxide that arrives as Japan uses it: part as oxide, the rest as metal on toll."""
    home, made = sources.assumed("japan_metal_at_home"), metal_yield(sources)
    fee = sources.assumed("metal_making_cost")
    ref = refs(amount.ref, assumption("japan_metal_at_home"))
    share = significant(1.0 - home)
    return [
        (OXIDE, Figure(home * amount.value, ref, f"{significant(home)} of {amount.note}"), cost),
        (
            METAL,
            Figure(
                (1.0 - home) * amount.value * made.value,
                refs(ref, made.ref),
                f"metal from {share} of {amount.note}, made on toll",
            ),
            Figure(
                cost.value / made.value + fee,
                refs(cost.ref, made.ref, assumption("metal_making_cost")),
                f"oxide: {cost.note}; metal made on toll",
            ),
        ),
    ]


# --- Cost of output -------------------------------------------------------------------------------


def _cost(sources: Sources, row: Row) -> Figure:
    """What output has to earn [USD/kg]."""
    symbol = row["symbol"]
    if row["cost"] == "magnet":
        return _magnet_cost(sources)
    low, low_ref = lowest_mean(sources, symbol)
    if row["cost"] == "by_product":
        return Figure(low, low_ref, "by-product: sold at the price of the worst of five years")
    ratio, ratio_ref = floor_over_lowest(sources)
    return Figure(
        ratio * low,
        refs(low_ref, ratio_ref, "method_projects"),
        f"{significant(ratio, 3)} times the price of the worst of five years, "
        f"{significant(low)} USD/kg, as the floor for didymium is",
    )


def _magnet_cost(sources: Sources) -> Figure:
    """Import price plus what the floor adds to the oxide in a magnet."""
    magnet = sources.one("prices", material="NdFeB", basis="default")
    oxide = sources.one("prices", material=OXIDE, basis="default")
    floor = sources.one("price_history", material=OXIDE, stat="price_floor")
    per_magnet = 1.0 / (magnet_yield(sources).value * metal_yield(sources).value)
    extra = per_magnet * (float(floor["value"]) - float(oxide["value"]))
    return Figure(
        float(magnet["value"]) + extra,
        refs(magnet["ref"], oxide["ref"], floor["ref"], "method_projects"),
        f"import value of {magnet['value']} USD/kg and {significant(extra, 3)} for oxide at the "
        f"floor of {floor['value']} USD/kg",
    )


# --- Capital --------------------------------------------------------------------------------------


def capital(sources: Sources, choice: Row) -> Figure:
    """Cost of building [USD]."""
    if choice["capital"] == BY_VALUE:
        ratio, ratio_ref = capital_over_value(sources)
        value, value_ref = _yearly_value(sources, choice["project"])
        return Figure(
            ratio * value,
            refs(ratio_ref, value_ref, "method_projects"),
            f"not published: {significant(ratio, 2)} times the value of a year's output, median of "
            "the projects with both",
        )
    row = sources.one("projects", project_id=choice["capital"])
    part, added = sources.number(choice["capital_part"]), float(choice["capital_added"] or 0.0)
    ref = row["ref"]
    note = f"{significant(float(row['capex_usd']) / 1e6)} million USD"
    if row["capex_note"]:
        note += f" ({row['capex_note']})"
    if sources.is_assumption(choice["capital_part"]):
        ref = refs(ref, assumption(choice["capital_part"]))
    if part != 1.0:
        note = f"{significant(part)} of {note}"
    return Figure(part * float(row["capex_usd"]) + added, ref, note)


def capital_over_value(sources: Sources) -> tuple[float, str]:
    """Median of capital over the value of a year's output, where all of the capital is known."""
    ratios, references = [], []
    for choice in sources.rows("project_choices", whole_capital="1"):
        value, _ = _yearly_value(sources, choice["project"])
        cost = capital(sources, choice)
        ratios.append(cost.value / value)
        references.append(cost.ref)
    return median(ratios), refs(*references)


def _yearly_value(sources: Sources, project: str) -> tuple[float, str]:
    """Value of a year's output at prices in China or on the open market [USD], references."""
    value, references = 0.0, []
    for row in sources.rows("project_outputs", project=project):
        price = sources.one("prices", material=row["symbol"], basis="default")
        usd_per_kg = float(price["value"])
        if row["symbol"] == "W":
            usd_per_kg = float(price["value_usd_per_kg_contained"])
        value += 1000.0 * usd_per_kg * _amount(sources, row).value
        references.append(price["ref"])
    return value, refs(*references)


# --- The tables -----------------------------------------------------------------------------------


def project_tables(sources: Sources) -> tuple[list[Row], list[Row]]:
    """Rows of `projects.csv` and `project_products.csv`."""
    projects, products = [], []
    for choice in sources.tables["project_choices"]:
        first, *others = outputs(sources, choice["project"])
        projects.append(_project_row(sources, choice, first))
        products += [_product_row(sources, choice["project"], made) for made in others]
    return projects, products


def _material(sources: Sources, symbol: str) -> str:
    return sources.one("selection", symbol=symbol)["material"]


def _project_row(sources: Sources, choice: Row, made: tuple[str, Figure, Figure]) -> Row:
    symbol, amount, cost = made
    row = sources.one("projects", project_id=choice["row"])
    shares, shares_ref = _shares(sources, choice)
    built, start, slipping = capital(sources, choice), lead(sources, row), slips(sources)
    fast = _fast_track(sources, choice)
    return {
        "project": choice["project"],
        "kind": choice["kind"],
        "material": _material(sources, symbol),
        "capacity_t_per_year": significant(amount.value),
        "beneficiaries": choice["beneficiaries"],
        "beneficiary_shares": shares,
        "funder": choice["funder"],
        "capital_usd": significant(built.value, 3),
        "operating_usd_per_t": significant(1000.0 * cost.value, 3),
        "lead_median_months": significant(start.median),
        "lead_sigma": significant(start.sigma, 3),
        **fast,
        "ramp_months": significant(sources.assumed(choice["ramp"])),
        "slip_probability": significant(slipping.probability, 3),
        "slip_months": significant(slipping.months, 3),
        "life_years": significant(sources.assumed("life_years")),
        "source": choice["source"],
        "ref": refs(
            amount.ref,
            cost.ref,
            built.ref,
            shares_ref,
            row["ref"],
            start.ref,
            slipping.ref,
            assumption(choice["ramp"], "life_years"),
            assumption("fast_track_cost", "fast_track_months") if fast["fast_track_usd"] else "",
            "method_projects",
        ),
        "note": f"{row['project']}, {row['country']}: {choice['why'].rstrip('.')}; capacity: "
        f"{amount.note}; cost: {cost.note}; capital: {built.note}; start: {start.note}; "
        f"{slipping.late} late, {slipping.on_time} without a known delay",
    }


def _product_row(sources: Sources, project: str, made: tuple[str, Figure, Figure]) -> Row:
    symbol, amount, cost = made
    return {
        "project": project,
        "material": _material(sources, symbol),
        "capacity_t_per_year": significant(amount.value),
        "operating_usd_per_t": significant(1000.0 * cost.value, 3),
        "ref": refs(amount.ref, cost.ref, "method_projects"),
        "note": f"capacity: {amount.note}; cost: {cost.note}",
    }


def _shares(sources: Sources, choice: Row) -> tuple[str, str]:
    cells = choice["shares"].split(";")
    references = [assumption(cell) for cell in cells if sources.is_assumption(cell)]
    if choice["shares_ref"]:
        references.append(sources.one("projects", project_id=choice["shares_ref"])["ref"])
    return ";".join(significant(sources.number(cell)) for cell in cells), refs(*references)


def _fast_track(sources: Sources, choice: Row) -> dict[str, str]:
    if not choice["fast_track"]:
        return {"fast_track_usd": "", "fast_track_months": ""}
    return {
        "fast_track_usd": significant(sources.assumed("fast_track_cost")),
        "fast_track_months": significant(sources.assumed("fast_track_months")),
    }


def concentration_rows(sources: Sources) -> list[Row]:
    """Rows of `concentration.csv`."""
    return [
        {
            "participant": cap["participant"],
            "material": ";".join(_material(sources, name) for name in cap["symbols"].split(";")),
            "source": cap["source"],
            "max_share": significant(sources.assumed(cap["max_share"])),
            "ref": refs(cap["ref"], assumption(cap["max_share"])),
            "note": cap["why"],
        }
        for cap in sources.tables["caps"]
    ]
