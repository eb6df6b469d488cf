"""What can be said of a block before its search: fewer boxes and higher bottoms.

Everything here is exact: no candidate that keeps its promises is lost, and no cost changes.

* Rules that say the same for every step of their owner are one.
* What an owner has promised to keep alone depends on its own stocks and rule only. So the least
  number of lots of a stock that keeps it, with all that is allowed of the owner's other stocks, is
  found once per stock and rule, by bisection (Proposition 1), and is the bottom of every box with
  that rule. Where an owner has one stock, as many lots are enough, too, and nothing has to be
  simulated any more.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.choices import owners_rules, variant_of, with_variant
from stockpile.errors import UsageError
from stockpile.outcomes import Outcomes
from stockpile.rules import OWN, PARTNER
from stockpile.sketch import sketch_of
from stockpile.tonne_values import BalanceLimit, Programs, TonneValues

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from stockpile.balance import Tangents
    from stockpile.evaluator import Evaluator
    from stockpile.outcomes import Kept
    from stockpile.prices import BlockPrices
    from stockpile.rules import RuleMenu
    from stockpile.scores import Scores
    from stockpile.sketch import Sketch
    from stockpile.tonne_values import Spans

MOST_COMBINATIONS = 1_000_000
"""Combinations of rules of all owners that a search can begin with."""


@dataclass(frozen=True, slots=True)
class Space:
    """The boxes to start from: one per combination of rules; B of them.

    Attributes
    ----------
    lo, hi
        (B, I) bounds on the lots.
    rule
        (B, C + 1) rules and variants, see :mod:`stockpile.choices`.
    """

    lo: NDArray[np.int64]
    hi: NDArray[np.int64]
    rule: NDArray[np.int64]


class PresolvedJudge:
    """Scores candidates of a presolved space: what others show need not be simulated again."""

    def __init__(self, evaluator: Evaluator, least: NDArray[np.int64] | None) -> None:
        """See :func:`presolve`; ``least`` is (V, C, R), by variant, owner and rule."""
        self._evaluator = evaluator
        self._least = least
        self._stress = Outcomes()
        self._floors = [Outcomes() for _ in evaluator.block.owners]
        self._alike = alike_alone(evaluator.problem.menu)
        self._programs = Programs(evaluator)
        self._values: TonneValues | None = None

    def plain_prices(self) -> BlockPrices:
        """Return the prices at which the annual cost alone counts."""
        return self._evaluator.plain_prices()

    def slope(self, prices: BlockPrices) -> NDArray[np.float64]:
        """Return by how much the charge for holding rises at least with a lot, (I,)."""
        return self._evaluator.slope(prices)

    def fixed_cost(
        self, lots: NDArray[np.int64], rule: NDArray[np.int64], prices: BlockPrices
    ) -> NDArray[np.float64]:
        """Return what lots (P, I) under rules and variants (P, C + 1) are charged, (P,)."""
        return self._evaluator.fixed_cost(lots, rule, prices)

    def tail_cost(
        self, lots: NDArray[np.int64], rule: NDArray[np.int64], weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return shortage cost weighted by scenario, (P,)."""
        return self._evaluator.tail_cost(lots, rule, weight)

    def sketch(self, lots: NDArray[np.int64], rule: NDArray[np.int64]) -> Sketch:
        """Return a quick lower limit on cost, made for candidates like these."""
        return sketch_of(self._evaluator, lots, rule)

    def find_values(self, spans: Spans) -> None:
        """Look for more values of tonnes, between candidates."""
        # Where no cost counts no value is found; those of plain costs are valid everywhere.
        found = TonneValues.found(self._programs, self.plain_prices().weight, spans)
        self._values = found if self._values is None else found.and_those(self._values)

    def balance(self, spans: Spans, prices: BlockPrices) -> BalanceLimit:
        """Return what the balance of tonnes says at some prices; values have been found before."""
        assert self._values is not None
        return BalanceLimit(self._programs, self._values, prices.weight, spans)

    def scores(
        self,
        lots: NDArray[np.int64],
        rule: NDArray[np.int64],
        tangents: Tangents | None = None,
    ) -> Scores:
        """Return the scores of candidates: lots (P, I), rules and variants (P, C + 1).

        With ``tangents``, they are the top corners of boxes with these points.
        """
        if self._least is None:
            return self._scores_of_many(lots, rule, tangents)
        scores = self._evaluator.scores(lots, rule, floors=False, tangents=tangents)
        enough = (lots >= _looked_up(self._least, rule)).all(axis=1)
        return replace(scores, feasible=scores.feasible & enough)

    def _scores_of_many(
        self,
        lots: NDArray[np.int64],
        rule: NDArray[np.int64],
        tangents: Tangents | None,
    ) -> Scores:
        """Return the scores of candidates that owners hold several stocks in."""
        evaluator = self._evaluator
        scores = evaluator.scores(lots, rule, floors=False, stress=False, tangents=tangents)
        feasible, hopeful = scores.feasible.copy(), scores.hopeful.copy()

        def judge(
            outcomes: Outcomes,
            stocks: NDArray[np.bool_],
            given: NDArray[np.int64],
            kept: Callable[[NDArray[np.int64], NDArray[np.int64]], Kept],
        ) -> None:
            open_ = np.flatnonzero(hopeful)
            if open_.size:
                met, nearly = outcomes.judge(
                    lots[np.ix_(open_, stocks)],
                    given[open_],
                    lambda places: kept(lots[open_[places]], rule[open_[places]]),
                )
                feasible[open_] &= met
                hopeful[open_] &= nearly

        every = np.ones(lots.shape[1], dtype=np.bool_)
        judge(self._stress, every, rule, evaluator.stress_kept)
        for outcomes, c in zip(self._floors, evaluator.block.owners.tolist(), strict=True):

            def alone(lots: NDArray[np.int64], rule: NDArray[np.int64], c: int = c) -> Kept:
                met, nearly = evaluator.floors_kept(lots, rule)
                return met[:, c], nearly[:, c]

            own = evaluator.block.market_participant == c
            given = np.stack([self._alike[rule[:, c]], variant_of(rule)], axis=1)
            judge(outcomes, own, given, alone)
        return replace(scores, feasible=feasible, hopeful=hopeful)


