"""The solver against the enumeration of all plans, on random small instances with couplings."""

import random

import coupled_oracle
import pytest
from coupled_oracle import Plan
from random_coupled import COUPLINGS, write_coupled_instance
from test_enumeration import at_most, candidate, close

import stockpile as sp

SEEDS_ALONE = range(12)
SEEDS_TOGETHER = range(60)


def some_couplings(seed):
    """Every fourth time all couplings, else a few."""
    if seed % 4 == 0:
        return COUPLINGS
    rng = random.Random(seed)
    return rng.sample(COUPLINGS, rng.randint(2, len(COUPLINGS) - 1))


CASES = [(seed, [name]) for name in COUPLINGS for seed in SEEDS_ALONE]
CASES += [(1000 + seed, some_couplings(seed)) for seed in SEEDS_TOGETHER]


def label(drawn):
    seed, names = drawn
    return f"{names[0] if len(names) == 1 else 'together'}-{seed}"


@pytest.fixture(
    scope="module",
    params=[
        case if case[0] % 2 == 0 else pytest.param(case, marks=pytest.mark.thorough)
        for case in CASES
    ],
    ids=label,
)
def case(request, tmp_path_factory):
    """A random instance: folder, the oracle's reading, cooperation, and the best plan or None."""
    folder = tmp_path_factory.mktemp("instance")
    inst, cooperation = write_coupled_instance(folder, *request.param)
    if "nobody_worse_off" in request.param[1] and not coupled_oracle.standalone_is_unique(inst):
        pytest.skip("Best plans without cooperation differ in what each participant bears.")
    return folder, inst, cooperation, coupled_oracle.enumerate_coupled(inst, cooperation)


def chosen(plan, inst):
    """Lots, rules and open facilities of a plan, as the oracle reads them."""
    by_material = {material: candidate(plan, material) for material in inst["materials"]}
    facilities = plan.facilities
    opened = [
        name
        for name, is_open in zip(facilities["facility"], facilities["open"], strict=True)
        if is_open
    ]
    return Plan(
        {material: lots for material, (lots, _) in by_material.items()},
        {material: rules for material, (_, rules) in by_material.items()},
        frozenset(opened),
    )


def check(plan, inst, cooperation):
    """The plan keeps every promise and coupling and costs what it says."""
    found = chosen(plan, inst)
    assert coupled_oracle.check_plan(inst, cooperation, found) == []
    assert plan.annual_cost_usd == close(coupled_oracle.cost_of(inst, cooperation, found))


def test_the_plan_is_the_enumerated_optimum(case):
    folder, inst, cooperation, best = case
    plan = sp.solve(sp.load(folder), gap=0.0, cooperation=cooperation)
    if best is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert plan.annual_cost_usd == close(best.annual_cost)
    assert at_most(plan.bound_usd, best.annual_cost)
    check(plan, inst, cooperation)


def test_a_certificate_of_five_percent_holds(case):
    folder, inst, cooperation, best = case
    plan = sp.solve(sp.load(folder), gap=0.05, cooperation=cooperation)
    if best is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert at_most(plan.bound_usd, best.annual_cost)
    assert at_most(best.annual_cost, plan.annual_cost_usd)
    assert at_most(plan.annual_cost_usd, plan.bound_usd / (1 - 0.05))
    check(plan, inst, cooperation)
