"""The oracle of coupled plans against numbers worked out by hand, and against the full product."""

import itertools
import math

import coupled_oracle
import oracle
import pytest
from coupled_oracle import Plan, check_plan, cost_of, enumerate_coupled
from random_coupled import COUPLINGS, write_coupled_instance

TABLES = {
    "participants": "participant,discount_rate_per_year\nusa,0.003\n",
    "classes": "demand_class,priority,shortage_cost_multiple\nindustrial,1,0.1\n",
    "materials": "material,price_usd_per_kg,lot_t\ngallium,1,10\ngermanium,1,10\n",
    "demand": (
        "participant,material,demand_class,demand_t_per_year\n"
        "usa,gallium,industrial,120\nusa,germanium,industrial,120\n"
    ),
    "sources": "source\nchina\n",
    "supply": ("participant,material,source,share\nusa,gallium,china,1\nusa,germanium,china,1\n"),
    "shortage": "material,shortage_cost_usd_per_kg\ngermanium,0.05\n",
    "scenarios": "scenario,probability\nembargo,1\n",
    "events": "scenario,source,start_month,duration_months,severity\nembargo,china,1,4,1\n",
    "rules": "rule,relation,demand_class\nopen,*,*\n",
}
ONE = {
    "materials": "material,price_usd_per_kg,lot_t\ngallium,1,10\n",
    "demand": "participant,material,demand_class,demand_t_per_year\nusa,gallium,industrial,120\n",
    "supply": "participant,material,source,share\nusa,gallium,china,1\n",
}
JAPAN_NEEDS = ONE | {
    "participants": "participant,discount_rate_per_year\nusa,0.002\njapan,0.003\n",
    "demand": "participant,material,demand_class,demand_t_per_year\njapan,gallium,industrial,120\n",
    "supply": "participant,material,source,share\nusa,gallium,china,1\njapan,gallium,china,1\n",
    "holdings": "participant,material,max_t\nusa,gallium,40\njapan,gallium,40\n",
    "transfers": "from_participant,to_participant\nusa,japan\n",
}
BOTH_NEED = ONE | {
    "participants": "participant,discount_rate_per_year\nusa,0.003\njapan,0.003\n",
    "demand": (
        "participant,material,demand_class,demand_t_per_year\n"
        "usa,gallium,industrial,120\njapan,gallium,industrial,120\n"
    ),
    "supply": "participant,material,source,share\nusa,gallium,china,1\njapan,gallium,china,1\n",
    "holdings": "participant,material,max_t\nusa,gallium,40\njapan,gallium,40\n",
}
FACILITIES = "facility,participant,storage_kind,capacity_t,fixed_cost_usd_per_year,existing\n"


@pytest.fixture
def make(tmp_path):
    """An instance of one nation that needs 10 t a month of two materials in months 1 to 4.

    Holding a tonne costs 3 USD a year and buying it 1000 USD. Missing a tonne of gallium costs 100
    USD, of germanium 50. The horizon is a year, so that figures a year are figures of a scenario.
    """

    def write(settings="", **tables):
        toml = f'format = 1\nname = "tiny"\nhorizon_months = 12\n{settings}\n'
        (tmp_path / "instance.toml").write_text(toml)
        for table, text in (TABLES | tables).items():
            (tmp_path / f"{table}.csv").write_text(text)
        return oracle.read(tmp_path)

    return write


def lots_of(best, material="gallium"):
    return best.plan.lots[material]


def plan_of(inst, lots, facilities=()):
    """A plan whose stocks are all open: lots by material and participant."""
    first = next(iter(inst["rules"]))
    rules = {m: dict.fromkeys(inst["participants"], first) for m in inst["materials"]}
    return Plan(lots, rules, frozenset(facilities))


# --- Budgets, equations (8) and (11) --------------------------------------------------------------


def test_without_couplings_every_material_is_covered(make):
    """40 t of each at 3 USD."""
    inst = make()
    best = enumerate_coupled(inst, "none")
    assert best.annual_cost == pytest.approx(240)
    assert best.plan.lots == {"gallium": {"usa": 4}, "germanium": {"usa": 4}}


