"""The oracle of chains and projects against numbers worked out by hand."""

import itertools
from fractions import Fraction

import chain_oracle
import chain_steps
import coupled_oracle
import oracle
import project_oracle
import pytest
from chain_oracle import Plan, check_plan, cost_of, enumerate_chains
from random_chains import write_chain_instance
from random_coupled import COUPLINGS, write_coupled_instance

TABLES = {
    "participants": "participant,discount_rate_per_year\nusa,0.003\n",
    "classes": "demand_class,priority,shortage_cost_multiple\nindustrial,1,0.1\n",
    "materials": "material,price_usd_per_kg,lot_t\noxide,1,10\nmagnet,1,10\n",
    "demand": "participant,material,demand_class,demand_t_per_year\nusa,magnet,industrial,120\n",
    "sources": "source\nchina\n",
    "supply": "participant,material,source,share\nusa,magnet,china,1\n",
    "holdings": "participant,material,max_t\nusa,oxide,40\nusa,magnet,40\n",
    "scenarios": "scenario,probability\nembargo,1\n",
    "events": "scenario,source,start_month,duration_months,severity\nembargo,china,1,4,1\n",
    "rules": "rule,relation,demand_class\nopen,*,*\n",
}
PLANTS = (
    "conversion,participant,from_material,to_material,yield,capacity_t_per_month,lag_months,"
    "cost_usd_per_t\n"
)
TWO = {
    "participants": "participant,discount_rate_per_year\nusa,0.003\njapan,0.003\n",
    "demand": (
        "participant,material,demand_class,demand_t_per_year\n"
        "usa,magnet,industrial,120\njapan,magnet,industrial,60\n"
    ),
    "supply": "participant,material,source,share\nusa,magnet,china,1\njapan,magnet,china,1\n",
    "transfers": (
        "from_participant,to_participant,lag_months,cost_usd_per_t\nusa,japan,0,2\njapan,usa,1,3\n"
    ),
}
BLOCK = ("oxide", "magnet")
PROJECTS = (
    "project,kind,material,capacity_t_per_year,beneficiaries,beneficiary_shares,funder,"
    "capital_usd,operating_usd_per_t,lead_median_months,lead_sigma,fast_track_usd,"
    "fast_track_months,ramp_months,life_years,source\n"
)
MINE = PROJECTS + "mine,mine,magnet,60,usa,0.5,usa,1000,0,2.5,0,100,1,2,,\n"


@pytest.fixture
def make(tmp_path):
    """An instance of one nation that needs 10 t of magnets a month in months 1 to 4.

    Holding a tonne of any form costs 3 USD a year, missing one 100 USD; the horizon is a year.
    """

    def write(settings="", **tables):
        toml = f'format = 1\nname = "tiny"\nhorizon_months = 12\n{settings}\n'
        (tmp_path / "instance.toml").write_text(toml)
        for table, text in (TABLES | tables).items():
            (tmp_path / f"{table}.csv").write_text(text)
        return chain_steps.read(tmp_path)

    return write


def lots_of(inst, **held):
    """Lots by material and participant; what is not named is none."""
    return {
        m: {c: held.get(f"{c}_{m}", 0) for c in inst["participants"]} for m in inst["materials"]
    }


def released(inst, lots, block=BLOCK, **options):
    """By month: {(stock, stream, plants): t}, of what is not 0; streams by beneficiary only."""
    rules = dict.fromkeys(inst["participants"], "open")
    months = chain_steps.simulate(inst, block, "embargo", lots, rules, states={}, **options)
    return [
        {
            (stock, stream[0], plants): pytest.approx(t)
            for stock, stream, plants, t in month["releases"]
            if t
        }
        for month in months
    ]


# --- Blocks and paths -----------------------------------------------------------------------------


def test_materials_joined_by_plants_are_a_block(make):
    """A plant without capacity joins nothing."""
    inst = make(
        materials=(
            "material,price_usd_per_kg,lot_t\nmagnet,1,10\ngallium,1,10\nmetal,1,10\noxide,1,10\n"
        ),
        conversions=PLANTS
        + "a,usa,oxide,metal,1,1,0,0\nb,usa,metal,magnet,1,1,0,0\nc,usa,gallium,metal,1,0,0,0\n",
    )
    assert chain_steps.blocks(inst) == [("magnet", "metal", "oxide"), ("gallium",)]


