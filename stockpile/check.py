"""Incumbents judged once more, on all promises and, in part, by other code than the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.errors import CheckError
from stockpile.simulate import candidate_terms, simulate_months

if TYPE_CHECKING:
    from stockpile.boxsearch import Certificate
    from stockpile.evaluator import Evaluator, Judgement

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
    cost = float((judgement.holding + judgement.shortage + judgement.shipping).sum())
    if abs(cost - certificate.incumbent) > ROUNDING * max(abs(cost), 1.0):
        raise CheckError(
            f"{name}: the plan costs {cost!r}, the search said {certificate.incumbent!r}"
        )
    if not judgement.met.all():
        broken = evaluator.promises[int(np.flatnonzero(~judgement.met)[0])]
        raise CheckError(f"{name}: the plan breaks a promise: {broken}")
    if certificate.bound > certificate.incumbent:
        raise CheckError(f"{name}: the bound {certificate.bound!r} is above the plan's cost")
    needs = evaluator.needs.head(CHECKED_SCENARIOS)
    holding = evaluator.holding(lots[None, :]).T
    terms = candidate_terms(evaluator.problem.menu, evaluator.steps, holding, rule[:, None])
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
