"""The foresight bound: recourse, cuts and prices, the extensive form, EVPI, VSS, known answers."""

from __future__ import annotations

import dataclasses
import importlib
import re
from pathlib import Path

import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from random_instances import write_random_instance
from scipy.optimize import linprog

import stockpile
import stockpile as sp
from stockpile.blocks import build_blocks
from stockpile.foresight_bound import block_model, foresight, foresight_gap
from stockpile.foresight_recourse import Recourse
from stockpile.foresight_search import CutProgram, cut_bound, cut_model, minimise
from stockpile.foresight_waiting import by_linear_programs
from stockpile.model.foresight_arrays import extensive_form, side_by_side
from stockpile.model.foresight_data import ForesightBudgets, ForesightData
from stockpile.model.foresight_reference import foresight_model, instance_model
from stockpile.model.linear import solve_linear
from stockpile.parallel import Workers
from stockpile.problem import build_problem
from stockpile.scenarios import scenario_set, stress_cases
from stockpile.tables import (
    CoverageTarget,
    Demand,
    DemandClass,
    Event,
    Holding,
    Material,
    Participant,
    Project,
    Scenario,
    Source,
    Supply,
    Transfer,
)

NO_BUDGETS = ForesightBudgets((), np.zeros((0, 2), dtype=np.bool_), np.empty(0))
INSTANCES = Path(__file__).parents[1] / "instances"
RANDOM = range(45)
COOPERATION = ["none", "sharing"]


@pytest.fixture(scope="module")
def workers():
    with Workers(1) as pool:
        yield pool


# --- Random data, made without any instance -------------------------------------------------------


