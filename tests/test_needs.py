"""Needs, equations (1) to (3): small cases by hand, and against the slow second implementation."""

from __future__ import annotations

import tracemalloc
from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import oracle
import pytest
from random_instances import write_random_instance

import stockpile as sp
from stockpile.blocks import build_blocks
from stockpile.needs import block_needs, yearly
from stockpile.parallel import Workers
from stockpile.periods import MONTH
from stockpile.problem import build_problem
from stockpile.scenarios import scenario_set, stress_cases
from stockpile.tables import (
    Commercial,
    Demand,
    DemandClass,
    Event,
    Hazard,
    Material,
    Participant,
    Scenario,
    Source,
    Supply,
)

DEFENSE, INDUSTRY = 0, 1


def instance(
    *events, nations=("us",), horizon=12, defense=12.0, industry=24.0, shares=None, **more
):
    """Gallium for defense and industry, by default 1 and 2 t a month, half of it from china."""
    shares = {"china": 0.5, "myanmar": 0.25} if shares is None else shares
    made = sp.Instance(
        **{
            "name": "small",
            "price_year": 2025,
            "horizon_months": horizon,
            "participants": tuple(
                Participant(participant=c, name=c, discount_rate_per_year=0.05) for c in nations
            ),
            "classes": (
                DemandClass(demand_class="defense", priority=1, shortage_cost_multiple=50.0),
                DemandClass(demand_class="industry", priority=2, shortage_cost_multiple=5.0),
            ),
            "materials": (
                Material(
                    material="gallium",
                    name="Gallium",
                    element="Ga",
                    form="metal",
                    price_usd_per_kg=500.0,
                    lot_t=1.0,
                ),
            ),
            "demand": tuple(
                Demand(participant=c, material="gallium", demand_class=k, demand_t_per_year=tonnes)
                for c in nations
                for k, tonnes in (("defense", defense), ("industry", industry))
            ),
            "sources": tuple(Source(source=g, name=g) for g in shares),
            "supply": tuple(
                Supply(participant=c, material="gallium", source=g, share=share)
                for c in nations
                for g, share in shares.items()
            ),
            "scenarios": (Scenario(scenario="s", probability=1.0),),
            "events": events,
            **more,
        }
    )
    sp.validate(made)
    return made


def loss(source, start, months, severity=1.0, **cells):
    return Event(
        scenario="s",
        source=source,
        start_month=start,
        duration_months=months,
        severity=severity,
        **cells,
    )


def surge(start, months, severity, *classes, **cells):
    return Event(
        scenario="s",
        effect="demand_surge",
        demand_class=classes or ("*",),
        start_month=start,
        duration_months=months,
        severity=severity,
        **cells,
    )


def needs_of(made, block=0, threads=1, scenarios=None):
    problem = build_problem(made)
    scenarios = scenario_set(made, problem) if scenarios is None else scenarios
    with Workers(threads) as workers:
        return block_needs(problem, build_blocks(problem)[block], scenarios, workers)


def by_month(needs, values):
    """The kept months of a single scenario as {month counted from 1: values}."""
    return {
        int(month) + 1: pytest.approx(row.tolist())
        for month, row in zip(needs.month, values, strict=True)
    }


# --- Equations (1) and (2) by hand --------------------------------------------------------------


def test_losses_of_sources_add_up_and_events_at_one_source_multiply():
    """China (share 0.5) loses half twice, so 1 - 0.5 x 0.5 = 0.75 of it; myanmar (0.25) all.

    Month 1: 0.5 x 0.5 = 0.25. Month 2: 0.5 x 0.75 = 0.375. Month 3: 0.375 + 0.25 = 0.625.
    Month 4: 0.25. Of 3 t a month that leaves gaps of 0.75, 1.125, 1.875 and 0.75 t, all below
    the 2 t of industry.
    """
    needs = needs_of(
        instance(loss("china", 1, 3, 0.5), loss("china", 2, 2, 0.5), loss("myanmar", 3, 2))
    )
    assert by_month(needs, needs.loss) == {1: [0.25], 2: [0.375], 3: [0.625], 4: [0.25]}
    assert by_month(needs, needs.need) == {1: [0, 0.75], 2: [0, 1.125], 3: [0, 1.875], 4: [0, 0.75]}


def test_what_shares_leave_below_one_is_never_disrupted():
    """Both sources gone: 0.75 of supply lost, 2.25 t missing: industry 2, defense 0.25."""
    needs = needs_of(instance(loss("china", 5, 1), loss("myanmar", 5, 1)))
    assert by_month(needs, needs.need) == {5: [0.25, 2.0]}


