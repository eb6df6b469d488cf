"""Splits of a common cost: games with known answers, and the theorems as properties."""

from __future__ import annotations

import itertools
import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpile.cooperation import core
from stockpile.cooperation.bargaining import nash_bargaining
from stockpile.cooperation.core import Objection, core_check, least_core
from stockpile.cooperation.game import MOST_PLAYERS, CostGame
from stockpile.cooperation.payments import side_payments, ticket_price
from stockpile.cooperation.proportional import proportional
from stockpile.cooperation.shapley import shapley
from stockpile.errors import CheckError, UsageError

NAMES = ("us", "japan", "korea", "australia", "eu")
THREE = NAMES[:3]


def coalitions(players):
    """Every non-empty coalition, small ones first."""
    return [
        frozenset(members)
        for size in range(1, len(players) + 1)
        for members in itertools.combinations(players, size)
    ]


def game_of(players, cost):
    """A game whose coalitions pay what the function ``cost`` says."""
    return CostGame(tuple(players), {S: cost(S) for S in coalitions(players)})


def two(us=100.0, japan=60.0, both=130.0):
    return CostGame(
        ("us", "japan"),
        {frozenset({"us"}): us, frozenset({"japan"}): japan, frozenset({"us", "japan"}): both},
    )


def allies():
    """Three nations, million USD a year: pairs save 30, 10 and 5, all three save 40."""
    alone = {"us": 100.0, "japan": 60.0, "korea": 40.0}
    saving = {
        frozenset({"us", "japan"}): 30.0,
        frozenset({"us", "korea"}): 10.0,
        frozenset({"japan", "korea"}): 5.0,
        frozenset(THREE): 40.0,
    }
    return game_of(THREE, lambda S: sum(alone[c] for c in S) - saving.get(S, 0.0))


def airport(lengths):
    """A runway costs what its longest user needs (Littlechild and Owen, 1973)."""
    return game_of(lengths, lambda S: max(lengths[c] for c in S))


def glove():
    """One left glove and two right ones; a player without a pair pays 1 for doing without."""
    return game_of(("left", "right1", "right2"), lambda S: len(S) - ("left" in S and len(S) > 1))


def majority():
    """Any two of three save 1, and the third adds nothing."""
    return game_of(THREE, lambda S: len(S) - (len(S) > 1))


def valley():
    """Tennessee Valley Authority, thousand USD (Straffin and Heaney, 1981)."""
    return CostGame(
        ("navigation", "flood", "power"),
        {
            frozenset({"navigation"}): 163_520,
            frozenset({"flood"}): 140_826,
            frozenset({"power"}): 250_096,
            frozenset({"navigation", "flood"}): 301_607,
            frozenset({"navigation", "power"}): 378_821,
            frozenset({"flood", "power"}): 367_370,
            frozenset({"navigation", "flood", "power"}): 412_584,
        },
    )


money = st.floats(-1e6, 1e6, allow_nan=False, width=32)


@st.composite
def games(draw, least=1, most=5):
    """Any costs at all, between one and five players."""
    players = NAMES[: draw(st.integers(least, most))]
    return game_of(players, lambda _: draw(money))


def close(a, b, scale=1.0):
    assert a == pytest.approx(b, rel=1e-9, abs=1e-9 * max(scale, 1.0))


def scale_of(game):
    return max(abs(cost) for cost in game.cost.values())


# --- The game -------------------------------------------------------------------------------------


def test_saving_is_what_members_pay_alone_less_what_they_pay_together():
    game = allies()
    assert game.saving(("us", "japan")) == 30.0  # 100 + 60 - 130
    assert game.saving(["korea"]) == 0.0
    assert game.saving([]) == 0.0
    assert game.saving(THREE) == 40.0
    assert game.total == 160.0
    assert list(game.standalone.items()) == [("us", 100.0), ("japan", 60.0), ("korea", 40.0)]


def test_coalitions_are_numbered_by_the_bits_of_their_players():
    game = allies()
    assert game.members(0) == ()
    assert game.members(5) == ("us", "korea")
    # korea is 4 = 0b100; us and korea are 0b101.
    assert game.costs().tolist() == [0, 100, 60, 130, 40, 130, 95, 160]
    assert game.membership()[5].tolist() == [1, 0, 1]


