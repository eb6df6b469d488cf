"""The selection model (9)-(18): enumeration, arrays, Pyomo and files agree."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path

import highspy
import numpy as np
import pyomo.environ as pyo
import pytest
from plain_selections import Plain
from random_selections import LIMITS, fewest_rules, random_selection, tail_mean

from stockpile.errors import UsageError
from stockpile.model import plan_arrays as module
from stockpile.model.files import write_file, write_plan_model
from stockpile.model.linear import LinearModel, LinearSolution, solve_linear
from stockpile.model.plan_arrays import choose, open_cheapest, plan_arrays, relax, relaxed
from stockpile.model.plan_reference import plan_reference
from stockpile.model.selection import Selection
from stockpile.model.solvers import choose_with, solve_reference
from stockpile.model.verify import cost_of, rules_in_use, tail_weights, violations

UNITS = (1.0, 1e6, 1e-3)
ALL_OWN, ALL_POOLED = frozenset(LIMITS) - {"pool"}, frozenset(LIMITS) - {"storage"}
EVERYTHING = (ALL_OWN, ALL_POOLED)


def case(seed, limits):
    return pytest.param(seed, limits, id="-".join([*sorted(limits), str(seed)]))


CASES = [case(seed, frozenset({name})) for name in LIMITS for seed in range(5)]
CASES += [case(seed, EVERYTHING[seed % 2]) for seed in range(5, 45)]
FEW_CASES = [case(seed, frozenset({name})) for name in LIMITS for seed in (5, 6)]
FEW_CASES += [case(seed, EVERYTHING[seed % 2]) for seed in range(45, 57)]


def selection_of(seed, limits):
    return random_selection(seed, limits, unit=UNITS[seed % len(UNITS)])


def rich_selection(unit=1.0):
    """Five materials, two participants, groups and projects; most limits bind in the relaxation."""
    return random_selection(885, ALL_OWN, unit=unit)


# --- Agreement ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "limits"), CASES)
def test_arrays_find_what_enumeration_finds(seed, limits):
    selection = selection_of(seed, limits)
    best = Plain(selection).best()
    chosen = choose(selection)
    solution = solve_linear(plan_arrays(selection))
    if math.isinf(best):
        assert chosen is None
        assert solution.status == "infeasible"
        return
    assert chosen is not None
    assert chosen.status == solution.status == "optimal"
    assert chosen.cost == pytest.approx(best, rel=1e-9)
    assert solution.objective == pytest.approx(best, rel=1e-9)
    assert violations(selection, chosen.columns, chosen.open_) == ()
    assert cost_of(selection, chosen.columns, chosen.open_) == chosen.cost
    assert selection.block[chosen.columns].tolist() == list(range(len(selection.blocks)))


@pytest.mark.parametrize(("seed", "limits"), FEW_CASES)
def test_pyomo_finds_what_enumeration_finds(seed, limits):
    selection = selection_of(seed, limits)
    best = Plain(selection).best()
    model = plan_reference(selection)
    solution, chosen = solve_reference(model), choose_with(selection, "highs")
    if math.isinf(best):
        assert solution.status == "infeasible"
        assert chosen is None
        return
    assert solution.status == "optimal"
    assert solution.objective * model.money_usd.value == pytest.approx(best, rel=1e-6)
    assert chosen.cost == pytest.approx(best, rel=1e-9)
    used = [j for j in range(selection.block.size) if solution.values[f"z[{j}]"] > 0.5]
    assert Plain(selection).broken_by_columns(used) == {}
    assert used == sorted(chosen.columns.tolist())


def test_large_money_does_not_mislead_solvers():
    """In USD, HiGHS with its usual tolerances called twice the least cost optimal here."""
    selection = random_selection(1006, ALL_OWN - {"projects"}, unit=1e6)
    best = Plain(selection).best()
    model = plan_reference(selection)
    assert model.money_usd.value == 1e6
    assert 1e6 * solve_reference(model).objective == pytest.approx(best, rel=1e-9)
    assert choose(selection).cost == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("limits", EVERYTHING)
def test_cases_are_neither_all_feasible_nor_all_infeasible(limits):
    found = [choose(random_selection(seed, limits)) is not None for seed in range(40)]
    assert 8 <= sum(found) <= 36


@pytest.mark.parametrize(("seed", "limits"), CASES)
def test_relaxations_are_bounds_and_agree(seed, limits):
    """The cuts of (18) say at the relaxation's optimum what its rows say."""
    selection = selection_of(seed, limits)
    linear, cuts = solve_linear(relaxed(plan_arrays(selection))), relax(selection).solution
    whole = solve_linear(plan_arrays(selection))
    assert linear.status == cuts.status
    if linear.status == "infeasible":
        assert whole.status == "infeasible"
        return
    assert cuts.objective == pytest.approx(linear.objective, rel=1e-8)
    assert linear.objective <= whole.objective * (1.0 + 1e-9)


