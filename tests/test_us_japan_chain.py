"""Magnet chain and projects of the real instance: sums, units, calibration, nothing twice."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from dataclasses import replace

import pytest
from real_data import (
    INSTANCES,
    NATIONS,
    SOURCES,
    WHOLE,
    WITH_CHAIN,
    assumed,
    demand_of,
    one,
    page,
    rows,
    shown,
)

from stockpile import load

CHAIN = ("ndpr_oxide", "ndpr_metal", "ndfeb_magnet")


def total(nation: str, material: str) -> float:
    return sum(demand_of(WITH_CHAIN, nation, material).values())


def conversion(name: str, column: str) -> float:
    return float(one(WITH_CHAIN, "conversions", conversion=name)[column])


def made(project: str) -> dict[str, float]:
    """Yearly output by material."""
    first = one(WITH_CHAIN, "projects", project=project)
    others = rows(WITH_CHAIN, "project_products", project=project)
    return {row["material"]: float(row["capacity_t_per_year"]) for row in [first, *others]}


def share_of(project: str, nation: str) -> float:
    row = one(WITH_CHAIN, "projects", project=project)
    shares = row["beneficiary_shares"].split(";")
    return float(dict(zip(row["beneficiaries"].split(";"), shares, strict=True)).get(nation, 0.0))


# --- Demand and yields ----------------------------------------------------------------------------


def test_japanese_didymium_is_counted_once():
    """5,501 t taken as oxide hold 0.8499 of metal: in oxide and in metal, not in both."""
    in_oxide = 0.8499 * total("japan", "ndpr_oxide")
    assert in_oxide + total("japan", "ndpr_metal") == pytest.approx(0.8499 * 5501, rel=1e-3)
    assert 0.0 < in_oxide < total("japan", "ndpr_metal")


def test_japanese_magnets_are_the_imported_ones():
    assert total("japan", "ndfeb_magnet") == pytest.approx(10227, rel=1e-3)


def test_american_magnets_are_imported_or_made_at_home_not_both():
    """Net imports of 9,632 t in 2024; half of 1,000 and 2,000 t are made at home since."""
    at_home = 0.5 * (1000 + 2000)
    assert total("us", "ndfeb_magnet") + at_home == pytest.approx(9632, rel=1e-3)
    oxide_per_magnet = 1.0 / (
        conversion("us_metal_making", "yield") * conversion("us_magnet_making", "yield")
    )
    assert total("us", "ndpr_oxide") == pytest.approx(at_home * oxide_per_magnet, rel=1e-3)
    own_oxide = 1294  # Mountain Pass, 2024
    assert total("us", "ndpr_oxide") < own_oxide


def test_dysprosium_of_imported_magnets_is_not_a_need_for_oxide():
    """262 t of dysprosium in 9,632 t of magnets; left is that of 3,000 t made at home."""
    assert total("us", "dy_oxide") == pytest.approx(262 * 3000 / 9632 / 0.8713, rel=1e-3)
    assert total("us", "tb_oxide") == pytest.approx(74 * 3000 / 9632 / 0.8502, rel=1e-3)


def test_elements_of_didymium_are_no_materials_of_their_own():
    materials = {row["material"] for row in rows(WITH_CHAIN, "materials")}
    assert set(CHAIN) <= materials
    assert not {"nd_oxide", "pr_oxide"} & materials


def test_yields_keep_to_what_is_in_the_goods():
    """No tonne of metal comes from less oxide than holds it, nor magnets with more metal."""
    for nation in NATIONS:
        assert conversion(f"{nation}_metal_making", "yield") < 0.8499
        per_metal = conversion(f"{nation}_magnet_making", "yield")
        assert per_metal == pytest.approx(12400 / (5501 * 0.8499), rel=1e-3)
        in_magnets = 0.30 * per_metal
        assert 0.7 < in_magnets < 1.0  # The rest is swarf.


def test_plants_have_room_beside_their_usual_work():
    """In a year: half of 3,000 t in America, a quarter of 12,400 t in Japan."""
    assert 12 * conversion("us_magnet_making", "capacity_t_per_month") == pytest.approx(1500)
    of_japan = 12 * conversion("japan_magnet_making", "capacity_t_per_month")
    assert of_japan == pytest.approx(3100, rel=1e-3)
    home = 0.25 * 0.2 * 5501 * conversion("japan_metal_making", "yield")
    toll = 0.5 * 0.21 * total("japan", "ndpr_metal")
    found = 12 * conversion("japan_metal_making", "capacity_t_per_month")
    assert found == pytest.approx(home + toll, rel=1e-3)
    of_metal = 12 * conversion("us_metal_making", "capacity_t_per_month")
    per_metal = conversion("us_magnet_making", "yield")
    assert of_metal * per_metal == pytest.approx(0.5 * 1000, rel=1e-3)


def test_a_chain_leads_from_oxide_to_magnets_in_both_nations():
    for nation in NATIONS:
        steps = [
            (row["from_material"], row["to_material"])
            for row in rows(WITH_CHAIN, "conversions", participant=nation)
        ]
        assert steps == [CHAIN[:2], CHAIN[1:]]


def test_every_form_is_worth_more_than_what_it_is_made_of():
    price = {
        row["material"]: float(row["price_usd_per_kg"]) for row in rows(WITH_CHAIN, "materials")
    }
    metal_yield = conversion("japan_metal_making", "yield")
    fee = conversion("japan_metal_making", "cost_usd_per_t") / 1000
    assert price["ndpr_metal"] == pytest.approx(price["ndpr_oxide"] / metal_yield + fee, rel=1e-3)
    inside = price["ndpr_metal"] / conversion("japan_magnet_making", "yield")
    assert inside < price["ndfeb_magnet"]
    cost = conversion("japan_magnet_making", "cost_usd_per_t") / 1000
    assert inside + cost == pytest.approx(55.26, rel=5e-3)  # Import value of Japan.


def test_metal_and_magnets_age_and_oxide_does_not():
    found = {row["material"]: row for row in rows(WITH_CHAIN, "materials")}
    assert float(found["ndpr_metal"]["shelf_life_months"]) == 19.0
    assert float(found["ndfeb_magnet"]["shelf_life_months"]) == 60.0
    ageing = {name for name, row in found.items() if row["shelf_life_months"]}
    assert ageing == {"ndpr_metal", "ndfeb_magnet"}
    assert all(float(found[name]["rotation_rate_per_year"]) == 0.0 for name in ageing)


def test_the_chain_has_few_enough_lots_for_the_search():
    for material in CHAIN:
        lot = float(one(WITH_CHAIN, "materials", material=material)["lot_t"])
        lots = [
            float(one(WITH_CHAIN, "holdings", participant=nation, material=material)["max_t"]) / lot
            for nation in NATIONS
        ]
        assert 50 <= max(lots) <= 150
        assert min(lots) >= 10


# --- Projects -------------------------------------------------------------------------------------


def test_every_sourced_project_has_one_use():
    uses = {row["project_id"]: row for row in rows(SOURCES, "project_use")}
    assert list(uses) == [row["project_id"] for row in rows(SOURCES, "projects")]
    kinds = {"project", "plant", "supply", "left_out"}
    assert {row["use"] for row in uses.values()} == kinds
    assert all(row["why"] for row in uses.values())
    by_row = {row["row"]: row["project"] for row in rows(SOURCES, "project_outputs")}
    assert by_row == {name: row["why"] for name, row in uses.items() if row["use"] == "project"}
    plants = {name for row in rows(SOURCES, "plants") for name in row["rows"].split(";") if name}
    assert plants == {name for name, row in uses.items() if row["use"] == "plant"}


def test_what_operates_is_no_project():
    started = ("operating", "ramping", "commissioning", "first shipments")
    for row in rows(SOURCES, "project_outputs"):
        source = one(SOURCES, "projects", project_id=row["row"])
        assert not source["status"].startswith(started)
        assert source["value"]


def test_capacity_is_new_capacity():
    assert made("mp_10x") == {"ndfeb_magnet": 10000 - 1000}
    white_mesa = made("energy_fuels_white_mesa")
    oxide = white_mesa["ndpr_oxide"] + white_mesa["ndpr_metal"] / (0.8499 * 0.97)
    assert oxide == pytest.approx(6000 - 1000, rel=1e-3)
    assert (white_mesa["dy_oxide"], white_mesa["tb_oxide"]) == (240, 66)
    caremag = made("caremag_lacq")
    assert caremag["ndpr_oxide"] + caremag["ndpr_metal"] / (0.8499 * 0.97) == pytest.approx(
        800, rel=1e-3
    )


def test_kuantan_makes_no_more_than_its_feed_and_what_its_buyer_aims_at():
    """5,000 t of feed; 65 % of dysprosium and terbium is about 30 % of Japanese use."""
    output = made("lynas_kuantan")
    assert sum(output.values()) < 5000
    assert share_of("lynas_kuantan", "japan") == 0.65
    for material in ("dy_oxide", "tb_oxide"):
        part = 0.65 * output[material] / total("japan", material)
        assert part == pytest.approx(0.30, abs=0.04)


def test_published_shares_are_used():
    assert share_of("mp_10x", "us") == 1.0
    assert share_of("caremag_lacq", "japan") == 0.5


def test_the_floor_is_what_didymium_has_to_earn():
    row = one(WITH_CHAIN, "projects", project="energy_fuels_white_mesa")
    assert row["material"] == "ndpr_oxide"
    assert float(row["operating_usd_per_t"]) == 110_000


def test_other_products_have_to_earn_twice_the_price_of_their_worst_year():
    worst = {
        "caremag_lacq": 239,
        "alcoa_wagerup": 277,
        "korea_zinc_onsan": 1187,
        "perpetua_stibnite": 11.70653,
        "almonty_sangdong_2": 28.37327,
        "rio_tinto_sorel_tracy": 640,
    }
    for project, usd_per_kg in worst.items():
        found = float(one(WITH_CHAIN, "projects", project=project)["operating_usd_per_t"])
        assert found == pytest.approx(110 / 55 * 1000 * usd_per_kg, rel=5e-3)


def test_magnets_have_to_earn_what_the_floor_adds_to_their_oxide():
    oxide = 1.0 / (0.8499 * 0.97 * 12400 / (5501 * 0.8499))
    wanted = 43.81 + oxide * (110 - 69)
    found = float(one(WITH_CHAIN, "projects", project="mp_10x")["operating_usd_per_t"])
    assert found == pytest.approx(1000 * wanted, rel=5e-3)


def test_capital_is_published_or_as_of_like_projects():
    """1.0 and 0.4 billion USD for 10X; elsewhere the median of capital over yearly value."""
    capital = {row["project"]: float(row["capital_usd"]) for row in rows(WITH_CHAIN, "projects")}
    assert capital["mp_10x"] == 1.4e9
    assert capital["energy_fuels_white_mesa"] == 410e6
    assert capital["caremag_lacq"] == 234e6
    assert capital["lynas_kuantan"] == 117e6
    assert capital["almonty_sangdong_2"] == pytest.approx(217e6 / 2, rel=5e-3)
    kuantan = made("lynas_kuantan")
    values = {
        "mp_10x": 9000 * 43.81,
        "energy_fuels_white_mesa": 5000 * 69 + 240 * 239 + 66 * 1010,
        "caremag_lacq": 800 * 69 + 500 * 239 + 90 * 1010,
        "lynas_kuantan": kuantan["dy_oxide"] * 239
        + kuantan["tb_oxide"] * 1010
        + kuantan["sm_oxide"] * 2.82
        + kuantan["gd_oxide"] * 30
        + kuantan["y_oxide"] * 9,
        "almonty_sangdong_2": 1824 * 47.92,
    }
    ratio = statistics.median(capital[name] / (1000 * value) for name, value in values.items())
    assert capital["alcoa_wagerup"] == pytest.approx(ratio * 1000 * 100 * 580, rel=5e-3)
    onsan = 11 * 4100 + 15 * 580
    assert capital["korea_zinc_onsan"] == pytest.approx(ratio * 1000 * onsan, rel=5e-3)


def test_lead_times_follow_from_the_years_announced():
    """From the end of 2025 to the middle of the year; a uniform year around it."""
    found = {row["project"]: row for row in rows(WITH_CHAIN, "projects")}
    for project, year in {
        "mp_10x": 2028,
        "energy_fuels_white_mesa": 2029,
        "caremag_lacq": 2026,
        "lynas_kuantan": 2026,
        "korea_zinc_onsan": 2028,
        "perpetua_stibnite": 2028,
    }.items():
        months = (year + 0.5 - 2026) * 12
        assert float(found[project]["lead_median_months"]) == months
        sigma = math.sqrt(12.0**2 / 12.0) / months
        assert float(found[project]["lead_sigma"]) == pytest.approx(sigma, rel=5e-3)
    for project in ("alcoa_wagerup", "almonty_sangdong_2", "rio_tinto_sorel_tracy"):
        assert float(found[project]["lead_median_months"]) == assumed("least_months_to_build")


def test_delays_are_those_on_record():
    """Eneabba slipped by two years and Nolans by seven; thirteen projects have started."""
    started = [
        row
        for row in rows(SOURCES, "projects")
        if row["start_year"] in ("2023", "2024", "2025", "2026")
        and any(
            word in row["status"].split(",")[0].split(" ")
            for word in ("operating", "ramping", "commissioning", "shipments")
        )
    ]
    assert len(started) == 13
    for row in rows(WITH_CHAIN, "projects"):
        assert float(row["slip_months"]) == pytest.approx(math.sqrt(24 * 84), rel=5e-3)
        assert float(row["slip_probability"]) == pytest.approx(3 / (2 + 13 + 2), rel=5e-3)


def test_only_a_project_that_waits_for_a_permit_has_a_fast_track():
    fast = {row["project"] for row in rows(WITH_CHAIN, "projects") if row["fast_track_usd"]}
    assert fast == {"energy_fuels_white_mesa"}


def test_few_projects_matter_for_a_block():
    """States of the projects of a block multiply: at most a dozen variants."""
    states = {
        row["project"]: 3 if row["fast_track_usd"] else 2 for row in rows(WITH_CHAIN, "projects")
    }
    names = defaultdict(set)
    for row in rows(WITH_CHAIN, "projects") + rows(WITH_CHAIN, "project_products"):
        block = "chain" if row["material"] in CHAIN else row["material"]
        names[block].add(row["project"])
    for row in rows(WITH_CHAIN, "hazards"):
        for material in row["materials"].split(";") if row["answers"] else ():
            names["chain" if material in CHAIN else material].add(row["answers"])
    variants = {block: math.prod(states[name] for name in found) for block, found in names.items()}
    assert max(variants.values()) <= 12
    assert variants["chain"] == variants["dy_oxide"] == variants["tb_oxide"] == 12
    assert variants["gallium"] == 4


def test_the_japanese_project_budget_is_what_is_appropriated():
    instance = load(WITH_CHAIN)
    budget = {row.participant: row.project_budget_usd for row in instance.participants}
    assert budget["us"] == assumed("us_project_budget")
    assert budget["japan"] == pytest.approx((39e9 + 92.2e9) / 150, rel=5e-3)


# --- Counter-moves and dependence -----------------------------------------------------------------


def test_the_answer_to_a_plant_is_an_embargo_as_it_comes_anyway():
    answer = one(WITH_CHAIN, "hazards", hazard="china_answers_us_magnet_plant")
    embargo = one(WITH_CHAIN, "hazards", hazard="china_embargo_us_rare_earths")
    assert answer["answers"] == "mp_10x"
    assert set(answer["materials"].split(";")) == set(CHAIN)
    for column in ("events_per_year", "duration_median_months", "severity_mean", "targets"):
        assert answer[column] == embargo[column]
    assert all(not row["answers"] for row in rows(WITH_CHAIN, "hazards") if row != answer)


def test_price_falls_are_those_of_neodymium():
    """Below 73 USD/kg: seven years to 2020, and 2024."""
    history = [63, 48, 40, 50, 50, 45, 47, 98, 134, 78, 56, 73]
    cuts = [1 - price / 73 for price in history if price < 73]
    found = one(WITH_CHAIN, "hazards", hazard="light_rare_earth_prices_fall")
    assert float(found["severity_mean"]) == pytest.approx(statistics.mean(cuts), rel=5e-3)
    median = math.sqrt(84 * 12)
    assert float(found["duration_median_months"]) == pytest.approx(median, rel=5e-3)
    assert float(found["duration_sigma"]) == pytest.approx(math.log(84 / median), rel=5e-3)
    could_begin = len(history) - (7 - 1)
    assert float(found["events_per_year"]) == pytest.approx(2 / could_begin, rel=5e-3)
    heavy = one(WITH_CHAIN, "hazards", hazard="heavy_rare_earth_prices_fall")
    parted = [1 - 239 / 850, 1 - 1010 / 3000, 1 - 9 / 175]
    assert float(heavy["severity_mean"]) == pytest.approx(statistics.mean(parted), rel=5e-3)


@pytest.mark.parametrize("name", ["us-japan-one-form", "rare-earths"])
def test_prices_fall_in_the_instance_with_projects_only(name):
    assert "price_cut" not in {row["effect"] for row in rows(INSTANCES / name, "hazards")}


@pytest.mark.parametrize("project", ["lynas_kuantan", "caremag_lacq"])
def test_the_cap_on_dependence_binds_and_one_project_is_enough(project):
    (cap,) = rows(WITH_CHAIN, "concentration")
    assert (cap["participant"], cap["source"]) == ("japan", "china")
    for material in cap["material"].split(";"):
        demand = total("japan", material)
        found = one(WITH_CHAIN, "supply", participant="japan", material=material, source="china")
        from_china = float(found["share"]) * demand
        assert from_china > float(cap["max_share"]) * demand
        added = share_of(project, "japan") * made(project)[material]
        assert from_china <= float(cap["max_share"]) * (demand + added)


# --- Search ---------------------------------------------------------------------------------------


def test_the_rest_of_the_settings_is_that_of_the_instance_without_the_chain():
    whole, chain = load(WHOLE), load(WITH_CHAIN)
    assert (whole.solve_settings.gap, chain.solve_settings.gap) == (0.01, 0.02)
    assert replace(chain.solve_settings, gap=whole.solve_settings.gap) == whole.solve_settings
    assert (chain.scenario_settings, chain.agreement, chain.risk) == (
        whole.scenario_settings,
        whole.agreement,
        whole.risk,
    )


# --- The documentation shows what the tables say --------------------------------------------------


def test_documentation_shows_plants_as_they_are():
    text = page()
    for row in rows(WITH_CHAIN, "conversions"):
        cost = shown(float(row["cost_usd_per_t"]) / 1000)
        cells = [row["capacity_t_per_month"], row["lag_months"], cost]
        assert f"| `{row['conversion']}` | {' | '.join(cells)} |" in text


def test_documentation_shows_projects_as_they_are():
    lines = page().splitlines()
    names = {row["material"]: row["name"].lower() for row in rows(WITH_CHAIN, "materials")}
    for row in rows(WITH_CHAIN, "projects"):
        (line,) = (line for line in lines if line.startswith(f"| `{row['project']}` |"))
        cells = [cell.strip() for cell in line.strip("|").split("|")][1:]
        output = "; ".join(
            f"{names[name]} {shown(tonnes, 4)}" for name, tonnes in made(row["project"]).items()
        )
        shares = "; ".join(
            f"{nation} {share}"
            for nation, share in zip(
                row["beneficiaries"].split(";"), row["beneficiary_shares"].split(";"), strict=True
            )
        )
        millions = shown(float(row["capital_usd"]) / 1e6)
        cost = shown(float(row["operating_usd_per_t"]) / 1000)
        lead = row["lead_median_months"]
        assert cells[0].lower() == output
        assert cells[1:] == [shares, row["funder"], millions, cost, lead]


def test_documentation_shows_the_demand_of_the_chain():
    text = page()
    for nation in NATIONS:
        for material in CHAIN:
            tonnes = total(nation, material)
            assert f"| {10227 if tonnes > 10000 else round(tonnes):,}: " in text
