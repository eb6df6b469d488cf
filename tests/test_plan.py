"""The result folder: saved whole or not at all, read back as it was, refused when damaged."""

from __future__ import annotations

import csv
import errno
import json
import os
from dataclasses import fields, replace
from pathlib import Path

import pandas as pd
import pytest

import stockpile as sp
from stockpile.plan import TABLES
from stockpile.tables import (
    CoverageTarget,
    Demand,
    DemandClass,
    Event,
    Material,
    Participant,
    RuleRow,
    Scenario,
    Source,
    StressEvent,
    Supply,
    Transfer,
)

TOY = Path(__file__).parent.parent / "instances" / "toy"
DOCUMENTED = {
    "holdings.csv": [
        "participant",
        "material",
        "lots",
        "holding_t",
        "existing_t",
        "buy_t",
        "days_of_cover",
        "outlay_usd",
        "annual_holding_cost_usd",
    ],
    "rules.csv": ["participant", "material", "rule"],
    "coverage.csv": [
        "participant",
        "material",
        "demand_class",
        "metric",
        "level",
        "confidence",
        "achieved",
        "met",
    ],
    "costs.csv": ["participant", "material", "holding", "shortage", "shipping"],
}
"""Files of a result and the columns that the format names; further columns may come after."""


def promised(instance, **cells):
    """The instance with one promise more, of gallium for defense unless the cells say otherwise."""
    usual = {"material": ("gallium",), "demand_class": ("defense",)}
    return replace(instance, coverage=(*instance.coverage, CoverageTarget(**(usual | cells))))


@pytest.fixture(scope="module")
def toy():
    return sp.load(TOY)


@pytest.fixture(scope="module")
def plan(toy):
    return sp.solve(toy, progress=False)


@pytest.fixture(scope="module")
def earlier(toy):
    """Another plan, in which nothing is shared."""
    return sp.solve(toy, cooperation="none", progress=False)


@pytest.fixture(scope="module")
def infeasible(toy):
    """A promise that no stock can keep: 10,000 days of cover with a year at most."""
    return sp.solve(promised(toy, metric="days", level=10_000.0), progress=False)


@pytest.fixture(scope="module")
def without_plan(toy):
    return sp.solve(toy, time_limit=1e-9, progress=False)


@pytest.fixture
def result(plan, tmp_path):
    """A saved result folder."""
    plan.save(tmp_path / "result")
    return tmp_path / "result"