def test_yield_lag_and_capacity(make):
    """Two tonnes of oxide make one of magnets, 6 t a month at most, after a month.

    Months 2 and 3 make 6 t out of 12; what is left of 30 t makes 3. Missing are 40 - 15 = 25 t.
    """
    inst = make(conversions=PLANTS + "press,usa,oxide,magnet,0.5,6,1,4\n")
    lots = lots_of(inst, usa_oxide=3)
    path = ("usa", "oxide"), "usa", ("press",)
    assert released(inst, lots)[:5] == [{}, {path: 6}, {path: 6}, {path: 3}, {}]

    plan = Plan(lots, {"oxide+magnet": {"usa": "open"}}, frozenset(), {})
    found = chain_oracle.evaluate(inst, BLOCK, "none", plan)
    assert found.costs["usa", "oxide"]["holding"] == pytest.approx(90)
    assert found.costs["usa", "magnet"] == pytest.approx(
        {"holding": 0, "shortage": 2500, "shipping": 0, "conversion": 60}
    )
    assert found.annual_cost == pytest.approx(2650)


def test_the_best_chain_by_hand(make):
    """A tonne of magnets in stock costs 3 USD, made of oxide 2 * 3 + 4; a missing one costs 100.

    So 40 t of magnets are held if that is allowed. If only 20 t are, they serve months 1 and 2. In
    months 3 and 4 the plant makes 6 t each out of 24 t of oxide, for which it takes three lots;
    8 t are missing.
    """
    conversions = PLANTS + "press,usa,oxide,magnet,0.5,6,1,4\n"
    inst = make(conversions=conversions)
    assert enumerate_chains(inst, "none").annual_cost == pytest.approx(120)
    inst = make(
        conversions=conversions,
        holdings="participant,material,max_t\nusa,oxide,40\nusa,magnet,20\n",
    )
    best = enumerate_chains(inst, "none")
    assert best.plan.lots == {"oxide": {"usa": 3}, "magnet": {"usa": 2}}
    assert best.annual_cost == pytest.approx(60 + 90 + 12 * 4 + 8 * 100)
    assert check_plan(inst, "none", best.plan) == []
    assert cost_of(inst, "none", best.plan) == pytest.approx(best.annual_cost)


def test_a_capacity_is_divided_in_proportion_to_demand(make):
    """The plant makes 9 t: 6 for 10 t of demand, 3 for 5 t. Without partners all is for its own.

    Japan's own oxide would be shipped to the plant and back.
    """
    inst = make(**TWO, conversions=PLANTS + "press,usa,oxide,magnet,1,9,0,0\n")
    lots = lots_of(inst, usa_oxide=3)
    usa = ("usa", "oxide"), "usa", ("press",)
    japan = ("usa", "oxide"), "japan", ("press",)
    assert released(inst, lots)[0] == {usa: 6, japan: 3}
    assert released(inst, lots, sharing=False)[0] == {usa: 9}


def test_given_shares_leave_nothing_to_others(make):
    inst = make(
        **TWO,
        conversions=PLANTS + "press,usa,oxide,magnet,1,9,0,0\n",
        plant_shares="conversion,participant,material,demand_class,share\n"
        "press,japan,magnet,industrial,0.25\n",
    )
    lots = lots_of(inst, usa_oxide=3)
    assert released(inst, lots)[0] == {(("usa", "oxide"), "japan", ("press",)): 2.25}


def test_a_capacity_is_divided_by_what_has_to_be_made(make):
    """10 t of metal, and 10 t of magnets of which two tonnes of metal make one: 10 to 20."""
    inst = make(
        materials="material,price_usd_per_kg,lot_t\noxide,1,10\nmetal,1,10\nmagnet,1,10\n",
        demand=TABLES["demand"] + "usa,metal,industrial,120\n",
        conversions=PLANTS + "melt,usa,oxide,metal,1,12,0,0\npress,usa,metal,magnet,0.5,9,0,0\n",
    )
    steps = chain_steps.step_list(inst, ("oxide", "metal", "magnet"), sharing=False)
    metal, magnet = ("usa", "metal", "industrial"), ("usa", "magnet", "industrial")
    assert chain_steps.pools(inst, steps) == {
        (0, metal, ()): 4,
        (0, magnet, (1,)): 8,
        (1, magnet, ()): 9,
    }


