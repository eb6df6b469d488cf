"""A plan judged on scenarios that it has not seen, with confidence intervals."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from stockpile.arguments import check_arguments
from stockpile.blocks import build_blocks
from stockpile.choices import with_variant
from stockpile.couplings import build_couplings
from stockpile.coverage import tail_pull
from stockpile.errors import ResultError, UsageError
from stockpile.given import Given
from stockpile.intervals import LEAST_STRATIFIED, REPLICATES, Spread
from stockpile.limits import ALL
from stockpile.model.verify import tail_weights, within
from stockpile.needs import yearly
from stockpile.parallel import Workers
from stockpile.plan_decisions import known_place, plan_decisions
from stockpile.plan_tables import groups_table
from stockpile.problem import LEVEL_TOLERANCE, build_problem, describe_promise, promise_in_words
from stockpile.progress import Progress, ProgressLine, reporter
from stockpile.running import Running
from stockpile.scenarios import scenario_set, stress_cases
from stockpile.variants import only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor
    from typing import Any

    from numpy.typing import NDArray

    from stockpile.couplings import Couplings
    from stockpile.evaluator import Evaluator
    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.problem import Cooperation, Problem
    from stockpile.scenarios import ScenarioSet
    from stockpile.scores import Judgement, Sampled


@dataclass(frozen=True)
class Assessment:
    """What a plan costs and keeps on fresh scenarios.

    Attributes
    ----------
    scenario_count, seed, sampling
        Of the fresh scenarios; seed and sampling are None where the instance gives its scenarios
        itself, which are then the same as in the plan, and no interval means anything.
    annual_cost_usd, low_usd, high_usd
        Cost of the plan [USD/year] (7), (9), with a 95 % confidence interval.
    facilities_usd
        The part of it that is the fixed cost of open facilities [USD/year], which is certain.
    projects_usd
        The part of it that is for projects [USD/year]: capital, and output above its price, which
        depends on when they start.
    planned_cost_usd
        What the plan said it would cost [USD/year].
    coverage
        One row per promise: promised level, achieved in the plan's sample (``planned``) and on
        the fresh scenarios (``achieved``) with its interval (``low``, ``high``), and whether it
        is met.
    limits
        One row per limit that depends on scenarios, what each participant bears (16) and the mean
        of the costliest scenarios (18): what is allowed, what the plan used in its sample
        (``planned``) and uses on the fresh scenarios (``used``) with its interval, and whether
        that is kept. What the plan allows for (16), it was agreed on.
    broken
        Promises and limits that held in the plan's sample but not on the fresh scenarios.
    """

    scenario_count: int
    seed: int | None
    sampling: str | None
    annual_cost_usd: float
    low_usd: float
    high_usd: float
    facilities_usd: float
    projects_usd: float
    planned_cost_usd: float
    coverage: pd.DataFrame
    limits: pd.DataFrame
    broken: tuple[str, ...]


def evaluate(
    instance: Instance,
    plan: Plan,
    *,
    scenarios: int = 100_000,
    seed: int | None = None,
    sampling: str | None = None,
    threads: int | None = None,
    executor: Executor | int | str | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
) -> Assessment:
    """Simulate a plan on fresh scenarios.

    Parameters
    ----------
    instance
        The instance that was solved.
    plan
        As returned by :func:`stockpile.solve` or :meth:`stockpile.Plan.load`.
    scenarios
        Number of fresh scenarios.
    seed
        Default: the plan's seed plus one. It must differ from the plan's, or the scenarios
        would not be fresh.
    sampling
        ``plain`` or ``stratified``; default from the instance. A stratified set is drawn in 20
        independent replicates, from which the intervals follow; so it takes 40 scenarios at
        least.
    threads
        Default: all processors. The result is the same with any number.
    executor, progress
        As in :func:`stockpile.solve`.

    Raises
    ------
    ResultError
        If the plan holds no holdings, or does not fit the instance.
    UsageError
        If an argument is out of range.
    """
    running = Running(scenarios, seed, sampling, threads, executor, progress=progress)
    check_arguments(running)
    sampled = bool(instance.hazards) and not instance.scenarios
    if sampled:
        own = instance.scenario_settings.seed if plan.seed is None else plan.seed
        seed = own + 1 if seed is None else seed
        if seed == plan.seed:
            raise UsageError(
                f"seed {seed} is the plan's own: its scenarios would not be fresh; name another"
            )
        sampling = instance.scenario_settings.sampling if sampling is None else sampling
        if sampling == "stratified" and scenarios < LEAST_STRATIFIED:
            raise UsageError(
                f"scenarios is {scenarios}; a stratified set to judge a plan on takes at least "
                f"{LEAST_STRATIFIED}, because intervals need {REPLICATES} replicates of 2"
            )
    problem = build_problem(instance)
    lots, rules, states = plan_decisions(problem, plan)
    drawn = scenario_set(instance, problem, scenarios, seed, sampling, replicates=REPLICATES)
    couplings = build_couplings(instance, problem, cast("Cooperation", plan.cooperation), drawn)
    facilities = _facilities_cost(couplings, plan)
    projects = float(couplings.projects.cost[np.arange(states.size), states].sum())
    fixed = facilities + projects
    given = Given(problem, build_blocks(problem), drawn, stress_cases(instance, problem))
    sums = _Sums(problem, Spread.of(drawn))
    rows: list[dict[str, Any]] = []
    parts = [
        # One rule per owner and block, the same for all its materials.
        (
            lots[block.market_participant, block.market_material],
            with_variant(rules[:, block.materials[0]], 0),
        )
        for block in given.blocks
    ]
    sharing = plan.cooperation != "none"
    for judged in _judged(given, parts, states, sharing, running):
        sums.add(judged)
        rows += judged.rows
    rows += _group_rows(problem, drawn, sums)
    annual, half = sums.cost(drawn)
    coverage = _with_planned(pd.DataFrame(rows, columns=_COLUMNS), plan)
    limits = _limits(plan, couplings, drawn, sums)
    if not sampled:
        half = 0.0
        coverage["low"] = coverage["high"] = coverage["achieved"]
        limits["low"] = limits["high"] = limits["used"]
    broken = [
        _in_words(row)
        for row in coverage.to_dict(orient="records")
        if row["met_in_plan"] and not row["met"]
    ]
    broken += [_limit_in_words(row) for row in limits.to_dict(orient="records") if not row["met"]]
    return Assessment(
        scenario_count=drawn.count,
        seed=seed if sampled else None,
        sampling=sampling if sampled else None,
        annual_cost_usd=annual + fixed,
        low_usd=annual + fixed - half,
        high_usd=annual + fixed + half,
        facilities_usd=facilities,
        projects_usd=projects,
        planned_cost_usd=float(plan.annual_cost_usd or 0.0),
        coverage=coverage,
        limits=limits,
        broken=tuple(dict.fromkeys(broken)),  # The rows of a group say the same.
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a block of a plan shows on the scenarios.

    Attributes
    ----------
    owner
        (I,) participant of each stock.
    scenario
        (S',) which scenarios have any need.
    groups
        (G',) the joint chance groups that the block has a part in.
    judgement, sampled
        Its candidate in full, and scenario by scenario.
    rows
        Of the coverage table.
    """

    owner: NDArray[np.int64]
    scenario: NDArray[np.int64]
    groups: tuple[int, ...]
    judgement: Judgement
    sampled: Sampled
    rows: list[dict[str, Any]]


