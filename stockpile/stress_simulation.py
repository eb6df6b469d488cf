"""What happens to a plan in every stress case, month by month, or week by week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stockpile.blocks import build_blocks
from stockpile.needs import block_needs
from stockpile.parallel import Workers
from stockpile.plan_decisions import plan_decisions
from stockpile.problem import build_problem
from stockpile.result_tables import typed_table
from stockpile.rules import OWN
from stockpile.scenarios import stress_cases
from stockpile.simulate import candidate_terms, simulate_months

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from stockpile.blocks import Block, Steps
    from stockpile.instance import Instance
    from stockpile.needs import Needs
    from stockpile.plan import Plan
    from stockpile.problem import Problem
    from stockpile.simulate import Months


@dataclass(frozen=True)
class StressRuns:
    """The course of every stress case under a plan.

    Attributes
    ----------
    needs
        stress, participant, material, demand_class, month (from 1), need_t, own_t and partner_t
        (released from the own stock and from partners'), unserved_t. Months without need of a
        material have no rows. Where the period of the instance is a week, the column is week.
    stocks
        stress, participant, material, month or week (0 is the start), holding_t (what is agreed to
        be held), state_t (what is there at its end). Only materials that are needed in the case.
    """

    needs: pd.DataFrame
    stocks: pd.DataFrame


def stress_runs(instance: Instance, plan: Plan) -> StressRuns:
    """Simulate a plan in every case of ``stress.csv``, equations (4) to (6).

    Raises
    ------
    ResultError
        If the plan holds no holdings, or does not fit the instance.
    """
    problem = build_problem(instance)
    cases = stress_cases(instance, problem)
    lots, rules, states = plan_decisions(problem, plan)
    needs_rows: list[dict[str, Any]] = []
    stock_rows: list[dict[str, Any]] = []
    with Workers(1) as workers:
        for block in build_blocks(problem) if cases.count else ():
            steps = block.own_steps if plan.cooperation == "none" else block.steps
            needs = block_needs(problem, block, cases, workers, states)
            if not needs.scenario.size:
                continue
            months, holding = _simulated(problem, block, steps, needs, lots, rules)
            for place, case in enumerate(needs.scenario):
                name = cases.names[case]
                needs_rows += _needs_of(problem, block, steps, months, place, name)
                stock_rows += _stocks_of(problem, block, months, holding, place, name)
    return StressRuns(
        *(
            typed_table(columns, rows).rename(columns=problem.period.column)
            for columns, rows in ((_NEEDS, needs_rows), (_STOCKS, stock_rows))
        )
    )


def _simulated(
    problem: Problem,
    block: Block,
    steps: Steps,
    needs: Needs,
    lots: NDArray[np.int64],
    rules: NDArray[np.int64],
) -> tuple[Months, NDArray[np.float64]]:
    c, m = block.market_participant, block.market_material
    holding = lots[c, m] * problem.lot[m]
    rule = rules[:, block.materials[0]]
    terms = candidate_terms(problem.menu, steps, holding[:, None], rule[:, None])
    months = simulate_months(block, needs, terms, problem.refill[c], problem.horizon)
    return months, holding


_NEEDS = {
    "stress": str,
    "participant": str,
    "material": str,
    "demand_class": str,
    "month": int,
    "need_t": float,
    "own_t": float,
    "partner_t": float,
    "unserved_t": float,
}
_STOCKS = {
    "stress": str,
    "participant": str,
    "material": str,
    "month": int,
    "holding_t": float,
    "state_t": float,
}


def _needs_of(
    problem: Problem, block: Block, steps: Steps, months: Months, place: int, name: str
) -> list[dict[str, Any]]:
    released = months.released[place, :, :, 0]  # (T, J)
    rows = []
    for q in range(block.num_streams):
        z = block.stream_market[q]
        need = months.need[place, :, q]
        own = released[:, (steps.stream == q) & (steps.relation == OWN)].sum(axis=1)
        partner = released[:, (steps.stream == q) & (steps.relation != OWN)].sum(axis=1)
        rows += [
            {
                "stress": name,
                "participant": problem.participants[block.market_participant[z]],
                "material": problem.materials[block.market_material[z]],
                "demand_class": problem.classes[block.stream_class[q]],
                "month": int(t) + 1,
                "need_t": need[t],
                "own_t": own[t],
                "partner_t": partner[t],
                "unserved_t": max(need[t] - own[t] - partner[t], 0.0),
            }
            for t in np.flatnonzero(need > 0.0)
        ]
    return rows


def _stocks_of(
    problem: Problem,
    block: Block,
    months: Months,
    holding: NDArray[np.float64],
    place: int,
    name: str,
) -> list[dict[str, Any]]:
    rows = []
    for i in range(block.num_stocks):
        states = [holding[i], *months.state[place, :, i, 0]]
        rows += [
            {
                "stress": name,
                "participant": problem.participants[block.market_participant[i]],
                "material": problem.materials[block.market_material[i]],
                "month": month,
                "holding_t": holding[i],
                "state_t": state,
            }
            for month, state in enumerate(states)
        ]
    return rows