def test_an_event_is_active_from_its_first_month_for_its_duration():
    """Start 4 and duration 3: months 4, 5 and 6. One from month 11 on is cut at the horizon."""
    needs = needs_of(instance(loss("china", 4, 3), loss("china", 11, 9)))
    assert (needs.month + 1).tolist() == [4, 5, 6, 11, 12]


def test_surges_of_events_active_at_once_add_up():
    """Defense needs 1 x (1 + 0.5 + 1) = 2.5 t, in all 4.5 t, of which 3 t are supplied.

    The gap of 1.5 t falls on industry, which has 2 t. In month 1 only the first surge: 0.5 t.
    """
    needs = needs_of(instance(surge(1, 2, 0.5, "defense"), surge(2, 1, 1.0, "defense")))
    assert by_month(needs, needs.need) == {1: [0, 0.5], 2: [0, 1.5]}
    assert by_month(needs, needs.loss) == {1: [0], 2: [0]}


def test_a_surge_of_all_classes_reaches_each():
    """Twice the demand and half of the supply: 6 - 1.5 = 4.5 t short: industry 4, defense 0.5."""
    needs = needs_of(instance(surge(3, 1, 1.0), loss("china", 3, 1)))
    assert by_month(needs, needs.need) == {3: [0.5, 4.0]}


def test_a_class_bears_no_more_than_its_surged_demand():
    """All supply lost and a defense surge of 1.5: industry its 2 t, defense 1 x 2.5 t."""
    made = instance(loss("china", 1, 1), surge(1, 1, 1.5, "defense"), shares={"china": 1.0})
    needs = needs_of(made)
    assert by_month(needs, needs.need) == {1: [2.5, 2.0]}


def test_a_loss_of_nothing_needs_nothing():
    needs = needs_of(instance(loss("china", 1, 5, 0.0), surge(1, 5, 0.0)))
    assert needs.month.size == 0
    assert needs.scenario.size == 0


def test_an_event_elsewhere_needs_nothing():
    """Its target is the other nation; its material another one; its source supplies nothing."""
    made = instance(loss("china", 1, 5, targets=("japan",)), nations=("us", "japan"))
    needs = needs_of(made)
    assert not needs.need[:, :2].any()
    assert np.all(needs.need[:, 2:] == [0.0, 1.5])
    assert np.all(needs.loss == [0.0, 0.5])

    unused = instance(loss("unused", 1, 5), shares={"china": 0.5, "unused": 0.0})
    assert needs_of(unused).scenario.size == 0


def test_who_uses_nothing_needs_nothing():
    needs = needs_of(instance(loss("china", 1, 5), surge(1, 5, 2.0), defense=0.0, industry=0.0))
    assert needs.scenario.size == 0


# --- Equation (3) by hand -----------------------------------------------------------------------


def test_pro_rata_shares_the_gap_in_proportion_to_surged_demand():
    """Half lost, defense x 2.5: 4.5 t wanted, 1.5 t there. Of 3 t short, 2.5 / 4.5 is defense."""
    made = instance(loss("china", 1, 1), surge(1, 1, 1.5, "defense"), allocation="pro_rata")
    needs = needs_of(made)
    assert by_month(needs, needs.need) == {1: [3.0 * 2.5 / 4.5, 3.0 * 2.0 / 4.5]}


def test_a_gap_that_the_lower_class_can_bear_alone_leaves_the_upper_class_without_need():
    """Defense 3 t and industry 1/3 t a month: 10 % of supply is just what industry uses.

    Not even a rounding error may fall on defense: need that nobody serves would count as a
    scenario in which defense gets nothing.
    """
    made = instance(loss("china", 1, 6), defense=36.0, industry=4.0, shares={"china": 0.1})
    needs = needs_of(made)
    assert np.all(needs.need[:, INDUSTRY] == pytest.approx(1.0 / 3.0))
    assert np.all(needs.need[:, DEFENSE] == 0.0)
    assert needs.expected[DEFENSE] == 0.0


def test_firms_draw_down_their_stock_before_anybody_needs_something():
    """36.5 days of 36 t a year are 3.6 t. Gaps of 3 t: month 1 is covered, month 2 gets 0.6 t.

    Of the 2.4 t left in month 2 industry bears 2. From month 3 on all 3 t are needed. The event
    has aged all the same.
    """
    made = instance(
        loss("china", 1, 3),
        shares={"china": 1.0},
        commercial=(Commercial(participant="us", material="gallium", industry_days=36.5),),
    )
    needs = needs_of(made)
    assert by_month(needs, needs.need) == {2: [0.4, 2.0], 3: [1.0, 2.0]}
    assert by_month(needs, needs.age) == {2: [1], 3: [2]}
    assert needs.calm.tolist() == [0, 0]