def _judged(
    given: Given,
    parts: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    states: NDArray[np.int64],
    sharing: bool,
    running: Running,
) -> Iterator[_Judged]:
    """Judge all blocks, here or elsewhere, in their order."""
    report, began = reporter(running.progress), time.monotonic()

    def tell(number: int, done: int) -> None:
        name, total, nothing = given.blocks[number].name, len(given.blocks), math.nan
        seconds = time.monotonic() - began
        report(Progress(name, done, total, nothing, nothing, nothing, seconds))

    if running.executor is None:
        with Workers(running.threads) as workers:
            for number, (lots, rule) in enumerate(parts):
                tell(number, number)
                yield _judge(given, number, lots, rule, states, sharing, workers)
    else:
        from stockpile.executors import Shared, tasks_on

        arguments = [
            (number, lots, rule, states, sharing) for number, (lots, rule) in enumerate(parts)
        ]
        judged_blocks = itertools.count(1)

        def told(number: int, _judged: _Judged) -> None:
            tell(number, next(judged_blocks))

        with tasks_on(running.executor) as tasks:
            assert tasks is not None
            found = tasks.run(_judge, Shared(lambda: given), arguments, told=told)
        yield from (judged for judged in found if judged is not None)
    if isinstance(report, ProgressLine):
        report.clear()


