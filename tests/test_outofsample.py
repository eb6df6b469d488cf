"""A plan on fresh scenarios: closed forms, and intervals that cover the truth as often as said."""

from __future__ import annotations

from dataclasses import replace
from math import exp, sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

import stockpile as sp
from stockpile.tables import (
    CoverageTarget,
    Demand,
    DemandClass,
    Hazard,
    Holding,
    Material,
    Participant,
    RuleRow,
    ScenarioSettings,
    Source,
    StressEvent,
    Supply,
    Transfer,
)

TOY = Path(__file__).parent.parent / "instances" / "toy"
Z = 1.959964  # Half of a 95 % interval in standard errors.


def instance(*, nations=("us", "japan"), horizon=24, **more):
    """Gallium, all of it from china, which halts now and then; open rules."""
    tables = {
        "hazards": (
            Hazard(
                hazard="halt",
                source="china",
                events_per_year=0.4,
                duration_median_months=4.0,
                duration_sigma=0.6,
                severity_mean=0.6,
                severity_sd=0.2,
            ),
            Hazard(
                hazard="embargo",
                source="china",
                targets=(nations[-1],),
                events_per_year=0.2,
                duration_median_months=3.0,
                duration_sigma=0.5,
                severity_mean=0.9,
                severity_sd=0.05,
            ),
        ),
        "scenario_settings": ScenarioSettings(count=200, seed=1),
        "classes": (
            DemandClass(demand_class="defense", priority=1, shortage_cost_multiple=20.0),
            DemandClass(demand_class="industry", priority=2, shortage_cost_multiple=1.0),
        ),
        "demand": tuple(
            Demand(participant=c, material="gallium", demand_class=k, demand_t_per_year=tonnes)
            for c in nations
            for k, tonnes in (("defense", 12.0), ("industry", 24.0))
        ),
        "rules": (RuleRow(rule="open", relation=("*",), demand_class=("*",)),),
        "transfers": tuple(
            Transfer(from_participant=a, to_participant=b, cost_usd_per_t=1000.0)
            for a in nations
            for b in nations
            if a != b
        ),
    }
    made = sp.Instance(
        **{
            "name": "sampled",
            "price_year": 2025,
            "horizon_months": horizon,
            "participants": tuple(
                Participant(participant=c, name=c, discount_rate_per_year=0.4) for c in nations
            ),
            "materials": (
                Material(
                    material="gallium",
                    name="Gallium",
                    element="Ga",
                    form="metal",
                    price_usd_per_kg=500.0,
                    lot_t=1.0,
                ),
            ),
            "sources": (Source(source="china", name="China"),),
            "supply": tuple(
                Supply(participant=c, material="gallium", source="china", share=1.0)
                for c in nations
            ),
            **tables,
            **more,
        }
    )
    sp.validate(made)
    return made


@pytest.fixture(scope="module")
def sampled():
    """An instance with a promise of every kind."""
    return instance(
        coverage=(
            CoverageTarget(
                participant=("us",), demand_class=("industry",), metric="fill_rate", level=0.3
            ),
            CoverageTarget(
                participant=("us",),
                demand_class=("industry",),
                metric="chance",
                level=0.6,
                confidence=0.3,
            ),
            CoverageTarget(
                participant=("us",),
                demand_class=("industry",),
                metric="cvar",
                level=0.01,
                confidence=0.8,
            ),
            CoverageTarget(
                participant=("japan",),
                demand_class=("defense",),
                metric="chance",
                level=0.9,
                confidence=0.5,
                sharing="off",
            ),
            CoverageTarget(metric="days", level=10.0),
            CoverageTarget(metric="stress", demand_class=("defense",), level=0.1, stress="halt"),
        ),
        stress=(
            StressEvent(
                stress="halt", source="china", start_month=1, duration_months=3, severity=1.0
            ),
        ),
    )


@pytest.fixture(scope="module")
def plan(sampled):
    found = sp.solve(sampled, progress=False)
    assert found.status is sp.Status.OPTIMAL
    return found


@pytest.fixture(scope="module")
def truth(sampled, plan):
    """The plan on so many scenarios that its own sampling error hardly counts."""
    return sp.evaluate(sampled, plan, scenarios=200_000, seed=999)


