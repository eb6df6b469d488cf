"""Tables for offices: figures of the toy that docs/toy.md works by hand, and what must hold."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stockpile as sp
from stockpile.languages import language
from stockpile.plan import table
from stockpile.reports.annual_plan import annual_plan
from stockpile.reports.days_of_cover import days_of_cover
from stockpile.reports.document import Column, Table
from stockpile.reports.shortfall import PARTS, shortfall
from stockpile.tables import Holding

TOY = Path(__file__).parent.parent / "instances" / "toy"
ENGLISH = language("en")


@pytest.fixture(scope="module")
def toy():
    return sp.load(TOY)


@pytest.fixture(scope="module")
def plan(toy):
    return sp.solve(toy, progress=False)


@pytest.fixture(scope="module")
def partly_held(toy):
    """The toy with 5 t of gallium in the US, 0.5 t in Japan, and a price that buying raises."""
    gallium, dysprosium = toy.materials
    return replace(
        toy,
        materials=(
            replace(gallium, world_supply_t_per_year=100.0, price_impact=1.0),
            dysprosium,
        ),
        holdings=(
            Holding(participant="us", material="gallium", existing_t=5.0),
            Holding(participant="japan", material="gallium", existing_t=0.5),
        ),
    )


@pytest.fixture(scope="module")
def plan_of_partly_held(partly_held):
    return sp.solve(partly_held, progress=False)


def cells(found, *keys):
    """The cells of some columns, without the row of totals."""
    return found.frame()[list(keys)].to_numpy().tolist()


def total(found, key):
    return found.rows[-1][[column.key for column in found.columns].index(key)]


# --- Known answers --------------------------------------------------------------------------------


def test_the_annual_plan_of_the_toy_buys_what_the_page_says(toy, plan):
    found = annual_plan(plan, toy, ENGLISH)
    assert cells(
        found, "material_name", "participant_name", "lot_t", "acquire_t", "acquire_million_usd"
    ) == [
        ["Gallium", "United States", 1, 3, 1.5],
        ["Gallium", "Japan", 1, 3, 1.5],
        ["Dysprosium oxide", "United States", 2, 4, 3.2],
        ["Dysprosium oxide", "Japan", 2, 6, 4.8],
    ]
    assert total(found, "acquire_million_usd") == pytest.approx(11.0)
    assert total(found, "dispose_million_usd") == 0.0


def test_the_shortfall_of_the_toy_is_all_of_its_objective_the_dearest_first(toy, plan):
    found = shortfall(plan, toy, ENGLISH)
    assert cells(found, "participant_name", "element", "objective_t", "held_t", "missing_t") == [
        ["Japan", "Dy", 6, 0, 6],
        ["United States", "Dy", 4, 0, 4],
        ["United States", "Ga", 3, 0, 3],
        ["Japan", "Ga", 3, 0, 3],
    ]
    assert found.frame()["missing_share"].to_list() == [1, 1, 1, 1]
    # The price does not react, so money goes with tonnes: 11 million USD in all.
    for part, key in zip(PARTS, [column.key for column in found.columns[7:]], strict=True):
        assert key == f"money_for_{100 * part:g}_percent_million_usd"
        assert found.frame()[key].to_list() == pytest.approx(
            [4.8 * part, 3.2 * part, 1.5 * part, 1.5 * part]
        )
        assert total(found, key) == pytest.approx(11.0 * part)


def test_the_toy_covers_the_days_that_its_demand_says(toy, plan):
    found = days_of_cover(plan, toy, ENGLISH)
    assert cells(found, "element", "participant_name", "demand_t_per_year", "planned_t") == [
        ["Ga", "United States", 36, 3],
        ["Ga", "Japan", 36, 3],
        ["Ga", "All nations", 72, 6],
        ["Dy", "United States", 24, 4],
        ["Dy", "Japan", 48, 6],
        ["Dy", "All nations", 72, 10],
    ]
    assert found.frame()["planned_days"].to_list() == pytest.approx(
        [365 * 3 / 36, 365 * 3 / 36, 365 * 6 / 72, 365 * 4 / 24, 365 * 6 / 48, 365 * 10 / 72]
    )
    assert found.frame()["held_days"].to_list() == [0] * 6


def test_stock_beyond_the_plan_is_to_dispose_of(partly_held, plan_of_partly_held):
    found = annual_plan(plan_of_partly_held, partly_held, ENGLISH)
    rows = cells(found, "acquire_t", "acquire_million_usd", "dispose_t", "dispose_million_usd")
    # The US holds 2 t more than its 3 t. Japan lacks 2.5 t, and buys whole lots: 3 t, 3 % dearer.
    assert rows[0] == [0, 0, 2, pytest.approx(2 * 0.5)]
    assert rows[1] == [3, pytest.approx(3 * 0.5 * 1.03), 0, 0]
    assert total(found, "dispose_million_usd") == pytest.approx(1.0)


def test_half_of_a_gap_costs_less_than_half_where_buying_raises_the_price(
    partly_held, plan_of_partly_held
):
    frame = shortfall(plan_of_partly_held, partly_held, ENGLISH).frame()
    japan = frame[(frame["element"] == "Ga") & (frame["participant_name"] == "Japan")].iloc[0]
    assert japan[["objective_t", "held_t", "missing_t"]].to_list() == [3, 0.5, 2.5]
    assert japan["missing_share"] == pytest.approx(2.5 / 3)
    assert japan["money_for_100_percent_million_usd"] == pytest.approx(2.5 * 0.5 * 1.025)
    assert japan["money_for_50_percent_million_usd"] == pytest.approx(1.25 * 0.5 * 1.0125)
    held = frame[(frame["element"] == "Ga") & (frame["participant_name"] == "United States")]
    assert held["missing_t"].to_list() == [0]
    assert held["money_for_100_percent_million_usd"].to_list() == [0]


def test_stocks_as_planned_are_not_in_the_annual_plan(toy, plan):
    held = plan.holdings.assign(existing_t=plan.holdings["holding_t"], buy_t=0.0, outlay_usd=0.0)
    found = annual_plan(replace(plan, holdings=held), toy, ENGLISH)
    assert found.body == ()
    assert total(found, "acquire_million_usd") == 0.0


def test_who_uses_nothing_has_no_days_of_cover(toy, plan):
    calm = replace(toy, demand=tuple(row for row in toy.demand if row.participant != "us"))
    found = days_of_cover(replace(plan, instance_hash=calm.content_hash), calm, ENGLISH)
    assert math.isnan(found.frame()["planned_days"].iloc[0])
    assert found.frame()["planned_days"].iloc[2] == pytest.approx(365 * 6 / 36)


def test_one_nation_is_not_pooled_with_itself(toy, plan):
    alone = plan.holdings[plan.holdings["participant"] == "japan"]
    found = days_of_cover(replace(plan, holdings=alone), toy, ENGLISH)
    assert [row[2] for row in found.rows] == ["Japan", "Japan"]


# --- What must hold of any plan -------------------------------------------------------------------

tonnes = st.floats(0.0, 1e6)


@st.composite
def plans(draw):
    """Holdings and existing stocks of the toy's four stocks, lots, prices, and world supply."""
    toy = sp.load(TOY)
    materials = tuple(
        replace(
            row,
            price_usd_per_kg=draw(st.floats(0.1, 1e4)),
            lot_t=draw(st.sampled_from([0.1, 0.3, 1.0, 7.0])),
            world_supply_t_per_year=draw(st.none() | st.floats(1.0, 1e6)),
            price_impact=draw(st.floats(0.0, 3.0)),
        )
        for row in toy.materials
    )
    stocks = [(c.participant, m) for m in materials for c in toy.participants]
    existing = [draw(st.just(0.0) | tonnes) for _ in stocks]
    lots = [draw(st.integers(0, 10_000)) for _ in stocks]
    instance = replace(
        toy,
        materials=materials,
        holdings=tuple(
            Holding(participant=c, material=m.material, existing_t=held)
            for (c, m), held in zip(stocks, existing, strict=True)
        ),
    )
    rows = []
    for (c, m), held, number in zip(stocks, existing, lots, strict=True):
        bought = {
            other: max(0.0, n * o.lot_t - e)
            for (other, o), e, n in zip(stocks, existing, lots, strict=True)
            if o is m
        }
        impact = 0.0
        if m.world_supply_t_per_year is not None:
            impact = m.price_impact * sum(bought.values()) / m.world_supply_t_per_year
        rows.append(
            {
                "participant": c,
                "material": m.material,
                "lots": number,
                "holding_t": number * m.lot_t,
                "existing_t": held,
                "buy_t": bought[c],
                "days_of_cover": 0.0,
                "outlay_usd": 1000 * m.price_usd_per_kg * (1 + impact) * bought[c],  # (8)
                "annual_holding_cost_usd": 0.0,
            }
        )
    plan = sp.Plan(
        instance.name,
        instance.content_hash,
        "sharing",
        sp.Status.OPTIMAL,
        0.0,
        0.0,
        0.0,
        None,
        None,
        1,
        0.0,
        {},
        holdings=table("holdings", rows),
    )
    return plan, instance


