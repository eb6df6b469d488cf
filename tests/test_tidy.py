"""One long table of a plan: nothing of the plan is lost in it, nor in its Parquet files."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import stockpile as sp
from stockpile.parquet import FILES
from stockpile.plan import TABLES, table
from stockpile.tables import Holding
from stockpile.tidy import COLUMNS, KEYS, UNITS

TOY = Path(__file__).parent.parent / "instances" / "toy"


@pytest.fixture(scope="module")
def toy():
    return sp.load(TOY)


@pytest.fixture(scope="module")
def plan(toy):
    return sp.solve(toy, progress=False)


@pytest.fixture(scope="module")
def full(plan):
    """The plan of the toy with rows in every table, and numbers that are missing or large."""
    return replace(
        plan,
        seed=2**53 + 1,
        sampling="plain",
        conflicts=("one, with a comma", "two"),
        facilities=table(
            "facilities",
            [
                {
                    "facility": "a",
                    "participant": "us",
                    "storage_kind": "dry",
                    "capacity_t": 1.0,
                    "open": True,
                    "fixed_cost_usd_per_year": 0.1,
                }
            ],
        ),
        projects=table(
            "projects",
            [
                {
                    "project": "smelter",
                    "kind": "refining",
                    "funder": "joint",
                    "payers": "us;japan",
                    "payer_shares": "0.75;0.25",
                    "funded": True,
                    "fast_track": False,
                    "capital_usd": 1e9,
                    "capital_usd_per_year": 1e8 / 3,
                    "support_usd_per_year": 0.0,
                    "start_month_median": 25.0,
                    "output_t_per_year": 120.0,
                }
            ],
        ),
        dependence=table(
            "dependence",
            [
                {
                    "participant": "japan",
                    "material": "gallium",
                    "source": "china",
                    "share_before": 0.9,
                    "share_after": 0.6,
                    "hhi_before": 0.81,
                    "hhi_after": 0.36,
                }
            ],
        ),
        limits=table(
            "limits",
            [
                {
                    "equation": 12,
                    "limit": "storage",
                    "participant": "us",
                    "item": "dry",
                    "used": 1 / 3,
                    "allowed": 1.0,
                    "unit": "t",
                },
                {
                    "equation": 15,
                    "limit": "distinct rules",
                    "participant": "us",
                    "item": "",
                    "used": 2.0,
                    "allowed": math.nan,
                    "unit": "",
                },
            ],
        ),
    )


def rebuilt(tidy, name):
    """A table of the plan, from the long one alone."""
    rows = []
    of_table = tidy[tidy["table"] == name]
    for _, cells in of_table.groupby("row"):
        row = {key: cells[key].iloc[0] for key in KEYS}
        for item, value, text in zip(cells["item"], cells["value"], cells["text"], strict=True):
            kind = TABLES[name][item]
            row[item] = text if kind is str else kind(value)
        rows.append(row)
    return table(name, rows)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_can_be_rebuilt(full, name):
    tidy = full.tidy()
    assert len(getattr(full, name)) == tidy.loc[tidy["table"] == name, "row"].nunique() > 0
    pd.testing.assert_frame_equal(rebuilt(tidy, name), getattr(full, name), check_exact=True)


def test_the_summary_can_be_rebuilt(full):
    rows = full.tidy()
    rows = rows[rows["table"] == "plan"]
    summary = full.summary()
    texts = dict(zip(rows["item"], rows["text"], strict=True))
    values = dict(zip(rows["item"], rows["value"], strict=True))
    for key in ("status", "cooperation", "sampling"):
        assert texts[key] == summary[key]
    for key in ("annual_cost_usd", "bound_usd", "gap", "seconds", "scenario_count"):
        assert values[key] == summary[key]
    assert int(texts["seed"]) == full.seed  # Too large for a double.
    assert texts["instance.hash"] == full.instance_hash
    assert {k[9:]: v for k, v in texts.items() if k.startswith("versions.")} == full.versions
    conflicts = rows[rows["item"] == "conflicts"].sort_values("row")
    assert tuple(conflicts["text"]) == full.conflicts


def test_columns_have_their_types(full):
    tidy = full.tidy()
    assert list(tidy.columns) == list(COLUMNS)
    assert tidy["row"].dtype == np.int64
    assert tidy["value"].dtype == np.float64
    assert all(isinstance(text, str) for text in tidy["text"])


def test_numbers_have_units(full):
    tidy = full.tidy()
    numbers = tidy[tidy["value"].notna() & (tidy["table"] != "plan")]
    bare = set(numbers.loc[numbers["unit"] == "", "item"])
    # Truths, counts, numbers of equations, and limits on a number.
    assert bare == {"met", "open", "funded", "fast_track", "equation", "simulations", "used"}
    assert set(UNITS) >= {
        name
        for columns in TABLES.values()
        for name, kind in columns.items()
        if kind is float and name not in ("used", "allowed")
    }
    days = tidy[(tidy["item"] == "achieved") & (tidy["unit"] == "days")]
    assert days["value"].to_list() == pytest.approx([365 * 3 / 36] * 2)
    stored = tidy[(tidy["item"] == "used") & (tidy["unit"] == "t")]
    assert stored["value"].to_list() == [1 / 3]


def test_a_result_without_a_plan_has_its_summary(toy):
    tidy = sp.solve(toy, time_limit=1e-9, progress=False).tidy()
    assert set(tidy["table"]) == {"plan"}
    cost = tidy[tidy["item"] == "annual_cost_usd"].iloc[0]
    assert math.isnan(cost["value"])
    assert cost["text"] == ""


def test_parquet_reads_back_as_it_was(full, tmp_path):
    full.to_parquet(tmp_path / "parquet")
    assert sorted(path.name for path in (tmp_path / "parquet").iterdir()) == sorted(FILES)
    for name in TABLES:
        read = pd.read_parquet(tmp_path / "parquet" / f"{name}.parquet")
        expected = getattr(full, name)
        pd.testing.assert_frame_equal(read.astype(expected.dtypes.to_dict()), expected)
    tidy = pd.read_parquet(tmp_path / "parquet" / "tidy.parquet")
    pd.testing.assert_frame_equal(tidy.astype(full.tidy().dtypes.to_dict()), full.tidy())


def test_parquet_of_an_empty_table_has_the_types_of_a_full_one(plan, full, tmp_path):
    plan.to_parquet(tmp_path / "empty")
    full.to_parquet(tmp_path / "full")
    for name in ("facilities", "limits"):
        empty, other = (
            pq.read_schema(tmp_path / folder / f"{name}.parquet") for folder in ("empty", "full")
        )
        assert len(getattr(plan, name)) == 0
        assert empty.equals(other)
    units = {field.name: field.metadata for field in other}
    assert units["limit"] is None
    holdings = pq.read_schema(tmp_path / "full" / "holdings.parquet")
    assert holdings.field("holding_t").metadata[b"unit"] == b"t"


def test_parquet_replaces_its_own_folder_and_no_other(plan, tmp_path):
    plan.to_parquet(tmp_path / "parquet")
    plan.to_parquet(tmp_path / "parquet")
    plan.save(tmp_path / "result")
    with pytest.raises(sp.UsageError, match="not empty"):
        plan.to_parquet(tmp_path / "result")


def test_existing_stock_is_in_the_long_table(toy):
    held = replace(toy, holdings=(Holding(participant="us", material="gallium", existing_t=1.25),))
    tidy = sp.solve(held, progress=False).tidy().set_index(["item", "participant", "material"])
    assert tidy.loc[("existing_t", "us", "gallium"), "value"] == 1.25
