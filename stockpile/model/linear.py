"""A linear or mixed-integer program as sparse arrays, handed to HiGHS.

What comes back is a proposal: whoever asks recomputes feasibility, integrality, cost and bounds
from the data. Every model is solved cold.

Models are stated in plain units (USD, t) and scaled here by powers of two, which loses no digit:
HiGHS judges rows by an absolute tolerance, which must mean the same for a budget in USD as for a
probability.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import highspy
import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROW_SIZE = 128.0  # Where the bounds of scaled rows lie.
_COST_SIZE = 1024.0  # The largest scaled cost.
_BOUND_REACH = 1024.0  # Most by which a row's bound may differ from its largest coefficient.

_STATUS = {
    highspy.HighsModelStatus.kOptimal: "optimal",
    highspy.HighsModelStatus.kInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnbounded: "unbounded",
    highspy.HighsModelStatus.kUnboundedOrInfeasible: "infeasible",
    highspy.HighsModelStatus.kModelEmpty: "optimal",
}


_RETRIES = (("presolve", "off"), ("primal_feasibility_tolerance", 1e-7))
"""Where HiGHS finds fault with its own optimum of a linear program, by a hair: once more without
presolve, whose rows may break when they are put back, and then at a tolerance that is still a
relative 1e-9 of the size of rows."""


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Minimise ``cost @ x`` subject to bounds on x and on ``matrix @ x``; some x whole.

    Attributes
    ----------
    cost, lower, upper
        (n,) objective and bounds of the variables; infinite where there is none.
    integer
        (n,) whether a variable is whole.
    matrix
        (m, n) rows.
    row_lower, row_upper
        (m,) bounds of the rows.
    variable_names, row_names
        For export; empty where nobody reads them.
    """

    cost: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    integer: NDArray[np.bool_]
    matrix: csr_array
    row_lower: NDArray[np.float64]
    row_upper: NDArray[np.float64]
    variable_names: tuple[str, ...] = ()
    row_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinearSolution:
    """What the solver says.

    Attributes
    ----------
    status
        ``optimal``, ``infeasible``, ``unbounded``, or ``stopped`` where a limit was reached or
        the solver failed.
    values
        (n,) the variables; empty without a solution.
    row_duals
        (m,) change of the optimum per unit of a row's active bound; empty without, as in a
        mixed-integer program.
    objective
        ``cost @ values``; infinite without a solution.
    bound
        What the solver says that no solution is below, of a mixed-integer program; minus infinity
        elsewhere. Nobody has recomputed it.
    """

    status: str
    values: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    row_duals: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    objective: float = np.inf
    bound: float = -np.inf


def solve_linear(
    model: LinearModel,
    *,
    gap: float = 0.0,
    node_limit: int | None = None,
    time_limit: float | None = None,
    presolve: bool = True,
    stoppable: bool = False,
) -> LinearSolution:
    """Solve a model with HiGHS on one thread.

    Parameters
    ----------
    gap
        Relative gap at which a mixed-integer program may stop.
    node_limit, time_limit
        Branch-and-bound nodes and seconds after which it stops with what it has.
    presolve
        Whether a mixed-integer program is reduced first, which can take longer than it saves.
    stoppable
        Whether Ctrl-C ends it at once, and not when it is done.

    Returns
    -------
    LinearSolution
        A mixed-integer program that stopped may have a solution all the same.
    """
    scales = _scales(model)
    solver = _solver(_scaled(model, scales))
    if model.integer.any():
        solver.setOptionValue("mip_rel_gap", gap)
        solver.setOptionValue("mip_abs_gap", 0.0)
        solver.setOptionValue("mip_feasibility_tolerance", 1e-9)
        if not presolve:
            solver.setOptionValue("presolve", "off")
        if node_limit is not None:
            solver.setOptionValue("mip_max_nodes", node_limit)
    if time_limit is not None:
        solver.setOptionValue("time_limit", max(time_limit, 0.0))
    if stoppable:
        _run_until_stopped(solver)
    else:
        solver.run()
    if not model.integer.any():
        _retry_in_doubt(solver)
    return _read(model, scales, solver)


def _run_until_stopped(solver: highspy.Highs) -> None:
    """Run a solver beside the thread that waits for it, where Ctrl-C can come in between."""
    solver.HandleUserInterrupt = True
    running = solver.startSolve()
    try:
        while not solver.wait(0.1)[0]:
            pass
    except KeyboardInterrupt:
        solver.cancelSolve()  # type: ignore[no-untyped-call]
        running.join()
        raise


def _retry_in_doubt(solver: highspy.Highs) -> None:
    """Solve a linear program anew, and in other ways, as long as the solver is in doubt."""
    for option, value in _RETRIES:
        if _is_in_doubt(solver):
            solver.clearSolver()
            solver.setOptionValue(option, value)
            solver.run()


def _read(model: LinearModel, scales: _Scales, solver: highspy.Highs) -> LinearSolution:
    status = _STATUS.get(solver.getModelStatus(), "stopped")
    solution = solver.getSolution()
    found = _is_feasible(solver)
    # A whole-number solution that HiGHS finds fault with in the end may still stand up.
    found = found or bool(model.integer.any() and solution.value_valid)
    if status in ("infeasible", "unbounded") or not found:
        return LinearSolution(status if status != "optimal" else "stopped")
    values = scales.column * np.array(solution.col_value, dtype=np.float64)
    duals = np.empty(0)
    if solution.dual_valid and not model.integer.any():
        duals = scales.row * np.array(solution.row_dual, dtype=np.float64) / scales.cost
    bound = -np.inf
    if model.integer.any():
        bound = float(solver.getInfo().mip_dual_bound) / scales.cost
    return LinearSolution(status, values, duals, float(model.cost @ values), bound)


