"""Cases with known answers, section 11 of the formulation."""

from __future__ import annotations

import dataclasses
import itertools
from statistics import NormalDist

import numpy as np
import pytest

import stockpile as sp
from stockpile.tables import (
    CoverageTarget,
    Demand,
    DemandClass,
    Event,
    Holding,
    Material,
    Participant,
    RuleRow,
    Scenario,
    Source,
    Supply,
    Transfer,
)

CLOSED = RuleRow(rule="closed", relation=("own",), demand_class=("*",))
SHARED = RuleRow(rule="shared", relation=("own", "partner"), demand_class=("*",))


def instance(
    *,
    monthly_demand_t,
    scenarios,
    holding_usd_per_t,
    shortage_usd_per_t,
    participants=("us",),
    lot_t=1.0,
    max_t=1000.0,
    months=1,
    rules=(CLOSED,),
    transfers=(),
    coverage=(),
):
    """One material whose whole supply comes from one source.

    ``scenarios`` is a list of (probability, {participant: [(month, duration, severity)]});
    costs per year of holding and per tonne short, the latter by class, in USD.
    """
    classes = tuple(f"class{k}" for k in range(len(shortage_usd_per_t)))
    made = sp.Instance(
        name="known",
        price_year=2025,
        horizon_months=months,
        participants=tuple(
            Participant(participant=c, name=c, discount_rate_per_year=holding_usd_per_t / 1000.0)
            for c in participants
        ),
        classes=tuple(
            DemandClass(demand_class=k, priority=i + 1, shortage_cost_multiple=w / 1000.0)
            for i, (k, w) in enumerate(zip(classes, shortage_usd_per_t, strict=True))
        ),
        materials=(
            Material(
                material="m", name="m", element="M", form="metal", price_usd_per_kg=1.0, lot_t=lot_t
            ),
        ),
        demand=tuple(
            Demand(participant=c, material="m", demand_class=k, demand_t_per_year=12.0 * d)
            for c in participants
            for k, d in zip(classes, monthly_demand_t, strict=True)
        ),
        sources=(Source(source="g", name="g"),),
        supply=tuple(
            Supply(participant=c, material="m", source="g", share=1.0) for c in participants
        ),
        holdings=tuple(Holding(participant=c, material="m", max_t=max_t) for c in participants),
        scenarios=tuple(
            Scenario(scenario=f"s{i}", probability=p) for i, (p, _) in enumerate(scenarios)
        ),
        events=tuple(
            Event(
                scenario=f"s{i}",
                source="g",
                targets=(c,),
                start_month=start,
                duration_months=duration,
                severity=severity,
            )
            for i, (_, events) in enumerate(scenarios)
            for c, rows in events.items()
            for start, duration, severity in rows
        ),
        rules=tuple(rules),
        transfers=tuple(transfers),
        coverage=tuple(coverage),
    )
    sp.validate(made)
    return made


BOTH_WAYS = (
    Transfer(from_participant="us", to_participant="japan"),
    Transfer(from_participant="japan", to_participant="us"),
)


def solve(*args, **kwargs):
    return sp.solve(instance(*args, **kwargs), gap=0.0, progress=False)


def test_one_need_a_year_is_a_newsvendor():
    """Hold the critical-ratio quantile of need (Arrow, Harris and Marschak, 1951).

    Ten equally likely needs, 10 to 100 t: F(70) = 0.7 is the first above 1 - 3/8 = 0.625.
    Cost: 70 * 3 + 8 * (10 + 20 + 30) / 10 = 258 USD a year. The horizon is one month, so a tonne
    short counts 12 times a year: 8 USD a year is 8/12 USD a tonne.
    """
    plan = solve(
        monthly_demand_t=[100.0],
        scenarios=[(0.1, {"us": [(1, 1, need / 100.0)]}) for need in range(10, 101, 10)],
        holding_usd_per_t=3.0,
        shortage_usd_per_t=[8.0 / 12.0],
    )
    assert plan.status == "optimal"
    assert plan.holdings["holding_t"].tolist() == [70.0]
    assert plan.annual_cost_usd == pytest.approx(258.0)
    assert plan.bound_usd <= plan.annual_cost_usd


def newsvendor_quantile(needs, weights, ratio):
    """Return the smallest need whose distribution function reaches the ratio."""
    order = np.argsort(needs)
    reached = np.cumsum(np.asarray(weights)[order]) >= ratio - 1e-12
    return float(np.asarray(needs)[order][np.argmax(reached)])


