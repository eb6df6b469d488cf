"""The real instances: up to date with their sources, complete, and honest about them."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from stockpile import load

ROOT = Path(__file__).resolve().parent.parent
INSTANCES = ROOT / "instances"
SOURCES = INSTANCES / "sources" / "us-japan"
FOLDERS = ("us-japan", "rare-earths")
YEARS = 26 + 10 / 12
"""January 2000 to October 2026."""


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def hazard(name: str) -> dict[str, str]:
    return next(row for row in rows(INSTANCES / "us-japan", "hazards") if row["hazard"] == name)


def assumed(key: str) -> float:
    return float(next(row["value"] for row in rows(SOURCES, "assumptions") if row["key"] == key))


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
    assert len(rows(INSTANCES / "us-japan", "materials")) >= 30


def test_rare_earths_are_the_rare_earth_part_of_the_whole():
    whole, part = (rows(INSTANCES / name, "materials") for name in FOLDERS)
    assert part == [row for row in whole if row["material"].endswith("_oxide")]
    assert len(part) == 16


@pytest.mark.parametrize("name", FOLDERS)
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
    assert used == known


def test_every_source_row_has_a_reference_that_exists():
    known = {row["ref"] for row in rows(SOURCES, "references")}
    facts = ("prices", "demand", "supply", "holdings", "disruptions", "losses", "logistics")
    for table in facts:
        assert {row["ref"] for row in rows(SOURCES, table)} <= known


def test_every_assumption_is_used_and_listed_in_the_documentation():
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    used = {row["ref"] for row in rows(INSTANCES / "us-japan", "references")}
    for row in rows(SOURCES, "assumptions"):
        assert f"| `{row['key']}` | {row['value']} | {row['unit']} |" in text
        assert f"assumption_{row['key']}" in used, row["key"]


def test_documentation_shows_the_hazards_as_they_are():
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    for row in rows(INSTANCES / "us-japan", "hazards"):
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
    found = {row["material"]: row for row in rows(INSTANCES / "us-japan", "materials")}
    assert float(found["dy_oxide"]["price_usd_per_kg"]) == 850.0
    assert float(found["tb_oxide"]["price_usd_per_kg"]) == 3000.0


def test_element_demand_of_magnets_is_counted_as_oxide():
    """2,164 t of neodymium in imported magnets are 2,164 / 0.8574 t of oxide."""
    total = sum(
        float(row["demand_t_per_year"])
        for row in rows(INSTANCES / "us-japan", "demand")
        if (row["participant"], row["material"]) == ("us", "nd_oxide")
    )
    assert total == pytest.approx(2164 / 0.8574, rel=1e-3)


def test_yttrium_from_germany_is_traced_to_china():
    shares = {
        row["source"]: float(row["share"])
        for row in rows(INSTANCES / "us-japan", "supply")
        if (row["participant"], row["material"]) == ("us", "y_oxide")
    }
    assert shares == {"china": 1.0}
