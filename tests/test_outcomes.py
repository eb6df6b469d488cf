"""What simulated candidates say of others: never anything but what simulating these would say."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpile.outcomes import MOST, Outcomes


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=100, deadline=None)
def test_what_is_looked_up_is_what_would_be_simulated(seed, stocks, rules):
    """Promises kept from a random sum of lots on, nearly kept from a little less on."""
    rng = np.random.default_rng(seed)
    weight, needed = rng.random(stocks), rng.random(rules) * stocks * 4.0
    outcomes = Outcomes()
    asked = 0
    for _ in range(4):
        lots = rng.integers(0, 9, (60, stocks))
        rule = rng.integers(0, rules, (60, 1))
        value = lots @ weight - needed[rule[:, 0]]

        def simulate(places, value=value):
            nonlocal asked
            asked += places.size
            return value[places] >= 0.0, value[places] >= -0.2

        met, nearly = outcomes.judge(lots, rule, simulate)
        assert (met == (value >= 0.0)).all()
        assert (nearly == (value >= -0.2)).all()
    assert asked <= 240


def test_the_same_is_not_simulated_twice():
    outcomes = Outcomes()
    lots, rule = np.array([[3, 3], [1, 1]]), np.zeros((2, 1), dtype=np.int64)

    def simulate(places):
        assert places.tolist() == [0, 1]
        return np.array([True, False]), np.array([True, False])

    outcomes.judge(lots, rule, simulate)

    def never(places):
        raise AssertionError(places)

    met, _ = outcomes.judge(np.array([[4, 3], [3, 3], [1, 0]]), np.zeros((3, 1), np.int64), never)
    assert met.tolist() == [True, True, False]


def test_other_rules_say_nothing():
    outcomes = Outcomes()
    everything = np.array([[9]])
    outcomes.judge(everything, np.array([[0]]), lambda _: (np.array([True]), np.array([True])))
    broken = np.array([False])
    met, _ = outcomes.judge(everything, np.array([[1]]), lambda _: (broken, broken))
    assert not met[0]


def test_only_so_many_are_remembered():
    outcomes = Outcomes()
    count = 3 * MOST
    line = np.stack([np.arange(count), np.arange(count)[::-1]], axis=1)  # None above another.
    kept = np.ones(count, dtype=np.bool_)
    given_ = np.zeros((count, 1), dtype=np.int64)
    outcomes.judge(line, given_, lambda places: (kept[places], kept[places]))
    asked = []

    def simulate(places):
        asked.extend(places.tolist())
        return kept[places], kept[places]

    outcomes.judge(line, given_, simulate)
    assert len(asked) == count - MOST
