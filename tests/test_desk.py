"""The crisis desk: known answers, what may not depend on the future, and advice that holds."""

from __future__ import annotations

import itertools
import math
import shlex
import shutil
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project_instances import instance, lost, project, solve
from random_conversions import chain_case
from scipy import stats
from test_report import PDF

import stockpile as sp
from stockpile import cli
from stockpile.desk.alternatives import BEST, FOLLOW, HOLD, WAIT, best_rules, course_of, wider_menu
from stockpile.desk.briefing import briefing
from stockpile.desk.continuations import continuations, observed_events, remaining_durations
from stockpile.desk.events import Observed
from stockpile.desk.orders import months_ahead
from stockpile.desk.situation import situation
from stockpile.desk.state import Ongoing, Started, StockLevel, check_state
from stockpile.parallel import Workers
from stockpile.reports.page import paper
from stockpile.simulate import Course, Request, candidate_terms, simulate, simulate_months
from stockpile.tables import Commercial, Hazard, RuleRow, Transfer

RARE_EARTHS = Path(__file__).parents[1] / "instances" / "rare-earths"
CONTROL = "china_controls_heavy_rare_earths"

seeds = st.integers(0, 2**32 - 1)


# --- Simulations that begin with stocks that are not full -----------------------------------------


@given(seeds)
@settings(max_examples=100, deadline=None)
def test_the_kernel_equals_the_plain_version_where_stocks_are_low(seed):
    case = chain_case(seed)
    start = case.holding * np.random.default_rng(seed + 1).random(case.holding.shape)
    steps = case.block.steps
    terms = candidate_terms(case.menu, steps, case.holding, case.rule, start)
    request = Request.of(range(case.block.num_streams), range(steps.count))
    needs = case.needs.since(0)
    with Workers(1) as workers:
        course = Course.of(needs, steps, case.menu.breakpoints, workers)
        fast = simulate(case.block, course, terms, case.refill, request, workers)
    slow = simulate_months(case.block, needs, terms, case.refill, case.horizon)
    np.testing.assert_allclose(fast.unserved_of, slow.unserved, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(fast.released_of, slow.released.sum(axis=1), rtol=1e-12, atol=1e-12)


@given(seeds, st.integers(1, 30))
@settings(max_examples=100, deadline=None)
def test_a_simulation_taken_up_in_any_month_goes_on_as_it_would_have(seed, month):
    case = chain_case(seed, num_candidates=1)
    month = min(month, case.horizon - 1)
    steps = case.block.steps
    full = candidate_terms(case.menu, steps, case.holding, case.rule)
    whole = simulate_months(case.block, case.needs, full, case.refill, case.horizon)
    for place, scenario in enumerate(case.needs.scenario):
        one = case.needs.only(np.array([place]), np.ones(1)).since(month)
        if not one.scenario.size:
            assert not whole.need[place, month:].any()
            continue
        assert one.scenario.tolist() == [scenario]
        start = whole.state[place, month - 1]
        terms = candidate_terms(case.menu, steps, case.holding, case.rule, start)
        rest = simulate_months(case.block, one, terms, case.refill, case.horizon, first=month)
        np.testing.assert_allclose(
            rest.released[0, month:], whole.released[place, month:], rtol=1e-9, atol=1e-9
        )
        np.testing.assert_allclose(
            rest.state[0, month:], whole.state[place, month:], rtol=1e-9, atol=1e-9
        )
        request = Request.of(range(case.block.num_streams))
        with Workers(1) as workers:
            course = Course.of(one, steps, case.menu.breakpoints, workers)
            fast = simulate(case.block, course, terms, case.refill, request, workers)
        np.testing.assert_allclose(fast.unserved_of, rest.unserved, rtol=1e-9, atol=1e-9)


# --- How long what is going on lasts --------------------------------------------------------------


def event(median, sigma, start=1):
    return Observed(
        "e", None, "supply_loss", "g", ("*",), ("*",), ("*",), None, start, 1.0, median, sigma
    )


@pytest.mark.parametrize(("median", "sigma"), [(3.0, 0.5), (38.8, 0.758), (0.3, 1.0), (7.5, 0.01)])
@pytest.mark.parametrize("lasted", [1, 2, 7, 40])
def test_durations_are_those_that_are_as_long_already(median, sigma, lasted):
    """P(D >= k + x | D >= k) by the lognormal distribution, D rounded to months of at least 1."""
    law = stats.lognorm(sigma, scale=median)

    def at_least(months):
        return 1.0 if months <= 1 else law.sf(months - 0.5)

    observed = event(median, sigma)
    for months in (1, 2, 3, 10, 60):
        assert observed.chance_to_last(months) == pytest.approx(at_least(months), rel=1e-9)
    if at_least(lasted) < 1e-200:
        return  # A state in which such an event is going on is refused.
    count, horizon = 5000, 10_000
    drawn = remaining_durations(observed, lasted, horizon, count, seed=3)
    assert drawn.min() >= lasted
    for more in (0, 1, 2, 5, 20, 100):
        share = (drawn >= lasted + more).mean()
        # Stratified draws: one in each part, so no farther off than a few parts.
        expected = at_least(lasted + more) / at_least(lasted)
        assert share == pytest.approx(expected, abs=2.0 / count)


def test_an_event_of_fixed_length_ends_on_its_day():
    assert set(remaining_durations(event(6.0, 0.0), 3, 60, 50, 1).tolist()) == {6}
    assert set(remaining_durations(event(6.0, 0.0, start=2), 7, 60, 50, 1).tolist()) == {6}


# --- Known answers --------------------------------------------------------------------------------


def embargo(**more):
    """10 t a month are needed while the source is lost; a missing tonne costs 1,000 USD."""
    return instance(scenarios=[(1.0, [lost(6)])], months=24, **more)


def three_months(severity=1.0):
    return Ongoing(
        event="embargo",
        source="g",
        start_month=1,
        severity=severity,
        duration_median_months=3.0,
        duration_sigma=0.0,
    )


def state(stock, month=2, **more):
    stocks = (StockLevel(participant="us", material="m", stock_t=stock),)
    return sp.State(month=month, stocks=stocks, **{"ongoing": (three_months(),)} | more)


def test_orders_run_out_dates_and_costs_by_hand():
    """Months 2 and 3 are left of the embargo: 20 t are needed, and 15 t are there."""
    world = embargo()
    found = sp.respond(world, solve(world), state(15.0), continuations=10)
    assert found.orders[["owner", "beneficiary", "material"]].values.tolist() == [["us", "us", "m"]]
    assert found.orders["taken_t"].tolist() == pytest.approx([10.0])
    assert found.orders["left_t"].tolist() == pytest.approx([5.0])
    assert found.needed["need_t"].tolist() == pytest.approx([10.0])
    assert found.needed["unserved_t"].tolist() == pytest.approx([0.0])
    assert found.runouts["month_50"].tolist() == [2.0]
    assert found.runouts["chance_in_3_months"].tolist() == [1.0]
    cost = found.alternatives.set_index("alternative")["cost_usd"]
    assert cost[FOLLOW] == pytest.approx(5_000.0)
    assert cost[HOLD] == pytest.approx(20_000.0)
    assert cost[WAIT] == pytest.approx(10_000.0)  # All of month 2; month 3 is served.
    assert cost[BEST] == pytest.approx(5_000.0)
    assert len(found.advice) == 0


def test_what_is_below_the_level_of_a_rule_is_not_released():
    """The only rule keeps half of 40 t: with 25 t left, 5 t may go, and the stock has run out."""
    rule = RuleRow(rule="half", relation=("own",), demand_class=("class0",), reserve_level=0.5)
    world = embargo(max_t=40.0, rules=(rule,))
    plan = solve(world)
    held = float(plan.holdings["holding_t"].iloc[0])
    found = sp.respond(world, plan, state(held / 2 + 5.0), continuations=10)
    assert held == pytest.approx(20.0)
    assert found.orders["taken_t"].tolist() == pytest.approx([5.0])
    assert found.orders["line"].tolist() == ["Own need: class0 until 50% of the holding is left"]
    assert found.runouts["least_t"].tolist() == pytest.approx([held / 2])
    assert found.runouts["month_50"].tolist() == [1.0]
    assert found.needed["unserved_t"].tolist() == pytest.approx([5.0])


def test_partners_help_where_the_rules_say_so():
    """japan has 30 t and no need; us has none. A partner's default leaves all unserved."""
    world = embargo(
        participants=("us", "japan"),
        transfers=(Transfer(from_participant="japan", to_participant="us"),),
    )
    stocks = tuple(
        StockLevel(participant=c, material="m", stock_t=t)
        for c, t in (("us", 0.0), ("japan", 30.0))
    )
    only_us = replace(three_months(), targets=("us",))
    begun = sp.State(month=2, stocks=stocks, ongoing=(only_us,))
    plan = solve(world)
    rules = plan.rules.assign(rule="open-equal")
    found = sp.respond(world, replace(plan, rules=rules), begun, continuations=10)
    assert found.orders[["owner", "beneficiary"]].values.tolist() == [["japan", "us"]]
    assert found.orders["taken_t"].tolist() == pytest.approx([10.0])
    assert found.orders["line"].iloc[0].startswith("Partners: class0")
    cost = found.alternatives.set_index("alternative")["cost_usd"]
    assert cost[FOLLOW] == pytest.approx(0.0)
    assert cost["japan_defaults"] == pytest.approx(20_000.0)
    assert cost["us_defaults"] == pytest.approx(0.0)
    assert cost["own_only"] == pytest.approx(20_000.0)


def test_a_project_delivers_after_this_month_or_since_it_has_started():
    """It makes all that is needed, from month 3 at the earliest, or since month 1."""
    mine = project(output=10.0, capital=1.0, lead_median_months=1.0)
    world = embargo(projects=(mine,))
    plan = solve(world)
    assert plan.projects["funded"].tolist() == [True]
    waiting_for_it = sp.respond(world, plan, state(0.0), continuations=10)
    assert waiting_for_it.needed["unserved_t"].tolist() == pytest.approx([10.0])
    cost = waiting_for_it.alternatives.set_index("alternative")["cost_usd"]
    assert cost[FOLLOW] == pytest.approx(10_000.0)
    there = state(0.0, started=(Started(project="mine", start_month=1),))
    assert len(sp.respond(world, plan, there, continuations=10).needed) == 0


# --- What may not depend on the future ------------------------------------------------------------


@cache
def crisis():
    """Rare earths, and a control that began last month."""
    world = sp.load(RARE_EARTHS)
    plan = sp.solve(world, gap=0.1, scenarios=200, progress=False)
    begun = replace(
        sp.begun_state(world, plan, month=2),
        ongoing=(Ongoing(event="control", hazard=CONTROL, start_month=1, severity=0.7),),
    )
    return world, plan, begun


def of_continuations(count, seed):
    world, plan, begun = crisis()
    now = situation(world, plan, begun)
    return now, continuations(world, now.problem, begun, now.states, count, seed)


def test_orders_are_the_first_month_of_every_continuation():
    world, plan, begun = crisis()
    now, drawn = of_continuations(60, 5)
    ordered = sp.respond(world, plan, begun, continuations=50, seed=11).orders
    served = 0.0
    with Workers(1) as workers:
        for block in now.blocks:
            needs = now.needs(block, drawn, workers)
            released = months_ahead(now, block, needs).released[:, now.month, :, 0]
            if not released.any():
                continue
            assert len(released) == 60  # It is needed now, so in all of them.
            assert np.all(released == released[0])
            served += released[0].sum()
    assert ordered["served_t"].sum() == pytest.approx(served)
    assert served > 0.0


def test_nothing_but_what_is_observed_has_begun_by_now():
    world, _, begun = crisis()
    now, drawn = of_continuations(500, 5)
    early = drawn.start <= now.month
    assert early.sum() == 500  # The control, once in each.
    assert np.all(drawn.end[early] > now.month)
    (known,) = observed_events(world, begun)
    assert np.all(drawn.severity[early] == known.severity)
    # A control that lasts is followed by what remains of it, 3 months after its start.
    followers = [row for row in world.hazards if row.follows == CONTROL]
    assert followers
    of_month_four = drawn.start == 3
    assert 0.5 < of_month_four.sum() / 500 < len(followers) + 0.5


def test_what_might_have_followed_and_did_not_no_longer_does():
    """Followers come in month 4: in month 5 they would be among what is going on."""
    world, plan, begun = crisis()
    later = replace(begun, month=5)
    now = situation(world, plan, later)
    alone = replace(
        world,
        hazards=tuple(replace(row, events_per_year=0.0) for row in world.hazards),
    )
    drawn = continuations(alone, now.problem, later, now.states, 200, 1)
    assert np.all(drawn.start == 0)
    assert drawn.start.size == 200


# --- Rules chosen anew ----------------------------------------------------------------------------


def plain_run(now, block, needs, rules):
    """Rules (C, P) from the current month on, by the plain simulation."""
    problem, steps = now.problem, now.steps(block)
    holding, stock, _ = now.of_block(block)
    P = rules.shape[1]
    terms = candidate_terms(
        problem.menu,
        steps,
        np.repeat(holding[:, None], P, axis=1),
        rules,
        np.repeat(stock[:, None], P, axis=1),
    )
    refill = problem.refill[block.market_participant]
    return simulate_months(block, needs, terms, refill, problem.horizon, first=now.month)


def expected_cost(now, block, needs, rules):
    """The cost of rules (C, P) from here on, in plain steps."""
    problem, steps, run = now.problem, now.steps(block), plain_run(now, block, needs, rules)
    cost = np.zeros(rules.shape[1])
    for q in range(block.num_streams):
        z, k = block.stream_market[q], block.stream_class[q]
        worth = problem.shortage_cost[block.market_participant[z], block.market_material[z], k]
        cost += needs.probability @ run.unserved[:, q] * worth
    cost += np.einsum("s,stjp,j->p", needs.probability, run.released, steps.cost)
    return cost


def promised(now, block):
    """Fill rates, chances and worst means that are asked of a block: stream, level, tail, least."""
    found = []
    for promise in now.problem.promises:
        if promise.floor or not block.owns(promise.participant, promise.material):
            continue
        q = block.stream(promise.participant, promise.material, promise.demand_class)
        if promise.metric == "chance":
            found.append((q, promise.level, None, promise.confidence))
        elif promise.metric == "cvar":
            found.append((q, None, 1.0 - promise.confidence, promise.level))
        elif promise.metric == "fill_rate":
            found.append((q, None, None, promise.level))
    return found


def promise_values(now, block, needs, rules, count=30):
    """What rules (C, P) make of each promise, by sorting scenarios."""
    run = plain_run(now, block, needs, rules)
    values = []
    for q, level, tail, _ in promised(now, block):
        need = np.concatenate([needs.total[:, q], np.zeros(count - len(needs.total))])
        short = np.vstack(
            [run.unserved[:, q], np.zeros((count - len(run.unserved), rules.shape[1]))]
        )
        served = 1.0 - short / np.where(need > 0.0, need, np.inf)[:, None]
        if level is not None:
            values.append((served >= level - 1e-9).mean(axis=0))
        elif tail is not None:
            mass, rest = np.zeros(rules.shape[1]), tail
            for worst in np.sort(served, axis=0):
                part = min(rest, 1.0 / count)
                mass, rest = mass + part * worst, rest - part
            values.append(mass / tail)
        else:
            total = need.sum()
            values.append(1.0 - short.sum(axis=0) / total if total else np.ones(rules.shape[1]))
    return np.array(values).reshape(-1, rules.shape[1])


def test_rules_chosen_anew_are_the_best_of_all_and_never_worse_than_agreed():
    now, drawn = of_continuations(30, 7)
    menu = wider_menu(now.problem)
    changed = 0
    with Workers(2) as workers:
        for block in now.blocks[10:]:
            needs = now.needs(block, drawn, workers)
            course = course_of(now, block, needs, menu, workers)
            best, complete = best_rules(now, block, course, 30, workers)
            assert complete
            R, C = len(now.problem.menu.rules), len(now.problem.participants)
            every = np.array(list(itertools.product(range(R), repeat=C))).T
            costs = expected_cost(now, block, needs, every)
            _, _, agreed = now.of_block(block)
            values = promise_values(now, block, needs, np.column_stack([agreed, every]))
            asked = np.array([row[-1] for row in promised(now, block)])
            enough = values[:, 1:] >= np.minimum(values[:, 0], asked)[:, None] - 1e-9
            costs[~enough.all(axis=0)] = np.inf
            (own,) = expected_cost(now, block, needs, best[:, None])
            (before,) = expected_cost(now, block, needs, agreed[:, None])
            assert own == pytest.approx(costs.min(), rel=1e-9)
            assert own <= before * (1.0 + 1e-9)
            changed += bool((best != agreed).any())
    assert changed


def test_advice_holds_on_continuations_that_nobody_has_looked_at():
    world, plan, begun = crisis()
    found = sp.respond(world, plan, begun, continuations=600, seed=21)
    advised = found.advice[found.advice["advised"]]
    assert len(advised)
    now, drawn = of_continuations(600, 999)
    names = list(now.problem.menu.names)
    gains = []
    with Workers(2) as workers:
        for block in now.blocks:
            rows = advised[advised["materials"] == block.name]
            if not len(rows):
                continue
            _, _, agreed = now.of_block(block)
            other = agreed.copy()
            for row in rows.to_dict(orient="records"):
                c = now.problem.participants.index(row["participant"])
                other[c] = names.index(row["best_rule"])
            needs = now.needs(block, drawn, workers)
            costs = expected_cost(now, block, needs, np.stack([agreed, other], axis=1))
            gains.append(costs[0] - costs[1])
    assert sum(gains) > 0.0
    assert sum(gain > 0.0 for gain in gains) >= 0.8 * len(gains)


# --- The command ----------------------------------------------------------------------------------


def test_the_commands_begin_a_state_and_answer_it(tmp_path, capsys):
    world, plan, _ = crisis()
    plan.save(tmp_path / "plan")
    folders = [str(RARE_EARTHS), str(tmp_path / "plan")]
    begin = [
        "state",
        *folders,
        "--month",
        "1",
        "--out",
        str(tmp_path / "state"),
        "--event",
        f"{CONTROL}=0.8",
    ]
    assert cli.main([*begin, "--title", "A control of today"]) == 0
    begun = sp.load_state(tmp_path / "state", world, plan)
    assert [row.severity for row in begun.ongoing] == [0.8]
    assert begun.title == "A control of today"
    capsys.readouterr()
    asked = ["respond", *folders, "--state", str(tmp_path / "state"), "--continuations", "50"]
    assert cli.main([*asked, "--out", str(tmp_path / "answer")]) == 0
    said = capsys.readouterr()
    # Firms' own stocks last for a month.
    for text in ("A control of today", "Nothing is to be released", "Releases to be expected"):
        assert text in said.out
    files = sorted(path.name for path in (tmp_path / "answer").iterdir())
    assert "orders.csv" in files
    assert "response.json" in files
    same = sp.respond(world, plan, begun, continuations=50, threads=1)
    assert {path.name: path.read_text() for path in (tmp_path / "answer").iterdir()} == same.files()


def test_a_state_is_read_as_it_was_written(tmp_path):
    world, plan, begun = crisis()
    sp.save_state(begun, tmp_path / "state")
    assert sp.load_state(tmp_path / "state", world, plan) == begun


def test_a_title_may_have_line_breaks_and_quotes(tmp_path):
    world, plan, begun = crisis()
    title = 'Two lines:\n\t"a \\ b" 日本'
    begun = replace(begun, title=title)
    sp.save_state(begun, tmp_path / "state")
    assert sp.load_state(tmp_path / "state", world, plan) == begun
    for text in ("a bell \a", "\x7f", " a blank"):
        with pytest.raises(sp.UsageError, match="title must not"):
            sp.begun_state(world, plan, title=text)


@pytest.mark.parametrize("severity", ["-3", "nan", "inf", "much"])
def test_an_event_begins_with_a_severity_that_can_be(severity):
    world, plan, _ = crisis()
    with pytest.raises(sp.UsageError, match=f"'{severity}'; expected a severity of at least 0"):
        sp.begun_state(world, plan, [f"{CONTROL}={severity}"])


def test_a_state_taken_from_another_is_not_begun(tmp_path, capsys):
    """What says how to begin is refused, not left aside."""
    _, plan, begun = crisis()
    plan.save(tmp_path / "plan")
    sp.save_state(begun, tmp_path / "state")
    of = ["--of", str(tmp_path / "state"), "--out", str(tmp_path / "again")]
    asked = ["state", str(RARE_EARTHS), str(tmp_path / "plan"), *of]
    for more in (
        ["--month", "2"],
        ["--week", "2"],
        ["--date", "today"],
        ["--title", "New"],
        ["--event", CONTROL],
        ["--existing"],
        ["--month", "2", "--existing"],
    ):
        assert cli.main([*asked, *more]) == 2
        names = ", ".join(word for word in more if word.startswith("--"))
        assert f"without {names}: " in capsys.readouterr().err
        assert not (tmp_path / "again").exists()
    assert cli.main(asked) == 0


def test_the_next_command_has_the_changes_of_the_instance(tmp_path, capsys):
    _, plan, _ = crisis()
    plan.save(tmp_path / "plan")
    (tmp_path / "over").mkdir()
    shutil.copy(RARE_EARTHS / "materials.csv", tmp_path / "over")
    changes = ["--overlay", str(tmp_path / "over"), "--set", "period=week", "--set", "title=A b"]
    asked = ["state", str(RARE_EARTHS), str(tmp_path / "plan"), *changes]
    assert cli.main([*asked, "--out", str(tmp_path / "state")]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert shlex.join(["--state", str(tmp_path / "state"), *changes]) in said


# --- States that cannot be ------------------------------------------------------------------------


def refused(tmp_path, files):
    world, plan, begun = crisis()
    folder = tmp_path / "state"
    sp.save_state(begun, folder)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(sp.InstanceError) as error:
        sp.load_state(folder, world, plan)
    return str(error.value)


ONGOING = "event,hazard,source,start_month,severity,duration_median_months,duration_sigma\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"stocks.csv": "participant,material,stock_t\nus,dy_oxid,1\n"}, "Did you mean dy_oxide?"),
        ({"stocks.csv": "participant,material,stock_t\nus,dy_oxide,-1\n"}, "at least 0"),
        (
            {"stocks.csv": "participant,material,stock_t\nus,dy_oxide,1\nus,dy_oxide,2\n"},
            "2 rows have the same participant, material",
        ),
        ({"ongoing.csv": f"{ONGOING}e,{CONTROL},,0,0.5,,\n"}, "start_month must be a whole number"),
        ({"ongoing.csv": f"{ONGOING}e,{CONTROL},,3,0.5,,\n"}, "start_month 3 has not come"),
        ({"ongoing.csv": f"{ONGOING}e,{CONTROL}s,,1,0.5,,\n"}, f"Did you mean {CONTROL}?"),
        ({"ongoing.csv": f"{ONGOING}e,,china,1,0.5,,\n"}, "nothing says how long e may last"),
        ({"ongoing.csv": f"{ONGOING}e,{CONTROL},,1,80,,\n"}, "40 % is written 0.4"),
        ({"ongoing.csv": f"{ONGOING}e,,,1,0.5,3,0\n"}, "needs the source it is of"),
        ({"ongoing.csv": f"{ONGOING}e,,china,1,0.5,1,0\n"}, "is active in its month 2"),
        ({"started.csv": "project,start_month\nmine,1\n"}, "there is no 'mine'"),
        ({"state.toml": 'format = 1\nmonth = "two"\n'}, "month must be a whole number"),
        ({"state.toml": "format = 1\n"}, "month is missing"),
        ({"state.toml": "format = 1\nmonth = 2\nday = 3\n"}, "there is no key day"),
        ({"stock.csv": "participant,material,stock_t\n"}, "stock.csv is no table of the format"),
    ],
)
def test_wrong_states_are_refused_in_words(tmp_path, files, expected):
    text = refused(tmp_path, files)
    assert expected in text.replace("\n", " ")
    assert "state/" in text