def values(assessment):
    """(value, low, high) of the cost and of the sampled promises."""
    found = {"cost": (assessment.annual_cost_usd, assessment.low_usd, assessment.high_usd)}
    for row in assessment.coverage.to_dict(orient="records"):
        if row["metric"] not in ("stress", "days"):
            name = f"{row['metric']} {row['participant']}"
            found[name] = (row["achieved"], row["low"], row["high"])
    return found


SAMPLED = ["cost", "fill_rate us", "chance us", "cvar us", "chance japan"]


# --- Closed forms -------------------------------------------------------------------------------


def without_stock(rate, months):
    """One nation that may hold nothing, and a source that halts for a month at a time.

    A month is hit with probability p = 1 - exp(-rate / 12), independently of the others. Then
    all 3 t are missing: 1 t of defense at 20 x 500,000 and 2 t of industry at 500,000 USD/t.
    """
    made = instance(
        nations=("us",),
        horizon=months,
        hazards=(
            Hazard(
                hazard="halt",
                source="china",
                events_per_year=rate,
                duration_median_months=1.0,
                duration_sigma=0.0,
                severity_mean=1.0,
            ),
        ),
        holdings=(Holding(participant="us", material="gallium", max_t=0.0),),
        coverage=(
            CoverageTarget(demand_class=("industry",), metric="chance", level=0.5, confidence=0.1),
            CoverageTarget(demand_class=("industry",), metric="fill_rate", level=0.0),
        ),
    )
    return made, 1.0 - exp(-rate / 12.0), 20.0 * 500_000.0 + 2.0 * 500_000.0


@pytest.mark.parametrize(("rate", "months"), [(0.5, 1), (2.0, 1), (0.5, 12), (1.5, 7)])
def test_without_stock_the_cost_is_that_of_the_months_hit(rate, months):
    """Cost 12/T x T x p x 11 million, of which the mean of T months has variance p (1 - p) / T.

    The half width is Z standard errors; scenarios without any hit have probability (1 - p)^T.
    """
    made, p, a_month = without_stock(rate, months)
    count = 20_000
    judged = sp.evaluate(made, sp.solve(made, progress=False), scenarios=count, seed=7)
    expected, error = 12.0 * a_month * p, 12.0 * a_month * sqrt(p * (1.0 - p) / months / count)
    assert abs(judged.annual_cost_usd - expected) <= 5.0 * error
    assert (judged.high_usd - judged.low_usd) / 2.0 == pytest.approx(Z * error, rel=0.1)

    chance, fill_rate = judged.coverage.to_dict(orient="records")
    calm = (1.0 - p) ** months
    assert abs(chance["achieved"] - calm) <= 5.0 * sqrt(calm * (1.0 - calm) / count)
    assert (chance["high"] - chance["low"]) / 2.0 == pytest.approx(
        Z * sqrt(calm * (1.0 - calm) / count), rel=0.05
    )
    assert fill_rate["achieved"] == pytest.approx(0.0, abs=1e-12)


def test_the_interval_of_a_chance_is_that_of_wilson():
    """A share x of n: (x + z^2/2n +- z sqrt(x (1 - x)/n + z^2/4n^2)) / (1 + z^2/n)."""
    made, _, _ = without_stock(0.5, 1)
    n = 400
    row = sp.evaluate(made, sp.solve(made, progress=False), scenarios=n, seed=7).coverage.iloc[0]
    x = row["achieved"]
    middle, half = x + Z**2 / (2 * n), Z * sqrt(x * (1 - x) / n + Z**2 / (4 * n**2))
    assert row["low"] == pytest.approx((middle - half) / (1 + Z**2 / n), abs=1e-6)
    assert row["high"] == pytest.approx((middle + half) / (1 + Z**2 / n), abs=1e-6)


def test_what_never_happens_costs_nothing_and_has_no_spread():
    made, _, _ = without_stock(0.0, 12)
    judged = sp.evaluate(made, sp.solve(made, progress=False), scenarios=1000)
    assert (judged.low_usd, judged.annual_cost_usd, judged.high_usd) == (0.0, 0.0, 0.0)
    assert judged.coverage["achieved"].tolist() == [1.0, 1.0]
    assert judged.coverage["met"].all()