def test_a_game_does_not_change_afterwards():
    costs = {frozenset({"us"}): 1.0}
    game = CostGame(("us",), costs)
    costs[frozenset({"us"})] = 2.0
    assert game.total == 1.0
    with pytest.raises(FrozenInstanceError):
        game.players = ()


def test_the_empty_coalition_may_be_named():
    game = CostGame(("us",), {frozenset(): 0.0, frozenset({"us"}): 3.0})
    assert game == CostGame(("us",), {frozenset({"us"}): 3.0})


@pytest.mark.parametrize(
    ("players", "changed", "message"),
    [
        ((), {}, "at least one player"),
        (("us", "us"), {}, "Player us is named twice"),
        (tuple("abcdefghijklm"), {}, "13 players; at most 12"),
        (THREE, {frozenset({"us", "korea"}): None}, r"without a cost: korea \+ us\.\n3 .* need 7"),
        (THREE, {frozenset({"mars", "us"}): 1.0}, r"mars \+ us has a cost but is no coalition"),
        (THREE, {"us": 1.0}, r"'us' has a cost but is no coalition(.|\n)*frozenset\({'us'}\)"),
        (THREE, {frozenset({"us"}): math.nan}, "cost of us is nan"),
        (THREE, {frozenset({"us"}): math.inf}, "cost of us is inf"),
        (THREE, {frozenset(): 1.0}, "empty coalition has a cost of 1.0"),
    ],
)
def test_a_game_that_is_not_whole_is_refused(players, changed, message):
    costs = {**allies().cost, **changed}
    costs = {coalition: cost for coalition, cost in costs.items() if cost is not None}
    with pytest.raises(UsageError, match=message):
        CostGame(players, costs)


def test_only_a_few_missing_coalitions_are_named():
    with pytest.raises(UsageError, match=r"japan, japan \+ us, korea, korea \+ us and 2 more"):
        CostGame(THREE, {frozenset({"us"}): 1.0})


def test_a_saving_of_strangers_is_refused():
    with pytest.raises(UsageError, match=r"japn is not a player of the game\. Did you mean japan"):
        allies().saving(("us", "japn"))


# --- Shapley value --------------------------------------------------------------------------------


def test_shapley_of_two_players_splits_the_saving_in_half():
    """100 + 60 - 130 = 30 is saved, 15 each."""
    assert shapley(two()) == {"us": 85.0, "japan": 45.0}


def test_shapley_of_three_allies():
    """Worked by hand on savings, which the value divides in the same way as costs.

    us:    30/6 + 10/6 + (40 -  5)/3 = 110/6, pays 100 - 110/6.
    japan: 30/6 +  5/6 + (40 - 10)/3 =  95/6, pays  60 -  95/6.
    korea: 10/6 +  5/6 + (40 - 30)/3 =  35/6, pays  40 -  35/6.
    """
    assert shapley(allies()) == pytest.approx(
        {"us": 100 - 110 / 6, "japan": 60 - 95 / 6, "korea": 40 - 35 / 6}
    )


def test_shapley_of_an_airport():
    """Each stretch of the runway is shared by those who need it (Littlechild and Owen, 1973).

    8, then 3, 2 and 5 more: 8/4 = 2; 2 + 3/3 = 3; 3 + 2/2 = 4; 4 + 5/1 = 9.
    """
    game = airport({"a": 8.0, "b": 11.0, "c": 13.0, "d": 18.0})
    assert shapley(game) == pytest.approx({"a": 2.0, "b": 3.0, "c": 4.0, "d": 9.0})


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=8))
def test_shapley_of_any_airport(costs):
    costs = sorted(costs)
    expected = np.cumsum(np.diff(costs, prepend=0.0) / np.arange(len(costs), 0, -1))
    paid = shapley(airport({f"p{i}": cost for i, cost in enumerate(costs)}))
    np.testing.assert_allclose(list(paid.values()), expected, atol=1e-9 * max(1.0, costs[-1]))


def test_shapley_of_the_glove_game():
    """The left glove saves 2/3: it finds a pair unless it comes first. The others save 1/6."""
    assert shapley(glove()) == pytest.approx({"left": 1 / 3, "right1": 5 / 6, "right2": 5 / 6})


