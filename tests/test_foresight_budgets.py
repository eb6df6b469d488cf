"""The foresight bound under budgets (F16): cuts, extensive form and Pyomo agree; known answers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_coupled import write_coupled_instance
from test_foresight import INSTANCES, TEN_NEEDS, embargoes, models, optimum_of_pyomo, random_data

import stockpile as sp
from stockpile.couplings import build_couplings
from stockpile.foresight_bound import foresight, foresight_gap
from stockpile.foresight_budgets import _Prices, budget_bound, minimise_within
from stockpile.foresight_recourse import Recourse
from stockpile.foresight_search import minimise
from stockpile.foresight_waiting import wait_and_see, within_budgets
from stockpile.model.foresight_arrays import extensive_form, instance_form, under_budgets
from stockpile.model.foresight_data import ForesightBudgets, foresight_budgets
from stockpile.model.foresight_reference import instance_model
from stockpile.model.linear import solve_linear
from stockpile.parallel import Workers
from stockpile.problem import build_problem
from stockpile.scenarios import scenario_set
from stockpile.tables import Agreement, CoverageTarget

SEEDS = st.integers(0, 2**32 - 1)


def random_case(seed, *, share=None):
    """Materials of the same participants in one scenario set, solved apart, and budgets.

    Budgets are parts of what is bought without any; ``share`` is None for parts drawn at random,
    some of them too small for what promises require.
    """
    rng = np.random.default_rng(seed)
    C, S = int(rng.integers(1, 4)), 7
    probability = rng.dirichlet(np.ones(S))
    materials = []
    for _ in range(int(rng.integers(1, 4))):
        data = random_data(int(rng.integers(2**31)), participants=C)
        scenario = np.sort(rng.choice(S, size=data.scenario.size, replace=False))
        materials.append(
            dataclasses.replace(data, scenario=scenario, probability=probability[scenario])
        )
    with Workers(1) as one:
        recourses = [Recourse(data, one) for data in materials]
        alone = [minimise(recourse) for recourse in recourses]
    member = np.concatenate([np.eye(C, dtype=np.bool_), np.ones((1, C), dtype=np.bool_)])
    member = member[rng.random(C + 1) < 0.7]
    budgets = ForesightBudgets(("",) * len(member), member, np.zeros(len(member)))
    spent = budgets.outlay(materials, [np.nan_to_num(found.holding) for found in alone])
    parts = rng.choice([0.2, 0.5, 0.8, 1.2], size=spent.size) if share is None else share
    return (
        materials,
        recourses,
        alone,
        dataclasses.replace(budgets, most=parts * spent),
        probability,
    )


# --- The search -----------------------------------------------------------------------------------


@given(SEEDS)
@settings(max_examples=120, deadline=None)
def test_cuts_under_budgets_find_the_optimum_of_the_extensive_form(seed):
    materials, recourses, alone, budgets, _ = random_case(seed)
    found = minimise_within(recourses, alone, budgets)
    solution = solve_linear(instance_form(materials, budgets))
    if solution.status == "infeasible":
        assert found.bound == found.cost == np.inf
        return
    assert solution.status == "optimal"
    optimum = pytest.approx(solution.objective, rel=1e-7, abs=1e-7)
    assert found.cost == optimum
    assert found.bound == optimum
    assert found.bound <= found.cost
    within = budgets.outlay(materials, found.holdings) <= budgets.most * (1.0 + 1e-7) + 1e-7
    assert within.all()


@given(SEEDS, SEEDS)
@settings(max_examples=80, deadline=None)
def test_the_bound_under_budgets_holds_whatever_the_prices_are(seed, other):
    materials, recourses, alone, budgets, _ = random_case(seed)
    optimum = minimise_within(recourses, alone, budgets).cost
    if not all(data.feasible for data in materials):
        return
    rng = np.random.default_rng(other)
    prices = _Prices(
        tuple(np.abs(rng.normal(size=1 + len(found.cuts))) + 1e-3 for found in alone),
        tuple(rng.normal(size=data.pooled.size) for data in materials),
        rng.normal(size=budgets.most.size) * rng.choice([0.1, 1.0, 10.0]),
    )
    bound, _ = budget_bound(materials, [found.cuts for found in alone], budgets, prices)
    assert bound <= optimum * (1.0 + 1e-9) + 1e-9


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_budgets_that_nothing_breaks_change_nothing(seed):
    _, recourses, alone, budgets, _ = random_case(seed, share=1.0 + 1e-9)
    found = minimise_within(recourses, alone, budgets)
    assert found.bounds == tuple(one.bound for one in alone)
    assert found.costs == tuple(one.cost for one in alone)


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_wait_and_see_within_budgets_is_one_linear_program_for_all_scenarios(seed):
    materials, recourses, alone, budgets, probability = random_case(seed)
    if not np.isfinite(minimise_within(recourses, alone, budgets).cost):
        return
    found, _ = within_budgets([wait_and_see(each) for each in recourses], budgets, probability)
    everything = np.arange(probability.size)
    each = [data.in_scenarios(everything, probability) for data in materials]
    forms = [extensive_form(data, wait_and_see=True) for data in each]
    expected = solve_linear(under_budgets(forms, each, budgets, plans=probability.size))
    assert expected.status == "optimal"
    assert found == pytest.approx(expected.objective, rel=1e-7, abs=1e-7)
    assert found <= minimise_within(recourses, alone, budgets).cost * (1.0 + 1e-7) + 1e-7


# --- Instances ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "couplings"),
    [*((seed, ["budget"]) for seed in range(6)), *((seed, ["joint_budget"]) for seed in range(6))],
)
def test_instances_with_budgets_agree_in_all_forms(seed, couplings, tmp_path):
    _, world = write_coupled_instance(tmp_path, seed, couplings)
    instance = sp.load(tmp_path)
    problem = build_problem(instance)
    bound = foresight(instance, cooperation=world, progress=False)
    with Workers(1) as one:
        of_materials = models(instance, world, one)
    couplings = build_couplings(instance, problem, world, scenario_set(instance, problem))
    budgets = foresight_budgets(problem, couplings)
    assert budgets.names
    solution = solve_linear(instance_form(of_materials, budgets))
    plan = sp.solve(instance, gap=0.0, cooperation=world, progress=False)
    if solution.status == "infeasible":
        assert bound.bound_usd == np.inf
        assert not plan.found
        return
    assert bound.bound_usd == pytest.approx(solution.objective, rel=1e-6, abs=1e-6)
    reference = optimum_of_pyomo(instance_model(of_materials, budgets))
    assert reference == pytest.approx(solution.objective, rel=1e-6, abs=1e-6)
    assert bound.vss_usd >= 0.0
    assert bound.evpi_usd >= 0.0
    if plan.found:
        assert bound.bound_usd <= plan.bound_usd * (1.0 + 1e-9) + 1e-6
        assert foresight_gap(plan, bound) >= -1e-9 * plan.annual_cost_usd - 1e-6


def test_budgets_bind_in_some_of_these_instances(tmp_path):
    """A binding budget leaves no bound of each material, and raises the bound of all."""
    raised = 0
    for seed in range(6):
        folder = tmp_path / str(seed)
        _, world = write_coupled_instance(folder, seed, ["budget"])
        instance = sp.load(folder)
        free = dataclasses.replace(
            instance,
            participants=tuple(
                dataclasses.replace(row, acquisition_budget_usd=None)
                for row in instance.participants
            ),
        )
        bounds = [foresight(made, cooperation=world, progress=False) for made in (instance, free)]
        assert bounds[1].bound_usd <= bounds[0].bound_usd * (1.0 + 1e-9)
        assert np.isfinite(bounds[1].materials["bound_usd"]).all()
        if bounds[1].bound_usd < bounds[0].bound_usd * (1.0 - 1e-6) < np.inf:
            raised += 1
            assert bounds[0].materials[["bound_usd", "vss_usd"]].isna().all(axis=None)
    assert raised >= 2


# --- Known answers --------------------------------------------------------------------------------


def test_a_newsvendor_who_can_afford_40_tonnes():
    """Without a budget 70 t are held (see ``test_foresight``). A tonne costs 1,000 USD.

    With 40,000 USD: 40 * 3 + 8 * (10 + 20 + 30 + 40 + 50 + 60) / 10 = 120 + 168 = 288 USD a year.
    Whoever knows the need holds it up to 40 t: 3 * (10 + 20 + 30 + 7 * 40) / 10 = 102, and 168 for
    what is missing: 270 USD. The mean of 55 t calls for 40 t as well, so VSS is 0.
    """
    instance = embargoes(TEN_NEEDS)
    instance = dataclasses.replace(instance, agreement=Agreement(joint_budget_usd=40_000.0))
    found = foresight(instance, progress=False)
    assert found.cost_usd == pytest.approx(288.0)
    assert found.bound_usd == pytest.approx(288.0)
    assert found.holdings["holding_t"].tolist() == pytest.approx([40.0])
    assert found.ws_usd == pytest.approx(270.0)
    assert found.evpi_usd == pytest.approx(18.0)
    assert found.eev_usd == pytest.approx(288.0)
    assert found.vss_usd == pytest.approx(0.0, abs=1e-6)


def test_what_exists_need_not_be_bought():
    """With 30 t there, 20,000 USD buy 20 t: 50 * 3 + 8 * (10 + 20 + 30 + 40 + 50) / 10 = 270."""
    instance = embargoes(TEN_NEEDS)
    instance = dataclasses.replace(
        instance,
        holdings=(dataclasses.replace(instance.holdings[0], existing_t=30.0),),
        participants=(
            dataclasses.replace(instance.participants[0], acquisition_budget_usd=20_000.0),
        ),
    )
    found = foresight(instance, progress=False)
    assert found.holdings["holding_t"].tolist() == pytest.approx([50.0])
    assert found.bound_usd == pytest.approx(270.0)


def test_a_budget_too_small_for_a_promise_makes_the_bound_infinite():
    """100 days are 328.8 t, which 1,000 USD do not buy."""
    instance = embargoes(TEN_NEEDS, coverage=[CoverageTarget(metric="days", level=100.0)])
    instance = dataclasses.replace(instance, agreement=Agreement(joint_budget_usd=1_000.0))
    found = foresight(instance, progress=False)
    assert found.bound_usd == np.inf
    assert np.isnan(found.vss_usd)
    assert np.isnan(found.evpi_usd)


@pytest.mark.parametrize("part", [0.95, 0.8, 0.5])
def test_budgets_of_many_materials_are_certified(part):
    """With dozens of near-parallel cuts of each material the solver doubts its own optima."""
    instance = sp.load(INSTANCES / "us-japan-one-form")
    instance = dataclasses.replace(
        instance,
        agreement=Agreement(),
        participants=tuple(
            dataclasses.replace(row, acquisition_budget_usd=None) for row in instance.participants
        ),
    )
    free = foresight(instance, scenarios=300, progress=False)
    price = {row.material: 1000.0 * row.price_usd_per_kg for row in instance.materials}
    spent = sum(price[row.material] * row.holding_t for row in free.holdings.itertuples())
    tight = dataclasses.replace(instance, agreement=Agreement(joint_budget_usd=part * spent))
    found = foresight(tight, scenarios=300, progress=False)
    assert found.budgets_bind
    assert free.bound_usd < found.bound_usd <= found.cost_usd <= found.bound_usd * (1.0 + 2e-9)
    assert found.ws_usd <= found.cost_usd <= found.eev_usd
