"""A plan judged on scenarios that it has not seen, with confidence intervals."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtri

from stockpile.arguments import check_arguments
from stockpile.blocks import build_blocks
from stockpile.errors import ResultError, UsageError, suggestion
from stockpile.evaluator import Evaluator
from stockpile.needs import yearly
from stockpile.parallel import Workers
from stockpile.problem import LEVEL_TOLERANCE, build_problem, describe_promise, promise_in_words
from stockpile.progress import Progress, ProgressLine, reporter
from stockpile.scenarios import scenario_set, stress_cases

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

    from stockpile.evaluator import Judgement
    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.problem import Problem, Promise

INTERVAL = 0.95
"""Confidence of the intervals."""


@dataclass(frozen=True)
class Assessment:
    """What a plan costs and keeps on fresh scenarios.

    Attributes
    ----------
    scenario_count, seed
        Of the fresh scenarios; the seed is None where the instance gives its scenarios itself,
        which are then the same as in the plan, and no interval means anything.
    annual_cost_usd, low_usd, high_usd
        Cost of the plan [USD/year] (7), with a 95 % confidence interval.
    planned_cost_usd
        What the plan said it would cost [USD/year].
    coverage
        One row per promise: promised level, achieved in the plan's sample (``planned``) and on
        the fresh scenarios (``achieved``) with its interval (``low``, ``high``), and whether it
        is met.
    broken
        Promises that held in the plan's sample but do not hold on the fresh scenarios.
    """

    scenario_count: int
    seed: int | None
    annual_cost_usd: float
    low_usd: float
    high_usd: float
    planned_cost_usd: float
    coverage: pd.DataFrame
    broken: tuple[str, ...]


def evaluate(
    instance: Instance,
    plan: Plan,
    *,
    scenarios: int = 100_000,
    seed: int | None = None,
    threads: int | None = None,
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
    threads
        Default: all processors. The result is the same with any number.
    progress
        As in :func:`stockpile.solve`.

    Raises
    ------
    ResultError
        If the plan holds no holdings, or does not fit the instance.
    UsageError
        If an argument is out of range.
    """
    check_arguments(scenarios=scenarios, seed=seed, threads=threads)
    sampled = bool(instance.hazards) and not instance.scenarios
    if sampled:
        own = instance.scenario_settings.seed if plan.seed is None else plan.seed
        seed = own + 1 if seed is None else seed
        if seed == plan.seed:
            raise UsageError(
                f"seed {seed} is the plan's own: its scenarios would not be fresh; name another"
            )
    problem = build_problem(instance)
    lots, rules = _decisions(problem, plan)
    drawn = scenario_set(instance, problem, scenarios, seed)
    stress = stress_cases(instance, problem)
    blocks = build_blocks(problem)
    report, began = reporter(progress), time.monotonic()
    variable = np.zeros(drawn.count)
    holding = 0.0
    rows: list[dict[str, Any]] = []
    with Workers(threads) as workers:
        for number, block in enumerate(blocks):
            seconds = time.monotonic() - began
            nothing = math.nan
            report(Progress(block.name, number, len(blocks), nothing, nothing, nothing, seconds))
            sharing = plan.cooperation != "none"
            evaluator = Evaluator(problem, block, drawn, stress, workers, sharing=sharing)
            chosen = lots[block.market_participant, block.market_material]
            # One rule per owner and block, the same for all its materials.
            rule = rules[:, block.materials[0]]
            judgement = evaluator.judge(chosen, rule)
            holding += float(judgement.holding.sum())
            cost, errors = evaluator.sampling(chosen, rule)
            variable[evaluator.needs.scenario] += cost
            rows += _coverage_rows(problem, evaluator.promises, judgement, errors)
    if isinstance(report, ProgressLine):
        report.clear()
    mean = float(drawn.probability @ variable)
    per_year = yearly(1.0, problem.horizon)
    error = float(np.sqrt(drawn.probability @ (variable - mean) ** 2 / drawn.count))
    half = _z() * error * per_year if sampled else 0.0
    annual = holding + per_year * mean
    coverage = _with_planned(pd.DataFrame(rows, columns=_COLUMNS), plan)
    if not sampled:
        coverage["low"] = coverage["high"] = coverage["achieved"]
    return Assessment(
        scenario_count=drawn.count,
        seed=seed if sampled else None,
        annual_cost_usd=annual,
        low_usd=annual - half,
        high_usd=annual + half,
        planned_cost_usd=float(plan.annual_cost_usd or 0.0),
        coverage=coverage,
        broken=tuple(
            _in_words(row)
            for row in coverage.to_dict(orient="records")
            if row["met_in_plan"] and not row["met"]
        ),
    )


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


