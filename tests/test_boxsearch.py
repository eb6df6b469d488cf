"""The box search: certificates that hold at any time they are looked at."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpile.boxsearch import BoxSearch
from stockpile.candidates import Region
from stockpile.certificate import relative_gap
from stockpile.presolve import Space
from stockpile.prices import plain_prices
from stockpile.scores import Lowered, Scores


def search(state: BoxSearch, stop=lambda: False):
    while not state.finished and not stop():
        state.advance()
    return state.certificate()


class TableJudge:
    """Costs looked up in tables of random monotone functions, one per rule and variant."""

    def __init__(
        self, seed: int, *, dimensions: int, most: int, rules: int, coarse: bool, variants: int = 1
    ) -> None:
        rng = np.random.default_rng(seed)
        self.variants, self.looked = variants, 0
        choices = np.array(list(itertools.product(range(rules), range(variants))))
        rules = len(choices)
        shape = (rules,) + (most + 1,) * dimensions
        steps = rng.random(shape) * (rng.random(shape) < 0.3)
        if coarse:  # Many ties and flat parts.
            steps = np.round(steps)
        variable = steps
        for axis in range(1, dimensions + 1):
            variable = np.flip(np.cumsum(np.flip(variable, axis), axis), axis)
        self.variable = variable
        self.slack = rng.random(shape) * variable * (0.0 if coarse else 0.1)
        needed = rng.random(rules) * most * dimensions * rng.choice([0.0, 0.7, 1.2])
        index = np.indices(shape)
        self.feasible = index[1:].sum(axis=0) >= needed[index[0]]
        self.unit = rng.random(dimensions) * rng.choice([0.0, 1.0, 5.0])
        self.space = Space(
            np.zeros((rules, dimensions), dtype=np.int64),
            np.full((rules, dimensions), most),
            choices,
        )
        holding = sum(index[i + 1] * self.unit[i] for i in range(dimensions))
        cost = np.where(self.feasible, holding + self.variable + self.slack, np.inf)
        self.optimum = cost.min()
        # What a sketch knows, and the rest, are non-increasing each.
        known = np.random.default_rng(seed + 1).random()
        self.part = np.minimum(variable, known * variable.max())
        self.cost = cost

    def plain_prices(self):
        return plain_prices(1, len(self.unit), len(self.feasible) // self.variants, self.variants)

    def table(self, choices):
        """Number of the table of a rule and a variant."""
        return choices[..., 0] * self.variants + choices[..., 1]

    def slope(self, prices):
        return prices.weight[0] * self.unit + prices.stored

    def fixed_cost(self, lots, rule, prices):
        followed = prices.rule[0, rule[:, 0]] * (lots > 0).any(axis=1)
        return lots @ self.slope(prices) + followed + prices.variant[rule[:, 1]]

    def tail_cost(self, lots, rule, weight):
        return weight[0] * self.variable[(self.table(rule), *lots.T)]

    def scores(self, lots, rule, tangents=None):
        at = (self.table(rule), *lots.T)
        nothing = np.zeros((len(lots), 0, 0), dtype=np.uint8)
        added, fall = self.added(lots, rule, tangents, self.variable)
        return Scores(
            (self.variable[at] + self.slack[at])[:, None], self.variable[at][:, None],
            self.feasible[at], self.feasible[at], nothing, nothing, added, fall,
        )  # fmt: skip

    def find_values(self, spans):
        assert len(spans.below)
        assert (spans.below <= spans.above).all()
        self.looked += 1

    def balance(self, spans, prices):
        """Some planes below the cost in a box, in place of the balance of tonnes."""
        assert self.looked
        return SimpleNamespace(
            tangents=lambda points, rule, look=self.looked: SimpleNamespace(
                lots=points, weight=prices.weight[0], look=look
            )
        )

    def added(self, lots, rule, tangents, cost):
        """How far random planes are above the cost of the top corner, at points of a box."""
        if tangents is None:
            return np.empty((len(lots), 0)), np.empty((len(lots), 0, lots.shape[1]))
        points = tangents.lots
        added, fall = np.zeros(points.shape[:2]), np.zeros(points.shape)
        for b, (hi, table) in enumerate(zip(lots, self.table(rule), strict=True)):
            lo = points[b, 0]
            inside = cost[(table, *(slice(a, z + 1) for a, z in zip(lo, hi, strict=True)))]
            for x, point in enumerate(points[b]):
                of = [int(table), x, tangents.look, *lo.tolist(), *hi.tolist()]
                dice = np.random.default_rng(of)
                falls = dice.choice([0.0, 0.5, 1.0, 3.0]) * self.unit * dice.random(lo.size)
                fallen = sum(falls[i] * place for i, place in enumerate(np.indices(inside.shape)))
                least = (tangents.weight * inside + fallen).min()
                least -= tangents.weight * cost[(table, *hi)] + falls @ (point - lo)
                if least > 0.0:  # The balance never says less than the top corner.
                    added[b, x], fall[b, x] = least * (1.0 - 1e-12), falls
        return added, fall

    def sketch(self, lots, rule):
        """A part of the cost that is itself non-increasing, as the cost of some scenarios is."""
        return TableSketch(self)

    def search(self, gap: float, *, keep: bool = False) -> BoxSearch:
        return BoxSearch(self, self.space, gap, keep=keep)


class TableSketch:
    """A part of the cost; the rest is non-increasing, too."""

    def __init__(self, judge):
        self.judge = judge

    def lower(self, lots, rule, tangents=None):
        cost = self.judge.part[(self.judge.table(rule), *lots.T)][:, None]
        return Lowered(cost, *self.judge.added(lots, rule, tangents, self.judge.part))


judges = st.builds(
    TableJudge,
    st.integers(0, 2**32 - 1),
    dimensions=st.integers(1, 3),
    most=st.integers(0, 9),
    rules=st.integers(1, 5),
    coarse=st.booleans(),
    variants=st.integers(1, 3),
)


@given(judges)
@settings(max_examples=300, deadline=None)
def test_gap_zero_finds_the_optimum_of_a_full_table(judge):
    found = search(judge.search(gap=0.0))
    assert found.finished
    if not np.isfinite(judge.optimum):
        assert found.lots is None
        assert found.bound == np.inf
        return
    assert found.incumbent == pytest.approx(judge.optimum, rel=1e-9, abs=1e-12)
    assert found.bound <= judge.optimum
    assert found.gap == 0.0
    assert judge.cost[(int(judge.table(found.rule)), *found.lots)] == pytest.approx(found.incumbent)


@given(judges, st.floats(0.0, 0.5))
@settings(max_examples=200, deadline=None)
def test_every_bound_on_the_way_is_below_the_optimum(judge, gap):
    """Stopped after any round, incumbent and bound stand."""
    state = judge.search(gap)
    last = -np.inf
    while True:
        assert state.bound <= judge.optimum
        assert state.incumbent >= judge.optimum - 1e-12
        assert state.bound >= last - 1e-9 * abs(last)
        last = state.bound
        if state.finished:
            break
        state.advance()
    if np.isfinite(judge.optimum):
        assert relative_gap(state.incumbent, state.bound) <= gap + 1e-9


@contextmanager
def long_searches():
    """Every search of three stocks counts as long at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stockpile.boxsearch.LONG", -1)
        patch.setattr("stockpile.boxsearch.LONG_BATCH", 8)
        patch.setattr("stockpile.boxsearch.BATCH", 8)
        patch.setattr("stockpile.boxsearch.FEW_OPEN", 1)
        yield patch


