"""Disruption scenarios: from hazards to events, or as given; nothing about plans.

A scenario is kept as what happens to *sources* (a few events of a few bytes each), never as
monthly figures per material, so that memory grows with scenarios times events. Section 3 of the
formulation.

Every hazard draws from streams of its own, named by the seed, the hazard and the purpose. So an
instance, a seed and a way of sampling name a scenario set for good, and a change to one hazard
leaves the events of the others as they were. Of a plain set the first scenarios stay the same when
more are drawn; a stratified one is spread anew.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.draws import PlainDraws, StratifiedDraws
from stockpile.hazard_events import Events, Scope, Window, draw_hazards, relatives_of, source_of
from stockpile.lead_times import drawn_leads, given_leads, median_leads
from stockpile.tables import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from stockpile.desk.events import Observed
    from stockpile.draws import Draws
    from stockpile.instance import Instance
    from stockpile.problem import Problem
    from stockpile.tables import Event, StressEvent


@dataclass(frozen=True, slots=True)
class ScenarioSet:
    """Scenarios with their probabilities and events.

    Attributes
    ----------
    names
        Names of the scenarios where they have any (given or stress), else empty.
    probability
        (S,) p_s; they sum to 1.
    rounded_away
        How far given probabilities were from summing to 1 before they were scaled.
    first
        (S + 1,) events of scenario s are ``first[s]`` to ``first[s + 1] - 1``.
    effect, source, scope
        (E,) what an event does, to which source g (-1: none), and row of the scope tables.
    start, end
        (E,) first period and period after the last, counted from 0, within the horizon.
    severity
        (E,) fraction of supply lost, of demand added, or of the price cut.
    materials, targets, classes
        (scopes, M), (scopes, C), (scopes, K) whom an event hits.
    answers
        (scopes,) project whose funding an event answers; -1: it happens in any case.
    lead
        (S, N) time from the decision to the first output of each project [periods].
    replicate
        (R + 1,) scenarios ``replicate[r]`` to ``replicate[r + 1] - 1`` were drawn together and
        independently of all others; empty where every scenario was drawn by itself, or none was.
    """

    names: tuple[str, ...]
    probability: NDArray[np.float64]
    rounded_away: float
    first: NDArray[np.int64]
    effect: NDArray[np.int8]
    source: NDArray[np.int32]
    scope: NDArray[np.int32]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    severity: NDArray[np.float64]
    materials: NDArray[np.bool_]
    targets: NDArray[np.bool_]
    classes: NDArray[np.bool_]
    answers: NDArray[np.int64]
    lead: NDArray[np.float64]
    replicate: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Return the number of scenarios S."""
        return int(self.probability.size)


def scenario_set(
    instance: Instance,
    problem: Problem,
    count: int | None = None,
    seed: int | None = None,
    sampling: str | None = None,
    *,
    replicates: int = 1,
) -> ScenarioSet:
    """Return the scenarios an instance is planned on: those given, or drawn from its hazards.

    Parameters
    ----------
    count, seed, sampling
        Number of scenarios to draw, seed, and ``plain`` or ``stratified``; default from the
        instance. All are ignored where the instance gives its scenarios itself. Without hazards
        there is one calm scenario.
    replicates
        As in :func:`draw_scenarios`.
    """
    if instance.scenarios:
        return given_scenarios(instance, problem)
    if not instance.hazards:
        return calm_scenario(problem)
    return draw_scenarios(
        instance,
        problem,
        instance.scenario_settings.count if count is None else count,
        instance.scenario_settings.seed if seed is None else seed,
        instance.scenario_settings.sampling if sampling is None else sampling,
        replicates=replicates,
    )


def calm_scenario(problem: Problem) -> ScenarioSet:
    """Return one scenario in which nothing happens."""
    return _assemble((), np.ones(1), [], problem)


