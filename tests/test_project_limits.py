"""What projects cost and what limits them, by hand: budgets, funders, caps, capital, support."""

from __future__ import annotations

from dataclasses import replace

import pytest
from project_instances import EMBARGO, cut, funded, instance, lost, product, project, solve

import stockpile as sp
from stockpile import cli
from stockpile.tables import (
    Agreement,
    ConcentrationCap,
)

# --- Budgets and funders, equation (11) -----------------------------------------------------------


@pytest.mark.parametrize(("budget", "is_funded"), [(1000.0, True), (999.0, False), (0.0, False)])
def test_a_project_has_to_fit_its_funders_budget(budget, is_funded):
    """It saves 500 USD a year and costs 100; and a fast track would have to fit, too."""
    mine = project(output=5.0, capital=1000.0, lead_median_months=1.0, fast_track_usd=1.0)
    plan = solve(instance(scenarios=EMBARGO, projects=(mine,), budgets={"us": budget}))
    assert funded(plan) == (["mine"] if is_funded else [])
    assert plan.annual_cost_usd == pytest.approx(600.0 if is_funded else 1000.0)
    used = plan.limits[plan.limits["limit"].str.contains("project")]
    assert used["used"].tolist() == [1000.0 if is_funded else 0.0]
    assert used["allowed"].tolist() == [budget]


def test_a_fast_track_has_to_fit_the_budget():
    """It would serve 5 t in month 6 for 500 USD a year, and costs 1 USD, but 1,000 is all."""
    mine = project(
        output=5.0,
        capital=1000.0,
        lead_median_months=6.0,
        fast_track_usd=10.0,
        fast_track_months=6.0,
    )
    scenarios = [(0.9, []), (0.1, [lost(6), lost(9)])]
    costs = []
    for budget in (1000.0, 1009.0, 1010.0):
        plan = solve(instance(scenarios=scenarios, projects=(mine,), budgets={"us": budget}))
        costs.append(plan.annual_cost_usd)
    # 20 t less 5 t, or 10 t, in one scenario of ten; 100 USD, or 101 USD, for the project.
    assert costs == pytest.approx([1600.0, 1600.0, 1101.0])


@pytest.mark.parametrize(
    ("world", "budgets", "joint_budget", "is_funded"),
    [
        ("sharing", {"us": 750.0, "japan": 250.0}, None, True),
        ("sharing", {"us": 749.0, "japan": 251.0}, None, False),
        ("sharing", {"us": 751.0, "japan": 249.0}, None, False),
        ("sharing", {}, None, True),
        ("sharing", {}, 999.0, False),
        ("sharing", {"us": 750.0, "japan": 250.0}, 1000.0, True),
        ("joint", {"us": 749.0, "japan": 251.0}, None, True),
        ("joint", {"us": 749.0, "japan": 250.0}, None, False),
        ("joint", {"us": 0.0, "japan": 0.0}, 1000.0, True),
        ("joint", {"us": 0.0, "japan": 0.0}, 999.0, False),
        ("joint", {"us": 0.0}, None, True),  # Who has no limit has enough for all.
        ("none", {}, None, False),
    ],
)
def test_a_joint_project_is_paid_by_its_beneficiaries(world, budgets, joint_budget, is_funded):
    """6 of 8 t go to the United States, so they pay 750 of 1,000 USD. It saves 800 USD a year."""
    mine = project(
        output=8.0,
        capital=1000.0,
        beneficiaries=("us", "japan"),
        beneficiary_shares=(0.75, 0.25),
        funder="joint",
    )
    plan = solve(
        instance(
            scenarios=EMBARGO,
            participants=("us", "japan"),
            projects=(mine,),
            budgets=budgets,
            agreement=Agreement(joint_project_budget_usd=joint_budget),
        ),
        cooperation=world,
    )
    assert funded(plan) == (["mine"] if is_funded else [])
    assert plan.annual_cost_usd == pytest.approx(1300.0 if is_funded else 2000.0)
    row = plan.projects.iloc[0]
    assert (row["funder"], row["payers"], row["payer_shares"]) == ("joint", "us;japan", "0.75;0.25")


# --- Concentration, equation (17) -----------------------------------------------------------------


