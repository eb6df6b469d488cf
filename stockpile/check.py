"""Incumbents judged once more, on all promises and, in part, by other code than the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.choices import owners_rules, variant_of
from stockpile.errors import CheckError
from stockpile.problem import LEVEL_TOLERANCE
from stockpile.simulate import candidate_terms, simulate_months

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.certificate import Certificate
    from stockpile.evaluator import Evaluator
    from stockpile.limits import LimitUse
    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet
    from stockpile.scores import Judgement

CHECKED_SCENARIOS = 200
"""Scenarios that are simulated again in plain NumPy, which is slow."""
ROUNDING = 1e-9
"""Relative difference that rounding may explain."""


def check_incumbent(evaluator: Evaluator, certificate: Certificate, judgement: Judgement) -> None:
    """Recompute an incumbent: its cost, every promise, and in plain NumPy what it leaves unserved.

    The promises are judged on all scenarios, those that an owner keeps alone included, which the
    search only looks up.

    Raises
    ------
    CheckError
        If anything differs by more than rounding: a bug, never the user's mistake.
    """
    lots, rule = certificate.lots, certificate.rule
    assert lots is not None
    assert rule is not None
    name = evaluator.block.name
    cost = float(judgement.cost.sum())
    if abs(cost - certificate.incumbent) > ROUNDING * max(abs(cost), 1.0):
        raise CheckError(
            f"{name}: the plan costs {cost!r}, the search said {certificate.incumbent!r}"
        )
    if not judgement.met.all():
        broken = evaluator.promises[int(np.flatnonzero(~judgement.met)[0])]
        raise CheckError(f"{name}: the plan breaks a promise: {broken}")
    if certificate.bound > certificate.incumbent:
        raise CheckError(f"{name}: the bound {certificate.bound!r} is above the plan's cost")
    needs = evaluator.first_needs(CHECKED_SCENARIOS, int(variant_of(rule)))
    holding, followed = evaluator.holding(lots[None, :]).T, owners_rules(rule)[:, None]
    terms = candidate_terms(evaluator.problem.menu, evaluator.steps, holding, followed)
    plain = simulate_months(
        evaluator.block, needs, terms, evaluator.refill, evaluator.problem.horizon
    )
    fast = evaluator.unserved(lots, rule)[: needs.scenario.size]
    if not np.allclose(
        plain.unserved[:, :, 0],
        fast,
        rtol=ROUNDING,
        atol=ROUNDING * max(float(holding.max()), 1e-6),
    ):
        raise CheckError(f"{name}: two ways of simulating the plan disagree")


def check_limits(
    problem: Problem,
    scenarios: ScenarioSet,
    uses: Sequence[LimitUse],
    groups: Sequence[float],
    cost: float,
    bound: float,
) -> None:
    """Check a plan for all materials against the limits that it shares, as worked out anew.

    Parameters
    ----------
    groups
        Probability that each joint chance group is covered.

    Raises
    ------
    CheckError
        If a limit is broken, or the bound is above the cost: a bug, never the user's mistake.
    """
    for used in uses:
        if not used.kept:
            raise CheckError(f"the plan breaks a limit: {used}")
    tolerance = 2.0 * LEVEL_TOLERANCE + scenarios.rounded_away
    for group, reached in zip(problem.groups, groups, strict=True):
        if reached < group.confidence - tolerance:
            raise CheckError(
                f"the plan covers {group.name} with probability {reached!r}, "
                f"promised was {group.confidence!r}"
            )
    if bound > cost:
        raise CheckError(f"the bound {bound!r} is above the plan's cost {cost!r}")
