"""Questions whether what a case asks can all be kept, each one quick after the first.

A block is simulated anew only where its promises or least holdings have changed, and starts from
the candidates that are known to keep stricter ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from stockpile.infeasibility.feasibility import FeasibilitySearch, KeptBlock, begin_block
from stockpile.infeasibility.plan_use import plan_use
from stockpile.presolve import rule_classes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from stockpile.candidates import Candidates
    from stockpile.evaluator import Evaluator
    from stockpile.infeasibility.feasibility import Key
    from stockpile.infeasibility.plan_use import PlanUse
    from stockpile.infeasibility.requirements import Case
    from stockpile.scenarios import ScenarioSet

Asked: TypeAlias = tuple[tuple[float, ...], tuple[int, ...]]
"""What is asked of a block alone: level of every promise, and least lots of every stock."""

MOST_WORK = 600_000_000
"""Work after which a question stays open."""
MOST_KEPT = 4
"""Versions of a block that are kept besides the first one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether everything can be kept.

    Attributes
    ----------
    possible
        None where that stayed open, because it took too much work or it was time to stop.
    use
        What a plan uses that keeps everything; None without one.
    blamed
        Limits without which the proof of the contrary would stand as well are not among these.
    priced
        By block: what its best candidate is charged in that proof, and the candidate.
    """

    possible: bool | None
    use: PlanUse | None = None
    blamed: frozenset[Key] = frozenset()
    priced: tuple[tuple[float, Candidates], ...] = ()


class Questions:
    """Answers questions about cases that ask no more than a first one.

    Parameters
    ----------
    evaluators
        One for each block, with the promises of the first case.
    first
        What is asked at most.
    stop
        Asked again and again whether to stop.
    tell
        Told the number of each question.
    """

    def __init__(
        self,
        evaluators: Sequence[Evaluator],
        first: Case,
        scenarios: ScenarioSet,
        stop: Callable[[], bool],
        tell: Callable[[int], None],
    ) -> None:
        self.evaluators = evaluators
        self._first = first
        self._scenarios = scenarios
        self._stop = stop
        self._tell = tell
        self._classes = [rule_classes(evaluator) for evaluator in evaluators]
        self._blocks: list[dict[Asked, KeptBlock]] = [{} for _ in evaluators]
        self._rules: NDArray[np.bool_] | None = None
        self.count = 0
        """Questions asked."""
        self.work = 0
        """Work done for all of them."""

    @property
    def stopped(self) -> bool:
        """Return whether it is time to stop."""
        return self._stop()

    def ask(self, case: Case, *, work: int = MOST_WORK) -> Answer:
        """Say whether all that a case asks can be kept.

        Parameters
        ----------
        work
            Work after which the question stays open; see :class:`FeasibilitySearch`.
        """
        self.count += 1
        self._tell(self.count)
        # What is promised to no level at all need not be simulated. Days of cover may be pooled
        # with those of others, where a level of zero is not the same as no promise.
        promises = tuple(p for p in case.problem.promises if p.level > 0.0 or p.group)
        problem = replace(case.problem, promises=promises)
        evaluators = [evaluator.with_problem(problem) for evaluator in self.evaluators]
        blocks = []
        for i in range(len(evaluators)):
            if self._stop():
                return Answer(None)
            blocks.append(self._block(i, evaluators[i], case))
        search = FeasibilitySearch(
            evaluators, case.couplings, self._scenarios, self._stop, blocks, self._rules, work
        )
        search.run()
        self.work += search.work
        if search.incumbent is not None:
            use = self.use_of(search.incumbent.candidates, search.incumbent.states)
            if case.couplings.most_rules is not None:
                self._rules = use.followed
            return Answer(True, use)
        if not search.finished:
            return Answer(None)
        return Answer(False, blamed=frozenset(search.blamed), priced=search.priced)

    def use_of(self, plan: Sequence[Candidates], states: NDArray[np.int64]) -> PlanUse:
        """Return what a plan uses of everything that the first case asks."""
        return plan_use(
            self.evaluators, self._first.couplings, self._scenarios, self._classes, plan, states
        )

    def _block(self, i: int, evaluator: Evaluator, case: Case) -> KeptBlock:
        """Return what is known of a block under what a case asks of it."""
        kept, asked = self._blocks[i], _asked(evaluator, case)
        if asked in kept:
            kept[asked] = kept.pop(asked)  # The latest use stands last.
            return kept[asked]
        known = [
            block.columns.candidates for other, block in kept.items() if _stricter(other, asked)
        ]
        kept[asked] = begin_block(evaluator, known)
        self.work += kept[asked].search.simulations * self._scenarios.count
        if len(kept) > MOST_KEPT:
            first = _asked(evaluator, self._first)
            del kept[next(other for other in kept if other != first)]
        return kept[asked]


def _asked(evaluator: Evaluator, case: Case) -> Asked:
    block = evaluator.block
    least = case.problem.lots_min[block.market_participant, block.market_material]
    return (
        tuple(p.level for p in case.problem.promises if p.material in block.materials),
        tuple(least.tolist()),
    )


def _stricter(first: Asked, second: Asked) -> bool:
    """Say whether whatever keeps the first keeps the second."""
    return all(
        a >= b
        for of_first, of_second in zip(first, second, strict=True)
        for a, b in zip(of_first, of_second, strict=True)
    )