def contents(folder):
    """Every file below a folder, hidden ones too, with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def assert_same(one, other):
    """Compare two plans, all tables to the last digit."""
    for item in fields(sp.Plan):
        left, right = getattr(one, item.name), getattr(other, item.name)
        if isinstance(left, pd.DataFrame):
            pd.testing.assert_frame_equal(left, right, check_exact=True, check_dtype=not left.empty)
        elif item.name == "seconds":
            assert right == pytest.approx(left, abs=0.0005)
        else:
            assert left == right, item.name


# --- There and back -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["plan", "infeasible", "without_plan"])
def test_a_plan_is_read_back_as_it_was_saved(kind, request, tmp_path):
    saved = request.getfixturevalue(kind)
    saved.save(tmp_path / "result")
    read = sp.Plan.load(tmp_path / "result")
    assert_same(saved, read)
    read.save(tmp_path / "again")
    assert contents(tmp_path / "result") == contents(tmp_path / "again")


def test_the_statuses_are_those_of_the_three_ways_to_end(plan, infeasible, without_plan):
    assert (plan.status, plan.found) == (sp.Status.OPTIMAL, True)
    assert (infeasible.status, infeasible.found) == (sp.Status.INFEASIBLE, False)
    assert (without_plan.status, without_plan.found) == (sp.Status.TIME_LIMIT, False)


def test_the_folder_holds_the_documented_files_and_columns(result):
    written = contents(result)
    assert set(DOCUMENTED) <= set(written)
    assert set(written) == {"plan.json", *(f"{name}.csv" for name in TABLES)}
    for name, columns in DOCUMENTED.items():
        header = written[name].decode("utf-8").split("\n")[0].split(",")
        assert header[: len(columns)] == columns


def test_plan_json_says_what_was_solved_and_how_well(result, toy):
    summary = json.loads((result / "plan.json").read_text(encoding="utf-8"))
    assert summary["format"] == 1
    assert summary["instance"] == {"name": "toy", "hash": toy.content_hash}
    assert summary["seed"] is None  # The instance gives its scenarios itself.
    assert summary["scenario_count"] == 4
    assert summary["cooperation"] == "sharing"
    assert summary["status"] == "optimal"
    assert summary["bound_usd"] <= summary["annual_cost_usd"]
    assert 0.0 <= summary["gap"] <= 1e-9
    assert {"python", "stockpile", "numpy"} <= set(summary["versions"])


def test_files_are_utf8_with_plain_line_ends(result):
    for name, data in contents(result).items():
        assert b"\r" not in data, name
        assert data.endswith(b"\n"), name
        assert not data.startswith(b"\xef\xbb\xbf"), name
        data.decode("utf-8")


def test_every_stock_is_in_the_tables_once(plan):
    pairs = [(c, m) for m in ("gallium", "dy_oxide") for c in ("us", "japan")]
    for name in ("holdings", "rules", "costs"):
        table = getattr(plan, name)
        assert list(zip(table["participant"], table["material"], strict=True)) == pairs


def test_parts_of_the_cost_add_up_to_the_cost(plan):
    parts = plan.costs[["holding", "shortage", "shipping"]].to_numpy().sum()
    assert parts == pytest.approx(plan.annual_cost_usd, rel=1e-12)
    assert plan.certificates["annual_cost_usd"].sum() == pytest.approx(plan.annual_cost_usd)
    assert plan.certificates["bound_usd"].sum() == pytest.approx(plan.bound_usd)
    assert plan.costs["holding"].to_numpy() == pytest.approx(
        plan.holdings["annual_holding_cost_usd"].to_numpy()
    )


ODD = {
    "participants": ('us, "the"', "日本"),
    "materials": ("NA", "007", "1e5"),
    "classes": ("nan", "True"),
    "rule": "null",
    "stress": "None",
    "group": "2025-01-01",
}


def odd_instance():
    """Names that a careless reader would take for numbers, dates, or nothing at all."""
    nations, materials, classes = ODD["participants"], ODD["materials"], ODD["classes"]
    return sp.Instance(
        name="N/A",
        price_year=2025,
        horizon_months=12,
        participants=tuple(
            Participant(participant=c, name="x", discount_rate_per_year=0.05) for c in nations
        ),
        classes=tuple(
            DemandClass(demand_class=k, priority=i + 1, shortage_cost_multiple=5.0)
            for i, k in enumerate(classes)
        ),
        materials=tuple(
            Material(material=m, name="x", element="x", form="x", price_usd_per_kg=1.0, lot_t=0.3)
            for m in materials
        ),
        demand=tuple(
            Demand(participant=c, material=m, demand_class=classes[0], demand_t_per_year=1.0)
            for c in nations[:1]  # The other one has no demand, so no days of cover.
            for m in materials
        ),
        sources=(Source(source="x", name="x"),),
        supply=(Supply(participant=nations[0], material=materials[0], source="x", share=1.0),),
        scenarios=(Scenario(scenario="s", probability=1.0),),
        events=(Event(scenario="s", source="x", start_month=1, duration_months=7, severity=0.7),),
        stress=(
            StressEvent(
                stress=ODD["stress"], source="x", start_month=1, duration_months=2, severity=1.0
            ),
        ),
        coverage=(
            CoverageTarget(metric="stress", level=0.1, stress=ODD["stress"]),
            CoverageTarget(metric="days", level=1.0, group=ODD["group"]),
            CoverageTarget(metric="chance", level=0.1, confidence=1.0 / 3.0, sharing="off"),
        ),
        rules=(RuleRow(rule=ODD["rule"], relation=("*",), demand_class=("*",)),),
        transfers=(Transfer(from_participant=nations[0], to_participant=nations[1]),),
    )


def test_names_that_look_like_numbers_or_nothing_stay_names(tmp_path):
    made = odd_instance()
    sp.validate(made)
    odd = sp.solve(made, progress=False)
    assert odd.found
    odd.save(tmp_path / "result")
    read = sp.Plan.load(tmp_path / "result")
    assert_same(odd, read)
    assert read.instance_name == "N/A"
    assert set(read.holdings["participant"]) == set(ODD["participants"])
    assert set(read.holdings["material"]) == set(ODD["materials"])
    assert set(read.rules["rule"]) == {"null"}
    assert set(read.coverage["stress"]) == {"None", ""}
    assert set(read.coverage["group"]) == {"2025-01-01", ""}
    assert read.holdings["days_of_cover"].isna().sum() == 3
    read.save(tmp_path / "again")
    assert contents(tmp_path / "result") == contents(tmp_path / "again")
    assert sp.evaluate(made, read).annual_cost_usd == pytest.approx(odd.annual_cost_usd)


# --- JSON and spreadsheets ----------------------------------------------------------------------


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.parametrize("kind", ["plan", "infeasible", "without_plan"])
def test_json_has_no_word_that_json_does_not_know(kind, request):
    """NaN and Infinity are not JSON; what is not there is null."""
    made = request.getfixturevalue(kind)
    for text in (made.to_json(), made.files()["plan.json"]):
        json.loads(text, parse_constant=refuse)


def test_json_holds_the_same_as_the_tables(plan, result):
    data = json.loads(plan.to_json())
    for name in TABLES:
        with (result / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(data[name])
        for row, record in zip(rows, data[name], strict=True):
            assert list(row) == list(record)
            for column, cell in row.items():
                value = record[column]
                if value is None or value == "":
                    assert cell == ""
                elif isinstance(value, bool):
                    assert cell == str(value)
                elif isinstance(value, str):
                    assert cell == value
                else:
                    assert float(cell) == value


@pytest.mark.parametrize("mark", ["=", "+", "-", "@"])
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("participants", "participant"),
        ("materials", "material"),
        ("classes", "demand_class"),
        ("rules", "rule"),
        ("stress", "stress"),
        ("coverage", "group"),
        (None, "name"),
    ],
)
def test_no_name_that_a_spreadsheet_takes_for_a_formula_gets_into_a_result(
    toy, table, column, mark
):
    bad = f'{mark}HYPERLINK("x")'
    if table is None:
        changed = replace(toy, name=bad)
    else:
        first, *others = getattr(toy, table)
        changed = replace(toy, **{table: (replace(first, **{column: bad}), *others)})
    with pytest.raises(sp.InstanceError, match="spreadsheet"):
        sp.validate(changed)


def test_no_text_of_a_result_begins_like_a_formula(result):
    for name, data in contents(result).items():
        if name.endswith(".csv"):
            for row in csv.DictReader(data.decode("utf-8").splitlines()):
                for cell in row.values():
                    is_text = cell and not cell.lstrip("+-").replace(".", "").isdigit()
                    if is_text and "e-" not in cell:
                        assert cell[0] not in "=+-@\t\r"


# --- Where a result may go ----------------------------------------------------------------------


def test_an_earlier_result_is_replaced(plan, earlier, tmp_path):
    earlier.save(tmp_path / "result")
    plan.save(tmp_path / "result")
    assert_same(plan, sp.Plan.load(tmp_path / "result"))
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_an_empty_folder_is_filled_and_missing_parents_are_made(plan, tmp_path):
    (tmp_path / "empty").mkdir()
    plan.save(tmp_path / "empty")
    plan.save(tmp_path / "a" / "b" / "c")
    assert contents(tmp_path / "empty") == contents(tmp_path / "a" / "b" / "c")


def test_a_result_is_not_put_in_place_of_the_current_folder(plan, tmp_path, monkeypatch):
    """Whoever stands in the folder would stand in one that is gone."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for folder in (".", tmp_path / "here", ".."):
        with pytest.raises(sp.UsageError, match="is where you are"):
            plan.save(folder)
    assert os.listdir(".") == []
    plan.save("inside")
    assert_same(plan, sp.Plan.load("inside"))


