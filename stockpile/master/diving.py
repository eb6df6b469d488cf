"""Diving: rounding a relaxation step by step to a plan, with candidates made for what is decided.

Candidates that pay at the prices of a relaxation are not those that a plan needs: where two of one
block are mixed, one that spends much and one that spends little, any plan leaves the others more to
spend or less. So one block after the other is held to the rules and variant of its heaviest
candidate, and after each step candidates are improved at the new prices. This only finds plans; it
proves nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.choices import owners_rules, variant_of
from stockpile.master.branching import FRACTIONAL
from stockpile.master.node import FREE, OPEN, SHUT
from stockpile.projects import STATES

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from numpy.typing import NDArray

    from stockpile.candidates import Region
    from stockpile.evaluator import Evaluator
    from stockpile.master.known import Known
    from stockpile.master.node import Node
    from stockpile.master.relaxation import Relaxed

ROUNDS = 1
"""Times that candidates are improved after each decision."""
DEAR = 0.001
"""Part of all costs from which on a decision is dear, and another one is tried."""
WORTH = 1e-5
"""Candidates become columns where they pay by this part of all costs better than others."""


def dive(
    known: Known,
    node: Node,
    evaluators: Sequence[Evaluator],
    most_rules: int | None,
    narrow: Callable[[Node], Node],
    stop: Callable[[], bool],
) -> tuple[Node, Relaxed] | None:
    """Return a part of a node in which nearly all is decided but lots, with its relaxation.

    A decision that leaves nothing is taken back.

    Parameters
    ----------
    narrow
        Takes out of a node's regions what its decisions on rules and projects leave out.
    """
    relaxed = improved(known, node, stop)
    settled: set[Hashable] = set()
    while relaxed is not None and not stop():
        decision = _next_decision(known, relaxed, node, evaluators, most_rules, settled)
        if decision is None:
            return node, relaxed
        what, parts = decision
        best: tuple[Node, Relaxed] | None = None
        for part in map(narrow, parts):
            there = improved(known, part, stop) if known.give_each_a_column(part) else None
            if there is not None and (best is None or there.value < best[1].value):
                best = part, there
            if best is not None and best[1].value <= relaxed.value + DEAR * abs(relaxed.value):
                break
        settled.add(what)
        if best is not None:
            node, relaxed = best
    return None


def _next_decision(
    known: Known,
    relaxed: Relaxed,
    node: Node,
    evaluators: Sequence[Evaluator],
    most_rules: int | None,
    settled: set[Hashable],
) -> tuple[Hashable, list[Node]] | None:
    """Return what is decided next, and the parts of the node that may be left then.

    Nothing is decided twice, or the dive might not end.

    What joins the blocks comes first: rules, then projects. Facilities that are open in part are
    opened at last: they cost little beside lots that would have to go elsewhere, and the integer
    master may still shut them.
    """
    if most_rules is not None and (relaxed.rule > FRACTIONAL).sum(axis=1).max() > most_rules:
        undecided = np.where(node.rule == FREE, relaxed.rule, 0.0)
        for place in np.argsort(-undecided, axis=None, kind="stable").tolist():
            c, r = divmod(place, undecided.shape[1])
            if undecided[c, r] > FRACTIONAL and ("rule", c, r) not in settled:
                return ("rule", c, r), [node.with_rule(c, r, OPEN), node.with_rule(c, r, SHUT)]
    for p, step in np.ndindex(relaxed.project.shape):
        reached = float(relaxed.project[p, step])
        if FRACTIONAL < reached < 1.0 - FRACTIONAL and ("project", p, step) not in settled:
            halves = [node.with_project(p, np.arange(STATES) > step)]
            halves.append(node.with_project(p, np.arange(STATES) <= step))
            return ("project", p, step), halves if reached >= 0.5 else halves[::-1]
    mixed = []
    for i in range(len(evaluators)):
        choices, weight = _choices(known, relaxed, evaluators, i)
        if weight.size > 1 and i not in settled:
            mixed.append((float(weight[0]), -i, choices))
    if mixed:
        _, i, choices = max(mixed, key=lambda item: item[:2])
        region = node.regions[-i]
        return -i, [node.with_region(-i, _held_to(region, choice)) for choice in choices]
    half_open = (relaxed.facility > FRACTIONAL) & (relaxed.facility < 1.0 - FRACTIONAL)
    opened = np.where(half_open, OPEN, node.facility)
    if half_open.any() and opened.tobytes() not in settled:
        return opened.tobytes(), [replace(node, facility=opened)]
    return None


def improved(known: Known, node: Node, stop: Callable[[], bool]) -> Relaxed | None:
    """Return a node's relaxation after its blocks' candidates have been improved at its prices."""
    relaxed = known.relaxation(node, elastic=False)
    for _ in range(ROUNDS):
        if relaxed is None or stop():
            return relaxed
        for i, search in enumerate(known.searches):
            prices, region = known.prices(relaxed.duals, i), node.regions[i]
            candidates = search.candidates.take(region.holds(search.candidates))
            best = np.array([search.charge(candidates, prices).argmin()])
            search.improve(candidates.take(best), prices, region)
        tolerance = WORTH * abs(relaxed.value)
        if not known.add_known(node, relaxed.duals, relaxed.duals, tolerance)[1]:
            return relaxed
        relaxed = known.relaxation(node, elastic=False)
    return relaxed


def _choices(
    known: Known, relaxed: Relaxed, evaluators: Sequence[Evaluator], i: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the choices that a relaxation mixes in a block, and to which parts, heaviest first."""
    numbers, part = relaxed.z[i]
    used = part > FRACTIONAL
    candidates = known.columns[i].candidates.take(numbers[used])
    # The rule of who holds nothing does not matter.
    choices = candidates.rule.copy()
    choices[:, :-1] = np.where(evaluators[i].holds(candidates.lots), choices[:, :-1], -1)
    distinct, which = np.unique(choices, axis=0, return_inverse=True)
    weight = np.bincount(which.reshape(-1), weights=part[used]).astype(np.float64)
    order = np.argsort(-weight, kind="stable")
    return distinct[order], weight[order]


def _held_to(region: Region, choice: NDArray[np.int64]) -> Region:
    """Return the part of a region with one choice of rules and variant; -1 stands for any rule."""
    rules = region.rules.copy()
    for c, r in enumerate(owners_rules(choice)):
        if r >= 0:
            rules[c] &= np.arange(rules.shape[1]) == r
    variants = region.variants & (np.arange(region.variants.size) == variant_of(choice))
    return replace(region, rules=rules, variants=variants)