def _judge(
    given: Given,
    number: int,
    lots: NDArray[np.int64],
    rule: NDArray[np.int64],
    states: NDArray[np.int64],
    sharing: bool,
    workers: Workers | None = None,
) -> _Judged:
    """Judge a block of a plan, lots (I,) and rules (C + 1,); at a worker with one thread."""
    evaluator = given.evaluator(number, workers or Workers(1), sharing=sharing, states=only(states))
    judgement, sampled = evaluator.judge(lots, rule), evaluator.sampling(lots, rule)
    return _Judged(
        owner=evaluator.block.market_participant,
        scenario=evaluator.needs.scenario,
        groups=evaluator.groups,
        judgement=judgement,
        sampled=sampled,
        rows=_coverage_rows(given.problem, evaluator, judgement, sampled.errors),
    )


class _Sums:
    """What the blocks of a plan add up to, scenario by scenario.

    Attributes
    ----------
    participants
        Names.
    holding
        (C,) holding cost [USD/year].
    variable
        (C, S) shortage and shipping cost by who bears it [USD/year].
    shortage
        (S,) shortage cost of all [USD/year].
    covered
        (G, S) whether all streams of a joint chance group reach their levels.
    spread
        How the scenarios depend on each other.
    """

    def __init__(self, problem: Problem, spread: Spread) -> None:
        count = spread.count
        C = len(problem.participants)
        self.participants = problem.participants
        self.holding = np.zeros(C)
        self.variable = np.zeros((C, count))
        self.shortage = np.zeros(count)
        self.covered = np.ones((len(problem.groups), count), dtype=np.bool_)
        self.spread = spread
        self._per_year = yearly(1.0, problem)

    def add(self, block: _Judged) -> None:
        """Add a block."""
        np.add.at(self.holding, block.owner, block.judgement.holding)
        scenario = block.scenario
        self.variable[:, scenario] += self._per_year * block.sampled.variable.T
        self.shortage[scenario] += self._per_year * block.sampled.shortage
        for g, covered in zip(block.groups, block.sampled.covered, strict=True):
            self.covered[g, scenario] &= covered

    def cost(self, scenarios: ScenarioSet) -> tuple[float, float]:
        """Return the cost (7), and half the width of its interval [USD/year]."""
        mean, half = self._mean(self.variable.sum(axis=0), scenarios)
        return float(self.holding.sum()) + mean, half

    def share(self, c: int, scenarios: ScenarioSet) -> tuple[float, float]:
        """Return what a participant bears (16), and half the width of its interval [USD/year]."""
        mean, half = self._mean(self.variable[c], scenarios)
        return float(self.holding[c]) + mean, half

    def tail(self, tail: float, scenarios: ScenarioSet) -> tuple[float, float]:
        """Return the mean of the costliest scenarios (18), and half the width of its interval."""
        weight = tail_weights(self.shortage, scenarios.probability, tail)
        error = self.spread.error(tail_pull(self.shortage, tail))
        return float(weight @ self.shortage), self.spread.width * error

    def _mean(self, values: NDArray[np.float64], scenarios: ScenarioSet) -> tuple[float, float]:
        """Return the mean of values (S,), and half the width of its interval."""
        mean = float(scenarios.probability @ values)
        return mean, self.spread.width * self.spread.error(values - mean)


_COLUMNS = [
    "participant",
    "material",
    "demand_class",
    "metric",
    "level",
    "confidence",
    "stress",
    "group",
    "sharing",
    "achieved",
    "low",
    "high",
    "met",
]
_KEYS = _COLUMNS[:9]
_LIMIT_COLUMNS = [
    "equation",
    "limit",
    "participant",
    "allowed",
    "planned",
    "used",
    "low",
    "high",
    "met",
]
SHARE_EQUATION, TAIL_EQUATION = 16, 18
"""Limits that depend on scenarios, by their number in the formulation."""


def _facilities_cost(couplings: Couplings, plan: Plan) -> float:
    """Return what the facilities cost that a plan has open [USD/year] (9)."""
    stores, cost = couplings.facilities, 0.0
    shown = dict(zip(plan.facilities["facility"], plan.facilities["open"], strict=True))
    for name in shown:
        known_place(name, stores.names, "facilities")
    for name, exists, fixed in zip(stores.names, stores.existing, stores.fixed_cost, strict=True):
        if name not in shown:
            raise ResultError(
                "The result does not fit the instance: it does not say whether the facility "
                f"{name} is open."
            )
        cost += float(fixed) if exists or shown[name] else 0.0
    return cost