def test_a_part_is_divided_by_what_the_next_plants_take(make):
    """11 t of metal: the old press takes 8 t for its 4 t, the new one 3 t for its 3 t."""
    inst = make(
        materials="material,price_usd_per_kg,lot_t\noxide,1,10\nmetal,1,10\nmagnet,1,10\n",
        conversions=PLANTS
        + "melt,usa,oxide,metal,1,11,0,0\nold,usa,metal,magnet,0.5,4,0,0\n"
        + "new,usa,metal,magnet,1,3,0,0\n",
    )
    block = "oxide", "metal", "magnet"
    magnet = "usa", "magnet", "industrial"
    pools = chain_steps.pools(inst, chain_steps.step_list(inst, block, sharing=False))
    assert pools[0, magnet, (1,)] == 8
    assert pools[0, magnet, (2,)] == 3
    months = released(inst, lots_of(inst, usa_oxide=2), block)
    assert months[0] == {
        (("usa", "oxide"), "usa", ("melt", "old")): 4,
        (("usa", "oxide"), "usa", ("melt", "new")): 3,
    }


def test_steps_of_one_stream_use_what_others_leave_of_a_plant(make):
    """Japan's plant makes 6 t a month for Japan: 4 t from its own oxide, then 2 t from the USA's.

    A lot of oxide is 4 t here. The USA needs nothing.
    """
    inst = make(
        **TWO
        | {"demand": TABLES["demand"].replace("usa", "japan")}
        | {"materials": "material,price_usd_per_kg,lot_t\noxide,1,4\nmagnet,1,10\n"},
        conversions=PLANTS + "press,japan,oxide,magnet,1,6,0,0\n",
    )
    lots = lots_of(inst, usa_oxide=5, japan_oxide=1)
    first, second = released(inst, lots)[:2]
    assert first == {
        (("japan", "oxide"), "japan", ("press",)): 4,
        (("usa", "oxide"), "japan", ("press",)): 2,
    }
    assert second == {(("usa", "oxide"), "japan", ("press",)): 6}


def test_order_of_the_steps(make):
    """Own stock, then partner's; fewer plants abroad, then fewer conversions; then the tables."""
    inst = make(
        **TWO,
        conversions=PLANTS
        + "far,japan,oxide,magnet,1,9,0,0\nnear,usa,oxide,magnet,1,9,0,0\n"
        + "spare,usa,oxide,magnet,1,9,0,0\n",
    )
    steps = chain_steps.step_list(inst, BLOCK, sharing=True)
    plants = [plant["name"] for plant in inst["plants"]]
    assert [
        ("".join(step.stock[0]), step.stock[1], [plants[i] for i in step.plants])
        for step in steps
        if step.stream[:2] == ("usa", "magnet")
    ] == [
        ("usa", "magnet", []),
        ("usa", "oxide", ["near"]),
        ("usa", "oxide", ["spare"]),
        ("usa", "oxide", ["far"]),
        ("japan", "magnet", []),
        ("japan", "oxide", ["near"]),
        ("japan", "oxide", ["spare"]),
        ("japan", "oxide", ["far"]),
    ]
    # The table of participants decides where all that is equal.
    magnets = [step for step in steps if step.stream[1] == "magnet"]
    own = [step.stream[0] for step in magnets if step.stock[0] == step.stream[0]]
    assert own == ["usa", "japan", "usa", "usa", "japan", "usa", "japan", "japan"]


