"""What holds for all projects: random instances, drawn lead times, and every variant of a block."""

from __future__ import annotations

import functools
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import project_oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project_instances import files, funded, instance, lost, project, solve
from random_chains import write_chain_instance
from scipy import stats

import stockpile as sp
from stockpile.blocks import build_blocks
from stockpile.evaluator import Evaluator
from stockpile.lead_times import drawn_leads
from stockpile.needs import block_needs
from stockpile.parallel import Workers
from stockpile.problem import build_problem
from stockpile.project_limits import build_project_limits
from stockpile.project_tables import dependence_table, projects_table
from stockpile.projects import FAST, FUNDED, NOT_FUNDED
from stockpile.scenarios import given_scenarios, scenario_set, stress_cases
from stockpile.simulate import candidate_terms, simulate_months
from stockpile.tables import Hazard, ScenarioSettings

pytestmark = pytest.mark.filterwarnings("ignore::stockpile.InstanceWarning")

STATE = {"": NOT_FUNDED, "funded": FUNDED, "fast": FAST}

# --- Lead times -----------------------------------------------------------------------------------

DRAWN = {
    "scenarios": (),
    "hazards": (
        Hazard(
            hazard="embargo",
            source="g",
            events_per_year=0.5,
            duration_median_months=3.0,
            duration_sigma=0.5,
            severity_mean=0.6,
            severity_sd=0.2,
        ),
    ),
}


def sampled(*projects, **more):
    return instance(**DRAWN | {"projects": projects} | more)


def leads_of(world, count, seed=1):
    return drawn_leads(build_problem(world).projects, count, seed)


def test_lead_times_are_lognormal():
    world = sampled(project(output=1.0, lead_median_months=30.0, lead_sigma=0.4))
    leads = leads_of(world, 20_000)[:, 0]
    assert stats.kstest(leads, stats.lognorm(s=0.4, scale=30.0).cdf).pvalue > 0.01
    for q in (0.05, 0.5, 0.95):
        # The standard error of a quantile: sqrt(q (1 - q) / n) over the density.
        exact = stats.lognorm(s=0.4, scale=30.0).ppf(q)
        error = np.sqrt(q * (1 - q) / leads.size) / stats.lognorm(s=0.4, scale=30.0).pdf(exact)
        assert np.quantile(leads, q) == pytest.approx(exact, abs=4.0 * error)


def test_slips_happen_as_often_as_they_should_and_not_because_of_the_lead_time():
    common = {"output": 1.0, "lead_median_months": 30.0, "lead_sigma": 0.4}
    plain = leads_of(sampled(project(**common)), 20_000)[:, 0]
    slips = sampled(project(**common, slip_probability=0.2, slip_months=24.0))
    late = leads_of(slips, 20_000)[:, 0] - plain
    assert set(np.round(late, 9)) == {0.0, 24.0}
    slipped = late > 1.0
    assert stats.binomtest(int(slipped.sum()), late.size, 0.2).pvalue > 0.01
    assert stats.ks_2samp(plain[slipped], plain[~slipped]).pvalue > 0.01
    certain = sampled(project(output=1.0, lead_median_months=7.0))
    assert set(leads_of(certain, 100)[:, 0]) == {7.0}


def test_lead_times_depend_on_nothing_but_seed_and_name():
    first = project(output=1.0, lead_median_months=30.0, lead_sigma=0.4)
    second = project("other", output=1.0, lead_median_months=20.0, lead_sigma=0.3)
    alone, both = leads_of(sampled(first), 5000), leads_of(sampled(second, first), 5000)
    assert np.array_equal(alone[:, 0], both[:, 1])
    assert np.array_equal(alone[:1000], leads_of(sampled(first), 1000))
    assert not np.array_equal(alone, leads_of(sampled(first), 5000, seed=2))
    assert stats.spearmanr(both[:, 0], both[:, 1]).pvalue > 0.01


