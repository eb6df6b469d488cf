"""The tables of the real instances and of their sources, as text."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
INSTANCES = ROOT / "instances"
SOURCES = INSTANCES / "sources" / "us-japan"
WHOLE = INSTANCES / "us-japan-one-form"
WITH_CHAIN = INSTANCES / "us-japan"
NATIONS = ("us", "japan")


def rows(folder: Path, table: str, **match: str) -> list[dict[str, str]]:
    """Rows of a table whose cells equal the given ones."""
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    return [row for row in found if all(row[key] == value for key, value in match.items())]


def one(folder: Path, table: str, **match: str) -> dict[str, str]:
    """The only such row."""
    (found,) = rows(folder, table, **match)
    return found


def page() -> str:
    """The page of the documentation about the data."""
    return (ROOT / "docs" / "data.md").read_text(encoding="utf-8")


def demand_of(folder: Path, nation: str, material: str) -> dict[str, float]:
    """Yearly demand by class."""
    found = rows(folder, "demand", participant=nation, material=material)
    return {row["demand_class"]: float(row["demand_t_per_year"]) for row in found}


def shown(value: float, digits: int = 3) -> str:
    """A number as the tables of the documentation show it."""
    return np.format_float_positional(
        value, precision=digits, unique=False, fractional=False, trim="-"
    )


def assumed(key: str) -> float:
    return float(one(SOURCES, "assumptions", key=key)["value"])
