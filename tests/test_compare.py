"""What acting together saves: known answers, theorems on random instances, the page, the folder."""

from __future__ import annotations

import json
import math
import re
import signal
from dataclasses import replace
from pathlib import Path

import oracle
import pandas as pd
import pytest
from random_coupled import COUPLINGS, write_coupled_instance
from random_instances import write_random_instance
from test_docs import FORMAT_PAGE, heading_and_table
from test_enumeration import at_most, candidate, close
from test_known_answers import CLOSED, SHARED, disruptions, instance

import stockpile as sp
from stockpile.cli import main
from stockpile.cooperation.comparison import FILES
from stockpile.cooperation.comparison_tables import TABLES
from stockpile.cooperation.default import break_even
from stockpile.cooperation.game_of_worlds import coalition_rows
from stockpile.cooperation.meetings import coincidence, correlation
from stockpile.cooperation.reasons import main_reason
from stockpile.display_comparison import comparison_page
from stockpile.tables import CoverageTarget, RuleRow, StressEvent, Transfer

ROOT = Path(__file__).parent.parent
TOY = ROOT / "instances" / "toy"
MOST_LINES = 60
"""Lines of a page of paper."""


@pytest.fixture(scope="module")
def toy():
    return sp.load(TOY)


@pytest.fixture(scope="module")
def of_toy(toy):
    return sp.compare(toy, progress=False)


@pytest.fixture(scope="module")
def of_rare_earths():
    """Sixteen materials on few scenarios."""
    world = sp.load(ROOT / "instances" / "rare-earths")
    return sp.compare(world, scenarios=50, gap=0.3, progress=False)


def cost(comparison, world):
    return comparison.plans[world].annual_cost_usd


def indexed(frame, *columns):
    return frame.set_index(list(columns))


# --- The toy, worked by hand in docs/toy.md -------------------------------------------------------


def test_the_toy_saves_what_was_worked_out_by_hand(of_toy):
    assert of_toy.status is sp.Status.OPTIMAL
    assert of_toy.agreed == "sharing"  # Joint costs the same, and sharing asks for less.
    assert cost(of_toy, "none") == pytest.approx(560_000)
    assert cost(of_toy, "sharing") == pytest.approx(440_600)
    assert cost(of_toy, "joint") == pytest.approx(440_600)
    assert of_toy.saving_usd == pytest.approx(119_400)
    assert of_toy.saving_interval_usd == pytest.approx((119_400, 119_400))
    shares = indexed(of_toy.worlds, "world")["saving_share"]
    assert shares["sharing"] == pytest.approx(119_400 / 560_000)


def test_the_saving_of_the_toy_is_pooling_of_gallium(of_toy):
    """Gallium: 6 t less at 20,000 USD, less 600 USD of shipping. Dysprosium is hit in common."""
    savings = indexed(of_toy.savings, "world", "participant", "material").loc["sharing"]
    assert savings.loc[("us", "gallium"), "saving_usd"] == pytest.approx(59_700)
    assert savings.loc[("japan", "gallium"), "holding_saving_usd"] == pytest.approx(60_000)
    assert savings.loc[("japan", "gallium"), "shipping_saving_usd"] == pytest.approx(-300)
    assert savings.loc[("us", "dy_oxide"), "saving_usd"] == pytest.approx(0)
    reasons = indexed(of_toy.reasons, "world", "material").loc["sharing"]
    gallium, dysprosium = reasons.loc["gallium"], reasons.loc["dy_oxide"]
    assert (gallium["reason"], dysprosium["reason"]) == ("pooling", "common")
    assert gallium["fewer_tonnes_usd"] == pytest.approx(120_000)
    assert gallium["shipping_usd"] == pytest.approx(-600)
    assert gallium["cheaper_place_usd"] == gallium["fewer_shortages_usd"] == 0
    assert (gallium["coincidence"], dysprosium["coincidence"]) == pytest.approx((0, 1))
    # Needs of 6 t in one of ten scenarios each, never both: -0.1 x 0.1 / (0.1 x 0.9).
    assert gallium["correlation"] == pytest.approx(-1 / 9)
    assert dysprosium["correlation"] == pytest.approx(1)
    assert (gallium["alone_t"], gallium["together_t"]) == (12, 6)


