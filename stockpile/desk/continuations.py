"""How things may go on from a state: scenarios that agree with all that has been observed.

Three things are conditional. An event that goes on has lasted until now, so its duration is drawn
from those that are at least as long; one that is over lasted as long as it did. What could have
begun by now and has not been observed has not happened. A funded project that has not delivered yet
delivers after this month.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.desk.events import observed
from stockpile.desk.moments import begun, current
from stockpile.draws import one_in_each, raw_words
from stockpile.lead_times import drawn_leads
from stockpile.periods import PERIODS
from stockpile.projects import FAST
from stockpile.scenarios import Begun, continued_scenarios

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.desk.events import Observed
    from stockpile.desk.state import State
    from stockpile.instance import Instance
    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet

MOST_POOLS = 20
"""Times as many lead times as continuations are drawn at most to find some that are long enough."""


def observed_events(instance: Instance, state: State) -> tuple[Observed, ...]:
    """Return what is known of each event of a state, those that are over among them."""
    hazards = {hazard.hazard: hazard for hazard in instance.hazards}
    period = PERIODS[instance.period]
    return tuple(observed(row, hazards.get(row.hazard or ""), period) for row in state.ongoing)


def continuations(
    instance: Instance,
    problem: Problem,
    state: State,
    states: NDArray[np.int64],
    count: int,
    seed: int,
) -> ScenarioSet:
    """Draw continuations of a state, equally likely.

    Parameters
    ----------
    problem
        Whose horizon reaches from the plan's first month to the last one looked at.
    states
        (N,) states of projects in the plan.
    """
    number = current(state, problem.period)
    going_on = [
        Begun(
            event=event,
            hazard=event.hazard,
            start=event.start - 1,
            duration=durations(event, number, problem.horizon, count, seed),
            severity=event.severity,
        )
        for event in observed_events(instance, state)
    ]
    lead = _leads(problem, state, states, count, seed)
    return continued_scenarios(instance, problem, count, seed, number - 1, going_on, lead)


def durations(
    event: Observed, number: int, horizon: int, count: int, seed: int
) -> NDArray[np.int64]:
    """Return how long an event lasts from its start, (count,) [periods]; drawn if it goes on."""
    if event.last is None:
        return remaining_durations(event, number, horizon, count, seed)
    return np.full(count, event.last - event.start + 1, dtype=np.int64)


def remaining_durations(
    event: Observed, number: int, horizon: int, count: int, seed: int
) -> NDArray[np.int64]:
    """Draw durations from an event's start, given that it is active in a period [periods].

    With F the distribution of durations and k the periods up to this one, U is spread evenly over
    (F(k - 1), 1), and the duration is the inverse of F at U.

    Returns
    -------
    (count,)
    """
    lasted = number - event.start + 1
    if event.duration_sigma == 0.0:
        fixed = max(int(np.rint(event.duration_median)), lasted)
        return np.full(count, min(fixed, horizon), dtype=np.int64)
    from scipy.special import ndtri

    u = one_in_each(raw_words(seed, event.event, "ongoing", 2 * count))
    # From the upper end, where rounding would eat up small probabilities.
    above = event.chance_to_last(lasted) * (1.0 - u)
    with np.errstate(over="ignore", divide="ignore"):
        z = -ndtri(above)
        periods = np.rint(event.duration_median * np.exp(event.duration_sigma * z))
    return np.clip(periods, lasted, max(horizon, lasted)).astype(np.int64)


def _leads(
    problem: Problem, state: State, states: NDArray[np.int64], count: int, seed: int
) -> NDArray[np.float64]:
    """Return lead times that agree with what has started and what has not, (count, N) [periods]."""
    projects, number = problem.projects, current(state, problem.period)
    pool = drawn_leads(projects, MOST_POOLS * count, seed)
    first = projects.first_period(pool, states)
    started = {row.project: begun(row, problem.period) - 1 for row in state.started}
    leads = pool[:count].copy()
    for n, name in enumerate(projects.names):
        saved = float(projects.fast[n]) if states[n] == FAST else 0.0
        if name in started:
            leads[:, n] = started[name] + saved
            continue
        later = np.flatnonzero(first[:, n] >= number)  # This period is number - 1 here.
        leads[:, n] = number + saved  # At the earliest, where no draw is as late as that.
        chosen = later[:count]
        leads[: chosen.size, n] = pool[chosen, n]
    return leads