def test_a_budget_goes_to_what_is_dearer_when_missing(make):
    """50000 USD buy 50 t: all gallium and 10 t germanium. 150 for holding, 30 t at 50 missing."""
    inst = make(
        participants=(
            "participant,discount_rate_per_year,acquisition_budget_usd\nusa,0.003,50000\n"
        )
    )
    best = enumerate_coupled(inst, "none")
    assert best.plan.lots == {"gallium": {"usa": 4}, "germanium": {"usa": 1}}
    assert best.annual_cost == pytest.approx(150 + 1500)
    assert check_plan(inst, "none", best.plan) == []
    too_much = plan_of(inst, {"gallium": {"usa": 4}, "germanium": {"usa": 2}})
    assert check_plan(inst, "none", too_much) == ["budget of usa"]


def test_what_exists_is_not_bought(make):
    """25 t exist, so 50000 USD reach for 75 t. Lots of 10 t: 40 t gallium and 30 t germanium."""
    inst = make(
        "[agreement]\njoint_budget_usd = 50000",
        holdings="participant,material,existing_t\nusa,gallium,25\n",
    )
    best = enumerate_coupled(inst, "none")
    assert best.plan.lots == {"gallium": {"usa": 4}, "germanium": {"usa": 3}}


@pytest.mark.parametrize(("budget", "lots"), [(48000, 4), (47999, 3)])
def test_the_price_grows_with_what_all_buy(make, budget, lots):
    """40 t are a fifth of world supply; with an impact of 1 they cost 1.2 * 40000 USD."""
    inst = make(
        f"[agreement]\njoint_budget_usd = {budget}",
        **ONE
        | {
            "materials": (
                "material,price_usd_per_kg,lot_t,world_supply_t_per_year,price_impact\n"
                "gallium,1,10,200,1\n"
            )
        },
    )
    assert lots_of(enumerate_coupled(inst, "sharing")) == {"usa": lots}


def test_a_partner_s_purchase_raises_the_own_outlay(make):
    """10 and 30 t of 200 t: the factor is 1.2 for both."""
    inst = make(
        **BOTH_NEED
        | {
            "materials": (
                "material,price_usd_per_kg,lot_t,world_supply_t_per_year,price_impact\n"
                "gallium,1,10,200,1\n"
            )
        }
    )
    outlay = coupled_oracle.outlay(inst, "gallium", {"usa": 1, "japan": 3})
    assert outlay == {"usa": 12000, "japan": 36000}


BUDGETS = (
    "participant,discount_rate_per_year,acquisition_budget_usd\nusa,0.003,{}\njapan,0.003,{}\n"
)


@pytest.mark.parametrize(
    ("cooperation", "own", "joint", "total_lots"),
    [
        ("sharing", ("15000", "60000"), None, 1 + 4),  # 15 t and, as needed, 40 t.
        ("sharing", ("15000", "60000"), 30000, 3),  # The joint one on top.
        ("joint", ("15000", "60000"), None, 7),  # One budget of 75000.
        ("joint", ("15000", "60000"), 30000, 3),  # Own ones do not apply ...
        ("joint", ("15000", "0"), 60000, 6),  # ... even if they are smaller.
        ("joint", ("15000", ""), None, 8),  # Without one of them there is no sum.
        ("none", ("15000", ""), None, 1 + 4),
    ],
)
def test_which_budgets_count(make, cooperation, own, joint, total_lots):
    """Both need 40 t and every lot of 10 t pays."""
    settings = f"[agreement]\njoint_budget_usd = {joint}" if joint else ""
    inst = make(settings, **BOTH_NEED | {"participants": BUDGETS.format(*own)})
    assert sum(lots_of(enumerate_coupled(inst, cooperation)).values()) == total_lots


def test_a_budget_below_what_must_be_held_leaves_no_plan(make):
    inst = make(
        "[agreement]\njoint_budget_usd = 9999",
        holdings="participant,material,min_t,max_t\nusa,gallium,10,20\n",
    )
    assert enumerate_coupled(inst, "none") is None


# --- Storage, equation (12) -----------------------------------------------------------------------


@pytest.mark.parametrize(("fixed_cost", "opened"), [(1939, True), (1941, False)])
def test_a_facility_is_opened_if_it_saves_more_than_it_costs(make, fixed_cost, opened):
    """The annex holds 20 t more: 20 * (100 - 3) = 1940 USD a year. The depot costs 7 anyway."""
    inst = make(
        **ONE,
        facilities=f"{FACILITIES}depot,usa,warehouse,20,7,true\n"
        f"annex,usa,warehouse,20,{fixed_cost},\n",
    )
    best = enumerate_coupled(inst, "none")
    if opened:
        assert lots_of(best) == {"usa": 4}
        assert best.plan.facilities == {"depot", "annex"}
        assert best.annual_cost == pytest.approx(7 + 1939 + 120)
    else:
        assert lots_of(best) == {"usa": 2}
        assert best.plan.facilities == {"depot"}
        assert best.annual_cost == pytest.approx(7 + 60 + 2000)
    assert cost_of(inst, "none", best.plan) == pytest.approx(best.annual_cost)


