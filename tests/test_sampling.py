"""Stratified drawing: unbiased against closed forms, as even as said, and a seed names it for good.

A closed form is compared with the mean over many small sets, each with a seed of its own. Sets
are independent, so the standard error of that mean follows from how they spread, whatever their
scenarios have to do with each other. Four such errors are allowed; seeds are fixed, so a test
that passes once passes always.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from math import exp, sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import qmc
from test_scenarios import as_bytes, chain, followed, hazard, instance, only, same_events

import stockpile as sp
from stockpile.draws import MOST_COORDINATES, StratifiedDraws, _by_place, sobol
from stockpile.intervals import Spread
from stockpile.problem import build_problem
from stockpile.scenarios import draw_scenarios, scenario_set
from stockpile.tables import Scenario, ScenarioSettings

INSTANCES = Path(__file__).parents[1] / "instances"
SCENARIOS = 30
SETS = 200
UNIFORM = {"severity_mean": 0.5, "severity_sd": sqrt(1.0 / 12.0)}
"""The beta distribution with mean 1/2 and variance 1/12 is uniform."""


def drawn(made, count=SCENARIOS, seed=1, **more):
    return draw_scenarios(made, build_problem(made), count, seed, "stratified", **more)


def sets(made):
    """Many small sets, a seed each."""
    problem = build_problem(made)
    return [draw_scenarios(made, problem, SCENARIOS, seed, "stratified") for seed in range(SETS)]


def assert_unbiased(scenarios, statistic, expected):
    """Compare the mean over all scenarios of sets of a statistic (S,) with its expected value."""
    means = np.array([np.mean(statistic(one)) for one in scenarios])
    assert abs(means.mean() - expected) <= 4.0 * means.std(ddof=1) / sqrt(means.size)


def number(scenarios, place=0):
    """How many events of a hazard each scenario has."""
    hit = only(scenarios, place)["scenario"].astype(int)
    return np.bincount(hit, minlength=scenarios.count)


def single(scenarios, place=0, cell="severity"):
    """A cell of the event of a hazard in scenarios that have just one; nan in all others."""
    events = only(scenarios, place)
    found = np.full(scenarios.count, np.nan)
    found[events["scenario"]] = events[cell]
    return np.where(number(scenarios, place) == 1, found, np.nan)


def once(mean):
    """P(N = 1) of a Poisson number."""
    return mean * exp(-mean)


# --- Unbiased -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.05, 0.7, 2.5])
def test_the_number_of_events_is_poisson(rate):
    """Over one year the mean is the rate, its square rate + rate^2, P(0) = exp(-rate)."""
    many = sets(instance(hazard("halt", events_per_year=rate), horizon=12))
    assert_unbiased(many, number, rate)
    assert_unbiased(many, lambda drawn: number(drawn) ** 2, rate + rate**2)
    assert_unbiased(many, lambda drawn: number(drawn) == 0, exp(-rate))


def test_the_months_lost_are_what_they_should_be():
    """Events of 6 of 12 months start in any month alike: 7 whole ones, then 5, 4, 3, 2, 1 months.

    That is 57 / 12 months each. A tenth of that is lost, on average, of a severity of 1/10.
    """
    made = instance(
        hazard(
            "halt",
            events_per_year=1.3,
            duration_median_months=6.0,
            duration_sigma=0.0,
            severity_mean=0.1,
            severity_sd=0.1,
        ),
        horizon=12,
    )

    def lost(scenarios):
        events = only(scenarios, 0)
        weight = (events["end"] - events["start"]) * events["severity"]
        return np.bincount(events["scenario"], weights=weight, minlength=scenarios.count)

    assert_unbiased(sets(made), lost, 1.3 * 57.0 / 12.0 * 0.1)


def test_start_duration_and_severity_of_an_event_are_independent():
    """Each exceeds its median in half of the cases, all three in an eighth.

    A median of 6.5 months: half of the durations are 7 months or more. The horizon is so long
    that few are cut: those start before the last 100 of 600 months.
    """
    made = instance(
        hazard("halt", events_per_year=0.02, duration_median_months=6.5, **UNIFORM), horizon=600
    )

    def all_three(scenarios):
        start, end, severity = (single(scenarios, cell=c) for c in ("start", "end", "severity"))
        return (start >= 250) & (start < 500) & (end - start >= 7) & (severity > 0.5)

    assert_unbiased(sets(made), all_three, once(1.0) * 250.0 / 600.0 / 4.0)


def test_two_events_of_a_scenario_are_independent():
    """Given two events, both exceed the median in a quarter of the cases, one in a half.

    Events of one scenario must not share an evenly spread set, or they would avoid each other.
    """
    many = sets(instance(hazard("halt", events_per_year=2.0, **UNIFORM), horizon=12))
    two = exp(-2.0) * 2.0**2 / 2.0

    def exceed(cell, median, how_many):
        def statistic(scenarios):
            events = only(scenarios, 0)
            above = np.bincount(events["scenario"], events[cell] > median, scenarios.count)
            return (number(scenarios) == 2) & (above == how_many)

        return statistic

    for cell, median in (("start", 5.5), ("severity", 0.5)):
        assert_unbiased(many, exceed(cell, median, 2), two / 4.0)
        assert_unbiased(many, exceed(cell, median, 1), two / 2.0)


def test_two_hazards_are_independent():
    """P(one event of each, both above the median) = P(N = 1) P(N' = 1) / 4."""
    made = instance(
        hazard("one", events_per_year=0.7, **UNIFORM),
        hazard("two", events_per_year=1.1, **UNIFORM),
        horizon=12,
    )
    assert_unbiased(
        sets(made),
        lambda drawn: (single(drawn, 0) > 0.5) & (single(drawn, 1) > 0.5),
        once(0.7) * once(1.1) / 4.0,
    )


def family(followers):
    """An embargo that each of so many hazards follows at once, in half of the cases."""
    return instance(
        hazard("embargo", events_per_year=0.8, **UNIFORM),
        *(
            hazard(
                f"after {i}",
                events_per_year=0.0,
                follows="embargo",
                follow_probability=0.5,
                **UNIFORM,
            )
            for i in range(followers)
        ),
        horizon=12,
    )


def test_follow_ups_are_independent_of_what_they_follow_and_of_each_other():
    """After one embargo, severities of both above the median in a quarter of the cases.

    Hazards 7 to 9 are beyond the coordinates of the sequence.
    """
    many = sets(family(9))

    def both(one, two):
        def statistic(scenarios):
            severe = [single(scenarios, place) > 0.5 for place in (one, two)]
            return (number(scenarios) == 1) & severe[0] & severe[1]

        return statistic

    for pair in ((0, 1), (0, 8)):
        assert_unbiased(many, both(*pair), once(0.8) * 0.5 / 4.0)
    for pair in ((1, 2), (2, 9), (7, 8)):
        assert_unbiased(many, both(*pair), once(0.8) * 0.25 / 4.0)


def test_follow_ups_of_two_events_of_a_scenario_are_independent():
    """Of two embargoes both are followed in a quarter of the cases."""
    two = exp(-0.8) * 0.8**2 / 2.0
    assert_unbiased(
        sets(family(1)), lambda drawn: (number(drawn, 0) == 2) & (number(drawn, 1) == 2), two / 4.0
    )


def test_follow_ups_of_follow_ups_multiply():
    """Of 2 embargoes in 24 months 19 / 24 leave 5 months, after which 0.5 x 0.4 bring a veto.

    Half of those that leave 3 months bring a war. One war of its own makes 22 / 24 x 0.4 vetoes.
    """
    vetoes = 2.0 * 19.0 / 24.0 * 0.5 * 0.4
    many = sets(replace(chain(), horizon_months=24))
    assert_unbiased(many, lambda drawn: number(drawn, 0), vetoes)
    many = sets(replace(chain(middle_rate=0.5), horizon_months=24))
    assert_unbiased(many, lambda drawn: number(drawn, 1), 1.0 + 2.0 * 21.0 / 24.0 * 0.5)
    assert_unbiased(many, lambda drawn: number(drawn, 0), vetoes + 22.0 / 24.0 * 0.4)


# --- Even ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.02, 0.4, 3.0])
@pytest.mark.parametrize("count", [1, 37, 1000])
def test_every_set_has_as_many_scenarios_with_events_as_it_should(rate, count):
    """S (1 - exp(-rate)) of them, to within one."""
    made = instance(hazard("halt", events_per_year=rate), horizon=12)
    for seed in range(10):
        hit = (number(drawn(made, count, seed)) > 0).sum()
        assert abs(hit - count * (1.0 - exp(-rate))) <= 1.0


@pytest.mark.parametrize("count", [2, 50, 333, 1024])
def test_first_events_fill_their_ranges(count):
    """Severities lie one in each n-th; half of starts and of durations, to within 1/2, are late."""
    made = instance(
        hazard("halt", events_per_year=1.5, duration_median_months=6.5, **UNIFORM), horizon=12
    )
    scenarios = drawn(made, count)
    firsts = scenarios.first[:-1][np.diff(scenarios.first) > 0]
    n = firsts.size
    assert np.floor(np.sort(scenarios.severity[firsts]) * n).astype(int).tolist() == [*range(n)]
    assert abs((scenarios.start[firsts] >= 6).sum() - n / 2.0) <= 0.5
    endless = replace(made, horizon_months=600)
    scenarios = drawn(endless, count)
    firsts = scenarios.first[:-1]
    early = scenarios.start[firsts] < 500
    months = (scenarios.end - scenarios.start)[firsts]
    if early.all():
        assert abs((months >= 7).sum() - count / 2.0) <= 0.5


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_a_rare_loss_takes_fewer_scenarios(level):
    """P(an event of more than a severity) has variance p (1 - p) / S in plain drawing.

    Half of that at most is left of it, with one hazard; a sample variance of 200 is off by
    1/10, and three times that is allowed.
    """
    made, count = instance(hazard("halt", events_per_year=0.3, **UNIFORM), horizon=12), 500
    problem = build_problem(made)
    shares = []
    for seed in range(200):
        scenarios = draw_scenarios(made, problem, count, seed, "stratified")
        hit = np.zeros(count, dtype=bool)
        events = only(scenarios, 0)
        hit[events["scenario"][events["severity"] > level]] = True
        shares.append(hit.mean())
    p = 1.0 - exp(-0.3 * (1.0 - level))  # Severe events alone are Poisson, too.
    assert np.var(shares, ddof=1) * 1.3 <= 0.5 * p * (1.0 - p) / count


def test_the_points_are_those_of_sobol():
    """The same 256 points as an implementation of others; it goes through them in another order."""
    ours = np.stack([sobol(d, np.arange(256, dtype=np.uint64)) for d in range(1, 21)], axis=1)
    others = qmc.Sobol(20, scramble=False, bits=53).random(256) * 2.0**53
    assert MOST_COORDINATES == 20
    assert sorted(ours.tolist()) == sorted(others.astype(np.uint64).tolist())


@pytest.mark.parametrize("begin", [0, 192])
def test_boxes_of_the_first_two_coordinates_hold_a_point_each(begin):
    """64 points that begin at a multiple of 64, in boxes of 2^-a by 2^(a - 6)."""
    numbers = np.arange(begin, begin + 64, dtype=np.uint64)
    x, y = (sobol(coordinate, numbers).astype(float) * 2.0**-53 for coordinate in (1, 2))
    for a in range(7):
        box = np.floor(x * 2**a) * 2 ** (6 - a) + np.floor(y * 2 ** (6 - a))
        assert sorted(box) == list(range(64))


def test_events_are_grouped_by_their_place_within_their_scenario():
    groups = _by_place(np.array([1, 1, 1, 4, 5, 5]))
    assert [(place, group.tolist()) for place, group in groups] == [
        (0, [0, 3, 4]),
        (1, [1, 5]),
        (2, [2]),
    ]
    assert list(_by_place(np.array([], dtype=np.int64))) == []


def test_uniforms_stay_inside_the_open_interval():
    u = StratifiedDraws(1, "halt", 0, 0).counts(100_001)
    assert u.min() > 0.0
    assert u.max() < 1.0


# --- A seed names a scenario set ----------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    made = chain(middle_rate=0.5)
    assert as_bytes(drawn(made, 500, 3)) == as_bytes(drawn(made, 500, 3))
    assert as_bytes(drawn(made, 500, 3)) != as_bytes(drawn(made, 500, 4))


def columns(scenarios):
    """Hash of the events but their severities, which may differ in the last digit elsewhere."""
    names = ("first", "effect", "source", "scope", "start", "end")
    content = b"".join(getattr(scenarios, name).astype("<i8").tobytes() for name in names)
    return hashlib.sha256(content).hexdigest()[:16]


@pytest.mark.parametrize(
    ("sampling", "replicates", "content", "severity"),
    [
        ("plain", 1, "d04617b0b423744c", 1770.3058196281622),
        ("stratified", 1, "019a5e7b4eb32e7d", 1829.3757219867075),
        ("stratified", 20, "d77813776cf84dd3", 1834.489708089718),
    ],
)
def test_a_set_stays_the_same_over_versions(sampling, replicates, content, severity):
    """An instance and a seed name a set for good, so a change of it has to be deliberate."""
    made = sp.load(INSTANCES / "us-japan-one-form")
    problem = build_problem(made)
    scenarios = draw_scenarios(made, problem, 500, 7, sampling, replicates=replicates)
    assert columns(scenarios) == content
    assert scenarios.severity.sum() == pytest.approx(severity, rel=1e-12)


def test_changing_a_hazard_leaves_the_events_of_the_others():
    kept = hazard("kept")
    before = drawn(instance(kept, hazard("other")), 300)
    for other in (
        hazard("other", events_per_year=4.0),
        hazard("new", severity_mean=0.9, severity_sd=0.0),
        hazard("other", follows="kept", follow_probability=0.5),
    ):
        assert same_events(only(before, 0), only(drawn(instance(kept, other), 300), 0))


def test_followers_added_at_the_end_leave_those_before_them():
    few, many = drawn(family(2), 300), drawn(family(5), 300)
    for place in range(3):
        assert same_events(only(few, place), only(many, place))


def test_replicates_are_drawn_by_themselves():
    """50 scenarios in 4 parts; the first part is what 12 scenarios alone would be."""
    made = followed(0.3)
    parts, alone = drawn(made, 50, replicates=4), drawn(made, 12)
    assert parts.replicate.tolist() == [0, 12, 25, 37, 50]
    assert alone.replicate.tolist() == [0, 12]
    assert np.array_equal(parts.first[:13], alone.first)
    assert np.array_equal(parts.start[: alone.start.size], alone.start)
    second = parts.severity[parts.first[12] : parts.first[24]]
    assert not np.intersect1d(second[second != 0.6], alone.severity).size
    assert np.all(parts.probability == 1.0 / 50)


def test_the_sampling_of_the_instance_is_used_where_none_is_named():
    made = instance(
        hazard("halt"), scenario_settings=ScenarioSettings(count=50, seed=9, sampling="stratified")
    )
    problem = build_problem(made)
    assert as_bytes(scenario_set(made, problem)) == as_bytes(drawn(made, 50, seed=9))
    plain = scenario_set(made, problem, sampling="plain")
    assert as_bytes(plain) == as_bytes(draw_scenarios(made, problem, 50, 9))
    assert plain.replicate.size == 0


def test_sampling_means_nothing_where_scenarios_are_given_or_nothing_happens():
    given = instance(hazard("halt"), scenarios=(Scenario(scenario="calm", probability=1.0),))
    for made in (given, instance()):
        problem = build_problem(made)
        one, other = (scenario_set(made, problem, sampling=s) for s in ("plain", "stratified"))
        assert as_bytes(one) == as_bytes(other)


def test_no_event_at_all_can_be_drawn():
    scenarios = drawn(instance(hazard("never", events_per_year=0.0)), 10)
    assert scenarios.count == 10
    assert scenarios.start.size == 0


# --- Errors -------------------------------------------------------------------------------------


def test_the_error_of_independent_scenarios_is_the_usual_one():
    """Pulls 1, 1, -1, -1: a standard deviation of 1, over the root of 4."""
    spread = Spread(4, np.empty(0, dtype=np.int64))
    assert spread.error(np.array([1.0, 1.0, -1.0, -1.0])) == pytest.approx(0.5)
    assert spread.width == pytest.approx(1.959964, abs=1e-6)


def test_the_error_follows_from_the_replicates():
    """Two replicates with means 1 and -1: the error of the mean of two is 1; 0 if they agree.

    Student's quantile with one degree of freedom is that of Cauchy, tan(0.475 pi).
    """
    spread = Spread(4, np.array([0, 2, 4]))
    assert spread.error(np.array([1.0, 1.0, -1.0, -1.0])) == pytest.approx(1.0)
    assert spread.error(np.array([1.0, -1.0, 1.0, -1.0])) == 0.0
    assert spread.error(np.array([2.0, -2.0]), np.array([1, 2])) == pytest.approx(1.0)
    assert spread.width == pytest.approx(np.tan(0.475 * np.pi))
    assert np.isnan(Spread(4, np.array([0, 4])).error(np.array([1.0, 1.0, -1.0, -1.0])))
    assert Spread(40, np.arange(0, 41, 2)).width == pytest.approx(2.093024, abs=1e-6)


def test_replicates_of_one_scenario_show_the_error_of_independent_ones():
    """But for the degree of freedom that the mean takes: S / (S - 1)."""
    pull = np.random.default_rng(1).normal(size=50)
    pull -= pull.mean()
    one, other = (Spread(50, bounds) for bounds in (np.arange(51), np.empty(0, dtype=np.int64)))
    assert one.error(pull) == pytest.approx(other.error(pull) * sqrt(50.0 / 49.0))
