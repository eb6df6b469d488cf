"""Private tables over a public instance: the same as if they had been written into its files."""

from __future__ import annotations

import pytest
from folders import edit, tiny_folder, write

import stockpile as sp
from stockpile.cli import main
from stockpile.overlay import KEYS
from stockpile.tables import TABLES, columns


@pytest.fixture
def folder(tmp_path):
    return tiny_folder(tmp_path)


@pytest.fixture
def private(tmp_path):
    made = tmp_path / "private"
    made.mkdir()
    return made


def mistakes(folder, private):
    with pytest.raises(sp.InstanceError) as caught:
        sp.load(folder, overlay=private)
    return caught.value.mistakes


def test_every_table_has_a_key_of_its_own_columns():
    assert set(KEYS) == set(TABLES)
    for table, key in KEYS.items():
        assert key
        assert set(key) <= {column.name for column in columns(TABLES[table])}


def test_cells_change_and_the_rest_of_the_row_stays(folder, private):
    write(private, "holdings.csv", "participant,material,existing_t\nus,gallium,7\n")
    made = sp.load(folder, overlay=private)
    edit(folder, "holdings.csv", "us,gallium,2,4,10", "us,gallium,7,4,10")
    assert made == sp.load(folder)
    assert made.content_hash == sp.load(folder).content_hash


def test_an_empty_cell_changes_nothing(folder, private):
    write(private, "holdings.csv", "participant,material,existing_t,max_t\nus,gallium,7,\n")
    row = sp.load(folder, overlay=private).holdings[0]
    assert (row.existing_t, row.min_t, row.max_t) == (7.0, 4.0, 10.0)


def test_an_empty_cell_of_a_key_is_a_part_of_it(folder, private):
    """Two rows recycle gallium in Japan: from gallium itself, by an empty cell, and from oxide."""
    write(
        private,
        "recycling.csv",
        "participant,material,from_material,collection_rate\n"
        "japan,gallium,,0.2\njapan,gallium,dy_oxide,0.3\n",
    )
    write(private, "concentration.csv", "participant,material,source,max_share\n,gallium,,0.5\n")
    made = sp.load(folder, overlay=private)
    assert [(row.from_material, row.collection_rate) for row in made.recycling] == [
        (None, 0.2),
        ("dy_oxide", 0.3),
    ]
    assert [row.yield_ for row in made.recycling] == [0.9, 0.8]
    assert [row.max_share for row in made.concentration] == [0.5, 0.9]


def test_new_rows_are_added_after_the_others(folder, private):
    write(private, "holdings.csv", "participant,material,existing_t\njapan,gallium,3\n")
    made = sp.load(folder, overlay=private)
    assert [(row.participant, row.material) for row in made.holdings][-1] == ("japan", "gallium")
    assert len(made.holdings) == 3


def test_tables_without_names_are_matched_by_what_their_rows_are_about(folder, private):
    write(private, "shortage.csv", "material,shortage_cost_usd_per_kg\ngallium,1\n")
    write(
        private,
        "coverage.csv",
        "material,demand_class,metric,level,group\ngallium,*,days,45,pool\n",
    )
    made = sp.load(folder, overlay=private)
    assert [row.shortage_cost_usd_per_kg for row in made.shortage] == [1.0, 3000.0, 25000.0]
    assert [row.level for row in made.coverage if row.metric == "days"] == [60.0, 45.0]


def test_an_overlay_over_a_table_that_is_not_there_is_the_table(folder, private):
    (folder / "holdings.csv").unlink()
    write(private, "holdings.csv", "participant,material,existing_t\nus,gallium,7\n")
    assert [row.existing_t for row in sp.load(folder, overlay=private).holdings] == [7.0]


def test_wrong_cells_name_the_file_of_the_overlay(folder, private):
    write(private, "holdings.csv", "participant,material,existing_t\nus,gallium,-7\n")
    (mistake,) = mistakes(folder, private)
    assert (mistake.file, mistake.line, mistake.column) == ("private/holdings.csv", 2, "existing_t")


def test_names_that_nobody_knows_name_the_file_of_the_overlay(folder, private):
    write(private, "holdings.csv", "participant,material,existing_t\nus,galium,7\n")
    (mistake,) = mistakes(folder, private)
    assert (mistake.file, mistake.line, mistake.value) == ("private/holdings.csv", 2, "galium")
    assert "gallium" in mistake.hint


def test_a_new_row_has_to_be_whole(folder, private):
    write(private, "supply.csv", "participant,material,source\njapan,gallium,canada\n")
    (mistake,) = mistakes(folder, private)
    assert "new one needs share" in mistake.message


def test_a_key_twice_and_a_key_of_two_rows_are_refused(folder, private):
    write(private, "holdings.csv", "participant,material\nus,gallium\nus,gallium\n")
    (mistake,) = mistakes(folder, private)
    assert "same key" in mistake.message
    write(private, "holdings.csv", "participant,material\nus,gallium\n")
    edit(folder, "shortage.csv", "*,gallium,*,20000", "*,gallium,*,20000\n*,gallium,*,20001")
    write(private, "shortage.csv", "material,shortage_cost_usd_per_kg\ngallium,1\n")
    assert any(
        "2 rows of the instance have this key" in item.message for item in mistakes(folder, private)
    )


def test_unknown_tables_settings_and_folders_are_refused(folder, private):
    assert "has no tables" in mistakes(folder, private)[0].message
    write(private, "holding.csv", "participant\n")
    write(private, "instance.toml", "format = 1\n")
    found = [item.message for item in mistakes(folder, private)]
    assert any("holding.csv is no table" in message for message in found)
    assert any("tables only" in message for message in found)
    assert "no such overlay" in mistakes(folder, private / "nowhere")[0].message


def test_a_link_out_of_the_overlay_is_refused(folder, private, tmp_path):
    write(tmp_path, "secret.csv", "participant,material,existing_t\nus,gallium,7\n")
    (private / "holdings.csv").symlink_to(tmp_path / "secret.csv")
    assert "outside" in mistakes(folder, private)[0].message


def test_nothing_is_written_to_either_folder(folder, private, tmp_path, capsys):
    write(private, "holdings.csv", "participant,material,existing_t\nus,gallium,7\n")

    def content():
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    before = content()
    assert main(["validate", str(folder), "--overlay", str(private)]) == 0
    assert content() == before
    assert "valid" in capsys.readouterr().out
