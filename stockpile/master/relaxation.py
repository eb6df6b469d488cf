"""The restricted master: the linear relaxation of (9)-(18) over the columns known so far."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array

from stockpile.master.cover import Cover, cover, scenario_prices
from stockpile.master.duals import Duals, least_confidence
from stockpile.master.node import FREE, OPEN
from stockpile.master.project_rows import project_rows, steps
from stockpile.master.rows import facility_room
from stockpile.model.linear import LinearModel, solve_linear
from stockpile.projects import FAST, FUNDED, NOT_FUNDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stockpile.couplings import Couplings
    from stockpile.evaluator import Evaluator
    from stockpile.master.columns import Columns
    from stockpile.master.node import Node
    from stockpile.master.rows import Row
    from stockpile.scenarios import ScenarioSet


@dataclass(frozen=True, slots=True)
class Relaxed:
    """What the linear program says.

    Attributes
    ----------
    value
        Its optimum: cost [USD/year], or by how much the limits are broken, in units of each.
    z
        By block: its columns' numbers, and their parts.
    facility, rule
        (W,) and (C, R) to which part each is open, or in use.
    project
        (N, 2) to which part each is funded, and fast.
    duals
        Prices of the limits.
    """

    value: float
    z: tuple[tuple[NDArray[np.int64], NDArray[np.float64]], ...]
    facility: NDArray[np.float64]
    rule: NDArray[np.float64]
    project: NDArray[np.float64]
    duals: Duals


def relax(
    rows: Sequence[Row],
    uses: Sequence[NDArray[np.float64]],
    columns: Sequence[Columns],
    allowed: Sequence[NDArray[np.int64]],
    node: Node,
    couplings: Couplings,
    classes: Sequence[NDArray[np.int64]],
    evaluators: Sequence[Evaluator],
    scenarios: ScenarioSet,
    *,
    elastic: bool,
) -> Relaxed | None:
    """Solve the linear program of a node; None if there is no solution or the solver fails.

    Parameters
    ----------
    uses
        By block: (n, rows) what each column uses of each row.
    allowed
        By block: numbers of the columns inside the node.
    classes
        By block: (C, R) the rule that stands for each rule.
    elastic
        Whether limits may be broken, and that is all that costs.
    """
    C, R = node.rule.shape
    W = node.facility.size
    groups = _covers(columns, allowed, evaluators, scenarios)
    blocks = range(len(columns))
    sizes = [numbers.size for numbers in allowed]
    start = np.concatenate([[0], np.cumsum(sizes)])
    cost = np.concatenate(
        [columns[i].figures.cost[numbers] for i, numbers in zip(blocks, allowed, strict=True)]
    )
    unit = max(sum(float(cost[a:b].min()) for a, b in itertools.pairwise(start)), 1.0)
    y0, w0 = int(start[-1]), int(start[-1]) + W
    limited_rules = couplings.most_rules is not None
    s0 = w0 + (C * R if limited_rules else 0)

    # Each entry of the matrix: row, variable, value.
    entries: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    lower: list[float] = []
    upper: list[float] = []
    of_rule: list[tuple[int, int, int]] = []

    def add(variables: NDArray[np.int64], values: NDArray[np.float64], lo: float, hi: float) -> int:
        row = len(lower)
        entries.append((np.full(variables.size, row), variables, values))
        lower.append(lo)
        upper.append(hi)
        return row

    for i in blocks:  # (10)
        add(np.arange(start[i], start[i + 1]), np.ones(sizes[i]), 1.0, 1.0)
    # (11), (12), (16), (18)
    used = np.concatenate([uses[i][numbers] for i, numbers in enumerate(allowed)])
    room = np.array([facility_room(couplings, row) for row in rows]).reshape(len(rows), W)
    limit = np.array([row.limit for row in rows])
    scale = np.maximum(np.maximum(np.abs(limit), np.abs(used).max(axis=0, initial=0.0)), 1e-9)
    by_row = np.concatenate([used.T, -room], axis=1) / scale[:, None]
    at, variables = np.nonzero(by_row)
    entries.append((len(lower) + at, variables, by_row[at, variables]))
    lower += [-np.inf] * len(rows)
    upper += (limit / scale).tolist()
    if limited_rules:  # (15)
        assert couplings.most_rules is not None
        for i in blocks:
            rule = columns[i].candidates.rule[allowed[i]]
            holds = columns[i].figures.holds[allowed[i]]
            for c in range(C):
                for r in np.unique(rule[holds[:, c], c]):
                    followers = start[i] + np.flatnonzero(holds[:, c] & (rule[:, c] == r))
                    same = w0 + c * R + np.flatnonzero(classes[i][c] == r)
                    values = np.concatenate([np.ones(followers.size), -np.ones(same.size)])
                    add(np.concatenate([followers, same]), values, -np.inf, 0.0)
                    of_rule.append((i, c, int(r)))
        for c in range(C):
            in_use = w0 + c * R + np.arange(R)
            add(in_use, np.ones(R), -np.inf, float(couplings.most_rules))
    f0, of_cover = s0, []
    soft_rows = list(range(len(columns), len(lower)))
    for g, group in groups.items():  # (13)
        kinds = group.probability.size
        soft_rows.append(add(f0 + np.arange(kinds), -group.probability, -np.inf, -group.least))
        for i, (kind, by) in group.rows.items():
            of_cover.append((g, i, len(lower)))
            at, column = np.nonzero(by)
            entries.append((len(lower) + at, start[i] + column, -by[at, column]))
            entries.append((len(lower) + np.arange(kind.size), f0 + kind, np.ones(kind.size)))
            lower += [-np.inf] * kind.size
            upper += [0.0] * kind.size
        f0 += kinds
    # (9), (11), (14), (17) of projects; P and F of each.
    limits, N = couplings.projects, couplings.projects.count
    p0, f0 = f0, f0 + 2 * N
    limited = project_rows(limits, evaluators[0].problem.materials)
    project_scale = [max(float(np.abs(row.use).max(initial=0.0)), 1e-9) for row in limited]
    for row, size in zip(limited, project_scale, strict=True):
        soft_rows.append(
            add(
                p0 + np.arange(2 * N),
                steps(row.use).ravel() / size,
                -np.inf,
                row.loosened / size,
            )
        )
    of_link: list[tuple[int, int]] = []
    for i in blocks if N else ():
        variants = evaluators[i].variants
        states = variants.states[columns[i].candidates.rule[allowed[i], -1]]
        first_row = len(lower)
        of_link.append((i, first_row))
        for place, n in enumerate(variants.projects.tolist()):
            for step, reached in enumerate((FUNDED, FAST)):
                users = start[i] + np.flatnonzero(states[:, place] >= reached)
                tied = np.concatenate([users, [p0 + 2 * n + step]])
                add(tied, np.concatenate([np.ones(users.size), [-1.0]]), 0.0, 0.0)
    num_rows = len(lower)
    over = np.array(soft_rows, dtype=np.int64)
    # An equation may be missed on either side.
    links = np.arange(of_link[0][1] if of_link else num_rows, num_rows)
    soft = np.concatenate([over, links, links])
    sign = np.concatenate([-np.ones(over.size + links.size), np.ones(links.size)])
    entries.append((soft, f0 + np.arange(soft.size), sign))

    variable_lower, variable_upper = np.zeros(f0 + soft.size), np.ones(f0 + soft.size)
    # Whether it is funded in any state that is left, and in all; the same for the fast track.
    possible = np.stack([node.project[:, FUNDED:].any(axis=1), node.project[:, FAST]], axis=1)
    forced = np.stack([~node.project[:, NOT_FUNDED], ~node.project[:, :FAST].any(axis=1)], axis=1)
    variable_lower[p0:f0], variable_upper[p0:f0] = forced.ravel(), possible.ravel()
    fixed = np.concatenate([node.facility, node.rule.ravel() if limited_rules else []])
    variable_lower[y0:s0] = fixed == OPEN
    variable_upper[y0:s0] = (fixed == OPEN) | (fixed == FREE)
    variable_upper[f0:] = np.inf if elastic else 0.0
    objective = np.zeros(f0 + soft.size)
    if elastic:
        objective[f0:] = 1.0
    else:
        objective[:y0] = cost / unit * UNIT
        objective[y0 : y0 + W] = couplings.facilities.fixed_cost / unit * UNIT
        objective[p0:f0] = steps(limits.cost).ravel() / unit * UNIT
    at, variables, values = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    solution = solve_linear(
        LinearModel(
            objective,
            variable_lower,
            variable_upper,
            np.zeros(f0 + soft.size, dtype=np.bool_),
            coo_array((values, (at, variables)), shape=(num_rows, f0 + soft.size)).tocsr(),
            np.array(lower),
            np.array(upper),
        )
    )
    if solution.status != "optimal" or not solution.row_duals.size:
        return None
    money = 1.0 if elastic else unit / UNIT
    # A row that is never helped by being loosened has a price of zero or less.
    prices = np.maximum(-solution.row_duals, 0.0) * money
    rule_prices = {(i, c): np.zeros(R) for i in blocks for c in range(C) if limited_rules}
    first = len(columns) + len(rows)
    for (i, c, r), price in zip(of_rule, prices[first:], strict=False):
        rule_prices[i, c][r] = price
    cover_prices = {
        (g, i): scenario_prices(
            groups[g],
            i,
            prices[at : at + groups[g].rows[i][0].size],
            evaluators[i].needs.scenario,
            scenarios.probability,
        )
        for g, i, at in of_cover
    }
    at_limited = num_rows - links.size - len(limited)
    project_prices = prices[at_limited : num_rows - links.size] / np.array(project_scale)
    link_prices = {
        i: (-solution.row_duals * money)[at : at + 2 * evaluators[i].variants.projects.size]
        for i, at in of_link
    }
    found = solution.values
    return Relaxed(
        value=solution.objective * money,
        z=tuple((allowed[i], found[start[i] : start[i + 1]]) for i in blocks),
        facility=found[y0:w0],
        rule=found[w0:s0].reshape(C, R) if limited_rules else np.zeros((C, R)),
        project=found[p0:f0].reshape(N, 2),
        duals=Duals(
            0.0 if elastic else 1.0,
            prices[len(columns) : first] / scale,
            rule_prices,
            cover_prices,
            {i: price.reshape(-1, 2) for i, price in link_prices.items()},
            project_prices,
        ),
    )


def _covers(
    columns: Sequence[Columns],
    allowed: Sequence[NDArray[np.int64]],
    evaluators: Sequence[Evaluator],
    scenarios: ScenarioSet,
) -> dict[int, Cover]:
    """Sort the scenarios of every joint chance group by which columns cover them."""
    covers = {}
    for g, group in enumerate(evaluators[0].problem.groups):
        confidence = least_confidence(group, scenarios)
        if confidence <= 0.0:
            continue  # Nothing is asked of it.
        covered = {
            i: columns[i].covered[allowed[i], evaluator.groups.index(g)]
            for i, evaluator in enumerate(evaluators)
            if g in evaluator.groups
        }
        kept = {i: evaluators[i].needs.scenario for i in covered}
        covers[g] = cover(covered, kept, scenarios.probability, confidence)
    return covers


UNIT = 1e3
"""Costs are scaled to about this in the linear program, far above the solver's tolerances."""
