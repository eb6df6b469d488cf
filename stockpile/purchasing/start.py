"""What a calendar begins with: stocks, what they are to become, and what shortages cost between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.blocks import build_blocks
from stockpile.errors import UsageError
from stockpile.plan_decisions import plan_decisions
from stockpile.purchasing.exposure import exposure, simulated_cost
from stockpile.scenarios import scenario_set

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.desk.state import State
    from stockpile.instance import Instance
    from stockpile.parallel import Workers
    from stockpile.plan import Plan
    from stockpile.problem import Problem
    from stockpile.purchasing.data import ScheduleData
    from stockpile.purchasing.exposure import Exposure
    from stockpile.scenarios import ScenarioSet


@dataclass(frozen=True, slots=True)
class Start:
    """What a calendar begins with.

    Attributes
    ----------
    problem
        The problem.
    blocks
        Materials that are simulated together.
    drawn
        Scenarios that exposures are simulated on.
    today, target
        (C, M) stocks to begin with, and to end with [t].
    released
        (C, M) whether what is lacking has been released.
    rules, states
        (C, M) rules of the plan, and (N,) states of its projects.
    sharing
        Whether partners may release to each other.
    """

    problem: Problem
    blocks: tuple[Block, ...]
    drawn: ScenarioSet
    today: NDArray[np.float64]
    target: NDArray[np.float64]
    released: NDArray[np.bool_]
    rules: NDArray[np.int64]
    states: NDArray[np.int64]
    sharing: bool

    @staticmethod
    def of(
        instance: Instance,
        plan: Plan,
        problem: Problem,
        state: State | None,
        scenarios: int | None,
    ) -> Start:
        """Read a plan, and the stocks of a state or else those of today.

        Parameters
        ----------
        scenarios
            How many exposures are simulated on; None for those of the plan.
        """
        lots, rules, states = plan_decisions(problem, plan)
        target = lots * problem.lot
        today = problem.existing.copy()
        released = np.zeros(target.shape, dtype=np.bool_)
        if state is not None:
            today = target.copy()
            for row in state.stocks:
                c = problem.participants.index(row.participant)
                m = problem.materials.index(row.material)
                if row.stock_t is None:
                    raise UsageError(f"the stock of {row.material} is a band; expected tonnes")
                today[c, m] = row.stock_t
            released = today < target
        count = plan.scenario_count if scenarios is None else scenarios
        return Start(
            problem=problem,
            blocks=build_blocks(problem),
            drawn=scenario_set(instance, problem, count, plan.seed, plan.sampling),
            today=today,
            target=target,
            released=released,
            rules=rules,
            states=states,
            sharing=plan.cooperation != "none",
        )

    @property
    def incomplete(self) -> list[int]:
        """Return the numbers of the blocks of which anything is lacking."""
        lacking = self.today < self.target
        return [
            number
            for number, block in enumerate(self.blocks)
            if lacking[:, list(block.materials)].any()
        ]

    def exposures(self, workers: Workers, begin: Callable[[str], None]) -> list[Exposure]:
        """Simulate the tables of all blocks of which anything is lacking.

        Parameters
        ----------
        begin
            Is told which block is begun.
        """
        tables = []
        for number in self.incomplete:
            block = self.blocks[number]
            begin(f"exposure of {block.name}")
            tables.append(
                exposure(
                    self.problem,
                    number,
                    block,
                    self.drawn,
                    np.minimum(self.today, self.target),
                    self.target,
                    self.rules,
                    self.states,
                    workers,
                    sharing=self.sharing,
                )
            )
        return tables

    def simulated(
        self, data: ScheduleData, bought: NDArray[np.int64], workers: Workers
    ) -> NDArray[np.float64]:
        """Simulate what shortages cost with the stocks of each quarter, (blocks, T) [USD/year].

        Parameters
        ----------
        bought
            (I, T) lots.
        """
        T = data.settings.quarters
        there = np.repeat(np.minimum(self.today, self.target)[:, :, None], T, axis=2)
        for i, (c, m) in enumerate(zip(data.participant, data.material, strict=True)):
            there[c, m] += data.lot[i] * bought[i].cumsum()
        there = np.minimum(there, self.target[:, :, None])
        found = np.empty((len(data.exposures), T))
        for number, item in enumerate(data.exposures):
            block = self.blocks[item.block]
            holding = there[block.market_participant, block.market_material]
            different, at = np.unique(holding, axis=1, return_inverse=True)
            cost = simulated_cost(
                self.problem,
                block,
                self.drawn,
                different,
                self.rules,
                self.states,
                workers,
                sharing=self.sharing,
            )
            found[number] = cost[at.reshape(-1)]
        return found