def test_projects_leave_events_as_they_were_and_hazards_lead_times():
    first = project(output=1.0, lead_median_months=30.0, lead_sigma=0.4)
    bare, world = sampled(), sampled(first)
    drawn = [scenario_set(each, build_problem(each), 500, 3) for each in (bare, world)]
    for name in ("first", "start", "end", "severity", "source"):
        assert np.array_equal(getattr(drawn[0], name), getattr(drawn[1], name))
    louder = replace(world, hazards=(replace(world.hazards[0], hazard="war", events_per_year=2.0),))
    assert np.array_equal(drawn[1].lead, scenario_set(louder, build_problem(louder), 500, 3).lead)
    # How long a project takes says nothing about what happens meanwhile.
    events = np.diff(drawn[1].first)
    assert stats.spearmanr(drawn[1].lead[:, 0], events).pvalue > 0.01


def test_what_is_drawn_is_planned_on_and_judged_on_fresh_scenarios():
    """One month, all lost: the project helps where its lead time is below a month.

    In half of the scenarios it starts in time: 4 t of 10 t for 1,000 USD, 12 times a year.
    """
    world = instance(
        scenarios=(),
        hazards=(
            Hazard(
                hazard="embargo",
                source="g",
                events_per_year=300.0,
                duration_median_months=1.0,
                duration_sigma=0.0,
                severity_mean=1.0,
            ),
        ),
        months=1,
        projects=(project(output=4.0, capital=10.0, lead_median_months=1.0, lead_sigma=0.5),),
        scenario_settings=ScenarioSettings(count=4000, seed=5),
    )
    plan = solve(world)
    assert funded(plan) == ["mine"]
    helped = leads_of(world, 4000, 5)[:, 0] < 1.0
    assert stats.binomtest(int(helped.sum()), helped.size, 0.5).pvalue > 0.01
    cost = 12_000.0 * (10.0 - 4.0 * helped.mean()) + 1.0
    assert plan.annual_cost_usd == pytest.approx(cost)
    found = sp.evaluate(world, plan, scenarios=40_000, progress=False)
    assert found.low_usd < 12_000.0 * 8.0 + 1.0 < found.high_usd
    # 48,000 USD a year or nothing, with equal chances, 40,000 times: 1.96 x 24,000 / 200.
    assert found.high_usd - found.low_usd == pytest.approx(2 * 1.96 * 24_000.0 / 200.0, rel=0.01)


# --- Random instances against the oracle ----------------------------------------------------------