def test_of_several_facilities_the_cheapest_choice_that_fits(make):
    """40 t: small and middle for 5 rather than large for 6; small alone is too small."""
    inst = make(
        **ONE,
        facilities=f"{FACILITIES}small,usa,warehouse,10,2,false\n"
        "middle,usa,warehouse,30,3,false\nlarge,usa,warehouse,50,6,false\n",
    )
    best = enumerate_coupled(inst, "none")
    assert best.plan.facilities == {"small", "middle"}
    assert best.annual_cost == pytest.approx(120 + 5)


def test_materials_of_a_kind_share_its_room(make):
    """50 t of room for two materials: gallium first. Cold rooms are of no use to them."""
    inst = make(facilities=f"{FACILITIES}depot,usa,warehouse,50,0,true\nice,usa,cold,500,1,true\n")
    best = enumerate_coupled(inst, "none")
    assert best.plan.lots == {"gallium": {"usa": 4}, "germanium": {"usa": 1}}
    assert best.annual_cost == pytest.approx(150 + 1500 + 1)


def test_without_a_facility_of_its_kind_nothing_is_held(make):
    inst = make(
        materials=(
            "material,price_usd_per_kg,lot_t,storage_kind\n"
            "gallium,1,10,cold\ngermanium,1,10,warehouse\n"
        ),
        facilities=f"{FACILITIES}depot,usa,warehouse,30,0,true\n",
    )
    best = enumerate_coupled(inst, "none")
    assert best.plan.lots == {"gallium": {"usa": 0}, "germanium": {"usa": 3}}


@pytest.mark.parametrize(
    ("cooperation", "stores", "lots"),
    [
        ("sharing", {"usa": 15, "japan": 65}, {"usa": 1, "japan": 4}),
        ("joint", {"usa": 15, "japan": 65}, {"usa": 4, "japan": 4}),  # 80 t in one pool.
        ("joint", {"usa": 15, "japan": 64}, {"usa": 3, "japan": 4}),  # 79 t: either has one less.
        ("sharing", {"usa": 15}, {"usa": 1, "japan": 4}),  # Japan has all the room it wants ...
        ("joint", {"usa": 15}, {"usa": 4, "japan": 4}),  # ... and in joint so have both.
    ],
)
def test_room_is_pooled_in_joint(make, cooperation, stores, lots):
    """Both need 40 t and every lot of 10 t pays."""
    rows = "".join(f"{c}_store,{c},warehouse,{t},0,true\n" for c, t in stores.items())
    inst = make(**BOTH_NEED, facilities=FACILITIES + rows)
    found = lots_of(enumerate_coupled(inst, cooperation))
    assert sorted(found.values()) == sorted(lots.values())
    if cooperation == "sharing":
        assert found == lots


# --- Joint chance, equation (13) ------------------------------------------------------------------

EXCLUSIVE = {
    # Nothing pays for itself: holding 10 t costs 30 USD, of germanium 27, and saves at most 10.
    "shortage": "shortage_cost_usd_per_kg\n0.001\n",
    "materials": "material,price_usd_per_kg,lot_t\ngallium,1,10\ngermanium,0.9,10\n",
    "scenarios": "scenario,probability\nga,0.5\nge,0.3\nboth,0.1\ncalm,0.1\n",
    "events": (
        "scenario,source,materials,start_month,duration_months,severity\n"
        "ga,china,gallium,1,1,1\nge,china,germanium,1,1,1\nboth,china,*,1,1,1\n"
    ),
}
COVERAGE = "material,demand_class,metric,level,confidence,group,sharing\n"


