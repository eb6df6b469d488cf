"""Conversions: paths, pools and costs by hand, and the best of all plans."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from cases import FixedPools, compress

import stockpile as sp
from stockpile.blocks import Block, Steps, build_blocks
from stockpile.evaluator import Evaluator
from stockpile.needs import block_needs
from stockpile.parallel import Workers
from stockpile.paths import paths_to
from stockpile.pools import Pools
from stockpile.presolve import presolve
from stockpile.problem import build_problem
from stockpile.rules import OWN, PARTNER, Rule, StreamRule, rule_menu
from stockpile.scenarios import scenario_set, stress_cases
from stockpile.simulate import candidate_terms, simulate_months
from stockpile.tables import (
    Conversion,
    CoverageTarget,
    Demand,
    DemandClass,
    Event,
    Holding,
    Material,
    Participant,
    PlantShare,
    RuleRow,
    Scenario,
    Source,
    Supply,
    Transfer,
)

CLOSED = RuleRow(rule="closed", relation=("own",), demand_class=("*",))
SHARED = RuleRow(rule="shared", relation=("own", "partner"), demand_class=("*",))
BOTH_WAYS = (
    Transfer(from_participant="us", to_participant="japan"),
    Transfer(from_participant="japan", to_participant="us"),
)
PLENTY = 1e6
"""Capacity that never limits [t/month]."""


def plant(name="smelter", at="us", takes="oxide", makes="metal", **cells):
    """A plant that never limits, costs and delays nothing, but for what is said."""
    free = {"yield_": 1.0, "capacity_t_per_month": PLENTY, "lag_months": 0, "cost_usd_per_t": 0.0}
    return Conversion(
        conversion=name, participant=at, from_material=takes, to_material=makes, **(free | cells)
    )


def chain(
    *,
    prices,
    cuts,
    max_t,
    conversions=(),
    nations=("us",),
    monthly_t=100.0,
    months=1,
    shortage_usd_per_t=10_000.0,
    transfers=(),
    rules=(CLOSED,),
    events=(),
    shares=(),
    coverage=(),
    needed=("us", "metal"),
    lot_t=1.0,
):
    """One need, of which all supply comes from one source; everything else only to be held.

    Parameters
    ----------
    prices
        By material: what a tonne costs to hold for a year [USD].
    cuts
        (probability, [(first month, length, severity)]) by scenario.
    max_t
        By nation and material [t]; 0 where it is not named.
    """
    nation, material = needed
    made = sp.Instance(
        name="chain",
        price_year=2025,
        horizon_months=months,
        # Prices are in USD/kg: a rate of 1/1000 makes a tonne cost its price a year.
        participants=tuple(
            Participant(participant=c, name=c, discount_rate_per_year=0.001) for c in nations
        ),
        classes=(
            DemandClass(
                demand_class="all",
                priority=1,
                shortage_cost_multiple=shortage_usd_per_t / (1000.0 * prices[material]),
            ),
        ),
        materials=tuple(
            Material(material=m, name=m, element="M", form=m, price_usd_per_kg=usd, lot_t=lot_t)
            for m, usd in prices.items()
        ),
        demand=(
            Demand(
                participant=nation,
                material=material,
                demand_class="all",
                demand_t_per_year=12.0 * monthly_t,
            ),
        ),
        sources=(Source(source="g", name="g"),),
        supply=(Supply(participant=nation, material=material, source="g", share=1.0),),
        holdings=tuple(
            Holding(participant=c, material=m, max_t=max_t.get((c, m), 0.0))
            for c in nations
            for m in prices
        ),
        scenarios=tuple(
            Scenario(scenario=f"s{i}", probability=part) for i, (part, _) in enumerate(cuts)
        ),
        events=(
            *(
                Event(
                    scenario=f"s{i}",
                    source="g",
                    start_month=start,
                    duration_months=length,
                    severity=severity,
                )
                for i, (_, rows) in enumerate(cuts)
                for start, length, severity in rows
            ),
            *events,
        ),
        rules=tuple(rules),
        transfers=tuple(transfers),
        conversions=tuple(conversions),
        plant_shares=tuple(shares),
        coverage=tuple(coverage),
    )
    sp.validate(made)
    return made


def solved(*args, **kwargs):
    return sp.solve(chain(*args, **kwargs), gap=0.0, progress=False)


def held(plan, nation="us"):
    rows = plan.holdings[plan.holdings["participant"] == nation]
    return dict(zip(rows["material"], rows["holding_t"], strict=True))


NEWSVENDOR = [(0.1, [(1, 1, step / 10)]) for step in range(1, 11)]
"""Needs of 10, 20, .., 100 t, equally likely."""


# --- Known answers --------------------------------------------------------------------------------


def test_a_free_plant_makes_the_raw_form_as_good_as_the_final_one():
    """The newsvendor of ``test_known_answers``: 70 t at 3 USD and 8 USD a tonne short: 258 USD.

    Whichever form is cheaper to hold is held, whatever it is.
    """
    same = {"cuts": NEWSVENDOR, "shortage_usd_per_t": 8.0 / 12.0, "conversions": (plant(),)}
    both = {("us", "oxide"): 200.0, ("us", "metal"): 200.0}
    raw = solved(prices={"oxide": 3.0, "metal": 9.0}, max_t=both, **same)
    assert raw.annual_cost_usd == pytest.approx(258.0)
    assert held(raw) == {"oxide": 70.0, "metal": 0.0}
    final = solved(prices={"oxide": 9.0, "metal": 3.0}, max_t=both, **same)
    assert final.annual_cost_usd == pytest.approx(258.0)
    assert held(final) == {"oxide": 0.0, "metal": 70.0}


def test_a_plant_without_capacity_is_none():
    """The same blocks, steps and plan as without the row, which is the newsvendor of the metal."""
    same = {
        "prices": {"oxide": 1.0, "metal": 3.0},
        "cuts": NEWSVENDOR,
        "shortage_usd_per_t": 8.0 / 12.0,
        "max_t": {("us", "oxide"): 200.0, ("us", "metal"): 200.0},
    }
    idle = chain(conversions=(plant(capacity_t_per_month=0.0),), **same)
    assert [block.name for block in build_blocks(build_problem(idle))] == ["oxide", "metal"]
    plan, without = sp.solve(idle, gap=0.0, progress=False), solved(**same)
    assert plan.annual_cost_usd == without.annual_cost_usd == pytest.approx(258.0)
    assert held(plan) == held(without) == {"oxide": 0.0, "metal": 70.0}


def test_tonnes_are_those_of_the_form_held():
    """With a yield of one half, 140 t of oxide are 70 t of metal; 140 t at 1.5 USD cost 210 USD."""
    plan = solved(
        prices={"oxide": 1.5, "metal": 9.0},
        cuts=NEWSVENDOR,
        shortage_usd_per_t=8.0 / 12.0,
        max_t={("us", "oxide"): 400.0},
        conversions=(plant(yield_=0.5),),
    )
    assert held(plan)["oxide"] == 140.0
    assert plan.annual_cost_usd == pytest.approx(210.0 + 48.0)


def test_a_plant_needs_its_time():
    """A cut of two months, 100 t each: with a lag of a month the first of them is not served.

    100 t of oxide are held for the second month: 100 x 3 USD, and 100 t short at 60 USD over a
    horizon of two months, six times a year.
    """
    plan = solved(
        prices={"oxide": 3.0, "metal": 9.0},
        cuts=[(1.0, [(1, 2, 1.0)])],
        months=2,
        shortage_usd_per_t=60.0,
        max_t={("us", "oxide"): 400.0},
        conversions=(plant(lag_months=1),),
    )
    assert held(plan)["oxide"] == 100.0
    assert plan.annual_cost_usd == pytest.approx(300.0 + 6 * 100 * 60.0)


def test_a_plant_makes_no_more_than_its_capacity():
    """30 t a month out of 0.8 t per t: two months of a cut take 75 t of oxide."""
    plan = solved(
        prices={"oxide": 3.0, "metal": 9.0},
        cuts=[(1.0, [(1, 2, 1.0)])],
        months=2,
        shortage_usd_per_t=60.0,
        max_t={("us", "oxide"): 400.0},
        conversions=(plant(capacity_t_per_month=30.0, yield_=0.8),),
    )
    assert held(plan)["oxide"] == 75.0
    assert plan.annual_cost_usd == pytest.approx(75 * 3.0 + 6 * 140 * 60.0)


ABROAD = {
    "prices": {"oxide": 3.0, "metal": 9.0},
    "cuts": [(1.0, [(1, 1, 1.0)])],
    "shortage_usd_per_t": 1000.0,
    "nations": ("us", "japan"),
    "max_t": {("us", "oxide"): 400.0},
    "rules": (CLOSED, SHARED),
}
"""The United States hold oxide and need metal; a plant that makes it stands in Japan."""


@pytest.mark.parametrize("ways", [BOTH_WAYS, BOTH_WAYS[:1], BOTH_WAYS[1:], ()])
def test_a_plant_abroad_serves_only_if_both_ways_are_shipped(ways):
    case = chain(**ABROAD, conversions=(plant(at="japan", yield_=0.5),), transfers=ways)
    plan = sp.solve(case, gap=0.0, cooperation="sharing", progress=False)
    assert held(plan)["oxide"] == (200.0 if len(ways) == 2 else 0.0)
    alone = sp.solve(case, gap=0.0, cooperation="none", progress=False)
    assert held(alone)["oxide"] == 0.0


def test_costs_are_split_into_shipping_and_conversion():
    """100 t of metal out of 200 t of oxide, by hand.

    Shipping out: 200 t at 2 USD. The plant: 100 t at 7 USD. Shipping back: 100 t at 5 USD. All of
    it 12 times a year, as the horizon is a month; booked to the metal of who receives it.
    """
    out, back = BOTH_WAYS
    plan = solved(
        **ABROAD,
        conversions=(plant(at="japan", yield_=0.5, cost_usd_per_t=7.0),),
        transfers=(replace(out, cost_usd_per_t=2.0), replace(back, cost_usd_per_t=5.0)),
    )
    costs = plan.costs.set_index(["participant", "material"])
    assert costs.loc[("us", "metal"), "shipping"] == pytest.approx(12 * (200 * 2 + 100 * 5))
    assert costs.loc[("us", "metal"), "conversion"] == pytest.approx(12 * 100 * 7)
    assert costs.loc[("us", "oxide"), "holding"] == pytest.approx(200 * 3)
    assert costs["shortage"].sum() == 0.0
    assert costs["conversion"].sum() == costs.loc[("us", "metal"), "conversion"]
    assert plan.annual_cost_usd == pytest.approx(12 * (900 + 700) + 600)


def test_a_way_that_costs_more_than_the_shortage_is_none():
    """The plant costs 900 USD and the oxide of a tonne 2 x 50 USD to ship: 1,000 USD in all."""
    out, back = BOTH_WAYS
    ways = (replace(out, cost_usd_per_t=50.0), back)
    for cost, oxide in ((900.0, 2), (900.1, 0)):
        case = chain(
            **ABROAD,
            conversions=(plant(at="japan", yield_=0.5, cost_usd_per_t=cost),),
            transfers=ways,
        )
        (block,) = build_blocks(build_problem(case))
        through = block.steps.conversion > 0.0
        assert through.sum() == (oxide > 0) + (cost <= 1000.0)  # From japan's own stock, too.


@pytest.mark.parametrize(
    ("target", "material", "served"),
    [
        ("us", "oxide", 0.0),  # The way out.
        ("japan", "metal", 0.0),  # The way back.
        ("japan", "oxide", 50.0),
        ("us", "metal", 50.0),
    ],
)
def test_a_way_is_blocked_wherever_it_is_shipped(target, material, served):
    blocked = Event(
        scenario="s0",
        effect="sharing_blocked",
        materials=(material,),
        targets=(target,),
        start_month=1,
        duration_months=1,
        severity=1.0,
    )
    case = chain(
        **ABROAD,
        conversions=(plant(at="japan", yield_=0.5),),
        transfers=BOTH_WAYS,
        events=(blocked,),
    )
    problem = build_problem(case)
    (block,) = build_blocks(problem)
    with Workers(1) as workers:
        needs = block_needs(problem, block, scenario_set(case, problem), workers)
    holding = np.array([[100.0], [0.0], [0.0], [0.0]])  # Oxide of the United States.
    # Japan, where the plant stands, is open to partners.
    rule = np.array([[problem.menu.names.index("closed")], [problem.menu.names.index("shared")]])
    terms = candidate_terms(problem.menu, block.steps, holding, rule)
    months = simulate_months(block, needs, terms, np.zeros(4), 1)
    assert months.released.sum() == pytest.approx(served)


def test_a_plant_is_for_partners_only_where_its_nation_is_open_to_them():
    case = chain(**ABROAD, conversions=(plant(at="japan", yield_=0.5),), transfers=BOTH_WAYS)
    problem = build_problem(case)
    (block,) = build_blocks(problem)
    with Workers(1) as workers:
        needs = block_needs(problem, block, scenario_set(case, problem), workers)
    holding = np.array([[100.0], [0.0], [0.0], [0.0]])
    closed, shared = (problem.menu.names.index(name) for name in ("closed", "shared"))
    for rules, served in (([closed, shared], 50.0), ([shared, closed], 0.0)):
        terms = candidate_terms(problem.menu, block.steps, holding, np.array(rules)[:, None])
        months = simulate_months(block, needs, terms, np.zeros(4), 1)
        assert months.released.sum() == pytest.approx(served)


# --- Paths and pools ------------------------------------------------------------------------------


def three_forms(**cells):
    """Two nations with a smelter and a magnet plant each, and needs of magnets in both."""
    plants = tuple(
        plant(f"{makes} {c}", c, takes, makes, **cells)
        for c in ("us", "japan")
        for takes, makes in (("oxide", "metal"), ("metal", "magnet"))
    )
    return chain(
        prices={"oxide": 1.0, "metal": 2.0, "magnet": 4.0},
        cuts=[(1.0, [(1, 1, 1.0)])],
        max_t={},
        nations=("us", "japan"),
        transfers=BOTH_WAYS,
        conversions=plants,
        needed=("us", "magnet"),
    )


def test_paths_cross_borders_at_every_plant():
    """From an oxide 2 owners x 2 smelters x 2 plants after it, from a metal 2 x 2, a magnet 2."""
    problem = build_problem(three_forms(yield_=0.5, cost_usd_per_t=1.0, lag_months=1))
    paths = paths_to(problem, 0, 2, partners=True)
    assert [sum(len(path.plants) == n for path in paths) for n in range(3)] == [2, 4, 8]
    home = paths_to(problem, 0, 2, partners=False)
    assert sorted((path.material, path.plants) for path in home) == [
        (0, (0, 1)),
        (1, (1,)),
        (2, ()),
    ]
    (far,) = [path for path in paths if path.owner == 0 and path.plants == (2, 1)]
    # Oxide goes to the smelter in Japan, its metal comes back to the magnet plant at home.
    assert far.shipments == ((0, 0), (1, 1))
    assert (far.yield_, far.made, far.lag, far.abroad) == (0.25, (2.0, 1.0), 2, 1)
    assert far.conversion == pytest.approx(1.0 * 2.0 + 1.0)


def test_the_steps_of_a_month_have_a_fixed_order():
    """Own before partners', at home before abroad, few conversions before many."""
    (block,) = build_blocks(build_problem(three_forms()))
    steps = block.steps
    conversions = np.diff(steps.pools.first)
    place = [
        (int(steps.relation[j]), int(conversions[j]), int(steps.owner[j]))
        for j in range(steps.count)
        if steps.stream[j] == block.stream(0, 2, 0)
    ]
    assert place == [
        *((OWN, n, 0) for n in (0, 1, 2)),  # At home.
        *((OWN, n, 0) for n in (1, 2, 2)),  # One plant abroad.
        (OWN, 2, 0),  # Both abroad.
        *((PARTNER, n, 1) for n in (0, 1, 2)),
        *((PARTNER, n, 1) for n in (1, 2, 2)),
        (PARTNER, 2, 1),
    ]


