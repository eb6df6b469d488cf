"""Exported models: what is written, what another solver says of it, and when nothing is written."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_plan_models import read_and_solve

import stockpile as sp
from stockpile import export
from stockpile.cli import main
from stockpile.export_display import exported_text
from stockpile.model.solvers import ReferenceSolution
from stockpile.tables import Agreement, CoverageTarget, Project

TOY = Path(__file__).parents[1] / "instances" / "toy"
COST = {"plan": 440_600.0, "foresight": 408_600.0}
UNITS = {"USD": 1.0, "thousand USD": 1e3, "million USD": 1e6}


@pytest.fixture
def toy():
    return sp.load(TOY)


def optimum(path):
    """Optimum of a file [USD/year], in the unit that it says."""
    text = path.read_text(encoding="ascii")
    return UNITS[re.search(r"Money in ([\w ]+),", text)[1]] * read_and_solve(path)


def run(capsys, *arguments):
    """Status, stdout and stderr of a command."""
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as end:
        status = end.code
    return status, *capsys.readouterr()


@pytest.mark.parametrize("file_format", ["mps", "lp"])
@pytest.mark.parametrize("model", ["plan", "foresight"])
def test_a_file_holds_the_model_and_nothing_else_is_left(toy, tmp_path, model, file_format):
    path = tmp_path / f"toy.{file_format}"
    exported = sp.export_model(toy, path, model=model, progress=False)
    assert [item.name for item in tmp_path.iterdir()] == [path.name]
    assert optimum(path) == pytest.approx(COST[model])
    assert exported.cost_usd == pytest.approx(COST[model])
    assert exported.bound_usd <= exported.cost_usd
    assert exported.status is sp.Status.OPTIMAL
    assert exported.path == path
    assert exported.answer is None
    assert not exported.agrees


def test_the_format_is_that_of_the_ending_unless_it_is_said(toy, tmp_path):
    starts = {"a.lp": "\\", "b.LP": "\\", "c.mps": "*", "d": "*", "e.txt": "*"}
    for name, start in starts.items():
        sp.export_model(toy, tmp_path / name, progress=False)
        assert (tmp_path / name).read_text(encoding="ascii").startswith(start)
    sp.export_model(toy, tmp_path / "f.lp", file_format="mps", progress=False)
    assert (tmp_path / "f.lp").read_text(encoding="ascii").startswith("*")


def test_the_file_says_what_each_column_stands_for(toy, tmp_path):
    """The optimum of the toy: 3 lots of gallium each, shared; 2 and 3 lots of dysprosium."""
    path = tmp_path / "toy.lp"
    exported = sp.export_model(toy, path, progress=False)
    columns = re.findall(r"^\\   z\((\w+),\d+\): (.+)$", path.read_text("ascii"), re.MULTILINE)
    assert len(columns) == exported.columns
    assert ("gallium", "us 3 shared; japan 3 shared") in columns
    assert ("dy_oxide", "us 2 closed; japan 3 closed") in columns
    assert any(" 0;" in words or words.endswith(" 0") for _, words in columns)


@pytest.mark.parametrize("model", ["plan", "foresight"])
def test_limits_are_in_the_file(toy, tmp_path, model):
    """10 million USD do not buy 6 t of gallium and 5 lots of dysprosium: 11 million USD."""
    made = replace(toy, agreement=Agreement(joint_budget_usd=10e6))
    path = tmp_path / "toy.lp"
    exported = sp.export_model(made, path, model=model, solver="highs", progress=False)
    row = {"plan": "eq11_joint_budget", "foresight": "F16_budget(all)"}[model]
    assert f" {row}: " in path.read_text(encoding="ascii")
    assert exported.cost_usd > 1.01 * COST[model]
    assert optimum(path) == pytest.approx(exported.cost_usd, rel=1e-6)
    assert exported.agrees


def test_worlds_and_scenarios_reach_the_model(toy, tmp_path):
    alone = sp.export_model(toy, tmp_path / "alone.lp", cooperation="none", progress=False)
    assert alone.cooperation == "none"
    assert alone.cost_usd == pytest.approx(560_000.0)
    assert "shared; japan" not in (tmp_path / "alone.lp").read_text(encoding="ascii")


# --- Another solver -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["plan", "foresight"])
def test_another_solver_agrees(capsys, tmp_path, model):
    status, out, err = run(
        capsys, "export", TOY, "--model", model, "--out", tmp_path / "m.mps", "--solver", "highs"
    )
    assert status == 0
    assert "highs       optimal, " in out
    assert "the same as ours" in out
    assert err == f"Written to {tmp_path / 'm.mps'}\n"


def test_a_solver_that_is_not_there_is_refused_before_the_work(capsys, tmp_path, monkeypatch):
    def never(*_, **__):
        raise AssertionError("worked, although the solver is not there")

    monkeypatch.setattr(export, "prepared", never)
    status, out, err = run(
        capsys, "export", TOY, "--out", tmp_path / "m.mps", "--solver", "gurobi_of_nobody"
    )
    assert (status, out) == (2, "")
    assert "gurobi_of_nobody is not available" in err
    assert "highs" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (ReferenceSolution("optimal", 300.0), 1, "below our bound: one of the two is wrong"),
        (ReferenceSolution("optimal", 440.6), 0, "the same as ours"),
        (ReferenceSolution("optimal", 441.0), 0, "above our cost: it stopped early, or is wrong"),
        (ReferenceSolution("infeasible"), 1, "infeasible, which cannot be"),
        (ReferenceSolution("stopped"), 0, "highs       stopped"),
    ],
)
def test_what_another_solver_says_is_compared(capsys, tmp_path, monkeypatch, answer, status, words):
    monkeypatch.setattr(export, "solve_reference", lambda *_: answer)
    ended, out, _ = run(capsys, "export", TOY, "--out", tmp_path / "m.mps", "--solver", "highs")
    assert ended == status
    assert words in out


def test_a_plan_that_is_not_the_best_is_said_to_be_within_the_gap(toy, tmp_path):
    exported = sp.export_model(toy, tmp_path / "m.mps", progress=False)
    wider = replace(
        exported,
        cost_usd=450_000.0,
        answer=export.SolverAnswer("highs", "optimal", 440_600.0),
    )
    assert wider.agrees
    assert "2.0889 % below our cost, and within our gap" in exported_text("toy", wider)


# --- Nothing to write -----------------------------------------------------------------------------


def infeasible(toy):
    """The same promise for a year and a half, where a year of demand may be held."""
    return replace(toy, coverage=(CoverageTarget(metric="days", level=500.0),))


@pytest.mark.parametrize("model", ["plan", "foresight"])
def test_without_a_solution_nothing_is_written(toy, tmp_path, capsys, model):
    folder = sp.save(infeasible(toy), tmp_path / "instance")
    out = tmp_path / "m.mps"
    status, shown, err = run(capsys, "export", folder, "--model", model, "--out", out)
    assert status == 3
    assert "infeasible: there is no model to write" in shown
    assert f"Nothing was written to {out}. Find out why with: stockpile solve {folder}" in err
    assert [item.name for item in tmp_path.iterdir()] == ["instance"]


def test_a_time_limit_without_columns_writes_nothing(capsys, tmp_path):
    out = tmp_path / "m.mps"
    status, shown, err = run(capsys, "export", TOY, "--out", out, "--time-limit", 1e-9)
    assert status == 4
    assert "time_limit" in shown
    assert "Nothing was written" in err
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_leaves_the_old_file(toy, tmp_path, monkeypatch):
    path = tmp_path / "m.mps"
    path.write_text("old", encoding="ascii")

    def fail(*_):
        raise OSError("no space")

    monkeypatch.setattr("stockpile.model.files.write_model", fail)
    for model in ("plan", "foresight"):
        with pytest.raises(OSError, match="no space"):
            sp.export_model(toy, path, model=model, progress=False)
    assert [item.name for item in tmp_path.iterdir()] == ["m.mps"]
    assert path.read_text(encoding="ascii") == "old"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": "both"}, "model is 'both'; expected one of plan, foresight"),
        ({"file_format": "sav"}, "file_format is 'sav'; expected one of mps, lp"),
        ({"gap": 2.0}, "gap is 2.0"),
        ({"threads": 0}, "threads is 0"),
        ({"time_limit": 0.0}, "time_limit is 0.0"),
    ],
)
def test_wrong_arguments_are_named(toy, tmp_path, arguments, words):
    with pytest.raises(sp.UsageError, match=words):
        sp.export_model(toy, tmp_path / "m.mps", progress=False, **arguments)


def test_places_where_no_file_can_be_are_refused_before_the_work(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "prepared", None)
    with pytest.raises(sp.UsageError, match="is not a folder"):
        sp.export_model(toy, tmp_path / "missing" / "m.mps")
    with pytest.raises(sp.UsageError, match="is not a file"):
        sp.export_model(toy, tmp_path)


def test_a_foresight_model_that_would_be_no_bound_is_refused(toy, tmp_path):
    project = Project(
        project="mine",
        kind="mine",
        material="gallium",
        capacity_t_per_year=5.0,
        beneficiaries=("us",),
        beneficiary_shares=(1.0,),
        funder="us",
        capital_usd=1e6,
        operating_usd_per_t=100.0,
        lead_median_months=24.0,
        lead_sigma=0.2,
    )
    with pytest.raises(sp.NotBuiltError, match=r"does not know yet: projects\.csv"):
        sp.export_model(
            replace(toy, projects=(project,)), tmp_path / "m.mps", model="foresight", progress=False
        )


# --- Ctrl-C ---------------------------------------------------------------------------------------


class Interrupt:
    """Sends Ctrl-C when it is first told of progress."""

    def __init__(self):
        self.sent = False

    def __call__(self, _):
        if not self.sent:
            self.sent = True
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_while_a_foresight_model_is_made_writes_nothing(toy, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        sp.export_model(toy, tmp_path / "m.mps", model="foresight", progress=Interrupt())
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_the_columns_found_so_far_or_nothing(toy, tmp_path):
    exported = sp.export_model(toy, tmp_path / "m.mps", progress=Interrupt())
    assert exported.status is sp.Status.INTERRUPTED
    assert (exported.path is None) == (not np.isfinite(exported.cost_usd))
    assert [item.name for item in tmp_path.iterdir()] == (
        [] if exported.path is None else ["m.mps"]
    )