# --- Intervals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLED)
def test_intervals_shrink_with_the_root_of_the_number_of_scenarios(sampled, plan, name):
    """Sixteen times the scenarios, a quarter of the width."""
    few, many = (
        values(sp.evaluate(sampled, plan, scenarios=count, seed=5))[name]
        for count in (2000, 32_000)
    )
    assert (few[2] - few[1]) / (many[2] - many[1]) == pytest.approx(4.0, rel=0.2)


@pytest.fixture(scope="module")
def replications(sampled, plan):
    return [
        values(sp.evaluate(sampled, plan, scenarios=1000, seed=seed)) for seed in range(100, 140)
    ]


@pytest.mark.parametrize("name", SAMPLED)
def test_intervals_cover_the_truth_in_about_95_of_100_cases(replications, truth, name):
    """Of 40 intervals of 95 %, fewer than the 0.1 % quantile of the binomial cover by bad luck."""
    value = values(truth)[name][0]
    covered = sum(low <= value <= high for _, low, high in (r[name] for r in replications))
    assert covered >= binom.ppf(0.001, len(replications), 0.95)
    assert value >= 0.0


@pytest.mark.parametrize("name", SAMPLED)
def test_intervals_are_not_wider_than_they_need_to_be(replications, name):
    """The half width is Z standard errors, and the values of 40 samples show the standard error.

    A sample standard deviation of 40 is off by 1 / sqrt(2 x 39) = 11 %; 5 times that is allowed.
    """
    found = np.array([r[name] for r in replications])
    half = (found[:, 2] - found[:, 1]).mean() / 2.0
    assert half / Z == pytest.approx(found[:, 0].std(ddof=1), rel=5.0 / sqrt(2.0 * 39.0))


@pytest.mark.parametrize("name", SAMPLED)
def test_values_lie_in_their_interval_and_shares_stay_shares(replications, name):
    for value, low, high in (r[name] for r in replications):
        assert low <= value <= high
        if name != "cost":
            assert 0.0 <= low <= high <= 1.0


def test_what_is_not_sampled_has_no_interval(sampled, plan):
    """Days of cover and stress cases do not depend on scenarios: the plan's own values stay."""
    judged = sp.evaluate(sampled, plan, scenarios=500).coverage
    fixed = judged[judged["metric"].isin(["days", "stress"])]
    assert len(fixed) == 4
    assert (fixed["low"] == fixed["achieved"]).all()
    assert (fixed["high"] == fixed["achieved"]).all()
    assert (fixed["planned"] == fixed["achieved"]).all()


# --- Stratified ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stratified(sampled, plan):
    return [
        values(sp.evaluate(sampled, plan, scenarios=1000, seed=seed, sampling="stratified"))
        for seed in range(100, 140)
    ]


@pytest.mark.parametrize("name", SAMPLED)
def test_stratified_intervals_cover_the_truth_in_about_95_of_100_cases(stratified, truth, name):
    """As those of plain sets do: 40 intervals, against the 0.1 % quantile of the binomial."""
    value = values(truth)[name][0]
    covered = sum(low <= value <= high for _, low, high in (r[name] for r in stratified))
    assert covered >= binom.ppf(0.001, len(stratified), 0.95)


@pytest.mark.parametrize("name", SAMPLED)
def test_stratified_intervals_are_not_wider_than_they_need_to_be(stratified, name):
    """The half width is that of Student's t with 19 degrees of freedom, for 20 replicates."""
    found = np.array([r[name] for r in stratified])
    half = (found[:, 2] - found[:, 1]).mean() / 2.0
    assert half / 2.093024 == pytest.approx(found[:, 0].std(ddof=1), rel=5.0 / sqrt(2.0 * 39.0))
    assert np.all((found[:, 1] <= found[:, 0]) & (found[:, 0] <= found[:, 2]))


@pytest.mark.parametrize("name", SAMPLED)
def test_stratified_intervals_are_narrower(stratified, replications, name):
    """By a tenth at least, on average over 40 sets of 1,000 scenarios."""
    plain, even = (
        np.mean([high - low for _, low, high in (r[name] for r in many)])
        for many in (replications, stratified)
    )
    assert even < 0.9 * plain


def judged_stratified(months, count):
    """Many small assessments of a plan without stock, and what their cost should be."""
    made, p, a_month = without_stock(1.5, months)
    plan = sp.solve(made, progress=False)
    judged = [
        sp.evaluate(made, plan, scenarios=200, seed=seed, sampling="stratified")
        for seed in range(100, 100 + count)
    ]
    return judged, p, 12.0 * a_month * p


