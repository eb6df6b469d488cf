"""Write models as MPS or LP, for other solvers to read."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stockpile.errors import UsageError
from stockpile.model.linear import LinearModel, write_model
from stockpile.model.plan_arrays import plan_arrays
from stockpile.model.plan_reference import in_units, money_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyomo.environ as pyo

    from stockpile.model.selection import Selection

Format = Literal["mps", "lp"]
"""Formats that models are written in: free MPS, and LP as CPLEX reads it."""

_COMMENT = {"mps": "*", "lp": "\\"}

_MONEY = {1.0: "USD", 1e3: "thousand USD", 1e6: "million USD", 1e9: "billion USD"}

_PLAN_NOTES = (
    "Selection model of stockpile: choose one column for every block at the least yearly cost.",
    "Money in {money}, storage in t. The names of rows begin with their equation:",
    "  eq10_block        one column for each block",
    "  eq11_budget       outlays; eq11_joint_budget: of all together",
    "  eq12_storage      storage minus room in open facilities [t]",
    "  eq13_covered      in a scenario a group is covered only if the block is",
    "  eq13_confidence   probability of covering a group, beyond what every choice covers",
    "  eq15_rule         a column needs a rule that acts as its own",
    "  eq15_most_rules   distinct rules in use",
    "  eq16_cost_share   what a participant bears in a year",
    "  eq18_excess       shortage cost of a scenario above eta",
    "  eq18_tail         mean shortage cost of the worst scenarios",
    "Variables: z(block,column), y(facility), full(group,scenario), w(participant,rule), eta,",
    "v(scenario). Columns and scenarios are counted from 0.",
)


def export_plan_model(selection: Selection, path: Path, file_format: Format) -> None:
    """Write the selection model; see :func:`export_model`.

    Names begin with the number of their equation. Money is in a unit that suits the tolerances
    of solvers, see :mod:`~stockpile.model.plan_reference`; a comment says which.
    """
    unit = money_unit(selection)
    money = _MONEY.get(unit, f"units of {unit:g} USD")
    notes = [note.format(money=money) for note in _PLAN_NOTES]
    export_model(plan_arrays(in_units(selection, unit)), path, file_format, notes)


def export_model(
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
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is not a folder, so {path.name} cannot be written to it")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} exists and is not a file")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".stockpile-") as near:
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