def capacities(case):
    """Return the block, and its pools as {(plant, stream): capacity}, ways on added up."""
    problem = build_problem(case)
    (block,) = build_blocks(problem)
    steps, found = block.steps, {}
    pools = steps.pools
    capacity = pools.under(np.ones(steps.count, dtype=bool))
    seen = set()
    for j in range(steps.count):
        for d in range(pools.first[j], pools.first[j + 1]):
            pool = int(pools.pool[d])
            key = problem.conversions.names[pools.plant[pool]], int(steps.stream[j])
            found[key] = found.get(key, 0.0) + capacity[pool] * (pool not in seen)
            seen.add(pool)
    return block, found


def two_needs(**more):
    """Oxide makes metal, of which the United States need 100 t a month and Japan 300."""
    case = chain(
        prices={"oxide": 1.0, "metal": 2.0},
        cuts=[(1.0, [(1, 1, 1.0)])],
        max_t={},
        nations=("us", "japan"),
        transfers=BOTH_WAYS,
        conversions=(plant(capacity_t_per_month=40.0),),
        **more,
    )
    japan = Demand(
        participant="japan", material="metal", demand_class="all", demand_t_per_year=3600.0
    )
    return replace(case, demand=(*case.demand, japan))


def test_a_plant_is_divided_by_demand():
    block, found = capacities(two_needs())
    us, japan = block.stream(0, 1, 0), block.stream(1, 1, 0)
    assert found == {("smelter", us): pytest.approx(10.0), ("smelter", japan): pytest.approx(30.0)}


