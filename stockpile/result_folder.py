"""Results of a summary and tables: as JSON, and as a folder that appears whole or not at all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from stockpile.folders import write_whole
from stockpile.records import csv_texts, json_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


class ResultFolder(ABC):
    """A result with a summary and tables, each of which is an attribute of its own name.

    Attributes
    ----------
    mark
        File with all of it as JSON, by which such a folder is known.
    columns
        Columns of each table, and what they hold.
    """

    __slots__ = ()
    mark: ClassVar[str]
    columns: ClassVar[Mapping[str, Mapping[str, type]]]

    @abstractmethod
    def summary(self) -> dict[str, Any]:
        """Return what the JSON file says besides the tables."""

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables by name."""
        return {name: getattr(self, name) for name in self.columns}

    def to_json(self) -> str:
        """Return summary and tables as JSON."""
        return json_text(self.summary(), self.tables())

    def files(self) -> dict[str, str]:
        """Return the files of the folder, by name."""
        return {self.mark: self.to_json(), **csv_texts(self.tables())}

    def save(self, folder: str | Path) -> None:
        """Write the JSON file and a CSV file for each table, whole or not at all.

        Raises
        ------
        UsageError
            If the folder holds anything but a result of the same kind.
        OSError
            If the folder cannot be written; nothing is left half-written then.
        """
        known = (self.mark, *(f"{name}.csv" for name in self.columns))
        write_whole(Path(folder), self.files(), mark=self.mark, replaceable=known)