def test_all_mistakes_of_a_state_are_told_at_once(tmp_path):
    text = refused(
        tmp_path,
        {
            "stocks.csv": "participant,material,stock_t\nusa,dy_oxide,1\nus,dy_oxid,1\n",
            "ongoing.csv": f"{ONGOING}e,{CONTROL},,9,0.5,,\n",
        },
    )
    assert text.startswith("3 mistakes")
    assert "state/stocks.csv, line 3, column material" in text


def test_a_stock_must_have_room(tmp_path):
    world = sp.load(RARE_EARTHS.parent / "us-japan-one-form")
    plan = replace(crisis()[1], holdings=crisis()[1].holdings.iloc[:0])
    for tonnes, fits in ((60_000.0, True), (70_000.0, False)):
        begun = sp.State(
            month=1, stocks=(StockLevel(participant="us", material="nickel", stock_t=tonnes),)
        )
        if fits:
            check_state(begun, world, plan)
            continue
        with pytest.raises(sp.InstanceError, match="in warehouse rooms of"):
            check_state(begun, world, plan)


def test_a_plan_of_another_instance_is_refused():
    world, plan, begun = crisis()
    other = replace(world, horizon_months=world.horizon_months + 1)
    with pytest.raises(sp.ResultError, match="the plan was made from"):
        sp.respond(other, plan, begun)