def test_a_plant_is_divided_as_its_rows_say():
    share = PlantShare(
        conversion="smelter", participant="us", material="metal", demand_class="all", share=0.5
    )
    block, found = capacities(two_needs(shares=(share,)))
    assert found == {("smelter", block.stream(0, 1, 0)): pytest.approx(20.0)}


def test_alone_a_nation_has_its_plant_to_itself():
    (block,) = build_blocks(build_problem(two_needs()))
    own = block.own_steps
    assert own.pools.under(np.ones(own.count, dtype=bool)) == pytest.approx([40.0])


def test_the_part_of_a_stream_is_divided_among_the_ways_on():
    """The smelter at home may go on to 10 t of magnets at home or 30 t abroad: 25 % and 75 %.

    There is one stream, so nothing else is divided. A magnet takes 1/0.5 t of metal in both.
    """
    case = three_forms()
    capacity = {"metal us": 40.0, "metal japan": 8.0, "magnet us": 10.0, "magnet japan": 30.0}
    plants = tuple(
        replace(
            row,
            capacity_t_per_month=capacity[row.conversion],
            yield_=0.5 if row.to_material == "magnet" else 1.0,
        )
        for row in case.conversions
    )
    # Only magnets are needed, and only in the United States.
    problem = build_problem(replace(case, conversions=plants))
    (block,) = build_blocks(problem)
    pools = block.steps.pools
    capacity = pools.under(np.ones(block.steps.count, dtype=bool))
    by_plant = {
        name: sorted(capacity[pools.plant == e].tolist())
        for e, name in enumerate(problem.conversions.names)
    }
    assert by_plant["magnet us"] == pytest.approx([10.0])
    assert by_plant["magnet japan"] == pytest.approx([30.0])
    assert by_plant["metal us"] == pytest.approx([10.0, 30.0])
    assert by_plant["metal japan"] == pytest.approx([2.0, 6.0])


