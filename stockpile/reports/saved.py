"""Results of other commands, read from their folders, as far as reports show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from stockpile.cooperation.comparison_tables import TABLES as COMPARISON_TABLES
from stockpile.errors import ResultError
from stockpile.marginal_costs import COLUMNS as MARGINAL_COLUMNS
from stockpile.plan import Plan
from stockpile.records import read_json
from stockpile.result_tables import read_result_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stockpile.cooperation.comparison import Comparison
    from stockpile.frontier_points import Frontier
    from stockpile.marginal_costs import Marginals

FORMAT = 1


@dataclass(frozen=True)
class SavedComparison:
    """What ``stockpile compare`` has written.

    Attributes
    ----------
    summary
        Content of ``comparison.json``.
    tables
        Tables by name, as of :class:`stockpile.Comparison`.
    """

    summary: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]

    @staticmethod
    def of(comparison: Comparison) -> SavedComparison:
        """Return what would be read if a comparison was written and read."""
        tables = {name: getattr(comparison, name) for name in COMPARISON_TABLES}
        return SavedComparison(comparison.summary(), tables)

    @property
    def instance_hash(self) -> str:
        """Return the content hash of the instance compared."""
        return str(self.summary["instance"]["hash"])


@dataclass(frozen=True)
class SavedFrontier:
    """What ``stockpile frontier`` has written.

    Attributes
    ----------
    summary
        Content of ``frontier.json``.
    points
        parameter, status, annual_cost_usd, bound_usd, outlay_usd and more, one row for each point.
    marginals
        What one step more costs; None where it was not asked for.
    """

    summary: Mapping[str, Any]
    points: pd.DataFrame
    marginals: pd.DataFrame | None

    @staticmethod
    def of(frontier: Frontier, marginals: Marginals | None = None) -> SavedFrontier:
        """Return what would be read if a frontier was written and read."""
        table = None if marginals is None else marginals.table
        return SavedFrontier(frontier.summary(), _points(frontier.summary()["points"]), table)

    @property
    def instance_hash(self) -> str:
        """Return the content hash of the instance solved."""
        return str(self.summary["instance"]["hash"])


_POINT = ("point", "parameter", "status", "annual_cost_usd", "bound_usd", "outlay_usd")
Saved = Plan | SavedComparison | SavedFrontier


def read_result(folder: Path) -> Saved:
    """Read the folder of a plan, a comparison or a frontier.

    Raises
    ------
    ResultError
        If it is none of these, or is damaged.
    """
    if (folder / "plan.json").is_file():
        return Plan.load(folder)
    if (folder / "comparison.json").is_file():
        summary = _summary(folder / "comparison.json", ("instance", "status", "agreed"))
        tables = {
            name: read_result_table(folder / f"{name}.csv", columns)
            for name, columns in COMPARISON_TABLES.items()
        }
        return SavedComparison(summary, tables)
    if (folder / "frontier.json").is_file():
        summary = _summary(folder / "frontier.json", ("instance", "meaning", "points", "vary"))
        path = folder / "marginals.csv"
        marginals = read_result_table(path, MARGINAL_COLUMNS) if path.exists() else None
        points = summary["points"]
        if not isinstance(points, list) or not all(
            isinstance(point, dict) and set(_POINT) <= set(point) for point in points
        ):
            raise ResultError(f"{folder / 'frontier.json'} is damaged: points are not as expected")
        return SavedFrontier(summary, _points(points), marginals)
    if not folder.is_dir():
        raise ResultError(f"{folder} is not a result: there is no such folder")
    hint = ""
    if (folder / "batch.json").is_file():
        runs = sorted(item.name for item in (folder / "runs").glob("*") if item.is_dir())
        hint = "\n  It is a batch; name runs in it, such as " + str(folder / "runs" / runs[0])
        hint = hint if runs else ""
    raise ResultError(
        f"{folder} is not a result: it has no plan.json, comparison.json or frontier.json{hint}"
    )


def _summary(path: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    data = read_json(path)
    if data.get("format") != FORMAT:
        found = data.get("format")
        raise ResultError(f"{path}: format {found!r} is not known; this version reads {FORMAT}")
    missing = [key for key in keys if key not in data]
    named = data.get("instance")
    known = named if isinstance(named, dict) else {}
    if not all(isinstance(known.get(key), str) for key in ("name", "hash")):
        missing.append("instance")
    if missing:
        raise ResultError(f"{path} is damaged: {', '.join(dict.fromkeys(missing))} is missing")
    return data


def _points(points: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return points as a table; a number that is not there is not a number."""
    frame = pd.DataFrame(points, columns=list(_POINT))
    for column in ("parameter", "annual_cost_usd", "bound_usd", "outlay_usd"):
        frame[column] = pd.to_numeric(frame[column], errors="coerce")
    return frame
