"""The oracle against numbers worked out by hand, and against what must hold for any instance."""

import random

import oracle
import pytest
from random_instances import write_random_instance

TABLES = {
    "participants": "participant,discount_rate_per_year\nusa,0.003\n",
    "classes": "demand_class,priority,shortage_cost_multiple\nindustrial,1,0.1\n",
    "materials": "material,price_usd_per_kg,lot_t\ngallium,1,10\n",
    "demand": "participant,material,demand_class,demand_t_per_year\nusa,gallium,industrial,120\n",
    "sources": "source\nchina\n",
    "supply": "participant,material,source,share\nusa,gallium,china,1\n",
    "scenarios": "scenario,probability\nembargo,1\n",
    "events": "scenario,source,start_month,duration_months,severity\nembargo,china,1,4,1\n",
    "rules": "rule,relation,demand_class\nopen,*,*\n",
}
TWO = {
    "participants": "participant,discount_rate_per_year\nusa,0.002\njapan,0.002\n",
    "demand": (
        "participant,material,demand_class,demand_t_per_year\n"
        "usa,gallium,industrial,120\njapan,gallium,industrial,120\n"
    ),
    "supply": ("participant,material,source,share\nusa,gallium,china,1\njapan,gallium,china,1\n"),
    "events": (
        "scenario,source,targets,start_month,duration_months,severity\nembargo,china,japan,1,4,1\n"
    ),
}
DEFENSE = {
    "classes": "demand_class,priority,shortage_cost_multiple\nindustrial,2,0.1\ndefense,1,1\n",
    "demand": (
        "participant,material,demand_class,demand_t_per_year\n"
        "usa,gallium,industrial,72\nusa,gallium,defense,48\n"
    ),
}


@pytest.fixture
def make(tmp_path):
    """An instance of one nation that needs 10 t a month in months 1 to 4, some tables replaced.

    Holding a tonne costs 3 USD a year, missing one 100 USD; the horizon is a year.
    """

    def write(settings="", **tables):
        toml = f'format = 1\nname = "tiny"\nhorizon_months = 12\n{settings}\n'
        (tmp_path / "instance.toml").write_text(toml)
        for table, text in (TABLES | tables).items():
            (tmp_path / f"{table}.csv").write_text(text)
        return oracle.read(tmp_path)

    return write


def need_by_month(inst, participant="usa", demand_class="industrial"):
    months = oracle.needs(inst, "gallium", "embargo")
    return [float(month["need"].get((participant, demand_class), 0)) for month in months]


def released_by_month(inst, lots, rules, **options):
    months = oracle.simulate(inst, "gallium", "embargo", lots, rules, **options)
    return [sum(release[-1] for release in month["releases"]) for month in months]


def test_one_need_a_year_is_a_newsvendor(make):
    """Ten equally likely needs, 10 to 100 t: F(70) = 0.7 is the first above 1 - 3/8 = 0.625.

    Holding 70 t costs 210; missing are 10, 20 or 30 t, a tenth of the time each: 8 * 6 = 48.
    """
    scenarios = "".join(f"s{i},0.1\n" for i in range(1, 11))
    events = "".join(f"s{i},china,1,1,{i / 10}\n" for i in range(1, 11))
    inst = make(
        demand=TABLES["demand"].replace("120", "1200"),
        classes=TABLES["classes"].replace("0.1", "0.008"),
        scenarios="scenario,probability\n" + scenarios,
        events="scenario,source,start_month,duration_months,severity\n" + events,
    )
    best = oracle.enumerate_material(inst, "gallium", "none")
    assert best.lots == {"usa": 7}
    assert best.annual_cost == pytest.approx(258)


