"""The plan: what governments could sign, with its certificate, as tables that are saved whole."""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stockpile.errors import ResultError
from stockpile.folders import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1
TABLES: dict[str, tuple[str, ...]] = {
    "holdings": (
        "participant",
        "material",
        "lots",
        "holding_t",
        "existing_t",
        "buy_t",
        "days_of_cover",
        "outlay_usd",
        "annual_holding_cost_usd",
    ),
    "rules": ("participant", "material", "rule", "instruction"),
    "coverage": (
        "participant",
        "material",
        "demand_class",
        "metric",
        "level",
        "confidence",
        "achieved",
        "met",
        "stress",
        "group",
        "sharing",
    ),
    "costs": ("participant", "material", "holding", "shortage", "shipping"),
    "certificates": ("material", "annual_cost_usd", "bound_usd", "gap", "simulations"),
}
"""Tables of a result folder and their columns."""
FILES = ("plan.json", *(f"{name}.csv" for name in TABLES))
_TEXT = {
    "participant",
    "material",
    "rule",
    "instruction",
    "demand_class",
    "metric",
    "stress",
    "group",
    "sharing",
}


class Status(StrEnum):
    """How a solve ended."""

    OPTIMAL = "optimal"
    """The wanted gap is proved."""
    TIME_LIMIT = "time_limit"
    """Time ran out; the gap reached is reported, if there is a plan."""
    INTERRUPTED = "interrupted"
    """Stopped by the user; the best plan so far, with the gap reached."""
    INFEASIBLE = "infeasible"
    """No holdings and rules within the limits keep all promises."""


