"""Models as MPS or LP files, for other solvers to read."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stockpile.errors import UsageError
from stockpile.model.foresight_arrays import instance_form
from stockpile.model.labels import labels_of
from stockpile.model.linear import LinearModel, write_model
from stockpile.model.plan_arrays import plan_arrays
from stockpile.model.plan_reference import in_units, money_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyomo.environ as pyo

    from stockpile.model.foresight_data import ForesightBudgets, ForesightData
    from stockpile.model.selection import Selection

Format = Literal["mps", "lp"]
"""Formats that models are written in: free MPS, and LP as CPLEX reads it."""
FORMATS: tuple[Format, ...] = ("mps", "lp")

_COMMENT = {"mps": "*", "lp": "\\"}

_MONEY = {1.0: "USD", 1e3: "thousand USD", 1e6: "million USD", 1e9: "billion USD"}

_PLAN_NOTES = (
    "Selection model of stockpile: choose one column for every block at the least yearly cost.",
    "Money in {money}, storage in t. The names of rows begin with their equation:",
    "  eq10_block        one column for each block",
    "  eq11_budget       outlays; eq11_joint_budget: of all together",
    "  eq11_projects     outlays for projects; eq11_joint_projects: of all together",
    "  eq12_storage      storage minus room in open facilities [t]",
    "  eq13_covered      in a scenario a group is covered only if the block is",
    "  eq13_confidence   probability of covering a group, beyond what every choice covers",
    "  eq14_project      a block is simulated with the projects that are funded, or fast",
    "  eq15_rule         a column needs a rule that acts as its own",
    "  eq15_most_rules   distinct rules in use",
    "  eq16_cost_share   what a participant bears in a year",
    "  eq17_cap          supply of one source above its share of all supply [t/month]",
    "  eq18_excess       shortage cost of a scenario above eta",
    "  eq18_tail         mean shortage cost of the worst scenarios",
    "Variables: z(block,column), y(facility), P(project) funded, F(project) fast-tracked,",
    "full(group,scenario), w(participant,rule), eta, v(scenario). Columns and scenarios are",
    "counted from 0.",
)

_FORESIGHT_NOTES = (
    "Foresight model of stockpile: holdings first, then the best releases of each scenario.",
    "Money in USD, quantities in t. The names of rows begin with their equation:",
    "  F2_need           what no step serves of a need is unserved",
    "  F3_stock          releases of a stock, minus what it holds and buys back, at most 0",
    "  F6_pool           pooled days of cover",
    "  F16_bought        what is held beyond what exists is bought",
    "  F16_budget        what that costs, in million USD",
    "Variables: h(material,participant) held, r(material,s,step) released and",
    "u(material,s,stream) unserved in scenario s, bought(material,participant). Scenarios are",
    "counted from 0; those in which nothing of a material is needed have no rows. Streams are",
    "counted from 0, participant by participant, class by class in order of priority; steps in",
    "the order of a month.",
)


def write_plan_model(
    selection: Selection, path: Path, file_format: Format, columns: Sequence[str] = ()
) -> None:
    """Write the selection model; see :func:`write_file`.

    Names begin with the number of their equation. Money is in a unit that suits the tolerances
    of solvers, see :mod:`~stockpile.model.plan_reference`; a comment says which.

    Parameters
    ----------
    columns
        What each column stands for, in a line of ASCII; empty where it is not said.
    """
    unit = money_unit(selection)
    money = _MONEY.get(unit, f"units of {unit:g} USD")
    notes = [note.format(money=money) for note in _PLAN_NOTES]
    if columns:
        blocks = labels_of(selection.blocks)
        notes += ["Columns: lots that participants hold, and the rules that they follow"]
        notes += [
            f"  z({blocks[i]},{j}): {column}"
            for j, (i, column) in enumerate(zip(selection.block, columns, strict=True))
        ]
    write_file(plan_arrays(in_units(selection, unit)), path, file_format, notes)


def write_foresight_model(
    materials: Sequence[ForesightData], budgets: ForesightBudgets, path: Path, file_format: Format
) -> None:
    """Write the model with perfect foresight of all materials; see :func:`write_file`."""
    write_file(instance_form(materials, budgets, names=True), path, file_format, _FORESIGHT_NOTES)


def check_file(path: Path) -> None:
    """Refuse a path that no file can be written to.

    Raises
    ------
    UsageError
        If the folder is not there, or something that is not a file has the name.
    OSError
        If the folder cannot be written to.
    """
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is not a folder, so {path.name} cannot be written to it")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} exists and is not a file")
    with _beside(path):
        pass  # Only a try tells whether the folder can be written to.


def write_file(
    model: LinearModel | pyo.ConcreteModel,
    path: Path,
    file_format: Format,
    notes: Sequence[str] = (),
) -> None:
    """Write a model to a file that appears whole or not at all.

    A file of that name is replaced. Arrays are written by HiGHS, Pyomo models by Pyomo.

    Parameters
    ----------
    file_format
        ``mps`` or ``lp``, whatever the ending of the file.
    notes
        Lines of comment to begin with.

    Raises
    ------
    UsageError
        If the folder is not there, or something that is not a file has the name.
    OSError
        If the file cannot be written; nothing is left behind then.
    """
    check_file(path)
    with _beside(path) as near:
        plain, whole = Path(near) / f"plain.{file_format}", Path(near) / "whole"
        if isinstance(model, LinearModel):
            write_model(model, str(plain))
        else:
            model.write(str(plain), io_options={"symbolic_solver_labels": True})
        with plain.open(encoding="ascii") as source, whole.open("w", encoding="ascii") as target:
            target.writelines(f"{_COMMENT[file_format]} {note}\n" for note in notes)
            for line in source:
                target.write(line)
        whole.replace(path)


def _beside(path: Path) -> tempfile.TemporaryDirectory[str]:
    """Return a folder beside a file, which goes away again."""
    return tempfile.TemporaryDirectory(dir=path.parent, prefix=".stockpile-")