def _is_feasible(solver: highspy.Highs) -> bool:
    """Return whether the solver finds its own solution feasible."""
    feasible = highspy.SolutionStatus.kSolutionStatusFeasible
    return bool(solver.getInfo().primal_solution_status == feasible)


def _is_in_doubt(solver: highspy.Highs) -> bool:
    """Return whether the solver has come to an end but does not trust it."""
    status = solver.getModelStatus()
    claimed = status == highspy.HighsModelStatus.kOptimal and not _is_feasible(solver)
    return bool(claimed or status == highspy.HighsModelStatus.kUnknown)


def write_model(model: LinearModel, path: str) -> None:
    """Write a model as MPS or LP, by the file's ending."""
    solver = _solver(model)
    for number, name in enumerate(model.variable_names):
        solver.passColName(number, name)
    for number, name in enumerate(model.row_names):
        solver.passRowName(number, name)
    if solver.writeModel(path) == highspy.HighsStatus.kError:
        raise OSError(f"{path}: the model cannot be written")


class _Scales(NamedTuple):
    """Powers of two by which rows (m,), columns (n,) and the cost are multiplied."""

    row: NDArray[np.float64]
    column: NDArray[np.float64]
    cost: float


def _scales(model: LinearModel) -> _Scales:
    """Return scales at which the bounds of rows are near 100 and costs up to 1000.

    The absolute tolerance of 1e-9 is then far finer than a relative 1e-9 of a bound. Whole
    variables keep their scale.
    """
    entries = model.matrix.tocoo()
    (i, j), size = entries.coords, np.abs(entries.data)
    m, n = model.matrix.shape
    largest = _largest(size, i, m)
    whole = _largest(size * model.integer[j], i, m)
    bounds = np.abs([model.row_lower, model.row_upper])
    bound = np.where(np.isfinite(bounds), bounds, 0.0).max(axis=0)
    coefficient = np.where(whole > 0.0, whole, largest)
    reference = np.where(bound > 0.0, bound, coefficient)
    # A bound far from the coefficients must not spoil them. A large one does no harm to
    # variables that can be scaled themselves.
    reference = np.maximum(reference, coefficient / _BOUND_REACH)
    most = np.where(whole > 0.0, whole * _BOUND_REACH, np.inf)
    reference = np.minimum(reference, most)
    row = _power_of_two(_ROW_SIZE, reference)
    column = _power_of_two(_ROW_SIZE, _largest(size * row[i], j, n))
    column[model.integer] = 1.0
    cost = _power_of_two(_COST_SIZE, np.abs(model.cost * column).max(keepdims=True, initial=0.0))
    return _Scales(row, column, float(cost[0]))


def _scaled(model: LinearModel, scales: _Scales) -> LinearModel:
    entries = model.matrix.tocoo()
    i, j = entries.coords
    data = entries.data * scales.row[i] * scales.column[j]
    return replace(
        model,
        cost=model.cost * scales.column * scales.cost,
        lower=model.lower / scales.column,
        upper=model.upper / scales.column,
        matrix=csr_array((data, (i, j)), shape=model.matrix.shape),
        row_lower=model.row_lower * scales.row,
        row_upper=model.row_upper * scales.row,
    )


def _largest(
    size: NDArray[np.float64], place: NDArray[np.integer], count: int
) -> NDArray[np.float64]:
    """Return the largest of the sizes at each place; 0 where there is none."""
    largest = np.zeros(count)
    np.maximum.at(largest, place, size)
    return largest


def _power_of_two(target: float, size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the powers of two nearest to ``target / size``; 1 where the size is 0."""
    ratio = np.divide(target, size, out=np.ones_like(size), where=size > 0.0)
    return np.asarray(np.exp2(np.round(np.log2(ratio))))


class _Quiet(highspy.Highs):
    """HiGHS without a word: version 1.16 prints its name as soon as it has callbacks."""

    def enableCallbacks(self) -> None:  # noqa: N802
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def _solver(model: LinearModel) -> highspy.Highs:
    solver = _Quiet()  # type: ignore[no-untyped-call]
    solver.setOptionValue("threads", 1)  # The same result whatever the machine.
    solver.setOptionValue("random_seed", 0)
    solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
    solver.setOptionValue("dual_feasibility_tolerance", 1e-9)
    solver.setOptionValue("small_matrix_value", 1e-12)  # Rare scenarios count.
    lp = highspy.HighsLp()
    m, n = model.matrix.shape
    lp.num_col_, lp.num_row_ = n, m
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = model.cost, model.lower, model.upper
    lp.row_lower_, lp.row_upper_ = model.row_lower, model.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = model.matrix.indptr
    lp.a_matrix_.index_ = model.matrix.indices
    lp.a_matrix_.value_ = model.matrix.data
    if model.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(whole)] for whole in model.integer]
    solver.passModel(lp)
    return solver
