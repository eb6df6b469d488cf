"""Instances in weeks: known answers, months of another calendar, and agreement on average."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from folders import edit, tiny_folder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from project_instances import cut, instance, lost, project, solve
from random_chains import ChainInstance
from random_instances import write_random_instance, write_table
from scipy import stats

import stockpile as sp
from stockpile import cli
from stockpile.assurance.flows import block_flows
from stockpile.assurance.timeline import reserves, starts
from stockpile.blocks import build_blocks
from stockpile.concentration import build_caps
from stockpile.cooperation.obligations import article7_rows, supply_loss
from stockpile.desk.state import Ongoing, Started, StockLevel
from stockpile.needs import block_needs
from stockpile.parallel import Workers
from stockpile.periods import MONTH, WEEK
from stockpile.problem import build_problem
from stockpile.rules import describe
from stockpile.scenarios import scenario_set
from stockpile.simulate import Course, Request, candidate_terms, simulate, simulate_months
from stockpile.tables import (
    Commercial,
    ConcentrationCap,
    Conversion,
    Hazard,
    Holding,
    Outcome,
    Recycling,
    RuleRow,
    StressEvent,
    Transfer,
)

A_MONTH = 52 / 12
"""Weeks in a month."""
ERRORS = 4.0
"""Standard errors that a mean may be off."""

seeds = st.integers(0, 2**32 - 1)
random_worlds = pytest.mark.filterwarnings("ignore::stockpile.errors.InstanceWarning")
"""Random instances may hold cells without effect."""


def weekly(world):
    return replace(world, period="week")


def both(world):
    """The same instance in months and in weeks."""
    return [("month", world), ("week", weekly(world))]


def unserved(world, holding, *, states=0):
    """Tonnes left unserved in each scenario, (S,), where everybody holds so much of everything."""
    problem = build_problem(world)
    scenarios = scenario_set(world, problem)
    short = np.zeros(scenarios.count)
    with Workers(1) as workers:
        for block in build_blocks(problem):
            chosen = np.full(problem.projects.count, states)
            needs = block_needs(problem, block, scenarios, workers, chosen)
            holdings = np.full((block.num_stocks, 1), holding)
            rule = np.zeros((len(problem.participants), 1), np.int64)
            terms = candidate_terms(problem.menu, block.steps, holdings, rule)
            refill = problem.refill[block.market_participant]
            course = Course.of(needs, block.steps, problem.menu.breakpoints, workers)
            request = Request.of(range(block.num_streams))
            found = simulate(block, course, terms, refill, request, workers)
            short[needs.scenario] += found.unserved_of[:, :, 0].sum(axis=1)
    return short


# --- The calendar ---------------------------------------------------------------------------------


@given(st.integers(0, 10**6))
def test_whole_weeks_are_the_nearest_and_months_stay(months):
    assert abs(WEEK.whole(months) - months * A_MONTH) < 0.5
    assert MONTH.whole(months) == months
    assert WEEK.whole(12 * months) == 52 * months


@given(st.integers(1, 10**5), st.integers(1, 500), st.integers(1, 500))
def test_what_follows_at_once_in_months_does_so_in_weeks(start, first, second):
    end = WEEK.begin(start) + WEEK.span(start, first)
    assert end == WEEK.begin(start + first)
    assert WEEK.span(start, first) + WEEK.span(start + first, second) == WEEK.span(
        start, first + second
    )
    assert WEEK.span(start, 1) in (4, 5)


@given(st.integers(1, 10**5))
def test_a_week_is_in_the_month_that_it_begins_in(month):
    weeks = np.arange(WEEK.begin(month), WEEK.begin(month + 1))
    assert set(WEEK.month_of(weeks).tolist()) == {month}


def test_a_draw_limit_of_one_is_none_and_others_are_rates():
    assert WEEK.draw_limit(1.0) == MONTH.draw_limit(1.0) == 1.0
    assert WEEK.draw_limit(0.5) == pytest.approx(0.5 * 12 / 52)
    assert MONTH.draw_limit(0.3) == 0.3


# --- Constant flows: closed forms, the same in months and weeks -----------------------------------

quarters = st.integers(1, 4).map(lambda count: 3 * count)
"""Times that are whole in both, such as 3 months = 13 weeks."""


@given(
    months=quarters,
    start=st.sampled_from([1, 4, 7]),
    holding=st.floats(0.0, 150.0),
    limit=st.sampled_from([1.0, 0.5, 0.1, 0.03]),
)
@settings(max_examples=40, deadline=None)
def test_a_long_event_leaves_what_the_stock_and_its_limit_do_not_serve(
    months, start, holding, limit
):
    """10 t a month are needed; the stock gives at most a part of itself a month, until it is empty.

    Served: min(h, months * min(10, f h)); without a limit all of the stock.
    """
    rule = RuleRow(rule="only", relation=("own",), demand_class=("*",), draw_limit_per_month=limit)
    world = instance(scenarios=[(1.0, [lost(start, months)])], months=24, rules=(rule,))
    rate = 10.0 if limit == 1.0 else min(10.0, limit * holding)
    expected = 10.0 * months - min(holding, months * rate)
    for _, made in both(world):
        assert unserved(made, holding) == pytest.approx([expected], abs=1e-9)


def two_nations(lag=0, **more):
    return instance(
        participants=("us", "japan"),
        scenarios=[(1.0, [lost(1, 9, targets=("japan",))])],
        transfers=(Transfer(from_participant="us", to_participant="japan", lag_months=lag),),
        rules=(RuleRow(rule="all", relation=("*",), demand_class=("*",)),),
        **more,
    )


@pytest.mark.parametrize("lag", [0, 3, 6])
def test_a_partner_helps_after_the_lag(lag):
    """Japan needs 10 t a month for 9 months and has 20 t, the United States send their 20 t later.

    Of 90 t Japan serves 20 in two months; until the lag has passed the partner serves nothing.
    """
    for _, made in both(two_nations(lag)):
        assert unserved(made, 20.0) == pytest.approx([50.0])


def test_a_lag_that_is_no_whole_number_of_weeks_is_the_nearest():
    """A month is 4 weeks of lag, two are 9; until then nobody serves Japan, then all is."""
    for lag, weeks in ((1, 4), (2, 9)):
        made = weekly(two_nations(lag))
        own = replace(made, rules=(replace(made.rules[0], relation=("partner",)),))
        assert unserved(own, 200.0) == pytest.approx([weeks * 120.0 / 52])


def test_firms_stocks_thrift_refill_and_plants_are_rates_and_whole_times():
    """By hand, all times whole in both.

    Firms hold 73 days: 24 t of 10 t a month. From 3 months of the event on a class does without a
    quarter. Six months lost need 30 + 22.5 t; the first 2.4 months are met by firms. After three
    calm months, in which half of it comes back, three months more need 30 t less 12 t.
    """
    firms = Commercial(
        participant="us",
        material="m",
        industry_days=73.0,
        thrift_share=0.25,
        thrift_after_months=3,
    )
    world = instance(scenarios=[(1.0, [lost(1, 6), lost(10, 3)])], months=24, commercial=(firms,))
    for _, made in both(world):
        assert unserved(made, 0.0) == pytest.approx([6.0 + 22.5 + 18.0])


def test_a_stock_is_bought_back_by_its_rate():
    """30 t are used up; a sixth a month brings 15 t back in three months, 30 t in six and twelve.

    So the second event of three months leaves 15 t, 0 t and 0 t.
    """
    for calm, left in ((3, 15.0), (6, 0.0), (12, 0.0)):
        world = instance(
            scenarios=[(1.0, [lost(1, 3), lost(4 + calm, 3)])],
            months=36,
        )
        nation = replace(world.participants[0], refill_per_month=1 / 6)
        for _, made in both(replace(world, participants=(nation,))):
            assert unserved(made, 30.0) == pytest.approx([left], abs=1e-9)


def test_plants_make_what_their_monthly_capacity_says():
    """Of 60 t in six months the stock serves 30 t in three, a plant 4 t a month from then on."""
    for _, made in both(with_a_plant()):
        assert unserved(made, 30.0) == pytest.approx([60.0 - 30.0 - 3.0 * 4.0])


def with_a_plant():
    plant = Conversion(
        conversion="plant",
        participant="us",
        from_material="ore",
        to_material="m",
        yield_=1.0,
        capacity_t_per_month=4.0,
        lag_months=0,
        cost_usd_per_t=0.0,
    )
    return instance(
        scenarios=[(1.0, [lost(1, 6)])],
        materials=("ore", "m"),
        demand={("us", "ore"): (0.0,), ("us", "m"): (10.0,)},
        conversions=(plant,),
    )


@pytest.mark.parametrize(("lead", "months"), [(0.0, 0), (3.0, 3), (6.0, 6)])
def test_projects_deliver_from_their_lead_time_on(lead, months):
    """6 t a month from then on, of 10 t a month for nine months."""
    world = instance(
        scenarios=[(1.0, [lost(1, 9)])],
        projects=(project(output=6.0, lead_median_months=lead),),
    )
    for _, made in both(world):
        assert unserved(made, 0.0, states=1) == pytest.approx([90.0 - 6.0 * (9 - months)])


def test_a_project_starts_in_the_week_in_which_its_time_is_over():
    """5.3 months less 2.3 are 13 weeks; 2.5 months are 10.83 weeks: the 11th week is the first."""
    fast = project(
        output=1.0,
        lead_median_months=5.3,
        fast_track_usd=0.0,
        fast_track_months=2.3,
        ramp_months=6,
    )
    slow = project("other", output=1.0, lead_median_months=2.5, ramp_months=0)
    world = instance(scenarios=[(1.0, [lost(1)])], projects=(fast, slow))
    projects = build_problem(weekly(world)).projects
    leads = projects.lead_median[None, :]
    assert projects.first_period(leads, np.array([2, 1])).tolist() == [[13, 10]]
    assert projects.ramp.tolist() == [26.0, 1.0]


def test_recycling_grows_week_by_week_to_the_same_rate():
    """A tenth, growing by 0.12 a year from three months on, at most 0.15: on the 13th week after.

    After 3 + n weeks' delay the rate is 0.1 + 0.12 n / 52.
    """
    row = Recycling(
        participant="us",
        material="m",
        collection_rate=0.1,
        collection_growth_per_year=0.12,
        collection_max=0.15,
        delay_months=3,
    )
    world = instance(scenarios=[(1.0, [])], recycling=(row,))
    found = build_problem(weekly(world)).recycled[0, 0]
    rates = [min(0.15, 0.1 + 0.12 * max(0, week - 13) / 52) for week in range(52)]
    assert found == pytest.approx(np.array(rates) * 120.0 / 52)


def test_demand_and_costs_of_a_year_are_those_of_the_tables():
    world = instance(scenarios=[(1.0, [lost(1, 12)])], demand={("us", "m"): (7.0,)}, max_t=5.0)
    for name, made in both(world):
        problem = build_problem(made)
        assert problem.demand.sum() * {"month": 12, "week": 52}[name] == pytest.approx(84.0)
        plan = solve(made)
        # 1 USD/kg at 10 % a year; a missing tonne costs 1,000 USD.
        assert plan.holdings["holding_t"].tolist() == [5.0]
        assert plan.annual_cost_usd == pytest.approx(5.0 * 100.0 + 79.0 * 1000.0)
        assert plan.holdings["days_of_cover"].tolist() == pytest.approx([5.0 / 84.0 * 365.0])


def test_support_of_prices_and_caps_are_the_same_a_year():
    """A price floor pays 500 USD for each of 72 t a year while the price is halved, 6 of 12."""
    mine = project(output=6.0, operating_usd_per_t=1000.0)
    world = instance(scenarios=[(1.0, [cut(1, 6, 0.5), lost(1, 12)])], projects=(mine,))
    for _, made in both(world):
        (row,) = solve(made).projects.to_dict(orient="records")
        assert row["funded"]
        assert row["support_usd_per_year"] == pytest.approx(500.0 * 36.0)
        assert row["output_t_per_year"] == pytest.approx(72.0)


def test_rates_and_times_of_results_stay_in_months():
    """What a plant makes and ships, what is owed, and when projects start, which is not rounded."""
    plants = with_a_plant()
    for _, made in both(plants):
        problem = build_problem(made)
        (block,) = build_blocks(problem)
        decisions = (
            np.array([[100, 30]]),
            np.zeros((1, 2), np.int64),
            np.zeros(0, np.int64),
        )
        scenarios = scenario_set(made, problem)
        with Workers(1) as workers:
            flows = block_flows(problem, block, scenarios, workers, decisions, sharing=True)
        assert flows.months.tolist() == pytest.approx([6.0, 6.0])
        # 4 t a month in three of six months.
        assert flows.made[:, 0].tolist() == pytest.approx([2.0, 2.0])
        assert flows.full.tolist() == pytest.approx([0.5])
        assert flows.unserved.sum() == pytest.approx(18.0)
    mine = project(output=6.0, lead_median_months=3.0, ramp_months=6)
    cap = ConcentrationCap(participant=("us",), source=("g",), max_share=0.25)
    world = two_nations(projects=(mine,), concentration=(cap,))
    for _, made in both(world):
        problem = build_problem(made)
        scenarios = scenario_set(made, problem)
        (start,) = starts(problem, scenarios, np.array([1]))
        assert (start.early, start.median, start.late, start.full) == (4, 4, 4, 9)
        (reserve,) = reserves(problem, (start,), np.zeros((2, 1), np.int64))
        assert (reserve.supplied, reserve.output) == pytest.approx((10.0, 6.0))
        (limit,) = build_caps(made, problem)
        # 10 t of 10 t and 6 t: 10 - 0.25 * 6 may be at most 0.25 * 10 t a month.
        assert (limit.coefficient[0], limit.limit) == pytest.approx((-1.5, -7.5))
        rows = article7_rows(problem, "s0", supply_loss(problem, scenarios, 0), np.full((2, 1), 50))
        assert [row["months"] for row in rows] == [9, 9]
        assert [row["consumption_t_per_month"] for row in rows] == pytest.approx([10.0, 10.0])
        assert [row["available_t_per_month"] for row in rows] == pytest.approx([10.0, 0.0])
        assert sum(row["balance_t_per_month"] for row in rows) == pytest.approx(0.0)


# --- Months of another calendar -------------------------------------------------------------------


def begin(month):
    return round((month - 1) * A_MONTH)


def whole(months):
    return round(months * A_MONTH)


def as_months(world):
    """Return an instance in months each of which is a week of another.

    Written in plain numbers, table by table. A year of it is 12 weeks: what a year of it costs is
    that of 52 weeks where everything that is paid by the tonne costs as much more. What firms hold
    is left out in both, for no table says how fast they fill it again.
    """
    yearly = {}
    for row in world.demand:
        key = row.participant, row.material
        yearly[key] = yearly.get(key, 0.0) + row.demand_t_per_year
    held = {(row.participant, row.material): row for row in world.holdings}
    holdings = []
    for c, m in itertools.product(world.participants, world.materials):
        key = c.participant, m.material
        row = held.get(key, Holding(participant=key[0], material=key[1]))
        most = yearly.get(key, 0.0) if row.max_t is None else row.max_t
        holdings.append(replace(row, max_t=most))

    def of_events(rows):
        return tuple(
            replace(
                row,
                start_month=begin(row.start_month) + 1,
                duration_months=begin(row.start_month + row.duration_months)
                - begin(row.start_month),
            )
            for row in rows
        )

    def each(rows, **changes):
        return tuple(
            replace(row, **{name: change(getattr(row, name)) for name, change in changes.items()})
            for row in rows
        )

    def shorter(value):
        return value / A_MONTH

    def longer(value):
        return value * A_MONTH

    return replace(
        world,
        period="month",
        horizon_months=whole(world.horizon_months),
        participants=each(world.participants, refill_per_month=shorter),
        classes=each(world.classes, shortage_cost_multiple=longer),
        shortage=each(world.shortage, shortage_cost_usd_per_kg=longer),
        demand=each(world.demand, demand_t_per_year=shorter),
        holdings=tuple(holdings),
        events=of_events(world.events),
        stress=of_events(world.stress),
        coverage=tuple(
            replace(row, level=longer(row.level)) if row.metric == "days" else row
            for row in world.coverage
        ),
        rules=each(
            world.rules,
            from_month=whole,
            draw_limit_per_month=lambda limit: limit if limit == 1.0 else shorter(limit),
        ),
        transfers=each(world.transfers, lag_months=whole, cost_usd_per_t=longer),
        commercial=each(world.commercial, thrift_after_months=whole),
        conversions=each(
            world.conversions,
            capacity_t_per_month=shorter,
            lag_months=whole,
            cost_usd_per_t=longer,
        ),
        projects=each(
            world.projects,
            capacity_t_per_year=shorter,
            lead_median_months=longer,
            fast_track_months=longer,
            slip_months=longer,
            ramp_months=whole,
        ),
        project_products=each(world.project_products, capacity_t_per_year=shorter),
        leads=each(world.leads, lead_months=longer),
        recycling=each(world.recycling, collection_growth_per_year=shorter, delay_months=whole),
    )


@random_worlds
@pytest.mark.parametrize("seed", range(24))
def test_a_plan_in_weeks_costs_what_it_does_in_months_of_another_calendar(tmp_path, seed):
    write_random_instance(tmp_path / "world", seed)
    world = without_firms(weekly(sp.load(tmp_path / "world")))
    plan, same = solve(world), solve(as_months(world))
    assert plan.status == same.status
    if plan.found:
        assert plan.annual_cost_usd == pytest.approx(same.annual_cost_usd, rel=1e-7, abs=1e-6)
        bounds = [
            sp.foresight(made, progress=False).bound_usd for made in (world, as_months(world))
        ]
        assert bounds[0] == pytest.approx(bounds[1], rel=1e-6, abs=1e-6)
        assert bounds[0] <= plan.annual_cost_usd * (1.0 + 1e-9) + 1e-6


def chain_world(folder, seed):
    """A random instance with plants, projects and recycling, in weeks."""
    folder.mkdir()
    made = ChainInstance(seed)
    (folder / "instance.toml").write_text(made.settings(), encoding="utf-8")
    for table, rows in made.tables().items():
        if rows:
            write_table(folder / f"{table}.csv", rows)
    return without_firms(weekly(sp.load(folder)))


def without_firms(world):
    rows = tuple(replace(row, industry_days=0.0) for row in world.commercial)
    return replace(world, commercial=rows)


def courses(world, state):
    """The problem of an instance and the needs of its blocks, all projects in one state."""
    problem = build_problem(world)
    scenarios = scenario_set(world, problem)
    chosen = np.full(problem.projects.count, state)
    with Workers(1) as workers:
        blocks = build_blocks(problem)
        return problem, [(b, block_needs(problem, b, scenarios, workers, chosen)) for b in blocks]


@random_worlds
@pytest.mark.parametrize("seed", range(40))
def test_needs_and_steps_are_those_of_months_of_another_calendar(tmp_path, seed):
    """With plants, projects and what they start with, and recycling."""
    world = chain_world(tmp_path / "world", seed)
    problem, mine = courses(world, state=1 + seed % 2)
    other, theirs = courses(as_months(world), state=1 + seed % 2)
    assert problem.horizon == other.horizon
    for name in ("breakpoints", "level", "limit", "trigger"):
        mine_, theirs_ = getattr(problem.menu, name), getattr(other.menu, name)
        np.testing.assert_allclose(mine_, theirs_, rtol=1e-12)
    np.testing.assert_allclose(problem.refill, other.refill, rtol=1e-12)
    for (block, needs), (same, expected) in zip(mine, theirs, strict=True):
        for name in ("scenario", "month", "calm", "age", "blocked"):
            assert getattr(needs, name).tolist() == getattr(expected, name).tolist(), name
        np.testing.assert_allclose(needs.need, expected.need, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(needs.loss, expected.loss, rtol=1e-12, atol=1e-12)
        assert block.steps.lag.tolist() == same.steps.lag.tolist()
        assert block.steps.stream.tolist() == same.steps.stream.tolist()
        everything = np.ones(block.steps.count, dtype=np.bool_)
        np.testing.assert_allclose(
            block.steps.pools.under(everything), same.steps.pools.under(everything), rtol=1e-9
        )


@random_worlds
@given(st.integers(0, 10**6), seeds)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_weeks_keep_tonnes_and_more_stock_never_leaves_more_unserved(
    tmp_path_factory, seed, more_seed
):
    """Conservation, Proposition 1, and the kernel against the plain simulation."""
    world = chain_world(tmp_path_factory.mktemp("weeks") / "world", seed)
    problem, found = courses(world, state=0)
    rng = np.random.default_rng(more_seed)
    for block, needs in found:
        steps, P = block.steps, 3
        most = 1.0 + needs.total.max(initial=0.0)
        holding = most * rng.random((block.num_stocks, P))
        more = holding + most * rng.random(holding.shape) * (rng.random(holding.shape) < 0.5)
        rule = rng.integers(0, len(problem.menu.rules), (len(problem.participants), P))
        refill = problem.refill[block.market_participant]
        request = Request.of(range(block.num_streams), range(steps.count))
        unserved_of = []
        for held in (holding, more):
            terms = candidate_terms(problem.menu, steps, held, rule)
            slow = simulate_months(block, needs, terms, refill, problem.horizon)
            with Workers(1) as workers:
                course = Course.of(needs, steps, problem.menu.breakpoints, workers)
                fast = simulate(block, course, terms, refill, request, workers)
            np.testing.assert_allclose(fast.unserved_of, slow.unserved, rtol=1e-9, atol=1e-9)
            released = slow.released.sum(axis=1)
            np.testing.assert_allclose(fast.released_of, released, rtol=1e-9, atol=1e-9)
            served = np.zeros_like(slow.unserved)
            for j in range(steps.count):
                served[:, steps.stream[j]] += released[:, j]
            total = served + slow.unserved
            np.testing.assert_allclose(total, np.repeat(needs.total[:, :, None], P, 2), atol=1e-7)
            unserved_of.append(slow.unserved)
        assert np.all(unserved_of[1] <= unserved_of[0] + 1e-9)


# --- On average -----------------------------------------------------------------------------------

MEDIAN, SIGMA, PER_YEAR, YEARS = 12.0, 0.5, 0.3, 10


def hazardous(count=6000, **cells):
    usual = {
        "hazard": "halt",
        "source": "g",
        "events_per_year": PER_YEAR,
        "duration_median_months": MEDIAN,
        "duration_sigma": SIGMA,
        "severity_mean": 0.6,
        "severity_sd": 0.2,
    }
    world = instance(
        scenarios=[], months=12 * YEARS, hazards=(Hazard(**(usual | cells)),), share=0.9
    )
    return replace(world, scenario_settings=replace(world.scenario_settings, count=count, seed=5))


def mean_duration(per_month):
    """Mean of a lognormal duration rounded to whole periods of at least 1, in months."""
    law = stats.lognorm(SIGMA, scale=MEDIAN * per_month)
    longest = int(law.ppf(1.0 - 1e-12))
    at_least = law.sf(np.arange(2, longest) - 0.5)  # P(D >= 2), P(D >= 3), ...
    return (1.0 + at_least.sum()) / per_month


def mean_active(per_month):
    """Mean time within the horizon in which an event is active, in months.

    It starts in each period with the same probability and lasts to the end of the horizon at most.
    """
    horizon = round(12 * YEARS * per_month)
    law = stats.lognorm(SIGMA, scale=MEDIAN * per_month)
    at_least = np.concatenate([[1.0], law.sf(np.arange(2, horizon + 1) - 0.5)])
    return float((at_least * np.arange(horizon, 0, -1)).sum()) / horizon / per_month


def within(values, expected, errors=ERRORS):
    """Say whether a mean is what is expected, within so many standard errors."""
    values = np.asarray(values, dtype=float)
    return abs(values.mean() - expected) <= errors * values.std(ddof=1) / math.sqrt(values.size)


@pytest.mark.parametrize("name", ["month", "week"])
def test_arrivals_and_durations_are_those_of_their_laws(name):
    world = replace(hazardous(), period=name)
    problem = build_problem(world)
    scenarios = scenario_set(world, problem)
    per_month = {"month": 1.0, "week": A_MONTH}[name]
    assert within(np.diff(scenarios.first), PER_YEAR * YEARS)
    assert within((scenarios.end - scenarios.start) / per_month, mean_active(per_month))
    # Of events that begin in the first half hardly any reaches the end.
    early = scenarios.start < problem.horizon // 2
    lasting = (scenarios.end - scenarios.start)[early] / per_month
    assert within(lasting, mean_duration(per_month))
    # Rounding is fair: the mean of the law itself is within a thousandth of that.
    assert mean_duration(per_month) == pytest.approx(
        stats.lognorm(SIGMA, scale=MEDIAN).mean(), rel=1e-3
    )


def test_what_follows_an_event_begins_after_its_delay():
    """A month later, which is 4 weeks, or three months, which are 13."""
    for months, weeks in ((0, 0), (1, 4), (3, 13)):
        world = hazardous(count=50, duration_median_months=1.0)
        after = replace(
            world.hazards[0],
            hazard="after",
            events_per_year=0.0,
            follows="halt",
            follow_probability=1.0,
            follow_delay_months=months,
        )
        world = weekly(replace(world, hazards=(world.hazards[0], after)))
        problem = build_problem(world)
        drawn = scenario_set(world, problem)
        for events in (slice(*pair) for pair in itertools.pairwise(drawn.first.tolist())):
            first = drawn.start[events][drawn.scope[events] == 0]
            later = drawn.start[events][drawn.scope[events] == 1]
            expected = first + weeks
            assert sorted(later) == sorted(expected[expected < problem.horizon])


def test_the_same_scenarios_happen_in_weeks_as_in_months():
    """A seed names the same events, in finer steps: never more than a step of a month apart."""
    months, weeks = (
        scenario_set(world, build_problem(world)) for _, world in both(hazardous(count=500))
    )
    assert months.first.tolist() == weeks.first.tolist()
    assert months.severity.tolist() == weeks.severity.tolist()
    assert np.abs(weeks.start / A_MONTH - months.start).max() < 1.0 + 1e-9


@pytest.mark.parametrize("holding", [0.0, 40.0, 120.0])
def test_weeks_agree_with_months_on_average(holding):
    """What is left unserved, scenario by scenario of the same events.

    A month and a week differ in where the horizon cuts events off: those of months begin half a
    month early on average, those of weeks half a week. That is known (`mean_active`), and what is
    unserved cannot change by more than the need of that time: at most 9 t a month an event. What
    is left is sampling error.
    """
    months, weeks = (unserved(world, holding) for _, world in both(hazardous()))
    difference = weeks - months
    error = difference.std(ddof=1) / math.sqrt(difference.size)
    cut_off = PER_YEAR * YEARS * 0.6 * 9.0 * abs(mean_active(1.0) - mean_active(A_MONTH))
    assert abs(difference.mean()) <= ERRORS * error + cut_off
    # Pairs tell much more than the means alone, which agree all the more.
    alone = math.hypot(*(x.std(ddof=1) / math.sqrt(x.size) for x in (months, weeks)))
    assert error < alone / 5
    if holding == 0.0:
        known = difference.mean() - PER_YEAR * YEARS * 5.4 * (
            mean_active(A_MONTH) - mean_active(1.0)
        )
        assert abs(known) <= ERRORS * error


def test_weeks_resolve_short_events_that_months_round_up():
    """A stop of half a month is 2 weeks, but a whole month in months: twice as long."""
    made = hazardous(duration_median_months=0.5, duration_sigma=0.0, severity_sd=0.0)
    months, weeks = (unserved(world, 0.0) for _, world in both(made))
    assert weeks.sum() / months.sum() == pytest.approx(2 / A_MONTH, rel=0.02)


def test_the_cost_of_a_plan_agrees():
    """Plans from the same scenarios: a year costs the same within what sampling leaves open."""
    world = replace(hazardous(count=3000))
    world = replace(
        world,
        holdings=(Holding(participant="us", material="m", min_t=60.0, max_t=60.0),),
        materials=(replace(world.materials[0], lot_t=60.0),),
    )
    plans = [sp.solve(made, progress=False) for _, made in both(world)]
    assert [plan.holdings["holding_t"].tolist() for plan in plans] == [[60.0], [60.0]]
    costs = [plan.annual_cost_usd for plan in plans]
    error = 1000.0 * unserved(world, 60.0).std(ddof=1) / math.sqrt(3000) / YEARS
    assert abs(costs[0] - costs[1]) <= ERRORS * error


# --- The file -------------------------------------------------------------------------------------


def with_period(parent, text):
    parent.mkdir()
    folder = tiny_folder(parent)
    edit(folder, "instance.toml", 'allocation = "priority"', f'allocation = "priority"\n{text}')
    return folder


@pytest.fixture(name="tiny")
def _tiny(tmp_path):
    return tiny_folder(tmp_path)


def test_a_month_is_the_default_and_saving_does_not_spell_it_out(tiny, tmp_path):
    plain = sp.load(tiny)
    said = sp.load(with_period(tmp_path / "said", 'period = "month"'))
    assert plain == said
    assert plain.content_hash == said.content_hash
    text = (sp.save(said, tmp_path / "saved") / "instance.toml").read_text(encoding="utf-8")
    assert "period" not in text


def test_weeks_are_saved_and_are_another_instance(tiny, tmp_path):
    world = sp.load(with_period(tmp_path / "weeks", 'period = "week"'))
    assert world == weekly(sp.load(tiny))
    assert sp.load(sp.save(world, tmp_path / "saved")) == world
    assert world.content_hash != sp.load(tiny).content_hash
    assert sp.load(tiny, changes=["period=week"]) == world


def test_another_period_is_a_mistake_that_says_where(tmp_path):
    folder = with_period(tmp_path / "daily", 'period = "day"')
    with pytest.raises(sp.InstanceError) as raised:
        sp.load(folder)
    (mistake,) = raised.value.mistakes
    assert mistake.file.endswith("instance.toml")
    assert (mistake.column, mistake.value, mistake.line) == ("period", '"day"', 7)
    assert "month" in str(mistake)
    assert "week" in str(mistake)


def test_rules_are_told_in_the_steps_that_are_followed(tiny):
    world = sp.load(tiny)
    rule = next(r for r in build_problem(weekly(world)).menu.rules if r.name == "tiered")
    assert (
        "industry until 50% of the holding is left, at most 25% of the holding a month, only if "
        "the loss is 10% or more, after 6 months until"
    ) in describe(rule, ("defense", "industry"))
    assert (
        "industry until 50% of the holding is left, at most 5.769% of the holding a week, only if "
        "the loss is 10% or more, after 26 weeks until"
    ) in describe(rule, ("defense", "industry"), WEEK)


def test_counter_moves_are_refused_in_weeks():
    world = weekly(instance(scenarios=[(1.0, [lost(1)])]))
    with pytest.raises(sp.UsageError, match="--set period=month"):
        sp.counter_moves(world, solve(world))


# --- The desk -------------------------------------------------------------------------------------


def embargo(**more):
    """10 t a month are needed while the source is lost; a missing tonne costs 1,000 USD."""
    return instance(scenarios=[(1.0, [lost(6)])], months=24, max_t=40.0, **more)


def state(stock, **more):
    """An embargo of three months; what is held is full at the beginning."""
    lasting = {
        "event": "embargo",
        "source": "g",
        "severity": 1.0,
        "duration_median_months": 3.0,
        "duration_sigma": 0.0,
    }
    began = {"start_month": 1} if "month" in more else {"start_week": 1}
    return sp.State(
        stocks=(StockLevel(participant="us", material="m", stock_t=stock),),
        ongoing=(Ongoing(**lasting, **began),),
        **more,
    )


def test_a_release_of_a_week_is_twelve_52nds_of_that_of_a_month():
    released = {}
    for name, world in both(embargo()):
        found = sp.respond(world, solve(world), state(30.0, **{name: 1}), continuations=10)
        (released[name],) = found.orders["taken_t"].tolist()
    assert released["month"] == pytest.approx(10.0)
    assert released["week"] == pytest.approx(10.0 * 12 / 52)


def test_orders_run_out_weeks_and_chances_by_hand():
    """In week 5 of 13 there are 10 t: at 2.31 t a week they are gone in the fifth from now.

    20.8 t are needed until then, so 10.8 t are missing; the event is over in two months.
    """
    world = weekly(embargo())
    plan = solve(world)
    found = sp.respond(world, plan, state(10.0, week=5), continuations=10, months=12)
    assert (found.period, found.month, found.months) == ("week", 5, 52)
    assert found.events["start_week"].tolist() == [1]
    assert found.events["chance_3_more_months"].tolist() == [0.0]
    assert found.runouts["week_50"].tolist() == [5.0]
    assert found.runouts["chance_in_3_months"].tolist() == [1.0]
    assert found.ahead["week"].tolist() == [1, 2, 3, 4, 5]
    cost = found.alternatives.set_index("alternative")["cost_usd"]
    assert cost["follow"] == pytest.approx(1000.0 * (9 * 120 / 52 - 10.0))
    summary = found.summary()
    assert (summary["week"], summary["weeks"]) == (5, 52)
    assert "month" not in summary


def test_a_month_in_a_state_is_its_first_week():
    world = weekly(embargo())
    plan = solve(world)
    by_month = sp.respond(world, plan, state(10.0, month=2), continuations=10)
    by_week = sp.respond(world, plan, state(10.0, week=5), continuations=10)
    assert by_month.to_json() == by_week.to_json()


@pytest.mark.parametrize(
    ("name", "moment", "began", "message"),
    [
        ("month", {"week": 2}, {"start_month": 1}, 'week 2 needs an instance with period = "week"'),
        ("month", {"month": 1}, {"start_week": 1}, "start_week 1 needs an instance with"),
        ("month", {"month": 1}, {}, "start_month is missing: expected a whole number"),
        ("week", {}, {"start_week": 1}, "month or week is missing"),
        ("week", {"month": 1, "week": 2}, {"start_week": 1}, "are both given"),
        ("week", {"week": 4}, {"start_week": 5}, "start_week 5 has not come: the current week is"),
        ("week", {"week": 14}, {"start_week": 1}, "no event of this kind is active in its week 14"),
    ],
)
def test_wrong_moments_of_a_state_are_named(name, moment, began, message):
    world = replace(embargo(), period=name)
    plan = solve(world)
    good = state(1.0, **{name: 1})
    bad = replace(
        good,
        ongoing=(replace(good.ongoing[0], **{"start_month": None, "start_week": None} | began),),
        **{"month": None, "week": None} | moment,
    )
    with pytest.raises(sp.InstanceError, match="^.*" + message.replace("(", r"\(")):
        sp.respond(world, plan, bad, continuations=2)


def bridged(**more):
    """Firms have 30 t, 13 weeks of use, which a week without a gap refills by 30/26 t."""
    firms = Commercial(participant="us", material="m", industry_days=365.0 / 4.0)
    return weekly(embargo(commercial=(firms,), **more))


def again(*over):
    """An embargo of week 18, and others that are over."""
    rows = (Ongoing(event=f"{number}", source="g", severity=1.0, **row) for number, row in over)
    (now,) = state(5.0, week=20).ongoing
    return replace(state(5.0, week=20), ongoing=(replace(now, start_week=18), *rows))


def test_firms_have_used_their_own_stocks_in_what_is_over():
    """Weeks 1 to 13 take all 30 t, four weeks bring 4.6 t, and two take them: week 20 has none."""
    world = bridged()
    plan = solve(world)
    by_week = again((1, {"start_week": 1, "last_week": 13}))
    found = sp.respond(world, plan, by_week, continuations=10)
    assert found.needed["need_t"].tolist() == pytest.approx([120 / 52])
    assert found.events["event"].tolist() == ["embargo"]
    by_month = again((1, {"start_month": 1, "last_month": 3}))
    assert sp.respond(world, plan, by_month, continuations=10).to_json() == found.to_json()
    assert not len(sp.respond(world, plan, again(), continuations=10).needed)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"start_week": 5, "last_week": 4}, "last_week 4 is before start_week 5"),
        ({"start_month": 3, "last_week": 8}, "last_week 8 is before start_month 3"),
        ({"start_week": 5, "last_week": 20}, "last_week 20 is not over: the current week is 20"),
        ({"start_week": 5, "last_month": 5}, "last_month 5 is not over: the current week is 20"),
        ({"start_week": 5, "last_week": 6, "last_month": 2}, "last_month 2 and last_week 6 are"),
        (
            {"start_week": 5, "last_week": 6, "duration_median_months": 1.0},
            "an event with a last_week is over",
        ),
    ],
)
def test_weeks_in_which_nothing_can_be_over_are_refused(row, message):
    world = bridged()
    with pytest.raises(sp.InstanceError, match=message):
        sp.respond(world, solve(world), again((1, row)), continuations=2)


def test_a_last_week_needs_an_instance_in_weeks():
    world = embargo()
    row = Ongoing(event="e", source="g", severity=1.0, start_month=1, last_week=2)
    with pytest.raises(sp.InstanceError, match="last_week 2 needs an instance with period"):
        sp.respond(world, solve(world), sp.State(month=3, ongoing=(row,)), continuations=2)


def test_replays_know_in_which_week_an_event_was_over():
    """In week 18 firms have 4.6 t, two weeks of use: 5 t are gone three weeks after these."""
    case = (
        StressEvent(stress="case", source="g", start_month=1, duration_months=3, severity=1.0),
        StressEvent(stress="case", source="g", start_month=5, duration_months=1, severity=1.0),
    )
    holding = replace(held(5.0)[0], existing_t=5.0)
    world = bridged(stress=case, holdings=(holding,))
    told = []
    walked = sp.replay(
        world,
        solve(world),
        "case",
        existing=True,
        months=5,
        continuations=50,
        progress=told.append,
    )
    assert [item.what for item in told] == [f"week {week}" for week in range(1, 23)]
    assert walked.stocks.set_index("week").loc[18, "week_50"] == 5.0


def test_order_sheets_between_bands_are_12_52nds_of_those_of_a_month(tmp_path, capsys):
    """A month's releases are at most 30 % of what is held, of 60 to 90 days 5.92 to 8.88 t."""
    transfers = (
        Transfer(from_participant="us", to_participant="japan"),
        Transfer(from_participant="japan", to_participant="us"),
    )
    rule = RuleRow(rule="some", relation=("*",), demand_class=("*",), draw_limit_per_month=0.3)
    ends, sides = {}, ("us", "japan")
    for name, world in both(embargo(participants=sides, transfers=transfers)):
        sp.save(replace(world, rules=(rule,)), tmp_path / name)
        world = sp.load(tmp_path / name)
        plan = replace(solve(world), instance_hash=world.content_hash)
        plan = replace(plan, holdings=plan.holdings.assign(lots=[50, 25], holding_t=[50.0, 25.0]))
        day = state(50.0, **{name: 2})
        own, stock = day.stocks[0], StockLevel(participant="japan", material="m", stock_t=15.0)
        hidden = sp.redacted_state(replace(day, stocks=(own, stock)), world, "japan")
        shared = sp.redacted_plan(plan, world, "japan")
        sheet = sp.side_orders(world, shared, hidden, "us").orders.set_index("beneficiary")
        ends[name] = sheet.loc["japan", ["taken_least_t", "taken_most_t"]].to_numpy(dtype=float)
        sp.save_state(hidden, tmp_path / f"{name}-state")
        shared.save(tmp_path / f"{name}-shared")
        asked = [str(tmp_path / name), str(tmp_path / f"{name}-shared")]
        asked += ["--state", str(tmp_path / f"{name}-state")]
        assert cli.main(["respond", *asked, "--side", "us"]) == 0
        assert f"Order sheet of us, {name} 2" in capsys.readouterr().out
    day = 120.0 / 365.0
    assert ends["month"] == pytest.approx([10.0 - 0.3 * 90 * day, 10.0 - 0.3 * 60 * day])
    assert ends["week"] == pytest.approx(ends["month"] * 12 / 52)