@pytest.mark.parametrize(
    ("confidence", "lots", "cost"),
    [
        (0.1, (0, 0), 6 + 4),  # The calm scenario is enough; 6 and 4 t are missing in the mean.
        (0.4, (0, 1), 27 + 6),  # calm and ge
        (0.41, (1, 0), 30 + 4),  # calm and ga: 0.6
        (0.6, (1, 0), 30 + 4),
        (0.61, (1, 1), 57),  # Either alone covers `both` not at all.
        (1, (1, 1), 57),
    ],
)
def test_a_joint_chance_counts_scenarios_in_which_all_is_served(make, confidence, lots, cost):
    inst = make(**EXCLUSIVE, coverage=f"{COVERAGE}*,*,joint_chance,1,{confidence},all,\n")
    best = enumerate_coupled(inst, "none")
    assert (lots_of(best)["usa"], lots_of(best, "germanium")["usa"]) == lots
    assert best.annual_cost == pytest.approx(cost)
    nothing = plan_of(inst, {"gallium": {"usa": 0}, "germanium": {"usa": 0}})
    assert check_plan(inst, "none", nothing) == (
        ["joint chance of all"] if confidence > 0.1 else []
    )


def test_materials_that_no_row_names_do_not_count(make):
    """Without a lot gallium is served in `ge` and `calm`: 0.4. With one always."""
    coverage = f"{COVERAGE}gallium,*,joint_chance,1,0.9,one,\n"
    best = enumerate_coupled(make(**EXCLUSIVE, coverage=coverage), "none")
    assert (lots_of(best)["usa"], lots_of(best, "germanium")["usa"]) == (1, 0)


def test_rows_of_a_group_have_levels_of_their_own(make):
    """A level of 0 asks nothing of gallium. Germanium without a lot is served with 0.6."""
    coverage = (
        f"{COVERAGE}gallium,*,joint_chance,0,0.7,all,\ngermanium,*,joint_chance,0.5,0.7,all,\n"
    )
    best = enumerate_coupled(make(**EXCLUSIVE, coverage=coverage), "none")
    assert (lots_of(best)["usa"], lots_of(best, "germanium")["usa"]) == (0, 1)


@pytest.mark.parametrize(("sharing", "holder"), [("on", "usa"), ("off", "japan")])
def test_a_joint_chance_can_be_a_floor(make, sharing, holder):
    """Japan needs 40 t. Holding is cheaper in the United States, but no floor counts that."""
    coverage = f"{COVERAGE}*,*,joint_chance,1,1,all,{sharing}\n"
    inst = make(**JAPAN_NEEDS, coverage=coverage)
    best = enumerate_coupled(inst, "sharing")
    assert lots_of(best) == {"usa": 0, "japan": 0} | {holder: 4}
    alone = enumerate_coupled(inst, "none")
    assert lots_of(alone) == {"usa": 0, "japan": 4}


# --- Number of rules, equation (15) ---------------------------------------------------------------

GUARDED = {
    "classes": "demand_class,priority,shortage_cost_multiple\nindustrial,2,0.1\ndefense,1,1\n",
    "demand": (
        "participant,material,demand_class,demand_t_per_year\n"
        "usa,gallium,industrial,120\nusa,gallium,defense,120\nusa,germanium,industrial,240\n"
    ),
    "events": (
        "scenario,source,start_month,duration_months,severity\n"
        "embargo,china,1,1,0.5\nembargo,china,2,1,1\n"
    ),
    "rules": "rule,relation,demand_class,reserve_level\nopen,own,*,0\nguard,own,defense,0\n",
    "shortage": "material,shortage_cost_usd_per_kg\ngermanium,0.1\n",
}


@pytest.mark.parametrize(
    ("most", "min_germanium", "cost", "rules"),
    [
        # Gallium guarded: 20 t industrial missing. Germanium open: 20 of its 30 t missing.
        (2, 10, (30 + 2000) + (30 + 2000), {"gallium": "guard", "germanium": "open"}),
        # Guarded, 10 t of germanium serve nobody; open, gallium misses 10 t defense at 1000.
        (1, 10, (30 + 2000) + (30 + 3000), {"gallium": "guard", "germanium": "guard"}),
        # Who holds nothing uses no rule.
        (1, 0, (30 + 2000) + 3000, {"gallium": "guard"}),
    ],
)
def test_a_second_rule_is_not_always_allowed(make, most, min_germanium, cost, rules):
    """10 t of gallium are held, 0 or 10 t of germanium. Needs are 10 t in month 1, then 20 t."""
    inst = make(
        f"[agreement]\nmax_distinct_rules = {most}",
        **GUARDED,
        holdings=(
            "participant,material,min_t,max_t\nusa,gallium,10,10\n"
            f"usa,germanium,{min_germanium},10\n"
        ),
    )
    best = enumerate_coupled(inst, "none")
    assert best.annual_cost == pytest.approx(cost)
    held = {m: best.plan.rules[m]["usa"] for m, lots in best.plan.lots.items() if lots["usa"]}
    assert held == rules
    mixed = Plan(
        {"gallium": {"usa": 1}, "germanium": {"usa": 1}},
        {"gallium": {"usa": "guard"}, "germanium": {"usa": "open"}},
        frozenset(),
    )
    assert check_plan(inst, "none", mixed) == (["rules of usa"] if most == 1 else [])


