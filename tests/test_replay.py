"""Replays: the desk does what the plan's rules do, and never what only later months could tell."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project_instances import instance, lost, solve

import stockpile as sp
from stockpile import cli
from stockpile.desk.replay import likely_hazard
from stockpile.tables import Outcome, RuleRow, StressEvent, Transfer

INSTANCES = Path(__file__).parents[1] / "instances"


@cache
def rare_earths():
    world = sp.load(INSTANCES / "rare-earths")
    return world, sp.solve(world, gap=0.1, scenarios=200, progress=False)


@pytest.mark.parametrize("stress", ["rare_earths_japan_2010", "heavy_rare_earths_2025_04"])
def test_walking_month_by_month_is_what_the_whole_case_does(stress):
    """The plan in a case, simulated with all of it known (which rules make no use of)."""
    world, plan = rare_earths()
    walked = sp.replay(world, plan, stress, months=8, continuations=2)
    whole = sp.stress_runs(world, plan)
    last = walked.months["month"].max()
    keys = ["participant", "material", "demand_class", "month"]
    of_case = whole.needs[(whole.needs["stress"] == stress) & (whole.needs["month"] <= last)]
    of_case = of_case[of_case["need_t"] > 0.0].set_index(keys).sort_index()
    found = walked.needed.set_index(keys).sort_index()
    assert len(found)
    assert found.index.tolist() == of_case.index.tolist()
    for column in ("need_t", "own_t", "partner_t", "unserved_t"):
        assert found[column].tolist() == pytest.approx(of_case[column].tolist(), abs=1e-9)
    stocks = whole.stocks[whole.stocks["stress"] == stress]
    left = {
        (row["participant"], row["material"], row["month"] + 1): row["state_t"]
        for row in stocks.to_dict(orient="records")
    }
    rows = walked.stocks.to_dict(orient="records")
    compared = [
        (row["stock_t"], left[key])
        for row in rows
        if (key := (row["participant"], row["material"], row["month"])) in left
    ]
    assert len(compared) > 20
    assert [a for a, _ in compared] == pytest.approx([b for _, b in compared], abs=1e-9)


def small(events):
    """Two nations that help each other, and a case."""
    rule = RuleRow(rule="open", relation=("*",), demand_class=("class0",), reserve_level=0.0)
    careful = RuleRow(
        rule="careful",
        relation=("*",),
        demand_class=("class0",),
        reserve_level=0.5,
    )
    easing = replace(careful, from_month=3, reserve_level=0.1)
    world = instance(
        scenarios=[(0.5, []), (0.5, [lost(2, 3, 0.5)])],
        participants=("us", "japan"),
        max_t=60.0,
        months=24,
        rules=(rule, careful, easing),
        transfers=(Transfer(from_participant="japan", to_participant="us"),),
        stress=tuple(events),
    )
    return replace(
        world, participants=tuple(replace(c, refill_per_month=0.2) for c in world.participants)
    )


def event(start, duration, severity, targets):
    return StressEvent(
        stress="case",
        source="g",
        start_month=start,
        duration_months=duration,
        severity=severity,
        targets=targets,
    )


events = st.builds(
    event,
    st.integers(1, 12),
    st.integers(1, 12),
    st.sampled_from([0.3, 0.8, 1.0]),
    st.sampled_from([("us",), ("japan",), ("us", "japan")]),
)


@given(st.lists(events, min_size=1, max_size=3), st.lists(events, max_size=2), st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_another_future_changes_no_earlier_order(past, other, month):
    """Events that last longer, end sooner or come later are all the same until they do."""
    past = [replace(row, start_month=min(row.start_month, month)) for row in past]
    longer = [
        replace(row, duration_months=row.duration_months + 5)
        if row.start_month + row.duration_months > month
        else row
        for row in past
    ]
    later = [replace(row, start_month=row.start_month + month) for row in other]
    first, second = small(past), small([*longer, *later])
    plan = solve(first)
    held = replace(plan, instance_hash=second.content_hash)
    before = sp.replay(first, plan, "case", months=month, continuations=1)
    after = sp.replay(second, held, "case", months=month, continuations=1)
    assert before.orders.equals(after.orders)
    assert before.needed.equals(after.needed)
    assert before.stocks["stock_t"].tolist() == after.stocks["stock_t"].tolist()


def test_stocks_of_today_are_begun_with_where_that_is_asked_for():
    world = small([event(1, 3, 1.0, ("us",))])
    holdings = tuple(
        replace(row, existing_t=4.0 if row.participant == "us" else 0.0) for row in world.holdings
    )
    world = replace(world, holdings=holdings)
    plan = solve(world)
    walked = sp.replay(world, plan, "case", existing=True, months=2, continuations=1)
    own = walked.needed[walked.needed["month"] == 1]["own_t"].sum()
    rule = plan.rules["rule"].iloc[0]
    assert own == pytest.approx(4.0 if rule == "open" else 2.0)


def test_the_likely_hazard_is_the_one_that_hits_the_same():
    world = sp.load(INSTANCES / "us-japan")
    found = {}
    for row in world.stress:
        hazard = likely_hazard(world, row)
        found[row.stress, row.start_month, row.materials[0]] = hazard and hazard.hazard
    assert found["rare_earths_japan_2010", 1, "la_oxide"] == "china_embargo_japan_rare_earths"
    assert found["heavy_rare_earths_2025_04", 1, "sm_oxide"] == "china_controls_heavy_rare_earths"


def test_the_command_prints_what_is_known(tmp_path, capsys):
    world = replace(
        small([event(1, 2, 1.0, ("us", "japan"))]),
        outcomes=(Outcome(stress="case", month=2, outcome="Plants stop"),),
    )
    sp.save(world, tmp_path / "world")
    world = sp.load(tmp_path / "world")
    solve(world).save(tmp_path / "plan")
    asked = ["replay", str(tmp_path / "world"), str(tmp_path / "plan"), "--stress"]
    assert cli.main([*asked, "case", "--out", str(tmp_path / "walked")]) == 0
    said = capsys.readouterr().out
    for text in ("Plants stop.", "Month by month", "First release in month 1"):
        assert text in said
    assert (tmp_path / "walked" / "orders.csv").is_file()
    assert cli.main([*asked, "cas"]) == 2
    assert "Did you mean case?" in capsys.readouterr().err


def test_events_of_one_source_are_told_apart_by_their_materials():
    names = ("a", "b", "c", "d", "e")
    events = [
        replace(event(1, 3, 0.2, ("us",)), materials=names),
        replace(event(2, 1, 0.554, ("us",)), materials=("a", "b")),
        replace(event(2, 1, 0.1, ("us",)), effect="demand_surge", source=None),
    ]
    world = instance(scenarios=[(1.0, [lost(1)])], materials=names, stress=tuple(events), max_t=1.0)
    walked = sp.replay(world, solve(world), "case", months=3, continuations=1)
    assert walked.months["going_on"].tolist() == [
        "g 20 %",  # Alone, nothing has to be told apart.
        "g 20 % (a, b, c and 2 more);g 55.4 % (a, b);demand_surge 10 %",
        "g 20 %",
    ]
    both = [replace(row, materials=("*",)) for row in events[:2]]
    everything = replace(world, stress=tuple(both))
    walked = sp.replay(everything, solve(everything), "case", months=2, continuations=1)
    assert walked.months["going_on"].iloc[1] == "g 20 % (all materials);g 55.4 % (all materials)"