def given_scenarios(instance: Instance, problem: Problem) -> ScenarioSet:
    """Return the scenarios of ``scenarios.csv`` and ``events.csv``."""
    names = [row.scenario for row in instance.scenarios]
    probability = np.array([row.probability for row in instance.scenarios])
    total = float(probability.sum())
    given = _from_rows(
        names,
        probability / total,
        [(row.scenario, row) for row in instance.events],
        problem,
    )
    lead = given_leads(instance, problem.projects, names, problem.period)
    return replace(given, rounded_away=abs(1.0 - total), lead=lead)


def stress_cases(instance: Instance, problem: Problem) -> ScenarioSet:
    """Return the named cases of ``stress.csv``; their weights of 1 are never used."""
    names = list(dict.fromkeys(row.stress for row in instance.stress))
    return _from_rows(
        names, np.ones(len(names)), [(row.stress, row) for row in instance.stress], problem
    )


def draw_scenarios(
    instance: Instance,
    problem: Problem,
    count: int,
    seed: int,
    sampling: str = "plain",
    *,
    replicates: int = 1,
) -> ScenarioSet:
    """Draw scenarios from the hazards, equally weighted.

    Arrivals of a hazard are a Poisson process over the horizon; durations are lognormal, rounded
    to whole periods of at least one; severities are beta-distributed. A follow-up starts its delay
    after the start of the event that it follows.

    Parameters
    ----------
    sampling
        ``plain``: every scenario by itself; or ``stratified``: spread evenly over what can happen.
    replicates
        Number of independent parts in which a stratified set is drawn, of equal size to within
        one scenario. What differs between them shows the sampling error.
    """
    parts = np.arange(replicates + 1) * count // replicates
    if sampling == "plain":
        parts = np.array([0, count])
    relatives = relatives_of(instance.hazards)
    window = Window(0, problem.horizon)
    events = []
    for number, (first, after) in enumerate(itertools.pairwise(parts.tolist())):

        def draws_of(hazard: str, number: int = number) -> Draws:
            if sampling == "stratified":
                return StratifiedDraws(seed, hazard, number, relatives[hazard])
            return PlainDraws(seed, hazard)

        drawn = draw_hazards(instance, problem, after - first, draws_of, window, {})
        events += [item.moved(first) for item in drawn]
    scopes = [Scope.of(row, problem) for row in instance.hazards]
    assembled = _assemble((), np.full(count, 1.0 / count), events, problem, scopes)
    assembled = replace(assembled, lead=drawn_leads(problem.projects, count, seed))
    return assembled if sampling == "plain" else replace(assembled, replicate=parts)


@dataclass(frozen=True, slots=True)
class Begun:
    """An event that is going on in every one of S scenarios, which differ in when it ends.

    Attributes
    ----------
    event
        Whom it hits, in the words of the tables.
    hazard
        The hazard that it is one of, by which others may follow it; None for one of no kind.
    start
        First period, counted from 0.
    duration
        (S,) periods from there on.
    """

    event: Observed
    hazard: str | None
    start: int
    duration: NDArray[np.int64]
    severity: float


def continued_scenarios(
    instance: Instance,
    problem: Problem,
    count: int,
    seed: int,
    now: int,
    begun: Sequence[Begun],
    lead: NDArray[np.float64],
) -> ScenarioSet:
    """Draw how things go on from a period, given what is going on in it.

    What may begin and has not been observed by then has not happened: new events, and those that
    follow observed ones, begin after it.

    Parameters
    ----------
    now
        Current period, counted from 0.
    begun
        Events that are going on.
    lead
        (S, N) lead times of projects [periods].
    """
    scopes = [Scope.of(row, problem) for row in instance.hazards]
    ongoing: dict[str, list[Events]] = {}
    events = []
    for item in begun:
        event = Events(
            scenario=np.arange(count),
            effect=EFFECTS.index(item.event.effect),
            source=source_of(item.event, problem),
            scope=len(scopes),
            start=np.full(count, item.start),
            duration=item.duration,
            severity=np.full(count, item.severity),
            point=np.empty((0, count), dtype=np.uint64),
        )
        scopes.append(Scope.of(item.event, problem))
        events.append(event)
        if item.hazard is not None:
            ongoing.setdefault(item.hazard, []).append(event)
    window = Window(now + 1, max(problem.horizon - now - 1, 0))
    events += draw_hazards(
        instance, problem, count, lambda hazard: PlainDraws(seed, hazard), window, ongoing
    )
    drawn = _assemble((), np.full(count, 1.0 / count), events, problem, scopes)
    return replace(drawn, lead=lead)