def test_pools_that_cross_would_break_proposition_1():
    """Why ways on have pools of their own: three stocks, one need, two plants of 1 t a month.

    Step 1 goes from the first stock through plants e and f, step 2 from the second through f
    alone, step 3 from the third through e alone. With the first stock empty 2 t are served, with
    one tonne in it only that one, which takes up both plants.
    """
    J = 3
    one, nothing = np.ones(J), np.zeros(J, dtype=np.int64)
    pools = Pools(
        first=np.array([0, 2, 3, 4]),
        pool=np.array([0, 1, 1, 0]),
        made=np.ones(4),
        plant=np.arange(2),
        divide=FixedPools(np.ones(2)),
    )
    steps = Steps(
        stream=nothing,
        stock=np.arange(3),
        market=nothing,
        owner=nothing,
        relation=nothing,
        demand_class=nothing,
        lag=nothing,
        yield_=one,
        ships=np.full((J, 1), -1),
        hosts=np.full((J, 1), -1),
        shipping=0.0 * one,
        conversion=0.0 * one,
        pools=pools,
    )
    block = Block("crossing", (0, 1, 2), nothing, np.arange(3), np.arange(3), nothing, steps, steps)
    need = np.zeros((1, 1, 3))
    need[0, 0, 0] = 5.0
    shape = (1, 1, 3)
    needs = compress(need, np.ones(shape), np.zeros(shape), np.zeros(shape, bool), [1.0])
    menu = rule_menu([Rule("open", (((StreamRule(),),), ((StreamRule(),),)))], 1)
    holding = np.array([[0.0, 1.0], [9.0, 9.0], [9.0, 9.0]])
    terms = candidate_terms(menu, steps, holding, np.zeros((1, 2), np.int64))
    months = simulate_months(block, needs, terms, np.zeros(3), 1)
    assert months.unserved[0, 0].tolist() == [3.0, 4.0]


