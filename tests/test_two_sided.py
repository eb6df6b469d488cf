"""What each side may know: its own stocks in tonnes, its partner's as bands, and its own orders."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project_instances import instance, lost, solve
from random_conversions import random_chain

import stockpile as sp
from stockpile import cli
from stockpile.conversions import joined_materials
from stockpile.desk.state import Ongoing, StockLevel
from stockpile.desk.two_sided import band_ends
from stockpile.plan import TABLES as PLAN_TABLES
from stockpile.plan import table as plan_table
from stockpile.problem import build_problem
from stockpile.redaction import band, band_names
from stockpile.tables import RuleRow, Source, Supply, Transfer


@cache
def world_and_plan():
    """Japan and the United States need 10 t a month each while the source is lost."""
    world = instance(
        scenarios=[(1.0, [lost(6)])],
        months=24,
        participants=("us", "japan"),
        max_t=100.0,
        transfers=(
            Transfer(from_participant="us", to_participant="japan"),
            Transfer(from_participant="japan", to_participant="us"),
        ),
    )
    plan = solve(world)
    return world, replace(plan, rules=plan.rules.assign(rule="open-equal"))


def begun(us, japan, month=2):
    ongoing = Ongoing(
        event="embargo",
        source="g",
        start_month=1,
        severity=1.0,
        duration_median_months=6.0,
        duration_sigma=0.0,
    )
    stocks = tuple(
        StockLevel(participant=c, material="m", stock_t=t)
        for c, t in (("us", us), ("japan", japan))
    )
    return sp.State(month=month, stocks=stocks, ongoing=(ongoing,))


def test_a_band_is_what_is_told_and_no_tonnes_are_left():
    """120 t a year are 0.329 t a day: 12 t are 36.5 days."""
    world, _ = world_and_plan()
    state = sp.redacted_state(begun(30.0, 12.0), world, "japan")
    us, japan = state.stocks
    assert (us.stock_t, us.band) == (30.0, None)
    assert (japan.stock_t, japan.band) == (None, "30 to 60")


@given(st.floats(0.0, 1000.0), st.floats(0.1, 1000.0))
@settings(max_examples=200, deadline=None)
def test_a_stock_lies_between_the_ends_of_its_band(tonnes, use):
    least, most = band_ends(band(365.0 * tonnes / use, tonnes), use)
    assert least <= tonnes <= most


def test_every_band_has_ends():
    for name in [*band_names(), "some"]:
        least, most = band_ends(name, 365.0)
        assert 0.0 <= least <= most
    assert band_ends("60 to 90", 365.0) == pytest.approx((60.0, 90.0))
    assert band_ends("over 365", 365.0)[1] == math.inf  # It may be any number of days.
    assert band_ends("some", 0.0) == (0.0, math.inf)  # Nothing to measure days by.


def test_orders_at_least_and_at_most():
    """Japan has 0 to 9.86 t (up to 30 days): the United States send 0.14 to 10 t."""
    world, plan = world_and_plan()
    hidden = sp.redacted_state(begun(50.0, 5.0), world, "japan")
    sheet = sp.side_orders(world, plan, hidden, "us").orders.set_index("beneficiary")
    assert sheet.loc["us", ["taken_least_t", "taken_most_t"]].tolist() == pytest.approx([10, 10])
    assert sheet.loc["japan", "taken_least_t"] == pytest.approx(10.0 - 30.0 * 120.0 / 365.0)
    assert sheet.loc["japan", "taken_most_t"] == pytest.approx(10.0)


@given(st.floats(0.0, 40.0), st.floats(0.5, 39.0))
@settings(max_examples=30, deadline=None)
def test_what_both_stocks_order_lies_between(us, japan):
    """At what the partner really has, which the sheet does not know."""
    world, plan = world_and_plan()
    state = begun(us, japan)
    sheet = sp.side_orders(world, plan, sp.redacted_state(state, world, "japan"), "us").orders
    true = sp.side_orders(world, plan, state, "us").orders
    ends = {row["beneficiary"]: row for row in sheet.to_dict(orient="records")}
    for row in true.to_dict(orient="records"):
        of = ends[row["beneficiary"]]
        assert row["taken_least_t"] == row["taken_most_t"]
        assert of["taken_least_t"] - 1e-9 <= row["taken_most_t"] <= of["taken_most_t"] + 1e-9
    known = sp.respond(world, plan, state, continuations=2).orders
    own = known[known["owner"] == "us"]["taken_t"]
    assert np.allclose(true["taken_most_t"], own)


def pair(world, plan, state, hidden):
    """A plan and a state as a partner of ``hidden`` gets them."""
    return sp.redacted_plan(plan, world, hidden), sp.redacted_state(state, world, hidden)


KEY = ["owner", "beneficiary", "material", "needed", "demand_class", "plants"]


def require_inside(known, sheet):
    """Every order of a sheet that knows all lies between those of one that knows bands."""
    ends = {tuple(row[name] for name in KEY): row for row in sheet.to_dict(orient="records")}
    for row in known.to_dict(orient="records"):
        assert row["taken_least_t"] == pytest.approx(row["taken_most_t"], abs=1e-9)
        of = ends.pop(tuple(row[name] for name in KEY))
        assert of["taken_least_t"] <= row["taken_least_t"] + 1e-9
        assert row["taken_most_t"] <= of["taken_most_t"] + 1e-9
    assert all(row["taken_least_t"] <= 1e-9 for row in ends.values())


def test_orders_where_what_the_partner_is_agreed_to_hold_is_a_band_too():
    """Japan keeps half of what it holds.

    It holds more than 60 to 90 days, 19.7 to 29.6 t, and has 30 to 60 days left, 9.86 to 19.7 t:
    above half of what it holds are 0 to 9.86 t, and the United States send 0.14 to 10 t.
    """
    world, plan = world_and_plan()
    plan = replace(
        plan,
        rules=plan.rules.assign(rule=["open-equal", "tiered-equal"]),
        holdings=plan.holdings.assign(lots=[50, 25], holding_t=[50.0, 25.0]),
    )
    world = replace(
        world,
        rules=(
            RuleRow(rule="open-equal", relation=("*",), demand_class=("*",)),
            RuleRow(rule="tiered-equal", relation=("*",), demand_class=("*",), reserve_level=0.5),
        ),
    )
    plan = replace(plan, instance_hash=world.content_hash)
    shared, state = pair(world, plan, begun(50.0, 15.0), "japan")
    assert shared.held_in_band == {("japan", "m"): "60 to 90"}
    assert shared.held_t == {("us", "m"): 50.0}
    sheet = sp.side_orders(world, shared, state, "us").orders.set_index("beneficiary")
    day = 120.0 / 365.0
    assert sheet.loc["us", ["taken_least_t", "taken_most_t"]].tolist() == pytest.approx([10, 10])
    assert sheet.loc["japan", "taken_least_t"] == pytest.approx(10.0 - 30.0 * day, abs=0.01)
    assert sheet.loc["japan", "taken_most_t"] == pytest.approx(10.0)
    full = sp.side_orders(world, shared, replace(state, stocks=state.stocks[:1]), "us").orders
    ends = full.set_index("beneficiary").loc["japan"]  # Half of a full stock is 9.86 t at least.
    assert ends["taken_least_t"] == 0.0
    assert ends["taken_most_t"] == pytest.approx(10.0 - 30.0 * day, abs=0.01)


RULES = ("own", "shared", "half", "some")


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_orders_of_chains_lie_between_those_of_bands(seed):
    """Random plants, rules, holdings, stocks and a loss that hits everybody, both ways round."""
    rng = np.random.default_rng(seed)
    chain = random_chain(seed, participants=2)
    world = replace(
        chain,
        sources=(Source(source="g", name="g"),),
        supply=tuple(
            Supply(participant=row.participant, material=m.material, source="g", share=1.0)
            for row in chain.participants
            for m in chain.materials
        ),
        rules=tuple(
            RuleRow(
                rule=name,
                relation=("*",) if name != "own" else ("own",),
                demand_class=("*",),
                reserve_level=float(rng.choice([0.0, 0.5, rng.random()])),
                draw_limit_per_month=float(rng.choice([1.0, 0.3, 1.0 - rng.random()])),
            )
            for name in RULES
        ),
    )
    problem = build_problem(world)
    rule_of = {}
    for number, block in enumerate(joined_materials(problem.conversions, len(problem.materials))):
        for c in problem.participants:
            rule = str(rng.choice(RULES))
            rule_of |= {(c, problem.materials[m]): (number, rule) for m in block}
    held = {key: int(rng.choice([0, 1, 2, 4, 40])) for key in rule_of}
    plan = sp.Plan(
        instance_name=world.name,
        instance_hash=world.content_hash,
        cooperation="sharing",
        status=sp.Status.OPTIMAL,
        annual_cost_usd=1.0,
        bound_usd=1.0,
        gap=0.0,
        seed=None,
        sampling=None,
        scenario_count=1,
        seconds=0.0,
        versions={},
        holdings=plan_table(
            "holdings",
            [
                dict.fromkeys(PLAN_TABLES["holdings"], 0.0)
                | {"participant": c, "material": m, "lots": lots, "holding_t": float(lots)}
                for (c, m), lots in held.items()
            ],
        ),
        rules=plan_table(
            "rules",
            [
                {"participant": c, "material": m, "rule": rule, "instruction": ""}
                for (c, m), (_, rule) in rule_of.items()
            ],
        ),
    )
    state = replace(
        begun(0.0, 0.0, month=int(rng.integers(1, 4))),
        stocks=tuple(
            StockLevel(
                participant=c,
                material=m,
                stock_t=float(lots * rng.choice([0.0, 1.0, rng.random()])),
            )
            for (c, m), lots in held.items()
            if rng.random() < 0.8
        ),
    )
    for own, partner in (problem.participants, problem.participants[::-1]):
        known = sp.side_orders(world, plan, state, own).orders
        require_inside(known, sp.side_orders(world, *pair(world, plan, state, partner), own).orders)


def test_a_plan_for_a_partner_tells_no_tonnes(tmp_path):
    """Neither holdings nor costs of it, and no hash by which a guess could be tried."""
    world, plan = world_and_plan()
    shared = sp.redacted_plan(plan, world, "japan")
    shared.save(tmp_path / "shared")
    again = sp.RedactedPlan.load(tmp_path / "shared")
    assert again.files() == shared.files()
    said = "".join(shared.files().values())
    (row,) = plan.holdings[plan.holdings["participant"] == "japan"].to_dict(orient="records")
    assert row["holding_t"] > 0.0
    assert f"japan,m,{band(row['days_of_cover'], row['holding_t'])}" in said
    assert f"japan,m,{row['holding_t']:g}" not in said
    assert plan.instance_hash not in said
    more = replace(world, holdings=tuple(replace(row, existing_t=3.0) for row in world.holdings))
    state = sp.redacted_state(begun(50.0, 5.0), world, "japan")
    assert len(sp.side_orders(more, again, state, "us").orders)  # Whatever is held today.
    other = replace(
        world, demand=tuple(replace(row, demand_t_per_year=1.0) for row in world.demand)
    )
    with pytest.raises(sp.ResultError, match="Both sides need the same tables"):
        sp.side_orders(other, again, state, "us")
    with pytest.raises(sp.UsageError, match="what japan is agreed to hold are bands"):
        sp.side_orders(world, again, replace(state, stocks=()), "japan")


def test_neither_side_needs_the_plan_in_full(tmp_path, capsys):
    """The United States know Japan's figures as bands, and write what Japan may know of theirs."""
    world, plan = world_and_plan()
    sp.save(world, tmp_path / "world")
    world = sp.load(tmp_path / "world")
    plan = replace(plan, instance_hash=world.content_hash)
    shared = sp.redacted_plan(plan, world, "japan")
    shared.save(tmp_path / "for-us")
    start = sp.begun_state(world, shared)
    assert [(row.participant, row.stock_t) for row in start.stocks] == [
        ("us", plan.held_t["us", "m"])
    ]
    assert sp.begun_state(world, shared, existing=True).stocks[0].stock_t == 0.0
    sp.save_state(replace(begun(12.0, 0.0), stocks=begun(12.0, 0.0).stocks[:1]), tmp_path / "day")
    asked = ["state", str(tmp_path / "world"), str(tmp_path / "for-us"), "--redact", "us"]
    of = ["--of", str(tmp_path / "day"), "--out", str(tmp_path / "for-japan")]
    assert cli.main([*asked, *of]) == 0
    table = (tmp_path / "for-japan" / "stocks.csv").read_text(encoding="utf-8")
    assert "us,m,,30 to 60" in table
    for_japan = sp.redacted_plan(plan, world, "us")
    state = sp.load_state(tmp_path / "for-japan", world, for_japan)
    assert len(sp.side_orders(world, for_japan, state, "japan").orders)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("holdings.csv", " t,", " kg,", "line 2, column holding"),
        ("redacted.json", '"format": 1', '"format": 7', "format 7 is not known"),
        ("redacted.json", '"hidden_of"', '"hides"', "hides the stocks of everybody"),
        ("redacted.json", '"shared_hash"', '"hash"', "expected a name and a shared_hash"),
    ],
)
def test_a_damaged_plan_for_a_partner_is_refused(tmp_path, file, old, new, message):
    world, plan = world_and_plan()
    sp.redacted_plan(plan, world, "japan").save(tmp_path / "shared")
    path = tmp_path / "shared" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(sp.ResultError, match=message):
        sp.RedactedPlan.load(tmp_path / "shared")