def capped(most, source="g", *, capital=100_000.0, share=0.9, **of_project):
    """9 of 10 t/month come from ``g``; the project would make 2 t/month more."""
    return instance(
        scenarios=EMBARGO,
        share=share,
        projects=(project(output=2.0, capital=capital, **of_project),),
        concentration=(ConcentrationCap(source=(source,), max_share=most),),
    )


@pytest.mark.parametrize(
    ("most", "is_funded"),
    [
        (0.9, False),  # 9 of 10 t: exactly at the cap.
        (0.8999, True),  # Below that it has to be funded, although it saves 200 USD a year.
        (0.75, True),  # 9 of 12 t: exactly at the cap again.
    ],
)
def test_a_cap_is_kept_at_any_cost(most, is_funded):
    plan = solve(capped(most))
    assert plan.status == "optimal"
    assert funded(plan) == (["mine"] if is_funded else [])
    assert plan.annual_cost_usd == pytest.approx(700.0 + 10_000.0 if is_funded else 900.0)
    of_g = plan.dependence.set_index("source").loc["g"]
    assert of_g["share_before"] == pytest.approx(0.9)
    assert of_g["share_after"] == pytest.approx(0.75 if is_funded else 0.9)
    # The squares: 0.81; with the project 0.75 and 2/12.
    assert of_g["hhi_before"] == pytest.approx(0.81)
    assert of_g["hhi_after"] == pytest.approx(0.5625 + 1 / 36 if is_funded else 0.81)


def test_a_cap_counts_a_project_that_belongs_to_the_source():
    """It pays: 4 t of 9 t for 10 USD. But 13 of 14 t would come from one source."""
    mine = {"output": 4.0, "capital": 100.0}
    world = instance(scenarios=EMBARGO, share=0.9, projects=(project(**mine, source="g"),))
    assert funded(solve(world)) == ["mine"]
    for most, expected in ((13 / 14, ["mine"]), (0.92, [])):
        cap = ConcentrationCap(source=("g",), max_share=most)
        assert funded(solve(replace(world, concentration=(cap,)))) == expected


@pytest.mark.parametrize(("most", "expected"), [(0.45, ["mine"]), (0.44, [])])
def test_a_cap_on_every_source_is_one_on_every_project_that_is_its_own(most, expected):
    """8 t/month of the project are 8/18 of all supply, ``g`` then supplies 4 t of 18 t."""
    world = instance(
        scenarios=EMBARGO,
        share=0.4,
        projects=(project(output=8.0, capital=100.0),),
        concentration=(ConcentrationCap(max_share=most),),
    )
    assert funded(solve(world)) == expected


def test_a_cap_that_cannot_be_kept_is_named(tmp_path, capsys):
    world = capped(0.74)
    plan = solve(world)
    assert plan.status == "infeasible"
    words = " ".join(plan.conflicts)
    assert "concentration.csv" in words
    sp.save(world, tmp_path / "capped")
    assert cli.main(["solve", str(tmp_path / "capped")]) == 3
    said = capsys.readouterr()
    assert "concentration.csv line 2" in said.out + said.err


# --- What a project costs, equation (9) -----------------------------------------------------------


@pytest.mark.parametrize(
    ("life", "rate", "usd"),
    [
        (None, 0.1, 100.0),
        (10.0, 0.1, 162.745394882511),  # 1,000 x 0.1 / (1 - 1.1 ** -10): payment of a loan.
        (1.0, 0.1, 1100.0),
        (20.0, 0.0, 50.0),
        (None, 0.0, 0.0),
    ],
)
def test_capital_is_paid_back_like_a_loan(life, rate, usd):
    mine = project(output=10.0, capital=1000.0, life_years=life)
    plan = solve(instance(scenarios=EMBARGO, shortage=(15_000.0,), rate=rate, projects=(mine,)))
    assert funded(plan) == ["mine"]
    assert plan.projects["capital_usd"].tolist() == [1000.0]
    assert plan.projects["capital_usd_per_year"].tolist() == pytest.approx([usd])
    assert plan.annual_cost_usd == pytest.approx(usd)
    if life and rate:  # The loan, with interest at the end of every year, is nought then.
        owed = 1000.0
        for _ in range(int(life)):
            owed = owed * (1.0 + rate) - plan.projects["capital_usd_per_year"].iloc[0]
        assert owed == pytest.approx(0.0, abs=1e-8)


