"""What could be done instead of following the agreed rules, on the same continuations.

Every alternative is a rule of each owner, or changes what is asked: releases that wait for a month,
and firms that do with less. So all of them are simulated by the kernel, side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.rules import OWN, Rule, StreamRule, rule_menu
from stockpile.simulate import Course, Request, Runs, candidate_terms, simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.desk.situation import Situation
    from stockpile.needs import Needs
    from stockpile.parallel import Workers
    from stockpile.problem import Problem
    from stockpile.rules import RuleMenu
    from stockpile.scenarios import ScenarioSet
    from stockpile.simulate import Simulation

FOLLOW, HOLD, RELEASE, OWN_ONLY = "follow", "hold", "release", "own_only"
WAIT, THRIFT, BEST = "wait", "thrift", "best_rules"
MORE_THRIFT = 0.1
"""Part of the need of the last class that firms are asked to do without, besides what they do."""
MOST_COMBINATIONS = 20_000
"""Combinations of rules of a block up to which all are simulated."""
AT_ONCE = 640
"""How many are simulated in one call."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What some candidates cost a block from now on.

    Attributes
    ----------
    scenario
        (S',) continuations in which anything is needed.
    usd
        (S', C, P) shortage, shipping and conversion by who bears it, equation (7) without its
        yearly mean [USD].
    """

    scenario: NDArray[np.int64]
    usd: NDArray[np.float64]


def default_name(participant: str) -> str:
    """Return the name of the alternative in which a participant does not help its partners."""
    return f"{participant}_defaults"


def wider_menu(problem: Problem) -> RuleMenu:
    """Return the menu with the rules of the alternatives after its own.

    After R rules there are: to hold everything, to release to all at once, and each of the R rules
    without its lines for partners. Nothing else changes: no row begins at another age.
    """
    K = len(problem.classes)
    never: tuple[tuple[StreamRule, ...], ...] = tuple(() for _ in range(K))
    always = tuple((StreamRule(),) for _ in range(K))
    menu = problem.menu
    own = (Rule(f"{rule.name} {OWN_ONLY}", (rule.rows[OWN], never)) for rule in menu.rules)
    more = (Rule(HOLD, (never, never)), Rule(RELEASE, (always, always)), *own)
    return rule_menu([*menu.rules, *more], K)


def rule_alternatives(problem: Problem, rules: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Return the alternatives that are rules: those of each owner in the wider menu, (C,)."""
    R = len(problem.menu.rules)
    own = R + 2 + rules
    found = {
        FOLLOW: rules,
        HOLD: np.full_like(rules, R),
        RELEASE: np.full_like(rules, R + 1),
        OWN_ONLY: own,
    }
    for c, name in enumerate(problem.participants):
        alone = rules.copy()
        alone[c] = own[c]
        found[default_name(name)] = alone
    return found


def costs(
    situation: Situation,
    block: Block,
    course: Course,
    rules: NDArray[np.int64],
    menu: RuleMenu,
    workers: Workers,
) -> Cost:
    """Simulate rules of each owner, (C, P), on the continuations, and count what they cost."""
    steps = situation.steps(block)
    dear = np.flatnonzero(steps.cost > 0.0)
    request = Request.of(streams=range(block.num_streams), steps=dear.tolist())
    result = _simulated(situation, block, course, rules, menu, request, workers)
    problem, needs = situation.problem, course.needs
    usd = np.zeros((needs.scenario.size, len(problem.participants), rules.shape[1]))
    worth, bearer = _worth(problem, block)
    for q, c in enumerate(bearer.tolist()):
        usd[:, c] += worth[q] * result.unserved_of[:, q]
    receives = block.market_participant[steps.market]
    for place, j in enumerate(dear.tolist()):
        usd[:, receives[j]] += steps.cost[j] * result.released_of[:, place]
    return Cost(needs.scenario, usd)


def course_of(
    situation: Situation, block: Block, needs: Needs, menu: RuleMenu, workers: Workers
) -> Course:
    """Return the course of needs from the current month on."""
    return Course.of(needs, situation.steps(block), menu.breakpoints, workers)


def waiting(course: Course, month: int) -> Course:
    """Return a course in which nothing is released in a month."""
    segment = course.segment.copy()
    segment[course.needs.month == month] = -1
    return Course(course.needs, course.steps, segment, Runs.of(course.needs, course.steps, segment))


def thriftier(situation: Situation, more: float = MORE_THRIFT) -> Situation:
    """Return a situation in which the last class does with less from now on."""
    problem = situation.problem
    share, after = problem.thrift_share.copy(), problem.thrift_after.copy()
    share[:, :, -1] = np.minimum(share[:, :, -1] + more, 1.0)
    after[:, :, -1] = 0
    return replace(situation, problem=replace(problem, thrift_share=share, thrift_after=after))


def best_rules(
    situation: Situation, block: Block, course: Course, workers: Workers
) -> tuple[NDArray[np.int64], bool]:
    """Find the rules of the menu that cost all owners together least from here on, stocks as given.

    All combinations are simulated, so the answer is exact on these continuations. Where there are
    too many, one owner's rule after the other is chosen until none is better.

    Returns
    -------
    Rules (C,), those agreed on where no others are better, and whether all were looked at.
    """
    problem = situation.problem
    _, _, agreed = situation.of_block(block)
    R, C = len(problem.menu.rules), agreed.size
    if float(R) ** C <= MOST_COMBINATIONS:
        every = np.stack(np.meshgrid(*[np.arange(R)] * C, indexing="ij")).reshape(C, -1)
        return _cheapest(situation, block, course, np.column_stack([agreed, every]), workers), True
    best = agreed
    while True:
        before = best
        for c in range(C):
            tried = np.repeat(best[:, None], R + 1, axis=1)
            tried[c, 1:] = np.arange(R)
            best = _cheapest(situation, block, course, tried, workers)
        if (best == before).all():
            return best, False


def _cheapest(
    situation: Situation,
    block: Block,
    course: Course,
    rules: NDArray[np.int64],
    workers: Workers,
) -> NDArray[np.int64]:
    """Return the cheapest of rules (C, P); the first where none is better by more than rounding."""
    expected = np.concatenate(
        [
            _expected(situation, block, course, rules[:, first : first + AT_ONCE], workers)
            for first in range(0, rules.shape[1], AT_ONCE)
        ]
    )
    least = int(expected.argmin())
    better = expected[least] < expected[0] - SAME * max(abs(expected[0]), 1.0)
    return rules[:, least if better else 0]


SAME = 1e-9
"""A relative difference below this is rounding."""


def _expected(
    situation: Situation,
    block: Block,
    course: Course,
    rules: NDArray[np.int64],
    workers: Workers,
) -> NDArray[np.float64]:
    """Return the expected cost of rules (C, P) from here on, (P,) [USD]."""
    problem, steps = situation.problem, situation.steps(block)
    result = _simulated(situation, block, course, rules, problem.menu, Request.of(), workers)
    worth, _ = _worth(problem, block)
    return np.asarray(worth @ result.unserved + steps.cost @ result.released)


def _simulated(
    situation: Situation,
    block: Block,
    course: Course,
    rules: NDArray[np.int64],
    menu: RuleMenu,
    request: Request,
    workers: Workers,
) -> Simulation:
    holding, stock, _ = situation.of_block(block)
    P = rules.shape[1]
    terms = candidate_terms(
        menu,
        situation.steps(block),
        np.repeat(holding[:, None], P, axis=1),
        rules,
        np.repeat(stock[:, None], P, axis=1),
    )
    refill = situation.problem.refill[block.market_participant]
    return simulate(block, course, terms, refill, request, workers)


def _worth(problem: Problem, block: Block) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return what a missing tonne of each stream costs (Q,) [USD/t], and whom."""
    c, m = block.market_participant, block.market_material
    z = block.stream_market
    return problem.shortage_cost[c[z], m[z], block.stream_class], c[z]


def total(costs_of: Sequence[Cost], scenarios: ScenarioSet) -> NDArray[np.float64]:
    """Add up what blocks cost in every continuation, (S, C, P) [USD]."""
    shape = costs_of[0].usd.shape[1:]
    added = np.zeros((scenarios.count, *shape))
    for cost in costs_of:
        added[cost.scenario] += cost.usd
    return added
