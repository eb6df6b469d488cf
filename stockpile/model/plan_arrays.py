"""The selection model (9)-(18) as sparse rows, and choices made with it.

Money is in USD, storage in tonnes, so the dual of a row is in USD/year per unit of its bound.
Rows are named after their equation, such as ``eq11_budget(japan)``; ``docs/model.md`` lists them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array

from stockpile.model.labels import labels_of
from stockpile.model.linear import LinearModel, LinearSolution, solve_linear
from stockpile.model.verify import cost_of, states_of, tail_weights, violations, within
from stockpile.problem import LEVEL_TOLERANCE
from stockpile.projects import FAST, FUNDED, NOT_FUNDED, STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from stockpile.model.selection import Selection

_MOST_ENUMERATED = 20  # Facilities of which every subset is looked at.


@dataclass(frozen=True, slots=True)
class Choice:
    """One column for every block, recomputed to keep all limits.

    Attributes
    ----------
    columns
        (I,) the chosen column j of each block.
    open_
        (W,) facilities that are open, existing ones included.
    states
        (N,) states of projects.
    cost
        The objective (9) [USD/year].
    status
        ``optimal`` where the solver says that nothing is cheaper, within its gap, else
        ``stopped``.
    """

    columns: NDArray[np.int64]
    open_: NDArray[np.bool_]
    states: NDArray[np.int64]
    cost: float
    status: str


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The selection model solved as a linear program.

    Attributes
    ----------
    model
        The model with the cuts; its row names tell what the duals price.
    solution
        What the solver says, with the duals of the rows.
    tail_cuts
        (N, S) weights of scenarios, one row for each cut of (18).
    """

    model: LinearModel
    solution: LinearSolution
    tail_cuts: NDArray[np.float64]


def choose(
    selection: Selection,
    *,
    gap: float = 0.0,
    node_limit: int | None = None,
    time_limit: float | None = None,
    presolve: bool = True,
) -> Choice | None:
    """Choose the cheapest columns that keep all limits.

    The solver only proposes the columns. Facilities, limits and cost are worked out from the
    data. Limit (18) is handed over as cuts, those of the relaxation first.

    Parameters
    ----------
    gap, node_limit, presolve
        Of each mixed-integer program; see :func:`~stockpile.model.linear.solve_linear`.
    time_limit
        Seconds for everything.

    Returns
    -------
    Choice or None
        None where the solver finds nothing, or nothing that stands up to recomputing.
    """
    end = np.inf if time_limit is None else perf_counter() + time_limit
    cuts = np.zeros((0, selection.probability.size))
    if np.isfinite(selection.most_tail_cost):
        relaxation = relax(selection, time_limit=time_limit)
        if relaxation.solution.status == "infeasible":
            return None
        cuts = relaxation.tail_cuts
    while True:
        solution = solve_linear(
            plan_arrays(selection, tail_cuts=cuts),
            gap=gap,
            node_limit=node_limit,
            time_limit=end - perf_counter(),
            presolve=presolve,
        )
        if not solution.values.size:
            return None
        columns = _largest_of_each_block(selection, solution.values)
        cut = _broken_cut(selection, selection.shortage[:, columns].sum(axis=1), cuts)
        if cut is None:
            break
        cuts = np.vstack([cuts, cut])
    return read_choice(selection, solution.values, solution.status)


def read_choice(selection: Selection, z: NDArray[np.float64], status: str) -> Choice | None:
    """Work out the choice that a solver proposes; None if it breaks a limit.

    Parameters
    ----------
    z
        (J,) or more values; the first J belong to the columns.
    status
        What the solver says of it.
    """
    return judged(selection, _largest_of_each_block(selection, z), status)


def judged(selection: Selection, columns: NDArray[np.int64], status: str) -> Choice | None:
    """Return the choice of given columns (I,), with the cheapest facilities; None if it is none."""
    open_ = open_cheapest(selection, columns)
    if open_ is None or violations(selection, columns, open_):
        return None
    states = states_of(selection, columns)
    return Choice(columns, open_, states, cost_of(selection, columns, open_), status)