@functools.cache
def drawn(seed):
    """The oracle's reading, the instance and its problem."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", sp.InstanceWarning)
        inst, cooperation = write_chain_instance(Path(folder), seed)
        read = sp.load(folder)
    inst["cache"] = {}
    return inst, cooperation, read, build_problem(read)


def with_projects(count):
    """The first seeds whose instances have projects."""
    found, seed = [], 0
    while len(found) < count:
        if drawn(seed)[0]["projects"]:
            found.append(seed)
        seed += 1
    return found


RANDOM = with_projects(30)


def choices(inst):
    """A few choices of projects: none, and each state of each beside all others funded."""
    names = list(inst["projects"])
    yield dict.fromkeys(names, "")
    for name in names:
        for state in project_oracle.states_of(inst, name):
            yield dict.fromkeys(names, "funded") | {name: state}


@pytest.mark.parametrize("seed", RANDOM)
def test_shares_of_supply_are_those_of_the_oracle(seed):
    inst, _, _, problem = drawn(seed)
    for states in choices(inst):
        number = np.array([STATE[states[name]] for name in problem.projects.names])
        table = dependence_table(problem, number)
        rows = table.set_index(["participant", "material", "source"])
        seen = 0
        for c in inst["participants"]:
            for m in inst["materials"]:
                if not problem.demand[
                    problem.participants.index(c), problem.materials.index(m)
                ].any():
                    continue
                for column, chosen in (("before", {}), ("after", states)):
                    shares = project_oracle.dependence(inst, c, m, chosen)
                    named = {g: float(s) for g, s in shares.items() if s}
                    for source, share in named.items():
                        row = rows.loc[(c, m, source.removeprefix("project "))]
                        assert row[f"share_{column}"] == pytest.approx(share, rel=1e-12)
                        hhi = sum(other**2 for other in named.values())
                        assert row[f"hhi_{column}"] == pytest.approx(hhi, rel=1e-12)
                        seen += 1
        shown = table[["share_before", "share_after"]].to_numpy()
        with_demand = table.set_index(["participant", "material"]).index.map(
            lambda pair: problem.demand[
                problem.participants.index(pair[0]), problem.materials.index(pair[1])
            ].any()
        )
        assert seen == int((shown[np.array(with_demand, dtype=bool)] > 0.0).sum())


@pytest.mark.parametrize("seed", RANDOM)
def test_costs_of_projects_are_those_of_the_oracle(seed):
    inst, cooperation, read, problem = drawn(seed)
    limits = build_project_limits(read, problem, cooperation, given_scenarios(read, problem))
    for n, name in enumerate(limits.names):
        for state in project_oracle.states_of(inst, name):
            if not state or not limits.allowed[n, STATE[state]]:
                continue
            usd = project_oracle.cost_of_project(inst, name, state)
            assert limits.cost[n, STATE[state]] == pytest.approx(usd, rel=1e-9)
            paid = project_oracle.spent(inst, {name: state})
            expected = [float(paid[c]) for c in problem.participants]
            assert limits.outlay[:, n, STATE[state]] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", RANDOM)
def test_the_table_of_projects_is_that_of_the_oracle(seed):
    inst, cooperation, read, problem = drawn(seed)
    scenarios = given_scenarios(read, problem)
    limits = build_project_limits(read, problem, cooperation, scenarios)
    setting = SimpleNamespace(problem=problem, scenarios=scenarios)
    for states in choices(inst):
        number = np.array([STATE[states[name]] for name in problem.projects.names])
        if not limits.allowed[np.arange(number.size), number].all():
            continue
        for row in projects_table(setting, limits, number).to_dict(orient="records"):
            name = row["project"]
            state = states[name]
            made = inst["projects"][name]
            assert (row["funded"], row["fast_track"]) == (bool(state), state == "fast")
            paid = project_oracle.spent(inst, {name: state})
            assert row["capital_usd"] == pytest.approx(float(sum(paid.values())))
            yearly = row["capital_usd_per_year"] + row["support_usd_per_year"]
            expected = project_oracle.cost_of_project(inst, name, state) if state else 0.0
            assert yearly == pytest.approx(expected, rel=1e-9)
            output = sum(float(capacity) for _, capacity, _ in made["products"])
            assert row["output_t_per_year"] == pytest.approx(output)
            starts = sorted(
                (1 + project_oracle.start(inst, name, state or "funded", s), p)
                for s, p in inst["probability"].items()
            )
            reached = np.cumsum([float(p) for _, p in starts])
            median = starts[int(np.argmax(reached >= 0.5 - 1e-12))][0]
            assert row["start_month_median"] == median


def test_drawn_lead_times_are_the_same_on_any_number_of_threads():
    world = sampled(
        project(
            output=4.0,
            capital=500.0,
            lead_median_months=6.0,
            lead_sigma=0.6,
            slip_probability=0.2,
            slip_months=4.0,
        ),
        max_t=8.0,
        shortage=(3000.0,),
        scenario_settings=ScenarioSettings(count=300, seed=4),
    )
    one, three = solve(world, threads=1), solve(world, threads=3)
    assert funded(one) == ["mine"]
    assert files(one) == files(three)


# --- Every variant of a block ---------------------------------------------------------------------


def evaluators(seed, workers):
    """An evaluator for every block of a random instance, with its scenarios."""
    _, cooperation, read, problem = drawn(seed)
    scenarios, stress = given_scenarios(read, problem), stress_cases(read, problem)
    for block in build_blocks(problem):
        yield (
            Evaluator(problem, block, scenarios, stress, workers, sharing=cooperation != "none"),
            scenarios,
        )


@given(st.sampled_from(RANDOM), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_in_every_variant_more_stock_never_leaves_more_unserved(seed, dice):
    rng = np.random.default_rng(dice)
    with Workers(1) as workers:
        for evaluator, _ in evaluators(seed, workers):
            problem, stocks = evaluator.problem, evaluator.block.num_stocks
            rules = rng.integers(0, len(problem.menu.rules), len(problem.participants))
            lots = rng.integers(0, 4, stocks)
            grown = np.vstack([lots, lots + np.eye(stocks, dtype=np.int64)])
            for variant in range(evaluator.variants.count):
                rule = np.array([*rules, variant])
                unserved = np.array([evaluator.unserved(each, rule) for each in grown])
                assert np.all(unserved[1:] <= unserved[0] + 1e-9)
                scores = evaluator.scores(grown, np.tile(rule, (len(grown), 1)))
                assert np.all(scores.lower >= 0.0)
                assert np.all(scores.variable >= scores.lower - 1e-9)
                total = scores.lower.sum(axis=1)
                assert np.all(total[1:] <= total[0] + 1e-9 * (1.0 + total[0]))


@given(st.sampled_from(RANDOM), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_in_every_variant_tonnes_are_conserved(seed, dice):
    """What leaves the stocks is served, what is not is unserved, and stocks never fall below 0."""
    rng = np.random.default_rng(dice)
    with Workers(1) as workers:
        for evaluator, scenarios in evaluators(seed, workers):
            problem, block, steps = evaluator.problem, evaluator.block, evaluator.steps
            rules = rng.integers(0, len(problem.menu.rules), len(problem.participants))
            holding = evaluator.holding(rng.integers(0, 4, block.num_stocks))
            terms = candidate_terms(problem.menu, steps, holding[:, None], rules[:, None])
            for variant in range(evaluator.variants.count):
                states = evaluator.variants.all_states(variant, problem.projects.count)
                needs = block_needs(problem, block, scenarios, workers, states)
                run = simulate_months(block, needs, terms, evaluator.refill, problem.horizon)
                assert np.all(run.released >= 0.0)
                assert np.all(run.state >= -1e-9)
                assert np.all(run.state <= holding[:, None] + 1e-9)
                served = np.zeros(run.need.shape)
                taken = np.zeros(run.state.shape[:3])
                for j in range(steps.count):
                    served[:, :, steps.stream[j]] += run.released[:, :, j, 0]
                    taken[:, :, steps.stock[j]] += run.released[:, :, j, 0] / steps.yield_[j]
                unserved = (run.need - served).sum(axis=1)
                assert unserved == pytest.approx(run.unserved[:, :, 0], abs=1e-9)
                before = np.concatenate(
                    [
                        np.broadcast_to(holding, run.state[:, :1, :, 0].shape),
                        run.state[:, :-1, :, 0],
                    ],
                    axis=1,
                )
                busy = run.need.any(axis=2)
                after = before - taken
                assert run.state[..., 0][busy] == pytest.approx(after[busy], abs=1e-9)


@given(st.sampled_from(RANDOM))
@settings(max_examples=30, deadline=None)
def test_funding_more_never_leaves_more_needed_where_nobody_answers(seed):
    """Every project only adds to supply (2); a fast track only sooner."""
    _, _, read, _ = drawn(seed)
    quiet = replace(
        read,
        events=tuple(row for row in read.events if not row.answers),
        stress=tuple(row for row in read.stress if not row.answers),
    )
    problem = build_problem(quiet)
    scenarios = given_scenarios(quiet, problem)
    count = problem.projects.count
    with Workers(1) as workers:
        for block in build_blocks(problem):
            for n in range(count):
                total = []
                for state in (NOT_FUNDED, FUNDED, FAST):
                    states = np.full(count, FUNDED)
                    states[n] = state
                    needs = block_needs(problem, block, scenarios, workers, states)
                    months = np.zeros((scenarios.count, block.num_streams))
                    months[needs.scenario] = needs.total
                    total.append(months.sum(axis=1))
                assert np.all(total[1] <= total[0] + 1e-9)
                assert np.all(total[2] <= total[1] + 1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3000)), min_size=1, max_size=4),
    st.integers(1, 12),
)
@settings(max_examples=25, deadline=None)
def test_the_best_projects_are_those_of_all_subsets(offers, month):
    """Shortage of 10 t in one scenario of ten, less what is made: every subset by hand."""
    projects = tuple(
        project(f"mine_{n}", output=float(output), capital=float(capital))
        for n, (output, capital) in enumerate(offers)
    )
    plan = solve(instance(scenarios=[(0.9, []), (0.1, [lost(month)])], projects=projects))
    costs = []
    for subset in range(2 ** len(offers)):
        chosen = [offer for n, offer in enumerate(offers) if subset >> n & 1]
        made, capital = (sum(each) for each in zip((0, 0), *chosen, strict=True))
        costs.append(100.0 * max(0, 10 - made) + 0.1 * capital)
    assert plan.annual_cost_usd == pytest.approx(min(costs), abs=1e-9)
