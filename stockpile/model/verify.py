"""Cost and limits of a choice of columns, recomputed from the data without any solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.problem import LEVEL_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from stockpile.model.selection import Selection


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit of the model (10)-(18) that a choice breaks.

    Attributes
    ----------
    equation
        Its number in the formulation.
    participant
        Whose limit it is; None for a limit of all together.
    item
        Block of (10), ``for projects`` in (11), storage kind of (12), group of (13), project of
        (14), source of (17); empty elsewhere.
    amount
        What the choice uses or reaches, in the unit of the limit.
    limit
        Most that is allowed, but for (13): least that is required.
    unit
        Of both; empty for numbers and probabilities.
    """

    equation: int
    participant: str | None
    item: str
    amount: float
    limit: float
    unit: str = ""

    def __str__(self) -> str:
        """Say it in one line, such as ``(11) outlay of japan: 12 USD, must be at most 10 USD``."""
        meaning = _MEANINGS[self.equation] + (f" {self.item}" if self.item else "")
        whose = self.participant or "all together"
        unit = f" {self.unit}" if self.unit else ""
        limit = {10: "must be", 13: "must be at least", 14: "must be"}.get(
            self.equation, "must be at most"
        )
        return (
            f"({self.equation}) {meaning} of {whose}: {self.amount:.10g}{unit}, "
            f"{limit} {self.limit:.10g}{unit}"
        )


_MEANINGS = {
    10: "columns in use for block",
    11: "outlay",
    12: "storage of kind",
    13: "probability of covering group",
    14: "different states of project",
    15: "distinct rules in use",
    16: "cost share",
    17: "supply above its share of",
    18: "mean cost of the worst scenarios",
}


