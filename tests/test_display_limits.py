"""What a plan shows of limits that its materials share, stores, and promises kept at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stockpile as sp
from stockpile.display import assessment_text, plan_summary, plan_tables
from stockpile.outofsample import Assessment
from stockpile.plan import table
from stockpile.tables import Agreement, CoverageTarget, Facility

TOY = Path(__file__).parent.parent / "instances" / "toy"
OXIDES = ("nd_oxide", "pr_oxide", "tb_oxide", "dy_oxide", "sm_oxide", "gd_oxide", "yb_oxide")


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """As on the narrowest terminal that is looked after."""
    monkeypatch.setenv("COLUMNS", "80")


def store(name, participant, *, capacity_t, cost, existing=False):
    return Facility(
        facility=name,
        participant=participant,
        storage_kind="warehouse",
        capacity_t=capacity_t,
        fixed_cost_usd_per_year=cost,
        existing=existing,
    )


@pytest.fixture(scope="module")
def plan():
    """The toy with every kind of limit. Without any, 3 + 3 lots of 1 t and 2 + 3 of 2 t are held.

    Both nations buy for 11 million USD in all. Japan holds 9 t, for which it has to open a store.
    """
    toy = sp.load(TOY)
    made = replace(
        toy,
        facilities=(
            store("old", "us", capacity_t=50.0, cost=1_000.0, existing=True),
            store("near", "japan", capacity_t=10.0, cost=3_000.0),
            store("far", "japan", capacity_t=90.0, cost=70_000.0),
        ),
        agreement=Agreement(joint_budget_usd=11.05e6, max_distinct_rules=2, nobody_worse_off=True),
        coverage=(
            *toy.coverage,
            CoverageTarget(
                participant=("us", "japan"),
                material=("gallium", "dy_oxide"),
                demand_class=("industry",),
                metric="joint_chance",
                level=0.9,
                confidence=0.8,
                group="chips",
            ),
        ),
    )
    sp.validate(made)
    found = sp.solve(made, progress=False)
    assert found.status is sp.Status.OPTIMAL
    return found


def lines_with(text, word):
    return [line for line in text.splitlines() if word in line]


def rows_of(text, *cells):
    """Cells of the rows of tables that begin so."""
    rows = [line.split() for line in text.splitlines()]
    return [row for row in rows if row[: len(cells)] == list(cells)]


def test_the_summary_says_what_stores_cost_and_that_limits_join_the_materials(plan):
    text = plan_summary(plan)
    assert lines_with(text, "facilities") == [
        "  facilities  2 of 3 open for 4 thousand USD a year, which is part of the cost"
    ]
    assert lines_with(text, "gap") == [
        "  gap         0.000 %, of all materials together, which limits join"
    ]
    assert "5 of 5 kept" in text
    assert np.isnan(plan.certificates["bound_usd"]).all()


def test_limits_are_shown_with_the_part_that_is_used_and_binding_ones_marked(plan):
    """11 of 11.05 million USD are 99.5 %; 10 t of 50 t are far from binding."""
    text = plan_tables(plan)
    assert rows_of(text, "outlay", "all") == [
        ["outlay", "all", "11", "11.05", "M", "USD", "99.5", "%", "binding"]
    ]
    assert rows_of(text, "storage", "warehouse") == [
        ["storage", "warehouse", "us", "7", "50", "t", "14.0", "%"],
        ["storage", "warehouse", "japan", "9", "10", "t", "90.0", "%"],
    ]
    assert [row[2] for row in rows_of(text, "cost", "share")] == ["us", "japan"]
    assert "Binding: 99 % or more is used." in text
    assert text.count(" binding") == sum(
        used >= 0.99 * allowed
        for used, allowed in zip(plan.limits["used"], plan.limits["allowed"], strict=True)
    )


def test_facilities_are_shown_open_or_not(plan):
    text = plan_tables(plan).split("Facilities")[1]
    assert rows_of(text, "old") == [["old", "us", "warehouse", "50", "yes", "0.001"]]
    assert rows_of(text, "near") == [["near", "japan", "warehouse", "10", "yes", "0.003"]]
    assert rows_of(text, "far") == [["far", "japan", "warehouse", "90", "no", "-"]]


def test_a_plan_without_shared_limits_shows_none_of_it():
    plan = sp.solve(sp.load(TOY), progress=False)
    text = plan_summary(plan) + plan_tables(plan)
    for word in ("Limits", "Facilities", "facilities", "at once", "together", "binding"):
        assert word not in text


def test_a_limit_of_nothing_has_no_part():
    row = {
        "equation": 12,
        "limit": "storage",
        "participant": "us",
        "item": "inert_gas",
        "used": 0.0,
        "allowed": 0.0,
        "unit": "t",
    }
    plan = replace(sp.solve(sp.load(TOY), progress=False), limits=table("limits", [row]))
    assert rows_of(plan_tables(plan), "storage") == [
        ["storage", "inert_gas", "us", "0", "0", "t", "-"]
    ]
    assert "Binding" not in plan_tables(plan)


# --- Promises that are kept at once ---------------------------------------------------------------


def joint_rows(**more):
    common = {
        "metric": "joint_chance",
        "level": 0.9,
        "confidence": 0.95,
        "stress": "",
        "group": "magnets",
        "sharing": "off",
        "achieved": 0.96125,
        "met": True,
        **more,
    }
    return table(
        "coverage",
        [
            {
                **common,
                "participant": "united_states;japan;korea",
                "material": ";".join(OXIDES),
                "demand_class": "defense;essential",
            },
            {**common, "participant": "japan", "material": "*", "demand_class": "*", "level": 0.5},
        ],
    )


def test_a_group_is_one_promise_with_its_rows_below_and_lists_are_wrapped():
    plan = replace(sp.solve(sp.load(TOY), progress=False), coverage=joint_rows())
    text = plan_tables(plan).split("Coverage")[1]
    assert text.splitlines()[0] == " of magnets at once: 0.9613, promised 0.95, kept"
    assert all(len(line) <= 80 for line in text.splitlines())
    for name in (*OXIDES, "united_states", "korea", "essential"):
        assert text.count(name) == 1
    assert rows_of(text, "0.5") == [["0.5", "*", "japan", "own", "*"]]
    assert "…" not in text


def test_a_group_that_is_not_kept_says_so():
    rows = joint_rows(achieved=0.9, met=False)
    plan = replace(sp.solve(sp.load(TOY), progress=False), coverage=rows)
    assert "Coverage of magnets at once: 0.9000, promised 0.95, not kept" in plan_tables(plan)


def test_an_assessment_shows_the_interval_of_a_group():
    rows = joint_rows()
    rows.insert(0, "planned", 0.97)
    rows["low"], rows["high"], rows["met_in_plan"] = 0.955, 0.966, True
    limits = pd.DataFrame(columns=["limit"])
    text = assessment_text(
        Assessment(
            scenario_count=1000,
            seed=2,
            sampling="plain",
            annual_cost_usd=1e9,
            low_usd=0.9e9,
            high_usd=1.1e9,
            facilities_usd=0.0,
            projects_usd=0.0,
            planned_cost_usd=1e9,
            coverage=rows,
            limits=limits,
            broken=(),
        )
    )
    heading = "Coverage of magnets at once: 0.9613 [0.9550, 0.9660], promised 0.95, kept"
    assert heading in text
    assert all(len(line) <= 80 for line in text.split(heading)[1].splitlines())


def test_everything_fits_eighty_columns(plan):
    for text in (plan_summary(plan), plan_tables(plan)):
        assert all(len(line) <= 80 for line in text.splitlines())