# --- Nobody worse off, equation (16) --------------------------------------------------------------


@pytest.mark.parametrize(("fair", "cost", "holder"), [("false", 80, "usa"), ("true", 120, "japan")])
def test_nobody_holds_for_the_other_at_its_own_cost(make, fair, cost, holder):
    """Only Japan needs 40 t; a tonne costs 2 USD a year in the United States and 3 in Japan.

    Alone the United States bear nothing and Japan 120 USD.
    """
    inst = make(f"[agreement]\nnobody_worse_off = {fair}", **JAPAN_NEEDS)
    assert coupled_oracle.standalone(inst) == pytest.approx({"usa": 0, "japan": 120})
    for cooperation in ["sharing", "joint"]:
        best = enumerate_coupled(inst, cooperation)
        assert best.annual_cost == pytest.approx(cost)
        assert lots_of(best) == {"usa": 0, "japan": 0} | {holder: 4}
    held_abroad = plan_of(inst, {"gallium": {"usa": 4, "japan": 0}})
    broken = ["cost share of usa"] if fair == "true" else []
    assert check_plan(inst, "sharing", held_abroad) == broken
    assert check_plan(inst, "none", plan_of(inst, {"gallium": {"usa": 1, "japan": 0}})) == []


def test_who_has_no_plan_alone_sets_no_limit(make):
    """Japan must have half of its 40 t served and can hold 10 t only."""
    inst = make(
        "[agreement]\nnobody_worse_off = true",
        **JAPAN_NEEDS
        | {"holdings": "participant,material,max_t\nusa,gallium,40\njapan,gallium,10\n"},
        coverage="participant,demand_class,metric,level\njapan,*,fill_rate,0.5\n",
    )
    assert enumerate_coupled(inst, "none") is None
    assert coupled_oracle.standalone(inst) == {}
    assert enumerate_coupled(inst, "sharing").annual_cost == pytest.approx(80)


def test_shipping_is_borne_by_who_receives_it(make):
    """Alone Japan bears 120. 40 t from abroad at 2.5 USD are 100, and 80 USD for the owner."""
    transfers = "from_participant,to_participant,cost_usd_per_t\nusa,japan,2.5\n"
    inst = make("[agreement]\nnobody_worse_off = true", **JAPAN_NEEDS | {"transfers": transfers})
    coupled = coupled_oracle.couplings(inst, "sharing")
    lots, rules = {"usa": 4, "japan": 0}, {"usa": "open", "japan": "open"}
    evaluation = oracle.evaluate(inst, "gallium", "sharing", lots, rules)
    use = coupled_oracle.use_of(inst, coupled, "gallium", lots, rules, evaluation)
    assert use.limited == pytest.approx((80, 100))
    assert list(coupled_oracle.violated(inst, coupled, use)) == ["cost share of usa"]


def test_facilities_are_no_part_of_a_share(make):
    """A depot of 1000 USD a year stands in Japan in any case."""
    inst = make(
        "[agreement]\nnobody_worse_off = true",
        **JAPAN_NEEDS,
        facilities=f"{FACILITIES}depot,japan,warehouse,40,1000,true\n",
    )
    assert coupled_oracle.standalone(inst) == pytest.approx({"usa": 0, "japan": 120})
    assert enumerate_coupled(inst, "sharing").annual_cost == pytest.approx(1120)


@pytest.mark.parametrize(("rate", "unique"), [("0.003", False), ("0.002", True)])
def test_ties_without_cooperation_are_noticed(make, rate, unique):
    """Nothing is needed. Together 10 t have to be held: by either, or by the cheaper one."""
    inst = make(
        **BOTH_NEED
        | {"participants": f"participant,discount_rate_per_year\nusa,0.003\njapan,{rate}\n"},
        events="scenario,source,start_month,duration_months,severity\n",
        coverage="demand_class,metric,level,group\n*,days,15,allies\n",
    )
    assert coupled_oracle.standalone_is_unique(inst) is unique