@given(plans())
def test_money_never_falls_with_the_part_and_all_of_it_is_the_outlay(case):
    plan, instance = case
    found = shortfall(plan, instance, ENGLISH)
    money = found.frame().iloc[:, 7:].to_numpy()
    assert (np.diff(money, axis=1) >= 0.0).all()
    # Buying raises the price, so the first half costs no more than the second.
    assert (money[:, :3] <= money[:, 3:] * np.array(PARTS[:3]) * (1.0 + 1e-9)).all()
    outlays = sorted(plan.holdings["outlay_usd"] / 1e6, reverse=True)
    assert money[:, 3].tolist() == pytest.approx(outlays, rel=1e-6, abs=1e-6)
    assert total(found, found.columns[-1].key) == pytest.approx(sum(money[:, 3]))


@given(plans())
def test_acquiring_at_most_reaches_the_plan_in_whole_lots_and_never_a_lot_more(case):
    plan, instance = case
    found = annual_plan(plan, instance, ENGLISH).frame()
    lots = found["acquire_t"] / found["lot_t"]
    assert np.allclose(lots, lots.round(), rtol=0.0, atol=1e-6)
    moved = plan.holdings[plan.holdings["holding_t"] != plan.holdings["existing_t"]]
    assert len(found) == len(moved)
    after = moved["existing_t"].to_numpy() + found["acquire_t"] - found["dispose_t"]
    beyond = (after - moved["holding_t"].to_numpy()) / found["lot_t"]
    assert (beyond > -1e-6).all()
    assert (beyond < 1.0 + 1e-6).all()
    assert (found["acquire_t"] * found["dispose_t"] == 0.0).all()


