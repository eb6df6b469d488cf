"""Plans with projects in everything that takes a plan, with figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from project_instances import EMBARGO, cut, files, funded, instance, lost, project, solve

import stockpile as sp

# --- Everything that takes a plan -----------------------------------------------------------------


@pytest.fixture(scope="module")
def world():
    """Two nations, a project of all, one of Japan, an answer, dumping, a cap, stocks.

    Japan's ``late`` never helps.
    """
    return instance(
        participants=("us", "japan"),
        scenarios=[
            (0.8, [cut(5, 4, 0.5, answers="mine")]),
            (0.1, [lost(6, 2)]),
            (0.1, [lost(3, 1, 0.5, answers="mine"), lost(9, 1)]),
        ],
        shortage=(5000.0,),
        max_t=12.0,
        projects=(
            project(
                output=8.0,
                capital=1000.0,
                operating_usd_per_t=501.0,
                beneficiaries=("us", "japan"),
                beneficiary_shares=(0.5, 0.5),
                funder="joint",
                lead_median_months=2.0,
                life_years=10.0,
            ),
            project(
                "late",
                output=8.0,
                capital=10.0,
                beneficiaries=("japan",),
                funder="japan",
                lead_median_months=40.0,
            ),
        ),
    )


@pytest.fixture(scope="module")
def plan(world):
    found = solve(world)
    assert funded(found) == ["mine"]
    return found


def test_a_plan_judged_on_given_scenarios_is_itself(world, plan):
    found = sp.evaluate(world, plan, progress=False)
    assert found.annual_cost_usd == pytest.approx(plan.annual_cost_usd, rel=1e-12)
    # 162.745 for the capital; 1 USD/t of 8 t in four months of four scenarios in five.
    assert found.projects_usd == pytest.approx(162.745394882511 + 0.8 * 4.0 * 8.0)
    of_projects = plan.projects[["capital_usd_per_year", "support_usd_per_year"]].to_numpy().sum()
    assert found.projects_usd == pytest.approx(of_projects)
    assert found.broken == ()


def test_a_plan_is_read_back_as_it_was_written(world, plan, tmp_path):
    plan.save(tmp_path / "plan")
    read = sp.Plan.load(tmp_path / "plan")
    assert read.files() == plan.files()
    again = sp.evaluate(world, read, progress=False)
    assert again.annual_cost_usd == pytest.approx(plan.annual_cost_usd, rel=1e-12)


def test_an_instance_is_read_back_as_it_was_written(world, tmp_path):
    sp.save(world, tmp_path / "instance")
    assert sp.load(tmp_path / "instance") == world


def test_threads_make_no_difference(world):
    one, two = solve(world, threads=1), solve(world, threads=2)
    assert files(one) == files(two)


def test_a_result_with_another_project_is_refused(world, plan):
    table = plan.projects.assign(project=["mine", "atlantis"])
    with pytest.raises(sp.ResultError, match="'atlantis' is not among its projects"):
        sp.evaluate(world, replace(plan, projects=table), progress=False)


def test_a_result_that_lacks_a_project_is_refused(world, plan):
    short = replace(plan, projects=plan.projects.iloc[:1])
    with pytest.raises(sp.ResultError, match="does not say whether late is funded"):
        sp.evaluate(world, short, progress=False)


def test_a_result_with_projects_is_refused_by_an_instance_without(world, plan):
    bare = replace(world, projects=(), events=tuple(e for e in world.events if not e.answers))
    with pytest.raises(sp.ResultError, match="'mine' is not among its projects"):
        sp.evaluate(bare, plan, progress=False)


def test_a_batch_is_about_projects_too(tmp_path):
    """4 t of 10 t saved in one scenario of ten, at 100 USD and at 500 USD a year."""
    sp.save(
        instance(scenarios=EMBARGO, projects=(project(output=4.0, capital=1000.0),)),
        tmp_path / "instance",
    )
    made = sp.batch(
        tmp_path / "instance",
        tmp_path / "batch",
        sweep={"projects[project=mine].capital_usd": [1000, 5000]},
        progress=False,
    )
    assert made.summary["annual_cost_usd"].tolist() == pytest.approx([700.0, 1000.0])


def test_a_frontier_is_about_projects_too():
    """Of 10 t, the project makes 4 for 10 USD; 3,000 or 6,000 USD buy 3 t or 6 t at 100 a year.

    A tonne short in one scenario of ten is 500 USD a year.
    """
    world = instance(
        scenarios=EMBARGO,
        shortage=(5000.0,),
        max_t=60.0,
        projects=(project(output=4.0, capital=100.0),),
    )
    nation = replace(world.participants[0], acquisition_budget_usd=6000.0)
    world = replace(world, participants=(nation,))
    curve = sp.frontier(world, "budget", values=[0.5, 1.0], gap=0.0, progress=False)
    costs = {point.parameter: point.annual_cost_usd for point in curve.points}
    assert costs == pytest.approx({0.5: 10.0 + 300.0 + 1500.0, 1.0: 10.0 + 600.0})
    assert all(funded(point.plan) == ["mine"] for point in curve.points)


def test_worlds_are_compared_with_their_projects():
    """Alone nobody can have the joint project: 2,000 USD. Together 8 t less are short, for 100."""
    mine = project(
        output=8.0,
        capital=1000.0,
        beneficiaries=("us", "japan"),
        beneficiary_shares=(0.75, 0.25),
        funder="joint",
    )
    world = instance(scenarios=EMBARGO, participants=("us", "japan"), projects=(mine,))
    found = sp.compare(world, gap=0.0, progress=False)
    costs = found.worlds.set_index("world")["annual_cost_usd"]
    assert costs.to_dict() == pytest.approx({"none": 2000.0, "sharing": 1300.0, "joint": 1300.0})
