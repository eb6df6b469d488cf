"""From columns to the data of the mixed-integer model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.choices import variant_of
from stockpile.model.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.couplings import Couplings
    from stockpile.evaluator import Evaluator
    from stockpile.master.columns import Columns
    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet


def selection(
    problem: Problem,
    couplings: Couplings,
    evaluators: Sequence[Evaluator],
    columns: Sequence[Columns],
    chosen: Sequence[NDArray[np.int64]],
    classes: Sequence[NDArray[np.int64]],
    scenarios: ScenarioSet,
    *,
    tail: bool = True,
) -> Selection:
    """Return the mixed-integer model over chosen columns of every block, in their order.

    Parameters
    ----------
    chosen
        By block: numbers of its columns.
    classes
        By block: (C, R) the rule that stands for each rule.
    tail
        Whether the limit on the tail (18) counts: it needs the shortage cost of every scenario.
    """
    C, R = len(problem.participants), len(problem.menu.rules)
    S, G = scenarios.count, len(problem.groups)
    sizes = [numbers.size for numbers in chosen]
    start = np.concatenate([[0], np.cumsum(sizes)])
    J = int(start[-1])
    tail = tail and bool(np.isfinite(couplings.most_tail_cost))
    cost, cost_share = np.zeros(J), np.zeros((C, J))
    outlay, stored = np.zeros((C, J)), np.zeros((C, len(couplings.kinds), J))
    follows = np.ones((C, R, J), dtype=np.bool_)
    covered = np.ones((G, S, J), dtype=np.bool_)
    shortage = np.zeros((S if tail else 0, J))
    state = np.full((couplings.projects.count, J), -1, dtype=np.int64)
    for i, (evaluator, own, numbers) in enumerate(zip(evaluators, columns, chosen, strict=True)):
        at = slice(int(start[i]), int(start[i + 1]))
        used, block = own.figures, evaluator.block
        cost[at], cost_share[:, at] = used.cost[numbers], used.share[numbers].T
        outlay[:, at] = used.outlay_most[numbers].T
        for stock, (c, m) in enumerate(
            zip(block.market_participant, block.market_material, strict=True)
        ):
            stored[c, couplings.kind_of[m], at] += used.stored[numbers, stock]
        rule, holds = own.candidates.rule[numbers], used.holds[numbers]
        for c in range(C):
            same = classes[i][c][:, None] == rule[None, :, c]
            follows[c, :, at] = same | ~holds[None, :, c]
        variants = evaluator.variants
        state[variants.projects, at] = variants.states[variant_of(rule)].T
        scenario = evaluator.needs.scenario
        for place, g in enumerate(evaluator.groups):
            covered[g, scenario, at] = own.covered[numbers, place].T
        if tail:
            shortage[scenario, at] = own.shortage(numbers).T
    stores, projects = couplings.facilities, couplings.projects
    return Selection(
        participants=problem.participants,
        blocks=tuple(evaluator.block.name for evaluator in evaluators),
        rules=tuple(rule.name for rule in problem.menu.rules),
        kinds=couplings.kinds,
        facilities=stores.names,
        groups=tuple(group.name for group in problem.groups),
        projects=projects.names,
        block=np.repeat(np.arange(len(sizes)), sizes),
        cost=cost,
        outlay=outlay,
        budget=couplings.budget,
        joint_budget=couplings.joint_budget,
        stored=stored,
        limited=couplings.limited,
        pooled=couplings.pooled,
        facility_participant=stores.participant,
        facility_kind=stores.kind,
        facility_capacity=stores.capacity,
        facility_cost=stores.fixed_cost,
        facility_open=stores.existing,
        follows=follows,
        most_rules=couplings.most_rules,
        probability=scenarios.probability,
        covered=covered,
        # Probabilities that were rounded in a table may sum to a confidence only almost.
        confidence=np.array([group.confidence for group in problem.groups])
        - scenarios.rounded_away,
        cost_share=cost_share,
        standalone=couplings.standalone,
        shortage=shortage,
        tail=couplings.tail,
        most_tail_cost=couplings.most_tail_cost if tail else np.inf,
        state=state,
        state_allowed=projects.allowed,
        state_cost=projects.cost,
        state_outlay=projects.outlay,
        project_budget=projects.budget,
        joint_project_budget=projects.joint_budget,
        caps=tuple(
            f"{problem.participants[cap.participant]}, {problem.materials[cap.material]}: "
            f"{cap.source}"
            for cap in projects.caps
        ),
        cap_use=np.array([cap.coefficient for cap in projects.caps]).reshape(
            len(projects.caps), projects.count
        ),
        cap_limit=np.array([cap.limit for cap in projects.caps]),
    )