def test_hazards_say_what_an_event_of_theirs_is():
    hazard = Hazard(
        hazard="h",
        source="g",
        events_per_year=1.0,
        duration_median_months=4.0,
        duration_sigma=0.3,
        severity_mean=0.5,
    )
    world = replace(embargo(), hazards=(hazard,))
    begun = sp.State(
        month=1,
        ongoing=(
            Ongoing(event="a", hazard="h", start_month=1, severity=0.4),
            Ongoing(event="b", hazard="h", start_month=1, severity=0.4, duration_median_months=9.0),
        ),
    )
    first, second = observed_events(world, begun)
    assert (first.source, first.duration_median, first.severity) == ("g", 4.0, 0.4)
    assert math.isclose(second.duration_median, 9.0)
    assert math.isclose(second.duration_sigma, 0.3)


# --- The briefing ---------------------------------------------------------------------------------


def test_who_cannot_have_a_page_is_told_before_anything_is_simulated(tmp_path, capsys, monkeypatch):
    """Whether there is a plan and a state is not even looked at."""
    asked = ["respond", str(RARE_EARTHS), str(tmp_path), "--state", str(tmp_path)]
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert cli.main([*asked, "--briefing", str(tmp_path / "page.html")]) == 2
    assert 'pip install "stockpile[report]"' in capsys.readouterr().err
    assert cli.main([*asked, "--briefing", str(tmp_path / "page.md")]) == 2
    assert "Jinja" not in capsys.readouterr().err


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_briefing_says_on_one_page_what_the_answer_says(tmp_path, lang):
    """Every release of this month is on it, added up by stock, and three what-ifs."""
    world, plan, begun = crisis()
    found = sp.respond(world, plan, begun, continuations=60)
    page = briefing(found, world, lang=lang)
    orders, what_ifs = page.sections[0].parts[0], page.sections[1].parts[0]
    names = {row.material: row.name for row in world.materials}
    people = {row.participant: row.name for row in world.participants}
    released = found.orders.groupby(["owner", "material"])["taken_t"].sum()
    assert len(released)
    shown = {(row[0], row[1]): row[3] + row[4] for row in orders.rows}
    assert len(orders.rows) <= 14
    for (owner, material), tonnes in released.items():
        key = (people[owner], names[material])
        if key in shown:
            assert shown[key] == pytest.approx(tonnes)
    assert sum(key in {(people[c], names[m]) for c, m in released.index} for key in shown) >= 10
    assert len(what_ifs.rows) == 4
    assert page.picture is not None
    for name in ("page.html", "page.md"):
        file = sp.write_briefing(found, world, tmp_path / name, lang=lang)
        text = file.read_text(encoding="utf-8")
        assert names["dy_oxide"] in text
        assert ("放出指示" in text) == (lang == "ja")
    with pytest.raises(sp.UsageError, match="a briefing ends with one of"):
        sp.write_briefing(found, world, tmp_path / "page.docx")


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.skipif(not PDF, reason="WeasyPrint or its libraries are not installed")
def test_a_briefing_fits_on_one_sheet_of_paper(lang):
    """With as many orders as it lists at most, ten run-outs and three what-ifs."""
    import weasyprint

    world, plan, begun = crisis()
    found = sp.respond(world, plan, begun, continuations=60)
    document = briefing(found, world, lang=lang)
    assert len(weasyprint.HTML(string=paper(document)).render().pages) == 1


