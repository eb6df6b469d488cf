"""Scenarios: what is drawn from hazards against closed forms, and what is given.

Statistical bounds are five standard errors of the closed form; seeds are fixed, so a test that
passes once passes always.
"""

from __future__ import annotations

from dataclasses import fields, replace
from math import erf, exp, log, sqrt

import numpy as np
import pytest

import stockpile as sp
from stockpile.hazard_events import NO_SOURCE
from stockpile.problem import build_problem
from stockpile.scenarios import draw_scenarios, scenario_set, stress_cases
from stockpile.tables import (
    Demand,
    DemandClass,
    Event,
    Hazard,
    Material,
    Participant,
    Scenario,
    ScenarioSettings,
    Source,
    StressEvent,
    Supply,
)

ERRORS = 5.0  # Standard errors that a statistic may be off.


def hazard(name, **cells):
    """A loss of the source china, one event a year; cells change it."""
    usual = {
        "effect": "supply_loss",
        "source": None if "effect" in cells else "china",
        "events_per_year": 1.0,
        "duration_median_months": 6.0,
        "duration_sigma": 0.5,
        "severity_mean": 0.6,
        "severity_sd": 0.2,
    }
    return Hazard(hazard=name, **(usual | cells))


def instance(*hazards, horizon=60, **tables):
    """Two nations that both get all gallium and dysprosium from china."""
    nations, materials = ("us", "japan"), ("gallium", "dy_oxide")
    made = sp.Instance(
        name="drawn",
        price_year=2025,
        horizon_months=horizon,
        participants=tuple(
            Participant(participant=c, name=c, discount_rate_per_year=0.05) for c in nations
        ),
        classes=tuple(
            DemandClass(demand_class=k, priority=i + 1, shortage_cost_multiple=5.0)
            for i, k in enumerate(("defense", "industry"))
        ),
        materials=tuple(
            Material(material=m, name=m, element="x", form="x", price_usd_per_kg=100.0, lot_t=1.0)
            for m in materials
        ),
        demand=tuple(
            Demand(participant=c, material=m, demand_class="industry", demand_t_per_year=12.0)
            for c in nations
            for m in materials
        ),
        sources=tuple(Source(source=g, name=g) for g in ("china", "myanmar")),
        supply=tuple(
            Supply(participant=c, material=m, source="china", share=1.0)
            for c in nations
            for m in materials
        ),
        hazards=hazards,
        **tables,
    )
    sp.validate(made)
    return made


def drawn(made, count, seed=1):
    return draw_scenarios(made, build_problem(made), count, seed)


def scenario_of(scenarios):
    """The scenario of every event."""
    return np.repeat(np.arange(scenarios.count), np.diff(scenarios.first))


def only(scenarios, place):
    """Columns of the events of one hazard, by its place in the table."""
    mine = scenarios.scope == place
    columns = {
        name: getattr(scenarios, name)[mine].astype(float)
        for name in ("effect", "source", "start", "end", "severity")
    }
    return {"scenario": scenario_of(scenarios)[mine], **columns}