def test_shapley_of_a_weighted_vote():
    """Votes 2, 1, 1, 1, three of which save 1: the big one is pivotal in half of all orders."""
    votes = {"us": 2, "japan": 1, "korea": 1, "australia": 1}
    game = game_of(votes, lambda S: -1.0 * (sum(votes[c] for c in S) >= 3))
    expected = {"us": -1 / 2, "japan": -1 / 6, "korea": -1 / 6, "australia": -1 / 6}
    assert shapley(game) == pytest.approx(expected)


def test_shapley_of_the_tennessee_valley():
    """Published to the thousand USD: 117,829; 100,756.5; 193,998.5 (Straffin and Heaney, 1981)."""
    assert shapley(valley()) == pytest.approx(
        {"navigation": 117_829.0, "flood": 100_756.5, "power": 193_998.5}
    )


def test_shapley_of_twelve_players_is_exact():
    """Each pays its own cost and a twelfth of what any group of more than one has in common."""
    players = [f"p{i}" for i in range(MOST_PLAYERS)]
    game = game_of(players, lambda S: sum(int(c[1:]) for c in S) + 12.0)
    assert shapley(game) == pytest.approx({c: int(c[1:]) + 1.0 for c in players}, rel=1e-12)


def by_permutations(game):
    """The definition: mean of what joining adds, over all orders."""
    total = dict.fromkeys(game.players, 0.0)
    for order in itertools.permutations(game.players):
        before = frozenset()
        for player in order:
            total[player] += game.cost[before | {player}] - game.cost[before]
            before |= {player}
    return {c: amount / math.factorial(len(game.players)) for c, amount in total.items()}


@given(games())
@settings(deadline=None)
def test_shapley_is_the_mean_over_all_orders(game):
    close(shapley(game), by_permutations(game), scale_of(game))


@given(games())
def test_shapley_pays_for_everything(game):
    close(math.fsum(shapley(game).values()), game.total, scale_of(game))


@given(games(least=2), st.data())
def test_shapley_treats_equal_players_equally(game, data):
    """Costs are made equal under an exchange of two players; they then pay the same exactly."""
    one, other = data.draw(st.permutations(game.players))[:2]
    swap = {one: other, other: one}

    def cost(S):
        return game.cost[S] + game.cost[frozenset(swap.get(c, c) for c in S)]

    paid = shapley(game_of(game.players, cost))
    assert paid[one] == paid[other]


@given(games(), money)
def test_shapley_charges_a_null_player_what_it_adds(game, own):
    """Who adds the same to every coalition pays just that; null is own = 0."""
    bigger = game_of(
        (*game.players, "null"), lambda S: game.cost[S - {"null"}] + own * ("null" in S)
    )
    paid = shapley(bigger)
    close(paid.pop("null"), own, scale_of(bigger))
    close(paid, shapley(game), scale_of(bigger))


@given(st.integers(1, 5).flatmap(lambda n: st.tuples(games(n, n), games(n, n))))
def test_shapley_adds_up_over_games(pair):
    first, second = pair
    together = game_of(first.players, lambda S: first.cost[S] + second.cost[S])
    a, b = shapley(first), shapley(second)
    close(shapley(together), {c: a[c] + b[c] for c in a}, scale_of(first) + scale_of(second))


@given(games(), st.data())
def test_shapley_does_not_depend_on_the_order_of_players(game, data):
    order = tuple(data.draw(st.permutations(game.players)))
    assert shapley(CostGame(order, game.cost)) == shapley(game)


# --- Bargaining and proportional ------------------------------------------------------------------


def test_nash_divides_the_saving_equally():
    """40 are saved, a third each: 100 - 40/3, 60 - 40/3, 40 - 40/3."""
    assert nash_bargaining(allies()) == pytest.approx(
        {"us": 100 - 40 / 3, "japan": 60 - 40 / 3, "korea": 40 - 40 / 3}
    )


def test_nash_by_weights():
    """Weights 2 : 1 of a saving of 30: 20 and 10."""
    assert nash_bargaining(two(), {"japan": 2.0, "us": 4.0}) == {"us": 80.0, "japan": 50.0}


