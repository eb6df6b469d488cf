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
    for word in (file, *words):
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
