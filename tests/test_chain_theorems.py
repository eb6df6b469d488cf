"""The theorems of section 4 on random chains, with and without partners."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from cases import Case, compress
from hypothesis import given, settings
from hypothesis import strategies as st
from random_conversions import chain_case, random_chain

from stockpile.blocks import Steps, build_blocks
from stockpile.evaluator import _cheapest_later
from stockpile.parallel import Workers
from stockpile.paths import paths_to
from stockpile.pools import Pools
from stockpile.problem import build_problem
from stockpile.simulate import Course, Request, candidate_terms, simulate, simulate_months

seeds = st.integers(0, 2**32 - 1)


def alone(case: Case) -> Case:
    """The same without partners."""
    return replace(case, block=replace(case.block, steps=case.block.own_steps))


def kernel(case: Case):
    terms = candidate_terms(case.menu, case.block.steps, case.holding, case.rule)
    request = Request.of(range(case.block.num_streams), range(case.block.steps.count))
    with Workers(1) as workers:
        course = Course.of(case.needs, case.block.steps, case.menu.breakpoints, workers)
        return simulate(case.block, course, terms, case.refill, request, workers)


def plain(case: Case):
    terms = candidate_terms(case.menu, case.block.steps, case.holding, case.rule)
    return simulate_months(case.block, case.needs, terms, case.refill, case.horizon)


@given(seeds, st.booleans())
@settings(max_examples=200, deadline=None)
def test_the_kernel_equals_the_plain_version_on_chains(seed, partners):
    case = chain_case(seed) if partners else alone(chain_case(seed))
    slow, fast = plain(case), kernel(case)
    np.testing.assert_allclose(fast.unserved_of, slow.unserved, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(fast.released_of, slow.released.sum(axis=1), rtol=1e-12, atol=1e-12)


@given(seeds, st.booleans())
@settings(max_examples=300, deadline=None)
def test_more_of_any_stock_never_leaves_more_unserved(seed, partners):
    """Proposition 1, in every single component of h; and the corollary on cost."""
    case = chain_case(seed, num_candidates=1)
    case = case if partners else alone(case)
    rng = np.random.default_rng(seed + 2)
    stocks = case.block.num_stocks
    grown = np.tile(case.holding, (1, stocks + 1))
    grown[:, 1:] += np.diag(5.0 * rng.random(stocks))
    case = replace(case, holding=grown, rule=np.tile(case.rule, (1, stocks + 1)))
    found = kernel(case)
    unserved = found.unserved_of
    assert np.all(unserved[:, :, 1:] <= unserved[:, :, :1] + 1e-9)
    steps = case.block.steps
    worth = np.zeros(case.block.num_streams)
    np.maximum.at(worth, steps.stream, steps.cost)
    worth += rng.random(worth.size)
    lowered = _cheapest_later(steps, worth)
    assert np.all(lowered <= steps.cost)
    cost = np.einsum("q,sqp->sp", worth, unserved)
    cost += np.einsum("j,sjp->sp", lowered, found.released_of)
    assert np.all(cost[:, 1:] <= cost[:, :1] + 1e-9 * (1.0 + cost[:, :1]))


@given(seeds, st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_some_scenarios_and_the_rest_of_a_larger_candidate_bound_the_cost(seed, choice):
    """What a sketch adds up: Proposition 1 holds scenario by scenario."""
    case = chain_case(seed, num_candidates=1)
    rng = np.random.default_rng(choice)
    larger = case.holding + 5.0 * rng.random(case.holding.shape) * rng.integers(0, 2)
    holding = np.concatenate([case.holding, larger], axis=1)
    both = kernel(replace(case, holding=holding, rule=np.tile(case.rule, (1, 2))))
    steps = case.block.steps
    worth = np.zeros(case.block.num_streams)
    np.maximum.at(worth, steps.stream, steps.cost)
    cost = np.einsum("q,sqp->sp", worth, both.unserved_of)
    cost += np.einsum("j,sjp->sp", _cheapest_later(steps, worth), both.released_of)
    some = rng.random(len(cost)) < 0.3
    weight = case.needs.probability
    bound = weight[some] @ cost[some, 0] + weight[~some] @ cost[~some, 1]
    assert bound <= weight @ cost[:, 0] * (1.0 + 1e-9) + 1e-9


@given(seeds, st.booleans())
@settings(max_examples=200, deadline=None)
def test_tonnes_are_conserved_and_plants_never_overloaded(seed, partners):
    """What leaves the stocks times the yield is served; what a plant makes is within capacity."""
    case = chain_case(seed) if partners else alone(chain_case(seed))
    run, steps = plain(case), case.block.steps
    served, taken = np.zeros_like(run.need[..., None] + case.holding[0]), np.zeros_like(run.state)
    for j in range(steps.count):
        served[:, :, steps.stream[j]] += run.released[:, :, j]
        taken[:, :, steps.stock[j]] += run.released[:, :, j] / steps.yield_[j]
    unserved = run.need[..., None] - served
    assert np.all(unserved >= -1e-9)
    np.testing.assert_allclose(unserved.sum(axis=1), run.unserved, atol=1e-9)
    first = np.broadcast_to(case.holding, run.state[:, :1].shape)
    before = np.concatenate([first, run.state[:, :-1]], axis=1)
    busy = run.need.any(axis=2)[:, :, None, None]  # In the other months stocks are refilled.
    assert np.all(np.abs(before - taken - run.state)[np.broadcast_to(busy, taken.shape)] <= 1e-9)
    assert np.all(run.state >= -1e-9)
    pools = steps.pools
    conversions = build_problem(random_chain(seed)).conversions
    made = np.zeros((conversions.count, *run.released[:, :, 0].shape))
    for j in range(steps.count):
        for d in range(pools.first[j], pools.first[j + 1]):
            made[pools.plant[pools.pool[d]]] += run.released[:, :, j] * pools.made[d]
    assert np.all(made <= conversions.capacity[:, None, None, None] * (1.0 + 1e-9))


@given(seeds)
@settings(max_examples=100, deadline=None)
def test_what_is_made_of_a_tonne_follows_the_yields(seed):
    """On every path: tonnes made at a plant times the yields after it are tonnes served."""
    problem = build_problem(random_chain(seed))
    for c, m in itertools.product(range(len(problem.participants)), range(len(problem.materials))):
        for path in paths_to(problem, c, m, partners=True):
            tonnes = 1.0 / path.yield_
            for e, made in zip(path.plants, path.made, strict=True):
                tonnes *= problem.conversions.yield_[e]
                assert made == pytest.approx(tonnes)
            assert tonnes == pytest.approx(1.0)
            goods = [path.material, *(problem.conversions.makes[e] for e in path.plants)]
            assert len(set(goods)) == len(goods)
            assert goods[-1] == m


@given(seeds)
@settings(max_examples=150, deadline=None)
def test_parts_of_a_plant_add_up_to_no_more_than_it_has(seed):
    problem = build_problem(random_chain(seed))
    for block in build_blocks(problem):
        for steps in (block.steps, block.own_steps):
            allowed = np.random.default_rng(seed).random(steps.count) < 0.7
            parts = np.zeros(problem.conversions.count)
            np.add.at(parts, steps.pools.plant, steps.pools.under(allowed))
            assert np.all(parts <= problem.conversions.capacity * (1.0 + 1e-9))


@given(seeds, seeds)
@settings(max_examples=150, deadline=None)
def test_a_changed_future_changes_no_earlier_release_of_a_chain(seed, future_seed):
    """Property 2, non-anticipativity."""
    base = chain_case(seed)
    T, Q, Z = base.horizon, base.block.num_streams, base.block.num_stocks
    now = int(np.random.default_rng(future_seed).integers(1, T + 1))

    def world(future):
        past, later = np.random.default_rng(seed + 1), np.random.default_rng(future)

        def draw(make):
            return np.concatenate([make(past)[:, :now], make(later)[:, now:]], axis=1)

        return replace(
            base,
            needs=compress(
                draw(lambda g: np.where(g.random((1, T, Q)) < 0.6, g.random((1, T, Q)) + 0.1, 0.0)),
                draw(lambda g: g.random((1, T, Z))),
                draw(lambda g: g.integers(0, 8, (1, T, Z))),
                draw(lambda g: g.random((1, T, Z)) < 0.2),
                [1.0],
            ),
        )

    first, second = plain(world(1)), plain(world(2))
    if first.released.shape[0] and second.released.shape[0]:
        np.testing.assert_array_equal(first.released[:, :now], second.released[:, :now])


@given(seeds)
@settings(max_examples=100, deadline=None)
def test_a_nation_by_itself_has_the_same_steps_with_and_without_partners(seed):
    for block in build_blocks(build_problem(random_chain(seed, participants=1))):
        for name in Steps.__slots__[:-1]:
            mine, all_ = getattr(block.own_steps, name), getattr(block.steps, name)
            np.testing.assert_array_equal(mine, all_)
        for name in Pools.__slots__[:-1]:
            mine, all_ = getattr(block.own_steps.pools, name), getattr(block.steps.pools, name)
            np.testing.assert_array_equal(mine, all_)