def test_what_is_shipped_before_a_plant_is_paid_for_more_tonnes(make):
    """Japan's oxide for the USA: shipped first, two tonnes a tonne, or made into magnets first.

    3 USD a tonne shipped: 6 and 3. A tonne made costs 4 in the USA and 1 in Japan. Lags add up:
    1 + 2 months, and 1 + 0. The USA's own oxide made in Japan: 2 * 2 and 3 for both shipments.
    """
    inst = make(
        **TWO,
        conversions=PLANTS + "near,usa,oxide,magnet,0.5,9,2,4\nfar,japan,oxide,magnet,0.5,9,0,1\n",
    )
    found = {
        (step.stock, step.plants): (step.shipping, step.conversion, step.lag, step.moved)
        for step in chain_steps.step_list(inst, BLOCK, sharing=True)
        if step.stream[0] == "usa"
    }
    japan, usa = ("japan", "oxide"), ("usa", "oxide")
    assert found[japan, (0,)] == (6, 4, 3, {("japan", "oxide")})
    assert found[japan, (1,)] == (3, 1, 1, {("japan", "magnet")})
    assert found[usa, (0,)] == (0, 4, 2, set())
    assert found[usa, (1,)] == (7, 1, 1, {("usa", "oxide"), ("japan", "magnet")})


@pytest.mark.parametrize(("cost", "steps"), [("98", 1), ("98.01", 0)])
def test_a_path_that_costs_more_than_the_shortage_is_left_out(make, cost, steps):
    """Shipping magnets to Japan costs 2, missing one 100."""
    inst = make(**TWO, conversions=PLANTS + f"press,usa,oxide,magnet,1,9,0,{cost}\n")
    found = [
        step
        for step in chain_steps.step_list(inst, BLOCK, sharing=True)
        if step.stock == ("usa", "oxide") and step.stream[:2] == ("japan", "magnet")
    ]
    assert len(found) == steps


@pytest.mark.parametrize(
    ("blocked", "plant", "served"),
    [("oxide", "usa", 0), ("magnet", "usa", 1), ("oxide", "japan", 1), ("magnet", "japan", 0)],
)
def test_a_veto_is_about_what_is_shipped(make, blocked, plant, served):
    """Japan's oxide for the USA is shipped as oxide to a plant there, else as magnets."""
    inst = make(
        **TWO,
        conversions=PLANTS + f"press,{plant},oxide,magnet,1,9,0,0\n",
        events=(
            "scenario,effect,source,materials,targets,start_month,duration_months,severity\n"
            f"embargo,,china,*,*,1,4,1\nembargo,sharing_blocked,,{blocked},japan,1,12,1\n"
        ),
    )
    months = released(inst, lots_of(inst, japan_oxide=4))
    assert (("japan", "oxide"), "usa", ("press",)) not in months[0]  # The lag of shipping
    assert sum((("japan", "oxide"), "usa", ("press",)) in month for month in months) >= served
    assert any((("japan", "oxide"), "usa", ("press",)) in month for month in months) == served


# --- Projects and recycling, equation (2) ---------------------------------------------------------


def need_by_month(inst, material="magnet", scenario="embargo", stress=False, **states):
    months = project_oracle.needs(inst, material, scenario, states, stress)
    return [float(month["need"].get(("usa", "industrial"), 0)) for month in months]


def test_output_starts_after_whole_months_and_ramps_up(make):
    """Half of 5 t a month for the USA, from month 3 on, the first month half of that."""
    inst = make(projects=MINE)
    assert need_by_month(inst)[:5] == [10, 10, 10, 10, 0]
    assert need_by_month(inst, mine="funded")[:5] == [10, 10, 8.75, 7.5, 0]
    assert need_by_month(inst, mine="fast")[:5] == [10, 8.75, 7.5, 7.5, 0]  # 1.5 months


def test_a_lead_time_of_a_scenario_is_not_that_of_stress(make):
    """The scenario says 0 months, the median 2.5."""
    inst = make(
        projects=MINE,
        leads="scenario,project,lead_months\nembargo,mine,0\n",
        stress="stress,source,start_month,duration_months,severity\ncase,china,1,4,1\n",
    )
    assert need_by_month(inst, mine="funded")[:4] == [8.75, 7.5, 7.5, 7.5]
    assert need_by_month(inst, scenario="case", stress=True, mine="funded")[:3] == [10, 10, 8.75]