def test_the_rate_of_a_joint_project_is_that_of_its_payers():
    """2 % and 6 %, three parts to one: 3 %."""
    mine = project(
        output=8.0,
        capital=1000.0,
        beneficiaries=("us", "japan"),
        beneficiary_shares=(0.6, 0.2),
        funder="joint",
    )
    world = instance(scenarios=EMBARGO, participants=("us", "japan"), projects=(mine,))
    rates = (0.02, 0.06)
    nations = tuple(
        replace(row, discount_rate_per_year=rate)
        for row, rate in zip(world.participants, rates, strict=True)
    )
    plan = solve(replace(world, participants=nations))
    assert plan.projects["capital_usd_per_year"].tolist() == pytest.approx([30.0])


@pytest.mark.parametrize(
    ("cuts", "more", "usd"),
    [
        ([], {}, 0.0),  # Its output costs 800 USD/t and is worth 1,000.
        ([], {"operating_usd_per_t": 1100.0}, 2400.0),  # 100 USD for 2 t in 12 months.
        # 300 USD/t for 2 t in 2 months, in one scenario of four.
        ([cut(3, 2, 0.5)], {}, 300.0),
        # Two cuts at once: a quarter of the price is left in month 4. 2 t x (300 + 550) / 4.
        ([cut(3, 2, 0.5), cut(4, 1, 0.5)], {}, 425.0),
        ([cut(3, 2, 0.5, answers="mine")], {}, 300.0),
        ([cut(3, 2, 0.5, answers="other")], {}, 0.0),
        ([cut(3, 2, 0.5, materials=("n",))], {}, 0.0),
        ([cut(3, 2, 0.1)], {}, 0.0),  # 900 USD/t are more than it costs.
        # There from month 4 on.
        ([cut(3, 2, 0.5)], {"lead_median_months": 3.0}, 150.0),
        # A quarter in month 1, three quarters in month 3, all in month 4.
        ([cut(3, 2, 0.5)], {"ramp_months": 4}, 0.25 * 2.0 * 300.0 * 1.75),
        # Half of the output goes to somebody else, who pays for it.
        ([cut(3, 2, 0.5)], {"beneficiary_shares": (0.5,)}, 150.0),
    ],
)
def test_support_pays_what_output_costs_above_its_price(cuts, more, usd):
    mine = project(**{"output": 2.0, "operating_usd_per_t": 800.0} | more)
    other = project("other", output=1.0, operating_usd_per_t=1e9)
    world = instance(
        materials=("m", "n"),
        scenarios=[(0.75, []), (0.25, [*cuts, lost(8)])],
        shortage=(10_000.0,),
        projects=(mine, other),
    )
    plan = solve(world)
    assert funded(plan) == ["mine"]
    assert plan.projects["support_usd_per_year"].iloc[0] == pytest.approx(usd)
    served = 2.0 * sum(mine.beneficiary_shares)
    short = 0.25 * 10_000.0 * (10.0 - served + 10.0)
    assert plan.annual_cost_usd == pytest.approx(short + usd)


def test_a_by_product_is_supported_by_its_own_cost():
    """1 t/month at 1,500 USD, of which the price pays 1,000: 6,000 USD a year."""
    world = instance(
        materials=("m", "n"),
        scenarios=EMBARGO,
        shortage=(100_000.0,),
        projects=(project(output=1.0, capital=1500.0),),
        project_products=(product(material="n", output=1.0, operating_usd_per_t=1500.0),),
    )
    plan = solve(world)
    assert plan.projects["support_usd_per_year"].tolist() == pytest.approx([6000.0])


@pytest.mark.parametrize(("severity", "is_funded"), [(0.6, False), (0.5, True)])
def test_dumping_may_keep_a_project_from_being_funded(severity, is_funded):
    """It saves 500 USD a year. Output costs 800 USD/t; 5 t meet a cut price with probability 0.3.

    At 400 USD/t that costs 0.3 x 5 x 400 = 600 USD a year, at 500 USD/t 450.
    """
    dumping = [cut(2, 1, severity, answers="mine")]
    mine = project(output=5.0, operating_usd_per_t=800.0)
    plan = solve(
        instance(scenarios=[(0.6, []), (0.3, dumping), (0.1, [lost(6)])], projects=(mine,))
    )
    assert funded(plan) == (["mine"] if is_funded else [])
    assert plan.annual_cost_usd == pytest.approx(950.0 if is_funded else 1000.0)