def _z() -> float:
    return float(ndtri(0.5 + INTERVAL / 2.0))


def _decisions(problem: Problem, plan: Plan) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Read lots (C, M) and rules (C, M) from a plan's tables."""
    if not plan.found:
        raise ResultError(f"The result holds no plan to evaluate: its status is {plan.status}.")
    shape = (len(problem.participants), len(problem.materials))
    lots, rules = np.full(shape, -1, dtype=np.int64), np.full(shape, -1, dtype=np.int64)
    for row in plan.holdings.to_dict(orient="records"):
        c = _place(row["participant"], problem.participants, "participant of the instance")
        m = _place(row["material"], problem.materials, "material of the instance")
        lots[c, m] = int(row["lots"])
        held = lots[c, m] * problem.lot[m]
        if lots[c, m] >= 0 and abs(held - row["holding_t"]) > 1e-6 * max(held, 1.0):
            raise ResultError(
                f"The result does not fit the instance: {row['participant']} holds {lots[c, m]} "
                f"lots of {row['material']}, {row['holding_t']:g} t, but a lot is now "
                f"{problem.lot[m]:g} t."
            )
    for row in plan.rules.to_dict(orient="records"):
        c = _place(row["participant"], problem.participants, "participant of the instance")
        m = _place(row["material"], problem.materials, "material of the instance")
        rules[c, m] = _place(row["rule"], problem.menu.names, "rule of the instance")
    if (lots < 0).any() or (rules < 0).any():
        c, m = (int(axis[0]) for axis in np.nonzero((lots < 0) | (rules < 0)))
        raise ResultError(
            "The result does not fit the instance: it has no holding or rule for "
            f"{problem.participants[c]}, {problem.materials[m]}."
        )
    return lots, rules


def _place(name: str, known: tuple[str, ...], what: str) -> int:
    if name not in known:
        raise ResultError(
            f"The result does not fit the instance: {name!r} is no {what}. "
            f"{suggestion(name, known, what)}"
        )
    return known.index(name)


def _coverage_rows(
    problem: Problem,
    promises: tuple[Promise, ...],
    judgement: Judgement,
    errors: NDArray[np.float64],
) -> list[dict[str, Any]]:
    rows = []
    for index, promise in enumerate(promises):
        value = float(judgement.achieved[index])
        low, high = value - _z() * errors[index], value + _z() * errors[index]
        if promise.metric == "chance":
            low, high = _wilson(value, errors[index])
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


def _wilson(share: float, scenarios: float) -> tuple[float, float]:
    """Wilson's interval of a share observed in so many scenarios (Wilson, 1927)."""
    z2 = _z() ** 2
    centre = (share + z2 / (2.0 * scenarios)) / (1.0 + z2 / scenarios)
    spread = share * (1.0 - share) / scenarios + z2 / (4.0 * scenarios**2)
    half = _z() / (1.0 + z2 / scenarios) * np.sqrt(max(spread, 0.0))
    # The share itself lies inside, whatever rounding says.
    return min(float(centre - half), share), max(float(centre + half), share)


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
    promised = row["confidence"] if row["metric"] == "chance" else row["level"]
    inside = row["high"] >= promised - LEVEL_TOLERANCE
    note = " (within sampling error)" if inside else ""
    achieved = f"{row['achieved']:.4f} [{row['low']:.4f}, {row['high']:.4f}]"
    return f"{promise_in_words(row)}: {achieved}{note}"
