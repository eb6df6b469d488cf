"""A case walked through month by month: what the desk would have known, ordered and expected.

A month is a period of the instance: a month, or a week.

Every month stands on its own: it is given the stocks that the month before has left, and events as
far as they had begun by then; those that are not over still go on. So nothing that comes later can
change an order. What is to be expected is told from continuations of that month, in which nobody
knows how long the events will last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stockpile.cells import ALL
from stockpile.desk.continuations import continuations
from stockpile.desk.moments import at, began_in, ended_in
from stockpile.desk.orders import NEEDED, ORDERS, months_ahead, this_month
from stockpile.desk.runouts import QUANTILES, WITHIN, runouts
from stockpile.desk.situation import Situation, situation
from stockpile.desk.state import Ongoing, Started, State
from stockpile.errors import UsageError, suggestion
from stockpile.lead_times import median_leads
from stockpile.parallel import Workers
from stockpile.periods import PERIODS
from stockpile.plan_decisions import require_same
from stockpile.progress import stages
from stockpile.result_folder import ResultFolder
from stockpile.result_tables import typed_table
from stockpile.scenarios import stress_cases
from stockpile.validation.places import expand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.problem import Problem
    from stockpile.progress import Stage
    from stockpile.scenarios import ScenarioSet
    from stockpile.tables import Hazard, StressEvent

FORMAT = 1
MARK = "replay.json"
MOST_NAMED = 3
"""Materials of an event that are named where there are several of one source."""
CONTINUATIONS = 200
"""Continuations of every month."""
TABLES: dict[str, dict[str, type]] = {
    "months": {
        "month": int,
        "going_on": str,
        "likely_hazards": str,
        "need_t": float,
        "own_t": float,
        "partner_t": float,
        "unserved_t": float,
        "outcome": str,
    },
    "orders": {"month": int, **ORDERS},
    "needed": {"month": int, **NEEDED},
    "stocks": {
        "month": int,
        "participant": str,
        "material": str,
        "stock_t": float,
        "holding_t": float,
        **{f"chance_in_{months}_months": float for months in WITHIN},
        **{f"month_{round(100 * q)}": float for q in QUANTILES},
    },
}
"""Tables of a result folder. Stocks are at the beginning of a month, and what was to be expected of
them then; their months are counted from 1 as that month. Where the instance is in weeks, they count
these: see `stockpile.periods.Period.column`."""
FILES = (MARK, *(f"{name}.csv" for name in TABLES))


@dataclass(frozen=True)
class Replay(ResultFolder):
    """What the desk would have done in a case.

    Attributes
    ----------
    instance_name, instance_hash, cooperation
        Of the plan.
    stress
        The case.
    period
        Of the instance, ``month`` or ``week``.
    existing
        Whether it began with the stocks of today, not with those that the plan wants.
    continuations, seed
        What was drawn in every month for what is to be expected.
    months
        Of each month: what goes on, all needs, what serves them [t], and what is known to have
        happened.
    orders, needed
        As in :class:`stockpile.Response`, month by month.
    stocks
        What was left of each stock that is needed in the case, and when it was to be expected to
        run out.
    """

    instance_name: str
    instance_hash: str
    cooperation: str
    stress: str
    period: str
    existing: bool
    continuations: int
    seed: int
    months: pd.DataFrame
    orders: pd.DataFrame
    needed: pd.DataFrame
    stocks: pd.DataFrame

    mark: ClassVar[str] = MARK
    columns: ClassVar[Mapping[str, Mapping[str, type]]] = TABLES

    def summary(self) -> dict[str, Any]:
        """Return the content of ``replay.json`` but for the tables."""
        return {
            "format": FORMAT,
            "instance": {"name": self.instance_name, "hash": self.instance_hash},
            "cooperation": self.cooperation,
            "stress": self.stress,
            "existing": self.existing,
            "continuations": self.continuations,
            "seed": self.seed,
        }


def replay(
    instance: Instance,
    plan: Plan,
    stress: str,
    *,
    existing: bool = False,
    months: int | None = None,
    continuations: int = CONTINUATIONS,
    seed: int | None = None,
    threads: int | None = None,
    progress: bool | Callable[[Stage], None] | None = None,
) -> Replay:
    """Walk through a case of ``stress.csv``, month by month, knowing no more than each month did.

    Parameters
    ----------
    instance, plan
        What was solved, and its plan.
    stress
        Name of the case.
    existing
        Whether to begin with the stocks of today, and rules that are about these, not with those
        that the plan wants.
    months
        Months to walk through, period by period; None up to three months after the last event, at
        most the horizon.
    continuations, seed
        What to draw in every month; seed None for that of the instance.
    threads
        None for all processors.
    progress
        As in :func:`stockpile.solve`; told are months, or weeks.

    Raises
    ------
    ResultError
        If the plan was made from another instance, or there is none.
    UsageError
        If there is no such case, or an argument is out of range.
    """
    require_same(plan, instance)
    events = [row for row in instance.stress if row.stress == stress]
    if not events:
        known = list(dict.fromkeys(row.stress for row in instance.stress))
        raise UsageError(f"there is no case {stress!r}. {suggestion(stress, known, 'cases')}")
    if continuations < 1 or (months is not None and months < 1):
        raise UsageError("months and continuations have to be at least 1")
    seed = instance.scenario_settings.seed if seed is None else seed
    last = max(row.start_month + row.duration_months - 1 for row in events)
    count = min(last + 3, instance.horizon_months) if months is None else months
    first = situation(instance, plan, State(month=1))
    period = first.problem.period
    problem = first.problem
    # What has not been bought yet is not bought back either: today's stocks are then all there is.
    stock = problem.existing.copy() if existing else first.stock
    holding = stock.copy() if existing else first.holding
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    steps = period.whole(count)
    with Workers(threads) as workers, stages(progress, steps) as begin:
        for month in range(1, steps + 1):
            begin(f"{period.name} {month}")
            walk = _Month(instance, plan, events, month, continuations, seed, workers)
            stock = walk.add_rows(holding, stock, rows)
    return Replay(
        instance_name=instance.name,
        instance_hash=instance.content_hash,
        cooperation=plan.cooperation,
        stress=stress,
        period=period.name,
        existing=existing,
        continuations=continuations,
        seed=seed,
        **{
            name: typed_table(columns, rows[name]).rename(columns=period.column)
            for name, columns in TABLES.items()
        },
    )


def likely_hazard(instance: Instance, event: StressEvent) -> Hazard | None:
    """Return the hazard that an event of a case is most like; None where none is like it.

    It does the same to the same source and hits some of the same materials and targets. Of
    several it is the one with the most materials in common, and the fewest others.
    """
    materials = set(expand(event.materials, [row.material for row in instance.materials]))
    targets = set(expand(event.targets, [row.participant for row in instance.participants]))
    best, found = (0, 0, 0, 0), None
    for hazard in instance.hazards:
        if (hazard.effect, hazard.source) != (event.effect, event.source):
            continue
        hit = set(expand(hazard.materials, [row.material for row in instance.materials]))
        whom = set(expand(hazard.targets, [row.participant for row in instance.participants]))
        score = (
            len(hit & materials) if whom & targets else 0,
            -len(whom ^ targets),
            -len(hit - materials),
            hazard.events_per_year > 0.0,
        )
        if score[0] and (found is None or score > best):
            best, found = score, hazard
    return found


@dataclass
class _Month:
    """One month of a case, its number counted from 1."""

    instance: Instance
    plan: Plan
    events: list[StressEvent]
    month: int
    continuations: int
    seed: int
    workers: Workers

    def __post_init__(self) -> None:
        self.period = PERIODS[self.instance.period]

    def add_rows(
        self,
        holding: NDArray[np.float64],
        stock: NDArray[np.float64],
        rows: dict[str, list[dict[str, Any]]],
    ) -> NDArray[np.float64]:
        """Add what the desk knows, orders and expects; return what is left at the end (C, M)."""
        now = self._situation(holding, stock)
        seen = self._seen(now.problem)
        left = stock.copy()
        drawn = self._drawn(now)
        needed: list[dict[str, Any]] = []
        for block in now.blocks:
            needs = now.needs(block, seen, self.workers)
            orders, of_block = this_month(now, block, needs)
            rows["orders"] += [{"month": self.month, **row} for row in orders]
            needed += of_block
            self._expect(now, block, drawn, rows)
            c, m = block.market_participant, block.market_material
            if of_block:
                state = months_ahead(now, block, needs, months=1).state[0, now.month, :, 0]
                left[c, m] = state
            else:  # Nothing is needed: what is missing is bought back, equation (6).
                refilled = stock[c, m] + now.problem.refill[c] * holding[c, m]
                left[c, m] = np.minimum(holding[c, m], refilled)
        rows["needed"] += [{"month": self.month, **row} for row in needed]
        rows["months"].append(self._summary(needed))
        return left

    def _situation(self, holding: NDArray[np.float64], stock: NDArray[np.float64]) -> Situation:
        now = situation(self.instance, self.plan, State(**at(self.month, self.period)))
        return replace(now, holding=holding, stock=stock)

    def _seen(self, problem: Problem) -> ScenarioSet:
        """Return the case as far as it is known, cut off after this month."""
        case = replace(self.instance, stress=tuple(self.events))
        return stress_cases(case, replace(problem, horizon=self.month))

    def _start(self, event: StressEvent) -> int:
        return self.period.begin(event.start_month) + 1

    def _last(self, event: StressEvent) -> int:
        return self.period.begin(event.start_month + event.duration_months)

    def _going_on(self) -> list[StressEvent]:
        return [row for row in self.events if self._start(row) <= self.month <= self._last(row)]

    def _drawn(self, now: Situation) -> ScenarioSet:
        """Draw how things may go on from what is going on."""
        projects = now.problem.projects
        first = projects.first_period(median_leads(projects, 1), now.states)[0]
        started = tuple(
            Started(project=name, **began_in(int(first[n]) + 1, self.period))
            for n, name in enumerate(projects.names)
            if now.states[n] and first[n] < self.month
        )
        state = State(
            **at(self.month, self.period), ongoing=tuple(self._observed()), started=started
        )
        return continuations(
            self.instance, now.problem, state, now.states, self.continuations, self.seed
        )

    def _expect(
        self,
        now: Situation,
        block: Block,
        drawn: ScenarioSet,
        rows: dict[str, list[dict[str, Any]]],
    ) -> None:
        """Add when stocks of materials that the case is about are to be expected to run out."""
        names = {now.problem.materials[m] for m in block.materials}
        of_case = [
            row for row in self.events if names & set(expand(row.materials, now.problem.materials))
        ]
        if not of_case:
            return
        needs = now.needs(block, drawn, self.workers)
        months = months_ahead(now, block, needs)
        for row in runouts(now, block, needs, months, self.continuations):
            rows["stocks"].append(
                {"month": self.month} | {name: row[name] for name in list(TABLES["stocks"])[1:]}
            )

    def _observed(self) -> list[Ongoing]:
        """Return what has begun as events of the likely hazards, or as long as they have been."""
        rows = []
        begun = [row for row in self.events if self._start(row) <= self.month]
        for place, event in enumerate(begun):
            hazard = likely_hazard(self.instance, event)
            start, last = self._start(event), self._last(event)
            over = last < self.month
            rows.append(
                Ongoing(
                    event=f"{event.stress} {place + 1}",
                    hazard=None if hazard is None else hazard.hazard,
                    effect=event.effect,
                    source=event.source,
                    materials=event.materials,
                    targets=event.targets,
                    demand_class=event.demand_class,
                    **began_in(start, self.period),
                    **(ended_in(last, self.period) if over else {}),
                    severity=event.severity,
                    # Without any hazard like it: half a year, more or less.
                    duration_median_months=6.0 if hazard is None and not over else None,
                    duration_sigma=1.0 if hazard is None and not over else None,
                )
            )
        return rows

    def _summary(self, needed: list[dict[str, Any]]) -> dict[str, Any]:
        going_on = self._going_on()
        likely = [likely_hazard(self.instance, event) for event in going_on]
        return {
            "month": self.month,
            "going_on": ";".join(_in_words(event, going_on) for event in going_on),
            "likely_hazards": ";".join("" if row is None else row.hazard for row in likely),
            **{
                name: float(sum(row[name] for row in needed))
                for name in ("need_t", "own_t", "partner_t", "unserved_t")
            },
            "outcome": " ".join(
                f"{row.outcome.rstrip('.')}."
                for row in self.instance.outcomes
                if row.stress == self.events[0].stress
                and self.period.begin(row.month) == self.month - 1
            ),
        }


def _in_words(event: StressEvent, others: Sequence[StressEvent]) -> str:
    """Say what an event does, with its materials where there are several of the same source."""
    what = event.source or event.effect
    text = f"{what} {100.0 * event.severity:.3g} %"
    if sum((other.source or other.effect) == what for other in others) < 2:
        return text
    if event.materials == (ALL,):
        return f"{text} (all materials)"
    named = ", ".join(event.materials[:MOST_NAMED])
    more = len(event.materials) - MOST_NAMED
    return f"{text} ({named} and {more} more)" if more > 0 else f"{text} ({named})"