def test_stratified_intervals_cover_closed_forms():
    """The share that covers is at least the 0.1 % quantile of the binomial.

    A month is hit with probability p: the cost is 12 x p x 11 million, and no month is hit with
    probability (1 - p)^6. Neither is biased, to within four errors of the mean of all.
    """
    judged, p, cost = judged_stratified(6, 200)
    rows = [one.coverage.iloc[0] for one in judged]
    least = binom.ppf(0.001, len(judged), 0.95)
    for expected, found in (
        (cost, [(one.low_usd, one.annual_cost_usd, one.high_usd) for one in judged]),
        ((1.0 - p) ** 6, [(row["low"], row["achieved"], row["high"]) for row in rows]),
    ):
        assert sum(low <= expected <= high for low, _, high in found) >= least
        value = np.array([value for _, value, _ in found])
        assert abs(value.mean() - expected) <= 4.0 * value.std(ddof=1) / sqrt(value.size)


def test_intervals_of_a_lone_hazard_cover_less_often_as_student_would_have_it():
    """Of 10 scenarios of one month 1.175 are hit: always 1, and another one in 0.175 of the cases.

    So 20 replicates are 20 tosses of a coin, and Student's interval covers their mean in as many
    cases as the binomial says: in 88 of 100, not in 95.
    """
    judged, p, cost = judged_stratified(1, 100)
    part = 10.0 * p - 1.0
    assert part == pytest.approx(0.175, abs=1e-3)
    k = np.arange(21)
    half = 2.093024 * np.sqrt(k / 20.0 * (1.0 - k / 20.0) / 19.0)
    covers = binom.pmf(k, 20, part)[np.abs(k / 20.0 - part) <= half].sum()
    assert covers == pytest.approx(0.88, abs=0.01)
    covered = sum(one.low_usd <= cost <= one.high_usd for one in judged)
    assert binom.ppf(0.001, 100, covers) <= covered <= binom.ppf(0.999, 100, covers)


def test_a_share_that_never_varies_has_the_interval_of_independent_scenarios():
    """Nothing ever happens: that of Wilson for 1000 of 1000, 1 / (1 + z^2 / n) to 1."""
    made, _, _ = without_stock(0.0, 12)
    plan = sp.solve(made, progress=False)
    row = sp.evaluate(made, plan, scenarios=1000, sampling="stratified").coverage.iloc[0]
    assert row["high"] == row["achieved"] == 1.0
    assert row["low"] == pytest.approx(1.0 / (1.0 + Z**2 / 1000.0), abs=1e-9)


def test_the_sampling_of_the_instance_judges_unless_another_is_named(sampled, plan):
    settings = replace(sampled.scenario_settings, sampling="stratified")
    made = replace(sampled, scenario_settings=settings)
    one, two, plain = (
        sp.evaluate(made, plan, scenarios=500, threads=n, sampling=sampling)
        for n, sampling in ((1, None), (2, "stratified"), (1, "plain"))
    )
    assert (one.sampling, plain.sampling) == ("stratified", "plain")
    assert (one.annual_cost_usd, one.low_usd) == (two.annual_cost_usd, two.low_usd)
    assert one.coverage.equals(two.coverage)
    assert plain.low_usd == sp.evaluate(sampled, plan, scenarios=500).low_usd != one.low_usd


def test_too_few_scenarios_for_replicates_are_refused(sampled, plan):
    with pytest.raises(sp.UsageError, match="scenarios is 39; a stratified set"):
        sp.evaluate(sampled, plan, scenarios=39, sampling="stratified")
    assert sp.evaluate(sampled, plan, scenarios=40, sampling="stratified").scenario_count == 40
    assert sp.evaluate(sampled, plan, scenarios=39, sampling="plain").scenario_count == 39


# --- Against the plan ---------------------------------------------------------------------------


def test_the_plan_and_its_promises_are_repeated_beside_the_fresh_values(sampled, plan):
    judged = sp.evaluate(sampled, plan, scenarios=500)
    assert judged.planned_cost_usd == plan.annual_cost_usd
    assert judged.scenario_count == 500
    assert judged.seed == 2  # The plan's plus one.
    keys = ["participant", "material", "demand_class", "metric", "level", "sharing"]
    assert judged.coverage[keys].equals(plan.coverage[keys])
    assert judged.coverage["planned"].tolist() == plan.coverage["achieved"].tolist()
    assert judged.coverage["met_in_plan"].tolist() == plan.coverage["met"].tolist()


