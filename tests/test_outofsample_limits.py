"""A plan on fresh scenarios: promises kept at once, what each bears, the tail, and stores.

On given scenarios an assessment has to repeat the plan, and both the enumeration in plain Python.
"""

from __future__ import annotations

import functools
import tempfile
from dataclasses import replace
from math import sqrt
from pathlib import Path

import coupled_oracle
import numpy as np
import oracle
import pytest
from random_coupled import write_coupled_instance
from scipy.stats import binom
from test_coupled_enumeration import chosen
from test_outofsample import Z, instance

import stockpile as sp
from stockpile.cli import main
from stockpile.display import assessment_text
from stockpile.tables import Agreement, CoverageTarget, Facility, Risk

MOST = ("storage", "nobody_worse_off", "joint_chance", "cvar")
CASES = [
    *((seed, (name,)) for name in ("joint_chance", "cvar", "storage") for seed in (1, 3, 4)),
    *((seed, MOST) for seed in (0, 1, 2, 3, 5, 6)),
    *((seed, MOST[1:]) for seed in (0, 3, 4, 6)),
]


# --- Given scenarios ------------------------------------------------------------------------------


@functools.cache
def solved(seed, couplings):
    """A random instance with given scenarios: the oracle's reading, plan and assessment."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "instance"
        inst, world = write_coupled_instance(folder, seed, couplings)
        made = sp.load(folder)
    plan = sp.solve(made, cooperation=world, gap=0.05, progress=False)
    return inst, world, plan, sp.evaluate(made, plan)


@pytest.fixture(params=CASES, ids=lambda case: f"{'-'.join(case[1])}-{case[0]}")
def repeated(request):
    return solved(*request.param)


def test_given_scenarios_repeat_the_plan(repeated):
    """Cost, stores included, every promise, and every limit that depends on scenarios."""
    _, _, plan, judged = repeated
    assert judged.annual_cost_usd == pytest.approx(plan.annual_cost_usd, rel=1e-12)
    assert judged.low_usd == judged.annual_cost_usd == judged.high_usd
    assert judged.facilities_usd == pytest.approx(
        plan.facilities["fixed_cost_usd_per_year"].sum(), rel=1e-12
    )
    coverage = judged.coverage
    for name in ("participant", "material", "metric", "group", "level"):
        assert coverage[name].tolist() == plan.coverage[name].tolist()
    assert coverage["achieved"].tolist() == pytest.approx(
        plan.coverage["achieved"].tolist(), rel=1e-12, nan_ok=True
    )
    assert coverage["planned"].equals(plan.coverage["achieved"])
    assert coverage["met"].tolist() == plan.coverage["met"].tolist()
    limits = plan.limits[plan.limits["equation"].isin([16, 18])]
    for name in ("equation", "limit", "participant", "allowed"):
        assert judged.limits[name].tolist() == limits[name].tolist()
    assert judged.limits["used"].tolist() == pytest.approx(limits["used"].tolist(), rel=1e-9)
    assert judged.limits["low"].equals(judged.limits["used"])
    assert judged.limits["met"].all()
    assert judged.broken == ()


def test_given_scenarios_say_what_the_enumeration_says(repeated):
    inst, world, plan, judged = repeated
    found = chosen(plan, inst)
    assert judged.annual_cost_usd == pytest.approx(
        coupled_oracle.cost_of(inst, world, found), rel=1e-9
    )
    coupled = coupled_oracle.couplings(inst, world)
    use = coupled_oracle.nothing(inst, coupled)
    for m in inst["materials"]:
        lots, rules = found.lots[m], found.rules[m]
        evaluation = oracle.evaluate(inst, m, world, lots, rules)
        part = coupled_oracle.use_of(inst, coupled, m, lots, rules, evaluation)
        use = coupled_oracle.together(use, part)
    for group, scenarios in zip(coupled.groups, use.covered, strict=True):
        rows = judged.coverage[judged.coverage["group"] == group.name]
        rows = rows[rows["metric"] == "joint_chance"]
        reached = float(sum(inst["probability"][s] for s in scenarios))
        assert rows["achieved"].tolist() == pytest.approx([reached] * len(rows))
    shares = {
        limit.participants[0]: value
        for limit, value in zip(coupled.limits, use.limited, strict=True)
        if limit.measure == "cost share"
    }
    rows = judged.limits[judged.limits["equation"] == 16]
    assert dict(zip(rows["participant"], rows["used"], strict=True)) == pytest.approx(shares)
    rows = judged.limits[judged.limits["equation"] == 18]
    if coupled.cvar:
        mass, limit, probability = coupled.cvar
        assert rows["allowed"].tolist() == pytest.approx([limit])
        mean = coupled_oracle.cvar(use.shortage, probability, mass)
        assert rows["used"].tolist() == pytest.approx([mean], abs=1e-6)
    else:
        assert rows.empty


def test_the_cases_show_every_kind_of_row():
    """Stores, groups, cost shares and tails are all among what is compared above."""
    plans = [solved(*case)[2] for case in CASES]
    limits = set().union(*(plan.limits["limit"] for plan in plans))
    assert {"storage", "cost share", "tail cost"} <= limits
    assert any("joint_chance" in set(plan.coverage["metric"]) for plan in plans)
    assert any(plan.facilities["fixed_cost_usd_per_year"].sum() > 0.0 for plan in plans)


# --- Drawn scenarios ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sampled():
    """Gallium in two nations, which halts now and then, with limits that leave some room."""
    return instance(
        coverage=(
            CoverageTarget(
                metric="joint_chance", level=0.6, confidence=0.3, group="both", sharing="off"
            ),
        ),
        facilities=(
            Facility(
                facility="old",
                participant="us",
                storage_kind="warehouse",
                capacity_t=500.0,
                fixed_cost_usd_per_year=5e5,
                existing=True,
            ),
            Facility(
                facility="new",
                participant="japan",
                storage_kind="warehouse",
                capacity_t=500.0,
                fixed_cost_usd_per_year=2e5,
            ),
        ),
        agreement=Agreement(nobody_worse_off=True),
        risk=Risk(cvar_confidence=0.9, cvar_limit_usd_per_year=9e7),
    )


@pytest.fixture(scope="module")
def plan(sampled):
    found = sp.solve(sampled, progress=False)
    assert found.status is sp.Status.OPTIMAL
    return found


@pytest.fixture(scope="module")
def truth(sampled, plan):
    """The plan on so many scenarios that its own sampling error hardly counts."""
    return sp.evaluate(sampled, plan, scenarios=100_000, seed=999)


NAMES = ["cost", "joint", "share us", "share japan", "tail"]


def values(assessment):
    """(value, low, high) of all that sampling blurs, money in million USD a year."""
    found = {"cost": (assessment.annual_cost_usd, assessment.low_usd, assessment.high_usd)}
    for row in assessment.limits.to_dict(orient="records"):
        name = f"share {row['participant']}" if row["equation"] == 16 else "tail"
        found[name] = (row["used"], row["low"], row["high"])
    found = {name: tuple(value / 1e6 for value in of_name) for name, of_name in found.items()}
    row = assessment.coverage.iloc[0]
    return {**found, "joint": (row["achieved"], row["low"], row["high"])}


@pytest.fixture(scope="module")
def replications(sampled, plan):
    return [
        values(sp.evaluate(sampled, plan, scenarios=1000, seed=seed)) for seed in range(100, 140)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_intervals_cover_the_truth_in_about_95_of_100_cases(replications, truth, name):
    """Of 40 intervals of 95 %, fewer than the 0.1 % quantile of the binomial cover by bad luck."""
    value = values(truth)[name][0]
    covered = sum(low <= value <= high for _, low, high in (r[name] for r in replications))
    assert covered >= binom.ppf(0.001, len(replications), 0.95)


@pytest.mark.parametrize("name", NAMES)
def test_intervals_are_not_wider_than_they_need_to_be(replications, name):
    """The half width is Z standard errors, and the values of 40 samples show the standard error.

    A sample standard deviation of 40 is off by 1 / sqrt(2 x 39) = 11 %; 5 times that is allowed.
    """
    found = np.array([r[name] for r in replications])
    half = (found[:, 2] - found[:, 1]).mean() / 2.0
    assert half / Z == pytest.approx(found[:, 0].std(ddof=1), rel=5.0 / sqrt(2.0 * 39.0))


def test_stores_are_a_certain_part_of_the_cost(sampled, plan, truth):
    assert truth.facilities_usd == 7e5
    free = replace(
        sampled,
        facilities=tuple(replace(row, fixed_cost_usd_per_year=0.0) for row in sampled.facilities),
    )
    cheaper = sp.evaluate(free, plan, scenarios=2000)
    dearer = sp.evaluate(sampled, plan, scenarios=2000)
    assert dearer.annual_cost_usd - cheaper.annual_cost_usd == pytest.approx(7e5)
    assert dearer.high_usd - dearer.low_usd == pytest.approx(cheaper.high_usd - cheaper.low_usd)


def test_what_participants_bear_and_the_stores_add_up_to_the_cost(truth):
    shares = truth.limits[truth.limits["equation"] == 16]["used"].sum()
    assert shares + truth.facilities_usd == pytest.approx(truth.annual_cost_usd)


def test_limits_that_hold_in_the_sample_only_are_named(sampled, plan):
    """The same plan where china halts ten times as often."""
    often = replace(
        sampled,
        hazards=tuple(replace(row, events_per_year=6.0) for row in sampled.hazards),
    )
    judged = sp.evaluate(often, plan, scenarios=2000)
    broken = " | ".join(judged.broken)
    for words in (
        "both, all at once at confidence 0.3: 0.0",
        "tail cost, at most 9e+07 USD/year: ",
        "cost share of us, at most ",
    ):
        assert broken.count(words) == 1
    assert "sampling error" not in broken
    text = assessment_text(judged)
    assert "Limits, million USD a year" in text
    assert "Coverage of both at once" in text
    assert "Held in the plan's sample but not here:" in text
    assert "facilities  700 thousand USD a year, which is part of the cost" in text


def test_a_limit_broken_by_chance_is_said_to_be_within_sampling_error(sampled, plan):
    """The limit is what the sample used; about half of fresh samples use more, few by much."""
    rows = plan.limits.copy()
    rows.loc[rows["equation"] == 18, "allowed"] = 0.999 * float(
        sp.evaluate(sampled, plan, scenarios=1000).limits["used"].iloc[-1]
    )
    judged = sp.evaluate(sampled, replace(plan, limits=rows), scenarios=1000)
    assert [text for text in judged.broken if text.startswith("tail cost")] != []
    assert all("(within sampling error)" in text for text in judged.broken)


def test_the_number_of_threads_changes_nothing(sampled, plan):
    one, two = (sp.evaluate(sampled, plan, scenarios=3000, threads=n) for n in (1, 2))
    assert one.annual_cost_usd == two.annual_cost_usd
    assert one.limits.equals(two.limits)
    assert one.coverage.equals(two.coverage)


# --- Refusals -------------------------------------------------------------------------------------


def test_a_plan_with_other_stores_than_the_instance_is_refused_by_name(sampled, plan):
    renamed = plan.facilities.assign(facility=["old", "atlantis"])
    with pytest.raises(sp.ResultError, match="'atlantis' is not among its facilities"):
        sp.evaluate(sampled, replace(plan, facilities=renamed), scenarios=100)
    with pytest.raises(sp.ResultError, match="whether the facility new is open"):
        sp.evaluate(sampled, replace(plan, facilities=plan.facilities.iloc[:1]), scenarios=100)


def test_a_tail_that_is_no_longer_limited_is_left_out(sampled, plan):
    judged = sp.evaluate(replace(sampled, risk=Risk()), plan, scenarios=100)
    assert judged.limits["equation"].tolist() == [16, 16]


def test_the_command_shows_limits_and_groups(sampled, plan, tmp_path, capsys):
    folder = sp.save(sampled, tmp_path / "instance")
    plan.save(tmp_path / "result")
    assert main(["evaluate", str(folder), str(tmp_path / "result"), "--scenarios", "500"]) == 0
    out = capsys.readouterr().out
    for words in ("Coverage of both at once: ", "Limits, million USD a year", " tail cost"):
        assert words in out
