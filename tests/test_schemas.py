"""JSON Schemas refuse what the reader refuses, and take what it takes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stockpile as sp
from stockpile import cli
from stockpile.cells import CellError, Choice, Flag, NameList, Number, NumberList, Whole
from stockpile.errors import ResultError
from stockpile.plan import FORMAT, _read_summary
from stockpile.schemas import NAMES, schema, table_objects
from stockpile.tables import TABLES, columns

INSTANCES = Path(__file__).parent.parent / "instances"
FOLDERS = sorted(path.parent.name for path in INSTANCES.glob("*/instance.toml"))


def validator(name):
    return jsonschema.Draft202012Validator(schema(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_one(name):
    jsonschema.Draft202012Validator.check_schema(schema(name))
    json.dumps(schema(name), allow_nan=False)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_table_of_every_instance_fits(folder):
    instance = sp.load(INSTANCES / folder)
    rows = 0
    for table in TABLES:
        objects = json.loads(json.dumps(table_objects(instance, table)))
        validator(table).validate(objects)
        rows += len(objects)
    assert rows > 20


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_described_with_its_unit(table):
    properties = schema(table)["items"]["properties"]
    assert list(properties) == [column.name for column in columns(TABLES[table])]
    for column in columns(TABLES[table]):
        text = properties[column.name]["description"]
        cell = column.cell.number if isinstance(column.cell, NumberList) else column.cell
        assert getattr(cell, "unit", "") in text
        assert "`" not in text
        # More than what the kind of cell says by itself.
        assert len(text) > len(f"Expected: {column.cell.expected}.") + 2, column.name


def test_wrong_rows_are_refused():
    row = {"participant": "us", "name": "United States", "discount_rate_per_year": 0.04}
    check = validator("participants")
    check.validate([row, {**row, "refill_per_month": None, "note": ""}])
    for wrong in (
        [{**row, "refill_per_month": 1.5}],
        [{**row, "discount_rate_per_year": "0.04"}],
        [{**row, "discount_rate_per_year": None}],
        [{**row, "participant": "=us"}],
        [{**row, "participant": "us;japan"}],
        [{**row, "partcipant": "us"}],
        [{key: row[key] for key in ("participant", "name")}],
        row,
    ):
        assert not check.is_valid(wrong), wrong


CELLS = [
    pytest.param(table, column, id=f"{table}-{column.name}")
    for table in TABLES
    for column in columns(TABLES[table])
]
letters = st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Cn"])
"""Which others the reader refuses, unlike the schema, depends on the version of Unicode."""
texts = st.text(letters, max_size=8) | st.sampled_from(
    [
        "*",
        "us",
        "a;b",
        "=x",
        "+x",
        "-x",
        "@x",
        " a",
        "a ",
        "a\n",
        "a\tb",
        "\x00",
        "\u200b",
        "a\u00a0b",
    ]
)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
values = (
    texts
    | numbers
    | st.booleans()
    | st.lists(texts, max_size=3)
    | st.lists(numbers, max_size=3)
    | st.sampled_from([0, 1, 0.0, 0.5, 1.0, 1.5, -1e-9, 100, 1900, 2**63, 2**63 - 1])
)


def likely(cell):
    """Values of the right kind, so that not all are refused for the wrong one."""
    if isinstance(cell, Choice):
        return st.sampled_from(cell.options)
    if isinstance(cell, NameList):
        known = list(cell.options) or ["us", "japan"]
        return st.lists(st.sampled_from([*known, "*", ""]), max_size=3)
    if isinstance(cell, Flag):
        return st.booleans()
    if isinstance(cell, Whole):
        return st.integers(-3, 3000)
    if isinstance(cell, Number):
        return st.floats(-1.0, 3.0)
    return st.lists(st.floats(-1.0, 2.0), max_size=3) if isinstance(cell, NumberList) else texts


@pytest.mark.parametrize(("table", "column"), CELLS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_schema_of_a_cell_agrees_with_the_reader(table, column, data):
    value = data.draw(values | likely(column.cell))
    check = jsonschema.Draft202012Validator(schema(table)["items"]["properties"][column.name])
    try:
        column.take(tuple(value) if isinstance(value, list) else value)
        taken = True
    except CellError:
        taken = False
    assert check.is_valid(value) == taken


# --- plan.json ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plan():
    return sp.solve(sp.load(INSTANCES / "toy"), progress=False)


def test_a_real_plan_fits_with_and_without_its_tables(plan, tmp_path):
    plan.save(tmp_path / "result")
    validator("plan").validate(json.loads((tmp_path / "result" / "plan.json").read_text()))
    validator("plan").validate(json.loads(plan.to_json()))


def test_every_key_of_a_plan_is_described(plan):
    properties = schema("plan")["properties"]
    assert set(json.loads(plan.to_json())) == set(properties)
    assert all(described["description"] for described in properties.values())


CHANGES = [
    {"format": FORMAT + 1},
    {"status": "fine"},
    {"cooperation": "all"},
    {"sampling": "random"},
    {"sampling": 3},
    {"scenario_count": "4"},
    {"annual_cost_usd": "440600"},
    {"annual_cost_usd": True},
    {"seconds": None},
    {"conflicts": "none"},
    {"conflicts": [1]},
    {"conflicts": ["\x1b[2J"]},
    {"versions": {"python": 3.11}},
    {"instance": {"name": "toy"}},
    {"instance": "toy"},
]


@pytest.mark.parametrize("change", CHANGES, ids=json.dumps)
def test_what_the_reader_of_a_plan_refuses_its_schema_refuses(plan, tmp_path, change):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({**plan.summary(), **change}))
    with pytest.raises(ResultError):
        _read_summary(path)
    assert not validator("plan").is_valid(json.loads(path.read_text()))


@pytest.mark.parametrize(
    "key", ["format", "instance", "versions", "status", "gap", "seconds", "conflicts", "sampling"]
)
def test_keys_that_a_plan_needs(plan, tmp_path, key):
    left = {name: value for name, value in plan.summary().items() if name != key}
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(left))
    try:
        _read_summary(path)
        taken = True
    except ResultError:
        taken = False
    assert validator("plan").is_valid(left) == taken
    assert taken == (key == "sampling")


# --- The command ----------------------------------------------------------------------------------


def test_the_command_prints_a_schema(capsys):
    assert cli.main(["schema", "materials"]) == 0
    assert json.loads(capsys.readouterr().out) == schema("materials")


def test_the_command_lists_the_names(capsys):
    assert cli.main(["schema"]) == 0
    assert capsys.readouterr().out.split() == list(NAMES)


def test_an_unknown_name_is_refused(capsys):
    assert cli.main(["schema", "material"]) == 2
    assert "Did you mean materials?" in capsys.readouterr().err