@dataclass(frozen=True)
class Plan:
    """Holdings and release rules for all participants and materials, with their certificate.

    Attributes
    ----------
    instance_name, instance_hash
        Name and content hash of the instance that was solved.
    cooperation
        ``none``, ``sharing`` or ``joint``.
    status
        How the solve ended.
    annual_cost_usd
        Cost of the plan, equation (7) summed over materials [USD/year]; None without a plan.
    bound_usd
        Proven lower limit on the cost of any plan from the same menu of rules [USD/year].
    gap
        (annual_cost_usd - bound_usd) / annual_cost_usd; None without a plan.
    seed, scenario_count
        Of the scenarios planned on; the seed is None where the instance gives its scenarios.
    seconds
        Wall-clock time of the solve.
    versions
        Versions of Python and of the packages that the numbers depend on.
    conflicts
        Where infeasible: each promise that cannot be kept, with the best that can be reached.
    holdings
        participant, material, lots, holding_t, existing_t, buy_t, days_of_cover, outlay_usd
        (8), annual_holding_cost_usd.
    rules
        participant, material, rule, instruction (the rule in words).
    coverage
        One row per promise: what was promised, what is achieved, whether it is met. Of an
        infeasible instance: the best that each promise can reach on its own.
    costs
        participant, material, holding, shortage, shipping [USD/year] (7).
    certificates
        Per material: cost and bound [USD/year], gap, candidates simulated.
    """

    instance_name: str
    instance_hash: str
    cooperation: str
    status: Status
    annual_cost_usd: float | None
    bound_usd: float | None
    gap: float | None
    seed: int | None
    scenario_count: int
    seconds: float
    versions: Mapping[str, str]
    conflicts: tuple[str, ...] = ()
    holdings: pd.DataFrame = field(default_factory=lambda: empty_table("holdings"))
    rules: pd.DataFrame = field(default_factory=lambda: empty_table("rules"))
    coverage: pd.DataFrame = field(default_factory=lambda: empty_table("coverage"))
    costs: pd.DataFrame = field(default_factory=lambda: empty_table("costs"))
    certificates: pd.DataFrame = field(default_factory=lambda: empty_table("certificates"))

    @property
    def found(self) -> bool:
        """Return whether there is a plan at all."""
        return self.annual_cost_usd is not None

    def summary(self) -> dict[str, Any]:
        """Return the content of ``plan.json``."""
        return {
            "format": FORMAT,
            "instance": {"name": self.instance_name, "hash": self.instance_hash},
            "versions": dict(self.versions),
            "seed": self.seed,
            "scenario_count": self.scenario_count,
            "cooperation": self.cooperation,
            "status": str(self.status),
            "annual_cost_usd": self.annual_cost_usd,
            "bound_usd": self.bound_usd,
            "gap": self.gap,
            "seconds": round(self.seconds, 3),
            "conflicts": list(self.conflicts),
        }

    def to_json(self) -> str:
        """Return the whole plan, tables included, as JSON text."""
        tables = {
            name: [
                {key: _plain(value) for key, value in row.items()}
                for row in getattr(self, name).to_dict(orient="records")
            ]
            for name in TABLES
        }
        return json.dumps({**self.summary(), **tables}, indent=2, allow_nan=False) + "\n"

    def files(self) -> dict[str, str]:
        """Return the files of the result folder by name."""
        texts = {"plan.json": json.dumps(self.summary(), indent=2, allow_nan=False) + "\n"}
        for name in TABLES:
            texts[f"{name}.csv"] = getattr(self, name).to_csv(index=False, lineterminator="\n")
        return texts

    def save(self, folder: str | Path) -> None:
        """Write the result folder, whole or not at all; an earlier result there is replaced.

        Raises
        ------
        UsageError
            If the folder holds anything but a result.
        OSError
            If the folder cannot be written; nothing is left half-written then.
        """
        write_whole(Path(folder), self.files(), replaceable=FILES)

    @staticmethod
    def load(folder: str | Path) -> Plan:
        """Read a result folder.

        Raises
        ------
        ResultError
            If the folder is not a result, or is damaged.
        """
        folder = Path(folder)
        if not (folder / "plan.json").is_file():
            raise ResultError(
                f"{folder} is not a result folder: it has no plan.json.\n"
                "  Make one with: stockpile solve INSTANCE --out DIR"
            )
        try:
            data = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                raise ResultError(
                    f"{folder / 'plan.json'}: format {data['format']!r} is not known; "
                    f"this version reads format {FORMAT}"
                )
            return Plan(
                instance_name=data["instance"]["name"],
                instance_hash=data["instance"]["hash"],
                cooperation=data["cooperation"],
                status=Status(data["status"]),
                annual_cost_usd=data["annual_cost_usd"],
                bound_usd=data["bound_usd"],
                gap=data["gap"],
                seed=data["seed"],
                scenario_count=data["scenario_count"],
                seconds=data["seconds"],
                versions=data["versions"],
                conflicts=tuple(data["conflicts"]),
                **{name: _read_table(folder, name) for name in TABLES},
            )
        except (ValueError, KeyError, TypeError, OSError, UnicodeError) as error:
            reason = f"{error!s} is missing" if isinstance(error, KeyError) else str(error)
            raise ResultError(f"{folder / 'plan.json'} is damaged: {reason}") from error


def empty_table(name: str) -> pd.DataFrame:
    """Return a table of a plan without rows."""
    return pd.DataFrame({column: [] for column in TABLES[name]})


def table(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return a table of a plan from rows, with its columns in order."""
    return pd.DataFrame(rows, columns=list(TABLES[name])) if rows else empty_table(name)


def _read_table(folder: Path, name: str) -> pd.DataFrame:
    path = folder / f"{name}.csv"
    try:
        text = path.read_text(encoding="utf-8")
        frame = pd.read_csv(
            io.StringIO(text),
            keep_default_na=False,
            dtype={column: str for column in TABLES[name] if column in _TEXT},
            na_values={column: [""] for column in TABLES[name] if column not in _TEXT},
            float_precision="round_trip",
        )
    except (OSError, ValueError) as error:
        raise ResultError(f"{path} cannot be read: {error}") from error
    if tuple(frame.columns) != TABLES[name]:
        raise ResultError(
            f"{path} has the columns {', '.join(frame.columns)}; expected {', '.join(TABLES[name])}"
        )
    return frame


def _plain(value: Any) -> Any:
    """Turn a cell into what JSON knows; a number that is not there is null."""
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