def test_other_products_start_with_the_first(make):
    """12 t of oxide a year for 120 t of demand, all of it lost."""
    inst = make(
        projects=MINE,
        project_products="project,material,capacity_t_per_year\nmine,oxide,24\n",
        demand=TABLES["demand"] + "usa,oxide,industrial,120\n",
        supply=TABLES["supply"] + "usa,oxide,china,1\n",
    )
    assert need_by_month(inst, "oxide", mine="funded")[:4] == [10, 10, 9.5, 9]


def test_age_counts_months_in_which_output_does_not_close_the_gap(make):
    """40 % of 10 t are lost; from month 3 on a project makes 4 t, so the event is over."""
    projects = PROJECTS + "mine,mine,magnet,48,usa,1,usa,1000,0,2,0,,,,,\n"
    events = TABLES["events"].replace("4,1\n", "4,0.4\n")
    inst = make(projects=projects, events=events)
    ages = [month["age"]["usa"] for month in project_oracle.needs(inst, "magnet", "embargo", {})]
    assert ages[:6] == [0, 1, 2, 3, 4, 0]
    months = project_oracle.needs(inst, "magnet", "embargo", {"mine": "funded"})
    assert [month["age"]["usa"] for month in months][:6] == [0, 1, 2, 0, 0, 0]


def test_an_answer_happens_only_if_its_project_is_funded(make):
    inst = make(
        projects=PROJECTS + "mine,mine,oxide,48,usa,1,usa,1000,0,2,0,,,,,\n",
        events=(
            "scenario,source,start_month,duration_months,severity,answers\n"
            "embargo,china,1,4,0.5,\nembargo,china,2,2,0.5,mine\n"
        ),
    )
    assert need_by_month(inst)[:5] == [5, 5, 5, 5, 0]
    assert need_by_month(inst, mine="funded")[:5] == [5, 7.5, 7.5, 5, 0]


def test_recycling_grows_after_a_delay_up_to_a_limit(make):
    """10 t are used a month, 10 % collected, half of that recovered: 0.5 t.

    After a delay of 2 months 1 point more a month, up to 12 %.
    """
    inst = make(
        recycling="participant,material,collection_rate,collection_growth_per_year,"
        "collection_max,yield,delay_months\nusa,magnet,0.1,0.12,0.12,0.5,2\n",
        events=TABLES["events"].replace("1,4,1", "1,6,1"),
    )
    assert need_by_month(inst)[:6] == pytest.approx([9.5, 9.5, 9.5, 9.45, 9.4, 9.4])


def test_recycling_of_something_else(make):
    """A tenth of 10 t of magnets comes back as oxide, of which 10 t are missing."""
    inst = make(
        recycling="participant,material,from_material,collection_rate\nusa,oxide,magnet,0.1\n",
        demand=TABLES["demand"] + "usa,oxide,industrial,120\n",
        supply=TABLES["supply"] + "usa,oxide,china,1\n",
    )
    assert need_by_month(inst, "oxide")[0] == 9
    assert need_by_month(inst, "magnet")[0] == 10


def test_stock_that_ages_costs_more_to_hold(make):
    """0.3 % interest, 1 % lost, every second year a tenth of the price: 6.3 % of 1000 USD."""
    inst = make(
        materials="material,price_usd_per_kg,lot_t,loss_rate_per_year,shelf_life_months,"
        "renewal_loss\nmagnet,1,10,0.01,24,0.1\n",
        holdings="participant,material,max_t\nusa,magnet,40\n",
    )
    assert enumerate_chains(inst, "none").annual_cost == pytest.approx(40 * 63)


# --- What projects cost, equations (9) and (11) ---------------------------------------------------

CUTS = (
    "scenario,effect,source,start_month,duration_months,severity,answers\n"
    "embargo,,china,1,4,1,\nembargo,price_cut,,1,6,0.5,{}\n"
)