# --- The search -----------------------------------------------------------------------------------


def two_nations(**more):
    """Both nations may hold both forms; a need of metal in one, plants in both."""
    return chain(
        prices={"oxide": 300.0, "metal": 500.0},
        cuts=[
            (0.4, []),
            (0.3, [(1, 2, 0.6)]),
            (0.2, [(2, 3, 1.0)]),
            (0.1, [(1, 6, 0.8)]),
        ],
        monthly_t=1.0,
        months=6,
        shortage_usd_per_t=4000.0,
        nations=("us", "japan"),
        max_t=dict.fromkeys(itertools.product(("us", "japan"), ("oxide", "metal")), 3.0),
        conversions=(
            plant("here", capacity_t_per_month=0.5, yield_=0.8, cost_usd_per_t=50.0),
            plant("there", "japan", capacity_t_per_month=0.4, lag_months=1),
        ),
        transfers=tuple(replace(way, cost_usd_per_t=20.0) for way in BOTH_WAYS),
        rules=(CLOSED, SHARED),
        **more,
    )


@pytest.mark.parametrize("world", ["none", "sharing"])
def test_the_search_finds_the_best_of_all_candidates(world):
    """All 4^4 lots and 2^2 rules, simulated in plain NumPy."""
    case = two_nations()
    problem = build_problem(case)
    (block,) = build_blocks(problem)
    steps = block.steps if world == "sharing" else block.own_steps
    with Workers(1) as workers:
        needs = block_needs(problem, block, scenario_set(case, problem), workers)
    lots = np.array(list(itertools.product(range(4), repeat=4)), dtype=float)
    least = np.inf
    usd_per_t = np.array([300.0, 500.0, 300.0, 500.0])
    for rule in itertools.product(range(2), repeat=2):
        rules = np.tile(np.array(rule)[:, None], (1, len(lots)))
        terms = candidate_terms(problem.menu, steps, lots.T, rules)
        months = simulate_months(block, needs, terms, problem.refill[block.market_participant], 6)
        short = needs.probability @ months.unserved.sum(axis=1) * 4000.0
        moved = np.einsum("s,stjp,j->p", needs.probability, months.released, steps.cost)
        least = min(least, float((lots @ usd_per_t + 2.0 * (short + moved)).min()))
    plan = sp.solve(case, gap=0.0, cooperation=world, progress=False)
    assert plan.annual_cost_usd == pytest.approx(least)
    assert plan.bound_usd == pytest.approx(least)
    assert len(plan.rules) == len(plan.holdings) == len(plan.costs) == 4
    for table in (plan.rules, plan.costs):
        assert table["material"].tolist() == plan.holdings["material"].tolist()
        assert table["participant"].tolist() == plan.holdings["participant"].tolist()
    assert plan.rules.groupby("participant")["rule"].nunique().tolist() == [1, 1]
    sums = plan.costs[["holding", "shortage", "shipping", "conversion"]].to_numpy().sum()
    assert sums == pytest.approx(plan.annual_cost_usd)