def test_a_plan_is_evaluated_as_saved(sampled, plan, tmp_path):
    plan.save(tmp_path / "result")
    read = sp.Plan.load(tmp_path / "result")
    one, other = (sp.evaluate(sampled, each, scenarios=500) for each in (plan, read))
    assert one.annual_cost_usd == other.annual_cost_usd
    assert one.coverage["planned"].tolist() == other.coverage["planned"].tolist()
    assert one.coverage["achieved"].tolist() == other.coverage["achieved"].tolist()


def test_the_number_of_threads_changes_nothing(sampled, plan):
    one, two = (sp.evaluate(sampled, plan, scenarios=3000, threads=n) for n in (1, 2))
    assert (one.annual_cost_usd, one.low_usd) == (two.annual_cost_usd, two.low_usd)
    assert one.coverage.equals(two.coverage)


def test_a_plan_made_alone_is_judged_alone(sampled):
    """Made in the world `none`, it releases nothing to partners on fresh scenarios either.

    With the rules of the plan but partners allowed, japan would be served better.
    """
    made = replace(
        sampled,
        holdings=(Holding(participant="japan", material="gallium", max_t=0.0),),
        coverage=(CoverageTarget(demand_class=("defense",), metric="fill_rate", level=0.0),),
    )
    alone = sp.solve(made, cooperation="none", progress=False)
    judged = sp.evaluate(made, alone, scenarios=2000)
    japan = judged.coverage["participant"] == "japan"
    assert judged.coverage["achieved"][japan].item() == pytest.approx(0.0, abs=1e-12)
    shared = sp.evaluate(made, replace(alone, cooperation="sharing"), scenarios=2000)
    assert shared.coverage["achieved"][japan].item() > 0.05


def test_given_scenarios_repeat_the_plan_exactly():
    toy = sp.load(TOY)
    plan = sp.solve(toy, progress=False)
    for arguments in ({}, {"scenarios": 7, "seed": 3}):
        judged = sp.evaluate(toy, plan, **arguments)
        assert judged.annual_cost_usd == pytest.approx(plan.annual_cost_usd, rel=1e-12)
        assert judged.low_usd == judged.annual_cost_usd == judged.high_usd
        assert judged.seed is None
        assert judged.scenario_count == 4
        coverage = judged.coverage
        assert coverage["achieved"].tolist() == plan.coverage["achieved"].tolist()
        assert coverage["planned"].tolist() == plan.coverage["achieved"].tolist()
        assert coverage["low"].tolist() == coverage["high"].tolist()
        assert coverage["low"].tolist() == coverage["achieved"].tolist()
        assert judged.broken == ()


def test_without_hazards_the_calm_plan_is_repeated():
    made = instance(hazards=())
    plan = sp.solve(made, progress=False)
    judged = sp.evaluate(made, plan)
    assert judged.scenario_count == 1
    assert judged.seed is None
    assert judged.annual_cost_usd == judged.planned_cost_usd == 0.0


# --- Broken promises ----------------------------------------------------------------------------


def test_no_chance_lies_below_zero_or_above_one(sampled, plan):
    """Not even by a rounding error, where every scenario fails or none does."""
    for rate, share in ((6.0, 0.0), (0.0, 1.0)):
        other = replace(
            sampled,
            hazards=tuple(replace(row, events_per_year=rate) for row in sampled.hazards),
        )
        for count in (700, 2000, 3000):
            judged = sp.evaluate(other, plan, scenarios=count).coverage
            assert judged["achieved"].iloc[3] == share
            assert judged["low"].iloc[3] <= share <= judged["high"].iloc[3]


def test_promises_that_hold_in_the_sample_only_are_named(sampled, plan):
    """The same plan where china halts ten times as often."""
    often = replace(
        sampled,
        hazards=tuple(replace(row, events_per_year=6.0) for row in sampled.hazards),
    )
    judged = sp.evaluate(often, plan, scenarios=2000)
    broken = " | ".join(judged.broken)
    for words in (
        "us, gallium, industry: fill_rate 0.3: ",
        "us, gallium, industry: chance 0.6 at confidence 0.3: ",
        "japan, gallium, defense: chance 0.9 at confidence 0.5 without partners: ",
    ):
        assert words in broken
    assert "sampling error" not in broken
    assert "days" not in broken
    assert "stress" not in broken
    held = judged.coverage["met_in_plan"] & ~judged.coverage["met"]
    assert len(judged.broken) == held.sum()


