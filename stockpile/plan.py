"""The plan: what governments could sign, with its certificate, as tables that are saved whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockpile.errors import ResultError
from stockpile.folders import write_whole
from stockpile.records import csv_texts, json_text, read_json
from stockpile.result_tables import read_result_table, typed_table
from stockpile.tables import COOPERATIONS, SAMPLINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

FORMAT = 1
TABLES: dict[str, dict[str, type]] = {
    "holdings": {
        "participant": str,
        "material": str,
        "lots": int,
        "holding_t": float,
        "existing_t": float,
        "buy_t": float,
        "days_of_cover": float,
        "outlay_usd": float,
        "annual_holding_cost_usd": float,
    },
    "rules": {"participant": str, "material": str, "rule": str, "instruction": str},
    "coverage": {
        "participant": str,
        "material": str,
        "demand_class": str,
        "metric": str,
        "level": float,
        "confidence": float,
        "achieved": float,
        "met": bool,
        "stress": str,
        "group": str,
        "sharing": str,
    },
    "costs": {
        "participant": str,
        "material": str,
        "holding": float,
        "shortage": float,
        "shipping": float,
        "conversion": float,
    },
    "facilities": {
        "facility": str,
        "participant": str,
        "storage_kind": str,
        "capacity_t": float,
        "open": bool,
        "fixed_cost_usd_per_year": float,
    },
    "projects": {
        "project": str,
        "kind": str,
        "funder": str,
        "payers": str,
        "payer_shares": str,
        "funded": bool,
        "fast_track": bool,
        "capital_usd": float,
        "capital_usd_per_year": float,
        "support_usd_per_year": float,
        "start_month_median": float,
        "output_t_per_year": float,
    },
    "dependence": {
        "participant": str,
        "material": str,
        "source": str,
        "share_before": float,
        "share_after": float,
        "hhi_before": float,
        "hhi_after": float,
    },
    "limits": {
        "equation": int,
        "limit": str,
        "participant": str,
        "item": str,
        "used": float,
        "allowed": float,
        "unit": str,
    },
    "certificates": {
        "material": str,
        "annual_cost_usd": float,
        "bound_usd": float,
        "gap": float,
        "simulations": int,
    },
}
"""Tables of a result folder, their columns and what these hold."""
COST_PARTS = ("holding", "shortage", "shipping", "conversion")
"""Columns of ``costs`` that add up to what a participant bears of a material."""
FILES = ("plan.json", *(f"{name}.csv" for name in TABLES))
SUMMARY: dict[str, tuple[type, ...]] = {
    "versions": (dict,),
    "seed": (int, type(None)),
    "sampling": (str, type(None)),
    "scenario_count": (int,),
    "cooperation": (str,),
    "status": (str,),
    "annual_cost_usd": (float, int, type(None)),
    "bound_usd": (float, int, type(None)),
    "gap": (float, int, type(None)),
    "alone_gap": (float, int, type(None)),
    "seconds": (float, int),
    "conflicts": (list,),
}
"""Keys of ``plan.json`` besides format and instance, and what these hold."""


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
        Cost of the plan: equation (7) summed over materials, the fixed cost of open facilities,
        and projects (9) [USD/year]; None without a plan.
    bound_usd
        Proven lower limit on the cost of any plan from the same menu of rules [USD/year].
    gap
        (annual_cost_usd - bound_usd) / annual_cost_usd; None without a plan.
    alone_gap
        The gap of the plan without partners that says what nobody may pay more than (16); None
        where that is no limit, or there is no such plan.
    seed, sampling, scenario_count
        Of the scenarios planned on; seed and sampling are None where the instance gives them.
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
        participant, material, holding, shortage, shipping, conversion [USD/year] (7).
    facilities
        Which stores are open, and what that costs [USD/year]; no rows without any.
    projects
        Which projects are funded, who pays which part, and what that costs [USD, USD/year]:
        ``capital_usd`` at once, fast track included, and nothing where it is not funded; the
        first month with output in the median scenario, and the output in full [t/year], either
        way. No rows without any.
    dependence
        Who supplies whom before and after projects (17): shares of the supply, and the
        Herfindahl-Hirschman index, the sum of the squared shares of named sources. No rows where
        nothing can be funded.
    limits
        What the plan uses of every limit that materials share, and what is allowed; ``all``
        stands for all participants together. ``equation`` is its number in the formulation.
    certificates
        Per material, or per chain of materials that conversions join, named with ``+``: cost and
        bound [USD/year], gap, candidates simulated. Where limits join the materials, there is one
        bound and one gap for all, and none for each.
    """

    instance_name: str
    instance_hash: str
    cooperation: str
    status: Status
    annual_cost_usd: float | None
    bound_usd: float | None
    gap: float | None
    seed: int | None
    sampling: str | None
    scenario_count: int
    seconds: float
    versions: Mapping[str, str]
    conflicts: tuple[str, ...] = ()
    alone_gap: float | None = None
    holdings: pd.DataFrame = field(default_factory=lambda: empty_table("holdings"))
    rules: pd.DataFrame = field(default_factory=lambda: empty_table("rules"))
    coverage: pd.DataFrame = field(default_factory=lambda: empty_table("coverage"))
    costs: pd.DataFrame = field(default_factory=lambda: empty_table("costs"))
    facilities: pd.DataFrame = field(default_factory=lambda: empty_table("facilities"))
    projects: pd.DataFrame = field(default_factory=lambda: empty_table("projects"))
    dependence: pd.DataFrame = field(default_factory=lambda: empty_table("dependence"))
    limits: pd.DataFrame = field(default_factory=lambda: empty_table("limits"))
    certificates: pd.DataFrame = field(default_factory=lambda: empty_table("certificates"))

    @property
    def found(self) -> bool:
        """Return whether there is a plan at all."""
        return self.annual_cost_usd is not None

    @property
    def held_t(self) -> dict[tuple[str, str], float]:
        """Return what is to be held by participant and material [t]."""
        return self._by_stock("holding_t")

    @property
    def existing_t(self) -> dict[tuple[str, str], float]:
        """Return what is held already by participant and material [t]."""
        return self._by_stock("existing_t")

    def _by_stock(self, column: str) -> dict[tuple[str, str], float]:
        table = self.holdings
        places = zip(table["participant"], table["material"], strict=True)
        return dict(zip(places, table[column].tolist(), strict=True))

    def summary(self) -> dict[str, Any]:
        """Return the content of ``plan.json``."""
        return {
            "format": FORMAT,
            "instance": {"name": self.instance_name, "hash": self.instance_hash},
            "versions": dict(self.versions),
            "seed": self.seed,
            "sampling": self.sampling,
            "scenario_count": self.scenario_count,
            "cooperation": self.cooperation,
            "status": str(self.status),
            "annual_cost_usd": self.annual_cost_usd,
            "bound_usd": self.bound_usd,
            "gap": self.gap,
            "alone_gap": self.alone_gap,
            "seconds": round(self.seconds, 3),
            "conflicts": list(self.conflicts),
        }

    def to_json(self) -> str:
        """Return the whole plan, tables included, as JSON text."""
        return json_text(self.summary(), self._tables())

    def files(self) -> dict[str, str]:
        """Return the files of the result folder by name."""
        return {"plan.json": json_text(self.summary()), **csv_texts(self._tables())}

    def tidy(self) -> pd.DataFrame:
        """Return all that the plan says as one long table; see ``stockpile.tidy``."""
        from stockpile.tidy import tidy  # It builds on this file.

        return tidy(self)

    def to_parquet(self, folder: str | Path) -> None:
        """Write all tables, and the long one, as Parquet files into a folder, whole or not at all.

        Raises
        ------
        UsageError
            If pyarrow is not installed, or the folder holds anything but such files.
        OSError
            If the folder cannot be written; nothing is left half-written then.
        """
        from stockpile.parquet import FILES as PARQUET_FILES  # It builds on this file.
        from stockpile.parquet import TIDY, parquet_files

        write_whole(Path(folder), parquet_files(self), mark=TIDY, replaceable=PARQUET_FILES)

    def _tables(self) -> dict[str, pd.DataFrame]:
        return {name: getattr(self, name) for name in TABLES}

    def save(self, folder: str | Path) -> None:
        """Write the result folder, whole or not at all; an earlier result there is replaced.

        Raises
        ------
        UsageError
            If the folder holds anything but a result.
        OSError
            If the folder cannot be written; nothing is left half-written then.
        """
        write_whole(Path(folder), self.files(), mark="plan.json", replaceable=FILES)

    @staticmethod
    def load(folder: str | Path) -> Plan:
        """Read a result folder.

        Raises
        ------
        ResultError
            If the folder is not a result, or is damaged.
        """
        folder = Path(folder)
        path = folder / "plan.json"
        if (folder / "redacted.json").is_file():
            raise ResultError(
                f"{folder} hides stock levels, and this needs them; its partner's order sheet does "
                "not: stockpile respond INSTANCE RESULT --state DIR --side PARTICIPANT"
            )
        if not path.is_file():
            raise ResultError(
                f"{folder} is not a result folder: it has no plan.json.\n"
                "  Make one with: stockpile solve INSTANCE --out DIR"
            )
        data = _read_summary(path)
        tables: dict[str, Any] = {
            name: read_result_table(folder / f"{name}.csv", columns)
            for name, columns in TABLES.items()
        }
        return Plan(
            instance_name=data["instance"]["name"],
            instance_hash=data["instance"]["hash"],
            status=Status(data.pop("status")),
            conflicts=tuple(data.pop("conflicts")),
            **{key: data[key] for key in SUMMARY if key in data},
            **tables,
        )