def test_alone_nothing_is_refilled_while_another_nation_needs_something():
    """(6) waits for a month without any need of the block, also where it is searched in parts.

    The United States need a tonne in months 1 and 5, Japan in between; all 2^4 lots.
    """
    case = chain(
        prices={"oxide": 300.0, "metal": 500.0},
        cuts=[(0.5, []), (0.5, [(1, 1, 1.0), (5, 1, 1.0)])],
        monthly_t=1.0,
        months=6,
        shortage_usd_per_t=4000.0,
        nations=("us", "japan"),
        max_t=dict.fromkeys(itertools.product(("us", "japan"), ("oxide", "metal")), 1.0),
        conversions=(plant("here"), plant("there", "japan")),
        rules=(CLOSED,),
    )
    between = replace(case.events[0], source="h", start_month=2, duration_months=3)
    case = replace(
        case,
        participants=tuple(replace(c, refill_per_month=0.5) for c in case.participants),
        demand=(*case.demand, replace(case.demand[0], participant="japan")),
        sources=(*case.sources, Source(source="h", name="h")),
        supply=(*case.supply, Supply(participant="japan", material="metal", source="h", share=1.0)),
        events=(*case.events, between),
    )
    problem = build_problem(case)
    (block,) = build_blocks(problem)
    with Workers(1) as workers:
        needs = block_needs(problem, block, scenario_set(case, problem), workers)
    lots = np.array(list(itertools.product(range(2), repeat=4)), dtype=float)
    terms = candidate_terms(problem.menu, block.own_steps, lots.T, np.zeros((2, 16), np.int64))
    refill = problem.refill[block.market_participant]
    months = simulate_months(block, needs, terms, refill, 6)
    short = needs.probability @ months.unserved.sum(axis=1) * 4000.0
    least = float((lots @ [300.0, 500.0, 300.0, 500.0] + 2.0 * short).min())
    plan = sp.solve(case, gap=0.0, cooperation="none", progress=False)
    assert plan.annual_cost_usd == pytest.approx(least)
    assert plan.bound_usd == pytest.approx(least)