# --- Languages, frames, refusals ------------------------------------------------------------------


def test_japanese_tables_differ_in_words_only(toy, plan):
    english = sp.office_tables(plan, toy)
    japanese = sp.office_tables(plan, toy, lang="ja")
    assert [found.title for found in japanese] == ["年次資材計画", "鉱物別の不足量", "備蓄日数"]
    for one, other in zip(english, japanese, strict=True):
        assert one.name == other.name
        assert [column.key for column in one.columns] == [column.key for column in other.columns]
        assert all(
            a.title != b.title and (a.unit == "") == (b.unit == "")
            for a, b in zip(one.columns, other.columns, strict=True)
        )
        numbers = [column.key for column in one.columns if column.kind != "text"]
        pd.testing.assert_frame_equal(one.frame()[numbers], other.frame()[numbers])


def test_a_frame_has_keys_and_numbers_and_no_totals():
    columns = (Column("Name", "name"), Column("Held", "held_t", "t", "number"))
    found = Table("a", "A", columns, (("x", 1), ("y", None), ("Total", 1)), total=True)
    frame = found.frame()
    assert list(frame.columns) == ["name", "held_t"]
    assert frame["name"].to_list() == ["x", "y"]
    assert frame["held_t"].dtype == np.float64
    assert frame["held_t"].isna().to_list() == [False, True]


def test_a_plan_of_another_instance_is_refused(toy, plan, partly_held):
    with pytest.raises(sp.ResultError, match=r"made from toy .* not from toy as it is"):
        sp.office_tables(plan, partly_held)


def test_a_result_without_a_plan_is_refused(toy, plan):
    nothing = replace(plan, annual_cost_usd=None, status=sp.Status.INFEASIBLE)
    with pytest.raises(sp.ResultError, match="its status is infeasible"):
        sp.office_tables(nothing, toy)


def test_an_unknown_language_is_refused(toy, plan):
    with pytest.raises(sp.UsageError, match="expected one of en, ja"):
        sp.office_tables(plan, toy, lang="fr")
