"""What to do this month or week: orders, run-out dates, coverage still expected, alternatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.desk.advice import advice_rows, alternative_rows
from stockpile.desk.alternatives import (
    BEST,
    FOLLOW,
    THRIFT,
    WAIT,
    Cost,
    best_rules,
    costs,
    course_of,
    rule_alternatives,
    thriftier,
    total,
    waiting,
    wider_menu,
)
from stockpile.desk.continuations import continuations as drawn
from stockpile.desk.continuations import observed_events
from stockpile.desk.moments import current
from stockpile.desk.orders import ahead, months_ahead, this_month
from stockpile.desk.outlook import outlook_rows
from stockpile.desk.response import TABLES, Response
from stockpile.desk.runouts import runouts
from stockpile.desk.situation import situation
from stockpile.desk.state import check_state
from stockpile.errors import UsageError
from stockpile.parallel import Workers
from stockpile.periods import PERIODS
from stockpile.plan_decisions import require_same
from stockpile.progress import stages
from stockpile.result_tables import typed_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.desk.situation import Situation
    from stockpile.desk.state import State
    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.progress import Stage
    from stockpile.rules import RuleMenu
    from stockpile.scenarios import ScenarioSet
    from stockpile.simulate import Course

CONTINUATIONS = 2000
"""Continuations that are looked at."""


def respond(
    instance: Instance,
    plan: Plan,
    state: State,
    *,
    continuations: int = CONTINUATIONS,
    seed: int | None = None,
    months: int | None = None,
    threads: int | None = None,
    progress: bool | Callable[[Stage], None] | None = None,
) -> Response:
    """Say what a plan orders now, what is to be expected, and what else could be done.

    Rules are chosen anew on one set of continuations and judged, with all other alternatives, on
    another.

    Parameters
    ----------
    instance, plan
        What was solved, and its plan.
    state
        What is known on the day, as :func:`stockpile.load_state` returns it.
    continuations
        Continuations in each of the two sets.
    seed
        Of the continuations; None for that of the instance.
    months
        Months looked at, from the current period on; None for the horizon of the instance.
    threads
        None for all processors.
    progress
        As in :func:`stockpile.solve`; told are materials that are simulated together.

    Raises
    ------
    ResultError
        If the plan was made from another instance, or there is none.
    InstanceError
        If the state cannot be one of the plan.
    UsageError
        If an argument is out of range.
    """
    _check(continuations, months, threads)
    require_same(plan, instance)
    check_state(state, instance, plan)
    seed = instance.scenario_settings.seed if seed is None else seed
    now = situation(instance, plan, state, months)
    problem = now.problem
    judged_on, chosen_on = (
        drawn(instance, problem, state, now.states, continuations, number)
        for number in (seed, seed + 1)
    )
    menu = wider_menu(problem)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    found: dict[str, list[Cost]] = {}
    with Workers(threads) as workers, stages(progress, len(now.blocks)) as begin:
        for block in now.blocks:
            begin(block.name)
            of_block = _Block(now, block, menu, judged_on, chosen_on, workers)
            if of_block.add_rows(rows):
                for name, cost in of_block.alternatives().items():
                    found.setdefault(name, []).append(cost)
                rows["advice"] += of_block.advice
    totals = {name: total(parts, judged_on) for name, parts in found.items()}
    kept = {name: sum(int(part.kept) for part in parts) for name, parts in found.items()}
    rows["alternatives"] = alternative_rows(problem.participants, totals, kept)
    rows["events"] = _event_rows(instance, state)
    return Response(
        instance_name=instance.name,
        instance_hash=instance.content_hash,
        cooperation=plan.cooperation,
        period=problem.period.name,
        month=now.month + 1,
        date=state.date,
        title=state.title,
        months=problem.horizon - now.month,
        continuations=continuations,
        seed=seed,
        **{
            name: typed_table(columns, rows[name]).rename(columns=problem.period.column)
            for name, columns in TABLES.items()
        },
    )


def _event_rows(instance: Instance, state: State) -> list[dict[str, Any]]:
    """Return what is going on, and how likely it goes on for some months more."""
    rows = []
    period = PERIODS[instance.period]
    for event in observed_events(instance, state):
        if event.last is not None:
            continue
        lasted = current(state, period) - event.start + 1
        so_far = event.chance_to_last(lasted)
        rows.append(
            {
                "event": event.event,
                "hazard": event.hazard or "",
                "effect": event.effect,
                "source": event.source or "",
                "materials": ";".join(event.materials),
                "targets": ";".join(event.targets),
                "start_month": event.start,
                "severity": event.severity,
                **{
                    f"chance_{more}_more_months": event.chance_to_last(lasted + period.whole(more))
                    / so_far
                    for more in (3, 6, 12)
                },
            }
        )
    return rows


def _check(count: int, months: int | None, threads: int | None) -> None:
    wrong = [
        f"{name} is {value!r}; expected at least {least}"
        for name, value, least in (
            ("continuations", count, 2),
            ("months", months, 1),
            ("threads", threads, 1),
        )
        if value is not None and value < least
    ]
    if wrong:
        raise UsageError("\n".join(wrong))


@dataclass
class _Block:
    """What is found out about one block."""

    now: Situation
    block: Block
    menu: RuleMenu
    judged_on: ScenarioSet
    chosen_on: ScenarioSet
    workers: Workers

    def __post_init__(self) -> None:
        self.needs = self.now.needs(self.block, self.judged_on, self.workers)
        self.advice: list[dict[str, Any]] = []

    def add_rows(self, rows: dict[str, list[dict[str, Any]]]) -> bool:
        """Add what the agreed rules bring; say whether anything may be needed at all."""
        now, block, needs = self.now, self.block, self.needs
        orders, needed = this_month(now, block, needs)
        months = months_ahead(now, block, needs)
        rows["orders"] += orders
        rows["needed"] += needed
        rows["ahead"] += ahead(now, block, needs, months, self.judged_on.count)
        rows["runouts"] += runouts(now, block, needs, months, self.judged_on.count)
        rows["outlook"] += outlook_rows(now, block, needs, months, self.judged_on.count)
        return bool(needs.scenario.size)

    def alternatives(self) -> dict[str, Cost]:
        """Return what each alternative costs the block, by its name."""
        now, block, workers = self.now, self.block, self.workers
        course = course_of(now, block, self.needs, self.menu, workers)
        _, _, agreed = now.of_block(block)
        by_rule = rule_alternatives(now.problem, agreed)
        best, complete = self._best()
        rules = np.column_stack([*by_rule.values(), best])
        cost = costs(now, block, course, rules, self.menu, self.judged_on.count, workers)
        found = {name: cost.of(place) for place, name in enumerate([*by_rule, BEST])}
        advised, self.advice = advice_rows(
            now, block, agreed, best, found, self.judged_on.count, complete=complete
        )
        if not advised:
            found[BEST] = found[FOLLOW]
        found[WAIT] = self._of_agreed(waiting(course, now.month), now)
        thrifty = thriftier(now)
        needs = thrifty.needs(block, self.judged_on, workers)
        found[THRIFT] = self._of_agreed(
            course_of(thrifty, block, needs, self.menu, workers), thrifty
        )
        return found

    def _best(self) -> tuple[NDArray[np.int64], bool]:
        needs = self.now.needs(self.block, self.chosen_on, self.workers)
        course = course_of(self.now, self.block, needs, self.menu, self.workers)
        return best_rules(self.now, self.block, course, self.chosen_on.count, self.workers)

    def _of_agreed(self, course: Course, now: Situation) -> Cost:
        _, _, agreed = now.of_block(self.block)
        count = self.judged_on.count
        cost = costs(now, self.block, course, agreed[:, None], self.menu, count, self.workers)
        return cost.of(0)
