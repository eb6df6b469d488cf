"""What shortages cost while a reserve is still being built: simulated tables, one for each block.

A level of a nation is the part of what it lacks of a block's materials that it has bought, the same
part of each. A table holds the expected shortage, shipping and conversion cost of a year (7) under
the plan's rules at every combination of some levels. It never rises with a level (Proposition 1
and its corollary; where shipping is dearer than later steps, rounding up to the running minimum
from full stocks down makes it so). Between the levels the calendar counts with the lower convex
envelope.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.needs import block_needs, yearly
from stockpile.simulate import Course, Request, candidate_terms, simulate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.parallel import Workers
    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Parts of what is lacking at which blocks are simulated."""
FEWER_LEVELS = (0.0, 0.5, 1.0)
"""The same where more than two nations lack something."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Expected cost of shortages of one block by how far its stocks have been built up.

    Attributes
    ----------
    block
        Index of the block.
    buyers
        (B,) participants that lack anything of it.
    level
        (G, B) combinations of their levels; each runs from 0 to 1.
    cost
        (G,) expected cost of a year [USD/year].
    """

    block: int
    buyers: NDArray[np.int64]
    level: NDArray[np.float64]
    cost: NDArray[np.float64]


def exposure(
    problem: Problem,
    number: int,
    block: Block,
    scenarios: ScenarioSet,
    today: NDArray[np.float64],
    target: NDArray[np.float64],
    rules: NDArray[np.int64],
    states: NDArray[np.int64],
    workers: Workers,
    *,
    sharing: bool,
) -> Exposure:
    """Simulate the table of a block.

    Parameters
    ----------
    today, target
        (C, M) stocks to begin with, and to end with [t].
    rules
        (C, M) of the plan.
    states
        (N,) states of projects in the plan.
    """
    c, m = block.market_participant, block.market_material
    lacking = np.maximum(target - today, 0.0)[c, m]
    buyers = np.unique(c[lacking > 0.0])
    levels = LEVELS if buyers.size <= 2 else FEWER_LEVELS
    level = np.array(list(itertools.product(levels, repeat=buyers.size)))
    level = level.reshape(-1, buyers.size)
    part = np.ones((len(level), len(problem.participants)))
    part[:, buyers] = level
    holding = today[c, m][:, None] + lacking[:, None] * part[:, c].T  # (I, G)
    cost = simulated_cost(
        problem, block, scenarios, holding, rules, states, workers, sharing=sharing
    )
    return Exposure(number, buyers, level, _falling(level, cost))


def simulated_cost(
    problem: Problem,
    block: Block,
    scenarios: ScenarioSet,
    holding: NDArray[np.float64],
    rules: NDArray[np.int64],
    states: NDArray[np.int64],
    workers: Workers,
    *,
    sharing: bool,
) -> NDArray[np.float64]:
    """Return the expected shortage, shipping and conversion cost of holdings (I, P) [USD/year]."""
    steps = block.steps if sharing else block.own_steps
    rule = np.repeat(rules[:, block.materials[0], None], holding.shape[1], axis=1)
    needs = block_needs(problem, block, scenarios, workers, states)
    course = Course.of(needs, steps, problem.menu.breakpoints, workers)
    terms = candidate_terms(problem.menu, steps, holding, rule)
    refill = problem.refill[block.market_participant]
    result = simulate(block, course, terms, refill, Request.of(), workers)
    z = block.stream_market
    worth = problem.shortage_cost[
        block.market_participant[z], block.market_material[z], block.stream_class
    ]
    total = worth @ result.unserved + steps.cost @ result.released
    return np.asarray(yearly(1.0, problem) * total)


def _falling(level: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return costs that never rise with a level: none is below that of any higher levels."""
    above = (level[None, :, :] >= level[:, None, :] - 1e-12).all(axis=2)  # (G, G'): G' above G.
    falling: NDArray[np.float64] = np.where(above, cost[None, :], -np.inf).max(axis=1)
    return falling
