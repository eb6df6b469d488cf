"""Files of tables: spreadsheet, CSV and LaTeX say what the table says, whatever names are like."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stockpile as sp
from stockpile import cli
from stockpile.languages import language
from stockpile.reports import spreadsheet as spreadsheet_module
from stockpile.reports import tables_folder
from stockpile.reports.csv_files import csv_text, unguarded
from stockpile.reports.document import Column, Table
from stockpile.reports.latex import escaped, latex_files, latex_table
from stockpile.reports.spreadsheet import number_format, sheet_names, spreadsheet
from stockpile.reports.tables_folder import FILES, write_tables

TOY = Path(__file__).parent.parent / "instances" / "toy"
ENGLISH = language("en")
DANGEROUS = (
    "=1+1",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",  # noqa: RUF001  Wide letters are taken for formulas, too.
    "'=1",
    "=HYPERLINK(0)",
    "{=1}",
)
COLUMNS = (
    Column("Name", "name"),
    Column("Held", "held_t", "t", "number"),
    Column("Kept", "kept", kind="share"),
    Column("Lots", "lots", kind="whole"),
)


def with_names(names):
    rows = tuple((name, 1.5 + place, 0.25, place) for place, name in enumerate(names))
    return Table("names", "Names", COLUMNS, rows)


def workbook_of(*tables, say=ENGLISH):
    return openpyxl.load_workbook(io.BytesIO(spreadsheet(tables, say, title="T", about=("a",))))


@pytest.fixture(scope="module")
def toy():
    return sp.load(TOY)


@pytest.fixture(scope="module")
def plan(toy):
    return sp.solve(toy, progress=False)


@pytest.fixture(scope="module")
def result(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables") / "result"
    plan.save(folder)
    return folder


# --- Spreadsheet ----------------------------------------------------------------------------------


def test_the_spreadsheet_of_the_toy_has_the_numbers_of_its_tables(toy, plan):
    tables = sp.office_tables(plan, toy)
    book = workbook_of(*tables)
    assert book.sheetnames == ["Contents", *(table.title for table in tables)]
    for table in tables:
        sheet = book[table.title]
        lines = list(sheet.iter_rows(values_only=True))
        assert lines[0] == tuple(column.heading for column in table.columns)
        for line, row in zip(lines[1:], table.rows, strict=True):
            for got, cell in zip(line, row, strict=True):  # The file holds 16 digits.
                assert got == (cell if isinstance(cell, str | None) else pytest.approx(cell, 1e-15))
        assert sheet.freeze_panes == "B2"
        last = f"{chr(ord('A') + len(table.columns) - 1)}{len(table.body) + 1}"
        assert sheet.auto_filter.ref == f"A1:{last}"
        for row in sheet.iter_rows(min_row=2):
            for cell, column in zip(row, table.columns, strict=True):
                if cell.value is not None:
                    assert cell.data_type == ("s" if column.kind == "text" else "n")


def test_the_index_leads_to_every_sheet(toy, plan):
    book = workbook_of(*sp.office_tables(plan, toy))
    links = [cell.hyperlink.location for row in book["Contents"] for cell in row if cell.hyperlink]
    assert links == [f"'{name}'!A1" for name in book.sheetnames[1:]]


def test_japanese_sheets_have_japanese_names_and_headings(toy, plan):
    japanese = sp.office_tables(plan, toy, lang="ja")
    book = workbook_of(*japanese, say=language("ja"))
    assert book.sheetnames == ["目次", "年次資材計画", "鉱物別の不足量", "備蓄日数"]
    headings = [cell.value for cell in book["年次資材計画"][1]]
    assert "取得上限 [トン]" in headings
    assert "取得費用 [百万米ドル]" in headings


@given(st.lists(st.text(max_size=20) | st.sampled_from(DANGEROUS), max_size=4))
def test_no_text_becomes_a_formula_a_number_or_a_link(names):
    data = spreadsheet([with_names(names)], ENGLISH, title="=T", about=("+a",))
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for part in package.namelist():
            assert b"<f>" not in package.read(part)
            assert not part.startswith("xl/externalLinks")
    sheet = openpyxl.load_workbook(io.BytesIO(data))["Names"]
    for name, row in zip(names, sheet.iter_rows(min_row=2), strict=True):
        if name:
            assert row[0].data_type == "s"
        assert [cell.value for cell in row[1:]] == list(with_names(names).rows[row[0].row - 2][1:])


@pytest.mark.parametrize("name", DANGEROUS)
def test_a_text_like_a_formula_reads_back_as_it_was_and_is_marked(name):
    cell = workbook_of(with_names([name]))["Names"]["A2"]
    assert cell.value.replace("_x000D_", "\r") == name
    assert cell.data_type == "s"
    assert cell.quotePrefix == spreadsheet_module.like_formula(name)


def test_shown_numbers_keep_three_digits():
    kinds = {value: number_format(value, COLUMNS[1]) for value in (0.0, 3.0, 0.0123, 45.6, 1e6 / 7)}
    assert list(kinds.values()) == ["#,##0", "#,##0", "#,##0.0###", "#,##0.0", "#,##0"]
    assert number_format(0.5, COLUMNS[2]) == "0.0%"
    assert number_format(5.0, COLUMNS[3]) == "#,##0"


def test_a_table_with_nothing_but_totals_can_be_written():
    table = Table("x", "X", COLUMNS, (("Total", 0.0, None, 0),), total=True)
    sheet = workbook_of(table)["X"]
    assert [cell.value for cell in sheet[2]] == ["Total", 0, None, 0]
    assert sheet.auto_filter.ref is None
    assert csv_text(table) == "name,held_t,kept,lots\n"
    assert r"Total & 0 &  & 0 \\" in latex_table(table).splitlines()


def test_cells_without_a_number_are_empty():
    rows = (("a", None, math.nan, 1), ("b", math.inf, 0.5, 2))
    sheet = workbook_of(Table("x", "X", COLUMNS, rows))["X"]
    assert [cell.value for cell in sheet["B"]][1:] == [None, None]
    assert [cell.value for cell in sheet["C"]][1:] == [None, 0.5]


def test_a_text_too_long_for_a_cell_is_cut_and_says_so():
    sheet = workbook_of(with_names(["x" * 40_000]))["Names"]
    assert len(sheet["A2"].value) == 32_767
    assert sheet["A2"].value.endswith("x...")


@given(st.lists(st.text(max_size=50), min_size=1, max_size=8))
def test_sheets_have_names_that_spreadsheets_take(titles):
    names = sheet_names(titles)
    assert len({name.casefold() for name in names}) == len(titles)
    for name in names:
        assert 1 <= len(name) <= 31
        assert not set(name) & set("[]:*?/\\")
        assert name[0] != "'"
        assert name[-1] != "'"


def test_the_same_tables_give_the_same_bytes(toy, plan):
    tables = sp.office_tables(plan, toy)
    one, other = (spreadsheet(tables, ENGLISH, title="T") for _ in range(2))
    assert one == other


# --- CSV ------------------------------------------------------------------------------------------


def test_csv_has_keys_all_digits_and_no_totals():
    table = Table(
        "x",
        "X",
        COLUMNS,
        (("a", 1 / 3, None, 2), ("b", math.nan, 0.5, 3), ("Total", 1.0, None, 5)),
        total=True,
    )
    assert csv_text(table) == f"name,held_t,kept,lots\na,{1 / 3!r},,2\nb,,0.5,3\n"


@given(st.lists(st.text() | st.sampled_from(DANGEROUS)))
def test_csv_is_safe_against_formulas_and_loses_nothing(names):
    lines = list(csv.reader(io.StringIO(csv_text(with_names(names)), newline="")))
    for name, line in zip(names, lines[1:], strict=True):
        assert not line[0].startswith(("=", "+", "-", "@", "\t", "\r"))
        assert unguarded(line[0]) == name


def test_numbers_below_zero_stay_numbers_in_csv():
    assert csv_text(Table("x", "X", COLUMNS[1:2], ((-1.5,),))) == "held_t\n-1.5\n"


# --- LaTeX ----------------------------------------------------------------------------------------

SPECIAL = "#$%&_{}~^\\<>|\"'`[]*-"


def unescaped(latex):
    """Undo the escapes, in the way that LaTeX reads them."""
    words = {
        "textbackslash": "\\",
        "textasciicircum": "^",
        "textasciitilde": "~",
        "textless": "<",
        "textgreater": ">",
        "textbar": "|",
        "textquotedbl": '"',
        "textquotesingle": "'",
        "textasciigrave": "`",
    }
    pattern = r"\\([a-z]+)\{\}|\\([{}$&#%_])|\{([\[\]*\-])\}|([^\\{}$&#%_^~])"
    found, end = [], 0
    for match in re.finditer(pattern, latex, re.DOTALL):
        assert match.start() == end, latex[end:]
        end = match.end()
        word, mark, kept, plain = match.groups()
        found.append(words[word] if word else mark or kept or plain)
    assert end == len(latex)
    return "".join(found)


@given(st.text() | st.text(alphabet=SPECIAL))
def test_latex_sets_every_letter_as_it_is(text):
    assert unescaped(escaped(text)) == text.replace("\n", " ").replace("\t", " ")


def test_latex_table_is_whole(toy, plan):
    for table in sp.office_tables(plan, toy):
        text = latex_table(table)
        assert text.count(r"\begin{longtable}") == text.count(r"\end{longtable}") == 1
        assert text.count(r"\toprule") == 2
        assert text.count(r"\midrule") == 2 + table.total
        body = text.split(r"\endfoot" + "\n")[1].split(r"\end{longtable}")[0]
        lines = [line for line in body.splitlines() if line != r"\midrule"]
        assert len(lines) == len(table.rows)
        assert all(line.count(" & ") == len(table.columns) - 1 for line in lines)
        assert all(line.endswith(r" \\") for line in lines)
        assert rf"\label{{tab:{table.name}}}" in text


def test_latex_writes_shares_and_gaps_as_readers_do():
    rows = (("a_b", -1.5, 0.25, 1), ("c", None, None, 2))
    lines = latex_table(Table("x", "50 %", COLUMNS, rows)).splitlines()
    assert r"a\_b & $-$1.5 & 25\,\% & 1 \\" in lines
    assert r"c & -- & -- & 2 \\" in lines
    assert r"\caption{50 \%}\label{tab:x}\\" in lines


def test_the_whole_document_reads_every_table(toy, plan):
    for lang, kind in (("en", "article"), ("ja", "ltjsarticle")):
        tables = sp.office_tables(plan, toy, lang=lang)
        files = latex_files(tables, title="A & B", lang=lang)
        whole = files["tables.tex"]
        assert rf"\documentclass{{{kind}}}" in whole
        assert r"\section*{A \& B}" in whole
        named = re.findall(r"\\input\{(.+)\}", whole)
        assert sorted(files) == sorted(["tables.tex", *(f"{name}.tex" for name in named)])
        assert len(named) == len(tables)


# --- The folder and the command -------------------------------------------------------------------


def test_the_command_writes_all_files(result, tmp_path, capsys):
    out = tmp_path / "tables"
    assert cli.main(["tables", str(TOY), str(result), "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    manifest = json.loads((out / "tables.json").read_text(encoding="utf-8"))
    assert sorted([*manifest["files"], "tables.json"]) == sorted(FILES)
    for described in manifest["tables"]:
        header = (out / f"{described['name']}.csv").read_text(encoding="utf-8").splitlines()[0]
        assert header.split(",") == [column["key"] for column in described["columns"]]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "tables.xlsx" in captured.err


def test_the_files_agree(toy, plan, tmp_path):
    out = write_tables(plan, toy, tmp_path / "tables", lang="ja")
    for table in sp.office_tables(plan, toy, lang="ja"):
        read = pd.read_csv(out / f"{table.name}.csv")
        pd.testing.assert_frame_equal(read, table.frame(), check_dtype=False)
        of_sheet = pd.read_excel(out / "tables.xlsx", sheet_name=table.title)
        assert of_sheet.iloc[: len(table.body), 3:].to_numpy(dtype=float) == pytest.approx(
            read.iloc[:, 3:].to_numpy(dtype=float), nan_ok=True
        )
    tidy = pd.read_csv(out / "tidy.csv", keep_default_na=False, na_values={"value": [""]})
    pd.testing.assert_frame_equal(tidy, plan.tidy(), check_dtype=False)
    pd.testing.assert_frame_equal(
        pd.read_parquet(out / "tidy.parquet"), plan.tidy(), check_dtype=False
    )


@pytest.mark.parametrize(
    ("option", "endings"),
    [
        ("--csv", {".csv"}),
        ("--xlsx", {".xlsx"}),
        ("--latex", {".tex"}),
        ("--parquet", {".parquet"}),
    ],
)
def test_one_format_alone(result, tmp_path, option, endings):
    out = tmp_path / "tables"
    assert cli.main(["tables", str(TOY), str(result), "--out", str(out), option]) == 0
    assert {path.suffix for path in out.iterdir()} == endings | {".json"}


def test_an_earlier_folder_is_replaced_and_no_other(result, tmp_path, capsys):
    out = tmp_path / "tables"
    command = ["tables", str(TOY), str(result), "--out", str(out)]
    assert cli.main([*command, "--latex"]) == 0
    assert cli.main([*command, "--csv"]) == 0
    assert not list(out.glob("*.tex"))
    (out / "mine.txt").write_text("kept")
    before = sorted(path.name for path in out.iterdir())
    assert cli.main(command) == 2
    assert "mine.txt" in capsys.readouterr().err
    assert sorted(path.name for path in out.iterdir()) == before


def test_a_plan_of_another_instance_is_refused_and_nothing_is_written(result, tmp_path, capsys):
    out = tmp_path / "tables"
    command = ["tables", str(TOY), str(result), "--out", str(out)]
    assert cli.main([*command, "--set", "materials.price_usd_per_kg=*2"]) == 2
    assert "not from toy as it is now" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("module", "name", "extra"),
    [("xlsxwriter", "xlsx", "report"), ("pyarrow", "parquet", "parquet")],
)
def test_what_is_not_installed_is_left_out_or_named(
    result, tmp_path, capsys, monkeypatch, module, name, extra
):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda wanted: None if wanted == module else find(wanted)
    )
    out = tmp_path / "tables"
    command = ["tables", str(TOY), str(result), "--out", str(out)]
    assert cli.main(command) == 0
    assert f'left out {name}: pip install "stockpile[{extra}]"' in capsys.readouterr().err
    assert not list(out.glob(f"*.{name}"))
    assert cli.main([*command, f"--{name}"]) == 2
    assert f'pip install "stockpile[{extra}]"' in capsys.readouterr().err


def test_an_unknown_format_is_refused(toy, plan, tmp_path):
    with pytest.raises(sp.UsageError, match="Did you mean xlsx"):
        write_tables(plan, toy, tmp_path / "tables", formats=["xls"])
    assert tables_folder.possible_formats() == ("csv", "xlsx", "latex", "parquet")