@given(st.lists(st.floats(0.1, 10.0), min_size=3, max_size=3), st.data())
def test_nash_maximises_the_product_of_gains(weights, data):
    """No other split of the saving has a greater weighted product; compared by logarithms."""
    game, weight = allies(), dict(zip(THREE, weights, strict=True))
    other = np.array(data.draw(st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3)))
    paid = nash_bargaining(game, weight)
    gain = np.array([game.standalone[c] - paid[c] for c in THREE])
    assert np.dot(weights, np.log(gain)) >= (
        np.dot(weights, np.log(40.0 * other / other.sum())) - 1e-9
    )


@given(money, money, st.floats(0.0, 1e6))
def test_nash_is_shapley_for_two_players(us, japan, saving):
    game = two(us, japan, us + japan - saving)
    close(nash_bargaining(game), shapley(game), scale_of(game))


def test_nash_has_nothing_to_divide_where_cooperation_costs_more():
    with pytest.raises(UsageError, match=r"pay 5 USD a year more than each alone"):
        nash_bargaining(two(both=165.0))
    assert nash_bargaining(two(both=160.0)) == {"us": 100.0, "japan": 60.0}


def test_proportional_divides_the_saving_by_a_key():
    """Consumption is worth 500, 100 and 400: of 40 the nations save 20, 4 and 16."""
    key = {"korea": 400.0, "us": 500.0, "japan": 100.0}
    assert proportional(allies(), key) == pytest.approx({"us": 80.0, "japan": 56.0, "korea": 24.0})


def test_proportional_leaves_who_has_a_key_of_zero_as_alone():
    assert proportional(two(), {"us": 0.0, "japan": 7.0}) == {"us": 100.0, "japan": 30.0}


def test_proportional_divides_an_extra_cost_as_well():
    assert proportional(two(both=164.0), {"us": 3.0, "japan": 1.0}) == {"us": 103.0, "japan": 61.0}


@given(games(), st.lists(st.floats(1e-3, 1e6), min_size=5, max_size=5))
def test_proportional_pays_for_everything(game, keys):
    paid = proportional(game, dict(zip(game.players, keys, strict=False)))
    close(math.fsum(paid.values()), game.total, 10 * scale_of(game))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ({"us": 1.0}, "The key of japan is missing"),
        ({"us": 1.0, "japan": 1.0, "mars": 1.0}, "mars is not a player"),
        ({"us": -1.0, "japan": 1.0}, "The key of us is -1; it must be ≥ 0"),
        ({"us": math.nan, "japan": 1.0}, "The key of us is nan, not finite"),
        ({"us": 0.0, "japan": 0.0}, "The key of every player is 0"),
    ],
)
def test_keys_that_divide_nothing_are_refused(key, message):
    with pytest.raises(UsageError, match=message):
        proportional(two(), key)
    with pytest.raises(UsageError, match=message.replace("key", "weight")):
        nash_bargaining(two(), key)


# --- The core -------------------------------------------------------------------------------------


def test_an_equal_split_drives_a_strong_pair_away():
    """The United States and Japan pay 160 - 2 * 40/3 = 133.33 and would pay 130 on their own."""
    (objection,) = core_check(allies(), nash_bargaining(allies()))
    assert objection.coalition == ("us", "japan")
    assert objection.pays == pytest.approx(400 / 3)
    assert objection.alone == 130.0
    assert objection.excess == pytest.approx(10 / 3)
    assert core_check(allies(), nash_bargaining(allies()), 3.34) == ()
    assert core_check(allies(), shapley(allies())) == ()


def test_objections_come_by_size_of_excess():
    """All of the saving to Korea: the pair objects by 30, nobody else can object by more."""
    objections = core_check(allies(), {"us": 100.0, "japan": 60.0, "korea": 0.0})
    assert objections == (Objection(("us", "japan"), 160.0, 130.0),)
    objections = core_check(allies(), {"us": 150.0, "japan": 10.0, "korea": 0.0})
    assert [(o.coalition, o.excess) for o in objections] == [
        (("us",), 50.0),
        (("us", "japan"), 30.0),
        (("us", "korea"), 20.0),
    ]


