"""A plan for a partner: one nation's stocks are bands, all else that orders rest on is as agreed.

A partner works out its own orders from it. So rules, cooperation and which projects are funded are
in it, and of other stocks the tonnes. The instance that it was made from is known by a hash of all
tables but those that tell of stocks: with the whole hash a guess of what is hidden could be tried.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockpile.errors import ResultError, UsageError, suggestion
from stockpile.folders import write_whole
from stockpile.plan import TABLES as PLAN_TABLES
from stockpile.plan import Plan
from stockpile.records import csv_texts, json_text, read_json
from stockpile.redaction import (
    ALL_BANDS,
    FILES,
    FORMAT,
    HIDEABLE,
    RESULT,
    redacted_holdings,
    redacted_summary,
)
from stockpile.result_tables import read_result_table, typed_table
from stockpile.tables import COOPERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from stockpile.instance import Instance

TONNES = " t"
"""Ends an amount that is not hidden."""
TABLES: dict[str, dict[str, type]] = {
    "holdings": {"participant": str, "material": str, "holding": str, "existing": str, "rule": str},
    "rules": PLAN_TABLES["rules"],
    "projects": {"project": str, "funded": bool, "fast_track": bool},
    "coverage": {
        name: kind for name, kind in PLAN_TABLES["coverage"].items() if name != "achieved"
    },
}
"""Tables of a plan for a partner, and what their columns hold."""


@dataclass(frozen=True)
class RedactedPlan:
    """A plan in which one nation's stocks are bands.

    Attributes
    ----------
    said
        What ``redacted.json`` says: nothing but what may be known.
    holdings
        participant, material, rule; ``holding`` and ``existing`` in tonnes, such as ``12 t``, or
        as a band of days of cover.
    rules
        As in a plan.
    projects
        project, funded, fast_track.
    coverage
        As in a plan, but for what is achieved.
    """

    said: Mapping[str, Any]
    holdings: pd.DataFrame
    rules: pd.DataFrame
    projects: pd.DataFrame
    coverage: pd.DataFrame

    @property
    def participant(self) -> str:
        """Return whose stocks are bands."""
        return str(self.said["hidden_of"])

    @property
    def cooperation(self) -> str:
        """Return the world of the plan."""
        return str(self.said["cooperation"])

    @property
    def held_t(self) -> dict[tuple[str, str], float]:
        """Return what is to be held by participant and material [t], where that is known."""
        return self._tonnes("holding")

    @property
    def existing_t(self) -> dict[tuple[str, str], float]:
        """Return what is held already by participant and material [t], where that is known."""
        return self._tonnes("existing")

    @property
    def held_in_band(self) -> dict[tuple[str, str], str]:
        """Return the band of what is to be held by participant and material, where it is hidden."""
        return {
            place: text
            for place, text in self._by_stock("holding").items()
            if not text.endswith(TONNES)
        }

    def _tonnes(self, column: str) -> dict[tuple[str, str], float]:
        return {
            place: float(text.removesuffix(TONNES))
            for place, text in self._by_stock(column).items()
            if text.endswith(TONNES)
        }

    def _by_stock(self, column: str) -> dict[tuple[str, str], str]:
        table = self.holdings
        places = zip(table["participant"], table["material"], strict=True)
        return dict(zip(places, table[column], strict=True))

    def require_same(self, instance: Instance) -> None:
        """Refuse an instance that the plan was not made from, as far as may be known.

        Raises
        ------
        ResultError
            Saying which is which.
        """
        there, here = str(self.said["instance"]["shared_hash"]), shared_hash(instance)
        if there != here:
            raise ResultError(
                f"the plan was made from {self.said['instance']['name']} ({there[:12]} without "
                f"stocks and stores), not from {instance.name} as it is now ({here[:12]}).\n"
                "  Both sides need the same tables but for holdings.csv and facilities.csv, and "
                "the same --set."
            )

    def files(self) -> dict[str, str]:
        """Return the files of the folder, by name."""
        tables = {name: getattr(self, name) for name in TABLES}
        return {RESULT: json_text(self.said), **csv_texts(tables)}

    def save(self, folder: str | Path) -> None:
        """Write the folder, whole or not at all; an earlier one there is replaced.

        Raises
        ------
        UsageError
            If the folder holds anything but such a plan.
        OSError
            If the folder cannot be written; nothing is left half-written then.
        """
        write_whole(Path(folder), self.files(), mark=RESULT, replaceable=FILES)

    @staticmethod
    def load(folder: str | Path) -> RedactedPlan:
        """Read the folder of a plan for a partner.

        Raises
        ------
        ResultError
            If it is none, or is damaged.
        """
        folder = Path(folder)
        said = _read_summary(folder / RESULT)
        tables: dict[str, Any] = {
            name: read_result_table(folder / f"{name}.csv", columns)
            for name, columns in TABLES.items()
        }
        _check_amounts(folder / "holdings.csv", tables["holdings"])
        return RedactedPlan(said=said, **tables)


def load_agreed(folder: Path) -> Plan | RedactedPlan:
    """Read a plan in full, or one for a partner, whichever a folder holds.

    Raises
    ------
    ResultError
        If it holds neither, or is damaged.
    """
    return RedactedPlan.load(folder) if (folder / RESULT).is_file() else Plan.load(folder)


def redacted_plan(plan: Plan, instance: Instance, participant: str) -> RedactedPlan:
    """Return a plan that may be shown to partners: stocks of a participant as bands.

    Parameters
    ----------
    instance
        What was solved.
    participant
        Whose holdings and existing stocks are hidden.

    Raises
    ------
    UsageError
        If there is no such participant.
    ResultError
        If the plan was made from another instance, or there is none.
    """
    from stockpile.plan_decisions import require_same  # It knows plans of both kinds.

    require_same(plan, instance)
    require_participant(instance, participant)
    if not plan.found:
        raise ResultError(f"The result holds no plan: its status is {plan.status}.")
    said = redacted_summary(plan, HIDEABLE)
    said["instance"] = {**said["instance"], "shared_hash": shared_hash(instance)}
    said["hidden_of"] = participant
    return RedactedPlan(
        said=said,
        holdings=typed_table(
            TABLES["holdings"], redacted_holdings(plan, instance, HIDEABLE, participant)
        ),
        rules=plan.rules,
        projects=plan.projects[list(TABLES["projects"])],
        coverage=plan.coverage[list(TABLES["coverage"])],
    )


def shared_hash(instance: Instance) -> str:
    """Return the content hash of an instance without the tables that tell of stocks and stores."""
    return replace(instance, holdings=(), facilities=()).content_hash


def require_participant(instance: Instance, participant: str) -> None:
    """Raise `UsageError` if there is no such participant."""
    known = [row.participant for row in instance.participants]
    if participant not in known:
        hint = suggestion(participant, known, "participants")
        raise UsageError(f"there is no participant {participant!r}. {hint}")


def _read_summary(path: Path) -> dict[str, Any]:
    """Read ``redacted.json`` and check what orders need of it."""
    if not path.is_file():
        raise ResultError(f"{path.parent} is not a redacted result: it has no {RESULT}.")
    said = read_json(path)
    if said.get("format") != FORMAT:
        raise ResultError(
            f"{path}: format {said.get('format')!r} is not known; this version reads format "
            f"{FORMAT}"
        )
    if "hidden_of" not in said:
        raise ResultError(
            f"{path.parent} hides the stocks of everybody: nobody can work out orders from it.\n"
            "  Make one for a partner with: stockpile redact INSTANCE RESULT --of PARTICIPANT"
        )
    of_instance = said.get("instance")
    wrong = [
        f"{name} is {value!r}; expected {expected}"
        for name, value, expected, fits in (
            ("hidden_of", said["hidden_of"], "a participant", isinstance(said["hidden_of"], str)),
            (
                "cooperation",
                said.get("cooperation"),
                f"one of {', '.join(COOPERATIONS)}",
                said.get("cooperation") in COOPERATIONS,
            ),
            (
                "instance",
                of_instance,
                "a name and a shared_hash",
                isinstance(of_instance, dict)
                and all(isinstance(of_instance.get(key), str) for key in ("name", "shared_hash")),
            ),
        )
        if not fits
    ]
    if wrong:
        raise ResultError(f"{path} is damaged: " + "; ".join(wrong))
    return said


def _check_amounts(path: Path, holdings: pd.DataFrame) -> None:
    """Refuse stocks that are neither tonnes nor a band."""
    bands = ALL_BANDS
    for column in ("holding", "existing"):
        for line, text in enumerate(holdings[column], start=2):
            if text not in bands and not _is_amount(text):
                raise ResultError(
                    f"{path}, line {line}, column {column}: {text!r}; expected tonnes, such as "
                    f"12 t, or a band: {', '.join(bands)}"
                )


def _is_amount(text: str) -> bool:
    number = text.removesuffix(TONNES)
    try:
        return number != text and 0.0 <= float(number) < math.inf
    except ValueError:
        return False