def test_the_splits_of_the_toy(of_toy):
    """Shapley and Nash halve 119,400. By consumption: 37.2 and 56.4 million USD a year.

    The United States use 36 t of gallium at 500,000 USD and 24 t of dysprosium at 800,000, Japan
    36 t and 48 t. So Japan saves 119,400 x 56.4 / 93.6 = 71,946.15.
    """
    splits = indexed(of_toy.splits, "split", "participant")
    for split in ("shapley", "nash"):
        assert splits.loc[(split, "us"), "pays_usd"] == pytest.approx(188_300)
        assert splits.loc[(split, "japan"), "pays_usd"] == pytest.approx(252_300)
        assert splits.loc[(split, "japan"), "side_payment_usd"] == 0
    by_use = splits.loc[("proportional", "japan")]
    saved = 119_400 * 56.4 / 93.6
    assert by_use["saving_usd"] == pytest.approx(saved)
    assert by_use["side_payment_usd"] == pytest.approx(312_000 - saved - 252_300)
    payments = of_toy.splits.groupby("split")["side_payment_usd"].sum()
    assert payments.to_numpy() == pytest.approx([0, 0, 0], abs=1e-6)
    assert not of_toy.core["objects"].any()
    assert of_toy.least_core.epsilon == pytest.approx(-59_700)
    coalitions = indexed(of_toy.coalitions, "coalition")
    assert coalitions["cost_usd"].to_dict() == pytest.approx(
        {"us": 248_000, "japan": 312_000, "us;japan": 440_600}
    )


def test_a_side_payment_as_a_ticket(of_toy):
    """Partners may call on all 3 t of gallium; dysprosium is under a rule that serves nobody."""
    holdings = indexed(of_toy.holdings, "world", "participant", "material").loc["sharing"]
    assert holdings.loc[("japan", "gallium"), "claim_t"] == 3
    assert holdings.loc[("japan", "dy_oxide"), "claim_t"] == 0
    tickets = indexed(of_toy.tickets, "split", "holder", "material").loc["proportional"]
    received = 252_300 - 312_000 + 119_400 * 56.4 / 93.6
    assert tickets.loc[("japan", "*"), "payment_usd_per_year"] == pytest.approx(received)
    assert tickets.loc[("japan", "gallium"), "ticket_usd_per_t_year"] == pytest.approx(received / 3)
    assert tickets.loc[("japan", "gallium"), "ticket_share_per_year"] == pytest.approx(
        received / 1_500_000
    )
    assert tickets.loc[("us", "*"), "ticket_usd_per_t_year"] == 0


def test_a_default_in_the_toy(of_toy):
    """Alone on 3 t in the own embargo: 3,000,000 USD a year of shortage, and nothing shipped."""
    default = indexed(of_toy.default, "participant").loc["us"]
    assert default["extra_shortage_usd"] == pytest.approx(3_000_000)
    assert default["shipping_saved_usd"] == pytest.approx(300)
    assert default["default_total_usd"] == pytest.approx(3_188_000)
    assert default["above_alone_usd"] == pytest.approx(3_188_000 - 248_000)
    assert default["break_even"] == pytest.approx(59_700 / (3_188_000 - 188_300))
    assert default["broken_promises"] == 0
    assert of_toy.floors.empty
    assert of_toy.floored is None
    assert of_toy.floors_cost_usd == 0


def test_who_owes_in_a_stress_case(toy):
    """An embargo on the United States alone: the group uses 6 t a month and has 3 t left.

    It lost half, so everybody saves 10 % and may use 2.7 t. The missing 2.4 t come from the
    reserves, 3 t each: 1.2 t each. Each may keep 1.5 t of supplies; Japan has 3 t and owes 1.5 t.
    """
    case = StressEvent(
        stress="embargo",
        source="china",
        materials=("gallium",),
        targets=("us",),
        start_month=1,
        duration_months=2,
        severity=1.0,
    )
    comparison = sp.compare(replace(toy, stress=(*toy.stress, case)), progress=False)
    rows = indexed(comparison.article7, "case", "participant").loc["embargo"]
    assert rows["consumption_t_per_month"].to_list() == [3, 3]
    assert rows["available_t_per_month"].to_list() == [0, 3]
    assert rows["commitment_t"].to_list() == [3, 3]
    assert rows["drawdown_t_per_month"].to_list() == pytest.approx([1.2, 1.2])
    assert rows["balance_t_per_month"].to_list() == pytest.approx([1.5, -1.5])
    assert rows["balance_usd_per_month"].to_list() == pytest.approx([750_000, -750_000])
    assert "japan  us" in comparison_page(comparison)