def test_shapley_of_the_glove_game_is_not_in_the_core():
    """A pair pays 1/3 + 5/6 = 7/6 but 1 on its own. The core is the left glove saving all."""
    objections = core_check(glove(), shapley(glove()))
    assert [o.coalition for o in objections] == [("left", "right1"), ("left", "right2")]
    assert [o.excess for o in objections] == pytest.approx([1 / 6, 1 / 6])
    least = least_core(glove())
    assert least.epsilon == pytest.approx(0.0, abs=1e-9)
    assert least.allocation == pytest.approx({"left": 0.0, "right1": 1.0, "right2": 1.0}, abs=1e-9)


def test_majority_has_an_empty_core():
    """Each pair may claim all of 1; a third each leaves every pair 1 - 2/3 = 1/3 short."""
    least = least_core(majority())
    assert least.allocation == pytest.approx(dict.fromkeys(THREE, 2 / 3))
    assert least.epsilon == pytest.approx(1 / 3)
    assert least.bound == pytest.approx(1 / 3)
    assert len(core_check(majority(), least.allocation)) == 3


def test_least_core_of_the_tennessee_valley():
    """Pairs save so little on their own that only single players matter: 141,858 / 3 each."""
    least = least_core(valley())
    assert least.epsilon == pytest.approx(-141_858 / 3)
    assert least.allocation == pytest.approx(nash_bargaining(valley()))


def test_least_core_of_two_players_is_half_the_saving():
    least = least_core(two())
    assert least.allocation == pytest.approx({"us": 85.0, "japan": 45.0})
    assert least.epsilon == pytest.approx(-15.0)


def least_epsilon_of_three(game):
    """Closed form: the tightest of all ways to cover three players evenly.

    Each player alone, e ≥ -v(N)/3; a pair and the third, e ≥ (v(ij) - v(N))/2; the three pairs,
    e ≥ (sum of v(ij) - 2 v(N))/3. Other balanced families are mixtures of these.
    """
    pairs = [game.saving(pair) for pair in itertools.combinations(game.players, 2)]
    total = game.saving(game.players)
    return max(-total / 3, (max(pairs) - total) / 2, (sum(pairs) - 2 * total) / 3)


@given(games(3, 3))
@settings(deadline=None)
def test_least_core_of_three_players_in_closed_form(game):
    close(least_core(game).epsilon, least_epsilon_of_three(game), scale_of(game))


@given(games(least=2))
@settings(deadline=None)
def test_least_core_is_what_it_says(game):
    """Epsilon is reached, bounded from below, and decides whether the core check finds anybody."""
    least, scale = least_core(game), scale_of(game)
    close(math.fsum(least.allocation.values()), game.total, scale)
    excess = [
        sum(least.allocation[c] for c in S) - game.cost[S] for S in coalitions(game.players)[:-1]
    ]
    close(least.epsilon, max(excess), scale)
    close(least.epsilon, least.bound, 100 * scale)
    assert least.bound <= least.epsilon
    assert core_check(game, least.allocation, max(least.epsilon, 0.0) + game.rounding) == ()


@given(games(least=2), st.lists(money, min_size=5, max_size=5))
@settings(deadline=None)
def test_no_split_has_a_smaller_greatest_excess(game, noise):
    """Weak duality: any split at all stays above the bound."""
    noise = np.array(noise[: len(game.players)])
    split = np.array(list(least_core(game).allocation.values())) + noise - noise.mean()
    split = dict(zip(game.players, split, strict=True))
    excess = [sum(split[c] for c in S) - game.cost[S] for S in coalitions(game.players)[:-1]]
    assert max(excess) >= least_core(game).bound - 1e-9 * max(scale_of(game), 1e6)


@given(games(), st.lists(st.floats(-2.0, 2.0), min_size=5, max_size=5))
def test_core_check_finds_every_objection(game, noise):
    """Against every coalition in turn."""
    noise, scale = np.array(noise[: len(game.players)]), scale_of(game)
    shares = game.total / noise.size + scale * (noise - noise.mean())
    split = dict(zip(game.players, shares, strict=True))
    excess = {S: sum(split[c] for c in S) - game.cost[S] for S in coalitions(game.players)}
    tolerance = 1e-6 * scale
    objections = core_check(game, split, tolerance)
    found = {frozenset(objection.coalition) for objection in objections}
    for S, amount in excess.items():  # Only rounding decides for an excess at the tolerance.
        assert amount > 0.999 * tolerance if S in found else amount <= 1.001 * tolerance
    amounts = [objection.excess for objection in objections]
    assert amounts == sorted(amounts, reverse=True)