def test_nobody_orders_from_stocks_it_does_not_know(tmp_path, capsys):
    world, plan = world_and_plan()
    state = begun(50.0, 5.0)
    hidden = sp.redacted_state(state, world, "japan")
    with pytest.raises(sp.UsageError, match="only known as a band"):
        sp.respond(world, plan, hidden, continuations=2)
    with pytest.raises(sp.UsageError, match="its own orders need them in tonnes"):
        sp.side_orders(world, plan, hidden, "japan")
    with pytest.raises(sp.UsageError, match="Did you mean japan"):
        sp.redacted_state(state, world, "japn")
    both = replace(state, stocks=(replace(state.stocks[0], band="30 to 60"), state.stocks[1]))
    with pytest.raises(sp.InstanceError, match="needs stock_t or a band; this row has both"):
        sp.side_orders(world, plan, both, "us")


def saved(tmp_path):
    """Save world, plan and a state; return the world, and the first two folders."""
    world, plan = world_and_plan()
    folders = [str(tmp_path / "world"), str(tmp_path / "plan")]
    sp.save(world, folders[0])
    world = sp.load(folders[0])
    replace(plan, instance_hash=world.content_hash).save(folders[1])
    sp.save_state(begun(50.0, 5.0), tmp_path / "state")
    return world, folders