def test_without_stress_cases_the_worst_scenario_is_shared(toy):
    """Nine tonnes of dysprosium at 0.8 million USD are more than six of gallium at 0.5."""
    promises = tuple(row for row in toy.coverage if row.metric != "stress")
    comparison = sp.compare(replace(toy, coverage=promises, stress=()), progress=False)
    assert set(comparison.article7["case"]) == {"common_halt"}
    assert comparison.article7["months"].to_list() == [3, 3]
    # Both lose half: permissible 0.9 x (2 + 4), available 3, drawdown 2.4 in proportion 4 : 6.
    rows = indexed(comparison.article7, "participant")["drawdown_t_per_month"]
    assert rows.to_dict() == pytest.approx({"us": 0.96, "japan": 1.44})


def test_floors_that_make_joining_safe_cost_the_whole_saving_of_the_toy(toy):
    """All industry needs are to be served with 95 %; without partners it is 90 %.

    To keep that alone each has to hold 6 t, as it would without an agreement.
    """
    promise = CoverageTarget(
        material=("gallium",), demand_class=("industry",), metric="chance", level=1, confidence=0.95
    )
    comparison = sp.compare(replace(toy, coverage=(*toy.coverage, promise)), progress=False)
    assert comparison.saving_usd == pytest.approx(119_400)
    assert comparison.floors["participant"].to_list() == ["us", "japan"]
    assert comparison.floors["with_partners"].to_list() == pytest.approx([1, 1])
    assert comparison.floors["without_partners"].to_list() == pytest.approx([0.9, 0.9])
    assert comparison.floors["short_by"].to_list() == pytest.approx([0.05, 0.05])
    assert comparison.floors["alone"].to_list() == pytest.approx([1, 1])
    assert comparison.default["broken_promises"].to_list() == [1, 1]
    assert comparison.floors_cost_usd == pytest.approx(119_400)
    assert comparison.floors_interval_usd == pytest.approx((119_400, 119_400))
    skipped = sp.compare(
        replace(toy, coverage=(*toy.coverage, promise)), progress=False, price_floors=False
    )
    assert skipped.floored is None
    assert math.isnan(skipped.floors_cost_usd)


def test_a_group_that_rests_on_partners_breaks_as_a_whole(toy):
    """Each embargo has a probability of 0.1; without partners both leave the group uncovered."""
    row = CoverageTarget(
        material=("gallium",),
        demand_class=("industry",),
        metric="joint_chance",
        group="industry",
        level=1,
        confidence=0.95,
    )
    comparison = sp.compare(replace(toy, coverage=(*toy.coverage, row)), progress=False)
    assert comparison.floors["group"].to_list() == ["industry"]
    assert comparison.floors["without_partners"].to_list() == pytest.approx([0.8])
    assert comparison.floors["short_by"].to_list() == pytest.approx([0.15])
    assert comparison.default["broken_promises"].to_list() == [1, 1]
    assert comparison.floors_cost_usd == pytest.approx(119_400)


# --- Known answers of one material ----------------------------------------------------------------


def one_material(scenarios, names=("us", "japan"), **more):
    """Each uses 10 t a month at 10 USD a year for holding a tonne; a tonne short costs 1,200."""
    return instance(
        monthly_demand_t=[10.0],
        scenarios=scenarios,
        holding_usd_per_t=10.0,
        shortage_usd_per_t=[100.0],
        participants=names,
        max_t=40.0,
        rules=(CLOSED, SHARED),
        transfers=[
            Transfer(from_participant=a, to_participant=b) for a in names for b in names if a != b
        ],
        **more,
    )


def compared(scenarios, names=("us", "japan"), **more):
    return sp.compare(one_material(scenarios, names, **more), gap=0.0, progress=False)


def hit(probability, **tonnes):
    """A scenario in which participants lose so many of their 10 t for a month."""
    return probability, {name: [(1, 1, lost / 10.0)] for name, lost in tonnes.items()}


def test_perfectly_common_disruptions_save_nothing():
    comparison = compared(disruptions(7.0, 7.0))
    assert comparison.saving_usd == pytest.approx(0, abs=1e-6)
    assert comparison.agreed == "none"
    assert comparison.reasons["reason"].to_list() == ["common", "common"]
    assert comparison.splits["pays_usd"].to_numpy() == pytest.approx([70] * 6)
    assert (comparison.splits["side_payment_usd"] == 0).all()
    assert comparison.default["extra_shortage_usd"].to_list() == [0, 0]
    assert comparison.default["break_even"].to_list() == [1, 1]
    assert "saves nothing" in comparison_page(comparison)