# --- Portfolio CVaR, equation (18) ----------------------------------------------------------------

THREE = {
    "materials": "material,price_usd_per_kg,lot_t\ngallium,1,10\ngermanium,1.1,10\n",
    "shortage": "shortage_cost_usd_per_kg\n0.01\n",
    "scenarios": "scenario,probability\ncalm,0.5\nshort,0.3\nlong,0.2\n",
    "events": (
        "scenario,source,materials,start_month,duration_months,severity\n"
        "short,china,gallium,1,1,1\nlong,china,gallium,1,4,1\nshort,china,germanium,1,2,1\n"
    ),
}
LIMIT = "[risk]\ncvar_confidence = 0.7\ncvar_limit_usd_per_year = {}"


def test_cvar_takes_the_largest_costs_the_last_in_part():
    """Worst 0.3 of probability: 0.2 at 300 and 0.1 of the 0.3 at 90."""
    assert coupled_oracle.cvar([0, 90, 300], [0.5, 0.3, 0.2], 0.3) == pytest.approx(230)
    assert coupled_oracle.cvar([0, 90, 300], [0.5, 0.3, 0.2], 1.0) == pytest.approx(87)


@pytest.mark.parametrize(
    ("limit", "lots", "cost"),
    [
        # Shortage is 0, 200 and 300: (0.2 * 300 + 0.1 * 200) / 0.3 = 266.7.
        (267, (1, 0), 150),
        # (60 + 0.1 * 100) / 0.3 = 233.3: a lot of germanium is cheaper than one more of gallium.
        (266, (1, 1), 153),
        (233, (1, 2), 156),  # 60 / 0.3 = 200
        (199, (2, 1), 163),  # (40 + 10) / 0.3 = 166.7
        (166, (2, 2), 166),  # 40 / 0.3 = 133.3
        (133, (3, 1), 173),  # 100 in both: 100
        (99, (3, 2), 176),  # 20 / 0.3 = 66.7
        (66, (4, 2), 186),
    ],
)
def test_a_limit_on_the_worst_cases_of_all_materials(make, limit, lots, cost):
    """A missing tonne costs 10 USD. A lot of gallium costs 30 USD a year, of germanium 33.

    Gallium: 10 t are needed in `short` and 40 t in `long`. The first lot saves 0.5 * 100, each
    other one 0.2 * 100. Germanium: 20 t in `short`; a lot saves 0.3 * 100. So one lot of gallium is
    best, 30 + 60 + 60; more of gallium costs 10 a lot, of germanium 3.
    """
    inst = make(LIMIT.format(limit), **THREE)
    best = enumerate_coupled(inst, "none")
    assert (lots_of(best)["usa"], lots_of(best, "germanium")["usa"]) == lots
    assert best.annual_cost == pytest.approx(cost)
    free = plan_of(inst, {"gallium": {"usa": 1}, "germanium": {"usa": 0}})
    assert check_plan(inst, "none", free) == (["cvar"] if limit < 267 else [])


def test_cvar_counts_shortage_a_year_without_shipping(make):
    """Over 24 months a year bears half: 40 t at 100 USD are 2000. Shipping does not count."""
    inst = make(
        "[risk]\ncvar_confidence = 0\ncvar_limit_usd_per_year = 2000",
        **JAPAN_NEEDS
        | {"transfers": "from_participant,to_participant,cost_usd_per_t\nusa,japan,90\n"},
    )
    inst["horizon"] = 24
    plan = plan_of(inst, {"gallium": {"usa": 0, "japan": 0}})
    assert check_plan(inst, "sharing", plan) == []
    inst["risk"]["cvar_limit_usd_per_year"] = 1999
    assert check_plan(inst, "sharing", plan) == ["cvar"]
    inst["risk"]["cvar_limit_usd_per_year"] = 0
    shipped = plan_of(inst, {"gallium": {"usa": 4, "japan": 0}})
    assert check_plan(inst, "sharing", shipped) == []


# --- A plan on its own ----------------------------------------------------------------------------


