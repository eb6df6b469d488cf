"""The sourced tables, the assumptions and the references they rest on."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Row = dict[str, str]

PARTICIPANTS = ("us", "japan")
CLASSES = ("defense", "essential", "industrial")
COUNTRY = {"us": "United States", "japan": "Japan"}
CODE = {"us": "US", "japan": "JP"}
ELSEWHERE = "Other"

METHODS = {
    "method_form": "Tonnes and prices in one form: rare-earth oxide, otherwise contained metal",
    "method_price": "Price for a buyer outside China",
    "method_lots": "Size of a lot from the two yearly demands",
    "method_classes": "Demand split into classes by assumed shares",
    "method_origins": "Imports traced back to the bottleneck stage",
    "method_hazards": "Hazards estimated from past disruptions",
    "method_shortage": "Shortage costs from published losses",
    "method_holdings": "What is known of existing stocks",
    "method_promises": "Choice of promises",
    "method_budgets": "Budgets from appropriations and promised days of cover",
    "method_facilities": "Room and cost of stores from floor area and staff",
    "method_risk": "Limit on the worst histories from a published loss",
    "method_chain": "Didymium oxide, metal and magnets: needs, yields and plants",
    "method_projects": "Projects: output, cost and capital",
    "method_leads": "Lead times from announced start years and past delays",
    "method_prices": "Falls of prices from price histories",
}


@dataclass(frozen=True)
class Sources:
    """All tables of `instances/sources/us-japan`, by file name without ending."""

    tables: dict[str, list[Row]]

    def rows(self, table: str, **match: str) -> list[Row]:
        """Rows of a table whose cells equal the given ones."""
        return [
            row
            for row in self.tables[table]
            if all(row[column] == value for column, value in match.items())
        ]

    def one(self, table: str, **match: str) -> Row:
        """The only such row."""
        found = self.rows(table, **match)
        if len(found) != 1:
            message = f"{table}.csv has {len(found)} rows with {match}, expected one"
            raise ValueError(message)
        return found[0]

    def assumed(self, key: str) -> float:
        """An assumed number."""
        return float(self.one("assumptions", key=key)["value"])

    def is_assumption(self, key: str) -> bool:
        return any(row["key"] == key for row in self.tables["assumptions"])

    def number(self, cell: str) -> float:
        """A number given as such or by the key of an assumption."""
        return self.assumed(cell) if self.is_assumption(cell) else float(cell)


def seen_by(sources: Sources, instance: str) -> Sources:
    """Sources with the rows for one instance; materials of the others are `hidden`."""
    tables = {
        table: [row for row in rows if _is_for(row, instance)]
        for table, rows in sources.tables.items()
    }
    tables["hidden"] = [row for row in sources.tables["selection"] if not _is_for(row, instance)]
    return Sources(tables)


def _is_for(row: Row, instance: str) -> bool:
    """Whether a row names the instance; without a name it is for all."""
    named = row.get("instance", "")
    return not named or instance in named.split(";")


def read_sources(folder: Path) -> Sources:
    """Read every table of the folder."""
    tables = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            tables[path.stem] = list(csv.DictReader(file))
    return Sources(tables)


def assumption(*keys: str) -> str:
    """References to assumptions, as a cell of the column `ref`."""
    return refs(*(f"assumption_{key}" for key in keys))


def refs(*keys: str) -> str:
    """Reference keys in order, each once, as a cell of the column `ref`."""
    flat = [key for cell in keys for key in cell.split(";") if key]
    return ";".join(dict.fromkeys(flat))


def references(sources: Sources, used: Iterable[str]) -> list[Row]:
    """The rows of `references.csv` for the keys used."""
    known = {row["ref"]: row for row in sources.tables["references"]}
    for row in sources.tables["assumptions"]:
        known[f"assumption_{row['key']}"] = {
            "ref": f"assumption_{row['key']}",
            "title": f"Assumption: {row['key']} = {row['value']} {row['unit']}. {row['why']}",
            "url": "docs/data.md#assumptions",
            "year": "2026",
            "kind": "assumption",
        }
    for key, title in METHODS.items():
        known[key] = {
            "ref": key,
            "title": f"Method: {title}",
            "url": "docs/data.md",
            "year": "2026",
            "kind": "derived",
        }
    return [known[key] for key in sorted(set(used))]