def test_states_are_read_as_they_were_written(tmp_path):
    world = weekly(embargo())
    plan = solve(world)
    begun = sp.begun_state(world, plan, week=7)
    assert begun.month is None
    sp.save_state(begun, tmp_path / "state")
    assert "week = 7" in (tmp_path / "state" / "state.toml").read_text(encoding="utf-8")
    assert "start_week" in (tmp_path / "state" / "ongoing.csv").read_text(encoding="utf-8")
    assert sp.load_state(tmp_path / "state", world, plan) == begun
    over = replace(state(1.0, week=7).ongoing[0], last_week=3, duration_median_months=None)
    over = replace(over, duration_sigma=None)
    sp.save_state(replace(begun, ongoing=(over,)), tmp_path / "state")
    assert sp.load_state(tmp_path / "state", world, plan).ongoing == (over,)
    assert sp.begun_state(world, plan).month == 1
    with pytest.raises(sp.UsageError, match="week is 0"):
        sp.begun_state(world, plan, week=0)
    with pytest.raises(sp.UsageError, match='period = "week"'):
        sp.begun_state(embargo(), plan, week=1)


def test_a_project_delivers_after_this_week_or_since_it_has_started():
    mine = project(output=10.0, capital=1.0, lead_median_months=1.0)
    world = weekly(embargo(projects=(mine,)))
    plan = solve(world)
    late = sp.respond(world, plan, state(0.0, week=6), continuations=10)
    assert late.needed["unserved_t"].tolist() == pytest.approx([120 / 52])
    assert late.alternatives["cost_usd"].iloc[0] == pytest.approx(1000.0 * 120 / 52)
    there = state(0.0, week=6, started=(Started(project="mine", start_week=5),))
    assert len(sp.respond(world, plan, there, continuations=10).needed) == 0