def test_the_stock_of_firms_is_the_sum_over_rows_and_classes():
    """30 days of 12 t and 60 days of 24 t a year: (30 x 12 + 60 x 24) / 365 = 360 / 73 t.

    Gaps of 3 t: the second month still gets 360 / 73 - 3 t.
    """
    rows = (
        Commercial(
            participant="us", material="gallium", industry_days=30.0, demand_class=("defense",)
        ),
        Commercial(
            participant="us", material="gallium", industry_days=60.0, demand_class=("industry",)
        ),
    )
    needs = needs_of(instance(loss("china", 1, 2), shares={"china": 1.0}, commercial=rows))
    missing = 6.0 - 360.0 / 73.0
    assert {2: [0.0, missing]} == by_month(needs, needs.need)


def test_firms_refill_a_sixth_of_their_stock_in_a_month_without_a_gap():
    """3.6 t; 3 t drawn in month 1; 0.6 t back in months 2 and 3: 1.8 t are there in month 4."""
    made = instance(
        loss("china", 1, 1),
        loss("china", 4, 1),
        shares={"china": 1.0},
        commercial=(Commercial(participant="us", material="gallium", industry_days=36.5),),
    )
    needs = needs_of(made)
    assert by_month(needs, needs.need) == {4: [0.0, 1.2]}


def test_firms_never_refill_above_their_stock():
    """3.6 t, drawn to 0.6 t and 9 months without a gap: 3.6 t again, not 6 t."""
    made = instance(
        loss("china", 1, 1),
        loss("china", 11, 2),
        shares={"china": 1.0},
        commercial=(Commercial(participant="us", material="gallium", industry_days=36.5),),
    )
    needs = needs_of(made)
    assert by_month(needs, needs.need) == {12: [0.4, 2.0]}


def test_thrift_begins_at_its_age_for_its_class_and_ends_with_the_gap():
    """All supply lost in months 1 to 4 and 6: industry does with 3/4 of its 2 t from age 2 on."""
    made = instance(
        loss("china", 1, 4),
        loss("china", 6, 1),
        shares={"china": 1.0},
        commercial=(
            Commercial(
                participant="us",
                material="gallium",
                thrift_share=0.25,
                thrift_after_months=2,
                demand_class=("industry",),
            ),
        ),
    )
    needs = needs_of(made)
    assert by_month(needs, needs.need) == {
        1: [1, 2],
        2: [1, 2],
        3: [1, 1.5],
        4: [1, 1.5],
        6: [1, 2],
    }
    assert needs.age[:, 0].tolist() == [0, 1, 2, 3, 0]


def test_thrift_applies_to_what_fell_on_the_class_after_the_stock_of_firms():
    """3 t short, 0.6 t from firms (days: 6.08333 of 36 t), industry bears 2 t and saves half."""
    made = instance(
        loss("china", 1, 1),
        shares={"china": 1.0},
        commercial=(
            Commercial(
                participant="us", material="gallium", industry_days=365.0 / 60.0, thrift_share=0.5
            ),
        ),
    )
    needs = needs_of(made)
    assert by_month(needs, needs.need) == {1: [0.2, 1.0]}


def test_a_class_that_can_do_without_everything_needs_nothing():
    made = instance(
        loss("china", 1, 3),
        commercial=(Commercial(participant="us", material="gallium", thrift_share=1.0),),
    )
    assert needs_of(made).scenario.size == 0


# --- Ages, calm months, vetoes ------------------------------------------------------------------


def test_the_age_counts_months_of_gap_just_before_and_each_nation_has_its_own():
    """The us lose supply in months 2 to 4, japan in 3 and 4 and again in 6."""
    made = instance(
        loss("china", 2, 3, targets=("us",)),
        loss("china", 3, 2, targets=("japan",)),
        loss("china", 6, 1, targets=("japan",)),
        nations=("us", "japan"),
    )
    needs = needs_of(made)
    # Month 5 has no gap anywhere and is left out; in month 6 the us have had none before.
    assert (needs.month + 1).tolist() == [2, 3, 4, 6]
    assert needs.age.tolist() == [[0, 0], [1, 0], [2, 1], [0, 0]]