def presolve(evaluator: Evaluator) -> tuple[Space, PresolvedJudge]:
    """Return the boxes to start from, and the judge to search them with."""
    block, problem = evaluator.block, evaluator.problem
    lots_min = problem.lots_min[block.market_participant, block.market_material]
    lots_max = problem.lots_max[block.market_participant, block.market_material]
    rules = distinct_rules(evaluator)
    variants = evaluator.variants.count
    count = math.prod(len(of_owner) for of_owner in rules) * variants
    if count > MOST_COMBINATIONS:
        projects = f" and {variants} combinations of projects" if variants > 1 else ""
        both = "rules and projects" if variants > 1 else "rules"
        raise UsageError(
            f"{len(rules)} participants with {max(map(len, rules))} different rules each{projects} "
            f"make {count:,} combinations of {both} for {block.name}; at most "
            f"{MOST_COMBINATIONS:,} can be searched.\n  Write a rules.csv with fewer rules."
        )
    choices = itertools.product(*rules, range(variants))
    combinations = np.array(list(choices), dtype=np.int64)
    lo = np.tile(lots_min, (len(combinations), 1))
    least = None
    if (lots_min > lots_max).any():  # No whole lot lies between min_t and max_t.
        return Space(lo[:0], lo[:0], combinations[:0]), PresolvedJudge(evaluator, least)
    M = len(block.materials)
    for place in range(M):
        enough = np.array([_least_lots(evaluator, rules, v, place) for v in range(variants)])
        # Within twice the tolerance hardly ever fewer will do: one lot less is tried first.
        loose = np.array(
            [_least_lots(evaluator, rules, v, place, enough=enough[v]) for v in range(variants)]
        )
        lo[:, place::M] = _looked_up(loose, combinations)[:, block.owners]
        if M == 1:
            least = enough
    hi = np.tile(lots_max, (len(combinations), 1))
    possible = (lo <= hi).all(axis=1)
    space = Space(lo[possible], hi[possible], combinations[possible])
    return space, PresolvedJudge(evaluator, least)


