"""How a node is split in two: at a facility, project or rule, or the lots or rules of a block."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.choices import owners_rules
from stockpile.master.node import FREE, OPEN, SHUT
from stockpile.master.project_rows import steps
from stockpile.projects import FAST, FUNDED, STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.candidates import Candidates, Region
    from stockpile.couplings import Couplings
    from stockpile.evaluator import Evaluator
    from stockpile.master.columns import Columns
    from stockpile.master.node import Node
    from stockpile.master.relaxation import Relaxed

FRACTIONAL = 1e-6
"""A part below this of a whole counts as none."""
MUCH = 1e-3
"""Part of all costs from which on what a mixture differs in is much."""


def split(
    node: Node,
    relaxed: Relaxed | None,
    columns: Sequence[Columns],
    classes: Sequence[NDArray[np.int64]],
    evaluators: Sequence[Evaluator],
    couplings: Couplings,
) -> list[Node]:
    """Split a node in two where its relaxation cannot decide; nothing if it is one plan.

    First a block whose mixture saves a good part of all costs: of two ways to keep its promises,
    say, one spends much and one little, and whatever lies between costs more. Then what costs
    something by itself and joins the blocks, as all blocks feel that; lots come last.

    Parameters
    ----------
    relaxed
        None where the solver has failed.
    columns
        By block: what the relaxation mixes.
    classes
        By block: (C, R) the rule that stands for each rule.
    """
    if relaxed is not None:
        mixing = [_mixing(own, relaxed, i) for i, own in enumerate(columns)]
        dearest = int(np.argmax(mixing))
        least = max(_undecided_cost(relaxed, couplings), MUCH * abs(relaxed.value))
        if mixing[dearest] > least:
            halves = _cut_block(node, relaxed, columns, evaluators, dearest)
            if halves:
                return halves
        open_ = np.minimum(relaxed.facility, 1.0 - relaxed.facility)
        open_[node.facility != FREE] = 0.0
        if open_.max(initial=0.0) > FRACTIONAL:
            w = int(open_.argmax())
            return [node.with_facility(w, OPEN), node.with_facility(w, SHUT)]
        halves = _project_halves(node, relaxed)
        if halves:
            return halves
        used = np.minimum(relaxed.rule, 1.0 - relaxed.rule)
        used[node.rule != FREE] = 0.0
        if used.max(initial=0.0) > FRACTIONAL:
            c, r = (int(n) for n in np.unravel_index(used.argmax(), used.shape))
            return [node.with_rule(c, r, OPEN), node.with_rule(c, r, SHUT)]
        order = sorted(range(len(relaxed.z)), key=lambda i: float(relaxed.z[i][1].max()))
        for i in order:
            if relaxed.z[i][1].max() > 1.0 - FRACTIONAL:
                break
            halves = _cut_block(node, relaxed, columns, evaluators, i)
            if halves:
                return halves
    return _split_widest(node, classes)


def _mixing(columns: Columns, relaxed: Relaxed, i: int) -> float:
    """Return how far apart what block i mixes is in cost, as the mean deviation [USD/year].

    All that is mixed is worth the same at the prices of the limits, so this is what it differs in
    as to limits, too.
    """
    numbers, part = relaxed.z[i]
    cost = columns.figures.cost[numbers]
    return float(part @ np.abs(cost - part @ cost / part.sum()))


def _undecided_cost(relaxed: Relaxed, couplings: Couplings) -> float:
    """Return the most that a facility or project costs beyond what a relaxation counts of it."""
    stores = couplings.facilities.fixed_cost * np.minimum(relaxed.facility, 1.0 - relaxed.facility)
    projects = steps(couplings.projects.cost) * np.minimum(relaxed.project, 1.0 - relaxed.project)
    return float(max(stores.max(initial=0.0), projects.max(initial=0.0)))


def _cut_block(
    node: Node,
    relaxed: Relaxed,
    columns: Sequence[Columns],
    evaluators: Sequence[Evaluator],
    i: int,
) -> list[Node]:
    """Cut the region of block i between what a relaxation mixes; nothing where it cannot be."""
    numbers, part = relaxed.z[i]
    mixed = part > FRACTIONAL
    candidates = columns[i].candidates.take(numbers[mixed])
    cut = _between(node.regions[i], candidates, part[mixed], evaluators[i].lot)
    return [] if cut is None else [node.with_region(i, region) for region in cut]


def _project_halves(node: Node, relaxed: Relaxed) -> list[Node]:
    """Split at the project that is least decided: funded or not, or else fast or not."""
    parts = np.minimum(relaxed.project, 1.0 - relaxed.project)
    for step, reached in enumerate((FUNDED, FAST)):
        if parts[:, step].max(initial=0.0) > FRACTIONAL:
            p = int(parts[:, step].argmax())
            below = np.arange(STATES) < reached
            return [node.with_project(p, ~below), node.with_project(p, below)]
    return []


def _between(
    region: Region,
    candidates: Candidates,
    part: NDArray[np.float64],
    lot: NDArray[np.float64],
) -> tuple[Region, Region] | None:
    """Cut a region between candidates that a solution mixes."""
    mean = part @ candidates.lots / part.sum()
    spread = part @ np.abs(candidates.lots - mean) * lot
    wide = np.flatnonzero(candidates.lots.min(axis=0) < candidates.lots.max(axis=0))
    if wide.size:
        stock = int(wide[spread[wide].argmax()])
        at = int(np.floor(mean[stock]))
        at = min(at, int(candidates.lots[:, stock].max()) - 1)
        return _halves(region, stock, at)
    followed = owners_rules(candidates.rule)
    for c in range(followed.shape[1]):
        rules = np.unique(followed[:, c])
        if rules.size > 1:
            return _rule_halves(region, c, int(rules[0]))
    return None


def _split_widest(node: Node, classes: Sequence[NDArray[np.int64]]) -> list[Node]:
    """Split a node whose relaxation is whole, yet not good enough.

    That happens where prices or searches were not exact, and at the edge of a limit.
    """
    width = [float((region.hi - region.lo).max()) for region in node.regions]
    i = int(np.argmax(width))
    if width[i] > 0.0:
        region = node.regions[i]
        stock = int((region.hi - region.lo).argmax())
        at = int(region.lo[stock] + region.hi[stock]) // 2
        return [node.with_region(i, half) for half in _halves(region, stock, at)]
    for p in np.flatnonzero(node.project.sum(axis=1) > 1):
        lowest = np.arange(STATES) == node.project[p].argmax()
        return [node.with_project(int(p), lowest), node.with_project(int(p), ~lowest)]
    for i, region in enumerate(node.regions):
        for c, rules in enumerate(region.rules):
            allowed = np.intersect1d(np.flatnonzero(rules), np.unique(classes[i][c]))
            if allowed.size > 1:
                halves = _rule_halves(region, c, int(allowed[0]))
                return [node.with_region(i, half) for half in halves]
    return []


def _halves(region: Region, stock: int, at: int) -> tuple[Region, Region]:
    """Cut a region in two: at most so many lots of a stock, and more."""
    hi, lo = region.hi.copy(), region.lo.copy()
    hi[stock], lo[stock] = at, at + 1
    return replace(region, hi=hi), replace(region, lo=lo)


def _rule_halves(region: Region, c: int, rule: int) -> tuple[Region, Region]:
    """Cut a region in two: an owner follows a rule, or any other."""
    only, others = region.rules.copy(), region.rules.copy()
    only[c] = False
    only[c, rule] = region.rules[c, rule]
    others[c, rule] = False
    return replace(region, rules=only), replace(region, rules=others)