def test_calm_months_are_counted_between_months_with_need():
    """Need in months 3, 4, 8 and 12: none before the first counts, then 0, 3 and 3 calm ones."""
    needs = needs_of(instance(loss("china", 3, 2), loss("china", 8, 1), loss("china", 12, 1)))
    assert (needs.month + 1).tolist() == [3, 4, 8, 12]
    assert needs.calm.tolist() == [0, 0, 3, 3]


def test_a_veto_blocks_its_targets_in_its_months():
    veto = Event(
        scenario="s",
        effect="sharing_blocked",
        targets=("japan",),
        start_month=2,
        duration_months=2,
        severity=1.0,
    )
    needs = needs_of(instance(loss("china", 1, 4), veto, nations=("us", "japan")))
    assert needs.blocked.tolist() == [[False, False], [False, True], [False, True], [False, False]]


def test_a_cut_price_is_nothing_to_needs():
    """Alone it makes none; beside a loss the needs, ages and blocked owners are those of the loss.

    Like every effect but a loss it has no source, which must not stand for the last one.
    """
    cut = Event(scenario="s", effect="price_cut", start_month=1, duration_months=12, severity=0.9)
    assert needs_of(instance(cut)).scenario.size == 0
    needs = needs_of(instance(cut, loss("china", 3, 2)))
    assert by_month(needs, needs.need) == {3: [0, 1.5], 4: [0, 1.5]}
    assert by_month(needs, needs.loss) == {3: [0.5], 4: [0.5]}
    assert needs.age.tolist() == [[0], [1]]
    assert not needs.blocked.any()


def test_totals_and_expectations_are_sums_over_the_horizon():
    """Scenario b (1/4) needs 2 x 1.5 t of industry, c (1/4) 1 x 1.5 t: 1.125 t on average."""
    made = instance(
        Event(scenario="b", source="china", start_month=2, duration_months=2, severity=1.0),
        Event(scenario="c", source="china", start_month=9, duration_months=1, severity=1.0),
        scenarios=tuple(
            Scenario(scenario=s, probability=p) for s, p in (("a", 0.5), ("b", 0.25), ("c", 0.25))
        ),
    )
    needs = needs_of(made)
    assert needs.scenario.tolist() == [1, 2]
    assert needs.probability.tolist() == [0.25, 0.25]
    assert needs.first.tolist() == [0, 2, 3]
    assert needs.total.tolist() == [[0.0, 3.0], [0.0, 1.5]]
    assert needs.expected.tolist() == [0.0, 1.125]


def test_a_sum_over_the_horizon_becomes_a_sum_per_year():
    assert yearly(30.0, SimpleNamespace(period=MONTH, horizon=60)) == 6.0
    assert yearly(1.0, SimpleNamespace(period=MONTH, horizon=4)) == 3.0


def test_a_horizon_is_refused_or_counted_to_its_end():
    """Month 35,000 of 40,000 stays month 35,000: it must not wrap around at 32,768."""
    try:
        made = instance(loss("china", 35_000, 2), horizon=40_000)
    except sp.InstanceError:
        return
    assert (needs_of(made).month.astype(int) + 1).tolist() == [35_000, 35_001]


# --- Against the second implementation ----------------------------------------------------------


def assert_needs_equal_the_oracle(needs, inst, material, scenarios, *, stress=False):
    """Expand the compressed months and compare them with every month of the oracle."""
    participants, classes = inst["participants"], inst["classes"]
    months = range(inst["horizon"])
    kept = 0
    for s, scenario in enumerate(scenarios):
        expected = oracle.needs(inst, material, scenario, stress=stress)
        with_need = [t for t in months if expected[t]["need"]]
        place = np.flatnonzero(needs.scenario == s)
        if not with_need:
            assert not place.size
            continue
        kept += 1
        at = slice(needs.first[place[0]], needs.first[place[0] + 1])
        assert needs.month[at].tolist() == with_need
        gaps = np.diff(with_need) - 1
        assert needs.calm[at].tolist() == [0, *gaps.tolist()]
        assert needs.probability[place[0]] == pytest.approx(
            1.0 if stress else float(inst["probability"][scenario])
        )
        for n, t in zip(range(at.start, at.stop), with_need, strict=True):
            need = [
                float(expected[t]["need"].get((c, k), 0)) for c in participants for k in classes
            ]
            np.testing.assert_allclose(needs.need[n], need, rtol=1e-9)  # Zeros exactly.
            lost = [float(expected[t]["loss"][c]) for c in participants]
            np.testing.assert_allclose(needs.loss[n], lost, rtol=1e-12, atol=1e-15)
            assert needs.age[n].tolist() == [expected[t]["age"][c] for c in participants]
            blocked = [c in expected[t]["blocked"] for c in participants]
            assert needs.blocked[n].tolist() == blocked
        total = oracle.total_needs(inst, material, scenario, stress=stress)
        np.testing.assert_allclose(
            needs.total[place[0]],
            [total.get((c, k), 0.0) for c in participants for k in classes],
            rtol=1e-9,
        )
    assert needs.scenario.size == kept