def relax(
    selection: Selection,
    tail_cuts: NDArray[np.float64] | None = None,
    *,
    time_limit: float | None = None,
) -> Relaxation:
    """Solve the linear relaxation, with limit (18) as cuts.

    Parameters
    ----------
    tail_cuts
        (N, S) cuts to begin with, such as those found with fewer columns; cuts stay valid
        whatever the columns.
    time_limit
        Seconds for everything.
    """
    end = np.inf if time_limit is None else perf_counter() + time_limit
    cuts = np.zeros((0, selection.probability.size)) if tail_cuts is None else tail_cuts
    while True:
        model = relaxed(plan_arrays(selection, tail_cuts=cuts))
        solution = solve_linear(model, time_limit=end - perf_counter())
        if solution.status != "optimal":
            return Relaxation(model, solution, cuts)
        cost = selection.shortage @ solution.values[: selection.block.size]
        cut = _broken_cut(selection, cost, cuts)
        if cut is None:
            return Relaxation(model, solution, cuts)
        cuts = np.vstack([cuts, cut])


def relaxed(model: LinearModel) -> LinearModel:
    """Return a model in which no variable need be whole."""
    return replace(model, integer=np.zeros_like(model.integer))


def _broken_cut(
    selection: Selection, cost: NDArray[np.float64], cuts: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return the cut of (18) that the costs of scenarios (S,) break most.

    None if there is none, or where the solver did not keep a cut that it was given: one more
    would not help.
    """
    if not np.isfinite(selection.most_tail_cost):
        return None
    weight = tail_weights(cost, selection.probability, selection.tail)
    if within(float(weight @ cost), selection.most_tail_cost):
        return None
    kept = all(within(amount, selection.most_tail_cost) for amount in (cuts @ cost).tolist())
    return weight if kept else None


def open_cheapest(selection: Selection, columns: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Return the cheapest facilities with room for the given columns, (12).

    Parameters
    ----------
    columns
        (I,) the chosen columns j.

    Returns
    -------
    (W,) array or None
        Facilities that are open, existing ones included; None where all have too little room.
    """
    open_ = selection.facility_open.copy()
    for owners, kind, place in _storage_limits(selection):
        stored = float(selection.stored[owners, kind][:, columns].sum())
        built = float(selection.facility_capacity[place & open_].sum())
        closed = np.flatnonzero(place & ~open_)
        chosen = _cheapest_cover(
            selection.facility_capacity[closed], selection.facility_cost[closed], built, stored
        )
        if chosen is None:
            return None
        open_[closed[chosen]] = True
    return open_


def plan_arrays(
    selection: Selection, *, tail_cuts: NDArray[np.float64] | None = None
) -> LinearModel:
    """Return the selection model as arrays.

    The variables are, in this order, z of every column, y of every facility, P and F of every
    project (funded, and with a fast track), then what the limits need: ``full`` of the scenarios
    that decide a joint chance group; w of every participant and rule; eta and v of the tail.

    Parameters
    ----------
    tail_cuts
        (N, S) weights of scenarios. Where given, these cuts stand for (18) and there is neither
        eta nor v: the model is a relaxation, much faster to solve.
    """
    model = _Builder()
    labels = _Labels(*(labels_of(getattr(selection, axis)) for axis in _Labels._fields))
    z = model.variables(
        [f"z({labels.blocks[i]},{j})" for j, i in enumerate(selection.block)],
        cost=selection.cost,
        upper=1.0,
        integer=True,
    )
    y = model.variables(
        [f"y({name})" for name in labels.facilities],
        cost=selection.facility_cost,
        lower=selection.facility_open,
        upper=1.0,
        integer=True,
    )
    _add_one_column_per_block(model, selection, labels, z)
    _add_projects(model, selection, labels, z)
    _add_budgets(model, selection, labels, z)
    _add_storage(model, selection, labels, z, y)
    for group in range(len(labels.groups)):
        _add_joint_coverage(model, selection, labels, z, group)
    if selection.most_rules is not None:
        _add_rules(model, selection, labels, z, selection.most_rules)
    _add_cost_shares(model, selection, labels, z)
    if np.isfinite(selection.most_tail_cost):
        if tail_cuts is None:
            _add_tail(model, selection, z)
        else:
            _add_tail_cuts(model, selection, z, tail_cuts)
    return model.finish()


# --- Equations ------------------------------------------------------------------------------------


class _Labels(NamedTuple):
    """Names that every file format can hold, different from each other along each axis."""

    participants: Sequence[str]
    blocks: Sequence[str]
    rules: Sequence[str]
    kinds: Sequence[str]
    facilities: Sequence[str]
    groups: Sequence[str]
    projects: Sequence[str]
    caps: Sequence[str]


def _add_one_column_per_block(
    model: _Builder, selection: Selection, labels: _Labels, z: NDArray[np.int64]
) -> None:
    """Equation (10): each block uses one column."""
    names = [f"eq10_block({name})" for name in labels.blocks]
    model.rows(names, _Terms(selection.block, z, np.ones(z.size)), lower=1.0, upper=1.0)


def _add_projects(
    model: _Builder, selection: Selection, labels: _Labels, z: NDArray[np.int64]
) -> None:
    """Equation (14): blocks are simulated with the projects funded; budgets (11), caps (17).

    A row for every block, project and step, which counts the columns simulated with the project
    funded, or fast: as many as it is, one or none.
    """
    matters = np.asarray((selection.state >= 0).any(axis=1))
    allowed = selection.state_allowed & (matters[:, None] | (np.arange(STATES) == NOT_FUNDED))
    cost, outlay = selection.state_cost, selection.state_outlay
    funded = model.variables(
        [f"P({name})" for name in labels.projects],
        cost=cost[:, FUNDED],
        lower=~allowed[:, NOT_FUNDED],
        upper=allowed[:, FUNDED:].any(axis=1),
        integer=True,
    )
    fast = model.variables(
        [f"F({name})" for name in labels.projects],
        cost=np.where(allowed[:, FAST], cost[:, FAST] - cost[:, FUNDED], 0.0),
        upper=allowed[:, FAST],
        integer=True,
    )
    for n, name in enumerate(labels.projects):
        for i in np.unique(selection.block[selection.state[n] >= 0]).tolist():
            own = selection.block == i
            for word, variable, reached in (("", funded[n], FUNDED), ("fast,", fast[n], FAST)):
                users = own & (selection.state[n] >= reached)
                model.rows(
                    [f"eq14_project({word}{name},{labels.blocks[i]})"],
                    _terms(users.astype(np.float64)[None, :], z),
                    _terms(-np.ones((1, 1)), variable[None]),
                    lower=0.0,
                    upper=0.0,
                )
    limited = np.flatnonzero(np.isfinite(selection.project_budget))
    whose = [*outlay[limited]]
    names = [f"eq11_projects({labels.participants[c]})" for c in limited.tolist()]
    budgets = [*selection.project_budget[limited]]
    if np.isfinite(selection.joint_project_budget):
        whose.append(outlay.sum(axis=0))
        names.append("eq11_joint_projects")
        budgets.append(selection.joint_project_budget)
    for row, paid, budget in zip(names, whose, budgets, strict=True):
        model.rows(
            [row],
            _terms(paid[None, :, FUNDED], funded),
            _terms(np.where(allowed[:, FAST], paid[:, FAST] - paid[:, FUNDED], 0.0)[None], fast),
            upper=budget,
        )
    model.rows(
        [f"eq17_cap({name})" for name in labels.caps],
        _terms(selection.cap_use, funded),
        upper=selection.cap_limit,
    )


def _add_budgets(
    model: _Builder, selection: Selection, labels: _Labels, z: NDArray[np.int64]
) -> None:
    """Equation (11), outlays [USD]; the dual is USD/year per USD of budget."""
    limited = np.flatnonzero(np.isfinite(selection.budget))
    model.rows(
        [f"eq11_budget({labels.participants[c]})" for c in limited.tolist()],
        _terms(selection.outlay[limited], z),
        upper=selection.budget[limited],
    )
    if np.isfinite(selection.joint_budget):
        total = selection.outlay.sum(axis=0, keepdims=True)
        model.rows(["eq11_joint_budget"], _terms(total, z), upper=selection.joint_budget)


def _add_storage(
    model: _Builder,
    selection: Selection,
    labels: _Labels,
    z: NDArray[np.int64],
    y: NDArray[np.int64],
) -> None:
    """Equation (12), tonnes; the dual is the yearly value of room [USD/(t year)]."""
    for owners, kind, place in _storage_limits(selection):
        whose = "" if selection.pooled else f"{labels.participants[owners[0]]},"
        stored = selection.stored[owners, kind].sum(axis=0, keepdims=True)
        room = np.where(place, selection.facility_capacity, 0.0)[None, :]
        model.rows(
            [f"eq12_storage({whose}{labels.kinds[kind]})"],
            _terms(stored, z),
            _terms(-room, y),
            upper=0.0,
        )


def _add_joint_coverage(
    model: _Builder, selection: Selection, labels: _Labels, z: NDArray[np.int64], group: int
) -> None:
    """Equation (13): all materials of a group are covered at once with its confidence.

    Scenarios that every column covers only lower what is required, those in which no column of
    some block covers count for nothing, and those with the same pattern are one. ``full`` need
    not be whole: where z is, its rows bound it by 0 or 1. The dual of the last row is the price
    of joint coverage [USD/year per unit of probability].
    """
    covered, probability = selection.covered[group], selection.probability
    always = covered.all(axis=1)
    required = float(selection.confidence[group] - probability[always].sum())
    if required <= LEVEL_TOLERANCE:
        return
    undecided = np.flatnonzero(~always)
    covering = _count_by_block(selection, covered[undecided])
    possible = covering.all(axis=1)
    undecided, covering = undecided[possible], covering[possible]
    first, merged = _merge(covered[undecided], probability[undecided])
    scenario, covering = undecided[first], covering[first]
    name = labels.groups[group]
    full = model.variables([f"full({name},{s})" for s in scenario], upper=1.0)
    decides = covering < _count_by_block(selection, np.ones((1, z.size), dtype=np.bool_))
    row = np.cumsum(decides).reshape(decides.shape) - 1
    place, block = np.nonzero(decides)
    covers, column = np.nonzero(covered[scenario] & decides[:, selection.block])
    model.rows(
        [
            f"eq13_covered({name},{scenario[n]},{labels.blocks[i]})"
            for n, i in zip(place.tolist(), block.tolist(), strict=True)
        ],
        _Terms(row[place, block], full[place], np.ones(place.size)),
        _Terms(row[covers, selection.block[column]], z[column], -np.ones(column.size)),
        upper=0.0,
    )
    model.rows([f"eq13_confidence({name})"], _terms(merged[None, :], full), lower=required)


def _add_rules(
    model: _Builder, selection: Selection, labels: _Labels, z: NDArray[np.int64], most: int
) -> None:
    """Equation (15): at most so many rules in use per participant.

    A column may be used only if a rule that acts as its own is in use: one row for all columns
    of a block with the same such rules, of which at most one is used. Where an owner holds
    nothing, any rule would do and none is needed.
    """
    for owner, follows in zip(labels.participants, selection.follows, strict=True):
        w = model.variables(
            [f"w({owner},{rule})" for rule in labels.rules], upper=1.0, integer=True
        )
        bound = np.flatnonzero(~follows.all(axis=0))
        keyed = np.column_stack([selection.block[bound], follows[:, bound].T])
        pattern, row = np.unique(keyed, axis=0, return_inverse=True)
        row = row.reshape(-1)  # NumPy 2.0 returns a column.
        place, rule = np.nonzero(pattern[:, 1:])
        model.rows(
            [
                f"eq15_rule({owner},{labels.blocks[i]},{n})"
                for n, i in enumerate(pattern[:, 0].tolist())
            ],
            _Terms(row, z[bound], np.ones(bound.size)),
            _Terms(place, w[rule], -np.ones(rule.size)),
            upper=0.0,
        )
        model.rows([f"eq15_most_rules({owner})"], _terms(np.ones((1, w.size)), w), upper=most)


def _add_cost_shares(
    model: _Builder, selection: Selection, labels: _Labels, z: NDArray[np.int64]
) -> None:
    """Equation (16), USD/year: nobody bears more than alone."""
    limited = np.flatnonzero(np.isfinite(selection.standalone))
    model.rows(
        [f"eq16_cost_share({labels.participants[c]})" for c in limited.tolist()],
        _terms(selection.cost_share[limited], z),
        upper=selection.standalone[limited],
    )


def _add_tail(model: _Builder, selection: Selection, z: NDArray[np.int64]) -> None:
    """Equation (18), USD/year: the mean of the costliest scenarios stays below a limit.

    Shortage never brings money, so eta, a quantile of its cost, is not negative. No scenario
    weighs more than the whole tail. Scenarios with the same costs are one.
    """
    scenario, merged = _merge(selection.shortage, selection.probability)
    weight = np.minimum(merged / max(selection.tail, LEVEL_TOLERANCE), 1.0)
    eta = model.variables(["eta"])
    v = model.variables([f"v({s})" for s in scenario])
    each, once = np.arange(v.size), np.zeros(1, dtype=np.int64)
    model.rows(
        [f"eq18_excess({s})" for s in scenario],
        _Terms(each, v, np.ones(v.size)),
        _Terms(each, np.repeat(eta, v.size), np.ones(v.size)),
        _terms(-selection.shortage[scenario], z),
        lower=0.0,
    )
    model.rows(
        ["eq18_tail"],
        _Terms(once, eta, np.ones(1)),
        _terms(weight[None, :], v),
        upper=selection.most_tail_cost,
    )


def _add_tail_cuts(
    model: _Builder, selection: Selection, z: NDArray[np.int64], cuts: NDArray[np.float64]
) -> None:
    """Equation (18), USD/year, seen from some ways to weigh the scenarios of the tail."""
    model.rows(
        [f"eq18_cut({n})" for n in range(len(cuts))],
        _terms(cuts @ selection.shortage, z),
        upper=selection.most_tail_cost,
    )


def _storage_limits(
    selection: Selection,
) -> Iterator[tuple[NDArray[np.int64], int, NDArray[np.bool_]]]:
    """Yield who shares room, owners c; for what, kind l; and the (W,) facilities that give it."""
    each = np.flatnonzero(selection.limited)[:, None]
    everyone = np.arange(len(selection.participants))[None, :]
    for owners in everyone if selection.pooled and each.size else each:
        theirs = np.isin(selection.facility_participant, owners)
        for kind in range(len(selection.kinds)):
            if selection.stored[owners, kind].any():
                yield owners, kind, theirs & (selection.facility_kind == kind)


# --- Arrays ---------------------------------------------------------------------------------------


class _Terms(NamedTuple):
    """Entries of new rows, each (E,): row counted from the first new one, variable, value."""

    row: NDArray[np.int64]
    variable: NDArray[np.int64]
    value: NDArray[np.float64]


class _Builder:
    """A model that is put together piece by piece."""

    def __init__(self) -> None:
        self._variables: list[tuple[NDArray[np.float64], ...]] = []
        self._variable_names: list[str] = []
        self._bounds: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        self._row_names: list[str] = []
        self._terms: list[_Terms] = []

    def variables(
        self,
        names: Sequence[str],
        *,
        cost: ArrayLike = 0.0,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = np.inf,
        integer: bool = False,
    ) -> NDArray[np.int64]:
        """Add variables and return their places."""
        first = len(self._variable_names)
        self._variable_names.extend(names)
        self._variables.append(
            tuple(_spread(value, len(names)) for value in (cost, lower, upper, integer))
        )
        return np.arange(first, len(self._variable_names))

    def rows(
        self,
        names: Sequence[str],
        *terms: _Terms,
        lower: ArrayLike = -np.inf,
        upper: ArrayLike = np.inf,
    ) -> None:
        """Add rows, each the sum of its terms within its bounds."""
        first = len(self._row_names)
        self._row_names.extend(names)
        self._bounds.append((_spread(lower, len(names)), _spread(upper, len(names))))
        self._terms.extend(term._replace(row=term.row + first) for term in terms)

    def finish(self) -> LinearModel:
        """Return the model."""
        cost, lower, upper, integer = (
            np.concatenate(part) for part in zip(*self._variables, strict=True)
        )
        row_lower, row_upper = (np.concatenate(part) for part in zip(*self._bounds, strict=True))
        row, variable, value = (np.concatenate(part) for part in zip(*self._terms, strict=True))
        return LinearModel(
            cost,
            lower,
            upper,
            integer.astype(np.bool_),
            csr_array(coo_array((value, (row, variable)), shape=(row_lower.size, cost.size))),
            row_lower,
            row_upper,
            tuple(self._variable_names),
            tuple(self._row_names),
        )


def _spread(value: ArrayLike, size: int) -> NDArray[np.float64]:
    return np.broadcast_to(np.asarray(value, dtype=np.float64), (size,))


def _terms(values: NDArray[np.float64], variables: NDArray[np.int64]) -> _Terms:
    """Return the entries that are not 0 of a (rows, variables) table."""
    row, place = np.nonzero(values)
    return _Terms(row, variables[place], values[row, place])


def _merge(
    rows: NDArray[Any], probability: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find rows that are alike: the first of each, in order, and their probability in sum."""
    if not rows.size:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    # Compared as bytes: many times faster than column by column.
    key = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.itemsize * rows.shape[1])))
    _, first, place = np.unique(key.reshape(-1), return_index=True, return_inverse=True)
    order = np.argsort(first)
    return first[order].astype(np.int64), np.bincount(place, weights=probability)[order].astype(
        np.float64
    )


def _count_by_block(selection: Selection, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the chosen columns of every block: (N, J) to (N, I)."""
    order = np.argsort(selection.block, kind="stable")
    starts = np.searchsorted(selection.block[order], np.arange(len(selection.blocks)))
    return np.add.reduceat(chosen[:, order], starts, axis=1, dtype=np.int64)


def _largest_of_each_block(selection: Selection, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the column of each block with the largest z; the first of several.

    Parameters
    ----------
    values
        Of all variables, those of z first.
    """
    order = np.lexsort((-values[: selection.block.size], selection.block))
    first = np.searchsorted(selection.block[order], np.arange(len(selection.blocks)))
    return np.asarray(order[first])


# --- Facilities -----------------------------------------------------------------------------------


def _cheapest_cover(
    capacity: NDArray[np.float64], cost: NDArray[np.float64], built: float, stored: float
) -> NDArray[np.int64] | None:
    """Find the cheapest facilities that, with what is built, have room for what is stored.

    Parameters
    ----------
    capacity, cost
        (W',) of the facilities to choose from [t], [USD/year].
    built, stored
        Room that there is, and room needed [t].

    Returns
    -------
    (n,) array or None
        Places of the chosen ones; None where even all of them have too little room.
    """
    if within(stored, built):
        return np.zeros(0, dtype=np.int64)
    if not within(stored, built + float(capacity.sum())):
        return None
    if capacity.size > _MOST_ENUMERATED:
        return _cover_by_solver(capacity, cost, stored - built)
    room, price = np.array([built]), np.zeros(1)
    for more, extra in zip(capacity, cost, strict=True):
        room, price = np.concatenate([room, room + more]), np.concatenate([price, price + extra])
    enough = stored <= room * (1.0 + LEVEL_TOLERANCE)
    subset = int(np.argmin(np.where(enough, price, np.inf)))
    return np.flatnonzero(subset >> np.arange(capacity.size) & 1)


def _cover_by_solver(
    capacity: NDArray[np.float64], cost: NDArray[np.float64], missing: float
) -> NDArray[np.int64] | None:
    """Do the same where there are too many subsets to look at all of them."""
    model = _Builder()
    y = model.variables([f"y({w})" for w in range(cost.size)], cost=cost, upper=1.0, integer=True)
    model.rows(["room"], _terms(capacity[None, :], y), lower=missing)
    solution = solve_linear(model.finish())
    return np.flatnonzero(solution.values > 0.5) if solution.values.size else None