def test_bounds_prove_what_plans_with_a_gap_leave_open():
    """The pair pays 160 - 205/6 = 125.83 and has a plan for 130. It matters how far that is proven.

    No plan of the pair below 126: it cannot do better. Only none below 125: it might.
    """
    plans = allies()
    split = shapley(plans)
    pair = frozenset({"us", "japan"})
    assert core_check(plans, split) == ()
    assert core_check(CostGame(THREE, {**plans.cost, pair: 126.0}), split) == ()
    (objection,) = core_check(CostGame(THREE, {**plans.cost, pair: 125.0}), split)
    assert objection.excess == pytest.approx(160 - 205 / 6 - 125)


def test_a_split_that_pays_too_much_or_too_little_is_refused():
    for japan in (40.0, 50.0):
        with pytest.raises(UsageError, match=r"adds up to 1.5 USD.*together pay 130"):
            core_check(two(), {"us": 85.0, "japan": japan})
    assert core_check(two(), {"us": 85.0, "japan": 45.0}) == ()


def test_a_tolerance_below_zero_is_refused():
    with pytest.raises(UsageError, match="The tolerance is -1"):
        core_check(two(), shapley(two()), -1.0)


def test_one_player_has_no_least_core():
    with pytest.raises(UsageError, match="at least two players"):
        least_core(CostGame(("us",), {frozenset({"us"}): 3.0}))
    assert shapley(CostGame(("us",), {frozenset({"us"}): 3.0})) == {"us": 3.0}
    assert core_check(CostGame(("us",), {frozenset({"us"}): 3.0}), {"us": 3.0}) == ()


def test_a_least_core_that_is_not_optimal_is_found_out(monkeypatch):
    """The solver's word counts for nothing: a worse split does not meet the bound."""

    def worse(member, saving, total):
        y, multiplier = solved(member, saving, total)
        return y + np.array([0.1, -0.1, 0.0]), multiplier

    solved = core._solve
    monkeypatch.setattr(core, "_solve", worse)
    with pytest.raises(CheckError, match=r"epsilon of .* but a bound of"):
        least_core(majority())


# --- Payments -------------------------------------------------------------------------------------


def test_side_payments_make_up_for_the_costs_borne():
    """Japan keeps the whole stock for 110; the United States pay 65 of their 85 to Japan."""
    paid = side_payments(shapley(two()), {"us": 20.0, "japan": 110.0})
    assert paid == {"us": 65.0, "japan": -65.0}


@given(games(), st.lists(st.floats(0.01, 1.0), min_size=5, max_size=5))
def test_side_payments_add_up_to_zero(game, parts):
    parts = parts[: len(game.players)]
    borne = {c: game.total * p / sum(parts) for c, p in zip(game.players, parts, strict=True)}
    close(math.fsum(side_payments(shapley(game), borne).values()), 0.0, scale_of(game))


def test_side_payments_need_both_amounts_of_everybody():
    with pytest.raises(UsageError, match="The allocation of japan is missing"):
        side_payments({"us": 1.0}, {"us": 1.0, "japan": 1.0})
    with pytest.raises(UsageError, match="The cost borne of japan is missing"):
        side_payments({"us": 1.0, "japan": 1.0}, {"us": 1.0})


def test_ticket_price_is_payment_by_tonne():
    """60,000 USD a year for 3 t of gallium: 20,000 USD per tonne and year."""
    assert ticket_price(60_000.0, 3.0) == 20_000.0
    assert ticket_price(60_000.0, 0.0) is None
    assert ticket_price(0.0, 0.0) is None


@pytest.mark.parametrize(("payment", "tonnes"), [(math.nan, 1.0), (1.0, -1.0), (1.0, math.inf)])
def test_tickets_without_meaning_are_refused(payment, tonnes):
    with pytest.raises(UsageError):
        ticket_price(payment, tonnes)