def test_days_of_cover_raise_the_bottom_of_one_stock():
    """60 days of 12 t a year are 1.97 t: 2 lots of metal in the United States, of nothing else."""
    days = CoverageTarget(
        participant=("us",),
        material=("metal",),
        demand_class=("*",),
        metric="days",
        level=60.0,
        sharing="off",
    )
    case = two_nations(coverage=(days,))
    problem = build_problem(case)
    (block,) = build_blocks(problem)
    drawn, stress = scenario_set(case, problem), stress_cases(case, problem)
    with Workers(1) as workers:
        evaluator = Evaluator(problem, block, drawn, stress, workers, sharing=True)
        space, _ = presolve(evaluator)
    assert np.all(space.lo == [0, 2, 0, 0])
    assert np.all(space.hi == 3)


def test_a_budget_binds_a_chain():
    """Both materials of one block within 700 USD of outlay a nation, by enumeration as above.

    A tonne of oxide costs 300,000 USD to buy, one of metal 500,000: prices are a thousand times
    what holding costs.
    """
    case = two_nations()
    budget = 700_000.0
    participants = tuple(replace(row, acquisition_budget_usd=budget) for row in case.participants)
    case = replace(case, participants=participants)
    problem = build_problem(case)
    (block,) = build_blocks(problem)
    with Workers(1) as workers:
        needs = block_needs(problem, block, scenario_set(case, problem), workers)
    usd = np.array([300.0, 500.0])
    lots = np.array(list(itertools.product(range(4), repeat=4)), dtype=float)
    affordable = (lots.reshape(-1, 2, 2) @ usd * 1000.0 <= budget).all(axis=1)
    lots, least = lots[affordable], np.inf
    for rule in itertools.product(range(2), repeat=2):
        rules = np.tile(np.array(rule)[:, None], (1, len(lots)))
        terms = candidate_terms(problem.menu, block.steps, lots.T, rules)
        months = simulate_months(block, needs, terms, problem.refill[block.market_participant], 6)
        short = needs.probability @ months.unserved.sum(axis=1) * 4000.0
        moved = np.einsum("s,stjp,j->p", needs.probability, months.released, block.steps.cost)
        least = min(least, float((lots @ np.tile(usd, 2) + 2.0 * (short + moved)).min()))
    plan = sp.solve(case, gap=0.0, cooperation="sharing", progress=False)
    assert plan.annual_cost_usd == pytest.approx(least)
    assert plan.limits["used"].max() <= budget


