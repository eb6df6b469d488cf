"""A time limit and the world without partners, which says what nobody may pay more than (16)."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import stockpile as sp
from stockpile import solver
from stockpile.display import plan_summary
from stockpile.plan import Status

INSTANCES = Path(__file__).parent.parent / "instances"


class Solves:
    """Stands in for the solves of a world: notes their deadlines, and hands out plans."""

    def __init__(self, plans):
        self.plans = list(plans)
        self.deadlines = []

    def __call__(self, setting, world, *, gap, deadline):
        assert world == "none"
        self.deadlines.append(deadline)
        return self.plans.pop(0)


class FakePlan:
    def __init__(self, status, found):
        self.status, self.found = status, found


@pytest.fixture
def now(monkeypatch):
    monkeypatch.setattr(solver.time, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(solver, "gap_alone", lambda problem, gap: gap)


class Nothing:
    problem = None


def alone(monkeypatch, plans, deadline):
    solves = Solves(plans)
    monkeypatch.setattr(solver, "solve_world", solves)
    plan = solver._plan_alone(Nothing(), gap=0.02, deadline=deadline)
    return plan, solves.deadlines


FOUND = FakePlan(Status.TIME_LIMIT, True)
STOPPED = FakePlan(Status.TIME_LIMIT, False)
IMPOSSIBLE = FakePlan(Status.INFEASIBLE, False)


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("plan", [FOUND, IMPOSSIBLE])
def test_a_third_of_the_time_is_enough_where_it_tells_what_is_borne(monkeypatch, plan):
    assert alone(monkeypatch, [plan], 1300.0) == (plan, [1100.0])


@pytest.mark.usefixtures("now")
def test_without_a_plan_by_then_it_takes_the_rest(monkeypatch):
    assert alone(monkeypatch, [STOPPED, FOUND], 1300.0) == (FOUND, [1100.0, 1300.0])


@pytest.mark.usefixtures("now")
def test_without_a_time_limit_there_is_none_here(monkeypatch):
    assert alone(monkeypatch, [FOUND], np.inf) == (FOUND, [np.inf])


def test_the_plan_says_what_was_proved_of_what_each_pays_alone(monkeypatch):
    """To gap 0 where that is quick, to the gap asked for elsewhere; nothing where nobody asks."""
    toy = sp.load(INSTANCES / "toy")
    assert sp.solve(toy, progress=False).alone_gap is None
    fair = replace(toy, agreement=replace(toy.agreement, nobody_worse_off=True))
    plan = sp.solve(fair, gap=0.3, progress=False)
    assert plan.alone_gap == 0.0
    assert "alone " not in plan_summary(plan)
    monkeypatch.setattr(solver, "gap_alone", lambda problem, gap: gap)
    plan = sp.solve(fair, gap=0.3, progress=False)
    alone = sp.solve(fair, gap=0.3, cooperation="none", progress=False)
    assert plan.alone_gap == alone.gap
    assert alone.alone_gap is None
    assert plan.summary()["alone_gap"] == alone.gap
    told = "is from a plan within" in plan_summary(plan)
    assert told == (alone.gap > 0.0)
