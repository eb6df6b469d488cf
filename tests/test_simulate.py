"""The simulation: the theorems of section 4 as properties, and the kernel against plain NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cases import Case, FixedPools, compress, random_case
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpile.evaluator import _cheapest_later
from stockpile.parallel import Workers
from stockpile.simulate import Course, Request, candidate_terms, simulate, simulate_months

seeds = st.integers(0, 2**32 - 1)


def months(case: Case):
    terms = candidate_terms(case.menu, case.block.steps, case.holding, case.rule)
    return simulate_months(case.block, case.needs, terms, case.refill, case.horizon)


def kernel(case: Case, request: Request | None = None, threads: int = 1):
    terms = candidate_terms(case.menu, case.block.steps, case.holding, case.rule)
    everything = Request.of(range(case.block.num_streams), range(case.block.steps.count))
    with Workers(threads) as workers:
        course = Course.of(case.needs, case.block.steps, case.menu.breakpoints, workers)
        return simulate(case.block, course, terms, case.refill, request or everything, workers)


@given(seeds)
@settings(max_examples=300, deadline=None)
def test_kernel_equals_the_plain_version(seed):
    case = random_case(seed, num_candidates=3)
    slow, fast = months(case), kernel(case)
    np.testing.assert_allclose(fast.unserved_of, slow.unserved, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(fast.released_of, slow.released.sum(axis=1), rtol=1e-12, atol=1e-12)
    weights = case.needs.probability
    np.testing.assert_allclose(
        fast.unserved, np.einsum("s,sqp->qp", weights, slow.unserved), rtol=1e-12, atol=1e-12
    )


def test_no_candidate_at_all_is_simulated():
    simulation = kernel(random_case(0, num_candidates=0))
    assert simulation.unserved.shape[1] == simulation.released.shape[1] == 0


@given(seeds, st.sampled_from([1, 63, 64, 65, 130]))
@settings(max_examples=60, deadline=None)
def test_a_candidate_does_not_feel_which_others_are_simulated_with_it(seed, count):
    case = random_case(seed, num_candidates=count)
    together = kernel(case)
    for p in {0, count // 2, count - 1}:
        alone = kernel(replace(case, holding=case.holding[:, [p]], rule=case.rule[:, [p]]))
        assert np.array_equal(together.unserved[:, p], alone.unserved[:, 0])
        assert np.array_equal(together.released[:, p], alone.released[:, 0])


@given(seeds, seeds)
@settings(max_examples=500, deadline=None)
def test_more_holding_never_leaves_more_unserved(seed, more_seed):
    """Proposition 1, for every scenario and stream, with yields, nested pools and any step list."""
    case = random_case(seed, num_candidates=6)
    rng = np.random.default_rng(more_seed)
    more = case.holding + rng.random(case.holding.shape) * (rng.random(case.holding.shape) < 0.5)
    fewer, greater = kernel(case), kernel(case.with_holding(more))
    assert np.all(greater.unserved_of <= fewer.unserved_of + 1e-9)


@given(seeds, seeds)
@settings(max_examples=300, deadline=None)
def test_lowered_variable_cost_never_grows_with_holding(seed, more_seed):
    """Corollary: with each step's cost lowered to its cheapest later step, and w above all."""
    case = random_case(seed, num_candidates=6)
    rng = np.random.default_rng(more_seed)
    shortage_cost = 1.0 + rng.random(case.block.num_streams)  # Step costs are below 1.
    lowered = _cheapest_later(case.block.steps, shortage_cost)
    assert np.all(lowered <= case.block.steps.cost)

    def cost(simulation):
        return np.einsum("q,sqp->sp", shortage_cost, simulation.unserved_of) + np.einsum(
            "j,sjp->sp", lowered, simulation.released_of
        )

    more = case.holding + rng.random(case.holding.shape)
    assert np.all(cost(kernel(case.with_holding(more))) <= cost(kernel(case)) + 1e-9)


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_tonnes_are_conserved(seed):
    """Need = released + unserved, and nothing is released that was not held or bought back."""
    case = random_case(seed)
    run = months(case)
    steps = case.block.steps
    served = np.zeros_like(run.unserved)
    for j in range(steps.count):
        served[:, steps.stream[j]] += run.released[:, :, j].sum(axis=1)
    np.testing.assert_allclose(
        served + run.unserved, run.need.sum(axis=1)[:, :, None] + 0 * served, atol=1e-9
    )
    assert np.all(run.released >= 0.0)
    assert np.all(run.state >= -1e-9)
    assert np.all(run.state <= case.holding[None, None] + 1e-9)
    taken = np.zeros_like(run.state)
    for j in range(steps.count):
        taken[:, :, steps.stock[j]] += run.released[:, :, j] / steps.yield_[j]
    before = np.concatenate(
        [np.broadcast_to(case.holding, run.state[:, :1].shape), run.state[:, :-1]], axis=1
    )
    bought = run.state - (before - taken)
    assert np.all(bought >= -1e-9)
    calm = ~run.need.any(axis=2)
    limit = np.where(calm[:, :, None, None], (case.refill[:, None] * case.holding)[None, None], 0)
    assert np.all(bought <= limit + 1e-9)


