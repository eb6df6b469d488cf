"""What is known of all blocks: what has been simulated, the columns, limits and prices."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from stockpile.certificate import ROUNDING
from stockpile.master.duals import Duals, block_prices, constant
from stockpile.master.project_rows import project_rows, steps
from stockpile.master.relaxation import relax
from stockpile.master.rows import TAIL, Row, fixed_rows, tail_cut, use
from stockpile.presolve import rule_classes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from stockpile.boxsearch import BoxSearch
    from stockpile.couplings import Couplings
    from stockpile.evaluator import Evaluator
    from stockpile.master.columns import Columns
    from stockpile.master.node import Node
    from stockpile.master.relaxation import Relaxed
    from stockpile.prices import BlockPrices
    from stockpile.scenarios import ScenarioSet

MOST_CUT_ROUNDS = 50
NEW_COLUMNS = 3
"""Candidates of a block, simulated already, that become columns in one round."""
ROUNDS_AWAY = 1e-9
"""Part of itself by which more than a goal is proved, so that rounding does not miss it."""
BETTER = 1e-7
"""A candidate becomes a column if it is charged less than every column by this, relatively."""


class Known:
    """What is known of all blocks, which grows.

    Parameters
    ----------
    evaluators
        One for each block.
    scenarios
        The scenarios that they simulate.
    stop
        Asked again and again whether to stop.
    """

    def __init__(
        self,
        evaluators: Sequence[Evaluator],
        couplings: Couplings,
        scenarios: ScenarioSet,
        stop: Callable[[], bool],
    ) -> None:
        self._evaluators = evaluators
        self._couplings = couplings
        self._scenarios = scenarios
        self._stop = stop
        self.classes = [rule_classes(evaluator) for evaluator in evaluators]
        """By block: (C, R) the rule that stands for each rule."""
        self.rows: list[Row] = fixed_rows(couplings)
        """The limits that are rows; cuts of the tail are added."""
        self.searches: list[BoxSearch] = []
        self.columns: list[Columns] = []
        self._uses: list[NDArray[np.float64]] = []

    def begin(self, search: BoxSearch, columns: Columns) -> None:
        """Take in the next block."""
        self.searches.append(search)
        self.columns.append(columns)
        self._uses.append(np.zeros((0, len(self.rows))))

    @property
    def count(self) -> int:
        """Return the number of columns."""
        return sum(columns.count for columns in self.columns)

    @property
    def simulations(self) -> list[int]:
        """Return the candidates simulated, by block."""
        return [search.simulations for search in self.searches]

    def give_each_a_column(self, node: Node) -> bool:
        """Find a candidate of every block in the node; False where a block has none."""
        for i, search in enumerate(self.searches):
            if self.inside(node, i).size:
                continue
            plain = self._evaluators[i].plain_prices()
            search.begin(plain, slack=np.inf, region=node.regions[i])
            while not (search.finished or self._stop()):
                search.advance()
            if search.lots is None:
                return False
            self.add_best(i)
        return True

    def inside(self, node: Node, i: int) -> NDArray[np.int64]:
        """Return the numbers of the columns of a block that are inside a node."""
        return np.flatnonzero(node.regions[i].holds(self.columns[i].candidates))

    def add_best(self, i: int) -> bool:
        """Add the incumbent of a block's search to its columns."""
        search = self.searches[i]
        if search.lots is None:
            return False
        known = search.candidates
        same = (known.lots == search.lots).all(axis=1) & (known.rule == search.rule).all(axis=1)
        return self.columns[i].add(known.take(np.flatnonzero(same)[:1])) > 0

    def relaxation(self, node: Node, *, elastic: bool, cut: bool = True) -> Relaxed | None:
        """Solve the linear relaxation, with all the cuts of the tail that it violates.

        Parameters
        ----------
        elastic
            Whether limits may be broken, as little as can be.
        cut
            Whether cuts that are not known yet are written down.
        """
        for round_ in itertools.count():
            self._bring_uses_up_to_date()
            relaxed = relax(
                self.rows,
                self._uses,
                self.columns,
                [self.inside(node, i) for i in range(len(self.columns))],
                node,
                self._couplings,
                self.classes,
                self._evaluators,
                self._scenarios,
                elastic=elastic,
            )
            if relaxed is None or not cut or round_ == MOST_CUT_ROUNDS or not self._cut(relaxed):
                return relaxed
        raise AssertionError  # The loop ends inside.

    def _bring_uses_up_to_date(self) -> None:
        for i, (columns, evaluator) in enumerate(zip(self.columns, self._evaluators, strict=True)):
            have, known = self._uses[i].shape
            if known < len(self.rows):
                fresh = [
                    use(row, i, evaluator, columns, self._couplings)[:have]
                    for row in self.rows[known:]
                ]
                self._uses[i] = np.column_stack([self._uses[i], *fresh])
            if have < columns.count:
                fresh = [
                    use(row, i, evaluator, columns, self._couplings, have) for row in self.rows
                ]
                below = np.empty((columns.count - have, len(self.rows)))
                for k, amount in enumerate(fresh):
                    below[:, k] = amount
                self._uses[i] = np.concatenate([self._uses[i], below])

    def _cut(self, relaxed: Relaxed) -> bool:
        """Write down the cut that a solution violates; say whether there is one."""
        if not np.isfinite(self._couplings.most_tail_cost):
            return False
        cost = np.zeros(self._scenarios.count)
        for evaluator, columns, (numbers, part) in zip(
            self._evaluators, self.columns, relaxed.z, strict=True
        ):
            used = part > 0.0
            cost[evaluator.needs.scenario] += part[used] @ columns.shortage(numbers[used])
        cut = tail_cut(cost, self._scenarios.probability, self._evaluators, self._couplings)
        # Where limits may be broken, so may be a cut that is there already.
        if cut is None or any(cut.key == row.key for row in self.rows):
            return False
        self.rows.append(cut)
        return True

    def prices(self, duals: Duals, i: int) -> BlockPrices:
        """Return what the limits charge a block."""
        rows = self.rows[: duals.row.size]  # Rows that were written down later have no price yet.
        return block_prices(duals, rows, i, self._evaluators[i], self._couplings)

    def first_prices(self) -> Duals:
        """Return prices before any are known: blocks share the cost of the projects they gain by.

        So no project is free, and none pays or costs anything besides.
        """
        projects = self._couplings.projects
        matter = [evaluator.variants.projects for evaluator in self._evaluators]
        blocks = np.bincount(np.concatenate([[], *matter]).astype(int), minlength=projects.count)
        each = steps(projects.cost) / np.maximum(blocks, 1)[:, None]
        materials = self._evaluators[0].problem.materials
        return Duals(
            1.0,
            np.zeros(len(self.rows)),
            {},
            {},
            {i: each[own] for i, own in enumerate(matter)},
            np.zeros(len(project_rows(projects, materials))),
        )

    def constant(self, node: Node, duals: Duals) -> float:
        """Return the part of the bound at some prices that is not a block's."""
        return constant(
            duals,
            self.rows[: duals.row.size],
            node,
            self._couplings,
            self.classes,
            self._evaluators,
            self._scenarios,
        )

    def tail_is_priced(self, duals: Duals) -> bool:
        """Say whether the shortage cost of the tail (18) has a price."""
        return any(
            price > 0.0 and row.kind == TAIL
            for row, price in zip(self.rows, duals.row, strict=False)
        )

    def add_known(
        self,
        node: Node,
        duals: Duals,
        out: Duals,
        tolerance: float,
        most: int = NEW_COLUMNS,
    ) -> tuple[float, bool]:
        """Turn candidates that have been simulated, and that are best at some prices, into columns.

        Only those that pay better than every column at the prices ``out``, and of each block at
        most so many. The tail must have no price: it would have to be simulated again.

        Returns
        -------
        What the prices prove at most, and whether there are new columns.
        """
        upper, grew = self.constant(node, duals), False
        for i, search in enumerate(self.searches):
            prices = self.prices(duals, i)
            known = search.candidates
            charge = search.charge(known, prices)
            charge[~node.regions[i].holds(known)] = np.inf
            upper += float(charge.min(initial=np.inf))
            best = np.argsort(charge, kind="stable")[:most]
            known = known.take(best[np.isfinite(charge[best])])
            at_out = prices if duals is out else self.prices(out, i)
            columns = self.columns[i].candidates.take(self.inside(node, i))
            now = float(search.charge(columns, at_out).min())
            charge = search.charge(known, at_out)
            rounding = BETTER * (abs(now) + np.abs(charge))
            enough = np.maximum(rounding, 0.5 * tolerance / len(self.searches))
            grew |= self.columns[i].add(known.take(charge < now - enough)) > 0
        return upper, grew

    def price(
        self,
        node: Node,
        duals: Duals,
        allowance: NDArray[np.float64],
        *,
        roughly: bool = False,
        goal: float = np.inf,
        tell: Callable[[float], None] | None = None,
    ) -> tuple[float, float]:
        """Search every block at prices; return what they prove, and what they can prove at most.

        What needs the most simulations comes last, and may leave open what the others have not.

        Parameters
        ----------
        roughly
            Whether blocks whose searches take long only improve the candidates that they know.
            They prove next to nothing then.
        goal
            What is enough to be proved in any case.
        tell
            Told what is proved so far, again and again while the last block is searched.
        """
        value = upper = self.constant(node, duals)
        simulations = self.simulations
        order = sorted(range(len(self.searches)), key=lambda i: simulations[i])
        left = 0.0
        for i in order:
            search = self.searches[i]
            last = i == order[-1]
            search.begin(
                self.prices(duals, i),
                slack=float(allowance[i]) + (left if last else 0.0),
                region=node.regions[i],
                goal=goal + ROUNDS_AWAY * abs(goal) - value if last else np.inf,
            )
            while not (search.finished or self._stop() or (roughly and search.takes_long)):
                search.advance()
                if tell is not None and last:
                    so_far = value + search.bound
                    tell(so_far - ROUNDING * abs(so_far))
            value += search.bound
            upper += search.incumbent
            left += max(float(allowance[i]) - (search.incumbent - search.bound), 0.0)
            self.add_best(i)
        return value - ROUNDING * abs(value), upper
