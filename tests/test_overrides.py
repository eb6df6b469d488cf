"""Changes in words: what they change is read off the instance, and what is wrong is named."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from folders import edit, tiny_folder

import stockpile as sp
from stockpile.errors import UsageError
from stockpile.overrides import parse_override, split_place, with_overrides

TOY = Path(__file__).parents[1] / "instances" / "toy"


@pytest.fixture
def tiny(tmp_path):
    return sp.load(tiny_folder(tmp_path))


def changed(instance, *texts):
    return with_overrides(instance, texts)


def test_a_column_of_all_rows_takes_a_value(tiny):
    assert {row.lot_t for row in changed(tiny, "materials.lot_t=5").materials} == {5.0}


def test_only_the_rows_in_brackets_change(tiny):
    made = changed(tiny, "coverage[metric=days,material=dy_oxide].level=90")
    levels = [(row.metric, row.material, row.level) for row in made.coverage]
    assert ("days", ("dy_oxide",), 90.0) in levels
    assert ("days", ("gallium",), 30.0) in levels
    assert sum(a != b for a, b in zip(made.coverage, tiny.coverage, strict=True)) == 1


def test_a_row_is_found_by_a_name_in_a_list_a_star_and_an_empty_cell(tiny):
    by_name = changed(tiny, "coverage[participant=japan,metric=chance].level=0.5").coverage[1]
    assert by_name.participant == ("us", "japan")
    assert by_name.level == 0.5
    by_star = changed(tiny, "coverage[participant=*,metric=stress].level=0.5")
    assert by_star.coverage[3].level == 0.5
    empty = changed(tiny, "coverage[group=,metric=days].level=1").coverage
    assert [row.level for row in empty if row.metric == "days"] == [1.0, 30.0]


def test_rows_of_projects_and_plants_are_found_by_their_keys(tiny):
    made = changed(
        tiny,
        "recycling[from_material=].yield=0.7",
        "leads[scenario=both,project=smelter].lead_months=*2",
        "plant_shares[conversion=oxidation].share=0.5",
        "concentration[source=china].max_share=0.8",
        "project_products[project=smelter].operating_usd_per_t=*2",
        "agreement.joint_project_budget_usd=1e8",
    )
    assert [row.yield_ for row in made.recycling] == [0.7, 0.8]
    assert [row.lead_months for row in made.leads] == [24.0, 73.0]
    assert made.plant_shares[0].share == 0.5
    assert [row.max_share for row in made.concentration] == [0.95, 0.8]
    assert made.project_products[0].operating_usd_per_t is None  # As that of the first material.
    assert made.agreement.joint_project_budget_usd == 1e8


def test_numbers_in_brackets_are_compared_as_numbers(tiny):
    made = changed(tiny, "coverage[confidence=0.950].level=0.1")
    assert [row.level for row in made.coverage if row.confidence == 0.95] == [0.1]


def test_a_factor_multiplies_and_leaves_no_limit_as_it_is(tiny):
    made = changed(tiny, "participants.acquisition_budget_usd=*0.5")
    assert [row.acquisition_budget_usd for row in made.participants] == [None, 5e8]


def test_changes_are_made_one_after_the_other(tiny):
    made = changed(tiny, "materials.price_usd_per_kg=10", "materials.price_usd_per_kg=*3")
    assert {row.price_usd_per_kg for row in made.materials} == {30.0}


def test_settings_and_the_header_change(tiny):
    made = changed(
        tiny, "agreement.joint_budget_usd=1e9", "horizon_months=36", "risk.cvar_confidence=0.9"
    )
    assert made.agreement.joint_budget_usd == 1e9
    assert made.horizon_months == 36
    assert made.risk.cvar_confidence == 0.9
    assert changed(tiny, "agreement.joint_budget_usd=").agreement.joint_budget_usd is None


def test_a_table_and_a_section_of_one_name_are_told_apart_by_the_column(tiny):
    made = changed(tiny, "scenarios[scenario=calm].probability=0.7")
    assert made == tiny


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("coverage.level", "expected PLACE=VALUE"),
        ("covrage.level=1", "Did you mean coverage?"),
        ("coverage.levl=1", "Did you mean level?"),
        ("horizon_month=1", "Did you mean horizon_months?"),
        ("price_usd_per_kg=1", "Write materials.price_usd_per_kg."),
        ("coverage[metric=dayz].level=1", "Did you mean days?"),
        ("coverage[metric].level=1", "expected rows such as"),
        ("coverage[metrik=days].level=1", "Did you mean metric?"),
        ("coverage[metric=days,sharing=on,demand_class=defense].level=1", "all of this at once"),
        ("supply.share=1.5", "share must be a number from 0 to 1"),
        ("horizon_months=*1.1", "24 would become 26.4"),
        ("solve.gap=0.1", "as --gap"),
        ("scenarios.seed=1", "as --seed"),
        ("gap=0.1", "as --gap"),
        ("format=1", "cannot be changed"),
        ("materials.price_usd_per_kg=*x", "must be a number"),
    ],
)
def test_what_cannot_be_understood_is_named(tiny, text, words):
    with pytest.raises(UsageError) as caught:
        changed(tiny, text)
    assert words in str(caught.value)
    assert text in str(caught.value)


def test_all_mistakes_are_named_at_once(tiny):
    with pytest.raises(UsageError) as caught:
        changed(tiny, "a.b=1", "coverage.level=x")
    assert len(str(caught.value).splitlines()) == 2


def test_an_instance_that_becomes_wrong_is_refused(tiny):
    with pytest.raises(sp.InstanceError, match=r"add up to 1\.9"):
        changed(
            tiny,
            "supply[participant=us,source=canada].share=1",
            "supply[participant=us,source=china].share=0.9",
        )


def test_loading_takes_changes_and_equals_the_same_edit_of_the_file(tmp_path):
    folder = tiny_folder(tmp_path)
    made = sp.load(folder, changes=["materials[material=gallium].price_usd_per_kg=600"])
    edit(folder, "materials.csv", "metal,500,", "metal,600,")
    assert made == sp.load(folder)
    assert made.content_hash == sp.load(folder).content_hash


def test_without_changes_the_hash_stays(tiny):
    assert changed(tiny, "materials.price_usd_per_kg=*1").content_hash == tiny.content_hash
    assert changed(tiny) is tiny


def test_a_place_is_divided_from_its_value_at_the_right_equals_sign():
    assert split_place("coverage[metric=days].level=1=2") == ("coverage[metric=days].level", "1=2")
    assert split_place("seed = 1,2") == ("seed", "1,2")
    assert split_place("seed") is None


def test_quotes_hold_commas_together(tiny):
    made = replace(tiny, materials=(replace(tiny.materials[0], name="Ga, pure"), tiny.materials[1]))
    assert changed(made, 'materials["name=Ga, pure"].lot_t=2').materials[0].lot_t == 2.0


def test_the_text_of_a_change_is_kept_as_written():
    assert parse_override(" materials.lot_t = 2 ").text == "materials.lot_t = 2"


def test_commands_take_changes(tmp_path, capsys):
    from stockpile.cli import main

    assert main(["validate", str(TOY), "--set", "materials.price_usd_per_kg=*2"]) == 0
    changed_hash = capsys.readouterr().out.split("hash ")[1].strip()
    assert changed_hash == changed(sp.load(TOY), "materials.price_usd_per_kg=*2").content_hash[:12]
    assert main(["validate", str(TOY), "--set", "materials.prize=*2"]) == 2
    assert "materials has no prize" in capsys.readouterr().err
    folder = shutil.copytree(TOY, tmp_path / "toy")
    assert main(["solve", str(folder), "--set", "coverage.level=2"]) == 2
    assert "coverage.csv" in capsys.readouterr().err