def _coverage_rows(
    problem: Problem,
    evaluator: Evaluator,
    judgement: Judgement,
    errors: NDArray[np.float64],
) -> list[dict[str, Any]]:
    rows, spread = [], evaluator.spread
    for index, promise in enumerate(evaluator.promises):
        value, error = float(judgement.achieved[index]), float(errors[index])
        low, high = value - spread.width * error, value + spread.width * error
        if promise.metric == "chance":
            low, high = spread.of_share(value, error)
        rows.append(
            {
                **describe_promise(problem, promise),
                "achieved": value,
                "low": low if promise.metric == "days" else max(0.0, low),
                "high": high if promise.metric == "days" else min(1.0, high),
                "met": bool(judgement.met[index]),
            }
        )
    return rows


def _group_rows(problem: Problem, scenarios: ScenarioSet, sums: _Sums) -> list[dict[Any, Any]]:
    """Judge the joint chance groups (13): the probability that all of a group holds at once."""
    reached = [float(scenarios.probability[kept].sum()) for kept in sums.covered]
    tolerance = 2.0 * LEVEL_TOLERANCE + scenarios.rounded_away
    rows = groups_table(problem, reached, tolerance).to_dict(orient="records")
    bounds = {}
    for group, share, kept in zip(problem.groups, reached, sums.covered, strict=True):
        error = sums.spread.error(kept.astype(np.float64) - share)
        bounds[group.name] = sums.spread.of_share(share, error)
    for row in rows:
        low, high = bounds[row["group"]]
        row["low"], row["high"] = max(0.0, low), min(1.0, high)
    return rows


def _limits(plan: Plan, couplings: Couplings, scenarios: ScenarioSet, sums: _Sums) -> pd.DataFrame:
    """Work out the limits (16) and (18) that a plan was made within on the scenarios."""
    rows = []
    for row in plan.limits.to_dict(orient="records"):
        if row["equation"] == SHARE_EQUATION:
            c = known_place(row["participant"], sums.participants, "participants")
            used, half = sums.share(c, scenarios)
        elif row["equation"] == TAIL_EQUATION and np.isfinite(couplings.most_tail_cost):
            used, half = sums.tail(couplings.tail, scenarios)
        else:
            continue
        rows.append(
            {
                "equation": row["equation"],
                "limit": row["limit"],
                "participant": row["participant"],
                "allowed": row["allowed"],
                "planned": row["used"],
                "used": used,
                "low": max(0.0, used - half),
                "high": used + half,
                "met": within(used, row["allowed"]),
            }
        )
    return pd.DataFrame(rows, columns=_LIMIT_COLUMNS)


def _with_planned(coverage: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Add what the plan's own sample showed for each promise."""

    def keys(frame: pd.DataFrame) -> list[tuple[str, ...]]:
        return [tuple(str(row[key]) for key in _KEYS) for row in frame.to_dict(orient="records")]

    planned = dict(
        zip(
            keys(plan.coverage),
            zip(plan.coverage["achieved"], plan.coverage["met"], strict=True),
            strict=True,
        )
    )
    found = [planned.get(key, (np.nan, False)) for key in keys(coverage)]
    coverage.insert(_COLUMNS.index("achieved"), "planned", [float(item[0]) for item in found])
    coverage["met_in_plan"] = [bool(item[1]) for item in found]
    return coverage


def _in_words(row: dict[Any, Any]) -> str:
    of_chance = row["metric"] in ("chance", "joint_chance")
    promised = row["confidence"] if of_chance else row["level"]
    what = promise_in_words(row)
    if row["metric"] == "joint_chance":
        what = f"{row['group']}, all at once at confidence {promised:g}"
    note = _sampling_error(inside=row["high"] >= promised - LEVEL_TOLERANCE)
    achieved = f"{row['achieved']:.4f} [{row['low']:.4f}, {row['high']:.4f}]"
    return f"{what}: {achieved}{note}"


def _limit_in_words(row: dict[Any, Any]) -> str:
    whose = "" if row["participant"] == ALL else f" of {row['participant']}"
    note = _sampling_error(inside=within(row["low"], row["allowed"]))
    used = f"{row['used']:.4g} [{row['low']:.4g}, {row['high']:.4g}]"
    return f"{row['limit']}{whose}, at most {row['allowed']:.4g} USD/year: {used}{note}"


def _sampling_error(*, inside: bool) -> str:
    return " (within sampling error)" if inside else ""