def test_pooling_two_independent_normal_needs_saves_the_square_root():
    """Safety stock falls by 1 - 1/sqrt(2) (Eppen, 1979).

    Needs of 100 +- 20 t on a grid of 30 equally likely points each, rounded to whole tonnes, so
    that the exact answers are the newsvendor quantiles of one need and of the sum of two.
    """
    points = [round(NormalDist(100.0, 20.0).inv_cdf((i + 0.5) / 30)) for i in range(30)]
    pairs = list(itertools.product(points, repeat=2))
    ratio = 0.9
    world = {
        "monthly_demand_t": [200.0],
        "scenarios": [
            (1.0 / len(pairs), {"us": [(1, 1, a / 200.0)], "japan": [(1, 1, b / 200.0)]})
            for a, b in pairs
        ],
        "holding_usd_per_t": 1.0,
        "shortage_usd_per_t": [1.0 / (1.0 - ratio) / 12.0],
        "participants": ("us", "japan"),
        "rules": (CLOSED, SHARED),
        "transfers": BOTH_WAYS,
    }
    alone = sp.solve(instance(**world), gap=0.0, cooperation="none", progress=False)
    pooled = sp.solve(instance(**world), gap=0.0, cooperation="sharing", progress=False)
    one = newsvendor_quantile(points, np.full(30, 1 / 30), ratio)
    both = newsvendor_quantile([a + b for a, b in pairs], np.full(900, 1 / 900), ratio)
    assert alone.holdings["holding_t"].tolist() == [one, one]
    assert pooled.holdings["holding_t"].sum() == both
    saved = 1.0 - (both - 200.0) / (2.0 * one - 200.0)
    assert saved == pytest.approx(1.0 - 1.0 / np.sqrt(2.0), abs=0.05)


def test_the_best_critical_level_of_two_classes_is_that_of_plain_enumeration():
    """One stock, two classes (Topkis, 1968): every level and every number of lots by hand.

    Each month the first class may need 1 t and the second up to 2 t; the loss falls on the second
    class first. Serving it too freely leaves nothing for the first class later.
    """
    rng = np.random.default_rng(5)
    months, scenarios = 6, []
    for _ in range(12):
        severities = rng.choice([0.3, 0.6, 0.9, 1.0], size=months)
        scenarios.append((1 / 12, {"us": [(t + 1, 1, s) for t, s in enumerate(severities)]}))
    levels = [0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9]
    rules = [
        RuleRow(rule=f"level{i}", relation=("own",), demand_class=("class0",))
        for i in range(len(levels))
    ] + [
        RuleRow(rule=f"level{i}", relation=("own",), demand_class=("class1",), reserve_level=level)
        for i, level in enumerate(levels)
    ]
    w0, w1, keep = 500.0, 30.0, 60.0
    plan = solve(
        monthly_demand_t=[1.0, 2.0],
        scenarios=scenarios,
        holding_usd_per_t=keep,
        shortage_usd_per_t=[w0, w1],
        months=months,
        lot_t=0.5,
        max_t=15.0,
        rules=rules,
    )

    def cost(holding, level):
        total = 0.0
        for p, events in scenarios:
            left = holding
            for _, _, severity in events["us"]:
                gap = 3.0 * severity
                second, first = min(gap, 2.0), max(gap - 2.0, 0.0)
                served = min(first, left)
                left -= served
                total += p * w0 * (first - served)
                served = min(second, max(left - level * holding, 0.0))
                left -= served
                total += p * w1 * (second - served)
        return keep * holding + 12.0 / months * total

    best = min((cost(0.5 * n, level), n, level) for n in range(31) for level in levels)
    assert plan.annual_cost_usd == pytest.approx(best[0], rel=1e-9)
    assert 0.0 < best[2] < 0.9  # The case is one in which the level matters.
    assert best[0] < min(cost(0.5 * n, 0.0) for n in range(31)) - 1e-6


def disruptions(us, japan):
    """One month each: with probability 0.2 a loss of ``us`` and ``japan`` (t of 10 t)."""
    return [(0.8, {}), (0.2, {"us": [(1, 1, us / 10.0)], "japan": [(1, 1, japan / 10.0)]})]


def value_of_cooperation(scenarios):
    world = instance(
        monthly_demand_t=[10.0],
        scenarios=scenarios,
        holding_usd_per_t=10.0,
        shortage_usd_per_t=[100.0],
        participants=("us", "japan"),
        max_t=20.0,
        rules=(CLOSED, SHARED),
        transfers=BOTH_WAYS,
    )
    plans = [
        sp.solve(world, gap=0.0, cooperation=how, progress=False)
        for how in ("none", "sharing", "joint")
    ]
    assert plans[1].annual_cost_usd == pytest.approx(plans[2].annual_cost_usd)
    return plans[0], plans[1]


