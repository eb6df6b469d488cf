"""A time limit and the world without partners, which says what nobody may pay more than (16)."""

import numpy as np
import pytest

from stockpile import solver
from stockpile.plan import Status


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