def exclusive_embargoes(make, shipping):
    return make(
        participants=TWO["participants"],
        supply=TWO["supply"],
        demand=TWO["demand"].replace("120", "720"),
        scenarios="scenario,probability\nfirst,0.5\nsecond,0.5\n",
        events=(
            "scenario,source,targets,start_month,duration_months,severity\n"
            "first,china,usa,1,1,1\nsecond,china,japan,1,1,1\n"
        ),
        transfers=(
            "from_participant,to_participant,cost_usd_per_t\n"
            f"usa,japan,{shipping}\njapan,usa,{shipping}\n"
        ),
    )


def test_one_stock_serves_two_embargoes_that_exclude_each_other(make):
    """Either nation misses 60 t in one month, never both. Holding costs 2 USD/t, missing 100.

    Alone each holds 60 t: 240. Together 60 t do: 120, and half of the 60 t is shipped in the
    mean, at 1 USD: 30.
    """
    inst = exclusive_embargoes(make, shipping=1)
    assert oracle.enumerate_plan(inst, "none") == pytest.approx(240)
    assert oracle.enumerate_plan(inst, "sharing") == pytest.approx(150)
    assert oracle.enumerate_plan(inst, "joint") == pytest.approx(150)


def test_shipping_is_paid_by_the_beneficiary(make):
    """All 60 t lie in the first nation: the second ships 60 t with probability 0.5, at 4 USD."""
    inst = exclusive_embargoes(make, shipping=4)
    rules = {"usa": "open", "japan": "open"}
    plan = oracle.evaluate(inst, "gallium", "sharing", {"usa": 6, "japan": 0}, rules)
    assert plan.costs["usa"] == {"holding": 120.0, "shortage": 0.0, "shipping": 0.0}
    assert plan.costs["japan"] == {"holding": 0.0, "shortage": 0.0, "shipping": 120.0}


@pytest.mark.parametrize(("shipping", "released"), [("100", 40), ("100.01", 0)])
def test_a_release_that_costs_more_than_the_shortage_is_left_out(make, shipping, released):
    """A missing tonne costs 100 USD; Japan needs 40 t and holds nothing."""
    transfers = f"from_participant,to_participant,cost_usd_per_t\nusa,japan,{shipping}\n"
    inst = make(**TWO, transfers=transfers)
    rules = {"usa": "open", "japan": "open"}
    assert sum(released_by_month(inst, {"usa": 4, "japan": 0}, rules)) == released


def test_losses_of_one_source_multiply_and_of_several_add(make):
    """0.4 * (1 - 0.5 * 0.5) + 0.6 * 0.1 = 0.36 of 10 t."""
    inst = make(
        sources="source\nchina\ncanada\n",
        supply=(
            "participant,material,source,share\nusa,gallium,china,0.4\nusa,gallium,canada,0.6\n"
        ),
        events=(
            "scenario,source,start_month,duration_months,severity\n"
            "embargo,china,1,1,0.5\nembargo,china,1,2,0.5\nembargo,canada,1,1,0.1\n"
        ),
    )
    assert need_by_month(inst)[:3] == pytest.approx([3.6, 2.0, 0.0])


def test_the_lowest_priority_bears_the_gap_first(make):
    """Demand is 4 t defense and 6 t industrial; 8 t are missing."""
    inst = make(**DEFENSE, events=TABLES["events"].replace(",1\n", ",0.8\n"))
    assert need_by_month(inst, demand_class="industrial")[0] == 6
    assert need_by_month(inst, demand_class="defense")[0] == 2


def test_pro_rata_spreads_the_gap(make):
    """8 of 10 t are missing: 0.8 of each class."""
    inst = make(
        'allocation = "pro_rata"', **DEFENSE, events=TABLES["events"].replace(",1\n", ",0.8\n")
    )
    assert need_by_month(inst, demand_class="industrial")[0] == pytest.approx(4.8)
    assert need_by_month(inst, demand_class="defense")[0] == pytest.approx(3.2)