def test_a_promise_broken_by_chance_is_said_to_be_within_sampling_error():
    """The confidence is just what the plan's sample reached; some fresh samples reach less."""
    made, _, _ = without_stock(0.5, 1)
    reached = sp.solve(made, progress=False).coverage["achieved"].iloc[0]
    tight = replace(
        made, coverage=(replace(made.coverage[0], confidence=reached), made.coverage[1])
    )
    plan = sp.solve(tight, progress=False)
    assert plan.coverage["met"].all()
    assessments = [sp.evaluate(tight, plan, scenarios=200, seed=seed) for seed in range(2, 12)]
    less = [item for item in assessments if item.coverage["achieved"].iloc[0] < reached - 1e-9]
    assert less
    assert len(less) < len(assessments)
    for judged in assessments:
        assert len(judged.broken) == (judged in less)
    for judged in less:
        row = judged.coverage.iloc[0]
        assert ("within sampling error" in judged.broken[0]) == (row["high"] >= reached)


def test_every_promise_kept_leaves_nothing_broken(sampled, plan):
    rarely = replace(
        sampled,
        hazards=tuple(replace(row, events_per_year=0.001) for row in sampled.hazards),
    )
    assert sp.evaluate(rarely, plan, scenarios=2000).broken == ()


# --- Refusals -----------------------------------------------------------------------------------


def test_the_seed_of_the_plan_is_refused_and_the_next_one_taken(sampled, plan):
    with pytest.raises(sp.UsageError, match="seed 1 is the plan's own"):
        sp.evaluate(sampled, plan, scenarios=100, seed=1)
    assert sp.evaluate(sampled, plan, scenarios=100, seed=0).seed == 0


@pytest.mark.parametrize(
    "arguments",
    [
        {"scenarios": 0},
        {"scenarios": -5},
        {"seed": -1},
        {"sampling": "lucky"},
        {"threads": 0},
        {"threads": -2},
    ],
)
def test_arguments_out_of_range_are_refused(sampled, plan, arguments):
    name, value = next(iter(arguments.items()))
    with pytest.raises(sp.UsageError, match=f"{name} is {value!r}"):
        sp.evaluate(sampled, plan, **arguments)


def test_a_result_without_a_plan_is_refused(sampled):
    nothing = sp.solve(sampled, time_limit=1e-9, progress=False)
    with pytest.raises(sp.ResultError, match="time_limit"):
        sp.evaluate(sampled, nothing)


def changed(plan, table, **columns):
    """The plan with the first row of a table changed."""
    frame = getattr(plan, table).copy()
    for column, cell in columns.items():
        frame[column] = [cell, *frame[column][1:]]
    return replace(plan, **{table: frame})


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("holdings", "participant"),
        ("holdings", "material"),
        ("rules", "participant"),
        ("rules", "material"),
        ("rules", "rule"),
    ],
)
def test_a_plan_with_names_that_the_instance_does_not_know_is_refused_by_name(
    sampled, plan, table, column
):
    with pytest.raises(sp.ResultError) as refused:
        sp.evaluate(sampled, changed(plan, table, **{column: "atlantis"}), scenarios=100)
    assert "does not fit" in str(refused.value)
    assert "atlantis" in str(refused.value)


@pytest.mark.parametrize("table", ["holdings", "rules"])
def test_a_plan_that_lacks_a_stock_is_refused_by_name(sampled, plan, table):
    short = replace(plan, **{table: getattr(plan, table).iloc[1:]})
    with pytest.raises(sp.ResultError, match="no holding or rule for us, gallium"):
        sp.evaluate(sampled, short, scenarios=100)


def test_a_plan_in_other_lots_is_refused(sampled, plan):
    """Ten lots of 1 t are not ten lots of 2 t: the tonnes of the plan are what was agreed."""
    other = replace(sampled, materials=(replace(sampled.materials[0], lot_t=2.0),))
    assert plan.holdings["lots"].sum() > 0
    with pytest.raises(sp.ResultError, match="lot"):
        sp.evaluate(other, plan, scenarios=100)
