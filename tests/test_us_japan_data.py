"""The real instances: up to date with their sources, complete, and honest about them."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from real_data import (
    INSTANCES,
    NATIONS,
    SOURCES,
    WHOLE,
    WITH_CHAIN,
    assumed,
    demand_of,
    page,
    rows,
    shown,
)

from stockpile import load

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = ("us-japan-one-form", "us-japan", "rare-earths")
COUPLED = ("us-japan-one-form", "us-japan")
YEARS = 26 + 10 / 12
"""January 2000 to October 2026."""


def hazard(name: str) -> dict[str, str]:
    return next(row for row in rows(WHOLE, "hazards") if row["hazard"] == name)


def settings_references(folder: Path) -> set[str]:
    """References in the comments of `instance.toml`."""
    text = (folder / "instance.toml").read_text(encoding="utf-8")
    return {key for cell in re.findall(r"# .*ref: (\S+)", text) for key in cell.split(";")}


def primary_events() -> list[dict[str, str]]:
    return [row for row in rows(SOURCES, "disruptions") if row["is_primary"] == "1"]


def embargoes(target: str) -> int:
    """Chinese export bans aimed at one nation."""
    return sum(
        row["source_country"] == "China"
        and row["affected"] == target
        and row["type"].startswith("export ban")
        for row in primary_events()
    )


def test_folders_are_up_to_date_with_their_sources():
    command = [sys.executable, str(INSTANCES / "build_us_japan.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", FOLDERS)
def test_instance_is_valid(name):
    assert load(INSTANCES / name).name == name


def test_whole_instance_has_at_least_thirty_materials():
    assert len(rows(WHOLE, "materials")) >= 30


def test_rare_earths_are_the_rare_earth_part_of_the_whole():
    whole, part = (
        rows(INSTANCES / name, "materials") for name in ("us-japan-one-form", "rare-earths")
    )
    assert part == [row for row in whole if row["material"].endswith("_oxide")]
    assert len(part) == 16


@pytest.mark.parametrize("name", ["us-japan-one-form", "rare-earths"])
def test_no_mix_stands_beside_its_elements(name):
    elements = [row["element"] for row in rows(INSTANCES / name, "materials")]
    assert len(set(elements)) == len(elements)
    assert not {"NdPr", "NdFeB", "REE_total", "REE_magnet", "HREE_total", "SmCo"} & set(elements)


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("table", ["demand", "supply", "holdings", "commercial"])
def test_every_material_is_described_for_both_nations(name, table):
    materials = {row["material"] for row in rows(INSTANCES / name, "materials")}
    for participant in ("us", "japan"):
        described = {
            row["material"]
            for row in rows(INSTANCES / name, table)
            if row["participant"] == participant
        }
        assert described == materials


@pytest.mark.parametrize("name", FOLDERS)
def test_supply_shares_add_up_to_at_most_one(name):
    total: defaultdict[tuple[str, str], float] = defaultdict(float)
    for row in rows(INSTANCES / name, "supply"):
        total[row["participant"], row["material"]] += float(row["share"])
    assert max(total.values()) <= 1.0 + 1e-9
    assert min(total.values()) > 0.3


@pytest.mark.parametrize("name", FOLDERS)
def test_every_row_has_a_note_and_references_that_exist(name):
    known = {row["ref"] for row in rows(INSTANCES / name, "references")}
    used = set()
    for path in sorted((INSTANCES / name).glob("*.csv")):
        if path.stem == "references":
            continue
        for row in rows(INSTANCES / name, path.stem):
            keys = row["ref"].split(";")
            assert all(keys), f"{path.name}: {row}"
            assert row["note"], f"{path.name}: {row}"
            used |= set(keys)
    assert used | settings_references(INSTANCES / name) == known


def test_every_source_row_has_a_reference_that_exists():
    known = {row["ref"] for row in rows(SOURCES, "references")}
    facts = (
        "prices",
        "demand",
        "supply",
        "holdings",
        "disruptions",
        "losses",
        "logistics",
        "budgets",
        "projects",
        "price_history",
        "slips",
    )
    for table in facts:
        assert {key for row in rows(SOURCES, table) for key in row["ref"].split(";")} <= known


def test_every_assumption_is_used_and_listed_in_the_documentation():
    text = page()
    used = {row["ref"] for name in FOLDERS for row in rows(INSTANCES / name, "references")}
    for row in rows(SOURCES, "assumptions"):
        assert f"| `{row['key']}` | {row['value']} | {row['unit']} |" in text
        assert f"assumption_{row['key']}" in used, row["key"]


@pytest.mark.parametrize("name", COUPLED)
def test_documentation_shows_the_hazards_as_they_are(name):
    text = page()
    for row in rows(INSTANCES / name, "hazards"):
        rate = "-" if row["events_per_year"] == "0" else row["events_per_year"]
        severity = f"{row['severity_mean']} ({row['severity_sd']})"
        duration = f"{row['duration_median_months']} | {row['duration_sigma']}"
        assert f"| `{row['hazard']}` | {rate} | {duration} | {severity} |" in text


def test_embargo_rates_follow_from_the_disruptions():
    """Two embargoes on Japan, one on the United States, two of the three on rare earths."""
    count = {"japan": embargoes("Japan"), "us": embargoes("US")}
    assert count == {"japan": 2, "us": 1}
    weight = assumed("prior_weight_years")
    pooled = sum(count.values()) / (2 * YEARS)
    for nation, events in count.items():
        rate = (events + weight * pooled) / (YEARS + weight) * (2 + 1) / (3 + 2)
        found = float(hazard(f"china_embargo_{nation}_rare_earths")["events_per_year"])
        assert found == pytest.approx(rate, rel=5e-3)


def test_accident_rate_of_south_african_platinum_follows_from_the_disruptions():
    """Four events there, ten in the twelve places that have a hazard of this kind."""
    here = [row for row in primary_events() if row["source_country"] == "South Africa"]
    assert len(here) == 4
    weight = assumed("prior_weight_years")
    rate = (4 + weight * 10 / (12 * YEARS)) / (YEARS + weight)
    found = float(hazard("south_africa_platinum_mines")["events_per_year"])
    assert found == pytest.approx(rate, rel=5e-3)


def test_duration_without_ongoing_events_is_the_geometric_mean():
    """Maximum likelihood without censoring: mean and standard deviation of the logarithms."""
    used = {row["event_id"] for row in rows(SOURCES, "event_use") if row["pool"] == "accident"}
    events = [row for row in rows(SOURCES, "disruptions") if row["event_id"] in used]
    assert all(row["ongoing"] == "0" for row in events)
    logs = [math.log(float(row["duration_months"])) for row in events]
    mean = sum(logs) / len(logs)
    sigma = math.sqrt(sum((log - mean) ** 2 for log in logs) / len(logs))
    found = hazard("australia_mines")
    assert float(found["duration_median_months"]) == pytest.approx(math.exp(mean), rel=5e-3)
    assert float(found["duration_sigma"]) == pytest.approx(sigma, rel=5e-3)


def test_ongoing_events_lengthen_the_fitted_duration():
    """Chinese controls that ended: 12, 12, 42 and 54 months; five more go on."""
    ended = math.prod((12, 12, 42, 54)) ** (1 / 4)
    found = hazard("china_controls_heavy_rare_earths_lasting")
    assert float(found["duration_median_months"]) > 1.2 * ended


def test_buyers_outside_china_pay_the_european_price_of_dysprosium():
    found = {row["material"]: row for row in rows(WHOLE, "materials")}
    assert float(found["dy_oxide"]["price_usd_per_kg"]) == 850.0
    assert float(found["tb_oxide"]["price_usd_per_kg"]) == 3000.0


def test_element_demand_of_magnets_is_counted_as_oxide():
    """2,164 t of neodymium in imported magnets are 2,164 / 0.8574 t of oxide."""
    total = sum(
        float(row["demand_t_per_year"])
        for row in rows(WHOLE, "demand")
        if (row["participant"], row["material"]) == ("us", "nd_oxide")
    )
    assert total == pytest.approx(2164 / 0.8574, rel=1e-3)


def test_yttrium_from_germany_is_traced_to_china():
    shares = {
        row["source"]: float(row["share"])
        for row in rows(WHOLE, "supply")
        if (row["participant"], row["material"]) == ("us", "y_oxide")
    }
    assert shares == {"china": 1.0}


# --- The documentation shows what the tables say --------------------------------------------------


def average_multiple(folder: Path, nation: str, material: str, price: float) -> tuple[float, bool]:
    """Mean cost of a missing kilogram over its price, and whether the classes set it."""
    demand = demand_of(folder, nation, material)
    multiples = {
        row["demand_class"]: float(row["shortage_cost_usd_per_kg"]) / price
        for row in rows(folder, "shortage")
        if (row["participant"], row["material"]) == (nation, material)
    }
    of_classes = {
        row["demand_class"]: float(row["shortage_cost_multiple"]) for row in rows(folder, "classes")
    }
    chosen = multiples or of_classes
    mean = sum(demand[name] * chosen[name] for name in demand) / sum(demand.values())
    return mean, not multiples


OF_THE_CHAIN = ("ndpr_oxide", "ndpr_metal", "ndfeb_magnet", "tb_oxide", "dy_oxide")
"""Materials with a row of their own for the instance with the chain."""


@pytest.mark.parametrize(
    ("folder", "row"),
    [(WHOLE, row) for row in rows(WHOLE, "materials")]
    + [
        (WITH_CHAIN, row)
        for row in rows(WITH_CHAIN, "materials")
        if row["material"] in OF_THE_CHAIN
    ],
    ids=lambda value: value["material"] if isinstance(value, dict) else value.name,
)
def test_documentation_shows_demand_prices_and_shortage_costs_as_they_are(folder, row):
    lines = page().splitlines()
    price = float(row["price_usd_per_kg"])
    demand = [shown(sum(demand_of(folder, nation, row["material"]).values())) for nation in NATIONS]
    start = f"| {' | '.join([row['name'], *demand, shown(price, 4), row['lot_t']])} | "
    (line,) = (line for line in lines if line.startswith(start))
    for nation, cell in zip(NATIONS, line.removeprefix(start).split(";"), strict=True):
        mean, of_classes = average_multiple(folder, nation, row["material"], price)
        assert ("classes" in cell) == of_classes
        found = float(re.search(r"[\d.]+", cell)[0])
        assert found == pytest.approx(mean, rel=0.02 if of_classes else 5e-3)


def largest_other_source(folder: Path, shares: dict[str, float]) -> str:
    """The largest named source but China, if it has one percent."""
    names = {row["source"]: row["name"] for row in rows(folder, "sources")}
    others = {
        key: share for key, share in shares.items() if key not in ("china", "other_countries")
    }
    largest = max(others, key=lambda key: others[key], default="")
    if not largest or others[largest] < 0.01 - 1e-9:
        return "none"
    return f"{names[largest]} {100 * others[largest]:.0f} %"


@pytest.mark.parametrize("folder", [WHOLE, WITH_CHAIN], ids=lambda folder: folder.name)
def test_documentation_shows_origins_as_they_are(folder):
    text = page()
    stages = {row["symbol"]: row["stage"] for row in rows(SOURCES, "bottleneck")}
    symbols = {row["material"]: row["symbol"] for row in rows(SOURCES, "selection")}
    for row in rows(folder, "materials"):
        origins: dict[str, dict[str, float]] = {nation: {} for nation in NATIONS}
        for supply in rows(folder, "supply"):
            if supply["material"] == row["material"]:
                origins[supply["participant"]][supply["source"]] = float(supply["share"])
        china = [f"{100 * origins[nation].get('china', 0.0):.0f} %" for nation in NATIONS]
        other = "; ".join(largest_other_source(folder, origins[nation]) for nation in NATIONS)
        start = f"| {row['name']} | {stages[symbols[row['material']]]} | "
        end = f" | {china[0]} | {china[1]} | {other} |"
        assert any(line.startswith(start) and line.endswith(end) for line in text.splitlines())


def test_documentation_shows_stores_as_they_are():
    lines = page().splitlines()
    for row in rows(WHOLE, "facilities"):
        (line,) = (line for line in lines if f"`{row['facility']}`" in line and line[0] == "|")
        cells = [cell.strip().removesuffix(" each") for cell in line.strip("|").split("|")]
        millions = shown(float(row["fixed_cost_usd_per_year"]) / 1e6)
        assert cells[1:] == [
            row["capacity_t"],
            "yes" if row["existing"] == "true" else "",
            millions,
        ]


# --- Limits over all materials --------------------------------------------------------------------


def days_cost(folder: Path, nation: str) -> float:
    """What the promised days of cover cost beyond existing stock [USD]."""
    existing = {
        row["material"]: float(row["existing_t"])
        for row in rows(folder, "holdings")
        if row["participant"] == nation
    }
    cost = 0.0
    for row in rows(folder, "materials"):
        demand = demand_of(folder, nation, row["material"])
        promised = max(
            float(promise["level"]) / 365 * sum(demand[name] for name in classes)
            for promise in rows(folder, "coverage")
            if promise["metric"] == "days"
            and promise["participant"] == nation
            and (promise["material"] == "*" or row["material"] in promise["material"].split(";"))
            for classes in [demand if promise["demand_class"] == "*" else [promise["demand_class"]]]
        )
        tonnes = max(0.0, promised - existing[row["material"]])
        cost += 1000.0 * float(row["price_usd_per_kg"]) * tonnes
    return cost


@pytest.mark.parametrize(("name", "ratio"), [("us-japan-one-form", 2.6), ("us-japan", 2.7)])
def test_the_american_budget_is_the_appropriation(name, ratio):
    instance = load(INSTANCES / name)
    (us,) = (row for row in instance.participants if row.participant == "us")
    assert us.acquisition_budget_usd == 2e9
    assert "public_law_119_21" in us.ref
    assert us.acquisition_budget_usd / days_cost(INSTANCES / name, "us") == pytest.approx(
        ratio, abs=0.05
    )


@pytest.mark.parametrize(("name", "billion"), [("us-japan-one-form", 2.0), ("us-japan", 2.08)])
def test_the_japanese_budget_is_a_multiple_of_the_promised_days(name, billion):
    """The documentation says twice so many USD, and that published sums are far below."""
    instance = load(INSTANCES / name)
    (japan,) = (row for row in instance.participants if row.participant == "japan")
    cost = days_cost(INSTANCES / name, "japan")
    assert cost == pytest.approx(1e9 * billion, rel=0.01)
    wanted = assumed("japan_budget_over_policy") * cost
    assert japan.acquisition_budget_usd == pytest.approx(wanted, rel=0.02)
    yen = sum(
        float(row["value"])
        for row in rows(SOURCES, "budgets")
        if row["holder"] == "japan" and row["purpose"] in ("upkeep", "support")
    )
    assert yen == pytest.approx(12e9, rel=0.01)
    assert yen / assumed("jpy_per_usd") < 0.05 * cost


@pytest.mark.parametrize("whole", [WHOLE, WITH_CHAIN], ids=lambda folder: folder.name)
def test_every_kind_of_storage_has_room_for_the_promised_days(whole):
    kinds = {row["storage_kind"] for row in rows(whole, "materials")}
    for nation in NATIONS:
        room: defaultdict[str, float] = defaultdict(float)
        for row in rows(whole, "facilities"):
            if row["participant"] == nation:
                room[row["storage_kind"]] += float(row["capacity_t"])
        assert set(room) == kinds
        needed: defaultdict[str, float] = defaultdict(float)
        for row in rows(whole, "materials"):
            days = 60 if nation == "japan" else 20
            demand = sum(demand_of(whole, nation, row["material"]).values())
            needed[row["storage_kind"]] += days / 365 * demand
        assert all(room[kind] > needed[kind] for kind in kinds)


def test_room_follows_from_floor_area():
    """200,000 square feet, 0.64 of it usable, 6 square feet a tonne."""
    stores = {row["facility"]: row for row in rows(WHOLE, "facilities")}
    found = float(stores["us_warehouse_1"]["capacity_t"])
    assert found == pytest.approx(200_000 * 0.64 / 6, rel=5e-3)
    assert float(stores["us_depots"]["capacity_t"]) == found  # A tenth of 2,000,000.
    assert float(stores["us_depots"]["fixed_cost_usd_per_year"]) == 0.0


@pytest.mark.parametrize(
    ("name", "magnet_metals"),
    [
        ("us-japan-one-form", "pr_oxide;nd_oxide;sm_oxide;tb_oxide;dy_oxide"),
        ("us-japan", "ndpr_oxide;ndpr_metal;ndfeb_magnet;sm_oxide;tb_oxide;dy_oxide"),
    ],
)
def test_joint_promises_are_about_single_promises_at_once(name, magnet_metals):
    groups: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows(INSTANCES / name, "coverage"):
        if row["metric"] == "joint_chance":
            groups[row["group"]].append(row)
    assert set(groups) == {"magnet_rare_earths", "chip_metals"}
    assert {row["demand_class"] for row in groups["magnet_rare_earths"]} == {"defense", "essential"}
    metals = {row["material"] for row in groups["magnet_rare_earths"]}
    assert metals == {magnet_metals}


def test_the_limit_on_the_worst_histories_follows_from_published_losses():
    """2,600 billion yen at 150 to the dollar and 3.4 billion dollars, over five years."""
    risk = load(WHOLE).risk
    assert risk.cvar_confidence == 0.95
    assert risk.cvar_limit_usd_per_year == pytest.approx((2600 / 150 + 3.4) / 5 * 1e9, rel=0.02)


def test_rare_earths_are_planned_one_by_one():
    part = load(INSTANCES / "rare-earths")
    assert not part.facilities
    assert part.agreement == type(part.agreement)()
    assert part.risk == type(part.risk)()
    assert all(row.acquisition_budget_usd is None for row in part.participants)
    assert all(row.metric != "joint_chance" for row in part.coverage)
