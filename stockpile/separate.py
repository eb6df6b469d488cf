"""Materials that nothing joins: one box search per block, each to its own certificate."""

from __future__ import annotations

import itertools
import math
import time
from typing import TYPE_CHECKING

import numpy as np

from stockpile.boxsearch import BoxSearch
from stockpile.certificate import Certificate, relative_gap
from stockpile.check import check_incumbent
from stockpile.given import Given
from stockpile.infeasibility.one_block import find_conflicts
from stockpile.parallel import Workers
from stockpile.plan_tables import BlockOutcome
from stockpile.presolve import presolve
from stockpile.progress import Progress

if TYPE_CHECKING:
    from stockpile.blocks import Block
    from stockpile.evaluator import Evaluator
    from stockpile.executors import Tasks
    from stockpile.setting import Setting


def plan_separately(
    setting: Setting, *, sharing: bool, gap: float, deadline: float
) -> list[BlockOutcome]:
    """Plan every block on its own.

    Parameters
    ----------
    gap
        Relative gap to prove for every block.
    deadline
        Moment to stop at; without one (infinite) a single block is in memory at a time.

    Returns
    -------
    One outcome for each block; fewer where time ran out before all had begun.
    """
    outcomes: list[BlockOutcome] = []
    if np.isfinite(deadline):
        return _in_time(setting, sharing=sharing, gap=gap, deadline=deadline)
    if setting.tasks is not None:
        return _elsewhere(setting, setting.tasks, sharing=sharing, gap=gap)
    for number, block in enumerate(setting.blocks):
        evaluator, state = _begin(setting, block, sharing=sharing, gap=gap)
        _tell(setting, number, block, state)
        # Asked to stop, or infeasible anyway: a first incumbent of the rest will do.
        while not (
            state.finished
            or setting.interrupt.raised
            or any(outcome.conflicts for outcome in outcomes)
        ):
            state.advance()
            _tell(setting, number, block, state)
        outcomes.append(block_outcome(evaluator, state.certificate()))
    return outcomes


def _begin(
    setting: Setting, block: Block, *, sharing: bool, gap: float
) -> tuple[Evaluator, BoxSearch]:
    evaluator = setting.evaluator(block, sharing=sharing)
    space, judge = presolve(evaluator)
    return evaluator, BoxSearch(judge, space, gap)


def _elsewhere(setting: Setting, tasks: Tasks, *, sharing: bool, gap: float) -> list[BlockOutcome]:
    """Let workers search the blocks; what comes out is the same as in this process."""
    from stockpile.executors import Shared

    blocks = setting.blocks
    given = Given(setting.problem, blocks, setting.scenarios, setting.stress)
    shared = Shared(lambda: given)

    searched = itertools.count(1)

    def told(number: int, _outcome: BlockOutcome) -> None:
        nothing, seconds = math.nan, setting.seconds()
        # The plan is not yet made when the last one is.
        done = min(next(searched), len(blocks) - 1)
        name = blocks[number].name
        setting.report(Progress(name, done, len(blocks), nothing, nothing, nothing, seconds))

    found = tasks.run(
        _search_elsewhere,
        shared,
        [(number, sharing, gap) for number in range(len(blocks))],
        stop=lambda: setting.interrupt.raised,
        told=told,
    )
    outcomes: list[BlockOutcome] = []
    for block, outcome in zip(blocks, found, strict=True):
        # As in one process: asked to stop, or infeasible anyway, a first incumbent will do.
        if outcome is None or any(earlier.conflicts for earlier in outcomes):
            evaluator, state = _begin(setting, block, sharing=sharing, gap=gap)
            outcome = block_outcome(evaluator, state.certificate())
        outcomes.append(outcome)
    return outcomes


def _search_elsewhere(given: Given, number: int, sharing: bool, gap: float) -> BlockOutcome:
    """Search a block, at a worker."""
    from stockpile.executors import stop_wanted

    evaluator = given.evaluator(number, Workers(1), sharing=sharing)
    space, judge = presolve(evaluator)
    state = BoxSearch(judge, space, gap)
    while not (state.finished or stop_wanted()):
        state.advance()
    return block_outcome(evaluator, state.certificate())


def _in_time(setting: Setting, *, sharing: bool, gap: float, deadline: float) -> list[BlockOutcome]:
    """Search blocks until a moment in time: first a plan for each, then the widest gap first.

    The needs of all blocks are kept in memory meanwhile.
    """
    begun: list[tuple[Evaluator, BoxSearch]] = []
    for number, block in enumerate(setting.blocks):
        if time.monotonic() >= deadline:
            return []
        begun.append(_begin(setting, block, sharing=sharing, gap=gap))
        _tell(setting, number, block, begun[-1][1])
    while time.monotonic() < deadline and not setting.interrupt.raised:
        open_searches = [
            (state.incumbent - state.bound, number)
            for number, (_, state) in enumerate(begun)
            if not state.finished
        ]
        if not open_searches:
            break
        _, number = max(open_searches)
        begun[number][1].advance()
        _tell(setting, number, setting.blocks[number], begun[number][1])
    return [block_outcome(evaluator, state.certificate()) for evaluator, state in begun]


def _tell(setting: Setting, number: int, block: Block, state: BoxSearch) -> None:
    setting.report(
        Progress(
            block.name,
            number,
            len(setting.blocks),
            state.incumbent,
            state.bound,
            relative_gap(state.incumbent, state.bound),
            setting.seconds(),
        )
    )


def block_outcome(evaluator: Evaluator, certificate: Certificate) -> BlockOutcome:
    """Judge what a search has found once more, or say why there is nothing to be found."""
    judgement = None
    achieved, met = np.empty(0), np.empty(0, dtype=np.bool_)
    conflicts: tuple[str, ...] = ()
    if certificate.lots is not None and certificate.rule is not None:
        judgement = evaluator.judge(certificate.lots, certificate.rule)
        check_incumbent(evaluator, certificate, judgement)
        achieved, met = judgement.achieved, judgement.met
    elif certificate.finished:
        achieved, met, conflicts = find_conflicts(evaluator)
    return BlockOutcome(
        evaluator.block, certificate, evaluator.promises, judgement, achieved, met, conflicts
    )