def test_the_commands_hide_stocks_and_print_one_side(tmp_path, capsys):
    world, folders = saved(tmp_path)
    shared = str(tmp_path / "shared")
    of = ["--of", str(tmp_path / "state"), "--redact", "japan", "--out", shared]
    assert cli.main(["state", *folders, *of]) == 0
    table = (tmp_path / "shared" / "stocks.csv").read_text(encoding="utf-8")
    assert "japan,m,,up to 30" in table
    assert "5" not in table.split("japan,m,", 1)[1].splitlines()[0].replace("up to 30", "")
    capsys.readouterr()
    assert cli.main(["respond", *folders, "--state", shared, "--side", "us"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for text in (
        "Order sheet of us, month 2",
        "Known as bands of days of cover: what is left of the stocks of japan.",
        "at most",
    ):
        assert text in said
    sheet = tmp_path / "sheet"
    asked = ["respond", *folders, "--state", shared, "--side", "us", "--out", str(sheet), "--json"]
    assert cli.main(asked) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((sheet / "orders.json").read_text(encoding="utf-8"))
    assert (found["participant"], found["month"]) == ("us", 2)
    assert (found["left_in_bands"], found["agreed_in_bands"]) == (["japan"], [])
    plan = sp.Plan.load(folders[1])
    of_us = sp.side_orders(world, plan, sp.load_state(shared, world, plan), "us")
    assert {file.name: file.read_text(encoding="utf-8") for file in sheet.iterdir()} == (
        of_us.files()
    )
    table = pd.read_csv(sheet / "orders.csv")
    assert table["taken_most_t"].tolist() == of_us.orders["taken_most_t"].tolist() == [10.0, 10.0]
    assert cli.main([*asked[:-3], "--out", str(tmp_path / "world")]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert cli.main(["respond", *folders, "--state", shared]) == 2
    assert "--side NAME" in capsys.readouterr().err
    partners = str(tmp_path / "partners")
    assert cli.main(["redact", *folders, "--of", "japan", "--out", partners]) == 0
    assert cli.main(["respond", folders[0], partners, "--state", shared, "--side", "us"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "what is left of the stocks of japan and what japan is agreed to hold." in said
    assert cli.main(["respond", folders[0], partners, "--state", shared]) == 2
    assert "--side PARTICIPANT" in capsys.readouterr().err
    assert cli.main(["redact", *folders, "--of", "japn", "--out", partners]) == 2
    assert "Did you mean japan" in capsys.readouterr().err


def test_what_a_partner_holds_today_is_a_band_not_as_full_as_agreed(tmp_path, capsys):
    """Today the United States hold nothing, and Japan 50 t: it sends them all of their 10 t."""
    world, plan = world_and_plan()
    today = {"us": 0.0, "japan": 50.0}
    of = plan.holdings["participant"]
    plan = replace(plan, holdings=plan.holdings.assign(existing_t=of.map(today)))
    shared = sp.redacted_plan(plan, world, "us")
    state = sp.begun_state(world, shared, month=2, existing=True)
    assert {(row.participant, row.stock_t, row.band) for row in state.stocks} == {
        ("us", None, "none"),
        ("japan", 50.0, None),
    }
    lost_now = begun(0.0, 0.0).ongoing
    sheet = sp.side_orders(world, shared, replace(state, ongoing=lost_now), "japan").orders
    ends = sheet.set_index("beneficiary")
    assert ends.loc["us", ["taken_least_t", "taken_most_t"]].tolist() == pytest.approx([10, 10])
    sp.save_state(state, tmp_path / "state")
    assert sp.load_state(tmp_path / "state", world, shared) == state
    as_agreed = sp.begun_state(world, shared).stocks  # Those that are hidden are full.
    assert [row.participant for row in as_agreed] == ["japan"]


def test_a_stock_that_its_owner_does_not_use_is_read_as_it_was_written(tmp_path):
    world, plan = world_and_plan()
    world = replace(world, demand=tuple(row for row in world.demand if row.participant != "japan"))
    plan = replace(plan, instance_hash=world.content_hash)
    state = sp.redacted_state(begun(50.0, 5.0), world, "japan")
    assert [row.band for row in state.stocks] == [None, "some"]
    sp.save_state(state, tmp_path / "state")
    assert sp.load_state(tmp_path / "state", world, plan) == state


def test_what_one_side_cannot_be_told_is_refused(tmp_path, capsys):
    _, folders = saved(tmp_path)
    asked = ["respond", *folders, "--state", str(tmp_path / "state"), "--side", "us"]
    for more in (
        ["--continuations", "2000"],
        ["--seed", "1"],
        ["--months", "3"],
        ["--lang", "en"],
        ["--seed", "1", "--lang", "ja"],
    ):
        assert cli.main([*asked, *more]) == 2
        names = ", ".join(word for word in more if word.startswith("--"))
        assert f"gives an order sheet alone, without {names}" in capsys.readouterr().err
    assert cli.main([*asked, "--threads", "0"]) == 2
    assert "threads is 0; expected at least 1" in capsys.readouterr().err
    assert cli.main([*asked, "--threads", "1"]) == 0