def test_a_plan_is_told_everything_it_breaks(make):
    """60 t in 45 t of room, paid with 45000 USD, more than may be held, with the depot closed."""
    inst = make(
        "[agreement]\njoint_budget_usd = 45000",
        facilities=f"{FACILITIES}depot,usa,warehouse,45,5,true\nannex,usa,warehouse,5,9,\n",
        holdings="participant,material,max_t\nusa,gallium,40\n",
        coverage="demand_class,material,metric,level\n*,germanium,fill_rate,0.5\n",
    )
    good = plan_of(inst, {"gallium": {"usa": 2}, "germanium": {"usa": 2}}, ["depot"])
    assert check_plan(inst, "none", good) == []
    assert cost_of(inst, "none", good) == pytest.approx(120 + 2000 + 1000 + 5)
    bad = plan_of(inst, {"gallium": {"usa": 5}, "germanium": {"usa": 1}}, ["annex"])
    assert check_plan(inst, "none", bad) == [
        "lots of gallium of usa",
        "fill_rate of germanium",
        "joint budget",
        "depot is closed",
        "warehouse of usa",
    ]
    assert cost_of(inst, "none", bad) == pytest.approx(180 + 1500 + 9)


def test_a_limit_counts_as_kept_within_rounding():
    assert coupled_oracle.within(3e9 * (1 + 5e-10), 3e9)
    assert not coupled_oracle.within(3e9 * (1 + 2e-9), 3e9)
    assert coupled_oracle.within(1e-12, 0)


# --- The search against the full product ----------------------------------------------------------

SETS = [[name] for name in COUPLINGS] + [COUPLINGS, ["budget", "storage", "cvar"]]


@pytest.mark.parametrize("names", SETS, ids="+".join)
@pytest.mark.parametrize("seed", [300, 301])
def test_nothing_is_pruned_that_is_better(tmp_path, names, seed):
    """Two materials only, of which every plan is looked at with every choice of facilities."""
    inst, cooperation = write_coupled_instance(tmp_path, seed, names)
    coupled = coupled_oracle.couplings(inst, cooperation)
    menus = [
        coupled_oracle.candidates(inst, coupled, cooperation, m) for m in inst["materials"][:2]
    ]
    costs = [
        cost
        for chosen in itertools.product(*menus)
        if (cost := cost_if_feasible(inst, coupled, chosen)) is not None
    ]
    found = coupled_oracle.search(
        inst, coupled, [coupled_oracle.undominated(menu) for menu in menus]
    )
    assert (found[-1][0] if found else math.inf) == pytest.approx(min(costs, default=math.inf))


def cost_if_feasible(inst, coupled, chosen):
    """Cost of a plan with the cheapest choice of all facilities, None if it breaks a coupling."""
    use = coupled_oracle.nothing(inst, coupled)
    for candidate in chosen:
        use = coupled_oracle.together(use, candidate.use)
    if any(coupled_oracle.violated(inst, coupled, use)):
        return None
    new = [row for row in inst["facilities"] if row["facility"] not in coupled.existing]
    costs = []
    for count in range(len(new) + 1):
        for opened in itertools.combinations(new, count):
            names = coupled.existing | {row["facility"] for row in opened}
            if all(
                coupled_oracle.within(tonnes, coupled_oracle.capacity(inst, room, names))
                for room, tonnes in zip(coupled.rooms, use.stored, strict=True)
            ):
                costs.append(use.cost + coupled.existing_cost + coupled_oracle.fixed_cost(opened))
    return min(costs, default=None)


@pytest.mark.parametrize("seed", range(300, 304))
def test_the_best_plan_checks_out_on_its_own(tmp_path, seed):
    inst, cooperation = write_coupled_instance(tmp_path, seed, COUPLINGS)
    best = enumerate_coupled(inst, cooperation)
    assert enumerate_coupled(oracle.read(tmp_path), cooperation) == best
    alone = enumerate_coupled(inst, "none")
    facilities = coupled_oracle.fixed_cost(
        row for row in inst["facilities"] if alone and row["facility"] in alone.plan.facilities
    )
    shares = sum(coupled_oracle.standalone(inst).values())
    assert shares + facilities == pytest.approx(alone.annual_cost if alone else 0)
    if best:
        assert check_plan(inst, cooperation, best.plan) == []
        assert cost_of(inst, cooperation, best.plan) == pytest.approx(best.annual_cost)


def test_a_seed_names_one_instance(tmp_path):
    write_coupled_instance(tmp_path / "first", 300, COUPLINGS)
    write_coupled_instance(tmp_path / "second", 300, COUPLINGS)
    for file in (tmp_path / "first").iterdir():
        assert file.read_bytes() == (tmp_path / "second" / file.name).read_bytes()
