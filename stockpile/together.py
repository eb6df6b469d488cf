"""Materials that limits join: one search over all blocks, judged once more from the data."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.alone import Found, parts_of, put_together
from stockpile.certificate import Certificate
from stockpile.check import check_limits
from stockpile.choices import owners_rules
from stockpile.decisions import known_candidates
from stockpile.limits import LimitUse, group_coverage, limit_uses
from stockpile.master.rule_names import fewest_rules
from stockpile.master.search import MasterSearch
from stockpile.presolve import rule_classes
from stockpile.progress import Progress
from stockpile.separate import block_outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.couplings import Couplings
    from stockpile.evaluator import Evaluator
    from stockpile.master.proposals import Incumbent
    from stockpile.plan import Plan
    from stockpile.plan_tables import BlockOutcome
    from stockpile.setting import Setting


@dataclass(frozen=True, slots=True)
class Together:
    """What the search over all blocks has brought.

    Attributes
    ----------
    outcomes
        One for each block; of those that can keep no promise of their own where that is so;
        empty without a plan.
    open_
        (W,) which facilities are open.
    states
        (N,) states of projects.
    uses
        What the plan uses of every limit.
    groups
        Probability that each joint chance group is covered.
    cost, bound
        Of the whole plan [USD/year]; the cost is infinite without one, the bound where the limits
        cannot be kept.
    finished
        Whether the gap, or that there is no plan, is proved.
    """

    outcomes: tuple[BlockOutcome, ...]
    open_: NDArray[np.bool_]
    states: NDArray[np.int64]
    uses: tuple[LimitUse, ...]
    groups: tuple[float, ...]
    cost: float
    bound: float
    finished: bool


def plan_together(
    setting: Setting,
    couplings: Couplings,
    *,
    sharing: bool,
    gap: float,
    deadline: float,
    known: Plan | None = None,
) -> Together:
    """Plan all blocks under the limits that join them.

    Parameters
    ----------
    known
        A plan that is looked at first.
    """
    states = couplings.projects.allowed
    evaluators = [
        setting.evaluator(block, sharing=sharing, states=states) for block in setting.blocks
    ]
    if not sharing:
        found = _search_alone(setting, couplings, evaluators, gap=gap, deadline=deadline)
        if found is not None:
            return judge_together(setting, couplings, evaluators, found)
    search = search_together(
        setting, couplings, evaluators, gap=gap, deadline=deadline, known=known
    )
    return judge_together(setting, couplings, evaluators, search)


def _search_alone(
    setting: Setting,
    couplings: Couplings,
    evaluators: Sequence[Evaluator],
    *,
    gap: float,
    deadline: float,
) -> Found | None:
    """Search chains owner by owner; None where that decides nothing that whole blocks would not."""
    parts = parts_of(setting.problem, setting.blocks)
    if all(len(own) == 1 for own in parts):
        return None
    states = couplings.projects.allowed
    pieces = [
        [evaluator]
        if len(own) == 1
        else [setting.evaluator(block, sharing=False, states=states) for block in own]
        for evaluator, own in zip(evaluators, parts, strict=True)
    ]
    flat = [piece for own in pieces for piece in own]
    search = search_together(setting, couplings, flat, gap=gap, deadline=deadline)
    stopped = setting.interrupt.raised or time.monotonic() >= deadline
    solved = search.incumbent is not None and search.gap <= gap
    if not (solved or stopped or search.impossible):
        return None  # Others' purchases were counted too carefully.
    return put_together(evaluators, pieces, search)


def search_together(
    setting: Setting,
    couplings: Couplings,
    evaluators: Sequence[Evaluator],
    *,
    gap: float,
    deadline: float,
    known: Plan | None = None,
) -> MasterSearch:
    """Search all blocks until the gap is proved or it is time to stop; return the search."""
    start = [] if known is None else known_candidates(known, evaluators)

    def stop() -> bool:
        return setting.interrupt.raised or time.monotonic() >= deadline

    def tell(search: MasterSearch) -> None:
        setting.report(
            Progress(
                "all materials",
                min(len(search.simulations), len(evaluators) - 1),
                len(evaluators),
                search.cost,
                search.bound,
                search.gap,
                setting.seconds(),
            )
        )

    search = MasterSearch(evaluators, couplings, setting.scenarios, gap, stop, tell, start)
    search.run()
    return search


def judge_together(
    setting: Setting,
    couplings: Couplings,
    evaluators: Sequence[Evaluator],
    search: MasterSearch | Found,
) -> Together:
    """Judge what a search over all blocks has found once more, on every promise and limit."""
    if search.incumbent is None:
        nothing = (None, None, np.inf, np.inf, 0, True)
        return Together(
            outcomes=tuple(
                block_outcome(evaluators[i], Certificate(*nothing)) for i in search.impossible
            ),
            open_=couplings.facilities.existing,
            states=np.zeros(couplings.projects.count, dtype=np.int64),
            uses=(),
            groups=(),
            cost=np.inf,
            bound=search.bound,
            finished=search.finished,
        )
    found = search.incumbent
    lots = [candidate.lots[0] for candidate in found.candidates]
    rule = _rules(evaluators, found, few=couplings.most_rules is not None)
    outcomes = tuple(
        block_outcome(
            evaluator,
            Certificate(own_lots, own_rule, cost, -np.inf, simulations, search.finished),
        )
        for evaluator, own_lots, own_rule, cost, simulations in zip(
            evaluators, lots, rule, found.block_costs, search.simulations, strict=True
        )
    )
    uses = limit_uses(
        couplings, evaluators, setting.scenarios, lots, rule, found.open_, found.states
    )
    groups = tuple(
        group_coverage(setting.problem, group, evaluators, setting.scenarios, lots, rule)
        for group in setting.problem.groups
    )
    check_limits(setting.problem, setting.scenarios, uses, groups, found.cost, search.bound)
    return Together(
        outcomes,
        found.open_,
        found.states,
        uses,
        groups,
        found.cost,
        search.bound,
        search.finished,
    )


def _rules(
    evaluators: Sequence[Evaluator], found: Incumbent, *, few: bool
) -> list[NDArray[np.int64]]:
    """Return the rules to write down, and the variant, by block (C + 1,)."""
    choices = np.array([candidate.rule[0] for candidate in found.candidates])
    chosen = owners_rules(choices)
    if few:
        classes = [rule_classes(evaluator) for evaluator in evaluators]
        for c in range(chosen.shape[1]):
            patterns = [
                of_block[c] == rule for of_block, rule in zip(classes, chosen[:, c], strict=True)
            ]
            holds = [
                bool(evaluator.holds(candidate.lots)[0, c])
                for evaluator, candidate in zip(evaluators, found.candidates, strict=True)
            ]
            chosen[:, c] = fewest_rules(patterns, holds)
    return list(choices)
