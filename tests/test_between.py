"""One month between two ends: whatever stocks and holdings are in between, so are the releases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cases import random_case
from hypothesis import given, settings
from hypothesis import strategies as st
from random_conversions import chain_case

from stockpile.desk.between import MOST_PIECES, Ends, pieces, released_between
from stockpile.simulate import candidate_terms, simulate_months

TRIED = 40


def ends_around(rng, amount):
    """Ends of any width that hold an amount; one in five is known, one in five has no end."""
    kind = rng.random(amount.size)
    least = np.where(kind < 0.2, amount, amount * rng.random(amount.size))
    most = np.where(kind < 0.2, amount, amount + 6.0 * rng.random(amount.size))
    return Ends(least, np.where(kind > 0.8, np.inf, most))


def inside(rng, ends):
    """Amounts between ends, mostly near or at an end."""
    most = np.where(np.isfinite(ends.most), ends.most, ends.least + 30.0)
    part = rng.choice([0.0, 1.0, rng.random(), 0.01 * rng.random()], ends.least.size)
    return ends.least + part * (most - ends.least)


@pytest.mark.parametrize("make", [random_case, chain_case])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_every_release_that_is_possible_lies_between_the_ends(make, seed):
    """The releases of the plain simulation, at stocks and holdings that the ends do not know."""
    case, rng = make(seed, num_candidates=1), np.random.default_rng(seed)
    if not case.needs.scenario.size:
        return
    agreed = ends_around(rng, case.holding[:, 0])
    left = ends_around(rng, case.holding[:, 0] * rng.random(agreed.least.size))
    full = rng.random(agreed.least.size) < 0.3
    steps = case.block.steps
    terms = candidate_terms(case.menu, steps, case.holding, case.rule)
    stocks = pieces(agreed, left, full)
    found = released_between(terms, case.needs, 0, stocks)
    least, most = found.least.min(axis=1), found.most.max(axis=1)
    assert (least <= most + 1e-12).all()
    first = int(case.needs.month[0])
    one = case.needs.only(np.array([0]), np.ones(1))
    for _ in range(TRIED):
        h = inside(rng, agreed)
        x = np.where(full, h, inside(rng, left))
        held = np.maximum(h, x)[:, None]
        true = candidate_terms(case.menu, steps, held, case.rule, x[:, None])
        months = simulate_months(case.block, one, true, case.refill, first + 1, first=first)
        released = months.released[0, first, :, 0]
        assert (released >= least - 1e-9).all()
        assert (released <= most + 1e-9).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_what_is_known_has_one_release(seed):
    """Where both ends are the same, the ends of the releases are those of the simulation."""
    case, rng = random_case(seed, num_candidates=1), np.random.default_rng(seed)
    if not case.needs.scenario.size:
        return
    h = case.holding[:, 0]
    x = h * rng.random(h.size)
    terms = candidate_terms(case.menu, case.block.steps, case.holding, case.rule, x[:, None])
    stocks = pieces(Ends.exactly(h), Ends.exactly(x), np.zeros(h.size, dtype=bool))
    found = released_between(terms, case.needs, 0, stocks)
    first = int(case.needs.month[0])
    one = case.needs.only(np.array([0]), np.ones(1))
    months = simulate_months(case.block, one, terms, case.refill, first + 1, first=first)
    np.testing.assert_allclose(found.least[:, 0], months.released[0, first, :, 0], atol=1e-9)
    np.testing.assert_allclose(found.most[:, 0], months.released[0, first, :, 0], atol=1e-9)


def test_pieces_hold_all_that_is_possible():
    """Two amounts of 0 to 8 t: 64 pieces each, and what is beyond what is agreed counts as held."""
    stocks = pieces(
        Ends(np.zeros(1), np.full(1, 8.0)), Ends(np.zeros(1), np.full(1, 8.0)), np.zeros(1, bool)
    )
    assert stocks.left.least.shape == (1, 64 * 64)
    for h, x in ((0.0, 8.0), (8.0, 0.0), (3.3, 7.7), (8.0, 8.0), (0.0, 0.0)):
        held = max(h, x)
        inside_one = (
            (stocks.holding.least <= held)
            & (held <= stocks.holding.most)
            & (stocks.left.least <= x)
            & (x <= stocks.left.most)
            & (stocks.missing.least <= held - x + 1e-12)
            & (held - x <= stocks.missing.most + 1e-12)
        )
        assert inside_one.any(), (h, x)


def test_a_full_stock_without_an_upper_end_still_gives_at_least_half_of_its_lower_end():
    """At a reserve level of one half, h - h / 2 is at least 6 t of 12 t or more."""
    case = random_case(0, num_candidates=1)
    ends = Ends(np.full(case.holding.shape[0], 12.0), np.full(case.holding.shape[0], np.inf))
    stocks = pieces(ends, ends, np.ones(case.holding.shape[0], dtype=bool))
    steps = case.block.steps
    terms = candidate_terms(case.menu, steps, case.holding, case.rule)
    level, limit = np.full_like(terms.level, 0.5), np.ones_like(terms.limit)
    terms = replace(
        terms,
        level=level,
        limit=limit,
        trigger=np.zeros_like(terms.trigger),
        capacity=np.full_like(terms.capacity, 1e6),
    )
    needs = replace(
        case.needs,
        need=np.full_like(case.needs.need, 100.0),
        blocked=np.zeros_like(case.needs.blocked),
        age=np.full_like(case.needs.age, 9),
    )
    found = released_between(terms, needs, 0, stocks)
    first = int(np.flatnonzero(steps.stock == steps.stock[0])[0])
    assert found.least[first, 0] == pytest.approx(6.0 * steps.yield_[first])


@pytest.mark.parametrize(
    ("unknown", "each"), [(1, 256), (2, 64), (3, 16), (4, 8), (6, 4), (12, 2), (13, 1)]
)
def test_as_many_pieces_as_there_may_be(unknown, each):
    """4096 is 64 squared, 16 to the third and 4 to the sixth, whatever its rounded roots are."""
    agreed = Ends(np.zeros(unknown), np.ones(unknown))
    cut = pieces(agreed, agreed, np.ones(unknown, dtype=bool))
    assert cut.holding.least.shape == (unknown, each**unknown)
    assert each**unknown <= MOST_PIECES