@pytest.mark.parametrize(
    "foreign", ["notes.txt", "instance.toml", ".hidden", "plan.json.bak", "Rules.csv"]
)
def test_a_folder_with_anything_else_in_it_is_left_alone(plan, result, foreign):
    (result / foreign).write_text("mine", encoding="utf-8")
    before = contents(result)
    with pytest.raises(sp.UsageError, match=foreign):
        plan.save(result)
    assert contents(result) == before


def test_tables_of_somebody_else_are_no_earlier_result(plan, tmp_path):
    """Tables of an instance have the same names: without plan.json they are no result."""
    folder = tmp_path / "tables"
    folder.mkdir()
    for name in ("rules.csv", "coverage.csv", "holdings.csv"):
        (folder / name).write_text("mine", encoding="utf-8")
    before = contents(folder)
    with pytest.raises(sp.UsageError, match="not empty"):
        plan.save(folder)
    assert contents(folder) == before


def test_a_file_or_a_link_in_the_way_is_left_alone(plan, result, tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to(result)
    for name in ("file", "link", "file/below"):
        with pytest.raises(sp.UsageError, match="folder"):
            plan.save(tmp_path / name)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "link").is_symlink()


# --- Whole or not at all ------------------------------------------------------------------------


@pytest.fixture(params=["a new folder", "an empty folder", "an earlier result"])
def target(request, tmp_path, earlier):
    folder = tmp_path / "result"
    if request.param == "an empty folder":
        folder.mkdir()
    elif request.param == "an earlier result":
        earlier.save(folder)
    return folder