def test_the_more_disruptions_are_disjoint_the_more_is_saved():
    """Each loses 8 t with probability 0.2. Alone each holds 8 t, together what the worst needs."""
    calm = (0.6, {})
    common = compared([(0.8, {}), hit(0.2, us=8.0, japan=8.0)])
    partly = compared(
        [(0.7, {}), hit(0.1, us=8.0, japan=4.0), hit(0.1, us=4.0, japan=8.0), hit(0.1)]
    )
    disjoint = compared([calm, hit(0.2, us=8.0), hit(0.2, japan=8.0)])
    savings = [comparison.saving_usd for comparison in (common, partly, disjoint)]
    assert savings == pytest.approx([0, 40, 80], abs=1e-6)
    needs_meet = [c.reasons["coincidence"].iloc[0] for c in (common, partly, disjoint)]
    assert needs_meet == pytest.approx([1, 1, 0])


def test_cheaper_capital_is_named_as_the_reason():
    """Common disruptions of 7 t each; capital costs 10 USD a tonne and year here, 5 there.

    Alone 70 + 35. Together all 14 t stand where they cost 5: the mean cost falls by 2.5.
    """
    world = one_material(disruptions(7.0, 7.0))
    us, japan = world.participants
    world = replace(world, participants=(us, replace(japan, discount_rate_per_year=0.005)))
    comparison = sp.compare(world, gap=0.0, progress=False)
    row = comparison.reasons.iloc[0]
    assert row["saving_usd"] == row["cheaper_place_usd"] == pytest.approx(35)
    assert (row["fewer_tonnes_usd"], row["reason"]) == (pytest.approx(0), "capital")
    assert (row["capital_least_per_year"], row["capital_most_per_year"]) == (0.005, 0.01)
    # Japan bears 70 for both and would bear 35 alone: it is paid 52.50 for 7 t that it owes.
    payments = indexed(comparison.splits, "split", "participant")["side_payment_usd"]
    assert payments["nash", "us"] == pytest.approx(70 - 17.5)


def test_the_parts_of_a_saving_add_up():
    assert (
        main_reason(
            {"fewer_tonnes_usd": 5.0, "fewer_shortages_usd": 6.0, "cheaper_place_usd": 0},
            100.0,
            0.1,
        )
        == "cover"
    )
    nothing = dict.fromkeys(("fewer_tonnes_usd", "cheaper_place_usd", "fewer_shortages_usd"), 0.0)
    assert main_reason(nothing, 100.0, 0.9) == "common"
    assert main_reason(nothing, 100.0, 0.1) == "little"
    assert main_reason(nothing, 0.0, math.nan) == "little"
    assert main_reason({**nothing, "fewer_tonnes_usd": -2.0}, 100.0, 0.9) == "dearer"


def test_how_needs_meet():
    """Two of three scenarios are listed; the third, of probability 0.5, needs nothing."""
    total = pd.DataFrame({"a": [2.0, 4.0], "b": [0.0, 1.0]}).to_numpy()
    probability = pd.Series([0.25, 0.25]).to_numpy()
    assert coincidence(total, probability) == pytest.approx(0.5)
    # Means 1.5 and 0.25; covariance 1 - 0.375; variances 5 - 2.25 and 0.25 - 0.0625.
    assert correlation(total, probability) == pytest.approx(0.625 / math.sqrt(2.75 * 0.1875))
    assert math.isnan(coincidence(0.0 * total, probability))
    assert math.isnan(correlation(0.0 * total, probability))


@pytest.mark.parametrize(
    ("alone", "together", "default", "probability"),
    [(10, 5, 30, 0.2), (10, 5, 10, 1), (10, 5, 8, 1), (10, 12, 30, 0), (10, 10, 30, 0)],
)
def test_the_probability_of_a_default_that_joining_can_bear(alone, together, default, probability):
    assert break_even(alone, together, default) == probability


def test_a_claim_is_what_the_lowest_level_for_partners_leaves():
    """The rule serves partners down to a quarter of the stock, later only to a half."""
    rule = (
        RuleRow(rule="some", relation=("own",), demand_class=("*",)),
        RuleRow(
            rule="some",
            relation=("partner",),
            demand_class=("*",),
            reserve_level=0.25,
            draw_limit_per_month=0.5,
            trigger_loss=0.1,
        ),
        RuleRow(
            rule="some", relation=("partner",), demand_class=("*",), reserve_level=0.5, from_month=2
        ),
    )
    world = one_material([(0.6, {}), hit(0.2, us=8.0), hit(0.2, japan=8.0)])
    comparison = sp.compare(replace(world, rules=rule), gap=0.0, progress=False)
    claims = comparison.holdings[comparison.holdings["world"] == "sharing"]["claim_share"]
    assert claims.to_list() == [0.75, 0.75]
    alone = comparison.holdings[comparison.holdings["world"] == "none"]["claim_share"]
    assert alone.to_list() == [0, 0]
    one_way = replace(world, rules=rule, transfers=world.transfers[:1])
    comparison = sp.compare(one_way, gap=0.0, progress=False)
    claims = comparison.holdings[comparison.holdings["world"] == "sharing"]["claim_share"]
    assert claims.to_list() == [0.75, 0]