def same_events(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


def as_bytes(scenarios):
    values = (getattr(scenarios, field.name) for field in fields(scenarios))
    return b"".join(v.tobytes() if isinstance(v, np.ndarray) else str(v).encode() for v in values)


def assert_within(statistic, expected, standard_error):
    assert abs(statistic - expected) <= ERRORS * standard_error


def assert_share(hits, expected):
    """Compare the fraction of hits with a probability; its variance is p (1 - p) / n."""
    assert_within(np.mean(hits), expected, sqrt(expected * (1.0 - expected) / len(hits)))


def normal_below(z):
    return 0.5 * (1.0 + erf(z / sqrt(2.0)))


# --- Arrivals -----------------------------------------------------------------------------------


def test_the_number_of_events_is_poisson():
    """Rate 2.4 a year over 30 months: lambda = 6.

    The mean has variance lambda / N; the sample variance has (mu4 - sigma^4) / N, where
    mu4 = lambda + 3 lambda^2; no event at all has probability exp(-lambda).
    """
    count, mean = 20_000, 6.0
    scenarios = drawn(instance(hazard("halt", events_per_year=2.4), horizon=30), count)
    events = np.diff(scenarios.first)
    assert_within(events.mean(), mean, sqrt(mean / count))
    assert_within(events.var(ddof=1), mean, sqrt((mean + 2.0 * mean**2) / count))
    assert_share(events == 0, exp(-mean))
    assert_share(events == 6, exp(-mean) * mean**6 / 720.0)


def test_a_rare_event_happens_as_rarely_as_it_should():
    """Rate 0.002 a year over 60 months: 1 - exp(-0.01) of the scenarios have one."""
    scenarios = drawn(instance(hazard("rare", events_per_year=0.002)), 100_000)
    assert_share(np.diff(scenarios.first) > 0, 1.0 - exp(-0.01))


def test_a_rate_of_zero_brings_no_event():
    scenarios = drawn(instance(hazard("never", events_per_year=0.0)), 1000)
    assert scenarios.count == 1000
    assert scenarios.start.size == 0


def test_events_start_in_every_month_alike():
    scenarios = drawn(instance(hazard("halt", events_per_year=5.0), horizon=12), 20_000)
    for month in range(12):
        assert_share(scenarios.start == month, 1.0 / 12.0)


def test_scenarios_weigh_the_same():
    probability = drawn(instance(hazard("halt")), 777).probability
    assert np.all(probability == 1.0 / 777)
    assert probability.sum() == pytest.approx(1.0, abs=1e-12)


def test_two_hazards_are_independent():
    """P(both in a scenario) = (1 - exp(-0.7)) (1 - exp(-1.1)), by rate over one year."""
    made = instance(
        hazard("one", events_per_year=0.7), hazard("two", events_per_year=1.1), horizon=12
    )
    scenarios = drawn(made, 20_000)
    first, second = (
        np.bincount(only(scenarios, place)["scenario"], minlength=20_000) > 0 for place in (0, 1)
    )
    assert_share(first & second, (1.0 - exp(-0.7)) * (1.0 - exp(-1.1)))


# --- Durations ----------------------------------------------------------------------------------


def durations(**cells):
    """Durations of events that end long before a horizon of 600 months."""
    scenarios = drawn(instance(hazard("halt", **cells), horizon=600), 400)
    early = scenarios.start < 200
    return (scenarios.end - scenarios.start.astype(int))[early]


@pytest.mark.parametrize(("median", "sigma"), [(6.0, 0.5), (11.3, 0.8), (0.7, 0.9)])
def test_durations_are_lognormal_and_rounded_to_whole_months(median, sigma):
    """P(rounded duration <= d) = P(duration < d + 1/2) = Phi(log((d + 1/2) / median) / sigma).

    That holds from d = 1 on, as nothing is shorter than a month.
    """
    months = durations(duration_median_months=median, duration_sigma=sigma)
    assert months.min() >= 1
    for d in range(1, 21):
        assert_share(months <= d, normal_below(log((d + 0.5) / median) / sigma))


def test_half_of_the_durations_are_at_most_the_median():
    """A median of 6.5 months: P(rounded <= 6) is exactly one half."""
    assert_share(durations(duration_median_months=6.5) <= 6, 0.5)


@pytest.mark.parametrize(("median", "months"), [(4.0, 4), (4.4, 4), (4.6, 5), (0.2, 1)])
def test_without_spread_every_event_lasts_the_median_rounded(median, months):
    fixed = durations(duration_median_months=median, duration_sigma=0.0)
    assert set(fixed.tolist()) == {months}


def test_no_event_reaches_beyond_the_horizon():
    made = instance(hazard("endless", duration_median_months=500.0), horizon=24)
    scenarios = drawn(made, 500)
    assert scenarios.start.min() >= 0
    assert np.all(scenarios.start < scenarios.end)
    assert scenarios.end.max() == 24
    assert np.mean(scenarios.end == 24) > 0.99


@pytest.mark.filterwarnings("error")
def test_a_duration_beyond_all_numbers_lasts_to_the_horizon():
    """With a sigma of 2000, half of the events last 1 month and half to the end: no overflow."""
    made = instance(hazard("wild", duration_sigma=2000.0), horizon=24)
    scenarios = drawn(made, 2000)
    lasts_on = scenarios.end == 24
    assert np.all(lasts_on | (scenarios.end - scenarios.start == 1))
    early = scenarios.start < 20
    assert_share(lasts_on[early], 0.5)


# --- Severities ---------------------------------------------------------------------------------


def severities(mean, sd):
    return drawn(instance(hazard("halt", severity_mean=mean, severity_sd=sd)), 5000).severity


def test_severities_have_the_given_mean_and_spread():
    """The variance of the sample variance is (mu4 - sigma^4) / n.

    For a beta distribution with a + b = n, mu4 / sigma^4 - 3 is
    6 ((a - b)^2 (n + 1) - a b (n + 2)) / (a b (n + 2) (n + 3)).
    """
    mean, sd = 0.7, 0.15
    total = mean * (1.0 - mean) / sd**2 - 1.0
    a, b = mean * total, (1.0 - mean) * total
    excess = 6.0 * ((a - b) ** 2 * (total + 1.0) - a * b * (total + 2.0))
    excess /= a * b * (total + 2.0) * (total + 3.0)
    values = severities(mean, sd)
    assert_within(values.mean(), mean, sd / sqrt(values.size))
    assert_within(values.var(ddof=1), sd**2, sd**2 * sqrt((2.0 + excess) / values.size))


def test_severities_with_the_spread_of_a_uniform_are_uniform():
    """Mean 1/2 and variance 1/12 make the beta distribution with a = b = 1."""
    values = severities(0.5, sqrt(1.0 / 12.0))
    for x in np.linspace(0.05, 0.95, 19):
        assert_share(values <= x, x)


def test_severities_of_the_triangle_follow_its_square():
    """Mean 2/3 and variance 1/18 make a = 2, b = 1: P(severity <= x) = x^2."""
    values = severities(2.0 / 3.0, sqrt(1.0 / 18.0))
    for x in np.linspace(0.1, 0.9, 9):
        assert_share(values <= x, x**2)


@pytest.mark.parametrize("mean", [0.001, 0.02, 0.5, 0.98, 0.999])
@pytest.mark.parametrize("part", [1e-3, 0.5, 0.99, 0.999])
def test_extreme_severities_stay_fractions(mean, part):
    """From hardly any spread to nearly the most that a mean allows, sqrt(mean (1 - mean))."""
    sd = part * sqrt(mean * (1.0 - mean))
    values = severities(mean, sd)
    assert np.all((values >= 0.0) & (values <= 1.0))
    assert_within(values.mean(), mean, sd / sqrt(values.size))


def test_without_spread_every_severity_is_the_mean():
    assert np.all(severities(0.37, 0.0) == 0.37)


# --- Follow-ups ---------------------------------------------------------------------------------


def followed(probability=0.3, delay=5, horizon=60, **cells):
    return instance(
        hazard("embargo", duration_median_months=20.0, duration_sigma=0.0),
        hazard(
            "war",
            effect="demand_surge",
            events_per_year=0.0,
            duration_sigma=0.0,
            severity_sd=0.0,
            follows="embargo",
            follow_probability=probability,
            follow_delay_months=delay,
            **cells,
        ),
        horizon=horizon,
    )


def starts_by_scenario(events, count, shift=0):
    found = [[] for _ in range(count)]
    for s, start in zip(events["scenario"], events["start"], strict=True):
        found[s].append(int(start) + shift)
    return [sorted(starts) for starts in found]


def test_a_follow_up_happens_with_its_probability():
    scenarios = drawn(followed(0.3, delay=5), 20_000)
    parents, children = only(scenarios, 0), only(scenarios, 1)
    in_time = int((parents["start"] + 5 < 60).sum())
    happened = np.arange(in_time) < children["start"].size
    assert_share(happened, 0.3)


def test_the_delay_counts_from_the_start_of_what_is_followed():
    """With probability 1 every embargo of 20 months brings a war 5 months after it began."""
    count = 300
    scenarios = drawn(followed(1.0, delay=5), count)
    parents = starts_by_scenario(only(scenarios, 0), count, shift=5)
    children = starts_by_scenario(only(scenarios, 1), count)
    assert children == [[start for start in starts if start < 60] for starts in parents]


def test_a_follow_up_may_begin_in_the_same_month():
    count = 300
    scenarios = drawn(followed(1.0, delay=0), count)
    first, second = (starts_by_scenario(only(scenarios, place), count) for place in (0, 1))
    assert first == second


def test_a_follow_up_beyond_the_horizon_is_dropped():
    scenarios = drawn(followed(1.0, delay=60), 300)
    assert only(scenarios, 0)["start"].size > 0
    assert only(scenarios, 1)["start"].size == 0


def test_a_follow_up_also_happens_by_itself_if_it_has_a_rate():
    """Mean 2 of its own in 60 months, and one for each embargo that leaves the time: 5 x 0.3.

    Of embargoes uniform on 60 months, 55 / 60 leave 5 months. Poisson, and independent of the
    first kind: Var = mean.
    """
    made = followed(0.3, delay=5)
    made = replace(made, hazards=(made.hazards[0], replace(made.hazards[1], events_per_year=0.4)))
    count = 20_000
    events = np.bincount(only(drawn(made, count), 1)["scenario"], minlength=count)
    mean = 2.0 + 5.0 * 0.3 * 55.0 / 60.0
    assert_within(events.mean(), mean, sqrt(mean / count))


def chain(*, middle_rate=0.0):
    """An embargo, half of the time followed by a war, which is followed by a veto in 4 of 10."""
    return instance(
        hazard(
            "veto",
            effect="sharing_blocked",
            events_per_year=0.0,
            severity_mean=1.0,
            severity_sd=0.0,
            follows="war",
            follow_probability=0.4,
            follow_delay_months=2,
        ),
        hazard(
            "war",
            effect="demand_surge",
            events_per_year=middle_rate,
            severity_sd=0.0,
            follows="embargo",
            follow_probability=0.5,
            follow_delay_months=3,
        ),
        hazard("embargo"),
    )


def test_follow_ups_of_follow_ups_multiply():
    """Every embargo up to month 55 brings a veto 5 months later with probability 0.5 x 0.4."""
    count = 20_000
    scenarios = drawn(chain(), count)
    embargoes, vetoes = only(scenarios, 2), only(scenarios, 0)
    in_time = int((embargoes["start"] + 5 < 60).sum())
    assert_share(np.arange(in_time) < vetoes["start"].size, 0.2)
    possible = starts_by_scenario(embargoes, count, shift=5)
    for starts, allowed in zip(starts_by_scenario(vetoes, count), possible, strict=True):
        assert set(starts) <= set(allowed)


# --- Effects and whom they hit ------------------------------------------------------------------


def test_a_surge_and_a_veto_have_no_source_and_hit_whom_they_name():
    made = instance(
        hazard(
            "war",
            effect="demand_surge",
            severity_mean=1.5,
            severity_sd=0.0,
            materials=("dy_oxide",),
            targets=("japan",),
            demand_class=("defense",),
        ),
        hazard(
            "veto", effect="sharing_blocked", severity_mean=1.0, severity_sd=0.0, targets=("us",)
        ),
        hazard("halt", source="myanmar"),
    )
    scenarios = drawn(made, 200)
    war, veto, halt = (only(scenarios, place) for place in range(3))
    assert {(0.0, 1.0), (1.0, NO_SOURCE), (2.0, NO_SOURCE)} == {
        (effect, source)
        for events in (war, veto, halt)
        for effect, source in zip(events["effect"], events["source"], strict=True)
    }
    assert set(war["effect"]) == {1.0}
    assert set(war["severity"]) == {1.5}
    assert set(veto["effect"]) == {2.0}
    assert set(veto["severity"]) == {1.0}
    assert scenarios.materials.tolist() == [[False, True], [True, True], [True, True]]
    assert scenarios.targets.tolist() == [[False, True], [True, False], [True, True]]
    assert scenarios.classes.tolist() == [[True, False], [True, True], [True, True]]


def test_a_cut_price_is_drawn_like_others_and_leaves_them_as_they_were():
    """With mean 0.4 and standard deviation 0.2 its severity is beta-distributed between 0 and 1."""
    cut = hazard("dumping", effect="price_cut", severity_mean=0.4, severity_sd=0.2)
    scenarios = drawn(instance(hazard("halt", source="myanmar"), cut), 2_000)
    halt, dumping = only(scenarios, 0), only(scenarios, 1)
    assert set(dumping["effect"]) == {3.0}
    assert set(dumping["source"]) == {NO_SOURCE}
    assert_within(dumping["severity"].mean(), 0.4, 0.2 / sqrt(dumping["severity"].size))
    assert 0.0 < dumping["severity"].min() < dumping["severity"].max() < 1.0
    alone = only(drawn(instance(hazard("halt", source="myanmar")), 2_000), 0)
    for column in ("scenario", "start", "end", "severity"):
        assert np.array_equal(halt[column], alone[column])


# --- A seed names a scenario set ----------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    made = chain()
    assert as_bytes(drawn(made, 500, seed=3)) == as_bytes(drawn(made, 500, seed=3))
    assert as_bytes(drawn(made, 500, seed=3)) != as_bytes(drawn(made, 500, seed=4))


def test_a_seed_may_be_of_any_size():
    made = instance(hazard("halt"))
    seeds = [0, 1, 2**32, 2**32 + 1, 2**63, 10**30]
    assert len({as_bytes(drawn(made, 200, seed)) for seed in seeds}) == len(seeds)


@pytest.mark.parametrize(
    "made",
    [
        instance(hazard("one"), hazard("two", events_per_year=3.0)),
        followed(0.3),
        chain(),
        chain(middle_rate=0.5),
    ],
    ids=["unlinked", "followed", "chain", "chain whose middle also happens by itself"],
)
def test_the_first_scenarios_stay_when_more_are_drawn(made):
    few, many = drawn(made, 100), drawn(made, 1000)
    assert np.array_equal(few.first, many.first[:101])
    for name in ("effect", "source", "scope", "start", "end", "severity"):
        column = getattr(few, name)
        assert np.array_equal(column, getattr(many, name)[: column.size]), name


def test_changing_a_hazard_leaves_the_events_of_the_others():
    kept = hazard("kept")
    before = drawn(instance(kept, hazard("other")), 300)
    for other in (
        hazard("other", events_per_year=4.0),
        hazard("other", severity_mean=0.9, severity_sd=0.0),
        hazard("other", effect="demand_surge", severity_sd=0.0),
    ):
        after = drawn(instance(kept, other), 300)
        assert same_events(only(before, 0), only(after, 0))


def test_changing_how_long_events_last_leaves_when_they_start():
    before = drawn(instance(hazard("halt")), 300)
    after = drawn(instance(hazard("halt", duration_median_months=9.0)), 300)
    assert np.array_equal(before.start, after.start)
    assert np.array_equal(before.severity, after.severity)
    assert not np.array_equal(before.end, after.end)


def test_adding_or_moving_a_hazard_leaves_the_events_of_the_others():
    alone = drawn(instance(hazard("kept")), 300)
    second = drawn(instance(hazard("new", events_per_year=2.0), hazard("kept")), 300)
    first = drawn(instance(hazard("kept"), hazard("new", events_per_year=2.0)), 300)
    assert same_events(only(alone, 0), only(second, 1))
    assert same_events(only(alone, 0), only(first, 0))
    assert same_events(only(first, 1), only(second, 0))


def test_a_follow_up_leaves_the_events_that_it_follows():
    alone = drawn(instance(hazard("embargo", duration_median_months=20.0, duration_sigma=0.0)), 300)
    assert same_events(only(alone, 0), only(drawn(followed(0.3), 300), 0))


def test_the_seed_and_number_of_the_instance_are_used_where_none_are_named():
    made = instance(hazard("halt"), scenario_settings=ScenarioSettings(count=50, seed=9))
    problem = build_problem(made)
    assert as_bytes(scenario_set(made, problem)) == as_bytes(drawn(made, 50, seed=9))
    assert as_bytes(scenario_set(made, problem, 60, 8)) == as_bytes(drawn(made, 60, seed=8))


def test_no_hazards_leave_one_calm_scenario():
    made = instance()
    for count, seed in ((None, None), (500, 3)):
        calm = scenario_set(made, build_problem(made), count, seed)
        assert calm.probability.tolist() == [1.0]
        assert calm.start.size == 0
        assert calm.first.tolist() == [0, 0]


# --- Given scenarios and stress cases -----------------------------------------------------------


def test_given_scenarios_are_used_as_they_are_and_hazards_are_not_drawn():
    made = instance(
        hazard("halt", events_per_year=50.0),
        scenarios=(
            Scenario(scenario="calm", probability=0.75),
            Scenario(scenario="bad", probability=0.25),
        ),
        events=(
            Event(scenario="bad", source="myanmar", start_month=4, duration_months=3, severity=0.5),
            Event(
                scenario="bad",
                effect="demand_surge",
                targets=("us",),
                demand_class=("defense",),
                start_month=60,
                duration_months=9,
                severity=1.5,
            ),
        ),
    )
    given = scenario_set(made, build_problem(made), count=100, seed=5)
    assert given.names == ("calm", "bad")
    assert given.probability.tolist() == [0.75, 0.25]
    assert given.first.tolist() == [0, 0, 2]
    assert given.start.tolist() == [3, 59]  # Counted from 0.
    assert given.end.tolist() == [6, 60]  # The second is cut at the horizon.
    assert given.severity.tolist() == [0.5, 1.5]
    assert given.source.tolist() == [1, NO_SOURCE]
    assert given.targets[given.scope[1]].tolist() == [True, False]
    assert given.classes[given.scope[1]].tolist() == [True, False]


def test_given_probabilities_are_normalised():
    """Three times 0.333333 is within what validation forgives, and becomes a third each."""
    names = ("a", "b", "c")
    made = instance(
        scenarios=tuple(Scenario(scenario=name, probability=0.3333333) for name in names)
    )
    probability = scenario_set(made, build_problem(made)).probability
    np.testing.assert_allclose(probability, 1.0 / 3.0, rtol=1e-15)
    assert probability.sum() == pytest.approx(1.0, abs=1e-15)


def test_events_keep_to_their_scenario_in_any_order_of_rows():
    rows = [("b", 2), ("a", 1), ("b", 5), ("c", 7), ("a", 9)]
    made = instance(
        scenarios=tuple(
            Scenario(scenario=s, probability=p) for s, p in (("a", 0.5), ("b", 0.25), ("c", 0.25))
        ),
        events=tuple(
            Event(scenario=s, source="china", start_month=month, duration_months=1, severity=1.0)
            for s, month in rows
        ),
    )
    given = scenario_set(made, build_problem(made))
    months = [
        (given.start[given.first[s] : given.first[s + 1]] + 1).tolist() for s in range(given.count)
    ]
    assert months == [[1, 9], [2, 5], [7]]


def test_each_of_very_many_given_events_hits_whom_it_names():
    """The last of 33,000 events alone hits japan; the number must not wrap around at 32,768."""
    rows = 33_000
    usual = {
        "scenario": "bad",
        "source": "china",
        "start_month": 1,
        "duration_months": 1,
        "severity": 1.0,
    }
    made = instance(scenarios=(Scenario(scenario="bad", probability=1.0),))
    made = replace(
        made,
        events=(
            *(Event(targets=("us",), **usual) for _ in range(rows - 1)),
            Event(targets=("japan",), **usual),
        ),
    )
    given = scenario_set(made, build_problem(made))
    assert given.start.size == rows
    hit = given.targets[given.scope]
    assert hit[:-1, 0].all()
    assert not hit[:-1, 1].any()
    assert hit[-1].tolist() == [False, True]


def test_stress_cases_are_named_and_stand_outside_the_probabilities():
    def event(case, month, **cells):
        return StressEvent(
            stress=case,
            source="china",
            start_month=month,
            duration_months=12,
            severity=1.0,
            **cells,
        )

    made = instance(
        hazard("halt"),
        stress=(event("halt", 1), event("late", 55), event("halt", 7, targets=("japan",))),
    )
    problem = build_problem(made)
    cases = stress_cases(made, problem)
    assert cases.names == ("halt", "late")
    assert cases.first.tolist() == [0, 2, 3]
    assert cases.start.tolist() == [0, 6, 54]
    assert cases.end.tolist() == [12, 18, 60]
    without = replace(made, stress=())
    assert as_bytes(scenario_set(made, problem)) == as_bytes(
        scenario_set(without, build_problem(without))
    )
    assert stress_cases(without, problem).count == 0
