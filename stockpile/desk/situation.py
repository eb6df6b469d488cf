"""A plan and a state made ready: stocks, rules, projects and the timeline that they share.

The timeline begins with the plan's first month, so that the age of events, what firms have drawn
from their own stocks, and thrift, equation (3), are what they are by now. The simulation begins
with the current month, and with the stocks of that day. A month is a period of the problem: a
month, or a week.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.blocks import build_blocks
from stockpile.desk.moments import current
from stockpile.errors import UsageError
from stockpile.needs import block_needs
from stockpile.periods import PERIODS
from stockpile.plan_decisions import plan_decisions
from stockpile.problem import build_problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.blocks import Block, Steps
    from stockpile.desk.state import State
    from stockpile.instance import Instance
    from stockpile.needs import Needs
    from stockpile.parallel import Workers
    from stockpile.plan import Plan
    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet


@dataclass(frozen=True, slots=True)
class Situation:
    """What a plan holds and prescribes, and what is there, in one month.

    Attributes
    ----------
    problem
        Its horizon reaches to the last month looked at.
    blocks
        Materials that are simulated together.
    month
        Current month, counted from 0.
    holding, stock
        (C, M) what is agreed to be held, and what is there at the beginning of the month [t].
        What is there beyond the agreement counts as held: rules are about fractions of it.
    rules
        (C, M) rule of each owner, an index into the problem's menu.
    states
        (N,) states of projects.
    sharing
        Whether partners may release to each other.
    """

    problem: Problem
    blocks: tuple[Block, ...]
    month: int
    holding: NDArray[np.float64]
    stock: NDArray[np.float64]
    rules: NDArray[np.int64]
    states: NDArray[np.int64]
    sharing: bool

    def steps(self, block: Block) -> Steps:
        """Return the steps of a month."""
        return block.steps if self.sharing else block.own_steps

    def of_block(
        self, block: Block
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Return holdings (I,), stocks (I,) and the owners' rules (C,) of a block."""
        c, m = block.market_participant, block.market_material
        return self.holding[c, m], self.stock[c, m], self.rules[:, block.materials[0]]

    def needs(self, block: Block, scenarios: ScenarioSet, workers: Workers) -> Needs:
        """Return the needs of a block from the current month on."""
        return block_needs(self.problem, block, scenarios, workers, self.states).since(self.month)


def situation(instance: Instance, plan: Plan, state: State, months: int | None = None) -> Situation:
    """Make a plan and a state of it ready.

    Parameters
    ----------
    months
        How many months are looked at, from the current period on; None for the horizon of the
        instance.

    Raises
    ------
    ResultError
        If the plan does not fit the instance.
    UsageError
        If a stock is only known as a band.
    """
    ahead = PERIODS[instance.period].whole(instance.horizon_months if months is None else months)
    problem = timeline(instance, state, ahead)
    lots, rules, states = plan_decisions(problem, plan)
    holding = lots * problem.lot
    stock = holding.copy()
    for row in state.stocks:
        if row.stock_t is None:
            raise UsageError(
                f"the stock of {row.material} in {row.participant} is only known as a band; "
                "stockpile respond --side NAME writes the orders of one nation"
            )
        c = problem.participants.index(row.participant)
        stock[c, problem.materials.index(row.material)] = row.stock_t
    return Situation(
        problem=problem,
        blocks=build_blocks(problem),
        month=problem.horizon - ahead,
        holding=np.maximum(holding, stock),
        stock=stock,
        rules=rules,
        states=states,
        sharing=plan.cooperation != "none",
    )


def timeline(instance: Instance, state: State, periods: int) -> Problem:
    """Return the problem whose periods are those up to the last one looked at.

    Parameters
    ----------
    periods
        How many periods are looked at, the current one included.
    """
    return build_problem(instance, current(state, PERIODS[instance.period]) - 1 + periods)