# --- What is over ---------------------------------------------------------------------------------


def bridged(**more):
    """Firms have 30 t, three months of use, which a month without a gap refills by 5 t."""
    return instance(
        scenarios=[(1.0, [lost(6)])],
        months=24,
        max_t=40.0,
        commercial=(Commercial(participant="us", material="m", industry_days=365.0 / 4.0),),
        **more,
    )


def over(start, last):
    return Ongoing(
        event=f"from {start}", source="g", start_month=start, last_month=last, severity=1
    )


def test_firms_have_used_their_own_stocks_in_what_is_over():
    """Months 1 to 3 take all 30 t, month 4 brings 5 t: in month 5 5 of 10 t are needed."""
    world = bridged()
    plan = solve(world)
    again = replace(three_months(), start_month=5)
    state = sp.State(month=5, ongoing=(again, over(1, 3)))
    found = sp.respond(world, plan, state, continuations=20)
    assert found.needed["need_t"].tolist() == pytest.approx([5.0])
    assert found.events["event"].tolist() == ["embargo"]  # The one that goes on.
    forgotten = sp.respond(world, plan, replace(state, ongoing=(again,)), continuations=20)
    assert not len(forgotten.needed)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (over(3, 2), "last_month 2 is before start_month 3"),
        (over(1, 5), "last_month 5 is not over: the current month is 5"),
        (replace(over(1, 3), duration_median_months=4.0), "lasted as long as that says"),
        (replace(over(1, 3), ref=("paper",)), "there is no 'paper' in references.csv"),
    ],
)
def test_what_cannot_be_over_is_refused(row, message):
    world = bridged()
    with pytest.raises(sp.InstanceError, match=message):
        sp.respond(world, solve(world), sp.State(month=5, ongoing=(row,)), continuations=2)


def test_what_is_over_may_still_be_followed():
    """An event of months 1 to 2 that is always followed six months after its start."""
    hazards = (
        Hazard(
            hazard="first",
            source="g",
            events_per_year=0.0,
            duration_median_months=2.0,
            duration_sigma=0.0,
            severity_mean=1.0,
        ),
        Hazard(
            hazard="second",
            source="g",
            events_per_year=0.0,
            follows="first",
            follow_probability=1.0,
            follow_delay_months=6,
            duration_median_months=1.0,
            duration_sigma=0.0,
            severity_mean=1.0,
        ),
    )
    world = replace(embargo(), hazards=hazards, scenarios=(), events=())
    plan = sp.solve(world, scenarios=5, progress=False)
    row = Ongoing(event="e", hazard="first", start_month=1, last_month=2, severity=1.0)
    state = sp.State(month=4, ongoing=(row,))
    now = situation(world, plan, state)
    drawn = continuations(world, now.problem, state, now.states, 10, 1)
    assert sorted(set(drawn.start.tolist())) == [0, 6]
    assert set(drawn.end[drawn.start == 0].tolist()) == {2}