def states_of(selection: Selection, columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the state of every project in which chosen columns (I,) were simulated, (N,).

    Where they disagree, which breaks (14), the highest; 0 where it matters to no block.
    """
    states: NDArray[np.int64] = selection.state[:, columns].max(axis=1, initial=0)
    return states


def cost_of(selection: Selection, columns: NDArray[np.int64], open_: NDArray[np.bool_]) -> float:
    """Return the objective (9) of a choice [USD/year].

    Parameters
    ----------
    columns
        (I,) the chosen columns j, in any order.
    open_
        (W,) facilities that are open; those that exist already are in any case.
    """
    facilities = selection.facility_cost[open_ | selection.facility_open]
    states = states_of(selection, columns)
    projects = selection.state_cost[np.arange(states.size), states]
    return float(selection.cost[columns].sum() + facilities.sum() + projects.sum())


def violations(
    selection: Selection, columns: NDArray[np.int64], open_: NDArray[np.bool_]
) -> tuple[Violation, ...]:
    """Return every limit that a choice breaks by more than the tolerance, in equation order.

    The tolerance is a relative 1e-9 of a limit, and 1e-9 of a probability.

    Parameters
    ----------
    columns
        (I,) the chosen columns j, in any order.
    open_
        (W,) facilities that are open; those that exist already are in any case.
    """
    return (
        *_columns_per_block(selection, columns),
        *_outlays(selection, columns),
        *_storage(selection, columns, open_ | selection.facility_open),
        *_joint_coverage(selection, columns),
        *_states(selection, columns),
        *_rules(selection, columns),
        *_cost_shares(selection, columns),
        *_caps(selection, columns),
        *_tail(selection, columns),
    )


def within(amount: float, limit: float) -> bool:
    """Whether an amount keeps a limit, within a relative 1e-9 of the limit."""
    return amount <= limit + LEVEL_TOLERANCE * abs(limit) if np.isfinite(limit) else True


def rules_in_use(patterns: NDArray[np.bool_]) -> float:
    """Return the smallest number of rules of which every pattern contains one, for (15).

    Parameters
    ----------
    patterns
        (P, R) the rules that act as the one followed. A pattern of all rules belongs to an
        owner who holds nothing, and needs none.

    Returns
    -------
    float
        Infinite where a pattern is empty.
    """
    needed = [frozenset(np.flatnonzero(row).tolist()) for row in patterns if not row.all()]
    if not all(needed):
        return np.inf
    # A pattern that contains another is hit when the other is.
    distinct = sorted(set(needed), key=lambda pattern: (len(pattern), sorted(pattern)))
    smallest = [p for n, p in enumerate(distinct) if not any(q <= p for q in distinct[:n])]
    return next(n for n in range(len(smallest) + 1) if _can_hit(smallest, n))


def tail_weights(
    cost: NDArray[np.float64], probability: NDArray[np.float64], tail: float
) -> NDArray[np.float64]:
    """Return the weights with which scenarios make up the costliest ``tail`` of probability.

    The mean with these weights is the CVaR. No weights that keep each scenario to its
    probability over ``tail``, and add up to 1, give a larger mean. So the same weights bound the
    CVaR of any other costs from below: they make a cut of (18).

    Parameters
    ----------
    cost : (S,) [USD/year].
    probability : (S,)
    tail : in (0, 1]; the last scenario of the tail counts in part.

    Returns
    -------
    (S,) non-negative; they add up to 1, or to less where the probabilities add up to less than
    the tail.
    """
    tail = max(tail, LEVEL_TOLERANCE)
    worst = np.argsort(-cost, kind="stable")
    before = np.cumsum(probability[worst]) - probability[worst]
    weight = np.empty_like(cost)
    weight[worst] = np.clip(tail - before, 0.0, probability[worst]) / tail
    return weight


def _columns_per_block(selection: Selection, columns: NDArray[np.int64]) -> Iterator[Violation]:
    """Equation (10): one column for each block."""
    count = np.bincount(selection.block[columns], minlength=len(selection.blocks))
    for name, number in zip(selection.blocks, count, strict=True):
        if number != 1:
            yield Violation(10, None, name, float(number), 1.0)


def _outlays(selection: Selection, columns: NDArray[np.int64]) -> Iterator[Violation]:
    """Equation (11): budgets [USD]."""
    outlay = selection.outlay[:, columns].sum(axis=1)
    for name, amount, limit in zip(selection.participants, outlay, selection.budget, strict=True):
        if not within(amount, limit):
            yield Violation(11, name, "", float(amount), float(limit), "USD")
    total = float(outlay.sum())
    if not within(total, selection.joint_budget):
        yield Violation(11, None, "", total, float(selection.joint_budget), "USD")
    states = states_of(selection, columns)
    paid = selection.state_outlay[:, np.arange(states.size), states].sum(axis=1)
    for name, amount, limit in zip(
        selection.participants, paid, selection.project_budget, strict=True
    ):
        if not within(amount, limit):
            yield Violation(11, name, "for projects", float(amount), float(limit), "USD")
    total, limit = float(paid.sum()), float(selection.joint_project_budget)
    if not within(total, limit):
        yield Violation(11, None, "for projects", total, limit, "USD")


def _states(selection: Selection, columns: NDArray[np.int64]) -> Iterator[Violation]:
    """Equation (14): every block is simulated with the projects that are funded, as allowed."""
    states = states_of(selection, columns)
    chosen = selection.state[:, columns]
    differ = ((chosen >= 0) & (chosen != states[:, None])).any(axis=1)
    for name, wrong, state, allowed in zip(
        selection.projects, differ, states, selection.state_allowed, strict=True
    ):
        if wrong or not allowed[state]:
            yield Violation(14, None, name, 2.0, 1.0)


def _caps(selection: Selection, columns: NDArray[np.int64]) -> Iterator[Violation]:
    """Equation (17): supply of one source above its share [t/month]."""
    funded = (states_of(selection, columns) > 0).astype(np.float64)
    for name, use, limit in zip(
        selection.caps, selection.cap_use, selection.cap_limit, strict=True
    ):
        amount = float(use @ funded)
        size = max(abs(float(limit)), float(np.abs(use).max(initial=0.0)))
        if amount > limit + LEVEL_TOLERANCE * size:
            yield Violation(17, None, name, amount, float(limit), "t/month")


def _storage(
    selection: Selection, columns: NDArray[np.int64], open_: NDArray[np.bool_]
) -> Iterator[Violation]:
    """Equation (12): room in open facilities [t], by participant or in one pool."""
    stored = selection.stored[:, :, columns].sum(axis=2)
    room = np.zeros_like(stored)
    place = (selection.facility_participant[open_], selection.facility_kind[open_])
    np.add.at(room, place, selection.facility_capacity[open_])
    owners: list[tuple[str | None, NDArray[np.float64], NDArray[np.float64]]]
    if selection.pooled:
        pool = (None, stored.sum(axis=0), room.sum(axis=0))
        owners = [pool] if selection.limited.any() else []
    else:
        owners = [
            (name, stored[c], room[c])
            for c, name in enumerate(selection.participants)
            if selection.limited[c]
        ]
    for owner, amounts, limits in owners:
        for kind, amount, limit in zip(selection.kinds, amounts, limits, strict=True):
            if not within(amount, limit):
                yield Violation(12, owner, kind, float(amount), float(limit), "t")


def _joint_coverage(selection: Selection, columns: NDArray[np.int64]) -> Iterator[Violation]:
    """Equation (13): probability that all materials of a group are covered at once."""
    covered = selection.covered[:, :, columns]
    for name, part, confidence in zip(selection.groups, covered, selection.confidence, strict=True):
        reached = float(selection.probability[part.all(axis=1)].sum())
        if reached < confidence - LEVEL_TOLERANCE:
            yield Violation(13, None, name, reached, float(confidence))


def _rules(selection: Selection, columns: NDArray[np.int64]) -> Iterator[Violation]:
    """Equation (15): distinct rules in use."""
    if selection.most_rules is None:
        return
    for name, follows in zip(selection.participants, selection.follows, strict=True):
        number = rules_in_use(follows[:, columns].T)
        if number > selection.most_rules:
            yield Violation(15, name, "", float(number), float(selection.most_rules))


def _cost_shares(selection: Selection, columns: NDArray[np.int64]) -> Iterator[Violation]:
    """Equation (16): nobody bears more than alone [USD/year]."""
    share = selection.cost_share[:, columns].sum(axis=1)
    for name, amount, limit in zip(
        selection.participants, share, selection.standalone, strict=True
    ):
        if not within(amount, limit):
            yield Violation(16, name, "", float(amount), float(limit), "USD/year")


def _tail(selection: Selection, columns: NDArray[np.int64]) -> Iterator[Violation]:
    """Equation (18): mean shortage cost of the worst scenarios [USD/year]."""
    if not np.isfinite(selection.most_tail_cost):
        return
    shortage = selection.shortage[:, columns].sum(axis=1)
    mean = float(tail_weights(shortage, selection.probability, selection.tail) @ shortage)
    if not within(mean, selection.most_tail_cost):
        yield Violation(18, None, "", mean, float(selection.most_tail_cost), "USD/year")


def _can_hit(patterns: Sequence[frozenset[int]], number: int) -> bool:
    """Whether so many rules can be found that every pattern contains one of them."""
    if not patterns:
        return True
    if number == 0:
        return False
    return any(
        _can_hit([pattern for pattern in patterns if rule not in pattern], number - 1)
        for rule in min(patterns, key=len)
    )
