"""Events of hazards: how many, when, how long and how severe, from uniform numbers.

Section 3 of the formulation. Arrivals are Poisson, durations lognormal and in whole periods,
severities beta-distributed; an event may be followed by events of other hazards.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stockpile.problem import expand
from stockpile.tables import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from stockpile.desk.events import Observed
    from stockpile.draws import Draws
    from stockpile.instance import Instance
    from stockpile.problem import Problem
    from stockpile.tables import Event, Hazard, StressEvent

NO_SOURCE = -1
NO_PROJECT = -1


class Window(NamedTuple):
    """Periods in which events may begin: the first one, counted from 0, and how many there are."""

    first: int
    periods: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom an event hits, and what it answers, as in :class:`ScenarioSet`."""

    materials: list[int]
    targets: list[int]
    classes: list[int]
    answers: int

    @staticmethod
    def of(row: Hazard | Event | StressEvent | Observed, problem: Problem) -> Scope:
        """Spell out whom a row names."""
        return Scope(
            expand(row.materials, problem.materials),
            expand(row.targets, problem.participants),
            expand(row.demand_class, problem.classes),
            problem.projects.names.index(row.answers) if row.answers else NO_PROJECT,
        )


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one hazard or row, still unsorted; columns as in :class:`ScenarioSet`.

    ``point`` (p, n) is what those that follow need to know, as in :mod:`stockpile.draws`.
    """

    scenario: NDArray[np.int64]
    effect: int
    source: int
    scope: int
    start: NDArray[np.int64]
    duration: NDArray[np.int64]
    severity: NDArray[np.float64]
    point: NDArray[np.uint64]

    def moved(self, scenarios: int) -> Events:
        """Return the same events so many scenarios later."""
        return self if scenarios == 0 else replace(self, scenario=self.scenario + scenarios)


def draw_hazards(
    instance: Instance,
    problem: Problem,
    count: int,
    draws_of: Callable[[str], Draws],
    window: Window,
    ongoing: Mapping[str, Sequence[Events]],
) -> list[Events]:
    """Draw the events of all hazards in so many scenarios, in the order of the table.

    Parameters
    ----------
    draws_of
        Source of the uniforms of a hazard, by its name.
    ongoing
        By hazard: events of it that are not drawn, but may be followed.
    """
    order = [row.hazard for row in instance.hazards]
    drawn: dict[str, Events] = {}
    for hazard in _parents_first(instance.hazards):
        parents = []
        if hazard.follows:
            parents = [*ongoing.get(hazard.follows, ()), drawn[hazard.follows]]
        drawn[hazard.hazard] = _draw_hazard(
            hazard,
            parents,
            order.index(hazard.hazard),
            problem,
            count,
            draws_of(hazard.hazard),
            window,
        )
    return [drawn[name] for name in order]


def source_of(row: Hazard | Event | StressEvent | Observed, problem: Problem) -> int:
    """Return the source g that a row names; -1 where it names none."""
    return problem.sources.index(row.source) if row.source else NO_SOURCE


def _parents_first(hazards: Sequence[Hazard]) -> list[Hazard]:
    """Order hazards so that each comes after the one it follows (validation excludes cycles)."""
    done: dict[str, Hazard] = {}
    waiting = list(hazards)
    while waiting:
        ready = [row for row in waiting if not row.follows or row.follows in done]
        done.update((row.hazard, row) for row in ready)
        waiting = [row for row in waiting if row.hazard not in done]
    return list(done.values())


def relatives_of(hazards: Sequence[Hazard]) -> dict[str, int]:
    """Return the number of each hazard in its family: all that follows one, which is number 0.

    Those that come later in the table make no difference to it.
    """
    head: dict[str, str] = {}
    for row in _parents_first(hazards):
        head[row.hazard] = head[row.follows] if row.follows else row.hazard
    number, size = {}, Counter[str]()
    for row in hazards:
        size[head[row.hazard]] += bool(row.follows)
        number[row.hazard] = size[head[row.hazard]] if row.follows else 0
    return number


def _draw_hazard(
    hazard: Hazard,
    parents: Sequence[Events],
    scope: int,
    problem: Problem,
    count: int,
    draws: Draws,
    window: Window,
) -> Events:
    """Make the events of a hazard in so many scenarios from uniforms, by inversion.

    Parameters
    ----------
    parents
        Events that it may follow.
    """
    from scipy.special import pdtr

    mean_arrivals = hazard.events_per_year * window.periods / problem.period.per_year
    most = int(mean_arrivals + 12.0 * mean_arrivals**0.5 + 40.0)
    arrivals = np.searchsorted(pdtr(np.arange(most), mean_arrivals), draws.counts(count))
    if mean_arrivals == 0.0:
        arrivals[:] = 0
    scenario = np.repeat(np.arange(count), arrivals)
    own = draws.own(scenario)
    start = window.first + (own.start * window.periods).astype(np.int64)
    duration, severity, point = own.duration, own.severity, own.point
    if parents:
        parent = _joined(parents)
        after = draws.after(parent.point, hazard.follow_probability)
        delay = problem.period.whole(hazard.follow_delay_months)
        followed = parent.start[after.happens] + delay
        to_come = followed >= window.first
        scenario = np.concatenate([scenario, parent.scenario[after.happens][to_come]])
        start = np.concatenate([start, followed[to_come]])
        duration = np.concatenate([duration, after.duration[to_come]])
        severity = np.concatenate([severity, after.severity[to_come]])
        point = np.concatenate([point, parent.point[:, after.happens][:, to_come]], axis=1)
    # By scenario, so that those who follow draw for the first scenarios first.
    order = np.argsort(scenario, kind="stable")
    return Events(
        scenario=scenario[order],
        effect=EFFECTS.index(hazard.effect),
        source=source_of(hazard, problem),
        scope=scope,
        start=start[order],
        duration=_durations(hazard, duration[order], problem),
        severity=_severities(hazard, severity[order]),
        point=point[:, order],
    )


def _joined(parents: Sequence[Events]) -> Events:
    """Return the events of all that may be followed; of one alone they stay as they are."""
    if len(parents) == 1:
        return parents[0]
    return replace(
        parents[0],
        scenario=np.concatenate([item.scenario for item in parents]),
        start=np.concatenate([item.start for item in parents]),
        duration=np.concatenate([item.duration for item in parents]),
        severity=np.concatenate([item.severity for item in parents]),
        point=np.concatenate([item.point for item in parents], axis=1),
    )


def _durations(hazard: Hazard, u: NDArray[np.float64], problem: Problem) -> NDArray[np.int64]:
    """Return lognormal durations (n,) [periods] of uniforms, at least 1."""
    from scipy.special import ndtri

    median = problem.period.length(hazard.duration_median_months)
    with np.errstate(over="ignore"):  # Beyond every horizon is beyond every horizon.
        periods = np.rint(median * np.exp(hazard.duration_sigma * ndtri(u)))
    # Longer than the horizon makes no difference, and keeps the numbers small.
    return np.clip(periods, 1, problem.horizon).astype(np.int64)


def _severities(hazard: Hazard, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return beta-distributed severities (n,) of uniforms."""
    from scipy.special import betaincinv

    mean, sd = hazard.severity_mean, hazard.severity_sd
    if sd == 0.0:
        return np.full(u.size, mean)
    size = mean * (1.0 - mean) / sd**2 - 1.0  # alpha + beta of the beta distribution.
    return np.asarray(betaincinv(mean * size, (1.0 - mean) * size, u))