def random_data(seed: int, participants: int | None = None) -> ForesightData:
    """A material with up to three participants and classes; a half has whole numbers, for ties."""
    rng = np.random.default_rng(seed)
    C = participants or int(rng.integers(1, 4))
    K, S = int(rng.integers(1, 4)), int(rng.integers(1, 7))
    whole = rng.random() < 0.5

    def numbers(shape, most):
        values = most * rng.random(shape)
        return np.rint(values) if whole else values

    shortage_cost = numbers(C * K, 20.0) + 0.5
    shipping = numbers((C, C), 8.0)
    owner = [*range(C)] * K
    stream = [c * K + k for k in range(K) for c in range(C)]
    for o in range(C):
        for b in range(C):
            if o != b and rng.random() < 0.85:
                served = [b * K + k for k in range(K) if shipping[o, b] <= shortage_cost[b * K + k]]
                owner += [o] * len(served)
                stream += served
    owner, stream = np.array(owner), np.array(stream)
    own = np.arange(owner.size) < C * K
    need = numbers((S, C * K), 6.0) * (rng.random((S, C * K)) < 0.8)
    open_part = np.where(own, 1.0, rng.choice([0.0, 0.5, 1.0], size=(S, owner.size)))
    lower = numbers(C, 3.0) * (rng.random(C) < 0.5)
    pools = int(rng.integers(0, 2)) if C > 1 else 0
    return ForesightData(
        material="m",
        participants=("usa", "japan", "korea")[:C],
        per_year=0.5,
        holding_cost=numbers(C, 4.0) * (rng.random() < 0.9),
        price=numbers(C, 10.0) + 1.0,
        existing=numbers(C, 3.0) * (rng.random(C) < 0.5),
        lower=lower,
        upper=lower + numbers(C, 12.0),
        pool=np.ones((pools, C), dtype=np.bool_),
        pooled=(lower.sum() + 1.0) * np.ones(pools),
        shortage_cost=shortage_cost,
        owner=owner,
        stream=stream,
        own=own,
        cost=np.where(own, 0.0, shipping[owner, stream // K]),
        scenario=np.arange(S),
        probability=rng.dirichlet(np.ones(S)) * rng.choice([1.0, 0.7]),
        need=need,
        limit=need[:, stream] * open_part,
        availability=1.0 + numbers((S, C), 1.0),
    )


def random_holding(data: ForesightData, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    holding = rng.random(data.lower.size) * rng.choice([0.0, 6.0, 25.0], size=data.lower.size)
    return np.rint(holding) if rng.random() < 0.5 else holding


def recourse_by_lp(data: ForesightData, holding: np.ndarray) -> float:
    """The expected recourse, one small linear program per scenario."""
    Q, J, C = data.need.shape[1], data.cost.size, holding.size
    balance = np.zeros((Q, J + Q))
    balance[data.stream, np.arange(J)] = 1.0
    balance[:, J:] = np.eye(Q)
    taken = np.zeros((C, J + Q))
    taken[data.owner, np.arange(J)] = 1.0
    total = 0.0
    for s, p in enumerate(data.probability):
        found = linprog(
            np.concatenate([data.cost, data.shortage_cost]),
            A_ub=taken,
            b_ub=data.availability[s] * holding,
            A_eq=balance,
            b_eq=data.need[s],
            bounds=[*((0.0, limit) for limit in data.limit[s]), *[(0.0, None)] * Q],
        )
        total += p * found.fun
    return total


def optimum_of_arrays(*materials: ForesightData) -> float:
    solution = solve_linear(side_by_side([extensive_form(data) for data in materials]))
    assert solution.status == "optimal"
    return solution.objective


def wait_and_see_cost_by_lp(data: ForesightData) -> float:
    return by_linear_programs(data).expected


def optimum_of_pyomo(model: pyo.ConcreteModel) -> float:
    solver = pyo.SolverFactory("appsi_highs")
    solver.solve(model)
    return float(pyo.value(model.F1_cost))


# --- Recourse -------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_the_recourse_of_two_nations_is_the_optimum_of_its_linear_program(seed, at):
    data = random_data(seed, participants=2)
    holding = random_holding(data, at)
    expected = pytest.approx(recourse_by_lp(data, holding), rel=1e-9, abs=1e-9)
    with Workers(1) as one:
        for closed_form in (True, False):
            response = Recourse(data, one, closed_form=closed_form).respond(holding)
            assert response.cost == expected
            assert response.constant + response.slope @ holding == expected


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_the_recourse_of_any_number_is_the_optimum_of_its_linear_program(seed, at):
    data = random_data(seed)
    holding = random_holding(data, at)
    expected = pytest.approx(recourse_by_lp(data, holding), rel=1e-9, abs=1e-9)
    with Workers(1) as one:
        response = Recourse(data, one, closed_form=False).respond(holding)
    assert response.cost == expected
    assert response.constant + response.slope @ holding == expected


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=300, deadline=None)
def test_a_cut_is_nowhere_above_the_recourse(seed, at, elsewhere):
    data = random_data(seed)
    with Workers(1) as one:
        recourse = Recourse(data, one)
        cut = recourse.respond(random_holding(data, at))
        holding = random_holding(data, elsewhere)
        cost = recourse.respond(holding).cost
    assert cut.constant + cut.slope @ holding <= cost + 1e-9 * max(1.0, cut.constant)


def two_nations(stock, need, shareable, worth, shipping) -> ForesightData:
    """One scenario; figures by nation, then by class."""
    need, shareable = np.array(need, dtype=float), np.array(shareable, dtype=float)
    K = need.shape[1]
    return ForesightData(
        material="m",
        participants=("us", "japan"),
        per_year=1.0,
        holding_cost=np.ones(2),
        price=np.ones(2),
        existing=np.zeros(2),
        lower=np.zeros(2),
        upper=np.array(stock, dtype=float),
        pool=np.zeros((0, 2), dtype=np.bool_),
        pooled=np.empty(0),
        shortage_cost=np.array(worth, dtype=float).ravel(),
        owner=np.repeat([0, 1, 1, 0], K),
        stream=np.tile(np.arange(2 * K), 2),
        own=np.repeat([True, False], 2 * K),
        cost=np.repeat([0.0, 0.0, shipping, shipping], K),
        scenario=np.zeros(1, dtype=np.int64),
        probability=np.ones(1),
        need=need.reshape(1, -1),
        limit=np.concatenate([need, shareable]).reshape(1, -1),
        availability=np.ones((1, 2)),
    )


@pytest.mark.parametrize("closed_form", [True, False])
def test_two_nations_worked_by_hand(workers, closed_form):
    """The United States holds 7 t and needs 2 t (worth 10) and 4 t (worth 2): 1 t is left over.

    Japan holds 3 t and needs 4 t (worth 10), of which 1 t can come from abroad, and 6 t (worth
    5), of which 3 t can. Alone it serves 3 t of the first class. Shipping costs 1 USD a tonne.

    The first tonne shipped serves the first class (worth 10; the sender gives up nothing). The
    next three serve the second class (worth 5), for which the sender goes without its own second
    class (worth 2): 5 - 2 > 1, so it pays. Then nothing more can be shipped, and Japan lacks 3 t
    worth 5. Shipped: 4 t. The sender lacks 3 t worth 2.
    Cost: 3 * 5 + 3 * 2 + 4 * 1 = 25 USD.

    One tonne more in the United States serves its second class: price 2. One tonne more in Japan
    serves its second class: price 5.
    """
    data = two_nations([7, 3], [[2, 4], [4, 6]], [[2, 4], [1, 3]], [[10, 2], [10, 5]], shipping=1)
    response = Recourse(data, workers, closed_form=closed_form).respond(data.upper)
    assert response.cost == 25.0
    assert response.slope.tolist() == [-2.0, -5.0]
    assert response.constant == 25.0 + 2.0 * 7.0 + 5.0 * 3.0


@pytest.mark.parametrize("closed_form", [True, False])
def test_what_a_partner_can_serve_sets_own_stock_free(workers, closed_form):
    """Nothing of the second class can be shipped, but the first one can: the stocks swap tasks.

    Japan's 4 t would serve its first class (worth 10, all of it shareable). With 4 t from abroad
    they serve the second class (worth 5) instead, of which it needs 3 t: only 3 t are shipped.
    """
    data = two_nations([9, 4], [[0, 0], [4, 3]], [[0, 0], [4, 0]], [[10, 2], [10, 5]], shipping=1)
    response = Recourse(data, workers, closed_form=closed_form).respond(data.upper)
    assert response.cost == 3.0
    assert response.slope.tolist() == [0.0, -1.0]


# --- The search by cuts ---------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_cuts_find_the_optimum_of_the_extensive_form(seed):
    data = random_data(seed)
    with Workers(1) as one:
        found = minimise(Recourse(data, one))
    if not data.feasible:
        assert solve_linear(extensive_form(data)).status == "infeasible"
        assert found.bound == np.inf
        return
    optimum = optimum_of_arrays(data)
    assert found.cost == pytest.approx(optimum, rel=1e-8, abs=1e-8)
    assert found.bound == pytest.approx(optimum, rel=1e-8, abs=1e-8)
    assert found.bound <= found.cost
    assert (found.holding >= data.lower).all()
    assert (found.holding <= data.upper).all()
    assert (data.pool @ found.holding >= data.pooled * (1.0 - 1e-9)).all()


@given(st.integers(0, 2**32 - 1), st.floats(-6.0, 6.0), st.floats(-6.0, 6.0))
@example(628330382, -5.529569052135527, 5.325446021701559)  # Pools were compared with money.
@example(629311974, 5.317030777747073, -5.445597466263884)
@settings(max_examples=200, deadline=None)
def test_the_least_cost_under_cuts_is_that_of_a_linear_program(seed, tonnes, money):
    """Cut by cut, against HiGHS begun anew, in units of any size."""
    tonne, usd = 10.0**tonnes, 10.0**money
    data = random_data(seed)
    in_tonnes = ("existing", "lower", "upper", "pooled", "need", "limit")
    in_usd_per_t = ("holding_cost", "price", "shortage_cost", "cost")
    data = dataclasses.replace(
        data,
        **{name: getattr(data, name) * tonne for name in in_tonnes},
        **{name: getattr(data, name) * usd / tonne for name in in_usd_per_t},
    )
    if not data.feasible:
        return
    program, cuts = CutProgram(data), []
    with Workers(1) as one:
        recourse = Recourse(data, one)
        for number in range(8):
            proposed = program.best()
            optimum = solve_linear(cut_model(data, cuts)).objective
            size = abs(optimum) + data.per_year * sum(abs(cut.constant) for cut in cuts)
            # Where all of these are nothing, sums of what cancels still leave rounding.
            within = {"rel": 1e-9, "abs": 1e-9 * size + proposed.rounding}
            assert proposed.bound <= optimum + 1e-9 * size
            assert proposed.bound + proposed.rounding == pytest.approx(optimum, **within)
            under_cuts = max(
                [0.0, *(float(cut.constant + cut.slope @ proposed.holding) for cut in cuts)]
            )
            cost = data.holdings_cost(proposed.holding) + data.per_year * under_cuts
            assert cost == pytest.approx(optimum, **within)
            at = proposed.holding if number % 2 else tonne * random_holding(data, seed + number)
            cuts.append(recourse.respond(at))
            program.add(cuts[-1])


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_the_bound_of_cuts_holds_whatever_the_duals_are(seed, other):
    data, rng = random_data(seed), np.random.default_rng(other)
    if not data.feasible:
        return
    with Workers(1) as one:
        recourse = Recourse(data, one)
        cuts = [recourse.respond(random_holding(data, other + i)) for i in range(3)]
        cost = minimise(recourse).cost
    price, pool_price = rng.normal(size=4), rng.normal(size=data.pooled.size)
    price[0] = 1.0
    bound, _ = cut_bound(data, cuts, price, pool_price)
    assert bound <= cost * (1.0 + 1e-9)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_wait_and_see_is_one_linear_program_per_scenario(seed):
    data = random_data(seed)
    if not data.feasible:
        return
    boxed = dataclasses.replace(data, pool=data.pool[:0], pooled=data.pooled[:0])
    with Workers(1) as one:
        by_chains = Recourse(boxed, one).wait_and_see().expected
        best = minimise(Recourse(data, one)).cost
    assert by_chains == pytest.approx(wait_and_see_cost_by_lp(boxed), rel=1e-7, abs=1e-7)
    with_pools = wait_and_see_cost_by_lp(data)
    assert by_chains <= with_pools * (1.0 + 1e-7) + 1e-7
    assert with_pools <= best * (1.0 + 1e-7) + 1e-7


def test_wait_and_see_adds_up_over_batches(workers):
    data = random_data(5, participants=2)
    many = dataclasses.replace(
        data,
        probability=np.tile(data.probability, 100) / 100.0,
        scenario=np.arange(100 * data.probability.size),
        need=np.tile(data.need, (100, 1)),
        limit=np.tile(data.limit, (100, 1)),
        availability=np.tile(data.availability, (100, 1)),
    )
    assert many.probability.size > 200
    assert wait_and_see_cost_by_lp(many) == pytest.approx(wait_and_see_cost_by_lp(data))


# --- Instances ------------------------------------------------------------------------------------


def models(instance, cooperation, workers, scenarios=None):
    """The model of each material."""
    problem = build_problem(instance)
    drawn = scenario_set(instance, problem, scenarios)
    stress = stress_cases(instance, problem)
    sharing = cooperation != "none"
    return [
        block_model(problem, block, drawn, stress, workers, sharing=sharing)
        for block in build_blocks(problem)
    ]


@pytest.fixture(scope="module", params=RANDOM)
def case(request, tmp_path_factory):
    """A random instance, its cooperation, and its foresight bound."""
    folder = tmp_path_factory.mktemp("instance")
    write_random_instance(folder, request.param)
    instance = sp.load(folder)
    cooperation = COOPERATION[request.param % len(COOPERATION)]
    return instance, cooperation, foresight(instance, cooperation=cooperation, progress=False)


def test_the_bound_is_the_optimum_of_the_extensive_form(case, workers):
    instance, cooperation, bound = case
    of_materials = models(instance, cooperation, workers)
    if not all(data.feasible for data in of_materials):
        assert bound.bound_usd == np.inf
        assert np.isnan(bound.vss_usd)
        assert np.isnan(bound.evpi_usd)
        return
    optimum = optimum_of_arrays(*of_materials)
    assert bound.bound_usd == pytest.approx(optimum, rel=1e-6, abs=1e-6)
    assert bound.cost_usd == pytest.approx(optimum, rel=1e-6, abs=1e-6)
    assert bound.bound_usd <= bound.cost_usd
    assert bound.vss_usd >= 0.0
    assert bound.evpi_usd >= 0.0


def test_no_menu_of_rules_beats_the_bound(case, workers):
    """Neither in all nor with the plan's own holdings, which keep within the limits."""
    instance, cooperation, bound = case
    plan = sp.solve(instance, gap=0.0, cooperation=cooperation, progress=False)
    if not plan.found:
        return
    assert bound.bound_usd <= plan.bound_usd * (1.0 + 1e-9) + 1e-6
    assert foresight_gap(plan, bound) >= -1e-9 * plan.annual_cost_usd - 1e-6
    cost = 0.0
    for data in models(instance, cooperation, workers):
        rows = plan.holdings[plan.holdings["material"] == data.material]
        cost += Recourse(data, workers).cost(rows["holding_t"].to_numpy())
    assert cost <= plan.annual_cost_usd * (1.0 + 1e-9) + 1e-6
    both = plan.holdings.merge(bound.holdings, on=["participant", "material"])
    assert (both["least_t"] <= both["holding_t_x"]).all()
    assert (both["holding_t_x"] <= both["most_t"]).all()


@pytest.mark.parametrize("seed", [1, 4, 7, 12])
def test_pyomo_arrays_and_cuts_agree_on_random_instances(seed, tmp_path, workers):
    write_random_instance(tmp_path, seed)
    instance = sp.load(tmp_path)
    for cooperation in COOPERATION:
        of_materials = models(instance, cooperation, workers)
        if all(data.feasible for data in of_materials):
            optimum = optimum_of_pyomo(instance_model(of_materials, NO_BUDGETS))
            assert optimum == pytest.approx(optimum_of_arrays(*of_materials), rel=1e-7, abs=1e-6)
            bound = foresight(instance, cooperation=cooperation, progress=False)
            assert bound.bound_usd == pytest.approx(optimum, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("name", "scenarios"), [("toy", None), ("rare-earths", 40)])
@pytest.mark.parametrize("cooperation", COOPERATION)
def test_pyomo_arrays_and_cuts_agree(name, scenarios, cooperation, workers):
    instance = sp.load(INSTANCES / name)
    bound = foresight(instance, cooperation=cooperation, scenarios=scenarios, progress=False)
    of_materials = models(instance, cooperation, workers, scenarios)[:4]
    for data, row in zip(of_materials, bound.materials.itertuples(), strict=False):
        optimum = optimum_of_arrays(data)
        assert optimum_of_pyomo(foresight_model(data)) == pytest.approx(optimum, rel=1e-7)
        assert row.bound_usd == pytest.approx(optimum, rel=1e-7)


def test_the_result_does_not_depend_on_the_number_of_threads():
    instance = sp.load(INSTANCES / "rare-earths")
    one, three = (
        foresight(instance, scenarios=300, threads=threads, progress=False) for threads in (1, 3)
    )
    assert one.materials.equals(three.materials)
    assert one.holdings.equals(three.holdings)


# --- Known answers --------------------------------------------------------------------------------


def embargoes(scenarios, *, months=1, coverage=(), participants=("us",), transfers=(), refill=0.0):
    """One material of which each participant needs 100 t a month at full loss.

    ``scenarios`` is a list of (probability, {participant: [(month, duration, severity)]}).
    Holding a tonne costs 3 USD a year, a missing one 8 USD a year (8 / 12 * months a tonne).
    """
    made = sp.Instance(
        name="known",
        price_year=2025,
        horizon_months=months,
        participants=tuple(
            Participant(
                participant=c, name=c, discount_rate_per_year=0.003, refill_per_month=refill
            )
            for c in participants
        ),
        classes=(
            DemandClass(demand_class="k", priority=1, shortage_cost_multiple=months / 1500.0),
        ),
        materials=(
            Material(
                material="m", name="m", element="M", form="metal", price_usd_per_kg=1.0, lot_t=1.0
            ),
        ),
        demand=tuple(
            Demand(participant=c, material="m", demand_class="k", demand_t_per_year=1200.0)
            for c in participants
        ),
        sources=(Source(source="g", name="g"),),
        supply=tuple(
            Supply(participant=c, material="m", source="g", share=1.0) for c in participants
        ),
        holdings=tuple(Holding(participant=c, material="m", max_t=5000.0) for c in participants),
        scenarios=tuple(
            Scenario(scenario=f"s{i}", probability=p) for i, (p, _) in enumerate(scenarios)
        ),
        events=tuple(
            Event(
                scenario=f"s{i}",
                source="g",
                targets=(c,),
                start_month=start,
                duration_months=duration,
                severity=severity,
            )
            for i, (_, events) in enumerate(scenarios)
            for c, rows in events.items()
            for start, duration, severity in rows
        ),
        transfers=tuple(transfers),
        coverage=tuple(coverage),
    )
    sp.validate(made)
    return made


TEN_NEEDS = [(0.1, {"us": [(1, 1, need / 100.0)]}) for need in range(10, 101, 10)]


def test_one_need_is_a_newsvendor_with_known_evpi_and_vss():
    """Hold the critical-ratio quantile, 70 t: 70 * 3 + 8 * (10 + 20 + 30) / 10 = 258 USD a year.

    Who knows the need holds exactly it: 3 * 55 = 165 USD, so EVPI is 93 USD. Who plans on the
    mean holds 55 t: 165 + 8 * (5 + 15 + 25 + 35 + 45) / 10 = 265 USD, so VSS is 7 USD.
    """
    found = foresight(embargoes(TEN_NEEDS), progress=False)
    assert found.cost_usd == pytest.approx(258.0)
    assert found.bound_usd == pytest.approx(258.0)
    assert found.bound_usd <= 258.0
    assert 60.0 - 1e-6 <= found.holdings["holding_t"][0] <= 70.0 + 1e-6
    assert found.ws_usd == pytest.approx(165.0)
    assert found.evpi_usd == pytest.approx(93.0)
    assert found.eev_usd == pytest.approx(265.0)
    assert found.vss_usd == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("promise", "least"),
    [
        (CoverageTarget(metric="chance", level=1.0, confidence=0.85), 90.0),
        (CoverageTarget(metric="chance", level=0.5, confidence=0.85), 45.0),
        (CoverageTarget(metric="chance", level=1.0, confidence=0.9), 90.0),
        # Of 55 t on average 5.5 t may be missing: (80 - h + 90 - h + 100 - h) / 10.
        (CoverageTarget(metric="fill_rate", level=0.9), 215.0 / 3.0),
        # The worst fifth: 90 t and 100 t, v = h/90 and h/100; their mean is 0.8.
        (CoverageTarget(metric="cvar", level=0.8, confidence=0.8), 1.6 / (1 / 90 + 1 / 100)),
        (CoverageTarget(metric="days", level=36.5), 120.0),
    ],
)
def test_a_promise_sets_the_least_holding(promise, least):
    found = foresight(embargoes(TEN_NEEDS, coverage=[promise]), progress=False)
    limit = found.holdings["least_t"][0]
    assert limit == pytest.approx(least, rel=1e-7)
    assert limit < least


def test_a_promise_that_partners_can_keep_asks_less_of_the_own_holding():
    """Both are cut off for two months, and ships take one: they can bring half of the need."""
    both = {c: [(1, 2, 1.0)] for c in ("us", "japan")}
    least = {}
    for sharing in ("on", "off"):
        promise = CoverageTarget(
            metric="fill_rate", level=0.8, participant=("us",), sharing=sharing
        )
        instance = embargoes(
            [(0.5, {}), (0.5, both)],
            months=4,
            participants=("us", "japan"),
            transfers=[Transfer(from_participant="japan", to_participant="us", lag_months=1)],
            coverage=[promise],
        )
        found = foresight(instance, cooperation="sharing", progress=False)
        least[sharing] = found.holdings["least_t"].tolist()
    assert least["off"] == pytest.approx([0.8 * 200.0, 0.0])
    assert least["on"] == pytest.approx([0.8 * 200.0 - 100.0, 0.0])


@pytest.mark.parametrize(("refill", "availability"), [(0.0, 1.0), (0.25, 1.75), (0.5, 2.0)])
def test_calm_months_between_needs_refill_a_stock_at_most_once(workers, refill, availability):
    """Needs in months 1 and 5, with three calm months between them."""
    instance = embargoes([(1.0, {"us": [(1, 1, 1.0), (5, 1, 1.0)]})], months=6, refill=refill)
    (data,) = models(instance, "none", workers)
    assert data.availability.tolist() == [[availability]]
    found = foresight(instance, progress=False)
    assert found.holdings["holding_t"][0] == pytest.approx(200.0 / availability)
    assert found.bound_usd == pytest.approx(3.0 * 200.0 / availability)


def test_gates_limit_what_a_partner_can_serve(workers):
    """Three months of need: the first is too early for ships, a veto falls on the third."""
    instance = embargoes(
        [(1.0, {"us": [(1, 3, 1.0)]})],
        months=4,
        participants=("us", "japan"),
        transfers=[Transfer(from_participant="japan", to_participant="us", lag_months=1)],
    )
    veto = Event(
        scenario="s0",
        effect="sharing_blocked",
        targets=("japan",),
        start_month=3,
        duration_months=1,
        severity=1.0,
    )
    instance = dataclasses.replace(instance, events=(*instance.events, veto))
    (data,) = models(instance, "sharing", workers)
    assert data.limit[:, data.own].tolist() == [[300.0, 0.0]]
    assert data.limit[:, ~data.own].tolist() == [[100.0]]
    (alone,) = models(instance, "none", workers)
    assert alone.own.all()


def test_the_mean_scenario_counts_those_that_need_nothing(workers):
    instance = embargoes(
        [(0.75, {}), (0.25, {"us": [(1, 1, 1.0), (5, 1, 1.0)]})], months=6, refill=0.2
    )
    (data,) = models(instance, "none", workers)
    mean = data.mean_scenario()
    assert mean.need.tolist() == [[50.0]]
    assert mean.limit.tolist() == [[50.0]]
    assert mean.availability.tolist() == [[pytest.approx(1.0 + 0.25 * 0.6)]]


def test_the_toy_instance_worked_by_hand():
    """The figures of ``docs/foresight.md``."""
    found = foresight(sp.load(INSTANCES / "toy"), progress=False)
    days = 36.0 * 30.0 / 365.0
    gallium, dysprosium = found.materials.itertuples()
    assert gallium.cost_usd == pytest.approx(6.0 * 20_000.0 + 600.0)
    assert gallium.eev_usd == pytest.approx(
        2 * days * 20_000.0 + 2 * 0.1 * ((6.0 - 2 * days) * 2_500_000.0 + days * 1_000.0)
    )
    assert gallium.ws_usd == pytest.approx(
        2 * days * 20_000.0 + 2 * 0.1 * ((6.0 - 2 * days) * 20_000.0 + days * 1_000.0)
    )
    assert dysprosium.cost_usd == pytest.approx(9.0 * 32_000.0)
    assert dysprosium.eev_usd == pytest.approx(0.9 * 32_000.0 + 0.1 * 8.1 * 4_000_000.0)
    assert dysprosium.ws_usd == pytest.approx(0.1 * 9.0 * 32_000.0)
    assert found.bound_usd == pytest.approx(408_600.0)


def test_pooled_days_are_kept_and_priced_in_the_bound():
    """Both need nothing, and hold a month's use of both together, where it is cheaper."""
    pooled = [CoverageTarget(metric="days", level=36.5, group="pool")]
    instance = embargoes([(1.0, {})], participants=("us", "japan"), coverage=pooled)
    cheaper = dataclasses.replace(instance.participants[1], discount_rate_per_year=0.001)
    instance = dataclasses.replace(instance, participants=(instance.participants[0], cheaper))
    found = foresight(instance, progress=False)
    assert found.holdings["holding_t"].tolist() == pytest.approx([0.0, 240.0])
    assert found.bound_usd == pytest.approx(240.0)
    assert found.ws_usd == pytest.approx(240.0)


# --- Documentation --------------------------------------------------------------------------------


def test_the_page_has_the_equations_that_the_code_cites_and_names_functions_that_exist():
    root = Path(stockpile.__file__).parent
    page = (root.parent / "docs" / "foresight.md").read_text(encoding="utf-8")
    numbers = set(re.findall(r"\(F(\d+)\)", page))
    assert numbers == {str(number) for number in range(1, 17)}
    for file in root.rglob("*foresight*.py"):
        assert set(re.findall(r"\(F(\d+)\)", file.read_text(encoding="utf-8"))) <= numbers, file
    section = page.split("## Where each equation is computed")[1].split("\n## ")[0]
    names = re.findall(r"`([a-z_]+\.[\w.]+)`", section)
    assert len(names) > 10
    for name in names:
        module, *path = name.split(".")
        if module in ("kernels", "model"):
            module = f"{module}.{path.pop(0)}"
        found = importlib.import_module(f"stockpile.{module}")
        for part in path:
            found = getattr(found, part)
        assert callable(found), name


# --- Comparing and refusing -----------------------------------------------------------------------


def test_promises_beyond_all_limits_make_the_bound_infinite():
    promise = CoverageTarget(metric="days", level=3650.0)
    instance = embargoes(TEN_NEEDS, coverage=[promise])
    found = foresight(instance, progress=False)
    assert found.bound_usd == np.inf
    assert np.isnan(found.evpi_usd)
    plan = sp.solve(instance, progress=False)
    assert plan.status == "infeasible"
    with pytest.raises(sp.UsageError, match="no plan to compare: its status is infeasible"):
        foresight_gap(plan, found)


def test_only_what_belongs_together_is_compared():
    instance = sp.load(INSTANCES / "rare-earths")
    plan = sp.solve(instance, gap=0.5, scenarios=20, progress=False)
    same = foresight(instance, scenarios=20, progress=False)
    assert foresight_gap(plan, same) == plan.annual_cost_usd - same.bound_usd
    other = foresight(
        instance,
        scenarios=21,
        seed=1,
        sampling="stratified",
        cooperation="none",
        progress=False,
    )
    with pytest.raises(sp.UsageError) as caught:
        foresight_gap(plan, other)
    for name in ("cooperation", "seed", "sampling", "scenario_count"):
        assert f"{name} is" in str(caught.value)
    toy = foresight(sp.load(INSTANCES / "toy"), progress=False)
    with pytest.raises(sp.UsageError, match="instance_hash"):
        foresight_gap(plan, toy)


def test_what_would_not_be_a_bound_is_refused():
    project = Project(
        project="recycler",
        kind="recycling",
        material="m",
        capacity_t_per_year=1.0,
        beneficiaries=("us",),
        beneficiary_shares=(1.0,),
        funder="us",
        capital_usd=1.0,
        operating_usd_per_t=1.0,
        lead_median_months=1.0,
        lead_sigma=0.0,
    )
    instance = dataclasses.replace(embargoes(TEN_NEEDS), projects=(project,))
    with pytest.raises(sp.NotBuiltError, match=r"does not know yet: projects\.csv"):
        foresight(instance, progress=False)
    with pytest.raises(sp.UsageError, match="cooperation is 'alone'"):
        foresight(embargoes(TEN_NEEDS), cooperation="alone", progress=False)


def test_progress_names_every_material():
    seen = []
    foresight(sp.load(INSTANCES / "toy"), progress=seen.append)
    assert [(item.block, item.done, item.total) for item in seen] == [
        ("gallium", 0, 2),
        ("dy_oxide", 1, 2),
        ("", 2, 2),
    ]