def assert_nothing_changed(plan, target, error, **raises):
    parent = target.parent
    existed, before = target.exists(), contents(parent)
    with pytest.raises(error, **raises):
        plan.save(target)
    assert contents(parent) == before
    assert target.exists() == existed
    assert [path.name for path in parent.iterdir()] == (["result"] if existed else [])


@pytest.mark.parametrize("call", [1, 3, 6])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_nothing_is_left_behind_when_a_file_cannot_be_written(
    plan, target, monkeypatch, call, error
):
    write, calls = Path.write_bytes, []

    def fails(path, data):
        calls.append(path)
        if len(calls) == call:
            write(path, data[: len(data) // 2])
            raise error
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", fails)
    assert_nothing_changed(plan, target, type(error))


def test_nothing_is_left_behind_when_the_disk_is_full(plan, target):
    """No file may grow beyond 200 bytes; plan.json does."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    earlier = contents(target.parent)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    try:
        plan.save(target)
        problem = None
    except OSError as error:
        problem = error
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert problem is not None
    assert contents(target.parent) == earlier


@pytest.mark.parametrize("call", [1, 2])
def test_nothing_is_left_behind_when_a_rename_fails(plan, target, monkeypatch, call):
    rename, calls = Path.rename, []

    def fails(path, new):
        calls.append(path)
        if len(calls) == call:
            raise OSError(errno.EACCES, "Permission denied")
        return rename(path, new)

    if call == 2 and not target.exists():
        pytest.skip("a new folder takes one rename")
    monkeypatch.setattr(Path, "rename", fails)
    assert_nothing_changed(plan, target, OSError, match="Permission denied")


def test_no_parent_folder_is_left_behind_when_writing_fails(plan, tmp_path, monkeypatch):
    def fails(path, data):
        raise OSError(errno.ENOSPC, "No space left")

    monkeypatch.setattr(Path, "write_bytes", fails)
    with pytest.raises(OSError, match="No space"):
        plan.save(tmp_path / "a" / "b" / "result")
    assert list(tmp_path.iterdir()) == []


# --- Damaged results ----------------------------------------------------------------------------


def assert_refused(folder, *words):
    """Refused with a text for people that names the file."""
    with pytest.raises(sp.ResultError) as refused:
        sp.Plan.load(folder)
    text = str(refused.value)
    for word in (str(folder), *words):
        assert word in text
    return text


def edited(folder, **changes):
    path = folder / "plan.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(data | changes), encoding="utf-8")


def test_a_folder_without_a_plan_is_no_result(tmp_path):
    assert_refused(tmp_path, "plan.json", "stockpile solve")
    assert_refused(tmp_path / "missing", "plan.json")
    assert_refused(TOY, "plan.json")


@pytest.mark.parametrize(
    "text", ["", "{", "not JSON", "[]", "3", '"text"', "null", '{"format": 1}']
)
def test_a_damaged_plan_json_is_refused(result, text):
    (result / "plan.json").write_text(text, encoding="utf-8")
    assert_refused(result, "plan.json", "damaged")


def test_a_plan_json_that_is_not_utf8_is_refused(result):
    (result / "plan.json").write_bytes(b'{"format": "\xff\xfe"}')
    assert_refused(result, "plan.json", "damaged")


@pytest.mark.parametrize("length", [0, 1, 10, 100, 200, 400])
def test_a_plan_json_that_was_cut_off_is_refused(result, length):
    path = result / "plan.json"
    path.write_bytes(path.read_bytes()[:length])
    assert_refused(result, "plan.json", "damaged")


@pytest.mark.parametrize("number", [0, 2, 99, "1", None])
def test_an_unknown_format_is_named_with_the_one_that_is_known(result, number):
    edited(result, format=number)
    assert_refused(result, "plan.json", f"format {number!r}", "format 1")


@pytest.mark.parametrize(
    "key",
    [
        "format",
        "instance",
        "versions",
        "seed",
        "scenario_count",
        "cooperation",
        "status",
        "annual_cost_usd",
        "bound_usd",
        "gap",
        "seconds",
        "conflicts",
    ],
)
def test_a_missing_key_of_plan_json_is_named(result, key):
    path = result / "plan.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    del data[key]
    path.write_text(json.dumps(data), encoding="utf-8")
    assert_refused(result, "plan.json", key, "missing")


@pytest.mark.parametrize(("seed", "sampling"), [(3, "plain"), (None, None)])
def test_a_result_from_before_there_was_a_choice_was_sampled_plainly(result, seed, sampling):
    path = result / "plan.json"
    data = json.loads(path.read_text(encoding="utf-8")) | {"seed": seed}
    del data["sampling"]
    path.write_text(json.dumps(data), encoding="utf-8")
    assert sp.Plan.load(result).sampling == sampling


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("status", "perfect"),
        ("cooperation", "sometimes"),
        ("instance", "toy"),
        ("instance", {"name": 3, "hash": None}),
        ("annual_cost_usd", "cheap"),
        ("bound_usd", "low"),
        ("gap", [0.1]),
        ("seed", "lucky"),
        ("sampling", "lucky"),
        ("sampling", 3),
        ("scenario_count", "many"),
        ("seconds", "few"),
        ("conflicts", 7),
        ("versions", "new"),
    ],
)
def test_a_value_of_the_wrong_kind_in_plan_json_is_refused(result, key, value):
    """Else it would be found out only when somebody prints or evaluates the plan."""
    edited(result, **{key: value})
    assert_refused(result, "plan.json")


@pytest.mark.parametrize("name", sorted(f"{name}.csv" for name in TABLES))
def test_a_missing_or_empty_table_is_named(result, name):
    text = (result / name).read_text(encoding="utf-8")
    (result / name).unlink()
    assert_refused(result, name)
    (result / name).write_text("", encoding="utf-8")
    assert_refused(result, name)
    (result / name).write_bytes(b"\xff\xfe\x00")
    assert_refused(result, name)
    (result / name).write_text(text, encoding="utf-8")
    sp.Plan.load(result)  # The nearest valid folder is read.


@pytest.mark.parametrize("name", sorted(f"{name}.csv" for name in TABLES))
def test_a_table_with_other_columns_is_refused(result, name):
    path = result / name
    text = path.read_text(encoding="utf-8")
    path.write_text("matter" + text.partition(",")[1] + text.partition(",")[2], encoding="utf-8")
    assert "matter" in assert_refused(result, name, "expected")
    lines = [line.rpartition(",")[0] for line in text.splitlines()]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert_refused(result, name, "expected")


@pytest.mark.parametrize(
    ("name", "column", "cell"),
    [
        ("holdings.csv", "lots", "many"),
        ("holdings.csv", "lots", ""),
        ("holdings.csv", "lots", "1.5"),
        ("holdings.csv", "holding_t", "much"),
        ("holdings.csv", "outlay_usd", "1,000"),
        ("coverage.csv", "met", "maybe"),
        ("coverage.csv", "level", "high"),
        ("costs.csv", "shortage", "little"),
        ("certificates.csv", "gap", "small"),
    ],
)
def test_a_cell_of_the_wrong_kind_is_refused(result, name, column, cell):
    path = result / name
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[0, column] = cell
    frame.to_csv(path, index=False)
    assert_refused(result, name)


def test_a_row_with_too_many_cells_is_refused(result):
    path = result / "holdings.csv"
    path.write_text(path.read_text(encoding="utf-8") + "us,x,1,2,3,4,5,6,7,8,9,10\n")
    assert_refused(result, "holdings.csv")


def test_a_number_of_lots_beyond_all_measure_is_refused(result):
    path = result / "holdings.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(",3,3.0,", ",99999999999999999999,3.0,", 1), encoding="utf-8")
    assert_refused(result, "holdings.csv", "lots", "99999999999999999999")


def test_text_that_would_command_a_terminal_is_refused(result):
    path = result / "holdings.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("gallium", "gal\x1b[31mlium", 1), encoding="utf-8")
    assert_refused(result, "holdings.csv", "material", "control characters")


def test_a_summary_that_would_command_a_terminal_is_refused(result):
    path = result / "plan.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**data, "conflicts": ["\x1b[2J"]}), encoding="utf-8")
    assert_refused(result, "plan.json", "control characters")


def test_a_summary_nested_beyond_all_measure_is_refused(result):
    (result / "plan.json").write_text("[" * 200_000, encoding="utf-8")
    assert_refused(result, "plan.json", "damaged")
