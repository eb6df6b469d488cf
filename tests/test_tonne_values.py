"""The lower limit on cost from the balance of tonnes, against simulation and plain arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_known_answers import instance
from test_project_properties import RANDOM, evaluators

from stockpile.blocks import build_blocks
from stockpile.evaluator import Evaluator
from stockpile.parallel import Workers
from stockpile.problem import build_problem
from stockpile.scenarios import given_scenarios, stress_cases
from stockpile.simulate import Request, candidate_terms, simulate
from stockpile.tables import RuleRow
from stockpile.tonne_values import BalanceLimit, Programs, TonneValues


def some_candidates(evaluator, rng, count, most=4):
    """Random candidates, whatever they cost."""
    problem = evaluator.problem
    lots = rng.integers(0, most, (count, evaluator.block.num_stocks))
    rules = rng.integers(0, len(problem.menu.rules), (count, len(problem.participants)))
    variant = rng.integers(0, evaluator.variants.count, count)
    rule = np.column_stack([rules, variant])
    return lots, rule


def limit_of(evaluator, weight, lots, rule):
    programs = Programs(evaluator)
    values = TonneValues.found(programs, weight, lots, rule)
    return BalanceLimit(programs, values, weight, lots, rule)


@given(st.sampled_from(RANDOM), st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None)
def test_no_candidate_of_a_box_costs_less_than_the_limit(seed, dice):
    """For boxes, rules and variants other than those around which values were looked for."""
    rng = np.random.default_rng(dice)
    with Workers(1) as workers:
        for evaluator, _ in evaluators(seed, workers):
            weight = rng.choice([1.0, 1.7, rng.random()], len(evaluator.problem.participants))
            limit = limit_of(evaluator, weight, *some_candidates(evaluator, rng, 3))
            tops, rule = some_candidates(evaluator, rng, 6, most=7)
            lo = rng.integers(0, tops + 1)
            inside = rng.integers(lo, tops + 1)
            top = evaluator.scores(tops, rule, bottoms=limit.bottoms(lo, rule))
            cost = evaluator.scores(inside, rule).lower @ weight
            fallen = (top.fall * (inside - lo)).sum(axis=1)
            least = top.lower @ weight + np.maximum(top.added - fallen, 0.0)
            assert (least <= cost * (1.0 + 1e-9) + 1e-6).all()
            assert (top.added >= 0.0).all()
            assert (top.fall >= 0.0).all()


@given(st.sampled_from(RANDOM), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_kernel_adds_what_plain_arithmetic_does(seed, dice):
    rng = np.random.default_rng(dice)
    with Workers(1) as workers:
        for evaluator, _ in evaluators(seed, workers):
            weight = 0.5 + rng.random(len(evaluator.problem.participants))
            limit = limit_of(evaluator, weight, *some_candidates(evaluator, rng, 3))
            tops, rule = some_candidates(evaluator, rng, 4, most=7)
            rule[:, -1] = variant = int(rule[0, -1])
            lo = rng.integers(0, tops + 1)
            balance = limit.bottoms(lo, rule).balances[variant]
            course, held = evaluator.course(variant), evaluator.holding(lo).T
            terms = candidate_terms(
                evaluator.problem.menu,
                course.steps,
                evaluator.holding(tops).T,
                rule[:, :-1].T,
            )
            run = simulate(
                evaluator.block,
                course,
                terms,
                evaluator.refill,
                Request.of(range(evaluator.block.num_streams), range(course.steps.count)),
                workers,
                balance,
                held,
            )
            added, slowest, fastest = np.zeros(4), np.zeros(held.shape), np.zeros(held.shape)
            usable = terms.usable(balance.steps)[:, terms.followed]
            for s, probability in enumerate(course.needs.probability):
                for p in range(4 if balance.charge.size else 0):
                    cost = balance.charge @ run.unserved_of[s, :, p]
                    cost += balance.step_charge @ run.released_of[s, :, p]
                    said = [(0.0, np.zeros(len(held)))]
                    for f, d in enumerate(balance.form[s]):
                        if d < 0:
                            continue
                        parts = usable[:, p] + balance.refilled[s][balance.stock]
                        least = balance.constant[s, f] - cost
                        least += balance.served[d] @ run.unserved_of[s, :, p]
                        least -= (balance.value[d] * parts) @ held[balance.stock, p]
                        falls = np.zeros(len(held))
                        np.add.at(falls, balance.stock, balance.value[d] * parts)
                        said.append((least, falls))
                    best = max(least for least, _ in said)
                    # Values that say the same may both be counted: the plane falls faster then.
                    ties = [falls for least, falls in said if least >= best - 1e-9 * (1.0 + best)]
                    added[p] += probability * best
                    slowest[:, p] += probability * np.min(ties, axis=0)
                    fastest[:, p] += probability * np.sum(ties, axis=0)
            np.testing.assert_allclose(run.added, added, rtol=1e-9, atol=1e-3)
            rounding = 1e-9 * fastest.max(initial=1.0)
            assert (run.fall >= slowest - rounding).all()
            assert (run.fall <= fastest + rounding).all()


def known_evaluator(workers, **options):
    """One nation, a need of 10 t in each of 12 months, of which one scenario in four lacks all."""
    refill = options.pop("refill", 0.0)
    made = instance(
        monthly_demand_t=options.pop("monthly_demand_t", (10.0,)),
        scenarios=[(0.75, {}), (0.25, {"us": options.pop("lost", [(1, 12, 1.0)])})],
        holding_usd_per_t=1.0,
        shortage_usd_per_t=options.pop("shortage_usd_per_t", (50.0,)),
        months=options.pop("months", 12),
        **options,
    )
    people = tuple(replace(row, refill_per_month=refill) for row in made.participants)
    made = replace(made, participants=people)
    problem = build_problem(made)
    (block,) = build_blocks(problem)
    scenarios, stress = given_scenarios(made, problem), stress_cases(made, problem)
    return Evaluator(problem, block, scenarios, stress, workers, sharing=False)


def box(evaluator, lo, hi, near):
    """What is added at lo, and by how much less with a lot more, of the box up to hi."""
    rule = np.array([[0, 0]])
    limit = limit_of(evaluator, np.ones(1), np.array([[near]]), rule)
    bottom, top = np.array([[lo]]), np.array([[hi]])
    found = evaluator.scores(top, rule, bottoms=limit.bottoms(bottom, rule))
    return float(found.added[0]), float(found.fall[0, 0])


def test_where_stocks_run_out_every_tonne_counts_in_full():
    """A tonne less is one more unserved, at 50 USD in a quarter of all years."""
    with Workers(1) as workers:
        added, fall = box(known_evaluator(workers), 40, 90, near=60)
    assert added == pytest.approx(0.25 * 50.0 * 50.0)
    assert fall == pytest.approx(0.25 * 50.0)


def test_tonnes_that_nobody_needs_count_for_nothing():
    """Of 120 t needed no more than 120 are served: from 100 t on 20 are lost, not 60."""
    with Workers(1) as workers:
        added, fall = box(known_evaluator(workers), 100, 160, near=110)
    assert added == pytest.approx(0.25 * 50.0 * 20.0)
    assert fall == pytest.approx(0.25 * 50.0)


def test_the_least_valued_class_is_thought_to_lose_first():
    """48 t less, where 72 t are needed at 80 USD a tonne and 48 t at 50, cost that at least."""
    with Workers(1) as workers:
        evaluator = known_evaluator(
            workers, monthly_demand_t=(6.0, 4.0), shortage_usd_per_t=(80.0, 50.0)
        )
        added, fall = box(evaluator, 72, 120, near=100)
    assert added == pytest.approx(0.25 * 50.0 * 48.0)
    assert fall == pytest.approx(0.25 * 50.0)


def test_a_level_that_is_kept_cannot_be_taken():
    """Half of every tonne stays: a tonne held less is half a tonne served less."""
    half = RuleRow(rule="half", relation=("own",), demand_class=("*",), reserve_level=0.5)
    with Workers(1) as workers:
        added, fall = box(known_evaluator(workers, rules=(half,)), 100, 200, near=150)
    assert added == pytest.approx(0.25 * 50.0 * 50.0)
    assert fall == pytest.approx(0.25 * 50.0 * 0.5)


def test_what_is_bought_back_between_two_events_can_be_taken():
    """A tenth of the stock comes back in each of six calm months: h can serve no more than 1.6 h.

    120 t are needed in two years, half a year at a time. With 90 t all is served, with 40 t
    64 t are.
    """
    lost = [(1, 6, 1.0), (13, 6, 1.0)]
    with Workers(1) as workers:
        evaluator = known_evaluator(workers, lost=lost, months=24, refill=0.1)
        added, fall = box(evaluator, 40, 90, near=50)
        unserved = evaluator.unserved(np.array([40]), np.array([0, 0])).sum()
    assert unserved == pytest.approx(56.0)
    assert added == pytest.approx(0.25 * 50.0 * 56.0 / 2.0)
    assert fall == pytest.approx(0.25 * 50.0 * 1.6 / 2.0)


@given(st.sampled_from(RANDOM), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_some_scenarios_and_the_others_add_up_to_all(seed, dice):
    rng = np.random.default_rng(dice)
    with Workers(1) as workers:
        for evaluator, _ in evaluators(seed, workers):
            weight = 0.5 + rng.random(len(evaluator.problem.participants))
            limit = limit_of(evaluator, weight, *some_candidates(evaluator, rng, 3))
            tops, rule = some_candidates(evaluator, rng, 4, most=7)
            rule[:, -1] = variant = int(rule[0, -1])
            lo = rng.integers(0, tops + 1)
            bottoms = limit.bottoms(lo, rule)
            whole = evaluator.scores(tops, rule, bottoms=bottoms)
            course = evaluator.course(variant)
            chosen = rng.random(course.needs.scenario.size) < 0.5
            parts = []
            for some in (np.flatnonzero(chosen), np.flatnonzero(~chosen)):
                part = course.only(some, course.needs.probability[some])
                balance = bottoms.balances[variant].only(some)
                parts.append(evaluator.lower_cost(part, tops, rule, balance, lo))
            for name, all_of in (
                ("cost", whole.lower),
                ("added", whole.added),
                ("fall", whole.fall),
            ):
                total = getattr(parts[0], name) + getattr(parts[1], name)
                np.testing.assert_allclose(total, all_of, rtol=1e-9, atol=1e-6)
