"""What could be done instead of following the agreed rules, on the same continuations.

Every alternative is a rule of each owner, or changes what is asked: releases that wait for a month,
and firms that do with less. So all of them are simulated by the kernel, side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.desk.outlook import expectations, least_value, promises_of
from stockpile.problem import LEVEL_TOLERANCE
from stockpile.rules import OWN, Rule, StreamRule, rule_menu
from stockpile.simulate import Course, Request, Runs, candidate_terms, simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.desk.situation import Situation
    from stockpile.needs import Needs
    from stockpile.parallel import Workers
    from stockpile.problem import Problem, Promise
    from stockpile.rules import RuleMenu
    from stockpile.scenarios import ScenarioSet
    from stockpile.simulate import Simulation

FOLLOW, HOLD, RELEASE, OWN_ONLY = "follow", "hold", "release", "own_only"
WAIT, THRIFT, BEST = "wait", "thrift", "best_rules"
MORE_THRIFT = 0.1
"""Part of the need of the last class that firms are asked to do without, besides what they do."""
MOST_COMBINATIONS = 20_000
"""Combinations of rules of a block up to which all are simulated."""
AT_ONCE = 128
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
    kept
        (P,) promises of the block that are to be expected to be kept.
    """

    scenario: NDArray[np.int64]
    usd: NDArray[np.float64]
    kept: NDArray[np.int64]

    def of(self, place: int) -> Cost:
        """Return the cost of one candidate alone, its axis left out."""
        return Cost(self.scenario, self.usd[:, :, place], self.kept[place])


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
    return rule_menu([*menu.rules, *more], K, problem.period)


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
    count: int,
    workers: Workers,
) -> Cost:
    """Simulate rules of each owner, (C, P), on the continuations, and count what they cost.

    Parameters
    ----------
    count
        Number of continuations.
    """
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
    promises = promises_of(situation, block)
    values = expectations(block, promises, needs, result.unserved_of, count)
    asked = np.array([least_value(promise) for promise in promises])
    kept = values >= asked[:, None] - LEVEL_TOLERANCE
    return Cost(needs.scenario, usd, kept.sum(axis=0))


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
    situation: Situation, block: Block, course: Course, count: int, workers: Workers
) -> tuple[NDArray[np.int64], bool]:
    """Find the rules of the menu that cost all owners together least from here on, stocks as given.

    They serve no promise worse than the agreed ones do, but where these serve it better than was
    promised. All combinations are simulated, so the answer is exact on these continuations. Where
    there are too many, one owner's rule after the other is chosen until none is better.

    Parameters
    ----------
    count
        Number of continuations.

    Returns
    -------
    Rules (C,), those agreed on where no others are better, and whether all were looked at.
    """
    _, _, agreed = situation.of_block(block)
    R, C = len(situation.problem.menu.rules), agreed.size
    promises = promises_of(situation, block)
    _, now = _judged(situation, block, course, agreed[:, None], promises, count, workers)
    asked = np.minimum(now[:, 0], [least_value(promise) for promise in promises])

    def cheapest(rules: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the cheapest of rules (C, P); the first where none is better."""
        parts = [
            _judged(situation, block, course, some, promises, count, workers)
            for some in np.array_split(rules, -(-rules.shape[1] // AT_ONCE), axis=1)
        ]
        expected = np.concatenate([cost for cost, _ in parts])
        values = np.concatenate([value for _, value in parts], axis=1)
        keeps = np.asarray((values >= asked[:, None] - LEVEL_TOLERANCE).all(axis=0))
        least = int(np.where(keeps, expected, np.inf).argmin())
        better = expected[least] < expected[0] - SAME * max(abs(expected[0]), 1.0) or not keeps[0]
        return rules[:, least if better else 0]

    def without_idle_changes(best: NDArray[np.int64]) -> NDArray[np.int64]:
        """Take back the changes of owners that make no difference."""
        for c in np.flatnonzero(best != agreed):
            kept = best.copy()
            kept[c] = agreed[c]
            # The first wins unless the second is better by more than rounding.
            best = cheapest(np.column_stack([kept, best]))
        return best

    if float(R) ** C <= MOST_COMBINATIONS:
        every = np.stack(np.meshgrid(*[np.arange(R)] * C, indexing="ij")).reshape(C, -1)
        return without_idle_changes(cheapest(np.column_stack([agreed, every]))), True
    best = agreed
    while True:
        before = best
        for c in range(C):
            tried = np.repeat(best[:, None], R + 1, axis=1)
            tried[c, 1:] = np.arange(R)
            best = cheapest(tried)
        if (best == before).all():
            return without_idle_changes(best), False


SAME = 1e-9
"""A relative difference below this is rounding."""


def _judged(
    situation: Situation,
    block: Block,
    course: Course,
    rules: NDArray[np.int64],
    promises: Sequence[Promise],
    count: int,
    workers: Workers,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the expected cost of rules (C, P) from here on, (P,) [USD], and promises' values."""
    problem, steps = situation.problem, situation.steps(block)
    request = Request.of(streams=range(block.num_streams if promises else 0))
    result = _simulated(situation, block, course, rules, problem.menu, request, workers)
    worth, _ = _worth(problem, block)
    values = expectations(block, promises, course.needs, result.unserved_of, count)
    return worth @ result.unserved + steps.cost @ result.released, values


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