def test_a_surge_adds_to_the_gap(make):
    """Defense demand 4 * 1.5 = 6, industrial 6, supply 5: the gap is 7, of it 6 industrial.

    In month 2 only the surge is left: a gap of 2 t, all industrial.
    """
    events = (
        "scenario,effect,source,demand_class,start_month,duration_months,severity\n"
        "embargo,supply_loss,china,,1,1,0.5\n"
        "embargo,demand_surge,,defense,1,2,0.25\nembargo,demand_surge,,*,1,1,0\n"
        "embargo,demand_surge,,defense,1,2,0.25\n"
    )
    inst = make(**DEFENSE, events=events)
    assert need_by_month(inst, demand_class="industrial")[:3] == [6, 2, 0]
    assert need_by_month(inst, demand_class="defense")[:3] == [1, 0, 0]


def test_commercial_stock_comes_first_and_is_refilled_by_a_sixth(make):
    """36.5 days of 120 t a year are 12 t. Gaps of 10 t in months 1, 2 and 5.

    12 - 10 = 2 t are left for month 2, which needs 8; months 3 and 4 bring 2 t each, so month 5
    needs 6.
    """
    inst = make(
        commercial="participant,material,industry_days\nusa,gallium,36.5\n",
        events=(
            "scenario,source,start_month,duration_months,severity\n"
            "embargo,china,1,2,1\nembargo,china,5,1,1\n"
        ),
    )
    assert need_by_month(inst)[:6] == [0, 8, 0, 0, 6, 0]
    ages = [month["age"]["usa"] for month in oracle.needs(inst, "gallium", "embargo")]
    assert ages[:7] == [0, 1, 2, 0, 0, 1, 0]


def test_thrift_starts_at_its_age(make):
    """A quarter less from the second month of the event on."""
    commercial = "participant,material,thrift_share,thrift_after_months\nusa,gallium,0.25,1\n"
    inst = make(commercial=commercial)
    assert need_by_month(inst)[:5] == [10, 7.5, 7.5, 7.5, 0]


def test_a_reserve_level_falls_with_the_age_of_the_event(make):
    """20 t are held, 10 t a month needed. Half is kept until the event is two months old."""
    inst = make(
        rules=(
            "rule,relation,demand_class,from_month,reserve_level\nkeep,own,*,2,0\nkeep,own,*,0,0.5\n"
        )
    )
    assert released_by_month(inst, {"usa": 2}, {"usa": "keep"})[:5] == [10, 0, 10, 0, 0]


def test_before_the_first_row_of_a_rule_nothing_is_served(make):
    """The only row starts at age 3, the fourth month."""
    inst = make(rules="rule,relation,demand_class,from_month\nlate,own,*,3\n")
    assert released_by_month(inst, {"usa": 2}, {"usa": "late"})[:5] == [0, 0, 0, 10, 0]


def test_a_draw_limit_is_a_fraction_of_the_holding(make):
    """An eighth of 20 t a month."""
    inst = make(rules="rule,relation,demand_class,draw_limit_per_month\nslow,own,*,0.125\n")
    assert released_by_month(inst, {"usa": 2}, {"usa": "slow"})[:5] == [2.5, 2.5, 2.5, 2.5, 0]


@pytest.mark.parametrize(("trigger", "released"), [("0.3", 3), ("0.31", 0)])
def test_a_trigger_opens_at_its_loss(make, trigger, released):
    """Sources lose 0.5 * 0.4 + 0.5 * 0.2 = 0.3 of supply, exactly the first trigger."""
    inst = make(
        sources="source\nchina\ncanada\n",
        supply=(
            "participant,material,source,share\nusa,gallium,china,0.5\nusa,gallium,canada,0.5\n"
        ),
        events=(
            "scenario,source,start_month,duration_months,severity\n"
            "embargo,china,1,1,0.4\nembargo,canada,1,1,0.2\n"
        ),
        rules=f"rule,relation,demand_class,trigger_loss\nserious,own,*,{trigger}\n",
    )
    assert released_by_month(inst, {"usa": 2}, {"usa": "serious"})[0] == released


