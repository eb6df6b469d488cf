"""The buying calendar of a plan: solved, recomputed, and what to buy first."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stockpile.couplings import build_couplings
from stockpile.desk.state import check_state
from stockpile.errors import CheckError, UsageError
from stockpile.model.linear import solve_linear
from stockpile.parallel import Workers
from stockpile.plan_decisions import require_same
from stockpile.problem import build_problem
from stockpile.progress import stages
from stockpile.purchasing.check import (
    Decisions,
    broken,
    exposure_costs,
    missed_cost,
    money,
)
from stockpile.purchasing.data import schedule_data
from stockpile.purchasing.rows import schedule_model
from stockpile.purchasing.start import Start
from stockpile.purchasing.tables import (
    TABLES,
    budgets_rows,
    disposals_rows,
    exposure_rows,
    first_year_rows,
    purchases_rows,
    stores_rows,
)
from stockpile.result_folder import ResultFolder
from stockpile.result_tables import typed_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from stockpile.desk.state import State
    from stockpile.instance import Instance
    from stockpile.model.linear import LinearModel
    from stockpile.plan import Plan
    from stockpile.progress import Stage
    from stockpile.purchasing.data import ScheduleData
    from stockpile.purchasing.settings import ScheduleSettings

FORMAT = 1
MARK = "schedule.json"
GAP = 0.01
"""Relative gap at which the search may stop."""
FILES = (MARK, *(f"{name}.csv" for name in TABLES))


@dataclass(frozen=True)
class Schedule(ResultFolder):
    """What is bought when, and what that leaves exposed.

    Attributes
    ----------
    instance_name, instance_hash, cooperation
        Of the plan.
    settings, gap_asked
        What was asked for.
    state
        What it begins with; None for the existing stocks of the instance.
    scenario_count
        Scenarios that exposures were simulated on.
    status
        ``optimal`` within the gap, or ``time_limit``.
    cost_usd, bound_usd, gap
        Payments, exposure and what is missed, at their worth at the beginning, recomputed; what no
        calendar costs less than, by the linear relaxation, recomputed from its duals; and
        (cost - bound) / cost.
    solver_bound_usd
        What the solver says that no calendar costs less than; it cannot be recomputed.
    payments_usd, exposure_usd, missed_usd
        Parts of the cost: what is paid and got, what shortages are expected to cost, and what lots
        count that budgets and limits leave no way to buy: more than any way to buy them costs.
    exposure_simulated_usd
        The same as the exposure, but simulated with the stocks of each quarter: the exposure is
        what convex envelopes make of the tables.
    exposure_at_once_usd
        What shortages would be expected to cost if all were there from the first quarter on.
    purchases
        Lots bought by quarter, at the price of that quarter, and the part of a quarter's world
        supply that all buy of the material; what is missing from the plan afterwards.
    disposals
        Lots disposed of, at the normal price.
    budgets
        What is spent in each fiscal year, and what may be.
    exposure
        What shortages are expected to cost a year in each quarter, by materials simulated together:
        by the envelope, and simulated with the stocks of that quarter.
    stores
        The quarter in which each store is opened.
    first_year
        What to buy in the first year at most, as an annual materials plan has it, and what with
        half of every budget.
    """

    instance_name: str
    instance_hash: str
    cooperation: str
    settings: ScheduleSettings
    state: State | None
    scenario_count: int
    gap_asked: float
    status: str
    cost_usd: float
    bound_usd: float
    gap: float
    solver_bound_usd: float
    payments_usd: float
    missed_usd: float
    exposure_usd: float
    exposure_simulated_usd: float
    exposure_at_once_usd: float
    purchases: pd.DataFrame
    disposals: pd.DataFrame
    budgets: pd.DataFrame
    exposure: pd.DataFrame
    stores: pd.DataFrame
    first_year: pd.DataFrame

    mark: ClassVar[str] = MARK
    columns: ClassVar[Mapping[str, Mapping[str, type]]] = TABLES

    def summary(self) -> dict[str, Any]:
        """Return the content of ``schedule.json`` but for the tables."""
        return {
            "format": FORMAT,
            "instance": {"name": self.instance_name, "hash": self.instance_hash},
            "cooperation": self.cooperation,
            "from_year": self.settings.from_year,
            "years": self.settings.years,
            "yearly_budget_usd": dict(self.settings.yearly_budget),
            "fiscal_start_month": dict(self.settings.fiscal_start),
            "most_of_supply": self.settings.most_of_supply,
            "replenish_years": self.settings.replenish_years,
            "state": None if self.state is None else _told(self.state),
            "scenario_count": self.scenario_count,
            "gap_asked": self.gap_asked,
            "status": self.status,
            "cost_usd": self.cost_usd,
            "bound_usd": self.bound_usd,
            "gap": self.gap,
            "solver_bound_usd": self.solver_bound_usd,
            "payments_usd": self.payments_usd,
            "missed_usd": self.missed_usd,
            "exposure_usd": self.exposure_usd,
            "exposure_simulated_usd": self.exposure_simulated_usd,
            "exposure_at_once_usd": self.exposure_at_once_usd,
        }


def _told(state: State) -> dict[str, Any]:
    """Return what a record says of a state: when it is, and its stocks."""
    return {
        **({"month": state.month} if state.week is None else {"week": state.week}),
        "date": state.date,
        "title": state.title,
        "stocks": [
            {"participant": row.participant, "material": row.material, "stock_t": row.stock_t}
            for row in state.stocks
        ],
    }


def schedule(
    instance: Instance,
    plan: Plan,
    settings: ScheduleSettings,
    *,
    state: State | None = None,
    gap: float = GAP,
    time_limit: float | None = None,
    scenarios: int | None = None,
    threads: int | None = None,
    progress: bool | Callable[[Stage], None] | None = None,
) -> Schedule:
    """Work out what to buy when, from the stocks of today to those of a plan.

    Parameters
    ----------
    instance, plan
        What was solved, and its plan.
    settings
        Years, budgets and limits.
    state
        Stocks to begin with, and what has been released of them: all that they lack is then due in
        ``replenish_years``. None for the existing stocks of the instance.
    gap, time_limit
        Relative gap, and seconds, at which the search may stop.
    scenarios
        Scenarios that exposures are simulated on; None for those of the plan.
    threads
        None for all processors.
    progress
        As in :func:`stockpile.solve`; told are tables and searches.

    Raises
    ------
    ResultError
        If the plan was made from another instance, or there is none.
    InstanceError
        If the state cannot be one of the plan.
    UsageError
        If an argument is out of range, or no calendar keeps what is due.
    """
    require_same(plan, instance)
    problem = build_problem(instance)
    settings.check(problem.participants)
    _check(settings, state, gap, scenarios, threads)
    if state is not None:
        check_state(state, instance, plan)
    start = Start.of(instance, plan, problem, state, scenarios)
    with (
        Workers(threads) as workers,
        stages(progress, len(start.incomplete) + 3) as begin,
    ):
        data = schedule_data(
            instance,
            problem,
            build_couplings(instance, problem, plan.cooperation, start.drawn),  # type: ignore[arg-type]
            settings,
            start.today,
            start.target,
            start.released,
            start.exposures(workers, begin),
            [block.materials for block in start.blocks],
        )
        begin("calendar")
        decisions, model, status, solver_bound = _solved(data, gap, time_limit)
        begin("calendar with half the money")
        half = replace(settings, budget_factor=settings.budget_factor / 2.0)
        budget = data.budget / 2.0
        less, *_ = _solved(replace(data, settings=half, budget=budget), gap, time_limit, due=False)
        begin("exposure with the stocks of each quarter")
        simulated = start.simulated(data, decisions.bought, workers)
    paid, exposed = cost_of(data, decisions)
    missed = missed_cost(data, decisions)
    cost = paid + exposed + missed
    bound = min(relaxed_bound(model), cost)
    rows = {
        "purchases": list(purchases_rows(instance, data, decisions)),
        "disposals": list(disposals_rows(data, decisions)),
        "budgets": list(budgets_rows(data, decisions)),
        "exposure": list(exposure_rows(data, decisions, simulated)),
        "stores": list(stores_rows(data, decisions)),
        "first_year": list(first_year_rows(data, decisions, less)),
    }
    years = np.array([data.exposure_years(t) for t in range(settings.quarters)])
    return Schedule(
        instance_name=instance.name,
        instance_hash=instance.content_hash,
        cooperation=plan.cooperation,
        settings=settings,
        state=state,
        scenario_count=start.drawn.count,
        gap_asked=gap,
        status="optimal" if status == "optimal" else "time_limit",
        cost_usd=cost,
        bound_usd=bound,
        gap=(cost - bound) / abs(cost) if cost else 0.0,
        solver_bound_usd=solver_bound,
        payments_usd=paid,
        missed_usd=missed,
        exposure_usd=exposed,
        exposure_simulated_usd=float((simulated @ years).sum()),
        exposure_at_once_usd=float(years.sum())
        * sum(float(item.cost.min()) for item in data.exposures),
        **{name: typed_table(columns, rows[name]) for name, columns in TABLES.items()},
    )


def _check(
    settings: ScheduleSettings,
    state: State | None,
    gap: float,
    scenarios: int | None,
    threads: int | None,
) -> None:
    """Raise `UsageError` if an argument is out of range."""
    wrong = [
        f"{name} is {value}; expected at least 1"
        for name, value in (("scenarios", scenarios), ("threads", threads))
        if value is not None and value < 1
    ]
    if not 0.0 <= gap < 1.0:
        wrong.append(f"gap is {gap!r}; expected a fraction from 0 to less than 1")
    if settings.replenish_years is not None and state is None:
        wrong.append("replenish_years needs a state: it says what has been released")
    if wrong:
        raise UsageError("\n".join(wrong))


def _solved(
    data: ScheduleData, gap: float, time_limit: float | None, *, due: bool = True
) -> tuple[Decisions, LinearModel, str, float]:
    """Solve a calendar, and recompute that it keeps all limits."""
    if not due:
        data = replace(data, due=np.zeros_like(data.due))
    model, at = schedule_model(data)
    if not data.lots.size and not data.excess_lots.size:
        none = np.zeros((0, data.settings.quarters), dtype=np.int64)
        existing = data.couplings.facilities.existing
        open_ = np.repeat(existing[:, None], data.settings.quarters, axis=1)
        return Decisions(none, none, open_), model, "optimal", relaxed_bound(model)
    found = solve_linear(model, gap=gap, time_limit=time_limit, stoppable=True)
    if not found.values.size:
        if found.status == "infeasible" and data.due.any():
            raise UsageError(
                "no calendar buys back in time what has been released: budgets, caps on the share "
                "of supply or stores do not allow it. Give more years to replenish in, or raise "
                "them."
            )
        if found.status == "infeasible":
            raise CheckError(
                "the solver says that no calendar keeps all limits, but to buy nothing"
            )
        raise UsageError("the time limit ended the search before any calendar was found")
    whole = np.rint(found.values).astype(np.int64)
    decisions = Decisions(whole[at.bought], whole[at.disposed], whole[at.open_] > 0)
    wrong = list(broken(data, decisions))
    if wrong:
        raise CheckError(f"the calendar breaks a limit: {'; '.join(wrong[:3])}")
    return decisions, model, found.status, found.bound


def cost_of(data: ScheduleData, decisions: Decisions) -> tuple[float, float]:
    """Return payments less income, and exposure, at their worth at the beginning [USD]."""
    years = [data.exposure_years(t) for t in range(data.settings.quarters)]
    return money(data, decisions), float(
        (exposure_costs(data, decisions.bought) @ np.array(years)).sum()
    )


def relaxed_bound(model: LinearModel) -> float:
    """Return what no solution costs less than, from the duals of the linear relaxation.

    With rows ``A x`` within their bounds and all variables bounded, any duals y prove ``sum over
    rows of y b, plus sum over variables of the least (c - y A) x within their bounds``; added up
    here in double precision.
    """
    found = solve_linear(replace(model, integer=np.zeros_like(model.integer)), stoppable=True)
    if found.row_duals.size != model.row_lower.size:
        return -math.inf
    duals = found.row_duals
    side = np.where(duals > 0.0, model.row_lower, model.row_upper)
    duals = np.where(np.isfinite(side), duals, 0.0)
    reduced = model.cost - model.matrix.T @ duals
    least = np.where(reduced >= 0.0, model.lower, model.upper)
    return float(duals @ np.where(np.isfinite(side), side, 0.0)) + float(reduced @ least)