def test_three_participants_that_are_hit_one_at_a_time():
    """Alone 80 each, every pair 80, all three 80: each pays a third of 80."""
    names = ("us", "japan", "korea")
    comparison = compared(
        [(0.4, {}), hit(0.2, us=8.0), hit(0.2, japan=8.0), hit(0.2, korea=8.0)], names
    )
    costs = indexed(comparison.coalitions, "coalition")["cost_usd"]
    assert costs.to_list() == pytest.approx([80] * 7)
    assert costs.index.to_list() == [
        "us",
        "japan",
        "korea",
        "us;japan",
        "us;korea",
        "japan;korea",
        "us;japan;korea",
    ]
    assert comparison.splits["pays_usd"].to_numpy() == pytest.approx([80 / 3] * 9)
    assert not comparison.core["objects"].any()
    assert "No group would pay less" in comparison_page(comparison)


def test_three_participants_of_whom_one_is_needed_by_both_others():
    """Japan and Korea are hit together, the United States at another time.

    Alone 80 each. The United States save 80 with either of the others, or with both; Japan and
    Korea save nothing together. By Shapley the United States save 80 (1/6 + 1/6 + 2/6) and each of
    the others 80/6. Then the United States and one of them would rather leave the other out: they
    pay 80/3 + 200/3 = 93.33 and would pay 80. Only if the United States save all of the 80 does
    nobody object, and then nobody is indifferent by any margin: epsilon is 0.
    """
    names = ("us", "japan", "korea")
    comparison = compared([(0.6, {}), hit(0.2, us=8.0), hit(0.2, japan=8.0, korea=8.0)], names)
    costs = indexed(comparison.coalitions, "coalition")["cost_usd"]
    assert costs[["us;japan", "us;korea", "japan;korea", "us;japan;korea"]].to_list() == (
        pytest.approx([80, 80, 160, 160])
    )
    pays = indexed(comparison.splits, "split", "participant")["pays_usd"]
    assert pays["shapley"].to_list() == pytest.approx([80 / 3, 200 / 3, 200 / 3])
    assert pays["nash"].to_list() == pytest.approx([160 / 3] * 3)
    objecting = comparison.core[comparison.core["objects"]]
    by_shapley = objecting[objecting["split"] == "shapley"]
    assert by_shapley["coalition"].to_list() == ["us;japan", "us;korea"]
    assert by_shapley["excess_usd"].to_list() == pytest.approx([40 / 3] * 2)
    assert comparison.least_core.epsilon == pytest.approx(0, abs=1e-6)
    page = comparison_page(comparison)
    assert "us and japan would pay 26.67 USD a year less on their own" in " ".join(page.split())


def test_a_coalition_without_a_plan_of_its_own_acts_in_parts():
    names = ("us", "japan", "korea")
    comparison = compared([(0.8, {}), hit(0.2, us=8.0)], names)
    rows = coalition_rows(comparison.plans["none"], comparison.plans["sharing"], groups={})
    of_pairs = [row for row in rows if row["coalition"].count(";") == 1]
    assert [row["plan"] for row in of_pairs] == ["parts"] * 3
    assert [row["cost_usd"] for row in of_pairs] == pytest.approx([80, 80, 0])


# --- Theorems on random instances -----------------------------------------------------------------


def with_closed_rules(inst):
    """The instance with a variant of every rule that serves no partner."""
    rows = []
    for name in dict.fromkeys(row.rule for row in inst.rules):
        own = [
            replace(row, rule=f"{name} closed", relation=("own",))
            for row in inst.rules
            if row.rule == name and row.relation != ("partner",)
        ]
        # Of a rule that serves partners only, what is left serves nobody.
        never = RuleRow(
            rule=f"{name} closed", relation=("own",), demand_class=("*",), reserve_level=1.0
        )
        rows += own or [never]
    return replace(inst, rules=(*inst.rules, *rows))


RANDOM = [("any", seed) for seed in range(40)]
COUPLED = [(name, seed) for name in COUPLINGS for seed in (1, 2)]
COUPLED += [("all", seed) for seed in (3, 4, 5)]