@pytest.mark.parametrize(("seed", "limits"), FEW_CASES)
def test_duals_price_every_row(seed, limits):
    """The optimum is convex in the bounds of rows, and the duals are one of its slopes."""
    selection = selection_of(seed, limits)
    model = relaxed(plan_arrays(selection))
    solution = solve_linear(model)
    if solution.status != "optimal":
        return
    rng = np.random.default_rng(seed)
    active = np.where(solution.row_duals > 0.0, model.row_lower, model.row_upper)
    priced = solution.row_duals != 0.0
    step = rng.uniform(-0.1, 0.1, active.size) * np.where(priced, active, 0.0)
    step[[name.startswith("eq10_") for name in model.row_names]] = 0.0
    moved = replace(model, row_lower=model.row_lower + step, row_upper=model.row_upper + step)
    at = solve_linear(moved)
    below = solution.objective + solution.row_duals @ step
    assert at.status == "infeasible" or at.objective >= below - 1e-7 * abs(below)


def test_a_case_worked_by_hand():
    """One participant, two materials, one scenario, one store of 20 t at 8 USD/year.

    Gallium costs 50 USD/year without a reserve and 30 with 10 t of it, bought for 20 USD;
    germanium 40 and 25, bought for 20 USD as well. The budget is 30 USD.

    Both reserves break the budget. Gallium alone: 30 + 40 + 8 = 78. Germanium alone: 50 + 25 + 8
    = 83. None: 90. So the optimum is 78.

    The relaxation buys all of the gallium and half of the germanium, and three quarters of the
    store: 30 + (40 + 25) / 2 + 6 = 68.5. Room costs 8 / 20 = 0.4 USD/(t year). A further USD
    buys a twentieth of the germanium reserve, which saves 15 / 20 and needs 0.5 t of room:
    0.75 - 0.2 = 0.55 USD/year.
    """
    held = np.array([0.0, 10.0, 0.0, 10.0])
    selection = Selection(
        participants=("japan",),
        blocks=("gallium", "germanium"),
        rules=("fifo",),
        kinds=("dry",),
        facilities=("kobe",),
        groups=(),
        block=np.array([0, 0, 1, 1]),
        cost=np.array([50.0, 30.0, 40.0, 25.0]),
        outlay=2.0 * held[None, :],
        budget=np.array([30.0]),
        joint_budget=np.inf,
        stored=held[None, None, :],
        limited=np.array([True]),
        pooled=False,
        facility_participant=np.array([0]),
        facility_kind=np.array([0]),
        facility_capacity=np.array([20.0]),
        facility_cost=np.array([8.0]),
        facility_open=np.array([False]),
        follows=np.ones((1, 1, 4), dtype=np.bool_),
        most_rules=None,
        probability=np.ones(1),
        covered=np.ones((0, 1, 4), dtype=np.bool_),
        confidence=np.zeros(0),
        cost_share=np.zeros((1, 4)),
        standalone=np.array([np.inf]),
        shortage=np.zeros((0, 4)),
        tail=1.0,
        most_tail_cost=np.inf,
        projects=(),
        state=np.zeros((0, 4), dtype=np.int64),
        state_allowed=np.zeros((0, 3), dtype=np.bool_),
        state_cost=np.zeros((0, 3)),
        state_outlay=np.zeros((1, 0, 3)),
        project_budget=np.array([np.inf]),
        joint_project_budget=np.inf,
        caps=(),
        cap_use=np.zeros((0, 0)),
        cap_limit=np.zeros(0),
    )
    chosen = choose(selection)
    assert chosen.columns.tolist() == [1, 2]
    assert chosen.open_.tolist() == [True]
    assert chosen.cost == 78.0
    assert choose_with(selection, "highs").cost == 78.0
    linear = relax(selection)
    prices = dict(zip(linear.model.row_names, linear.solution.row_duals, strict=True))
    assert linear.solution.objective == pytest.approx(68.5)
    assert prices["eq11_budget(japan)"] == pytest.approx(-0.55)
    assert prices["eq12_storage(japan,dry)"] == pytest.approx(-0.4)
    both, store = np.array([1, 3]), np.array([True])
    assert [str(item) for item in violations(selection, both, store)] == [
        "(11) outlay of japan: 40 USD, must be at most 30 USD"
    ]