def test_a_partner_ships_after_the_lag_unless_blocked(make):
    """Japan needs 10 t in months 1 to 4; the lag is one month and month 3 is blocked.

    With sharing off nothing moves.
    """
    inst = make(
        **TWO
        | {
            "events": (
                "scenario,effect,source,targets,start_month,duration_months,severity\n"
                "embargo,,china,japan,1,4,1\nembargo,sharing_blocked,,usa,3,1,1\n"
                "embargo,sharing_blocked,,japan,1,12,1\n"
            )
        },
        transfers="from_participant,to_participant,lag_months\nusa,japan,1\n",
    )
    lots, rules = {"usa": 9, "japan": 0}, {"usa": "open", "japan": "open"}
    assert released_by_month(inst, lots, rules)[:5] == [0, 10, 0, 10, 0]
    assert sum(released_by_month(inst, lots, rules, sharing=False)) == 0


def test_own_stock_comes_before_a_partner_and_priority_before_both(make):
    """Japan needs 4 t defense and 6 t industrial, holds 10 t, and half may leave in a month.

    Defense takes 4 of its own stock; industrial the limit of 5, and 1 from the partner.
    """
    inst = make(
        **TWO
        | {
            "classes": DEFENSE["classes"],
            "demand": (
                "participant,material,demand_class,demand_t_per_year\n"
                "japan,gallium,industrial,72\njapan,gallium,defense,48\n"
            ),
            "rules": "rule,relation,demand_class,draw_limit_per_month\nhalf,*,*,0.5\n",
        },
        transfers="from_participant,to_participant\nusa,japan\n",
    )
    rules = {"usa": "half", "japan": "half"}
    month = oracle.simulate(inst, "gallium", "embargo", {"usa": 1, "japan": 1}, rules)[0]
    assert month["releases"] == [
        ("japan", "japan", "defense", 4.0),
        ("usa", "japan", "defense", 0.0),
        ("japan", "japan", "industrial", 5.0),
        ("usa", "japan", "industrial", 1.0),
    ]
    assert month["stock"] == {"usa": 9.0, "japan": 1.0}


def test_refill_is_a_fraction_of_the_holding_in_months_without_need(make):
    """20 t, emptied by month 2, grow by 0.4 * 20 = 8 t in months 3 to 5 and stop at 20."""
    inst = make(
        participants="participant,refill_per_month\nusa,0.4\n",
        events=TABLES["events"].replace(",1,4,", ",1,2,"),
    )
    months = oracle.simulate(inst, "gallium", "embargo", {"usa": 2}, {"usa": "open"})
    assert [month["stock"]["usa"] for month in months[:6]] == [10, 0, 8, 16, 20, 20]


def test_a_level_that_guards_defense_beats_an_open_stock(make):
    """10 t are held. Month 1 needs 10 t industrial, month 2 also 10 t defense, ten times as dear.

    Guarded, defense is served and 20 t industrial are missing: 20 * 100 + 30. Open, the stock is
    gone after month 1: 10 t industrial and 10 t defense, 1000 + 10000 + 30.
    """
    inst = make(
        classes=DEFENSE["classes"],
        demand=(
            "participant,material,demand_class,demand_t_per_year\n"
            "usa,gallium,industrial,120\nusa,gallium,defense,120\n"
        ),
        events=(
            "scenario,source,start_month,duration_months,severity\n"
            "embargo,china,1,1,0.5\nembargo,china,2,1,1\n"
        ),
        holdings="participant,material,min_t,max_t\nusa,gallium,10,10\n",
        rules=(
            "rule,relation,demand_class,reserve_level\n"
            "open,own,*,0\nguard,own,defense,0\nguard,own,industrial,1\n"
        ),
    )
    best = oracle.enumerate_material(inst, "gallium", "none")
    assert best.rules == {"usa": "guard"}
    assert best.annual_cost == pytest.approx(2030)
    assert oracle.evaluate(inst, "gallium", "none", {"usa": 1}, {"usa": "open"}).annual_cost == (
        pytest.approx(11030)
    )


