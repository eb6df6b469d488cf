"""``stockpile foresight``: a page in plain words, JSON, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

import stockpile as sp
from stockpile.cli import main
from stockpile.foresight_display import foresight_text
from stockpile.tables import Agreement, CoverageTarget, Facility

INSTANCES = Path(__file__).parents[1] / "instances"
TOY = INSTANCES / "toy"
PAGE = 60


@pytest.fixture
def run(capsys):
    """Run the command and return its status, stdout and stderr."""

    def command(*arguments):
        try:
            status = main(["foresight", *map(str, arguments)])
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    return command


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """The saved plan of the toy."""
    folder = tmp_path_factory.mktemp("toy") / "result"
    sp.solve(sp.load(TOY), progress=False).save(folder)
    return folder


def test_the_bound_alone(run):
    status, out, err = run(TOY)
    assert (status, err) == (0, "")
    assert "bound       408.6 thousand USD a year; no release policy costs less" in out
    assert "VSS         3.02 million USD a year" in out
    assert "EVPI        260.5 thousand USD a year" in out
    for word in ("plan", "difference", "budgets"):
        assert f"\n  {word} " not in out


def test_a_plan_is_compared_and_evpi_kept_apart(run, result):
    status, out, _ = run(TOY, result)
    assert status == 0
    assert (
        "difference  32 thousand USD a year (7.26 %): the most a cleverer policy could save" in out
    )
    assert "The difference is not EVPI" in out
    rows = [line.split() for line in out.splitlines() if line.startswith((" gallium", " dy_"))]
    assert rows == [
        ["gallium", "6", "0.1206", "0.1206", "0", "0.03944", "0.001323"],
        ["dy_oxide", "9", "0.288", "0.32", "0.032", "2.981", "0.2592"],
    ]


def test_json_holds_all_figures(run, result):
    data = json.loads(run(TOY, result, "--json")[1])
    bound = sp.foresight(sp.load(TOY), progress=False)
    for name in ("bound_usd", "cost_usd", "eev_usd", "ws_usd", "vss_usd", "evpi_usd"):
        assert data[name] == pytest.approx(getattr(bound, name))
    assert data["plan_usd"] == pytest.approx(440_600.0)
    assert data["difference_usd"] == pytest.approx(32_000.0)
    assert [row["material"] for row in data["materials"]] == ["gallium", "dy_oxide"]
    assert len(data["holdings"]) == 4
    assert "plan_usd" not in json.loads(run(TOY, "--json")[1])


def test_world_and_scenarios_are_those_of_the_plan_unless_said_otherwise(run, tmp_path):
    folder, result = INSTANCES / "rare-earths", tmp_path / "result"
    plan = sp.solve(
        sp.load(folder), cooperation="none", scenarios=30, seed=7, gap=0.5, progress=False
    )
    plan.save(result)
    data = json.loads(run(folder, result, "--json")[1])
    assert (data["cooperation"], data["scenario_count"], data["seed"]) == ("none", 30, 7)
    status, out, err = run(folder, result, "--seed", 8)
    assert (status, out) == (2, "")
    assert "seed is 7 in the plan and 8 in the bound" in err


def test_a_plan_of_another_instance_is_refused_before_the_work(run, result, monkeypatch):
    def never(*_, **__):
        raise AssertionError("worked, although the plan cannot be compared")

    monkeypatch.setattr("stockpile.foresight_bound.foresight", never)
    status, out, err = run(INSTANCES / "rare-earths", result)
    assert (status, out) == (2, "")
    assert "instance_hash" in err


def test_a_page_is_enough_for_many_materials(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run(INSTANCES / "us-japan-one-form", "--scenarios", 20)
    assert len(out.splitlines()) <= PAGE - 6  # Six lines more where there is a plan.
    assert all(len(line) <= 86 for line in out.splitlines())


def test_without_holdings_that_keep_all_promises_there_is_no_bound(run, tmp_path):
    """A year and a half of demand is promised, a year may be held."""
    made = replace(sp.load(TOY), coverage=(CoverageTarget(metric="days", level=500.0),))
    folder = sp.save(made, tmp_path / "instance")
    status, out, _ = run(folder)
    assert status == 3
    assert "bound       none: no holdings within the limits can keep all promises" in out
    data = json.loads(run(folder, "--json")[1])
    assert data["bound_usd"] is None
    assert data["evpi_usd"] is None


def test_budgets_that_bind_are_said_to(tmp_path):
    """10 million USD do not buy 6 t of gallium and 9 t of dysprosium: 10.2 million USD."""
    made = replace(sp.load(TOY), agreement=Agreement(joint_budget_usd=10e6))
    plan, bound = sp.solve(made, progress=False), sp.foresight(made, progress=False)
    text = foresight_text(bound, plan)
    assert "budgets     bind: there is one bound for all materials, and none for each" in text
    (row,) = (line.split() for line in text.splitlines() if line.startswith(" gallium"))
    assert row[4:6] == ["-", "-"]
    free = sp.foresight(sp.load(TOY), progress=False)
    assert "budgets" not in foresight_text(free)
    assert bound.bound_usd > free.bound_usd
    assert 0.0 <= sp.foresight_gap(plan, bound) < plan.annual_cost_usd - free.bound_usd


def test_what_existing_stores_cost_is_no_policys_fault():
    """It is the same in plan and bound; a store that need not be opened costs neither."""
    toy = sp.load(TOY)
    store = Facility(
        facility="old",
        participant="us",
        storage_kind="warehouse",
        capacity_t=100.0,
        fixed_cost_usd_per_year=50_000.0,
        existing=True,
    )
    made = replace(
        toy, facilities=(store, replace(store, facility="new", existing=False, participant="us"))
    )
    found, plain = sp.foresight(made, progress=False), sp.foresight(toy, progress=False)
    assert found.facilities_usd == 50_000.0
    assert found.bound_usd == pytest.approx(plain.bound_usd + 50_000.0)
    assert found.evpi_usd == pytest.approx(plain.evpi_usd)
    assert found.vss_usd == pytest.approx(plain.vss_usd)
    plan = sp.solve(made, progress=False)
    assert sp.foresight_gap(plan, found) == pytest.approx(32_000.0)


def test_ctrl_c_ends_it_without_a_bound():
    sent = []

    def interrupt(progress):
        if not sent:
            sent.append(progress)
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        sp.foresight(sp.load(TOY), progress=interrupt)
    assert signal.getsignal(signal.SIGINT) is before


def test_wrong_usage_names_what_is_wrong(run):
    for arguments, word in (
        ([], "INSTANCE"),
        ([TOY, "--scenarios", "0"], "scenarios"),
        ([TOY, "--cooperation", "both"], "--cooperation"),
        ([TOY, TOY], "plan.json"),
    ):
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert word in err