# --- Recomputing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "limits"), CASES)
def test_violations_are_exactly_the_broken_limits(seed, limits):
    selection = selection_of(seed, limits)
    plain, rng = Plain(selection), np.random.default_rng(seed)
    for _ in range(20):
        columns = np.array(
            [rng.choice(np.flatnonzero(selection.block == i)) for i in range(len(plain.blocks))]
        )
        open_ = rng.random(plain.W) < 0.6
        everything_open = np.flatnonzero(open_ | selection.facility_open).tolist()
        expected = plain.broken(columns.tolist(), everything_open)
        found = violations(selection, columns, open_)
        assert {(v.equation, v.participant, v.item) for v in found} == set(expected)
        for v in found:
            amounts = expected[v.equation, v.participant, v.item]
            assert (v.amount, v.limit) == pytest.approx(amounts, rel=1e-12)
            assert str(v).startswith(f"({v.equation}) ")
        cost = plain.cost_of(columns.tolist(), everything_open)
        assert cost_of(selection, columns, open_) == pytest.approx(cost, rel=1e-12)


def test_a_block_needs_exactly_one_column():
    selection = random_selection(0, frozenset())
    block = selection.block
    columns = np.array([np.flatnonzero(block == i)[0] for i in range(block.max() + 1)])
    none_open = np.zeros(len(selection.facilities), dtype=np.bool_)
    assert violations(selection, columns, none_open) == ()
    twice = np.append(columns, np.flatnonzero(block == 1)[1])
    (found,) = violations(selection, twice, none_open)
    assert (found.equation, found.item, found.amount, found.limit) == (10, "material 1", 2.0, 1.0)
    (found,) = violations(selection, columns[1:], none_open)
    assert (found.equation, found.item, found.amount) == (10, "material 0", 0.0)


def test_what_a_solver_proposes_is_not_believed(monkeypatch):
    """A wrong solution that breaks the budget is no choice."""
    selection = random_selection(1, frozenset({"budget"}))
    dearest = np.zeros(plan_arrays(selection).cost.size)
    for i in range(len(selection.blocks)):
        of_block = np.flatnonzero(selection.block == i)
        dearest[of_block[np.argmax(selection.outlay.sum(axis=0)[of_block])]] = 1.0
    wrong = LinearSolution("optimal", dearest, np.empty(0), 0.0)
    monkeypatch.setattr(module, "solve_linear", lambda *_, **__: wrong)
    assert choose(selection) is None


