"""What a plan decides, as arrays, and as the first thing that another search looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.choices import owners_rules, with_variant
from stockpile.projects import FAST, FUNDED
from stockpile.rules import OWN, PARTNER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.evaluator import Evaluator
    from stockpile.plan import Plan
    from stockpile.problem import Problem
    from stockpile.redacted_plans import RedactedPlan
    from stockpile.rules import RuleMenu


def decisions(problem: Problem, plan: Plan) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return lots and rules, both (C, M), of a plan that was made for the problem."""
    lots = _by_market(problem, plan, plan.holdings["lots"].to_list())
    names = problem.menu.names
    return lots, _by_market(problem, plan, [names.index(rule) for rule in plan.rules["rule"]])


def project_states(problem: Problem, plan: Plan | RedactedPlan) -> NDArray[np.int64]:
    """Return the states of all projects (N,) in a plan that was made for the problem."""
    states = np.zeros(problem.projects.count, dtype=np.int64)
    table = plan.projects
    for name, funded, fast in zip(
        table["project"], table["funded"], table["fast_track"], strict=True
    ):
        states[problem.projects.names.index(name)] = FAST if fast else FUNDED if funded else 0
    return states


def _by_market(problem: Problem, plan: Plan, values: Sequence[int]) -> NDArray[np.int64]:
    """Return the values (C, M) of the rows that holdings and rules have in the same order."""
    found = np.zeros((len(problem.participants), len(problem.materials)), dtype=np.int64)
    for value, participant, material in zip(
        values, plan.holdings["participant"], plan.holdings["material"], strict=True
    ):
        found[problem.participants.index(participant), problem.materials.index(material)] = value
    return found


def chosen(
    problem: Problem, blocks: Sequence[Block], plan: Plan
) -> Iterator[tuple[Block, NDArray[np.int64], NDArray[np.int64]]]:
    """Yield every block with what a plan has chosen for it: lots (I,), and rules (C + 1,).

    The variant among these is the only one of an evaluator with the plan's project states.
    """
    lots, rules = decisions(problem, plan)
    for block in blocks:
        # One rule per owner and block, the same for all its materials.
        own = lots[block.market_participant, block.market_material]
        yield block, own, with_variant(rules[:, block.materials[0]], 0)


def known_candidates(
    plan: Plan, evaluators: Sequence[Evaluator]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return lots (I,) and rules (C + 1,) by block that do the same as a plan in another world.

    In the world ``none`` partners get nothing, whatever the rules say. Elsewhere a closed variant
    says the same: it serves its own nation alike, and partners never. Empty where there is no
    plan, or the menu lacks the closed variant of a rule.

    Parameters
    ----------
    evaluators
        One for each block, of the world that is to be searched.
    """
    if not plan.found:
        return []
    problem = evaluators[0].problem
    same = np.arange(len(problem.menu.rules))
    if plan.cooperation == "none" and evaluators[0].sharing:
        same = closed_variants(problem.menu)
    blocks = [evaluator.block for evaluator in evaluators]
    states = project_states(problem, plan)
    found = [
        (lots, with_variant(same[owners_rules(rules)], evaluator.variants.of(states)))
        for evaluator, (_, lots, rules) in zip(
            evaluators, chosen(problem, blocks, plan), strict=True
        )
    ]
    return [] if any((rules < 0).any() for _, rules in found) else found


def closed_variants(menu: RuleMenu) -> NDArray[np.int64]:
    """Return for each rule one that serves its own nation alike and partners never; -1 without."""
    shut = np.isinf(menu.trigger[:, PARTNER]).all(axis=(1, 2))
    variants = np.full(len(menu.rules), -1, dtype=np.int64)
    for r in range(len(menu.rules)):
        alike = shut.copy()
        for terms in (menu.level, menu.limit, menu.trigger):
            alike &= (terms[:, OWN] == terms[r, OWN]).all(axis=(1, 2))
        if alike.any():
            variants[r] = int(alike.argmax())
    return variants