@pytest.mark.parametrize(("answers", "usd"), [("", 54000), ("mine", 54000), ("other", 24000)])
def test_support_pays_the_difference_to_the_price(make, answers, usd):
    """10 t a month at 1200 USD. The price is 1000, in months 1 to 6 half of that.

    6 * 10 * 700 + 6 * 10 * 200; without the cut 12 * 10 * 200.
    """
    inst = make(
        projects=PROJECTS
        + "mine,mine,magnet,120,usa,1,usa,0,1200,0,0,,,,,\n"
        + "other,mine,oxide,120,usa,1,usa,0,0,0,0,,,,,\n",
        events=CUTS.format(answers),
    )
    assert project_oracle.yearly_cost(inst, {"mine": "funded"}) == pytest.approx(usd)
    assert project_oracle.yearly_cost(inst, {"mine": ""}) == 0
    assert project_oracle.yearly_cost(inst, {"other": "funded"}) == 0


@pytest.mark.parametrize(
    ("life", "usd"), [("", 220), ("1", 2420), ("2", 2200 / (1 / 1.1 + 1 / 1.21))]
)
def test_capital_is_paid_back_over_the_life(make, life, usd):
    """2000 USD and 200 for the fast track at 10 %: interest only; with interest after a year.

    Paid back over two years: payments of 1/1.1 + 1/1.1^2 are worth 1 today.
    """
    inst = make(
        participants="participant,discount_rate_per_year\nusa,0.1\n",
        projects=PROJECTS + f"mine,mine,magnet,12,usa,1,usa,2000,0,0,0,200,1,,{life},\n",
    )
    assert project_oracle.yearly_cost(inst, {"mine": "fast"}) == pytest.approx(usd)


JOINT = {
    "projects": PROJECTS + "mine,mine,magnet,12,usa;japan,0.75;0.25,joint,1000,0,0,0,,,,,\n",
    "participants": (
        "participant,discount_rate_per_year,project_budget_usd\nusa,0.1,{}\njapan,0.2,{}\n"
    ),
}


def test_a_joint_project_is_paid_in_proportion_to_the_output(make):
    """Rates 0.1 and 0.2 with weights 3 to 1: 0.125. Alone nobody can fund it."""
    tables = TWO | JOINT
    tables["participants"] = tables["participants"].format("", "")
    inst = make(**tables)
    assert project_oracle.spent(inst, {"mine": "funded"}) == {"usa": 750, "japan": 250}
    assert project_oracle.yearly_cost(inst, {"mine": "funded"}) == pytest.approx(125)
    assert project_oracle.choices(inst, "none") == [{"mine": ""}]
    assert len(project_oracle.choices(inst, "sharing")) == 2


@pytest.mark.parametrize(
    ("cooperation", "own", "joint", "funded"),
    [
        ("sharing", ("750", "250"), None, True),
        ("sharing", ("749", ""), None, False),
        ("sharing", ("", "249"), None, False),
        ("sharing", ("750", "250"), 999, False),
        ("joint", ("1000", "0"), None, True),  # One budget for all
        ("joint", ("999", "0"), None, False),
        ("joint", ("999", "0"), 1000, True),
        ("joint", ("0", ""), None, True),  # Without one of them there is no sum.
    ],
)
def test_which_project_budgets_count(make, cooperation, own, joint, funded):
    tables = TWO | JOINT
    tables["participants"] = tables["participants"].format(*own)
    settings = f"[agreement]\njoint_project_budget_usd = {joint}" if joint else ""
    inst = make(settings, **tables)
    assert ({"mine": "funded"} in project_oracle.choices(inst, cooperation)) == funded


@pytest.mark.parametrize(("capital", "funded"), [(9_990, True), (10_010, False)])
def test_a_project_is_funded_if_it_saves_more_than_it_costs(make, capital, funded):
    """From the first month on it makes 2.5 t of the 10 t that are missed in 4 months.

    Nothing can be held: 10 t less are missed, 1000 USD a year. Interest is 10 %.
    """
    inst = make(
        participants="participant,discount_rate_per_year\nusa,0.1\n",
        holdings="participant,material,max_t\nusa,oxide,0\nusa,magnet,0\n",
        projects=PROJECTS + f"mine,mine,magnet,30,usa,1,usa,{capital},0,0,0,,,,,\n",
    )
    best = enumerate_chains(inst, "none")
    assert best.plan.projects == {"mine": "funded" if funded else ""}
    assert best.annual_cost == pytest.approx(3000 + 0.1 * capital if funded else 4000)


# --- Concentration, equation (17) -----------------------------------------------------------------

