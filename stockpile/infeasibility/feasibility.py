"""Whether all limits can be kept at all: any plan that keeps them, or the proof that there is none.

The same nodes, prices and box searches as in :mod:`stockpile.master.search`, with nothing but
broken limits in the objective: prices of broken limits either lead to columns that break them less
or prove that every plan of the node breaks some. The limits that these proofs price are a first
guess at those that conflict. Blocks are kept from one question to the next: what has been
simulated for one set of limits serves for the next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from stockpile.boxsearch import BoxSearch
from stockpile.master.branching import FRACTIONAL
from stockpile.master.columns import Columns
from stockpile.master.node import FREE, OPEN
from stockpile.master.project_rows import project_rows
from stockpile.master.rows import TAIL
from stockpile.master.search import INFEASIBLE, MasterSearch
from stockpile.model.plan_arrays import choose
from stockpile.presolve import presolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from stockpile.candidates import Candidates
    from stockpile.couplings import Couplings
    from stockpile.evaluator import Evaluator
    from stockpile.master.duals import Duals
    from stockpile.master.node import Node
    from stockpile.master.project_rows import ProjectRow
    from stockpile.master.relaxation import Relaxed
    from stockpile.model.plan_arrays import Choice
    from stockpile.model.selection import Selection
    from stockpile.scenarios import ScenarioSet

Key: TypeAlias = tuple[str, int, int]
"""Names a limit: kind, participant or -1, item or -1, as in :class:`stockpile.master.rows.Row`."""

COVER, RULES = "cover", "rules"
"""Kinds of the limits (13) and (15), which are no rows."""
PROJECT_BUDGET, CAP = "project budget", "cap"
"""Kinds of the limits on projects, (11) and (17)."""
GAP = 0.9
"""Relative gap of searches whose cost does not matter."""
SLACKS = (0.5, 0.05, 0.0)
"""Parts of the broken limits that the box searches may leave open, one after the other."""
NEW_COLUMNS = 8
"""Candidates of a block, simulated already, that become columns in one round."""
OFFERED_COLUMNS = 60
"""Latest columns of each block that are offered to the integer master besides those in use."""
INTEGER_NODES = 100
"""Branch-and-bound nodes of the integer master, which only looks for plans."""
COLUMN_WORK, CHOICE_WORK = 1_000, 10
"""Work of a linear program for every column of it; of an integer program that many times more."""


@dataclass(frozen=True, slots=True)
class KeptBlock:
    """What is known of a block under some promises: its search, and its columns."""

    search: BoxSearch
    columns: Columns


def begin_block(evaluator: Evaluator, known: Sequence[Candidates]) -> KeptBlock:
    """Begin a block.

    Parameters
    ----------
    known
        Candidates that are known to keep the block's promises.
    """
    space, judge = presolve(evaluator)
    search = BoxSearch(judge, space, GAP, keep=True)
    while search.lots is None and not search.finished:
        search.advance()
    columns = Columns(evaluator)
    for candidates in known:
        columns.add(candidates)
    if search.lots is not None:
        columns.add(best_candidate(search))
    return KeptBlock(search, columns)


def best_candidate(search: BoxSearch) -> Candidates:
    """Return the incumbent of a search, which has one."""
    known = search.candidates
    same = (known.lots == search.lots).all(axis=1) & (known.rule == search.rule).all(axis=1)
    return known.take(np.flatnonzero(same)[:1])


class FeasibilitySearch(MasterSearch):
    """Looks for any plan that keeps all limits; the first one ends the search.

    Parameters
    ----------
    blocks
        What is known of each block, which grows.
    rules
        (C, R) rules that are tried before any others where their number is limited (15).
    work
        After so much the question stays open: candidates simulated, times scenarios, and what
        :data:`COLUMN_WORK` says. Counted, not timed, so that the answer is the same everywhere.
    """

    def __init__(
        self,
        evaluators: Sequence[Evaluator],
        couplings: Couplings,
        scenarios: ScenarioSet,
        stop: Callable[[], bool],
        blocks: Sequence[KeptBlock],
        rules: NDArray[np.bool_] | None,
        work: int,
    ) -> None:
        super().__init__(evaluators, couplings, scenarios, GAP, self._spent, _silent)
        self._asked_to_stop = stop
        self._most_work = work
        for block in blocks:
            self._known.begin(block.search, block.columns)
        self._tried_first = rules
        self._before = self._simulated()
        self._programmed = 0
        self.blamed: set[Key] = set()
        """Limits that the proofs so far have priced; all others may be dropped."""
        self.priced: tuple[tuple[float, Candidates], ...] = ()
        """By block: what its best candidate is charged at the prices of the last proof, and it."""

    def run(self) -> None:
        """Search until there is a plan, the proof that there is none, or no time or work left."""
        root = self._root(-np.inf)
        # An open facility breaks no limit, whatever it costs.
        root = replace(root, facility=np.full_like(root.facility, OPEN))
        nodes = [root]
        if self._tried_first is not None and self._couplings.most_rules is not None:
            self._look(replace(root, rule=np.where(self._tried_first, OPEN, FREE)))
        while nodes and self.incumbent is None and not self._stop():
            self.nodes += 1
            node = nodes.pop()
            nodes += reversed(self._look(node))
        self.finished = self.incumbent is not None or not nodes

    def _spent(self) -> bool:
        """Say whether to stop, or enough work has been done."""
        return self._asked_to_stop() or self.work > self._most_work

    @property
    def work(self) -> int:
        """Return the work done so far."""
        simulated = (self._simulated() - self._before) * self._scenarios.count
        return simulated + self._programmed

    def _simulated(self) -> int:
        return sum(search.simulations + search.tail_simulations for search in self._known.searches)

    def _look(self, node: Node) -> list[Node]:
        """Look for a plan in a node; return the parts that are left to look at."""
        node = self._narrow(node)
        in_use = (node.rule == OPEN).sum(axis=1).max(initial=0)
        if in_use > (self._couplings.most_rules or np.inf):
            self.blamed.add((RULES, -1, -1))
            return []
        relaxed: Relaxed | None = None
        slacks = iter(SLACKS)
        slack = next(slacks)
        while not self._stop():
            if not self._known.give_each_a_column(node):
                if self._stop():
                    break
                self._blame_rules(node)
                return []
            relaxed = self._known.relaxation(node, elastic=True)
            self._programmed += COLUMN_WORK * self._known.count
            if relaxed is None:
                break  # The solver has failed: the node is split without its advice.
            if relaxed.value <= 0.1 * INFEASIBLE:
                self._take_any(node, relaxed)
                break
            if self._add_known(node, relaxed.duals):
                continue
            before = self._known.count
            value, _ = self._known.price(node, relaxed.duals, self._left_open(relaxed, slack))
            if value > INFEASIBLE:
                self._blame(node, relaxed)
                return []
            if self._known.count > before:
                continue
            if slack == 0.0:
                break
            slack = next(slacks)
        if self.incumbent is not None:
            return []
        if self._stop():
            return [node]
        parts = self._split(node, relaxed)
        if not parts and self.incumbent is None:
            self._blame_all()
        return parts

    def _left_open(self, relaxed: Relaxed, slack: float) -> NDArray[np.float64]:
        """Return what each block's search may leave open, (blocks,), in units of the objective.

        In all it is a part of the objective, divided in proportion to what blocks are charged.
        """
        charge = np.zeros(len(self._known.searches))
        for i, (numbers, part) in enumerate(relaxed.z):
            used = part > FRACTIONAL
            candidates = self._known.columns[i].candidates.take(numbers[used])
            prices = self._known.prices(relaxed.duals, i)
            charge[i] = abs(part[used] @ self._known.searches[i].charge(candidates, prices))
        weight = charge / charge.sum() if charge.any() else np.full(charge.size, 1.0 / charge.size)
        return slack * abs(relaxed.value) * weight

    def _add_known(self, node: Node, duals: Duals) -> bool:
        """Turn candidates that have been simulated already into columns, if there are better ones.

        Where the tail has a price this is left to the box search.
        """
        if self._known.tail_is_priced(duals):
            return False
        return self._known.add_known(node, duals, duals, 0.0, most=NEW_COLUMNS)[1]

    def _take_any(self, node: Node, relaxed: Relaxed) -> None:
        """Let the integer master look for a plan among the columns in use and the latest ones."""
        chosen = [
            numbers[part > (0.5 if part.max() > 1.0 - FRACTIONAL else FRACTIONAL)]
            for numbers, part in relaxed.z
        ]
        self._plans.take_better(self._known.columns, chosen)
        if self.incumbent is None:
            latest = [self._known.inside(node, i)[-OFFERED_COLUMNS:] for i in range(len(chosen))]
            both = [np.union1d(*numbers) for numbers in zip(chosen, latest, strict=True)]
            self._plans.take_better(self._known.columns, both)

    def _choose(self, model: Selection) -> Choice | None:
        """Let the integer master choose; any choice will do."""
        self._programmed += CHOICE_WORK * COLUMN_WORK * model.cost.size
        free = replace(
            model,
            cost=np.zeros_like(model.cost),
            facility_cost=np.zeros_like(model.facility_cost),
            state_cost=np.zeros_like(model.state_cost),
        )
        return choose(free, node_limit=INTEGER_NODES)

    # --- Which limits the proofs have priced ------------------------------------------------------

    def _blame(self, node: Node, relaxed: Relaxed) -> None:
        """Note the limits that are priced, and what the blocks are charged for them."""
        duals = relaxed.duals
        for row, price in zip(self._known.rows, duals.row, strict=True):
            if price > 0.0:
                self.blamed.add((row.kind, row.participant, row.item))
        self.blamed |= {
            _key(row)
            for row, price in zip(self._project_rows(), duals.project_row, strict=True)
            if price > 0.0
        }
        self.blamed |= {(COVER, -1, g) for (g, _), price in duals.cover.items() if price.any()}
        if any(price.any() for price in duals.rule.values()):
            self.blamed.add((RULES, -1, -1))
        self._blame_rules(node)
        self.priced = tuple(
            (search.incumbent, best_candidate(search)) for search in self._known.searches
        )

    def _project_rows(self) -> list[ProjectRow]:
        return project_rows(self._couplings.projects, self._problem.materials)

    def _blame_rules(self, node: Node) -> None:
        """Note the limit on rules where the node leaves some out."""
        if (node.rule != FREE).any():
            self.blamed.add((RULES, -1, -1))

    def _blame_all(self) -> None:
        """Note all limits: a single plan was looked at and broke some."""
        self.blamed |= {(row.kind, row.participant, row.item) for row in self._known.rows}
        self.blamed |= {_key(row) for row in self._project_rows()}
        self.blamed |= {(COVER, -1, g) for g in range(len(self._problem.groups))}
        if np.isfinite(self._couplings.most_tail_cost):
            self.blamed.add((TAIL, -1, -1))
        if self._couplings.most_rules is not None:
            self.blamed.add((RULES, -1, -1))


def _key(row: ProjectRow) -> Key:
    """Name a limit on projects: a row of ``concentration.csv`` may stand for many caps."""
    if row.equation == 11:
        return (PROJECT_BUDGET, row.participant, -1)
    return (CAP, -1, row.item)


def _silent(_search: MasterSearch) -> None:
    """Tell nothing."""
