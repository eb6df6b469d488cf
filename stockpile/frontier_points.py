"""The curve of cost against coverage or budget: one certified plan for each of some points.

Asking for more never makes a plan cheaper, so the points know something of each other: a plan for
a strict point is a plan for every looser one, and the bound of a loose point is a bound for every
stricter one. So every interval is as narrow as all the solves together can make it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from stockpile.certificate import relative_gap
from stockpile.check import ROUNDING
from stockpile.couplings import build_couplings
from stockpile.errors import UsageError
from stockpile.folders import write_whole
from stockpile.plan import FORMAT, Plan, Status
from stockpile.records import json_text
from stockpile.resolving import require_order, resolver
from stockpile.running import Running
from stockpile.scaling import promises_move, scaled_budgets, scaled_promises, with_joint_budget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor

    from stockpile.instance import Instance
    from stockpile.marginal_costs import Marginals
    from stockpile.progress import Progress
    from stockpile.resolving import Resolver

Vary = Literal["coverage", "budget"]
DEFAULT_POINTS = 7
LOOSEST, STRICTEST = 2.0, 0.25
"""Scale of what promises let slip, from the first point to the last."""
LARGEST, SMALLEST = 1.5, 0.5
"""Factor of the budgets there are."""
ALL_OF_IT, LITTLE_OF_IT = 1.0, 0.4
"""Part of the outlay that a plan without a budget has, where there are none."""
LEAST_SCALE = 1e-6
"""Less than this is as good as a promise without exception, which not every metric allows."""
MEANING = {
    "coverage": "what promises let slip, as a multiple of the instance's",
    "budget": "budgets, as a multiple of the instance's",
    "no budget": "joint budget, as a part of the outlay of the plan without a budget",
}
COLUMNS: dict[str, type] = {
    "point": int,
    "parameter": float,
    "budget_usd": float,
    "status": str,
    "annual_cost_usd": float,
    "bound_usd": float,
    "gap": float,
    "plan_of": int,
    "bound_of": int,
    "outlay_usd": float,
    "holding_t": float,
    "seconds": float,
    "conflicts": str,
}
"""Columns of ``frontier.csv``, and what they hold."""
FILES = ("frontier.json", "frontier.csv", "marginals.csv")


@dataclass(frozen=True)
class Point:
    """One point of the curve.

    Attributes
    ----------
    point
        Its number; the first is 1 and asks for least.
    parameter
        What is varied; None where no budget at all is set.
    budget_usd
        Most that all may spend together [USD]; None without a limit.
    status
        How the solve of this point ended.
    annual_cost_usd, bound_usd, gap
        Cost of the best plan known for it, and the best bound known [USD/year]; None without a
        plan, the bound also where there is none to be had.
    plan_of, bound_of
        Number of the point whose solve has brought them; its own unless another one's is better.
        None without one.
    outlay_usd, holding_t
        Of the plan: what it costs to buy [USD], and the tonnes held of all materials.
    seconds
        Wall-clock time of its own solve.
    conflicts
        Where infeasible: why.
    plan
        The plan.
    """

    point: int
    parameter: float | None
    budget_usd: float | None
    status: Status
    annual_cost_usd: float | None
    bound_usd: float | None
    gap: float | None
    plan_of: int | None
    bound_of: int | None
    outlay_usd: float | None
    holding_t: float | None
    seconds: float
    conflicts: tuple[str, ...]
    plan: Plan | None

    def row(self) -> dict[str, Any]:
        """Return all but the plan, as JSON knows it."""
        cells = {name: getattr(self, name) for name in COLUMNS}
        return {
            **cells,
            "status": str(self.status),
            "seconds": round(self.seconds, 3),
            "conflicts": list(self.conflicts),
        }


@dataclass(frozen=True)
class Frontier:
    """What more coverage costs, or what a larger budget saves.

    Attributes
    ----------
    instance_name, instance_hash
        Name and content hash of the instance.
    vary
        ``coverage`` or ``budget``.
    meaning
        What ``parameter`` of a point is, in words.
    cooperation, seed, sampling, scenario_count, gap, time_limit
        As solved, at every point the same; the gap is the one that was asked for.
    monotone
        Whether asking for more cannot make a plan cheaper. It is used to narrow the intervals. Not
        so where nobody may be worse off than alone (16).
    points
        From the one that asks for least to the one that asks for most.
    asked
        Number of points asked for; there are fewer if they were stopped.
    notes
        What there is to know besides.
    seconds
        Wall-clock time of all solves.
    versions
        Versions of Python and of the packages that the numbers depend on.
    """

    instance_name: str
    instance_hash: str
    vary: str
    meaning: str
    cooperation: str
    seed: int | None
    sampling: str | None
    scenario_count: int
    gap: float
    time_limit: float | None
    monotone: bool
    points: tuple[Point, ...]
    asked: int
    notes: tuple[str, ...]
    seconds: float
    versions: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """Return whether every point was solved, to the end or to the time limit."""
        return len(self.points) == self.asked and all(
            point.status is not Status.INTERRUPTED for point in self.points
        )

    @property
    def table(self) -> pd.DataFrame:
        """Return the points as a table with the columns of ``frontier.csv``."""
        rows = [point.row() for point in self.points]
        frame = pd.DataFrame(
            {
                column: np.array([_cell(row[column], kind) for row in rows], dtype=_DTYPES[kind])
                for column, kind in COLUMNS.items()
            }
        )
        return frame.astype({"plan_of": "Int64", "bound_of": "Int64", "point": np.int64})

    def summary(self) -> dict[str, Any]:
        """Return the content of ``frontier.json`` as JSON knows it."""
        return {
            "format": FORMAT,
            "instance": {"name": self.instance_name, "hash": self.instance_hash},
            "versions": dict(self.versions),
            "seed": self.seed,
            "sampling": self.sampling,
            "scenario_count": self.scenario_count,
            "cooperation": self.cooperation,
            "vary": self.vary,
            "meaning": self.meaning,
            "gap": self.gap,
            "time_limit": self.time_limit,
            "monotone": self.monotone,
            "complete": self.complete,
            "asked": self.asked,
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
            "points": [point.row() for point in self.points],
        }

    def to_json(self, marginals: Marginals | None = None) -> str:
        """Return ``frontier.json``, with what is known of marginals where there are any."""
        content = self.summary()
        if marginals is not None:
            content["marginals"] = marginals.summary()
        return json_text(content)

    def save(self, folder: str | Path, marginals: Marginals | None = None) -> None:
        """Write ``frontier.json``, ``frontier.csv`` and, where given, ``marginals.csv``.

        They appear whole or not at all; an earlier frontier there is replaced.

        Raises
        ------
        UsageError
            If the folder holds anything but a frontier.
        OSError
            If the folder cannot be written; nothing is left half-written then.
        """
        files = {
            "frontier.json": self.to_json(marginals),
            "frontier.csv": self.table.to_csv(index=False, lineterminator="\n"),
        }
        if marginals is not None:
            files["marginals.csv"] = marginals.table.to_csv(index=False, lineterminator="\n")
        write_whole(Path(folder), files, mark="frontier.json", replaceable=FILES)


def frontier(
    instance: Instance,
    vary: Vary,
    *,
    points: int = DEFAULT_POINTS,
    values: Sequence[float] | None = None,
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
) -> Frontier:
    """Solve an instance for several degrees of coverage, or several budgets.

    ``coverage``: confidences c of ``chance``, ``cvar`` and ``joint_chance`` become 1 - (1 - c) x,
    and so do levels of ``fill_rate``. The parameter is x; 1 is the instance, less promises more.
    ``budget``: all budgets are multiplied by the parameter. Where there are none, the first point
    is the plan without any, and the parameter is a joint budget as a part of its outlay.

    Every point takes a whole solve; those after an infeasible one are infeasible without. The
    first Ctrl-C returns the points so far.

    Parameters
    ----------
    instance
        As returned by :func:`stockpile.load`.
    vary
        ``coverage`` or ``budget``.
    points
        Number of values, at least 2. Coverage: evenly from 2 to 0.25, by ratio. Budgets: evenly
        from 1.5 to 0.5, or from 1 to 0.4 where there are none. One of them is 1.
    values
        The values themselves, in place of ``points``; those of coverage above 0.
    time_limit
        Seconds for each point; default none.
    gap, cooperation, scenarios, seed, sampling, threads, executor, memory_gib, progress
        As in :func:`stockpile.solve`.

    Raises
    ------
    UsageError
        If an argument is out of range, or if there is nothing to vary.
    NotBuiltError
        If the instance uses what is not built yet.
    """
    _check(instance, vary, points, values)
    running = Running(scenarios, seed, sampling, threads, executor, memory_gib, progress)
    with resolver(
        instance,
        running,
        gap=gap,
        time_limit=time_limit,
        cooperation=cooperation,
    ) as solver:
        curve = _Curve(solver, _asked(vary, points, values, limited=_limited(solver)))
        if vary == "coverage":
            meaning = MEANING["coverage"]
            curve.solve(lambda scale: scaled_promises(instance, scale))
        elif _limited(solver):
            meaning = MEANING["budget"]
            curve.solve(lambda factor: scaled_budgets(instance, factor))
        else:
            meaning = MEANING["no budget"]
            curve.solve_without_budgets()
        first = curve.solved[0][1] if curve.solved else None
        return Frontier(
            instance_name=instance.name,
            instance_hash=instance.content_hash,
            vary=vary,
            meaning=meaning,
            cooperation=solver.world,
            seed=solver.setting.seed,
            sampling=solver.setting.sampling,
            scenario_count=solver.setting.scenarios.count,
            gap=solver.gap,
            time_limit=time_limit,
            monotone=solver.monotone,
            points=_points(curve.solved, monotone=solver.monotone),
            asked=curve.total,
            notes=tuple(curve.notes()),
            seconds=solver.setting.seconds(),
            versions={} if first is None else first.versions,
        )


def _check(instance: Instance, vary: str, points: int, values: Sequence[float] | None) -> None:
    """Refuse arguments that are out of range, and what cannot be varied."""
    wrong = []
    if vary not in get_args(Vary):
        wrong.append(f"vary is {vary!r}; expected one of {', '.join(get_args(Vary))}")
    if values is None and points < 2:
        wrong.append(f"points is {points!r}; expected at least 2")
    if values is not None and not len(values):
        wrong.append("values is empty; expected some numbers")
    least = LEAST_SCALE if vary == "coverage" else 0.0
    wrong += [
        f"values has {value!r}; expected numbers from {least:g} on"
        for value in values or ()
        if not (value >= least and math.isfinite(value))
    ]
    if vary == "coverage" and not promises_move(instance):
        wrong.append(
            f"coverage of {instance.name} has nothing to vary: no chance, cvar or joint_chance "
            "with a confidence below 1, and no fill_rate with a level below 1.\n"
            "  Levels of days and stress stay; what a step of these costs is told by marginals."
        )
    if wrong:
        raise UsageError("\n".join(wrong))


def _limited(solver: Resolver) -> bool:
    """Say whether there is any budget in the world that is solved."""
    couplings = build_couplings(
        solver.setting.instance, solver.setting.problem, solver.world, solver.setting.scenarios
    )
    return bool(np.isfinite([couplings.joint_budget, *couplings.budget]).any())


def _budget(solver: Resolver, instance: Instance) -> float | None:
    """Return the most that all may spend together [USD], or None without a limit."""
    couplings = build_couplings(
        instance, solver.setting.problem, solver.world, solver.setting.scenarios
    )
    most = min(float(couplings.joint_budget), float(couplings.budget.sum()))
    return most if math.isfinite(most) else None


def _asked(
    vary: str, points: int, values: Sequence[float] | None, *, limited: bool
) -> tuple[float, ...]:
    """Return the parameters to solve for, from the loosest to the strictest."""
    if values is not None:
        return tuple(sorted({float(value) for value in values}, reverse=True))
    if vary == "coverage":
        even = np.geomspace(LOOSEST, STRICTEST, points)
        distance = np.abs(np.log(even))
    else:
        ends = (LARGEST, SMALLEST) if limited else (ALL_OF_IT, LITTLE_OF_IT)
        even = np.linspace(*ends, points)
        distance = np.abs(even - 1.0)
    even[distance.round(9).argmin()] = 1.0  # The instance itself is always shown.
    return tuple(round(float(value), 6) for value in even)


class _Curve:
    """The points solved so far: parameter, plan and budget of each, the loosest first."""

    def __init__(self, solver: Resolver, values: tuple[float, ...]) -> None:
        self._solver = solver
        self._values = values
        self.total = len(values)
        self.solved: list[tuple[float | None, Plan, float | None]] = []
        self._unlimited_outlay: float | None = None
        self._infeasible: int | None = None

    def solve(self, changed: Callable[[float], Instance]) -> None:
        """Solve for every value until the user asks to stop."""
        for value in self._values:
            if self._solver.stopped:
                return
            if not self._add(value, changed(value)):
                return

    def solve_without_budgets(self) -> None:
        """Solve without a budget first, then with parts of what that plan spends."""
        instance = self._solver.setting.instance
        self.total += 1
        if not self._add(None, instance):
            return
        plan = self.solved[0][1]
        if not plan.found:
            self.total = 1
            return
        spent = self._unlimited_outlay = float(plan.holdings["outlay_usd"].sum())
        if spent == 0.0:
            self.total = 1
            return
        self.solve(lambda part: with_joint_budget(instance, part * spent))

    def notes(self) -> list[str]:
        """Say what there is to know besides the points."""
        found = []
        if self._unlimited_outlay == 0.0:
            found.append("The plan without a budget buys nothing, so no budget can bind.")
        elif self._unlimited_outlay is None and self.solved and self.solved[0][0] is None:
            found.append("No plan was found even without a budget, so no budget was tried.")
        if not self._solver.monotone:
            found.append(
                "Nobody may be worse off than alone (16), and what that is changes from point to "
                "point: a stricter point may be cheaper, and no point says anything of another."
            )
        return found

    def _add(self, value: float | None, instance: Instance) -> bool:
        """Solve for a point; say whether to go on."""
        number = len(self.solved)
        budget = _budget(self._solver, instance)
        if self._infeasible is not None and self._solver.monotone:
            # It asks for more than a point that cannot be had: nothing is left to solve.
            conflict = f"Point {self._infeasible + 1}, which asks for less, is infeasible already."
            known = replace(self.solved[-1][1], conflicts=(conflict,), seconds=0.0)
            self.solved.append((value, known, budget))
            return True
        title = "without a budget" if value is None else f"at {value:g}"
        plan = self._solver.plan(instance, title, number, self.total)
        if plan.status is Status.INTERRUPTED and not plan.found:
            return False
        if plan.status is Status.INFEASIBLE:
            self._infeasible = number
        self.solved.append((value, plan, budget))
        return True


def _points(
    solved: Sequence[tuple[float | None, Plan, float | None]], *, monotone: bool
) -> tuple[Point, ...]:
    """Let the points tell what they know of each other.

    Raises
    ------
    CheckError
        If what they tell does not fit together: a bug, never the user's mistake.
    """
    count = len(solved)
    plans = [plan for _, plan, _ in solved]
    cost = [math.inf if plan.annual_cost_usd is None else plan.annual_cost_usd for plan in plans]
    bound = [-math.inf if plan.bound_usd is None else plan.bound_usd for plan in plans]
    plan_of, bound_of = list(range(count)), list(range(count))
    if monotone:
        for i in reversed(range(count - 1)):  # A plan for a strict point is one for a loose one.
            if _clearly_less(cost[plan_of[i + 1]], cost[i]):
                plan_of[i] = plan_of[i + 1]
        for i in range(1, count):  # A bound of a loose point is one of a strict one.
            if _clearly_less(bound[i], bound[bound_of[i - 1]]):
                bound_of[i] = bound_of[i - 1]
    points = []
    for i, (parameter, own, budget) in enumerate(solved):
        found, least = cost[plan_of[i]], bound[bound_of[i]]
        infeasible = own.status is Status.INFEASIBLE
        require_order(f"point {i + 1}", math.inf if infeasible else least, found)
        least = min(least, found)  # They may cross by rounding.
        plan = plans[plan_of[i]] if math.isfinite(found) else None
        known = not infeasible and math.isfinite(least)
        gap = relative_gap(found, least) if known else math.inf
        points.append(
            Point(
                point=i + 1,
                parameter=parameter,
                budget_usd=budget,
                status=own.status,
                annual_cost_usd=None if plan is None else found,
                bound_usd=least if known else None,
                gap=gap if math.isfinite(gap) else None,
                plan_of=None if plan is None else plan_of[i] + 1,
                bound_of=bound_of[i] + 1 if known else None,
                outlay_usd=None if plan is None else float(plan.holdings["outlay_usd"].sum()),
                holding_t=None if plan is None else float(plan.holdings["holding_t"].sum()),
                seconds=own.seconds,
                conflicts=own.conflicts,
                plan=plan,
            )
        )
    return tuple(points)


def _clearly_less(one: float, other: float) -> bool:
    """Say whether a cost is less than another by more than rounding."""
    return one < other and not math.isclose(one, other, rel_tol=ROUNDING)


_DTYPES: dict[type, Any] = {str: object, int: object, float: np.float64}


def _cell(value: Any, kind: type) -> Any:
    """Turn what a point says into a cell of a table."""
    if isinstance(value, list):
        return "; ".join(value)
    if value is None:
        return pd.NA if kind is int else math.nan
    return value