def test_walking_week_by_week_is_what_the_whole_case_does():
    case = (
        StressEvent(stress="case", source="g", start_month=2, duration_months=1, severity=1.0),
        StressEvent(stress="case", source="g", start_month=4, duration_months=2, severity=0.5),
    )
    nation = replace(embargo().participants[0], refill_per_month=0.25)
    outcomes = (Outcome(stress="case", month=4, outcome="Plants stop"),)
    world = weekly(embargo(stress=case, outcomes=outcomes, holdings=held(12.0)))
    world = replace(world, participants=(nation,))
    plan = solve(world)
    walked, whole = sp.replay(world, plan, "case", continuations=2), sp.stress_runs(world, plan)
    # Months 2, and 4 and 5; three months more.
    assert walked.months["week"].tolist() == list(range(1, 35 + 1))
    need = walked.months.set_index("week")["need_t"]
    assert need[need > 0.0].index.tolist() == [*range(5, 10), *range(14, 23)]
    merged = walked.needed.merge(whole.needs, on=["week", "demand_class"], suffixes=("", "_whole"))
    assert len(merged) == len(whole.needs)
    for name in ("need_t", "own_t", "unserved_t"):
        np.testing.assert_allclose(merged[name], merged[f"{name}_whole"], atol=1e-9)
    left = whole.stocks.set_index("week")["state_t"]
    for row in walked.stocks.to_dict(orient="records"):
        assert row["stock_t"] == pytest.approx(left[row["week"] - 1], abs=1e-9)
    told = walked.months.set_index("week")["outcome"]
    assert told[told != ""].to_dict() == {14: "Plants stop."}


