"""Column generation and branching: one plan for all materials, with a certificate.

A node is a part of all plans. Its linear relaxation over the columns known so far gives prices;
at these prices every block's box search finds the candidate that pays best, which becomes a
column, and proves how little any other can pay. The sum of what the blocks prove is a lower limit
on every plan in the node (:mod:`stockpile.master.duals`). Where columns alone do not close the
gap, the node is split: at a facility, a rule, or the lots of a block. The search can be stopped at
any time: incumbent and bound stand. Section 8 of the formulation.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from stockpile.boxsearch import BoxSearch
from stockpile.candidates import Candidates, Region
from stockpile.certificate import ROUNDING, relative_gap
from stockpile.choices import owners_rules
from stockpile.master.branching import split
from stockpile.master.columns import Columns
from stockpile.master.diving import dive
from stockpile.master.duals import mix
from stockpile.master.known import BETTER, Known
from stockpile.master.node import FREE, OPEN, Node
from stockpile.master.proposals import (
    OFFERED_COLUMNS,
    OFFERED_ONCE,
    PRICING_SHARE,
    Incumbent,
    Proposals,
)
from stockpile.master.selections import selection
from stockpile.model.plan_arrays import Choice, choose
from stockpile.presolve import presolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from stockpile.couplings import Couplings
    from stockpile.evaluator import Evaluator
    from stockpile.master.duals import Duals
    from stockpile.master.relaxation import Relaxed
    from stockpile.model.selection import Selection
    from stockpile.scenarios import ScenarioSet

SAME = 1e-9
"""Plans whose costs differ by less than this, relatively, count as equally good."""
INFEASIBLE = 1e-7
"""A node is closed where its limits must be broken by more than this part of their size."""
MANY_SHARE = 0.9
"""Part of what searches may leave open that is for blocks of many stocks: they take longest."""
FIRST_SLACK = 0.1
"""Relative gap of the first box searches; what they leave open shrinks as prices settle."""
AT_FIRST = 0.05
"""Relative gap of the first full search of blocks whose searches take long."""
MOST_FIRST = 20_000
"""Boxes after which the first search of a block stops, if it has found a candidate."""
BROKEN_SLACK = 0.5
"""The same while it is only asked whether limits must be broken; then none."""
SAFELY = 0.9
"""Part of what may be left open that is: better candidates may yet be found."""
TIGHTEST = 0.2
"""Box searches may leave open so much less than their part of the gap, if that closes it."""
SHRINK = 0.3
AT_ONCE = 0.6
"""What searches may leave open in the end is gone for at once if it is so much of the next step."""
LAST_SLACK = 1e-3
"""Below this the searches go for what they may leave in the end at once."""
ENOUGH = 0.7
"""Part of the gap that box searches leave open before they are asked for more, which is dear."""
SETTLED = 0.1
"""Prices stand if others can prove no more but this part of what the searches leave open."""
SMOOTHING = 0.7
"""Part of the way from the best prices so far to those of the relaxation that is tried first."""
MOST_IDLE = 10
"""Times that prices may change without a new column before they count as settled."""
INTEGER_NODES = 100
"""Branch-and-bound nodes of the integer master, which only looks for incumbents."""
FEW_COLUMNS, MORE_NODES = 1500, 2000
"""Columns up to which it may take more nodes: where nearly all is decided, plans are rare."""
CAREFUL_SHARE = 0.02
"""Part of the gap that the integer master may leave open where searches take long: the better the
plan, the less has to be proved."""
PRESOLVED_COLUMNS = 2500
"""Columns of an integer master from which on reducing it first takes longer than it saves."""
PROPOSE_EVERY = 10
"""Nodes from one question to the integer master to the next."""
WORTH_DIVING = 0.5
"""Part of the gap that a plan must be above the relaxation for a better one to be dived for."""
DIVE_AGAIN = 0.1
"""Part of the gap by which the relaxation must be worth less for another dive."""
SHORT = 10_000
"""Simulations of all blocks up to which a search is short."""
MOST_TURNS = 3
"""Times that a node is found feasible by breaking limits a little, before it is split instead."""


@dataclass(frozen=True, slots=True)
class Centre:
    """The prices that prove most in a node, as far as simulated candidates tell.

    Attributes
    ----------
    duals
        The prices.
    upper
        What they prove at most [USD/year]: the candidates known now allow no more.
    """

    duals: Duals
    upper: float


class MasterSearch:
    """The search over all blocks as a state that can be stopped at any time.

    Parameters
    ----------
    evaluators
        One for each block.
    scenarios
        The scenarios that they simulate.
    gap
        Relative gap to prove; 0 proves the optimum, up to rounding.
    stop
        Asked again and again whether to stop.
    tell
        Told of progress after every round.
    start
        Lots (I,) and rules (C + 1,) of a plan that is looked at first, by block; empty for none.
    """

    def __init__(
        self,
        evaluators: Sequence[Evaluator],
        couplings: Couplings,
        scenarios: ScenarioSet,
        gap: float,
        stop: Callable[[], bool],
        tell: Callable[[MasterSearch], None],
        start: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]] = (),
    ) -> None:
        self._evaluators = evaluators
        self._couplings = couplings
        self._scenarios = scenarios
        self._gap = gap
        self._stop = stop
        self._tell = tell
        self._start = start
        self._problem = evaluators[0].problem
        self.impossible: tuple[int, ...] = ()
        """Blocks of which no candidate keeps its own promises."""
        self._known = Known(evaluators, couplings, scenarios, stop)
        self._plans = Proposals(
            self._known,
            evaluators,
            couplings,
            scenarios,
            gap,
            self._choose,
            lambda: tell(self),
        )
        self._heap: list[tuple[float, int, Node]] = []
        self._closed_bound = np.inf
        self._current_bound = -np.inf
        self._number = itertools.count()
        self.nodes = 0
        self.finished = False

    @property
    def simulations(self) -> list[int]:
        """Return the candidates simulated, by block."""
        return self._known.simulations

    @property
    def incumbent(self) -> Incumbent | None:
        """Return the best plan so far."""
        return self._plans.incumbent

    @property
    def cost(self) -> float:
        """Return the cost of the incumbent; infinite without one."""
        return self._plans.cost

    @property
    def bound(self) -> float:
        """Return the proven lower limit on the cost of every plan [USD/year]."""
        open_bound = min((bound for bound, _, _ in self._heap), default=np.inf)
        lowest = min(self.cost, self._closed_bound, open_bound, self._current_bound)
        return float(lowest - ROUNDING * abs(lowest)) if np.isfinite(lowest) else float(lowest)

    @property
    def gap(self) -> float:
        """Return (cost - bound) / cost."""
        return relative_gap(self.cost, self.bound)

    def model(self, least: int) -> Selection:
        """Return the mixed-integer model over all columns, once every block has one.

        Parameters
        ----------
        least
            Blocks with fewer columns get the cheapest candidates that have been simulated besides,
            up to about so many.
        """
        for columns, search, evaluator in zip(
            self._known.columns, self._known.searches, self._evaluators, strict=True
        ):
            if columns.count < least:
                known = search.candidates
                cost = search.charge(known, evaluator.plain_prices())
                columns.add(known.take(np.argsort(cost, kind="stable")[:least]))
        return selection(
            self._problem,
            self._couplings,
            self._evaluators,
            self._known.columns,
            [np.arange(columns.count) for columns in self._known.columns],
            self._known.classes,
            self._scenarios,
        )

    @property
    def columns(self) -> tuple[Candidates, ...]:
        """Return the candidates that are columns, by block."""
        return tuple(columns.candidates for columns in self._known.columns)

    def run(self) -> None:
        """Search until the gap is proved, nothing is left, or it is time to stop."""
        if not self._begin():
            return
        root = self._heap[0][2]
        while self._heap and not self._stop():
            _, _, node = heapq.heappop(self._heap)
            if node.bound >= self._cutoff():
                self._close(node.bound)
                continue
            self.nodes += 1
            # Until its parts are in the heap, the node itself stands for them.
            self._current_bound = node.bound
            parts = self._process(node, first=node is root)
            for part in parts:
                heapq.heappush(self._heap, (part.bound, next(self._number), part))
            self._current_bound = np.inf
            self._tell(self)
        self.finished = not self._heap

    def _begin(self) -> bool:
        """Start the blocks' searches; say whether there is anything to search."""
        root, first_prices = self._root(-np.inf), self._known.first_prices()
        for evaluator in self._evaluators:
            space, judge = presolve(evaluator)
            search = BoxSearch(judge, space, max(self._gap, FIRST_SLACK), keep=True)
            if self._couplings.projects.count:
                i = len(self._known.searches)
                search.begin(
                    self._known.prices(first_prices, i),
                    slack=max(self._gap, FIRST_SLACK) * _size(search.incumbent),
                    region=root.regions[i],
                )
            while not (search.finished or self._stop()) and (
                search.lots is None or not (search.takes_long or search.split >= MOST_FIRST)
            ):
                search.advance()
            self._known.begin(search, Columns(evaluator))
            self._tell(self)
            if self._stop() and len(self._known.searches) < len(self._evaluators):
                return False
        self.impossible = tuple(
            i
            for i, search in enumerate(self._known.searches)
            if search.lots is None and search.finished
        )
        if self.impossible:
            self.finished = True
            return False
        if any(search.lots is None for search in self._known.searches):
            return False  # Stopped before every block had a candidate.
        bound = sum(search.bound for search in self._known.searches)
        bound += self._known.constant(root, first_prices)
        for i in range(len(self._known.searches)):
            self._known.add_best(i)
        root = self._root(bound - ROUNDING * abs(bound))
        # For leaving so much open a search has needed its simulations, see `_allowance`.
        least = max(self._gap, FIRST_SLACK)
        left = [
            max(search.incumbent - search.bound, least * _size(search.incumbent))
            for search in self._known.searches
        ]
        weight = np.sqrt(np.array(left) * np.array(self.simulations))
        self._weight = weight / weight.sum() if weight.any() else np.ones(weight.size) / weight.size
        heapq.heappush(self._heap, (root.bound, next(self._number), root))
        self._look_at_start()
        return True

    def _look_at_start(self) -> None:
        """Take the plan that is known already as incumbent, if it is one here."""
        chosen = []
        root = self._heap[0][2]
        for i, (lots, choices) in enumerate(self._start):
            search, columns = self._known.searches[i], self._known.columns[i]
            rule = choices.copy()
            followed = owners_rules(choices)
            rule[:-1] = self._known.classes[i][np.arange(followed.size), followed]
            region = root.regions[i]
            if (lots < region.lo).any() or (lots > region.hi).any():
                return
            candidate = search.look_at(lots, rule)
            if not candidate.count:
                return
            columns.add(candidate)
            same = (columns.candidates.lots == lots).all(axis=1)
            same &= (columns.candidates.rule == rule).all(axis=1)
            chosen.append(np.flatnonzero(same)[:1])
        if chosen:
            self._plans.take_better(self._known.columns, chosen)

    def _root(self, bound: float) -> Node:
        """Return the node of all plans."""
        problem, existing = self._problem, self._couplings.facilities.existing
        shape = (len(problem.participants), len(problem.menu.rules))
        regions = []
        for evaluator in self._evaluators:
            c, m = evaluator.block.market_participant, evaluator.block.market_material
            rules = np.ones(shape, dtype=np.bool_)
            variants = np.ones(evaluator.variants.count, dtype=np.bool_)
            lots_min, lots_max = problem.lots_min[c, m], problem.lots_max[c, m]
            regions.append(Region(lots_min, lots_max, rules, variants))
        return Node(
            regions=tuple(regions),
            facility=np.where(existing, OPEN, FREE),
            rule=np.full(shape, FREE),
            project=self._couplings.projects.allowed,
            bound=bound,
            depth=0,
        )

    def _cutoff(self) -> float:
        """Return the cost from which on a bound closes a node."""
        return self.cost - max(self._gap, SAME) * abs(self.cost) if self.incumbent else np.inf

    def _close(self, bound: float) -> None:
        self._closed_bound = min(self._closed_bound, bound)

    # --- One node ---------------------------------------------------------------------------------

    def _process(self, node: Node, *, first: bool) -> list[Node]:
        """Bound a node as well as columns allow; return the parts that are left to look at."""
        node = self._narrow(node)
        if (node.rule == OPEN).sum(axis=1).max(initial=0) > (self._couplings.most_rules or np.inf):
            return []
        best, elastic, slack = node.bound, False, np.nan
        relaxed: Relaxed | None = None
        centre: Centre | None = None
        priced: Centre | None = None
        turns, idle, dived = 0, 0, np.inf
        proved: tuple[float, Duals] | None = None
        # The limit on the tail comes last: what is good without it is near to what keeps it.
        cut = not np.isfinite(self._couplings.most_tail_cost)
        # Where searches take long, prices are settled first on candidates that are only improved.
        roughly = any(search.takes_long for search in self._known.searches)
        while not self._stop() and turns <= MOST_TURNS:
            if not self._known.give_each_a_column(node):
                # A search that was stopped has not shown that there is none.
                return [replace(node, bound=best)] if self._stop() else []
            relaxed = self._known.relaxation(node, elastic=elastic, cut=cut)
            if relaxed is None:
                if elastic:
                    break  # The solver has failed: the node is split without its advice.
                elastic, centre, slack = True, None, BROKEN_SLACK
                proved = None
                continue
            if elastic and relaxed.value <= 0.1 * INFEASIBLE:
                elastic, centre, slack, turns = False, None, np.nan, turns + 1
                proved = None
                continue
            if np.isnan(slack):
                least = self._least_slack(relaxed.value, relaxed.value)
                slack = max(least, FIRST_SLACK if first else 0.0)
            allowance = self._allowance(relaxed, slack, roughly=roughly)
            if self._known.tail_is_priced(relaxed.duals):
                centre = Centre(_stabilised(relaxed.duals, None if idle else proved), -np.inf)
            else:
                centre, grew = self._settle(node, relaxed, centre, allowance)
                if grew:
                    continue
            if (centre is priced or idle >= MOST_IDLE) and not elastic and not cut:
                cut, centre, idle = True, None, 0
                continue
            if centre is priced or idle >= MOST_IDLE:
                tight = max(self._least_slack(centre.upper, relaxed.value), LAST_SLACK)
                if roughly and not elastic and slack > 2.0 * tight:
                    if first:
                        best = max(best, self._look_once(node, relaxed, centre.duals, best))
                        if best >= self._cutoff():
                            break
                    # Prices have settled roughly: now as well as they will have to in the end.
                    slack, idle, priced = tight, 0, None
                    continue
                if first and not elastic and self._worth_diving(relaxed, dived):
                    # The better the plan, the less has to be proved.
                    dived = relaxed.value
                    self._propose(node, relaxed, relaxed.duals)
                    if self._worth_diving(relaxed, np.inf):
                        self._dive(node)
                    if not roughly:
                        slack = self._less_slack(slack, centre.upper, relaxed.value)
                        self._allowance(relaxed, slack, roughly=False, anew=True)
                    centre, idle = None, 0
                    continue
                # Other prices would prove no more: only searches that leave less open can.
                if elastic:
                    lower = 0.0
                elif roughly:
                    lower = self._first_full_slack(centre.upper, relaxed.value)
                else:
                    lower = self._less_slack(slack, centre.upper, relaxed.value)
                if lower >= slack and not roughly:
                    break
                # The plan there is may do, if only the bound comes up to what prices can prove.
                if not elastic and relaxed.value < self._cutoff():
                    self._propose(node, relaxed, centre.duals)
                if not elastic and best >= self._cutoff():
                    break
                anew = not roughly
                slack, idle, roughly = lower, 0, roughly and elastic
                allowance = self._allowance(relaxed, slack, roughly=roughly, anew=anew)
            before = self._known.count
            closes = slack * abs(relaxed.value) <= centre.upper - self._cutoff()
            value, upper = self._known.price(
                node,
                centre.duals,
                allowance,
                roughly=roughly and not elastic,
                goal=self._cutoff() if closes and not elastic else np.inf,
                tell=None if elastic or not first else partial(self._tell_bound, best),
            )
            idle = 0 if self._known.count > before else idle + 1
            if proved is None or value > proved[0]:
                proved = value, centre.duals
            centre = priced = Centre(centre.duals, upper)
            if elastic and value > INFEASIBLE:
                return []
            if not elastic:
                best = max(best, value)
                self._current_bound = best
                if first:
                    self._tell(self)
            if best >= self._cutoff():
                break
        if best >= self._cutoff():
            self._close(best)
            return []
        node = replace(node, bound=best)
        if self._stop():
            return [node]
        if relaxed is not None and not elastic:
            # Before the first split a wider look: branching is dear, a better plan is not.
            offered = OFFERED_ONCE if first else OFFERED_COLUMNS
            self._propose(node, relaxed, relaxed.duals, offered)
            if best >= self._cutoff():
                self._close(best)
                return []
        return self._split(node, relaxed)

    def _look_once(self, node: Node, relaxed: Relaxed, duals: Duals, best: float) -> float:
        """Have a plan proposed and search all blocks once, roughly; return what is proved.

        So there is a plan and a bound long before prices have settled, and blocks of many stocks
        are looked at everywhere, not only around the candidates that are known.
        """
        self._propose(node, relaxed, relaxed.duals)
        allowance = self._allowance(relaxed, AT_FIRST, roughly=False)
        tell = partial(self._tell_bound, best)
        value, _ = self._known.price(node, duals, allowance, tell=tell)
        self._tell_bound(best, value)
        return value

    def _tell_bound(self, least: float, value: float) -> None:
        """Tell what is proved while a node is still being bounded."""
        self._current_bound = max(least, value)
        self._tell(self)

    def _least_slack(self, upper: float, value: float) -> float:
        """Return the relative gap that box searches may leave open in the end.

        So much that the bound, which is below what prices can prove, still closes the node; where
        that would be hard, or cannot be, a part of the gap.
        """
        least = PRICING_SHARE * self._gap
        if self.incumbent is None or value <= 0.0:
            return least
        needed = SAFELY * (upper - self._cutoff()) / value
        return needed if needed > TIGHTEST * least else least

    def _first_full_slack(self, upper: float, value: float) -> float:
        """Return the relative gap that the first full searches of blocks may leave open.

        Prices have settled, so what closes the node is gone for at once. If nothing can, the bound
        is brought near first.
        """
        if self.incumbent is not None and upper > self._cutoff():
            return self._least_slack(upper, value)
        return max(ENOUGH * self._gap, SHRINK * SHRINK * FIRST_SLACK)

    def _less_slack(self, slack: float, upper: float, value: float) -> float:
        """Return the relative gap that box searches may leave open next, or the same."""
        least = self._least_slack(upper, value)
        lower, enough = SHRINK * slack, ENOUGH * self._gap
        if lower < enough < slack:
            lower = enough
        if least >= AT_ONCE * lower:
            lower = least  # It is not much dearer to go for it at once.
        return min(slack, lower if lower > max(least, LAST_SLACK) else least)

    def _allowance(
        self, relaxed: Relaxed, slack: float, *, roughly: bool, anew: bool = False
    ) -> NDArray[np.float64]:
        """Return what each block's search may leave open, (blocks,), in units of the objective.

        Parameters
        ----------
        roughly
            Whether blocks of many stocks are not searched in full.
        anew
            Whether to divide it anew: a search takes about so many simulations as are inversely
            proportional to what it leaves open, and all together take the fewest when each
            leaves open the square root of their product.
        """
        if anew:
            weight = np.sqrt(self._weight * np.array(self.simulations))
            self._weight = weight / weight.sum() if weight.any() else weight
        weight = self._weight.copy()
        many = np.array([search.many_stocks for search in self._known.searches])
        if not roughly and weight[many].any() and weight[~many].any():
            weight[many] *= MANY_SHARE / weight[many].sum()
            weight[~many] *= (1.0 - MANY_SHARE) / weight[~many].sum()
        return np.asarray(slack * abs(relaxed.value) * weight)

    def _narrow(self, node: Node) -> Node:
        """Take out of the regions the rules and variants that the node leaves out."""
        regions = [
            replace(region, variants=region.variants & evaluator.variants.allowed(node.project))
            for region, evaluator in zip(node.regions, self._evaluators, strict=True)
        ]
        if self._couplings.most_rules is None:
            return replace(node, regions=tuple(regions))
        allowed = node.allowed_rules(self._couplings.most_rules)
        for i, (region, classes) in enumerate(zip(regions, self._known.classes, strict=True)):
            rules = np.zeros_like(region.rules)
            for c in range(len(rules)):
                rules[c, np.unique(classes[c][allowed[c]])] = True
            regions[i] = replace(region, rules=region.rules & rules)
        return replace(node, regions=tuple(regions))

    def _settle(
        self, node: Node, relaxed: Relaxed, centre: Centre | None, allowance: NDArray[np.float64]
    ) -> tuple[Centre, bool]:
        """Find prices that prove as much as the relaxation's value, as far as is known.

        The relaxation's own prices jump from one corner to another, and box searches at prices
        that do not last are in vain. So those between them and the best so far are tried first
        (Wentges 1997, doi:10.1016/S0969-6016(97)00001-4). The tail must have no price.

        Returns
        -------
        The prices, and whether candidates have become columns that the relaxation does not know.
        """
        tolerance = max(SETTLED * float(allowance.sum()), BETTER * abs(relaxed.value))
        if centre is not None and relaxed.value - centre.upper <= tolerance:
            return centre, False
        out = relaxed.duals
        tried = [out]
        if centre is not None and not self._known.tail_is_priced(centre.duals):
            tried = [mix(centre.duals, out, SMOOTHING), out]
        for duals in tried:
            upper, grew = self._known.add_known(node, duals, out, tolerance)
            if centre is None or upper > centre.upper + SAME * abs(centre.upper):
                centre = Centre(duals, upper)
            if relaxed.value - centre.upper <= tolerance:
                return centre, False
            if grew:
                break
        assert centre is not None
        return centre, grew

    # --- Plans ------------------------------------------------------------------------------------

    def _propose(
        self, node: Node, relaxed: Relaxed, duals: Duals, offered: int = OFFERED_COLUMNS
    ) -> None:
        """Have a better plan proposed; see :meth:`Proposals.propose`."""
        fully = self.incumbent is None or self.nodes % PROPOSE_EVERY == 1
        self._plans.propose(node, relaxed, duals, offered, fully=fully)

    def _worth_diving(self, relaxed: Relaxed, dived: float) -> bool:
        """Say whether a plan may be found that is better by a good part of the gap.

        Not where the search has been so short that a dive would take longer, and not again where
        the relaxation is worth much the same as at the dive before.
        """
        size = max(self._gap, SAME) * abs(relaxed.value)
        if sum(self.simulations) < SHORT or relaxed.value >= dived - DIVE_AGAIN * size:
            return False
        return self.cost - relaxed.value > WORTH_DIVING * size

    def _dive(self, node: Node) -> None:
        """Look for a better plan by deciding one block after the other."""
        found = dive(
            self._known,
            node,
            self._evaluators,
            self._couplings.most_rules,
            self._narrow,
            self._stop,
        )
        if found is not None:
            self._propose(*found, found[1].duals, OFFERED_ONCE)

    def _choose(self, model: Selection) -> Choice | None:
        """Let the integer master choose."""
        few, small = model.block.size <= FEW_COLUMNS, model.block.size < PRESOLVED_COLUMNS
        careful = any(search.takes_long for search in self._known.searches)
        share = CAREFUL_SHARE if careful else PRICING_SHARE
        nodes = MORE_NODES if few or careful else INTEGER_NODES
        return choose(model, gap=share * self._gap, node_limit=nodes, presolve=small)

    # --- Branching --------------------------------------------------------------------------------

    def _split(self, node: Node, relaxed: Relaxed | None) -> list[Node]:
        """Split a node where its relaxation cannot decide; nothing if it is one plan."""
        known = self._known
        parts = split(
            node, relaxed, known.columns, known.classes, self._evaluators, self._couplings
        )
        if not parts:
            self._decide(node)
        return parts

    def _decide(self, node: Node) -> None:
        """Look at a node that is one plan, and close it."""
        chosen = [self._known.inside(node, i)[:1] for i in range(len(self._known.columns))]
        self._plans.take_better(self._known.columns, chosen)
        cost = sum(
            float(columns.figures.cost[numbers[0]])
            for columns, numbers in zip(self._known.columns, chosen, strict=True)
        )
        self._close(max(node.bound, cost))


def _stabilised(out: Duals, proved: tuple[float, Duals] | None) -> Duals:
    """Return prices to search at where the tail has a price.

    What candidates are charged for the tail is not known before a simulation, so prices cannot be
    settled on what is known. They are drawn from those of the relaxation towards those that have
    proved most, unless these have just brought nothing.

    Parameters
    ----------
    out
        The prices of the relaxation.
    proved
        What the best prices so far have proved, and these prices.
    """
    return out if proved is None else mix(proved[1], out, SMOOTHING)


def _size(cost: float) -> float:
    """Return what a relative gap is a part of; 0 without a candidate."""
    return abs(cost) if np.isfinite(cost) else 0.0