def empty_table(name: str) -> pd.DataFrame:
    """Return a table of a plan without rows."""
    return table(name, [])


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a table of a plan from rows, with its columns in order and of their types."""
    return typed_table(TABLES[name], rows)


def _read_summary(path: Path) -> dict[str, Any]:
    """Read ``plan.json`` and check what it holds."""
    data = read_json(path)
    if "sampling" not in data:  # Results from before there was a choice.
        data["sampling"] = None if data.get("seed") is None else "plain"
    data.setdefault("alone_gap", None)  # Results from before it was told.
    if "format" not in data:
        raise ResultError(f"{path} is damaged: format is missing")
    if data["format"] != FORMAT:
        raise ResultError(
            f"{path}: format {data['format']!r} is not known; this version reads format {FORMAT}"
        )
    wrong = [f"{key} is missing" for key in ("instance", *SUMMARY) if key not in data]
    for key, kinds in SUMMARY.items():
        value = data.get(key)
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        if key in data and not (fits and value == value):  # A number that is not one differs.
            expected = " or ".join("nothing" if k is type(None) else k.__name__ for k in kinds)
            wrong.append(f"{key} is {value!r}; expected {expected}")
    of_instance = data.get("instance")
    if "instance" in data and not (
        isinstance(of_instance, dict)
        and all(isinstance(of_instance.get(key), str) for key in ("name", "hash"))
    ):
        wrong.append(f"instance is {of_instance!r}; expected a name and a hash")
    if isinstance(data.get("versions"), dict) and not all(
        isinstance(text, str) for text in data["versions"].values()
    ):
        wrong.append("versions holds something that is not text")
    for key, known in (
        ("status", tuple(Status)),
        ("cooperation", COOPERATIONS),
        ("sampling", SAMPLINGS),
    ):
        if isinstance(data.get(key), str) and data[key] not in known:
            wrong.append(f"{key} is {data[key]!r}; expected one of {', '.join(known)}")
    if isinstance(data.get("conflicts"), list) and not all(
        isinstance(text, str) for text in data["conflicts"]
    ):
        wrong.append("conflicts holds something that is not text")
    if not all(text.isprintable() for text in _texts_in(data)):
        wrong.append("a text has control characters")
    if wrong:
        raise ResultError(f"{path} is damaged: " + "; ".join(wrong))
    return data


def _texts_in(data: Any) -> Iterator[str]:
    """Yield all texts of what JSON holds, keys included."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from _texts_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts_in(value)