@pytest.fixture(scope="module", params=RANDOM + COUPLED, ids=lambda case: f"{case[0]}-{case[1]}")
def drawn(request, tmp_path_factory):
    """A random instance of two participants or more, with closed rules, and its comparison."""
    kind, seed = request.param
    folder = tmp_path_factory.mktemp("instance") / "drawn"
    if kind == "any":
        write_random_instance(folder, seed)
    else:
        write_coupled_instance(folder, seed, COUPLINGS if kind == "all" else [kind])
    inst = sp.load(folder)
    if len(inst.participants) < 2:
        pytest.skip("Nobody to act together with.")
    inst = with_closed_rules(inst)
    saved = sp.save(inst, tmp_path_factory.mktemp("saved") / "closed")
    return inst, oracle.read(saved), sp.compare(inst, gap=0.0, progress=False)


def test_more_cooperation_never_costs_more(drawn):
    """joint <= sharing <= the sum of none, and whatever is feasible alone is so together.

    Why it holds with every limit that there is: the plan of ``none``, each rule replaced by its
    closed variant, is a plan of ``sharing`` in which the same is released, held, bought, stored,
    promised and paid. Replacing rules one for one never makes them more in number (15), nobody
    pays more than alone (16), and the tail (18) is the same. ``joint`` only adds up what
    ``sharing`` limits one by one: budgets and room that suffice for each suffice for the sum.
    """
    _, _, comparison = drawn
    costs = [
        math.inf if plan.annual_cost_usd is None else plan.annual_cost_usd
        for plan in comparison.plans.values()
    ]
    none, sharing, joint = costs
    assert math.isinf(none) or at_most(sharing, none)
    assert math.isinf(sharing) or at_most(joint, sharing)


@pytest.mark.parametrize("seed", range(1, 4))
def test_worlds_are_the_same_as_in_a_solve_of_their_own(seed, tmp_path):
    """Where nobody may pay more than alone, what that is comes from the same plan."""
    write_coupled_instance(tmp_path / "drawn", seed, ["nobody_worse_off", "budget"])
    world = sp.load(tmp_path / "drawn")
    comparison = sp.compare(world, gap=0.01, progress=False)
    for how, plan in comparison.plans.items():
        again = sp.solve(world, cooperation=how, gap=0.01, progress=False)
        assert plan.status == again.status
        if how != "none":
            assert plan.limits.equals(again.limits)
            assert plan.annual_cost_usd == again.annual_cost_usd


def test_tables_add_up(drawn):
    """What is borne is the cost, parts are the saving, and splits pay for everything."""
    _, _, comparison = drawn
    for world, plan in comparison.plans.items():
        if plan.found:
            borne = comparison.borne[comparison.borne["world"] == world]
            assert borne["total_usd"].sum() == close(plan.annual_cost_usd)
    if not comparison.plans["none"].found:
        assert comparison.splits.empty
        return
    for world in ("sharing", "joint"):
        row = indexed(comparison.worlds, "world").loc[world]
        stores = comparison.worlds["facilities_usd"].iloc[0] - row["facilities_usd"]
        savings = comparison.savings[comparison.savings["world"] == world]
        assert savings["saving_usd"].sum() + stores == close(row["saving_usd"])
        reasons = comparison.reasons[comparison.reasons["world"] == world]
        parts = ["fewer_tonnes_usd", "cheaper_place_usd", "fewer_shortages_usd", "shipping_usd"]
        assert reasons[parts].sum(axis=1).to_numpy() == pytest.approx(
            reasons["saving_usd"].to_numpy(), rel=1e-9, abs=1e-6
        )
    for _, split in comparison.splits.groupby("split"):
        assert split["pays_usd"].sum() == close(cost(comparison, comparison.agreed))
        assert split["side_payment_usd"].sum() == pytest.approx(0, abs=1e-6)
    objections = comparison.core[comparison.core["split"] == "nash"]
    if len(comparison.names) == 2:  # Everybody saves the same, so nobody alone would leave.
        assert not objections["objects"].any()


def test_a_default_is_what_the_oracle_simulates_without_partners(drawn):
    _, read, comparison = drawn
    if comparison.agreed is None:
        pytest.skip("No plan.")
    plan = comparison.plans[comparison.agreed]
    shortage = dict.fromkeys(read["participants"], 0.0)
    broken = 0
    for material in read["materials"]:
        lots, rules = candidate(plan, material)
        found = oracle.evaluate(read, material, "none", lots, rules)
        for name, parts in found.costs.items():
            shortage[name] += parts["shortage"]
        broken += sum(not met for met in found.met.values())
    assert comparison.default["default_shortage_usd"].to_numpy() == pytest.approx(
        list(shortage.values()), rel=1e-9, abs=1e-6
    )
    assert (comparison.floors["metric"] != "joint_chance").sum() == broken