def held(tonnes):
    return (Holding(participant="us", material="m", min_t=tonnes, max_t=tonnes),)


# --- Commands and reports -------------------------------------------------------------------------


def test_every_step_from_solving_to_the_report_speaks_of_weeks(tmp_path, capsys):
    case = StressEvent(stress="case", source="g", start_month=1, duration_months=2, severity=1.0)
    rule = RuleRow(
        rule="slow", relation=("own",), demand_class=("*",), from_month=1, draw_limit_per_month=0.5
    )
    world = embargo(
        participants=("us", "japan"),
        stress=(case,),
        holdings=held(12.0),
        rules=(rule,),
        projects=(project(output=1.0),),
    )
    folder, result = str(sp.save(world, tmp_path / "world")), str(tmp_path / "plan")
    week = ["--set", "period=week"]

    def run(*words):
        assert cli.main([str(word) for word in words]) == 0
        return capsys.readouterr().out

    run("solve", folder, *week, "--out", result)
    instruction = sp.Plan.load(result).rules["instruction"].iloc[0]
    assert "only after 4 weeks of a gap" in instruction
    assert "11.54% of the holding a week" in instruction
    run("evaluate", folder, result, *week)
    run("compare", folder, *week, "--out", tmp_path / "compare")
    run("state", folder, *week, result, "--week", 1, "--out", tmp_path / "state")
    page = tmp_path / "page.md"
    state_ = ["--state", tmp_path / "state", "--continuations", 10]
    assert ", week 1\n" in run("respond", folder, *week, result, *state_, "--briefing", page)
    assert "week 1 of the plan" in page.read_text(encoding="utf-8")
    assert "Order sheet of us, week 1" in run(
        "respond", folder, *week, result, *state_[:2], "--side", "us"
    )
    assert (tmp_path / "compare" / "article7.csv").exists()
    text = run("replay", folder, *week, result, "--stress", "case", "--continuations", 2)
    assert "Week by week, all materials" in text
    assert "First unserved class0 need in week 1" in text
    run("report", result, "--instance", folder, *week, "--out", tmp_path / "report", "--md")
    (report,) = (tmp_path / "report").glob("*.md")
    text = report.read_text(encoding="utf-8")
    assert "simulated week by week" in text
    assert "At most in a week" in text
    assert "over 9 weeks" in text
    assert "week 5 of the event" in text