def test_a_comparison_adds_up_what_plants_are_paid():
    found = sp.compare(two_nations(), gap=0.0, progress=False)
    for world, plan in found.plans.items():
        borne = found.borne[found.borne["world"] == world]
        parts = [f"{part}_usd" for part in ("holding", "shortage", "shipping", "conversion")]
        assert borne["conversion_usd"].sum() == pytest.approx(plan.costs["conversion"].sum())
        assert borne[parts].to_numpy().sum() == pytest.approx(plan.annual_cost_usd)
    assert found.borne["conversion_usd"].sum() > 0.0
    parts = ["fewer_tonnes", "cheaper_place", "fewer_shortages", "shipping", "conversion"]
    sums = found.reasons[[f"{part}_usd" for part in parts]].sum(axis=1)
    np.testing.assert_allclose(sums, found.reasons["saving_usd"])
    # The chain has one bound, so nothing is known of what the gap leaves open of a material.
    assert found.reasons["saving_lower_usd"].isna().all()


def test_without_partners_plants_at_home_still_work():
    """What a default costs: the agreed stocks and rules with the steps of each nation alone."""
    case = two_nations()
    found = sp.compare(case, gap=0.0, progress=False)
    problem = build_problem(case)
    (block,) = build_blocks(problem)
    plan = found.plans[found.agreed]
    with Workers(1) as workers:
        needs = block_needs(problem, block, scenario_set(case, problem), workers)
    lots = np.array(
        [
            plan.holdings.set_index(["participant", "material"]).loc[key, "holding_t"]
            for key in itertools.product(("us", "japan"), ("oxide", "metal"))
        ]
    )
    names = [
        plan.rules.set_index(["participant", "material"]).loc[(c, "oxide"), "rule"]
        for c in ("us", "japan")
    ]
    rule = np.array([[problem.menu.names.index(name)] for name in names])
    terms = candidate_terms(problem.menu, block.own_steps, lots[:, None], rule)
    months = simulate_months(block, needs, terms, problem.refill[block.market_participant], 6)
    short = 2.0 * 4000.0 * float((needs.probability @ months.unserved.sum(axis=1)).item())
    assert found.default["default_shortage_usd"].sum() == pytest.approx(short)


def test_a_result_with_two_rules_for_a_chain_is_refused():
    case = two_nations()
    plan = sp.solve(case, gap=0.0, progress=False)
    rules = plan.rules.copy()
    rules["rule"] = ["closed", "closed", "shared", "closed"]
    with pytest.raises(sp.ResultError, match="us has one rule for both, but the result has two"):
        sp.evaluate(case, replace(plan, rules=rules), progress=False)


def test_the_foresight_bound_refuses_conversions():
    with pytest.raises(sp.NotBuiltError, match=r"conversions\.csv"):
        sp.foresight(two_nations(), progress=False)