def test_what_the_gaps_leave_open_holds_the_truth(drawn):
    """At a gap of 20 % the interval of every world holds what gap 0 proves."""
    inst, _, exact = drawn
    if not exact.complete or not exact.worlds["gap"].le(1e-6).all():
        pytest.skip("No exact answer.")
    loose = sp.compare(inst, gap=0.2, progress=False, price_floors=False)
    if inst.agreement.nobody_worse_off:
        pytest.skip("What nobody may pay more than is not the same plan.")
    truth = indexed(exact.worlds, "world")["saving_usd"]
    rows = indexed(loose.worlds, "world")
    for world in ("sharing", "joint"):
        assert at_most(rows.loc[world, "saving_lower_usd"], truth[world])
        assert at_most(truth[world], rows.loc[world, "saving_upper_usd"])


# --- What cannot be compared, or only in part -----------------------------------------------------


def test_what_can_be_kept_only_together_has_no_saving(tmp_path, capsys):
    """Each may hold 5 t and loses 8 t in its own embargo; all of it is promised."""
    world = one_material(
        [(0.6, {}), hit(0.2, us=8.0), hit(0.2, japan=8.0)],
        coverage=[CoverageTarget(metric="fill_rate", level=1.0)],
    )
    world = replace(world, holdings=tuple(replace(row, max_t=5.0) for row in world.holdings))
    comparison = sp.compare(world, progress=False)
    assert comparison.status is sp.Status.INFEASIBLE
    assert comparison.agreed == "sharing"
    assert math.isnan(comparison.saving_usd)
    for name in ("savings", "reasons", "coalitions", "splits", "core", "tickets"):
        assert getattr(comparison, name).empty
    assert comparison.default["broken_promises"].to_list() == [1, 1]
    assert comparison.floored is None
    assert "Acting alone, not all promises can be kept" in comparison_page(comparison)
    assert json.loads(comparison.to_json())["saving_usd"] is None
    assert main(["compare", str(sp.save(world, tmp_path / "world"))]) == 3
    assert "in none not all promises can be kept" in capsys.readouterr().err


def test_no_time_gives_no_plan_and_says_so(toy, capsys):
    comparison = sp.compare(toy, time_limit=1e-9, progress=False)
    assert comparison.status is sp.Status.TIME_LIMIT
    assert not comparison.complete
    assert comparison.agreed is None
    assert "not known" in comparison_page(comparison)
    assert main(["compare", str(TOY), "--time-limit", "1e-9"]) == 4
    assert "none has no plan" in capsys.readouterr().err


def test_ctrl_c_leaves_the_best_so_far(toy):
    asked = []

    def interrupt_once(_progress):
        if not asked:
            asked.append(True)
            signal.raise_signal(signal.SIGINT)

    world = replace(toy, solve_settings=replace(toy.solve_settings, gap=0.0))
    comparison = sp.compare(world, progress=interrupt_once)
    assert comparison.complete
    assert cost(comparison, comparison.agreed) >= 440_600 - 1e-6


@pytest.mark.parametrize("names", [("us",), tuple(f"nation{i}" for i in range(13))])
def test_too_few_or_too_many_participants_are_refused(names):
    world = instance(
        monthly_demand_t=[10.0],
        scenarios=[(1.0, {})],
        holding_usd_per_t=1.0,
        shortage_usd_per_t=[1.0],
        participants=names,
    )
    with pytest.raises(sp.UsageError, match=f"has {len(names)} participants"):
        sp.compare(world, progress=False)


def test_wrong_arguments_are_refused(toy):
    with pytest.raises(sp.UsageError, match="gap is 2"):
        sp.compare(toy, gap=2)


# --- The folder -----------------------------------------------------------------------------------


def test_the_folder_holds_all_tables_and_can_be_read(of_toy, tmp_path):
    of_toy.save(tmp_path / "comparison")
    assert {path.name for path in (tmp_path / "comparison").iterdir()} == set(FILES)
    for name, columns in TABLES.items():
        read = pd.read_csv(tmp_path / "comparison" / f"{name}.csv", keep_default_na=False)
        assert list(read.columns) == list(columns)
        expected = getattr(of_toy, name)
        assert len(read) == len(expected)
        for column, kind in columns.items():
            texts = ["" if value != value else value for value in expected[column]]
            if kind is float:
                read[column] = pd.to_numeric(read[column])
                assert read[column].to_list() == pytest.approx(
                    expected[column].to_list(), nan_ok=True
                )
            else:
                assert read[column].astype(str).to_list() == [str(text) for text in texts]
    summary = json.loads((tmp_path / "comparison" / "comparison.json").read_text(encoding="utf-8"))
    assert summary["saving_usd"] == pytest.approx(119_400)
    data = json.loads(of_toy.to_json())
    assert {key: data[key] for key in summary} == summary
    assert len(data["splits"]) == len(of_toy.splits)


