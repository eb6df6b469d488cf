"""The buying calendar: enumeration of small ones, limits that hold, and what has to be so."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project_instances import instance, lost, solve

import stockpile as sp
from stockpile import cli
from stockpile.couplings import build_couplings
from stockpile.desk.state import StockLevel
from stockpile.problem import build_problem
from stockpile.purchasing.calendar import _solved, cost_of, relaxed_bound
from stockpile.purchasing.check import Decisions, envelope, missed_cost
from stockpile.purchasing.data import schedule_data
from stockpile.purchasing.exposure import Exposure
from stockpile.scenarios import scenario_set
from stockpile.tables import Agreement, Facility, Holding, Participant

TOY = Path(__file__).parents[1] / "instances" / "toy"


# --- Enumeration ----------------------------------------------------------------------------------


def random_data(seed):
    """One year, two nations or one, one material or two, few lots, with and without limits."""
    rng = np.random.default_rng(seed)
    participants = ("us", "japan")[: int(rng.integers(1, 3))]
    materials = ("a", "b")[: int(rng.integers(1, 3))]
    stores = ()
    if rng.random() < 0.4:
        stores = (
            Facility(
                facility="old",
                participant="us",
                storage_kind="warehouse",
                capacity_t=float(rng.integers(1, 4)),
                fixed_cost_usd_per_year=0.0,
                existing=True,
            ),
            Facility(
                facility="new",
                participant="us",
                storage_kind="warehouse",
                capacity_t=float(rng.integers(1, 4)),
                fixed_cost_usd_per_year=float(rng.integers(50, 2000)),
            ),
        )
    world = instance(
        scenarios=[(0.5, []), (0.5, [lost(2)])],
        participants=participants,
        materials=materials,
        rate=float(rng.choice([0.0, 0.1, 0.3])),
        facilities=stores,
    )
    world = replace(
        world,
        materials=tuple(
            replace(
                row,
                world_supply_t_per_year=float(rng.choice([20.0, 80.0])),
                price_impact=float(rng.choice([0.0, 2.0, 8.0])),
            )
            for row in world.materials
        ),
    )
    problem = build_problem(world)
    couplings = build_couplings(world, problem, "sharing", scenario_set(world, problem))
    shape = (len(participants), len(materials))
    today = rng.integers(0, 2, shape).astype(float)
    target = rng.integers(0, 3, shape).astype(float)
    # Few enough ways to try them all, with stores that are opened in any quarter.
    lots = np.abs(target - today).ravel()
    if np.prod([(5.0, 15.0)[int(n) - 1] for n in lots if n]) * (5 if stores else 1) > 3000.0:
        target = np.clip(target, today - 1.0, today + 1.0)
        if len(lots) == 4 and stores:
            target[0, 0] = today[0, 0]
    asked = sp.ScheduleSettings(
        from_year=2027,
        years=1,
        yearly_budget={
            name: 1000.0 * float(rng.integers(0, 8))
            for name in (*participants, "all")
            if rng.random() < 0.3
        },
        fiscal_start={name: int(rng.choice([1, 4, 10])) for name in (*participants, "all")},
        most_of_supply=float(rng.choice([0.05, 0.2])) if rng.random() < 0.4 else None,
    )
    materials_of = [(m,) for m in range(len(materials))]
    if len(materials) == 2 and rng.random() < 0.3:
        materials_of = [(0, 1)]
    exposures = []
    for number, of in enumerate(materials_of):
        lacking = (target - today)[:, list(of)] > 0.0
        buyers = np.flatnonzero(lacking.any(axis=1))
        if not buyers.size:
            continue
        level = np.array(list(itertools.product([0.0, 0.5, 1.0], repeat=buyers.size)))
        worth = rng.integers(0, 6000, buyers.size) @ (1.0 - level.T) ** float(rng.choice([1, 2, 3]))
        exposures.append(Exposure(number, buyers, level, worth + 100.0))
    return schedule_data(
        world,
        problem,
        couplings,
        asked,
        today,
        target,
        np.zeros(shape, dtype=bool),
        exposures,
        materials_of,
    )


def plain_envelope(level, cost, reached):
    """The least mean of costs by trying all sets of levels that a basic solution may mix."""
    best = math.inf
    B = level.shape[1]
    for size in range(1, B + 2):
        for chosen in itertools.combinations(range(len(cost)), size):
            for tight in itertools.combinations(range(B), size - 1):
                rows = [np.ones(size), *(level[list(chosen), b] for b in tight)]
                right = [1.0, *(reached[b] for b in tight)]
                try:
                    weight = np.linalg.solve(np.array(rows), np.array(right))
                except np.linalg.LinAlgError:
                    continue
                if (weight < -1e-9).any() or (weight @ level[list(chosen)] > reached + 1e-9).any():
                    continue
                best = min(best, float(weight @ cost[list(chosen)]))
    return best


def every_calendar(data):
    """All ways to buy and dispose, and to open stores, in a year of four quarters."""
    ways = [
        [counts for counts in itertools.product(range(lots + 1), repeat=4) if sum(counts) <= lots]
        for lots in [*data.lots.tolist(), *data.excess_lots.tolist()]
    ]
    stores = data.couplings.facilities
    openings = [
        [range(4)] if existing else [range(t, 4) for t in range(5)] for existing in stores.existing
    ]
    for counts in itertools.product(*ways):
        table = np.array(counts, dtype=np.int64).reshape(-1, 4)
        bought, disposed = table[: data.lots.size], table[data.lots.size :]
        for chosen in itertools.product(*openings):
            open_ = np.array([[t in quarters for t in range(4)] for quarters in chosen])
            yield Decisions(bought, disposed, open_.reshape(len(chosen), 4).astype(bool))


def plain_cost(data, d, known):
    """The cost of a calendar, worked out row by row; None where it breaks a limit.

    ``known`` remembers envelopes from one calendar to the next.
    """
    settings, stores = data.settings, data.couplings.facilities
    total, spent, bought_in_year, gone_in_year = 0.0, {}, {}, {}
    for t in range(4):
        for m, steps in enumerate(data.steps):
            mine = [i for i in range(data.lots.size) if data.material[i] == m]
            tonnes = {i: float(d.bought[i, t] * data.lot[i]) for i in mine}
            price = float(data.price[m])
            if steps is not None:
                price = next(
                    (
                        p
                        for most, p in zip(steps.most, steps.price, strict=True)
                        if sum(tonnes.values()) <= most + 1e-9
                    ),
                    math.inf,
                )
            for i in mine:
                c = int(data.participant[i])
                if not tonnes[i]:
                    continue
                paid = price * tonnes[i]
                total += paid * (1.0 + data.discount[c]) ** (-t / 4)
                for who, name in ((c, data.participants[c]), (len(data.participants), "all")):
                    year = settings.fiscal_year(name, t)
                    spent[who, year] = spent.get((who, year), 0.0) + paid
                bought_in_year[m] = bought_in_year.get(m, 0.0) + tonnes[i]
        for j in range(data.excess_lots.size):
            c, m = int(data.excess_participant[j]), int(data.excess_material[j])
            tonnes = float(d.disposed[j, t] * data.excess_lot[j])
            total -= data.price[m] * tonnes * (1.0 + data.discount[c]) ** (-t / 4)
            gone_in_year[m] = gone_in_year.get(m, 0.0) + tonnes
        worth = float(np.mean((1.0 + data.discount) ** (-t / 4)))
        total += worth / 4 * float(stores.fixed_cost[d.open_[:, t]].sum())
        for item in data.exposures:
            reached = np.ones(item.buyers.size)
            for place, c in enumerate(item.buyers):
                for i in range(data.lots.size):
                    if (
                        data.participant[i] == c
                        and data.material[i] in data.materials_of[item.block]
                    ):
                        have = d.bought[i, : t + 1].sum() * data.lot[i] / data.lacking[i]
                        reached[place] = min(reached[place], have)
            years = 0.25 + (data.tail_years if t == 3 else 0.0)
            key = (item.block, *reached.tolist())
            if key not in known:
                known[key] = plain_envelope(item.level, item.cost, reached)
            total += worth * years * known[key]
        for c in np.flatnonzero(data.couplings.limited):
            held = data.stored[c].sum()
            held += sum(
                data.lot[i] * d.bought[i, : t + 1].sum()
                for i in range(data.lots.size)
                if data.participant[i] == c
            )
            held += sum(
                data.excess_lot[j] * (data.excess_lots[j] - d.disposed[j, : t + 1].sum())
                for j in range(data.excess_lots.size)
                if data.excess_participant[j] == c
            )
            buys = any(data.participant[i] == c for i in range(data.lots.size))
            before = data.stored[c].sum() + sum(
                data.excess_lot[j] * data.excess_lots[j]
                for j in range(data.excess_lots.size)
                if data.excess_participant[j] == c
            )
            room = stores.capacity[d.open_[:, t]].sum()
            if before > stores.capacity[stores.participant == c].sum():
                room = before + (room - stores.capacity[stores.participant == c].sum())
            if buys and held > room + 1e-9:
                return None
    names = [*data.participants, "all"]
    for (c, year), money in spent.items():
        quarters = sum(settings.fiscal_year(names[c], t) == year for t in range(4))
        if money > data.budget[c] * quarters / 4.0 + 1e-6:
            return None
    for of in (bought_in_year, gone_in_year):
        if any(tonnes > data.most_yearly[m] + 1e-9 for m, tonnes in of.items()):
            return None
    return total + float(data.missed @ (data.lots - d.bought.sum(axis=1)))


@pytest.mark.parametrize("seed", range(60))
def test_enumeration_finds_no_better_calendar(seed):
    data, known = random_data(seed), {}
    costs = [cost for d in every_calendar(data) if (cost := plain_cost(data, d, known)) is not None]
    assert costs  # To buy nothing is always possible.
    decisions, model, status, solver_bound = _solved(data, 0.0, None)
    found = sum(cost_of(data, decisions)) + missed_cost(data, decisions)
    assert status == "optimal"
    assert found == pytest.approx(min(costs), rel=1e-7, abs=1e-4)
    assert plain_cost(data, decisions, known) == pytest.approx(found, rel=1e-9, abs=1e-6)
    assert relaxed_bound(model) <= found + 1e-6 * abs(found) + 1e-4
    assert solver_bound == pytest.approx(found, rel=1e-6, abs=1e-2)


def test_limits_matter_in_many_of_these():
    """Enumerations of calendars that nothing holds back would show little."""
    bought, missed, opened, spread = 0, 0, 0, 0
    for seed in range(60):
        data = random_data(seed)
        decisions, *_ = _solved(data, 0.0, None)
        bought += bool(decisions.bought.any())
        missed += bool(missed_cost(data, decisions) > 0.0)
        opened += bool((decisions.open_ & ~data.couplings.facilities.existing[:, None]).any())
        spread += bool((decisions.bought.any(axis=0)).sum() > 1)
    assert bought >= 40
    assert missed >= 8
    assert opened >= 3
    assert spread >= 5


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_envelope_is_the_least_mean(seed):
    rng = np.random.default_rng(seed)
    buyers = int(rng.integers(1, 3))
    level = np.array(list(itertools.product([0.0, 0.5, 1.0], repeat=buyers)))
    cost = rng.random(len(level)) * 100.0
    reached = rng.random(buyers)
    assert envelope(level, cost, reached) == pytest.approx(
        plain_envelope(level, cost, reached), rel=1e-7
    )


# --- What has to be so ----------------------------------------------------------------------------


def nation(**more):
    """One nation that lacks 10 t, each of which saves 1,000 USD in a month that comes for sure."""
    world = instance(
        scenarios=[(1.0, [lost(6)])],
        shortage=(5000.0,),
        max_t=10.0,
        **more,
    )
    return world, solve(world)


def bought(found):
    return dict(zip(found.purchases["quarter"], found.purchases["lots"], strict=True))


def test_without_caps_and_budgets_everything_is_bought_at_once():
    world, plan = nation()
    found = sp.schedule(world, plan, sp.ScheduleSettings(from_year=2027, years=2))
    assert bought(found) == {"2027-Q1": 10}
    assert found.payments_usd == pytest.approx(10_000.0)
    assert found.missed_usd == 0.0


def test_where_the_price_rises_with_what_is_bought_it_is_spread():
    world, plan = nation()
    world = replace(
        world,
        materials=tuple(
            replace(row, world_supply_t_per_year=40.0, price_impact=10.0) for row in world.materials
        ),
    )
    plan = replace(plan, instance_hash=world.content_hash)
    found = sp.schedule(world, plan, sp.ScheduleSettings(from_year=2027, years=3))
    assert sum(bought(found).values()) == 10
    assert len(found.purchases) > 3
    # A quarter supplies 10 t: what is bought in it raises the price by that part, times ten.
    first = found.purchases.iloc[0]
    step = min(e for e in (1.25, 2.5, 5.0, 10.0) if e >= first["bought_t"])
    assert first["price_usd_per_kg"] == pytest.approx(1.0 + 10.0 * step / 10.0)


def test_a_budget_of_a_fiscal_year_that_begins_in_october():
    """4,000 USD a year: three quarters of it before October 2027, one of four after October 2028.

    So 3 lots, 4, and 1; two are missing.
    """
    world, plan = nation()
    asked = sp.ScheduleSettings(
        from_year=2027, years=2, yearly_budget={"us": 4000.0}, fiscal_start={"us": 10}
    )
    found = sp.schedule(world, plan, asked)
    assert bought(found) == {"2027-Q1": 3, "2027-Q4": 4, "2028-Q4": 1}
    assert found.budgets["fiscal_year"].tolist() == [2027, 2028, 2029]
    assert found.budgets["quarters"].tolist() == [3, 4, 1]
    assert found.budgets["budget_usd"].tolist() == [3000.0, 4000.0, 1000.0]
    assert found.budgets["spent_usd"].tolist() == [3000.0, 4000.0, 1000.0]
    assert found.first_year["with_half_the_money_t"].tolist() == [3.0]  # 1,500 and 2,000 USD


def two_nations(cooperation="sharing", **more):
    """Each lacks 5 t, of which each saves 1,000 USD in a month that comes for sure."""
    world = instance(
        scenarios=[(1.0, [lost(6)])],
        participants=("us", "japan"),
        demand={("us", "m"): (5.0,), ("japan", "m"): (5.0,)},
        shortage=(5000.0,),
        max_t=5.0,
        **more,
    )
    return world, solve(world, cooperation=cooperation)


def test_all_together_have_one_budget_in_the_world_joint():
    """10,000 USD for all, as it is agreed: 5 lots a year, whoever they are for."""
    world, plan = two_nations(cooperation="joint", agreement=Agreement(joint_budget_usd=10_000.0))
    assert plan.cooperation == "joint"
    found = sp.schedule(world, plan, sp.ScheduleSettings(from_year=2027, years=2))
    by_quarter = found.purchases.groupby("quarter")["lots"].sum()
    assert by_quarter.to_dict() == {"2027-Q1": 5, "2028-Q1": 5}
    of_all = found.budgets[found.budgets["participant"] == "all"]
    assert of_all["budget_usd"].tolist() == of_all["spent_usd"].tolist() == [5000.0, 5000.0]
    assert found.budgets[found.budgets["participant"] == "us"]["budget_usd"].isna().all()


def test_own_budgets_are_put_together_in_the_world_joint():
    """8,000 and 2,000 USD are 10,000, of which Japan may have more than its own."""
    participants = tuple(
        Participant(
            participant=c, name=c, discount_rate_per_year=0.1, acquisition_budget_usd=budget
        )
        for c, budget in (("us", 8000.0), ("japan", 2000.0))
    )
    world, plan = two_nations(cooperation="joint")
    world = replace(world, participants=participants)
    plan = replace(plan, instance_hash=world.content_hash)
    found = sp.schedule(world, plan, sp.ScheduleSettings(from_year=2027, years=2))
    assert found.missed_usd == 0.0
    assert found.purchases.groupby("participant")["lots"].sum().to_dict() == {"japan": 5, "us": 5}
    alone = replace(plan, cooperation="sharing")
    found = sp.schedule(world, alone, sp.ScheduleSettings(from_year=2027, years=2))
    assert found.purchases.groupby("participant")["lots"].sum().to_dict() == {"japan": 2, "us": 5}


def test_a_budget_of_all_together_may_be_given_in_any_world():
    """4,000 USD a year from April on: 1 lot in the first quarter, 4 in each year, 1 in the last."""
    world, plan = two_nations()
    asked = sp.ScheduleSettings(
        from_year=2027, years=2, yearly_budget={"all": 4000.0}, fiscal_start={"all": 4}
    )
    found = sp.schedule(world, plan, asked)
    by_quarter = found.purchases.groupby("quarter")["lots"].sum()
    assert by_quarter.to_dict() == {"2027-Q1": 1, "2027-Q2": 4, "2028-Q2": 3}
    of_all = found.budgets[found.budgets["participant"] == "all"]
    assert of_all["fiscal_year"].tolist() == [2026, 2027, 2028]
    assert of_all["budget_usd"].tolist() == [1000.0, 4000.0, 3000.0]


def test_where_the_envelope_is_what_is_simulated():
    """A month in which 10 t are needed, or 2 t; shortages cost 5,000 USD a tonne.

    With 4,000 USD a year 4 of 10 t are there in the first year: 6 t are missing in one scenario of
    two, 15,000 USD a year. At 25 % 7.5 t are missing in it, at 50 % 5 t, and nothing in the other:
    between the two the envelope lies on the same line.
    """
    world = instance(
        scenarios=[(0.5, [lost(6)]), (0.5, [lost(6, 1, 0.2)])], shortage=(5000.0,), max_t=10.0
    )
    plan = solve(world)
    assert plan.holdings["lots"].tolist() == [10]
    asked = sp.ScheduleSettings(from_year=2027, years=2, yearly_budget={"us": 4000.0})
    found = sp.schedule(world, plan, asked)
    first = found.exposure.iloc[0]
    assert first["simulated_usd_per_year"] == pytest.approx(0.5 * 6.0 * 5000.0)
    assert first["exposure_usd_per_year"] == pytest.approx(5000.0 * (0.4 * 3.75 + 0.6 * 2.5))
    assert found.exposure_simulated_usd == pytest.approx(found.exposure_usd)


def test_where_the_envelope_lies_below_what_is_simulated():
    """The toy with lots of 1.5 t of gallium, of which each nation buys one of two.

    An embargo on either comes in one year of ten and lasts for two months. The 3 t of both serve
    one month; in the other 30 million USD are lost, 6 million a year. With a quarter of the stocks
    it is 6.75 million, with three quarters 0.75 million: half of it counts the mean of these.
    """
    world = sp.load(TOY)
    plan = sp.solve(world, progress=False)
    lots = plan.holdings["lots"].where(plan.holdings["material"] != "gallium", 2)
    world = replace(
        world,
        materials=tuple(
            replace(row, lot_t=1.5) if row.material == "gallium" else row for row in world.materials
        ),
    )
    plan = replace(plan, holdings=plan.holdings.assign(lots=lots), instance_hash=world.content_hash)
    asked = sp.ScheduleSettings(from_year=2027, years=1, yearly_budget={"us": 1e6, "japan": 1e6})
    found = sp.schedule(world, plan, asked)
    gallium = found.exposure[found.exposure["materials"] == "gallium"].iloc[-1]
    assert gallium["simulated_usd_per_year"] == pytest.approx(6.0e6, abs=2e3)
    assert gallium["exposure_usd_per_year"] == pytest.approx(3.75e6, abs=2e3)
    assert found.exposure_simulated_usd > found.exposure_usd


def test_a_record_says_what_was_asked_and_what_it_began_with():
    world, plan = nation()
    state = sp.State(
        month=3,
        date="May",
        stocks=(StockLevel(participant="us", material="m", stock_t=4.0),),
    )
    asked = sp.ScheduleSettings(from_year=2027, years=1)
    said = sp.schedule(world, plan, asked, state=state, gap=0.25).summary()
    assert said["gap_asked"] == 0.25
    assert said["scenario_count"] == 1
    assert said["state"] == {
        "month": 3,
        "date": "May",
        "title": "",
        "stocks": [{"participant": "us", "material": "m", "stock_t": 4.0}],
    }
    assert sp.schedule(world, plan, asked).summary()["state"] is None
    weeks = replace(world, period="week")
    there = replace(state, month=None, week=9)
    said = sp.schedule(weeks, solve(weeks), asked, state=there).summary()["state"]
    assert (said["week"], "month" in said) == (9, False)


def test_fiscal_years_are_named_as_the_nations_name_them():
    """From April 2027 to March 2028: fiscal 2027 in Japan. From October 2027 on: 2028."""
    asked = sp.ScheduleSettings(
        from_year=2027, years=2, fiscal_start={"japan": 4, "us": 10, "july": 7}
    )
    years = {name: [asked.fiscal_year(name, t) for t in range(8)] for name in ("japan", "us")}
    assert years["japan"] == [2026, 2027, 2027, 2027, 2027, 2028, 2028, 2028]
    assert years["us"] == [2027, 2027, 2027, 2028, 2028, 2028, 2028, 2029]
    assert asked.fiscal_year("july", 2) == 2028
    assert asked.fiscal_year("other", 3) == 2027


def test_all_is_bought_though_the_last_lot_lifts_the_price_of_many():
    """101 lots in four quarters, 25 in each step: one quarter has to pay the next step for all."""
    world = instance(scenarios=[(1.0, [lost(6)])], shortage=(5000.0,), max_t=101.0)
    world = replace(
        world,
        demand=tuple(replace(row, demand_t_per_year=12.0 * 101.0) for row in world.demand),
        materials=tuple(
            replace(row, world_supply_t_per_year=404.0, price_impact=1.0) for row in world.materials
        ),
    )
    plan = solve(world)
    found = sp.schedule(world, plan, sp.ScheduleSettings(from_year=2027, years=1), gap=1e-6)
    assert found.purchases["lots"].sum() == 101
    assert found.missed_usd == 0.0


def test_a_cap_on_the_share_of_supply():
    world, plan = nation()
    world = replace(
        world,
        materials=tuple(replace(row, world_supply_t_per_year=30.0) for row in world.materials),
    )
    plan = replace(plan, instance_hash=world.content_hash)
    asked = sp.ScheduleSettings(from_year=2027, years=4, most_of_supply=0.1)
    found = sp.schedule(world, plan, asked)
    assert bought(found) == {"2027-Q1": 3, "2028-Q1": 3, "2029-Q1": 3, "2030-Q1": 1}


def test_excess_is_disposed_of_at_once():
    world, plan = nation()
    world = replace(
        world, holdings=(Holding(participant="us", material="m", max_t=10.0, existing_t=13.0),)
    )
    plan = replace(plan, instance_hash=world.content_hash)
    found = sp.schedule(world, plan, sp.ScheduleSettings(from_year=2027, years=1))
    assert found.disposals[["quarter", "lots", "got_usd"]].values.tolist() == [
        ["2027-Q1", 3, 3000.0]
    ]
    assert found.payments_usd == pytest.approx(-3000.0)


def test_what_has_been_released_is_due():
    """4 t are left of 10: 6 lots within a year, though waiting would be as good; or not at all."""
    world, plan = nation()
    state = sp.State(month=3, stocks=(StockLevel(participant="us", material="m", stock_t=4.0),))
    asked = sp.ScheduleSettings(
        from_year=2027, years=3, yearly_budget={"us": 6000.0}, replenish_years=1
    )
    found = sp.schedule(world, plan, asked, state=state)
    assert sum(lots for quarter, lots in bought(found).items() if quarter < "2028") == 6
    with pytest.raises(sp.UsageError, match="no calendar buys back in time"):
        sp.schedule(world, plan, replace(asked, yearly_budget={"us": 5000.0}), state=state)


def test_exposures_end_at_what_the_plan_expects():
    """All bought: the shortage, shipping and conversion cost of the plan itself."""
    world = sp.load(TOY)
    plan = sp.solve(world, progress=False)
    found = sp.schedule(world, plan, sp.ScheduleSettings(from_year=2027, years=1))
    last = found.exposure[found.exposure["quarter"] == "2027-Q4"]
    costs = plan.costs.set_index("material")[["shortage", "shipping", "conversion"]].sum(axis=1)
    for row in last.to_dict(orient="records"):
        expected = float(costs[row["materials"]].sum())
        assert row["exposure_usd_per_year"] == pytest.approx(expected, abs=1e-6)


def test_the_command_prints_and_saves_a_calendar(tmp_path, capsys):
    world = sp.load(TOY)
    sp.solve(world, progress=False).save(tmp_path / "plan")
    asked = ["schedule", str(TOY), str(tmp_path / "plan"), "--from", "2027", "--years", "2"]
    out = ["--out", str(tmp_path / "calendar")]
    assert cli.main([*asked, *out, "--yearly-budget", "us=2e6", "--fiscal-start", "us=10"]) == 0
    said = capsys.readouterr().out
    for text in ("Buying calendar for toy", "Annual materials plan of 2027", "half the money"):
        assert text in said.replace("\n", " ")
    assert (tmp_path / "calendar" / "first_year.csv").is_file()
    for wrong, text in (
        (["--yearly-budget", "usa=2e6"], "Did you mean us?"),
        (["--yearly-budget", "us"], "expected a participant and a number"),
        (["--fiscal-start", "us=2"], "1, 4, 7 or 10"),
        (["--fiscal-start", "us=10.5"], "expected a participant and a whole number"),
        (["--yearly-budget", "us=nan"], "expected at least 0 USD"),
        (["--yearly-budget", "us=1", "--yearly-budget", "us=2"], "us is given twice"),
        (["--gap", "nan"], "expected a fraction from 0"),
        (["--scenarios", "0"], "expected at least 1"),
        (["--replenish-years", "3"], "needs a state"),
        (["--most-of-supply", "0"], "expected a fraction above 0"),
    ):
        assert cli.main([*asked, *wrong]) == 2
        assert text in capsys.readouterr().err
    assert cli.main(["schedule", *asked[1:4], "2027", "--years", "0"]) == 2
    assert "expected 1 to 20" in capsys.readouterr().err
