"""The orders of one nation alone, as a result folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from stockpile.result_folder import ResultFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

FORMAT = 1
MARK = "orders.json"
SIDE_ORDERS: dict[str, type] = {
    "owner": str,
    "beneficiary": str,
    "material": str,
    "needed": str,
    "demand_class": str,
    "plants": str,
    "taken_least_t": float,
    "taken_most_t": float,
    "rule": str,
    "line": str,
}
"""Columns of an order sheet between bands."""
TABLES: dict[str, dict[str, type]] = {"orders": SIDE_ORDERS}
FILES = (MARK, *(f"{name}.csv" for name in TABLES))


@dataclass(frozen=True)
class OrderSheet(ResultFolder):
    """What one nation has to release this month, or this week, at least and at most.

    Attributes
    ----------
    instance_name, shared_hash
        Of the instance: its name, and the hash of the tables that both sides share.
    cooperation
        Of the plan.
    participant
        Whose orders they are.
    period
        Of the instance, ``month`` or ``week``.
    month, date, title
        Of the state: number of the current period, counted from 1, and words.
    left_in_bands, agreed_in_bands
        Of whom it is known as bands what is left of the stocks, and what is agreed to be held.
    orders
        See :data:`SIDE_ORDERS`. Both amounts are the same where nothing is a band.
    """

    instance_name: str
    shared_hash: str
    cooperation: str
    participant: str
    period: str
    month: int
    date: str
    title: str
    left_in_bands: tuple[str, ...]
    agreed_in_bands: tuple[str, ...]
    orders: pd.DataFrame

    mark: ClassVar[str] = MARK
    columns: ClassVar[Mapping[str, Mapping[str, type]]] = TABLES

    def summary(self) -> dict[str, Any]:
        """Return the content of ``orders.json`` but for the table."""
        return {
            "format": FORMAT,
            "instance": {"name": self.instance_name, "shared_hash": self.shared_hash},
            "cooperation": self.cooperation,
            "participant": self.participant,
            self.period: self.month,
            "date": self.date,
            "title": self.title,
            "left_in_bands": list(self.left_in_bands),
            "agreed_in_bands": list(self.agreed_in_bands),
        }