def test_cooperation_is_worth_nothing_when_needs_always_coincide():
    alone, together = value_of_cooperation(disruptions(7.0, 7.0))
    assert together.annual_cost_usd == pytest.approx(alone.annual_cost_usd)
    assert alone.annual_cost_usd == pytest.approx(2 * 7.0 * 10.0)


def test_one_stock_serves_two_embargoes_that_exclude_each_other():
    """Alone each holds 8 t at 10 USD; together 8 t serve whoever is hit."""
    alone, together = value_of_cooperation(
        [(0.6, {}), (0.2, {"us": [(1, 1, 0.8)]}), (0.2, {"japan": [(1, 1, 0.8)]})]
    )
    assert alone.annual_cost_usd == pytest.approx(160.0)
    assert together.annual_cost_usd == pytest.approx(80.0)
    assert together.holdings["holding_t"].sum() == pytest.approx(8.0)


def test_a_promise_beyond_what_cost_alone_would_hold_is_kept_at_the_fewest_lots():
    """Shortage is cheap, so nothing would be held; serving 8 of 10 scenarios takes 80 t."""
    plan = solve(
        monthly_demand_t=[100.0],
        scenarios=[(0.1, {"us": [(1, 1, need / 100.0)]}) for need in range(10, 101, 10)],
        holding_usd_per_t=3.0,
        shortage_usd_per_t=[0.01],
        coverage=[CoverageTarget(metric="chance", level=1.0, confidence=0.8)],
    )
    assert plan.holdings["holding_t"].tolist() == [80.0]
    assert plan.coverage["achieved"].tolist() == pytest.approx([0.8])
    assert plan.coverage["met"].tolist() == [True]


def test_an_impossible_promise_is_named_with_the_best_that_can_be_reached():
    plan = solve(
        monthly_demand_t=[100.0],
        scenarios=[(0.5, {}), (0.5, {"us": [(1, 1, 1.0)]})],
        holding_usd_per_t=3.0,
        shortage_usd_per_t=[1.0],
        max_t=40.0,
        coverage=[CoverageTarget(metric="fill_rate", level=0.9)],
    )
    assert plan.status == "infeasible"
    assert not plan.found
    assert len(plan.conflicts) == 1
    assert "fill_rate 0.9" in plan.conflicts[0]
    assert "at most 0.4" in plan.conflicts[0]
    assert plan.coverage["achieved"].tolist() == pytest.approx([0.4])


def test_limits_that_no_whole_lot_fits_are_infeasible():
    """Between 3 and 7 t there is no multiple of 10 t."""
    world = instance(
        monthly_demand_t=[10.0],
        scenarios=[(1.0, {})],
        holding_usd_per_t=1.0,
        shortage_usd_per_t=[1.0],
        lot_t=10.0,
        max_t=7.0,
    )
    world = dataclasses.replace(
        world, holdings=(dataclasses.replace(world.holdings[0], min_t=3.0),)
    )
    plan = sp.solve(world, progress=False)
    assert plan.status == "infeasible"
    assert "no whole number of lots of 10 t" in plan.conflicts[0]


def test_rounded_probabilities_reach_a_confidence_that_they_were_meant_to_reach():
    """Three thirds to six decimals: two of them are a confidence of 0.666666."""
    plan = solve(
        monthly_demand_t=[10.0],
        scenarios=[(0.333333, {"us": [(1, 1, need / 10.0)]}) for need in (1, 2, 3)],
        holding_usd_per_t=3.0,
        shortage_usd_per_t=[0.01],
        coverage=[CoverageTarget(metric="chance", level=1.0, confidence=0.666666)],
    )
    assert plan.holdings["holding_t"].tolist() == [2.0]


def test_more_combinations_of_rules_than_can_be_searched_are_refused_in_words():
    rules = [
        RuleRow(
            rule=f"r{i}", relation=("own", "partner"), demand_class=("*",), reserve_level=i / 1000.0
        )
        for i in range(101)
    ]
    names = ("a", "b", "c")
    pairs = [(x, y) for x in names for y in names if x != y]
    with pytest.raises(sp.UsageError, match="1,030,301 combinations of rules"):
        solve(
            monthly_demand_t=[10.0],
            scenarios=[(1.0, {"a": [(1, 1, 1.0)]})],
            holding_usd_per_t=3.0,
            shortage_usd_per_t=[1.0],
            participants=names,
            rules=rules,
            transfers=[Transfer(from_participant=x, to_participant=y) for x, y in pairs],
        )