def test_limits_of_work_leave_a_choice_or_none():
    selection = rich_selection()
    best = choose(selection)
    assert best is not None
    for work in ({"node_limit": 0}, {"time_limit": 0.0}):
        found = choose(selection, **work)
        assert found is None or found.cost >= best.cost * (1.0 - 1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_rules_in_use_are_the_fewest(seed):
    rng = np.random.default_rng(seed)
    patterns = rng.random((rng.integers(1, 12), rng.integers(1, 8))) < rng.choice([0.2, 0.5])
    assert rules_in_use(patterns) == fewest_rules(patterns.tolist())


@pytest.mark.parametrize("seed", range(30))
def test_tail_weights_are_the_heaviest(seed):
    """They give the CVaR, and no other weights of the same kind give more (the cuts of (18))."""
    rng = np.random.default_rng(seed)
    S = int(rng.integers(1, 20))
    probability, cost = rng.dirichlet(np.ones(S)), rng.integers(0, 9, size=S).astype(np.float64)
    tail = float(rng.choice([0.01, 0.3, 1.0]))
    weight = tail_weights(cost, probability, tail)
    assert weight @ cost == pytest.approx(tail_mean(cost.tolist(), probability.tolist(), tail))
    assert np.all(weight >= 0.0)
    assert np.all(weight <= probability / tail * (1.0 + 1e-12))
    assert weight.sum() == pytest.approx(1.0)
    other = tail_weights(rng.random(S), probability, tail)
    assert other @ cost <= weight @ cost + 1e-12


def test_a_tail_without_mass_is_the_worst_scenario():
    cost, probability = np.array([3.0, 7.0, 5.0]), np.array([0.5, 0.2, 0.3])
    assert tail_weights(cost, probability, 0.0).tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("number", [3, 20, 21, 40])
def test_the_cheapest_facilities_are_found_however_many_there_are(number):
    """Compared with the textbook recursion over whole tonnes."""
    rng = np.random.default_rng(number)
    selection = random_selection(0, frozenset({"storage"}))
    C, L, J = selection.stored.shape
    capacity, cost = rng.integers(1, 30, size=number), rng.integers(1, 50, size=number)
    needed = int(0.6 * capacity.sum())
    least = [0.0] + [math.inf] * needed
    for room, price in zip(capacity.tolist(), cost.tolist(), strict=True):
        least = [min(least[t], least[max(t - room, 0)] + price) for t in range(needed + 1)]
    stored = np.zeros((C, L, J))
    stored[0, 0, 0] = needed
    selection = replace(
        selection,
        stored=stored,
        limited=np.ones(C, dtype=np.bool_),
        facilities=tuple(f"store {w}" for w in range(number)),
        facility_participant=np.zeros(number, dtype=np.int64),
        facility_kind=np.zeros(number, dtype=np.int64),
        facility_capacity=capacity.astype(np.float64),
        facility_cost=cost.astype(np.float64),
        facility_open=np.zeros(number, dtype=np.bool_),
    )
    open_ = open_cheapest(selection, np.array([0]))
    assert capacity[open_].sum() >= needed
    assert cost[open_].sum() == least[needed]
    assert not open_cheapest(selection, np.array([1])).any()
    stored[0, 0, 0] = capacity.sum() + 1.0
    assert open_cheapest(selection, np.array([0])) is None


# --- The model ------------------------------------------------------------------------------------


def test_scenarios_that_are_alike_have_the_same_rows():
    selection = rich_selection()
    twice = replace(
        selection,
        probability=np.tile(selection.probability / 2.0, 2),
        covered=np.tile(selection.covered, (1, 2, 1)),
        shortage=np.tile(selection.shortage, (2, 1)),
    )
    once, doubled = plan_arrays(selection), plan_arrays(twice)
    assert doubled.row_names == once.row_names
    np.testing.assert_allclose(doubled.matrix.toarray(), once.matrix.toarray(), rtol=1e-12)


def test_names_are_unique_and_fit_for_files():
    selection = rich_selection()
    names = ["Nd Pr", "Nd_Pr", "Nd+Pr", "ネオジム", "x" * 300, "x" * 301]
    model = plan_arrays(replace(selection, blocks=tuple(names[: len(selection.blocks)])))
    assert len(names) >= len(selection.blocks) > 4
    for labels in (model.variable_names, model.row_names):
        assert len(set(labels)) == len(labels)
        assert all(re.fullmatch(r"[A-Za-z][\w.(),]{0,254}", label, re.ASCII) for label in labels)
    assert len(model.variable_names) == model.cost.size
    assert len(model.row_names) == model.row_lower.size


def families(names):
    return {re.split(r"[\[(]", name)[0] for name in names}


def test_both_models_and_the_page_have_the_same_equations():
    selections = [rich_selection(), random_selection(3, ALL_POOLED)]
    arrays = families(name for s in selections for name in plan_arrays(s).row_names)
    reference = families(
        row.name
        for s in selections
        for row in plan_reference(s).component_data_objects(pyo.Constraint)
    )
    assert arrays == reference
    page = (Path(__file__).parents[1] / "docs" / "model.md").read_text(encoding="utf-8")
    assert arrays <= set(re.findall(r"`(eq\d+_\w+)", page))


# --- Files ----------------------------------------------------------------------------------------


def read_and_solve(path):
    """Optimum of a model file, found by HiGHS on its own; infinite if infeasible."""
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", 0.0)
    assert solver.readModel(str(path)) == highspy.HighsStatus.kOk
    solver.run()
    if solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return math.inf
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return solver.getInfo().objective_function_value


@pytest.mark.parametrize("file_format", ["mps", "lp"])
@pytest.mark.parametrize(("seed", "limits"), FEW_CASES[::3])
def test_files_have_the_same_optimum(tmp_path, seed, limits, file_format):
    selection = random_selection(seed, limits, unit=1e5 / 3.0)
    chosen = choose(selection)
    best = math.inf if chosen is None else chosen.cost / 1e6
    plan, pyomo = (tmp_path / f"{name}.{file_format}" for name in ("plan", "pyomo"))
    write_plan_model(selection, plan, file_format)
    write_file(plan_reference(selection), pyomo, file_format)
    assert "Money in million USD" in plan.read_text(encoding="ascii")
    assert read_and_solve(plan) == pytest.approx(best, rel=1e-9)
    assert read_and_solve(pyomo) == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("file_format", ["mps", "lp"])
def test_files_say_what_their_names_mean(tmp_path, file_format):
    path = tmp_path / "plan"
    selection = rich_selection()
    write_plan_model(selection, path, file_format)
    lines = path.read_text(encoding="ascii").splitlines()
    mark = {"mps": "*", "lp": "\\"}[file_format]
    notes = list(itertools.takewhile(lambda line: line.startswith(mark), lines))
    rows = families(plan_arrays(selection).row_names)
    assert rows <= set(re.findall(r"eq\d+_\w+", "\n".join(notes)))
    assert all(f"{name}" in "\n".join(lines) for name in plan_arrays(selection).row_names)


def test_a_file_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    selection = rich_selection()
    path = tmp_path / "plan.lp"
    path.write_text("old", encoding="utf-8")

    def fail(*_):
        raise OSError("no space")

    monkeypatch.setattr("stockpile.model.files.write_model", fail)
    with pytest.raises(OSError, match="no space"):
        write_plan_model(selection, path, "lp")
    assert [item.name for item in tmp_path.iterdir()] == ["plan.lp"]
    assert path.read_text(encoding="utf-8") == "old"
    monkeypatch.undo()
    write_plan_model(selection, path, "lp")
    assert [item.name for item in tmp_path.iterdir()] == ["plan.lp"]
    assert path.read_text(encoding="ascii").startswith("\\ Selection model")


def test_a_file_needs_a_folder(tmp_path):
    selection = rich_selection()
    with pytest.raises(UsageError, match="is not a folder"):
        write_plan_model(selection, tmp_path / "missing" / "plan.lp", "lp")
    with pytest.raises(UsageError, match="is not a file"):
        write_plan_model(selection, tmp_path, "lp")


@pytest.mark.parametrize("name", ["gurobi_shell_of_nobody", "mosek"])
def test_a_missing_solver_is_named_with_those_that_are_there(name, caplog):
    with pytest.raises(UsageError, match=f"{name} is not available\n.*highs"):
        choose_with(rich_selection(), name)
    assert caplog.text == ""


def test_another_interface_of_pyomo_finds_the_same():
    model = plan_reference(rich_selection())
    first, second = solve_reference(model, "highs"), solve_reference(model, "appsi_highs")
    assert first.objective == pytest.approx(second.objective, rel=1e-9)


# --- The solver of arrays -------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e9])
def test_units_do_not_change_the_choice(unit):
    """Rows and cost are scaled for the solver; what comes back is in the units that went in."""
    selections = [rich_selection(scale) for scale in (1.0, unit)]
    one, other = (relax(selection) for selection in selections)
    assert other.solution.objective == pytest.approx(unit * one.solution.objective, rel=1e-9)
    assert choose(selections[1]).columns.tolist() == choose(selections[0]).columns.tolist()


def test_statuses_of_the_solver():
    from scipy.sparse import csr_array

    def model(lower, upper, *, integer=False):
        return LinearModel(
            np.array([-1.0]),
            np.zeros(1),
            np.array([np.inf]),
            np.array([integer]),
            csr_array(np.ones((1, 1))),
            np.array([lower]),
            np.array([upper]),
        )

    assert solve_linear(model(-np.inf, np.inf)).status == "unbounded"
    assert solve_linear(model(2.0, 1.0)).status == "infeasible"
    solution = solve_linear(model(-np.inf, 2.5))
    assert (solution.status, solution.objective, *solution.row_duals) == ("optimal", -2.5, -1.0)
    whole = solve_linear(model(-np.inf, 2.5, integer=True))
    assert (whole.objective, whole.row_duals.size) == (-2.0, 0)
