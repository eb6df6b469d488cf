"""Projects with known answers: closed forms, a second instance, or arithmetic by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from project_instances import cut, files, funded, instance, lost, product, project, solve

import stockpile as sp
from stockpile import cli
from stockpile.tables import (
    Agreement,
    Commercial,
    ConcentrationCap,
    Conversion,
    Holding,
    Recycling,
    Transfer,
)

EMBARGO = ((0.9, []), (0.1, [lost(6)]))
"""One scenario in ten loses all supply for a month: 10 t missing are 1,000 USD a year."""

# --- Equation (2): a second instance --------------------------------------------------------------

TROUBLE = (
    (0.5, []),
    (0.3, [{"start_month": 2, "duration_months": 2}]),
    (0.2, [{"start_month": 7, "duration_months": 1}]),
)


@pytest.mark.parametrize(
    ("allocation", "severity", "demand", "output", "smaller"),
    [
        # All is lost: the gap is D - o, that of a demand of D - o.
        ("priority", 1.0, (10.0,), 4.0, (6.0,)),
        # Half is lost: the gap is D / 2 - o, that of a demand of D - 2 o.
        ("priority", 0.5, (20.0,), 4.0, (12.0,)),
        # The second class bears up to its 8 t first, so the output spares the first one.
        ("priority", 1.0, (12.0, 8.0), 5.0, (7.0, 8.0)),
        # 15 of 20 t are missing, three quarters of the demand of each.
        ("pro_rata", 1.0, (12.0, 8.0), 5.0, (9.0, 6.0)),
    ],
)
def test_certain_output_that_costs_nothing_is_a_smaller_need(
    allocation, severity, demand, output, smaller
):
    common = {
        "scenarios": [
            (
                p,
                [
                    lost(
                        severity=severity, start=row["start_month"], duration=row["duration_months"]
                    )
                    for row in rows
                ],
            )
            for p, rows in TROUBLE
        ],
        "shortage": (3000.0, 500.0)[: len(demand)],
        "max_t": 40.0,
        "allocation": allocation,
    }
    with_project = solve(
        instance(demand={("us", "m"): demand}, projects=(project(output=output),), **common)
    )
    without = solve(instance(demand={("us", "m"): smaller}, **common))
    assert funded(with_project) == ["mine"]
    assert with_project.annual_cost_usd == pytest.approx(without.annual_cost_usd, rel=1e-12)
    assert with_project.holdings["lots"].tolist() == without.holdings["lots"].tolist()
    assert without.holdings["lots"].sum() > 0
    assert with_project.rules.equals(without.rules)


def test_output_from_the_start_is_the_same_as_recycling():
    """Both add the same to every month of (2), whatever surges, losses and firms do."""
    common = {
        "scenarios": [
            (0.4, []),
            (0.3, [lost(2, 3, 0.6), lost(4, 1, 0.5)]),
            (
                0.3,
                [
                    lost(3, 4, 0.9),
                    {
                        "effect": "demand_surge",
                        "start_month": 4,
                        "duration_months": 5,
                        "severity": 0.5,
                    },
                ],
            ),
        ],
        "demand": {("us", "m"): (12.0, 8.0)},
        "shortage": (3000.0, 500.0),
        "max_t": 40.0,
        "commercial": (Commercial(participant="us", material="m", industry_days=10.0),),
    }
    mine = solve(instance(projects=(project(output=5.0),), **common))
    back = solve(
        instance(
            recycling=(Recycling(participant="us", material="m", collection_rate=0.25),), **common
        )
    )
    assert funded(mine) == ["mine"]
    assert mine.annual_cost_usd == pytest.approx(back.annual_cost_usd, rel=1e-12)
    assert mine.holdings["lots"].tolist() == back.holdings["lots"].tolist()
    assert mine.rules.equals(back.rules)


# --- When a project is funded ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lead", "helps"),
    [(12.0, False), (1000.0, False), (11.999, True), (6.0, False), (5.999, True), (0.0, True)],
)
def test_what_starts_after_the_last_event_is_never_funded(lead, helps):
    """Output from month floor(L) + 1 on. The event is in month 12, or in month 6 of 12."""
    month = 12 if lead > 11.0 else 6
    world = instance(scenarios=[(0.9, []), (0.1, [lost(month)])], max_t=5.0)
    without = solve(world)
    offered = replace(world, projects=(project(output=4.0, capital=1.0, lead_median_months=lead),))
    plan = solve(offered)
    assert funded(plan) == (["mine"] if helps else [])
    # 10 t are missing of which 4 t are made: 400 USD a year less, for 0.1 USD.
    saved = 400.0 - 0.1 if helps else 0.0
    assert plan.annual_cost_usd == pytest.approx(without.annual_cost_usd - saved, rel=1e-12)
    assert plan.holdings.equals(without.holdings)


@pytest.mark.parametrize(
    ("usd", "months", "chosen"),
    [
        (1.0, 0.0, False),  # It saves no time.
        (1.0, 2.0, False),  # 8 - 2: the event of month 6 is over before month 7.
        (1.0, 2.5, True),  # 8 - 2.5 is 5.5: output from month 6 on.
        (3999.0, 3.0, True),  # 4 t in the event are worth 400 USD a year, and 3,999 USD cost 399.9.
        (4001.0, 3.0, False),
    ],
)
def test_a_fast_track_is_worth_what_it_serves_earlier(usd, months, chosen):
    """The project is funded anyway, for an event of month 10: 0.1 x 4 t x 1,000 USD."""
    fast = {"fast_track_usd": usd, "fast_track_months": months}
    mine = project(output=4.0, capital=1000.0, lead_median_months=8.0, **fast)
    plan = solve(instance(scenarios=[(0.9, []), (0.1, [lost(6), lost(10)])], projects=(mine,)))
    assert funded(plan) == ["mine"]
    assert plan.projects["fast_track"].tolist() == [chosen]
    # 20 t less 4 t or 8 t are missing in one scenario of ten.
    cost = 100.0 + (1200.0 + 0.1 * usd if chosen else 1600.0)
    assert plan.annual_cost_usd == pytest.approx(cost, rel=1e-12)


@pytest.mark.parametrize(
    ("capital", "is_funded"), [(0.0, True), (3999.0, True), (4001.0, False), (1e12, False)]
)
def test_a_project_is_funded_if_it_saves_more_than_it_costs(capital, is_funded):
    """It saves 4 t of 10 t in one scenario of ten: 400 USD a year."""
    plan = solve(instance(scenarios=EMBARGO, projects=(project(output=4.0, capital=capital),)))
    assert funded(plan) == (["mine"] if is_funded else [])
    cost = 600.0 + 0.1 * capital if is_funded else 1000.0
    assert plan.annual_cost_usd == pytest.approx(cost, rel=1e-12)


@pytest.mark.parametrize(("capital", "is_funded"), [(3999.0, True), (4001.0, False)])
def test_a_project_is_worth_the_stock_that_it_makes_needless(capital, is_funded):
    """A missing tonne costs 100,000 USD, so 10 t are held for 100 USD each; 4 t are made."""
    plan = solve(
        instance(
            scenarios=EMBARGO,
            shortage=(100_000.0,),
            max_t=20.0,
            projects=(project(output=4.0, capital=capital),),
        )
    )
    assert funded(plan) == (["mine"] if is_funded else [])
    assert plan.holdings["lots"].tolist() == [6 if is_funded else 10]
    cost = 600.0 + 0.1 * capital if is_funded else 1000.0
    assert plan.annual_cost_usd == pytest.approx(cost, rel=1e-12)


# --- Chains and by-products -----------------------------------------------------------------------


def test_who_has_no_plants_and_who_has_no_oxide_need_less_together():
    """Either nation may need 10 t of metal for a month; never both at once.

    Metal costs 1,000 USD/t and 100 USD a year to hold, oxide 200 and 20. Japan has the plants but
    no oxide, the United States have oxide but no plants. So each alone holds 10 t of metal:
    20 t, 2,000 USD a year. Together 10 t of oxide serve whoever is hit: 200 USD a year, and with
    probability 0.1 each, 10 t are shipped to Japan (2 USD/t) and made into metal (3 USD/t); those
    for the United States are shipped back (2 USD/t): 10 x (5 + 7) x 0.1 = 12 USD a year.
    """
    nations = ("us", "japan")
    world = instance(
        participants=nations,
        materials=("oxide", "metal"),
        demand={(c, "metal"): (10.0,) for c in nations},
        scenarios=[
            (0.8, []),
            (0.1, [lost(6, targets=("us",))]),
            (0.1, [lost(6, targets=("japan",))]),
        ],
        shortage=(100_000.0,),
    )
    oxide, metal = world.materials
    oxide = replace(oxide, price_usd_per_kg=0.2)
    world = replace(
        world,
        materials=(oxide, metal),
        holdings=(
            Holding(participant="us", material="oxide", max_t=30.0),
            Holding(participant="us", material="metal", max_t=30.0),
            Holding(participant="japan", material="metal", max_t=30.0),
        ),
        conversions=(
            Conversion(
                conversion="reduction",
                participant="japan",
                from_material="oxide",
                to_material="metal",
                yield_=1.0,
                capacity_t_per_month=20.0,  # Half for the metal of each.
                lag_months=0,
                cost_usd_per_t=3.0,
            ),
        ),
        transfers=(
            Transfer(from_participant="us", to_participant="japan", cost_usd_per_t=2.0),
            Transfer(from_participant="japan", to_participant="us", cost_usd_per_t=2.0),
        ),
    )
    sp.validate(world)
    alone, together = solve(world, cooperation="none"), solve(world, cooperation="sharing")
    held = alone.holdings.set_index(["participant", "material"])["holding_t"]
    assert held["us", "metal"] == held["japan", "metal"] == 10.0
    assert held.sum() == 20.0
    assert alone.annual_cost_usd == pytest.approx(2000.0)
    held = together.holdings.set_index(["participant", "material"])["holding_t"]
    assert held["us", "oxide"] == held.sum() == 10.0
    assert together.annual_cost_usd == pytest.approx(212.0)
    costs = together.costs.groupby("participant")[["shipping", "conversion"]].sum()
    assert costs.loc["us"].tolist() == pytest.approx([4.0, 3.0])
    assert costs.loc["japan"].tolist() == pytest.approx([2.0, 3.0])


def by_products(made):
    """Two materials that no plant joins; a project makes 1 t/month of the ones named."""
    first, *others = made
    return instance(
        materials=("m", "n"),
        scenarios=EMBARGO,
        projects=(project(material=first, output=1.0, capital=1500.0),),
        project_products=tuple(product(material=other, output=1.0) for other in others),
    )


@pytest.mark.parametrize(
    ("made", "is_funded"), [(("m",), False), (("n",), False), (("m", "n"), True)]
)
def test_by_products_link_blocks_and_pay_together(made, is_funded):
    """Each saves 1 t of 10 t in one scenario of ten, 100 USD a year; the project costs 150."""
    plan = solve(by_products(made))
    assert funded(plan) == (["mine"] if is_funded else [])
    assert plan.annual_cost_usd == pytest.approx(900.0 + 900.0 + 150.0 if is_funded else 2000.0)


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
    world = replace(
        by_products(("m", "n")),
        project_products=(product(material="n", output=1.0, operating_usd_per_t=1500.0),),
        classes=(replace(by_products(("m",)).classes[0], shortage_cost_multiple=100.0),),
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


# --- Hazards that answer --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "cost"),
    [
        # Without an answer: 5 t of 10 t, 500 USD, and 100 for the project.
        ({"answers": None, "severity": 0.0}, 600.0),
        # 6 t are lost and 5 t made: one more tonne in one scenario of ten.
        ({"answers": "mine", "severity": 0.6}, 700.0),
        # All is lost for a month: 5 t more, 500 USD. Then the project is worth nothing.
        ({"answers": "mine", "severity": 1.0}, 1000.0),
        # Half a month's supply is what the project makes.
        ({"answers": "mine", "severity": 0.5}, 600.0),
        # Another material: 4 t short are 400 USD, and the two saved 400 USD. Next, 3 t.
        ({"answers": "mine", "severity": 0.4, "materials": ("n",)}, 1000.0),
        ({"answers": "mine", "severity": 0.3, "materials": ("n",)}, 900.0),
    ],
)
def test_an_answer_comes_only_with_the_project(answer, cost):
    answer = lost(3, **{"materials": ("m",)} | answer)
    world = instance(
        materials=("m", "n"),
        scenarios=[(0.8, []), (0.1, [lost(6, materials=("m",))]), (0.1, [answer])],
        projects=(project(output=5.0, capital=1000.0),),
    )
    plan = solve(world)
    assert plan.annual_cost_usd == pytest.approx(cost)
    if cost != 1000.0:
        assert funded(plan) == ["mine"]
    without = solve(replace(world, projects=(), events=world.events[:1]))
    assert without.annual_cost_usd == pytest.approx(1000.0)


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