DEAR = PROJECTS + "mine,mine,magnet,120,usa,1,usa,1000000000,0,0,0,,,,,{}\n"


@pytest.mark.parametrize(
    ("source", "capped", "most", "funded"),
    [
        ("", "china", 1, ""),
        ("", "china", 0.5, "funded"),
        ("", "china", 0.49, None),
        ("china", "china", 1, ""),
        ("china", "china", 0.99, None),  # A dependency replaced by itself
        ("", "*", 0.5, "funded"),
        ("", "*", 0.49, None),
    ],
)
def test_a_cap_forces_a_project(make, source, capped, most, funded):
    """10 t a month come from China, 10 t would come from the project: half and half."""
    inst = make(
        projects=DEAR.format(source),
        concentration=f"participant,material,source,max_share\nusa,magnet,{capped},{most}\n",
    )
    best = enumerate_chains(inst, "none")
    assert best.plan.projects["mine"] == funded if best else funded is None


def test_recycling_counts_as_supply(make):
    """2.5 t a month are recycled in the end, so China has 10 of 12.5 t."""
    inst = make(
        recycling="participant,material,collection_rate\nusa,magnet,0.25\n",
        projects=DEAR.format(""),
    )
    before = project_oracle.dependence(inst, "usa", "magnet", {"mine": ""})
    assert before == {"china": Fraction(4, 5)}
    shares = project_oracle.dependence(inst, "usa", "magnet", {"mine": "funded"})
    assert {source: float(share) for source, share in shares.items()} == pytest.approx(
        {"china": 10 / 22.5, "project mine": 10 / 22.5}
    )


# --- Against the other oracles, and against the full product --------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_without_chains_it_is_the_oracle_of_coupled_plans(tmp_path, seed):
    names = COUPLINGS[seed % 7 :: 3]
    inst, cooperation = write_coupled_instance(tmp_path, seed, names)
    expected = coupled_oracle.enumerate_coupled(inst, cooperation)
    best = enumerate_chains(chain_steps.read(tmp_path), cooperation)
    assert (best is None) == (expected is None)
    if best:
        assert best.annual_cost == pytest.approx(expected.annual_cost, rel=1e-12)


FEW = [8, 13, 17, 25, 36, 37, 46, 49, 62, 66, 71, 79, 108, 118]


def every_plan(inst):
    """All plans there are, also with rules that do not matter."""
    stocks = list(itertools.product(inst["participants"], inst["materials"]))
    lots = [oracle.lot_range(inst, c, m) for c, m in stocks]
    owners = list(itertools.product(chain_steps.blocks(inst), inst["participants"]))
    new = [row["facility"] for row in inst["facilities"] if not row["existing"]]
    old = [row["facility"] for row in inst["facilities"] if row["existing"]]
    states = [project_oracle.STATES] * len(inst["projects"])
    for numbers in itertools.product(*lots):
        held = {m: {} for m in inst["materials"]}
        for (c, m), n in zip(stocks, numbers, strict=True):
            held[m][c] = n
        for chosen in itertools.product(inst["rules"], repeat=len(owners)):
            rules = {chain_oracle.name_of(block): {} for block, _ in owners}
            for (block, c), rule in zip(owners, chosen, strict=True):
                rules[chain_oracle.name_of(block)][c] = rule
            for opened in itertools.product([False, True], repeat=len(new)):
                names = [name for name, is_open in zip(new, opened, strict=True) if is_open]
                for of_projects in itertools.product(*states):
                    projects = dict(zip(inst["projects"], of_projects, strict=True))
                    yield Plan(held, rules, frozenset(old + names), projects)


@pytest.mark.parametrize("seed", FEW)
def test_the_optimum_is_that_of_the_full_product(tmp_path, seed):
    inst, cooperation = write_chain_instance(tmp_path, seed)
    best = enumerate_chains(inst, cooperation)
    costs = [
        cost_of(inst, cooperation, plan)
        for plan in every_plan(inst)
        if not check_plan(inst, cooperation, plan)
    ]
    assert (best is None) == (not costs)
    if best:
        assert best.annual_cost == pytest.approx(min(costs), rel=1e-12)
