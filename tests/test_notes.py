"""Cells that are allowed but have no effect: solved all the same, and pointed out."""

from __future__ import annotations

import pytest
from folders import edit, tiny_folder

import stockpile as sp
from stockpile.cli import main

IN_VAIN = {
    "a loss that chooses classes": (
        "events.csv",
        "embargo,supply_loss,china,gallium,*,",
        "embargo,supply_loss,china,gallium,*,defense",
        ("line 2", "demand_class is ignored", "a supply_loss cannot choose classes"),
    ),
    "a probability of following nothing": (
        "hazards.csv",
        "0.8,0.2,,,",
        "0.8,0.2,,0.5,",
        ("line 2", "follow_probability is ignored"),
    ),
    "an event after the horizon": (
        "events.csv",
        "defense,24,3",
        "defense,25,3",
        ("line 4", "start_month", "never happens", "24"),
    ),
    "a stress event after the horizon": (
        "stress.csv",
        "canada,3",
        "canada,30",
        ("line 3", "start_month", "never happens"),
    ),
    "a confidence of a fill rate": (
        "coverage.csv",
        "fill_rate,0.9,",
        "fill_rate,0.9,0.95",
        ("line 2", "confidence is ignored", "not for fill_rate"),
    ),
    "a stress case of a fill rate": (
        "coverage.csv",
        "fill_rate,0.9,,",
        "fill_rate,0.9,,halt",
        ("line 2", "stress is ignored", "halt"),
    ),
    "a group of a fill rate": (
        "coverage.csv",
        "fill_rate,0.9,,,",
        "fill_rate,0.9,,,pool",
        ("line 2", "group is ignored", "pool"),
    ),
    "a renewal without a shelf life": (
        "materials.csv",
        "usgs,60,0.3",
        "usgs,,0.3",
        ("line 2", "renewal_loss is ignored"),
    ),
    "a product that is not used": (
        "recycling.csv",
        "japan,gallium,dy_oxide",
        "us,gallium,dy_oxide",
        ("line 3", "from_material", "nothing is recycled", "us has no use of dy_oxide"),
    ),
    "a recycled material that is not used": (
        "recycling.csv",
        "japan,gallium,dy_oxide",
        "us,dy_oxide,gallium",
        ("line 3", "column material: dy_oxide", "us has no use of dy_oxide"),
    ),
    "growth beyond the most": (
        "recycling.csv",
        "0.1,0.05,0.4",
        "0.4,0.05,0.4",
        ("line 2", "collection_growth_per_year is ignored"),
    ),
    "a delay of what does not grow": (
        "recycling.csv",
        "0.02,,,0.8,",
        "0.02,,,0.8,3",
        ("line 3", "delay_months is ignored"),
    ),
    "a slip without its probability": (
        "projects.csv",
        "12,0.2,24",
        "12,,24",
        ("line 2", "slip_months is ignored"),
    ),
    "a fast track that saves nothing": (
        "projects.csv",
        "1e6,6",
        "1e6,",
        ("line 2", "fast_track_usd", "never taken"),
    ),
    "a cap of everything": (
        "concentration.csv",
        "gallium,*,0.95",
        "gallium,*,1",
        ("line 2", "max_share", "it allows everything"),
    ),
    "a cap of what is not used": (
        "concentration.csv",
        "us;japan,*,china",
        "us,dy_oxide,china",
        ("line 3", "source", "no such supply is used"),
    ),
    "a cut price that chooses participants": (
        "events.csv",
        "gallium,,,13",
        "gallium,us,,13",
        ("line 6", "targets is ignored", "for all alike"),
    ),
    "a cut price that chooses classes": (
        "events.csv",
        "gallium,,,13",
        "gallium,,defense,13",
        ("line 6", "demand_class is ignored", "a price_cut cannot choose classes"),
    ),
    "a plant without capacity": (
        "conversions.csv",
        "0.85,10",
        "0.85,0",
        ("line 2", "capacity_t_per_month", "reduction serves nobody"),
    ),
    "a plant of which nobody may hold the input": (
        "holdings.csv",
        "japan,dy_oxide,,10,",
        "japan,dy_oxide,,,0",
        ("conversions.csv", "line 2", "from_material", "reduction serves nobody", "may hold"),
    ),
    "a share for a need that is none": (
        "plant_shares.csv",
        "industry,0.6",
        "industry,0.6\noxidation,us,dy_oxide,industry,0.1",
        ("line 3", "this part of oxidation stays idle", "us dy_oxide industry"),
    ),
    "a share for what a circle leads back to": (
        "plant_shares.csv",
        "industry,0.6",
        "industry,0.6\noxidation,us,gallium,industry,0.1",
        ("line 3", "this part of oxidation stays idle", "us gallium industry"),
    ),
    "a confidence without a limit": (
        "instance.toml",
        "cvar_limit_usd_per_year = 1e9\n",
        "",
        ("[risk] cvar_confidence", "is ignored"),
    ),
}


@pytest.mark.parametrize("name", IN_VAIN)
def test_what_is_said_in_vain_is_noted_with_its_place_and_loads(name, tmp_path):
    file, old, new, words = IN_VAIN[name]
    folder = tiny_folder(tmp_path)
    edit(folder, file, old, new)
    with pytest.warns(sp.InstanceWarning) as noted:
        sp.load(folder)
    assert len(noted) == 1
    for word in words if ".csv" in words[0] else (file, *words):
        assert word in str(noted[0].message)


def test_the_command_line_shows_notes_as_messages_and_goes_on(tmp_path, capsys):
    folder = tiny_folder(tmp_path)
    edit(folder, "coverage.csv", "fill_rate,0.9,", "fill_rate,0.9,0.95")
    assert main(["validate", str(folder)]) == 0
    shown = capsys.readouterr()
    assert "stockpile: note: confidence is ignored" in shown.err
    assert "valid" in shown.out


def test_a_folder_without_such_cells_brings_no_note(tmp_path, recwarn):
    sp.load(tiny_folder(tmp_path))
    assert not recwarn.list


def noted(folder):
    with pytest.warns(sp.InstanceWarning) as found:
        sp.load(folder)
    return [str(note.message) for note in found]


def test_a_cut_price_without_projects_is_noted(tmp_path):
    folder = tiny_folder(tmp_path)
    for name in ("projects", "project_products", "leads"):
        (folder / f"{name}.csv").unlink()
    edit(folder, "events.csv", "0.4,smelter", "0.4,")
    (note,) = noted(folder)
    assert "events.csv, line 6, column materials: gallium" in note
    assert "no project makes any of these materials" in note


def test_a_cap_is_met_by_projects_of_its_source_only(tmp_path):
    """Smelter counts as canada and gives dysprosium to Japan; without it canada gives none."""
    folder = tiny_folder(tmp_path)
    edit(folder, "concentration.csv", "us;japan,*,china", "japan,dy_oxide,canada")
    sp.load(folder)
    edit(folder, "projects.csv", "20,canada", "20,")
    (note,) = noted(folder)
    assert "concentration.csv, line 3, column source: canada" in note


def test_a_plant_from_which_nothing_is_shipped_is_noted_with_its_shares(tmp_path):
    """It makes dysprosium oxide in the United States, where nobody needs any."""
    folder = tiny_folder(tmp_path)
    edit(folder, "transfers.csv", "us,japan,1,1500\n", "")
    plant, share = noted(folder)
    assert "conversions.csv, line 3, column to_material: dy_oxide" in plant
    assert "the plant oxidation serves nobody: nobody that it can be shipped to" in plant
    assert "plant_shares.csv, line 2" in share
