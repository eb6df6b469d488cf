"""What each side may know: its own stocks in tonnes, its partner's as bands, and its own orders."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project_instances import instance, lost, solve

import stockpile as sp
from stockpile import cli
from stockpile.desk.state import Ongoing, StockLevel
from stockpile.desk.two_sided import band_ends
from stockpile.redaction import band, band_names
from stockpile.tables import Transfer


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
    least, most = band_ends(band(365.0 * tonnes / use, tonnes), use, 2000.0)
    assert least <= tonnes * (1.0 + 1e-9)
    assert tonnes <= most * (1.0 + 1e-9)


def test_every_band_has_ends():
    for name in [*band_names(), "some"]:
        least, most = band_ends(name, 365.0, 500.0)
        assert 0.0 <= least <= most


def test_orders_at_least_and_at_most():
    """Japan has 0 to 9.86 t (up to 30 days): the United States send 0.14 to 10 t."""
    world, plan = world_and_plan()
    hidden = sp.redacted_state(begun(50.0, 5.0), world, "japan")
    sheet = sp.side_orders(world, plan, hidden, "us").set_index("beneficiary")
    assert sheet.loc["us", ["taken_least_t", "taken_most_t"]].tolist() == pytest.approx([10, 10])
    assert sheet.loc["japan", "taken_least_t"] == pytest.approx(10.0 - 30.0 * 120.0 / 365.0)
    assert sheet.loc["japan", "taken_most_t"] == pytest.approx(10.0)


@given(st.floats(0.0, 40.0), st.floats(0.5, 39.0))
@settings(max_examples=30, deadline=None)
def test_what_both_stocks_order_lies_between(us, japan):
    """At what the partner really has, which the sheet does not know."""
    world, plan = world_and_plan()
    state = begun(us, japan)
    sheet = sp.side_orders(world, plan, sp.redacted_state(state, world, "japan"), "us")
    true = sp.side_orders(world, plan, state, "us")
    ends = {row["beneficiary"]: row for row in sheet.to_dict(orient="records")}
    for row in true.to_dict(orient="records"):
        of = ends[row["beneficiary"]]
        assert row["taken_least_t"] == row["taken_most_t"]
        assert of["taken_least_t"] - 1e-9 <= row["taken_most_t"] <= of["taken_most_t"] + 1e-9
    known = sp.respond(world, plan, state, continuations=2).orders
    own = known[known["owner"] == "us"]["taken_t"]
    assert np.allclose(true["taken_most_t"], own)


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


def test_the_commands_hide_stocks_and_print_one_side(tmp_path, capsys):
    world, plan = world_and_plan()
    sp.save(world, tmp_path / "world")
    world = sp.load(tmp_path / "world")
    replace(plan, instance_hash=world.content_hash).save(tmp_path / "plan")
    sp.save_state(begun(50.0, 5.0), tmp_path / "state")
    folders = [str(tmp_path / "world"), str(tmp_path / "plan")]
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
        "those of japan as bands of days of cover",
        "at most",
    ):
        assert text in said
    assert cli.main(["respond", *folders, "--state", shared]) == 2
    assert "--side NAME" in capsys.readouterr().err