def test_the_shortage_row_that_names_most_wins(make):
    """1 USD/kg for all, 2 for gallium, 3 for gallium of Japan; multiples are not used then."""
    shortage = (
        "participant,material,demand_class,shortage_cost_usd_per_kg\n"
        "japan,gallium,*,3\n*,*,*,1\n*,gallium,,2\n"
    )
    costs = make(**TWO, shortage=shortage)["shortage_cost"]
    assert costs["usa", "gallium", "industrial"] == 2000
    assert costs["japan", "gallium", "industrial"] == 3000


def test_cvar_takes_the_last_case_in_part():
    """Worst 0.2 of probability: 0.1 at 0 and 0.1 of the 0.3 at 0.5, so 0.05 / 0.2."""
    assert oracle.worst_mean([1.0, 0.0, 0.5], [0.6, 0.1, 0.3], 0.2) == pytest.approx(0.25)
    assert oracle.worst_mean([1.0, 0.0, 0.5], [0.6, 0.1, 0.3], 1.0) == pytest.approx(0.75)


def test_every_metric_of_a_plan(make):
    """Needs of 40, 10 and 0 t with probabilities 0.25, 0.5 and 0.25; 20 t are held.

    Served: 0.5, 1 and 1. Needed in the mean 15 t, missing 5. The worst half of probability has
    mean (0.25 * 0.5 + 0.25 * 1) / 0.5. The case of two months is served fully. 20 t are
    20 / 120 * 365 days.
    """
    inst = make(
        scenarios="scenario,probability\nlong,0.25\nshort,0.5\ncalm,0.25\n",
        events=(
            "scenario,source,start_month,duration_months,severity\n"
            "long,china,1,4,1\nshort,china,1,1,1\n"
        ),
        stress="stress,source,start_month,duration_months,severity\ntwo,china,11,5,1\n",
        coverage=(
            "participant,material,demand_class,metric,level,confidence,stress\n"
            "*,*,*,fill_rate,0.6667,,\n*,*,*,chance,0.51,0.75,\n*,*,*,cvar,0.75,0.5,\n"
            "*,*,*,stress,1,,two\n*,*,,days,60,,\n"
        ),
    )
    plan = oracle.evaluate(inst, "gallium", "none", {"usa": 2}, {"usa": "open"})
    found = {target.metric: (plan.achieved[target], plan.met[target]) for target in plan.met}
    assert found == {
        "fill_rate": (pytest.approx(2 / 3), False),
        "chance": (0.75, True),
        "cvar": (pytest.approx(0.75), True),
        "stress": (1.0, True),
        "days": (pytest.approx(365 / 6), True),
    }
    assert not plan.feasible
    assert plan.costs == {"usa": {"holding": 60.0, "shortage": 500.0, "shipping": 0.0}}


def test_a_floor_is_judged_without_partners(make):
    """Japan needs 40 t and holds 10: alone 0.25, with its partner all of it."""
    inst = make(
        **TWO,
        transfers="from_participant,to_participant\nusa,japan\n",
        coverage=(
            "participant,material,demand_class,metric,level,sharing\n"
            "japan,*,*,fill_rate,1,on\njapan,*,*,fill_rate,0.25,off\n"
        ),
    )
    lots, rules = {"usa": 3, "japan": 1}, {"usa": "open", "japan": "open"}
    shared = oracle.evaluate(inst, "gallium", "sharing", lots, rules)
    assert list(shared.achieved.values()) == [1.0, 0.25]
    assert shared.feasible
    alone = oracle.evaluate(inst, "gallium", "none", lots, rules)
    assert list(alone.achieved.values()) == [0.25, 0.25]
    assert not alone.feasible


