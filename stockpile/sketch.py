"""A quick lower limit on cost: candidates in the few scenarios that tell them apart.

Most of what candidates of a block differ in comes from few scenarios, those in which stocks run
out. Cost never increases in any holding, scenario by scenario (Proposition 1). So what a candidate
costs in these scenarios, and what one that holds no less costs in all others, is a lower limit
together, for a part of the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stockpile.scores import Lowered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stockpile.balance import Tangents
    from stockpile.evaluator import Evaluator
    from stockpile.simulate import Course

WORK = 0.2
"""Part of all months with need that the scenarios chosen have, about."""


class Sketch:
    """What candidates of a block cost in some scenarios.

    Parameters
    ----------
    scenarios
        (H,) numbers of those of the scenarios kept.
    """

    def __init__(self, evaluator: Evaluator, scenarios: NDArray[np.int64]) -> None:
        self._evaluator = evaluator
        self._scenarios = scenarios
        self._courses: dict[int, Course] = {}

    def lower(
        self,
        lots: NDArray[np.int64],
        rule: NDArray[np.int64],
        tangents: Tangents | None = None,
    ) -> Lowered:
        """Return their part of the lowered cost of lots (P, I) under choices.

        With ``tangents``, candidates are the top corners of boxes with these points.
        """
        points = 0 if tangents is None else tangents.lots.shape[1]
        participants = len(self._evaluator.problem.participants)
        lower = Lowered(
            np.empty((len(lots), participants)),
            np.empty((len(lots), points)),
            np.empty((len(lots), points, lots.shape[1])),
        )
        for variant, batches in self._evaluator.by_variant(rule):
            if variant not in self._courses:
                whole = self._evaluator.course(variant)
                weight = whole.needs.probability[self._scenarios]
                self._courses[variant] = whole.only(self._scenarios, weight)
            course = self._courses[variant]
            here = None if tangents is None else tangents.balances[variant].only(self._scenarios)
            for some in batches:
                at = None if tangents is None else tangents.lots[some]
                part = self._evaluator.lower_cost(course, lots[some], rule[some], here, at)
                lower.cost[some], lower.added[some] = part.cost, part.added
                lower.fall[some] = part.fall
        return lower


def sketch_of(evaluator: Evaluator, lots: NDArray[np.int64], rule: NDArray[np.int64]) -> Sketch:
    """Choose the scenarios that tell candidates apart most, for their work.

    Parameters
    ----------
    lots, rule
        (P, I) and (P, C + 1) of candidates that are good; they are compared with all that is
        allowed.
    """
    problem, block = evaluator.problem, evaluator.block
    most = problem.lots_max[block.market_participant, block.market_material]
    here = evaluator.shortage_cost(lots, rule)
    best = evaluator.shortage_cost(np.tile(most, (len(lots), 1)), rule)
    needs = evaluator.course(int(rule[0, -1])).needs
    differs = needs.probability * (here - best).mean(axis=0)
    months = np.diff(needs.first)
    order = np.argsort(-differs / np.maximum(months, 1), kind="stable")
    order = order[differs[order] > 0.0]
    count = int(np.searchsorted(np.cumsum(months[order]), WORK * months.sum()))
    return Sketch(evaluator, np.sort(order[: count + 1]))
