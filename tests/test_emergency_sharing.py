"""Article 7 of the International Energy Program agreement: cases by hand, and what always holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stockpile.cooperation.emergency_sharing import article7, restraint_level
from stockpile.errors import UsageError

THREE = {"consumption": [100.0, 60.0, 40.0], "available": [85.0, 30.0, 45.0]}
"""The group uses 200 t a month and has 160 t left: a fall of 20 %."""
COMMITMENT = [300.0, 100.0, 100.0]

tonnes = st.floats(0.0, 1e6)


@st.composite
def disruptions(draw):
    """Consumption, supplies, commitments and a restraint that supplies do not exceed."""
    count = draw(st.integers(1, 8))
    vectors = st.lists(tonnes, min_size=count, max_size=count)
    consumption, commitment = np.array(draw(vectors)), np.array(draw(vectors)) + 1.0
    restraint = draw(st.floats(0.0, 0.5))
    available = np.array(draw(vectors))
    limit = (1.0 - restraint) * consumption.sum()
    if available.sum() > limit:
        available *= draw(st.floats(0.0, 1.0)) * limit / available.sum()
    return consumption, available, commitment, restraint


def test_three_nations_by_hand():
    """A fall of 20 % is above 12 %, so everybody saves 10 % (Article 14).

    Permissible consumption 90 + 54 + 36 = 180 t; 160 t are there, so 20 t come from reserves, in
    proportion 3 : 1 : 1 of the commitments: 12, 4 and 4 t. Supply rights are 78, 50 and 32 t.
    The first has 85 t and passes on 7, the second has 30 t and receives 20, the third has 45 t
    and passes on 13.
    """
    sharing = article7(**THREE, commitment=COMMITMENT)
    assert sharing.restraint == 0.10
    assert sharing.group_shortfall == pytest.approx(20.0)
    assert sharing.permissible_consumption == pytest.approx([90.0, 54.0, 36.0])
    assert sharing.drawdown_obligation == pytest.approx([12.0, 4.0, 4.0])
    assert sharing.supply_right == pytest.approx([78.0, 50.0, 32.0])
    assert sharing.balance == pytest.approx([-7.0, 20.0, -13.0])
    assert sharing.allocation_right == pytest.approx([0.0, 20.0, 0.0])
    assert sharing.allocation_obligation == pytest.approx([7.0, 0.0, 13.0])


def test_without_restraint_reserves_carry_the_whole_loss():
    """40 t are short: 24, 8 and 8 t are drawn, rights 76, 52 and 32 t."""
    sharing = article7(**THREE, commitment=COMMITMENT, restraint=0.0)
    assert sharing.drawdown_obligation == pytest.approx([24.0, 8.0, 8.0])
    assert sharing.balance == pytest.approx([-9.0, 22.0, -13.0])


def test_a_loss_of_exactly_the_restraint_draws_nothing():
    """Only one nation is hit. It loses 14 t of 100, so the group of 200 loses 7 % (Article 13)."""
    sharing = article7([100.0, 100.0], [86.0, 100.0], [0.0, 0.0])
    assert sharing.restraint == 0.07
    assert sharing.group_shortfall == 0.0
    assert sharing.drawdown_obligation.tolist() == [0.0, 0.0]
    assert sharing.balance == pytest.approx([7.0, -7.0])


def test_who_has_committed_more_than_it_uses_has_a_negative_right():
    """Shortfall 180 - 60 = 120 t, all of it from the second, which may use 90 t: it has to send
    its supplies of 10 t and 30 t of its reserve, and the first receives 90 - 50 = 40 t."""
    sharing = article7([100.0, 100.0], [50.0, 10.0], [0.0, 1000.0])
    assert sharing.supply_right == pytest.approx([90.0, -30.0])
    assert sharing.balance == pytest.approx([40.0, -40.0])


@pytest.mark.parametrize(
    ("left", "level"),
    [(100.0, None), (93.1, None), (93.0, 0.07), (88.1, 0.07), (88.0, 0.10), (0.0, 0.10)],
)
def test_restraint_follows_articles_13_and_14(left, level):
    assert restraint_level([60.0, 40.0], [left / 2, left / 2]) == level


def test_nobody_uses_anything():
    assert restraint_level([0.0], [0.0]) is None
    assert article7([0.0], [0.0], [0.0], restraint=0.0).balance.tolist() == [0.0]


@given(disruptions())
def test_what_some_owe_others_receive(case):
    sharing = article7(*case)
    size = max(1.0, case[0].sum())
    assert math.fsum(sharing.balance) == pytest.approx(0.0, abs=1e-9 * size)
    assert sharing.allocation_right.sum() == pytest.approx(
        sharing.allocation_obligation.sum(), abs=1e-9 * size
    )


@given(disruptions())
def test_after_sharing_everybody_consumes_what_is_permissible(case):
    consumption, available, _, restraint = case
    sharing = article7(*case)
    np.testing.assert_allclose(
        available + sharing.drawdown_obligation + sharing.balance,
        (1.0 - restraint) * consumption,
        atol=1e-9 * max(1.0, consumption.sum()),
    )
    assert np.all(sharing.drawdown_obligation >= 0.0)


@given(disruptions(), st.randoms())
def test_the_order_of_participants_does_not_matter(case, random):
    consumption, available, commitment, restraint = case
    order = list(range(consumption.size))
    random.shuffle(order)
    mixed = article7(consumption[order], available[order], commitment[order], restraint)
    plain = article7(*case)
    size = max(1.0, consumption.sum())
    np.testing.assert_allclose(mixed.supply_right, plain.supply_right[order], atol=1e-9 * size)
    np.testing.assert_allclose(mixed.balance, plain.balance[order], atol=1e-9 * size)


@given(disruptions(), st.floats(1e-3, 1e3))
def test_only_the_proportions_of_commitments_count(case, factor):
    consumption, available, commitment, restraint = case
    more = article7(consumption, available, factor * commitment, restraint)
    size = max(1.0, consumption.sum())
    np.testing.assert_allclose(more.balance, article7(*case).balance, atol=1e-9 * size)


@given(disruptions())
def test_the_prescribed_restraint_never_exceeds_the_loss(case):
    """So Article 7 always has something to divide once Article 13 or 14 has started it."""
    consumption, available, commitment, _ = case
    assume(restraint_level(consumption, available) is not None)
    assert article7(consumption, available, commitment).group_shortfall >= 0.0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"available": [95.0, 55.0, 40.0]}, "less than 7 %(.|\n)*Name a restraint"),
        ({"restraint": 0.25}, "160 t a month exceed the permissible consumption of 150 t"),
        ({"restraint": 1.0}, "The restraint is 1; it must be"),
        ({"restraint": -0.1}, "The restraint is -0.1"),
        ({"restraint": math.nan}, "The restraint is nan"),
        ({"commitment": [0.0, 0.0, 0.0]}, "short of 20 t a month, but nobody has committed"),
        ({"commitment": [1.0, 1.0]}, r"of one length(.|\n)*commitment has the shape \(2,\)"),
        ({"consumption": 5.0}, r"consumption has the shape \(\)"),
        ({"available": [85.0, -30.0, 45.0]}, "Every number of available"),
        ({"consumption": [math.nan, 60.0, 40.0]}, "Every number of consumption"),
    ],
)
def test_disruptions_that_cannot_be_shared_are_refused(changed, message):
    with pytest.raises(UsageError, match=message):
        article7(**{**THREE, "commitment": COMMITMENT, **changed})