@given(seeds, seeds)
@settings(max_examples=200, deadline=None)
def test_a_changed_future_changes_no_earlier_release(seed, future_seed):
    """Property 2, non-anticipativity."""
    rng = np.random.default_rng(future_seed)
    base = random_case(seed)
    T, Q, Z = base.horizon, base.block.num_streams, base.block.num_stocks
    now = int(rng.integers(1, T + 1))

    def world(own_future):
        past, future = np.random.default_rng(seed + 1), np.random.default_rng(own_future)

        def draw(make):
            return np.concatenate([make(past)[:, :now], make(future)[:, now:]], axis=1)

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

    first, second = months(world(1)), months(world(2))
    if first.released.shape[0] and second.released.shape[0]:
        np.testing.assert_array_equal(first.released[:, :now], second.released[:, :now])


@given(seeds, st.floats(1e-3, 1e3))
@settings(max_examples=100, deadline=None)
def test_a_change_of_units_changes_nothing(seed, factor):
    case = random_case(seed)
    pools = case.block.steps.pools
    pools = replace(pools, divide=FixedPools(pools.divide.most * factor))
    steps = replace(case.block.steps, pools=pools)
    scaled = replace(
        case,
        block=replace(case.block, steps=steps),
        needs=replace(case.needs, need=case.needs.need * factor, total=case.needs.total * factor),
        holding=case.holding * factor,
    )
    np.testing.assert_allclose(
        kernel(scaled).unserved, kernel(case).unserved * factor, rtol=1e-9, atol=1e-12 * factor
    )


@given(seeds)
@settings(max_examples=50, deadline=None)
def test_the_order_of_scenarios_changes_nothing(seed):
    case = random_case(seed)
    needs = case.needs
    order = np.random.default_rng(seed).permutation(needs.scenario.size)
    rows = [np.arange(needs.first[s], needs.first[s + 1]) for s in order]
    picked = np.concatenate(rows) if rows else np.empty(0, dtype=int)
    shuffled = replace(
        needs,
        probability=needs.probability[order],
        first=np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64),
        total=needs.total[order],
        **{
            name: getattr(needs, name)[picked]
            for name in ("month", "calm", "need", "loss", "age", "blocked")
        },
    )
    np.testing.assert_allclose(
        kernel(replace(case, needs=shuffled)).unserved,
        kernel(case).unserved,
        rtol=1e-12,
        atol=1e-12,
    )


def many_scenarios(seed: int) -> Case:
    """A case with enough scenarios for several chunks."""
    case = random_case(seed, num_candidates=70)
    rng = np.random.default_rng(seed)
    S, T, Q, Z = 500, case.horizon, case.block.num_streams, case.block.num_stocks
    return replace(
        case,
        needs=compress(
            np.where(rng.random((S, T, Q)) < 0.5, rng.random((S, T, Q)), 0.0),
            rng.random((S, T, Z)),
            rng.integers(0, 8, (S, T, Z)),
            rng.random((S, T, Z)) < 0.2,
            rng.dirichlet(np.ones(S)),
        ),
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_number_of_threads_changes_no_byte(seed):
    case = many_scenarios(seed)
    one, two, three = (kernel(case, threads=n) for n in (1, 2, 3))
    for other in (two, three):
        assert one.unserved.tobytes() == other.unserved.tobytes()
        assert one.released.tobytes() == other.released.tobytes()


def test_chances_are_counted_within_the_tolerance():
    """A stream served to exactly its level counts, one short by a millionth does not."""
    case = random_case(0, num_candidates=1)
    run = kernel(case)
    q = int(np.flatnonzero(case.needs.total.any(axis=0))[0])
    s = int(np.flatnonzero(case.needs.total[:, q])[0])
    short = run.unserved_of[s, q, 0] / case.needs.total[s, q]

    def chance(allowed):
        request = Request.of(chances=[(q, 1.0 - allowed)])
        return kernel(case, request).chance[0, 0]

    fractions = np.divide(
        run.unserved_of[:, q, 0],
        case.needs.total[:, q],
        out=np.zeros(len(case.needs.total)),
        where=case.needs.total[:, q] > 0,
    )
    expected = case.needs.probability[fractions <= short + 1e-9].sum()
    assert chance(short + 1e-9) == pytest.approx(expected)
    below = case.needs.probability[fractions <= short - 1e-6].sum()
    assert chance(short - 1e-6) == pytest.approx(below)
    assert below < expected