def _looked_up(least: NDArray[np.int64], choices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the least lots (P, C) of choices (P, C + 1) in a table (V, C, R)."""
    rules = owners_rules(choices)
    return np.asarray(least[variant_of(choices)[:, None], np.arange(rules.shape[1]), rules])


def distinct_rules(evaluator: Evaluator) -> list[NDArray[np.int64]]:
    """For each owner, return the rules of the menu that differ in what they do in this world."""
    return [np.unique(of_owner) for of_owner in rule_classes(evaluator)]


def rule_classes(evaluator: Evaluator) -> NDArray[np.int64]:
    """Return, for each owner and rule, the first rule of the menu that does the same: (C, R).

    The first of several equal rules stands for all, so the choice does not depend on the search.
    """
    menu, steps = evaluator.problem.menu, evaluator.steps
    classes = np.empty((len(evaluator.problem.participants), len(menu.rules)), dtype=np.int64)
    for owner in range(len(classes)):
        mine = steps.owner == owner
        # Whether partners of a class are served at all also opens plants to them.
        hosted = np.unique(steps.demand_class[(steps.hosts == owner).any(axis=1)])
        relation, demand_class = steps.relation[mine], steps.demand_class[mine]
        seen: dict[bytes, int] = {}
        for r in range(len(menu.rules)):
            parts = (menu.level, menu.limit, menu.trigger)
            key = b"".join(part[r, relation, demand_class].tobytes() for part in parts)
            key += np.isfinite(menu.trigger[r, PARTNER, hosted]).any(axis=1).tobytes()
            classes[owner, r] = seen.setdefault(key, r)
    return classes


def alike_alone(menu: RuleMenu) -> NDArray[np.int64]:
    """Return for each rule the first of the menu that says the same of own needs, (R,)."""
    seen: dict[bytes, int] = {}
    return np.array(
        [
            seen.setdefault(
                b"".join(part[r, OWN].tobytes() for part in (menu.level, menu.limit, menu.trigger)),
                r,
            )
            for r in range(len(menu.rules))
        ]
    )


def _least_lots(
    evaluator: Evaluator,
    rules: list[NDArray[np.int64]],
    variant: int,
    place: int,
    enough: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Find the fewest lots of a material with which each owner can keep alone what it has to.

    Parameters
    ----------
    place
        The material's place among those of the block; of the others all that is allowed is held.
    enough
        (C, R) what is found within the tolerance, if it is wanted within twice the tolerance.

    Returns
    -------
    (C, R) lots by rule; one more than the most where all of them do not suffice.
    """
    problem, block = evaluator.problem, evaluator.block
    owners, M = block.owners, len(block.materials)
    # All rules of all owners are tried side by side: owners do not feel each other here.
    tries = max(len(of_owner) for of_owner in rules)
    rule = np.stack([np.resize(of_owner, tries) for of_owner in rules], axis=1)
    everything = problem.lots_max[block.market_participant, block.market_material]
    lots = np.tile(everything, (tries, 1))
    lo = np.tile(problem.lots_min[owners, block.materials[place]], (tries, 1))
    most = np.tile(everything[place::M], (tries, 1))
    hi = most + 1 if enough is None else enough[owners, rule[:, owners]]
    middle = (lo + hi) // 2 if enough is None else np.maximum(lo, hi - 1)
    choices = with_variant(rule, variant)
    while (lo < hi).any():
        lots[:, place::M] = np.minimum(middle, most)
        kept = evaluator.floors_kept(lots, choices)[int(enough is not None)][:, owners]
        kept &= middle <= most
        hi = np.where(kept, middle, hi)
        lo = np.where(kept | (lo >= hi), lo, middle + 1)
        lo = np.minimum(lo, hi)
        middle = (lo + hi) // 2
    least = np.tile(problem.lots_max[:, block.materials[place], None] + 1, len(problem.menu.rules))
    for place_of_owner, c in enumerate(owners):
        least[c, rule[:, c]] = hi[:, place_of_owner]
    return least