def test_the_folder_is_plain_text_without_paths(of_toy, tmp_path):
    of_toy.save(tmp_path / "comparison")
    for path in (tmp_path / "comparison").iterdir():
        text = path.read_text(encoding="utf-8")
        assert text.replace("\n", "").isprintable()
        assert str(tmp_path) not in text
        assert str(ROOT) not in text


def test_a_comparison_replaces_an_earlier_one_and_nothing_else(of_toy, tmp_path):
    folder = tmp_path / "comparison"
    of_toy.save(folder)
    of_toy.save(folder)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(sp.UsageError, match=r"notes\.txt"):
        of_toy.save(folder)
    assert (folder / "worlds.csv").exists()


def test_every_table_and_column_of_a_comparison_is_documented_and_the_reverse(of_toy):
    headings = re.findall(r"^### Comparison: `([\w.]+)`$", FORMAT_PAGE, re.MULTILINE)
    assert headings == list(FILES)
    for name, columns in TABLES.items():
        rows = heading_and_table(FORMAT_PAGE, f"### Comparison: `{name}.csv`")
        assert [row[0].strip("`") for row in rows] == list(columns)
        assert all(len(row) == 3 and row[2] for row in rows)
    rows = heading_and_table(FORMAT_PAGE, "### Comparison: `comparison.json`")
    assert [row[0].strip("`") for row in rows] == list(of_toy.summary())


# --- The page and the command ---------------------------------------------------------------------


@pytest.mark.parametrize("columns", [80, 120])
def test_the_answer_fits_on_a_page(of_toy, of_rare_earths, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    for comparison in (of_toy, of_rare_earths):
        lines = comparison_page(comparison).splitlines()
        assert len(lines) <= MOST_LINES
        assert max(map(len, lines)) <= columns
        assert "…" not in "".join(lines)


def test_long_names_are_cut_in_tables(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    names = ("united_states_of_america", "japan_and_all_its_islands")
    world = one_material(
        [(0.6, {}), hit(0.2, **{names[0]: 8.0}), hit(0.2, **{names[1]: 8.0})], names
    )
    case = StressEvent(
        stress="a_case_that_is_named_at_great_length",
        source="g",
        targets=names[:1],
        start_month=1,
        duration_months=1,
        severity=1.0,
    )
    page = comparison_page(sp.compare(replace(world, stress=(case,)), progress=False))
    assert max(map(len, page.splitlines())) <= 80
    assert "…" not in page
    for start in ("united_st..", "japan_and..", "a_case_that_is_named_"):
        assert start in page


def test_the_command_prints_the_answer_and_says_how_to_save(capsys):
    assert main(["compare", str(TOY)]) == 0
    printed = capsys.readouterr()
    words = " ".join(printed.out.split())
    assert "Acting together saves 119.4 thousand USD a year, 21.3 %" in words
    assert "United States gains 59.7 thousand USD and Japan gains 59.7 thousand USD" in words
    assert "188.3 thousand USD" in words
    assert printed.err == (
        f"Nothing was saved. Save the tables with: stockpile compare {TOY} --out DIR\n"
    )


def test_options_of_compare_reach_the_comparison(tmp_path, capsys):
    folder = tmp_path / "comparison"
    options = ["--gap", "0.3", "--scenarios", "30", "--seed", "5", "--threads", "1"]
    options += ["--time-limit", "60", "--skip-floors", "--json", "--out", str(folder)]
    assert main(["compare", str(ROOT / "instances" / "rare-earths"), *options]) == 0
    printed = capsys.readouterr()
    data = json.loads(printed.out)
    assert (data["scenario_count"], data["seed"], data["floors_status"]) == (30, 5, None)
    assert all(row["gap"] <= 0.3 for row in data["worlds"])
    assert printed.err == f"Written to {folder}.\n"
    assert {path.name for path in folder.iterdir()} == set(FILES)


def test_a_folder_in_the_way_is_found_out_before_the_work(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert main(["compare", str(TOY), "--out", str(tmp_path)]) == 2
    assert "notes.txt" in capsys.readouterr().err