@pytest.mark.parametrize(("days", "feasible"), [("60.8", True), ("60.9", False)])
def test_days_of_a_group_are_pooled(make, days, feasible):
    """40 t in one nation: 365 * 40 / 240 = 60.83 days of the two together."""
    inst = make(
        **TWO,
        coverage=(
            "participant,material,demand_class,metric,level,group\n"
            f"usa,gallium,*,days,{days},allies\njapan,gallium,*,days,{days},allies\n"
        ),
    )
    rules = {"usa": "open", "japan": "open"}
    plan = oracle.evaluate(inst, "gallium", "none", {"usa": 4, "japan": 0}, rules)
    assert list(plan.achieved.values()) == [pytest.approx(365 / 6)]
    assert plan.feasible is feasible


def test_lots_keep_to_the_limits_of_a_holding(make):
    """25 to 70 t in lots of 10 t; without limits up to a year of demand, 120 t."""
    inst = make(holdings="participant,material,min_t,max_t\nusa,gallium,25,70\n")
    assert list(oracle.lot_range(inst, "usa", "gallium")) == [3, 4, 5, 6, 7]
    inst = make(holdings="participant,material\nusa,gallium\n")
    assert list(oracle.lot_range(inst, "usa", "gallium")) == list(range(13))


# --- What must hold for any instance --------------------------------------------------------------


@pytest.fixture(params=range(40))
def random_plan(request, tmp_path):
    """A random instance with a random candidate of each material: (inst, material, lots, rules)."""
    write_random_instance(tmp_path, request.param)
    inst = oracle.read(tmp_path)
    rng = random.Random(request.param)
    plans = []
    for material in inst["materials"]:
        lots = {c: rng.randint(0, 4) for c in inst["participants"]}
        rules = {c: rng.choice(list(inst["rules"])) for c in inst["participants"]}
        plans.append((inst, material, lots, rules))
    return plans


def test_stocks_and_releases_stay_within_bounds(random_plan):
    for inst, material, lots, rules in random_plan:
        for scenario in inst["probability"]:
            months = oracle.needs(inst, material, scenario)
            log = oracle.simulate(inst, material, scenario, lots, rules)
            for month, what in zip(months, log, strict=True):
                assert all(released >= 0 for *_, released in what["releases"])
                for (c, k), need in month["need"].items():
                    served = sum(r[3] for r in what["releases"] if r[1:3] == (c, k))
                    assert served + what["unserved"][c, k] == pytest.approx(float(need))
                for c, tonnes in what["stock"].items():
                    assert -1e-9 <= tonnes <= float(inst["lot"][material] * lots[c]) + 1e-9


def test_one_lot_more_never_leaves_more_unserved(random_plan):
    """Proposition 1, for every scenario and stream."""
    for inst, material, lots, rules in random_plan:
        for scenario in inst["probability"]:
            less = unserved(inst, material, scenario, lots, rules)
            for c in lots:
                more = unserved(inst, material, scenario, lots | {c: lots[c] + 1}, rules)
                assert all(more[stream] <= less[stream] + 1e-9 for stream in less)


def unserved(inst, material, scenario, lots, rules):
    total = {}
    for month in oracle.simulate(inst, material, scenario, lots, rules):
        for stream, tonnes in month["unserved"].items():
            total[stream] = total.get(stream, 0.0) + tonnes
    return total


def test_the_future_changes_no_earlier_release(random_plan):
    """Property 2: what starts after month t leaves the releases up to month t as they were."""
    for inst, material, lots, rules in random_plan:
        half = inst["horizon"] // 2
        for scenario, events in list(inst["events"].items()):
            inst["events"]["known"] = [e for e in events if e["months"].start <= half]
            inst["cache"].clear()
            whole = oracle.simulate(inst, material, scenario, lots, rules)
            known = oracle.simulate(inst, material, "known", lots, rules)
            del inst["events"]["known"]
            assert whole[:half] == known[:half]
