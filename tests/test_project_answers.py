"""Projects with known answers: closed forms, a second instance, or arithmetic by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from project_instances import EMBARGO, funded, instance, lost, product, project, solve

import stockpile as sp
from stockpile.tables import (
    Commercial,
    Conversion,
    Holding,
    Recycling,
    Transfer,
)

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