def _from_rows(
    names: Sequence[str],
    probability: NDArray[np.float64],
    rows: Iterable[tuple[str, Event | StressEvent]],
    problem: Problem,
) -> ScenarioSet:
    """Build scenarios from rows of events that name their scenario."""
    place = {name: number for number, name in enumerate(names)}
    events: list[Events] = []
    scopes: list[Scope] = []
    for name, row in rows:
        duration = problem.period.span(row.start_month, row.duration_months)
        events.append(
            Events(
                scenario=np.array([place[name]]),
                effect=EFFECTS.index(row.effect),
                source=source_of(row, problem),
                scope=len(scopes),
                start=np.array([problem.period.begin(row.start_month)]),
                duration=np.array([min(duration, problem.horizon)]),
                severity=np.array([row.severity]),
                point=np.empty((0, 1), dtype=np.uint64),
            )
        )
        scopes.append(Scope.of(row, problem))
    return _assemble(tuple(names), probability, events, problem, scopes)


def _assemble(
    names: tuple[str, ...],
    probability: NDArray[np.float64],
    events: Sequence[Events],
    problem: Problem,
    scopes: Sequence[Scope] = (),
) -> ScenarioSet:
    """Sort events by scenario and drop what lies beyond the horizon."""
    sizes = [item.scenario.size for item in events]

    def column(values: list[int]) -> NDArray[np.int64]:
        return np.repeat(np.array(values, dtype=np.int64), sizes)[keep]

    def join(arrays: list[NDArray[np.int64]]) -> NDArray[np.int64]:
        return np.concatenate(arrays) if arrays else np.empty(0, dtype=np.int64)

    scenario = join([item.scenario for item in events])
    start = join([item.start for item in events])
    end = np.minimum(start + join([item.duration for item in events]), problem.horizon)
    severity = np.concatenate([item.severity for item in events]) if events else np.empty(0)
    keep = np.flatnonzero(start < problem.horizon)
    # A stable sort keeps the events of a scenario in the order of the hazards.
    keep = keep[np.argsort(scenario[keep], kind="stable")]
    hit = np.bincount(scenario[keep], minlength=probability.size)
    masks = [
        np.zeros((len(scopes), len(axis)), dtype=np.bool_)
        for axis in (problem.materials, problem.participants, problem.classes)
    ]
    for i, scope in enumerate(scopes):
        for mask, indices in zip(
            masks, (scope.materials, scope.targets, scope.classes), strict=True
        ):
            mask[i, indices] = True
    return ScenarioSet(
        names=names,
        probability=probability,
        rounded_away=0.0,
        first=np.concatenate([[0], np.cumsum(hit)]).astype(np.int64),
        effect=column([item.effect for item in events]).astype(np.int8),
        source=column([item.source for item in events]).astype(np.int32),
        scope=column([item.scope for item in events]).astype(np.int32),
        start=start[keep].astype(np.int32),
        end=end[keep].astype(np.int32),
        severity=severity[keep],
        materials=masks[0],
        targets=masks[1],
        classes=masks[2],
        answers=np.array([scope.answers for scope in scopes], dtype=np.int64),
        lead=median_leads(problem.projects, probability.size),
        replicate=np.empty(0, dtype=np.int64),
    )
