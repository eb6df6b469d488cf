"""The lower limit on cost from the balance of tonnes, against simulation and plain arithmetic."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

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
from stockpile.scores import Scores
from stockpile.simulate import Request, candidate_terms, simulate
from stockpile.sketch import Sketch
from stockpile.tables import RuleRow
from stockpile.tonne_values import MOST_VALUES, BalanceLimit, Programs, Spans, TonneValues


def some_candidates(evaluator, rng, count, most=4):
    """Random candidates, whatever they cost."""
    problem = evaluator.problem
    lots = rng.integers(0, most, (count, evaluator.block.num_stocks))
    rules = rng.integers(0, len(problem.menu.rules), (count, len(problem.participants)))
    variant = rng.integers(0, evaluator.variants.count, count)
    rule = np.column_stack([rules, variant])
    return lots, rule


def limit_of(evaluator, weight, lots, rule):
    programs, spans = Programs(evaluator), Spans.around(lots, rule)
    values = TonneValues.found(programs, weight, spans)
    return BalanceLimit(programs, values, weight, spans)


def some_points(rng, lo, hi, count=3):
    """Random points (B, X, I) of boxes, the first of them the bottom corners."""
    points = rng.integers(lo[:, None], hi[:, None] + 1, (len(lo), count, lo.shape[1]))
    points[:, 0] = lo
    return points


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
            inside, points = rng.integers(lo, tops + 1), some_points(rng, lo, tops)
            top = evaluator.scores(tops, rule, tangents=limit.tangents(points, rule))
            cost = evaluator.scores(inside, rule).lower @ weight
            # Planes that touch at any point of a box are below the cost everywhere in it.
            fallen = (top.fall * (inside[:, None] - points)).sum(axis=2)
            least = (top.lower @ weight)[:, None] + np.maximum(top.added - fallen, 0.0)
            assert (least <= cost[:, None] * (1.0 + 1e-9) + 1e-6).all()
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
            points = some_points(rng, lo, tops)
            balance = limit.tangents(points, rule).balances[variant]
            course = evaluator.course(variant)
            held = evaluator.holding(points).transpose(1, 2, 0)
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
            added, fall = np.zeros(run.added.shape), np.zeros(held.shape)
            doubtful = np.zeros(added.shape, dtype=bool)
            usable = terms.usable(balance.steps)[:, terms.followed]
            for s, probability in enumerate(course.needs.probability):
                for p, x in itertools.product(range(4 if balance.charge.size else 0), range(3)):
                    cost = balance.charge @ run.unserved_of[s, :, p]
                    cost += balance.step_charge @ run.released_of[s, :, p]
                    said = [(0.0, np.zeros(held.shape[1]))]
                    for f, d in enumerate(balance.form[s]):
                        if d < 0:
                            continue
                        parts = usable[:, p] + balance.refilled[s][balance.stock]
                        least = balance.constant[s, f] - cost
                        least += balance.served[d] @ run.unserved_of[s, :, p]
                        least -= (balance.value[d] * parts) @ held[x, balance.stock, p]
                        falls = np.zeros(held.shape[1])
                        np.add.at(falls, balance.stock, balance.value[d] * parts)
                        said.append((least, falls))
                    best = max(least for least, _ in said)
                    ties = [falls for least, falls in said if least >= best - 1e-9 * (1.0 + best)]
                    added[x, p] += probability * best
                    fall[x, :, p] += probability * ties[0]
                    # Which of those that say the same counts is a matter of rounding.
                    doubtful[x, p] |= len(ties) > 1
            np.testing.assert_allclose(run.added, added, rtol=1e-9, atol=1e-3)
            sure = np.broadcast_to(~doubtful[:, None], fall.shape)
            np.testing.assert_allclose(run.fall[sure], fall[sure], rtol=1e-9, atol=1e-6)


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
    bottom, top = np.array([[[lo]]]), np.array([[hi]])
    found = evaluator.scores(top, rule, tangents=limit.tangents(bottom, rule))
    return float(found.added[0, 0]), float(found.fall[0, 0, 0])


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


def many_boxes(evaluator, rng, count=300):
    """Top corners, choices and tangents of boxes, by default more than are simulated at once."""
    weight = 0.5 + rng.random(len(evaluator.problem.participants))
    limit = limit_of(evaluator, weight, *some_candidates(evaluator, rng, 3))
    tops, rule = some_candidates(evaluator, rng, count, most=7)
    points = some_points(rng, rng.integers(0, tops + 1), tops)
    return tops, rule, limit.tangents(points, rule)


def require_sum(parts, whole):
    """Require that lowered costs of scenarios and of all others add up to those of all."""
    for name, of_all in (("cost", whole.lower), ("added", whole.added), ("fall", whole.fall)):
        total = getattr(parts[0], name) + getattr(parts[1], name)
        np.testing.assert_allclose(total, of_all, rtol=1e-9, atol=1e-6)


def require_same_scores(found, wanted):
    for name in Scores.__slots__:
        assert getattr(found, name).tobytes() == getattr(wanted, name).tobytes(), name


@pytest.mark.parametrize("seed", RANDOM[:4])
def test_a_box_is_told_the_same_whatever_is_simulated_beside_it(seed):
    rng = np.random.default_rng(seed)
    with Workers(1) as workers:
        for evaluator, _ in evaluators(seed, workers):
            tops, rule, tangents = many_boxes(evaluator, rng)
            together = evaluator.scores(tops, rule, tangents=tangents)
            assert together.added.any()
            for b in range(0, len(tops), 23):
                one = np.array([b])
                alone = evaluator.scores(tops[one], rule[one], tangents=tangents.take(one))
                require_same_scores(alone, together.take(one))


def _run_all(worker, function, _shared, sent):
    """Do as workers do with tasks, one after the other."""
    return [function(worker, *asked) for asked in sent]


@pytest.mark.parametrize("seed", RANDOM[:4])
def test_workers_tell_of_boxes_what_is_told_here(seed, monkeypatch):
    monkeypatch.setattr("stockpile.evaluator.WORTH_SENDING", 0)
    rng = np.random.default_rng(seed)
    with Workers(1) as workers:
        for evaluator, _ in evaluators(seed, workers):
            tops, rule, tangents = many_boxes(evaluator, rng, 40)
            here = evaluator.scores(tops, rule, tangents=tangents)

            tasks = partial(_run_all, evaluator._at_worker())
            evaluator._tasks = SimpleNamespace(size=3, run=tasks)
            require_same_scores(evaluator.scores(tops, rule, tangents=tangents), here)


@pytest.mark.parametrize("seed", RANDOM[:4])
def test_values_that_say_the_same_count_once(seed):
    """A plane of both would be too steep, and above the cost of what lies below its point."""
    rng = np.random.default_rng(seed)
    with Workers(1) as workers:
        for evaluator, _ in evaluators(seed, workers):
            tops, rule, tangents = many_boxes(evaluator, rng, 40)
            twice = {
                variant: replace(
                    balance,
                    form=np.repeat(balance.form, 2, axis=1),
                    constant=np.repeat(balance.constant, 2, axis=1),
                )
                for variant, balance in tangents.balances.items()
            }
            once = evaluator.scores(tops, rule, tangents=tangents)
            doubled = replace(tangents, balances=twice)
            require_same_scores(evaluator.scores(tops, rule, tangents=doubled), once)


@pytest.mark.parametrize("seed", RANDOM[:4])
def test_a_sketch_and_its_complement_add_up_to_all(seed):
    rng = np.random.default_rng(seed)
    with Workers(1) as workers:
        for evaluator, _ in evaluators(seed, workers):
            tops, rule, tangents = many_boxes(evaluator, rng, 60)
            whole = evaluator.scores(tops, rule, tangents=tangents)
            chosen = rng.random(evaluator.needs.scenario.size) < 0.5
            parts = [
                Sketch(evaluator, np.flatnonzero(some)).lower(tops, rule, tangents)
                for some in (chosen, ~chosen)
            ]
            require_sum(parts, whole)


def test_values_that_are_known_are_kept_once_the_newest_first():
    old = TonneValues(np.array([[1.0], [2.0]]), np.zeros((2, 1)))
    new = TonneValues(np.array([[3.0], [2.0], [3.0]]), np.zeros((3, 1)))
    assert new.and_those(old).draw.ravel().tolist() == [3.0, 2.0, 1.0]
    many = TonneValues(np.arange(2.0 * MOST_VALUES)[:, None] * 10.0, np.zeros((2 * MOST_VALUES, 1)))
    assert new.and_those(many).draw.ravel()[:3].tolist() == [3.0, 2.0, 0.0]
    assert len(new.and_those(many).draw) == MOST_VALUES


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
            points = some_points(rng, rng.integers(0, tops + 1), tops)
            tangents = limit.tangents(points, rule)
            whole = evaluator.scores(tops, rule, tangents=tangents)
            course = evaluator.course(variant)
            chosen = rng.random(course.needs.scenario.size) < 0.5
            parts = []
            for some in (np.flatnonzero(chosen), np.flatnonzero(~chosen)):
                part = course.only(some, course.needs.probability[some])
                balance = tangents.balances[variant].only(some)
                parts.append(evaluator.lower_cost(part, tops, rule, balance, points))
            require_sum(parts, whole)