many = st.builds(
    TableJudge,
    st.integers(0, 2**32 - 1),
    dimensions=st.just(3),
    most=st.integers(1, 9),
    rules=st.integers(1, 4),
    coarse=st.booleans(),
    variants=st.integers(1, 2),
)


@given(many, st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_search_by_sketches_finds_the_optimum_too(judge, keep):
    with long_searches():
        state = judge.search(gap=0.0, keep=keep)
        while not state.finished:
            assert state.bound <= judge.optimum
            state.advance()
    assert state.bound <= judge.optimum
    if np.isfinite(judge.optimum):
        assert state.incumbent == pytest.approx(judge.optimum, rel=1e-9, abs=1e-12)
        assert relative_gap(state.incumbent, state.bound) == 0.0
    else:
        assert state.lots is None


def priced(judge, rng):
    """Random prices, and the least that any candidate is charged at them."""
    plain = judge.plain_prices()
    prices = replace(
        plain,
        cost=float(rng.choice([0.0, 0.2, 1.0])),
        share=rng.choice([0.0, 0.5, 2.0], 1),
        stored=rng.choice([0.0, 1.0]) * rng.random(len(judge.unit)),
        rule=rng.choice([0.0, 1.0]) * rng.random(plain.rule.shape),
        variant=rng.choice([0.0, 2.0]) * (rng.random(judge.variants) - 0.5),
    )
    least = np.inf
    for choice, table in zip(judge.space.rule, judge.feasible, strict=True):
        lots = np.argwhere(table)
        if len(lots):
            rule = np.tile(choice, (len(lots), 1))
            at = (judge.table(rule), *lots.T)
            short = judge.variable[at] + judge.slack[at]
            least = min(
                least, (judge.fixed_cost(lots, rule, prices) + prices.weight[0] * short).min()
            )
    return prices, least


@given(
    st.builds(
        TableJudge,
        st.integers(0, 2**32 - 1),
        dimensions=st.integers(2, 3),
        most=st.integers(1, 8),
        rules=st.integers(1, 4),
        coarse=st.booleans(),
        variants=st.integers(1, 2),
    ),
    st.integers(0, 2**32 - 1),
    st.sampled_from([None, (-1, 8), (1, 2), (20, 4)]),
)
@settings(max_examples=300, deadline=None)
def test_searches_that_are_taken_up_at_other_prices_find_the_least_charge(judge, dice, long):
    """Whether searches get long at once, on their way, or never."""
    rng = np.random.default_rng(dice)
    with pytest.MonkeyPatch.context() as patch:
        if long is not None:
            patch.setattr("stockpile.boxsearch.FEW_OPEN", 1)
            patch.setattr("stockpile.boxsearch.LONG", long[0])
            patch.setattr("stockpile.boxsearch.LONG_BATCH", long[1])
            patch.setattr("stockpile.boxsearch.BATCH", long[1])
        state = judge.search(gap=0.0, keep=True)
        for _ in range(int(rng.integers(0, 5))):
            if not state.finished:
                state.advance()
        if not np.isfinite(judge.optimum):
            return
        for _ in range(4):
            prices, least = priced(judge, rng)
            size = 1.0 + abs(least) + np.abs(prices.variant).max()
            slack = rng.choice([0.0, 0.1]) * size
            state.begin(prices, slack=slack)
            for _ in range(int(rng.integers(0, 40))):
                if state.finished:
                    break
                assert state.bound <= least + 1e-9 * size
                state.advance()
            assert state.bound <= least + 1e-9 * size
            assert state.incumbent >= least - 1e-9 * size
            if state.finished:
                assert state.incumbent <= least + slack + 1e-9 * size


@given(many, st.sampled_from([(1, 2), (20, 4)]))
@settings(max_examples=200, deadline=None)
def test_a_search_that_gets_long_on_its_way_finds_the_optimum(judge, long):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stockpile.boxsearch.FEW_OPEN", 1)
        patch.setattr("stockpile.boxsearch.LONG", long[0])
        patch.setattr("stockpile.boxsearch.LONG_BATCH", long[1])
        patch.setattr("stockpile.boxsearch.BATCH", long[1])
        found = search(judge.search(gap=0.0))
    assert found.finished
    assert found.bound <= judge.optimum
    if np.isfinite(judge.optimum):
        assert found.incumbent == pytest.approx(judge.optimum, rel=1e-9, abs=1e-12)


def test_long_searches_look_again_at_what_stays_open_but_not_too_often():
    judge = TableJudge(7, dimensions=3, most=30, rules=3, coarse=False)
    with long_searches():
        state = judge.search(gap=0.0, keep=True)
        for _ in range(10_000):
            if state.finished:
                break
            state.advance()
    assert state.finished
    assert state.incumbent == pytest.approx(judge.optimum, rel=1e-9)
    assert 2 < judge.looked <= 2 + np.log2(state.simulations)


def test_what_was_seen_at_other_weights_is_forgotten():
    """At the weights of the first search planes would be far above what is charged later."""
    seen = 0
    for seed in range(60):
        judge = TableJudge(seed, dimensions=2, most=9, rules=3, coarse=False)
        if not np.isfinite(judge.optimum):
            continue
        rng = np.random.default_rng(seed)
        state = judge.search(gap=0.0, keep=True)
        for weight in (1.0, 0.6, 0.2, 0.9, 0.1):
            plain = judge.plain_prices()
            prices = replace(plain, cost=weight)
            state.begin(prices, slack=0.0)
            for _ in range(int(rng.integers(1, 4))):
                if not state.finished:
                    state.advance()
            seen += not state.finished
            least = np.where(judge.feasible, judge.cost, np.inf).min() * weight
            assert state.bound <= least * (1.0 + 1e-9) + 1e-12
        search(state)
        assert state.incumbent == pytest.approx(least, rel=1e-9, abs=1e-12)
        assert state.bound <= least * (1.0 + 1e-9) + 1e-12
    assert seen > 20  # Most searches go on at other weights before they have ended.


def test_sketches_take_the_place_of_most_simulations():
    judge = TableJudge(7, dimensions=3, most=30, rules=3, coarse=False)
    counted = {"all": 0, "sketch": 0}
    of_all, of_sketch = judge.scores, TableSketch.lower

    def scores(lots, rule, tangents=None):
        counted["all"] += len(lots)
        return of_all(lots, rule, tangents)

    def lower(self, lots, rule, tangents=None):
        counted["sketch"] += len(lots)
        return of_sketch(self, lots, rule, tangents)

    judge.scores = scores
    with long_searches() as patch:
        patch.setattr(TableSketch, "lower", lower)
        state = judge.search(gap=0.01, keep=True)
        search(state)
    assert judge.optimum * (1.0 - 1e-9) <= state.incumbent
    assert state.bound <= judge.optimum
    assert counted["sketch"] > counted["all"] > 0


@given(many, st.floats(0.0, 1.2))
@settings(max_examples=200, deadline=None)
def test_a_goal_is_enough_and_the_bound_stays_true(judge, part):
    """With a goal below the optimum, that is proved and perhaps no more; above it, the gap is."""
    state = judge.search(gap=0.5, keep=True)
    if not np.isfinite(judge.optimum):
        return
    goal = part * judge.optimum
    state.begin(judge.plain_prices(), slack=0.0, goal=goal)
    found = search(state)
    assert found.finished
    assert found.bound <= judge.optimum
    assert found.bound >= min(goal, judge.optimum) - 1e-9 * (1.0 + judge.optimum)


def test_a_search_can_be_stopped_at_once_and_still_tells_the_truth():
    judge = TableJudge(7, dimensions=3, most=9, rules=5, coarse=False)
    found = search(judge.search(0.0), stop=lambda: True)
    assert not found.finished
    assert found.bound <= judge.optimum <= found.incumbent


def test_the_search_simulates_far_less_than_there_is():
    judge = TableJudge(11, dimensions=2, most=200, rules=5, coarse=False)
    found = search(judge.search(0.01))
    assert found.finished
    assert found.simulations < judge.cost.size / 20


def test_gaps_are_relative_to_the_incumbent():
    assert relative_gap(100.0, 99.0) == pytest.approx(0.01)
    assert relative_gap(100.0, 100.0) == 0.0
    assert relative_gap(0.0, 0.0) == 0.0
    assert relative_gap(np.inf, 5.0) == np.inf


def test_enumeration_in_this_test_is_itself_right():
    """The table's optimum, found once more by a plain loop."""
    judge = TableJudge(3, dimensions=2, most=4, rules=3, coarse=False)
    best = min(
        np.inf
        if not judge.feasible[r, i, j]
        else i * judge.unit[0] + j * judge.unit[1] + judge.variable[r, i, j] + judge.slack[r, i, j]
        for r, i, j in itertools.product(range(3), range(5), range(5))
    )
    assert best == pytest.approx(judge.optimum)


@given(judges, st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_improved_candidates_are_inside_keep_their_promises_and_are_no_dearer(judge, seed):
    state = judge.search(0.3, keep=True)
    prices = judge.plain_prices()
    rng = np.random.default_rng(seed)
    most = judge.space.hi.max(axis=0)
    lo = rng.integers(0, most + 1)
    hi = rng.integers(lo, most + 1)
    rules, variants = int(judge.space.rule[:, 0].max()) + 1, judge.variants
    region = Region(lo, hi, np.ones((1, rules), np.bool_), np.ones(variants, np.bool_))
    for lots in (lo, hi):
        state.look_at(lots, judge.space.rule[0])
    starts = state.candidates.take(region.holds(state.candidates))
    if not starts.count:
        return
    found = state.improve(starts, prices, region)
    assert region.holds(found).all()
    assert (found.rule == starts.rule).all()
    at = (judge.table(found.rule), *found.lots.T)
    assert judge.feasible[at].all()
    assert (state.charge(found, prices) == pytest.approx(judge.cost[at])) or not found.count
    assert (state.charge(found, prices) <= state.charge(starts, prices)).all()
