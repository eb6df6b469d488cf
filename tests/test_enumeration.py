"""The solver against the enumeration of every lot and every rule, on random small instances."""

import math

import oracle
import pandas as pd
import pytest
from random_instances import write_random_instance

import stockpile as sp

SEEDS = range(300)
COOPERATION = ["none", "sharing", "joint"]


@pytest.fixture(scope="module", params=SEEDS)
def case(request, tmp_path_factory):
    """A random instance: folder, the oracle's reading, cooperation, and the optimum or None."""
    folder = tmp_path_factory.mktemp("instance")
    write_random_instance(folder, request.param)
    inst = oracle.read(folder)
    cooperation = COOPERATION[request.param % len(COOPERATION)]
    return folder, inst, cooperation, oracle.enumerate_plan(inst, cooperation)


def close(value):
    """Equal within 1e-9 relative, or within a millionth of a dollar."""
    return pytest.approx(value, rel=1e-9, abs=1e-6)


def at_most(value, limit):
    """Whether value <= limit within the same tolerance."""
    return value <= limit + max(1e-9 * abs(limit), 1e-6)


def candidate(plan, material):
    """Lots and rule by participant that a plan chooses for a material."""
    holdings = plan.holdings[plan.holdings["material"] == material]
    rules = plan.rules[plan.rules["material"] == material]
    lots = dict(zip(holdings["participant"], map(int, holdings["lots"]), strict=True))
    return lots, dict(zip(rules["participant"], rules["rule"], strict=True))


def text(cell):
    return "" if pd.isna(cell) else str(cell)


def test_the_plan_is_the_enumerated_optimum(case):
    folder, inst, cooperation, optimum = case
    plan = sp.solve(sp.load(folder), gap=0.0, cooperation=cooperation)
    if optimum is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert plan.annual_cost_usd == close(optimum)
    assert at_most(plan.bound_usd, optimum)
    assert plan.bound_usd == close(optimum)

    # The plan's own candidate costs and keeps what the plan says.
    total = 0.0
    for material in inst["materials"]:
        lots, rules = candidate(plan, material)
        found = oracle.evaluate(inst, material, cooperation, lots, rules)
        assert found.feasible
        total += found.annual_cost
        compare_holdings(plan, inst, material, lots)
        compare_costs(plan, material, found)
        compare_coverage(plan, inst, material, found)
    assert plan.annual_cost_usd == close(total)


def test_a_certificate_of_five_percent_holds(case):
    folder, _, cooperation, optimum = case
    plan = sp.solve(sp.load(folder), gap=0.05, cooperation=cooperation)
    if optimum is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert at_most(plan.bound_usd, optimum)
    assert at_most(optimum, plan.annual_cost_usd)
    assert at_most(plan.annual_cost_usd, plan.bound_usd / (1 - 0.05))
    if plan.annual_cost_usd > 0:
        gap = (plan.annual_cost_usd - plan.bound_usd) / plan.annual_cost_usd
        assert plan.gap == pytest.approx(gap, abs=1e-9)


def compare_holdings(plan, inst, material, lots):
    rows = plan.holdings[plan.holdings["material"] == material]
    for row in rows.itertuples():
        assert lots[row.participant] in oracle.lot_range(inst, row.participant, material)
        assert row.holding_t == pytest.approx(float(inst["lot"][material] * lots[row.participant]))


def compare_costs(plan, material, found):
    rows = plan.costs[plan.costs["material"] == material]
    assert set(rows["participant"]) == set(found.costs)
    for row in rows.itertuples():
        parts = found.costs[row.participant]
        assert row.holding == close(parts["holding"])
        assert row.shortage == close(parts["shortage"])
        assert row.shipping == close(parts["shipping"])


def compare_coverage(plan, inst, material, found):
    """Every promise the oracle sees stands in the plan with the same figure, and is met."""
    expected = {}
    for target, achieved in found.achieved.items():
        members = target.members if isinstance(target, oracle.Pool) else [target]
        expected |= {promise(inst, member): achieved for member in members}
    rows = plan.coverage[plan.coverage["material"] == material]
    reported = {promise(inst, row): row.achieved for row in rows.itertuples()}
    assert all(rows["met"])
    assert set(reported) == set(expected)
    for key, achieved in expected.items():
        if math.isinf(achieved):  # Days of cover where there is no demand.
            assert not math.isfinite(reported[key])
        else:
            assert reported[key] == pytest.approx(achieved, rel=1e-9, abs=1e-9)


def promise(inst, row):
    """What identifies a promise: a row of the plan, or a target of the oracle."""
    return (
        row.participant,
        frozenset(oracle.names({"classes": row.demand_class}, "classes", inst["classes"])),
        row.metric,
        round(float(row.level), 9),
        None if pd.isna(row.confidence) else round(float(row.confidence), 9),
        text(row.stress),
        text(row.group),
        text(row.sharing) or "on",
    )
