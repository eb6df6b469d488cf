"""What allowing projects changes: two plans against the enumeration, one table worked by hand."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import chain_oracle
import chain_steps
import pandas as pd
import pytest

import stockpile as sp
from stockpile.cli import main
from stockpile.display_effects import effects_page
from stockpile.effects_of_projects import FILES, TABLES, project_effects
from stockpile.errors import UsageError
from stockpile.tables import ConcentrationCap, CoverageTarget

MAGNETS = Path(__file__).parents[1] / "instances" / "magnets"
ANNUITY = 0.05 / (1.0 - 1.05**-20)


@pytest.fixture(scope="module")
def magnets():
    return sp.load(MAGNETS)


@pytest.fixture(scope="module")
def effects(magnets):
    return project_effects(magnets, progress=False)


@pytest.fixture(scope="module")
def best_without(tmp_path_factory):
    """The optimum of the same instance without its projects, by trying every plan."""
    folder = tmp_path_factory.mktemp("bare") / "magnets"
    shutil.copytree(MAGNETS, folder)
    for name in ("projects", "leads"):
        (folder / f"{name}.csv").unlink()
    return chain_oracle.enumerate_chains(chain_steps.read(folder), "sharing")


def capped(instance):
    """A limit for the United States that only the works can keep: China supplies 80 %."""
    cap = ConcentrationCap(
        participant=("us",), material=("magnet",), source=("china",), max_share=0.5
    )
    return replace(instance, concentration=(cap,))


# --- The two plans --------------------------------------------------------------------------------


def test_both_plans_are_the_enumerated_optima(effects, best_without):
    best = chain_oracle.enumerate_chains(chain_steps.read(MAGNETS), "sharing")
    costs = effects.plans.set_index("projects")["annual_cost_usd"]
    assert costs["with"] == pytest.approx(best.annual_cost, rel=1e-9)
    assert costs["without"] == pytest.approx(best_without.annual_cost, rel=1e-9)
    funded = {name for name, state in best.plan.projects.items() if state}
    assert set(effects.projects["project"][effects.projects["funded"]]) == funded == {"us_works"}
    assert not effects.without_projects.projects["funded"].any()


def test_the_interval_holds_what_projects_really_save(magnets, effects):
    exact = effects.saving_usd
    assert effects.saving_interval_usd == pytest.approx((exact, exact), rel=1e-9)
    loose = project_effects(magnets, gap=0.3, progress=False)
    low, high = loose.saving_interval_usd
    assert 0.0 <= low <= exact * (1.0 + 1e-9)
    assert exact <= high * (1.0 + 1e-9)


def test_a_world_without_partners_is_solved_as_such(magnets):
    alone = project_effects(magnets, cooperation="none", progress=False)
    assert alone.with_projects.cooperation == alone.without_projects.cooperation == "none"
    expected = sp.solve(magnets, cooperation="none", progress=False).annual_cost_usd
    assert alone.with_projects.annual_cost_usd == pytest.approx(expected)


# --- The table ------------------------------------------------------------------------------------


def test_the_table_of_magnets_by_hand(effects):
    """The works make 10.5 t a month beside 10 t of the United States and 20 t of Japan.

    They cost an annuity of 3.1 million USD, and 2,000 USD of support for each tonne. With the fast
    track the first month is 7, 19 in ``late_works`` and 13 in ``next_year``, and output grows over
    four months: 28.5, 16.5 and 22.5 months in full.
    """
    row = effects.materials.set_index("material").loc["magnet"]
    months = 0.85 * 28.5 + 0.05 * 16.5 + 0.1 * 22.5
    support = 2000.0 * 10.5 * months / 3.0
    assert row["project_cost_usd"] == pytest.approx(3.1e6 * ANNUITY + support)
    assert (row["source_before"], row["share_before"]) == ("china", pytest.approx(18 / 30))
    assert (row["source_after"], row["share_after"]) == ("china", pytest.approx(18 / 40.5))
    assert row["hhi_before"] == pytest.approx(0.6**2)
    assert row["hhi_after"] == pytest.approx((18 / 40.5) ** 2 + (10.5 / 40.5) ** 2)
    assert row["days_with"] == pytest.approx(row["with_t"] / (30 * 12 / 365))
    assert row["no_longer_held_t"] == row["without_t"] - row["with_t"] == 20.0


def test_the_table_adds_up_to_the_saving(effects):
    table = effects.materials
    saved = table[[name for name in table if name.endswith("_saved_usd")]].to_numpy().sum()
    assert saved - table["project_cost_usd"].sum() == pytest.approx(effects.saving_usd)


def test_a_project_with_two_products_is_divided_by_value(magnets):
    """96 t of metal for 90 USD/kg beside 126 t of magnets for 80: 6/13 of the cost."""
    product = sp.load(MAGNETS).projects[0]
    from stockpile.tables import ProjectProduct

    more = ProjectProduct(
        project=product.project, material="metal", capacity_t_per_year=96.0, operating_usd_per_t=0.0
    )
    found = project_effects(replace(magnets, project_products=(more,)), progress=False)
    cost = found.materials.set_index("material")["project_cost_usd"]
    metal, magnet = 96.0 * 90.0, 126.0 * 80.0
    assert found.projects["funded"].any()
    assert cost["metal"] / cost.sum() == pytest.approx(metal / (metal + magnet))


def test_the_page_says_what_matters(effects):
    page = effects_page(effects)
    low = f"{effects.saving_usd / 1e3:.4g} thousand USD a year less"
    assert low in page
    assert "this is proved" in page
    assert "Funded are us_works (fast track): 1 of 2, for 3.1 million USD at once." in page
    assert page.count("\n total ") == 1
    assert "china 60.0 %" in page
    assert "Warning: us, magnet: this plan replaces china by us_works" in page
    assert "Set aside" not in page


# --- Limits that only projects can keep -----------------------------------------------------------


def test_caps_that_only_projects_can_keep_are_set_aside_and_named(magnets, effects):
    found = project_effects(capped(magnets), progress=False)
    (row,) = found.caps.to_dict(orient="records")
    assert (row["participant"], row["material"], row["source"]) == ("us", "magnet", "china")
    assert (row["max_share"], row["share_without"]) == (0.5, pytest.approx(0.8))
    assert "china at most 50 % of magnet for us; it supplies 80.0 %" in effects_page(found)
    after = found.dependence
    china = (after["participant"] == "us") & (after["source"] == "china")
    assert float(after[china]["share_after"].iloc[0]) <= 0.5
    assert found.without_projects.annual_cost_usd == effects.without_projects.annual_cost_usd
    assert not found.monotone


def test_caps_that_hold_without_projects_are_not_named(magnets):
    cap = ConcentrationCap(participant=("us",), material=("magnet",), source=("*",), max_share=0.8)
    found = project_effects(replace(magnets, concentration=(cap,)), progress=False)
    assert found.caps.empty
    assert found.monotone


def test_what_only_projects_can_promise_is_said(magnets, capsys, tmp_path):
    """Without any stock there is a shortage in 40 % of all cases; the works, fast, prevent half."""
    rows = tuple(replace(row, existing_t=0.0, max_t=0.0) for row in magnets.holdings)
    promise = CoverageTarget(
        participant=("us",),
        material=("magnet",),
        demand_class=("industry",),
        metric="chance",
        level=1.0,
        confidence=0.75,
    )
    instance = replace(magnets, holdings=rows, coverage=(promise,))
    found = project_effects(instance, progress=False)
    assert not found.complete
    assert found.materials.empty
    assert "with them they can" in effects_page(found)
    assert found.with_projects.coverage["achieved"].iloc[0] == pytest.approx(0.8)
    sp.save(instance, tmp_path / "bare")
    assert main(["projects", str(tmp_path / "bare")]) == 3
    assert "without projects not all promises can be kept" in capsys.readouterr().err


# --- Command and files ----------------------------------------------------------------------------


def test_the_command_prints_one_table_and_saves_it_whole(tmp_path, capsys):
    out = tmp_path / "effects"
    assert main(["projects", str(MAGNETS), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out.count("What projects change, million USD a year") == 1
    assert said.err == f"Written to {out}.\n"
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    for name, columns in TABLES.items():
        assert list(pd.read_csv(out / f"{name}.csv")) == list(columns)
    assert main(["projects", str(MAGNETS), "--out", str(out)]) == 0  # Replaces what it wrote.
    (out / "mine.txt").write_text("keep")
    capsys.readouterr()
    assert main(["projects", str(MAGNETS), "--out", str(out)]) == 2
    assert "--out" in capsys.readouterr().err
    assert (out / "mine.txt").read_text() == "keep"


def test_json_is_all_that_is_saved(tmp_path, capsys):
    out = tmp_path / "effects"
    assert main(["projects", str(MAGNETS), "--json", "--out", str(out)]) == 0
    printed = json.loads(capsys.readouterr().out)
    saved = json.loads((out / "effects.json").read_text())
    assert {name: printed[name] for name in saved if name != "seconds"} == {
        name: value for name, value in saved.items() if name != "seconds"
    }
    assert set(printed) == {*saved, *TABLES}
    assert [row["material"] for row in printed["materials"]] == ["oxide", "metal", "magnet"]


def test_an_instance_without_projects_and_wrong_arguments_are_refused(magnets, capsys):
    toy = MAGNETS.with_name("toy")
    with pytest.raises(UsageError, match="has no projects"):
        project_effects(sp.load(toy), progress=False)
    assert main(["projects", str(toy)]) == 2
    assert "projects.csv" in capsys.readouterr().err
    with pytest.raises(UsageError, match="gap is 1"):
        project_effects(magnets, gap=1.0, progress=False)


def test_time_that_runs_out_has_its_own_status(magnets, capsys):
    assert main(["projects", str(MAGNETS), "--time-limit", "1e-9"]) == 4
    said = capsys.readouterr()
    assert "What projects change is not known" in said.out
    assert "raise --time-limit" in said.err


# --- Documentation --------------------------------------------------------------------------------


def documented(heading):
    page = (MAGNETS.parents[1] / "docs" / "projects.md").read_text(encoding="utf-8")
    text = page.split(f"### Effects: `{heading}`\n")[1].split("\n#")[0]
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


def test_every_column_and_key_is_documented_and_the_reverse(effects):
    for name in ("plans", "materials", "caps"):
        assert documented(f"{name}.csv") == list(TABLES[name])
    assert documented("effects.json") == list(effects.summary())
