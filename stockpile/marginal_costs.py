"""What one more day, point of confidence or level, or million of budget costs or saves.

Found by solving the changed instance again on the same scenarios, never from duals: holdings come
in whole lots and rules from a menu, so costs move in jumps, and a dual is right only for steps too
small to matter. Both solves leave a gap, so that what is found is an interval. Where the plan keeps
a stricter promise already, it is a plan with that promise as well, and nothing is left to solve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd

from stockpile.errors import UsageError, suggestion
from stockpile.plan import Status
from stockpile.resolving import blocks_with, require_order, resolver
from stockpile.running import Running
from stockpile.variations import Per, budget_steps, coverage_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from concurrent.futures import Executor

    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.progress import Progress
    from stockpile.resolving import Resolver
    from stockpile.variations import Step

COLUMNS: dict[str, type] = {
    "kind": str,
    "row": float,
    "participant": str,
    "material": str,
    "demand_class": str,
    "metric": str,
    "stress": str,
    "group": str,
    "sharing": str,
    "before": float,
    "after": float,
    "status": str,
    "change_usd_per_year": float,
    "low_usd_per_year": float,
    "high_usd_per_year": float,
    "reading": str,
    "seconds": float,
    "conflicts": str,
}
"""Columns of the table of marginals, and what they hold."""
NOTHING = 1e-8
"""A change below this, relative to the cost of what is solved again, is rounding."""
ALL_MATERIALS = "all materials"
FULL = "full"
"""Status of a promise that is 1 already."""
KEPT = "kept"
"""Status of a stricter promise that the plan keeps already."""


@dataclass(frozen=True)
class Marginals:
    """What each step costs or saves, against the plan without it.

    Attributes
    ----------
    instance_name, instance_hash
        Name and content hash of the instance.
    cooperation, seed, sampling, scenario_count, gap, time_limit
        As solved, every time the same; the gap is the one that was asked for.
    status
        How the solve of the instance itself ended.
    annual_cost_usd, bound_usd
        Cost of its plan and its bound [USD/year], made tighter by the other solves; None without
        a plan.
    conflicts
        Where the instance itself is infeasible: why.
    monotone
        Whether a stricter promise cannot make a plan cheaper, nor a larger budget dearer. It is
        used to narrow the intervals. Not so where nobody may be worse off than alone (16).
    per
        ``material`` or ``row``: what a step is about.
    steps
        Number of steps that were asked for; the table has fewer rows if they were stopped.
    table
        One row for each step: kind (``days``, ``confidence``, ``level`` or ``budget``), row of
        ``coverage.csv`` (the first is 1), participant, material, demand_class, metric, stress,
        group, sharing, before and after [days, fraction or USD], status, change_usd_per_year
        (positive: costs) between the best plans found, the interval low_usd_per_year to
        high_usd_per_year that holds the change of the optimum, reading (the same in words),
        seconds, conflicts.
    seconds
        Wall-clock time of all solves.
    versions
        Versions of Python and of the packages that the numbers depend on.
    """

    instance_name: str
    instance_hash: str
    cooperation: str
    seed: int | None
    sampling: str | None
    scenario_count: int
    gap: float
    time_limit: float | None
    status: Status
    annual_cost_usd: float | None
    bound_usd: float | None
    conflicts: tuple[str, ...]
    monotone: bool
    per: str
    steps: int
    table: pd.DataFrame
    seconds: float
    versions: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """Return whether every step was solved."""
        return len(self.table) == self.steps

    def summary(self) -> dict[str, Any]:
        """Return all but the table, as JSON knows it."""
        return {
            "status": str(self.status),
            "annual_cost_usd": self.annual_cost_usd,
            "bound_usd": self.bound_usd,
            "conflicts": list(self.conflicts),
            "monotone": self.monotone,
            "per": self.per,
            "steps": self.steps,
            "complete": self.complete,
            "seconds": round(self.seconds, 3),
        }


def marginals(
    instance: Instance,
    *,
    per: Per | None = None,
    rows: Collection[int] | None = None,
    participants: Collection[str] | None = None,
    materials: Collection[str] | None = None,
    step_days: float = 1.0,
    step_fraction: float = 0.01,
    step_usd: float | None = 1e6,
    gap: float | None = None,
    time_limit: float | None = None,
    cooperation: str | None = None,
    scenarios: int | None = None,
    seed: int | None = None,
    sampling: str | None = None,
    threads: int | None = None,
    executor: Executor | int | str | None = None,
    memory_gib: float | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
) -> Marginals:
    """Find what a step of each promise and budget costs or saves, by solving again.

    Where nothing joins the materials, a step takes a search of the materials concerned. Where
    budgets, storage or other limits join them, every step takes a whole solve. A stricter promise
    that the plan keeps already takes neither.

    Parameters
    ----------
    instance
        As returned by :func:`stockpile.load`.
    per
        ``material``: every participant and material of a row of ``coverage.csv`` for itself;
        ``row``: all of a row at once. Default: ``material`` where nothing joins the materials,
        else ``row``.
    rows
        Rows of ``coverage.csv`` to look at, the first is 1; default all.
    participants, materials
        Names to look at; default all. A row that names others as well changes for these only; a
        ``joint_chance`` group that names one of them changes as a whole.
    step_days
        Step of ``days`` promises [days].
    step_fraction
        Step of the confidence of ``chance``, ``cvar`` and ``joint_chance`` and of the level of
        ``fill_rate`` and ``stress``. Confidences go at most half of their way to 1, levels to 1.
    step_usd
        Step of budgets [USD]; None leaves budgets out.
    gap, cooperation, scenarios, seed, sampling, threads, executor, memory_gib, progress
        As in :func:`stockpile.solve`. What a step costs is often less than a usual gap leaves
        open: ask for 0, or a gap well below the cost of a step.
    time_limit
        Seconds for each solve; default none.

    Raises
    ------
    UsageError
        If an argument is out of range.
    NotBuiltError
        If the instance uses what is not built yet.
    """
    _check(instance, per, rows, participants, materials, step_days, step_fraction, step_usd)
    running = Running(scenarios, seed, sampling, threads, executor, memory_gib, progress)
    with resolver(
        instance,
        running,
        gap=gap,
        time_limit=time_limit,
        cooperation=cooperation,
    ) as solver:
        base = solver.plan(instance, "as it is", 0, 1)
        apart = base.found and bool(base.certificates["bound_usd"].notna().all())
        per = per or ("material" if apart else "row")
        steps = list(
            coverage_steps(
                instance,
                per=per,
                rows=rows,
                participants=participants,
                materials=materials,
                days=step_days,
                fraction=step_fraction,
            )
        )
        if step_usd is not None:
            steps += budget_steps(instance, solver.world, participants=participants, usd=step_usd)
        solved = _solve_again(solver, base, steps, apart=apart) if base.found else []
        known = _costs(base, apart=apart)
        if solver.monotone:
            _tighten(known, solved)
        return Marginals(
            instance_name=base.instance_name,
            instance_hash=base.instance_hash,
            cooperation=base.cooperation,
            seed=base.seed,
            sampling=base.sampling,
            scenario_count=base.scenario_count,
            gap=solver.gap,
            time_limit=time_limit,
            status=base.status,
            annual_cost_usd=sum(one.cost for one in known.values()) if base.found else None,
            bound_usd=sum(one.bound for one in known.values()) if base.found else None,
            conflicts=base.conflicts,
            monotone=solver.monotone,
            per=per,
            steps=len(steps),
            table=_table([_row(item, known, monotone=solver.monotone) for item in solved]),
            seconds=solver.setting.seconds(),
            versions=base.versions,
        )


def _check(
    instance: Instance,
    per: str | None,
    rows: Collection[int] | None,
    participants: Collection[str] | None,
    materials: Collection[str] | None,
    days: float,
    fraction: float,
    usd: float | None,
) -> None:
    """Refuse arguments that are out of range, all at once."""
    wrong = []
    if per is not None and per not in get_args(Per):
        wrong.append(f"per is {per!r}; expected one of {', '.join(get_args(Per))}")
    count = len(instance.coverage)
    wrong += [
        f"rows has {number!r}; coverage.csv has rows 1 to {count}"
        for number in rows or ()
        if not 1 <= number <= count
    ]
    nations = [row.participant for row in instance.participants]
    kinds = [row.material for row in instance.materials]
    for names, known, what in (
        (participants, nations, "participants"),
        (materials, kinds, "materials"),
    ):
        wrong += [
            f"{what} has {name!r}. {suggestion(name, known, what)}"
            for name in names or ()
            if name not in known
        ]
    for name, step, most in (
        ("step_days", days, math.inf),
        ("step_fraction", fraction, 1.0),
        ("step_usd", usd, math.inf),
    ):
        if step is not None and not (0.0 < step <= most and math.isfinite(step)):
            end = "" if math.isinf(most) else f" and at most {most:g}"
            wrong.append(f"{name} is {step!r}; expected a number above 0{end}")
    if wrong:
        raise UsageError("\n".join(wrong))


@dataclass(slots=True)
class _Cost:
    """Cost of the best plan known of a material, or of all, and its bound [USD/year]."""

    cost: float = math.inf
    bound: float = -math.inf


@dataclass(frozen=True, slots=True)
class _Solved:
    """A step, and what solving with it has brought.

    Attributes
    ----------
    status
        Of the solve, or why there was none.
    costs
        What is known with the step of every material concerned, or of all.
    """

    step: Step
    status: str
    costs: dict[str, _Cost]
    seconds: float = 0.0
    conflicts: tuple[str, ...] = ()

    @property
    def dearer(self) -> bool:
        """Return whether the step can only cost; else it can only save."""
        return self.step.kind != "budget"


def _solve_again(
    solver: Resolver, base: Plan, steps: Sequence[Step], *, apart: bool
) -> list[_Solved]:
    """Solve with each step, where the plan without it does not do; stop where the user asks to."""
    solved: list[_Solved] = []
    for number, step in enumerate(steps):
        if step.full:
            solved.append(_Solved(step, FULL, {}))
            continue
        if solver.stopped:
            break
        names = [ALL_MATERIALS]
        if apart:
            setting = solver.setting
            concerned = blocks_with(setting.problem, setting.blocks, step.materials)
            names = [block.name for block in concerned]
        title = " ".join(filter(None, (step.participant, step.material, step.kind)))
        solver.tell(title, number, len(steps))
        dearer = step.kind != "budget"
        if solver.monotone and dearer and solver.keeps(step.changed, base, step.materials):
            known = _costs(base, apart=apart)
            costs = {name: _Cost(cost=known[name].cost) for name in names}
            solved.append(_Solved(step, KEPT, costs))
            continue
        materials = step.materials if apart else None
        plan = solver.plan(step.changed, title, number, len(steps), materials)
        if plan.status is Status.INTERRUPTED and not plan.found:
            break
        # Without a plan nothing is known but what the others tell.
        costs = _costs(plan, apart=apart) if plan.found else {name: _Cost() for name in names}
        solved.append(_Solved(step, str(plan.status), costs, plan.seconds, plan.conflicts))
    return solved


def _costs(plan: Plan, *, apart: bool) -> dict[str, _Cost]:
    """Return what is known of every material on its own, or of all where limits join them."""
    if plan.annual_cost_usd is None or plan.bound_usd is None:
        return {}
    if not apart:
        return {ALL_MATERIALS: _Cost(plan.annual_cost_usd, plan.bound_usd)}
    return {
        row["material"]: _Cost(row["annual_cost_usd"], row["bound_usd"])
        for row in plan.certificates.to_dict(orient="records")
    }


def _tighten(known: dict[str, _Cost], solved: Sequence[_Solved]) -> None:
    """Let the solves tell what they know of each other.

    A plan that keeps a stricter promise, or a smaller budget, is a plan without it as well, and a
    bound without it is a bound with it.

    Raises
    ------
    CheckError
        If what they tell does not fit together: a bug, never the user's mistake.
    """
    for item in solved:
        for name, changed in item.costs.items():
            if item.dearer:
                known[name].cost = min(known[name].cost, changed.cost)
            else:
                known[name].bound = max(known[name].bound, changed.bound)
    for name, one in known.items():
        require_order(name, one.bound, one.cost)
    for item in solved:
        for name, changed in item.costs.items():
            if item.dearer:
                changed.bound = max(changed.bound, known[name].bound)
            else:
                changed.cost = min(changed.cost, known[name].cost)


def _row(item: _Solved, known: dict[str, _Cost], *, monotone: bool) -> dict[str, Any]:
    """Return a row of the table."""
    step = item.step
    change = low = high = math.nan
    if item.status == FULL:
        reading = "nothing more can be promised"
    elif item.status == Status.INFEASIBLE:
        reading = "cannot be had: no plan is left"
    else:
        change, low, high = _interval(item, known, monotone=monotone)
        scale = sum(known[name].cost for name in item.costs)
        reading = _reading(change, low, high, NOTHING * max(abs(scale), 1.0))
    return {
        "kind": step.kind,
        "row": math.nan if step.row is None else step.row,
        **{name: getattr(step, name) for name in _NAMES},
        "before": step.before,
        "after": step.after,
        "status": item.status,
        "change_usd_per_year": change,
        "low_usd_per_year": low,
        "high_usd_per_year": high,
        "reading": reading,
        "seconds": round(item.seconds, 3),
        "conflicts": "; ".join(item.conflicts),
    }


_NAMES = ("participant", "material", "demand_class", "metric", "stress", "group", "sharing")


def _interval(
    item: _Solved, known: dict[str, _Cost], *, monotone: bool
) -> tuple[float, float, float]:
    """Return by how much the cost changes, and an interval for the change of the optimum.

    Ends that are not known are not numbers.
    """
    change = low = high = 0.0
    for name, changed in item.costs.items():
        least = changed.bound - known[name].cost
        most = changed.cost - known[name].bound
        if monotone and item.dearer:
            least = max(0.0, least)
        elif monotone:
            most = min(0.0, most)
        change += changed.cost - known[name].cost
        low, high = low + least, high + most
    ends = (change, low, high)
    change, low, high = (end if math.isfinite(end) else math.nan for end in ends)
    return change, low, high


def _reading(change: float, low: float, high: float, rounding: float) -> str:
    """Say in words what an interval tells."""
    if math.isnan(change):
        return "no plan in time"
    if max(abs(low), abs(high)) <= rounding:
        return "nothing"
    if low > rounding:
        return "costs"
    if high < -rounding:
        return "saves"
    return "not more than the gaps can tell"


def _table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the table of marginals."""
    kinds: dict[type, Any] = {str: object, float: np.float64}
    found = pd.DataFrame(
        {
            column: np.array([row[column] for row in rows], dtype=kinds[kind])
            for column, kind in COLUMNS.items()
        }
    )
    return found.astype({"row": "Int64"})
