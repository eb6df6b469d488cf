"""Chains where no partner does anything: searched owner by owner, put together again.

Without partners nobody feels another's stocks. A block of several materials then falls into one
block for each participant, with a third or half of its dimensions each, which searches many times
faster. Only what buying costs (8) still joins them, where the price rises with what all buy: the
parts count the least that others can buy towards their bound, and the most towards a plan. So the
bound holds, and the plan keeps its budgets; where they do not meet, the blocks are searched whole.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockpile.blocks import own_blocks
from stockpile.candidates import Candidates
from stockpile.master.proposals import Incumbent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.evaluator import Evaluator
    from stockpile.master.search import MasterSearch
    from stockpile.problem import Problem


@dataclass(frozen=True, slots=True)
class Found:
    """What a search over parts has brought, as of whole blocks; see :class:`MasterSearch`."""

    incumbent: Incumbent | None
    impossible: tuple[int, ...]
    bound: float
    finished: bool
    simulations: list[int]


def parts_of(problem: Problem, blocks: Sequence[Block]) -> list[tuple[Block, ...]]:
    """Return the parts in which each block is searched without partners, in order.

    A block of one material stays whole: it has no more dimensions than participants. So does one
    in which days of cover are pooled among participants.
    """
    return [
        own_blocks(problem, block)
        if len(block.materials) > 1 and not _pools_days(problem, block)
        else (block,)
        for block in blocks
    ]


def _pools_days(problem: Problem, block: Block) -> bool:
    return any(
        promise.metric == "days" and promise.group and promise.material in block.materials
        for promise in problem.promises
    )


def put_together(
    evaluators: Sequence[Evaluator], parts: Sequence[Sequence[Evaluator]], search: MasterSearch
) -> Found:
    """Return what a search over the parts of all blocks has found, as candidates of whole blocks.

    Parameters
    ----------
    evaluators
        Of the whole blocks.
    parts
        By block: the evaluators of its parts.
    """
    first = np.concatenate([[0], np.cumsum([len(own) for own in parts])])
    pieces = [slice(int(a), int(b)) for a, b in itertools.pairwise(first)]
    impossible = [int(np.searchsorted(first, i, side="right")) - 1 for i in search.impossible]
    incumbent = None
    if search.incumbent is not None:
        found = search.incumbent
        incumbent = Incumbent(
            candidates=tuple(
                _whole(evaluator, found.candidates[piece], found.states)
                for evaluator, piece in zip(evaluators, pieces, strict=True)
            ),
            open_=found.open_,
            states=found.states,
            block_costs=tuple(sum(found.block_costs[piece]) for piece in pieces),
            cost=found.cost,
        )
    return Found(
        incumbent,
        tuple(dict.fromkeys(impossible)),
        search.bound,
        search.finished,
        [sum(search.simulations[piece]) for piece in pieces] if search.simulations else [],
    )


def _whole(
    evaluator: Evaluator, parts: Sequence[Candidates], states: NDArray[np.int64]
) -> Candidates:
    """Join candidates of the parts of a block, one for each participant, to one of the block."""
    if len(parts) == 1:
        return parts[0]
    lots = np.concatenate([part.lots for part in parts], axis=1)
    rule = parts[0].rule.copy()
    for c, part in enumerate(parts):
        rule[0, c] = part.rule[0, c]
    rule[0, -1] = evaluator.variants.of(states)
    scores = evaluator.scores(lots, rule)
    return Candidates(lots, rule, scores.variable, scores.covered)
