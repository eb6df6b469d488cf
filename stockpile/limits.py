"""What a plan uses of the limits that all materials share, simulated anew and judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.choices import owners_rules, variant_of
from stockpile.coverage import served_fraction
from stockpile.model.verify import tail_weights, within
from stockpile.outlay import acquisition_outlay
from stockpile.problem import LEVEL_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.couplings import Couplings
    from stockpile.evaluator import Evaluator
    from stockpile.problem import JointGroup, Problem
    from stockpile.scenarios import ScenarioSet

ALL = "all"
"""Stands for all participants together in the tables of results."""


@dataclass(frozen=True, slots=True)
class LimitUse:
    """What a plan uses of one limit.

    Attributes
    ----------
    equation
        Its number in the formulation.
    limit
        ``outlay``, ``project outlay``, ``storage``, ``distinct rules``, ``cost share``, ``share of
        supply`` or ``tail cost``.
    participant
        Whose limit it is, or ``all``.
    item
        Storage kind of (12), material and source of (17), else empty.
    used, allowed
        In ``unit``.
    """

    equation: int
    limit: str
    participant: str
    item: str
    used: float
    allowed: float
    unit: str

    @property
    def kept(self) -> bool:
        """Return whether the limit is kept, within the tolerance."""
        return within(self.used, self.allowed)


def limit_uses(
    couplings: Couplings,
    evaluators: Sequence[Evaluator],
    scenarios: ScenarioSet,
    lots: Sequence[NDArray[np.int64]],
    rule: Sequence[NDArray[np.int64]],
    open_: NDArray[np.bool_],
    states: NDArray[np.int64],
) -> tuple[LimitUse, ...]:
    """Work out what a plan uses of every limit that is set.

    Parameters
    ----------
    lots, rule
        By block: (I,) and (C + 1,).
    open_
        (W,) which facilities are open.
    states
        (N,) states of projects.
    """
    problem = evaluators[0].problem
    names = problem.participants
    C, L = len(names), len(couplings.kinds)
    outlay, share, stored = np.zeros(C), np.zeros(C), np.zeros((C, L))
    shortage = np.zeros(scenarios.count)
    in_use: list[set[int]] = [set() for _ in names]
    for evaluator, own_lots, own_rule in zip(evaluators, lots, rule, strict=True):
        block = evaluator.block
        held = evaluator.holding(own_lots[None, :])
        judged = evaluator.judge(own_lots, own_rule)
        c = block.market_participant
        np.add.at(outlay, c, acquisition_outlay(problem, block, held)[0])
        np.add.at(share, c, judged.cost)
        np.add.at(stored, (c, couplings.kind_of[block.market_material]), held[0])
        for owner in np.flatnonzero(evaluator.holds(own_lots[None, :])[0]):
            in_use[owner].add(int(owners_rules(own_rule)[owner]))
        if np.isfinite(couplings.most_tail_cost):
            shortage[evaluator.needs.scenario] += evaluator.shortage_cost(
                own_lots[None, :], own_rule[None, :]
            )[0]
    stores = couplings.facilities
    room = np.zeros((C, L))
    np.add.at(room, (stores.participant[open_], stores.kind[open_]), stores.capacity[open_])
    uses = [
        LimitUse(11, "outlay", names[c], "", float(outlay[c]), float(budget), "USD")
        for c, budget in enumerate(couplings.budget)
        if np.isfinite(budget)
    ]
    if np.isfinite(couplings.joint_budget):
        total = float(outlay.sum())
        uses.append(LimitUse(11, "outlay", ALL, "", total, couplings.joint_budget, "USD"))
    of_projects = _project_uses(problem, couplings, states)
    uses += [use for use in of_projects if use.equation == 11]
    for kind, item in enumerate(couplings.kinds):
        if couplings.pooled and couplings.limited.all():
            used, allowed = float(stored[:, kind].sum()), float(room[:, kind].sum())
            uses.append(LimitUse(12, "storage", ALL, item, used, allowed, "t"))
        elif not couplings.pooled:
            uses += [
                LimitUse(
                    12, "storage", names[c], item, float(stored[c, kind]), float(room[c, kind]), "t"
                )
                for c in np.flatnonzero(couplings.limited)
            ]
    if couplings.most_rules is not None:
        most = float(couplings.most_rules)
        uses += [
            LimitUse(15, "distinct rules", name, "", float(len(used_rules)), most, "")
            for name, used_rules in zip(names, in_use, strict=True)
        ]
    uses += [
        LimitUse(16, "cost share", names[c], "", float(share[c]), float(alone), "USD/year")
        for c, alone in enumerate(couplings.standalone)
        if np.isfinite(alone)
    ]
    uses += [use for use in of_projects if use.equation == 17]
    if np.isfinite(couplings.most_tail_cost):
        mean = float(tail_weights(shortage, scenarios.probability, couplings.tail) @ shortage)
        uses.append(LimitUse(18, "tail cost", ALL, "", mean, couplings.most_tail_cost, "USD/year"))
    return tuple(uses)


def _project_uses(
    problem: Problem, couplings: Couplings, states: NDArray[np.int64]
) -> list[LimitUse]:
    """Return what states of projects use of their budgets (11), and of caps on sources (17)."""
    projects, names = couplings.projects, problem.participants
    paid = projects.paid(states)
    uses = [
        LimitUse(11, "project outlay", names[c], "", float(paid[c]), float(budget), "USD")
        for c, budget in enumerate(projects.budget)
        if np.isfinite(budget)
    ]
    if np.isfinite(projects.joint_budget):
        total, most = float(paid.sum()), projects.joint_budget
        uses.append(LimitUse(11, "project outlay", ALL, "", total, most, "USD"))
    for cap in projects.caps:
        share = cap.share(problem, states > 0)
        item = f"{problem.materials[cap.material]}: {cap.source}"
        uses.append(
            LimitUse(17, "share of supply", names[cap.participant], item, share, cap.max_share, "")
        )
    return uses


def group_coverage(
    problem: Problem,
    group: JointGroup,
    evaluators: Sequence[Evaluator],
    scenarios: ScenarioSet,
    lots: Sequence[NDArray[np.int64]],
    rule: Sequence[NDArray[np.int64]],
) -> float:
    """Return the probability that all streams of a group reach their levels at once (13)."""
    covered = np.ones(scenarios.count, dtype=np.bool_)
    for evaluator, own_lots, own_rule in zip(evaluators, lots, rule, strict=True):
        if not group.materials.intersection(evaluator.block.materials):
            continue
        unserved = evaluator.unserved(own_lots, own_rule, alone=group.floor)
        needs = evaluator.needs_in(int(variant_of(own_rule)))
        served = served_fraction(unserved, needs.total)
        for c, m, k, level in group.streams:
            if m in evaluator.block.materials:
                reached = served[:, evaluator.block.stream(c, m, k)] >= level - LEVEL_TOLERANCE
                covered[evaluator.needs.scenario] &= reached
    return float(scenarios.probability[covered].sum())