@pytest.mark.parametrize("tens", range(12))
def test_needs_equal_the_oracle_on_random_instances(tmp_path, tens):
    for seed in range(10 * tens, 10 * tens + 10):
        folder = tmp_path / str(seed)
        write_random_instance(folder, seed)
        inst, made = oracle.read(folder), sp.load(folder)
        problem = build_problem(made)
        given, cases = scenario_set(made, problem), stress_cases(made, problem)
        for place, material in enumerate(inst["materials"]):
            assert_needs_equal_the_oracle(
                needs_of(made, place, scenarios=given), inst, material, given.names
            )
            assert_needs_equal_the_oracle(
                needs_of(made, place, scenarios=cases), inst, material, cases.names, stress=True
            )


# --- Many scenarios -----------------------------------------------------------------------------


def many(rate, horizon=60):
    """Two nations, with every kind of event drawn."""

    def hazard(name, effect="supply_loss", **cells):
        usual = {
            "source": "china" if effect == "supply_loss" else None,
            "events_per_year": rate,
            "duration_median_months": 3.0,
            "duration_sigma": 0.5,
            "severity_mean": 1.0,
            "severity_sd": 0.0,
        }
        return Hazard(hazard=name, effect=effect, **(usual | cells))

    return instance(
        nations=("us", "japan"),
        horizon=horizon,
        scenarios=(),
        hazards=(
            hazard("halt", severity_mean=0.6, severity_sd=0.2),
            hazard("embargo", targets=("japan",)),
            hazard("war", "demand_surge", demand_class=("defense",)),
            hazard("veto", "sharing_blocked", targets=("us",)),
        ),
        commercial=(
            Commercial(
                participant="us",
                material="gallium",
                industry_days=20.0,
                thrift_share=0.1,
                thrift_after_months=2,
            ),
        ),
    )


def arrays(needs):
    return [getattr(needs, field.name) for field in fields(needs)]


def test_the_number_of_threads_changes_no_byte_of_the_needs():
    made = many(0.3)
    scenarios = scenario_set(made, build_problem(made), 5000, 1)
    one, *others = (needs_of(made, threads=n, scenarios=scenarios) for n in (1, 2, 3))
    for other in others:
        for left, right in zip(arrays(one), arrays(other), strict=True):
            assert left.dtype == right.dtype
            assert left.tobytes() == right.tobytes()


def test_needs_take_memory_for_months_with_need_only():
    """100,000 scenarios of 60 months with an event in about one of 250.

    A dense table of needs would take 100,000 x 60 x 4 streams x 8 bytes, 183 MiB.
    """
    count, horizon, streams, markets = 100_000, 60, 4, 2
    made = many(0.0002)
    problem = build_problem(made)
    scenarios = scenario_set(made, problem, count, 1)
    small = needs_of(made, scenarios=scenario_set(made, problem, 10, 1))  # Compiles what is used.
    assert small.need.shape[1] == streams
    tracemalloc.start()
    needs = needs_of(made, scenarios=scenarios)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    months, kept = needs.month.size, needs.scenario.size
    assert 0 < kept < count / 100
    assert np.all(needs.need.any(axis=1))  # Each month kept has need.
    a_month = 8 * (2 + streams + 3 * markets)  # No number takes more than 8 bytes.
    a_scenario = 8 * (3 + streams)
    size = sum(array.nbytes for array in arrays(needs))
    assert size <= a_month * months + a_scenario * kept + 1000
    counter = 8 * count  # While working: one number for each scenario.
    assert peak <= 2 * (size + counter) + 2**18
    assert peak < count * horizon * streams * 8 / 50


def test_scenarios_take_memory_for_events_only():
    made = many(0.0002)
    scenarios = scenario_set(made, build_problem(made), 100_000, 1)
    size = sum(
        value.nbytes
        for value in (getattr(scenarios, field.name) for field in fields(scenarios))
        if isinstance(value, np.ndarray)
    )
    assert size <= 16 * 100_001 + 48 * scenarios.start.size + 1000
