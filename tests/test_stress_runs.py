"""Stress cases month by month, against the toy worked by hand and the promises of plans."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import stockpile as sp
from stockpile.tables import StressEvent

TOY = Path(__file__).parents[1] / "instances" / "toy"


@pytest.fixture(scope="module")
def toy():
    instance = sp.load(TOY)
    return instance, sp.solve(instance, gap=0.0, progress=False)


def test_the_toy_is_as_worked_by_hand(toy):
    """Three tonnes each are gone in the first month; nothing is left for the second."""
    runs = sp.stress_runs(*toy)
    for nation in ("us", "japan"):
        of = runs.needs[runs.needs["participant"] == nation]
        rows = of[["demand_class", "month", "need_t", "own_t", "partner_t", "unserved_t"]]
        assert rows.to_numpy().tolist() == [
            ["defense", 1, 1.0, 1.0, 0.0, 0.0],
            ["defense", 2, 1.0, 0.0, 0.0, 1.0],
            ["industry", 1, 2.0, 2.0, 0.0, 0.0],
            ["industry", 2, 2.0, 0.0, 0.0, 2.0],
        ]
        stock = runs.stocks[runs.stocks["participant"] == nation]
        assert stock["state_t"].tolist()[:3] == [3.0, 0.0, 0.0]
        assert (stock["material"] == "gallium").all()


def test_what_is_served_is_what_the_plan_achieves_in_stress_promises():
    instance = sp.generate(materials=3, scenarios=80, months=24, participants=2)
    names = [row.participant for row in instance.participants]
    source = instance.sources[0].source
    case = StressEvent(stress="halt", source=source, start_month=2, duration_months=7, severity=0.8)
    row = replace(
        instance.coverage[0],
        participant=("*",),
        material=("*",),
        demand_class=("*",),
        metric="stress",
        level=0.0,
        confidence=None,
        stress="halt",
        group=None,
        sharing="on",
    )
    coverage = (*(item for item in instance.coverage if item.metric != "stress"), row)
    instance = replace(instance, stress=(case,), coverage=coverage)
    sp.validate(instance)
    plan = sp.solve(instance, gap=0.05, progress=False)
    runs = sp.stress_runs(instance, plan)
    sums = runs.needs.groupby(["participant", "material", "demand_class"])[
        ["need_t", "unserved_t"]
    ].sum()
    promised = plan.coverage[plan.coverage["metric"] == "stress"]
    assert len(promised) > len(names)
    for item in promised.to_dict(orient="records"):
        key = (item["participant"], item["material"], item["demand_class"])
        if key in sums.index:
            served = 1.0 - sums.loc[key, "unserved_t"] / sums.loc[key, "need_t"]
            assert served == pytest.approx(item["achieved"], abs=1e-9)
    # What is released has left a stock, and nothing else has before stocks are filled again.
    released = runs.needs["own_t"].sum() + runs.needs["partner_t"].sum()
    last = runs.needs["month"].max()
    end = runs.stocks[runs.stocks["month"] == last]
    start = runs.stocks[runs.stocks["month"] == 0]
    assert released > 0.0
    assert start["state_t"].sum() - end["state_t"].sum() == pytest.approx(released)


def test_without_stress_cases_there_is_nothing(toy):
    instance, plan = toy
    kept = tuple(row for row in instance.coverage if row.metric != "stress")
    runs = sp.stress_runs(replace(instance, stress=(), coverage=kept), plan)
    assert runs.needs.empty
    assert list(runs.stocks.columns)[-1] == "state_t"


def test_a_plan_of_another_instance_is_refused(toy):
    instance, plan = toy
    materials = tuple(replace(row, lot_t=7.0) for row in instance.materials)
    with pytest.raises(sp.ResultError, match="does not fit"):
        sp.stress_runs(replace(instance, materials=materials), plan)


def test_all_of_a_need_is_accounted_for(toy):
    needs = sp.stress_runs(*toy).needs
    parts = needs[["own_t", "partner_t", "unserved_t"]].sum(axis=1)
    assert np.allclose(parts, needs["need_t"])
